"""Properties that a cell written by a learner must have: those for which the package's own are tested.

The exercise gives the name of the same cell in Keras, whose weights the answer must have, and with which it
is compared.
"""

import contextlib
import functools
import logging
import re
import tempfile
import traceback
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import ops

from course_utils import measure
from course_utils.exercises import properties
from course_utils.exercises.exercise import NotTriedError, WrongAnswerError, brief, described

UNITS, FEATURES, ROWS = 4, 2, 3  # all different, so that a product in the wrong order has no result
OTHER_UNITS, OTHER_FEATURES, OTHER_ROWS, STEPS = 5, 3, 2, 6
MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 1, 1, 1]], bool)
NUMPY_CALL = re.compile(r"\b(?:np|numpy)\.(\w+(?:\.\w+)*)\(")
SIZES_DIFFER = re.compile(
    "size-incompatible|matmul|dimensions must be equal|incompatible shapes", re.IGNORECASE
)
ROWS_OF_BIAS = re.compile(rf"\[{ROWS},(\d+)\] vs\.? \[2,\1\]")  # a GRU's bias has two
LIBRARY = re.compile(r"(?:site|dist)-packages")
NUMPY_IN_GENERAL = "NumPy: write ops.tanh for np.tanh, and so on"
NOT_IN_A_GRAPH = re.compile(
    r"symbolic .*numpy|numpy.*symbolic|no attribute 'numpy'|numpy\(\) is only available", re.IGNORECASE
)


def beside_its_numbers(name, states):
    """Return what any cell must have beside the numbers of its step: sentences and what requires each.

    Args:
        name: that of Keras' own cell.
        states: the names of its states.
    """
    read = f"{', '.join(['x', *states[:-1]])} and {states[-1]}"
    return [
        (
            "is written with keras.ops, so that it can be compiled",
            functools.partial(can_be_compiled, name=name, states=states),
        ),
        (
            f"has the gradients of Keras' {name}: for {read}",
            functools.partial(has_gradients, name=name, states=states),
        ),
        (
            f"goes over a sequence as Keras' {name} does, and padding changes nothing",
            functools.partial(goes_over_a_sequence, name=name),
        ),
        ("trains inside a compiled model", functools.partial(trains, name=name)),
        ("computes the same in a model that was saved and loaded", functools.partial(comes_back, name=name)),
    ]


def like_keras(name, units, features):
    """Return Keras' own cell with weights in which no two numbers are equal."""
    described_as = {"module": "keras.layers", "class_name": name, "registered_name": None}
    cell = keras.layers.deserialize({**described_as, "config": {"units": units}})
    cell.build((None, features))
    rng = np.random.default_rng(units)
    cell.set_weights([rng.normal(size=weight.shape).astype("float32") for weight in cell.weights])
    return cell


def made(answer, name, units=UNITS, features=FEATURES):
    """Make the learner's cell, with the weights of Keras' own, and return both."""
    wanted = like_keras(name, units, features)
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    cell = answer(units)
    if not isinstance(cell, keras.layers.Layer):
        raise WrongAnswerError(
            "a class that inherits from keras.layers.Layer", f"one that makes {brief(cell)}"
        )
    with no_error():
        cell.build((None, features))
        sizes = getattr(cell, "state_size", None)
    shapes = [tuple(weight.shape) for weight in cell.weights]
    if shapes != [tuple(weight.shape) for weight in wanted.weights]:
        listed = ", ".join(f"{weight.name} {tuple(weight.shape)}" for weight in wanted.weights)
        raise WrongAnswerError(f"the weights of the stub, for {units} units {listed}", f"{shapes}")
    if list(np.ravel(sizes)) != list(np.ravel(wanted.state_size)):
        raise WrongAnswerError(f"state_size {wanted.state_size}", f"{sizes}")
    cell.set_weights(wanted.get_weights())
    return cell, wanted


def one_step(count):
    """Return inputs and that many states of one step, each an array, in which no two numbers are equal."""
    rng = np.random.default_rng(count)
    sizes = [FEATURES, *[UNITS] * count]
    return [rng.normal(size=(ROWS, size)).astype("float32") for size in sizes]


