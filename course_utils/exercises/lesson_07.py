"""Exercises of lesson 07, one sequence into another."""

import functools
import math
import re
from numbers import Integral, Real

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief


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


def beam_search(step, state, start, end, most, width):
    """Return the tokens of the best sequence that a beam of `width` finds, as a list, and its score.

    `step` and the tokens are those of the greedy loop. The score of a sequence is the sum of the
    log-probabilities of its tokens. At each step, every sequence in the beam goes on with every token, from
    its own state; one that has ended stays as it is. Of all these the `width` best are the next beam. After
    `most` steps, or when all have ended, the best one is returned. A search that sets aside what has ended
    is accepted, too.
    """
    beam = [(0.0, [start], state)]
    for _ in range(most):
        longer = []
        for score, said, before in beam:
            if said[-1] == end:
                longer.append((score, said, before))
                continue
            log_probs, after = step(said[-1], before)
            longer += [(score + float(p), [*said, token], after) for token, p in enumerate(log_probs)]
        beam = sorted(longer, key=lambda each: -each[0])[:width]
        if all(said[-1] == end for _, said, _ in beam):
            break
    score, said, _ = beam[0]
    return said[1:], score


def exact_share():
    """Predict: 12 syllables and an end mark, each right with 0.95 if all before are: the share all right.

    Give three digits.
    """
    return 0.95**13


def best_by_mean(tokens, log_probs):
    """Return for each source which of its sequences has the highest mean log-probability, `(batch,)`.

    tokens is `(batch, width, time)`, padded on the right with 0; log_probs `(batch, width)` are sums.
    """
    return np.argmax(log_probs / (tokens != 0).sum(axis=-1), axis=1)


def width_experiment(widths, decoders, search, best):
    """Measure for each beam width the share of decoders for which the search misses the best sequence.

    `search(decoder, width)` returns the score of what a beam of this width finds, `best(decoder)` the
    highest score of all sequences. A search has missed it where its score is lower by more than 1e-6.
    Return a list of one share for each width.
    """
    highest = [best(decoder) for decoder in decoders]
    return [
        float(
            np.mean([search(each, width) < top - 1e-6 for each, top in zip(decoders, highest, strict=True)])
        )
        for width in widths
    ]


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


class _Watched(int):
    """A whole number that is compared so many times at most: a loop that waits for ever has an end."""

    most = 10_000

    def __new__(cls, number):
        """Make the number, not compared yet."""
        watched = super().__new__(cls, number)
        watched.compared = 0
        return watched

    def __deepcopy__(self, memo):
        """Stay the same number, so that all is counted in one place."""
        return self

    def _counted(self, comparison, other):
        self.compared += 1
        if self.compared > self.most:
            raise WrongAnswerError("an end after `most` steps", ENDLESS)
        return getattr(int(self), comparison)(int(other) if isinstance(other, int) else other)


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(_Watched, _name, functools.partialmethod(_Watched._counted, _name))

ENDLESS = "a loop that goes on and on"
START, END, MOST = 1, 2, 20
NEXT = {1: 4, 4: 3, 3: 5, 5: 2, 2: 4}  # what the decoder below says after each token, at first


def _steps(token, state):
    """A decoder that says what NEXT says, one id higher from its fourth step on, and END at its sixth."""
    log_probs = np.full(8, -3.0)
    log_probs[END if state == 5 else NEXT.get(token, 6) + (state >= 3)] = -0.1
    return log_probs, state + 1


def _said(answer, step=_steps, start=START, end=END, most=MOST):
    """Return the tokens as a list; a loop that does not look at `most` is stopped."""
    endless = (f"a stop at `most`, here {most}", ENDLESS)
    came = answer(properties.at_most(most + 30, step, endless), 0, start, _Watched(end), _Watched(most))
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
    mistakes = ([START], "the start mark was not written"), ([4, 4, 4], "every step reads the start mark")
    _same_tokens(came, [4, 3, 5], *mistakes)


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
    goes_on = [4, 3, 5, 3], "it goes on after the end mark, which is `end`, here 5"
    _same_tokens(_said(answer, end=5), [4, 3, 5], goes_on)


def _stops_at_the_most(answer):
    for most in (1, 6):
        came = _said(answer, lambda _, state: (np.arange(8.0), state), most=most)
        if came == [7] * (most + 1):
            raise WrongAnswerError(f"at most {most}", f"{most + 1}: one too many")
        _same_tokens(came, [7] * most)


