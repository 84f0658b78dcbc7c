"""Plausible wrong answers to the exercises of lesson 04, and the words each must hear."""

import functools

import keras
import numpy as np
from changed_solutions import changed, changed_by_parts

Z = "z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias"
GATES = "i, f, g, o = ops.split(z, 4, axis=-1)"
NEW_C = "c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)"
NEW_H = "h = ops.sigmoid(o) * ops.tanh(c)"
RETURN = "return h, [h, c]"


cell = functools.partial(changed, "04.lstm_cell")


def gates(order):
    return GATES.replace("i, f, g, o", ", ".join(order))


def old_c_in(line):
    """Return changes that keep the old c beside the new one, and a line that uses it."""
    return NEW_C, f"old = c; {NEW_C}", *line


def keeps_a_state(class_of_cell):
    class Kept(class_of_cell):
        def call(self, inputs, states):
            output, after = super().call(inputs, getattr(self, "kept", states))
            self.kept = after
            return output, after

    return Kept


def changes_its_states(class_of_cell):
    class Changes(class_of_cell):
        def call(self, inputs, states):
            output, after = super().call(inputs, states)
            states[1] = after[1]
            return output, after

    return Changes


def changes_its_weights(class_of_cell):
    class Changes(class_of_cell):
        def call(self, inputs, states):
            came = super().call(inputs, states)
            self.bias.assign_add(keras.ops.ones_like(self.bias))
            return came

    return Changes


