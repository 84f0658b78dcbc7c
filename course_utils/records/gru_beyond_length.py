"""Trained on windows of 32 characters, and then 128 are read. Does a GRU, which has no positions, go on?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data.topics import topics
from course_utils.embedding import Embedding
from course_utils.records.beyond_length import BATCH, DIM, LONG, RATE, TIME, bits
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "11"
UNITS = 2 * DIM
PARTS = [{"seed": seed, "epochs": 3} for seed in range(3)]
WITHIN = {"by_place": 0.3}


def reader(size):
    """Return a model that reads ids; it takes the numbers of the positions, too, and does not use them."""
    ids, first = keras.Input((None,), dtype="int32"), keras.Input((), dtype="int32")
    found = GRU(UNITS, return_sequences=True)(Embedding(size, DIM)(ids))
    return keras.Model([ids, first], layers.Dense(size)(found))


def make(seed, epochs):
    """Train one model; return what characters cost it, as `by_place`, the mean at each of 128 places."""
    text = topics(length=TIME)
    keras.utils.set_random_seed(seed)
    model = reader(len(text.vocabulary))
    first = np.zeros(len(text.train), "int32")
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * (len(first) // BATCH))
    model.compile(
        optimizers.Adam(schedule, clipnorm=1.0), losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    train(model, (text.train.inputs, first), text.train.labels, epochs, BATCH)
    return {"by_place": bits(model, topics(length=LONG).test.ids).mean(axis=0).tolist()}