A, B = 3, 4
FOUND = {  # probabilities of END, A and B after each beginning; after all others END is certain
    (): (0.0, 0.6, 0.4),
    (A,): (0.3, 0.4, 0.3),
    (B,): (0.9, 0.1, 0.0),
}
UNLUCKY = {  # a beam of two drops A A, the best: B A and B B are ahead of it, and then come apart
    (): (0.0, 0.55, 0.45),
    (A,): (0.3, 0.4, 0.3),
    (B,): (0.0, 0.505, 0.495),
    (B, A): (0.4, 0.35, 0.25),
    (B, B): (0.4, 0.35, 0.25),
}
SHORT = {(): (0.3, 0.7, 0.0), (A,): (0.25, 0.45, 0.3), (A, A): (0.2, 0.8, 0.0)}  # END is the best of all
LATER = {(): (0.1, 0.9, 0.0), (A,): (0.9, 0.1, 0.0)}  # END comes first, and A END is better


class _Table:
    """A decoder whose state is what it has read: then mixed states give other probabilities."""

    def __init__(self, table):
        self.table = table

    def __call__(self, token, state):
        """Go one step; the state holds a dict too, which Python cannot sort."""
        read = state["read"] if token == START else (*state["read"], int(token))
        log_probs = np.full(5, -np.inf)
        with np.errstate(divide="ignore"):
            log_probs[[END, A, B]] = np.log(self.table.get(read, (1.0, 0.0, 0.0)))
        return log_probs, {"read": read}


@np.errstate(all="ignore")
def _variant(step, most, width, wrong):
    """Return what a beam finds with one mistake made: tokens without the start mark, and the score."""
    beam, first, running = [(0.0, [START], {"read": ()})], None, {"read": ()}
    for _ in range(most):
        longer = []
        for score, said, before in beam:
            if said[-1] == END and wrong != "goes on":
                longer += [] if wrong == "drops" else [(score, said, before)]
                continue
            before = {"running": running, "initial": {"read": ()}}.get(wrong, before)
            log_probs, after = step(said[-1], before)
            running = after
            scores = _scores(wrong, score, log_probs, len(said))
            new = [(each, [*said, token], after) for token, each in enumerate(scores)]
            longer += sorted(new, key=lambda each: -each[0])[:width] if wrong == "each" else new
        cut = None if wrong == "each" else width
        beam = sorted(longer, key=lambda each: each[0] if wrong == "worst" else -each[0])[:cut]
        first = first or next((each for each in beam if each[1][-1] == END), None)
        if not beam or (wrong in ("first", "any") and first):
            break
    score, said, _ = first if wrong == "first" and first else (beam or [(0.0, [START], None)])[0]
    return said[1:], score


def _scores(wrong, score, log_probs, count):
    if wrong == "last":
        return log_probs
    if wrong == "product":
        return score * log_probs if count > 1 else log_probs
    if wrong == "probabilities":
        return score + np.exp(log_probs)
    if wrong == "mean":
        return (score * (count - 1) + log_probs) / count
    return score + log_probs


BEAM_MISTAKES = {
    "last": "the log-probability of the last token alone decides: add it to the score so far",
    "probabilities": "probabilities are added: a score is a sum of log-probabilities",
    "product": "log-probabilities are multiplied: the logarithm of a product is a sum",
    "mean": "means are compared: a score is the sum",
    "drops": "a sequence that has ended leaves the beam: it stays as it is, and competes",
    "goes on": "a sequence goes on after its end mark",
    "running": "all go on from the state that the last step left: each sequence has a state of its own",
    "initial": "all go on from the first state: each sequence has a state of its own",
    "each": "the best `width` of each sequence are kept: the beam has `width` in all",
    "first": "the first sequence that ends is returned: others in the beam may become better",
    "any": "the search stops when one sequence has ended: others in the beam may become better",
    "worst": "the worst sequences are kept",
}


NO_ORDER = re.compile("not supported between instances of 'dict'")
BY_THE_SCORE = (
    "two scores are equal, so the states are compared: sort by the score alone, `key=lambda each: -each[0]`"
)


def _beam_of(answer, table, width, most=6, end=END):
    """Return tokens and score of a beam; one that does not look at `most` or `width` is stopped."""
    endless = f"at most {width} sequences, for at most {most} steps", "many more calls of `step`"
    step = properties.at_most(8 * width * most, _Table(table), endless)
    with properties.advised([(NO_ORDER, BY_THE_SCORE)]):
        returned = answer(step, {"read": ()}, START, _Watched(end), _Watched(most), width)
    if isinstance(returned, list) and all(isinstance(each, Integral) for each in returned):
        raise WrongAnswerError("two things: the tokens and their score", f"the list {brief(returned)} alone")
    tokens, score = properties.several(returned, ("the tokens", "the score"))
    if np.ndim(properties.numbers(tokens)) != 1:
        raise WrongAnswerError("a list of tokens", brief(tokens))
    is_infinite = isinstance(score, Real) and abs(score) == np.inf  # where the mistake has a name of its own
    if not is_infinite and properties.numbers(score).shape:
        raise WrongAnswerError("a score that is one number", brief(score))
    return properties.whole_numbers(tokens).tolist(), float(score)


