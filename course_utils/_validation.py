"""Questions that every layer and data set asks of its arguments."""

import numbers
import warnings

from keras import ops


def require_whole(name, value, least=1):
    """Return `value` as an int, or raise a `ValueError` unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}")
    return int(value)


def require_one_of(name, value, choices):
    """Return `value`, or raise a `ValueError` unless it is one of `choices`."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"`{name}` must be one of {listed}. Received: {name}={value!r}")
    return value


def concrete(tensor):
    """Return the values of `tensor` as an array, or None inside a compiled function, where it has none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError, ValueError):
        return None