def gives_output_and_states(answer, name, states):
    """Require the output and a list of the new states, by their names in `states`, and return all."""
    cell, _ = made(answer, name)
    inputs, *before = one_step(len(states))
    weights = cell.get_weights()
    with no_error(stub=True):
        returned = cell(inputs, before)
    asked = f"{states[0]}, and the list [{', '.join(states)}]"
    if returned is None:
        raise WrongAnswerError(asked, "None: is a return missing?")
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        written = f"write `return {states[0]}, [{', '.join(states)}]`"
        came = f"{len(returned)} results" if isinstance(returned, (tuple, list)) else brief(returned)
        raise WrongAnswerError(asked, f"{came}: {written}")
    output, after = returned
    if not isinstance(after, (tuple, list)):
        raise WrongAnswerError(asked, f"{states[0]}, and no list: the states stand in a list, even one alone")
    if len(after) != len(states):
        raise WrongAnswerError(asked, f"a list of {len(after)}")
    for each in (output, *after):
        if isinstance(each, np.ndarray):
            can_be_compiled(answer, name, states)
            raise WrongAnswerError("tensors", NUMPY_IN_GENERAL)
        if np.shape(each) == (len(states), ROWS, UNITS):
            raise WrongAnswerError(
                f"shape {(ROWS, UNITS)}", f"shape {np.shape(each)}: `states` is a list, take states[0]"
            )
        properties.same_shape(each, (ROWS, UNITS))
    given = [ops.convert_to_tensor(state) for state in before]
    kept = list(given)
    with no_error():
        again, _ = cell.call(ops.convert_to_tensor(inputs), kept)
    if not all(map(np.array_equal, weights, cell.get_weights())):
        raise WrongAnswerError("the weights as they were before the call", "other weights")
    if not np.allclose(again, output, atol=1e-5, equal_nan=True):
        raise WrongAnswerError("the same result for the same step", "another: is a state kept on `self`?")
    if len(kept) != len(given) or any(now is not was for now, was in zip(kept, given, strict=True)):
        raise WrongAnswerError("the list `states` as it was before the call", "a change in it")
    return [properties.numbers(each) for each in (output, *after)]


def can_be_compiled(answer, name, states):
    """Require that a step can be traced, as a compiled model does: with `keras.ops`, not with NumPy."""
    cell, _ = made(answer, name)
    with no_error():
        cell(keras.Input((FEATURES,)), [keras.Input((UNITS,)) for _ in states])


def has_gradients(answer, name, states):
    """Require the gradients of Keras' own cell with respect to the inputs and each state."""
    cell, wanted = made(answer, name)
    arrays = one_step(len(states))
    weights = np.random.default_rng(7).normal(size=(len(states), ROWS, UNITS)).astype("float32")
    for place, of in enumerate(("the inputs", *(f"{state} of the step before" for state in states))):

        def total(tensor, cell=cell, place=place):
            inputs, *before = [*arrays[:place], tensor, *arrays[place + 1 :]]
            return sum(map(ops.multiply, weights, cell(inputs, before)[1]))

        with no_error():
            came = measure.gradient(total, arrays[place])
        expected = measure.gradient(lambda tensor, total=total: total(tensor, wanted), arrays[place])
        properties.same_gradient(came, expected, of, "Keras' cell")


def goes_over_a_sequence(answer, name):
    """Require the states of Keras' own cell after many steps, some of them masked, at other sizes."""
    cell, wanted = made(answer, name, OTHER_UNITS, OTHER_FEATURES)
    inputs = np.random.default_rng(1).normal(size=(OTHER_ROWS, STEPS, OTHER_FEATURES)).astype("float32")
    layer, of_keras = (keras.layers.RNN(each, return_state=True) for each in (cell, wanted))
    with no_error():
        came = [properties.numbers(each) for each in layer(inputs, mask=MASK)]
    for one, expected in zip(came, of_keras(inputs, mask=MASK), strict=True):
        difference = np.abs(one - np.asarray(expected)).max()
        if not difference <= 1e-4:
            raise WrongAnswerError(
                f"the states of Keras' cell after {STEPS} steps, within 0.0001",
                f"states that differ by up to {difference:.3g}: is a number of units, features or rows "
                "written out in `call`?",
            )
    with no_error():
        properties.ignores_padding(lambda padded: layer(padded, mask=MASK)[0], inputs, MASK)


