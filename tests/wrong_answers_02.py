"""Plausible wrong answers to the exercises of lesson 02, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

from course_utils.exercises import EXERCISES

Z = "z = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel) + self.bias"
FROM_X, FROM_H = "ops.matmul(inputs, self.kernel)", "ops.matmul(states[0], self.recurrent_kernel)"
NEW_H = "h = ops.tanh(z)"
RETURN = "return h, [h]"


cell = functools.partial(changed, "02.rnn_cell")


def z(line):
    return cell(Z, line)


def h(line):
    return cell(NEW_H, line)


def returns(line):
    return cell(RETURN, line)


CELLS = [
    (cell(" + self.bias", ""), "the bias is forgotten"),
    (cell(f" + {FROM_H}", ""), "h and the recurrent kernel are forgotten: the cell remembers nothing"),
    (cell(f" + {FROM_H} + self.bias", ""), "h, the recurrent kernel and the bias are forgotten"),
    (cell(f"{FROM_X} + ", ""), "the inputs and the kernel are forgotten"),
    (h("h = z"), "no tanh: h is tanh("),
    (cell(NEW_H, "h = z", " + self.bias", ""), "neither tanh nor bias"),
    (h("h = ops.sigmoid(z)"), "the sigmoid in place of the tanh"),
    (h("h = ops.relu(z)"), "a relu in place of the tanh"),
    (h("h = ops.tanh(ops.tanh(z))"), "the tanh twice"),
    (h("h = states[0] + ops.tanh(z)"), "the old h added"),
    (h("h = (states[0] + ops.tanh(z)) / 2"), "the mean of old and new h"),
    (h("h = states[0]"), "the old h in place of the new one"),
    (h("h = ops.tanh(z) ** 3"), "expected: h = tanh(inputs kernel + h recurrent_kernel + bias)"),
    (cell("self.recurrent_kernel) +", "ops.transpose(self.recurrent_kernel)) +"), "h times W_h transposed"),
    (
        cell("matmul(inputs, self.kernel)", "matmul(self.kernel, inputs)"),
        "and stand first: matmul(inputs, kernel)",
    ),
    (cell("states[0]", "states"), "shape (1, 3, 4): `states` is a list, take states[0]"),
    (cell(FROM_H, "states[0]"), "h without the recurrent kernel"),
    (cell("+ self.bias", "- self.bias"), "the bias subtracted"),
    (cell(f"+ {FROM_H}", f"- {FROM_H}"), "h times its kernel subtracted"),
    (cell(f"+ {FROM_H}", f"* {FROM_H}"), "the two products multiplied"),
    (cell(NEW_H, f"h = ops.tanh({FROM_X}) + ops.tanh({FROM_H}) + self.bias"), "a tanh on each product"),
    (cell(NEW_H, f"h = ops.tanh({FROM_X}) + {FROM_H} + self.bias"), "the tanh on the inputs alone"),
    (cell(NEW_H, f"h = {FROM_X} + ops.tanh({FROM_H}) + self.bias"), "the tanh on h alone"),
    (cell(NEW_H, f"h = ops.tanh({FROM_X} + {FROM_H}) + self.bias"), "the bias outside the tanh"),
    (cell(NEW_H, f"h = ops.tanh({FROM_X} + self.bias) + {FROM_H}"), "h outside the tanh"),
    (returns("return h, states"), "the old h in the list"),
    (returns("return states[0], [h]"), "the old h as the output"),
    (returns("return h, [z]"), "the sum before the tanh in the list"),
    (returns("return z, [h]"), "the sum before the tanh as the output"),
    (returns("return h, [2 * h]"), "the new h as the output, and alone in the list"),
    (returns("return h"), "expected: h, and the list [h]\n      came:     <tf.Tensor"),
    (returns("return h"), "write `return h, [h]`"),
    (returns("return h, h"), "h, and no list: the states stand in a list, even one alone"),
    (returns("return h, [h, h]"), "a list of 2"),
    (returns("pass"), "None: is a return missing?"),
    (returns("return h[:, :2], [h[:, :2]]"), "expected: shape (3, 4)\n      came:     shape (3, 2)"),
    (cell("matmul(inputs, self.kernel)", "matmul(inputs, self.recurrent_kernel)"), "inputs go with kernel"),
    (h("h = np.tanh(z)"), "NumPy: write ops.tanh for np.tanh"),
    (returns("return np.array(h), [np.array(h)]"), "NumPy: write ops.array for np.array"),
    (cell(FROM_H, "ops.matmul(ops.stop_gradient(states[0]), self.recurrent_kernel)"), "h of the step before"),
    (
        cell("+ self.bias", "+ ops.stop_gradient(self.bias)"),
        "a step of training\n      came:     the same bias",
    ),
    (returns("h = ops.reshape(h, (3, 4)); return h, [h]"), "no error\n      came:     "),
    (
        cell("= units, [units]", "= units, [units, units]"),
        "expected: state_size 4",
    ),
    (cell("(self.units,), ", "(2 * self.units,), "), "the weights of the stub, for 4 units kernel (2, 4)"),
    (cell("(keras.layers.Layer)", ""), "expected: a class that inherits from keras.layers.Layer"),
    (cell()(4), "the class that you wrote, without brackets after its name"),
]

STEP = "after, _ = cell(inputs[:, t], [h])"
STAYS = "h = ops.where(mask[:, t, None], after, h)"
APPEND = "states.append(h)"
STACK = "return ops.stack(states, axis=1)"


loop = functools.partial(changed, "02.rnn_loop")

LOOPS = [
    (loop(STAYS, "h = after"), "a state that moves in the padding: the mask is not used"),
    (loop("after, h)", "after, 0 * h)"), "a state that padding sets to 0"),
    (loop(STAYS, "h = ops.where(mask[:, t, None], h, after)"), "zeros: is the new h kept?"),
    (loop(STAYS, "h = after * mask[:, t, None]"), "a state that padding sets to 0"),
    (
        loop(STEP, "after, _ = cell(inputs[:, t] * mask[:, t, None], [h]); h = after", STAYS, ""),
        "a step from zeros",
    ),
    (loop(STAYS, "h = after", APPEND, "states.append(h * mask[:, t, None])"), "and a state that moves there"),
    (loop(APPEND, "states.append(h * mask[:, t, None])"), "zeros in the result at padding: the state of"),
    (
        loop(APPEND, "", STAYS, "states.append(ops.where(mask[:, t, None], after, h)); h = after"),
        "a state that stays in the result alone",
    ),
    (loop("mask[:, t, None]", "mask[:1, t, None]"), "the mask of the first row for all rows"),
    (loop("mask[:, t, None]", "mask[:, t].any()"), "one mask for all rows"),
    (loop("mask[:, t, None]", "mask[:, t].all()"), "one mask for all rows"),
    (loop(STEP, "after, _ = cell(inputs[:, t], [0 * h])"), "each step from h = 0"),
    (loop("ops.zeros(", "ops.ones("), "a run that begins with ones"),
    (
        loop("in range(inputs.shape[1])", "in reversed(range(inputs.shape[1]))"),
        "from the last step to the first",
    ),
    (loop(APPEND, "", STEP, f"states.append(h); {STEP}"), "the state before each step"),
    (loop(STACK, "return ops.repeat(h[:, None], inputs.shape[1], axis=1)"), "the last state at every step"),
    (loop(STACK, "return h"), "shape (2, 4): one state alone"),
    (loop(STACK, "return ops.stack(states)"), "shape (5, 2, 4): stack along axis 1"),
    (loop(STACK, "return states"), "shape (5, 2, 4): stack along axis 1"),
    (loop("range(inputs.shape[1])", "range(1, inputs.shape[1])"), "came:     shape (2, 4, 4)"),
    (loop(STEP, "after, _ = cell(inputs[:, t], h)"), "cell(x, [h]), with h in a list"),
    (loop("inputs[:, t]", "inputs[t]"), "came:     "),
    (loop("mask[:, t, None]", "mask[:, t]"), "needs an axis for the units, mask[:, t, None]"),
    (loop(STAYS, "h = after * mask[:, t]"), "needs an axis for the units, mask[:, t, None]"),
    (loop(STACK, ""), "None: is a return missing?"),
]


def cuts(series, length, label):
    rows = range(len(series) - length)
    return np.array([series[i : i + length] for i in rows]), np.array(
        [series[label(i, length)] for i in rows]
    )


def one_window_too_many(series, length):
    return np.array([series[i : i + length] for i in range(len(series) - length + 1)])


PARTS = {
    "left": "float(ops.mean(ops.abs(last_state(inputs) - last_state(without))))",
    "copy": "inputs.copy()",
    "word": "without[len(inputs) - 1 - distance] = 0",
    "step": "h, _ = cell(x, [h])",
    "start": 'np.zeros((words.shape[1], cell.units), "float32")',
    "result": "return left",
}
trace = functools.partial(changed_by_parts, "02.trace_experiment", PARTS)
DIFFERENCE = "last_state(inputs) - last_state(without)"
TRACES = [
    (trace(word="without[distance] = 0"), "a distance from the first word"),
    (trace(word="without[-distance] = 0"), "one step off: distance 0 is the last word"),
    (trace(word="without[len(inputs) - 2 - distance] = 0"), "one step off"),
    (trace(word="without[len(inputs) - 1 - distance] = 1"), "ones in place of the word"),
    (trace(word="without[len(inputs) - 1 - distance :] = 0"), "zeros from the word on"),
    (trace(word="without[: len(inputs) - distance] = 0"), "zeros up to the word"),
    (trace(word="without = np.delete(without, len(inputs) - 1 - distance, axis=0)"), "a word cut out"),
    (trace(copy="inputs"), "no difference at all"),
    (trace(word="pass"), "no difference at all"),
    (trace(left=f"float(ops.mean({DIFFERENCE}))"), "take the absolute values first"),
    (
        trace(left="float(ops.mean(last_state(without) - last_state(inputs)))"),
        "take the absolute values first",
    ),
    (trace(left=f"float(ops.norm({DIFFERENCE}))"), "the norm of the difference"),
    (trace(left=f"abs(float(ops.mean({DIFFERENCE})))"), "take the absolute values first"),
    (trace(left=f"float(ops.sum(ops.abs({DIFFERENCE})))"), "a sum: the mean was asked for"),
    (trace(left=f"float(ops.mean(ops.square({DIFFERENCE})))"), "the squared difference"),
    (trace(left=f"float(ops.max(ops.abs({DIFFERENCE})))"), "the largest difference"),
    (trace(left="float(ops.mean(ops.abs(last_state(inputs))))"), "the last h itself"),
    (trace(left="float(ops.mean(ops.abs(last_state(without))))"), "the last h of one run alone"),
    (trace(left=f"ops.abs({DIFFERENCE})"), "expected: shape (3,)"),
    (trace(result="return left[0]"), "expected: shape (3,)\n      came:     shape ()"),
    (trace(step="_ = cell(x, [h])"), "no difference at all"),
    (trace(step="h = cell(x, [h])"), "came:     "),
    (
        lambda distances, inputs, cell: [0.5**distance for distance in distances],
        "expected: values within",
    ),
]


def in_place(distances, inputs, cell):
    right = EXERCISES["02.trace_experiment"].solution(distances, inputs, cell)
    inputs[0] = 0
    return right


def taking_away_more_and_more(distances, inputs, cell):
    whole, left = inputs.copy(), []
    for distance in distances:
        inputs[-1 - distance] = 0
        ends = []
        for words in (whole, inputs):
            h = np.zeros((words.shape[1], cell.units))
            for x in words:
                h, _ = cell(x, [h])
            ends.append(h)
        left.append(np.abs(ends[0] - ends[1]).mean())
    return left


WRONG = {
    "02.rnn_cell": CELLS,
    "02.rnn_loop": LOOPS,
    "02.trace_experiment": [
        *TRACES,
        (in_place, "a change in `inputs`"),
        (taking_away_more_and_more, "words taken away one after the other"),
    ],
    "02.windows": [
        (
            lambda series, length: cuts(series, length, lambda i, n: i + n - 1),
            "the last value of the window itself",
        ),
        (lambda series, length: cuts(series, length, lambda i, n: i), "the first value of the window itself"),
        (
            lambda series, length: tuple(
                part[:-1] for part in EXERCISES["02.windows"].solution(series, length)
            ),
            "1 too few",
        ),
        (
            lambda series, length: cuts(series, length, lambda i, n: min(i + n + 1, len(series) - 1)),
            "values that differ",
        ),
        (
            lambda series, length: (one_window_too_many(series, length), series[length:]),
            "came:     6 windows, 5 labels: no value comes after the last window",
        ),
        (
            lambda series, length: (
                EXERCISES["02.windows"].solution(series, length)[0],
                series[length - 1 :],
            ),
            "came:     5 windows, 6 labels: which is too early?",
        ),
        (
            lambda series, length: cuts(series, length, lambda i, n: i + n)[0],
            "expected: 2 results: windows, labels\n      came:     one ndarray",
        ),
        (lambda series, length: (*cuts(series, length, lambda i, n: i + n), length), "came:     3"),
        (
            lambda series, length: tuple(
                part[..., None] for part in EXERCISES["02.windows"].solution(series, length)
            ),
            "expected: shape (5,)\n      came:     shape (5, 1)",
        ),
    ],
}
