"""Sentences "A but B" in mirrored pairs: whoever ignores the order is right exactly half of the time."""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_share, require_whole
from course_utils.vocabulary import Vocabulary

NOUNS = ["food", "room", "music", "service", "garden", "view", "staff", "price", "pool", "street"]
GOOD = ["good", "clean", "warm", "lovely", "quiet", "bright"]
BAD = ["bad", "dirty", "cold", "awful", "noisy", "dark"]
DRAWS = 10  # for each pair that is asked for, before it is said that there are not enough
LONGEST = 11  # the food was not good but the room was not bad


@dataclass(frozen=True, repr=False)
class Clauses:
    """Sentences and their verdicts; rows 2i and 2i + 1 mirror each other.

    Attributes:
        vocabulary: the words.
        train_sentences, test_sentences: lists of words.
        train_ids, test_ids: padded on the right with 0, `(sentences, 11)`.
        train_labels, test_labels: 1 if the clause after "but" praises, else 0.
    """

    vocabulary: Vocabulary
    train_sentences: list
    train_ids: np.ndarray
    train_labels: np.ndarray
    test_sentences: list
    test_ids: np.ndarray
    test_labels: np.ndarray

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Clauses: {len(self.train_labels):,} sentences to train, {len(self.test_labels):,} to test, "
            f"{len(self.vocabulary)} ids"
        )


def clauses(train=4_000, test=1_000, negated=0.25, seed=0):
    """Make sentences such as "the food was not good but the room was clean".

    The label is what the clause after "but" says, and "not" turns its adjective round. Each sentence
    stands beside its mirror "B but A", which has the same words and the other label. So any model that
    ignores the order scores exactly one half. No sentence occurs twice, and mirrors are never split.

    Args:
        train, test: number of sentences, even.
        negated: share of clauses with "not". At one half no word alone says anything about the label.
        seed: seed of the draw.

    Returns:
        A `Clauses`.

    Raises:
        ValueError: a number is not whole, positive and even, more than 12,960 are asked for together, the
            share is not between 0 and 1 or too near to one of them for so many, or the seed is negative.
    """
    for name, value in (("train", train), ("test", test)):
        if require_whole(name, value, least=2) % 2:
            raise ValueError(
                f"`{name}` must be even: sentences come in mirrored pairs. Received: {name}={value}"
            )
    negated = require_share("negated", negated)
    seed = require_whole("seed", seed, least=0)
    pairs = (train + test) // 2
    most = len(NOUNS) * (len(NOUNS) - 1) * 2 * len(GOOD) * 2 * len(BAD)
    if pairs > most // 2:  # beyond that, drawing new pairs takes ever longer
        raise ValueError(f"`train` and `test` must not exceed {most} together. Received: {train} + {test}")
    sentences, labels = _mirrored_pairs(pairs, negated, np.random.default_rng(seed))
    vocabulary = Vocabulary(["the", "was", "not", "but", *NOUNS, *GOOD, *BAD])
    ids = vocabulary.encode(sentences, length=LONGEST)
    return Clauses(
        vocabulary,
        sentences[:train],
        ids[:train],
        labels[:train],
        sentences[train:],
        ids[train:],
        labels[train:],
    )


def _mirrored_pairs(count, negated, rng):
    pairs = {}
    for _ in range(DRAWS * count):
        if len(pairs) == count:
            break
        nouns = rng.choice(NOUNS, size=2, replace=False)
        praises = rng.permutation([0, 1])
        first, second = (
            _clause(noun, praise, negated, rng) for noun, praise in zip(nouns, praises, strict=True)
        )
        pairs.setdefault(frozenset([first, second]), (first, second, praises))
    if len(pairs) < count:
        raise ValueError(
            f'There are too few sentences with this share of "not": {2 * len(pairs)} were found in '
            f"{DRAWS * count} draws. Received: train + test={2 * count}, negated={negated}"
        )
    sentences, labels = [], []
    for first, second, praises in pairs.values():
        sentences += [[*first, "but", *second], [*second, "but", *first]]
        labels += [praises[1], praises[0]]
    return sentences, np.array(labels, "int32")


def _clause(noun, praise, negated, rng):
    turned = rng.random() < negated
    adjective = rng.choice(GOOD if praise != turned else BAD)
    return ("the", str(noun), "was", *(["not"] if turned else []), str(adjective))
