"""Exercises of lesson 12, your own text and pairs."""

import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def chances(logits, temperature, top_k, top_p):
    """Return the chance of each token to be drawn, an array `(size,)`; the chances sum to one.

    logits are `(size,)`, and are divided by the temperature before the softmax. Of the tokens only these are
    left: the `top_k` likeliest; and those before which, from the likeliest on, less than `top_p` has come
    together. None leaves all.
    """
    powers = np.exp((logits - logits.max()) / temperature)
    likely = powers / powers.sum()
    order = np.argsort(-likely)
    before = np.cumsum(likely[order]) - likely[order]
    kept = order[:top_k] if top_p is None else order[:top_k][before[:top_k] < top_p]
    left = np.zeros_like(likely)
    left[kept] = likely[kept]
    return left / left.sum()


def stop(losses, patience):
    """Return the epoch whose weights are kept, and the epoch after which training ends; the first is 1.

    losses are those of validation, one for each epoch, `(epochs,)`. Kept is the first epoch with the least
    loss so far. Training ends when `patience` epochs in a row have not been better, else after the last one.
    """
    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return best, epoch
    return best, len(losses)


def loss(logits, labels):
    """Return the mean of -log p over all real labels, one number; p is the softmax of the logits.

    logits are `(rows, time, size)`, labels ids `(rows, time)`. Label 0 is padding, and does not count.
    """
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, labels[..., None], axis=-1)[..., 0]
    return losses[labels != 0].mean()


def batch(sources, targets):
    """Return what a translator trains on: the sources, what its decoder reads, and its labels.

    sources and targets are lists of arrays of ids. Each of the three results is an array with a row for each
    pair, padded on the right with 0. The decoder reads the start mark, id 1, and then the target. The labels
    are one ahead of what it reads: the target, and then the end mark, id 2.
    """
    read = [[1, *target] for target in targets]
    labels = [[*target, 2] for target in targets]
    padded = []
    for rows in (sources, read, labels):
        ids = np.zeros((len(rows), max(map(len, rows))), int)
        for row, tokens in zip(ids, rows, strict=True):
            row[: len(tokens)] = tokens
        padded.append(ids)
    return padded


def padding_experiment(answer, ids, most):
    """Measure how far an answer moves when a batch is padded: with 0, 1, 2, ... `most` steps more.

    `answer` takes ids `(rows, time)` and returns an array with a row for each. Padding is 0, on the right.
    Return an array `(most + 1,)`: the largest absolute difference of any number of the answer to that
    without further padding.
    """
    alone = answer(ids)
    padded = [np.pad(ids, ((0, 0), (0, more))) for more in range(most + 1)]
    return np.array([np.abs(answer(each) - alone).max() for each in padded])


LOGITS = np.array([0.5, 2.0, -1.0, 1.2, 0.1, -0.4])


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _left(likely, kept, again=True):
    left = np.where(kept, likely, 0)
    return left / left.sum() if again else left


def _ranks(likely):
    return np.argsort(np.argsort(-likely))


def _are_the_softmax(answer):
    properties.same_values(
        answer(LOGITS, 1.0, None, None),
        _softmax(LOGITS),
        [
            (LOGITS, "the logits: take their softmax"),
            (np.exp(LOGITS), "powers that do not sum to one: divide by their sum"),
            (np.log(_softmax(LOGITS)), "logarithms of the chances"),
            (np.sort(_softmax(LOGITS))[::-1], "sorted chances: each token keeps its place"),
        ],
    )


def _take_a_temperature(answer):
    for temperature in (0.5, 2.0):
        after = _softmax(LOGITS) / temperature
        properties.same_values(
            answer(LOGITS, temperature, None, None),
            _softmax(LOGITS / temperature),
            [
                (_softmax(LOGITS), "the chances at temperature 1: it is not used"),
                (_softmax(LOGITS * temperature), "logits times the temperature: divide by it"),
                (after, "chances divided by the temperature: divide the logits"),
                (_softmax(after), "a softmax of chances: divide the logits, then one softmax"),
                (_softmax(LOGITS - temperature), "the temperature subtracted: divide by it"),
            ],
        )


