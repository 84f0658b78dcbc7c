"""Exercises of lesson 08, attention."""

import functools
import re

import keras
import numpy as np
from keras import ops

from course_utils import measure
from course_utils.attention import LuongAttention
from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief


class MyAttention(keras.layers.Layer):
    """Attention with the general score: each query asks all states, and gets an average of them."""

    def build(self, query_shape, memory_shape):
        """Make W, `(size of a query, size of a state)`."""
        self.kernel = self.add_weight((query_shape[-1], memory_shape[-1]), name="kernel")

    def call(self, query, memory, mask):
        """Return the contexts, `(batch, Tq, size of a state)`, and the weights, `(batch, Tq, Tv)`.

        `query` is `(batch, Tq, size of a query)`, `memory` has the states, `(batch, Tv, size of a state)`.
        `mask` is boolean, `(batch, Tv)`, True where a state counts; at least one counts in each row.
        """
        scores = ops.matmul(ops.matmul(query, self.kernel), ops.transpose(memory, (0, 2, 1)))
        scores = ops.where(mask[:, None], scores, -1e9)
        weights = ops.softmax(scores, axis=-1)
        return ops.matmul(weights, memory), weights


def decoder_step(order, cell, attend, join, token, state):
    """Go one step of a decoder that looks back; return the output, the new state and the weights.

    `token` and `state` are `(batch, features)`. `cell(inputs, state)` returns the new state, `attend(query)`
    a context and its weights, and `join(vectors)` is the tanh layer of Luong's order. `order` is "luong" or
    "bahdanau". In Luong's, `join` reads [context; new state], and its result is the output. In Bahdanau's,
    `cell` reads [token; context], the output is the new state, and nothing is joined.
    """
    if order == "luong":
        state = cell(token, state)
        context, weights = attend(state)
        return join(ops.concatenate([context, state], axis=-1)), state, weights
    context, weights = attend(state)
    state = cell(ops.concatenate([token, context], axis=-1), state)
    return state, state, weights


