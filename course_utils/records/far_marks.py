"""Do the far marks keep a SimpleRNN from learning the marked symbol over 50 steps?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data import marked_symbol
from course_utils.recurrent import SimpleRNN
from course_utils.training import train

LESSON = "03"
RUNS = {
    "marks anywhere": {"last": 50, "random": 0.0},
    "marks in the last 20": {"last": 20, "random": 0.0},
    "marks in the last 20, 3 of 5 labels random": {"last": 20, "random": 0.6},
}
SLOW, FAST = 1e-3, 3e-3  # learning rates at the start
PARTS = [
    *({"run": run, "rate": SLOW, "seed": seed, "epochs": 24} for seed in range(5) for run in RUNS),
    *({"run": "marks anywhere", "rate": FAST, "seed": seed, "epochs": 24} for seed in range(5)),
]
WITHIN = {"near": 0.3, "all": 0.3}  # when it begins to learn differs from machine to machine


def marked_within(last, inputs, rng):
    """Move each mark to one of the last steps, drawn evenly; return the new inputs and labels."""
    rows, time = np.arange(len(inputs)), inputs.shape[1]
    places, moved = time - 1 - rng.integers(last, size=len(inputs)), inputs.copy()
    moved[:, :, -1] = 0
    moved[rows, places, -1] = 1
    return moved, inputs[rows, places, :-1].argmax(axis=1)


def make(run, rate, seed, epochs):
    """Train one network, at a learning rate that falls from `rate` to zero.

    Returns:
        Its accuracy on held-out sequences after each epoch of 312 updates: "all" of them, with marks
        anywhere, and "near", those with the mark in the last 20 steps.
    """
    setting, rng = RUNS[run], np.random.default_rng(seed)
    task = marked_symbol(time=50, seed=seed)
    inputs, labels = marked_within(setting["last"], task.train_inputs, rng)
    labels = np.where(rng.random(len(labels)) < setting["random"], rng.integers(8, size=len(labels)), labels)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((None, 9)), SimpleRNN(32), layers.Dense(8)])
    falling = optimizers.schedules.CosineDecay(rate, epochs * (len(labels) // 64))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(falling, clipnorm=1.0), loss)
    near, seen = task.test_distances < 20, {"near": [], "all": []}

    def look(*_):
        right = np.argmax(model(task.test_inputs), axis=-1) == task.test_labels
        seen["near"].append(float(right[near].mean()))
        seen["all"].append(float(right.mean()))

    train(model, inputs, labels, epochs, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)])
    return seen
