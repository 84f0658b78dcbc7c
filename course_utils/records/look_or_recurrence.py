"""A book of eight pairs: is it attention that names the digit, or is it that no recurrence is there?"""

import keras
import numpy as np
from keras import ops

from course_utils.multi_head_attention import MultiHeadAttention
from course_utils.records.phone_books import TEST, UNITS, phone_books, reader
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "10"
PAIRS, BOOKS = 8, 10_000
READERS = "attention", "even weights", "attention over a GRU"
PARTS = [{"read": read, "seed": seed, "epochs": 6} for read in READERS for seed in range(5)]
WITHIN = {"right": 0.15}


def way(read):
    """Return what makes one vector of a book's vectors: that of the last step, or their mean."""
    if read == "even weights":
        return lambda vectors: ops.mean(vectors, axis=1)
    look = MultiHeadAttention(1, UNITS)
    if read == "attention":
        return lambda vectors: look(vectors, vectors)[:, -1]
    states_of = GRU(UNITS, return_sequences=True)

    def over_states(vectors):
        states = states_of(vectors)
        return look(states, states)[:, -1]

    return over_states


def make(read, seed, epochs):
    """Train one reader; return the share of 2,000 held-out books that is right, for each epoch."""
    rng = np.random.default_rng(seed)
    held_out, answers, _ = phone_books(TEST, PAIRS, rng)
    books, wanted, _ = phone_books(BOOKS, PAIRS, rng, but=held_out)
    keras.utils.set_random_seed(seed)
    history = train(reader(way(read)), books, wanted, epochs, validation=(held_out, answers)).history
    return {"right": history["val_accuracy"]}
