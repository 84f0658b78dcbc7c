"""Exercises of lesson 06, both directions and depth."""

import functools
import itertools

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError
from course_utils.recurrent import Bidirectional, SimpleRNN


def rising_ceiling():
    """Predict: numbers from 0 to 3, tag "the next one is larger": the best left-to-right accuracy."""
    return (3 / 4 + 2 / 4 + 3 / 4 + 4 / 4) / 4


def reverse_real_steps(x, lengths):
    """Return x `(batch, time, features)` with the first `lengths` steps of each row in reversed order."""
    steps = np.arange(x.shape[1])
    order = np.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return np.take_along_axis(x, order[:, :, None], axis=1)


def last_states(states, lengths):
    """Return the last state of each way, side by side, `(batch, 2 * units)`.

    states is `(batch, time, 2 * units)`, forward and backward side by side; padding is on the right.
    """
    units = states.shape[-1] // 2
    ahead = states[np.arange(len(states)), lengths - 1, :units]
    behind = states[:, 0, units:]
    return np.concatenate([ahead, behind], axis=-1)


def deep_weights(features, units, depth):
    """Return the number of weights of `depth` bidirectional SimpleRNNs ("concat") on top of each other."""
    weights = 0
    for _ in range(depth):
        weights += 2 * (features * units + units * units + units)
        features = 2 * units
    return weights


def _is_the_ceiling(answer):
    came = answer()
    pairs = list(itertools.product(range(4), repeat=2))
    larger = [sum(after > number for before, after in pairs if before == number) for number in range(4)]
    properties.one_number(
        came,
        sum(max(count, 4 - count) for count in larger) / len(pairs),
        [
            (1 / 2, "a toss of a coin: after a 3, is the next number ever larger?"),
            (
                1 - sum(larger) / 16,
                "always no: the model has read the number to compare with",
            ),
            (sum(larger) / 16, "how often the next one is larger: a model may also say no"),
            (1, "as if the next number were known: what may a left-to-right model read?"),
        ],
        share=True,
    )


X = np.random.default_rng(5).normal(size=(3, 5, 2))
LENGTHS = np.array([5, 3, 1])
X[np.arange(5) >= LENGTHS[:, None]] = 0


def _keeps_the_shape(answer):
    properties.same_shape(answer(X, LENGTHS), X.shape)


def _turns_full_rows_round(answer):
    full = np.array([5, 5, 5])
    properties.same_values(
        answer(X, full),
        X[:, ::-1],
        [(X, "the same order as before"), (X[::-1], "the rows of the batch in reversed order")],
    )


def _begins_at_the_last_real_step(answer):
    came = properties.numbers(answer(X, LENGTHS))
    if np.allclose(came, X[:, ::-1]):
        raise WrongAnswerError("the last real step first", "the padding first")
    properties.same_values(came[:, 0], X[np.arange(3), LENGTHS - 1])


def _leaves_padding_on_the_right(answer):
    properties.same_values(answer(X, LENGTHS), reverse_real_steps(X, LENGTHS))


def _twice_is_as_before(answer):
    properties.same_values(answer(properties.numbers(answer(X, LENGTHS)), LENGTHS), X)


STATES = np.random.default_rng(6).normal(size=(3, 5, 4))


def _both_ways_side_by_side(answer):
    properties.same_shape(answer(STATES, LENGTHS), (3, 4))


def _forward_after_the_last_word(answer):
    properties.same_values(
        properties.numbers(answer(STATES, LENGTHS))[:, :2],
        last_states(STATES, LENGTHS)[:, :2],
        [
            (STATES[:, -1, :2], "the state after the last column: for short sequences that is padding"),
            (
                STATES[:, 0, :2],
                "the state after the first word, which has not read the others yet",
            ),
        ],
    )


def _backward_after_the_first_word(answer):
    properties.same_values(
        properties.numbers(answer(STATES, LENGTHS))[:, 2:],
        STATES[:, 0, 2:],
        [
            (
                STATES[np.arange(3), LENGTHS - 1, 2:],
                "the state at the last word: the way back begins there, and has read that word only",
            ),
            (STATES[:, -1, 2:], "the state at the last column, where the way back has read next to nothing"),
        ],
    )


