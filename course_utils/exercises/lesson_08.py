"""Exercises of lesson 08, attention."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def first_weight():
    """Predict: scores 2, 0, 0 and 3, the last one padding: the weight of the first word."""
    return np.exp(2) / (np.exp(2) + 2 * np.exp(0))


def look_back(query, states, mask):
    """Return the context of each query, `(batch, dim)`, with the dot score.

    query is `(batch, dim)`, states `(batch, time, dim)`, mask booleans `(batch, time)`, True where a step
    counts. At least one step counts in each row.
    """
    scores = (states * query[:, None]).sum(axis=-1)
    scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights[:, :, None] * states).sum(axis=1)


def weights_of_queries(scores, mask):
    """Return the weights `(batch, Tq, Tv)` of scores `(batch, Tq, Tv)`.

    mask is boolean, `(batch, Tv)`, True where a step of the source counts.
    """
    scores = np.where(mask[:, None], scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def step_before(cell, look, token, state, memory):
    """Go one step in Bahdanau's order; return the new state and the weights.

    look(query, memory) returns a context and its weights; cell(inputs, state) returns the new state. The
    inputs are the token's vector, then the context. All vectors are `(features,)`.
    """
    context, weights = look(state, memory)
    return cell(np.concatenate([token, context]), state), weights


def _is_the_masked_softmax(answer):
    two, three = np.exp(2), np.exp(3)
    properties.one_number(
        answer(),
        two / (two + 2),
        [
            (two / (two + 2 + three), "with the padding among the words: what may be looked at?"),
            (two / (two + 3), "as if the padding had the score 0: then it still gets a weight"),
            (2 / 2, "the score's share of the sum of scores: where is the exponential?"),
            (2 / 5, "the score's share of the sum of scores, padding included: where is the exponential?"),
            (1 / 3, "even weights: the scores differ"),
        ],
        share=True,
    )


RNG = np.random.default_rng(7)
QUERY, STATES = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 5, 2))
LENGTHS = np.array([5, 3, 1])
MASK = np.arange(5) < LENGTHS[:, None]
EVERY = np.ones((3, 5), bool)


def _softmax(scores, axis):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def _gives_one_vector_a_query(answer):
    properties.same_shape(answer(QUERY, STATES, MASK), QUERY.shape)


def _averages_with_softmax_weights(answer):
    scores = (STATES * QUERY[:, None]).sum(axis=-1)
    contexts = [
        (weights[:, :, None] * STATES).sum(axis=1)
        for weights in (
            _softmax(scores, 1),
            scores,
            _softmax(scores, 0),
            np.full((3, 5), 1 / 5),
            _softmax(scores / np.sqrt(2), 1),
        )
    ]
    properties.same_values(
        answer(QUERY, STATES, EVERY),
        contexts[0],
        [
            (contexts[1], "a sum with the bare scores: step 3 is missing"),
            (contexts[2], "weights that sum to one over the batch: over what must they sum to one?"),
            (contexts[3], "an even average: does the query matter?"),
            (contexts[4], "scores divided by the root of the size: that is another score"),
            (5 * contexts[0], "five times the context"),
            (contexts[0] / 5, "a fifth of the context: the weights have made it an average already"),
        ],
    )


def _leaves_padding_out(answer):
    came = answer(QUERY, STATES, MASK)
    scores = np.where(MASK, (STATES * QUERY[:, None]).sum(axis=-1), 0)
    after = np.where(MASK, _softmax((STATES * QUERY[:, None]).sum(axis=-1), 1), 0)
    properties.same_values(
        came,
        look_back(QUERY, STATES, MASK),
        [
            (
                look_back(QUERY, STATES, EVERY),
                "a context with the padding in it: the mask is not used",
            ),
            (
                (_softmax(scores, 1)[:, :, None] * STATES).sum(axis=1),
                "padding with the score 0, which still gets a weight",
            ),
            (
                ((_softmax(scores, 1) * MASK)[:, :, None] * STATES).sum(axis=1),
                "padding with the score 0: nothing of it is summed, but it has taken weight from the rest",
            ),
            (
                (after[:, :, None] * STATES).sum(axis=1),
                "weights that no longer sum to one: the padding was taken out after the softmax",
            ),
        ],
    )


def _ignores_padding(answer):
    properties.ignores_padding(lambda states: answer(QUERY, states, MASK), STATES, MASK)


def _takes_high_scores(answer):
    for mask, cause in ((EVERY, properties.OVERFLOW), (MASK, properties.NOT_HIDDEN)):
        expected = look_back(1000 * QUERY, STATES, mask)
        properties.same_values(answer(1000 * QUERY, STATES, mask), expected, tolerance=1e-3, cause=cause)


SCORES = RNG.normal(size=(2, 3, 3))  # as many queries as keys: the wrong axis has the right shape
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
    properties.same_values(answer(SCORES, BOTH), _softmax(SCORES, -1))


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
                np.where(KEYS[:, None], _softmax(SCORES, -1), 0),
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


class _Steps:
    """A cell and a look that write down what they are given, and say what does not fit."""

    def __init__(self):
        self.memory = np.random.default_rng(8).normal(size=(4, 3))
        self.token, self.state = np.ones(2), np.array([0.5, -1, 2])
        self.kernel = np.linspace(-1, 1, 15).reshape(5, 3)
        self.looked, self.read = [], []

    def look(self, query, memory):
        if np.shape(query) != (3,):
            raise WrongAnswerError(
                "look(state, memory): the state is the query", f"a query of shape {np.shape(query)}"
            )
        self.looked.append(np.array(query))
        weights = _softmax(memory @ query, 0)
        return weights @ memory, weights

    def cell(self, inputs, state):
        if not self.looked:
            raise WrongAnswerError(
                "a call of look with the state before the step, then a call of the cell",
                "the cell first, then look: that is Luong's order",
            )
        if np.shape(inputs) != (5,):
            raise WrongAnswerError(
                "cell(inputs, state): the inputs are the token's 2 numbers, then the context's 3",
                f"inputs of shape {np.shape(inputs)}",
            )
        properties.same_values(
            state, self.state, [(inputs[2:], "the context as the state: the cell goes on from its own state")]
        )
        self.read.append(np.array(inputs))
        return np.tanh(inputs @ self.kernel + state)

    def run(self, answer):
        came = answer(
            lambda *given: self.cell(*given),  # a function is kept, not copied
            lambda *given: self.look(*given),
            self.token,
            self.state,
            self.memory,
        )
        state, weights = properties.several(came, ("the new state", "the weights"))
        return properties.numbers(state), properties.numbers(weights)


def _looks_with_the_state_before(answer):
    steps = _Steps()
    steps.run(answer)
    if len(steps.looked) != 1:
        raise WrongAnswerError("one call of look", f"{len(steps.looked)} calls")
    properties.same_values(
        steps.looked[0], steps.state, [(np.zeros(3), "a query of zeros: the state is the query")]
    )


def _reads_token_and_context(answer):
    steps = _Steps()
    steps.run(answer)
    if len(steps.read) != 1:
        raise WrongAnswerError("one step of the cell", f"{len(steps.read)} steps")
    context, _ = steps.look(steps.state, steps.memory)
    properties.same_values(
        steps.read[0],
        np.concatenate([steps.token, context]),
        [
            (np.concatenate([context, steps.token]), "the context before the token"),
            (np.concatenate([steps.token, steps.state]), "the state where the context belongs"),
        ],
    )


def _returns_state_and_weights(answer):
    steps = _Steps()
    state, weights = steps.run(answer)
    expected_state, expected = step_before(steps.cell, steps.look, steps.token, steps.state, steps.memory)
    context, _ = steps.look(steps.state, steps.memory)
    properties.same_values(
        state,
        expected_state,
        [(steps.state, "the state before the step"), (expected, "the weights: the new state comes first")],
    )
    properties.same_values(weights, expected, [(context, "the context: the weights are asked for")])


EXERCISES = [
    Exercise(
        "08.first_weight",
        first_weight,
        [("is the softmax over the words that are there", _is_the_masked_softmax)],
        [
            "Padding is out before the softmax. Which scores are left?",
            "The softmax of 2, 0, 0: the exponential of each, divided by their sum.",
            "exp(2) / (exp(2) + 1 + 1).",
        ],
    ),
    Exercise(
        "08.look_back",
        look_back,
        [
            ("gives one vector for each query", _gives_one_vector_a_query),
            ("averages the states with softmax weights", _averages_with_softmax_weights),
            ("leaves padding out before the softmax", _leaves_padding_out),
            ("ignores what stands in the padding", _ignores_padding),
            ("takes scores of a thousand", _takes_high_scores),
        ],
        [
            "states * query[:, None] has the products of each state with its query. Sum which axis?",
            "np.where(mask, scores, -np.inf) gives padding a score whose exponential is 0.",
            "Subtract the largest score of each row before np.exp; divide by the sum over axis 1.",
            "The context is (weights[:, :, None] * states).sum(axis=1).",
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
        "08.step_before",
        step_before,
        [
            ("asks with the state before the step", _looks_with_the_state_before),
            ("lets the cell read the token, then the context", _reads_token_and_context),
            ("returns the new state and the weights", _returns_state_and_weights),
        ],
        [
            "Which state exists before the step? That is the query.",
            "The context must be there before the cell is called.",
            "np.concatenate([token, context]) is what the cell reads.",
        ],
    ),
]
