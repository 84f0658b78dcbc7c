"""Exercises of lesson 05, the GRU."""

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


def _turned(answer):
    came = properties.several(answer(*WEIGHTS), ("kernel", "recurrent kernel", "bias"))
    for turned, weight in zip(came, WEIGHTS, strict=True):
        properties.same_shape(turned, weight.shape)
    return [properties.numbers(turned) for turned in came]


def _three_arrays(answer):
    _turned(answer)


def _leaves_the_other_blocks(answer):
    for turned, weight in zip(_turned(answer), WEIGHTS, strict=True):
        if not np.allclose(turned[..., 4:], weight[..., 4:], atol=1e-6):
            raise WrongAnswerError("the blocks of r and g as they were", "other weights for r or g")


def _gives_the_same_states(answer):
    came = _other_convention(X, H, *_turned(answer))
    kernel, recurrent_kernel, bias = turn_update_gate(*WEIGHTS)
    forgotten = {
        "the kernel": (WEIGHTS[0], recurrent_kernel, bias),
        "the recurrent kernel": (kernel, WEIGHTS[1], bias),
        "the bias": (kernel, recurrent_kernel, WEIGHTS[2]),
    }
    properties.same_values(
        came,
        gru_step(X, H, *WEIGHTS),
        [
            (_other_convention(X, H, *WEIGHTS), "the states of the same weights in the other convention"),
            *(
                (_other_convention(X, H, *weights), f"states to which {name} does not fit yet")
                for name, weights in forgotten.items()
            ),
        ],
    )


def _one_state(answer):
    properties.same_shape(answer(X, H, *WEIGHTS), (3, 4))


def _keeps_where_z_is_one(answer):
    z_and_r_exchanged = (weight[..., [*range(4, 8), *range(4), *range(8, 12)]] for weight in WEIGHTS)
    if np.allclose(properties.numbers(answer(X, H, *WEIGHTS)), gru_step(X, H, *z_and_r_exchanged), atol=1e-5):
        raise WrongAnswerError("the blocks in the order z, r, g", "the order r, z, g")
    bias = np.repeat([60.0, 0.0, 0.0], 4)
    properties.same_values(
        answer(X * 0, H, WEIGHTS[0], WEIGHTS[1] * 0, bias),
        H,
        [
            (H / 2, "half of it: something was reset that should only be hidden from the candidate"),
            (H * 0, "nothing of it: here z keeps, and 1 - z renews"),
        ],
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
        ],
    )


EXERCISES = [
    Exercise(
        "05.gru_weights",
        gru_weights,
        [("is what the layer counts", _is_what_the_layer_counts)],
        [
            "Three blocks, each with weights for the inputs, weights for the state, and biases.",
            "With reset after, the product with the state has a bias of its own.",
        ],
    ),
    Exercise(
        "05.turn_update_gate",
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
        "05.gru_step",
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
