"""Exercises of lesson 03, gradients through time."""

import itertools

import keras
import numpy as np
from keras import ops

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, described
from course_utils.recurrent import SimpleRNNCell


def way_back(x, h, w_h, d):
    """Return the gradients of W_x, W_h and b, and a, the gradient at each state, `(T + 1, units)`.

    `x` is `(T, features)`, and `x[t - 1]` is read at step t. `h` and `d` are `(T + 1, units)`: row t belongs
    to h_t. `d` is what the loss gives to each state itself.
    """
    steps, units = len(x), h.shape[1]
    dw_x, dw_h, db = np.zeros((x.shape[1], units)), np.zeros((units, units)), np.zeros(units)
    a = d.copy()
    for t in range(steps, 0, -1):
        delta = a[t] * (1 - h[t] ** 2)
        dw_x += np.outer(x[t - 1], delta)
        dw_h += np.outer(h[t - 1], delta)
        db += delta
        a[t - 1] += delta @ w_h.T
    return dw_x, dw_h, db, a


def clip_by_norm(gradients, limit):
    """Return the list of gradients, scaled together so that their common norm is at most `limit`."""
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = min(1, limit / norm) if norm > 0 else 1
    return [gradient * factor for gradient in gradients]


def spread_experiment(gains, inputs, make_cell):
    """Measure for each gain how a small difference of the first state has grown after all of `inputs`.

    `inputs` are `(steps, batch, features)`; `make_cell(gain)` gives a cell of `cell.units` units, and
    `cell(x, [h])` goes one step. Run each cell from h = 0, then from h = 0.001 everywhere, and divide the
    mean absolute difference of the two last h by 0.001. Return a list of one number for each gain.
    """
    grown = []
    for gain in gains:
        cell, ends = make_cell(gain), []
        for start in (0.0, 0.001):
            h = np.full((inputs.shape[1], cell.units), start)
            for x in inputs:
                _, (h,) = cell(x, [h])
            ends.append(h)
        grown.append(float(ops.mean(ops.abs(ends[1] - ends[0]))) / 0.001)
    return grown


