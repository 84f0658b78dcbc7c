"""English number words and Korean numerals: two languages that group the same digits differently."""

import functools
from dataclasses import dataclass

import numpy as np
from num2words import num2words

from course_utils._validation import require_flag, require_rate, require_whole
from course_utils.data.parallel import MARKS, Pairs, Parallel
from course_utils.vocabulary import Vocabulary

# Each Korean syllable in Latin letters: digits, then the powers of ten, in the order of their values.
ROMAN = {
    **{"일": "il", "이": "i", "삼": "sam", "사": "sa", "오": "o", "육": "yuk", "칠": "chil", "팔": "pal"},
    **{"구": "gu", "십": "sip", "백": "baek", "천": "cheon", "만": "man", "억": "eok", "조": "jo"},
    "경": "gyeong",
}
GROUP = {"en": 10**3, "ko": 10**4}  # English counts in thousands, Korean in ten thousands
LEARNED = 99  # the numbers up to here are all trained on: without their words nothing can be read
MOST_DIGITS = 18  # as many as int64 holds
DRAWS = 300_000  # numbers from which the held-out ones are chosen
ROUNDS = 50  # of drawing, before it is said that there are not enough numbers


@dataclass(frozen=True, repr=False)
class NumberPairs(Pairs):
    """Number words and numerals; `numbers` are what both say, `(pairs,)`."""

    numbers: np.ndarray


@dataclass(frozen=True, repr=False)
class NumberWords(Parallel):
    """English number words and Korean numerals; `roman` is each syllable in Latin letters, for figures."""

    roman: dict


def number_words(train=20_000, validation=1_000, test=1_000, digits=9, zero=0.25, to_english=False, seed=0):
    """Pair English number words with Korean numerals, such as "ten thousand one" with "만일".

    English groups digits by three and Korean by four, so a translator must count, not only look up.
    The number of digits is drawn evenly, and each digit after the first is made 0 with the share
    `zero`, for gaps are where the two languages differ most. No number is in two parts. The numbers 1
    to 99 are all in `train`. `validation` and `test` have each number of English words equally often,
    as far as there are such numbers: at most half of those of a length are held out.

    Args:
        train: number of pairs to train on, at least 100.
        validation, test: number of pairs that are held out.
        digits: of the longest number, 3 to 18.
        zero: share of the later digits that are made 0, at least 0 and below 1.
        to_english: translate from Korean to English instead.
        seed: seed of the draw.

    Returns:
        A `NumberWords`; its parts have `numbers`, too.

    Raises:
        ValueError: a number is not whole or out of its range, the share is not from 0 to below 1, the seed
            is negative, or there are not that many numbers.
    """
    train = require_whole("train", train, least=LEARNED + 1)
    validation, test = require_whole("validation", validation), require_whole("test", test)
    digits = require_whole("digits", digits, least=3)
    if digits > MOST_DIGITS:
        raise ValueError(f"`digits` must be at most {MOST_DIGITS}. Received: digits={digits}")
    zero, to_english = require_rate("zero", zero), require_flag("to_english", to_english)
    seed = require_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    held_out = _spread(_draw(max(DRAWS, 20 * (validation + test)), digits, zero, rng), validation + test)
    tested = _every(test, validation + test)
    numbers = {
        "train": rng.permutation(_train(train, digits, zero, held_out, rng)),
        "validation": rng.permutation(held_out[~tested]),
        "test": rng.permutation(held_out[tested]),
    }
    sides = [_Side(language, digits) for language in (("ko", "en") if to_english else ("en", "ko"))]
    parts = {name: _pairs(drawn, *sides) for name, drawn in numbers.items()}
    return NumberWords(*(side.vocabulary for side in sides), **parts, roman=dict(ROMAN))


