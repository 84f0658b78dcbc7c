"""With few examples and with many, which cell errs less on examples that it has not seen?"""

from functools import partial

import keras
import numpy as np
from keras import layers, optimizers

from course_utils.recurrent import GRU, LSTM
from course_utils.training import train

LESSON = "05"
RIVALS = {"LSTM(32)": partial(LSTM, 32), "GRU(32)": partial(GRU, 32), "GRU(37)": partial(GRU, 37)}
PARTS = [
    {"model": name, "examples": examples, "seed": seed}
    for examples in (40, 4_000)
    for name in RIVALS
    for seed in range(10)
]
WITHIN = {"training": 0.01, "held-out": 0.02}


def adding(examples, rng):
    """Return sequences of ten numbers, two of them marked, and the sum of these two."""
    inputs = np.zeros((examples, 10, 2), "float32")
    inputs[..., 0] = rng.uniform(size=(examples, 10))
    places = rng.permuted(np.tile(np.arange(10), (examples, 1)), axis=1)[:, :2]
    inputs[np.arange(examples)[:, None], places, 1] = 1
    return inputs, (inputs[..., 0] * inputs[..., 1]).sum(axis=1)


def make(model, examples, seed):
    """Train one network for 1,600 updates; return its squared errors after each hundred."""
    rng = np.random.default_rng(seed)
    (inputs, labels), held_out = adding(examples, rng), adding(1_000, rng)
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((None, 2)), RIVALS[model](), layers.Dense(1)])
    network.compile(optimizers.Adam(5e-3, clipnorm=1.0), "mse")
    shown = np.arange(4_000) % examples  # an epoch is 100 updates, whatever the number of examples
    history = train(network, inputs[shown], labels[shown], 16, batch_size=40, validation=held_out).history
    return {"training": history["loss"], "held-out": history["val_loss"]}