def _same_sequence(came, table, width, most=6, also=True):
    """Require the tokens of a right beam, and its score if asked; name the mistake where it is known."""
    right = _variant(_Table(table), most, width, None)
    if came[0] == right[0] and (not also or _equal(came[1], right[1])):
        return
    tokens, score = came
    for mistake, words in BEAM_MISTAKES.items():
        wrong = _variant(_Table(table), most, width, mistake)
        if tokens == wrong[0] and _equal(score, wrong[1]):
            raise WrongAnswerError(None, words)
    if tokens == [START, *right[0]]:
        raise WrongAnswerError(f"{right[0]}", f"{tokens}: the start mark was not written")
    if [*tokens, END] == right[0]:
        raise WrongAnswerError(
            f"{right[0]}", f"{tokens}: the end mark {END} is a token that was written, too"
        )
    if tokens != right[0]:
        why = _found_by_greedy_search(width) if width > 1 and tokens == _greedy(table, most) else ""
        raise WrongAnswerError(f"{right[0]}", f"{tokens}{why}")
    for value, words in (
        (np.exp(right[1]), "the probability: the score is its logarithm"),
        (-right[1], "the sign is turned round"),
        (right[1] / len(right[0]), "the mean: the score is the sum"),
    ):
        if _equal(score, value):
            raise WrongAnswerError(f"the score {right[1]:.3f}", f"{score:.3f}, {words}")
    raise WrongAnswerError(f"the score {right[1]:.3f}", f"{score:.3f}")


def _greedy(table, most=6):
    return _variant(_Table(table), most, 1, None)[0]


def _found_by_greedy_search(width):
    return f", which greedy search finds: are {width} kept, and compared by their sums?"


def _equal(score, other):
    return math.isclose(score, other, rel_tol=0, abs_tol=1e-6)


def _gives_tokens_and_a_score(answer):
    _beam_of(answer, FOUND, 2)


def _is_greedy_with_one(answer):
    for table in (FOUND, UNLUCKY, SHORT):
        _same_sequence(_beam_of(answer, table, 1), table, 1, also=False)


def _finds_more_with_two(answer):
    if all(_beam_of(answer, table, 2)[0] == _greedy(table) for table in (FOUND, LATER, UNLUCKY, SHORT)):
        raise WrongAnswerError(f"{[B, END]}", f"{_greedy(FOUND)}{_found_by_greedy_search(2)}")
    _same_sequence(_beam_of(answer, FOUND, 2), FOUND, 2, also=False)


def _goes_on_until_all_have_ended(answer):
    for table in (LATER, SHORT):
        _same_sequence(_beam_of(answer, table, 2), table, 2, also=False)


def _keeps_no_more_than_its_width(answer):
    for width in (2, 3):
        _same_sequence(_beam_of(answer, UNLUCKY, width), UNLUCKY, width, also=False)


def _sums_log_probabilities(answer):
    for table, width in ((FOUND, 1), (FOUND, 2), (UNLUCKY, 3), (SHORT, 2)):
        _same_sequence(_beam_of(answer, table, width), table, width)


def _stops_a_beam_at_the_most(answer):
    for most in (1, 2):
        tokens, _ = came = _beam_of(answer, UNLUCKY, 2, most)
        if len(tokens) > most:
            raise WrongAnswerError(f"at most {most}, the end mark among them", f"{len(tokens)} tokens")
        _same_sequence(came, UNLUCKY, 2, most)


def _takes_another_end(answer):
    tokens, _ = _beam_of(answer, {}, 1, most=3, end=A)
    if tokens != [END] * 3:
        raise WrongAnswerError(f"{[END] * 3} where the end mark is {A}", f"{tokens}: `end` says which it is")


def _bears_ties(answer):
    even = {(): (0.0, 0.5, 0.5)}
    tokens, score = _beam_of(answer, even, 2)
    if tokens not in ([A, END], [B, END]) or not _equal(score, np.log(0.5)):
        raise WrongAnswerError(f"{[A, END]} or {[B, END]}, {np.log(0.5):.3f}", f"{tokens}, {score:.3f}")