NAMES = ("the gradient of W_x", "of W_h", "of b", "a, the gradient at each state")
STEP = {  # one line after the other is a step back; `first` and `last` say which step it is
    "at_loss": "d[t]",
    "whole": "at_loss + from_later",
    "arrived": "whole",
    "slope": "1 - h[t] ** 2",
    "delta": "arrived * slope",
    "for_x": "outer(x[t - 1], delta)",
    "for_h": "outer(h[t - 1], delta)",
    "for_b": "delta",
    "from_later": "delta @ w_h.T",
    "kept": "arrived",
}
MISTAKES = [  # lines in their place, and the words for it
    ({"slope": "1"}, "the slope of the tanh is forgotten: multiply by 1 - h[t] ** 2"),
    ({"slope": "1 - h[t - 1] ** 2"}, "the slope from h[t - 1], before the step: the tanh gave h[t]"),
    ({"slope": "1 - tanh(h[t]) ** 2"}, "a tanh of h: h has gone through the tanh already"),
    ({"slope": "1 - h[t]"}, "1 - h in place of 1 - h ** 2"),
    ({"slope": "h[t] * (1 - h[t])"}, "the slope of the sigmoid: that of the tanh is 1 - h ** 2"),
    ({"for_x": "outer(x[t - 1], delta) * (not first)"}, "x[0] left out: it is read at step 1"),
    ({"for_x": "outer(x[t % len(x)], delta)"}, "x[t] in the gradient of W_x: step t reads x[t - 1]"),
    ({"for_x": "outer(x[t - 2], delta)"}, "x[t - 2] in the gradient of W_x: step t reads x[t - 1]"),
    ({"for_h": "outer(h[t], delta)"}, "h[t] in the gradient of W_h: W_h multiplied h[t - 1]"),
    ({"for_h": "outer(h[t - 1] * (not first), delta)"}, "the first state taken as zero: it is h[0]"),
    ({"for_h": "outer(delta, h[t - 1])"}, "the gradient of W_h transposed: rows belong to h[t - 1]"),
    (
        {"for_h": "h[t - 1] @ delta"},
        "one number in the gradient of W_h, a sum of products: np.outer(h[t - 1], delta) makes the matrix",
    ),
    ({"for_h": "outer(h[t - 1], arrived)"}, "the gradient of W_h from a_t: it needs delta, behind the tanh"),
    ({"for_x": "outer(x[t - 1], arrived)"}, "the gradient of W_x from a_t: it needs delta, behind the tanh"),
    ({"for_b": "arrived"}, "the gradient of b from a_t: it needs delta, behind the tanh"),
    ({"from_later": "delta @ w_h"}, "W_h is not transposed on the way back"),
    ({"from_later": "arrived @ w_h.T"}, "what goes back does not pass the tanh: it is delta @ w_h.T"),
    ({"from_later": "delta"}, "W_h is forgotten on the way back"),
    (
        {"from_later": "0 * delta"},
        "nothing goes back from step to step: go from the last to the first, and hand delta @ w_h.T on",
    ),
    (
        {"arrived": "at_loss", "kept": "whole"},
        "t goes from 1 to T: go from the last step to the first, so that a[t] is whole before it is used",
    ),
    (
        {
            "for_x": "outer(x[t - 1], delta) * (not last)",
            "for_h": "outer(h[t - 1], delta) * (not last)",
            "for_b": "delta * (not last)",
            "from_later": "delta @ w_h.T * (not last)",
        },
        "the last step left out: t begins at T",
    ),
    ({"at_loss": "d[t] * last"}, "the last loss alone: d[t] is added at every step"),
    ({"at_loss": "d[len(x)]"}, "the last row of d added at every step"),
    ({"at_loss": "d[t - 1]"}, "d[t - 1] at step t: row t belongs to h[t]"),
    ({"kept": "delta"}, "delta in place of a, the gradient at each state: a comes before the tanh"),
    ({"kept": "from_later"}, "what goes on to h[t - 1] in place of what has arrived at h[t]"),
    ({"kept": "arrived - at_loss"}, "what comes from later steps alone: d[t] belongs to a[t]"),
    ({"for_x": "outer(x[t - 1], delta) * first"}, "the gradient of W_x of the first step alone: add up all"),
    ({"for_h": "outer(h[t - 1], delta) * first"}, "the gradient of W_h of the first step alone: add up all"),
    ({"for_b": "delta * first"}, "the gradient of b of the first step alone: add up all"),
    (
        {
            "for_x": "outer(x[t - 1], delta) * first",
            "for_h": "outer(h[t - 1], delta) * first",
            "for_b": "delta * first",
        },
        "the gradients of the first step alone: add up those of all steps",
    ),
    (
        {
            "for_x": "outer(x[t - 1], delta) * last",
            "for_h": "outer(h[t - 1], delta) * last",
            "for_b": "delta * last",
        },
        "the gradients of the last step alone: add up those of all steps",
    ),
    (
        {
            "for_x": "outer(x[t - 1], delta) / len(x)",
            "for_h": "outer(h[t - 1], delta) / len(x)",
            "for_b": "delta / len(x)",
        },
        "the mean over the steps: the shares are added",
    ),
]
ADVICE = {  # what stands behind an error
    IndexError: "t goes from T to 1, and step t reads x[t - 1]",
    ValueError: "x[t - 1], h[t - 1] and delta have one axis each: np.outer(h[t - 1], delta) makes the matrix",
}
ROWS = [  # what becomes of the rows of a, and the words for it
    (lambda a: a[::-1], "a in the order in which you went back: row t belongs to h[t], so turn it round"),
    (
        lambda a: np.concatenate([0 * a[:1], a[1:]]),
        "a[0] is still zero: at step 1, too, delta @ w_h.T goes on",
    ),
    (lambda a: np.concatenate([a[1:], 0 * a[:1]]), "a, one row too early: row t belongs to h[t]"),
]


def _gone_back(x, h, w_h, d, lines):
    """Return what an answer gives whose step has these lines in place of its own."""
    values = {"x": x, "h": h, "w_h": w_h, "d": d, "outer": np.outer, "tanh": np.tanh}
    values["from_later"] = np.zeros(d.shape[1])
    totals, states = [0, 0, 0], np.zeros(d.shape)
    for t in range(len(x), 0, -1):
        values |= {"t": t, "first": t == 1, "last": t == len(x)}
        for name, line in {**STEP, **lines}.items():
            values[name] = eval(line, values)
        shares = values["for_x"], values["for_h"], values["for_b"]
        totals = [total + share for total, share in zip(totals, shares, strict=True)]
        states[t] = values["kept"]
    states[0] = d[0] + values["from_later"]
    return *totals, states


def _forward(x, h_0, w_x, w_h, b):
    h = [h_0]
    for x_t in x:
        h.append(np.tanh(x_t @ w_x + h[-1] @ w_h + b))
    return np.array(h)


def _drawn(steps, features, units):
    """Return inputs, the first state, and W_x, W_h and b, in which no two numbers are equal."""
    rng = np.random.default_rng(steps)
    shapes = (steps, features), (units,), (features, units), (units, units), (units,)
    return [rng.normal(size=shape) * 0.7 for shape in shapes]


