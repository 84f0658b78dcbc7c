"""Plausible wrong answers to the exercises of lesson 06, and the words each must hear."""

import numpy as np


def reversed_but_pushed_right(x, lengths):
    reversed_rows = np.zeros_like(x)
    for row, length in enumerate(lengths):
        reversed_rows[row, -length:] = x[row, :length][::-1]
    return reversed_rows


def reversed_in_place(x, lengths):
    for row, length in zip(x, lengths, strict=True):
        row[:length] = row[:length][::-1].copy()
    return x


def one_step_too_far(x, lengths):
    steps = np.arange(x.shape[1])
    order = np.where(steps < lengths[:, None], np.minimum(lengths[:, None] - steps, x.shape[1] - 1), steps)
    return np.take_along_axis(x, order[:, :, None], axis=1)


def shifted_but_not_reversed(x, lengths):
    return np.stack([np.roll(row, 1 - length, axis=0) for row, length in zip(x, lengths, strict=True)])


def at(states, ahead, behind):
    rows, units = np.arange(len(states)), states.shape[-1] // 2
    return np.concatenate([states[rows, ahead, :units], states[rows, behind, units:]], axis=-1)


def layers_of(features, units, depth, width):
    return sum(
        2 * (wide * units + units * units + units)
        for wide in [features, *(width(features, units, level) for level in range(1, depth))]
    )


WRONG = {
    "06.rising_ceiling": [
        (lambda: 0.5, "a toss of a coin"),
        (lambda: 10 / 16, "always no"),
        (lambda: 6 / 16, "a model may also say no"),
        (lambda: 1, "as if the next number were known"),
        (lambda: 0.8, "expected: a share from 0 to 1, not in per cent, right to 3 digits after the point"),
        (lambda: 75, "a share from 0 to 1, not in per cent"),
    ],
    "06.reverse_real_steps": [
        (lambda x, lengths: x[:, ::-1], "the padding first"),
        (lambda x, lengths: x[::-1], "the rows of the batch"),
        (lambda x, lengths: x, "the same order as before"),
        (reversed_but_pushed_right, "the padding first"),
        (reversed_in_place, "a change in `x`"),
        (one_step_too_far, "values that differ"),
        (shifted_but_not_reversed, "values that differ"),
    ],
    "06.last_states": [
        (
            lambda states, lengths: states[np.arange(len(states)), lengths - 1],
            "has read that word only",
        ),
        (lambda states, lengths: states[:, -1], "for short sequences that is padding"),
        (lambda states, lengths: states[:, 0], "has not read the others yet"),
        (lambda states, lengths: at(states, lengths - 1, -1), "next to nothing"),
        (lambda states, lengths: at(states, lengths - 2, 0), "values that differ"),
        (lambda states, lengths: at(states, lengths - 1, 0)[:, :2], "shape (3, 2)"),
    ],
    "06.deep_weights": [
        (lambda features, units, depth: depth * (features * units + units**2 + units), "one direction"),
        (
            lambda features, units, depth: 2 * depth * (features * units + units**2 + units),
            "read the same features as the first",
        ),
        (
            lambda features, units, depth: layers_of(features, units, depth, lambda _, u, k: u),
            "read one direction of the first",
        ),
        (
            lambda features, units, depth: layers_of(
                features, units, depth, lambda f, u, level: 2**level * u
            ),
            "doubled with each layer",
        ),
        (lambda features, units, depth: 2 * depth * (features * units + units**2), "no biases"),
    ],
}
