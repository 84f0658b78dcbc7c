"""Exercises of lesson 04, the LSTM."""

import itertools

import keras
import numpy as np
from keras import ops

from course_utils.exercises import cells, properties, step_lines
from course_utils.exercises.exercise import Exercise, WrongAnswerError
from course_utils.recurrent import LSTMCell


class MyLSTMCell(keras.layers.Layer):
    """One step of an LSTM. In the weights the blocks i, f, g, o stand side by side, each `units` wide."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]

    def build(self, input_shape):
        """Make the weights."""
        width = 4 * self.units
        start = np.repeat([0.0, 1.0, 0.0, 0.0], self.units)  # of the bias: 1 for f, as in Keras
        self.kernel = self.add_weight((input_shape[-1], width), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, width), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((width,), lambda *_, **__: start, name="bias")

    def call(self, inputs, states):
        """From `inputs` x_t and `states` [h_{t-1}, c_{t-1}], return h_t, and the list [h_t, c_t]."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]


def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    """Return the next `h` and `c`, each `(batch, units)`; the blocks stand in the order i, f, g, o."""
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def bias_experiment(biases, inputs, make_cell):
    """Measure for each forget bias how much of a cell state is left after all steps of `inputs`.

    `inputs` are `(steps, batch, features)`; `make_cell(bias)` gives a cell of `cell.units` units, and
    `cell(x, [h, c])` goes one step. Run each cell twice over the same inputs, with h = 0 and all of c = 0,
    then with h = 0 and all of c = 1. What is left is the mean absolute difference of the two last c. Return a
    list of one number for each bias.
    """
    left = []
    for bias in biases:
        cell, ends = make_cell(bias), []
        for start in (0.0, 1.0):
            h, c = np.zeros((inputs.shape[1], cell.units)), np.full((inputs.shape[1], cell.units), start)
            for x in inputs:
                _, (h, c) = cell(x, [h, c])
            ends.append(c)
        left.append(float(ops.mean(ops.abs(ends[1] - ends[0]))))
    return left


RNG = np.random.default_rng(3)
X, H, C = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
WEIGHTS = RNG.normal(size=(2, 16)), RNG.normal(size=(4, 16)), RNG.normal(size=16)


def _two_states(answer):
    for state in properties.several(answer(X, H, C, *WEIGHTS), ("h", "c")):
        properties.same_shape(state, (3, 4))


def _reads_the_blocks_in_their_order(answer):
    """Name the order in which an answer reads the blocks, where that alone is wrong."""
    h, c = map(properties.numbers, answer(X, H, C, *WEIGHTS))
    for order in itertools.permutations("ifgo"):
        blocks = [slice(4 * place, 4 * place + 4) for place in map(order.index, "ifgo")]
        expected = lstm_step(
            X, H, C, *(np.concatenate([w[..., b] for b in blocks], axis=-1) for w in WEIGHTS)
        )
        if np.allclose([h, c], expected, atol=1e-5) and "".join(order) != "ifgo":
            raise WrongAnswerError("the blocks in the order i, f, g, o", f"the order {', '.join(order)}")
        if np.allclose([c, h], expected, atol=1e-5):
            raise WrongAnswerError("h, then c", "c, then h")


def _keeps_the_cell_state_where_it_should(answer):
    _reads_the_blocks_in_their_order(answer)
    bias = np.repeat([-60.0, 60.0, 0.0, 60.0], 4)
    _, c = answer(X * 0, H * 0, C, WEIGHTS[0], WEIGHTS[1], bias)
    properties.same_values(c, C, [(C * 0, "nothing of it: what does the forget gate multiply?")])


def _is_the_step_of_the_lstm(answer):
    h, c = lstm_step(X, H, C, *WEIGHTS)
    came_h, came_c = answer(X, H, C, *WEIGHTS)
    properties.same_values(came_c, c)
    properties.same_values(
        came_h,
        h,
        [
            (np.tanh(c), "the tanh of the cell state, without the output gate"),
            (h / np.tanh(c) * c, "the output gate times the cell state, without the tanh"),
        ],
    )


STATES = ("h", "c")
LSTM = "LSTMCell"


