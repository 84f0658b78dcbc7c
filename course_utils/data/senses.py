"""Korean sentences with two words of many meanings: a word before settles one, a word after the other."""

import itertools
from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_whole
from course_utils.vocabulary import Vocabulary

# Each word with its spelling in Latin letters.
TIMES = {"오늘": "oneul", "어제": "eoje", "아침에": "achime", "저녁에": "jeonyeoge"}
PERSONS = {
    "민수가": "minsuga",
    "지영이": "jiyeongi",
    "영희가": "yeonghuiga",
    "철수가": "cheolsuga",
    "학생이": "haksaengi",
    "선생님이": "seonsaengnimi",
    "친구가": "chinguga",
    "동생이": "dongsaengi",
}
NOUNS = {  # before 쓰고, by the sense that they give it
    "spend": {"돈을": "doneul", "용돈을": "yongdoneul", "월급을": "wolgeubeul", "세뱃돈을": "sebaetdoneul"},
    "wear": {"모자를": "mojareul", "안경을": "angyeongeul", "가면을": "gamyeoneul", "헬멧을": "helmeseul"},
    "write": {
        "편지를": "pyeonjireul",
        "일기를": "ilgireul",
        "소설을": "soseoreul",
        "보고서를": "bogoseoreul",
    },
}
MANNERS = {
    "천천히": "cheoncheonhi",
    "빨리": "ppalli",
    "조용히": "joyonghi",
    "다시": "dasi",
    "함께": "hamkke",
    "몰래": "mollae",
}
VERBS = {  # after 배를, by the sense that they give it
    "fruit": {"먹었다": "meogeotda", "깎았다": "kkakkatda", "씹었다": "ssibeotda", "갈았다": "garatda"},
    "ship": {"탔다": "tatda", "몰았다": "moratda", "띄웠다": "ttuiwotda", "저었다": "jeoeotda"},
    "belly": {
        "문질렀다": "munjilleotda",
        "두드렸다": "dudeuryeotda",
        "내밀었다": "naemireotda",
        "움켜쥐었다": "umkyeojwieotda",
    },
}
SSEUDA, BAE = "쓰고", "배를"
ROMAN = {SSEUDA: "sseugo", BAE: "baereul"}
for _words in (TIMES, PERSONS, *NOUNS.values(), MANNERS, *VERBS.values()):
    ROMAN |= _words
TAGS = ["", "plain", *NOUNS, *VERBS]
LONGEST = 8  # a time, a person, a noun, 쓰고, 배를, two manners, a verb
MOST = 90_000  # of 213,120: near the end, drawing new blocks would take for ever


@dataclass(frozen=True, repr=False)
class Senses:
    """Sentences with a tag for each word. They come in blocks of nine.

    Attributes:
        vocabulary: the words.
        tags: the names of the tags; 0 is padding, 1 a word with one meaning.
        nouns, verbs: for each sense of 쓰다 and of 배, the words that decide it.
        roman: each word in Latin letters, for the axes of figures.
        train_sentences, test_sentences: lists of words.
        train_ids, test_ids: padded on the right with 0, `(sentences, 8)`.
        train_tags, test_tags: the tag of each word, 0 for padding, `(sentences, 8)`.
    """

    vocabulary: Vocabulary
    tags: list
    nouns: dict
    verbs: dict
    roman: dict
    train_sentences: list
    train_ids: np.ndarray
    train_tags: np.ndarray
    test_sentences: list
    test_ids: np.ndarray
    test_tags: np.ndarray

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Senses: {len(self.train_ids):,} sentences to train, {len(self.test_ids):,} to test, "
            f"{len(self.vocabulary)} ids, {len(self.tags)} tags"
        )


def senses(train=2_700, test=900, seed=0):
    """Make sentences such as "민수가 모자를 쓰고 배를 탔다": Minsu put on a hat and took a ship.

    쓰다 is to spend, to wear or to write, by the noun before it. 배 is a fruit, a ship or a belly, by the
    verb after it. A block of nine sentences shares all other words: a noun for each sense of 쓰다, times a
    verb for each sense of 배. So whoever reads up to 배 and no further is right there once in three, and
    whoever reads from the end is right once in three at 쓰다. No sentence occurs twice. Both parts have a
    time in front, and each number of manners, equally often; a block is whole in one of them.

    Args:
        train, test: number of sentences, multiples of nine.
        seed: seed of the draw.

    Returns:
        A `Senses`.

    Raises:
        ValueError: a number is not whole, positive and a multiple of nine, more than 90,000 are asked for
            together, or the seed is negative.
    """
    for name, value in (("train", train), ("test", test)):
        if require_whole(name, value) % 9:
            raise ValueError(
                f"`{name}` must be a multiple of nine: sentences come in blocks. Received: {name}={value}"
            )
    seed = require_whole("seed", seed, least=0)
    if train + test > MOST:
        raise ValueError(f"`train` and `test` must not exceed {MOST} together. Received: {train} + {test}")
    rng = np.random.default_rng(seed)
    blocks = _blocks((train + test) // 9, rng)
    vocabulary, tag_vocabulary = Vocabulary(ROMAN), Vocabulary(TAGS[1:])
    parts = []
    for chosen in _split(blocks, test // 9, rng):
        sentences = [list(words) for place in chosen for words in blocks[place]]
        tags = [tags for place in chosen for tags in blocks[place].values()]
        ids, tag_ids = vocabulary.encode(sentences, LONGEST), tag_vocabulary.encode(tags, LONGEST)
        parts += [sentences, ids, tag_ids]
    return Senses(
        vocabulary,
        list(TAGS),
        {sense: list(words) for sense, words in NOUNS.items()},
        {sense: list(words) for sense, words in VERBS.items()},
        dict(ROMAN),
        *parts,
    )


def _blocks(count, rng):
    blocks, seen = [], set()
    while len(blocks) < count:
        block = _block(rng)
        if seen.isdisjoint(block):
            seen.update(block)
            blocks.append(block)
    return blocks


def _split(blocks, test, rng):
    """Return the places of the blocks to train and to test, in random order.

    The short forms are soon used up, so the last blocks that were drawn are longer than the first. Blocks of
    one form are therefore brought together, and test blocks taken at even distances.
    """
    firsts = [next(iter(block)) for block in blocks]
    forms = [(words.index(BAE), len(words)) for words in firsts]
    shuffled = rng.permutation(len(blocks)).tolist()
    by_form = np.array(sorted(shuffled, key=lambda place: forms[place]))
    tested = np.zeros(len(blocks), bool)
    tested[(2 * np.arange(test) + 1) * len(blocks) // (2 * test)] = True
    return rng.permutation(by_form[~tested]), rng.permutation(by_form[tested])


def _block(rng):
    """Draw nine sentences; return a dict from the words of each to their tags."""
    before = [_any(TIMES, rng)] * int(rng.integers(2)) + [_any(PERSONS, rng)]
    manner = [str(word) for word in rng.choice(list(MANNERS), size=rng.integers(3), replace=False)]
    nouns = {sense: _any(words, rng) for sense, words in NOUNS.items()}
    verbs = {sense: _any(words, rng) for sense, words in VERBS.items()}
    plain, after = ["plain"] * (len(before) + 1), ["plain"] * (len(manner) + 1)
    return {
        (*before, noun, SSEUDA, BAE, *manner, verb): [*plain, use, kind, *after]
        for (use, noun), (kind, verb) in itertools.product(nouns.items(), verbs.items())
    }


def _any(words, rng):
    return str(rng.choice(list(words)))
