"""Exercises of lesson 01, embeddings."""

import re

import keras
import numpy as np
from keras import ops

from course_utils import measure
from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief


class MyEmbedding(keras.layers.Layer):
    """A table of vectors with a row for each id."""

    def __init__(self, input_dim, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.embeddings = self.add_weight((input_dim, output_dim), "uniform", name="embeddings")

    def call(self, ids):
        """Return the row of each id. `ids` are whole numbers of any shape; the result has one axis more."""
        return ops.take(self.embeddings, ids, axis=0)


def table_gradient(ids, arrived, rows):
    """Return the gradient of a loss with respect to a table of so many rows, `(rows, size)`, in NumPy.

    `ids` has the rows that were read, `(reads,)`. `arrived` has the gradient of the loss with respect to each
    vector that was read, `(reads, size)`.
    """
    gradient = np.zeros((rows, arrived.shape[1]))
    for row, gradient_of_read in zip(ids, arrived, strict=True):
        gradient[row] += gradient_of_read
    return gradient


def sentence_vectors(table, ids):
    """Return the mean of each sentence's word vectors, `(batch, size)`; id 0 is padding.

    A sentence of padding alone gives zeros.
    """
    real = (ids != 0)[:, :, None]
    summed = (table[ids] * real).sum(axis=1)
    return summed / np.maximum(real.sum(axis=1), 1)


def size_experiment(sizes, counts, withheld, forbidden):
    """Measure for each size how often a withheld pair has a higher score than a forbidden one.

    `counts` are `(words, neighbours)`. Scores: the SVD of the counts, cut to `size` numbers a word and
    multiplied together again, then rounded to 9 digits, so that rounding errors become exact zeros.
    `withheld` and `forbidden` are pairs of row and column, `(pairs, 2)`. Compare each withheld pair with each
    forbidden one; a tie counts one half. Return one number for each size, in a list.
    """
    left, strength, right = np.linalg.svd(counts, full_matrices=False)
    measured = []
    for size in sizes:
        scores = ((left[:, :size] * strength[:size]) @ right[:size]).round(9)
        one, other = scores[tuple(withheld.T)][:, None], scores[tuple(forbidden.T)]
        measured.append(float(np.mean((one > other) + (one == other) / 2)))
    return measured


ROWS, SIZE = 6, 4
IDS = np.array([[4, 1, 4], [0, 2, 1]])


ADVICE = [
    (re.compile("1D equal size|are valid indices"), "a weight cannot be indexed with an array: use ops.take"),
    (re.compile("ndims must be >= 2|different ndims"), "`@` fails for a single id: use ops.take"),
]


def _made(answer, rows=ROWS, size=SIZE):
    """Make the learner's layer, with a table in which no two numbers are equal, and return both."""
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    layer = answer(rows, size)
    if not isinstance(layer, keras.layers.Layer):
        raise WrongAnswerError(
            "a class that inherits from keras.layers.Layer", f"one that makes {brief(layer)}"
        )
    with cells.no_error(in_cell=False):
        layer.build((None,))
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if shapes != [(rows, size)]:
        raise WrongAnswerError(f"the table of the stub, here ({rows}, {size})", f"weights of shapes {shapes}")
    table = np.random.default_rng(rows).normal(size=(rows, size)).astype("float32")
    layer.set_weights([table])
    return layer, table


def _read(answer, ids, rows=ROWS, size=SIZE, stub=False):
    layer, table = _made(answer, rows, size)
    with cells.advised(ADVICE, stub):
        vectors = layer(ids)
    if vectors is None:
        raise WrongAnswerError("the row of each id", "None: is a return missing?")
    return vectors, table


def _gives_a_vector_for_each_id(answer):
    came, _ = _read(answer, IDS, stub=True)
    shape = properties.numbers(came).shape
    if shape == IDS.shape:
        raise WrongAnswerError("shape (2, 3, 4)", "shape (2, 3): single numbers. Is `axis=0` missing?")
    if shape == (ROWS, *IDS.shape):
        raise WrongAnswerError("shape (2, 3, 4)", f"shape {shape}: columns. `axis=0` reads rows")
    properties.same_shape(came, (*IDS.shape, SIZE))


def _reads_the_row_of_each_id(answer):
    came, table = _read(answer, IDS)
    mistakes = [
        (table[IDS - 1], "the row before that of each id: the first row has the number 0"),
        (table[(IDS + 1) % ROWS], "the row after that of each id"),
        (table[IDS] * (IDS != 0)[..., None], "zeros for id 0: here its row is read like any other"),
        (np.broadcast_to(table[:3], (*IDS.shape, SIZE)), "the first rows of the table, whatever the ids are"),
    ]
    properties.same_values(came, table[IDS], mistakes)


def _does_so_for_ids_of_any_shape(answer):
    for ids in (np.array(3), np.array([6, 0]), np.arange(6).reshape(1, 3, 2)):
        came, table = _read(answer, ids, 7, 3)
        properties.same_shape(came, (*ids.shape, 3))
        properties.same_values(came, table[ids])


def _can_be_compiled(answer):
    layer, _ = _made(answer)
    with cells.no_error(in_cell=False):
        layer(keras.Input((3,), dtype="int32"))


def _has_the_gradient_of_a_table(answer):
    layer, _ = _made(answer)
    weights = np.random.default_rng(3).normal(size=(*IDS.shape, SIZE)).astype("float32")
    with cells.no_error(in_cell=False):
        (came,) = measure.weight_gradients(layer, IDS, None, lambda _, vectors: ops.sum(vectors * weights))
    if came is None:
        raise WrongAnswerError(
            "a gradient with respect to the table", "none: is something computed with NumPy, or stopped?"
        )
    expected = table_gradient(IDS.ravel(), weights.reshape(-1, SIZE), ROWS)
    for row in range(ROWS):
        if not np.abs(came[row] - expected[row]).max() <= 1e-4:
            raise WrongAnswerError(
                f"for row {row} the gradient {expected[row].round(3)}", f"{came[row].round(3)}"
            )


READS = np.array([4, 1, 4, 0])
ARRIVED = np.random.default_rng(5).normal(size=(len(READS), 3))


def _has_the_shape_of_the_table(answer):
    try:
        came = properties.numbers(answer(READS, ARRIVED, ROWS))
    except WrongAnswerError as error:
        if not error.came.startswith(("IndexError", "ValueError")):
            raise
        raise WrongAnswerError(
            "shape (rows, size), here (6, 3): a row for each word",
            f"{error.came} (is the table begun with another shape, or a `.T` forgotten?)",
        ) from error
    if came.shape == ARRIVED.shape:
        raise WrongAnswerError("shape (6, 3)", "shape (4, 3): a row for each read, not for each word")
    properties.same_shape(came, (ROWS, 3))


def _gives_nothing_to_rows_that_were_not_read(answer):
    came = properties.numbers(answer(READS, ARRIVED, ROWS))
    for row in set(range(ROWS)) - set(READS.tolist()):
        if came[row].any():
            raise WrongAnswerError(f"zeros for row {row}, which was not read", f"{came[row].round(3)}")


def _adds_up_what_arrives_at_a_row(answer):
    expected = table_gradient(READS, ARRIVED, ROWS)
    last, first, counted = (np.zeros((ROWS, 3)) for _ in range(3))
    last[READS], first[READS[::-1]] = ARRIVED, ARRIVED[::-1]
    np.add.at(counted, READS, 1)
    properties.same_values(
        answer(READS, ARRIVED, ROWS),
        expected,
        [
            (
                last,
                "for row 4, read twice, only what arrived last: `gradient[ids] = ...` and "
                "`gradient[ids] += ...` count each row once",
            ),
            (first, "for row 4, read twice, only what arrived first"),
            (expected / np.maximum(counted, 1), "for row 4, read twice, the mean of both: they are added"),
            (expected / len(READS), "a mean over all reads: they are added"),
            (counted, "how often each row was read: what arrived is added"),
            (-expected, "the gradient with its sign turned: that is the step"),
        ],
    )


def _does_so_for_other_tables(answer):
    for ids, rows in ((np.array([2, 2, 2]), 3), (np.array([8, 0]), 9)):
        arrived = ARRIVED[: len(ids), :2]
        properties.same_shape(answer(ids, arrived, rows), (rows, 2))
        properties.same_values(answer(ids, arrived, rows), table_gradient(ids, arrived, rows))


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


def _counts_of_a_small_grammar():
    """Return counts of three kinds of words, pairs that are missing in them, and pairs that cannot be."""
    rng = np.random.default_rng(1)
    kinds, sides = np.repeat(np.arange(3), 4), np.repeat(np.arange(3), 5)
    counts = rng.poisson(6, (12, 15)) * (kinds[:, None] == sides)
    mixed = (kinds[:, None] < 2) & (sides < 2) & (counts == 0)  # so that not all forbidden pairs tie
    counts += rng.poisson(1, counts.shape) * mixed
    withheld = np.array([[0, 1], [3, 3], [5, 6], [6, 9], [9, 12], [10, 10]])
    forbidden = np.array([[0, 6], [1, 14], [4, 1], [7, 11], [8, 3], [11, 9], [2, 8]])
    counts[tuple(withheld.T)] = counts[tuple(forbidden.T)] = 0
    return counts.astype(float), withheld, forbidden


COUNTS, WITHHELD, FORBIDDEN = _counts_of_a_small_grammar()
CUT, FULL = np.array([1, 2, 3, 5, 7]), min(COUNTS.shape)


def _one_for_each_size(answer):
    properties.one_for_each(CUT, answer(CUT, COUNTS, WITHHELD, FORBIDDEN))


def _shares(scores_of, tie=0.5, pairs=None):
    """Return for each size how often a withheld pair is higher, where a tie counts so much.

    Each is compared with each; or, if `pairs` is given, so many one by one.
    """
    shares = []
    for size in CUT:
        scores = scores_of(size)
        one, other = scores[tuple(WITHHELD.T)], scores[tuple(FORBIDDEN.T)][:pairs]
        one = one if pairs else one[:, None]
        shares.append(np.mean((one > other) + tie * (one == other)))
    return np.array(shares)


def _is_measured(answer):
    came = properties.one_for_each(CUT, answer(CUT, COUNTS, WITHHELD, FORBIDDEN))
    left, strength, right = np.linalg.svd(COUNTS, full_matrices=False)

    def cut(first, last):
        return (left[:, first:last] * strength[first:last]) @ right[first:last]

    def kept(size):
        return cut(0, size).round(9)

    expected = _shares(kept)
    properties.same_values(
        came,
        expected,
        [
            (_shares(lambda size: (left[:, :size] @ right[:size]).round(9)), "without the singular values"),
            (
                _shares(lambda size: cut(-size, None).round(9)),
                "the last numbers of each word: keep the first",
            ),
            (_shares(lambda size: kept(size + 1)), "one number too many for each size"),
            (_shares(lambda size: kept(size - 1)), "one number too few for each size"),
            (_shares(kept, tie=0), "ties that count nothing: a tie counts one half"),
            (_shares(kept, tie=1), "ties that count in full: a tie counts one half"),
            (
                _shares(kept, tie=0, pairs=len(WITHHELD)),
                "each withheld pair beside one forbidden pair: compare each with each",
            ),
            (
                _shares(kept, pairs=len(WITHHELD)),
                "each withheld pair beside one forbidden pair: compare each with each",
            ),
            (1 - expected, "how often the forbidden pair is higher, or scores of what is to be cut off"),
            (100 * expected, "per cent: a share was asked for"),
        ],
    )


def _ties_where_nothing_is_left_out(answer):
    """With all numbers the counts come back, and those of all these pairs are zero."""
    (came,) = properties.one_for_each([FULL], answer(np.array([FULL]), COUNTS, WITHHELD, FORBIDDEN))
    if came != 0.5:
        raise WrongAnswerError(
            "0.5: with nothing left out all scores tie",
            f"{came:.3g}: are the scores rounded to 9 digits, and does a tie count one half?",
        )


def _draw_what_was_measured(answer):
    import matplotlib.pyplot as plt

    from course_utils import data, plotting

    task = data.grammar()
    ids, words = task.vocabulary.encode(task.train_sentences), len(task.vocabulary)
    counts = np.zeros((words, 2 * words))
    np.add.at(counts, (ids[:, :-1], ids[:, 1:]), 1)
    np.add.at(counts, (ids[:, 1:], words + ids[:, :-1]), 1)
    sizes = [1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48, words]
    plotting.curves(
        sizes,
        {"withheld first": answer(sizes, counts, task.withheld, task.forbidden)},
        "numbers a word",
        "share of pairs",
        "Your experiment: with all numbers the product is the counts again, which guess",
        level=(0.5, "guessing"),
    )
    plt.show()


EXERCISES = [
    Exercise(
        "01.embedding",
        MyEmbedding,
        [
            ("gives a vector for each id", _gives_a_vector_for_each_id),
            ("reads the row of each id", _reads_the_row_of_each_id),
            ("does so for ids of any shape", _does_so_for_ids_of_any_shape),
            ("is written with keras.ops, so that it can be compiled", _can_be_compiled),
            ("has a gradient for each row that was read, and for no other", _has_the_gradient_of_a_table),
        ],
        [
            "The table is `self.embeddings`, the ids are the numbers of its rows.",
            "`ops.take(x, indices, axis=0)` reads rows of x.",
            "Return `ops.take(self.embeddings, ids, axis=0)`.",
        ],
    ),
    Exercise(
        "01.table_gradient",
        table_gradient,
        [
            ("has the shape of the table", _has_the_shape_of_the_table),
            ("gives nothing to rows that were not read", _gives_nothing_to_rows_that_were_not_read),
            ("adds up what arrives at a row that was read twice", _adds_up_what_arrives_at_a_row),
            ("does so for other tables", _does_so_for_other_tables),
        ],
        [
            "Begin with zeros, `np.zeros((rows, arrived.shape[1]))`. Which rows get something?",
            "Go over the reads: what arrives at a read belongs to the row that was read.",
            "`for row, each in zip(ids, arrived): gradient[row] += each`, or `np.add.at`.",
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
    Exercise(
        "01.size_experiment",
        size_experiment,
        [
            ("measures one number for each size", _one_for_each_size),
            ("measures what the first numbers of each word tell", _is_measured),
            ("finds only ties where nothing is left out", _ties_where_nothing_is_left_out),
        ],
        [
            "Once `left, strength, right = np.linalg.svd(counts, full_matrices=False)`; then a loop.",
            "Keep the first `size` columns of left, numbers of strength and rows of right.",
            "`scores[tuple(withheld.T)]` has the scores of the withheld pairs. "
            "`measure.ranked_above(ones, others)` compares each with each, and counts ties one half.",
            "Scores: `((left[:, :size] * strength[:size]) @ right[:size]).round(9)`.",
        ],
        result=_draw_what_was_measured,
    ),
]
