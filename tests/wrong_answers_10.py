"""Plausible wrong answers to the exercises of lesson 10, and the words each must hear."""

import numpy as np


def softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def products(query, key):
    return query @ key.swapaxes(1, 2)


def scaled(query, key):
    return products(query, key) / np.sqrt(key.shape[-1])


def hidden(scores, mask):
    return np.where(mask, scores, -np.inf)


def not_safe(query, key, value, mask):
    with np.errstate(all="ignore"):
        weights = np.exp(scaled(query, key)) * mask
        return weights / weights.sum(axis=-1, keepdims=True) @ value


def numbers(time, dim):
    return np.random.default_rng(0).normal(size=(time, dim))


def with_zeros(function, time, dim):
    before = np.zeros((time, dim))
    for step in range(1, time):
        changed = before.copy()
        changed[step] = 1
        if not np.allclose(function(changed)[:step], function(before)[:step]):
            return True
    return False


def with_the_next_step_alone(function, time, dim):
    before = numbers(time, dim)
    for step in range(1, time):
        changed = before.copy()
        changed[step] += 1
        if not np.allclose(function(changed)[step - 1], function(before)[step - 1]):
            return True
    return False


def with_the_middle_alone(function, time, dim):
    before = numbers(time, dim)
    changed = before.copy()
    changed[time // 2] += 1
    return not np.allclose(function(changed)[: time // 2], function(before)[: time // 2])


def with_the_first_output_alone(function, time, dim):
    before = numbers(time, dim)
    changed = before.copy()
    changed[1:] += 1
    return not np.allclose(function(changed)[0], function(before)[0])


def with_the_last_step_alone(function, time, dim):
    before = numbers(time, dim)
    changed = before.copy()
    changed[-1] += 1
    return not np.allclose(function(changed)[:-1], function(before)[:-1])


def with_a_coarse_eye(function, time, dim):
    before = numbers(time, dim)
    for step in range(1, time):
        changed = before.copy()
        changed[step:] += 1
        if not np.allclose(function(changed)[:step], function(before)[:step], atol=0.1):
            return True
    return False


def with_the_step_itself(function, time, dim):
    before = numbers(time, dim)
    for step in range(1, time):
        changed = before.copy()
        changed[step:] += 1
        if not np.allclose(function(changed)[: step + 1], function(before)[: step + 1]):
            return True
    return False


def any_change(function, time, dim):
    before = numbers(time, dim)
    return not np.allclose(function(before), function(before + 1))


WRONG = {
    "10.crossing": [
        (lambda: 192, "where an LSTM of that width crosses"),
        (lambda: 288, "without the four projections"),
        (lambda: 64, "the width of the lesson"),
        (lambda: 128, "expected: a whole number\n      came:     128"),
    ],
    "10.attend": [
        (lambda query, key, value, mask: softmax(hidden(scaled(query, key), mask)), "shape (2, 3, 4)"),
        (lambda query, key, value, mask: softmax(hidden(products(query, key), mask)) @ value, "not divided"),
        (
            lambda query, key, value, mask: softmax(hidden(products(query, key) / 3, mask)) @ value,
            "not by its root",
        ),
        (
            lambda query, key, value, mask: (
                softmax(hidden(products(query, key) / np.sqrt(value.shape[-1]), mask)) @ value
            ),
            "the root of the value's size",
        ),
        (
            lambda query, key, value, mask: (
                softmax(hidden(products(query, key) / np.sqrt(key.shape[1]), mask)) @ value
            ),
            "the root of the number of keys",
        ),
        (
            lambda query, key, value, mask: softmax(hidden(scaled(query, key), mask), axis=1) @ value,
            "sum to one over the queries",
        ),
        (lambda query, key, value, mask: scaled(query, key) * mask @ value, "where is the softmax"),
        (lambda query, key, value, mask: softmax(scaled(query, key)) @ value, "the mask is not used"),
        (
            lambda query, key, value, mask: softmax(scaled(query, key)) * mask @ value,
            "masked after the softmax",
        ),
        (
            lambda query, key, value, mask: softmax(scaled(query, key) * mask) @ value,
            "it still gets a weight",
        ),
        (
            lambda query, key, value, mask: (
                softmax(
                    np.where(
                        mask.swapaxes(1, 2) if mask.shape[1] == mask.shape[2] else mask,
                        scaled(query, key),
                        -np.inf,
                    )
                )
                @ value
            ),
            "queries and keys exchanged",
        ),
        (not_safe, "came:     nan: is the largest score of each row subtracted before np.exp?"),
    ],
    "10.into_heads": [
        (lambda vectors, num_heads: vectors.reshape(2, 4, num_heads, -1), "shape (2, 4, 3, 2)"),
        (
            lambda vectors, num_heads: vectors.reshape(
                vectors.shape[0], num_heads, vectors.shape[1], vectors.shape[2] // num_heads
            ),
            "heads that mix steps",
        ),
        (
            lambda vectors, num_heads: vectors.reshape(*vectors.shape[:2], -1, num_heads).transpose(
                0, 3, 1, 2
            ),
            "every third feature",
        ),
        (
            lambda vectors, num_heads: np.stack(np.split(vectors, num_heads, axis=-1), axis=1)[:, ::-1],
            "values that differ",
        ),
        (
            lambda vectors, num_heads: vectors.reshape(*vectors.shape[:2], 3, -1).swapaxes(1, 2),
            "shape (2, 3, 4, 2)",
        ),
    ],
    "10.sees_the_future": [
        (lambda function, time, dim: 1, "True or False"),
        (lambda function, time, dim: "True", "True or False"),
        (lambda function, time, dim: np.ones(1, bool), "True or False"),
        (lambda function, time, dim: False, "the mean of all steps"),
        (lambda function, time, dim: True, "the same as its input"),
        (with_zeros, "the step times the next one"),
        (with_the_next_step_alone, "the step after the next"),
        (with_the_middle_alone, "the last step but one"),
        (with_the_first_output_alone, "the last step but one"),
        (with_the_last_step_alone, "the first two steps exchanged"),
        (with_a_coarse_eye, "a hundredth of the last"),
        (with_the_step_itself, "the same as its input"),
        (any_change, "the same as its input"),
    ],
}
