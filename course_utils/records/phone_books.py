"""How many pairs can a GRU bind? A book of names and digits is read, then one name is asked for."""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.embedding import Embedding
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "10"
NAMES, DIGITS, UNITS = 20, 10, 64
BOOKS, TEST = 20_000, 2_000
PARTS = [{"pairs": pairs, "seed": seed, "epochs": 30} for pairs in (2, 4, 8) for seed in range(2)]
WITHIN = {"right": 0.15, "loss": 0.3}


def phone_books(count, pairs, rng, but=()):
    """Return books, `(count, pairs + 1, 2)`, the digits asked for, and how far back each stands.

    A step has a name and a digit; the last one has the name that is asked for, and in place of its digit
    the mark `DIGITS`. None is among the books `but`.
    """
    names = rng.permuted(np.tile(np.arange(NAMES), (count, 1)), axis=1)[:, :pairs]
    digits, asked = rng.integers(DIGITS, size=(count, pairs)), rng.integers(pairs, size=(count, 1))
    question = np.concatenate([np.take_along_axis(names, asked, 1), np.full((count, 1), DIGITS)], axis=1)
    books = np.concatenate([np.stack([names, digits], axis=-1), question[:, None]], axis=1)
    answers, back = np.take_along_axis(digits, asked, 1)[:, 0], pairs - asked[:, 0]
    known = {book.tobytes() for book in but}
    again = [row for row, book in enumerate(books) if book.tobytes() in known]
    if again:
        drawn = phone_books(len(again), pairs, rng, but)
        for array, anew in zip((books, answers, back), drawn, strict=True):
            array[again] = anew
    return books, answers, back


def most_frequent(books):
    """Return the share of questions that are right where the most frequent digit of the book is said."""
    counts = np.eye(DIGITS)[books[:, :-1, 1]].sum(axis=1)
    return float((counts.max(axis=1) / counts.sum(axis=1)).mean())


def reader(read):
    """Return a compiled network: `read` makes one vector of the book's vectors."""
    book = keras.Input((None, 2), dtype="int32")
    name, digit = Embedding(NAMES, UNITS)(book[..., 0]), Embedding(DIGITS + 1, UNITS)(book[..., 1])
    model = keras.Model(book, layers.Dense(DIGITS)(read(layers.Add()([name, digit]))))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(3e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def make(pairs, seed, epochs):
    """Train a GRU on books that are drawn anew for each epoch, and are none of those to be tested.

    Return the mean loss in training, and the share of 2,000 held-out books that is right, for each epoch.
    """
    rng = np.random.default_rng(seed)
    held_out, answers, _ = phone_books(TEST, pairs, rng)
    keras.utils.set_random_seed(seed)
    model, found = reader(GRU(UNITS)), {"right": [], "loss": []}
    for _ in range(epochs):
        books, wanted, _ = phone_books(BOOKS, pairs, rng, but=held_out)
        history = train(model, books, wanted, 1, validation=(held_out, answers)).history
        found["right"] += history["val_accuracy"]
        found["loss"] += history["loss"]
    return found