def weights_of_queries(scores, mask):
    """Return the weights `(batch, Tq, Tv)` of scores `(batch, Tq, Tv)`.

    mask is boolean, `(batch, Tv)`, True where a step of the source counts.
    """
    scores = np.where(mask[:, None], scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def size_experiment(sizes, draw):
    """Measure for each size of the vectors how sure the dot score is before any training.

    `draw(size)` gives queries, `(queries, size)`, and for each its keys, `(queries, keys, size)`. The weights
    of a query are the softmax of its dot products with its keys. How sure it is: its largest weight, on
    average over the queries. Return a list of one number for each size.
    """
    sure = []
    for size in sizes:
        queries, keys = draw(size)
        scores = (keys * queries[:, None]).sum(axis=-1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = weights / weights.sum(axis=-1, keepdims=True)
        sure.append(float(weights.max(axis=-1).mean()))
    return sure


def _softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


RNG = np.random.default_rng(7)
QUERY, STATES, KERNEL = (  # all sizes are different, so that a wrong product has no result
    RNG.normal(size=size).astype("float32") for size in ((3, 2, 4), (3, 5, 6), (4, 6))
)
SCORES_OF_STATES = QUERY @ KERNEL @ STATES.swapaxes(1, 2)
MASK = np.arange(5) < np.array([[5], [3], [1]])
EVERY = np.ones((3, 5), bool)
PRODUCTS = (
    "the inner sizes of a product must be equal: ops.matmul(query, self.kernel), then its product with "
    "ops.transpose(memory, (0, 2, 1))"
)
NOT_BROADCAST = re.compile("must be broadcastable|could not be broadcast", re.IGNORECASE)
AXIS_OF_QUERIES = "mask[:, None] gives the mask an axis for the queries"


_advised = functools.partial(
    cells.advised,
    [
        (
            re.compile("compatible batch dimensions"),
            "ops.transpose(memory, (0, 2, 1)) leaves the batch first",
        ),
        (cells.SIZES_DIFFER, PRODUCTS),
        (NOT_BROADCAST, AXIS_OF_QUERIES),
    ],
)


def _made(answer):
    """Make the learner's layer, with a W in which no two numbers are equal."""
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    layer = answer()
    if not isinstance(layer, keras.layers.Layer):
        raise WrongAnswerError(
            "a class that inherits from keras.layers.Layer", f"one that makes {brief(layer)}"
        )
    with cells.no_error(in_cell=False):
        layer.build(QUERY.shape, STATES.shape)
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if shapes != [KERNEL.shape]:
        raise WrongAnswerError(f"one weight, the W of the stub, here {KERNEL.shape}", f"{shapes}")
    layer.set_weights([KERNEL])
    return layer


def _looked(answer, mask=EVERY, query=QUERY, states=STATES, stub=False):
    """Return the context and the weights as arrays of numbers."""
    layer = _made(answer)
    with _advised(stub):
        returned = layer(query, states, mask)
    if returned is None:
        raise WrongAnswerError("the context and the weights", "None: is a return missing?")
    context, weights = properties.several(returned, ("the context", "the weights"))
    for each in (context, weights):
        if isinstance(each, np.ndarray):
            raise WrongAnswerError("tensors", cells.NUMPY_IN_GENERAL)
    return properties.numbers(context), properties.numbers(weights)


def _gives_context_and_weights(answer):
    context, weights = _looked(answer, stub=True)
    if context.shape == SCORES_OF_STATES.shape and weights.shape != context.shape:
        raise WrongAnswerError("the context first, then the weights", "the weights first")
    properties.same_shape(context, (3, 2, 6))
    properties.same_shape(weights, (3, 2, 5))


def _weighs_by_the_softmax(answer):
    context, weights = _looked(answer)
    scores = SCORES_OF_STATES
    properties.same_values(
        weights,
        _softmax(scores),
        [
            (scores, "the scores themselves: the softmax is missing"),
            (_softmax(scores, 1), "weights that sum to one over the queries: write axis=-1"),
            (_softmax(scores, 0), "weights that sum to one over the batch: write axis=-1"),
            (_softmax(scores / 2), "scores divided by the root of the size: that is another score"),
            (_softmax(scores / np.sqrt(6)), "scores divided by the root of the size: that is another score"),
            (_softmax(np.tanh(scores)), "the softmax of a tanh: the general score has none"),
            (
                _softmax(np.tanh(QUERY @ KERNEL) @ STATES.swapaxes(1, 2)),
                "a tanh of the query: the general score has none",
            ),
            (_softmax(-scores), "weights that are large where the score is low: is there a minus?"),
            (np.full((3, 2, 5), 1 / 5), "even weights: does the query matter, and is True what counts?"),
        ],
    )
    by_hand = _softmax(scores)
    properties.same_values(
        context,
        by_hand @ STATES,
        [
            (scores @ STATES, "a sum with the bare scores: multiply the states by the weights"),
            (np.broadcast_to(STATES.mean(1, keepdims=True), context.shape), "an even average of the states"),
            (np.broadcast_to(STATES.sum(1, keepdims=True), context.shape), "the sum of all states"),
            (by_hand @ STATES / 5, "a fifth of the context: the weights have made it an average already"),
            (np.tanh(by_hand @ STATES), "the tanh of the context: the context has none"),
            (QUERY @ KERNEL, "the query times W: the context is an average of states"),
        ],
    )


def _leaves_padding_out(answer):
    context, weights = _looked(answer, MASK)
    hidden, scores = MASK[:, None], SCORES_OF_STATES
    as_zero = _softmax(np.where(hidden, scores, 0))
    right = _softmax(np.where(hidden, scores, -1e9))
    properties.same_values(
        weights,
        right,
        [
            (_softmax(scores), "weights on padding: the mask is not used"),
            (as_zero, "padding with the score 0, which still gets a weight"),
            (as_zero * hidden, "padding with the score 0: it has taken weight from the rest"),
            (
                _softmax(scores) * hidden,
                "weights that no longer sum to one: the padding was taken out after the softmax",
            ),
            (_softmax(np.where(~hidden, scores, -1e9)), "weights on padding alone: True is what counts"),
        ],
    )
    properties.same_values(
        context, right @ STATES, [(_softmax(scores) @ STATES, "a context with the padding in it")]
    )


def _ignores_padding(answer):
    for part in (0, 1):
        with cells.no_error(in_cell=False):
            properties.ignores_padding(
                lambda states, part=part: _looked(answer, MASK, states=states)[part], STATES, MASK
            )


TOO_HIGH = "padding with a score that a real one can be below: take -1e9"


def _takes_high_scores(answer):
    for mask, cause in ((EVERY, properties.OVERFLOW), (MASK, properties.NOT_HIDDEN)):
        layer = _made(answer)
        with _advised():
            context, weights = layer(300 * QUERY, STATES, mask)
        right, not_low = (
            _softmax(np.where(mask[:, None], 300 * SCORES_OF_STATES, padding)) for padding in (-1e9, -100)
        )
        properties.same_values(weights, right, [(not_low, TOO_HIGH)], tolerance=1e-3, cause=cause)
        properties.same_values(context, right @ STATES, tolerance=1e-3, cause=cause)


def _can_be_compiled(answer):
    layer = _made(answer)
    with cells.no_error(in_cell=False):
        came = layer(keras.Input((2, 4)), keras.Input((5, 6)), keras.Input((5,), dtype="bool"))
    properties.several(came, ("the context", "the weights"))


def _has_gradients(answer):
    """Compare the gradients with respect to query and states with those of the course's own."""
    layer, ours = _made(answer), _of_the_course()
    turned = np.random.default_rng(3).normal(size=(3, 2, 6)).astype("float32")
    for name, given, mine, theirs in (
        (
            "the query",
            QUERY,
            lambda query: layer(query, STATES, MASK)[0],
            lambda query: ours(query, STATES, mask=MASK[:, None]),
        ),
        (
            "the states",
            STATES,
            lambda states: layer(QUERY, states, MASK)[0],
            lambda states: ours(QUERY, states, mask=MASK[:, None]),
        ),
    ):
        with _advised():
            came = measure.gradient(lambda tensor, mine=mine: mine(tensor) * turned, given)
        expected = measure.gradient(lambda tensor, theirs=theirs: theirs(tensor) * turned, given)
        properties.same_gradient(came, expected, name, "the course's attention")


def _of_the_course():
    ours = LuongAttention("general")
    ours.build(QUERY.shape, STATES.shape)
    ours.set_weights([KERNEL])
    return ours


def _trains(answer):
    """Compare W after one step of training with that of the course's own after the same step."""
    layer, ours, after = _made(answer), _of_the_course(), []
    for looks in (
        lambda query, states, mask: layer(query, states, mask)[0],
        lambda query, states, mask: ours(query, states, mask=mask[:, None]),
    ):
        with _advised():
            inputs = keras.Input((2, 4)), keras.Input((5, 6)), keras.Input((5,), dtype="bool")
            model = keras.Model(inputs, looks(*inputs))
            model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
            model.train_on_batch((QUERY, STATES, MASK), np.ones((3, 2, 6), "float32"))
            after.append(properties.numbers(model.weights[0]))
    if np.array_equal(after[0], KERNEL):
        raise WrongAnswerError("another W after a step of training", "the same W")
    properties.same_values(after[0], after[1], tolerance=1e-4)


TOKEN, STATE = np.array([[0.3, -0.7]]), np.array([[0.5, -1.0, 2.0]])
CELL_KERNEL = np.linspace(-1, 1, 15).reshape(5, 3)
MEMORY = np.random.default_rng(8).normal(size=(4, 3))
JOIN_KERNEL = np.random.default_rng(9).normal(size=(6, 2))


class _Parts:
    """A cell, an attention and a join that write down what they are given, and say what does not fit."""

    def __init__(self, order):
        self.order, self.calls = order, []

    def _noted(self, name, *given):
        if name in self.calls:
            raise WrongAnswerError(f"one call of {name}", "a second one")
        for part, array in given:
            if np.ndim(array) != 2 or len(array) != 1:
                raise WrongAnswerError(f"{part} `(batch, features)`", f"shape {np.shape(array)}")
        self.calls.append(name)

    def cell(self, inputs, state):
        """Return the new state, from a token alone or from a token and a context."""
        self._noted("cell", ("inputs", inputs), ("a state", state))
        inputs, width = properties.numbers(inputs), np.shape(inputs)[1]
        if self.order == "bahdanau" and "attend" not in self.calls:
            raise WrongAnswerError(
                "attend with the state before the step, then the cell",
                "the cell first, then attend: that is Luong's order",
            )
        wanted, what = (2, "the token alone") if self.order == "luong" else (5, "[token; context]")
        if width != wanted:
            raise WrongAnswerError(
                f"cell({what}, state), here {wanted} numbers", f"inputs of {width} numbers"
            )
        if self.order == "bahdanau" and np.allclose(inputs[:, 3:], TOKEN):
            raise WrongAnswerError("the token, then the context", "the context before the token")
        properties.same_values(
            inputs[:, :2], TOKEN, [(0 * TOKEN, "zeros in place of the token: the cell reads `token`")]
        )
        if np.shape(state) != STATE.shape or not np.allclose(state, STATE):
            raise WrongAnswerError("cell(inputs, state): the state of the step before", "another state")
        if self.order == "bahdanau":
            properties.same_values(
                inputs[:, 2:],
                _context(STATE)[0],
                [
                    (STATE, "the state where the context belongs"),
                    (0 * STATE, "zeros where the context belongs"),
                ],
            )
        return np.tanh(inputs @ CELL_KERNEL[:width] + state)

    def attend(self, query):
        """Return a context and its weights."""
        self._noted("attend", ("a query", query))
        if np.shape(query) != STATE.shape:
            raise WrongAnswerError(
                "attend(state): a state is the query", f"a query of shape {np.shape(query)}"
            )
        if self.order == "luong" and "cell" not in self.calls:
            raise WrongAnswerError(
                "the cell first, then attend with the new state",
                "attend first, with the state before the step: that is Bahdanau's order",
            )
        wanted = np.tanh(TOKEN @ CELL_KERNEL[:2] + STATE) if self.order == "luong" else STATE
        properties.same_values(
            query,
            wanted,
            [(STATE, "the state before the step as the query: in Luong's order the new state asks")],
        )
        return _context(properties.numbers(query))

    def join(self, vectors):
        """Return the tanh layer of Luong's order."""
        self._noted("join", ("vectors", vectors))
        if self.order == "bahdanau":
            raise WrongAnswerError(
                "nothing joined in Bahdanau's order: the output is the new state", "a join"
            )
        if np.shape(vectors) != (1, 6):
            raise WrongAnswerError(
                "join([context; new state]), here 6 numbers", f"{np.shape(vectors)[1]} numbers"
            )
        state = np.tanh(TOKEN @ CELL_KERNEL[:2] + STATE)
        context, _ = _context(state)
        properties.same_values(
            vectors,
            np.concatenate([context, state], axis=1),
            [
                (np.concatenate([state, context], axis=1), "[state; context]: the context stands first"),
                (np.concatenate([context, STATE], axis=1), "the state before the step: join the new one"),
                (np.concatenate([context, context], axis=1), "the context twice"),
                (np.concatenate([state, state], axis=1), "the state twice: where is the context?"),
            ],
        )
        return np.tanh(properties.numbers(vectors) @ JOIN_KERNEL)


def _context(query):
    weights = _softmax(query @ MEMORY.T)
    return weights @ MEMORY, weights


def _stepped(answer, order):
    """Return output, state and weights of an answer, and what is right."""
    parts = _Parts(order)
    came = answer(
        order,
        lambda *given: parts.cell(*given),  # a function is kept, not copied
        lambda *given: parts.attend(*given),
        lambda *given: parts.join(*given),
        TOKEN,
        STATE,
    )
    came = properties.several(came, ("the output", "the new state", "the weights"))
    missing = {"luong": {"cell", "attend", "join"}, "bahdanau": {"cell", "attend"}}[order] - {*parts.calls}
    if missing:
        raise WrongAnswerError(f"one call of {sorted(missing)[0]}", "none")
    again = _Parts(order)
    return [properties.numbers(each) for each in came], [
        np.asarray(each) for each in decoder_step(order, again.cell, again.attend, again.join, TOKEN, STATE)
    ]


def _goes_a_step(answer, order):
    (output, state, weights), (right_output, right_state, right_weights) = _stepped(answer, order)
    context = _context(right_state if order == "luong" else STATE)[0]
    before = (STATE, "the state before the step: the new one is asked for")
    swapped = "the weights: the order is output, state, weights"
    properties.same_values(
        output,
        right_output,
        [
            before,
            (right_state, "the new state: in Luong's order the output is what join returns"),
            (context, "the context: it is a part of the output, not all of it"),
            (right_weights, swapped),
        ],
    )
    properties.same_values(
        state,
        right_state,
        [
            before,
            (right_output, "the output in place of the state: the next step goes on from the cell's state"),
            (right_weights, swapped),
            (context, "the context in place of the state"),
        ],
    )
    properties.same_values(weights, right_weights, [(context, "the context: the weights are asked for")])


def _goes_luongs_step(answer):
    _goes_a_step(answer, "luong")


def _goes_bahdanaus_step(answer):
    _goes_a_step(answer, "bahdanau")


SCORES = np.random.default_rng(11).normal(size=(2, 3, 3))  # as many queries as keys: the wrong axis fits
KEYS = np.array([[True, True, True], [True, True, False]])
BOTH = np.ones((2, 3), bool)


def _sums_to_one_for_each_query(answer):
    came = properties.numbers(answer(SCORES, BOTH))
    properties.same_shape(came, SCORES.shape)
    sums = came.sum(axis=-1)
    if not np.allclose(sums, 1, atol=1e-5):
        over_queries = np.allclose(came.sum(axis=1), 1, atol=1e-5)
        raise WrongAnswerError(
            "a sum of 1 over the source, for each query",
            "a sum of 1 over the queries" if over_queries else f"the sums {sums[0].round(2).tolist()}",
        )


def _weighs_by_the_exponential(answer):
    of_columns = np.exp(SCORES - SCORES.max(axis=1, keepdims=True))
    properties.same_values(
        answer(SCORES, BOTH),
        _softmax(SCORES),
        [
            (
                of_columns / of_columns.sum(axis=-1, keepdims=True),
                "the largest score over the queries subtracted: take that of each query, axis=-1",
            )
        ],
    )


def _gives_padding_nothing(answer):
    came = properties.numbers(answer(SCORES, KEYS))
    on_padding = np.abs(came[1, :, 2]).max()
    if not on_padding == 0:
        raise WrongAnswerError("the weight 0 on padding", f"weights up to {on_padding:.3g}")
    properties.same_values(
        came,
        weights_of_queries(SCORES, KEYS),
        [
            (
                np.where(KEYS[:, None], _softmax(SCORES), 0),
                "weights that no longer sum to one: the padding was taken out after the division",
            )
        ],
    )


def _takes_high_scores_of_queries(answer):
    high = 1000 * np.sort(SCORES)  # the padding's are the highest
    for mask, cause in ((BOTH, properties.OVERFLOW), (KEYS, properties.NOT_HIDDEN)):
        properties.same_values(
            answer(high, mask), weights_of_queries(high, mask), tolerance=1e-3, cause=cause
        )
    low = high - 1e4
    properties.same_values(
        answer(low, KEYS),
        weights_of_queries(low, KEYS),
        [(_softmax(np.where(KEYS[:, None], low, -1000)), TOO_HIGH)],
        tolerance=1e-3,
        cause=properties.ZERO_DIVISION,
    )


SIZES = np.array([2, 8, 32])


def drawn(size, queries=50, keys=20):
    """Return random queries, and for each its keys, the same at each call."""
    rng = np.random.default_rng(size)
    return rng.normal(size=(queries, size)), rng.normal(size=(queries, keys, size))


def _all_alike(size):
    """Return keys that are all equal, so that every weight is 1/20, and a query with large products."""
    queries, keys = drawn(size)
    return 100 * queries, np.repeat(keys[:, :1], 20, axis=1)


def _sure(answer, draw=drawn, sizes=SIZES):
    return properties.one_for_each(sizes, answer(sizes, draw))


def _one_for_each_size(answer):
    _sure(answer)


def _even_where_the_keys_are_alike(answer):
    measured = answer(SIZES, _all_alike)
    values = list(measured.values()) if isinstance(measured, dict) else measured
    properties.same_values(
        properties.one_for_each(SIZES, properties.numbers(values, properties.OVERFLOW)),
        np.full(len(SIZES), 1 / 20),
        [
            (np.ones(len(SIZES)), "1: is it the sum of the weights?"),
            (np.full(len(SIZES), 1 / 50), "1/50: the softmax goes over the 20 keys, not over the 50 queries"),
            (_products_of_keys_that_are_alike(), "the largest score: the softmax is missing"),
        ],
    )


def _products_of_keys_that_are_alike():
    drawn_alike = (_all_alike(size) for size in SIZES)
    return [(queries * keys[:, 0]).sum(axis=-1).mean() for queries, keys in drawn_alike]


def _is_measured(answer):
    weights, others = [], {"scaled": [], "batch": [], "products": [], "square": []}
    for size in SIZES:
        queries, keys = drawn(size)
        scores = (keys * queries[:, None]).sum(axis=-1)
        weights.append(_softmax(scores))
        others["scaled"].append(_softmax(scores / np.sqrt(size)).max(axis=-1).mean())
        others["batch"].append(_softmax(scores, 0).max(axis=-1).mean())
        others["products"].append(scores.max(axis=-1).mean())
        others["square"].append(_softmax(scores).max(axis=0).mean())
    measured = np.array([each.max(axis=-1).mean() for each in weights])
    properties.same_values(
        _sure(answer),
        measured,
        [
            (others["scaled"], "scores divided by the root of the size: that comes after, as the other line"),
            (others["batch"], "the softmax over the queries: it goes over the keys, the last axis"),
            (others["products"], "the largest score: the softmax is missing"),
            (others["square"], "the largest weight of each place: take that of each query, the last axis"),
            (
                [each.max() for each in weights],
                "the largest weight of all: the mean over the queries is asked for",
            ),
            (
                [each.mean(axis=0).max() for each in weights],
                "the mean before the maximum: take each query's largest weight, then their mean",
            ),
            ([each.mean() for each in weights], "the mean of all weights, which is always 1/20"),
            ([np.median(each.max(axis=-1)) for each in weights], "the median: the mean was asked for"),
            ([each.max(axis=-1).sum() for each in weights], "a sum: the mean was asked for"),
            (100 * measured, "per cent: a share was asked for"),
        ],
    )


def _draw_how_sure_it_is(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    def shorter(size):
        queries, keys = drawn(size)
        return queries / np.sqrt(size), keys

    sizes = 2 ** np.arange(1, 9)
    plotting.curves(
        sizes,
        {
            "q · k": _sure(answer, sizes=sizes),
            "q · k / root of the size": _sure(answer, shorter, sizes),
        },
        xlabel="size of query and keys",
        ylabel="largest weight",
        title="Your experiment: 20 random keys, no training",
        level=(1 / 20, "even weights"),
        xscale="log",
        ylim=(0, 1.05),
    )
    plt.show()


EXERCISES = [
    Exercise(
        "08.attention",
        MyAttention,
        [
            ("returns the context and the weights", _gives_context_and_weights),
            ("weighs the states by the softmax of the scores, and averages them", _weighs_by_the_softmax),
            ("leaves padding out before the softmax", _leaves_padding_out),
            ("ignores what stands in the padding", _ignores_padding),
            ("takes scores of a thousand", _takes_high_scores),
            ("is written with keras.ops, so that it can be compiled", _can_be_compiled),
            ("has the gradients of the course's attention: for the query and the states", _has_gradients),
            ("trains its W inside a compiled model", _trains),
        ],
        [
            "ops.matmul(query, self.kernel) turns each query; then its product with each state is the score.",
            "ops.transpose(memory, (0, 2, 1)) puts the states into columns: scores are `(batch, Tq, Tv)`.",
            "ops.where(mask[:, None], scores, -1e9) gives padding a score whose exponential is 0.",
            "ops.softmax(scores, axis=-1) are the weights; ops.matmul(weights, memory) is the context.",
        ],
    ),
    Exercise(
        "08.decoder_step",
        decoder_step,
        [
            ("goes a step in Luong's order", _goes_luongs_step),
            ("goes a step in Bahdanau's order", _goes_bahdanaus_step),
        ],
        [
            "Luong: first the cell, on the token. The new state asks.",
            "Luong's output: join(ops.concatenate([context, state], axis=-1)), with the new state.",
            "Bahdanau: the state before asks. The cell reads ops.concatenate([token, context], axis=-1).",
        ],
    ),
    Exercise(
        "08.weights_of_queries",
        weights_of_queries,
        [
            ("sums to one over the source for each query", _sums_to_one_for_each_query),
            ("weighs by the exponential of the score", _weighs_by_the_exponential),
            ("gives padding the weight 0", _gives_padding_nothing),
            ("takes scores of a thousand", _takes_high_scores_of_queries),
        ],
        [
            "Sum the weights over the last axis, then over the one before. Which sum should be 1?",
            "Each query has a row of weights, one for each key. What is the sum of a row?",
            "The sum must be taken over the last axis.",
            "np.exp(1000) is inf. np.where hides the padding, then the largest score is subtracted.",
        ],
    ),
    Exercise(
        "08.size_experiment",
        size_experiment,
        [
            ("gives one number for each size", _one_for_each_size),
            ("is 1/20 where all 20 keys are alike", _even_where_the_keys_are_alike),
            ("is measured, for random vectors", _is_measured),
        ],
        [
            "(keys * queries[:, None]).sum(axis=-1) has the score of each query with each of its keys.",
            "The softmax goes over the last axis. Subtract the largest score of each row before np.exp.",
            "weights.max(axis=-1).mean() is the number for one size.",
        ],
        result=_draw_how_sure_it_is,
    ),
]
