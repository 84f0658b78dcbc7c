"""How soon does an LSTM learn to remember over 39 steps, from each start of its forget gates?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data import marked_symbol
from course_utils.recurrent import LSTM
from course_utils.training import train

LESSON = "04"
BIASES = 0, 1, 3, 5
PARTS = [{"bias": bias, "seed": seed, "epochs": 30} for bias in BIASES for seed in range(5)]
WITHIN = {"accuracy": 0.1}  # on average over 30 epochs: a rise that comes three epochs sooner or later


def fixed_distance(seed):
    """Return the marked symbol with the mark always at the first of 40 steps.

    Returns:
        Two pairs of inputs and labels, to train on and held out.
    """
    task = marked_symbol(train=4_000, test=1_000, time=40, seed=seed)
    for inputs in (task.train_inputs, task.test_inputs):
        inputs[:, :, -1] = np.arange(40) == 0
    return [(inputs, inputs[:, 0, :-1].argmax(axis=1)) for inputs in (task.train_inputs, task.test_inputs)]


def network(bias):
    """Return the compiled LSTM whose forget gates start from this bias."""
    model = keras.Sequential([keras.Input((None, 9)), LSTM(32, bias), layers.Dense(8)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(5e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def make(bias, seed, epochs):
    """Train one LSTM; return its accuracy on held-out sequences after each epoch of 62 updates."""
    training, held_out = fixed_distance(seed)
    keras.utils.set_random_seed(seed)
    return {"accuracy": train(network(bias), *training, epochs, validation=held_out).history["val_accuracy"]}