class _Side:
    """One language: its vocabulary and its longest sentence, whichever numbers are drawn."""

    def __init__(self, language, digits):
        self.language = language
        named = [*range(1, LEARNED + 1), *(10**power for power in range(digits))]
        self.vocabulary = Vocabulary((token for number in named for token in self.say(number)), marks=MARKS)
        self.longest = len(self.say(int("7" * digits)))  # no gap, no short cut such as eleven or ten

    def say(self, number):
        """Return the words, or the syllables, of `number`.

        num2words takes up to 0.1 ms a number, and names it group by group: 1,234,567 is 1,000,000, then
        234,000, then 567. So the words of a group are asked for once.
        """
        group = GROUP[self.language]
        parts, power = [], 1
        while number:
            number, rest = divmod(number, group)
            if rest:
                parts.append(_words(rest * power, self.language))
            power *= group
        return [token for part in reversed(parts) for token in part]


@functools.cache
def _words(number, language):
    text = num2words(number, lang=language)
    if language == "ko":
        return tuple(text.replace(" ", ""))
    return tuple(word for word in text.replace(",", " ").replace("-", " ").split() if word != "and")


def _pairs(numbers, source, target):
    sources, targets = ([side.say(int(number)) for number in numbers] for side in (source, target))
    return NumberPairs(
        sources,
        targets,
        source.vocabulary.encode(sources, length=source.longest),
        target.vocabulary.encode(targets, length=target.longest + len(MARKS), marked=True),
        numbers,
    )


def _draw(count, digits, zero, rng):
    """Draw numbers, some more than once: lengths evenly, then digits, from the highest down."""
    drawn = rng.integers(10, size=(count, digits))
    drawn[rng.random(drawn.shape) < zero] = 0
    drawn[:, 0] = rng.integers(1, 10, size=count)
    powers = 10 ** np.arange(digits)[::-1]
    beyond = 10 ** rng.integers(digits, size=count)  # dropping the last digits leaves a shorter number
    return drawn @ powers // beyond


def _spread(drawn, count):
    """Choose `count` different numbers, each length of their English words equally often if possible."""
    drawn = _different(drawn[drawn > LEARNED])
    lengths = _count_words(drawn)
    rank, most = np.zeros(len(drawn), int), np.zeros(len(drawn), int)
    for length in np.unique(lengths):
        alike = lengths == length
        rank[alike], most[alike] = np.arange(alike.sum()), alike.sum() // 2
    free = np.flatnonzero(rank < most)
    if len(free) < count:
        raise ValueError(
            f"At most {len(free)} of these numbers can be held out, half of each length that was drawn. "
            f"Received: validation + test={count}"
        )
    chosen = free[np.argsort(rank[free], kind="stable")[:count]]
    return drawn[chosen[np.argsort(lengths[chosen], kind="stable")]]  # by length, for `_every`


def _every(some, total):
    """Mark `some` of `total` places, evenly spaced, so that a part has each length in its share."""
    return np.diff(np.arange(total + 1) * some // total).astype(bool)


def _train(count, digits, zero, held_out, rng):
    """Return 1 to 99, then as many new numbers as are missing, in the order of their draw."""
    numbers = np.arange(1, LEARNED + 1)
    for _ in range(ROUNDS):
        drawn = np.concatenate([numbers, _draw(count, digits, zero, rng)])
        numbers = _different(drawn[~np.isin(drawn, held_out)])[:count]
        if len(numbers) == count:
            return numbers
    raise ValueError(
        f"There are too few numbers of up to {digits} digits: {len(numbers)} were found in {ROUNDS} draws "
        f"of {count}, besides those held out. Received: train={count}"
    )


def _different(numbers):
    return numbers[np.sort(np.unique(numbers, return_index=True)[1])]


def _count_words(numbers):
    """Count the English words of many numbers at once."""
    words = np.array([len(_words(small, "en")) if small else 0 for small in range(GROUP["en"])])
    counts = words[numbers % GROUP["en"]]
    while (numbers := numbers // GROUP["en"]).any():
        group = numbers % GROUP["en"]
        counts = counts + words[group] + (group > 0)  # and thousand, million, ...
    return counts
