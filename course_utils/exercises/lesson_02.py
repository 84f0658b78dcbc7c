"""Exercises of lesson 02, the simple recurrent network."""

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


class MyRNNCell(keras.layers.Layer):
    """One step of a simple recurrent network: the next state from the inputs and the state before."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units]

    def build(self, input_shape):
        """Make the weights: W_x, W_h and b."""
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, self.units), "orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, inputs, states):
        """From `inputs` x_t and `states` [h_{t-1}], return h_t, and the list [h_t]."""
        z = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel) + self.bias
        h = ops.tanh(z)
        return h, [h]


def rnn_loop(cell, inputs, mask):
    """Return the state after every step, `(batch, time, units)`.

    `inputs` are `(batch, time, features)`; `mask` is `(batch, time)`, False for padding: there the state
    stays as it was. `cell(x, [h])` gives the next h, and the list of it. Begin with zeros, `cell.units` wide.
    """
    h = ops.zeros((inputs.shape[0], cell.units))
    states = []
    for t in range(inputs.shape[1]):
        after, _ = cell(inputs[:, t], [h])
        h = ops.where(mask[:, t, None], after, h)
        states.append(h)
    return ops.stack(states, axis=1)


def windows(series, length):
    """Return every window of `length` values, `(n, length)`, and the value to forecast from each, `(n,)`."""
    inputs = np.array([series[start : start + length] for start in range(len(series) - length)])
    labels = series[length:]
    return inputs, labels


def trace_experiment(distances, inputs, cell):
    """Measure how much of a word is left in the last state, for each distance of the word from the end.

    `inputs` are `(steps, batch, features)`: time comes first. `cell(x, [h])` gives the next h, and the list
    of it. Run the cell over `inputs` from zeros, `cell.units` wide. For each distance run it again with zeros
    in place of the word that many steps before the last one. What is left: the mean absolute difference of
    the two last h. Return one number for each distance, in a list.
    """

    def last_state(words):
        h = np.zeros((words.shape[1], cell.units), "float32")
        for x in words:
            h, _ = cell(x, [h])
        return h

    left = []
    for distance in distances:
        without = inputs.copy()
        without[len(inputs) - 1 - distance] = 0
        left.append(float(ops.mean(ops.abs(last_state(inputs) - last_state(without)))))
    return left


STATES = ("h",)
RNN = "SimpleRNNCell"


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _wrong_steps(x, h, kernel, recurrent_kernel, bias):
    """Return pairs of (output, next state) and the words for how one comes to them."""
    from_x, from_h = x @ kernel, h @ recurrent_kernel
    z = from_x + from_h + bias
    new = np.tanh(z)
    both = (
        (np.tanh(from_x + from_h), "the bias is forgotten"),
        (np.tanh(from_x + bias), "h and the recurrent kernel are forgotten: the cell remembers nothing"),
        (np.tanh(from_x), "h, the recurrent kernel and the bias are forgotten"),
        (np.tanh(from_h + bias), "the inputs and the kernel are forgotten: the cell reads nothing"),
        (z, "no tanh: h is tanh(inputs kernel + h recurrent_kernel + bias)"),
        (from_x + from_h, "neither tanh nor bias: h is tanh(inputs kernel + h recurrent_kernel + bias)"),
        (_sigmoid(z), "the sigmoid in place of the tanh"),
        (np.maximum(z, 0), "a relu in place of the tanh"),
        (np.tanh(from_x + h @ recurrent_kernel.T + bias), "h times W_h transposed: multiply by W_h as it is"),
        (np.tanh(from_x + h + bias), "h without the recurrent kernel"),
        (np.tanh(from_x + from_h - bias), "the bias subtracted: it is added"),
        (np.tanh(from_x - from_h + bias), "h times its kernel subtracted: it is added"),
        (np.tanh(from_x * from_h + bias), "the two products multiplied: they are added"),
        (np.tanh(from_x) + np.tanh(from_h) + bias, "a tanh on each product: one tanh, on the sum"),
        (np.tanh(from_x) + from_h + bias, "the tanh on the inputs alone: it belongs on the whole sum"),
        (from_x + np.tanh(from_h) + bias, "the tanh on h alone: it belongs on the whole sum"),
        (np.tanh(from_x + from_h) + bias, "the bias outside the tanh: it is added inside"),
        (np.tanh(from_x + bias) + from_h, "h outside the tanh: it is added inside"),
        (np.tanh(new), "the tanh twice"),
        (h + new, "the old h added: the state is written anew at every step"),
        ((h + new) / 2, "the mean of old and new h: the state is written anew at every step"),
        (h, "the old h in place of the new one"),
    )
    yield from (((each, each), words) for each, words in both)
    yield (new, h), "the old h in the list"
    yield (h, new), "the old h as the output"
    yield (new, z), "the sum before the tanh in the list: the next step reads h"
    yield (z, new), "the sum before the tanh as the output"
    yield (new, x), "the inputs in the list"


def _returns_h_and_the_list_of_it(answer):
    cells.gives_output_and_states(answer, RNN, STATES)


def _has_the_numbers_of_a_step(answer):
    output, state = cells.gives_output_and_states(answer, RNN, STATES)
    x, h = cells.one_step(1)
    weights = cells.like_keras(RNN, cells.UNITS, cells.FEATURES).get_weights()
    expected = np.tanh(x @ weights[0] + h @ weights[1] + weights[2])
    if _near(output, expected) and _near(state, expected):
        return
    for (wrong_output, wrong_state), words in _wrong_steps(x, h, *weights):
        if _near(output, wrong_output) and _near(state, wrong_state):
            raise WrongAnswerError(None, words)
    if not _near(output, state):
        raise WrongAnswerError("the new h as the output, and alone in the list", "two that differ")
    raise WrongAnswerError(
        "h = tanh(inputs kernel + h recurrent_kernel + bias)",
        f"h off by up to {np.abs(output - expected).max():.3g}",
    )


def _near(one, other):
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=0, atol=1e-4)


class _NumpyCell:
    """A cell without Keras, so that a check is quick and can be copied."""

    def __init__(self, kernel, recurrent_kernel, bias, activation=np.tanh):
        self.weights = kernel, recurrent_kernel, bias
        self.units, self.activation = len(bias), activation

    def __call__(self, inputs, states):
        """Go one step."""
        if not isinstance(states, (list, tuple)):
            raise WrongAnswerError("cell(x, [h]), with h in a list", f"{_shape_of(states)} in its place")
        x, h = properties.numbers(inputs), properties.numbers(states[0])
        kernel, recurrent_kernel, bias = self.weights
        properties.same_shape(x, (len(x), len(kernel)))
        properties.same_shape(h, (len(x), self.units))
        h = self.activation(x @ kernel + h @ recurrent_kernel + bias).astype("float32")
        return h, [h]


def _shape_of(array):
    return f"an array of shape {np.shape(array)}"


SHAPES_DIFFER = re.compile("broadcast|incompatible shapes", re.IGNORECASE)
RNG = np.random.default_rng(2)
CELL = _NumpyCell(RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)) / 2, RNG.normal(size=4))
X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
FULL = np.ones((2, 5), bool)
RIGHT = np.arange(5) < np.array([[4], [2]])
GAPS = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]], bool)


def _run(x, mask, start=0.0, carried=True, padding="stays"):
    """Return the states of a run that may forget to carry h on, or take padding for something else."""
    h, states = np.full((len(x), CELL.units), start), []
    for t in range(x.shape[1]):
        after, _ = CELL(x[:, t], [h if carried else 0 * h])
        h = np.where(mask[:, t, None], after, h if padding == "stays" else 0 * h)
        states.append(h)
    return np.stack(states, axis=1)


def _one_step_before(states):
    return np.concatenate([0 * states[:, :1], states[:, :-1]], axis=1)


def _one_state_for_every_step(answer):
    try:
        came = properties.numbers(answer(CELL, X, FULL))
    except WrongAnswerError as error:
        if not SHAPES_DIFFER.search(error.came):
            raise
        advice = "the mask of a step needs an axis for the units, mask[:, t, None]"
        raise WrongAnswerError(error.expected, f"{error.came}: {advice}") from error
    if came.shape == (5, 2, 4):
        raise WrongAnswerError("shape (2, 5, 4)", "shape (5, 2, 4): stack along axis 1, the time")
    if came.shape == (2, 4):
        raise WrongAnswerError("shape (2, 5, 4)", "shape (2, 4): one state alone, not that of every step")
    properties.same_shape(came, (2, 5, 4))


def _is_the_plain_recurrence_without_padding(answer):
    right = _run(X, FULL)
    properties.same_values(
        answer(CELL, X, FULL),
        right,
        [
            (_run(X, FULL, carried=False), "each step from h = 0: hand the h of the step before on"),
            (_run(X, FULL, start=1.0), "a run that begins with ones: h begins as zeros"),
            (_run(X[:, ::-1], FULL), "the states of reading from the last step to the first"),
            (_run(X[:, ::-1], FULL)[:, ::-1], "the states of reading from the last step to the first"),
            (np.repeat(right[:, -1:], 5, axis=1), "the last state at every step: append h in the loop"),
            (
                _one_step_before(right),
                "the state before each step: append h after the step",
            ),
            (np.repeat(np.zeros((2, 1, 4)), 5, axis=1), "zeros: is the new h kept?"),
        ],
    )


def _keeps_the_state_over_padding(answer):
    for mask in (GAPS, RIGHT):
        zeros = np.where(mask[..., None], X, 0)
        properties.same_values(
            answer(CELL, X, mask),
            _run(X, mask),
            [
                (_run(X, FULL), "a state that moves in the padding: the mask is not used"),
                (_run(X, ~mask), "the mask turned round: it is True for what counts"),
                (_run(X, mask, padding="zeros"), "a state that padding sets to 0: it stays as it was"),
                (_run(zeros, FULL), "a step from zeros at padding: no step is to be made there"),
                (
                    np.where(mask[..., None], _run(X, FULL), 0),
                    "zeros in the result at padding, and a state that moves there",
                ),
                (
                    np.where(mask[..., None], _run(X, mask), 0),
                    "zeros in the result at padding: the state of the last word stands there",
                ),
                (
                    np.where(mask[..., None], _run(X, FULL), _one_step_before(_run(X, FULL))),
                    "a state that stays in the result alone: carry on the h that stayed",
                ),
                (_run(X, np.repeat(mask.any(axis=0)[None], 2, axis=0)), "one mask for all rows"),
                (_run(X, np.repeat(mask.all(axis=0)[None], 2, axis=0)), "one mask for all rows"),
                (_run(X, np.repeat(mask[:1], 2, axis=0)), "the mask of the first row for all rows"),
            ],
        )


def _ignores_what_stands_in_padding(answer):
    properties.ignores_padding(lambda x: answer(CELL, x, RIGHT), X, RIGHT)


SERIES = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0])


def _inputs_and_labels(answer, length=3):
    inputs, labels = properties.several(answer(SERIES, length), ("windows", "labels"))
    return properties.numbers(inputs), properties.numbers(labels)


def _one_label_for_each_window(answer):
    inputs, labels = _inputs_and_labels(answer)
    if labels.ndim == 1 and len(labels) != len(inputs):
        cause = "no value comes after the last window" if len(inputs) > len(labels) else "which is too early?"
        raise WrongAnswerError(
            "one label for each window", f"{len(inputs)} windows, {len(labels)} labels: {cause}"
        )
    properties.same_shape(labels, (len(inputs),))
    properties.same_shape(inputs, (len(labels), 3))


def _no_window_sees_its_label(answer):
    inputs, labels = _inputs_and_labels(answer)
    for place, words in ((0, "first"), (-1, "last")):
        if np.allclose(inputs[:, place], labels):
            raise WrongAnswerError("the value after the window", f"the {words} value of the window itself")


def _the_label_comes_next(answer):
    inputs, labels = _inputs_and_labels(answer)
    expected = windows(SERIES, 3)[1]
    if len(labels) < len(expected):
        raise WrongAnswerError(
            "a window for every value with enough values before it",
            f"{len(expected) - len(labels)} too few",
        )
    properties.same_values(labels, expected)
    properties.same_values(inputs, windows(SERIES, 3)[0])


def _does_so_for_other_lengths(answer):
    for length in (1, 5, 7):
        for came, expected in zip(_inputs_and_labels(answer, length), windows(SERIES, length), strict=True):
            properties.same_values(came, expected)


def _draw_windows(answer):
    inputs, labels = _inputs_and_labels(answer)
    _, axes = plt.subplots(figsize=(6, 2.4))
    axes.plot(SERIES, "o-", color="0.75", label="series")
    axes.plot(inputs[1], "s", label="second window, drawn where it should lie")
    axes.axhline(labels[1], linestyle=":", label="its label")
    axes.lines[1].set_xdata(np.arange(1, 1 + len(inputs[1])))
    axes.set(xlabel="step", ylabel="value", title="Does the label come after the window?")
    axes.legend(loc="upper left", fontsize=8)
    plt.show()


DISTANCES, STEPS = np.array([0, 1, 3]), 6
WORDS = np.random.default_rng(4).normal(size=(STEPS, 3, 2)).astype("float32")
KERNEL = np.random.default_rng(5).normal(size=(2, 8))
TURN = np.linalg.qr(np.random.default_rng(6).normal(size=(8, 8)))[0]


def _halves():
    """Return a cell whose state is half of the state before, plus the word."""
    return _NumpyCell(KERNEL, 0.5 * np.eye(8), np.zeros(8), activation=np.asarray)


def _reads(gain=1.0):
    return _NumpyCell(KERNEL, gain * TURN, np.zeros(8))


def _measure(answer, cell, distances=DISTANCES, words=WORDS):
    return properties.one_for_each(distances, answer(distances, words, cell))


def _last_states(cell, words):
    h = np.zeros((words.shape[1], cell.units))
    for x in words:
        h, _ = cell(x, [h])
    return h


def _differences(cell, place, change=0.0):
    """Return for each distance the difference of the last h, with the word at `place(distance)` changed."""
    without = []
    for distance in DISTANCES:
        changed = WORDS.copy()
        changed[place(distance)] = change
        without.append(_last_states(cell, changed))
    return _last_states(cell, WORDS) - np.stack(without)


def _before_the_last(distance):
    return STEPS - 1 - distance


def _one_for_each_distance(answer):
    _measure(answer, _reads())


def _halves_with_each_step(answer):
    word = np.abs(np.stack([WORDS[_before_the_last(distance)] for distance in DISTANCES]) @ KERNEL)
    properties.same_values(
        _measure(answer, _halves()),
        0.5**DISTANCES * word.mean(axis=(1, 2)),
        _mistakes(_halves()),
    )


def _is_measured(answer):
    cell = _reads()
    expected = np.abs(_differences(cell, _before_the_last)).mean(axis=(1, 2))
    properties.same_values(_measure(answer, cell), expected, _mistakes(cell))


def _mistakes(cell):
    right = _differences(cell, _before_the_last)
    last, over_all = _last_states(cell, WORDS), {"axis": (1, 2)}
    cut = np.stack([_last_states(cell, np.delete(WORDS, STEPS - 1 - each, axis=0)) for each in DISTANCES])
    later = _differences(cell, lambda distance: slice(STEPS - 1 - distance, None))
    earlier = _differences(cell, lambda distance: slice(0, STEPS - distance))
    taken = WORDS.copy()
    in_place = []
    for distance in DISTANCES:
        taken[STEPS - 1 - distance] = 0
        in_place.append(last - _last_states(cell, taken))
    return [
        (right.mean(**over_all), "the mean of the differences: take the absolute values first"),
        (-right.mean(**over_all), "the mean of the differences: take the absolute values first"),
        (np.abs(right.mean(**over_all)), "the mean of the differences: take the absolute values first"),
        (
            np.sqrt((right**2).sum(**over_all)),
            "the norm of the difference: the mean absolute one was asked for",
        ),
        (np.abs(right).sum(**over_all), "a sum: the mean was asked for"),
        ((right**2).mean(**over_all), "the squared difference: the absolute one was asked for"),
        (np.abs(right).max(**over_all), "the largest difference: the mean was asked for"),
        (
            np.abs(_differences(cell, lambda distance: distance)).mean(**over_all),
            "a distance from the first word: it is counted from the last",
        ),
        (
            np.abs(_differences(cell, lambda distance: -distance)).mean(**over_all),
            "one step off: distance 0 is the last word, inputs[-1]",
        ),
        (
            np.abs(_differences(cell, lambda distance: STEPS - 2 - distance)).mean(**over_all),
            "one step off: distance 0 is the last word, inputs[-1]",
        ),
        (
            np.abs(_differences(cell, _before_the_last, change=1.0)).mean(**over_all),
            "ones in place of the word: zeros were asked for",
        ),
        (np.abs(later).mean(**over_all), "zeros from the word on: one word alone is taken away"),
        (np.abs(earlier).mean(**over_all), "zeros up to the word: one word alone is taken away"),
        (np.abs(in_place).mean(**over_all), "words taken away one after the other: copy `inputs` each time"),
        (
            np.abs(last - cut).mean(**over_all),
            "a word cut out: put zeros in its place, so that all steps stay",
        ),
        (
            np.repeat(np.abs(last).mean(), len(DISTANCES)),
            "the last h itself: the difference of two runs was asked for",
        ),
        (
            np.abs(last - right).mean(**over_all),
            "the last h of one run alone: the difference of two runs was asked for",
        ),
        (np.zeros(len(DISTANCES)), "no difference at all: does the second run read the changed words?"),
    ]


def _draw_what_is_left(answer):
    from course_utils import plotting

    distances = np.arange(20)
    words = np.random.default_rng(7).normal(0, 0.5, (20, 16, 2)).astype("float32")
    plotting.curves(
        distances,
        {f"$W_h$ times {gain}": _measure(answer, _reads(gain), distances, words) for gain in (0.5, 1.0, 1.5)},
        xlabel="steps from the word to the end",
        ylabel="left of the word in the state",
        title="Your experiment: how long an untrained state notices a word",
        yscale="log",
        xticks=distances[::5],
    )
    plt.show()


EXERCISES = [
    Exercise(
        "02.rnn_cell",
        MyRNNCell,
        [
            ("returns h, and the list of h", _returns_h_and_the_list_of_it),
            ("has the numbers of a step", _has_the_numbers_of_a_step),
            *cells.beside_its_numbers(RNN, STATES),
        ],
        [
            "The state before is `states[0]`. It goes with `recurrent_kernel`, `inputs` with `kernel`.",
            "Add the two products and `self.bias`, then take `ops.tanh` of the sum.",
            "Return `h, [h]`: the output, and the list of states for the next step.",
        ],
    ),
    Exercise(
        "02.rnn_loop",
        rnn_loop,
        [
            ("gives a state for every step", _one_state_for_every_step),
            ("is the plain recurrence where nothing is padded", _is_the_plain_recurrence_without_padding),
            ("keeps the state over padding, wherever it stands", _keeps_the_state_over_padding),
            ("ignores what stands in the padding", _ignores_what_stands_in_padding),
        ],
        [
            "`h = ops.zeros((inputs.shape[0], cell.units))`, then a loop over `range(inputs.shape[1])`.",
            "`after, _ = cell(inputs[:, t], [h])` is the step for the whole batch. Which rows may take it?",
            "`h = ops.where(mask[:, t, None], after, h)`; then append h to a list.",
            "At the end `ops.stack(states, axis=1)`.",
        ],
    ),
    Exercise(
        "02.windows",
        windows,
        [
            ("gives one label for each window", _one_label_for_each_window),
            ("keeps the value to forecast out of each window", _no_window_sees_its_label),
            ("gives the next value for every window that has one", _the_label_comes_next),
            ("does so for other lengths", _does_so_for_other_lengths),
        ],
        [
            "Print the first window and its label. Which value of the series is the label?",
            "A window that starts at 0 ends before `length`. So at which index is the next value?",
            "The last window must leave one value over: there are len(series) - length of them.",
        ],
        picture=_draw_windows,
    ),
    Exercise(
        "02.trace_experiment",
        trace_experiment,
        [
            ("measures one number for each distance", _one_for_each_distance),
            ("has half as much left at each step, for a cell that halves its state", _halves_with_each_step),
            ("measures the run of a cell with a tanh", _is_measured),
        ],
        [
            "Write a function first: it runs the cell over some words from h = 0, and returns the last h.",
            "Distance 0 is the last word, `inputs[-1]`; distance d is `inputs[-1 - d]`.",
            "`without = inputs.copy()` for each distance, then `without[-1 - distance] = 0`.",
            "What is left: `float(ops.mean(ops.abs(one - other)))`, where one and other are the last h.",
        ],
        result=_draw_what_is_left,
    ),
]
