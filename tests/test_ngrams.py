"""Counts give what can be worked out by hand, sum to one, and find how far back a text is decided."""

import numpy as np
import pytest

from course_utils import ngrams


def costs(train, row, size, longest):
    """What the last token of a row costs, with so many tokens before it."""
    rows = [each for each in (row, row[:-1]) if len(each) > 1]
    whole, *before = [(len(each) - 1) * ngrams.bits([train], [each], size, longest)[-1] for each in rows]
    return whole - sum(before)


def test_one_count_by_hand():
    train = [[0, 1, 0, 1, 0, 2]]
    # 0 three times, 1 twice, 2 once: once 1, twice 1, so each gives up 1/3, three of them 1 of 6
    chances = (np.array([3, 2, 1]) - 1 / 3 + 1 / 3) / 6
    for token, chance in enumerate(chances):
        assert ngrams.bits(train, [[0, token]], 3, 0) == pytest.approx(-np.log2(chance))


def test_two_counts_by_hand():
    train = [[0, 1, 0, 1, 0, 2]]
    # after 0: 1 twice, 2 once; after 1: 0 twice. Once 1, twice 2: each gives up 1/5.
    # different ones before 0: 1; before 1: 1; before 2: 1. Once 3, twice none: each gives up all of it.
    shorter = 1 * 3 * (1 / 3) / 3
    chance = (2 - 1 / 5 + (1 / 5) * 2 * shorter) / 3
    assert ngrams.bits(train, [[0, 1]], 3, 1)[1] == pytest.approx(-np.log2(chance))
    never = (1 / 5) * 1 * shorter / 2
    assert ngrams.bits(train, [[1, 1]], 3, 1)[1] == pytest.approx(-np.log2(never))


@pytest.mark.parametrize("longest", [0, 1, 2, 5])
def test_the_chances_of_all_tokens_sum_to_one(longest):
    rng = np.random.default_rng(longest)
    train = np.minimum(rng.geometric(0.4, size=300) - 1, 5)
    before = [0, 5, 1, 0, 3]  # a run that may never have come
    chances = [2 ** -costs(train, [*before, token], 8, longest) for token in range(8)]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0


def test_a_shorter_run_counts_after_how_many_different_ones_it_came():
    # 1 comes often, always after 0; 2 comes four times, each time after another one
    train = [[0, 1] * 20 + [3, 2, 4, 2, 5, 2, 6, 2]]
    often = [2 ** -costs(train[0], [7, token], 8, 0) for token in (1, 2)]
    assert often[0] > often[1]
    never_after_6 = [2 ** -costs(train[0], [6, token], 8, 1) for token in (1, 4)]
    assert never_after_6[0] == pytest.approx(never_after_6[1])  # each has come after one other
    after_the_last = [2 ** -costs(train[0], [7, token], 8, 1) for token in (1, 2)]
    assert after_the_last[0] < after_the_last[1]  # 1 has come after one other, 2 after four


def test_it_finds_how_far_back_a_text_is_decided():
    rng = np.random.default_rng(3)
    follows = rng.permutation(64).reshape(8, 8) % 8
    row = [0, 1]
    while len(row) < 6_000:
        row.append(int(follows[row[-2], row[-1]]) if rng.random() < 0.9 else int(rng.integers(8)))
    found = ngrams.bits([row[:5_000]], [row[5_000:]], 8, 4)
    assert found[0] == pytest.approx(3, abs=0.3)
    assert found[2] < 1.1 < found[1]  # 0.9 + 0.1 / 8 of what follows is right
    assert found[2] == min(found)
    assert found[4] < found[2] + 0.2


def test_runs_do_not_go_from_one_text_into_the_next():
    apart, joined = [[0, 1], [2, 3]] * 2, [[0, 1, 2, 3]] * 2
    assert ngrams.bits(apart, [[1, 2]], 4, 1)[1] > ngrams.bits(joined, [[1, 2]], 4, 1)[1]


def test_ids_beyond_a_byte_are_told_apart():
    train = [[44_032, 44_033] * 50]
    assert ngrams.bits(train, [[44_032, 44_033]], 50_000, 1)[1] < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": [0, 1]}, "`train` must be numbers with 2 axes"),
        ({"train": [[0.5, 1]]}, "`train` must be ids, whole numbers from 0 to 2. Received: float64"),
        ({"train": [[0, 3]]}, "`train` must be ids, whole numbers from 0 to 2. Received: int64, from 0 to 3"),
        ({"held_out": [[0, -1]]}, "`held_out` must be ids, .* from -1 to 0"),
        ({"held_out": [[0], [1]]}, "`held_out` must have a second token in each row"),
        ({"size": 0}, "`size` must be a whole number of at least 1"),
        ({"longest": -1}, "`longest` must be a whole number of at least 0"),
    ],
)
def test_a_wrong_argument_is_named(change, message):
    given = {"train": [[0, 1, 2]], "held_out": [[0, 1]], "size": 3, "longest": 1}
    with pytest.raises(ValueError, match=message):
        ngrams.bits(**given | change)
