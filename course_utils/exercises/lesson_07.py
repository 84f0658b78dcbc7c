"""Exercises of lesson 07, one sequence into another."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief


def exact_share():
    """Predict: 12 syllables and an end mark, each right with 0.95 if all before are: the share all right."""
    return 0.95**13


def greedy_loop(step, state, start, end, most):
    """Return the tokens that a decoder writes, the end mark included if it comes, as a list.

    step(token, state) returns the log-probabilities of the next token, `(vocabulary,)`, and the next
    state. At most `most` tokens are written.
    """
    token, said = start, []
    while token != end and len(said) < most:
        log_probs, state = step(token, state)
        token = int(np.argmax(log_probs))
        said.append(token)
    return said


def best_by_mean(tokens, log_probs):
    """Return for each source which of its sequences has the highest mean log-probability, `(batch,)`.

    tokens is `(batch, width, time)`, padded on the right with 0; log_probs `(batch, width)` are sums.
    """
    return np.argmax(log_probs / (tokens != 0).sum(axis=-1), axis=1)


def sequence_log_probs(logits, labels):
    """Return the summed log-probability of the real tokens of each sequence, `(batch,)`.

    logits is `(batch, time, vocabulary)`; labels `(batch, time)`, padded on the right with 0.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    said = np.take_along_axis(log_probs, labels[:, :, None], axis=-1)[:, :, 0]
    return np.where(labels != 0, said, 0).sum(axis=1)


def _is_a_product(answer):
    properties.one_number(
        answer(),
        np.prod(np.full(12 + 1, 0.95)),
        [
            (0.95, "the share of right tokens: but one wrong token makes the sequence wrong"),
            (0.95**12, "the syllables alone: the end mark must come too, and in its place"),
            (1 - 0.95**13, "the share that has a mistake somewhere"),
            (1 - 13 * 0.05, "as if no sequence could have two mistakes"),
        ],
        share=True,
    )


START, END, MOST = 1, 2, 20
NEXT = {1: 4, 4: 3, 3: 5, 5: 2, 2: 4}  # what the decoder below says after each token, at first


def _steps(token, state):
    """A decoder that says what NEXT says, one id higher from its fourth step on, and END at its sixth."""
    log_probs = np.full(8, -3.0)
    log_probs[END if state == 5 else NEXT.get(token, 6) + (state >= 3)] = -0.1
    return log_probs, state + 1


def _said(answer, step=_steps, start=START, end=END, most=MOST):
    """Return the tokens as a list; a loop that does not look at `most` is stopped."""
    endless = (f"a stop at `most`, here {most}", "a loop that goes on and on")
    came = answer(properties.at_most(most + 30, step, endless), 0, start, end, most)
    if np.ndim(properties.numbers(came)) != 1:
        raise WrongAnswerError("a list of tokens", brief(came))
    return properties.whole_numbers(came).tolist()


def _same_tokens(came, expected, *mistakes):
    for wrong, words in mistakes:
        if came[: len(wrong)] == wrong:
            raise WrongAnswerError(f"{expected}", f"{came}: {words}")
    if came != expected:
        raise WrongAnswerError(f"{expected}", f"{came}")


def _begins_at_the_start(answer):
    for start in (START, 3):
        heard = []

        def step(token, state, heard=heard):
            heard.append((int(token), state))
            return _steps(token, state)

        _said(answer, step, start)
        if heard[:1] != [(start, 0)]:
            raise WrongAnswerError(
                f"a first step on the start mark {start} and the state 0",
                "a first step on the token {} and the state {}".format(*heard[0]) if heard else "no step",
            )


def _feeds_back(answer):
    came = _said(answer)[:3]
    _same_tokens(came, [4, 3, 5], ([4, 4, 4], "every step reads the start mark"))


def _carries_the_state(answer):
    came = _said(answer)[:4]
    _same_tokens(came, [4, 3, 5, 3], ([4, 3, 5, 2], "every step goes on from the first state"))


def _stops_after_the_end(answer):
    came, expected = _said(answer), [4, 3, 5, 3, 6, END]
    if came == expected[:-1]:
        raise WrongAnswerError(f"{expected}", f"{came}: the end mark is a token that was written, too")
    if came[:6] == expected and len(came) > 6:
        raise WrongAnswerError(f"{expected}", f"{came[:9]} ...: it goes on after the end mark")
    _same_tokens(came, expected)
    _same_tokens(_said(answer, end=5), [4, 3, 5])  # another end mark


def _stops_at_the_most(answer):
    for most in (1, 6):
        came = _said(answer, lambda _, state: (np.arange(8.0), state), most=most)
        if came == [7] * (most + 1):
            raise WrongAnswerError(f"at most {most}", f"{most + 1}: one too many")
        _same_tokens(came, [7] * most)


TOKENS = np.array(
    [
        [[5, 2, 0, 0, 0], [5, 6, 3, 4, 2], [5, 6, 2, 0, 0]],
        [[3, 4, 2, 0, 0], [3, 2, 0, 0, 0], [4, 2, 0, 0, 0]],
    ]
)
LOG_PROBS = np.array([[-1.0, -2.0, -1.8], [-1.8, -1.6, -1.9]])


