"""Are far marks in the way, or are there only fewer near ones beside them?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data import marked_symbol
from course_utils.records.far_marks import SLOW, marked_within
from course_utils.recurrent import SimpleRNN
from course_utils.training import train

LESSON = "03"
BATCH = 64  # of `far_marks`
PARTS = [{"share": 0.4, "seed": seed, "epochs": 24} for seed in range(5)]  # of 50 steps 20 are the last
WITHIN = {"near": 0.3}  # when it begins to learn differs from machine to machine


def make(share, seed, epochs):
    """Train as `far_marks` does on marks in the last 20 of 50 steps, but with a share of the sequences.

    A batch is smaller by that share. So an epoch has about as many updates, and as many near marks as one of
    marks anywhere.

    Returns:
        Its accuracy on held-out sequences with the mark in the last 20 steps, after each epoch.
    """
    task, rng = marked_symbol(time=50, seed=seed), np.random.default_rng(seed)
    rows = round(share * len(task.train_inputs))
    inputs, labels = marked_within(20, task.train_inputs[:rows], rng)
    batch_size = round(share * BATCH)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((None, 9)), SimpleRNN(32), layers.Dense(8)])
    falling = optimizers.schedules.CosineDecay(SLOW, epochs * (rows // batch_size))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(falling, clipnorm=1.0), loss)
    near, seen = task.test_distances < 20, []

    def look(*_):
        answers = np.argmax(model(task.test_inputs[near]), axis=-1)
        seen.append(float((answers == task.test_labels[near]).mean()))

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=look)]
    train(model, inputs, labels, epochs, batch_size, callbacks=callbacks)
    return {"near": seen}