CELLS = [
    (cell(GATES, gates("ifog")), "the blocks read in the order i, f, o, g, not i, f, g, o"),
    (cell(GATES, gates("fgio")), "the blocks read in the order f, g, i, o"),
    (cell(GATES, gates("figo")), "f and i exchanged: f multiplies the old c"),
    (cell(NEW_C, "c = ops.sigmoid(i) * c + ops.sigmoid(f) * ops.tanh(g)"), "f and i exchanged"),
    (
        cell(
            NEW_C,
            "c = ops.tanh(f) * c + ops.tanh(i) * ops.sigmoid(g)",
            NEW_H,
            "h = ops.tanh(o) * ops.tanh(c)",
        ),
        "tanh and sigmoid exchanged",
    ),
    (cell("ops.tanh(g)", "ops.sigmoid(g)"), "the sigmoid in all blocks"),
    (cell("ops.tanh(g)", "g"), "no tanh on the candidate g"),
    (cell("ops.sigmoid(i)", "i"), "no sigmoid on the gate i"),
    (cell("ops.sigmoid(o)", "o"), "no sigmoid on the gate o"),
    (cell("ops.sigmoid(f)", "ops.tanh(f)"), "a tanh on the gate f: it has the sigmoid"),
    (
        cell(NEW_C, "c = f * c + i * ops.tanh(g)", NEW_H, "h = o * ops.tanh(c)"),
        "no sigmoid: i, f and o need it",
    ),
    (
        cell(NEW_C, "c = f * c + i * g", NEW_H, "h = o * ops.tanh(c)"),
        "neither sigmoid nor tanh on the blocks",
    ),
    (cell(NEW_H, "h = ops.sigmoid(o) * c"), "h without the tanh: h is o * tanh(c)"),
    (cell(NEW_H, "h = ops.tanh(c)"), "h without the output gate"),
    (cell(NEW_H, "h = ops.sigmoid(o) * ops.tanh(g)"), "h from the candidate"),
    (cell(*old_c_in((NEW_H, "h = ops.sigmoid(o) * ops.tanh(old)"))), "h from the old c"),
    (cell(*old_c_in((RETURN, "return h, [h, old]"))), "the old c in the list"),
    (cell(RETURN, "return h, [states[0], c]"), "the old h in the list"),
    (cell(RETURN, "return h, states"), "the old states in the list"),
    (cell(RETURN, "return h, [c, h]"), "h and c exchanged in the list: it is [h, c]"),
    (cell(RETURN, "return c, [h, c]"), "c as the output: the output is h"),
    (cell(RETURN, "return h, [h, h]"), "h twice in the list"),
    (cell(RETURN, "return ops.sigmoid(o), [h, c]"), "the output gate as the output"),
    (cell(RETURN, "return h + 1, [h, c]"), "the new h as the output, and first in the list"),
    (cell(" + self.bias", ""), "the bias is forgotten"),
    (cell(" + ops.matmul(h, self.recurrent_kernel)", ""), "h and the recurrent kernel are forgotten"),
    (cell("ops.matmul(inputs, self.kernel) + ", ""), "the inputs and the kernel are forgotten"),
    (cell("matmul(h,", "matmul(states[1],"), "the recurrent kernel times c: h is states[0]"),
    (cell("h, c = states", "c, h = states"), "h and c exchanged at the start"),
    (cell("(f) * c", "(f) * h"), "f times h: the forget gate multiplies c"),
    (cell("ops.sigmoid(i) * ", ""), "no input gate"),
    (cell("ops.sigmoid(f) * ", ""), "no forget gate"),
    (cell("ops.sigmoid(f) * c + ", ""), "nothing kept of the old c"),
    (cell("ops.sigmoid(i)", "(1 - ops.sigmoid(f))"), "1 - f in place of i"),
    (cell(NEW_C, "c = ops.tanh(ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g))"), "a tanh on the new c"),
    (
        cell(GATES, gates("ifog"), NEW_H, "h = ops.sigmoid(o) * c"),
        "two mistakes: the blocks read in the order i, f, o, g, not i, f, g, o. And: h without the tanh",
    ),
    (
        cell(" + self.bias", "", RETURN, "return h, [c, h]"),
        "two mistakes: the bias is forgotten. And: h and c exchanged in the list",
    ),
    (
        cell(NEW_H, "h = ops.sigmoid(o) * ops.tanh(c) ** 3"),
        "expected: h = o * tanh(c)\n      came:     h off",
    ),
    (cell("ops.tanh(g)", "ops.tanh(g) ** 3"), "expected: c = f * c + i * g\n      came:     c off"),
    (cell("ops.tanh(g)", "g**2", NEW_H, "h = c"), "and h does not follow from it. Print i, f, g and o"),
    (cell(RETURN, "return h"), "expected: h, and the list [h, c]\n      came:     <tf.Tensor"),
    (cell(RETURN, "return h, c"), "h, and no list: the states stand in a list"),
    (cell(RETURN, "return h, h, c"), "expected: h, and the list [h, c]\n      came:     3 results"),
    (cell(RETURN, "return h, [c]"), "a list of 1"),
    (cell(RETURN, "pass"), "None: is a return missing?"),
    (cell(RETURN, "return h[:, :2], [h[:, :2], c]"), "expected: shape (3, 4)\n      came:     shape (3, 2)"),
    (cell("axis=-1", "axis=0"), "no error\n      came:     "),
    (cell("matmul(inputs, self.kernel)", "matmul(inputs, self.recurrent_kernel)"), "inputs go with kernel"),
    (cell("ops.tanh(g)", "np.tanh(g)"), "NumPy: write ops.tanh for np.tanh"),
    (cell("ops.sigmoid(f)", "(1 / (1 + np.exp(-f)))"), "NumPy: write ops.exp for np.exp"),
    (cell(GATES, "i, f, g, o = np.split(z, 4, axis=-1)"), "NumPy: write ops.split for np.split"),
    (cell(RETURN, "return np.array(h), [np.array(h), np.array(c)]"), "NumPy: write ops.array for np.array"),
    (cell(RETURN, "return h, [h, c.numpy()]"), "NumPy: write ops.tanh for np.tanh, and so on"),
    (cell("(f) * c", "(f) * ops.stop_gradient(c)"), "a gradient with respect to c of the step before"),
    (cell("matmul(h,", "matmul(ops.stop_gradient(h),"), "a gradient with respect to h of the step before"),
    (cell("(g)", "(ops.stop_gradient(g))"), "the gradient of Keras' cell with respect to the inputs"),
    (
        cell("+ self.bias", "+ ops.stop_gradient(self.bias)"),
        "a step of training\n      came:     the same bias",
    ),
    (cell("4 * self.units\n", "16\n"), "the weights of the stub, for 5 units kernel (3, 20)"),
    (
        cell(GATES, "i, f, g, o = z[:, :4], z[:, 4:8], z[:, 8:12], z[:, 12:]"),
        "no error\n      came:     Invalid",
    ),
    (cell(RETURN, "h = 4 / self.units * h; return h, [h, c]"), "is a number of units, features or rows"),
    (cell(NEW_C, NEW_C + "; c = ops.reshape(c, (3, 4))"), "no error\n      came:     "),
    (cell("[units, units]", "units"), "expected: state_size [4, 4]\n      came:     4"),
    (cell("4 * self.units\n", "3 * self.units\n"), "the weights of the stub, for 4 units kernel (2, 16)"),
    (cell("(keras.layers.Layer)", ""), "expected: a class that inherits from keras.layers.Layer"),
    (keeps_a_state(cell()), "is a state kept on `self`?"),
    (changes_its_states(cell()), "expected: the list `states` as it was before the call"),
    (changes_its_weights(cell()), "expected: the weights as they were before the call"),
    (cell()(4), "the class that you wrote, without brackets after its name"),
    (lambda units: cell(), "a class that inherits from keras.layers.Layer"),
]


