"""Exercises of lesson 09, kinds of attention."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def scores_used():
    """Predict: local-m, window 4, 6 words padded to 9, 10 steps: the scores used, all steps together."""
    positions = np.arange(6)
    centers = np.minimum(np.arange(10), 5)
    return np.sum(np.abs(positions - centers[:, None]) <= 4)


def local_weights(scores, t, window, length):
    """Return the weights of one query, of the shape of scores, `(Tv,)`.

    t is the query's position, length the number of real words; what follows them is padding. The window
    lies around t, or around the last real word where t is beyond it.
    """
    positions = np.arange(len(scores))
    near = np.abs(positions - min(t, length - 1)) <= window
    scores = np.where(near & (positions < length), scores, -np.inf)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def score_gradient(weights, drawn, loss, baseline):
    """Return an estimate of the gradient of the expected loss with respect to the scores, `(Tv,)`.

    weights are the softmax of the scores, `(Tv,)`; drawn is the position that was drawn from them, and
    loss is what it cost.
    """
    one_hot = np.arange(len(weights)) == drawn
    return (loss - baseline) * (one_hot - weights)


def occlusion_of(model, series, neutral):
    """Return how far each step moves the answer, `(batch, time)`, never negative.

    model gives one answer for each of the series `(batch, time)`; a step is occluded by putting the number
    `neutral` in its place, in all series at once, and one step at a time.
    """
    before, moved = model(series), np.zeros(series.shape)
    for step in range(series.shape[1]):
        occluded = series.copy()
        occluded[:, step] = neutral
        moved[:, step] = np.abs(model(occluded) - before)
    return moved


def _counts_the_windows(answer):
    properties.one_number(
        answer(),
        scores_used(),
        [
            (60, "every word at every step: that is global attention"),
            (90, "nine at every step: where do the windows end?"),
            (34, "six steps only: which words are in the windows of the other four steps?"),
            (44, "windows that move on beyond the last word: around which word do they stay?"),
            (75, "windows that look at padding"),
            (66, "windows that look at padding"),
            (65, "windows that look at padding"),
            (40, "half of each window: it goes to either side"),
        ],
    )


SCORES = np.array([0.5, 2.0, -1.0, 1.0, 0.0, 3.0, 4.0, 6.0])


def _softmax(scores, counts):
    weights = np.exp(np.where(counts, scores - scores[counts].max(), -np.inf))
    return weights / weights.sum()


def _near(t, window):
    return np.abs(np.arange(len(SCORES)) - t) <= window


def _sums_to_one(answer):
    came = properties.numbers(answer(SCORES, 3, 2, 8))
    properties.same_shape(came, SCORES.shape)
    if not np.isclose(came.sum(), 1):
        raise WrongAnswerError("weights that sum to one", f"the sum {came.sum():.3g}")


def _looks_into_the_window(answer):
    came = answer(SCORES, 3, 2, 8)
    properties.same_values(
        came,
        _softmax(SCORES, _near(3, 2)),
        [
            (_softmax(SCORES, _near(3, 8)), "weights everywhere: what does the window do?"),
            (_softmax(SCORES, _near(3, 1)), "a window that is too narrow: |s - t| may be as large as it"),
            (
                _softmax(SCORES, _near(3, 2) & (np.arange(8) <= 3)),
                "one side of the window: it goes to either side",
            ),
            (
                _softmax(np.where(_near(3, 2), SCORES, 0), np.ones(8, bool)),
                "scores of zero outside the window, which still get a weight",
            ),
            (np.where(_near(3, 2), 1 / 5, 0), "even weights in the window: what do the scores do?"),
        ],
    )


def _stays_at_the_true_end(answer):
    real = np.arange(8) < 5
    for t in (5, 7, 20):
        came = properties.numbers(
            answer(SCORES, t, 2, 5), f" at t = {t}: the window lies around the last real word"
        )
        properties.same_shape(came, SCORES.shape)
        if came[~real].any():
            raise WrongAnswerError("nothing on padding", f"weight on padding at t = {t}, length 5")
        known = (_near(min(t, 7), 2) & real, _near(min(t, 5), 2) & real)
        mistakes = [
            (_softmax(SCORES, each), "a window around another place: the last real word is the middle")
            for each in known
            if each.any()
        ]
        properties.same_values(came, _softmax(SCORES, _near(4, 2) & real), mistakes)


def _is_cut_at_the_start(answer):
    properties.same_values(
        answer(SCORES, 0, 3, 5),
        _softmax(SCORES, _near(0, 3)),
        [
            (np.zeros(8), "nothing: was a slice begun at a negative index?"),
            (
                _softmax(SCORES, np.arange(8) < 5),
                "a window moved inside: at the start it is cut off",
            ),
        ],
    )


def _takes_high_scores(answer):
    for window, cause in ((8, properties.OVERFLOW), (2, properties.NOT_HIDDEN)):
        expected = _softmax(1000 * SCORES, _near(3, window))
        properties.same_values(answer(1000 * SCORES, 3, window, 8), expected, tolerance=1e-3, cause=cause)


WEIGHTS, LOSSES = np.array([0.5, 0.3, 0.2]), np.array([3.0, 1.0, 2.0])


def _mean_over_draws(answer, baseline):
    every = [properties.numbers(answer(WEIGHTS, drawn, loss, baseline)) for drawn, loss in enumerate(LOSSES)]
    for each in every:
        properties.same_shape(each, WEIGHTS.shape)
    return WEIGHTS @ np.stack(every)


def _is_right_on_average(answer):
    true = WEIGHTS * (LOSSES - WEIGHTS @ LOSSES)
    weighted = sum(
        WEIGHTS[i] ** 2 * LOSSES[i] * ((np.arange(3) == i) - WEIGHTS) for i in range(3)
    )  # of a_i, where log a_i was meant
    properties.same_values(
        _mean_over_draws(answer, 0.0),
        true,
        [
            (-true, "the opposite: this goes up, not down"),
            (weighted, "a mean that weighs each draw twice: it is drawn with its weight already"),
            (np.zeros(3), "zero: the loss is not in it"),
        ],
    )


def _a_baseline_is_free(answer):
    true = WEIGHTS * (LOSSES - WEIGHTS @ LOSSES)
    for baseline in (2.0, 10.0):
        properties.same_values(
            _mean_over_draws(answer, baseline),
            true,
            [(true - baseline, "a mean that moves with it: the baseline is subtracted from the loss")],
        )


def _a_good_baseline_silences(answer):
    for drawn in range(3):
        largest = np.abs(properties.numbers(answer(WEIGHTS, drawn, 2.0, 2.0))).max()
        if not largest <= 1e-6:
            raise WrongAnswerError(
                "a gradient of zero where the loss equals the baseline", f"a gradient of up to {largest:.3g}"
            )


SERIES = np.random.default_rng(9).normal(size=(4, 6))
KERNEL = np.array([0.0, 2.0, -3.0, 0.5, 0.0, 1.0])


def _moves_by_its_weight(answer):
    expected = np.abs((SERIES - 0.25) * KERNEL)
    came = answer(lambda series: series @ KERNEL, SERIES, 0.25)
    signed = (0.25 - SERIES) * KERNEL
    cumulative = np.abs(np.cumsum(signed, axis=1))
    properties.same_values(
        came,
        expected,
        [
            (signed, "a sign: how far, not in which direction"),
            (-signed, "a sign: how far, not in which direction"),
            (cumulative, "steps that stay occluded: put each back before the next"),
            (np.abs(SERIES * KERNEL), "zeros in their place: it is `neutral` that is asked for"),
            (expected.T, "time before batch"),
            (np.abs((SERIES - 0.25) @ KERNEL)[:, None] * np.ones(6), "all steps occluded at once"),
            (
                np.broadcast_to(np.abs(SERIES @ KERNEL)[:, None], SERIES.shape) * 0
                + np.abs(SERIES @ KERNEL[:, None] + signed),
                "the answers with a step occluded: how far is that from the answer before?",
            ),
        ],
    )


def _occludes_one_at_a_time(answer):
    given = []

    def model(series):
        given.append(np.array(series))
        return series @ KERNEL

    came = answer(lambda series: model(series), SERIES, 0.25)  # a function is kept, not copied
    properties.same_shape(came, SERIES.shape)
    if any(np.shape(each) != SERIES.shape for each in given):
        shape = next(np.shape(each) for each in given if np.shape(each) != SERIES.shape)
        raise WrongAnswerError("all series at once", f"a call with the shape {shape}")
    most = max((int((each != SERIES).any(axis=0).sum()) for each in given), default=0)
    if most != 1:
        raise WrongAnswerError("one occluded step at a time", f"{most} at once")


def _sees_what_no_weight_shows(answer):
    def product(series):
        return series[:, 1] * series[:, 4]

    came = answer(product, SERIES, 0.0)
    expected = np.zeros(SERIES.shape)
    expected[:, [1, 4]] = np.abs(product(SERIES))[:, None]
    properties.same_values(came, expected)


EXERCISES = [
    Exercise(
        "09.scores_used",
        scores_used,
        [("counts the windows as they are cut at both ends", _counts_the_windows)],
        [
            "Padding never counts. Write down the window for t = 0: which of the six words are in it?",
            "At t = 5 the window is 1 to 5. For t = 6 and later it stays there.",
            "5 + 6 + 6 + 6 + 6 + 5, and then four times 5.",
        ],
    ),
    Exercise(
        "09.local_weights",
        local_weights,
        [
            ("sums to one", _sums_to_one),
            ("gives weight inside the window only", _looks_into_the_window),
            ("stays around the last real word", _stays_at_the_true_end),
            ("is cut off at the start", _is_cut_at_the_start),
            ("takes scores of a thousand", _takes_high_scores),
        ],
        [
            "positions = np.arange(len(scores)): which of them count? Two conditions.",
            "The middle of the window is min(t, length - 1).",
            "np.where(counts, scores, -np.inf), then the softmax with the largest score subtracted.",
        ],
    ),
    Exercise(
        "09.score_gradient",
        score_gradient,
        [
            ("is right on average over the draws", _is_right_on_average),
            ("keeps its average with a baseline", _a_baseline_is_free),
            ("is zero when the loss equals the baseline", _a_good_baseline_silences),
        ],
        [
            "Average the estimates over the draws, each times its weight. The true gradient of score j is "
            "a_j (L_j - J).",
            "Which gradient belongs there: of the weight that was drawn, or of its logarithm?",
            "The gradient of log weights[drawn] is one_hot - weights, with no factor before it.",
        ],
    ),
    Exercise(
        "09.occlusion_of",
        occlusion_of,
        [
            ("moves a linear model by the weight of each step", _moves_by_its_weight),
            ("occludes one step at a time", _occludes_one_at_a_time),
            ("finds two steps that count only together", _sees_what_no_weight_shows),
        ],
        [
            "Ask the model once for the series as they are.",
            "In a loop over the steps: series.copy(), then put `neutral` into the column of the step.",
            "np.abs(model(occluded) - before) is one column of the result.",
        ],
    ),
]
