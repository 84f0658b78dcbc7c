"""Number words say their numbers, no number is in two parts, and the tests know every length."""

import collections
import itertools

import numpy as np
import pytest
from num2words import num2words

from course_utils import data

SMALL = {"train": 400, "validation": 60, "test": 90}
PARTS = ("train", "validation", "test")
TASK = data.number_words(**SMALL, seed=3)
MANY = data.number_words(train=3_000, validation=200, test=500, digits=12, seed=1)


def english(number):
    text = num2words(number, lang="en").replace(",", "").replace("-", " ")
    return [word for word in text.split() if word != "and"]


def korean(number):
    """The rule as it is taught: in groups of four, a one is said only at the end of its group.

    Ten thousand alone is just 만, but a hundred million is 일억.
    """
    said = []
    for unit in (3, 2, 1, 0):
        group = number // 10 ** (4 * unit) % 10**4
        for place, name in zip((3, 2, 1, 0), ("천", "백", "십", ""), strict=True):
            digit = group // 10**place % 10
            if digit > 1 or (digit == 1 and place == 0 and not (group == 1 and unit == 1)):
                said.append(" 일이삼사오육칠팔구"[digit])
            if digit and name:
                said.append(name)
        if group and unit:
            said.append(" 만억조"[unit])
    return said


@pytest.mark.parametrize("task", [TASK, MANY], ids=["9", "12"])
@pytest.mark.parametrize("part", PARTS)
def test_sources_and_targets_say_their_numbers(task, part):
    pairs = getattr(task, part)
    for number, source, target in zip(pairs.numbers.tolist(), pairs.sources, pairs.targets, strict=True):
        assert source == english(number)
        assert target == list(num2words(number, lang="ko").replace(" ", "")) == korean(number)


def test_the_korean_convention_about_ones():
    said = dict(zip(MANY.train.numbers.tolist(), MANY.train.targets, strict=True))
    assert said[10] == ["십"]
    assert said[11] == ["십", "일"]
    for number, text in ((10_000, "만"), (110_000, "십일만"), (10**8, "일억"), (100_010_000, "일억만")):
        assert korean(number) == list(text) == list(num2words(number, lang="ko").replace(" ", ""))


def test_no_number_is_in_two_parts_or_twice():
    numbers = np.concatenate([getattr(MANY, part).numbers for part in PARTS])
    assert len(set(numbers.tolist())) == len(numbers) == 3_700
    assert [len(getattr(MANY, part)) for part in PARTS] == [3_000, 200, 500]
    assert numbers.min() == 1
    assert numbers.max() < 10**12


def test_all_numbers_below_100_are_learned_from():
    assert set(range(1, 100)) <= set(TASK.train.numbers.tolist())


def test_parts_are_mixed():
    for part in PARTS:
        lengths = getattr(MANY, part).lengths
        assert abs(np.corrcoef(np.arange(len(lengths)), lengths)[0, 1]) < 0.2


@pytest.mark.parametrize("part", ["validation", "test"])
def test_held_out_parts_are_spread_over_lengths(part):
    pairs = getattr(MANY, part)
    np.testing.assert_array_equal(pairs.lengths, [len(source) for source in pairs.sources])
    counts = collections.Counter(pairs.lengths.tolist())
    assert set(counts) == set(range(2, 20))  # 19 words: four groups of four, and three units
    assert max(counts.values()) - min(counts[length] for length in range(3, 20)) <= 2


def test_lengths_are_those_of_english_in_both_directions():
    back = data.number_words(**SMALL, seed=3, to_english=True)
    counts = collections.Counter(map(len, back.test.targets))
    assert max(counts.values()) - min(counts[length] for length in range(3, 15)) <= 2


def test_both_directions_are_the_same_pairs():
    back = data.number_words(**SMALL, seed=3, to_english=True)
    for part in PARTS:
        assert getattr(back, part).sources == getattr(TASK, part).targets
        assert getattr(back, part).targets == getattr(TASK, part).sources
    assert back.source_vocabulary.tokens == TASK.target_vocabulary.tokens
    assert back.target_vocabulary.tokens == TASK.source_vocabulary.tokens


def test_ids_spell_the_tokens_between_marks():
    for part in PARTS:
        pairs = getattr(TASK, part)
        assert pairs.source_ids.shape == (len(pairs), 14)
        assert pairs.target_ids.shape == (len(pairs), 17 + 2)
        assert pairs.source_ids.dtype == pairs.target_ids.dtype == "int32"
        for row, source in zip(pairs.source_ids, pairs.sources, strict=True):
            assert TASK.source_vocabulary.decode(row) == source
        for row, target in zip(pairs.target_ids, pairs.targets, strict=True):
            assert TASK.target_vocabulary.decode(row) == [data.START, *target, data.END]
            assert TASK.target_vocabulary.decode(row, marks=False) == target


