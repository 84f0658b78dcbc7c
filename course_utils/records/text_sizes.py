"""How long must a text be? A small Transformer and counts, on the first characters of Python's help texts.

What is held out of a text shares no window with training, and chooses the epoch that is kept. The counts are
of runs of letters, each length smoothed by the one before: an n-gram model, with nothing to choose.
"""

from collections import Counter

import keras
import numpy as np
from keras import callbacks, losses, optimizers

from course_utils.blocks import TransformerDecoder
from course_utils.data.text import text
from course_utils.language_model import LanguageModel
from course_utils.training import train

LESSON = "12"
SIZES = 10_000, 40_000, 80_000
PARTS = [{"characters": characters, "seed": seed} for seed in range(3) for characters in SIZES]
UNITS, DEPTH, RATE, BATCH, EPOCHS, PATIENCE = 96, 1, 5e-3, 32, 30, 4
ORDERS, STRENGTH = range(6), 3  # letters before the one that is counted; weight of the shorter run
WITHIN = {"writer": 0.2, "counts": 0.2, "epoch": 15}


def writer(size):
    """Return a compiled language model of so many characters."""
    decoder = TransformerDecoder(DEPTH, 4, 2 * UNITS, cross=False)
    model = LanguageModel(decoder, size, embedding_dim=UNITS)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(RATE, clipnorm=1.0), loss)
    return model


def bits_of_counts(task, order):
    """Return the bits a held-out character of counts, each with up to `order` letters before it.

    p(letter | n letters) = (count of both + STRENGTH p(letter | n - 1 letters)) / (count + STRENGTH), and
    without any letter 1 / V in place of what is shorter.
    """
    runs, before = Counter(), Counter()
    for row in _rows(task.train):
        for n in range(order + 1):
            runs.update(row[at - n : at + 1] for at in range(n, len(row)))
            before.update(row[at - n : at] for at in range(n, len(row)))
    bits = []
    for row in _rows(task.validation):
        for at in range(1, len(row)):
            p = 1 / len(task.vocabulary)
            for n in range(min(order, at) + 1):
                context = row[at - n : at]
                p = (runs[context + row[at]] + STRENGTH * p) / (before[context] + STRENGTH)
            bits.append(-np.log2(p))
    return float(np.mean(bits))


def _rows(windows):
    return ["".join(map(chr, row)) for row in windows.ids]


def make(characters, seed):
    """Train one model until its held-out loss has not been better for some epochs; return bits a character.

    `writer` is that of the best epoch, `epoch` its number, `counts` those of 0 to 5 letters before.
    """
    task = text(most=characters)
    keras.utils.set_random_seed(seed)
    model = writer(len(task.vocabulary))
    held_out = task.validation.inputs, task.validation.labels
    early = callbacks.EarlyStopping(patience=PATIENCE)
    history = train(model, task.train.inputs, task.train.labels, EPOCHS, BATCH, held_out, [early]).history
    epoch = int(np.argmin(history["val_loss"]))
    return {
        "writer": float(history["val_loss"][epoch] / np.log(2)),
        "epoch": epoch + 1,
        "counts": [bits_of_counts(task, order) for order in ORDERS],
    }
