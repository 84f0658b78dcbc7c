"""Plausible wrong answers to the exercises of lesson 08, and the words each must hear."""

import numpy as np


def softmax(scores, axis):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def scored(query, states):
    return (states * query[:, None]).sum(axis=-1)


def average(weights, states):
    return (weights[:, :, None] * states).sum(axis=1)


def not_safe(query, states, mask):
    with np.errstate(all="ignore"):
        weights = np.exp(scored(query, states)) * mask
        weights = weights / weights.sum(axis=1, keepdims=True)
    return average(weights, states)


def after_luong(cell, look, token, state, memory):
    context, _ = look(state, memory)
    state = cell(np.concatenate([token, context]), state)
    return state, look(state, memory)[1]


def after_bahdanau(cell, look, token, state, memory):
    context, weights = look(state, memory)
    return cell(np.concatenate([token, context]), state), weights


def cell_first(cell, look, token, state, memory):
    state = cell(token, state)
    context, weights = look(state, memory)
    return np.concatenate([state, context]), weights


def look_then_forget(cell, look, token, state, memory):
    context, weights = look(state, memory)
    return cell(np.concatenate([token, 0 * context]), state), weights


def luong(cell, look, token, state, memory):
    new = cell(np.concatenate([token, np.zeros(3)]), state)
    return new, look(new, memory)[1]


def turned_round(cell, look, token, state, memory):
    context, weights = look(state, memory)
    return cell(np.concatenate([context, token]), state), weights


def keeps_the_state(cell, look, token, state, memory):
    context, weights = look(state, memory)
    cell(np.concatenate([token, context]), state)
    return state, weights


def not_safe_for_queries(scores, mask):
    weights = np.exp(scores) * mask[:, None]
    return weights / weights.sum(axis=-1, keepdims=True)


def mask_after_the_maximum(scores, mask):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask[:, None]
    return weights / weights.sum(axis=-1, keepdims=True)


WRONG = {
    "08.first_weight": [
        (lambda: np.exp(2) / (np.exp(2) + 2 + np.exp(3)), "with the padding among the words"),
        (lambda: np.exp(2) / (np.exp(2) + 3), "as if the padding had the score 0"),
        (lambda: 1, "where is the exponential"),
        (lambda: 0.4, "where is the exponential"),
        (lambda: 1 / 3, "even weights"),
        (lambda: 0.7, "a share from 0 to 1, not in per cent, right to 3 digits after the point"),
    ],
    "08.look_back": [
        (lambda query, states, mask: states, "shape (3, 2)"),
        (lambda query, states, mask: average(scored(query, states), states), "step 3 is missing"),
        (
            lambda query, states, mask: average(softmax(scored(query, states), 0), states),
            "sum to one over the batch",
        ),
        (lambda query, states, mask: states.mean(axis=1), "an even average"),
        (
            lambda query, states, mask: average(softmax(scored(query, states) / np.sqrt(2), 1), states),
            "that is another score",
        ),
        (
            lambda query, states, mask: average(softmax(scored(query, states), 1), states) / 5,
            "an average already",
        ),
        (
            lambda query, states, mask: average(softmax(scored(query, states), 1), states),
            "the mask is not used",
        ),
        (
            lambda query, states, mask: average(softmax(scored(query, states) * mask, 1), states),
            "still gets a weight",
        ),
        (
            lambda query, states, mask: average(softmax(scored(query, states) * mask, 1) * mask, states),
            "has taken weight from the rest",
        ),
        (
            lambda query, states, mask: average(softmax(scored(query, states), 1) * mask, states),
            "taken out after the softmax",
        ),
        (not_safe, "came:     nan: is the largest score of each row subtracted before np.exp?"),
    ],
    "08.weights_of_queries": [
        (
            lambda scores, mask: softmax(np.where(mask[:, None], scores, -1e9), 1),
            "a sum of 1 over the queries",
        ),
        (lambda scores, mask: scores, "sums"),
        (not_safe_for_queries, "came:     nan: is the largest score of each row subtracted before np.exp?"),
        (mask_after_the_maximum, "came:     nan: is what does not count hidden before the largest score"),
        (lambda scores, mask: softmax(scores, -1), "weights up to"),
        (lambda scores, mask: softmax(scores * mask[:, None], -1), "weights up to"),
        (lambda scores, mask: softmax(scores, -1) * mask[:, None], "no longer sum to one"),
        (lambda scores, mask: scores / scores.sum(axis=-1, keepdims=True), "values that differ"),
    ],
    "08.step_before": [
        (after_luong, "2 calls"),
        (luong, "Luong's order"),
        (cell_first, "the cell first, then look: that is Luong's order"),
        (
            lambda cell, look, token, state, memory: (
                lambda context, weights: (cell(np.concatenate([token, state]), context), weights)
            )(*look(state, memory)),
            "values that differ",
        ),
        (
            lambda cell, look, token, state, memory: (
                lambda context, weights: (cell(np.concatenate([token, state]), state), weights)
            )(*look(state, memory)),
            "the state where the context belongs",
        ),
        (
            lambda cell, look, token, state, memory: (
                lambda context, weights: (cell(np.concatenate([token, context]), context), weights)
            )(*look(state, memory)),
            "the context as the state",
        ),
        (lambda cell, look, token, state, memory: look(memory, state), "a query of shape (4, 3)"),
        (lambda cell, look, token, state, memory: look(token, memory), "a query of shape (2,)"),
        (lambda cell, look, token, state, memory: look(0 * state, memory), "a query of zeros"),
        (
            lambda cell, look, token, state, memory: cell(look(state, memory)[0], state),
            "inputs of shape (3,)",
        ),
        (lambda *given: after_bahdanau(*given)[::-1], "the new state comes first"),
        (lambda *given: (after_bahdanau(*given)[0], given[1](*given[3:])[0]), "2 calls"),
        (
            lambda cell, look, token, state, memory: (
                lambda context, weights: (cell(np.concatenate([token, context]), state), context)
            )(*look(state, memory)),
            "the context: the weights are asked for",
        ),
        (look_then_forget, "values that differ"),
        (turned_round, "the context before the token"),
        (keeps_the_state, "the state before the step"),
        (
            lambda cell, look, token, state, memory: cell(
                np.concatenate([token, look(state, memory)[0]]), state
            ),
            "2 results: the new state, the weights",
        ),
    ],
}
