"""Questions that every layer and data set asks of its arguments."""

import inspect
import numbers
import random
import warnings

import keras
import numpy as np
from keras import ops

MOST = 2**63 - 1  # what fits into an int64
SEQUENCES = {"query", "value", "key", "inputs", "sequences", "vectors", "memory"}  # as calls name them
MASKS = {"mask", "memory_mask"}
FLAGS = {"return_attention_scores", "use_causal_mask"}


def require_whole(name, value, least=1):
    """Return `value` as an int, or raise a `ValueError` unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}")
    if value > MOST:
        raise ValueError(f"`{name}` must be at most {MOST}. Received: {name}={value!r}")
    return int(value)


def require_one_of(name, value, choices):
    """Return `value`, or raise a `ValueError` unless it is one of `choices`."""
    if not (value is None or isinstance(value, str)) or value not in choices:
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


def require_mask(mask, shape, broadcast=True, name="mask"):
    """Refuse a mask that is not boolean, or not of this shape nor, if it may, one that broadcasts to it."""
    if mask is None:
        return
    shape, came, fits = tuple(shape), repr(mask), False
    if hasattr(mask, "shape"):
        had, dtype = tuple(mask.shape), _dtype(mask)
        came = f"{dtype}{had}"
        wanted = shape[-len(had) :] if broadcast and had else shape
        fits = dtype == "bool" and agree(had, wanted, one_is_any=broadcast)
    if not fits:
        relation = "broadcast to" if broadcast else "have"
        wanted = f"`{name}` must be boolean and {relation} the shape {shape}."
        raise ValueError(f"{wanted} Received: {name}={came}")


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
    start = ops.cast(ops.reshape(whole_positions(name, first, sequence.shape[0]), (-1, 1, 1)), "float32")
    return start + ops.arange(ops.shape(sequence)[1], dtype="float32")[:, None]


def whole_positions(name, first, batch=None):
    """Return positions as whole numbers, `()` or `(batch,)`. Anything else is refused."""
    values = concrete(first)
    tensor = hasattr(first, "dtype") if values is None else values.dtype.kind in "iu"
    start = ops.convert_to_tensor(first) if tensor else None
    whole = start is not None and "int" in keras.backend.standardize_dtype(start.dtype)
    if not whole or len(start.shape) > 1 or not agree(start.shape, [batch] * len(start.shape)):
        raise ValueError(f"`{name}` must be a whole number, or one for each row. Received: {name}={first!r}")
    if values is not None and (values < 0).any():
        raise ValueError(f"`{name}` must not be negative. Received: {name}={first!r}")
    return ops.cast(start, "int32")


def require_floats(name, tensor):
    """Return `tensor` in a float type, whole numbers in the default one; refuse what holds no numbers."""
    values = tensor if hasattr(tensor, "dtype") else concrete(tensor)
    dtype = _dtype(values)
    if not _of_numbers(dtype) or not len(values.shape):
        raise ValueError(f"`{name}` must be an array of numbers. Received: {name}={tensor!r}")
    return ops.convert_to_tensor(tensor, dtype if "float" in dtype else keras.backend.floatx())


def require_share(name, value):
    """Return `value`, or raise a `ValueError` unless it is a share that leaves both parts: 0 < value < 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < 1:
        raise ValueError(f"`{name}` must be above 0 and below 1. Received: {name}={value!r}")
    return float(value)


def require_flag(name, value):
    """Return `value` as a bool, or raise a `ValueError` unless it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={value!r}")
    return bool(value)


def require_number(name, value, or_none=False):
    """Return `value` as a float, or raise a `ValueError` unless it is a finite number, or None if it may."""
    if value is None and or_none:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not abs(value) < float("inf"):
        raise ValueError(
            f"`{name}` must be a number{' or None' if or_none else ''}. Received: {name}={value!r}"
        )
    return float(value)


def require_ids(**sequences):
    """Refuse ids that are not `(batch, time)` with one batch size, or known not to be whole numbers."""
    shapes = {name: tuple(getattr(ids, "shape", np.shape(ids))) for name, ids in sequences.items()}
    for name, ids in sequences.items():
        values = concrete(ids)
        if len(shapes[name]) != 2 or shapes[name][1] == 0:
            raise ValueError(f"`{name}` must be ids `(batch, time)`. Received: {name}={shapes[name]}")
        if values is not None and (values.dtype.kind not in "iuf" or (values != np.floor(values)).any()):
            raise ValueError(f"`{name}` must be whole numbers. Received: {name}={values.dtype}{shapes[name]}")
    first, *others = shapes.values()
    for other in others:
        if not agree(first[:1], other[:1]):
            came = ", ".join(f"{name}={shape}" for name, shape in shapes.items())
            raise ValueError(
                f"There must be as many {' as '.join(f'`{name}`' for name in shapes)}. Received: {came}"
            )


def require_shape(name, shape, axes, wanted):
    """Refuse a shape unless it agrees with the sizes that are wanted, None where any will do."""
    if not agree(shape, wanted):
        sizes = ", ".join(str(size or axis) for size, axis in zip(wanted, axes, strict=True))
        raise ValueError(f"`{name}` must have the shape ({sizes}). Received: {name}={tuple(shape)}")


def require_numbers(name, values, axes=None, finite=False):
    """Return `values` as an array, or raise a `ValueError` unless it is numbers, some, none of them NaN.

    `axes` is how many axes it must have; without it, any number. `finite` leaves no infinity either.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # of rows of different lengths
        array = np.array(None)
    if array.dtype.name == "bfloat16":  # NumPy does not count it among the numbers
        array = array.astype("float32")
    wanted = "numbers" if axes is None else f"numbers with {axes} {'axis' if axes == 1 else 'axes'}"
    if array.dtype.kind not in "biuf" or not array.size or axes not in (None, array.ndim):
        came = f"{array.dtype}{array.shape}" if array.dtype.kind in "biuf" else f"{values!r:.80}"
        raise ValueError(f"`{name}` must be {wanted}, not empty. Received: {name}={came}")
    if np.isnan(array).any():
        raise ValueError(f"`{name}` must be {wanted}, without NaN. Received: {name} with NaN")
    if finite and np.isinf(array).any():
        raise ValueError(f"`{name}` must be {wanted}, finite. Received: {name} with infinity")
    return array


