"""Properties that answers and layers must have. The exercises and the package's tests share them."""

import contextlib
import math
from numbers import Integral, Real

import numpy as np

from course_utils.exercises.exercise import WrongAnswerError, brief

OVERFLOW = ": is the largest score of each row subtracted before np.exp?"
NOT_HIDDEN = ": is what does not count hidden before the largest score is subtracted?"
ZERO_DIVISION = ": is something divided by zero?"


def numbers(came, cause=""):
    """Return an array of float64, and require that each entry is a finite real number.

    Lists and tensors do as well as arrays. Text, None, True and False, complex numbers and masked entries
    are no numbers.

    Args:
        came: what the answer gave.
        cause: words for what makes an entry nan or inf.
    """
    try:
        array = np.asarray(came)
    except Exception:  # rows of different lengths, or a tensor without values
        raise WrongAnswerError("numbers", brief(came)) from None
    if array.dtype == object and all(isinstance(each, Real) for each in array.flat):  # fractions
        array = array.astype("float64")
    if array.dtype.kind not in "iuf":
        raise WrongAnswerError("numbers", brief(came))
    if np.ma.is_masked(came):
        raise WrongAnswerError("a number in each entry", "masked entries")
    if not np.isfinite(array).all():
        raise WrongAnswerError("finite numbers", ("nan" if np.isnan(array).any() else "inf") + cause)
    return array.astype("float64")


def whole_numbers(came):
    """Return an array, and require that its entries are integers, which can be ids or indices."""
    array, dtype = numbers(came), np.asarray(came).dtype
    if array.size and dtype.kind not in "iu":
        raise WrongAnswerError("integers, which can be indices", f"numbers of type {dtype}")
    return array.astype("int64")


def same_shape(came, expected):
    """Require an array of the shape `expected`."""
    shape = numbers(came).shape
    if shape != tuple(expected):
        raise WrongAnswerError(f"shape {tuple(expected)}", f"shape {shape}")


def same_values(came, expected, mistakes=(), tolerance=1e-5, cause=""):
    """Require the values `expected`, and name the mistake where `came` is one that is known.

    Args:
        came: what the answer gave.
        expected: what is right.
        mistakes: pairs of values and the words for what was done to get them.
        tolerance: the largest difference that counts as equal.
        cause: words for what makes a value nan or inf.
    """
    came = numbers(came, cause)
    if _close(came, expected, tolerance):
        return
    for values, words in mistakes:
        if _close(came, values, tolerance):
            raise WrongAnswerError(None, words)
    same_shape(came, np.shape(expected))
    difference = np.abs(came - expected).max()
    raise WrongAnswerError(f"values within {tolerance:g}", f"values that differ by up to {difference:.3g}")


def same_gradient(came, expected, of, whose):
    """Ask for the gradient of `whose` with respect to `of`; `came` is None where there is none."""
    if came is None or (not came.any() and expected.any()):
        raise WrongAnswerError(
            f"a gradient with respect to {of}", "none: is something computed with NumPy, or stopped?"
        )
    difference = np.abs(came - expected).max()
    if not difference <= 1e-4:
        raise WrongAnswerError(
            f"the gradient of {whose} with respect to {of}",
            f"one that differs by up to {difference:.3g}: is a part stopped, or rounded?",
        )


def one_for_each(given, measured):
    """Return as an array what an experiment measured; require one number for each `given`."""
    measured = numbers(list(measured.values()) if isinstance(measured, dict) else measured)
    same_shape(measured, np.shape(given))
    return measured


def mean_first(difference, axis):
    """Return the mistakes of an answer that takes the mean of a difference before its absolute value."""
    words = "the mean of the differences: take the absolute values first, then their mean"
    mean = difference.mean(axis=axis)
    return [(mean, words), (np.abs(mean), words)]


def ignores_padding(function, inputs, mask, tolerance=1e-5):
    """Require that what stands where `mask` is False changes nothing.

    Args:
        function: takes inputs `(batch, time, features)`.
        inputs: `(batch, time, features)`.
        mask: booleans `(batch, time)`, False for padding.
        tolerance: the largest difference that counts as equal.
    """
    padded = np.where(mask[..., None], inputs, inputs + 3).astype(inputs.dtype)
    difference = np.abs(numbers(function(padded)) - numbers(function(inputs))).max()
    if not difference <= tolerance:
        raise WrongAnswerError(
            "the same result whatever stands in the padding", f"results that differ by {difference:.3g}"
        )


def last_state_is_that_of_each_alone(function, inputs, mask, tolerance=1e-5):
    """Require that a sequence padded in a batch gives what it gives alone, without its padding.

    Args:
        function: takes inputs `(batch, time, features)` and a mask `(batch, time)`, gives `(batch, units)`.
        inputs: `(batch, time, features)`.
        mask: booleans `(batch, time)`, with padding anywhere.
        tolerance: the largest difference that counts as equal.
    """
    together = numbers(function(inputs, mask))
    for row, counts in enumerate(mask):
        alone = inputs[row : row + 1, counts]
        expected = numbers(function(alone, np.ones(alone.shape[:2], bool)))[0]
        if not _close(together[row], expected, tolerance):
            raise WrongAnswerError(
                "each sequence's state as if it stood alone, without its padding",
                f"another state for the sequence with the mask {counts.astype(int).tolist()}",
            )


def one_number(came, expected, mistakes=(), tolerance=1e-3, share=False, asked=None):
    """Require one number, and name the mistake where `came` is one that is known.

    Args:
        came: what the answer gave.
        expected: what is right; an integer where a whole number is asked for.
        mistakes: pairs of a number and the words for how one arrives at it.
        tolerance: the largest difference that counts as equal.
        share: whether the number is a share, which some give in per cent.
        asked: words for what is asked for, where the kind of the number and its digits do not help.
    """
    number = numbers(came)
    if number.shape:
        raise WrongAnswerError("one number", brief(came))
    if abs(number - expected) <= tolerance:
        return
    for value, words in mistakes:
        if abs(number - value) <= tolerance:
            raise WrongAnswerError(None, f"{number:.6g}, {words}")
    if isinstance(expected, Integral):
        kind = "a whole number"
    else:
        kind = "a share from 0 to 1, not in per cent" if share else "a number"
        kind += f", right to {round(-math.log10(tolerance))} digits after the point"
    raise WrongAnswerError(asked or kind, f"{number:.6g}")


@contextlib.contextmanager
def advised(advice):
    """Add to the message of an error what to write instead, where it is known.

    Args:
        advice: pairs of a pattern of the message, and what then helps.
    """
    try:
        yield
    except WrongAnswerError as error:
        for pattern, helps in advice:
            if pattern.search(error.came):
                raise WrongAnswerError(error.expected, f"{error.came} ({helps})") from error
        raise


def several(came, names):
    """Return a tuple or list, and require that it has as many entries as there are names."""
    if not isinstance(came, (tuple, list)):
        raise WrongAnswerError(f"{len(names)} results: {', '.join(names)}", f"one {type(came).__name__}")
    if len(came) != len(names):
        raise WrongAnswerError(f"{len(names)} results: {', '.join(names)}", f"{len(came)}")
    return came


def at_most(calls, function, words):
    """Return the function, and raise at a call more than `calls`, so that an endless loop has an end."""
    made = 0

    def counted(*arguments):
        nonlocal made
        made += 1
        if made > calls:
            raise WrongAnswerError(*words)
        return function(*arguments)

    return counted


def _close(one, other, tolerance):
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=0, atol=tolerance)