def _from_losses(steps, units, every=True):
    """Return d of a loss at each step, or of one at the last: no loss hears h_0."""
    d = np.random.default_rng(units).normal(size=(steps + 1, units))
    d[: 1 if every else steps] = 0
    return d


def _asked(steps=5, features=2, units=3, every=True):
    """Return what an answer is given: inputs, states, W_h, and d."""
    x, h_0, *weights = _drawn(steps, features, units)
    return x, _forward(x, h_0, *weights), weights[1], _from_losses(steps, units, every)


def _came(answer, given):
    x, h, _, d = given
    try:
        came = properties.several(answer(*given), NAMES)
    except WrongAnswerError as wrong:
        words = ADVICE.get(type(wrong.__cause__))
        if words is None:
            raise
        raise WrongAnswerError("no error", f"{described(wrong.__cause__)} ({words})") from wrong
    units = h.shape[1]
    shapes = (x.shape[1], units), (units, units), (units,), d.shape
    for name, each, shape in zip(NAMES, came, shapes, strict=True):
        found = properties.numbers(each).shape
        if found == (len(x), units) and shape == d.shape:
            raise WrongAnswerError(
                f"{name} of shape {shape}", f"shape {found}: row 0, that of h[0], is missing"
            )
        if found != shape:
            raise WrongAnswerError(f"{name} of shape {shape}", f"shape {found}")
    return [properties.numbers(each) for each in came]


def _same(came, expected):
    return [np.allclose(one, other, rtol=0, atol=1e-6) for one, other in zip(came, expected, strict=True)]


def _has_four_results(answer):
    _came(answer, _asked(every=False))


def _goes_back_from_the_last_step(answer):
    _name_the_mistake(answer, _asked(every=False))


def _adds_every_loss(answer):
    _name_the_mistake(answer, _asked())


def _does_one_step(answer):
    _name_the_mistake(answer, _asked(steps=1))


def _name_the_mistake(answer, given):
    came, expected = _came(answer, given), way_back(*given)
    if all(_same(came, expected)):
        return
    for lines, words in MISTAKES:
        if all(_same(came, _gone_back(*given, lines))):
            raise WrongAnswerError(None, words)
    for (lines, words), (others, more) in itertools.combinations(MISTAKES, 2):
        if not lines.keys() & others.keys() and all(_same(came, _gone_back(*given, lines | others))):
            raise WrongAnswerError(None, f"two mistakes: {words}. And: {more}")
    if all(_same(came[:3], expected[:3])):
        for rows, words in ROWS:
            if np.allclose(came[3], rows(expected[3]), rtol=0, atol=1e-6):
                raise WrongAnswerError(None, words)
    right = [name for name, same in zip(NAMES, _same(came, expected), strict=True) if same]
    wrong = [name for name in NAMES if name not in right]
    differ = max(np.abs(one - other).max() for one, other in zip(came, expected, strict=True))
    raise WrongAnswerError(
        None,
        f"a difference of up to {differ:.3g} in {', '.join(wrong)}"
        + (f"; right: {', '.join(right)}" if right else ""),
    )


def _agrees_with_finite_differences(answer):
    """Require the slope of the loss, the sum of d times h, along each number, at other sizes."""
    x, h_0, *weights = _drawn(4, 3, 2)
    d = _from_losses(4, 2)
    states = _forward(x, h_0, *weights)
    came = _came(answer, (x, states, weights[1], d))
    for name, gradient, weight in zip(NAMES, came, weights, strict=False):
        slopes = _slopes(lambda: (d * _forward(x, h_0, *weights)).sum(), weight)
        _require_close(name, gradient, slopes)
    for t in range(5):
        state = states[t].copy()

        def from_here(state=state, t=t):
            return (d[t:] * _forward(x[t:], state, *weights)).sum()

        _require_close(f"the gradient at h[{t}]", came[3][t], _slopes(from_here, state))


def _slopes(loss, array, little=1e-5):
    """Return how the loss changes with each number of the array, which it must read."""
    slopes = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        was = array[place]
        array[place] = was + little
        above = loss()
        array[place] = was - little
        slopes[place] = (above - loss()) / (2 * little)
        array[place] = was
    return slopes


def _require_close(name, gradient, slopes):
    differ = np.abs(gradient - slopes).max()
    if not differ <= 1e-6:
        raise WrongAnswerError(
            f"the finite differences for {name}",
            f"a difference of up to {differ:.3g}: is a number of steps, features or units written out?",
        )


