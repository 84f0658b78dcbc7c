"""Plausible wrong answers to the exercises of lesson 01, and the words each must hear."""

import numpy as np

from course_utils.exercises import EXERCISES


def unit(table):
    return table / np.linalg.norm(table, axis=1, keepdims=True)


WRONG = {
    "01.rows_that_change": [
        (lambda: 8, "the number of positions"),
        (lambda: 6, "without padding"),
        (lambda: 3, "one too few"),
        (lambda: 10, "the whole table"),
        (lambda: 7, "another number"),
        (lambda: "four", "one number"),
    ],
    "01.nearest": [
        (lambda table, row, count: np.argsort(-(unit(table) @ unit(table)[row]))[:count], "the word itself"),
        (
            lambda table, row, count: [i for i in np.argsort(-(table @ table[row])) if i != row][:count],
            "a long vector wins",
        ),
        (
            lambda table, row, count: [i for i in np.argsort(unit(table) @ unit(table)[row]) if i != row][
                :count
            ],
            "the farthest first",
        ),
        (
            lambda table, row, count: [i for i in np.argsort(-(unit(table) @ unit(table)[row])) if i != row],
            "shape (5,)",
        ),
        (lambda table, row, count: EXERCISES["01.nearest"].solution(table, 0, count), "values that differ"),
    ],
    "01.sentence_vectors": [
        (lambda table, ids: table[ids].mean(axis=1), "changed with it"),
        (lambda table, ids: table[ids].mean(axis=2), "shape (3, 4)"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).sum(axis=1), "the sum of the vectors"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).mean(axis=1), "the padded length"),
        (
            lambda table, ids: (
                (table[ids] * (ids != 0)[..., None]).sum(axis=1) / (ids != 0).sum(axis=1)[:, None]
            ),
            "division by zero",
        ),
    ],
}
