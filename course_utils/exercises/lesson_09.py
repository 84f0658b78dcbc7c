"""Exercises of lesson 09, kinds of attention."""

import numpy as np

from course_utils.attention import LuongAttention
from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief
from course_utils.local_attention import LocalAttention


def window(queries, mask, size):
    """Return where each query may look, booleans `(batch, queries, Tv)`: local-m as a mask.

    `mask` is boolean, `(batch, Tv)`, True for the words, False for the padding after them; each row has a
    word. Query t looks at the words from t - size to t + size. Where t is beyond the last word, its window
    lies around the last word.
    """
    last = mask.sum(axis=1)[:, None, None] - 1
    middle = np.minimum(np.arange(queries)[None, :, None], last)
    near = np.abs(np.arange(mask.shape[1]) - middle) <= size
    return near & mask[:, None]


def choice_gradient(weights, drawn, losses, baseline):
    """Return for each example an estimate of the gradient with respect to its scores, `(batch, Tv)`.

    `weights` are the softmax of the scores, `(batch, Tv)`, `drawn` the positions that were drawn from them,
    `(batch,)`, `losses` what each cost, `(batch,)`, and `baseline` a number. Averaged over all draws, it is
    the gradient of the expected loss.
    """
    one_hot = np.arange(weights.shape[1]) == drawn[:, None]
    return (losses - baseline)[:, None] * (one_hot - weights)


def local_p(scores, share, window, length):
    """Return the weights of one query by local-p, of the shape of scores, `(Tv,)`.

    share is the sigmoid, from 0 to 1; length is the number of words, what follows them is padding. The
    window lies around p, or around the last word where p is beyond it.
    """
    positions = np.arange(len(scores))
    p = length * share
    near = (np.abs(positions - min(p, length - 1)) <= window) & (positions < length)
    weights = np.exp(np.where(near, scores - scores[near].max(), -np.inf))
    bell = np.exp(-((positions - p) ** 2) / (2 * (window / 2) ** 2))
    return weights / weights.sum() * bell


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


WORDS = np.array([8, 5, 1])
MASK = np.arange(8) < WORDS[:, None]
EVERY = np.ones((2, 12), bool)  # more than a window holds
QUERIES, SIZE = 10, 4


def _near(mask, queries, size=SIZE, stop=None, but=""):
    """Return the windows as they should be, or with one thing done otherwise."""
    last = mask.sum(axis=1)[:, None, None] - 1 if stop is None else stop
    places = np.arange(mask.shape[1]) - np.minimum(np.arange(queries)[None, :, None], last)
    near = np.abs(places) < size if but == "narrow" else np.abs(places) <= size
    near &= (places <= 0) | (but != "left")
    return near & (mask[:, None] | (but == "padding"))


def _windows(answer, queries=QUERIES, mask=MASK, size=SIZE):
    came = answer(queries, mask, size)
    try:
        array = np.asarray(came)
    except Exception:  # a tensor without values
        raise WrongAnswerError("True and False", brief(came)) from None
    if array.dtype != bool or np.ma.is_masked(came):
        raise WrongAnswerError("True and False, for each word whether the query may look", brief(came))
    return array


def _compare(came, right, mistakes, words):
    shape = right.shape
    if came.shape == (shape[0], shape[2], shape[1]) != shape:
        raise WrongAnswerError("(batch, queries, Tv)", "(batch, Tv, queries): the words are the last axis")
    if came.shape != shape:
        raise WrongAnswerError(f"shape {shape}", f"shape {came.shape}")
    for wrong, said in mistakes:
        if np.array_equal(came, wrong) and not np.array_equal(wrong, right):
            raise WrongAnswerError(None, said)
    if not np.array_equal(came, right):
        row, query, _ = np.argwhere(came != right)[0]
        expected, looked_at = (np.flatnonzero(each[row, query]).tolist() for each in (right, came))
        raise WrongAnswerError(f"of {words[row]} words, query {query} to look at {expected}", f"{looked_at}")


