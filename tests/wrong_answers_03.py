"""Plausible wrong answers to the exercises of lesson 03, and the words each must hear."""

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


WRONG = {
    "03.steps_to_half": [
        (lambda: 5, "a tenth of the first value"),
        (lambda: 6, "one too early"),
        (lambda: 6.5788, "between two steps"),
        (lambda: 70, "another number"),
    ],
    "03.forget_bias": [
        (lambda distance, share: share ** (1 / distance), "the gate, not the bias"),
        (lambda distance, share: np.log(share / (1 - share)), "left"),
        (lambda distance, share: -np.log(share ** (1 / distance) / (1 - share ** (1 / distance))), "left"),
    ],
    "03.lstm_step": [
        (step("ifog"), "values that differ"),
        (step("figo"), "the forget gate was taken for another block"),
        (step("ifgo", show=False), "without the output gate"),
        (lambda *arguments: step("ifgo")(*arguments)[0], "a pair: h and c"),
    ],
}