TOKENS = np.array(
    [
        [[7, 2, 0, 0, 0], [3, 3, 3, 3, 2], [7, 6, 2, 0, 0]],
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
            (
                (LOG_PROBS / TOKENS.sum(axis=-1)).argmax(axis=1),
                "sums divided by sums of ids: count the tokens",
            ),
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


WIDTHS = np.array([1, 2, 4])
HIGHEST = np.array([-1.0, -0.5, -2.0, -1.5, -0.25])
BEHIND = np.array([[1.0, 0.0, 0.2, 0.5, 1e-9], [0.0, 0.1, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.2, 0.0]])


def _shares(answer, widths=WIDTHS, behind=BEHIND):
    """Ask for the shares of decoders, here numbers, whose searches are so far behind the best."""
    rows = dict(zip(WIDTHS, behind, strict=True))

    def search(decoder, width):
        if width not in rows:
            raise WrongAnswerError("search(decoder, width)", "another width: are the two exchanged?")
        return HIGHEST[decoder] - rows[width][decoder]

    came = answer(widths, np.arange(len(HIGHEST)), search, lambda decoder: HIGHEST[decoder])
    return properties.one_for_each(widths, came)


def _one_for_each_width(answer):
    _shares(answer)


def _is_the_share_missed(answer):
    missed = (BEHIND > 1e-6).mean(axis=1)
    properties.same_values(
        _shares(answer),
        missed,
        [
            (1 - missed, "the share that is found: the share that is missed was asked for"),
            (missed * len(HIGHEST), "how many are missed: a share was asked for"),
            (100 * missed, "per cent: a share from 0 to 1 was asked for"),
            ((BEHIND > 0).mean(axis=1), "equal scores taken for missed: leave 1e-6 for rounding"),
            (BEHIND.mean(axis=1), "how far the scores are behind: count where they are behind"),
            (missed[::-1], "the widths in another order"),
        ],
    )


def _goes_by_the_widths_given(answer):
    properties.same_values(_shares(answer, WIDTHS[::-1]), (BEHIND > 1e-6).mean(axis=1)[::-1])
    properties.same_values(_shares(answer, behind=BEHIND * 0), np.zeros(len(WIDTHS)))


def _random_decoder(rng, depth=4, sharpness=1.5):
    """Return a table: after each beginning of A and B shorter than `depth` the next one is drawn."""
    beginnings = [()]
    for beginning in beginnings:
        if len(beginning) < depth - 1:
            beginnings += [(*beginning, A), (*beginning, B)]
    drawn = np.exp(sharpness * rng.normal(size=(len(beginnings), 3)))
    return dict(zip(beginnings, drawn / drawn.sum(axis=1, keepdims=True), strict=True))


def _draw_what_is_missed(answer):
    """Draw what the learner has measured on random decoders."""
    import matplotlib.pyplot as plt

    from course_utils import plotting

    rng, widths = np.random.default_rng(0), [1, 2, 3, 4, 6, 8]
    decoders = [_Table(_random_decoder(rng)) for _ in range(200)]

    def score(decoder, width):
        return beam_search(decoder, {"read": ()}, START, END, 6, width)[1]

    shares = list(answer(widths, decoders, score, lambda decoder: score(decoder, 3**5)))
    title = "200 random decoders: a wider beam misses the best less often"
    plotting.curves(widths, {"missed": shares}, "beam width", "share missed", title, ylim=(0, None))
    plt.show()


EXERCISES = [
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
        "07.beam_search",
        beam_search,
        [
            ("gives the tokens and the score", _gives_tokens_and_a_score),
            ("with a width of 1 writes what greedy search writes", _is_greedy_with_one),
            ("with a width of 2 finds what greedy search misses", _finds_more_with_two),
            ("goes on until all have ended", _goes_on_until_all_have_ended),
            (
                "keeps no more than `width`",
                _keeps_no_more_than_its_width,
            ),
            ("sums log-probabilities", _sums_log_probabilities),
            ("stops after `most` steps", _stops_a_beam_at_the_most),
            ("looks at `end`", _takes_another_end),
            ("bears two sequences of one score", _bears_ties),
        ],
        [
            "Each sequence is a score, its tokens and its state. Begin with one: (0.0, [start], state).",
            "In each step put all that may follow into one list, what has ended as it is. Sort and cut it.",
            "The next beam is sorted(longer, key=lambda each: -each[0])[:width]: the key compares scores.",
        ],
    ),
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
        "07.width_experiment",
        width_experiment,
        [
            ("gives one number for each width", _one_for_each_width),
            ("is the share of decoders whose best sequence is missed", _is_the_share_missed),
            (
                "goes by the widths, the searches and the best scores that it is given",
                _goes_by_the_widths_given,
            ),
        ],
        [
            "Two loops: over the widths, and inside over the decoders.",
            "search(decoder, width) < best(decoder) - 1e-6 is True where the best was missed.",
            "The mean of True and False is a share: float(np.mean(...)).",
        ],
        result=_draw_what_is_missed,
    ),
]
