"""Exercises of lesson 04, the LSTM."""

import itertools

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def steps_to_half():
    """Predict: with a forget gate of 0.9, after how many steps is a cell state of 1 first below one half?"""
    return 7


def forget_bias(distance, share):
    """Return the bias at which a forget gate keeps `share` of the cell state over `distance` steps."""
    gate = share ** (1 / distance)
    return np.log(gate / (1 - gate))


def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    """Return the next `h` and `c`, each `(batch, units)`; the blocks stand in the order i, f, g, o."""
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def _is_where_the_cell_state_is_halved(answer):
    cell_state, steps = 1.0, 0
    while cell_state >= 0.5:
        cell_state, steps = 0.9 * cell_state, steps + 1
    properties.one_number(
        answer(),
        steps,
        [
            (5, "as if a tenth of the first value went at each step"),
            (6, "one too early: what is left then?"),
            (np.log(0.5) / np.log(0.9), "between two steps: which is the first one below?"),
        ],
    )


def _is_zero_for_half_in_one_step(answer):
    properties.one_number(
        answer(1, 0.5), 0.0, [(0.5, "the gate, not the bias that a sigmoid turns into it")], tolerance=1e-4
    )


def _keeps_the_share_over_the_distance(answer):
    for distance, share in ((10, 0.5), (40, 0.9), (100, 0.1)):
        bias = properties.numbers(answer(distance, share))
        properties.same_shape(bias, ())
        kept = (1 / (1 + np.exp(-bias))) ** distance
        if not abs(kept - share) <= 1e-4:
            raise WrongAnswerError(f"{share:g} left after {distance} steps", f"{kept:.3g} left")


RNG = np.random.default_rng(3)
X, H, C = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
WEIGHTS = RNG.normal(size=(2, 16)), RNG.normal(size=(4, 16)), RNG.normal(size=16)


def _two_states(answer):
    for state in properties.several(answer(X, H, C, *WEIGHTS), ("h", "c")):
        properties.same_shape(state, (3, 4))


def _reads_the_blocks_in_their_order(answer):
    """Name the order in which an answer reads the blocks, where that alone is wrong."""
    h, c = map(properties.numbers, answer(X, H, C, *WEIGHTS))
    for order in itertools.permutations("ifgo"):
        blocks = [slice(4 * place, 4 * place + 4) for place in map(order.index, "ifgo")]
        expected = lstm_step(
            X, H, C, *(np.concatenate([w[..., b] for b in blocks], axis=-1) for w in WEIGHTS)
        )
        if np.allclose([h, c], expected, atol=1e-5) and "".join(order) != "ifgo":
            raise WrongAnswerError("the blocks in the order i, f, g, o", f"the order {', '.join(order)}")
        if np.allclose([c, h], expected, atol=1e-5):
            raise WrongAnswerError("h, then c", "c, then h")


def _keeps_the_cell_state_where_it_should(answer):
    _reads_the_blocks_in_their_order(answer)
    bias = np.repeat([-60.0, 60.0, 0.0, 60.0], 4)
    _, c = answer(X * 0, H * 0, C, WEIGHTS[0], WEIGHTS[1], bias)
    properties.same_values(c, C, [(C * 0, "nothing of it: what does the forget gate multiply?")])


def _is_the_step_of_the_lstm(answer):
    h, c = lstm_step(X, H, C, *WEIGHTS)
    came_h, came_c = answer(X, H, C, *WEIGHTS)
    properties.same_values(came_c, c)
    properties.same_values(
        came_h,
        h,
        [
            (np.tanh(c), "the tanh of the cell state, without the output gate"),
            (h / np.tanh(c) * c, "the output gate times the cell state, without the tanh"),
        ],
    )


EXERCISES = [
    Exercise(
        "04.steps_to_half",
        steps_to_half,
        [("is the first step below one half", _is_where_the_cell_state_is_halved)],
        [
            "After two steps 0.9 times 0.9 is left.",
            "You look for the smallest whole n with 0.9 to the power of n below 0.5.",
        ],
    ),
    Exercise(
        "04.forget_bias",
        forget_bias,
        [
            ("gives the bias 0 where half must be left after one step", _is_zero_for_half_in_one_step),
            ("keeps the share over the distance", _keeps_the_share_over_the_distance),
        ],
        [
            "First find the gate: multiplied by itself once for each step it must give the share.",
            "The gate is share ** (1 / distance).",
            "The gate is the sigmoid of the bias. Turn it round: log(gate / (1 - gate)).",
        ],
    ),
    Exercise(
        "04.lstm_step",
        lstm_step,
        [
            ("gives two states", _two_states),
            (
                "keeps the cell state where the forget gate is open and the input gate closed",
                _keeps_the_cell_state_where_it_should,
            ),
            ("is the step of an LSTM", _is_the_step_of_the_lstm),
        ],
        [
            "Compare the order of the blocks in the docstring with that in the code.",
            "The third block is the candidate, the fourth the output gate.",
        ],
    ),
]
