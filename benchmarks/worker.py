"""Time the recurrent layers of one framework: a request is a line of JSON, and so is its answer.

python -m benchmarks.worker keras
{"layer": "LSTM", "batch": 32, "time": 40, "features": 32, "units": 64, "steps": 20}
"""

import gc
import json
import sys
import time

import numpy as np

LEARNING_RATE = 0.01


class KerasSteps:
    """A recurrent layer, ours or of Keras, and the two functions that are timed, compiled as `fit` does."""

    def __init__(self, layers, name, batch, time, features, units):
        import keras
        import tensorflow as tf

        inputs, targets = map(tf.constant, batch_of(batch, time, features, units))
        self.layer = layer = getattr(layers, name)(units)
        layer.build(inputs.shape)
        optimizer = keras.optimizers.SGD(LEARNING_RATE)
        optimizer.build(layer.trainable_variables)

        @tf.function
        def train(inputs, targets):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(layer(inputs, training=True) - targets))
            optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
            return loss

        infer = tf.function(layer)
        self.train = lambda: train(inputs, targets).numpy()
        self.infer = lambda: infer(inputs).numpy()


class TorchSteps:
    """A recurrent layer of `torch.nn`, and the two functions that are timed."""

    def __init__(self, layers, name, batch, time, features, units):
        import torch

        inputs, targets = map(torch.from_numpy, batch_of(batch, time, features, units))
        name = {"SimpleRNN": "RNN"}.get(name, name)
        self.layer = layer = getattr(layers, name)(features, units, batch_first=True)
        optimizer = torch.optim.SGD(layer.parameters(), LEARNING_RATE)

        def train():
            optimizer.zero_grad()
            loss = torch.mean(torch.square(layer(inputs)[0][:, -1] - targets))
            loss.backward()
            optimizer.step()
            return loss.item()

        @torch.inference_mode()
        def infer():
            return layer(inputs)[0][:, -1].numpy()

        self.train, self.infer = train, infer


def batch_of(batch, time, features, units):
    """Return the one batch that all frameworks are given: inputs, and targets for the last state."""
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(batch, time, features)), rng.uniform(-1, 1, size=(batch, units))
    return inputs.astype("float32"), targets.astype("float32")


def load(framework):
    """Import a framework: return its layers, the class that steps them, and the versions behind it."""
    if framework == "torch":
        import torch

        return torch.nn, TorchSteps, {"PyTorch": torch.__version__}
    import course_utils  # before the others: it starts TensorFlow without a word

    # isort: split
    import keras
    import tensorflow as tf

    layers = {"ours": course_utils, "keras": keras.layers}[framework]
    return layers, KerasSteps, {"Keras": keras.__version__, "TensorFlow": tf.__version__}


def answer(layers, steps_class, layer, steps, **size):
    """Time one layer, made anew: seconds of CPU and of the clock for each of the three measures.

    Args:
        layers: what holds the layers of the framework.
        steps_class: `KerasSteps` or `TorchSteps`.
        layer: the name that the layer has in Keras.
        steps: how many steps are taken together; the answer is for one.
        **size: `batch`, `time`, `features` and `units`.
    """
    gc.collect()
    made = []

    def first():
        made.append(steps_class(layers, layer, **size))
        made[0].train()

    times = {"first": timed(first)}
    made[0].train(), made[0].infer()  # what is done once is over
    return {**times, "train": timed(made[0].train, steps), "infer": timed(made[0].infer, steps)}


def timed(function, times=1):
    """Call `function` so many times; return the seconds of CPU, on all cores, and of the clock for one."""
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        function()
    return {"cpu": (time.process_time() - cpu) / times, "wall": (time.perf_counter() - clock) / times}


def main():
    """Say the versions, then answer line by line."""
    layers, steps_class, versions = load(sys.argv[1])
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(layers, steps_class, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
