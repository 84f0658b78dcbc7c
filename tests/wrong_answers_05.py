"""Plausible wrong answers to the exercises of lesson 05, and the words each must hear."""

import numpy as np

from course_utils.exercises import EXERCISES

RIGHT = EXERCISES["05.gru_step"].solution


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(mix, reset_before=True, order=(0, 1, 2)):
    """A GRU step with another mixture, or with the reset after the product."""

    def wrong(x, h, kernel, recurrent_kernel, bias):
        x_z, x_r, x_g = (np.split(x @ kernel + bias, 3, axis=1)[block] for block in order)
        of_z, of_r, of_g = (np.split(recurrent_kernel, 3, axis=1)[block] for block in order)
        z, r = sigmoid(x_z + h @ of_z), sigmoid(x_r + h @ of_r)
        g = np.tanh(x_g + ((r * h) @ of_g if reset_before else r * (h @ of_g)))
        return mix(z, r, h, g)

    return wrong


def turned_in_place(*weights):
    for weight in weights:
        weight[..., :4] *= -1
    return weights


def only_the_first_row(x, h, *weights):
    return np.concatenate([RIGHT(x[:1], h[:1], *weights), h[1:]])


WRONG = {
    "05.gru_weights": [
        (lambda: 2520, "with one row of biases"),
        (lambda: 3360, "the weights of an LSTM"),
        (lambda: 2448, "without biases"),
        (lambda: 840, "one block"),
        (lambda: 2600, "expected: a whole number"),
    ],
    "05.turn_update_gate": [
        (lambda *weights: weights, "the same weights in the other convention"),
        (lambda *weights: tuple(-weight for weight in weights), "other weights for r or g"),
        (
            lambda kernel, recurrent, bias: (kernel, recurrent, bias * np.repeat([-1, 1, 1], 4)),
            "values that differ",
        ),
        (
            lambda kernel, recurrent, bias: (
                *(weight * np.repeat([-1, 1, 1], 4) for weight in (kernel, recurrent)),
                bias,
            ),
            "states to which the bias does not fit yet",
        ),
        (
            lambda *weights: tuple(1 - weight * np.repeat([1, 0, 0], 4) for weight in weights),
            "other weights for r or g",
        ),
        (lambda kernel, recurrent, bias: -kernel, "3 results: kernel, recurrent kernel, bias"),
        (turned_in_place, "a change in `kernel`, `recurrent_kernel`, `bias`"),
    ],
    "05.gru_step": [
        (step(lambda z, r, h, g: z * (r * h) + (1 - z) * g), "half of it"),
        (step(lambda z, r, h, g: z * h + (1 - z) * g, reset_before=False), "resets after the product"),
        (lambda *arguments: RIGHT(*arguments).mean(axis=0), "shape (4,)"),
        (step(lambda z, r, h, g: (1 - z) * h + z * g), "here z keeps, and 1 - z renews"),
        (step(lambda z, r, h, g: z * h + (1 - z) * g, order=(1, 0, 2)), "the order r, z, g"),
        (only_the_first_row, "values that differ"),
    ],
}
