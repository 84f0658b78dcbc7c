"""Plausible wrong answers to the exercises of lesson 11, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed

block = functools.partial(changed, "11.block")
LOOK = "found, _ = self.attention(self.norms[0](x), attention_mask=attention_mask)"
SUM = "x = x + found"
RETURN = "return x + self.feed_forward(self.norms[1](x))"
BARE = "found, _ = self.attention(x, attention_mask=attention_mask)"
BLOCKS = [
    (block(RETURN, "pass"), "None: is a return missing?"),
    (block(RETURN, "return x, found"), "2 results"),
    (block(RETURN, "return self.norms[1](x)[0]"), "shape (5, 4)"),
    (block(LOOK, "found = self.attention(self.norms[0](x), attention_mask=attention_mask)"), "no error"),
    (
        block(
            LOOK,
            BARE,
            SUM,
            "x = self.norms[0](x + found)",
            RETURN,
            "return self.norms[1](x + self.feed_forward(x))",
        ),
        "the norm after each sum: that is the other order",
    ),
    (block(SUM, "x = found", RETURN, "return self.feed_forward(self.norms[1](x))"), "no residual"),
    (block(RETURN, "return x"), "the feed-forward part is missing"),
    (block(SUM, "x = found"), "what attention found is not added to x"),
    (
        block(RETURN, "return self.feed_forward(self.norms[1](x))"),
        "what the feed-forward part gives is not added",
    ),
    (
        block(SUM, "y = x + found", RETURN, "return x + self.feed_forward(self.norms[1](y))"),
        "the second part added to the first x",
    ),
    (block(RETURN, RETURN.replace("[1]", "[0]")), "the first norm twice"),
    (block(LOOK, LOOK.replace("[0]", "[1]"), RETURN, RETURN.replace("[1]", "[0]")), "the norms exchanged"),
    (block(LOOK, BARE, RETURN, "return x + self.feed_forward(x)"), "no norm"),
    (block(RETURN, "return x + self.feed_forward(x)"), "the second norm is missing"),
    (block(LOOK, BARE), "the first norm is missing"),
    (block(LOOK, "x = self.norms[0](x)\n        " + BARE), "a norm on the residual path"),
    (
        block(
            LOOK,
            "x = self.norms[0](x)\n        " + BARE,
            RETURN,
            "x = self.norms[1](x)\n        return x + self.feed_forward(x)",
        ),
        "both norms on the residual path",
    ),
    (block(SUM, "y = x + found", RETURN, "return y + self.feed_forward(self.norms[1](x))"), "side by side"),
    (block(LOOK, "found = 0"), "the attention is missing"),
    (
        block(
            LOOK,
            "x = x + self.feed_forward(self.norms[1](x))\n        " + LOOK,
            RETURN,
            "return x",
        ),
        "the feed-forward part first",
    ),
    (block(LOOK, "found, _ = self.attention(self.norms[0](x))"), "hand attention_mask on"),
    (
        block(SUM, "x = x + keras.ops.stop_gradient(found)"),
        "trains inside a compiled model",
    ),
    (block(SUM, "x = np.asarray(x) + np.asarray(found)", RETURN, "return np.asarray(x)"), "NumPy: write ops"),
]

gpt = functools.partial(changed, "11.gpt")
VECTORS = "x = self.table(ids) * self.dim**0.5 + self.waves(time)"
THROUGH = "x = block(x, attention_mask=np.tri(time, dtype=bool))"
LOGITS = "return self.logits(self.norm(x))"
GPTS = [
    (gpt(LOGITS, "pass"), "None: is a return missing?"),
    (gpt(LOGITS, "return self.norm(x)"), "where are the logits?"),
    (gpt(LOGITS, "return self.logits(self.norm(x))[:, -1]"), "shape (3, 7)"),
    (gpt(LOGITS, "return keras.ops.softmax(self.logits(self.norm(x)))"), "return the logits"),
    (gpt(LOGITS, "return self.logits(x)"), "the last norm is missing"),
    (gpt(VECTORS, "x = self.table(ids) + self.waves(time)"), "not multiplied by the root of dim"),
    (gpt(VECTORS, "x = self.table(ids) * self.dim + self.waves(time)"), "multiply by its root"),
    (gpt(VECTORS, "x = (self.table(ids) + self.waves(time)) * self.dim**0.5"), "add them afterwards"),
    (gpt(VECTORS, "x = self.table(ids) * self.dim**0.5"), "no positions"),
    (gpt(VECTORS, "x = 0 * self.table(ids) + self.waves(time)"), "where is the table?"),
    (gpt(VECTORS, VECTORS.replace("(time)", "(ids)")), "no error"),
    (gpt("for block in self.blocks:", "for block in self.blocks[:1]:"), "one block of two"),
    (gpt("for block in self.blocks:", "for block in []:"), "no block: go through"),
    (gpt(THROUGH, "x = block(x)"), "later tokens are seen"),
    (gpt(THROUGH, THROUGH.replace("dtype=bool)", "dtype=bool).T")), "the mask turned round"),
    (gpt("time = ids.shape[1]", "time = 5"), "no error"),
    (
        gpt(LOGITS, "return self.logits(keras.ops.stop_gradient(self.norm(x)))"),
        "trains inside a compiled model",
    ),
]


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


def costs_of(cut):
    return lambda bits, texts, lengths: [bits(cut(texts, length)).mean() for length in lengths]


CONTEXTS = [
    (costs_of(lambda texts, length: texts[:, -length:]), "one character too few"),
    (costs_of(lambda texts, length: texts[:, : length + 1]), "the first characters"),
    (costs_of(lambda texts, length: texts[:, :length]), "the first characters"),
    (costs_of(lambda texts, _: texts), "the whole text each time"),
    (lambda bits, texts, lengths: [bits(texts[:, -n - 1 :]).sum() for n in lengths], "sums: take the mean"),
    (
        lambda bits, texts, lengths: [np.median(bits(texts[:, -n - 1 :])) for n in lengths],
        "medians: take the mean",
    ),
    (lambda bits, texts, lengths: bits(texts).mean(), "shape ()"),
    (lambda bits, texts, lengths: [bits(texts[:, -n - 1 :]) for n in lengths], "shape (3, 6)"),
]

WRONG = {
    "11.block": BLOCKS,
    "11.gpt": GPTS,
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
    "11.context_experiment": CONTEXTS,
}