GRADIENTS = ("the first gradient", "the second")
ALWAYS = "larger gradients: scale only where the norm is above the limit, min(1, limit / norm)"
LARGE = [np.array([[3.0, 0.0], [0.0, -4.0]]), np.array([12.0, 0.0])]  # norms 5 and 12, together 13


def _clipped(answer, limit):
    clipped = properties.several(answer(LARGE, limit), GRADIENTS)
    for came, gradient in zip(clipped, LARGE, strict=True):
        properties.same_shape(came, gradient.shape)
    return [properties.numbers(came) for came in clipped]


def _keeps_shapes(answer):
    _clipped(answer, 2.0)


def _leaves_small_gradients_alone(answer):
    for limit in (13.0, 20.0):
        for came, gradient in zip(_clipped(answer, limit), LARGE, strict=True):
            if np.abs(came).sum() < np.abs(gradient).sum() - 1e-5:
                raise WrongAnswerError(
                    f"no change at a limit of {limit:g}: the common norm is 13",
                    "smaller gradients: the common norm is the root of the sum of all squares",
                )
            properties.same_values(came, gradient, [(gradient * limit / 13, ALWAYS)])


def _keeps_the_direction(answer):
    clipped = _clipped(answer, 2.0)
    factors = []
    for came, gradient in zip(clipped, LARGE, strict=True):
        factors.append((came * gradient).sum() / (gradient**2).sum())
        if not np.allclose(came, factors[-1] * gradient, atol=1e-5):
            raise WrongAnswerError(
                "the same factor for every number of a gradient",
                "each number clipped by itself, which changes the direction",
            )
    if not abs(factors[0] - factors[1]) <= 1e-5:
        raise WrongAnswerError(
            "one factor for all gradients", "a factor for each gradient: the norm is that of all together"
        )


def _reaches_the_limit(answer):
    for limit in (2.0, 12.5):
        norm = np.sqrt(sum((came**2).sum() for came in _clipped(answer, limit)))
        if not abs(norm - limit) <= 1e-4:
            came = f"a common norm of {norm:.3g}"
            if abs(norm - limit * 13 / 12) <= 1e-4:
                came += ": is it the largest norm by which you divide?"
            raise WrongAnswerError(f"a common norm of {limit:g}, the limit", came)


def _zeros_stay_zeros(answer):
    gradients = [np.zeros((2, 2)), np.zeros(3)]
    for came, gradient in zip(properties.several(answer(gradients, 1.0), GRADIENTS), gradients, strict=True):
        properties.same_values(came, gradient, cause=properties.ZERO_DIVISION)


GAINS, RUN, UNITS, APART = np.array([0.5, 1.0, 1.5]), 6, 8, 0.001
NOISE = np.random.default_rng(4).normal(0, 0.1, size=(20, 3, 2)).astype("float32")


def _linear(gain):
    """Return a cell that multiplies the state by the gain, and sees no inputs."""
    return SimpleRNNCell(
        UNITS, "linear", keras.initializers.Identity(float(gain)), kernel_initializer="zeros"
    )


def _tanh(gain):
    """Return a cell with the same weights at each call, but for the gain."""
    return SimpleRNNCell(
        UNITS,
        "tanh",
        keras.initializers.Orthogonal(float(gain), seed=1),
        kernel_initializer=keras.initializers.GlorotUniform(seed=0),
    )


def _read(answer, make_cell, gains=GAINS, steps=RUN):
    return properties.one_for_each(gains, answer(gains, NOISE[:steps], make_cell))


def _one_for_each_gain(answer):
    _read(answer, _tanh)


def _is_the_power_of_the_gain(answer):
    expected = GAINS**RUN
    properties.same_values(
        _read(answer, _linear),
        expected,
        [
            (GAINS, f"what is left after one step, not after {RUN}"),
            (GAINS ** (RUN - 1), "one step too few"),
            (GAINS ** (RUN + 1), "one step too many"),
            (APART * expected, "the difference itself: divide it by 0.001"),
            (UNITS * expected, "a sum over the units: the mean was asked for"),
            (UNITS * NOISE.shape[1] * expected, "a sum: the mean was asked for"),
            (np.sqrt(UNITS) * expected, "the norm of the difference: the mean absolute one was asked for"),
            (
                np.sqrt(UNITS * NOISE.shape[1]) * expected,
                "the norm of the difference: its mean was asked for",
            ),
            (APART * expected**2, "the squared difference: the absolute one was asked for"),
            (np.zeros(len(GAINS)), "no difference at all: does the second run begin at 0.001?"),
        ],
        tolerance=1e-4,
    )