STEP = {  # one line after the other gives what the cell returns: output, first and second state
    "z": "x @ kernel + h @ recurrent_kernel + bias",
    "order": "'ifgo'",
    "i": "sigmoid(of(z, 'i'))",
    "f": "sigmoid(of(z, 'f'))",
    "g": "tanh(of(z, 'g'))",
    "o": "sigmoid(of(z, 'o'))",
    "new_c": "f * c + i * g",
    "new_h": "o * tanh(new_c)",
    "returned": "new_h, new_h, new_c",
}
MISTAKES = [  # lines in their place, and the words for it
    (
        {"order": "'figo'"},
        "f and i exchanged: f multiplies the old c, i the candidate; the first block is that of i",
    ),
    *(
        ({"order": repr("".join(order))}, f"the blocks read in the order {', '.join(order)}, not i, f, g, o")
        for order in itertools.permutations("ifgo")
        if "".join(order) not in ("ifgo", "figo")
    ),
    (
        {name: f"tanh(of(z, '{name}'))" for name in "ifo"} | {"g": "sigmoid(of(z, 'g'))"},
        "tanh and sigmoid exchanged: i, f and o have the sigmoid, g has the tanh",
    ),
    ({name: f"tanh(of(z, '{name}'))" for name in "ifo"}, "tanh in all blocks: i, f and o have the sigmoid"),
    ({"g": "sigmoid(of(z, 'g'))"}, "the sigmoid in all blocks: the candidate g has the tanh"),
    ({name: f"of(z, '{name}')" for name in "ifgo"}, "neither sigmoid nor tanh on the blocks"),
    ({name: f"of(z, '{name}')" for name in "ifo"}, "no sigmoid: i, f and o need it"),
    *(({name: f"of(z, '{name}')"}, f"no sigmoid on the gate {name}") for name in "ifo"),
    *(({name: f"tanh(of(z, '{name}'))"}, f"a tanh on the gate {name}: it has the sigmoid") for name in "ifo"),
    ({"g": "of(z, 'g')"}, "no tanh on the candidate g"),
    ({"z": "x @ kernel + h @ recurrent_kernel"}, "the bias is forgotten"),
    (
        {"z": "x @ kernel + bias"},
        "h and the recurrent kernel are forgotten: the gates read the inputs alone",
    ),
    ({"z": "x @ kernel"}, "h, the recurrent kernel and the bias are forgotten"),
    ({"z": "h @ recurrent_kernel + bias"}, "the inputs and the kernel are forgotten: the gates read h alone"),
    (
        {"z": "x @ kernel + c @ recurrent_kernel + bias"},
        "the recurrent kernel times c: h is states[0], c is states[1]",
    ),
    (
        {"z": "x @ kernel + c @ recurrent_kernel + bias", "new_c": "f * h + i * g"},
        "h and c exchanged at the start: h is states[0], c is states[1]",
    ),
    ({"new_c": "f * h + i * g"}, "f times h: the forget gate multiplies c, which is states[1]"),
    ({"new_c": "f * c + g"}, "no input gate: i multiplies the candidate"),
    ({"new_c": "c + i * g"}, "no forget gate: f multiplies the old c"),
    ({"new_c": "c + g"}, "neither forget nor input gate: c is f * c + i * g"),
    ({"new_c": "i * g"}, "nothing kept of the old c: f * c is added to i * g"),
    ({"new_c": "f * c"}, "no candidate: i * g is added to f * c"),
    ({"new_c": "f * c + i"}, "no candidate: i is multiplied by g"),
    ({"new_c": "f * c + (1 - f) * g"}, "1 - f in place of i: the LSTM has an input gate of its own"),
    ({"new_c": "(1 - f) * c + i * g"}, "1 - f in place of f: an open forget gate keeps"),
    ({"new_c": "f * c - i * g"}, "i * g subtracted from f * c: it is added"),
    ({"new_c": "f * c * i * g"}, "a product of all four: i * g is added to f * c"),
    ({"new_c": "(f + c) * (i + g)"}, "sums and products exchanged: c is f * c + i * g"),
    ({"new_c": "tanh(f * c + i * g)"}, "a tanh on the new c: only h has it"),
    ({"new_c": "f * tanh(c) + i * g"}, "a tanh on the old c: only h has it"),
    ({"new_c": "f * (c + i * g)"}, "f times the whole sum: f multiplies the old c alone"),
    ({"new_c": "f * c + i * tanh(g)"}, "the tanh twice on the candidate"),
    ({"new_h": "o * new_c"}, "h without the tanh: h is o * tanh(c)"),
    ({"new_h": "o * sigmoid(new_c)"}, "h with a sigmoid of c: h is o * tanh(c)"),
    ({"new_h": "tanh(new_c)"}, "h without the output gate: h is o * tanh(c)"),
    ({"new_h": "o * tanh(c)"}, "h from the old c: h is o * tanh(c) of the new one"),
    ({"new_h": "o * c"}, "h from the old c, without the tanh: h is o * tanh(c) of the new one"),
    ({"new_h": "o * g"}, "h from the candidate: h is o * tanh(c)"),
    ({"new_h": "o * tanh(h)"}, "h from the old h: h is o * tanh(c)"),
    ({"new_h": "tanh(o * new_c)"}, "the tanh of o * c: h is o * tanh(c)"),
    ({"new_h": "o + tanh(new_c)"}, "o added: h is o * tanh(c)"),
    ({"returned": "new_h, new_c, new_h"}, "h and c exchanged in the list: it is [h, c]"),
    ({"returned": "new_c, new_h, new_c"}, "c as the output: the output is h"),
    ({"returned": "new_c, new_c, new_h"}, "h and c exchanged: the output is h, the list is [h, c]"),
    ({"returned": "new_h, h, new_c"}, "the old h in the list"),
    ({"returned": "new_h, new_h, c"}, "the old c in the list"),
    ({"returned": "new_h, h, c"}, "the old states in the list"),
    ({"returned": "h, h, new_c"}, "the old h in place of the new one"),
    ({"returned": "new_h, new_h, new_h"}, "h twice in the list: it is [h, c]"),
    ({"returned": "new_h, new_c, new_c"}, "c twice in the list: it is [h, c]"),
    ({"returned": "o, new_h, new_c"}, "the output gate as the output: the output is h"),
]


