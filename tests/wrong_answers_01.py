"""Plausible wrong answers to the exercises of lesson 01, and the words each must hear."""

import numpy as np

from course_utils.exercises import EXERCISES


def unit(table):
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def nearest_in_place(table, row, count):
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    cosines = table @ table[row]
    cosines[row] = -1.1
    return np.argsort(-cosines)[:count]


WRONG = {
    "01.rows_that_change": [
        (lambda: 8, "the number of positions"),
        (lambda: 6, "without padding"),
        (lambda: 3, "one too few"),
        (lambda: 10, "the whole table"),
        (lambda: 7, "expected: a whole number\n      came:     7"),
        (lambda: "four", "expected: numbers\n      came:     'four'"),
        (lambda: "4", "expected: numbers\n      came:     '4'"),
        (lambda: True, "expected: numbers\n      came:     True"),
        (lambda: [4], "expected: one number\n      came:     [4]"),
    ],
    "01.nearest": [
        (lambda table, row, count: np.argsort(-(unit(table) @ unit(table)[row]))[:count], "the word itself"),
        (
            lambda table, row, count: [i for i in np.argsort(-(table @ table[row])) if i != row][:count],
            "a long vector wins",
        ),
        (
            lambda table, row, count: np.argsort(np.linalg.norm(table - table[row], axis=1))[1 : count + 1],
            "a long vector is far off",
        ),
        (
            lambda table, row, count: [
                i for i in np.argsort(-np.abs(unit(table) @ unit(table)[row])) if i != row
            ][:count],
            "values that differ",
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
        (
            lambda table, row, count: EXERCISES["01.nearest"].solution(table, 0, count),
            "the word itself among its neighbours",
        ),
        (
            lambda table, row, count: [0 if row else 1, *EXERCISES["01.nearest"].solution(table, row, 5)][
                :count
            ],
            "values that differ",
        ),
        (
            lambda table, row, count: table[EXERCISES["01.nearest"].solution(table, row, count)],
            "the rows themselves",
        ),
        (
            lambda table, row, count: EXERCISES["01.nearest"].solution(table, row, count).astype(float),
            "numbers of type float64",
        ),
        (nearest_in_place, "a change in `table`"),
    ],
    "01.sentence_vectors": [
        (lambda table, ids: table[ids].mean(axis=1), "change with it"),
        (lambda table, ids: table[ids].mean(axis=2), "shape (3, 4)"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).sum(axis=1), "the sum of the vectors"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).mean(axis=1), "the padded length"),
        (
            lambda table, ids: (
                (table[ids] * (ids != 0)[..., None]).sum(axis=1) / (ids != 0).sum(axis=1)[:, None]
            ),
            "came:     nan: is something divided by zero?",
        ),
    ],
}