def _is_measured(answer):
    """Require what a cell gives that reads its inputs and has a tanh, so that no formula has it."""
    first, second = _last_states()
    on_zeros = np.subtract(*reversed(_last_states(0)))
    from_one, from_zero = _last_states(apart=1.0)[1], first
    over_all = {"axis": (1, 2)}
    properties.same_values(
        _read(answer, _tanh),
        np.abs(second - first).mean(**over_all) / APART,
        [
            (GAINS**RUN, "gain ** steps, a hypothesis: run the cell and measure"),
            *properties.mean_first((second - first) / APART, **over_all),
            (np.abs(second).mean(**over_all) / APART, "one run alone: the difference of two was asked for"),
            (np.abs(on_zeros).mean(**over_all) / APART, "runs on zeros: each step takes its x from `inputs`"),
            (np.abs(from_one - from_zero).mean(**over_all), "a second run from h = 1: begin it at 0.001"),
        ],
        tolerance=2e-3,  # of float32, in thousandths
    )


def _runs_one_cell_twice(answer):
    made = []

    def make_cell(gain):
        made.append(_tanh(gain))
        return made[-1]

    _read(answer, make_cell)
    if len(made) > len(GAINS):
        raise WrongAnswerError(
            "one cell for each gain, which runs twice",
            f"{len(made)} cells for {len(GAINS)} gains: another cell may have other weights",
        )


def _last_states(x=1, apart=APART):
    """Return the last states, `(gains, batch, units)`, of a run from 0 and one from `apart`."""
    runs = []
    for start in (0.0, apart):
        last = []
        for gain in GAINS:
            cell, h = _tanh(gain), np.full((NOISE.shape[1], UNITS), start)
            for step in NOISE[:RUN]:
                _, (h,) = cell(x * step, [h])
            last.append(np.asarray(h, "float64"))
        runs.append(np.array(last))
    return runs


def _draw_what_is_left(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    steps = range(1, len(NOISE) + 1)
    measured = np.array([_read(answer, _tanh, GAINS, count) for count in steps])
    plotting.curves(
        steps,
        {f"gain {gain}": each for gain, each in zip(GAINS, measured.T, strict=True)},
        xlabel="steps forward",
        ylabel="difference (start = 1)",
        title="Your experiment: what becomes of a small difference",
        yscale="log",
    )
    plt.show()


EXERCISES = [
    Exercise(
        "03.bptt",
        way_back,
        [
            ("gives four arrays of their shapes", _has_four_results),
            ("goes back from a loss at the last step", _goes_back_from_the_last_step),
            ("adds what the loss gives at every step", _adds_every_loss),
            ("does a sequence of one step", _does_one_step),
            ("agrees with finite differences, at other sizes", _agrees_with_finite_differences),
        ],
        [
            "Begin with zeros of the shapes of W_x, W_h and b, and with a = d.copy(). Then t = T, ..., 2, 1.",
            "Each step has five lines: delta, its shares of W_x, W_h and b, and what a[t - 1] gets.",
            "delta is a[t] times the slope, from h[t]. The share of W_h is np.outer(h[t - 1], delta).",
            "The share of W_x is np.outer(x[t - 1], delta). At last: a[t - 1] += delta @ w_h.T.",
        ],
    ),
    Exercise(
        "03.clip_by_norm",
        clip_by_norm,
        [
            ("gives one gradient for each", _keeps_shapes),
            ("leaves small gradients alone", _leaves_small_gradients_alone),
            ("keeps the direction: one factor for all", _keeps_the_direction),
            ("scales a large norm down to the limit", _reaches_the_limit),
            ("leaves zeros zeros", _zeros_stay_zeros),
        ],
        [
            "The common norm is the root of the sum of all squares, over all gradients. Compute it once.",
            "Multiply everything by limit / norm, but only where the norm is above the limit.",
            "min(1, limit / norm) is that factor; look after a norm of zero.",
        ],
    ),
    Exercise(
        "03.spread_experiment",
        spread_experiment,
        [
            ("measures one number for each gain", _one_for_each_gain),
            ("gives gain ** steps for a cell that only multiplies by the gain", _is_the_power_of_the_gain),
            ("measures the run of a cell that reads its inputs and has a tanh", _is_measured),
            ("runs the same cell from both states", _runs_one_cell_twice),
        ],
        [
            "Three loops: over the gains, over the two first states, over the steps of `inputs`.",
            "h begins as `np.full((inputs.shape[1], cell.units), start)`.",
            "`_, (h,) = cell(x, [h])` goes one step and hands the state on.",
            "After both runs: `float(ops.mean(ops.abs(one - other))) / 0.001`, of the two last h.",
        ],
        result=_draw_what_is_left,
    ),
]
