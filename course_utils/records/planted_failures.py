"""Four trainings of one translator of number words: a sound one, and three with one mistake each.

- "none": the sound one.
- "logits": the loss is told that it gets chances, and gets logits (`from_logits=True` was forgotten).
- "shift": the labels are what the decoder reads, not one ahead of it.
- "padding": padding has an id like any word, so that no mask leaves it out.

What is held out shares no number with training. Each is trained on the same pairs, as many epochs.
"""

import keras
import numpy as np
from keras import losses, ops, optimizers

from course_utils.attention import LuongAttention
from course_utils.data import number_words
from course_utils.measure import exact_match
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "12"
MISTAKES = "none", "logits", "shift", "padding"
PARTS = [{"mistake": mistake, "seed": seed} for seed in range(3) for mistake in MISTAKES]
PAIRS, DIGITS, HELD_OUT, EPOCHS = 4_000, 6, 300, 8
UNITS, DIM, RATE = 64, 32, 5e-3
ROWS = 8  # of held-out numbers, whose writing is kept
WITHIN = {"loss": 0.3, "val_loss": 0.3, "read": 0.1, "batch": 0.15, "alone": 0.3, "moved": 10, "wrote": 20}


def numbers_of(seed):
    """Return the number words, of one seed."""
    return number_words(PAIRS, HELD_OUT, HELD_OUT, digits=DIGITS, seed=seed)


def prepared(pairs, mistake, sizes):
    """Return what the translator reads, `(source, target)`, and its labels, as the mistake has them."""
    source, read, labels = *pairs.inputs, pairs.labels
    if mistake == "padding":
        source, read, labels = map(padded_as_a_word, (source, read, labels), (*sizes, sizes[1]))
    return (source, read), read if mistake == "shift" else labels


def padded_as_a_word(ids, size):
    """Return ids with `size`, the first that is no word's, in place of padding."""
    return np.where(ids == 0, size, ids)


def translator(mistake, sizes):
    """Return a compiled translator for vocabularies of these sizes."""
    decoder = Decoder(GRUCell, UNITS, attention=LuongAttention("general"))
    more = int(mistake == "padding")
    model = Seq2Seq(Encoder(GRUCell, UNITS), decoder, *(size + more for size in sizes), embedding_dim=DIM)
    loss = losses.SparseCategoricalCrossentropy(from_logits=mistake != "logits", ignore_class=0)
    model.compile(optimizers.Adam(RATE, clipnorm=1.0), loss)
    return model


def written(model, pairs, mistake, sizes, alone=False):
    """Return the ids that the model writes for each source: in one padded batch, or each without padding."""
    (source, _), _ = prepared(pairs, mistake, sizes)
    length = pairs.labels.shape[1]
    if not alone:
        return model.generate(source, length)
    ids = np.zeros((len(pairs), length), "int32")
    for words in np.unique(pairs.lengths):
        alike = pairs.lengths == words
        ids[alike] = model.generate(source[alike][:, :words], length)
    return ids


def moved(model, pairs, mistake, sizes, most=6):
    """Return how far the logits move when every source gets so many steps of padding more: 0, 1, ... most."""
    (source, read), _ = prepared(pairs, mistake, sizes)
    padding = sizes[0] if mistake == "padding" else 0
    alone = np.asarray(model((source, read)))
    longer = [np.pad(source, ((0, 0), (0, more)), constant_values=padding) for more in range(most + 1)]
    return [float(np.abs(np.asarray(model((each, read))) - alone).max()) for each in longer]


def make(mistake, seed):
    """Train one translator; return its losses by epoch, and what it can do with held-out numbers.

    `read` is the share of tokens that it names when it reads the truth, padding left out; `batch` and `alone`
    are shares of numbers that it writes right, in one padded batch and each without padding. `moved` is how
    far its logits move with more padding, `wrote` the ids that it writes for some numbers, each alone.
    """
    numbers = numbers_of(seed)
    sizes = len(numbers.source_vocabulary), len(numbers.target_vocabulary)
    keras.utils.set_random_seed(seed)
    model, test = translator(mistake, sizes), numbers.test
    held_out = prepared(numbers.validation, mistake, sizes)
    history = train(model, *prepared(numbers.train, mistake, sizes), EPOCHS, validation=held_out).history
    inputs, labels = prepared(test, mistake, sizes)
    named, real = np.asarray(ops.argmax(model(inputs), axis=-1)), test.labels != 0
    alone = written(model, test, mistake, sizes, alone=True)
    return {
        "loss": history["loss"],
        "val_loss": history["val_loss"],
        "read": float(np.mean((named == labels)[real])),
        "batch": float(exact_match(written(model, test, mistake, sizes), test.labels).mean()),
        "alone": float(exact_match(alone, test.labels).mean()),
        "moved": moved(model, test, mistake, sizes),
        "wrote": alone[:ROWS].tolist(),
    }
