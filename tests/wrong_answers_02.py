"""Plausible wrong answers to the exercises of lesson 02, and the words each must hear."""

import numpy as np

from course_utils.exercises import EXERCISES


def step(x, h, kernel, recurrent_kernel, bias):
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)


def mask_forgotten(x, _mask, *weights):
    h = np.zeros((len(x), 4))
    for t in range(x.shape[1]):
        h = step(x[:, t], h, *weights)
    return h


def time_reversed(x, mask, *weights):
    h = np.zeros((len(x), 4))
    for t in reversed(range(x.shape[1])):
        h = np.where(mask[:, t, None], step(x[:, t], h, *weights), h)
    return h


def state_reset_by_padding(x, mask, *weights):
    h = np.zeros((len(x), 4))
    for t in range(x.shape[1]):
        h = np.where(mask[:, t, None], step(x[:, t], h, *weights), 0)
    return h


def padding_read_as_zeros(x, mask, *weights):
    return mask_forgotten(x * mask[..., None], mask, *weights)


def every_state(x, mask, *weights):
    return np.stack([time_reversed(x, mask, *weights)] * x.shape[1], axis=1)


def cuts(series, length, label):
    rows = range(len(series) - length)
    return np.array([series[i : i + length] for i in rows]), np.array(
        [series[label(i, length)] for i in rows]
    )


def common_norm(gradients):
    return np.sqrt(sum((g**2).sum() for g in gradients))


def by_each_norm(gradients, limit):
    return [g * min(1, limit / np.linalg.norm(g)) if g.any() else g for g in gradients]


def clipped_in_place(gradients, limit):
    norm = common_norm(gradients)
    for gradient in gradients:
        gradient *= min(1, limit / norm) if norm else 1
    return gradients


def emptied(gradients):
    return [gradients.pop(0) for _ in range(len(gradients))]


WRONG = {
    "02.memoryless_loss": [
        (lambda: 4 * np.log(2), "the sum over the letters"),
        (lambda: 4 * np.log(2) / 7, "a mean over seven"),
        (lambda: 0, "only one follower"),
        (lambda: np.log(5), "the loss of guessing"),
        (lambda: np.log(2), "a loss for every letter"),
        (lambda: 4 / 6, "bits: the loss has the natural logarithm"),
        (lambda: 0.5, "expected: a number, right to 3 digits after the point"),
    ],
    "02.rnn_with_padding": [
        (mask_forgotten, "results that differ"),
        (time_reversed, "from the last step to the first"),
        (state_reset_by_padding, "another state for the sequence"),
        (padding_read_as_zeros, "another state for the sequence"),
        (every_state, "shape (3, 5, 4)"),
    ],
    "02.windows": [
        (
            lambda series, length: cuts(series, length, lambda i, n: i + n - 1),
            "the last value of the window itself",
        ),
        (lambda series, length: cuts(series, length, lambda i, n: i), "the first value of the window itself"),
        (
            lambda series, length: tuple(
                part[:-1] for part in EXERCISES["02.windows"].solution(series, length)
            ),
            "1 too few",
        ),
        (
            lambda series, length: cuts(series, length, lambda i, n: min(i + n + 1, len(series) - 1)),
            "values that differ",
        ),
        (
            lambda series, length: cuts(series, length, lambda i, n: i + n)[0],
            "expected: 2 results: windows, labels\n      came:     one ndarray",
        ),
        (lambda series, length: (*cuts(series, length, lambda i, n: i + n), length), "came:     3"),
        (
            lambda series, length: tuple(
                part[..., None] for part in EXERCISES["02.windows"].solution(series, length)
            ),
            "expected: shape (5,)\n      came:     shape (5, 1)",
        ),
    ],
    "02.clip_by_norm": [
        (
            lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
            "each number clipped by itself",
        ),
        (by_each_norm, "a factor for each gradient"),
        (
            lambda gradients, limit: [np.abs(g) * min(1, limit / 13) for g in gradients],
            "values that differ by up to 8",
        ),
        (
            lambda gradients, limit: [g * limit / common_norm(gradients) for g in gradients],
            "values that differ",
        ),
        (lambda gradients, limit: [g * min(1, limit / 5) for g in gradients], "a common norm of 5.2"),
        (lambda gradients, limit: [g * min(1, limit / 25) for g in gradients], "values that differ"),
        (
            lambda gradients, limit: [
                g * (limit / 2 / common_norm(gradients) if common_norm(gradients) > limit else 1)
                for g in gradients
            ],
            "expected: a common norm of 2, the limit\n      came:     a common norm of 1",
        ),
        (
            lambda gradients, limit: [
                g * (2 / common_norm(gradients) if common_norm(gradients) > limit else 1) for g in gradients
            ],
            "expected: a common norm of 12.5, the limit\n      came:     a common norm of 2",
        ),
        (lambda gradients, limit: [g * min(1, limit / 13) + 1e-3 for g in gradients], "values that differ"),
        (lambda gradients, limit: gradients[0] * np.nan, "one ndarray"),
        (clipped_in_place, "a change in `gradients`"),
        (
            lambda gradients, limit: EXERCISES["02.clip_by_norm"].solution(emptied(gradients), limit),
            "`gradients`",
        ),
        (
            lambda gradients, limit: [
                g / common_norm(gradients) * min(limit, common_norm(gradients)) for g in gradients
            ],
            "came:     nan: is something divided by zero?",
        ),
    ],
}
