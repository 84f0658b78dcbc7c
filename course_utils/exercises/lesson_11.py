"""Exercises of lesson 11, the Transformer."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def block_parameters():
    """Predict: the parameters of a block with cross-attention; vectors of 8, two heads, 16 units."""
    one_projection = 8 * 8 + 8
    attentions = 2 * 4 * one_projection
    dense = (8 * 16 + 16) + (16 * 8 + 8)
    return attentions + dense + 3 * 2 * 8


def block_before(x, look, dense, norms):
    """Return the output of a block, `(time, dim)`, with the norm before each part.

    x is `(time, dim)`; look, dense and the two norms are functions from `(time, dim)` to `(time, dim)`.
    """
    x = x + look(norms[0](x))
    return x + dense(norms[1](x))


def layer_norm(x, scale, shift):
    """Normalise each position of x `(time, dim)` by itself; scale and shift are `(dim,)`."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-6) * scale + shift


def bits_per_character(logits, labels):
    """Return the mean of -log2 p over all real labels, one number.

    logits are `(batch, time, size)`, labels ids `(batch, time)`; label 0 is padding and does not count.
    """
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_chances = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    bits = -np.take_along_axis(log_chances, labels[..., None], axis=-1)[..., 0] / np.log(2)
    return bits[labels != 0].mean()


def loss_of_all(means, tokens):
    """Return the mean loss over all real tokens of a batch, one number.

    means are the mean losses of the devices' parts, tokens how many real tokens each part has; both are
    `(devices,)`. A part may have no token at all; its mean is then 0.
    """
    return (means * tokens).sum() / tokens.sum()


def _counts_every_part(answer):
    properties.one_number(
        answer(),
        904,
        [
            (904 - 4 * 72 - 16, "one attention and two norms: which part does the cross-attention need?"),
            (904 - 4 * 72, "one attention: the block looks at itself and at the memory"),
            (904 - 16, "two norms: each of the three parts has one"),
            (904 - 48, "no norm: it has a scale and a shift for each feature"),
            (904 - 24, "one number for each feature of a norm: there are a scale and a shift"),
            (904 - 2 * 4 * 8, "attentions without biases"),
            (904 - 2 * 4 * 8 - 24, "no bias anywhere"),
            (904 + 2 * 4 * 72, "two full attentions for two heads: heads share the 8 numbers"),
            (904 - 2 * 72, "three projections for each attention: the heads are mixed by a fourth"),
        ],
    )


RNG = np.random.default_rng(10)
X = RNG.normal(size=(4, 3))
MATRIX = RNG.normal(size=(3, 3))


def _look(x):
    return np.cumsum(x, axis=0) * [1, 2, 3]


def _dense(x):
    return np.tanh(x @ MATRIX) + 0.5


def _first(x):
    return (x - 1) * [2, 1, 0.5]


def _second(x):
    return x * 0.3 + 0.2


NORMS = (_first, _second)


def _composes_the_block(answer):
    def composed(look=_look, dense=_dense, first=_first, second=_second):
        x = X + look(first(X))
        return x + dense(second(x))

    between = _first(X + _look(X))
    onto_normal = _first(X) + _look(_first(X))
    bare = _look(_first(X))
    properties.same_values(
        answer(X, _look, _dense, NORMS),
        composed(),
        [
            (_second(between + _dense(between)), "the norm after each part: that is the other order"),
            (_dense(_second(bare)), "no residual path: nothing is added to what was there"),
            (composed(second=_first), "the first norm twice: each part has its own"),
            (composed(first=_second, second=_first), "the norms exchanged"),
            (composed(first=lambda x: x, second=lambda x: x), "no norm"),
            (
                onto_normal + _dense(_second(onto_normal)),
                "the norm on the residual path: the result must be added to x itself",
            ),
            (
                _second(onto_normal) + _dense(_second(onto_normal)),
                "both norms on the residual path: a result must be added to what was there before",
            ),
            (
                X + _look(_first(X)) + _dense(_second(X)),
                "both parts side by side: the second reads the first's sum",
            ),
            (X + _dense(_second(X)) + _look(_first(X + _dense(_second(X)))), "the dense part first"),
        ],
    )


