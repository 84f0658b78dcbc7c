"""Plausible wrong answers to the exercises of lesson 09, and the words each must hear."""

from functools import partial

import numpy as np


def windows(queries, mask, size, *, stop="words", one_sided=False, hides=True, strict=False):
    last = mask.sum(axis=1)[:, None, None] - 1
    last = {"words": last, "columns": mask.shape[1] - 1, "after": last + 1, "nowhere": 99}[stop]
    places = np.arange(mask.shape[1]) - np.minimum(np.arange(queries)[None, :, None], last)
    near = np.abs(places) < size if strict else np.abs(places) <= size
    near = near & (places <= 0) if one_sided else near
    return near & mask[:, None] if hides else near


def without_the_mask(queries, mask, size):
    near = np.abs(np.arange(mask.shape[1]) - np.arange(queries)[:, None]) <= size
    return np.broadcast_to(near, (mask.shape[0], *near.shape))


def slices(queries, mask, size):
    near = np.zeros((len(mask), queries, mask.shape[1]), bool)
    for row, words in enumerate(mask.sum(axis=1)):
        for t in range(queries):
            middle = min(t, words - 1)
            near[row, t, middle - size : middle + size + 1] = True  # from a negative index
    return near & mask[:, None]


def slides_inwards(queries, mask, size):
    last = np.maximum(mask.sum(axis=1)[:, None, None] - 1 - size, size)
    middle = np.clip(np.arange(queries)[None, :, None], size, last)
    return (np.abs(np.arange(mask.shape[1]) - middle) <= size) & mask[:, None]


def lacks_an_axis(queries, mask, size):
    near = np.abs(np.arange(mask.shape[1]) - np.minimum(np.arange(queries), mask.sum(axis=1) - 1)) <= size
    return near & mask


def gradient(weights, drawn, losses, baseline, sign=1, weighs=False, whole=True):
    one_hot = np.arange(weights.shape[1]) == drawn[:, None]
    factor = np.take_along_axis(weights, drawn[:, None], axis=1) if weighs else 1
    return sign * factor * (losses - baseline)[:, None] * (one_hot - (weights if whole else 0))


def without_a_baseline(weights, drawn, losses, baseline):
    return gradient(weights, drawn, losses, 0 * baseline)


def baseline_after(weights, drawn, losses, baseline):
    return gradient(weights, drawn, losses, 0) - baseline


def right_for_most_draws(weights, drawn, losses, baseline):
    return gradient(weights, drawn, losses, baseline) + 0.1 * (drawn[0] == 1 and losses[0] == baseline)


def by_local_p(scores, share, window, length, *, p=None, center=None, sigma=None, again=False, safe=True):
    positions, p = np.arange(len(scores)), length * share if p is None else p
    near = (np.abs(positions - min(p, length - 1)) <= window) & (positions < length)
    with np.errstate(all="ignore"):
        weights = np.exp(scores - scores[near].max() * safe) * near
        weights = weights / weights.sum()
    center, sigma = p if center is None else center, window / 2 if sigma is None else sigma
    weights = weights * np.exp(-((positions - center) ** 2) / (2 * sigma**2))
    return weights / weights.sum() if again else weights


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
    "09.window": [
        (lambda *given: np.swapaxes(windows(*given), 1, 2)[:, :, :8].astype(float), "True and False"),
        (lambda queries, mask, size: windows(queries, mask, size)[:, :, 1:], "shape (2, 8, 12)"),
        (lambda *given: ~windows(*given), "the places outside"),
        (partial(windows, one_sided=True), "one side of the window"),
        (partial(windows, strict=True), "too narrow"),
        (lambda queries, mask, size: windows(queries, mask, size // 2), "half of each window"),
        (lambda queries, mask, size: windows(queries, mask, 99), "what does the window do"),
        (lambda *given: np.swapaxes(windows(*given), 1, 2), "the words are the last axis"),
        (slides_inwards, "slide inwards at the ends"),
        (partial(windows, stop="nowhere"), "windows that move on"),
        (partial(windows, stop="columns"), "it may be padding"),
        (partial(windows, stop="after"), "one place after the last word"),
        (partial(windows, hides=False), "windows with padding in them"),
        (without_the_mask, "do not read the mask"),
        (slices, "query 0 to look at [0, 1, 2, 3, 4]"),
        (lacks_an_axis, "no error"),
    ],
    "09.choice_gradient": [
        (partial(gradient, weighs=True), "weighs each draw twice"),
        (partial(gradient, sign=-1), "goes up, not down"),
        (partial(gradient, whole=False), "what was not drawn has a gradient, too"),
        (
            lambda weights, drawn, losses, baseline: gradient(weights, drawn, np.ones(2), 0),
            "the loss is not in it",
        ),
        (
            lambda weights, drawn, losses, baseline: gradient(weights, drawn, losses, losses.mean()),
            "the mean of the batch as baseline",
        ),
        (lambda weights, drawn, losses, baseline: losses - baseline, "shape (2, 3)"),
        (
            lambda weights, drawn, losses, baseline: (losses - baseline)[:, None] * weights,
            "values that differ",
        ),
        (without_a_baseline, "a gradient of zero where the loss equals the baseline"),
        (baseline_after, "subtract it from the loss"),
        (right_for_most_draws, "a gradient of zero where the loss equals the baseline"),
    ],
    "09.local_p": [
        (
            lambda scores, share, window, length: by_local_p(
                scores, share, window, length, p=len(scores) * share, sigma=window
            ),
            "too wide",
        ),
        (
            lambda scores, share, window, length: by_local_p(
                scores, share, window, length, p=len(scores) * share
            ),
            "count the words",
        ),
        (
            lambda scores, share, window, length: by_local_p(
                scores, share, window, length, p=(length - 1) * share + (length == 8) * share
            ),
            "it is length times it",
        ),
        (
            lambda scores, share, window, length: by_local_p(scores, share, window, length, sigma=window / 4),
            "too narrow",
        ),
        (partial(by_local_p, again=True), "nothing is divided"),
        (partial(by_local_p, sigma=1e9), "where is the bell"),
        (
            lambda scores, share, window, length: by_local_p(
                scores, share, window, length, center=min(length * share, length - 1)
            ),
            "it stays around p",
        ),
        (partial(by_local_p, safe=False), "came:     nan"),
        (lambda scores, share, window, length: scores, "values that differ"),
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
