"""data.topics: one vocabulary with every Python, windows in a row, and nothing in both parts."""

import string
from pydoc_data.topics import topics as texts

import numpy as np
import pytest

from course_utils import data
from course_utils.data.topics import BETWEEN, PIECE


@pytest.fixture(name="task", scope="module")
def _task():
    return data.topics()


def text_of(task, windows):
    """The text of one part, as its windows have it."""
    ids = np.append(windows.inputs.ravel(), windows.labels[-1, -1])
    return [task.vocabulary.tokens[number] for number in ids]


def test_the_vocabulary_is_the_same_with_every_python(task):
    assert len(task.vocabulary) == 98
    printable = set(string.printable) - set("\t\r\x0b\x0c")
    assert set(task.vocabulary.tokens) == {data.PAD, data.UNKNOWN, *printable}
    assert task.vocabulary.tokens[:4] == [data.PAD, data.UNKNOWN, "\n", " "]
    assert repr(task) == "Topics: 98 ids, windows of 64 characters"


@pytest.mark.parametrize("length", [7, 64, 128])
def test_windows_follow_each_other_and_labels_are_one_ahead(length):
    task = data.topics(length=length)
    for part in (task.train, task.test):
        assert part.ids.shape == (len(part), length + 1)
        assert part.ids.dtype == np.int32
        np.testing.assert_array_equal(part.inputs[:, 1:], part.labels[:, :-1])
    np.testing.assert_array_equal(task.train.inputs[1:, 0], task.train.labels[:-1, -1])


@pytest.mark.parametrize("length", [16, 32])
def test_a_held_out_window_that_stands_anywhere_in_training_is_left_out(length):
    task = data.topics(length=length)
    trained_on = "".join(text_of(task, task.train))
    held_out = ["".join(task.vocabulary.tokens[number] for number in row) for row in task.test.ids]
    assert not any(window in trained_on for window in held_out)
    follows = task.test.inputs[1:, 0] == task.test.labels[:-1, -1]
    assert 0.5 < follows.mean() < 1  # the others are all there


def test_there_is_no_padding_and_little_is_unknown(task):
    for part in (task.train, task.test):
        assert part.ids.min() > 0
        assert part.ids.max() < len(task.vocabulary)
        assert np.mean(part.ids == task.vocabulary.ids[data.UNKNOWN]) < 0.01


def test_it_is_the_text_of_the_topics(task):
    name = min(texts)
    opening = ["?" if token == data.UNKNOWN else token for token in text_of(task, task.train)[:500]]
    said = [sign if sign in task.vocabulary.ids else "?" for sign in texts[name].strip()[:500]]
    assert opening == said


def test_no_paragraph_is_in_both_parts(task):
    paragraphs = [
        set("".join(text_of(task, part)).split(BETWEEN)[:-1]) - {""} for part in (task.train, task.test)
    ]
    assert len(paragraphs[1]) > 20
    assert not paragraphs[0] & paragraphs[1]


def test_a_paragraph_that_has_stood_before_is_left_out(task):
    paragraphs = [
        each for part in (task.train, task.test) for each in "".join(text_of(task, part)).split(BETWEEN)
    ]
    assert len(paragraphs) - len(set(paragraphs)) <= 2  # the windows may end within one
    together = BETWEEN.join(text.strip() for text in texts.values()).split(BETWEEN)
    assert len(together) > len(set(together))


@pytest.mark.parametrize("test", [0.05, 0.1, 0.5])
def test_the_share_is_held_out_evenly(test):
    task = data.topics(test=test)
    sizes = [part.labels.size for part in (task.train, task.test)]
    assert sizes[1] / sum(sizes) == pytest.approx(test, abs=0.02)
    assert sum(sizes) > 100 * PIECE


def test_every_draw_is_the_same(task):
    again = data.topics()
    np.testing.assert_array_equal(task.train.ids, again.train.ids)
    np.testing.assert_array_equal(task.test.ids, again.test.ids)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "64"])
def test_a_length_must_be_whole_and_positive(wrong):
    with pytest.raises(ValueError, match=r"`length` must be a whole number of at least 1. Received: length="):
        data.topics(length=wrong)


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 2])
def test_a_share_must_leave_both_parts(wrong):
    with pytest.raises(ValueError, match=r"`test` must be above 0 and below 1. Received: test="):
        data.topics(test=wrong)


@pytest.mark.parametrize(("arguments", "part"), [({"test": 1e-6}, "test"), ({"length": 10**12}, "train")])
def test_a_part_without_a_window_is_refused(arguments, part):
    with pytest.raises(ValueError, match=rf"`{part}` has none. Received: length="):
        data.topics(**arguments)
