"""Questions that every layer and data set asks of its arguments."""

import numbers
import warnings

import keras
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


def require_rate(name, value):
    """Return `value`, or raise a `ValueError` unless it is a share that leaves something: 0 <= value < 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be from 0 to below 1. Received: {name}={value!r}")
    return float(value)


def concrete(tensor):
    """Return the values of `tensor` as an array, or None inside a compiled function, where it has none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError, ValueError):
        return None


def require_mask(mask, shape, broadcast=True):
    """Refuse a mask that is not boolean, or not of this shape nor, if it may, one that broadcasts to it."""
    if mask is None:
        return
    shape, came, fits = tuple(shape), repr(mask), False
    if hasattr(mask, "shape"):
        had, dtype = tuple(mask.shape), keras.backend.standardize_dtype(mask.dtype)
        came = f"{dtype}{had}"
        wanted = shape[-len(had) :] if broadcast and had else shape
        fits = dtype == "bool" and agree(had, wanted, one_is_any=broadcast)
    if not fits:
        relation = "broadcast to" if broadcast else "have"
        raise ValueError(f"`mask` must be boolean and {relation} the shape {shape}. Received: mask={came}")


def agree(sizes, others, one_is_any=False):
    """Say whether sizes are equal, as far as they are known."""
    return len(sizes) == len(others) and all(
        size is None or other is None or size == other or (one_is_any and size == 1)
        for size, other in zip(sizes, others, strict=True)
    )


def require_three_axes(**shapes):
    """Refuse a shape that is not that of a batch of sequences of vectors."""
    for name, shape in shapes.items():
        if len(shape) != 3:
            raise ValueError(
                f"`{name}` must have the shape (batch, time, dim). Received: {name}={tuple(shape)}"
            )


def require_positions(name, first, sequence):
    """Return the positions of a sequence, `(1, T, 1)` or `(batch, T, 1)`, in float32.

    `first` is the position of its first vector: one whole number, or one for each row. Anything else is
    refused.
    """
    start = ops.convert_to_tensor(first)
    whole = "int" in keras.backend.standardize_dtype(start.dtype)
    if not whole or tuple(start.shape) not in ((), (sequence.shape[0],), (None,)):
        raise ValueError(f"`{name}` must be a whole number, or one for each row. Received: {name}={first}")
    start = ops.cast(ops.reshape(start, (-1, 1, 1)), "float32")
    return start + ops.arange(ops.shape(sequence)[1], dtype="float32")[:, None]