POSITIONS = 5 * X
SCALE, SHIFT = np.array([2, 1, 0.5]), np.array([0, 1, -1])
EPSILON = 5e-3  # what is added to the variance is free: from nothing to Keras' 1e-3


def _normalises_each_position(answer):
    across = (POSITIONS - POSITIONS.mean(axis=0)) / np.sqrt(POSITIONS.var(axis=0) + 1e-6)
    whole = (POSITIONS - POSITIONS.mean()) / np.sqrt(POSITIONS.var() + 1e-6)
    centred = POSITIONS - POSITIONS.mean(axis=-1, keepdims=True)
    unbiased = centred / POSITIONS.std(axis=-1, ddof=1, keepdims=True)
    properties.same_values(
        answer(POSITIONS, np.ones(3), np.zeros(3)),
        layer_norm(POSITIONS, np.ones(3), np.zeros(3)),
        [
            (across, "each feature normalised over the positions: which axis has one position's numbers?"),
            (whole, "all positions normalised together"),
            (centred, "only the mean is taken away"),
            (
                centred / (POSITIONS.var(axis=-1, keepdims=True) + 1e-6),
                "a division by the variance, not by its root",
            ),
            (unbiased, "a variance over one number less: divide by the number of features"),
        ],
        tolerance=EPSILON,
    )


def _sees_no_other_position(answer):
    before = properties.numbers(answer(POSITIONS, SCALE, SHIFT))
    changed = POSITIONS.copy()
    changed[2:] += 5
    difference = np.abs(properties.numbers(answer(changed, SCALE, SHIFT))[:2] - before[:2]).max()
    if not difference <= 1e-6:
        raise WrongAnswerError(
            "the same at the first positions, whatever comes later", f"a change of {difference:.3g} there"
        )


def _scales_and_shifts(answer):
    bare = layer_norm(POSITIONS, np.ones(3), np.zeros(3))
    properties.same_values(
        answer(POSITIONS, SCALE, SHIFT),
        bare * SCALE + SHIFT,
        [
            (bare, "scale and shift are not used"),
            (bare * SCALE, "the shift is not used"),
            ((bare + SHIFT) * SCALE, "the shift before the scale"),
        ],
        tolerance=EPSILON,
    )


def _takes_equal_numbers(answer):
    properties.same_values(
        answer(np.ones((2, 3)), SCALE, SHIFT),
        np.array([SHIFT, SHIFT]),
        tolerance=EPSILON,
        cause=properties.ZERO_DIVISION,
    )


LOGITS = RNG.normal(size=(2, 4, 5))
LABELS = np.array([[3, 1, 4, 2], [2, 4, 0, 0]])
FULL = np.array([[3, 1, 4, 2], [2, 4, 1, 1]])


def _bits(logits, labels):
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -np.log2(np.take_along_axis(chances, labels[..., None], axis=-1))[..., 0]


def _is_the_mean_of_the_bits(answer):
    bits = _bits(LOGITS, FULL)
    chances = 2.0**-bits
    properties.one_number(
        answer(LOGITS, FULL),
        bits.mean(),
        [
            (bits.mean() * np.log(2), "the natural logarithm: bits have the base 2"),
            (bits.sum(), "the sum: what is asked is the mean"),
            (-bits.mean(), "the sign: a likely character has few bits, not fewer than none"),
            (-np.log2(chances.mean()), "the logarithm of the mean chance: the mean comes last"),
            (chances.mean(), "the mean chance: where is the logarithm?"),
            (
                -np.take_along_axis(LOGITS, FULL[..., None], axis=-1).mean(),
                "logits as if they were logarithms of chances",
            ),
        ],
        1e-4,
    )