def _ignores_padded_states(answer):
    mask = np.arange(5) < LENGTHS[:, None]
    properties.ignores_padding(lambda states: answer(states, LENGTHS), STATES, mask)


@functools.cache
def _counted(features, units, depth):
    """Count the weights of the layers themselves."""
    weights = 0
    for _ in range(depth):
        layer = Bidirectional(SimpleRNN(units, return_sequences=True))
        layer.build((None, None, features))
        weights, features = weights + layer.count_params(), 2 * units
    return weights


def _counts_one_layer(answer):
    one_way = 5 * 3 + 3 * 3 + 3
    mistakes = [(one_way, "the weights of one direction"), (2 * (one_way - 3), "no biases")]
    properties.one_number(answer(5, 3, 1), _counted(5, 3, 1), mistakes)


def _counts_two_layers(answer):
    first, narrow = _counted(7, 3, 1), 2 * (3 * 3 + 3 * 3 + 3)
    mistakes = [
        (2 * first, "as if the second layer read the same features as the first"),
        (first + narrow, "as if the second layer read one direction of the first"),
    ]
    properties.one_number(answer(7, 3, 2), _counted(7, 3, 2), mistakes)


def _counts_deeper_ones(answer):
    mistakes = [
        (
            _counted(2, 4, 2) + 2 * (16 * 4 + 4 * 4 + 4),
            "as if the width doubled with each layer",
        )
    ]
    properties.one_number(answer(2, 4, 3), _counted(2, 4, 3), mistakes)
    properties.one_number(answer(6, 2, 5), _counted(6, 2, 5), [])


EXERCISES = [
    Exercise(
        "06.rising_ceiling",
        rising_ceiling,
        [("is the best accuracy of a model that has not read the next number", _is_the_ceiling)],
        [
            "The numbers before this one say nothing. Group the steps by this number.",
            "After a 0, three of the four next numbers are larger: the best answer is yes, right in 3/4.",
            "Take the better answer in each of the four groups, then the mean over the groups.",
        ],
    ),
    Exercise(
        "06.reverse_real_steps",
        reverse_real_steps,
        [
            ("keeps the shape", _keeps_the_shape),
            ("reverses a row without padding", _turns_full_rows_round),
            ("begins at the last real step", _begins_at_the_last_real_step),
            ("leaves padding on the right", _leaves_padding_on_the_right),
            ("gives the original when it is done twice", _twice_is_as_before),
        ],
        [
            "x[:, ::-1] turns all columns round. Where is the padding then?",
            "For 3 real steps out of 5, write down which old step stands at each new one: 2, 1, 0, 3, 4.",
            "np.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps) is that order; "
            "np.take_along_axis applies it.",
        ],
    ),
    Exercise(
        "06.last_states",
        last_states,
        [
            ("gives both ways side by side", _both_ways_side_by_side),
            ("takes the forward state after the last word", _forward_after_the_last_word),
            (
                "takes the backward state at the first word, which is read last",
                _backward_after_the_first_word,
            ),
            ("ignores what stands in the padding", _ignores_padded_states),
        ],
        [
            "Which words has the backward state at step t read? And at which step has it read all?",
            "Cut the last axis in two halves and look after each by itself.",
            "The backward half comes from step 0, whatever the length.",
        ],
    ),
    Exercise(
        "06.deep_weights",
        deep_weights,
        [
            ("counts one layer: two directions, each with its bias", _counts_one_layer),
            ("counts a second layer, whose input is both directions of the first", _counts_two_layers),
            ("counts deeper ones", _counts_deeper_ones),
        ],
        [
            "One direction has features * units + units * units + units weights.",
            "What is the width of the output of a layer that puts two directions side by side?",
            "In a loop: add twice the weights of one direction, then set features to 2 * units.",
        ],
    ),
]