def _leave_the_likeliest(answer):
    for temperature, top_k in ((1.0, 1), (2.0, 3), (1.0, 5)):
        likely = _softmax(LOGITS / temperature)
        ranks = _ranks(likely)
        properties.same_values(
            answer(LOGITS, temperature, top_k, None),
            _left(likely, ranks < top_k),
            [
                (likely, "chances of all tokens: top_k is not used"),
                (_left(likely, ranks < top_k, again=False), "chances that no longer sum to one"),
                (_left(likely, ranks <= top_k), "one token too many"),
                (_left(likely, ranks >= len(LOGITS) - top_k), "the least likely ones: sort downwards"),
                (_left(likely, np.arange(len(LOGITS)) < top_k), "the first ones: sort by their chances"),
                (np.where(ranks < top_k, 1 / top_k, 0), "even chances: those that are left keep their ratio"),
            ],
        )


def _leave_what_has_the_probability(answer):
    for temperature, top_p in ((1.0, 0.7), (2.0, 0.9), (1.0, 0.1), (1.0, 1.0)):
        likely = _softmax(LOGITS / temperature)
        ranks = _ranks(likely)
        with_own = np.cumsum(np.sort(likely)[::-1])[ranks]
        before = with_own - likely
        upwards = np.cumsum(np.sort(likely))[len(LOGITS) - 1 - ranks]
        properties.same_values(
            answer(LOGITS, temperature, None, top_p),
            _left(likely, before < top_p),
            [
                (likely, "chances of all tokens: top_p is not used"),
                (_left(likely, before < top_p, again=False), "chances that no longer sum to one"),
                *_if_any(likely, with_own <= top_p, "one token too few: the one that reaches top_p stays"),
                *_if_any(likely, likely >= top_p, "tokens with a chance of top_p each: add up from the top"),
                *_if_any(likely, upwards <= top_p, "the least likely ones: begin with the likeliest"),
            ],
            cause=": is no token left? The likeliest always stays",
        )


def _if_any(likely, kept, words):
    """Return the mistake that leaves these tokens, where they are some."""
    return [(_left(likely, kept), words)] if kept.any() else []


def _take_both(answer):
    likely = _softmax(LOGITS)
    ranks = _ranks(likely)
    for top_k, top_p in ((2, 0.95), (4, 0.6)):
        before = (np.cumsum(np.sort(likely)[::-1]))[ranks] - likely
        properties.same_values(
            answer(LOGITS, 1.0, top_k, top_p),
            _left(likely, (ranks < top_k) & (before < top_p)),
            [
                (_left(likely, ranks < top_k), "top_k alone: a token must pass both"),
                (_left(likely, before < top_p), "top_p alone: a token must pass both"),
                (_left(likely, (ranks < top_k) | (before < top_p)), "one of the two: a token must pass both"),
            ],
        )


def _stay_chances_for_high_logits(answer):
    properties.same_values(
        answer(1000 * LOGITS, 0.5, None, None),
        _softmax(2000 * LOGITS),
        cause=properties.OVERFLOW.replace("of each row ", ""),
    )


CURVES = {
    (3.0, 2.0, 1.0, 1.5, 1.2, 1.4, 1.6, 1.7, 0.5): 3,
    (3.0, 2.5, 2.6, 2.4, 2.4, 2.45, 2.9, 3.0, 1.0): 3,
    (1.0, 1.1, 0.9, 1.2, 0.8, 0.7): 2,
    (4.0, 3.0, 2.0): 2,
    (1.0, 2.0, 3.0, 4.0): 1,
    (2.0, 2.0, 2.0): 2,
}


def _two_numbers(answer, losses, patience):
    came = properties.whole_numbers(answer(np.array(losses), patience))
    properties.same_shape(came, (2,))
    return tuple(came.tolist())


def _gives_two_epochs(answer):
    losses, patience = next(iter(CURVES.items()))
    _two_numbers(answer, losses, patience)