def test_labels_are_one_step_ahead_of_inputs():
    pairs = TASK.validation
    sources, before = pairs.inputs
    np.testing.assert_array_equal(sources, pairs.source_ids)
    assert before.shape == pairs.labels.shape == (60, 18)
    assert set(before[:, 0]) == {TASK.target_vocabulary.ids[data.START]} == {1}
    np.testing.assert_array_equal(before[:, 1:], pairs.labels[:, :-1])
    for row, target in zip(pairs.labels, pairs.targets, strict=True):
        assert TASK.target_vocabulary.decode(row) == [*target, data.END]


def test_the_vocabulary_does_not_depend_on_the_draw():
    fewest = data.number_words(train=100, validation=1, test=1, seed=9)
    assert fewest.source_vocabulary.tokens == TASK.source_vocabulary.tokens
    assert fewest.target_vocabulary.tokens == TASK.target_vocabulary.tokens
    assert fewest.train.source_ids.shape[1:] == TASK.train.source_ids.shape[1:]
    assert TASK.target_vocabulary.tokens[:3] == [data.PAD, data.START, data.END]
    assert TASK.target_vocabulary.tokens[3:] == list("일이삼사오육칠팔구십백천만억")
    assert len(TASK.source_vocabulary) == 3 + 19 + 8 + 3  # to nineteen, tens, hundred to million


@pytest.mark.parametrize("digits", range(3, 19))
def test_vocabulary_and_width_hold_the_longest_numbers(digits):
    task = data.number_words(train=100, validation=1, test=1, digits=digits)
    for number in (int("7" * digits), int("1" * digits), 10 ** (digits - 1), int("3" * digits)):
        words, syllables = english(number), list(num2words(number, lang="ko").replace(" ", ""))
        task.source_vocabulary.encode([words], length=task.train.source_ids.shape[1])
        task.target_vocabulary.encode([syllables], length=task.train.target_ids.shape[1], marked=True)
        assert set(syllables) <= set(task.roman)
    assert task.train.numbers.max() >= 10


def test_every_syllable_has_its_own_latin_spelling():
    assert len(set(TASK.roman.values())) == len(TASK.roman)
    assert all(spelling.isascii() for spelling in TASK.roman.values())
    assert [TASK.roman[sign] for sign in "일이삼사오육칠팔구십백천만억조"] == [
        *("il", "i", "sam", "sa", "o", "yuk", "chil", "pal", "gu"),
        *("sip", "baek", "cheon", "man", "eok", "jo"),
    ]


@pytest.mark.parametrize("zero", [0, 0.5])
def test_the_share_of_zeros_is_as_asked(zero):
    numbers = data.number_words(train=4_000, validation=1, test=1, zero=zero, seed=2).train.numbers
    digits = "".join(str(number)[1:] for number in numbers if number >= 10**6)
    assert abs(digits.count("0") / len(digits) - (zero + (1 - zero) / 10)) < 0.03


def test_the_numbers_of_digits_are_drawn_evenly():
    counts = collections.Counter(len(str(number)) for number in MANY.train.numbers)
    expected = np.mean([counts[digits] for digits in range(5, 13)])
    assert all(abs(counts[digits] / expected - 1) < 0.25 for digits in range(5, 13))


def test_every_digit_stands_at_every_place_by_default():
    numbers = [str(number) for number in data.number_words().train.numbers if number >= 10**8]
    for place in range(9):
        counts = collections.Counter(number[place] for number in numbers)
        assert set(counts) == set("123456789") | (set("0") if place else set())
        usual = [counts[digit] for digit in "123456789"]
        assert max(usual) < 1.5 * min(usual)
        assert counts["0"] / len(numbers) == pytest.approx((0.25 + 0.75 / 10) if place else 0, abs=0.03)


def test_a_seed_gives_the_same_and_another_seed_other_numbers():
    for part, other in itertools.product(PARTS, (3, 4)):
        numbers = getattr(data.number_words(**SMALL, seed=other), part).numbers
        assert np.array_equal(numbers, getattr(TASK, part).numbers) == (other == 3)


def test_sizes_are_said():
    assert repr(TASK) == (
        "NumberWords: 400 pairs to train, 60 to validate, 90 to test, ids of 14 steps to 19, "
        "33 source and 17 target ids"
    )
    assert repr(TASK.test) == "NumberPairs: 90 pairs, ids of 14 steps to 19"


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": 99},
        {"train": 200.0},
        {"validation": 0},
        {"test": -1},
        {"test": True},
        {"digits": 2},
        {"digits": 19},
        {"zero": 1},
        {"zero": -0.1},
        {"zero": float("nan")},
    ],
    ids=str,
)
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be .*Received: {next(iter(wrong))}="):
        data.number_words(**SMALL | wrong)


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        ({"train": 1_000, "digits": 3}, "train=1000"),
        ({"train": 9_000, "digits": 4, "zero": 0.9}, "train=9000"),
        ({"test": 900, "digits": 3}, r"validation \+ test=960"),
    ],
    ids=str,
)
def test_more_numbers_than_there_are_is_an_error(wrong, received):
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        data.number_words(**SMALL | wrong)
