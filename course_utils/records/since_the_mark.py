"""What is a reset gate worth where the past is only added up, or counted, since the last mark?"""

import keras
import numpy as np
from keras import layers, optimizers

from course_utils.records.gru_marked import HELD, hold
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "05"
CASES = ("sum", 16), ("parity", 16), ("sum", 3)
PARTS = [
    {"asked": asked, "units": units, "held": held, "seed": seed, "epochs": 6}
    for asked, units in CASES
    for held in ("nothing", "r at 1")
    for seed in range(10)
]
WITHIN = {"error": 0.02}


def since_the_mark(count, asked, rng, time=20):
    """Return numbers with marks, `(count, time, 2)`, and what is asked of those since the last mark.

    The sum of numbers up to 0.2 is asked, or the parity of a sum of zeros and ones; `(count, time, 1)`.
    """
    marks = rng.uniform(size=(count, time)) < 0.15
    values = rng.integers(2, size=(count, time)) if asked == "parity" else rng.uniform(0, 0.2, (count, time))
    sums = np.zeros((count, time))
    for step in range(time):
        begun = sums[:, step - 1] * ~marks[:, step] if step else 0
        sums[:, step] = begun + values[:, step]
    answers = sums % 2 if asked == "parity" else sums
    return np.stack([values, marks], axis=-1).astype("float32"), answers[..., None]


def make(asked, units, held, seed, epochs):
    """Train one GRU; return its squared error on held-out sequences over the variance of the answers."""
    rng = np.random.default_rng(seed)
    training, held_out = (since_the_mark(count, asked, rng) for count in (10_000, 1_000))
    keras.utils.set_random_seed(seed)
    layer = GRU(units, return_sequences=True)
    layer.build((None, None, 2))
    hold(layer, **HELD[held])
    network = keras.Sequential([keras.Input((None, 2)), layer, layers.Dense(1)])
    network.compile(optimizers.Adam(5e-3, clipnorm=1.0), "mse")
    losses = train(network, *training, epochs, validation=held_out).history["val_loss"]
    return {"error": float(losses[-1] / held_out[1].var())}
