"""Plausible wrong answers to the exercises of lesson 09, and the words each must hear."""

import numpy as np


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def windowed(scores, middle, window, length, below=-np.inf):
    positions = np.arange(len(scores))
    counts = (np.abs(positions - middle) <= window) & (positions < length)
    return softmax(np.where(counts, scores, below))


def moves_on(scores, t, window, length):
    with np.errstate(all="ignore"):
        return windowed(scores, t, window, length)


def without_safety(scores, t, window, length):
    positions = np.arange(len(scores))
    near = (np.abs(positions - min(t, length - 1)) <= window) & (positions < length)
    with np.errstate(all="ignore"):
        weights = np.exp(scores) * near
        return weights / weights.sum()


def sliced(scores, t, window, length):
    middle = min(t, length - 1)
    weights = np.zeros(len(scores))
    weights[middle - window : min(middle + window + 1, length)] = 1  # from a negative index
    weights = weights * np.exp(scores)
    return weights / weights.sum() if weights.any() else weights


def moved_inside(scores, t, window, length):
    return windowed(scores, max(min(t, length - 1), window), window, length)


def gradient(weights, drawn, loss, baseline, factor=1.0):
    return factor * (loss - baseline) * ((np.arange(len(weights)) == drawn) - weights)


def no_baseline(weights, drawn, loss, baseline):
    return gradient(weights, drawn, loss, 0 * baseline)


def baseline_after(weights, drawn, loss, baseline):
    return gradient(weights, drawn, loss, 0) - baseline


def right_for_the_first_draw(weights, drawn, loss, baseline):
    return gradient(weights, drawn, loss, baseline) + 0.1 * (drawn == 1 and loss == baseline)


def occluded_in_place(model, series, neutral):
    before, moved = model(series), np.zeros(series.shape)
    for step in range(series.shape[1]):
        kept = series[:, step].copy()
        series[:, step] = neutral
        moved[:, step] = np.abs(model(series) - before)
        series[:, step] = kept
    series += 1
    return moved


def occluded(model, series, neutral, *, absolute=True, restores=True, zero=False, subtracts=True):
    before, moved, changed = model(series), [], series.copy()
    for step in range(series.shape[1]):
        changed = series.copy() if restores else changed
        changed[:, step] = 0 if zero else neutral
        moved.append(model(changed) - (before if subtracts else 0))
    moved = np.array(moved).T
    return np.abs(moved) if absolute else moved


def row_by_row(model, series, neutral):
    return np.concatenate([occluded(model, row[None], neutral) for row in series])


WRONG = {
    "09.scores_used": [
        (lambda: 60, "global attention"),
        (lambda: 90, "where do the windows end"),
        (lambda: 34, "the windows of the other four steps"),
        (lambda: 44, "around which word do they stay"),
        (lambda: 75, "look at padding"),
        (lambda: 40, "to either side"),
        (lambda: 50, "expected: a whole number\n      came:     50"),
    ],
    "09.local_weights": [
        (lambda scores, t, window, length: scores, "weights that sum to one"),
        (
            lambda scores, t, window, length: windowed(scores[:length], min(t, length - 1), window, length),
            "shape (8,)",
        ),
        (lambda scores, t, window, length: windowed(scores, t, 99, length), "what does the window do"),
        (lambda scores, t, window, length: windowed(scores, t, window - 1, length), "too narrow"),
        (
            lambda scores, t, window, length: windowed(scores, t, window, min(length, t + 1)),
            "one side of the window",
        ),
        (
            lambda scores, t, window, length: windowed(scores, t, window, length, below=0),
            "which still get a weight",
        ),
        (
            lambda scores, t, window, length: windowed(0 * scores, t, window, length),
            "even weights in the window",
        ),
        (moves_on, "the last real word is the middle"),
        (
            lambda scores, t, window, length: windowed(scores, min(t, 7), window, 8),
            "weight on padding",
        ),
        (
            lambda scores, t, window, length: windowed(scores, min(t, length), window, length),
            "the last real word is the middle",
        ),
        (sliced, "begun at a negative index"),
        (moved_inside, "at the start it is cut off"),
        (without_safety, "came:     nan: is the largest score of each row subtracted before np.exp?"),
    ],
    "09.score_gradient": [
        (
            lambda weights, drawn, loss, baseline: gradient(weights, drawn, loss, baseline, weights[drawn]),
            "weighs each draw twice",
        ),
        (
            lambda weights, drawn, loss, baseline: gradient(weights, drawn, loss, baseline, -1),
            "goes up, not down",
        ),
        (lambda weights, drawn, loss, baseline: gradient(weights, drawn, 1, 0), "the loss is not in it"),
        (lambda weights, drawn, loss, baseline: loss - baseline, "shape (3,)"),
        (
            lambda weights, drawn, loss, baseline: (loss - baseline) * weights,
            "values that differ",
        ),
        (no_baseline, "a gradient of zero where the loss equals the baseline"),
        (baseline_after, "the baseline is subtracted from the loss"),
        (right_for_the_first_draw, "a gradient of zero where the loss equals the baseline"),
    ],
    "09.occlusion_of": [
        (lambda *given: occluded(*given, absolute=False), "not in which direction"),
        (lambda *given: occluded(*given, restores=False), "put each back before the next"),
        (lambda *given: occluded(*given, zero=True), "it is `neutral` that is asked for"),
        (lambda *given: occluded(*given).T, "time before batch"),
        (lambda *given: occluded(*given)[:, 1:], "shape (4, 6)"),
        (occluded_in_place, "a change in `series`"),
        (lambda *given: occluded(*given, subtracts=False), "how far is that from the answer before"),
        (row_by_row, "all series at once"),
        (lambda model, series, neutral: np.abs(series - neutral), "values that differ"),
    ],
}