PARTS = {
    "left": "float(ops.mean(ops.abs(ends[1] - ends[0])))",
    "step": "_, (h, c) = cell(x, [h, c])",
    "steps": "in inputs:",
    "ends": "ends.append(c)",
    "biases": "in biases:",
    "start": "(0.0, 1.0)",
    "result": "return left",
}
experiment = functools.partial(changed_by_parts, "04.bias_experiment", PARTS)


def sigma(bias):
    return 1 / (1 + np.exp(-bias))


EXPERIMENTS = [
    (
        lambda biases, inputs, make_cell: [sigma(bias) ** len(inputs) for bias in biases],
        "sigma(bias) ** steps, a hypothesis: run the cell and measure",
    ),
    (lambda biases, inputs, make_cell: sigma(biases), "what is left after one step, not after 6"),
    (experiment(steps="in inputs[1:]:"), "one step too few"),
    (experiment(steps="in [*inputs, inputs[0]]:"), "one step too many"),
    (experiment(ends="ends.append(h)"), "the difference of h: what is left stands in c"),
    (
        experiment(left="float(ops.mean(ends[1] - ends[0]))"),
        "take the absolute values first",
    ),
    (experiment(left="abs(float(ops.mean(ends[1] - ends[0])))"), "take the absolute values first"),
    (experiment(left="float(ops.mean(ops.abs(ends[1])))"), "c of one run alone: the difference of two"),
    (experiment(left="float(ops.sum(ops.abs(ends[1] - ends[0])))"), "a sum: the mean was asked for"),
    (experiment(left="float(ops.sum(ops.abs(ends[1] - ends[0])[0]))"), "a sum over the units"),
    (experiment(left="float(ops.mean(ops.square(ends[1] - ends[0])))"), "the squared difference"),
    (experiment(left="100 * float(ops.mean(ops.abs(ends[1] - ends[0])))"), "per cent: a share was asked for"),
    (experiment(step="_, (_, c) = cell(x, [h, c])"), "runs in which h stays 0"),
    (experiment(step="_, (c, h) = cell(x, [h, c])"), "h and c change places"),
    (experiment(step="_, (h, c) = cell(0 * x, [h, c])"), "runs on zeros"),
    (experiment(step="_ = cell(x, [h, c])"), "more left with a larger bias"),
    (experiment(start="(0.0, 0.0)"), "expected: more left with a larger bias\n      came:     0, 0, 0 for"),
    (experiment(biases="in reversed(biases):"), "expected: more left with a larger bias"),
    (experiment(biases="in biases[:1]:"), "expected: shape (3,)\n      came:     shape (1,)"),
    (experiment(result="return left[0]"), "expected: shape (3,)\n      came:     shape ()"),
    (experiment(left="ops.abs(ends[1] - ends[0])"), "expected: shape (3,)"),
    (experiment(step="_, h, c = cell(x, [h, c])"), "no error\n      came:     ValueError: not enough values"),
    (
        experiment(step="_, (h, c) = cell(inputs, [h, c])"),
        "no error\n      came:     ValueError: `inputs` must",
    ),
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(order, show=True):
    """An LSTM step that takes the blocks to stand in another order, or forgets the output gate."""

    def wrong(x, h, c, kernel, recurrent_kernel, bias):
        z = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        i, f, g, o = (z[order.index(name)] for name in "ifgo")
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return (sigmoid(o) if show else 1) * np.tanh(c), c

    return wrong


def never_kept(x, h, c, *weights):
    return step("ifgo")(x, h, 0 * c, *weights)


def without_the_tanh(x, h, c, *weights):
    _, c = step("ifgo")(x, h, c, *weights)
    z = np.split(x @ weights[0] + h @ weights[1] + weights[2], 4, axis=1)
    return sigmoid(z[3]) * c, c


def with_half_the_candidate(x, h, c, *weights):
    h, right = step("ifgo")(x, h, c, *weights)
    return h, np.where(np.abs(right - c) < 1e-6, c, right / 2)


WRONG = {
    "04.lstm_cell": CELLS,
    "04.bias_experiment": EXPERIMENTS,
    "04.lstm_step": [
        (
            step("ifog"),
            "expected: the blocks in the order i, f, g, o\n      came:     the order i, f, o, g",
        ),
        (step("ofgi"), "came:     the order o, f, g, i"),
        (step("igfo"), "came:     the order i, g, f, o"),
        (never_kept, "nothing of it: what does the forget gate multiply?"),
        (lambda *arguments: step("ifgo")(*arguments)[::-1], "c, then h"),
        (without_the_tanh, "without the tanh"),
        (with_half_the_candidate, "values that differ"),
        (step("figo"), "came:     the order f, i, g, o"),
        (step("ifgo", show=False), "without the output gate"),
        (lambda *arguments: step("ifgo")(*arguments)[0], "expected: 2 results: h, c"),
    ],
}
