"""Plausible wrong answers to the exercises of lesson 08, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

SCORES = "scores = ops.matmul(ops.matmul(query, self.kernel), ops.transpose(memory, (0, 2, 1)))"
HIDE = "scores = ops.where(mask[:, None], scores, -1e9)"
WEIGHTS = "weights = ops.softmax(scores, axis=-1)"
RETURN = "return ops.matmul(weights, memory), weights"
OPS_ALONE = "keras.ops, which can be compiled and has gradients\n      came:     NumPy: write"

layer = functools.partial(changed, "08.attention")

LAYERS = [
    (layer(RETURN, "return weights, ops.matmul(weights, memory)"), "the weights first"),
    (layer(RETURN, "return ops.matmul(weights, memory)"), "2 results: the context, the weights"),
    (layer(RETURN, "return weights"), "2 results: the context, the weights"),
    (layer(RETURN, "pass"), "None: is a return missing?"),
    (
        layer(SCORES, "scores = ops.matmul(query, ops.transpose(memory, (0, 2, 1)))"),
        "the inner sizes of a product",
    ),
    (
        layer(SCORES, "scores = ops.matmul(ops.matmul(query, self.kernel), memory)"),
        "the inner sizes of a product",
    ),
    (
        layer(SCORES, "scores = ops.matmul(ops.matmul(memory, self.kernel), query)"),
        "the inner sizes of a product",
    ),
    (
        layer("ops.transpose(memory, (0, 2, 1))", "ops.transpose(memory)"),
        "(ops.transpose(memory, (0, 2, 1)) leaves the batch first)",
    ),
    (
        layer(HIDE, HIDE.replace("-1e9", "-100.0")),
        "padding with a score that a real one can be below: take -1e9",
    ),
    (layer(WEIGHTS, "weights = scores"), "the scores themselves: the softmax is missing"),
    (layer(WEIGHTS, "weights = ops.softmax(scores, axis=1)"), "sum to one over the queries: write axis=-1"),
    (layer(WEIGHTS, "weights = ops.softmax(scores, axis=0)"), "sum to one over the batch: write axis=-1"),
    (layer(WEIGHTS, "weights = ops.softmax(scores / 2)"), "that is another score"),
    (layer(WEIGHTS, "weights = ops.softmax(scores / 6**0.5)"), "that is another score"),
    (layer(HIDE, "scores = ops.where(mask[:, None], ops.tanh(scores), -1e9)"), "the softmax of a tanh"),
    (
        layer(
            "ops.matmul(ops.matmul(query, self.kernel),",
            "ops.matmul(ops.tanh(ops.matmul(query, self.kernel)),",
        ),
        "a tanh of the query",
    ),
    (layer(HIDE, "scores = ops.where(mask[:, None], -scores, -1e9)"), "is there a minus?"),
    (layer(WEIGHTS, "weights = ops.softmax(0 * scores)"), "even weights: does the query matter, and"),
    (layer(RETURN, "return ops.matmul(scores, memory), weights"), "a sum with the bare scores"),
    (
        layer(RETURN, "return ops.mean(memory, 1, keepdims=True) + 0 * (weights @ memory), weights"),
        "an even average of the states",
    ),
    (
        layer(RETURN, "return ops.sum(memory, 1, keepdims=True) + 0 * (weights @ memory), weights"),
        "the sum of all states",
    ),
    (layer(RETURN, "return weights @ memory / 5, weights"), "an average already"),
    (layer(RETURN, "return ops.tanh(weights @ memory), weights"), "the tanh of the context"),
    (layer(RETURN, "return query @ self.kernel, weights"), "the query times W: the context is an average"),
    (layer(HIDE, "scores = scores"), "weights on padding: the mask is not used"),
    (layer(HIDE, "scores = ops.where(mask[:, None], scores, 0.0)"), "which still gets a weight"),
    (
        layer(
            HIDE,
            "scores = ops.where(mask[:, None], scores, 0.0)",
            WEIGHTS,
            f"{WEIGHTS} * ops.cast(mask[:, None], 'float32')",
        ),
        "it has taken weight from the rest",
    ),
    (
        layer(HIDE, "scores = scores", WEIGHTS, f"{WEIGHTS} * ops.cast(mask[:, None], 'float32')"),
        "the padding was taken out after the softmax",
    ),
    (layer("mask[:, None]", "~mask[:, None]"), "is True what counts?"),
    (layer(HIDE, "scores = ops.where(mask, scores, -1e9)"), "gives the mask an axis for the queries"),
    (
        layer(WEIGHTS, "weights = ops.exp(scores) / ops.sum(ops.exp(scores), axis=-1, keepdims=True)"),
        "is the largest score of each row subtracted before np.exp?",
    ),
    (layer(WEIGHTS, "weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)"), "came:     "),
    (layer("ops.softmax(scores, axis=-1)", "ops.convert_to_tensor(np.array(ops.softmax(scores)))"), "NumPy"),
    (
        layer(RETURN, "return ops.matmul(ops.stop_gradient(weights), memory), weights"),
        "with respect to the query",
    ),
    (
        layer(RETURN, "return ops.matmul(weights, ops.stop_gradient(memory)), weights"),
        "with respect to the states",
    ),
    (layer('name="kernel")', 'name="kernel", trainable=False)'), "another W after a step of training"),
    (layer("(query_shape[-1], memory_shape[-1])", "(4, 4)"), "the W of the stub, here (4, 6)"),
    (layer("(keras.layers.Layer)", ""), "expected: a class that inherits from keras.layers.Layer"),
    (layer()(), "the class that you wrote, without brackets after its name"),
]


PARTS = {
    "luong cell": "state = cell(token, state)",
    "luong attend": "state = cell(token, state)\n        context, weights = attend(state)",
    "joined": "return join(ops.concatenate([context, state], axis=-1)), state, weights",
    "bahdanau": "    context, weights = attend(state)\n    state = cell(ops.concatenate([token, context], "
    "axis=-1), state)",
    "read": "cell(ops.concatenate([token, context], axis=-1), state)",
    "returned": "return state, state, weights",
}


def step(**changes):
    named = {name.replace("_", " "): new for name, new in changes.items()}
    return changed_by_parts("08.decoder_step", PARTS, **named)


STEPS = [
    (
        step(luong_attend="context, weights = attend(state)\n        state = cell(token, state)"),
        "attend first, with the state before the step: that is Bahdanau's order",
    ),
    (
        step(luong_attend="new = cell(token, state)\n        context, weights = attend(state)"),
        "in Luong's order the new state asks",
    ),
    (
        step(luong_cell="state = cell(ops.concatenate([token, token], axis=-1), state)"),
        "cell(the token alone, state), here 2 numbers\n      came:     inputs of 4 numbers",
    ),
    (
        step(joined="return join(ops.concatenate([state, context], axis=-1)), state, weights"),
        "[state; context]",
    ),
    (step(joined="return join(context), state, weights"), "join([context; new state]), here 6 numbers"),
    (
        step(joined="return join(ops.concatenate([context, context], -1)), state, weights"),
        "the context twice",
    ),
    (
        step(joined="return join(ops.concatenate([state, state], -1)), state, weights"),
        "where is the context?",
    ),
    (step(joined="return state, state, weights"), "one call of join\n      came:     none"),
    (
        step(joined="join(ops.concatenate([context, state], -1)); return state, state, weights"),
        "in Luong's order the output is what join returns",
    ),
    (
        step(joined="out = join(ops.concatenate([context, state], -1)); return out, out, weights"),
        "the output in place of the state",
    ),
    (
        step(joined="out = join(ops.concatenate([context, state], -1)); return out, weights, state"),
        "the order is output, state, weights",
    ),
    (
        step(joined="out = join(ops.concatenate([context, state], -1)); return out, state, context"),
        "the context: the weights are asked for",
    ),
    (step(joined="return join(ops.concatenate([context, state], -1)), weights"), "3 results"),
    (
        step(bahdanau="    state = cell(token, state)\n    context, weights = attend(state)"),
        "the cell first, then attend: that is Luong's order",
    ),
    (step(read="cell(token, state)"), "cell([token; context], state), here 5 numbers"),
    (step(read="cell(ops.concatenate([context, token], axis=-1), state)"), "the context before the token"),
    (
        step(read="cell(ops.concatenate([token, state], axis=-1), state)"),
        "the state where the context belongs",
    ),
    (step(read="cell(ops.concatenate([token, context], axis=-1), context)"), "another state"),
    (
        step(returned="return join(ops.concatenate([context, state], axis=-1)), state, weights"),
        "nothing joined in Bahdanau's order",
    ),
    (step(returned="return context, state, weights"), "the context: it is a part of the output"),
    (step(returned="return state, weights, state"), "the order is output, state, weights"),
    (lambda order, cell, attend, join, token, state: (state, state, attend(state)[1]), "the cell first"),
    (lambda order, cell, attend, join, token, state: (token, state, token), "one call of attend"),
]


def softmax(scores, axis):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def not_safe_for_queries(scores, mask):
    weights = np.exp(scores) * mask[:, None]
    return weights / weights.sum(axis=-1, keepdims=True)


def mask_after_the_maximum(scores, mask):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask[:, None]
    return weights / weights.sum(axis=-1, keepdims=True)


MEASURED = {
    "sizes": "for size in sizes:",
    "scores": "scores = (keys * queries[:, None]).sum(axis=-1)",
    "safe": "np.exp(scores - scores.max(axis=-1, keepdims=True))",
    "softmax": "weights = weights / weights.sum(axis=-1, keepdims=True)",
    "number": "float(weights.max(axis=-1).mean())",
    "result": "return sure",
}
experiment = functools.partial(changed_by_parts, "08.size_experiment", MEASURED)

EXPERIMENTS = [
    (lambda sizes, draw: [1 / 20] * len(sizes), "which is always 1/20"),
    (lambda sizes, draw: [1 / 2] * len(sizes), "values that differ by up to"),
    (
        experiment(scores="scores = (keys * queries[:, None]).sum(axis=-1) / np.sqrt(size)"),
        "that comes after",
    ),
    (
        experiment(
            softmax="weights = np.exp(scores - scores.max(axis=0)); weights = weights / weights.sum(axis=0)"
        ),
        "1/50: the softmax goes over the 20 keys",
    ),
    (experiment(softmax="weights = weights / weights.sum(axis=0, keepdims=True)"), "1/50: the softmax goes"),
    (experiment(softmax="weights = scores"), "the largest score: the softmax is missing"),
    (experiment(safe="np.exp(scores)"), "is the largest score of each row subtracted before np.exp?"),
    (experiment(number="float(weights.max())"), "the mean over the queries is asked for"),
    (experiment(number="float(weights.max(axis=0).mean())"), "that of each query, the last axis"),
    (experiment(number="float(weights.mean(axis=0).max())"), "the mean before the maximum"),
    (experiment(number="float(weights.mean())"), "which is always 1/20"),
    (experiment(number="float(weights.sum(axis=-1).mean())"), "1: is it the sum of the weights?"),
    (experiment(number="100 * float(weights.max(axis=-1).mean())"), "came:     "),
    (experiment(number="float(np.median(weights.max(axis=-1)))"), "the median: the mean was asked for"),
    (experiment(sizes="for size in sizes[:1]:"), "expected: shape (3,)\n      came:     shape (1,)"),
    (experiment(sizes="for size in reversed(sizes):"), "values within 1e-05"),
    (experiment(result="return sure[0]"), "expected: shape (3,)\n      came:     "),
]


WRONG = {
    "08.attention": LAYERS,
    "08.decoder_step": STEPS,
    "08.size_experiment": EXPERIMENTS,
    "08.weights_of_queries": [
        (
            lambda scores, mask: softmax(np.where(mask[:, None], scores, -1e9), 1),
            "a sum of 1 over the queries",
        ),
        (lambda scores, mask: scores, "sums"),
        (not_safe_for_queries, "came:     nan: is the largest score of each row subtracted before np.exp?"),
        (mask_after_the_maximum, "came:     nan: is what does not count hidden before the largest score"),
        (
            lambda scores, mask: softmax(np.where(mask[:, None], scores, -1000), -1),
            "padding with a score that a real one can be below: take -1e9",
        ),
        (
            lambda scores, mask: softmax(scores - scores.max(axis=1, keepdims=True), -1),
            "over the queries subtr",
        ),
        (lambda scores, mask: softmax(scores, -1), "weights up to"),
        (lambda scores, mask: softmax(scores * mask[:, None], -1), "weights up to"),
        (lambda scores, mask: softmax(scores, -1) * mask[:, None], "no longer sum to one"),
        (lambda scores, mask: scores / scores.sum(axis=-1, keepdims=True), "values that differ"),
    ],
}