def _leaves_padding_out(answer):
    bits, real = _bits(LOGITS, LABELS), LABELS != 0
    properties.one_number(
        answer(LOGITS, LABELS),
        bits[real].mean(),
        [
            (bits.mean(), "padding counted like a character"),
            ((bits * real).mean(), "padding left out of the sum, but not out of the number it is divided by"),
            (
                np.mean([each[keep].mean() for each, keep in zip(bits, real, strict=True)]),
                "the mean of each row's mean: a short row's characters count for more",
            ),
        ],
        1e-4,
    )


def _takes_high_logits(answer):
    properties.same_values(
        answer(1000 * LOGITS, FULL),
        bits_per_character(1000 * LOGITS, FULL),
        tolerance=1e-2,
        cause=properties.OVERFLOW,
    )


MEANS, TOKENS = np.array([2.0, 0.5, 1.0]), np.array([10, 40, 50])


def _weighs_by_the_tokens(answer):
    properties.one_number(
        answer(MEANS, TOKENS),
        0.9,
        [
            (MEANS.mean(), "the mean of the means: the parts are not equally large"),
            ((MEANS * TOKENS).sum(), "the sum over all tokens: divide it by their number"),
            ((MEANS * TOKENS).mean(), "divided by the number of devices, not of tokens"),
            (
                (MEANS / TOKENS).sum() / (1 / TOKENS).sum(),
                "weights the other way round: the largest part counts least",
            ),
        ],
    )


def _is_the_mean_for_equal_parts(answer):
    properties.one_number(answer(MEANS, np.array([7, 7, 7])), MEANS.mean(), [])


def _takes_an_empty_part(answer):
    properties.one_number(
        answer(np.array([2.0, 0.0, 1.0]), np.array([10, 0, 30])),
        1.25,
        [(1.0, "the empty part counted as if its loss were 0")],
    )


EXERCISES = [
    Exercise(
        "11.block_parameters",
        block_parameters,
        [("counts every part", _counts_every_part)],
        [
            "Two attentions, two dense layers, three norms.",
            "An attention has four projections of 8 to 8 numbers, with biases, however many heads it has.",
            "2 * 4 * (8 * 8 + 8), then (8 * 16 + 16) + (16 * 8 + 8), then 3 * 2 * 8.",
        ],
    ),
    Exercise(
        "11.block_before",
        block_before,
        [("normalises, applies and adds, part after part", _composes_the_block)],
        [
            "A part reads normalised vectors. Its result is added to the vectors before the norm.",
            "x + look(norms[0](x)) is the first half.",
            "The second half reads the result of the first: x = ...; return x + dense(norms[1](x)).",
        ],
    ),
    Exercise(
        "11.layer_norm",
        layer_norm,
        [
            ("normalises each position", _normalises_each_position),
            ("uses no other position", _sees_no_other_position),
            ("scales and shifts each feature", _scales_and_shifts),
            ("takes a position whose numbers are all equal", _takes_equal_numbers),
        ],
        [
            "x has the shape (time, dim). Over which axis lie the numbers of one position?",
            "A mean over axis 0 mixes positions, later ones too.",
            "axis=-1, and keepdims=True so that it can be subtracted from each row.",
        ],
    ),
    Exercise(
        "11.bits_per_character",
        bits_per_character,
        [
            ("is the mean of -log2 of the true character's chance", _is_the_mean_of_the_bits),
            ("leaves padding out", _leaves_padding_out),
            ("takes logits of a thousand", _takes_high_logits),
        ],
        [
            "The softmax of the logits gives chances; np.take_along_axis picks the label's.",
            "np.log2, or a natural logarithm divided by np.log(2). Subtract the largest logit first.",
            "log p is the logit minus np.log of the sum of exponentials: no chance is rounded to 0 then.",
            "bits[labels != 0].mean() leaves padding out.",
        ],
    ),
    Exercise(
        "11.loss_of_all",
        loss_of_all,
        [
            ("weighs each part by its tokens", _weighs_by_the_tokens),
            ("is the plain mean for equal parts", _is_the_mean_for_equal_parts),
            ("takes a part without tokens", _takes_an_empty_part),
        ],
        [
            "From a mean and a number of tokens you get a sum.",
            "Add up the sums, add up the tokens, divide.",
        ],
    ),
]
