"""Two networks before training: how much of a small difference goes forward, and of the gradient back."""

import base64
import functools
from typing import NamedTuple

import keras
import numpy as np
from keras import initializers

from course_utils import measure
from course_utils._validation import require_number, require_one_of, require_whole
from course_utils.live._page import as_json, page
from course_utils.recurrent import LSTMCell, SimpleRNNCell

UNITS, FEATURES, SEQUENCES = 16, 4, 4
SEED = 3
TABLE = {"SimpleRNN": (0.5, 1.0, 1.5), "LSTM": (0, 1, 3, 5)}  # as in lessons 03 and 04
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOTE = """\
Solid, to the right: what is left of a small difference of the first state. Dashed, to the left: how much of
the gradient of the last state arrives. Each line starts at 1. Between two marks of the axis lies a factor of
1,000."""
CODE = "date_reader.js", "fading.js", "fading_figure.js"  # the first reads float16, and has x W + b
START = """\
const networks = new Fading({model});
const settings = {settings};
for (const box of document.querySelectorAll(".fading:not(.live)")) showFading(box, networks, settings);"""


class Slider(NamedTuple):
    """What one can turn: its name, from where to where, and in which steps."""

    name: str
    least: float
    most: float
    step: float

    def at(self, value):
        """Return the slider as the script takes it, with what it stands at."""
        return {**self._asdict(), "value": value}


TURNED = {
    "SimpleRNN": Slider("gain", 0.5, 1.6, 0.05),
    "LSTM": Slider("forget bias", 0, 5, 0.1),
}
SIZE, STEPS = Slider("size of the inputs", 0, 2, 0.1), Slider("steps", 5, 60, 1)


def fading(network="SimpleRNN", gain=1.0, forget_bias=1.0, size=0.1, steps=50):
    """Show how much of a small difference is left, and how much gradient arrives, with sliders to turn.

    Where scripts do not run, a table of several gains and forget biases stands there, for this size of the
    inputs and these steps.

    Args:
        network: the one to begin with, "SimpleRNN" or "LSTM". Both are untrained, of 16 units.
        gain: by what the orthogonal recurrent matrix of the SimpleRNN is multiplied, from 0.5 to 1.6.
        forget_bias: of the LSTM, from 0 to 5.
        size: the standard deviation of the inputs, from 0 to 2.
        steps: how many, from 5 to 60.

    Returns:
        A `Page`.

    Raises:
        ValueError: there is no such network, or a number is not in its range.
    """
    network = require_one_of("network", network, tuple(TURNED))
    turned = {
        "SimpleRNN": _within("gain", gain, TURNED["SimpleRNN"]),
        "LSTM": _within("forget_bias", forget_bias, TURNED["LSTM"]),
    }
    size, steps = _within("size", size, SIZE), require_whole("steps", steps, STEPS.least)
    _within("steps", steps, STEPS)
    settings = {
        "network": network,
        "turned": {name: slider.at(turned[name]) for name, slider in TURNED.items()},
        "others": {"size": SIZE.at(size), "steps": STEPS.at(steps)},
        "note": NOTE,
    }
    start = START.format(model=as_json(networks()), settings=as_json(settings))
    return page("fading", "fading.css", table(size, steps), CODE, start)


def networks():
    """Return both networks and their inputs as the script takes them: float16, the same at every call."""
    inputs, weights = _drawn()
    kept = {
        f"{network}.{name}": _kept(array)
        for network, arrays in weights.items()
        for name, array in zip(("kernel", "recurrent_kernel"), arrays, strict=True)
    }
    return {"weights": {**kept, "inputs": _kept(inputs.reshape(-1, FEATURES))}, "sequences": SEQUENCES}


def faded(network, turned, size=0.1, steps=50):
    """Let Python measure what the figure shows, with the cells of the course in float64.

    The first state is that after a step of zeros. A difference in each number of it, in the cell state of the
    LSTM, is carried forward by the derivative of each step, as if it were endlessly small. What is left is
    its norm, averaged geometrically over the sequences. The gradient is `measure.gradient_by_distance`.

    Args:
        network: "SimpleRNN" or "LSTM".
        turned: the gain of the SimpleRNN, or the forget bias of the LSTM.
        size: the standard deviation of the inputs.
        steps: how many.

    Returns:
        What is left after each step, and what arrives at each, `(steps + 1,)` each, from the first state on.

    Raises:
        ValueError: there is no such network, or a number is not in the range of its slider.
    """
    network = require_one_of("network", network, tuple(TURNED))
    turned, size = _within("turned", turned, TURNED[network]), _within("size", size, SIZE)
    steps = require_whole("steps", steps, STEPS.least)
    _within("steps", steps, STEPS)
    cell = _cell(network, turned)
    inputs = size * _drawn()[0][:, : steps + 1]
    return _difference_left(cell, inputs), measure.gradient_by_distance(cell, inputs)[::-1]