def _returns_h_and_the_states(answer):
    cells.gives_output_and_states(answer, LSTM, STATES)


def _has_the_numbers_of_a_step(answer):
    came = cells.gives_output_and_states(answer, LSTM, STATES)
    given = dict(zip("xhc", cells.one_step(2), strict=True))
    weights = cells.like_keras(LSTM, cells.UNITS, cells.FEATURES).get_weights()
    given |= dict(zip(("kernel", "recurrent_kernel", "bias"), weights, strict=True))

    if step_lines.name_the_mistake(came, STEP, given, MISTAKES):
        return
    _say_which_state_is_off(came, given)


def _say_which_state_is_off(came, given):
    """Compare c and h each by itself: h may be right for the answer's own c."""
    output, h, c = came
    _, right_h, right_c = step_lines.result(STEP, given)
    followed = step_lines.result({**STEP, "new_c": "came"}, {**given, "came": c})[1]
    off_h, off_c, off_followed = (
        np.abs(one - other).max() for one, other in ((h, right_h), (c, right_c), (h, followed))
    )
    if not np.allclose(output, h, atol=1e-4):
        raise WrongAnswerError("the new h as the output, and first in the list", "two that differ")
    if off_c <= 1e-4:
        raise WrongAnswerError("h = o * tanh(c)", f"h off by up to {off_h:.3g}; c is right")
    if off_followed <= 1e-4:
        raise WrongAnswerError("c = f * c + i * g", f"c off by up to {off_c:.3g}; h = o * tanh(c) is right")
    raise WrongAnswerError(
        "c = f * c + i * g, then h = o * tanh(c)",
        f"c off by up to {off_c:.3g}, and h does not follow from it. Print i, f, g and o: are i, f and o "
        "between 0 and 1, and g between -1 and 1?",
    )


BIASES, RUN = np.array([0.0, 1.0, 3.0]), 6
NOISE = np.random.default_rng(4).normal(size=(20, 3, 2)).astype("float32")


def _sees_nothing_else(bias):
    """Return a cell whose gates depend on their bias alone."""
    return LSTMCell(8, forget_bias=float(bias), kernel_initializer="zeros", recurrent_initializer="zeros")


def _sees_all(bias):
    """Return a cell with the same weights at each call."""
    return LSTMCell(
        8,
        forget_bias=float(bias),
        kernel_initializer=keras.initializers.GlorotUniform(seed=0),
        recurrent_initializer=keras.initializers.Orthogonal(seed=1),
    )


def _read(answer, make_cell, biases=BIASES, steps=RUN):
    return properties.one_for_each(biases, answer(biases, NOISE[:steps], make_cell))


def _one_for_each_bias(answer):
    _read(answer, _sees_all)


def _grows_with_the_bias(answer):
    measured = _read(answer, _sees_all)
    if not (np.diff(measured) > 0).all():
        listed = ", ".join(f"{each:.3g}" for each in measured)
        raise WrongAnswerError("more left with a larger bias", f"{listed} for the biases 0, 1 and 3")


def _is_the_power_of_the_gate(answer):
    gates = step_lines.sigmoid(BIASES)
    expected = gates**RUN
    properties.same_values(
        _read(answer, _sees_nothing_else),
        expected,
        [
            (gates, f"what is left after one step, not after {RUN}"),
            (gates ** (RUN - 1), "one step too few"),
            (gates ** (RUN + 1), "one step too many"),
            (np.tanh(expected) / 2, "the difference of h: what is left stands in c"),
            (
                _exchanging_the_states(gates),
                "a run in which h and c change places: the cell gives the list [h, c]",
            ),
            (8 * expected, "a sum over the units: the mean was asked for"),
            (24 * expected, "a sum: the mean was asked for"),
            (expected**2, "the squared difference: the absolute one was asked for"),
            (100 * expected, "per cent: a share was asked for"),
        ],
    )


