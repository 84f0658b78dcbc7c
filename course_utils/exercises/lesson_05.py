"""Exercises of lesson 05, the GRU."""

import functools
import itertools

import keras
import numpy as np
from keras import ops

from course_utils.exercises import cells, properties, step_lines
from course_utils.exercises.exercise import Exercise, WrongAnswerError
from course_utils.recurrent import GRUCell


class MyGRUCell(keras.layers.Layer):
    """One step of a GRU. In the weights the blocks z, r, g stand side by side, each `units` wide."""

    def __init__(self, units, z_keeps=True, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.z_keeps = units, [units], z_keeps

    def build(self, input_shape):
        """Make the weights. The bias has two rows: one for the inputs, one for the state."""
        width = 3 * self.units
        self.kernel = self.add_weight((input_shape[-1], width), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, width), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((2, width), "zeros", name="bias")

    def call(self, inputs, states):
        """From `inputs` x_t and `states` [h_{t-1}], return h_t, and the list [h_t].

        z keeps the old state. Where `self.z_keeps` is False, it takes the candidate.
        """
        (h,) = states
        x_z, x_r, x_g = ops.split(ops.matmul(inputs, self.kernel) + self.bias[0], 3, axis=-1)
        h_z, h_r, h_g = ops.split(ops.matmul(h, self.recurrent_kernel) + self.bias[1], 3, axis=-1)
        z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
        g = ops.tanh(x_g + r * h_g)
        kept = z if self.z_keeps else 1 - z
        h = kept * h + (1 - kept) * g
        return h, [h]


def turn_update_gate(kernel, recurrent_kernel, bias):
    """Return weights for the other convention of z: the same states from h = (1 - z) h + z g.

    `bias` is `(3 units,)`, or `(2, 3 units)` where the reset comes after the product: `bias[..., :units]` is
    the block of z in both. Return new arrays, and leave the given ones as they are.
    """
    units = len(recurrent_kernel)
    sign = np.repeat([-1.0, 1.0, 1.0], units)
    return kernel * sign, recurrent_kernel * sign, bias * sign


def gru_step(x, h, kernel, recurrent_kernel, bias):
    """Return the next `h`, `(batch, units)`; z keeps, and the reset comes before the product."""
    x_z, x_r, x_g = np.split(x @ kernel + bias, 3, axis=1)
    W_z, W_r, W_g = np.split(recurrent_kernel, 3, axis=1)  # noqa: N806
    z = 1 / (1 + np.exp(-(x_z + h @ W_z)))
    r = 1 / (1 + np.exp(-(x_r + h @ W_r)))
    return z * h + (1 - z) * np.tanh(x_g + (r * h) @ W_g)


def reset_experiment(biases, inputs, make_cell):
    """Measure for each bias of the reset gate how much of a state is left after all steps of `inputs`.

    `inputs` are `(steps, batch, features)`; `make_cell(bias)` gives a cell of `cell.units` units, and
    `cell(x, [h])` goes one step: it returns the new h, and the list of it. Run each cell twice over the same
    inputs: from h = -0.5 in every unit, then from 0.5, so that the two differ by 1 at the start. What is left
    is the mean absolute difference of the two last h. Return a list of one number for each bias.
    """
    left = []
    for bias in biases:
        cell, ends = make_cell(bias), []
        for start in (-0.5, 0.5):
            h = np.full((inputs.shape[1], cell.units), start, "float32")
            for x in inputs:
                h, _ = cell(x, [h])
            ends.append(h)
        left.append(float(ops.mean(ops.abs(ends[1] - ends[0]))))
    return left


STATES = ("h",)
GRU = "GRUCell"


STEP = {  # one line after the other gives what the cell returns: output and state
    "x": "inputs @ kernel + bias[0]",
    "s": "h @ recurrent_kernel + bias[1]",
    "order": "'zrg'",
    "z": "sigmoid(of(x, 'z') + of(s, 'z'))",
    "r": "sigmoid(of(x, 'r') + of(s, 'r'))",
    "g": "tanh(of(x, 'g') + r * of(s, 'g'))",
    "new": "z * h + (1 - z) * g",
    "returned": "new, new",
}
MISTAKES = [  # lines in their place, and the words for it
    ({"new": "(1 - z) * h + z * g"}, "z and 1 - z exchanged: with z_keeps=True, z keeps the old state"),
    (
        {"order": "'rzg'"},
        "z and r exchanged: z mixes old state and candidate, r resets; the first block is that of z",
    ),
    *(
        ({"order": repr("".join(order))}, f"the blocks read in the order {', '.join(order)}, not z, r, g")
        for order in itertools.permutations("zrg")
        if "".join(order) not in ("zrg", "rzg")
    ),
    (
        {"g": "tanh(of(x, 'g') + (r * h) @ of(recurrent_kernel, 'g') + of(bias[1], 'g'))"},
        "the reset before the product: here r multiplies h W_h + b_h",
    ),
    (
        {"g": "tanh(of(x, 'g') + r * (of(s, 'g') - of(bias[1], 'g')) + of(bias[1], 'g'))"},
        "the second row of the bias outside the reset: it joins h W_h, and r multiplies both",
    ),
    ({"g": "tanh(of(x, 'g') + of(s, 'g'))"}, "no reset gate: in the candidate r multiplies h W_h + b_h"),
    ({"g": "tanh(r * (of(x, 'g') + of(s, 'g')))"}, "r times the whole sum: it multiplies h W_h + b_h alone"),
    ({"g": "tanh(r * of(x, 'g') + of(s, 'g'))"}, "r times the part of the inputs: it multiplies h W_h + b_h"),
    ({"g": "tanh(of(x, 'g') + z * of(s, 'g'))"}, "z in the candidate: r multiplies h W_h + b_h"),
    ({"g": "tanh(of(x, 'g') + (1 - r) * of(s, 'g'))"}, "1 - r in place of r: an open reset gate lets h in"),
    ({"g": "tanh(of(x, 'g') + r * h)"}, "r times h without its kernel: r multiplies h W_h + b_h"),
    ({"g": "tanh(of(x, 'g'))"}, "a candidate without the state: r * (h W_h + b_h) is added"),
    ({"g": "of(x, 'g') + r * of(s, 'g')"}, "no tanh on the candidate g"),
    ({"g": "sigmoid(of(x, 'g') + r * of(s, 'g'))"}, "the sigmoid on the candidate g: it has the tanh"),
    *(
        ({name: f"of(x, '{name}') + of(s, '{name}')"}, f"no sigmoid on the gate {name}: it is no gate then")
        for name in "zr"
    ),
    *(
        ({name: f"tanh(of(x, '{name}') + of(s, '{name}'))"}, f"a tanh on the gate {name}: it has the sigmoid")
        for name in "zr"
    ),
    (
        {name: f"tanh(of(x, '{name}') + of(s, '{name}'))" for name in "zr"},
        "tanh on both gates: z and r have the sigmoid",
    ),
    ({name: f"of(x, '{name}') + of(s, '{name}')" for name in "zr"}, "no sigmoid: z and r need it"),
    (
        {"x": "inputs @ kernel", "s": "h @ recurrent_kernel"},
        "the bias is forgotten: its first row joins the inputs, its second the state",
    ),
    ({"x": "inputs @ kernel"}, "the first row of the bias is forgotten: it joins the inputs"),
    ({"s": "h @ recurrent_kernel"}, "the second row of the bias is forgotten: it joins the state"),
    (
        {"x": "inputs @ kernel + bias[1]", "s": "h @ recurrent_kernel + bias[0]"},
        "the rows of the bias exchanged: the first joins the inputs, the second the state",
    ),
    ({"s": "0 * h @ recurrent_kernel + bias[1]"}, "h and the recurrent kernel are forgotten"),
    ({"x": "0 * inputs @ kernel + bias[0]"}, "the inputs and the kernel are forgotten"),
    ({"new": "g"}, "the candidate in place of the mixture: h is z * h + (1 - z) * g"),
    ({"new": "z * h + g"}, "the whole candidate: 1 - z multiplies it"),
    ({"new": "h + (1 - z) * g"}, "the whole old state: z multiplies it"),
    ({"new": "z * h + z * g"}, "z times both: the candidate has 1 - z"),
    ({"new": "z * h + r * g"}, "r times the candidate: it has 1 - z"),
    ({"new": "z * (r * h) + (1 - z) * g"}, "the reset state in the mixture: r is for the candidate alone"),
    ({"new": "r * h + (1 - r) * g"}, "r in the mixture: z mixes, r is for the candidate"),
    ({"new": "z * h"}, "no candidate: (1 - z) * g is added to z * h"),
    ({"new": "(1 - z) * g"}, "nothing kept of the old state: z * h is added to (1 - z) * g"),
    ({"new": "tanh(z * h + (1 - z) * g)"}, "a tanh on the new h: only the candidate has it"),
    ({"new": "z * h - (1 - z) * g"}, "(1 - z) * g subtracted: it is added"),
    ({"returned": "new, h"}, "the old h in the list"),
    ({"returned": "h, new"}, "the old h as the output"),
    ({"returned": "h, h"}, "the old h in place of the new one"),
    ({"returned": "new, g"}, "the candidate in the list: the next step reads the new h"),
    ({"returned": "g, new"}, "the candidate as the output: the output is the new h"),
    ({"returned": "z, new"}, "the update gate as the output: the output is the new h"),
]


def _a_step():
    """Return the inputs, the state and the weights of one step by their names in `STEP`."""
    inputs, h = cells.one_step(1)
    kernel, recurrent_kernel, bias = cells.like_keras(GRU, cells.UNITS, cells.FEATURES).get_weights()
    return {
        "inputs": inputs,
        "h": h,
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": bias,
    }


def _returns_h_and_the_list_of_it(answer):
    cells.gives_output_and_states(answer, GRU, STATES)


def _has_the_numbers_of_a_step(answer):
    came, given = cells.gives_output_and_states(answer, GRU, STATES), _a_step()
    if step_lines.name_the_mistake(came, STEP, given, MISTAKES):
        return
    output, state = came
    off = np.abs(output - step_lines.result(STEP, given)[0]).max()
    if not np.allclose(output, state, atol=1e-4):
        raise WrongAnswerError("the new h as the output, and alone in the list", "two that differ")
    raise WrongAnswerError(
        "h = z * h + (1 - z) * g",
        f"h off by up to {off:.3g}. Print z, r and g: are z and r between 0 and 1, and g between -1 and 1?",
    )


def _takes_the_candidate_where_asked(answer):
    came = cells.gives_output_and_states(lambda units: answer(units, False), GRU, STATES)
    given = _a_step()
    keeps = step_lines.result(STEP, given)
    takes = step_lines.result({**STEP, "new": "(1 - z) * h + z * g"}, given)
    properties.same_values(
        came,
        takes,
        [(keeps, "the step in which z keeps: is `self.z_keeps` looked at in `call`?")],
        tolerance=1e-4,
    )


RNG = np.random.default_rng(4)
X, H = RNG.normal(size=(3, 2)), RNG.uniform(-1, 1, size=(3, 4))
WEIGHTS = RNG.normal(size=(2, 12)), RNG.normal(size=(4, 12)), RNG.normal(size=12)
OF_TWO_ROWS = *WEIGHTS[:2], RNG.normal(size=(2, 12))


def _other_convention(x, h, kernel, recurrent_kernel, bias):
    """One step in which z renews: that of `gru_step` with z and 1 - z exchanged."""
    return gru_step(x, h, *turn_update_gate(kernel, recurrent_kernel, bias))


def _step_of_two_rows(kernel, recurrent_kernel, bias, **lines):
    """One step that resets after the product, with the lines of `STEP` that are given in place of its own."""
    given = {"inputs": X, "h": H, "kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    return step_lines.result({**STEP, **lines}, given)[0]


def _turned(answer, weights=WEIGHTS):
    try:
        returned = answer(*weights)
    except WrongAnswerError as error:
        if not isinstance(error.__cause__, IndexError):
            raise
        fits = "an answer for a bias of one row, (3 units,): `bias[..., :units]` fits one row and two"
        raise WrongAnswerError(fits, error.came) from error
    came = properties.several(returned, ("kernel", "recurrent kernel", "bias"))
    for turned, weight in zip(came, weights, strict=True):
        properties.same_shape(turned, weight.shape)
    return [properties.numbers(turned) for turned in came]


AS_THEY_WERE = "the blocks of r and g as they were"


def _three_arrays(answer):
    _turned(answer)


def _leaves_the_other_blocks(answer):
    for turned, weight in zip(_turned(answer), WEIGHTS, strict=True):
        if not np.allclose(turned[..., 4:], weight[..., 4:], atol=1e-6):
            raise WrongAnswerError(AS_THEY_WERE, "other weights for r or g")


def _leaves_the_other_blocks_of_two_rows(answer):
    for turned, weight in zip(_turned(answer, OF_TWO_ROWS), OF_TWO_ROWS, strict=True):
        if not np.allclose(turned[..., 4:], weight[..., 4:], atol=1e-6):
            rows = "other weights for r or g: `bias[:units]` takes rows of a bias of two rows"
            raise WrongAnswerError(AS_THEY_WERE, rows)


def _gives_the_same_states(answer):
    came = _other_convention(X, H, *_turned(answer))
    kernel, recurrent_kernel, bias = turn_update_gate(*WEIGHTS)
    forgotten = {
        "the kernel": (WEIGHTS[0], recurrent_kernel, bias),
        "the recurrent kernel": (kernel, WEIGHTS[1], bias),
        "the bias": (kernel, recurrent_kernel, WEIGHTS[2]),
    }
    properties.same_values(
        came,
        gru_step(X, H, *WEIGHTS),
        [
            (_other_convention(X, H, *WEIGHTS), "the states of the same weights in the other convention"),
            *(
                (_other_convention(X, H, *weights), f"states to which {name} does not fit yet")
                for name, weights in forgotten.items()
            ),
            (
                _other_convention(X, H, *_with_columns(range(4), lambda weight: 1 - weight)),
                "1 minus the weights: it is the gate that becomes 1 - z",
            ),
            (
                _other_convention(X, H, *_with_columns(range(2), np.negative)),
                "two columns turned, as many as there are features: `units` are the rows of recurrent_kernel",
            ),
        ],
    )


def _with_columns(columns, turn):
    """Return the weights with some columns of each turned."""
    return [np.where(np.isin(np.arange(12), columns), turn(weight), weight) for weight in WEIGHTS]


def _gives_the_same_states_with_two_rows(answer):
    _leaves_the_other_blocks_of_two_rows(answer)
    *kernels, bias = turn_update_gate(*OF_TWO_ROWS)
    *_, before = OF_TWO_ROWS
    forgotten = {"first": np.stack([before[0], bias[1]]), "second": np.stack([bias[0], before[1]])}
    other_convention = functools.partial(_step_of_two_rows, new="(1 - z) * h + z * g")
    properties.same_values(
        other_convention(*_turned(answer, OF_TWO_ROWS)),
        _step_of_two_rows(*OF_TWO_ROWS),
        [
            (
                other_convention(*kernels, rows),
                f"states to which the {name} row of the bias does not fit yet: `bias[..., :units]` is the "
                "block of z in both rows",
            )
            for name, rows in forgotten.items()
        ],
    )


def _one_state(answer):
    properties.same_shape(answer(X, H, *WEIGHTS), (3, 4))


def _keeps_where_z_is_one(answer):
    z_and_r_exchanged = (weight[..., [*range(4, 8), *range(4), *range(8, 12)]] for weight in WEIGHTS)
    if np.allclose(properties.numbers(answer(X, H, *WEIGHTS)), gru_step(X, H, *z_and_r_exchanged), atol=1e-5):
        raise WrongAnswerError("the blocks in the order z, r, g", "the order r, z, g")
    bias = np.repeat([60.0, 0.0, 0.0], 4)
    properties.same_values(
        answer(X * 0, H, WEIGHTS[0], WEIGHTS[1] * 0, bias),
        H,
        [
            (H / 2, "half of it: something was reset that should only be hidden from the candidate"),
            (H * 0, "nothing of it: here z keeps, and 1 - z renews"),
        ],
    )


def _is_the_step_of_the_gru(answer):
    x_z, x_r, x_g = np.split(X @ WEIGHTS[0] + WEIGHTS[2], 3, axis=1)
    h_z, h_r, h_g = np.split(H @ WEIGHTS[1], 3, axis=1)
    z, r = step_lines.sigmoid(x_z + h_z), step_lines.sigmoid(x_r + h_r)
    after = z * H + (1 - z) * np.tanh(x_g + r * h_g)
    whole = z * H + (1 - z) * np.tanh(x_g + h_g)
    properties.same_values(
        answer(X, H, *WEIGHTS),
        gru_step(X, H, *WEIGHTS),
        [
            (after, "the step that resets after the product"),
            (whole, "a candidate that sees the whole old state: in the product of g the state is r * h"),
        ],
    )


BIASES, RUN = np.array([-6.0, 0.0, 6.0]), 5  # not 6: 0.5 ** 3 would be 8 * 0.5 ** 6, two mistakes alike
NOISE = np.random.default_rng(4).normal(size=(10, 3, 2)).astype("float32")


def _with_reset_bias(bias, kernel_initializer, recurrent_initializer, update=0):
    cell = GRUCell(8, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer)
    cell.build((None, NOISE.shape[-1]))
    start = np.zeros((2, 24), "float32")
    start[0, :8], start[0, 8:16] = update, bias
    cell.bias.assign(start)
    return cell


def _sees_nothing_else(bias):
    """Return a cell whose gates depend on their bias alone, and whose candidate is 0."""
    return _with_reset_bias(bias, "zeros", "zeros")


def _sees_all(bias, update=0):
    """Return a cell with the same weights at each call."""
    return _with_reset_bias(
        bias, keras.initializers.GlorotUniform(seed=0), keras.initializers.Orthogonal(seed=1), update
    )


def _read(answer, make_cell, biases=BIASES, steps=RUN):
    return properties.one_for_each(biases, answer(biases, NOISE[:steps], make_cell))


def _one_for_each_bias(answer):
    _read(answer, _sees_all)


def _halves_where_z_is_a_half(answer):
    """Here the candidate is 0 and z is 0.5, whatever the reset gate does."""
    expected = np.full(len(BIASES), 0.5**RUN)
    properties.same_values(
        _read(answer, _sees_nothing_else),
        expected,
        [
            (np.full(len(BIASES), 0.5), f"what is left after one step, not after {RUN}"),
            (2 * expected, "one step too few, or runs that do not begin at -0.5 and at 0.5"),
            (expected / 2, "one step too many, or runs that do not begin at -0.5 and at 0.5"),
            (0 * expected, "nothing: do the two runs begin at different h?"),
            (-expected, "a negative number: the absolute difference was asked for"),
            (
                np.full(len(BIASES), 0.5 ** NOISE.shape[1]),
                "the loop goes over the batch: `inputs` are `(steps, batch, features)`",
            ),
            (np.sqrt(24) * expected, "the norm of the difference: the mean was asked for"),
            (8 * expected, "a sum over the units: the mean was asked for"),
            (24 * expected, "a sum: the mean was asked for"),
            (expected**2, "the squared difference: the absolute one was asked for"),
            (100 * expected, "per cent: a share was asked for"),
        ],
        tolerance=1e-6,
    )


def _is_measured(answer):
    """Require what a cell gives whose gates read inputs and h too, so that no formula has it."""
    read = _read(answer, _sees_all)
    low, high = _last_states()
    over_all = {"axis": (1, 2)}
    properties.same_values(
        read,
        np.abs(high - low).mean(**over_all),
        [
            (
                np.full(len(BIASES), 0.5**RUN),
                "0.5 ** steps, a hypothesis: run the cell and measure",
            ),
            *properties.mean_first(high - low, **over_all),
            (np.abs(high - low).max(**over_all), "the largest difference: the mean was asked for"),
            (np.abs(high).mean(**over_all), "h of one run alone: the difference of two runs was asked for"),
            (np.abs(low).mean(**over_all), "h of one run alone: the difference of two runs was asked for"),
            (
                np.abs(np.subtract(*_last_states(x=0))).mean(**over_all),
                "runs on zeros: each step takes its x from `inputs`",
            ),
            (
                np.abs(np.subtract(*_last_states(starts=(0.0, 1.0)))).mean(**over_all),
                "runs from h = 0 and h = 1: begin at -0.5 and at 0.5",
            ),
        ],
    )


def _last_states(x=1, starts=(-0.5, 0.5)):
    """Return h, `(biases, batch, units)`, after a run from each start; x is what inputs are multiplied by."""
    runs = []
    for start in starts:
        last = []
        for bias in BIASES:
            cell, h = _sees_all(bias), np.full((NOISE.shape[1], 8), start)
            for step in NOISE[:RUN]:
                h, _ = cell(x * step, [h])
            last.append(np.asarray(h, "float64"))
        runs.append(np.stack(last))
    return runs


WHAT_IS_LEFT = (
    "With r closed only z decides what is left: near 1/2 that is 0.5^10, about 0.001.\n"
    "With r open the candidate reads the old state, and near 1/2 more is left."
)


def _draw_what_is_left(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    biases = np.arange(-6.0, 7.0)
    axes = plotting.curves(
        biases,
        {
            f"z near {near}": _read(answer, functools.partial(_sees_all, update=bias), biases, len(NOISE))
            for near, bias in (("1/2", 0), ("1", 3))
        },
        xlabel="bias of the reset gate",
        ylabel="left of a state",
        title="Your experiment: what is left after 10 steps of noise",
        yscale="log",
    )
    axes.set_xlabel(f"{axes.get_xlabel()}\n\n{WHAT_IS_LEFT}", linespacing=1.4)
    plt.show()


EXERCISES = [
    Exercise(
        "05.gru_cell",
        MyGRUCell,
        [
            ("returns h, and the list of it", _returns_h_and_the_list_of_it),
            ("has the numbers of a GRU's step", _has_the_numbers_of_a_step),
            ("with z_keeps=False, z takes the candidate", _takes_the_candidate_where_asked),
            *cells.beside_its_numbers(GRU, STATES),
        ],
        [
            "Two products: inputs times kernel plus bias[0], and h times recurrent_kernel plus bias[1].",
            "`ops.split(product, 3, axis=-1)` gives the blocks z, r, g of each; without the axis, rows.",
            "z and r are `ops.sigmoid` of the sum of their two blocks; g is `ops.tanh(x_g + r * h_g)`.",
            "h = z * h + (1 - z) * g. Where `self.z_keeps` is False, exchange z and 1 - z in that line.",
        ],
    ),
    Exercise(
        "05.turn_update_gate",
        turn_update_gate,
        [
            ("gives three arrays of the same shapes", _three_arrays),
            ("leaves the blocks of r and g as they are", _leaves_the_other_blocks),
            ("gives the same states in the other convention", _gives_the_same_states),
            ("does so with a bias of two rows", _gives_the_same_states_with_two_rows),
        ],
        [
            "You need a gate that is 1 - z for every input and state.",
            "1 minus the sigmoid of a is the sigmoid of -a.",
            "Negate the first block of all three arrays.",
        ],
    ),
    Exercise(
        "05.gru_step",
        gru_step,
        [
            ("gives one state for each sequence", _one_state),
            ("keeps the old state where z is one", _keeps_where_z_is_one),
            ("is the step of a GRU", _is_the_step_of_the_gru),
        ],
        [
            "Set z to one in your head. What should the new state be, and what is it?",
            "The reset is for the candidate alone. Does the last line still have the old state?",
        ],
    ),
    Exercise(
        "05.reset_experiment",
        reset_experiment,
        [
            ("gives one number for each bias", _one_for_each_bias),
            (
                "halves what is left at each step where z is 0.5 and the candidate 0",
                _halves_where_z_is_a_half,
            ),
            ("is measured, for a cell that reads its inputs and h", _is_measured),
        ],
        [
            "Two loops inside the one over the biases: over the two starts, and over the steps of `inputs`.",
            "`h, _ = cell(x, [h])` goes one step. Keep the last h of each start.",
            "`ops.mean(ops.abs(high - low))` is the number for one bias.",
        ],
        result=_draw_what_is_left,
    ),
]