def _stops_and_keeps(answer):
    for losses, patience in CURVES.items():
        came, (best, last) = _two_numbers(answer, losses, patience), stop(losses, patience)
        if came == (best, last):
            continue
        ends = len(losses)
        causes = {
            _ended(losses, patience - 1): f"one epoch too few: {patience} without a better one must come",
            _ended(losses, patience + 1): f"one epoch too many: {patience} without a better one are enough",
            _ended(losses, patience, np.less_equal): "the later of two equal losses: the first is kept",
            _ended(losses, patience, before=True): "each loss compared with the one before: with the best",
            (best, ends): "training to the last epoch: where does the patience end?",
            (int(np.argmin(losses)) + 1, ends): "the least loss of all epochs: training must end before it",
            (last, last): "the weights of the last epoch: keep those of the best",
            (last, best): "the epoch that is kept comes first",
            (best - 1, last - 1): "epochs that are counted from 0: the first is 1",
        }
        words = f"{came} for the losses {list(losses)} and a patience of {patience}"
        if came in causes:
            raise WrongAnswerError(None, f"{words}: {causes[came]}")
        raise WrongAnswerError(f"{(best, last)}", words)


def _ended(losses, patience, better=np.less, before=False):
    """Return what `stop` would, were another epoch the better one, or compared with the one before."""
    best = 0
    for epoch, loss in enumerate(losses):
        if better(loss, losses[max(epoch - 1, 0) if before else best]):
            best = epoch
        if epoch - best >= patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


RNG = np.random.default_rng(12)
OUTPUTS = RNG.normal(size=(3, 4, 5))
LABELS = np.array([[3, 1, 4, 2], [2, 4, 0, 0], [1, 0, 0, 0]])
REAL = LABELS != 0


def _is_the_loss_of_logits(answer):
    def of(log_p, counts=REAL):
        return -np.take_along_axis(log_p, LABELS[..., None], axis=-1)[..., 0][counts].mean()

    log_p, every = np.log(_softmax(OUTPUTS)), np.ones_like(REAL)
    clipped = np.clip(OUTPUTS, 1e-7, 1)
    shared = np.log(clipped / clipped.sum(axis=-1, keepdims=True))
    properties.one_number(
        answer(OUTPUTS, LABELS),
        of(log_p),
        [
            *(
                (of(each), "the logits taken for chances: softmax first")
                for each in (np.log(clipped), shared)
            ),
            (of(np.log(clipped), every), "the logits taken for chances, and padding counted, too"),
            (of(log_p, every), "the mean over all labels: padding does not count"),
            (-of(log_p), "a negative loss: it is -log p"),
            (of(log_p) / np.log(2), "bits: take the natural logarithm"),
            (-of(np.exp(log_p)), "the mean of p: take its logarithm first"),
            (of(log_p) * REAL.sum(), "the sum: divide by the number of real labels"),
            (of(log_p) * REAL.mean(), "a division by the number of all labels: padding does not count"),
            (of(np.log(_softmax(_softmax(OUTPUTS)))), "a softmax of a softmax"),
        ],
        tolerance=1e-5,
    )


def _is_ln_v_where_nothing_is_known(answer):
    properties.one_number(answer(np.zeros((3, 4, 5)), LABELS), np.log(5), tolerance=1e-5)


def _takes_high_logits(answer):
    high = 1000 * OUTPUTS
    properties.one_number(answer(high, LABELS), loss(high, LABELS), tolerance=0.01)


SOURCES = [np.array([5, 3, 4]), np.array([6]), np.array([4, 3, 5, 7, 3])]
TARGETS = [np.array([7, 4]), np.array([3, 5, 6]), np.array([8])]
PAIR = "the sources", "what the decoder reads", "the labels"


def _padded(rows, value=0, front=False):
    time = max(map(len, rows))
    filled = [[value] * (time - len(row)) for row in rows]
    both = zip(filled, map(list, rows), strict=True)
    return np.array([fill + row if front else row + fill for fill, row in both])


READ, SAID = [[1, *row] for row in TARGETS], [[*row, 2] for row in TARGETS]


def _three(answer):
    came = properties.several(answer(SOURCES, TARGETS), PAIR)
    return [properties.numbers(each) for each in came]


