"""Plausible wrong answers to the exercises of lesson 11, and the words each must hear."""

import numpy as np


def after(x, look, dense, norms):
    x = norms[0](x + look(x))
    return norms[1](x + dense(x))


def no_residual(x, look, dense, norms):
    return dense(norms[1](look(norms[0](x))))


def norm_on_the_path(x, look, dense, norms):
    x = norms[0](x)
    x = x + look(x)
    return x + dense(norms[1](x))


def norms_on_the_path(x, look, dense, norms):
    x = norms[0](x)
    x = x + look(x)
    x = norms[1](x)
    return x + dense(x)


def one_norm(x, look, dense, norms):
    x = x + look(norms[0](x))
    return x + dense(norms[0](x))


def no_norm(x, look, dense, norms):  # noqa: ARG001
    x = x + look(x)
    return x + dense(x)


def side_by_side(x, look, dense, norms):
    return x + look(norms[0](x)) + dense(norms[1](x))


def exchanged(x, look, dense, norms):
    x = x + look(norms[1](x))
    return x + dense(norms[0](x))


def dense_first(x, look, dense, norms):
    x = x + dense(norms[1](x))
    return x + look(norms[0](x))


def over(axis):
    def layer_norm(x, scale, shift):
        mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-6) * scale + shift

    return layer_norm


def by_variance(x, scale, shift):
    return (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + 1e-6) * scale + shift


def only_centred(x, scale, shift):
    return (x - x.mean(-1, keepdims=True)) * scale + shift


def over_one_less(x, scale, shift):
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, ddof=1, keepdims=True) * scale + shift


def without_epsilon(x, scale, shift):
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True) * scale + shift


def unscaled(x, scale, shift):  # noqa: ARG001
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


def unshifted(x, scale, shift):
    return unscaled(x, scale, shift) * scale


def shifted_first(x, scale, shift):
    return (unscaled(x, scale, shift) + shift) * scale


def of_all(logits, labels):
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_chances = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_chances, labels[..., None], axis=-1)[..., 0] / np.log(2)


def with_padding(logits, labels):
    return of_all(logits, labels).mean()


def divided_by_all(logits, labels):
    return (of_all(logits, labels) * (labels != 0)).mean()


def nats(logits, labels):
    return of_all(logits, labels)[labels != 0].mean() * np.log(2)


def summed(logits, labels):
    return of_all(logits, labels)[labels != 0].sum()


def row_by_row(logits, labels):
    bits = of_all(logits, labels)
    return np.mean([each[keep].mean() for each, keep in zip(bits, labels != 0, strict=True)])


def of_mean_chance(logits, labels):
    return -np.log2((2.0 ** -of_all(logits, labels)[labels != 0]).mean())


def negative(logits, labels):
    return -of_all(logits, labels)[labels != 0].mean()


def bare_logits(logits, labels):
    return -np.take_along_axis(logits, labels[..., None], axis=-1)[..., 0][labels != 0].mean()


def not_safe(logits, labels):
    with np.errstate(all="ignore"):
        chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        return -np.log2(np.take_along_axis(chances, labels[..., None], axis=-1))[..., 0][labels != 0].mean()


def without_empty(means, tokens):
    return (means / tokens).sum() / (1 / tokens).sum()


def empty_counts(means, tokens):
    tokens = np.where(tokens == 0, 10, tokens)
    return (means * tokens).sum() / tokens.sum()


WRONG = {
    "11.block_parameters": [
        (lambda: 600, "one attention and two norms"),
        (lambda: 616, "one attention"),
        (lambda: 888, "two norms"),
        (lambda: 856, "no norm"),
        (lambda: 880, "a scale and a shift"),
        (lambda: 840, "attentions without biases"),
        (lambda: 816, "no bias anywhere"),
        (lambda: 1480, "heads share the 8 numbers"),
        (lambda: 760, "mixed by a fourth"),
        (lambda: [904, 1], "one number"),
        (lambda: 900, "expected: a whole number\n      came:     900"),
    ],
    "11.block_before": [
        (after, "that is the other order"),
        (no_residual, "no residual path"),
        (norm_on_the_path, "the norm on the residual path"),
        (norms_on_the_path, "both norms on the residual path"),
        (one_norm, "the first norm twice"),
        (no_norm, "no norm"),
        (side_by_side, "side by side"),
        (exchanged, "the norms exchanged"),
        (dense_first, "the dense part first"),
        (lambda x, look, dense, norms: x + look(norms[0](x)), "differ by up to"),
    ],
    "11.layer_norm": [
        (over(0), "normalised over the positions"),
        (over((0, 1)), "all positions normalised together"),
        (by_variance, "not by its root"),
        (only_centred, "only the mean is taken away"),
        (unscaled, "scale and shift are not used"),
        (unshifted, "the shift is not used"),
        (shifted_first, "the shift before the scale"),
        (over_one_less, "a variance over one number less"),
        (without_epsilon, "came:     nan: is something divided by zero?"),
    ],
    "11.bits_per_character": [
        (with_padding, "padding counted like a character"),
        (divided_by_all, "not out of the number it is divided by"),
        (row_by_row, "mean of each row's mean"),
        (nats, "the natural logarithm"),
        (summed, "the sum"),
        (of_mean_chance, "the mean comes last"),
        (negative, "the sign"),
        (bare_logits, "logits as if they were logarithms"),
        (not_safe, "came:     nan: is the largest score of each row subtracted before np.exp?"),
    ],
    "11.loss_of_all": [
        (lambda means, tokens: means.mean(), "the mean of the means"),
        (lambda means, tokens: (means * tokens).sum(), "the sum over all tokens"),
        (lambda means, tokens: (means * tokens).mean(), "number of devices"),
        (without_empty, "the other way round"),
        (empty_counts, "counted as if its loss were 0"),
    ],
}
