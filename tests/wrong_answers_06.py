"""Plausible wrong answers to the exercises of lesson 06, and the words each must hear."""

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
    while token != end and len(said) < 100:
        log_probs, state = step(token, state)
        token = int(np.argmax(log_probs))
        said.append(token)
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
    "06.exact_share": [
        (lambda: 0.95, "one wrong token makes the sequence wrong"),
        (lambda: 0.95**12, "the end mark must come too"),
        (lambda: 1 - 0.95**13, "has a mistake somewhere"),
        (lambda: 1 - 13 * 0.05, "two mistakes"),
        (lambda: 0.5, "another number"),
    ],
    "06.greedy_loop": [
        (lambda *given: loop(*given, feeds=False), "every step reads the start mark"),
        (lambda *given: loop(*given, carries=False), "goes on from the first state"),
        (lambda *given: loop(*given, keeps=False), "a token that was written, too"),
        (lambda *given: loop(*given, stops=False), "goes on after the end mark"),
        (endless, "one step, on the start mark"),
        (least_likely, "[4, 3, 5]"),
        (
            lambda step, state, start, end, most: loop(step, state, end, end, most),
            "one step, on the start mark",
        ),
        (lambda *given: [given[2], *loop(*given)], "[1, 4"),
        (lambda *given: loop(*given)[-1], "a list of tokens"),
    ],
    "06.best_by_mean": [
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
    ],
    "06.sequence_log_probs": [
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
        (lambda logits, labels: real(log_softmax(logits), labels).sum(axis=1), "finite numbers"),
    ],
}
