"""A phone book: one question of each, answered by a choice that is taught in three ways, epoch by epoch.

`phone_books` draws the books; lesson 09 asks every question of a book, this record one.
"""

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from course_utils.attention import BahdanauAttention, LuongAttention, mask_scores, masked_softmax
from course_utils.embedding import Embedding
from course_utils.hard_attention import HardAttention, HardAttentionModel
from course_utils.training import train

LESSON = "09"
PAIRS, SPREAD, DIM, RATE, BATCH = 16, 10, 32, 3e-3, 64
SCORES = "dot", "general", "concat", "additive"
CHOICES = "hard, baseline", "hard, no baseline", "softened"
LATIN = [
    *("Kim", "Lee", "Park", "Choi", "Jung", "Kang", "Cho", "Yoon"),
    *("Jang", "Lim", "Han", "Oh", "Seo", "Shin", "Kwon", "Hwang"),
]
HANGUL = ["김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권", "황"]
PARTS = [{"kind": kind, "epochs": 16, "seed": seed} for seed in range(3) for kind in CHOICES]
WITHIN = {"right": 0.15, "on_true": 0.15}


def phone_books(count, rng):
    """Return books of names and digits, each asked for all its names, roughly in the order of the book.

    Returns `(asked, names, digits)`, the digits that are asked for, and the places where they stand, each
    `(count, PAIRS)`. What a question asks for stands less than SPREAD places from where it is asked.
    """
    names = rng.permuted(np.tile(np.arange(PAIRS), (count, 1)), axis=1)
    digits = rng.integers(10, size=(count, PAIRS))
    places = np.argsort(np.arange(PAIRS) + rng.uniform(0, SPREAD, (count, PAIRS)), axis=1)
    asked, answers = (np.take_along_axis(each, places, axis=1) for each in (names, digits))
    return (asked, names, digits), answers, places


def told(books, row=0):
    """Return a book and its questions as they are read: names with digits, and the names asked."""
    asked, names, digits = (part[row] for part in books)
    book = " ".join(f"{LATIN[name]} {digit}" for name, digit in zip(names, digits, strict=True))
    return book, " ".join(HANGUL[name] for name in asked)


def one_question(count, rng):
    """Return as many books, each asked for one of its names, drawn at random: `asked` is `(count, 1)`."""
    (asked, names, digits), answers, places = phone_books(count, rng)
    rows, drawn = np.arange(count), rng.integers(PAIRS, size=count)
    return (asked[rows, drawn][:, None], names, digits), answers[rows, drawn], places[rows, drawn]


def vectors(questions=1):
    """Return a model from books to the vectors of the names asked, the names listed, and the digits."""
    asked, names, digits = (keras.Input((size,), dtype="int32") for size in (questions, PAIRS, PAIRS))
    query = Embedding(PAIRS, DIM, name="asked")(asked)
    key, value = Embedding(PAIRS, DIM, name="listed")(names), Embedding(10, DIM)(digits)
    return keras.Model((asked, names, digits), {"query": query, "key": key, "value": value})


def soft_reader(attention, questions=1):
    """Return a model that names each digit asked for, from the average that attention gives."""
    encode = vectors(questions)
    named = layers.Dense(10)(attention(**encode.output))
    return keras.Model(encode.input, named if questions > 1 else named[:, 0])


class Softened(LuongAttention):
    """A softened choice: in training the softmax of scores with Gumbel noise, otherwise the likeliest alone.

    (Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax", equation 2, temperature 1.)
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__("dot", **kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def align(self, query, keys, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`."""
        scores = mask_scores(self.scores(query, keys), mask)
        if not training:
            return ops.one_hot(ops.argmax(scores, axis=-1), ops.shape(keys)[1], dtype=scores.dtype)
        uniform = keras.random.uniform(ops.shape(scores), 1e-20, 1, seed=self.seed_generator)
        return masked_softmax(scores - ops.log(-ops.log(uniform)), mask)


def reader(kind, seed):
    """Return a model that looks in this way, and its attention."""
    attention = {
        "additive": lambda: BahdanauAttention(DIM),
        "hard, baseline": lambda: HardAttention(seed=seed),
        "hard, no baseline": lambda: HardAttention(seed=seed),
        "softened": lambda: Softened(seed),
    }.get(kind, lambda: LuongAttention(kind))()
    if not kind.startswith("hard"):
        return soft_reader(attention), attention
    decay = 0.9 if kind == "hard, baseline" else 1.0  # a baseline that stays at 0 is none
    return HardAttentionModel(vectors(), attention, layers.Dense(10), decay), attention


def trained(model, books, answers, epochs, held_out=None):
    """Train a reader at a constant learning rate; return what `fit` returns."""
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(RATE), loss, metrics=["accuracy"])
    return train(model, books, answers, epochs, BATCH, validation=held_out)


def soft_weights(model, attention, books):
    """Return the softmax of the scores, `(books, PAIRS)`, also where the reader takes one position alone."""
    encode = model.encode if isinstance(model, HardAttentionModel) else model
    query, key = (
        encode.get_layer(name)(ids) for name, ids in zip(("asked", "listed"), books[:2], strict=True)
    )
    keys, _ = attention.project(key)
    return ops.convert_to_numpy(masked_softmax(attention.scores(query, keys)))[:, 0]


def make(kind, epochs, seed):
    """Train one reader on 8,000 books.

    `right` is the share of held-out digits named after each epoch, `on_true` the weight of the softmax on
    the asked name at the end.
    """
    rng = np.random.default_rng(seed)
    books, answers, _ = one_question(8_000, rng)
    held_out, held_out_answers, places = one_question(1_000, rng)
    keras.utils.set_random_seed(seed)
    model, attention = reader(kind, seed)
    history = trained(model, books, answers, epochs, (held_out, held_out_answers)).history
    on_true = soft_weights(model, attention, held_out)[np.arange(len(places)), places]
    return {"right": history["val_accuracy"], "on_true": float(on_true.mean())}
