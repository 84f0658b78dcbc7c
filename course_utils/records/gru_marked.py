"""Which gate does the marked symbol need? A GRU is trained with one of its gates held."""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data import marked_symbol
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "05"
HELD = {"nothing": {}, "r at 1": {"r": 1}, "z at 0": {"z": 0}}
PARTS = [{"held": held, "seed": seed, "epochs": 8} for held in HELD for seed in range(5)]
WITHIN = {"accuracy": 0.15}


def hold(layer, z=None, r=None):
    """Hold gates of a built GRU at 0 or 1: with a bias of -50 or 50 a sigmoid is flat, and stays there."""
    kernel, recurrent_kernel, bias = layer.get_weights()
    for block, value in zip(np.split(bias[0], 3), (z, r, None), strict=True):
        if value is not None:
            block[:] = 100 * value - 50
    layer.set_weights([kernel, recurrent_kernel, bias])


def network(layer, held):
    """Return a compiled network of this layer, with what is `held` of its gates."""
    layer.build((None, None, 9))
    if HELD[held]:
        hold(layer, **HELD[held])
    model = keras.Sequential([keras.Input((None, 9)), layer, layers.Dense(8)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(3e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def make(held, seed, epochs):
    """Train one GRU; return its accuracy on held-out sequences after each epoch of 312 updates."""
    task = marked_symbol(seed=seed)
    keras.utils.set_random_seed(seed)
    model, held_out = network(GRU(32), held), (task.test_inputs, task.test_labels)
    history = train(model, task.train_inputs, task.train_labels, epochs, validation=held_out).history
    return {"accuracy": history["val_accuracy"]}
