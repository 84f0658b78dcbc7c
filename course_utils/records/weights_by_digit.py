"""How does one softmax tell of four places? The weight on each of them, by the digit that stands there."""

import keras
import numpy as np

from course_utils.records.several_places import (
    BOOKS,
    DIGITS,
    TEST,
    Heads,
    coloured_digits,
    namer,
    on_places,
)
from course_utils.training import train

LESSON = "10"
PARTS = [{"heads": 1, "seed": seed, "epochs": 14} for seed in range(3)]
WITHIN = {"right": 0.1, "by_digit": 0.3, "explained": 0.4}


def by_digit(weights, digits):
    """Return the mean weight of each head, by colour and by the digit there, `(heads, places, DIGITS)`."""
    is_there = np.eye(DIGITS)[digits]  # (rows, places, DIGITS)
    return np.einsum("rhp,rpd->hpd", weights, is_there) / is_there.sum(axis=0)


def explained(weights, digits):
    """Return the share of the variance of each weight that the digit there explains, `(heads, places)`."""
    means = np.take_along_axis(by_digit(weights, digits), digits.T[None], axis=2)  # (heads, places, rows)
    left = np.square(weights.transpose(1, 2, 0) - means).mean(axis=-1)
    return 1 - left / weights.var(axis=0)


def make(heads, seed, epochs):
    """Train one network; return the share right, and what its weights tell of the digits, in lists."""
    rng = np.random.default_rng(seed)
    rows, digits, _ = coloured_digits(BOOKS, rng)
    test_rows, test_digits, where = coloured_digits(TEST, rng)
    keras.utils.set_random_seed(seed)
    model = namer(Heads(heads))
    history = train(model, rows, digits, epochs, validation=(test_rows, test_digits)).history
    weights = on_places(model, test_rows, where)
    return {
        "right": history["val_accuracy"][-1],
        "by_digit": by_digit(weights, test_digits).ravel().tolist(),
        "explained": explained(weights, test_digits).ravel().tolist(),
    }
