"""How long must a text be? A small Transformer and counts, on the first characters of Python's help texts.

What is held out of a text stands nowhere in training, and chooses the epoch that counts.
"""

import math

import keras
import numpy as np
from keras import callbacks, losses, optimizers

from course_utils import ngrams
from course_utils.blocks import TransformerDecoder
from course_utils.data.text import text
from course_utils.language_model import LanguageModel
from course_utils.training import train

LESSON = "12"
SIZES = 10_000, 40_000, 80_000
PARTS = [{"characters": characters, "seed": seed} for seed in range(3) for characters in SIZES]
UNITS, DEPTH, RATE, BATCH = 96, 1, 5e-3, 32
UPDATES, PATIENCE = 2_000, 200  # training ends when so many updates have not been better
LONGEST = 7  # letters before the one that is counted
WITHIN = {"writer": 0.2, "counts": 0.2, "best": 300}


def writer(size):
    """Return a compiled language model of so many characters."""
    decoder = TransformerDecoder(DEPTH, 4, 2 * UNITS, cross=False)
    model = LanguageModel(decoder, size, embedding_dim=UNITS)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(RATE, clipnorm=1.0), loss)
    return model


def make(characters, seed):
    """Train one model until its held-out loss has not been better for long; return bits a character.

    `writer` is that of the best epoch, `best` the updates until then; `counts` has 0 to 7 letters before.
    """
    task = text(most=characters)
    size, training, held_out = len(task.vocabulary), task.train, task.validation
    steps = len(training) // BATCH
    keras.utils.set_random_seed(seed)
    early = [callbacks.EarlyStopping(patience=math.ceil(PATIENCE / steps))]
    validation = held_out.inputs, held_out.labels
    came = train(
        writer(size), training.inputs, training.labels, UPDATES // steps, BATCH, validation, early
    ).history["val_loss"]
    return {
        "writer": min(came) / math.log(2),
        "best": (1 + int(np.argmin(came))) * steps,
        "counts": ngrams.bits(training.ids, held_out.ids, size, LONGEST).tolist(),
    }
