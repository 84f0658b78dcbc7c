"""Plausible wrong answers to the exercises of lesson 05, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

from course_utils.exercises import EXERCISES

RIGHT = EXERCISES["05.gru_step"].solution
TURN = EXERCISES["05.turn_update_gate"].solution

OF_X = "x_z, x_r, x_g = ops.split(ops.matmul(inputs, self.kernel) + self.bias[0], 3, axis=-1)"
OF_H = "h_z, h_r, h_g = ops.split(ops.matmul(h, self.recurrent_kernel) + self.bias[1], 3, axis=-1)"
GATES = "z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)"
G = "g = ops.tanh(x_g + r * h_g)"
KEPT = "kept = z if self.z_keeps else 1 - z"
NEW = "h = kept * h + (1 - kept) * g"
RETURN = "return h, [h]"
W_G = "self.recurrent_kernel[:, 2 * self.units :]"
B_G = "self.bias[1, 2 * self.units :]"

cell = functools.partial(changed, "05.gru_cell")


def read_as(*order):
    """Return changes that read the blocks in another order."""
    of_x, of_h = (", ".join(f"{of}_{name}" for name in order) for of in "xh")
    return OF_X, OF_X.replace("x_z, x_r, x_g", of_x), OF_H, OF_H.replace("h_z, h_r, h_g", of_h)


CELLS = [
    (cell(KEPT, "kept = 1 - z if self.z_keeps else z"), "z and 1 - z exchanged: with z_keeps=True, z keeps"),
    (cell(KEPT, "kept = 1 - z"), "z and 1 - z exchanged"),
    (cell(KEPT, "kept = z"), "the step in which z keeps: is `self.z_keeps` looked at in `call`?"),
    (cell(*read_as("r", "z", "g")), "z and r exchanged: z mixes old state and candidate, r resets"),
    (cell(*read_as("g", "r", "z")), "the blocks read in the order g, r, z, not z, r, g"),
    (
        cell(G, f"g = ops.tanh(x_g + ops.matmul(r * h, {W_G}) + {B_G})"),
        "the reset before the product: here r multiplies h W_h + b_h",
    ),
    (
        cell(G, f"g = ops.tanh(x_g + r * (h_g - {B_G}) + {B_G})"),
        "the second row of the bias outside the reset",
    ),
    (cell(G, "g = ops.tanh(x_g + h_g)"), "no reset gate"),
    (cell(G, "g = ops.tanh(r * (x_g + h_g))"), "r times the whole sum"),
    (cell(G, "g = ops.tanh(r * x_g + h_g)"), "r times the part of the inputs"),
    (cell(G, "g = ops.tanh(x_g + z * h_g)"), "z in the candidate"),
    (cell(G, "g = ops.tanh(x_g + (1 - r) * h_g)"), "1 - r in place of r"),
    (cell(G, "g = ops.tanh(x_g + r * h)"), "r times h without its kernel"),
    (cell(G, "g = ops.tanh(x_g)"), "a candidate without the state"),
    (cell(G, "g = x_g + r * h_g"), "no tanh on the candidate g"),
    (cell(G, "g = ops.sigmoid(x_g + r * h_g)"), "the sigmoid on the candidate g"),
    (cell("ops.sigmoid(x_z + h_z)", "(x_z + h_z)"), "no sigmoid on the gate z"),
    (cell("ops.sigmoid(x_r + h_r)", "ops.tanh(x_r + h_r)"), "a tanh on the gate r: it has the sigmoid"),
    (cell(GATES, "z, r = ops.tanh(x_z + h_z), ops.tanh(x_r + h_r)"), "tanh on both gates"),
    (cell(GATES, "z, r = x_z + h_z, x_r + h_r"), "no sigmoid: z and r need it"),
    (cell(" + self.bias[0]", "", " + self.bias[1]", ""), "the bias is forgotten"),
    (cell(" + self.bias[0]", ""), "the first row of the bias is forgotten"),
    (cell(" + self.bias[1]", ""), "the second row of the bias is forgotten: it joins the state"),
    (cell("bias[1]", "bias[2 * 0]", "bias[0]", "bias[1]"), "the rows of the bias exchanged"),
    (
        cell(" + self.bias[1]", "", " + self.bias[0]", " + self.bias[0] + self.bias[1]"),
        "the second row of the bias outside the reset: it joins h W_h, and r multiplies both",
    ),
    (cell("ops.matmul(h,", "ops.matmul(0 * h,"), "h and the recurrent kernel are forgotten"),
    (cell("ops.matmul(inputs,", "ops.matmul(0 * inputs,"), "the inputs and the kernel are forgotten"),
    (cell(NEW, "h = g"), "the candidate in place of the mixture"),
    (cell(NEW, "h = kept * h + g"), "the whole candidate: 1 - z multiplies it"),
    (cell(NEW, "h = h + (1 - kept) * g"), "the whole old state: z multiplies it"),
    (cell(NEW, "h = kept * h + kept * g"), "z times both"),
    (cell(NEW, "h = kept * h + r * g"), "r times the candidate"),
    (cell(NEW, "h = kept * (r * h) + (1 - kept) * g"), "the reset state in the mixture"),
    (cell(NEW, "h = r * h + (1 - r) * g"), "r in the mixture"),
    (cell(NEW, "h = kept * h"), "no candidate"),
    (cell(NEW, "h = (1 - kept) * g"), "nothing kept of the old state"),
    (cell(NEW, "h = ops.tanh(kept * h + (1 - kept) * g)"), "a tanh on the new h"),
    (cell(RETURN, "return h, states"), "the old h in the list"),
    (cell(RETURN, "return states[0], [h]"), "the old h as the output"),
    (cell(RETURN, "return h, [g]"), "the candidate in the list"),
    (cell(RETURN, "return g, [h]"), "the candidate as the output"),
    (
        cell(G, "g = ops.tanh(x_g + h_g)", " + self.bias[0]", ""),
        "two mistakes: no reset gate: in the candidate r multiplies h W_h + b_h. And: the first row",
    ),
    (cell(RETURN, "return h + 1, [h]"), "the new h as the output, and alone in the list"),
    (cell(G, "g = ops.tanh(x_g + r * h_g) ** 3"), "expected: h = z * h + (1 - z) * g\n      came:     h off"),
    (cell(RETURN, "return h"), "expected: h, and the list [h]\n      came:     <tf.Tensor"),
    (cell(RETURN, "return h, h"), "h, and no list: the states stand in a list, even one alone"),
    (cell(RETURN, "return h, [h, h]"), "a list of 2"),
    (cell(RETURN, "pass"), "None: is a return missing?"),
    (cell("ops.tanh(", "np.tanh("), "NumPy: write ops.tanh for np.tanh"),
    (
        cell("(1 - kept) * g", "(1 - kept) * ops.stop_gradient(g)"),
        "the gradient of Keras' cell with respect to",
    ),
    (
        cell(OF_H, OF_H.replace("(h,", "(ops.stop_gradient(h),")),
        "the gradient of Keras' cell with respect to h",
    ),
    (
        cell("self.bias[0]", "self.bias"),
        "[2,12] (the bias has two rows: `self.bias[0]` joins the inputs, `self.bias[1]` the state)",
    ),
    (
        cell("ops.matmul(inputs, self.kernel)", "ops.matmul(self.kernel, inputs)"),
        "(inputs go with kernel, states[0] with recurrent_kernel",
    ),
    (cell("(2, width)", "(width,)"), "the weights of the stub, for 4 units kernel (2, 12)"),
    (cell(RETURN, "h = 4 / self.units * h; return h, [h]"), "is a number of units, features or rows"),
    (cell("(keras.layers.Layer)", ""), "expected: a class that inherits from keras.layers.Layer"),
    (cell()(4), "the class that you wrote, without brackets after its name"),
]


PARTS = {
    "left": "float(ops.mean(ops.abs(ends[1] - ends[0])))",
    "step": "h, _ = cell(x, [h])",
    "steps": "in inputs:",
    "ends": "ends.append(h)",
    "biases": "in biases:",
    "start": "(-0.5, 0.5)",
    "result": "return left",
}
experiment = functools.partial(changed_by_parts, "05.reset_experiment", PARTS)


def over_the_batch(biases, inputs, make_cell):
    return EXERCISES["05.reset_experiment"].solution(biases, inputs.swapaxes(0, 1), make_cell)


EXPERIMENTS = [
    (
        lambda biases, inputs, make_cell: [0.5 ** len(inputs)] * len(biases),
        "0.5 ** steps, a hypothesis: run the cell and measure",
    ),
    (experiment(steps="in inputs[1:]:"), "one step too few"),
    (experiment(steps="in [*inputs, inputs[0]]:"), "one step too many"),
    (experiment(start="(-1.0, 1.0)"), "runs that do not begin at -0.5 and at 0.5"),
    (experiment(start="(0.0, 0.5)"), "runs that do not begin at -0.5 and at 0.5"),
    (experiment(start="(0.0, 1.0)"), "runs from h = 0 and h = 1: begin at -0.5 and at 0.5"),
    (experiment(start="(0.5, 0.5)"), "nothing: do the two runs begin at different h?"),
    (experiment(left="float(ops.mean(ends[1] - ends[0]))"), "take the absolute values first"),
    (experiment(left="float(ops.mean(ends[0] - ends[1]))"), "a negative number: the absolute difference"),
    (over_the_batch, "the loop goes over the batch: `inputs` are `(steps, batch, features)`"),
    (experiment(left="float(ops.max(ops.abs(ends[1] - ends[0])))"), "the largest difference: the mean"),
    (experiment(left="float(ops.sum((ends[1] - ends[0]) ** 2)) ** 0.5"), "the norm of the difference"),
    (experiment(left="abs(float(ops.mean(ends[1] - ends[0])))"), "take the absolute values first"),
    (experiment(left="float(ops.sum(ops.abs(ends[1] - ends[0])))"), "a sum: the mean was asked for"),
    (experiment(left="float(ops.sum(ops.abs(ends[1] - ends[0])[0]))"), "a sum over the units"),
    (experiment(left="float(ops.mean(ops.square(ends[1] - ends[0])))"), "the squared difference"),
    (experiment(left="100 * float(ops.mean(ops.abs(ends[1] - ends[0])))"), "per cent: a share was asked for"),
    (experiment(step="h, _ = cell(0 * x, [h])"), "runs on zeros"),
    (experiment(step="cell(x, [h])"), "values within 1e-06"),
    (experiment(biases="in biases[:1]:"), "expected: shape (3,)\n      came:     shape (1,)"),
    (experiment(biases="in reversed(biases):"), "values within 1e-05"),
    (experiment(result="return left[0]"), "expected: shape (3,)\n      came:     shape ()"),
    (experiment(step="h = cell(x, [h])"), "no error\n      came:     "),
    (experiment(step="h, _ = cell(x, h)"), "no error\n      came:     "),
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def before_the_product(r, h, kernel):
    return (r * h) @ kernel


def step(mix, read=before_the_product, order=(0, 1, 2)):
    """A GRU step with another mixture, or with a candidate that reads the old state otherwise."""

    def wrong(x, h, kernel, recurrent_kernel, bias):
        x_z, x_r, x_g = (np.split(x @ kernel + bias, 3, axis=1)[block] for block in order)
        of_z, of_r, of_g = (np.split(recurrent_kernel, 3, axis=1)[block] for block in order)
        z, r = sigmoid(x_z + h @ of_z), sigmoid(x_r + h @ of_r)
        return mix(z, r, h, np.tanh(x_g + read(r, h, of_g)))

    return wrong


def turned_in_place(*weights):
    for weight in weights:
        weight[..., :4] *= -1
    return weights


def turned_by_two_rows(kernel, recurrent_kernel, bias):
    bias = bias.copy()
    bias[:, :4] *= -1
    return kernel, recurrent_kernel, bias


def turned_in_the_first_row(kernel, recurrent_kernel, bias):
    bias = bias.copy()
    np.atleast_2d(bias)[0, :4] *= -1
    return *(weight * np.repeat([-1, 1, 1], 4) for weight in (kernel, recurrent_kernel)), bias


def turned_by_columns(columns, turn=np.negative):
    return lambda *weights: [
        np.where(np.isin(np.arange(12), columns), turn(weight), weight) for weight in weights
    ]


def only_the_first_row(x, h, *weights):
    return np.concatenate([RIGHT(x[:1], h[:1], *weights), h[1:]])


WRONG = {
    "05.gru_cell": CELLS,
    "05.reset_experiment": EXPERIMENTS,
    "05.turn_update_gate": [
        (lambda *weights: weights, "the same weights in the other convention"),
        (lambda *weights: tuple(-weight for weight in weights), "other weights for r or g"),
        (
            lambda kernel, recurrent, bias: (kernel, recurrent, bias * np.repeat([-1, 1, 1], 4)),
            "values that differ",
        ),
        (
            lambda kernel, recurrent, bias: (
                *(weight * np.repeat([-1, 1, 1], 4) for weight in (kernel, recurrent)),
                bias,
            ),
            "states to which the bias does not fit yet",
        ),
        (
            lambda *weights: tuple(1 - weight * np.repeat([1, 0, 0], 4) for weight in weights),
            "other weights for r or g",
        ),
        (lambda kernel, recurrent, bias: -kernel, "3 results: kernel, recurrent kernel, bias"),
        (turned_by_two_rows, "a bias of one row, (3 units,): `bias[..., :units]` fits one row and two"),
        (
            turned_in_the_first_row,
            "states to which the second row of the bias does not fit yet: `bias[..., :units]` is the block",
        ),
        (
            lambda *weights: [*TURN(*weights)[:2], np.concatenate([-weights[2][:4], weights[2][4:]])],
            "other weights for r or g: `bias[:units]` takes rows of a bias of two rows",
        ),
        (
            turned_by_columns(range(4), turn=lambda weight: 1 - weight),
            "it is the gate that becomes 1 - z",
        ),
        (turned_by_columns(range(2)), "`units` are the rows of recurrent_kernel"),
        (turned_in_place, "a change in `kernel`, `recurrent_kernel`, `bias`"),
    ],
    "05.gru_step": [
        (step(lambda z, r, h, g: z * (r * h) + (1 - z) * g), "half of it"),
        (
            step(lambda z, r, h, g: z * h + (1 - z) * g, read=lambda r, h, kernel: r * (h @ kernel)),
            "resets after the product",
        ),
        (
            step(lambda z, r, h, g: z * h + (1 - z) * g, read=lambda r, h, kernel: h @ kernel),
            "a candidate that sees the whole old state: in the product of g the state is r * h",
        ),
        (lambda *arguments: RIGHT(*arguments).mean(axis=0), "shape (4,)"),
        (step(lambda z, r, h, g: (1 - z) * h + z * g), "here z keeps, and 1 - z renews"),
        (step(lambda z, r, h, g: z * h + (1 - z) * g, order=(1, 0, 2)), "the order r, z, g"),
        (only_the_first_row, "values that differ"),
    ],
}