def _is_padded(answer, number, rows, mistakes):
    counts = _padded(rows, 2), "padding that counts, id 2: models and losses look for 0"
    properties.same_values(_three(answer)[number], _padded(rows), [counts, *mistakes])


def _pads_the_sources(answer):
    mistakes = [
        (_padded(SOURCES, 1), "padding that counts, id 1: models and losses look for 0"),
        (_padded(SOURCES, front=True), "padding on the left: it stands on the right"),
        (_padded([[1, *row] for row in SOURCES]), "a start mark before the sources: they have none"),
        (_padded([[*row, 2] for row in SOURCES]), "an end mark after the sources: they have none"),
        (_padded([row[:1] for row in SOURCES]), "sources that are cut"),
    ]
    _is_padded(answer, 0, SOURCES, mistakes)


def _reads_the_start_and_the_target(answer):
    mistakes = [
        (_padded(TARGETS), "no start mark: the first step has nothing to read"),
        (_padded(SAID), "the labels: it would read what it is to say"),
        (_padded([[1, *row, 2] for row in TARGETS]), "the end mark, too: nothing comes after it"),
        (_padded([[2, *row] for row in TARGETS]), "the end mark in front: the start mark is id 1"),
    ]
    _is_padded(answer, 1, READ, mistakes)


def _labels_are_one_ahead(answer):
    mistakes = [
        (_padded(READ), "labels that are what the decoder reads: it need only copy them"),
        (_padded(TARGETS), "no end mark: a model would never stop"),
        (_padded([[1, *row, 2] for row in TARGETS]), "the start mark, too: it is read, and never said"),
        (_padded([[*row[1:], 2] for row in TARGETS]), "labels that are two ahead of what is read"),
    ]
    _is_padded(answer, 2, SAID, mistakes)


IDS = np.array([[4, 2, 4], [1, 3, 1], [2, 3, 0]])
TABLE = np.random.default_rng(13).normal(size=(5, 3))


def _mean_of_all(ids):
    return TABLE[ids].mean(axis=1)


def _mean_of_real(ids):
    real = (ids != 0)[..., None]
    return (TABLE[ids] * real).sum(axis=1) / real.sum(axis=1)


def _last_step(ids):
    return TABLE[ids[:, -1]]


def _moved(answer, function, ids=IDS, most=4):
    return answer(lambda given: np.array(function(np.asarray(given))), ids, most)


def _has_a_number_for_each_padding(answer):
    properties.same_shape(_moved(answer, _mean_of_all), (5,))


def _is_zero_where_padding_is_not_looked_at(answer):
    _is_moved(answer, _mean_of_real)


def _is_how_far_the_answer_moves(answer):
    for function in (_mean_of_all, _last_step, lambda ids: np.cumsum(TABLE[ids], axis=1)[:, -1] * 3):
        _is_moved(answer, function)
    _is_moved(answer, _mean_of_all, most=2)


def _is_moved(answer, function, most=4):
    steps = range(most + 1)
    padded = [np.pad(IDS, ((0, 0), (0, more))) for more in steps]
    answers = np.array([function(each) for each in padded])
    differences = answers - answers[0]
    right = np.abs(differences).max(axis=(1, 2))
    between = np.abs(np.diff(answers, axis=0, prepend=answers[:1])).max(axis=(1, 2))
    front = np.array([function(np.pad(IDS, ((0, 0), (more, 0)))) for more in steps]) - answers[0]
    other = np.array([function(np.pad(IDS, ((0, 0), (0, n)), constant_values=1)) for n in steps]) - answers[0]
    properties.same_values(
        _moved(answer, function, most=most),
        right,
        [
            (right[1:], "no number for no padding: it is the first, 0"),
            (between, "differences to the padding before: compare with the answer without any"),
            (np.abs(front).max(axis=(1, 2)), "padding on the left: it stands on the right"),
            (np.abs(other).max(axis=(1, 2)), "padding with id 1: it is 0"),
            (differences.max(axis=(1, 2)), "differences with their sign: take the absolute values first"),
            (np.abs(differences).mean(axis=(1, 2)), "the mean of the differences: take the largest"),
            (np.abs(differences).sum(axis=(1, 2)), "the sum of the differences: take the largest"),
            (np.abs(differences).max(axis=2)[:, 0], "the first row alone: take the largest of all rows"),
            (np.linalg.norm(differences, axis=2).max(axis=1), "the length: take the largest number"),
        ],
    )


