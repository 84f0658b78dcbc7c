"""Exercises of lesson 01, embeddings."""

import functools

import keras
import numpy as np

from course_utils.embedding import Embedding
from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError

BATCH = np.array([[3, 7, 3, 9], [9, 7, 0, 0]])


def rows_that_change():
    """Predict: one step of plain SGD on these ids, every position counts. How many rows change?"""
    return 4


def nearest(table, row, count):
    """Return the `count` rows whose vectors have the largest cosine with that of `row`, nearest first."""
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosines = unit @ unit[row]
    cosines[row] = -np.inf
    return np.argsort(-cosines)[:count]


def sentence_vectors(table, ids):
    """Return the mean of each sentence's word vectors, `(batch, size)`; id 0 is padding."""
    real = (ids != 0)[:, :, None]
    summed = (table[ids] * real).sum(axis=1)
    return summed / np.maximum(real.sum(axis=1), 1)


@functools.cache
def _changed_rows():
    layer = Embedding(10, 4)
    before = np.array(layer(np.arange(10)))
    model = keras.Sequential([keras.Input((4,), dtype="int32"), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch(BATCH, np.ones((2, 4, 4), "float32"))
    return int((np.array(layer(np.arange(10))) != before).any(axis=1).sum())


def _is_the_number_of_changed_rows(answer):
    properties.one_number(
        answer(),
        _changed_rows(),
        [
            (BATCH.size, "the number of positions: some ids stand at several"),
            ((BATCH != 0).sum(), "the number of positions without padding: some ids stand at several"),
            (_changed_rows() - 1, "one too few: is padding an id like any other to this layer?"),
            (10, "the whole table: does a row that was not read get a gradient?"),
        ],
    )


# Row 1 points as row 0 does, row 4 is long but points elsewhere.
VECTORS = np.array([[1.0, 0.2], [2.0, 0.5], [0.3, 0.9], [-1.0, -0.2], [9.0, 9.0], [0.9, -0.1]])


def _leaves_the_word_itself_out(answer):
    for row in range(len(VECTORS)):
        if row in properties.whole_numbers(answer(VECTORS, row, 2)):
            raise WrongAnswerError(
                "neighbours other than the word itself", "the word itself among its neighbours"
            )


def _gives_as_many_as_asked(answer):
    for count in (1, 3):
        came = properties.numbers(answer(VECTORS, 0, count))
        if came.shape == (count, VECTORS.shape[1]):
            raise WrongAnswerError("the numbers of the rows", "the rows themselves")
        properties.same_shape(came, (count,))


def _compares_directions(answer):
    by_product = np.argsort(-(VECTORS @ VECTORS[0]))
    by_product = by_product[by_product != 0][:2]
    by_distance = np.argsort(np.linalg.norm(VECTORS - VECTORS[0], axis=1))[1:3]
    farthest = nearest(VECTORS, 0, 5)[::-1][:2]
    properties.same_values(
        answer(VECTORS, 0, 2),
        nearest(VECTORS, 0, 2),
        [
            (by_product, "the largest products: a long vector wins without pointing the same way"),
            (by_distance, "the smallest distances: a long vector is far off and may point the same way"),
            (farthest, "the farthest first"),
        ],
    )


def _does_so_for_every_row(answer):
    for row in range(len(VECTORS)):
        properties.same_values(answer(VECTORS, row, 5), nearest(VECTORS, row, 5))


TABLE = np.array([[5.0, 5.0, 5.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [0.0, 4.0, -4.0]])
SENTENCES = np.array([[1, 2, 3, 1], [2, 3, 0, 0], [3, 0, 0, 0]])


def _one_vector_for_each_sentence(answer):
    properties.same_shape(answer(TABLE, SENTENCES), (3, 3))


def _means_of_full_sentences(answer):
    properties.same_values(
        answer(TABLE, SENTENCES[:1]),
        sentence_vectors(TABLE, SENTENCES[:1]),
        [(TABLE[SENTENCES[:1]].sum(axis=1), "the sum of the vectors, not their mean")],
    )


def _padding_adds_nothing(answer):
    other = TABLE.copy()
    other[0] = -7
    came = (properties.numbers(answer(table, SENTENCES)) for table in (TABLE, other))
    if not np.allclose(*came):
        raise WrongAnswerError(
            "the same vectors whatever the padding's row holds", "vectors that change with it"
        )


def _divides_by_the_real_words(answer):
    real = SENTENCES != 0
    by_length = (TABLE[SENTENCES] * real[:, :, None]).mean(axis=1)
    properties.same_values(
        answer(TABLE, SENTENCES),
        sentence_vectors(TABLE, SENTENCES),
        [(by_length, "sums that are divided by the padded length")],
    )


def _all_padding_gives_zeros(answer):
    ids = np.array([[0, 0], [1, 0]])
    properties.same_values(answer(TABLE, ids), sentence_vectors(TABLE, ids), cause=properties.ZERO_DIVISION)


EXERCISES = [
    Exercise(
        "01.rows_that_change",
        rows_that_change,
        [("is the number that one step of training changes", _is_the_number_of_changed_rows)],
        [
            "A row gets a gradient when it was read. Which rows are read?",
            "This layer treats row 0 like the others, and the loss leaves no padding out.",
            "Count the different ids in the batch.",
        ],
    ),
    Exercise(
        "01.nearest",
        nearest,
        [
            ("gives as many rows as are asked for", _gives_as_many_as_asked),
            ("leaves the word itself out", _leaves_the_word_itself_out),
            ("compares directions, not lengths, and puts the nearest first", _compares_directions),
            ("does so for every row", _does_so_for_every_row),
        ],
        [
            "The cosine is the product of two vectors of length one.",
            "Divide every row by its norm, then multiply the table with one row.",
            "np.argsort sorts upwards; the word itself must not win.",
        ],
    ),
    Exercise(
        "01.sentence_vectors",
        sentence_vectors,
        [
            ("gives one vector for each sentence", _one_vector_for_each_sentence),
            ("is the mean of a sentence without padding", _means_of_full_sentences),
            ("adds nothing for padding", _padding_adds_nothing),
            ("divides by the number of real words", _divides_by_the_real_words),
            ("gives zeros for a sentence of padding alone", _all_padding_gives_zeros),
        ],
        [
            "Print table[ids] for a short sentence. Which vectors are in it that are no words?",
            "Make a mask (ids != 0), give it a third axis, and use it twice.",
            "Sum the vectors times the mask, divide by the mask's own sum, and let that be at least 1.",
        ],
    ),
]
