"""Sentences of three words from a small grammar: who does what to what. Its word groups are the truth."""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_share, require_whole
from course_utils.vocabulary import Vocabulary

WORDS = {
    "person": ["teacher", "student", "doctor", "farmer", "singer", "pilot", "nurse", "baker"],
    "animal": ["cat", "dog", "horse", "rabbit", "cow", "sheep", "goat", "bear"],
    "eat": ["eats", "tastes", "likes", "buys"],
    "find": ["visits", "leaves", "finds", "paints"],
    "drink": ["drinks", "sips", "pours", "spills"],
    "drive": ["drives", "parks", "washes", "repairs"],
    "food": ["bread", "rice", "soup", "cheese", "apple", "pasta", "salad", "cake"],
    "place": ["school", "market", "park", "station", "library", "museum", "garden", "harbour"],
    "drinkable": ["water", "tea", "milk", "coffee", "juice", "lemonade", "cocoa", "cider"],
    "vehicle": ["car", "bus", "truck", "van", "tractor", "taxi", "scooter", "tram"],
}
RULES = [
    ("animal", "eat", "food"),
    ("animal", "find", "place"),
    ("person", "drink", "drinkable"),
    ("person", "drive", "vehicle"),
]


@dataclass(frozen=True, repr=False)
class Grammar:
    """Sentences, their neighbours, and the truth about both. No sentence stands twice.

    Attributes:
        vocabulary: the words, in the order of the alphabet; id 0 is padding and never occurs.
        groups: the name of each id's group, in the order of the ids; the first is "" for padding.
        train_sentences, test_sentences: lists of three words.
        train_words, train_neighbours, test_words, test_neighbours: every word of these sentences with each
            word beside it, as ids, four pairs a sentence. A held-out sentence shares its pairs with others.
        withheld: ids of verb and object that the grammar allows and no sentence has, `(pairs, 2)`.
        forbidden: ids of verb and object that the grammar does not allow, `(pairs, 2)`.
    """

    vocabulary: Vocabulary
    groups: np.ndarray
    train_sentences: list
    train_words: np.ndarray
    train_neighbours: np.ndarray
    test_sentences: list
    test_words: np.ndarray
    test_neighbours: np.ndarray
    withheld: np.ndarray
    forbidden: np.ndarray

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Grammar: {len(self.train_sentences)} sentences to train, {len(self.test_sentences)} to test, "
            f"{len(self.vocabulary) - 1} words, {len(self.withheld)} allowed pairs withheld, "
            f"{len(self.forbidden)} forbidden"
        )


def grammar(train=600, test=150, withheld=0.25, seed=0):
    """Make sentences of subject, verb and object, such as "cat eats bread" and "pilot parks bus".

    Args:
        train, test: number of sentences; with the default share there are 768.
        withheld: share of the allowed pairs of verb and object that no sentence may have.
        seed: seed of the draw.

    Returns:
        A `Grammar`.

    Raises:
        ValueError: a number is not whole and positive, the share is not between 0 and 1, the seed is
            negative, or there are not that many different sentences.
    """
    train, test = require_whole("train", train), require_whole("test", test)
    withheld = require_share("withheld", withheld)
    seed = require_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    group_of = {word: name for name, group in WORDS.items() for word in group}
    vocabulary = Vocabulary(sorted(group_of))  # an order that says nothing about groups
    allowed, forbidden = _pairs_of_verb_and_object()
    order = rng.permutation(len(allowed))
    hidden = max(1, round(withheld * len(allowed)))
    kept = [allowed[number] for number in order[hidden:]]
    possible = [[word, verb, thing] for subject, verb, thing in kept for word in WORDS[subject]]
    if train + test > len(possible):
        raise ValueError(
            f"There are only {len(possible)} different sentences. Received: train + test={train + test}"
        )
    drawn = [possible[number] for number in rng.permutation(len(possible))]
    train_sentences, test_sentences = drawn[:train], drawn[train : train + test]
    groups = np.array(["", *(group_of[word] for word in vocabulary.tokens[1:])])
    return Grammar(
        vocabulary,
        groups,
        train_sentences,
        *_neighbours(vocabulary, train_sentences),
        test_sentences,
        *_neighbours(vocabulary, test_sentences),
        _ids(vocabulary, [allowed[number][1:] for number in order[:hidden]]),
        _ids(vocabulary, forbidden),
    )


def _pairs_of_verb_and_object():
    allowed, forbidden = [], []
    for subject, verbs, _ in RULES:
        for _, _, objects in RULES:
            pairs = [(verb, thing) for verb in WORDS[verbs] for thing in WORDS[objects]]
            if (subject, verbs, objects) in RULES:
                allowed += [(subject, *pair) for pair in pairs]
            else:
                forbidden += pairs
    return allowed, forbidden


def _neighbours(vocabulary, sentences):
    beside = [
        pair
        for first, second, third in sentences
        for pair in ((first, second), (second, first), (second, third), (third, second))
    ]
    return _ids(vocabulary, beside).T


def _ids(vocabulary, pairs):
    return np.array([[vocabulary.ids[word] for word in pair] for pair in pairs], "int32")