def _draw_who_looks_at_padding(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    rng = np.random.default_rng(0)
    ids, table = rng.integers(1, 20, size=(8, 6)), rng.normal(size=(20, 8))
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]

    def mean(ids):
        return table[ids].mean(axis=1)

    def masked_mean(ids):
        real = (ids != 0)[..., None]
        return (table[ids] * real).sum(axis=1) / real.sum(axis=1)

    def recurrence(ids):
        state = np.zeros((len(ids), 8))
        for step in ids.T:
            state = np.tanh(table[step] + state @ turn)
        return state

    models = {"a recurrence without a mask": recurrence, "a mean": mean, "a mean with a mask": masked_mean}
    lines = {name: answer(model, ids, 12) for name, model in models.items()}
    plotting.curves(range(13), lines, "steps of padding", "answer moves by", "Who looks at padding?")
    plt.show()


EXERCISES = [
    Exercise(
        "12.chances",
        chances,
        [
            ("are the softmax of the logits", _are_the_softmax),
            ("take a temperature", _take_a_temperature),
            ("leave the top_k likeliest tokens", _leave_the_likeliest),
            ("leave the fewest tokens that have top_p together", _leave_what_has_the_probability),
            ("take both", _take_both),
            ("take logits of a thousand", _stay_chances_for_high_logits),
        ],
        [
            "First the softmax of logits / temperature. Subtract the largest logit before np.exp.",
            "order = np.argsort(-likely) has the tokens from the likeliest on; order[:None] has all.",
            "What came before each: before = np.cumsum(likely[order]) - likely[order]. Keep before < top_p.",
            "Put the kept chances into an array of zeros, and divide by their sum.",
        ],
    ),
    Exercise(
        "12.stop",
        stop,
        [
            ("gives two epochs", _gives_two_epochs),
            ("keeps the best epoch so far, and ends when the patience is over", _stops_and_keeps),
        ],
        [
            "Go through the epochs, and remember the best one so far.",
            "Better is less, not less or equal: of two equal losses the first is kept.",
            "When epoch - best == patience, training ends. Return best and epoch.",
        ],
    ),
    Exercise(
        "12.loss",
        loss,
        [
            ("is the mean of -log p over real labels", _is_the_loss_of_logits),
            ("is ln V where all logits are equal", _is_ln_v_where_nothing_is_known),
            ("takes logits of a thousand", _takes_high_logits),
        ],
        [
            "Logits may be negative, and do not sum to one. What makes chances of them?",
            "log p = logits - log(sum(exp(logits))), after the largest logit is subtracted.",
            "losses[labels != 0].mean() leaves padding out.",
        ],
    ),
    Exercise(
        "12.batch",
        batch,
        [
            ("pads the sources on the right with 0", _pads_the_sources),
            ("lets the decoder read the start mark and the target", _reads_the_start_and_the_target),
            ("asks for the target and the end mark, one ahead", _labels_are_one_ahead),
        ],
        [
            "Write down the three rows for the target [7, 4]. What stands in the first step of each?",
            "At each step the decoder has read what stands before its label, never the label itself.",
            "np.zeros makes the padding; row[: len(tokens)] = tokens fills in the rest.",
        ],
    ),
    Exercise(
        "12.padding_experiment",
        padding_experiment,
        [
            ("has a number for each padding, none included", _has_a_number_for_each_padding),
            ("is 0 where padding is not looked at", _is_zero_where_padding_is_not_looked_at),
            ("is how far the answer moves", _is_how_far_the_answer_moves),
        ],
        [
            "Call answer(ids) once. Each other answer is compared with this one.",
            "np.pad(ids, ((0, 0), (0, more))) puts `more` zeros on the right of each row.",
            "np.abs(answer(padded) - alone).max()",
        ],
        result=_draw_who_looks_at_padding,
    ),
]