def _looks_to_either_side(answer):
    right, place = _near(EVERY, 8), np.arange(12)
    slid = np.abs(place - np.clip(np.arange(8), SIZE, 11 - SIZE)[:, None]) <= SIZE
    mistakes = [
        (~right, "the places outside: True is where a query may look"),
        (_near(EVERY, 8, but="left"), "one side of the window: it goes to either side"),
        (_near(EVERY, 8, but="narrow"), "a window that is too narrow: t + size belongs to it, too"),
        (np.ones_like(right), "every word: what does the window do?"),
        (_near(EVERY, 8, SIZE // 2), "half of each window: it goes so far to either side"),
        (np.stack([slid, slid]), "windows that slide inwards at the ends: they are cut there"),
    ]
    _compare(_windows(answer, 8, EVERY), right, mistakes, (12, 12))


def _stays_at_the_last_word(answer):
    beyond = MASK.sum(axis=1)[:, None, None]
    mistakes = [
        (_near(MASK, QUERIES, stop=99), "windows that move on: beyond the last word they lie around it"),
        (_near(MASK, QUERIES, stop=7), "windows that stop at the last column: it may be padding"),
        (_near(MASK, QUERIES, stop=beyond), "windows that stop one place after the last word"),
        (_near(MASK, QUERIES, but="padding"), "windows with padding in them"),
        (_near(MASK, QUERIES, stop=99, but="padding"), "windows that do not read the mask"),
        (_near(MASK, QUERIES, stop=7, but="padding"), "windows that do not read the mask"),
    ]
    _compare(_windows(answer), _near(MASK, QUERIES), mistakes, WORDS)
    for size in (1, 2):
        _compare(_windows(answer, 3, MASK, size), _near(MASK, 3, size), [], WORDS)


def _is_that_of_the_course(answer):
    rng = np.random.default_rng(5)
    query, memory = (rng.normal(size=(3, size, 4)).astype("float32") for size in (QUERIES, 8))
    near = _windows(answer)
    if near.shape != (3, QUERIES, 8):
        raise WrongAnswerError(f"shape {(3, QUERIES, 8)}", f"shape {near.shape}")
    right = LocalAttention(SIZE)(query, memory, mask=MASK[:, None])
    properties.same_values(LuongAttention()(query, memory, mask=near), properties.numbers(right))


WEIGHTS = np.array([[0.5, 0.3, 0.2], [0.1, 0.7, 0.2]])
COSTS = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 4.0]])  # of each position, for either example


def _mean_over_draws(answer, baseline):
    """Return the mean over all draws, each as often as its weight says."""
    mean = 0
    for drawn in range(3):
        came = answer(WEIGHTS, np.full(2, drawn), COSTS[:, drawn], baseline)
        came = properties.numbers(came)
        properties.same_shape(came, WEIGHTS.shape)
        mean = mean + WEIGHTS[:, [drawn]] * came
    return mean


def _true_gradient():
    return WEIGHTS * (COSTS - (WEIGHTS * COSTS).sum(axis=1, keepdims=True))


def _is_right_on_average(answer):
    true, each = _true_gradient(), np.eye(3)[:, None] - WEIGHTS  # of each draw
    weighted = (WEIGHTS.T**2 * COSTS.T)[..., None] * each  # of a_i, where log a_i was meant
    apart = COSTS - COSTS.mean(axis=0)  # from the mean of the batch
    properties.same_values(
        _mean_over_draws(answer, 0.0),
        true,
        [
            (-true, "the opposite: this goes up, not down"),
            (weighted.sum(axis=0), "a mean that weighs each draw twice: it is drawn with its weight already"),
            (np.zeros((2, 3)), "zero: the loss is not in it"),
            (
                WEIGHTS * (apart - (WEIGHTS * apart).sum(axis=1, keepdims=True)),
                "the mean of the batch as baseline: take the one that is given",
            ),
            (
                WEIGHTS * COSTS,
                "one_hot where one_hot - weights belongs: what was not drawn has a gradient, too",
            ),
        ],
    )


def _a_baseline_is_free(answer):
    for baseline in (2.0, 10.0):
        properties.same_values(
            _mean_over_draws(answer, baseline),
            _true_gradient(),
            [(_true_gradient() - baseline, "a mean that moves with it: subtract it from the loss")],
        )


def _a_good_baseline_silences(answer):
    for drawn in range(3):
        came = properties.numbers(answer(WEIGHTS, np.full(2, drawn), np.full(2, 2.0), 2.0))
        properties.same_shape(came, WEIGHTS.shape)
        if not np.abs(came).max() <= 1e-6:
            raise WrongAnswerError(
                "a gradient of zero where the loss equals the baseline",
                f"a gradient of up to {np.abs(came).max():.3g}",
            )


SCORES = np.array([0.5, 2.0, -1.0, 1.0, 0.0, 3.0, 4.0, 6.0])


def _by_local_p(scores, share, size, words, counted=None, center=None, sigma=None, again=False):
    """Return the weights as they should be, or with one thing done otherwise."""
    positions, p = np.arange(len(scores)), (words if counted is None else counted) * share
    near = (np.abs(positions - min(p, words - 1)) <= size) & (positions < words)
    weights = np.exp(np.where(near, scores - scores[near].max(), -np.inf))
    center, sigma = p if center is None else center, size / 2 if sigma is None else sigma
    weights = weights / weights.sum() * np.exp(-((positions - center) ** 2) / (2 * sigma**2))
    return weights / weights.sum() if again else weights


