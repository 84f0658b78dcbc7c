"""A step written as lines, so that a wrong answer can be told by the line that gives its numbers.

`lines` is a dict from names to expressions, in order: each may use those before it, the arrays that are
given, `sigmoid`, `tanh`, and `of(array, "z")`, the block of a gate in the order that the line `order` says.
The last one is what the cell returns.
"""

import functools
import itertools

import numpy as np

from course_utils.exercises.exercise import WrongAnswerError

_compiled = functools.cache(functools.partial(compile, filename="a step", mode="eval"))


def sigmoid(z):
    """Return the logistic function of an array."""
    return 1 / (1 + np.exp(-z))


def result(lines, given):
    """Return what a cell returns whose step has these lines."""
    values = {**given, "sigmoid": sigmoid, "tanh": np.tanh}
    values["of"] = lambda array, name: np.split(array, len(values["order"]), axis=-1)[
        values["order"].index(name)
    ]
    for name, line in lines.items():
        values[name] = eval(_compiled(line), values)
    return values[name]


def name_the_mistake(came, lines, given, mistakes):
    """Say whether a step returned what it must.

    Args:
        came: what the answer returned.
        lines: those of the step, as they must be.
        given: a dict from names to arrays.
        mistakes: pairs of a dict with lines in place of others, and the words for it.

    Returns:
        `True` if it is right, `False` if it is wrong in a way that no mistake, and no two, explain.

    Raises:
        WrongAnswerError: one or two of the mistakes explain it.
    """

    def fits(changed):
        return np.allclose(came, result({**lines, **changed}, given), rtol=0, atol=1e-4)

    if fits({}):
        return True
    for changed, words in mistakes:
        if fits(changed):
            raise WrongAnswerError(None, words)
    for (changed, words), (others, more) in itertools.combinations(mistakes, 2):
        if not changed.keys() & others.keys() and fits(changed | others):
            raise WrongAnswerError(None, f"two mistakes: {words}. And: {more}")
    return False