def _is_measured(answer):
    """Require what a cell gives whose gates read inputs and h too, so that no formula has it."""
    read = _read(answer, _sees_all)
    (h_0, c_0), (h_1, c_1) = _last_states()
    without_h, without_x = (np.subtract(*_last_states(**left_out))[1] for left_out in ({"h": 0}, {"x": 0}))
    over_all = {"axis": (1, 2)}
    properties.same_values(
        read,
        np.abs(c_1 - c_0).mean(**over_all),
        [
            (
                step_lines.sigmoid(BIASES) ** RUN,
                "sigma(bias) ** steps, a hypothesis: run the cell and measure",
            ),
            *properties.mean_first(c_1 - c_0, **over_all),
            (np.abs(c_1).mean(**over_all), "c of one run alone: the difference of two runs was asked for"),
            (c_1.mean(**over_all), "c of one run alone: the difference of two runs was asked for"),
            (np.abs(h_1 - h_0).mean(**over_all), "the difference of h: what is left stands in c"),
            (
                np.abs(without_h).mean(**over_all),
                "runs in which h stays 0: each step takes the h of the step before",
            ),
            (np.abs(without_x).mean(**over_all), "runs on zeros: each step takes its x from `inputs`"),
        ],
    )


def _last_states(x=1, h=1):
    """Return h and c, `(biases, batch, units)` each, after a run from c = 0 and one from c = 1.

    x and h are what the inputs and the state before are multiplied by, 0 or 1.
    """
    runs = []
    for start in (0.0, 1.0):
        last = []
        for bias in BIASES:
            cell, shape = _sees_all(bias), (NOISE.shape[1], 8)
            states = [np.zeros(shape), np.full(shape, start)]
            for step in NOISE[:RUN]:
                _, states = cell(x * step, [h * states[0], states[1]])
            last.append(np.asarray(states, "float64"))
        runs.append(np.stack(last, axis=1))
    return runs


def _exchanging_the_states(gates):
    """Return what is left where a run takes h for c, and the gates see nothing but their bias."""
    c = np.ones_like(gates)
    for _ in range(RUN):
        c = np.tanh(gates * c) / 2
    return c


def _draw_what_is_left(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    biases = np.arange(0.0, 6.0)
    plotting.curves(
        biases,
        {
            "measured": _read(answer, _sees_all, biases, len(NOISE)),
            "$\\sigma(b)^{20}$": step_lines.sigmoid(biases) ** len(NOISE),
        },
        xlabel="forget bias b",
        ylabel="left of a cell state",
        title="Your experiment: what is left after 20 steps of noise",
        yscale="log",
    )
    plt.show()


EXERCISES = [
    Exercise(
        "04.lstm_cell",
        MyLSTMCell,
        [
            ("returns h, and the list of h and c", _returns_h_and_the_states),
            ("has the numbers of an LSTM's step", _has_the_numbers_of_a_step),
            *cells.beside_its_numbers(LSTM, STATES),
        ],
        [
            "All four blocks at once: z is inputs times kernel, plus h times recurrent_kernel, plus bias.",
            "`ops.split(z, 4, axis=-1)` gives the four blocks, in the order i, f, g, o.",
            "i, f and o go through `ops.sigmoid`, g through `ops.tanh`. Then c = f * c + i * g.",
            "h = o * ops.tanh(c), with the new c. Return `h, [h, c]`.",
        ],
    ),
    Exercise(
        "04.lstm_step",
        lstm_step,
        [
            ("gives two states", _two_states),
            (
                "keeps the cell state where the forget gate is open and the input gate closed",
                _keeps_the_cell_state_where_it_should,
            ),
            ("is the step of an LSTM", _is_the_step_of_the_lstm),
        ],
        [
            "Compare the order of the blocks in the docstring with that in the code.",
            "The third block is the candidate, the fourth the output gate.",
        ],
    ),
    Exercise(
        "04.bias_experiment",
        bias_experiment,
        [
            ("measures one number for each bias", _one_for_each_bias),
            ("has more left with a larger bias", _grows_with_the_bias),
            (
                "has sigma(bias) ** steps left where the gates see nothing but their bias",
                _is_the_power_of_the_gate,
            ),
            ("measures the run of a cell whose gates also read x and h", _is_measured),
        ],
        [
            "Three loops: over the biases, over the two starts of c, over the steps of `inputs`.",
            "h begins as `np.zeros((inputs.shape[1], cell.units))`; c is `np.full` of the same shape.",
            "`_, (h, c) = cell(x, [h, c])` goes one step and hands both states on.",
            "After both runs: `float(ops.mean(ops.abs(one - other)))`, where one and other are the last c.",
        ],
        result=_draw_what_is_left,
    ),
]
