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
START, END = 1, 2  # marks before and after a target
TRAINED = {
    "no attention": {},
    "dot, after": {"attention": LuongAttention("dot")},
    "additive, after": {"attention": BahdanauAttention(64)},
    "additive, before": {"attention": BahdanauAttention(64), "attend": "before"},
}
GENERATED = {"ours, greedy": 1, "ours, beam of 4": 4}


class KerasTranslator(keras.Model):
    """The same from Keras' own layers, with dot attention after the step or without; greedy."""

    def __init__(self, source_size, target_size, units, embedding_dim=EMBEDDING_DIM, attention=False):
        super().__init__()
        self.source_embedding = keras.layers.Embedding(source_size, embedding_dim)
        self.target_embedding = keras.layers.Embedding(target_size, embedding_dim)
        self.encoder = keras.layers.GRU(units, return_sequences=attention, return_state=True)
        self.decoder = keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.attention = keras.layers.Attention() if attention else None
        self.join = keras.layers.Dense(units, "tanh", use_bias=False) if attention else None
        self.next_token = keras.layers.Dense(target_size)
        self.next_logits = tf.function(self.write, reduce_retracing=True)

    def call(self, inputs):
        """Teacher forcing: the logits of every next token."""
        source, target = inputs
        return self.write(target, *self.read(source))[0]

    def read(self, source):
        """Return the encoder's last state, its outputs and their mask."""
        mask = ops.not_equal(source, 0)
        memory, state = self.encoder(self.source_embedding(source), mask=mask)
        return state, memory, mask

    def write(self, tokens, state, memory, mask):
        """Return the logits after each of the tokens, and the last state."""
        outputs, state = self.decoder(self.target_embedding(tokens), initial_state=state)
        if self.attention is not None:
            context = self.attention([outputs, memory], mask=[None, mask])
            outputs = self.join(ops.concatenate([context, outputs], axis=-1))
        return self.next_token(outputs), state

    def generate(self, source, max_length):
        """Generate at most so many tokens for each source."""
        state, memory, mask = self.read(source)
        tokens = np.full(len(source), START)
        generated = np.zeros((len(source), max_length), int)
        live = np.full(len(source), True)
        for position in range(max_length):
            logits, state = self.next_logits(tf.constant(tokens[:, None]), state, memory, mask)
            tokens = logits.numpy()[:, 0].argmax(axis=-1)
            generated[live, position] = tokens[live]
            live &= tokens != END
            if not live.any():
                break
        return generated


def translator(vocabulary, units, **looks):
    """Return our model, built."""
    model = Seq2Seq(
        Encoder(GRUCell, units), Decoder(GRUCell, units, **looks), vocabulary, vocabulary, EMBEDDING_DIM
    )
    model.build([(None, None), (None, None)])
    return model


def never_ending(model):
    """Take the end mark from a built model, so that all generate as many tokens; return the model."""
    kernel, bias = model.next_token.get_weights()
    bias[END] = -1e9
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
    target[:, 0] = START
    theirs = KerasTranslator(vocabulary, vocabulary, units)
    theirs((source[:1], target[:1]))
    ours, theirs = never_ending(translator(vocabulary, units)), never_ending(theirs)
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
