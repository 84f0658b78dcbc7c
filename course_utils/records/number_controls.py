"""The lesson's translator of number words, and one thing changed: why are long numbers wrong?

- "even lengths": as many numbers to train on, each count of words equally often, as far as there are such.
- "wrong digits": in training the decoder reads a wrong digit in place of one in ten; its labels stay true.
- "128 units": twice the width.

The test is one for all, and none of its numbers is trained on.
"""

from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from course_utils.data import number_words
from course_utils.measure import exact_match, mean_by_group
from course_utils.records.number_translators import DIM, UNITS, trained
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq

LESSON = "07"
EPOCHS = 5
COUNT, MANY = 20_000, 200_000  # numbers to train on, and those from which the lengths are evened
DIGITS = np.arange(4, 12)  # ids of the syllables for 2 to 9: each may stand wherever another one does
CHANGES = "none", "even lengths", "wrong digits", "128 units"
PARTS = [{"change": change, "seed": seed} for seed in range(3) for change in CHANGES]
WITHIN = {"right": 0.15, "by_words": 0.2, "after_own": 0.2, "after_planted": 0.2, "trained_on": 0}


def evened(lengths, count):
    """Return the places of so many numbers, each length equally often as far as there are such numbers."""
    rank = np.zeros(len(lengths), int)
    for length in np.unique(lengths):
        rank[lengths == length] = np.arange(np.sum(lengths == length))
    return np.argsort(rank, kind="stable")[:count]


def training(change, numbers, seed):
    """Return what is read from source and target, the labels, and the number of words of each source."""
    pairs = numbers.train
    chosen = np.arange(len(pairs.numbers))
    if change == "even lengths":
        pairs = number_words(train=MANY, seed=seed).train
        chosen = evened(pairs.lengths, COUNT)
    assert not np.isin(pairs.numbers[chosen], numbers.test.numbers).any()
    source, read = (ids[chosen] for ids in pairs.inputs)
    if change == "wrong digits":
        read = with_wrong_digits(read, np.random.default_rng(seed).random(read.shape) < 0.1, seed)
    return (source, read), pairs.labels[chosen], pairs.lengths[chosen]


def with_wrong_digits(tokens, where, seed):
    """Return tokens in which each digit from 2 to 9 at the places `where` is another one of them."""
    further = np.random.default_rng(seed + 1).integers(1, len(DIGITS), size=tokens.shape)
    wrong = DIGITS[0] + (tokens - DIGITS[0] + further) % len(DIGITS)
    return np.where(where & np.isin(tokens, DIGITS), wrong, tokens)


def goes_on(model, source, read, place):
    """Return the tokens that a model writes, after it has read what it is given up to and with `place`."""
    state, written = model.start(source), [read[:, 0]]
    for step, given in enumerate(read.T):
        logits, state = model.step(np.where(step <= place, given, written[-1]), state)
        written.append(np.argmax(logits, axis=-1))
    return np.stack(written[1:], axis=1)


def make(change, seed):
    """Train one translator; return what it writes right, and what becomes of it after a wrong digit.

    `right` is the share of numbers, `by_words` that of each count of English words from 3 to 14, and
    `trained_on` the share of the training numbers with 13 or 14 words. `after_own` are shares of the tokens
    after its first mistake, where what it writes has the right length: when it reads the truth, and when it
    reads what it wrote. `after_planted` is the share of tokens after a wrong digit that it was made to read
    in a number which it writes right.
    """
    numbers = number_words(seed=seed)
    inputs, labels, lengths = training(change, numbers, seed)
    units = 128 if change == "128 units" else UNITS
    sizes = len(numbers.source_vocabulary), len(numbers.target_vocabulary)
    keras.utils.set_random_seed(seed)
    model = Seq2Seq(Encoder(GRUCell, units), Decoder(GRUCell, units), *sizes, embedding_dim=DIM)
    trained(model, SimpleNamespace(train=SimpleNamespace(inputs=inputs, labels=labels)), EPOCHS)
    free = model.generate(numbers.test.source_ids, numbers.test.labels.shape[1])
    right = exact_match(free, numbers.test.labels)
    words, by_words = mean_by_group(right, numbers.test.lengths)
    return {
        "right": float(right.mean()),
        "by_words": by_words[np.isin(words, range(3, 15))].tolist(),
        "trained_on": float(np.mean(lengths >= 13)),
        "after_own": after_own(model, numbers.test, free),
        "after_planted": after_planted(model, numbers.test, right, seed),
    }


def after_own(model, test, free):
    """Return the shares of tokens right after the first mistake, reading the truth and what it wrote."""
    real, forced = test.labels != 0, np.asarray(ops.argmax(model(test.inputs), axis=-1))
    mistakes = real & (forced != test.labels)
    as_long = (real.sum(axis=1) == (free != 0).sum(axis=1))[:, None]
    rest = real & as_long & (np.cumsum(mistakes, axis=1) - mistakes > 0)
    return [float(each[rest].mean()) for each in (~mistakes, free == test.labels)]


def after_planted(model, test, right, seed):
    """Return the share of tokens that are right after a wrong digit was read, in numbers written right."""
    (source, read), labels = test.inputs, test.labels
    rng = np.random.default_rng(seed)
    drawn = np.where(np.isin(read, DIGITS), rng.random(read.shape), 0)
    place = drawn.argmax(axis=1)
    some = right & (drawn.max(axis=1) > 0)
    wrong = with_wrong_digits(read, np.arange(read.shape[1]) == place[:, None], seed)
    written = goes_on(model, source, wrong, place)
    rest = some[:, None] & (labels != 0) & (np.arange(labels.shape[1]) >= place[:, None])
    return float((written == labels)[rest].mean())
