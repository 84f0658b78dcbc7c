"""Plausible wrong answers to the exercises of lesson 07, and the words each must hear."""

import numpy as np


def loop(step, state, start, end, most, *, feeds=True, carries=True, keeps=True, stops=True):
    token, said = start, []
    while len(said) < most:
        log_probs, after = step(token, state)
        likeliest = int(np.argmax(log_probs))
        if likeliest == end and stops and not keeps:
            break
        said.append(likeliest)
        if likeliest == end and stops:
            break
        token = likeliest if feeds else token
        state = after if carries else state
    return said


def endless(step, state, start, end, _):
    token, said = start, []
    while token != end:
        log_probs, state = step(token, state)
        token = int(np.argmax(log_probs))
        said.append(token)
    return said


def without_an_end(step, state, start, _end, most):
    token, said = start, []
    while len(said) != most + 1:
        log_probs, _ = step(token, state)
        said = [*said[: most - 1], int(np.argmax(log_probs))]
    return said


def least_likely(step, state, start, end, most):
    def turned_round(*given):
        log_probs, after = step(*given)
        return -log_probs, after

    return loop(turned_round, state, start, end, most)


def log_softmax(logits):
    with np.errstate(over="ignore"):
        return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def picked(values, labels):
    return np.take_along_axis(values, labels[:, :, None], axis=-1)[:, :, 0]


def real(values, labels):
    return np.where(labels != 0, picked(values, labels), 0)


def best(tokens, log_probs, lengths):
    return np.argmax(log_probs / lengths(tokens), axis=1)


WRONG = {
    "07.exact_share": [
        (lambda: 0.95, "one wrong token makes the sequence wrong"),
        (lambda: 0.95**12, "the end mark must come too"),
        (lambda: 1 - 0.95**13, "has a mistake somewhere"),
        (lambda: 1 - 13 * 0.05, "two mistakes"),
        (lambda: 0.5, "a share from 0 to 1, not in per cent, right to 3 digits after the point"),
        (lambda: 51.3, "a share from 0 to 1, not in per cent"),
    ],
    "07.greedy_loop": [
        (lambda *given: loop(*given, feeds=False), "every step reads the start mark"),
        (lambda *given: loop(*given, carries=False), "goes on from the first state"),
        (lambda *given: loop(*given, keeps=False), "a token that was written, too"),
        (lambda *given: loop(*given, stops=False), "goes on after the end mark"),
        (endless, "expected: a stop at `most`, here 1\n      came:     a loop that goes on and on"),
        (without_an_end, "a loop that goes on and on"),
        (lambda step, state, start, end, most: loop(step, state, 1, end, most), "the start mark 3"),
        (lambda step, state, start, end, most: loop(step, state, start, 2, most), "expected: [4, 3, 5]\n"),
        (
            lambda step, state, start, end, most: loop(step, state, start, end, most + 1),
            "expected: at most 1\n      came:     2: one too many",
        ),
        (lambda step, state, start, end, most: loop(step, state, start, end, 6), "expected: [7]"),
        (lambda *given: [f"{token}" for token in loop(*given)], "expected: numbers"),
        (lambda *given: [token + 0.4 for token in loop(*given)], "numbers of type float64"),
        (
            lambda step, state, start, end, most: loop(step, 1, start, end, most),
            "the token 1 and the state 1",
        ),
        (lambda step, state, start, end, most: [4, 3, 5, 3, 6, 2], "no step"),
        (least_likely, "[4, 3, 5]"),
        (
            lambda step, state, start, end, most: loop(step, state, end, end, most),
            "a first step on the token 2",
        ),
        (lambda *given: [given[2], *loop(*given)], "[1, 4"),
        (lambda *given: loop(*given)[-1], "a list of tokens"),
    ],
    "07.best_by_mean": [
        (lambda tokens, log_probs: np.argmax(log_probs / tokens.shape[-1], axis=1), "the best sums"),
        (lambda tokens, log_probs: np.argmax(log_probs, axis=1), "the best sums"),
        (
            lambda tokens, log_probs: np.argmin(log_probs / (tokens != 0).sum(axis=-1), axis=1),
            "the worst means",
        ),
        (
            lambda tokens, log_probs: best(tokens, log_probs, lambda ids: (ids > 2).sum(axis=-1)),
            "does not count the end mark",
        ),
        (
            lambda tokens, log_probs: np.argmax(log_probs / (tokens != 0).sum(axis=-1)),
            "shape ()",
        ),
        (lambda tokens, log_probs: (log_probs / (tokens != 0).sum(axis=-1)).max(axis=1), "type float64"),
        (
            lambda tokens, log_probs: (
                best(tokens, log_probs, lambda ids: (ids != 0).sum(axis=-1)) * (tokens.shape[-1] < 9)
            ),
            "values that differ",
        ),
    ],
    "07.sequence_log_probs": [
        (lambda logits, labels: real(logits, labels).sum(axis=1), "no log-probabilities yet"),
        (
            lambda logits, labels: real(log_softmax(logits), labels).sum(axis=1) / (labels != 0).sum(axis=1),
            "the mean over the tokens",
        ),
        (lambda logits, labels: -real(log_softmax(logits), labels).sum(axis=1), "the loss"),
        (
            lambda logits, labels: real(np.exp(log_softmax(logits)), labels).sum(axis=1),
            "the sum of the probabilities",
        ),
        (
            lambda logits, labels: picked(np.exp(log_softmax(logits)), labels).prod(axis=1),
            "the product of the probabilities",
        ),
        (lambda logits, labels: picked(log_softmax(logits), labels).sum(axis=1), "padding counted"),
        (lambda logits, labels: real(log_softmax(logits), labels).sum(), "shape ()"),
        (lambda logits, labels: real(log_softmax(logits), labels).sum(axis=1), "np.exp?"),
    ],
}
