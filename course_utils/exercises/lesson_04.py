"""Exercises of lesson 04, the GRU."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError
from course_utils.recurrent import GRU


def gru_weights():
    """Predict: the number of weights of a GRU with `reset_after`, 24 units and 10 features."""
    return 3 * (10 * 24 + 24 * 24 + 2 * 24)


def turn_update_gate(kernel, recurrent_kernel, bias):
    """Return weights for the other convention of z: the same states from h = (1 - z) h + z g."""
    units = len(recurrent_kernel)
    sign = np.repeat([-1.0, 1.0, 1.0], units)
    return kernel * sign, recurrent_kernel * sign, bias * sign


def gru_step(x, h, kernel, recurrent_kernel, bias):
    """Return the next `h`, `(batch, units)`; z keeps, and the reset comes before the product."""
    x_z, x_r, x_g = np.split(x @ kernel + bias, 3, axis=1)
    W_z, W_r, W_g = np.split(recurrent_kernel, 3, axis=1)  # noqa: N806
    z = 1 / (1 + np.exp(-(x_z + h @ W_z)))
    r = 1 / (1 + np.exp(-(x_r + h @ W_r)))
    return z * h + (1 - z) * np.tanh(x_g + (r * h) @ W_g)


def _is_what_the_layer_counts(answer):
    layer = GRU(24)
    layer.build((None, None, 10))
    properties.one_number(
        answer(),
        layer.count_params(),
        [
            (3 * (10 * 24 + 24 * 24 + 24), "with one row of biases: how many does reset after have?"),
            (4 * (10 * 24 + 24 * 24 + 24), "the weights of an LSTM"),
            (3 * (10 * 24 + 24 * 24), "without biases"),
            (10 * 24 + 24 * 24 + 24, "one block: how many stand side by side?"),
        ],
    )


RNG = np.random.default_rng(4)
X, H = RNG.normal(size=(3, 2)), RNG.uniform(-1, 1, size=(3, 4))
WEIGHTS = RNG.normal(size=(2, 12)), RNG.normal(size=(4, 12)), RNG.normal(size=12)


def _other_convention(x, h, kernel, recurrent_kernel, bias):
    """One step in which z renews: that of `gru_step` with z and 1 - z exchanged."""
    return gru_step(x, h, *turn_update_gate(kernel, recurrent_kernel, bias))


def _three_arrays(answer):
    came = answer(*WEIGHTS)
    if not isinstance(came, (tuple, list)) or len(came) != 3:
        raise WrongAnswerError("three arrays: kernel, recurrent kernel and bias", type(came).__name__)
    for turned, weight in zip(came, WEIGHTS, strict=True):
        properties.same_shape(turned, weight.shape)


def _leaves_the_other_blocks(answer):
    for turned, weight in zip(answer(*WEIGHTS), WEIGHTS, strict=True):
        if not np.allclose(np.asarray(turned)[..., 4:], weight[..., 4:]):
            raise WrongAnswerError("the blocks of r and g as they were", "other weights for r or g")


def _gives_the_same_states(answer):
    came = _other_convention(X, H, *answer(*WEIGHTS))
    properties.same_values(
        came,
        gru_step(X, H, *WEIGHTS),
        [(_other_convention(X, H, *WEIGHTS), "the states of the same weights in the other convention")],
    )


def _one_state(answer):
    properties.same_shape(answer(X, H, *WEIGHTS), (3, 4))


def _keeps_where_z_is_one(answer):
    bias = np.repeat([60.0, 0.0, 0.0], 4)
    came = answer(X * 0, H, WEIGHTS[0], WEIGHTS[1] * 0, bias)
    properties.same_values(
        came, H, [(H / 2, "half of it: something was reset that should only be hidden from the candidate")]
    )


def _is_the_step_of_the_gru(answer):
    x_z, x_r, x_g = np.split(X @ WEIGHTS[0] + WEIGHTS[2], 3, axis=1)
    h_z, h_r, h_g = np.split(H @ WEIGHTS[1], 3, axis=1)
    z, r = 1 / (1 + np.exp(-(x_z + h_z))), 1 / (1 + np.exp(-(x_r + h_r)))
    after = z * H + (1 - z) * np.tanh(x_g + r * h_g)
    properties.same_values(
        answer(X, H, *WEIGHTS),
        gru_step(X, H, *WEIGHTS),
        [
            (after, "the step that resets after the product"),
            (_other_convention(X, H, *WEIGHTS), "the step in which z renews"),
        ],
    )


EXERCISES = [
    Exercise(
        "04.gru_weights",
        gru_weights,
        [("is what the layer counts", _is_what_the_layer_counts)],
        [
            "Three blocks, each with weights for the inputs, weights for the state, and biases.",
            "With reset after, the product with the state has a bias of its own.",
        ],
    ),
    Exercise(
        "04.turn_update_gate",
        turn_update_gate,
        [
            ("gives three arrays of the same shapes", _three_arrays),
            ("leaves the blocks of r and g as they are", _leaves_the_other_blocks),
            ("gives the same states in the other convention", _gives_the_same_states),
        ],
        [
            "You need a gate that is 1 - z for every input and state.",
            "1 minus the sigmoid of a is the sigmoid of -a.",
            "Negate the first block of all three arrays.",
        ],
    ),
    Exercise(
        "04.gru_step",
        gru_step,
        [
            ("gives one state for each sequence", _one_state),
            ("keeps the old state where z is one", _keeps_where_z_is_one),
            ("is the step of a GRU", _is_the_step_of_the_gru),
        ],
        [
            "Set z to one in your head. What should the new state be, and what is it?",
            "The reset is for the candidate alone. Does the last line still have the old state?",
        ],
    ),
]
