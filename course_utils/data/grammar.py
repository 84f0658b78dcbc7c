"""Sentences of three words from a small grammar: who does what to what. Its word groups are the truth."""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_whole
from course_utils.data.vocabulary import Vocabulary

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
    """Sentences, their neighbours, and the truth about both.

    Attributes:
        vocabulary: the words; id 0 is padding and never occurs.
        groups: the name of each id's group, in the order of the ids; the first is "" for padding.
        sentences: lists of three words.
        words, neighbours: every word with each word beside it, as ids, `(pairs,)` each.
        withheld: ids of verb and object that the grammar allows and no sentence has, `(pairs, 2)`.
        forbidden: ids of verb and object that the grammar does not allow, `(pairs, 2)`.
    """

    vocabulary: Vocabulary
    groups: np.ndarray
    sentences: list
    words: np.ndarray
    neighbours: np.ndarray
    withheld: np.ndarray
    forbidden: np.ndarray

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Grammar: {len(self.sentences):,} sentences from {len(self.vocabulary) - 1} words, "
            f"{len(self.withheld)} allowed pairs withheld, {len(self.forbidden)} forbidden"
        )


def grammar(sentences=2_000, withheld=0.25, seed=0):
    """Make sentences of subject, verb and object, such as "cat eats bread" and "pilot parks bus".

    Args:
        sentences: how many.
        withheld: share of the allowed pairs of verb and object that no sentence may have.
        seed: seed of the draw.

    Returns:
        A `Grammar`.

    Raises:
        ValueError: the number is not whole and positive, or the share is not between 0 and 1.
    """
    sentences = require_whole("sentences", sentences)
    if not 0 < withheld < 1:
        raise ValueError(f"`withheld` must be between 0 and 1. Received: withheld={withheld!r}")
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary(word for group in WORDS.values() for word in group)
    allowed, forbidden = _pairs_of_verb_and_object()
    order = rng.permutation(len(allowed))
    hidden = max(1, round(withheld * len(allowed)))
    kept = [allowed[number] for number in order[hidden:]]
    drawn = [_sentence(*kept[number], rng) for number in rng.integers(len(kept), size=sentences)]
    beside = [
        pair
        for first, second, third in drawn
        for pair in ((first, second), (second, first), (second, third), (third, second))
    ]
    words, neighbours = np.array([[vocabulary.ids[word] for word in pair] for pair in beside], "int32").T
    groups = np.array(["", *(name for name, group in WORDS.items() for _ in group)])
    return Grammar(
        vocabulary,
        groups,
        drawn,
        words,
        neighbours,
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


def _sentence(subject, verb, thing, rng):
    return [str(rng.choice(WORDS[subject])), verb, thing]


def _ids(vocabulary, pairs):
    return np.array([[vocabulary.ids[word] for word in pair] for pair in pairs], "int32")
