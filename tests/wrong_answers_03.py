"""Plausible wrong answers to the exercises of lesson 03, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed

from course_utils.exercises import EXERCISES

BEGIN = "a = d.copy()"
STEPS = "range(steps, 0, -1)"
DELTA = "delta = a[t] * (1 - h[t] ** 2)"
FOR_X = "dw_x += np.outer(x[t - 1], delta)"
FOR_H = "dw_h += np.outer(h[t - 1], delta)"
FOR_B = "db += delta"
BACK = "a[t - 1] += delta @ w_h.T"
RETURN = "return dw_x, dw_h, db, a"


back = functools.partial(changed, "03.bptt")
spread = functools.partial(changed, "03.spread_experiment")


def common_norm(gradients):
    return np.sqrt(sum((g**2).sum() for g in gradients))


def by_each_norm(gradients, limit):
    return [g * min(1, limit / np.linalg.norm(g)) if g.any() else g for g in gradients]


def clipped_in_place(gradients, limit):
    norm = common_norm(gradients)
    for gradient in gradients:
        gradient *= min(1, limit / norm) if norm else 1
    return gradients


def emptied(gradients):
    return [gradients.pop(0) for _ in range(len(gradients))]


def for_small_sizes_alone(x, h, w_h, d):
    *gradients, a = EXERCISES["03.bptt"].solution(x, h, w_h, d)
    return *gradients, a * (1 if len(x) in (1, 5) else 0.9)


NO_SLOPE = DELTA, "delta = a[t]"
STEP_BEFORE = DELTA, "delta = a[t] * (1 - h[t - 1] ** 2)"
NOT_TURNED = BACK, "a[t - 1] += delta @ w_h"
STATE_AFTER = FOR_H, "dw_h += np.outer(h[t], delta)"
OVERWRITTEN = FOR_X, FOR_X.replace("+", ""), FOR_H, FOR_H.replace("+", ""), FOR_B, "db = delta"
LAST_ALONE = BEGIN, "a = np.zeros(d.shape)\n    a[-1] = d[-1]"

WRONG = {
    "03.bptt": [
        (back(*NO_SLOPE), "the slope of the tanh is forgotten"),
        (back(*STEP_BEFORE), "the slope from h[t - 1], before the step"),
        (back(DELTA, "delta = a[t] * (1 - np.tanh(h[t]) ** 2)"), "h has gone through the tanh already"),
        (back(DELTA, "delta = a[t] * (1 - h[t])"), "1 - h in place of 1 - h ** 2"),
        (back(DELTA, "delta = a[t] * h[t] * (1 - h[t])"), "the slope of the sigmoid"),
        (back(FOR_X, FOR_X.replace("t - 1", "t")), "t goes from T to 1, and step t reads x[t - 1]"),
        (
            back(FOR_X, FOR_X.replace("t - 1", "t % steps")),
            "x[t] in the gradient of W_x: step t reads x[t - 1]",
        ),
        (back(FOR_X, FOR_X.replace("t - 1", "t - 2")), "x[t - 2] in the gradient of W_x"),
        (back(FOR_X, f"{FOR_X} if t > 1 else 0"), "x[0] left out: it is read at step 1"),
        (back(FOR_X, "dw_x += x[t - 1].T @ delta"), "np.outer(h[t - 1], delta) makes the matrix"),
        (back(FOR_H, "dw_h += h[t - 1].T @ delta"), "one number in the gradient of W_h"),
        (back(*STATE_AFTER), "h[t] in the gradient of W_h: W_h multiplied h[t - 1]"),
        (back(FOR_H, f"{FOR_H} if t > 1 else 0"), "the first state taken as zero"),
        (back(FOR_H, "dw_h += np.outer(delta, h[t - 1])"), "the gradient of W_h transposed"),
        (back(FOR_H, "dw_h += np.outer(h[t - 1], a[t])"), "the gradient of W_h from a_t"),
        (back(FOR_X, "dw_x += np.outer(x[t - 1], a[t])"), "the gradient of W_x from a_t"),
        (back(FOR_B, "db += a[t]"), "the gradient of b from a_t"),
        (back(*NOT_TURNED), "W_h is not transposed"),
        (back(BACK, "a[t - 1] += a[t] @ w_h.T"), "what goes back does not pass the tanh"),
        (back(BACK, "a[t - 1] += delta"), "W_h is forgotten on the way back"),
        (back(BACK, "pass"), "nothing goes back from step to step"),
        (back(BACK, BACK.replace("+", "")), "the last loss alone: d[t] is added at every step"),
        (back(BACK, f"{BACK} if t > 1 else 0"), "a[0] is still zero"),
        (back(*OVERWRITTEN), "the gradients of the first step alone: add up those of all steps"),
        (back(FOR_X, FOR_X.replace("+", "")), "the gradient of W_x of the first step alone"),
        (back(FOR_H, FOR_H.replace("+", "")), "the gradient of W_h of the first step alone"),
        (back(FOR_B, "db = delta"), "the gradient of b of the first step alone"),
        (back(RETURN, "return dw_x / steps, dw_h / steps, db / steps, a"), "the mean over the steps"),
        (back(*LAST_ALONE), "the last loss alone: d[t] is added at every step"),
        (back(BEGIN, "a = np.zeros(d.shape)\n    a[1:] = d[-1]"), "the last row of d added at every step"),
        (back(BEGIN, "a = np.concatenate([d[:1], d[:-1]])"), "d[t - 1] at step t: row t belongs to h[t]"),
        (back(STEPS, "range(1, steps + 1)"), "t goes from 1 to T: go from the last step"),
        (back(STEPS, "range(steps - 1, 0, -1)"), "the last step left out: t begins at T"),
        (back(*NO_SLOPE, *NOT_TURNED), "two mistakes: the slope of the tanh is forgotten"),
        (back(*STATE_AFTER, *NOT_TURNED), "And: W_h is not transposed"),
        (back(RETURN, "return dw_x, dw_h, db"), "4 results: the gradient of W_x, of W_h, of b"),
        (back(RETURN, "return dw_x.T, dw_h, db, a"), "shape (2, 3)\n      came:     shape (3, 2)"),
        (back(RETURN, "return dw_x, dw_h, db, a[1:]"), "shape (5, 3): row 0, that of h[0], is missing"),
        (back(RETURN, "return dw_x, dw_h, db, a[::-1]"), "row t belongs to h[t], so turn it round"),
        (
            back(RETURN, "return dw_x, dw_h, db, np.concatenate([a[1:], 0 * a[:1]])"),
            "a, one row too early: row t belongs to h[t]",
        ),
        (back(RETURN, "return dw_x, dw_h, db, a * (1 - h**2)"), "a difference of up to"),
        (
            back(RETURN, "return dw_x, dw_h, db, np.concatenate([a[:1], a[1:] * (1 - h[1:] ** 2)])"),
            "delta in place of a, the gradient at each state",
        ),
        (
            back(RETURN, "return dw_x, dw_h, db, a + 1"),
            "in a, the gradient at each state; right: the gradient of W_x",
        ),
        (back(RETURN, "return dw_h, dw_x, db, a"), "expected: the gradient of W_x of shape (2, 3)"),
        (back(RETURN, "return dw_x, dw_h, db, a * np.nan"), "finite numbers"),
        (back("len(x), h.shape[1]", "5, 3"), "no error"),
        (for_small_sizes_alone, "the finite differences for the gradient at h[0]"),
        (back(BEGIN, "a = d"), "a change in `d`"),
    ],
    "03.clip_by_norm": [
        (
            lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
            "each number clipped by itself",
        ),
        (by_each_norm, "a factor for each gradient"),
        (
            lambda gradients, limit: [np.abs(g) * min(1, limit / 13) for g in gradients],
            "values that differ by up to 8",
        ),
        (
            lambda gradients, limit: [g * limit / common_norm(gradients) for g in gradients],
            "scale only where the norm is above the limit",
        ),
        (lambda gradients, limit: [g * min(1, limit / 5) for g in gradients], "a common norm of 5.2"),
        (lambda gradients, limit: [g * min(1, limit / 12) for g in gradients], "is it the largest norm"),
        (
            lambda gradients, limit: [g * min(1, limit / 17) for g in gradients],
            "root of the sum of all squares",
        ),
        (
            lambda gradients, limit: [g * min(1, limit / 169) for g in gradients],
            "root of the sum of all squares",
        ),
        (
            lambda gradients, limit: [
                g * (limit / 2 / common_norm(gradients) if common_norm(gradients) > limit else 1)
                for g in gradients
            ],
            "expected: a common norm of 2, the limit\n      came:     a common norm of 1",
        ),
        (
            lambda gradients, limit: [
                g * (2 / common_norm(gradients) if common_norm(gradients) > limit else 1) for g in gradients
            ],
            "expected: a common norm of 12.5, the limit\n      came:     a common norm of 2",
        ),
        (lambda gradients, limit: [g * min(1, limit / 13) + 1e-3 for g in gradients], "values that differ"),
        (lambda gradients, limit: gradients[0] * np.nan, "one ndarray"),
        (clipped_in_place, "a change in `gradients`"),
        (
            lambda gradients, limit: EXERCISES["03.clip_by_norm"].solution(emptied(gradients), limit),
            "`gradients`",
        ),
        (
            lambda gradients, limit: [
                g / common_norm(gradients) * min(limit, common_norm(gradients)) for g in gradients
            ],
            "came:     nan: is something divided by zero?",
        ),
    ],
    "03.spread_experiment": [
        (lambda gains, inputs, make_cell: gains ** len(inputs), "gain ** steps, a hypothesis"),
        (lambda gains, inputs, make_cell: gains, "after one step, not after 6"),
        (spread("in inputs:", "in inputs[1:]:"), "one step too few"),
        (spread("in inputs:", "in [*inputs, inputs[0]]:"), "one step too many"),
        (spread(" / 0.001)", ")"), "the difference itself: divide it by 0.001"),
        (
            spread("ops.mean(ops.abs(ends[1] - ends[0]))", "ops.sum(ops.abs(ends[1] - ends[0]))"),
            "a sum: the mean",
        ),
        (
            spread("ops.mean(ops.abs(ends[1] - ends[0]))", "ops.sum(ops.abs(ends[1] - ends[0])[0])"),
            "a sum over the units",
        ),
        (spread("ops.abs(ends[1] - ends[0])", "ops.square(ends[1] - ends[0])"), "the squared difference"),
        (spread("ops.abs(ends[1] - ends[0])", "ends[1] - ends[0]"), "take the absolute values first"),
        (
            spread("float(ops.mean(ops.abs(ends[1] - ends[0])))", "abs(float(ops.mean(ends[1] - ends[0])))"),
            "take the absolute values first",
        ),
        (spread("ends[1] - ends[0]", "ends[1]"), "one run alone"),
        (
            spread("ops.mean(ops.abs(ends[1] - ends[0]))", "ops.norm(ends[1] - ends[0])"),
            "the norm of the difference",
        ),
        (
            spread("ops.mean(ops.abs(ends[1] - ends[0]))", "ops.mean(ops.norm(ends[1] - ends[0], axis=1))"),
            "the norm of the difference",
        ),
        (
            spread("(0.0, 0.001)", "(0.0, 1.0)", " / 0.001)", ")"),
            "a second run from h = 1: begin it at 0.001",
        ),
        (spread("(0.0, 0.001)", "(0.0, 0.0)"), "no difference at all"),
        (spread("_, (h,) = cell(x, [h])", "_, (h,) = cell(0 * x, [h])"), "runs on zeros"),
        (spread("_, (h,) = cell(x, [h])", "cell(x, [h])"), "expected: values within 0.0001"),
        (spread("_, (h,) = cell(x, [h])", "_, h = cell(x, [h])"), "no error"),
        (
            spread(
                "cell, ends = make_cell(gain), []", "ends = []", "h = np", "cell = make_cell(gain); h = np"
            ),
            "6 cells for 3 gains: another cell may have other weights",
        ),
        (spread("in gains:", "in gains[:1]:"), "expected: shape (3,)\n      came:     shape (1,)"),
        (spread("return grown", "return grown[0]"), "expected: shape (3,)\n      came:     shape ()"),
    ],
}