def table(size, steps):
    """Return a table that needs no script: what is left and what arrives, for several gains and biases."""
    head = "<tr><td></td><th>of the difference is left</th><th>of the gradient arrives</th></tr>"
    rows = [
        f"<tr><th>{network}, {TURNED[network].name} {turned}</th>{_ends(network, turned, size, steps)}"
        for network, values in TABLE.items()
        for turned in values
    ]
    said = f"After {steps} steps, with inputs of size {size:g}: more than 1 means that it has grown."
    lines = "\n".join([head, *rows])
    return f'<table class="still">\n<caption>{said}</caption>\n{lines}\n</table>'


def in_words(value):
    """Return a positive number with two digits, as the figure tells it: `0.0031`, `7.2 · 10⁻¹³`."""
    digits, power = f"{value:.1e}".split("e")
    if -4 <= int(power) < 4:
        return f"{float(f'{value:.2g}'):,.5f}".rstrip("0").rstrip(".")
    return f"{float(digits):g} · 10{str(int(power)).translate(SUPERSCRIPT)}"


def _ends(*setting):
    left, arrived = faded(*setting)
    return f"<td>{in_words(left[-1])}</td><td>{in_words(arrived[0])}</td></tr>"


@functools.cache
def _drawn():
    """Return the inputs, `(sequences, steps, features)`, and the kernels of each network, all from float16.

    The first step of the inputs is zeros, so that both networks begin at a state of zeros.
    """
    inputs = np.random.default_rng(SEED).normal(size=(SEQUENCES, 1 + STEPS.most, FEATURES))
    inputs[:, 0] = 0
    start, turn = initializers.GlorotUniform(SEED), initializers.Orthogonal(seed=SEED)
    weights = {
        network: [start((FEATURES, width)), turn((UNITS, width))]
        for network, width in {"SimpleRNN": UNITS, "LSTM": 4 * UNITS}.items()
    }
    return _rounded(inputs), {name: list(map(_rounded, arrays)) for name, arrays in weights.items()}


def _cell(network, turned):
    kernel, recurrent_kernel = _drawn()[1][network]
    if network == "SimpleRNN":
        cell, bias = SimpleRNNCell(UNITS, dtype="float64"), np.zeros(UNITS)
        recurrent_kernel = turned * recurrent_kernel
    else:
        cell, bias = LSTMCell(UNITS, dtype="float64"), turned * np.repeat([0, 1, 0, 0], UNITS)
    cell.build((None, FEATURES))
    cell.set_weights([kernel, recurrent_kernel, bias])
    return cell


def _difference_left(cell, inputs):
    import tensorflow as tf

    states = cell(inputs[:, 0], cell.get_initial_state(len(inputs)))[1]
    moved = [*map(keras.ops.zeros_like, states[:-1]), keras.ops.ones_like(states[-1])]
    with tf.autodiff.ForwardAccumulator(states, moved) as accumulator:
        every_step = [states]
        for step in range(1, inputs.shape[1]):
            every_step.append(cell(inputs[:, step], every_step[-1])[1])
    norms = [np.linalg.norm(accumulator.jvp(states[-1]), axis=-1) for states in every_step]
    mean = np.exp(np.log(norms).mean(axis=1))
    return mean / mean[0]


def _within(name, value, slider):
    value = require_number(name, value)
    if not slider.least <= value <= slider.most:
        raise ValueError(f"`{name}` must be from {slider.least} to {slider.most}. Received: {name}={value!r}")
    return value


def _rounded(array):
    return np.asarray(array, "float16").astype("float64")


def _kept(array):
    narrow = np.asarray(array, "<f2")
    return {"shape": list(narrow.shape), "float16": base64.b64encode(narrow.tobytes()).decode()}
