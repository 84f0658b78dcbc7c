"""The tasks of lesson 10's records have the truth that they plant, and their measures find it."""

import numpy as np
import pytest
from keras import ops

from course_utils.records.look_or_recurrence import READERS, way
from course_utils.records.phone_books import DIGITS, NAMES, most_frequent, phone_books, reader
from course_utils.records.several_places import STEPS, Heads, coloured_digits, namer, on_places
from course_utils.records.weights_by_digit import by_digit, explained


@pytest.mark.parametrize("pairs", [1, 2, 8])
def test_the_digit_that_is_asked_for_stands_so_far_back_beside_its_name(pairs):
    books, answers, back = phone_books(300, pairs, np.random.default_rng(0))
    assert books.shape == (300, pairs + 1, 2)
    assert {*back} == {*range(1, pairs + 1)}
    for book, answer, steps in zip(books, answers, back, strict=True):
        name, mark = book[-1]
        assert mark == DIGITS
        assert len({*book[:-1, 0]}) == pairs
        assert book[-1 - steps].tolist() == [name, answer]
    assert books[:, :-1, 0].max() < NAMES
    assert {*answers} == {*range(DIGITS)}


def test_no_book_to_train_on_is_among_those_to_be_tested():
    rng = np.random.default_rng(1)
    tested, _, _ = phone_books(60, 1, rng)  # of 200 books that there are
    books, answers, back = phone_books(2_000, 1, rng, but=tested)
    known = {book.tobytes() for book in tested}
    assert not any(book.tobytes() in known for book in books)
    np.testing.assert_array_equal(books[:, 0, 1], answers)
    assert (back == 1).all()


def test_the_most_frequent_digit_is_right_as_often_as_arithmetic_says():
    books, _, _ = phone_books(20_000, 2, np.random.default_rng(2))
    assert most_frequent(books) == pytest.approx(0.55, abs=0.01)  # 1 in ten books, one half in nine


def test_each_colour_stands_once_and_its_digit_is_asked_for():
    rows, digits, where = coloured_digits(200, np.random.default_rng(3))
    assert rows.shape == (200, STEPS + 1, 2)
    assert (rows[:, -1] == [10, 0]).all()
    for row, named, places in zip(rows, digits, where, strict=True):
        assert sorted(row[:, 1])[-5:] == [0, 1, 2, 3, 4]
        assert row[places].tolist() == [[digit, colour + 1] for colour, digit in enumerate(named)]
    assert (where.mean(axis=0) > 5).all()


def test_the_weights_on_the_places_are_those_of_the_last_step():
    rows, _, where = coloured_digits(20, np.random.default_rng(4))
    look = Heads(2)
    model = namer(look)
    weights = on_places(model, rows, where)
    assert weights.shape == (20, 2, 4)
    everywhere = on_places(model, rows, np.tile(np.arange(STEPS + 1), (20, 1)))
    np.testing.assert_allclose(everywhere.sum(axis=-1), 1, rtol=1e-5)


def test_weights_that_the_digit_decides_are_explained_and_others_are_not():
    rng = np.random.default_rng(5)
    digits = rng.integers(10, size=(4_000, 2))
    decided, chance = digits / 20, rng.random((4_000, 2))
    weights = np.stack([decided, chance], axis=1)  # two heads
    np.testing.assert_allclose(by_digit(weights, digits)[0], np.tile(np.arange(10) / 20, (2, 1)))
    share = explained(weights, digits)
    np.testing.assert_allclose(share[0], 1)
    assert share[1].max() < 0.02


@pytest.mark.parametrize("read", READERS)
def test_only_a_recurrence_tells_the_order_of_the_pairs_and_only_attention_the_question(read):
    books, _, _ = phone_books(50, 4, np.random.default_rng(6))
    model = reader(way(read))
    before = np.asarray(model(books))
    turned = np.asarray(model(books[:, [3, 2, 1, 0, 4]]))
    asked_first = np.asarray(model(books[:, [4, 0, 1, 2, 3]]))  # the last step is a pair
    assert np.allclose(turned, before, atol=1e-5) == (read != "attention over a GRU")
    assert np.allclose(asked_first, before, atol=1e-5) == (read == "even weights")


def test_with_one_vector_each_a_plain_mean_tells_whose_digit_is_whose_and_a_sum_does_not():
    rows, _, _ = coloured_digits(30, np.random.default_rng(7))
    exchanged = rows.copy()
    for row in exchanged:
        one, other = np.argmax(row[:, 1] == 1), np.argmax(row[:, 1] == 2)
        row[[one, other], 0] = row[[other, one], 0]
    told = []
    for model in (namer(_mean), namer(_mean, joint=True)):
        told.append(np.abs(np.asarray(model(rows)) - np.asarray(model(exchanged))).max())
    assert told[0] < 1e-5
    assert told[1] > 1e-3


def _mean(vectors):
    return ops.mean(vectors, axis=1, keepdims=True), None
