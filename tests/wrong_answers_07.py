"""Plausible wrong answers to the exercises of lesson 07, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

from course_utils.exercises import EXERCISES


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


def best(tokens, log_probs, lengths):
    return np.argmax(log_probs / lengths(tokens), axis=1)


PARTS = {
    "score": "score + float(p)",
    "state": "step(said[-1], before)",
    "cut": "[:width]",
    "order": "-each[0]",
    "ended": "longer.append((score, said, before))",
    "has ended": "if said[-1] == end:",
    "steps": "for _ in range(most):",
    "stop": "if all(said[-1] == end for _, said, _ in beam):",
    "token": "[*said, token]",
    "result": "return said[1:], score",
}
RIGHT = EXERCISES["07.beam_search"].solution
beam = functools.partial(changed_by_parts, "07.beam_search", PARTS)


def of_each(step, state, start, end, most, width):
    """Keep the best `width` of each sequence."""
    kept = [(0.0, [start], state)]
    for _ in range(most):
        longer = []
        for score, said, before in kept:
            if said[-1] == end:
                longer.append((score, said, before))
                continue
            log_probs, after = step(said[-1], before)
            best_first = np.argsort(-log_probs, kind="stable")[:width]
            longer += [(score + log_probs[token], [*said, token], after) for token in best_first]
        kept = longer
    score, said, _ = max(kept, key=lambda each: each[0])
    return said[1:], score


def of_one_state(step, state, start, end, most, width):
    """Overwrite one state with each step."""
    kept = [(0.0, [start])]
    for _ in range(most):
        longer = []
        for score, said in kept:
            if said[-1] == end:
                longer.append((score, said))
                continue
            log_probs, state = step(said[-1], state)
            longer += [(score + p, [*said, token]) for token, p in enumerate(log_probs)]
        kept = sorted(longer, key=lambda each: -each[0])[:width]
    score, said = kept[0]
    return said[1:], score


def without_an_end_of_its_own(step, state, start, end, most, _):
    """Wait for `most` tokens, which a sequence that has ended never has."""
    said = [start]
    while len(said) <= most:
        if said[-1] != end:
            log_probs, state = step(said[-1], state)
            said = [*said, int(np.argmax(log_probs))]
    return said[1:], 0.0


BEAMS = [
    (lambda *given: RIGHT(*given[:5], 2 * given[5]), "expected: "),
    (beam(score="float(p)"), "the log-probability of the last token alone decides"),
    (beam(score="score + float(np.exp(p))"), "probabilities are added"),
    (beam(score="(score * float(p) if len(said) > 1 else float(p))"), "log-probabilities are multiplied"),
    (beam(score="(score * (len(said) - 1) + float(p)) / len(said)"), "means are compared"),
    (beam(ended="pass"), "a sequence that has ended leaves the beam"),
    (beam(**{"has ended": "if False:", "stop": "if False:"}), "goes on after its end mark"),
    (of_one_state, "the state that the last step left"),
    (beam(state="step(said[-1], state)"), "all go on from the first state"),
    (of_each, "the best `width` of each sequence are kept"),
    (
        beam(stop="if any(said[-1] == end for _, said, _ in beam):"),
        "the search stops when one sequence has ended",
    ),
    (beam(order="each[0]"), "the worst sequences are kept"),
    (beam(order="(-each[0], each[2])"), "sort by the score alone, `key=lambda each: -each[0]`"),
    (
        lambda *given: (RIGHT(*given[:5], 1)[0], 0.0),
        "which greedy search finds: are 2 kept, and compared by their sums?",
    ),
    (beam(cut="[:1]"), "which greedy search finds: are 2 kept"),
    (beam(order="-each[0] / len(each[1])"), "compared by their sums?"),
    (beam(cut="[: width + 1]"), "expected: "),
    (beam(cut=""), "many more calls of `step`"),
    (beam(cut="", steps="while True:", stop="if False:", **{"has ended": "if False:"}), "many more calls"),
    (beam(steps="while True:"), "at most 1, the end mark among them\n      came:     3 tokens"),
    (beam(steps="for _ in range(most + 1):"), "at most 1, the end mark among them\n      came:     2 tokens"),
    (beam(steps="for _ in range(6):"), "expected: "),
    (without_an_end_of_its_own, "an end after `most` steps\n      came:     a loop that goes on and on"),
    (beam(result="return said, score"), "the start mark was not written"),
    (beam(result="return said[1:-1], score"), "a token that was written, too"),
    (beam(result="return said[1:]"), "two things: the tokens and their score"),
    (beam(result="return said[1:], np.exp(score)"), "the probability: the score is its logarithm"),
    (beam(result="return said[1:], -score"), "the sign is turned round"),
    (beam(result="return said[1:], score / len(said[1:])"), "means are compared: a score is the sum"),
    (beam(result="return said[1:], score + 1"), "the score -1.427"),
    (beam(result="return said[1:], float('nan')"), "finite numbers"),
    (beam(result="return said[1:], None"), "expected: numbers"),
    (beam(result="return said[1:], [score]"), "a score that is one number"),
    (beam(result='return [f"t{token}" for token in said[1:]], score'), "expected: numbers"),
    (
        changed(
            "07.beam_search",
            "said[-1] == end:\n",
            "said[-1] == 2:\n",
            "all(said[-1] == end",
            "all(said[-1] == 2",
        ),
        "`end` says which it is",
    ),
]

MISSED = {
    "missed": "search(each, width) < top - 1e-6",
    "share": "np.mean(",
    "widths": "for width in widths",
    "highest": "[best(decoder) for decoder in decoders]",
}
experiment = functools.partial(changed_by_parts, "07.width_experiment", MISSED)

EXPERIMENTS = [
    (experiment(missed="search(each, width) >= top - 1e-6"), "the share that is found"),
    (experiment(missed="search(width, each) < top - 1e-6"), "another width: are the two exchanged?"),
    (experiment(missed="search(each, width) < top"), "equal scores taken for missed"),
    (experiment(missed="top - search(each, width)"), "how far the scores are behind"),
    (experiment(share="np.sum("), "how many are missed: a share was asked for"),
    (experiment(share="100 * np.mean("), "per cent: a share from 0 to 1"),
    (experiment(widths="for width in sorted(widths, reverse=True)"), "the widths in another order"),
    (experiment(widths="for width in (1, 2, 4)"), "values that differ by up to"),
    (experiment(widths="for width in widths[:1]"), "expected: shape (3,)\n      came:     shape (1,)"),
    (experiment(highest="[0.0 for decoder in decoders]"), "values that differ by up to"),
    (lambda widths, decoders, search, best: [0.6, 0.4, 0.2], "values that differ by up to"),
    (lambda widths, decoders, search, best: [float("nan")] * len(widths), "finite numbers"),
    (lambda widths, decoders, search, best: 0.6, "expected: shape (3,)\n      came:     shape ()"),
]

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
        (
            lambda step, state, start, end, most: loop(step, state, start, 2, most),
            "the end mark, which is `end`, here 5",
        ),
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
        (lambda *given: [given[2], *loop(*given)], "[1, 4, 3]: the start mark was not written"),
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
        (lambda tokens, log_probs: np.argmax(log_probs / tokens.sum(-1), axis=1), "sums of ids: count"),
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
    "07.beam_search": BEAMS,
    "07.width_experiment": EXPERIMENTS,
}
