"""Time the recurrent layers of one framework: a request is a line of JSON, and so is its answer.

python -m benchmarks.worker keras
{"layer": "LSTM", "batch": 32, "time": 40, "features": 32, "units": 64, "steps": 20}
"""

import functools
import gc
import json
import sys
import time
import types

import numpy as np

LEARNING_RATE = 0.01
BLOCKS = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}  # what stands side by side in a kernel


class KerasSteps:
    """A recurrent layer, ours or of Keras, and the two functions that are timed, traced as `fit` does."""

    def __init__(self, layers, name, batch, time, features, units):
        import keras
        import tensorflow as tf

        inputs, targets = map(tf.constant, batch_of(batch, time, features, units))
        self.layer = layer = getattr(layers, name)(units)
        layer.build(inputs.shape)
        optimizer = keras.optimizers.SGD(LEARNING_RATE)
        optimizer.build(layer.trainable_variables)

        def step(inputs, targets):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(layer(inputs, training=True) - targets))
            optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
            return loss

        self.trace = lambda: tf.function(lambda *batch: step(*batch))
        traced = {"train": self.trace(), "infer": tf.function(layer)}
        self.traced = traced
        self.train = lambda: traced["train"](inputs, targets).numpy()
        self.infer = lambda: traced["infer"](inputs).numpy()

    def compiling(self):
        """Return the seconds of the step in which the layer compiles for many more; None if it never does."""
        import keras

        from course_utils import bptt, fused

        bptt._compiled.cache_clear()  # as if for the first time
        fused.expect(keras.Sequential([self.layer]), fused.PAYS_AFTER)
        self.traced["train"] = self.trace()
        seconds = timed(self.train)
        return seconds if bptt._compiled.cache_info().currsize else None


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

    def compiling(self):
        """Return None: it never compiles."""


class Products:
    """The matrix products of a training step, and nothing else: the time that no loop can save."""

    def __init__(self, layers, name, batch, time, features, units):  # noqa: ARG002
        import keras
        import tensorflow as tf

        width = BLOCKS[name] * units
        random = keras.random.normal
        kernel = random((features, width))
        recurrent_kernel = keras.initializers.Orthogonal()(
            (units, width)
        )  # there and back, a state is as it was
        x, states, gates = (random((batch * time, size)) for size in (features, units, width))

        def products(kernel, recurrent_kernel, x, states, gates):
            h = states[:batch]
            for _ in range(time):
                h = tf.matmul(tf.matmul(h, recurrent_kernel), recurrent_kernel, transpose_b=True)
            gradients = [tf.matmul(each, gates, transpose_a=True) for each in (x, states)]
            return h, x @ kernel, *gradients

        traced, given = tf.function(products), (kernel, recurrent_kernel, x, states, gates)
        self.products = functools.partial(products, *given)
        self.train = lambda: traced(*given)[0].numpy()


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

    tf.get_logger().setLevel("ERROR")  # it would warn that layers are traced again and again
    versions = {"Keras": keras.__version__, "TensorFlow": tf.__version__}
    if framework == "products":
        return None, Products, versions
    plain = {name: functools.partial(getattr(course_utils, name), fused=False) for name in BLOCKS}
    layers = {"ours": course_utils, "plain": types.SimpleNamespace(**plain), "keras": keras.layers}
    return layers[framework], KerasSteps, versions


def answer(layers, steps_class, layer, steps, **size):
    """Time one layer, made anew: seconds of CPU and of the clock for each of the measures.

    Args:
        layers: what holds the layers of the framework.
        steps_class: `KerasSteps`, `TorchSteps` or `Products`.
        layer: the name that the layer has in Keras.
        steps: how many steps are taken together; the answer is for one.
        **size: `batch`, `time`, `features` and `units`.

    Returns:
        A dict. `Products` has the training step alone. A layer that compiles has more: `"before"`, a
        training step without it, and `"compiling"`, the step in which it compiles.
    """
    gc.collect()
    made = []

    def first():
        made.append(steps_class(layers, layer, **size))
        made[0].train()

    times = {"first": timed(first)}
    (made,) = made
    made.train()  # what is done once is over
    times["train"] = timed(made.train, steps)
    if steps_class is Products:
        return {"train": times["train"]}
    times["hundred"] = {kind: times["first"][kind] + 99 * each for kind, each in times["train"].items()}
    if compiling := made.compiling():
        times |= {"before": times["train"], "compiling": compiling}
        made.train()
        times["train"] = timed(made.train, steps)
    made.infer()
    return {**times, "infer": timed(made.infer, steps)}


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
