"""Exercises of lesson 10, self-attention."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def crossing():
    """Predict: at how many steps a GRU and self-attention, both of width 96, cost the same multiply-adds."""
    return 96  # 6 T d^2 = 4 T d^2 + 2 T^2 d, so T = d


def attend(query, key, value, mask):
    """Return the context `(batch, Tq, dim)` of scaled dot attention.

    query is `(batch, Tq, key_dim)`, key `(batch, Tv, key_dim)`, value `(batch, Tv, dim)`, mask booleans
    `(batch, Tq, Tv)`, True where a query may look. Each query may look at one key at least.
    """
    scores = query @ key.swapaxes(1, 2) / np.sqrt(key.shape[-1])
    scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ value


def into_heads(vectors, num_heads):
    """Cut vectors `(batch, time, size)` into heads `(batch, num_heads, time, size // num_heads)`.

    The first head gets the first features of each vector, the second head the next ones, and so on.
    """
    batch, time, size = vectors.shape
    return vectors.reshape(batch, time, num_heads, size // num_heads).swapaxes(1, 2)


def sees_the_future(function, time, dim):
    """Say whether any output of `function` depends on a later input: True or False.

    function takes and returns an array `(time, dim)`, and gives the same for the same input.
    """
    before, other = np.random.default_rng(0).normal(size=(2, time, dim))
    for step in range(1, time):
        changed = np.concatenate([before[:step], other[step:]])
        if not np.allclose(function(changed)[:step], function(before)[:step]):
            return True
    return False


def _is_where_both_cost_the_same(answer):
    properties.one_number(
        answer(),
        96,
        [
            (192, "where an LSTM of that width crosses, or a GRU if only the scores are counted"),
            (288, "without the four projections of self-attention"),
            (64, "the width of the lesson: here it is 96"),
        ],
    )


RNG = np.random.default_rng(9)
QUERY, KEY, VALUE = (RNG.normal(size=size) for size in ((2, 4, 3), (2, 4, 3), (2, 4, 5)))
EVERYTHING = np.ones((2, 4, 4), bool)
PAST = np.broadcast_to(np.tri(4, dtype=bool), (2, 4, 4))


def _softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def _gives_one_vector_a_query(answer):
    properties.same_shape(answer(QUERY[:, :3], KEY, VALUE, EVERYTHING[:, :3]), (2, 3, 5))


def _divides_and_weighs(answer):
    products = QUERY @ KEY.swapaxes(1, 2)
    scaled = products / np.sqrt(3)
    properties.same_values(
        answer(QUERY, KEY, VALUE, EVERYTHING),
        _softmax(scaled) @ VALUE,
        [
            (_softmax(products) @ VALUE, "products that are not divided"),
            (_softmax(products / 3) @ VALUE, "products divided by the key's size, not by its root"),
            (_softmax(products / np.sqrt(5)) @ VALUE, "products divided by the root of the value's size"),
            (_softmax(products / 2) @ VALUE, "products divided by the root of the number of keys"),
            (
                _softmax(scaled, axis=1) @ VALUE,
                "weights that sum to one over the queries: over what must they sum to one?",
            ),
            (scaled @ VALUE, "a sum with the scores themselves: where is the softmax?"),
        ],
    )


def _hides_what_may_not_be_seen(answer):
    scaled = QUERY @ KEY.swapaxes(1, 2) / np.sqrt(3)
    properties.same_values(
        answer(QUERY, KEY, VALUE, PAST),
        attend(QUERY, KEY, VALUE, PAST),
        [
            (_softmax(scaled) @ VALUE, "the mask is not used"),
            (_softmax(scaled) * PAST @ VALUE, "weights that no longer sum to one: masked after the softmax"),
            (_softmax(scaled * PAST) @ VALUE, "the score 0 where the mask is False: it still gets a weight"),
            (attend(QUERY, KEY, VALUE, PAST.swapaxes(1, 2)), "the mask with queries and keys exchanged"),
        ],
    )


def _takes_high_scores(answer):
    for mask, cause in ((EVERYTHING, properties.OVERFLOW), (PAST, properties.NOT_HIDDEN)):
        expected = attend(1000 * QUERY, KEY, VALUE, mask)
        properties.same_values(answer(1000 * QUERY, KEY, VALUE, mask), expected, tolerance=1e-3, cause=cause)


VECTORS = np.arange(48.0).reshape(2, 4, 6)


def _has_the_shape_of_heads(answer):
    properties.same_shape(answer(VECTORS, 3), (2, 3, 4, 2))


def _gives_each_head_its_features(answer):
    properties.same_values(
        answer(VECTORS, 3),
        into_heads(VECTORS, 3),
        [
            (VECTORS.reshape(2, 3, 4, 2), "heads that mix steps: the axis of time was cut, not the features"),
            (
                VECTORS.reshape(2, 4, 2, 3).transpose(0, 3, 1, 2),
                "heads that take every third feature: the first head gets the first ones",
            ),
        ],
    )


def _leaves_one_head_whole(answer):
    properties.same_values(answer(VECTORS, 1), VECTORS[:, None])


def _shifted(by):
    def shift(x):
        moved = np.zeros_like(x)
        if by > 0:
            moved[by:] = x[:-by]
        else:
            moved[:by] = x[-by:]
        return moved

    return shift


def _running_mean(x):
    return np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]


def _near_the_end(x):
    seen = _running_mean(x)
    seen[-2] += x[-1]
    return seen


def _from_the_far_end(x):
    seen = x.copy()
    seen[0] += 0.01 * x[-1]
    return seen


def _times_the_next(x):
    return x * _shifted(-1)(x)


BLIND = {
    "the same as its input": lambda x: x,
    "the mean of the steps so far": _running_mean,
    "the step before": _shifted(1),
    "ones": np.ones_like,
}
SEEING = {
    "the mean of all steps": lambda x: np.zeros_like(x) + x.mean(axis=0),
    "the next step": _shifted(-1),
    "the step after the next": _shifted(-2),
    "the step times the next one": _times_the_next,
    "a mean of the past, and at the last step but one the last": _near_the_end,
    "the step itself, and at the first a hundredth of the last": _from_the_far_end,
    "the steps in reverse": lambda x: x[::-1],
    "its input with the first two steps exchanged": lambda x: np.concatenate([x[1::-1], x[2:]]),
}


def _said(answer, function, time, dim):
    # a copy, since the answer may change an input afterwards
    return properties.true_or_false(answer(lambda x: np.array(function(x)), time, dim))


def _says_yes_or_no(answer):
    _said(answer, _running_mean, 5, 3)


def _says_of_each(answer, functions, expected):
    for name, function in functions.items():
        if _said(answer, function, 6, 3) != expected:
            raise WrongAnswerError(f"{expected} for a function that returns {name}", f"{not expected}")


def _finds_those_that_see(answer):
    _says_of_each(answer, SEEING, True)


def _acquits_those_that_do_not(answer):
    _says_of_each(answer, BLIND, False)


EXERCISES = [
    Exercise(
        "10.crossing",
        crossing,
        [("is where both cost the same", _is_where_both_cost_the_same)],
        [
            "With d features and units, one pair of matrices costs 2 d^2 a step. A GRU has three.",
            "The GRU costs 6 T d^2. Self-attention costs its projections, the scores and the weighted sums.",
            "6 T d^2 = 4 T d^2 + 2 T^2 d. Divide by 2 T d.",
        ],
    ),
    Exercise(
        "10.attend",
        attend,
        [
            ("gives one vector for each query", _gives_one_vector_a_query),
            ("divides by the root of the key's size and weighs by the softmax", _divides_and_weighs),
            ("gives no weight where the mask is False", _hides_what_may_not_be_seen),
            ("takes scores of a thousand", _takes_high_scores),
        ],
        [
            "query @ key.swapaxes(1, 2) has a row of products for each query.",
            "Divide by np.sqrt(key.shape[-1]), then mask: np.where(mask, scores, -np.inf).",
            "The softmax runs over the last axis; subtract the largest score of each row first.",
            "The context is weights @ value.",
        ],
    ),
    Exercise(
        "10.into_heads",
        into_heads,
        [
            ("has the shape of heads", _has_the_shape_of_heads),
            ("gives each head its features of every step", _gives_each_head_its_features),
            ("leaves one head as it is", _leaves_one_head_whole),
        ],
        [
            "Cut np.arange(24).reshape(1, 4, 6) into 3 heads. Whose features are in the first head?",
            "A reshape keeps the order in memory. Which axis can be cut without moving anything?",
            "Cut the last axis, (batch, time, num_heads, size // num_heads), then exchange two axes.",
        ],
    ),
    Exercise(
        "10.sees_the_future",
        sees_the_future,
        [
            ("says yes or no", _says_yes_or_no),
            ("says True of functions that use a later step", _finds_those_that_see),
            ("says False of functions that use none", _acquits_those_that_do_not),
        ],
        [
            "Change the input from some step on. Which outputs must stay as they were?",
            "One place is not enough: try every step. Zeros are a bad input, since they hide products.",
            "For each step: keep what is before, draw the rest anew, compare function(...)[:step].",
        ],
    ),
]
