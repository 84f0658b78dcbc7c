"""One head, four places: is it slow for want of heads, or because digit and colour are only added?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.embedding import Embedding
from course_utils.records.several_places import (
    BOOKS,
    DIGITS,
    PLACES,
    STEPS,
    TEST,
    UNITS,
    Heads,
    coloured_digits,
)
from course_utils.records.weights_by_digit import by_digit, on_places
from course_utils.training import train

LESSON = "10"
PARTS = [{"seed": seed, "epochs": 6} for seed in range(5)]
WITHIN = {"right": 0.1, "ranges": 0.1}


def joint_namer(look):
    """Return `namer` of `several_places` with a vector for each digit in each colour, in place of a sum."""
    rows = keras.Input((STEPS + 1, 2), dtype="int32")
    both = Embedding((DIGITS + 1) * (PLACES + 1), UNITS)(rows[..., 0] * (PLACES + 1) + rows[..., 1])
    found, _ = look(both)
    said = layers.Reshape((PLACES, DIGITS))(layers.Dense(PLACES * DIGITS)(found[:, -1]))
    model = keras.Model(rows, said)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(3e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def make(seed, epochs):
    """Train one network; return the share of digits right, held-out, by epoch.

    `ranges` says for each colour how far apart its mean weights for the ten digits are.
    """
    rng = np.random.default_rng(seed)
    rows, digits, _ = coloured_digits(BOOKS, rng)
    test_rows, test_digits, where = coloured_digits(TEST, rng)
    keras.utils.set_random_seed(seed)
    model = joint_namer(Heads(1))
    history = train(model, rows, digits, epochs, validation=(test_rows, test_digits)).history
    weights = by_digit(on_places(model, test_rows, where), test_digits)
    return {"right": history["val_accuracy"], "ranges": np.ptp(weights, axis=2).ravel().tolist()}
