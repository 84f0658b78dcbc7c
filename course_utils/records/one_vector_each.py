"""One head, four places: is it slow for want of heads, or because digit and colour are only added?"""

import keras
import numpy as np

from course_utils.records.several_places import BOOKS, TEST, Heads, coloured_digits, namer, on_places
from course_utils.records.weights_by_digit import by_digit
from course_utils.training import train

LESSON = "10"
PARTS = [{"seed": seed, "epochs": 6} for seed in range(5)]
WITHIN = {"right": 0.1, "ranges": 0.1}


def make(seed, epochs):
    """Train one network; return the share of digits right, held-out, by epoch.

    `ranges` says for each colour how far apart its mean weights for the ten digits are.
    """
    rng = np.random.default_rng(seed)
    rows, digits, _ = coloured_digits(BOOKS, rng)
    test_rows, test_digits, where = coloured_digits(TEST, rng)
    keras.utils.set_random_seed(seed)
    model = namer(Heads(1), joint=True)
    history = train(model, rows, digits, epochs, validation=(test_rows, test_digits)).history
    weights = by_digit(on_places(model, test_rows, where), test_digits)
    return {"right": history["val_accuracy"], "ranges": np.ptp(weights, axis=2).ravel().tolist()}
