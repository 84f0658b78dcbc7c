"""Plausible wrong answers to the exercises of lesson 04, and the words each must hear."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(order, show=True):
    """An LSTM step that takes the blocks to stand in another order, or forgets the output gate."""

    def wrong(x, h, c, kernel, recurrent_kernel, bias):
        z = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        i, f, g, o = (z[order.index(name)] for name in "ifgo")
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return (sigmoid(o) if show else 1) * np.tanh(c), c

    return wrong


def never_kept(x, h, c, *weights):
    return step("ifgo")(x, h, 0 * c, *weights)


def without_the_tanh(x, h, c, *weights):
    _, c = step("ifgo")(x, h, c, *weights)
    z = np.split(x @ weights[0] + h @ weights[1] + weights[2], 4, axis=1)
    return sigmoid(z[3]) * c, c


def with_half_the_candidate(x, h, c, *weights):
    h, right = step("ifgo")(x, h, c, *weights)
    return h, np.where(np.abs(right - c) < 1e-6, c, right / 2)


def forget_bias(distance, share):
    return -np.log(share ** (-1 / distance) - 1)


WRONG = {
    "04.steps_to_half": [
        (lambda: 5, "a tenth of the first value"),
        (lambda: 6, "one too early"),
        (lambda: 6.5788, "between two steps"),
        (lambda: 70, "expected: a whole number\n      came:     70"),
    ],
    "04.forget_bias": [
        (lambda distance, share: share ** (1 / distance), "the gate, not the bias"),
        (lambda distance, share: np.log(share / (1 - share)), "left"),
        (lambda distance, share: np.log(distance * share / (1 - distance * share)), "came:     nan"),
        (lambda distance, share: f"{np.log(distance)}", "expected: numbers"),
        (lambda distance, share: [forget_bias(distance, share)] if distance > 1 else 0, "shape (1,)"),
        (
            lambda distance, share: forget_bias(distance, share) if distance < 100 else 4,
            "left after 100 steps",
        ),
        (lambda distance, share: np.log(distance - 1) if distance > 1 else 0, "left after 10 steps"),
        (lambda distance, share: -np.log(share ** (1 / distance) / (1 - share ** (1 / distance))), "left"),
    ],
    "04.lstm_step": [
        (
            step("ifog"),
            "expected: the blocks in the order i, f, g, o\n      came:     the order i, f, o, g",
        ),
        (step("ofgi"), "came:     the order o, f, g, i"),
        (step("igfo"), "came:     the order i, g, f, o"),
        (never_kept, "nothing of it: what does the forget gate multiply?"),
        (lambda *arguments: step("ifgo")(*arguments)[::-1], "c, then h"),
        (without_the_tanh, "without the tanh"),
        (with_half_the_candidate, "values that differ"),
        (step("figo"), "came:     the order f, i, g, o"),
        (step("ifgo", show=False), "without the output gate"),
        (lambda *arguments: step("ifgo")(*arguments)[0], "expected: 2 results: h, c"),
    ],
}