def _one_for_each_source(answer):
    properties.same_shape(answer(TOKENS, LOG_PROBS), (2,))


def _prefers_the_better_mean(answer):
    properties.same_values(
        properties.whole_numbers(answer(TOKENS, LOG_PROBS)),
        [1, 0],
        [
            (LOG_PROBS.argmax(axis=1), "the best sums: a short sequence has fewer terms"),
            ([2, 2], "the worst means"),
        ],
    )


def _counts_the_end_mark(answer):
    tokens = np.array([[[7, 2, 0, 0], [7, 7, 7, 2]]])
    properties.same_values(
        answer(tokens, np.array([[-1.0, -2.2]])),
        [0],
        [([1], "a choice that does not count the end mark")],
    )


def _leaves_padding_out_of_the_length(answer):
    wider = np.pad(TOKENS, ((0, 0), (0, 0), (0, 40)))
    properties.same_values(answer(wider, LOG_PROBS), [1, 0])


LOGITS = np.random.default_rng(6).normal(size=(3, 4, 5)) * 2
LABELS = np.array([[3, 4, 3, 2], [4, 2, 0, 0], [2, 0, 0, 0]])


def _one_number_a_sequence(answer):
    properties.same_shape(answer(LOGITS, LABELS), (3,))


def _is_log_of_softmax(answer):
    full = LABELS[:1]
    said = np.take_along_axis(LOGITS[:1], full[:, :, None], axis=-1)[:, :, 0]
    expected = sequence_log_probs(LOGITS[:1], full)
    probs = np.exp(said) / np.exp(LOGITS[:1]).sum(axis=-1)
    mistakes = [
        (said.sum(axis=1), "the sum of the logits: they are no log-probabilities yet"),
        (expected / 4, "the mean over the tokens, not the sum"),
        (-expected, "the loss: its sign is turned round"),
        (probs.sum(axis=1), "the sum of the probabilities, without a logarithm"),
        (probs.prod(axis=1), "the product of the probabilities, without a logarithm"),
    ]
    properties.same_values(answer(LOGITS[:1], full), expected, mistakes)


def _leaves_padding_out(answer):
    shifted = LOGITS - np.log(np.exp(LOGITS).sum(axis=-1, keepdims=True))
    everything = np.take_along_axis(shifted, LABELS[:, :, None], axis=-1).sum(axis=(1, 2))
    properties.same_values(
        answer(LOGITS, LABELS),
        sequence_log_probs(LOGITS, LABELS),
        [(everything, "padding counted like a token")],
    )


def _bears_large_logits(answer):
    properties.same_values(
        answer(LOGITS + 1000, LABELS),
        sequence_log_probs(LOGITS, LABELS),
        tolerance=1e-2,
        cause=properties.OVERFLOW,
    )


EXERCISES = [
    Exercise(
        "07.exact_share",
        exact_share,
        [("is the share of sequences without a mistake", _is_a_product)],
        [
            "For two tokens: the first is right with 0.95, and then the second with 0.95. And both?",
            "How many tokens must be right, the end mark included?",
            "One factor of 0.95 for each token: thirteen of them.",
        ],
    ),
    Exercise(
        "07.greedy_loop",
        greedy_loop,
        [
            ("begins with the start mark and the state it was given", _begins_at_the_start),
            ("feeds each token back", _feeds_back),
            ("carries the state on", _carries_the_state),
            ("stops after the end mark, and keeps it", _stops_after_the_end),
            ("stops after `most` tokens if no end mark comes", _stops_at_the_most),
        ],
        [
            "Two things go from step to step. Which?",
            "while token != end and len(said) < most: one step, then the likeliest token.",
            "log_probs, state = step(token, state); token = int(np.argmax(log_probs)); append it.",
        ],
    ),
    Exercise(
        "07.best_by_mean",
        best_by_mean,
        [
            ("gives one choice for each source", _one_for_each_source),
            ("chooses the higher mean", _prefers_the_better_mean),
            ("counts the end mark as a token", _counts_the_end_mark),
            ("leaves padding out of the length", _leaves_padding_out_of_the_length),
        ],
        [
            "By what number are the two sequences of one source divided? Print it for each.",
            "All sequences of a batch have the same number of columns. How many of them are tokens?",
            "The length is (tokens != 0).sum(axis=-1), one number for each sequence.",
        ],
    ),
    Exercise(
        "07.sequence_log_probs",
        sequence_log_probs,
        [
            ("gives one number for each sequence", _one_number_a_sequence),
            ("sums log-probabilities: the logarithm of a softmax", _is_log_of_softmax),
            ("leaves padding out", _leaves_padding_out),
            ("stays finite for large logits", _bears_large_logits),
        ],
        [
            "The log-probability of a token is its logit minus log(sum(exp(all logits of the step))).",
            "np.take_along_axis(log_probs, labels[:, :, None], axis=-1) picks the labels' entries.",
            "np.where(labels != 0, picked, 0).sum(axis=1); subtract the largest logit before exp.",
        ],
    ),
]
