"""Time how long models train until they write held-out number words right, 99 of 100.

python -m benchmarks.time_to_quality 0
"""

import json
import sys
import time

import course_utils  # noqa: F401  (before the others: it starts TensorFlow without a word)

# isort: split
import keras
import numpy as np

from benchmarks.translation import KerasTranslator
from benchmarks.worker import timed
from course_utils import (
    Decoder,
    Encoder,
    GRUCell,
    LuongAttention,
    Seq2Seq,
    Transformer,
    TransformerDecoder,
    TransformerEncoder,
    data,
    lesson,
    measure,
)

SIZE, BATCH = 128, 128
ENOUGH, SECONDS = 0.99, 150
EPOCHS = 1_000  # more than any model has time for
STEPS_OF_WARM_UP = 200


def attentive(sizes, size=SIZE):
    """Return our GRUs with dot attention after the step."""
    encoder, decoder = Encoder(GRUCell, size), Decoder(GRUCell, size, attention=LuongAttention("dot"))
    return Seq2Seq(encoder, decoder, *sizes, embedding_dim=size), 5e-3


def attentive_of_keras(sizes, size=SIZE):
    """Return the same from Keras' own layers."""
    return KerasTranslator(*sizes, size, embedding_dim=size, attention=True), 5e-3


def transformer(sizes, size=SIZE):
    """Return our Transformer of one block on each side, and a rate that rises first."""
    encoder, decoder = TransformerEncoder(1, 4, 2 * size), TransformerDecoder(1, 4, 2 * size)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, 10 * STEPS_OF_WARM_UP, alpha=0.1, warmup_target=2e-3, warmup_steps=STEPS_OF_WARM_UP
    )
    return Transformer(encoder, decoder, *sizes, embedding_dim=size), rate


MODELS = {
    "ours, GRU and attention": attentive,
    "Keras' layers, GRU and attention": attentive_of_keras,
    "ours, Transformer": transformer,
}


class Clock(keras.callbacks.Callback):
    """Stops a training when enough held-out pairs are written right, or when its time is over.

    It stands still while it looks.
    """

    def __init__(self, pairs, enough, seconds):
        super().__init__()
        self.pairs, self.enough, self.seconds = pairs, enough, seconds
        self.right, self.spent, self.begun = 0.0, np.zeros(2), now()

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        """Look, after as many steps as TensorFlow takes in one call."""
        self.spent += now() - self.begun
        generated = self.model.generate(self.pairs.source_ids, self.pairs.labels.shape[1])
        self.right = float(measure.exact_match(generated, self.pairs.labels).mean())
        self.model.stop_training = self.right >= self.enough or self.spent[0] >= self.seconds
        self.begun = now()


def now():
    """Return the seconds of the clock and of the CPU."""
    return np.array([time.perf_counter(), time.process_time()])


def trained(make, numbers, seed, enough=ENOUGH, seconds=SECONDS):
    """Train one model, tracing and compiling included.

    Returns:
        A dict: whether it got there, the seconds of the clock and of the CPU, the steps, and the seconds
        that it then takes to write the held-out words, greedily.
    """
    keras.utils.set_random_seed(seed)
    model, rate = make((len(numbers.source_vocabulary), len(numbers.target_vocabulary)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss)
    clock = Clock(numbers.test, enough, seconds)
    lesson.train(model, numbers.train.inputs, numbers.train.labels, EPOCHS, BATCH, callbacks=[clock])
    wall, cpu = clock.spent
    words, longest = numbers.test.source_ids, numbers.test.labels.shape[1]
    return {
        "there": clock.right >= enough,
        "wall": wall,
        "cpu": cpu,
        "steps": int(model.optimizer.iterations),
        "write": timed(lambda: model.generate(words, longest), 3)["wall"],
    }


def main(arguments, sizes=None, **limits):
    """Print what all models need with one seed, as JSON; with each seed another one is the first."""
    seed = int(arguments[0])
    numbers = data.number_words(**(sizes or {}), seed=seed)
    names = list(MODELS)
    first = seed % len(names)
    needed = {name: trained(MODELS[name], numbers, seed, **limits) for name in names[first:] + names[:first]}
    print(json.dumps({name: needed[name] for name in names}))


if __name__ == "__main__":
    main(sys.argv[1:])