def trains(answer, name):
    """Require that one step of training inside a compiled model changes every weight."""
    cell, _ = made(answer, name, OTHER_UNITS, OTHER_FEATURES)
    before = cell.get_weights()
    inputs = np.random.default_rng(2).normal(size=(OTHER_ROWS, STEPS, OTHER_FEATURES)).astype("float32")
    with no_error(), _without_warnings_of_tracing():
        model = keras.Sequential([keras.Input((STEPS, OTHER_FEATURES)), keras.layers.RNN(cell)])
        model.compile("sgd", "mse", jit_compile=False)
        model.train_on_batch(inputs, np.ones((OTHER_ROWS, OTHER_UNITS), "float32"))
    for weight, was in zip(cell.weights, before, strict=True):
        if np.array_equal(properties.numbers(weight), was):
            raise WrongAnswerError("every weight changed by a step of training", f"the same {weight.name}")


def comes_back(answer, name):
    """Require that a model with the cell is saved, and computes the same when it is loaded."""
    cell, _ = made(answer, name, OTHER_UNITS, OTHER_FEATURES)
    inputs = np.random.default_rng(3).normal(size=(OTHER_ROWS, STEPS, OTHER_FEATURES)).astype("float32")
    with no_error(), tempfile.TemporaryDirectory() as folder:
        model = keras.Sequential([keras.Input((STEPS, OTHER_FEATURES)), keras.layers.RNN(cell)])
        model.save(Path(folder) / "model.keras")
        written = {type(cell).__name__: type(cell)}
        loaded = keras.saving.load_model(Path(folder) / "model.keras", custom_objects=written)
        before, after = (properties.numbers(each(inputs)) for each in (model, loaded))
    if not np.allclose(before, after, atol=1e-6):
        raise WrongAnswerError(
            "the outputs of before", "others: is something computed from that is neither argument nor weight?"
        )


@contextlib.contextmanager
def no_error(stub=False, in_cell=True):
    """Make a wrong answer of whatever is raised; of a stub's `NotImplementedError`, "not tried yet".

    Args:
        stub: whether the answer is called for the first time.
        in_cell: whether the answer is a cell, so that its products can be advised on.
    """
    shortened = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # which would hide the learner's line
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            yield
    except WrongAnswerError:
        raise
    except Exception as error:
        if stub and isinstance(error, NotImplementedError):
            raise NotTriedError from error
        if NOT_IN_A_GRAPH.search(str(error)):
            raise WrongAnswerError(
                "keras.ops, which can be compiled and has gradients", _numpy_behind(error)
            ) from error
        advice = _advice(error) if in_cell else ""
        raise WrongAnswerError("no error", f"{described(error)}{advice}") from error
    finally:
        if shortened:
            keras.config.enable_traceback_filtering()


@contextlib.contextmanager
def advised(advice, stub=False):
    """Make a wrong answer of whatever is raised, with what to write instead where it is known.

    Args:
        advice: as in `properties.advised`.
        stub: as in `no_error`.
    """
    with properties.advised(advice), no_error(stub, in_cell=False):
        yield


@contextlib.contextmanager
def _without_warnings_of_tracing():
    """Keep TensorFlow from warning that each new check traces a new model."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _advice(error):
    if ROWS_OF_BIAS.search(str(error)):
        return " (the bias has two rows: `self.bias[0]` joins the inputs, `self.bias[1]` the state)"
    if SIZES_DIFFER.search(str(error)):
        return (
            " (inputs go with kernel, states[0] with recurrent_kernel, and stand first: "
            "matmul(inputs, kernel); each block has `units` columns)"
        )
    return ""


def _numpy_behind(error):
    """Name the functions of NumPy in the learner's line from which an error comes, and what to write."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line or "" for frame in frames if not LIBRARY.search(frame.filename)]
    return next(filter(None, map(_instead, reversed(lines))), NUMPY_IN_GENERAL)


def _instead(line):
    """Return what to write for the functions of NumPy in a line, or None where it has none."""
    found = dict.fromkeys(NUMPY_CALL.findall(line))
    if not found:
        return None
    known = [f"ops.{name} for np.{name}" for name in found if hasattr(ops, name)]
    return f"NumPy: write {', '.join(known or [f'keras.ops for np.{name}' for name in found])}"
