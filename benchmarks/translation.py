"""Time the translating model: tokens generated in a second, and what attention adds to a training step.

python -m benchmarks.translation 7
"""

import json
import statistics
import sys

import course_utils  # noqa: F401  (before the others: it starts TensorFlow without a word)

# isort: split
import keras
import numpy as np
import tensorflow as tf
from keras import ops

from benchmarks.worker import timed
from course_utils import BahdanauAttention, Decoder, Encoder, GRUCell, LuongAttention, Seq2Seq

SIZE = {"batch": 64, "sources": 1_000, "source_time": 14, "target_time": 18, "units": 64, "vocabulary": 32}
EMBEDDING_DIM = 32
TRAINED = {
    "no attention": {},
    "dot, after": {"attention": LuongAttention("dot")},
    "additive, after": {"attention": BahdanauAttention(64)},
    "additive, before": {"attention": BahdanauAttention(64), "attend": "before"},
}
GENERATED = {"ours, greedy": 1, "ours, beam of 4": 4}


class KerasTranslator:
    """The model without attention from Keras' own layers, greedy, with a compiled step."""

    def __init__(self, vocabulary, units):
        self.source_embedding = keras.layers.Embedding(vocabulary, EMBEDDING_DIM)
        self.target_embedding = keras.layers.Embedding(vocabulary, EMBEDDING_DIM)
        self.encoder = keras.layers.GRU(units, return_state=True)
        self.decoder = keras.layers.GRU(units, return_state=True)
        self.next_token = keras.layers.Dense(vocabulary)
        self.step = tf.function(self._step, reduce_retracing=True)

    def _step(self, tokens, state):
        output, state = self.decoder(self.target_embedding(tokens[:, None]), initial_state=state)
        return ops.argmax(self.next_token(output), axis=-1), state

    def generate(self, source, max_length):
        """Generate so many tokens for each source."""
        _, state = self.encoder(self.source_embedding(source), mask=ops.not_equal(source, 0))
        tokens = ops.ones(len(source), "int64")
        generated = []
        for _ in range(max_length):
            tokens, state = self.step(tokens, state)
            generated.append(ops.convert_to_numpy(tokens))
        return np.stack(generated, axis=1)


def translator(vocabulary, units, **looks):
    """Return our model, built, which never ends a sequence by itself: all generate as many tokens."""
    model = Seq2Seq(
        Encoder(GRUCell, units), Decoder(GRUCell, units, **looks), vocabulary, vocabulary, EMBEDDING_DIM
    )
    model.build([(None, None), (None, None)])
    kernel, bias = model.next_token.get_weights()
    bias[model.end_mark] = -1e9
    model.next_token.set_weights([kernel, bias])
    return model


def training_step(model, source, target):
    """Return a function that takes one training step on a fixed batch, compiled as `fit` does."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    source, inputs, labels = map(tf.constant, (source, target[:, :-1], target[:, 1:]))

    @tf.function
    def step(source, inputs, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model((source, inputs), training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return lambda: step(source, inputs, labels).numpy()


def measure(rounds, batch, sources, source_time, target_time, units, vocabulary):
    """Time everything in turns.

    Returns:
        Two dicts, of the tokens generated in a second and of the seconds of a training step (CPU of all
        cores, clock): the median of the rounds.
    """
    rng = np.random.default_rng(0)
    source = rng.integers(3, vocabulary, size=(sources, source_time))
    target = rng.integers(3, vocabulary, size=(batch, target_time + 1))
    target[:, 0] = 1
    ours, theirs = translator(vocabulary, units), KerasTranslator(vocabulary, units)
    generate = {
        name: lambda width=width: ours.generate(source, target_time, beam_width=width)
        for name, width in GENERATED.items()
    }
    generate["Keras' layers, greedy"] = lambda: theirs.generate(source, target_time)
    train = {
        name: training_step(translator(vocabulary, units, **looks), source[:batch], target)
        for name, looks in TRAINED.items()
    }
    for function in (*generate.values(), *train.values()):
        function(), function()  # tracing is over
    seconds = {name: [] for name in (*generate, *train)}
    for _ in range(rounds):
        for name, function in {**generate, **train}.items():
            seconds[name].append(timed(function, 10 if name in train else 1))
    median = {
        name: {kind: statistics.median(each[kind] for each in times) for kind in ("cpu", "wall")}
        for name, times in seconds.items()
    }
    tokens = {name: sources * target_time / median[name]["wall"] for name in generate}
    return tokens, {name: median[name] for name in train}


def main(arguments, size=None):
    """Print what was measured in so many rounds, as JSON."""
    print(json.dumps(measure(int(arguments[0]), **(size or SIZE))))


if __name__ == "__main__":
    main(sys.argv[1:])
