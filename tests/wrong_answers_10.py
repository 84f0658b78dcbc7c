"""Plausible wrong answers to the exercises of lesson 10, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed

OPS_ALONE = "keras.ops, which can be compiled and has gradients\n      came:     NumPy: write"

layer = functools.partial(changed, "10.attention")
THREE = "query, key, value = (ops.matmul(x, kernel) for kernel in self.kernels)"
SCORES = "scores = ops.matmul(query, ops.swapaxes(key, 1, 2)) / self.units**0.5"
HIDE = "scores = ops.where(attention_mask, scores, -1e9)"
WEIGHTS = "weights = ops.softmax(scores, axis=-1)"
RETURN = "return ops.matmul(weights, value), weights"
ATTENTIONS = [
    (layer(RETURN, "return weights, ops.matmul(weights, value)"), "the weights first"),
    (layer(RETURN, "return ops.matmul(weights, value)"), "2 results: the new vectors, the weights"),
    (layer(RETURN, "pass"), "None: is a return missing?"),
    (layer(RETURN, "return ops.matmul(weights, x), weights"), "shape (3, 5, 4)"),
    (layer(SCORES, "scores = ops.matmul(query, key)"), "the inner sizes of a product"),
    (layer(SCORES, SCORES.partition(" /")[0]), "not divided by the root of `units`"),
    (layer(SCORES, SCORES.replace("**0.5", "")), "divided by `units`: divide by its root"),
    (layer(SCORES, SCORES.replace("self.units", "x.shape[-1]")), "the root of the size of x"),
    (layer(SCORES, SCORES.replace("self.units", "x.shape[1]")), "the root of the number of steps"),
    (layer(SCORES, SCORES.replace("/", "*")), "times the root of `units`"),
    (layer(WEIGHTS, "weights = scores"), "the softmax is missing"),
    (layer(WEIGHTS, "weights = ops.softmax(scores, axis=1)"), "over the queries: write axis=-1"),
    (layer(WEIGHTS, "weights = ops.softmax(scores, axis=0)"), "over the batch: write axis=-1"),
    (
        layer(SCORES, "scores = ops.matmul(key, ops.swapaxes(query, 1, 2)) / self.units**0.5"),
        "queries and keys exchanged",
    ),
    (layer(SCORES, SCORES.replace("query", "key")), "where is the query?"),
    (layer(SCORES, SCORES.replace("key", "query")), "where is the key?"),
    (layer(RETURN, "return ops.matmul(weights, key), weights"), "an average of the keys"),
    (layer(RETURN, "return ops.matmul(weights, query), weights"), "an average of the queries"),
    (layer(RETURN, "return ops.matmul(scores, value), weights"), "a sum with the scores"),
    (layer(RETURN, "return value, weights"), "the values themselves"),
    (
        layer(RETURN, "return ops.matmul(ops.swapaxes(weights, 1, 2), value), weights"),
        "the weights with their last two axes exchanged",
    ),
    (layer(HIDE, "pass"), "attention_mask is not used"),
    (
        layer(HIDE, "pass", WEIGHTS, "weights = ops.where(attention_mask, ops.softmax(scores, axis=-1), 0)"),
        "masked after the softmax",
    ),
    (layer(HIDE, "scores = ops.where(attention_mask, scores, 0)"), "the score 0 where it is False"),
    (
        layer(
            HIDE,
            "if attention_mask is not True: scores = ops.where(attention_mask, -1e9, scores)",
        ),
        "the opposite: True is where",
    ),
    (
        layer(
            WEIGHTS,
            "weights = ops.exp(scores) / ops.sum(ops.exp(scores), axis=-1, keepdims=True)",
        ),
        "is the largest score of each row subtracted",
    ),
    (layer(WEIGHTS, "weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)"), "NumPy: write ops"),
    (
        layer(WEIGHTS, "weights = ops.softmax(ops.stop_gradient(scores), axis=-1)"),
        "is a part stopped, or rounded?",
    ),
    (
        layer(
            THREE, "query, key, value = [ops.stop_gradient(self.kernels[0]) * 0 + k for k in self.kernels]"
        ),
        "no error",
    ),
]

heads = functools.partial(changed, "10.heads")
FOUND = "found, weights = zip(*(head(x, attention_mask=attention_mask) for head in self.heads), strict=True)"
JOINED = "joined = ops.concatenate(found, axis=-1)"
MIXED = "return ops.matmul(joined, self.output_kernel), ops.stack(weights, axis=1)"
HEADS = [
    (
        heads(MIXED, "return ops.stack(weights, axis=1), ops.matmul(joined, self.output_kernel)"),
        "weights first",
    ),
    (
        heads(MIXED, "return ops.matmul(joined, self.output_kernel)"),
        "2 results: the new vectors, the weights",
    ),
    (heads(MIXED, "pass"), "None: is a return missing?"),
    (
        heads(MIXED, "return ops.matmul(joined, self.output_kernel), ops.stack(weights)"),
        "the heads before the batch: axis=1",
    ),
    (heads(JOINED, "joined = ops.stack(found)"), "join what the heads found along its last axis"),
    (heads(JOINED, "joined = sum(found)"), "join what the heads found along its last axis"),
    (heads(MIXED, "return joined, ops.stack(weights, axis=1)"), "joined: multiply it by self.output_kernel"),
    (heads(JOINED, "joined = ops.concatenate(found[::-1], axis=-1)"), "the heads in another order"),
    (
        heads(JOINED, "joined = ops.reshape(ops.stack(found, axis=-1), ops.shape(x))"),
        "numbers of the heads in turn",
    ),
    (heads(JOINED, "joined = ops.concatenate(found, axis=-1) / self.num_heads"), "joined, not averaged"),
    (heads(JOINED, "joined = ops.concatenate([found[0]] * self.num_heads, axis=-1)"), "the first head twice"),
    (
        heads(MIXED, MIXED.replace("self.output_kernel", "ops.transpose(self.output_kernel)")),
        "the last matrix transposed",
    ),
    (
        heads(MIXED, MIXED.replace("weights,", "[weights[0]] * self.num_heads,")),
        "the weights of the first head twice",
    ),
    (heads(FOUND, FOUND.replace("attention_mask=attention_mask", "")), "hand the mask on"),
]


def angles(time, size):
    feature = np.arange(size)
    return np.arange(time)[:, None] / 10_000 ** (2 * (feature // 2) / size)


def waves(angle, odd=1):
    return np.where(np.arange(angle.shape[1]) % 2 == odd, np.cos(angle), np.sin(angle))


def halves(time, size):
    angle = angles(time, size)[:, ::2]
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def every(time, size):
    return waves(np.arange(time)[:, None] / 10_000 ** (np.arange(size) / size))


def doubled(time, size):
    return waves(np.arange(time)[:, None] / 10_000 ** (2 * np.arange(size) / size))


def slow(time, size):
    return waves(np.arange(time)[:, None] / 10_000 ** ((np.arange(size) // 2) / size))


def fast(time, size):
    return waves(np.arange(time)[:, None] * 10_000 ** (2 * (np.arange(size) // 2) / size))


def with_another_base(time, size):
    return waves(np.arange(time)[:, None] / 1_000 ** (2 * (np.arange(size) // 2) / size))


POSITIONS = [
    (lambda time, size: waves(angles(time, size)).T, "a row for each position"),
    (lambda time, size: waves(angles(time, size))[:, :-1], "shape (6, 7)"),
    (lambda time, size: waves(angles(time, size), odd=0), "sine and cosine exchanged"),
    (halves, "they stand in turn"),
    (every, "two share one"),
    (doubled, "i is feature // 2"),
    (lambda time, size: waves(angles(time + 1, size))[1:], "waves that begin at position 1"),
    (slow, "it is 2i / size"),
    (fast, "divide by it"),
    (angles, "take their sines and cosines"),
    (lambda time, size: np.sin(angles(time, size)), "odd features are cosines"),
    (with_another_base, "values that differ"),
]


def softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def products(query, key):
    return query @ key.swapaxes(1, 2)


def past(scores):
    return np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)


def not_safe(query, key):
    with np.errstate(all="ignore"):
        weights = np.exp(past(products(query, key) / np.sqrt(key.shape[-1])))
        return weights / weights.sum(axis=-1, keepdims=True)


CAUSAL = [
    (
        lambda query, key: softmax(np.tril(products(query, key) / key.shape[-1])),
        "the weight 0 on every later",
    ),
    (
        lambda query, key: softmax(np.tril(products(query, key) / key.shape[-1] ** 0.5)),
        "the weight 0 on every",
    ),
    (lambda query, key: softmax(past(products(query, key) / key.shape[-1])), "divide by its root"),
    (lambda query, key: softmax(past(products(query, key))), "not divided"),
    (lambda query, key: softmax(past(products(query, key) / 2)), "the root of the number of steps"),
    (lambda query, key: softmax(past(products(key, query) / 3**0.5)), "queries and keys exchanged"),
    (lambda query, key: np.tril(softmax(products(query, key) / 3**0.5)), "a sum of 1 for each query"),
    (lambda query, key: softmax(past(products(query, key)), axis=1), "a sum of 1 for each query"),
    (not_safe, "came:     nan"),
]


def reached(function, x, other, change=None, measure=None, kept=False):
    before, rows, changed = function(x), [], x.copy()
    for step in range(len(x)):
        changed = changed if kept else x.copy()
        changed[step] = change(x[step], other[step]) if change else other[step]
        difference = function(changed) - before
        rows.append(measure(difference) if measure else np.abs(difference).max(axis=-1))
    return np.array(rows).T


REACH = [
    (lambda *given: reached(*given).T, "a row for each output"),
    (lambda *given: reached(*given)[0], "shape (5,)"),
    (functools.partial(reached, kept=True), "begin from x again"),
    (functools.partial(reached, change=lambda own, _: 0 * own), "zeros in place of other[j]"),
    (functools.partial(reached, change=lambda own, other: own + other), "put it in place of x[j]"),
    (
        functools.partial(reached, measure=lambda change: change.max(axis=-1)),
        "take the absolute values first",
    ),
    (functools.partial(reached, measure=lambda change: np.abs(change).mean(axis=-1)), "take the largest"),
    (functools.partial(reached, measure=lambda change: np.abs(change).sum(axis=-1)), "take the largest"),
    (
        functools.partial(reached, measure=lambda change: np.linalg.norm(change, axis=-1)),
        "take its largest number",
    ),
    (lambda *given: (reached(*given) > 0) * 1, "how large is the change?"),
]

WRONG = {
    "10.attention": ATTENTIONS,
    "10.heads": HEADS,
    "10.positions": POSITIONS,
    "10.causal_weights": CAUSAL,
    "10.reach_experiment": REACH,
}