def _is_local_p(answer, given, mistakes):
    """Compare with local-p; `mistakes` has words for each change of `_by_local_p`."""
    wrong = [(_by_local_p(*given, **{name: value}), words) for (name, value), words in mistakes.items()]
    properties.same_values(answer(*given), _by_local_p(*given), wrong)


def _has_its_bell(answer):
    mistakes = {
        ("sigma", 2): "a bell that is too wide: sigma is half of the window",
        ("sigma", 0.5): "a bell that is too narrow: sigma is half of the window",
        ("again", True): "weights that sum to one: after the bell nothing is divided",
        ("sigma", 1e9): "a bare window: where is the bell?",
    }
    _is_local_p(answer, (SCORES, 0.5, 2, 8), mistakes)


def _counts_the_words(answer):
    mistakes = {
        ("counted", 8): "a window in the middle of words and padding: count the words",
        ("counted", 5): "p = (length - 1) times the share: it is length times it",
    }
    _is_local_p(answer, (SCORES, 0.5, 2, 6), mistakes)


def _stays_around_p(answer):
    mistakes = {("center", 3): "a bell around the last word: it stays around p"}
    _is_local_p(answer, (SCORES, 0.95, 2, 4), mistakes)  # p = 3.8, the last word is 3


def _takes_high_scores(answer):
    given = 1000 * SCORES, 0.5, 2, 8
    properties.same_values(answer(*given), _by_local_p(*given), tolerance=1e-3, cause=properties.NOT_HIDDEN)


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


def _draw_what_is_found(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    series = np.random.default_rng(1).random((200, 8))
    series[:, 5] = series[:, 2]  # the same reading twice
    models = {
        "reads step 2 alone": lambda each: each[:, 2],
        "mean of steps 2 and 5": lambda each: (each[:, 2] + each[:, 5]) / 2,
        "the larger of steps 2 and 5": lambda each: np.maximum(each[:, 2], each[:, 5]),
    }
    _, axes = plt.subplots()
    for number, (name, model) in enumerate(models.items()):
        moved = properties.numbers(answer(lambda each, model=model: model(each), series, 0.0)).mean(axis=0)
        hatch = ("", "//", "..")[number]
        places = np.arange(8) + 0.27 * number - 0.27
        axes.bar(places, moved, 0.25, label=name, color=plotting.COLORS[number], hatch=hatch, ec="white")
    title = "Your experiment: steps 2 and 5 say the same"
    axes.set(xlabel="occluded step", ylabel="answer moves by", title=title, xticks=range(8), ylim=(0, 0.8))
    axes.legend(loc="upper right")
    plt.show()


EXERCISES = [
    Exercise(
        "09.window",
        window,
        [
            ("looks so far to either side, cut at both ends", _looks_to_either_side),
            ("leaves padding out, and stays at the last word", _stays_at_the_last_word),
            ("makes global attention the course's local-m", _is_that_of_the_course),
        ],
        [
            "Three axes: t is np.arange(queries)[None, :, None], s is np.arange(mask.shape[1]).",
            "The last word of each row is mask.sum(axis=1) - 1. Give it two axes more: [:, None, None].",
            "middle = np.minimum(t, last), and near where np.abs(s - middle) <= size.",
            "near & mask[:, None] leaves the padding out.",
        ],
    ),
    Exercise(
        "09.choice_gradient",
        choice_gradient,
        [
            ("is right on average over the draws", _is_right_on_average),
            ("keeps its average with a baseline", _a_baseline_is_free),
            ("is zero where the loss equals the baseline", _a_good_baseline_silences),
        ],
        [
            "The gradient of log a_i with respect to the scores is one_hot(i) - a.",
            "np.arange(weights.shape[1]) == drawn[:, None] is one_hot, for each example.",
            "Multiply by (losses - baseline)[:, None].",
        ],
    ),
    Exercise(
        "09.local_p",
        local_p,
        [
            ("has a bell of half the window's width", _has_its_bell),
            ("takes its share of the words, not of the padding", _counts_the_words),
            ("keeps the bell around p", _stays_around_p),
            ("takes scores of a thousand", _takes_high_scores),
        ],
        [
            "Try 6 words padded to 8 and a share of one half: where is p?",
            "sigma is half of the window. What stands in the bell?",
            "p = length * share, and 2 * (window / 2) ** 2.",
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
        result=_draw_what_is_found,
    ),
]
