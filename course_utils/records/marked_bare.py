"""The marked reading without a softmax: the bare products, divided by their number, are the weights."""

import keras
import numpy as np
from keras import ops

from course_utils.records.marked_reading import BATCH, GeneralAttention, answering, marked_readings
from course_utils.training import train

LESSON = "08"
PARTS = [
    {"weights": weights, "seed": seed, "epochs": 4}
    for weights in ("softmax", "bare products")
    for seed in range(10)
]
WITHIN = {"explained": 0.05}


class BareProducts(GeneralAttention):
    """The same scores without the softmax."""

    def call(self, query, states, mask):
        """Return the contexts and the weights, which are positive or negative and sum to anything."""
        keys, values = self.attention.project(states)
        real = ops.cast(mask[:, None], states.dtype)
        products = self.attention.scores(query, keys) * real / ops.sum(real, axis=-1, keepdims=True)
        return ops.matmul(products, values), products


def make(weights, seed, epochs):
    """Train one network; return the share of the variance that it explains, held-out, at the end."""
    rng = np.random.default_rng(seed)
    inputs, answers, _ = marked_readings(10_000, rng)
    held_out = marked_readings(1_000, rng)[:2]
    keras.utils.set_random_seed(seed)
    look = {"softmax": GeneralAttention, "bare products": BareProducts}[weights]()
    losses = train(
        answering(look, epochs=epochs), inputs, answers, epochs, BATCH, validation=held_out
    ).history["val_loss"]
    return {"explained": float(1 - losses[-1] / held_out[1].var())}