def require_items(name, items):
    """Return `items` as a list, or raise a `ValueError` unless it is a flat list or array, not empty."""
    listed = isinstance(items, (list, tuple, range)) or len(getattr(items, "shape", ())) == 1
    if not listed or not len(items) or any(isinstance(each, (list, tuple)) for each in items):
        raise ValueError(f"`{name}` must be a list, not empty. Received: {name}={items!r:.80}")
    return list(items)


def initializer(name, given):
    """Return an initializer, but a name as it is: its seed is drawn when the weight is made."""
    state = random.getstate()
    found = require_known(name, keras.initializers.get, given)
    if isinstance(given, str):
        random.setstate(state)  # as if none had been made
        return given
    return found


def require_known(name, get, given):
    """Return what Keras' function `get` makes of `given`, or raise a `ValueError` that names the argument."""
    try:
        return get(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be one that Keras knows. Received: {name}={given!r:.80}") from error


def require_tensor(name, value, what="an array of numbers"):
    """Refuse what is no array or tensor of numbers."""
    if not hasattr(value, "shape") or not _of_numbers(_dtype(value)):
        came = f"{_dtype(value)}{tuple(value.shape)}" if hasattr(value, "shape") else f"{value!r:.80}"
        raise ValueError(f"`{name}` must be {what}. Received: {name}={came}")


class NamedArguments:
    """A layer that refuses by name, before Keras looks at it, what is no tensor, no mask or no flag.

    Attributes:
        sized: the arguments whose vectors must be of the size for which the weights were made.
        least_steps: how short a sequence may be.
    """

    sized = ("inputs", "sequences", "vectors", "memory", "value")
    least_steps = 0

    def __call__(self, *args, **kwargs):
        """Call the layer; whole numbers in the place of vectors are made floats."""
        parameters = inspect.signature(self.call).parameters
        places = {name: place for place, name in enumerate(parameters) if place < len(args)}
        args = list(args)
        for name, parameter in parameters.items():
            given, key = (args, places[name]) if name in places else (kwargs, name)
            value = given[key] if name in places or name in kwargs else parameter.default
            if value is parameter.default:
                continue
            if name in SEQUENCES:
                given[key] = self._sequence(name, value)
            elif name == "ids":
                require_tensor(name, value, "whole numbers")
            elif name in MASKS and _dtype(value) == "object" and hasattr(value, "shape"):
                raise ValueError(f"`{name}` must be boolean. Received: {name}={value!r:.80}")
            elif name in FLAGS:
                require_flag(name, value)
        return super().__call__(*args, **kwargs)

    def _sequence(self, name, value):
        require_tensor(name, value)
        if name == "sequences" and len(value.shape) != 3:
            return value  # recurrent layers say themselves what they read
        require_three_axes(**{name: value.shape})
        if value.shape[1] is not None and value.shape[1] < self.least_steps:
            raise ValueError(f"`{name}` must have at least one step. Received: {name}={tuple(value.shape)}")
        if name in self.sized and self.built:
            config = self.get_build_config() or {}
            shapes = config.get("shapes_dict", {f"{name}_shape": config.get("input_shape")})
            built = shapes.get(f"{name}_shape") or (None,)
            if not agree(built[-1:], value.shape[-1:]) and self.weights:
                require_shape(name, value.shape, ("batch", "time", "dim"), (None, None, built[-1]))
        return ops.cast(value, self.compute_dtype) if "int" in _dtype(value) else value


def _dtype(tensor):
    dtype = getattr(tensor, "dtype", "object")
    if getattr(dtype, "kind", None) in ("O", "U", "S"):  # which Keras has no name for
        return str(dtype)
    return dtype if isinstance(dtype, str) else keras.backend.standardize_dtype(dtype)


def _of_numbers(dtype):
    return dtype.startswith(("float", "bfloat", "int", "uint"))
