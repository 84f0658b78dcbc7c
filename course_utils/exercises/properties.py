"""Properties that answers and layers must have. The exercises and the package's tests share them."""

import numpy as np

from course_utils.exercises.exercise import WrongAnswerError


def same_shape(came, expected):
    """Require an array of the shape `expected`."""
    shape = np.shape(came)
    if shape != tuple(expected):
        raise WrongAnswerError(f"shape {tuple(expected)}", f"shape {shape}")


def same_values(came, expected, mistakes=(), tolerance=1e-5):
    """Require the values `expected`, and name the mistake where `came` is one that is known.

    Args:
        came: what the answer gave.
        expected: what is right.
        mistakes: pairs of values and the words for what was done to get them.
        tolerance: the largest difference that counts as equal.
    """
    same_shape(came, np.shape(expected))
    if _close(came, expected, tolerance):
        return
    for values, words in mistakes:
        if _close(came, values, tolerance):
            raise WrongAnswerError("something else", words)
    difference = np.abs(np.asarray(came, "float64") - expected).max()
    raise WrongAnswerError(f"values within {tolerance:g}", f"values that differ by up to {difference:.3g}")


def ignores_padding(function, inputs, mask, tolerance=1e-5):
    """Require that what stands where `mask` is False changes nothing.

    Args:
        function: takes inputs `(batch, time, features)`.
        inputs: `(batch, time, features)`.
        mask: booleans `(batch, time)`, False for padding.
        tolerance: the largest difference that counts as equal.
    """
    padded = np.where(mask[..., None], inputs, inputs + 3).astype(inputs.dtype)
    difference = np.abs(np.asarray(function(padded)) - np.asarray(function(inputs))).max()
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
    together = np.asarray(function(inputs, mask))
    for row, counts in enumerate(mask):
        alone = inputs[row : row + 1, counts]
        expected = np.asarray(function(alone, np.ones(alone.shape[:2], bool)))[0]
        if not _close(together[row], expected, tolerance):
            raise WrongAnswerError(
                "each sequence's state as if it stood alone, without its padding",
                f"another state for the sequence with the mask {counts.astype(int).tolist()}",
            )


def one_number(came, expected, mistakes, tolerance=1e-3):
    """Require one number, and name the mistake where `came` is one that is known.

    Args:
        came: what the answer gave.
        expected: what is right.
        mistakes: pairs of a number and the words for how one arrives at it.
        tolerance: the largest difference that counts as equal.
    """
    try:
        number = float(came)
    except (TypeError, ValueError):
        raise WrongAnswerError("one number", repr(came)) from None
    if abs(number - expected) <= tolerance:
        return
    for value, words in mistakes:
        if abs(number - value) <= tolerance:
            raise WrongAnswerError("another number", f"{number:.6g}, {words}")
    raise WrongAnswerError("another number", f"{number:.6g}")


def _close(one, other, tolerance):
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=0, atol=tolerance)
