"""What is a reset gate worth? Cells of several sizes follow a ring that turns, and is loaded anew."""

import keras
import numpy as np
from keras import layers, ops, optimizers

from course_utils.records.gru_marked import HELD, hold
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "05"
PLACES = 4
CELLS = ("nothing", 5), ("r at 1", 5), ("r at 1", 7), ("r at 1", 10), ("z at 0", 5)
PARTS = [
    {"held": held, "units": units, "seed": seed, "epochs": 16} for held, units in CELLS for seed in range(5)
]
WITHIN = {"right": 0.1, "error": 0.02}


def ring(count, rng, time=20):
    """Return what is read, `(count, time, PLACES + 1)`, and what stands on the ring after every step.

    At the first step, and at each later one with a chance of 0.15, a mark of 1 is read and new numbers,
    which take the places of the old ones. At the other steps zeros are read, and the ring turns by one place.
    """
    loads = rng.uniform(size=(count, time, 1)) < 0.15
    loads[:, 0] = True
    numbers = loads * rng.uniform(-1, 1, size=(count, time, PLACES))
    states = [numbers[:, 0]]
    for step in range(1, time):
        states.append(np.where(loads[:, step], numbers[:, step], np.roll(states[-1], 1, axis=1)))
    return np.concatenate([numbers, loads], axis=2).astype("float32"), np.stack(states, 1).astype("float32")


def drawn(seed):
    """Return sequences to train on, and others."""
    rng = np.random.default_rng(seed)
    return ring(10_000, rng), ring(1_000, rng)


def network(layer, held):
    """Return a compiled network of this layer, which gives every state, with what is `held` of its gates."""
    layer.build((None, None, PLACES + 1))
    if HELD[held]:
        hold(layer, **HELD[held])
    model = keras.Sequential([keras.Input((None, PLACES + 1)), layer, layers.Dense(PLACES)])
    model.compile(optimizers.Adam(5e-3, clipnorm=1.0), "mse", metrics=[right])
    return model


def right(numbers, said):
    """Return the share of the numbers that are said right to 0.1."""
    return ops.mean(ops.cast(ops.abs(numbers - said) < 0.1, "float32"))


def make(held, units, seed, epochs):
    """Train one GRU; return what it reaches on held-out sequences after each epoch of 156 updates.

    `right` is the share of the numbers that are right to 0.1, `error` the squared error over the variance.
    """
    training, held_out = drawn(seed)
    keras.utils.set_random_seed(seed)
    model = network(GRU(units, return_sequences=True), held)
    history = train(model, *training, epochs, validation=held_out).history
    variance = float(held_out[1].var())
    return {"right": history["val_right"], "error": [loss / variance for loss in history["val_loss"]]}
