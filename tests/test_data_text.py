"""data.text reads what people have, in parts that share no window, and says what is wrong with it."""

import codecs
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from course_utils import data
from course_utils.data.text import LEAST_WINDOWS, text

KOREAN = "\n".join(
    f"{number}번째 줄: 나는 오늘 {number * 7} 걸음을 걸었다. 어제는 비가 왔다." for number in range(99)
)


@pytest.fixture
def file(tmp_path):
    """Write bytes or text to a file and return its path."""

    def write(content, name="mine.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read_back(part, vocabulary):
    """The windows of one part, as strings."""
    return ["".join(vocabulary.tokens[number] for number in row) for row in part.ids]


def training_text(windows, train):
    """What is trained on, as one string, with a mark wherever something is held out."""
    kept, runs = set(train), ["\0"]
    for window in windows:
        runs.append(window[runs[-1] != "\0" :] if window in kept else "\0")
    return "".join(runs)


def same(one, other):
    return (
        one.vocabulary.tokens == other.vocabulary.tokens
        and np.array_equal(one.train.ids, other.train.ids)
        and np.array_equal(one.validation.ids, other.validation.ids)
    )


@pytest.mark.parametrize(
    "content",
    [
        KOREAN.encode(),
        codecs.BOM_UTF8 + KOREAN.encode(),
        KOREAN.encode("cp949"),
        KOREAN.replace("\n", "\r\n").encode(),
        KOREAN.replace("\n", "\r\n").encode("cp949"),
        KOREAN.replace("\n", "\r").encode(),
        unicodedata.normalize("NFD", KOREAN).encode(),  # as a Mac names and writes it
        f"\n\n{KOREAN}\n\n\n".encode(),
    ],
    ids=["UTF-8", "mark", "CP949", "Windows", "CP949 of Windows", "old Mac", "NFD", "empty lines around"],
)
def test_one_text_is_read_alike_however_it_is_stored(content, file):
    expected = text(KOREAN)
    assert same(text(file(content)), expected)
    assert same(text(str(file(content))), expected)
    assert expected.characters == len(KOREAN)


def test_cp949_has_syllables_that_its_elder_lacks(file):
    story = f"똠방각하, 펲시\n\n{KOREAN}"
    assert same(text(file(story.encode("cp949"))), text(story))


def test_a_string_with_a_mark_and_other_line_ends_is_the_same_text():
    assert same(text("\ufeff" + KOREAN.replace("\n", "\r\n")), text(KOREAN))


def test_a_long_string_in_one_line_is_a_text(file):
    line = KOREAN.replace("\n", " ")
    assert text(line).characters == len(line)
    assert same(text(file(line)), text(line))


@pytest.mark.parametrize("length", [8, 31, 64])
def test_windows_follow_each_other_and_each_is_in_one_part(length):
    task = text(KOREAN, length=length, min_count=1)
    windows = [KOREAN[start : start + length + 1] for start in range(0, len(KOREAN) - length, length)]
    train, held_out = (read_back(part, task.vocabulary) for part in (task.train, task.validation))
    left = iter(windows)
    assert all(window in left for window in train)  # in their order
    assert held_out == [window for window in windows if window not in training_text(windows, train)]
    assert set(task.vocabulary.tokens[2:]) <= set(KOREAN)
    np.testing.assert_array_equal(task.train.inputs[:, 1:], task.train.labels[:, :-1])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5])
def test_the_share_is_held_out_evenly_and_shares_no_window_with_training(share):
    task = text(KOREAN, length=32, validation=share, min_count=1)
    count = len(task.train) + len(task.validation)
    assert len(task.validation) / count == pytest.approx(share, abs=0.05)
    trained_on = {row.tobytes() for row in task.train.ids}
    assert not any(row.tobytes() in trained_on for row in task.validation.ids)


def test_repeated_paragraphs_and_windows_are_left_out():
    verse = KOREAN[:900]
    song = "\n\n".join([verse, KOREAN[900:2_400], verse, KOREAN[2_400:], verse])
    once = "\n\n".join([verse, KOREAN[900:2_400], KOREAN[2_400:]])
    assert same(text(song), text(once))
    assert text(song).repeated == 2
    assert "2 paragraphs repeated" in repr(text(song))
    with pytest.raises(ValueError, match="Received: 72 and 0 different ones"):
        text("abcdefgh" * 80 + "a", length=8)


def test_blank_lines_are_no_repeated_paragraphs():
    chapters = [KOREAN[start : start + 300].strip() for start in range(0, 3_000, 300)]
    assert text("\n\n\n\n".join(chapters), length=16).repeated == 0
    assert text("\n\n\n\n".join([*chapters, chapters[0]]), length=16).repeated == 1


def test_a_window_that_stands_elsewhere_in_training_is_not_held_out():
    content = "".join(np.random.default_rng(0).choice(list("abcdefgh"), size=3_000)) + "\n"
    task = text(content, length=16)
    first, *others = read_back(task.validation, task.vocabulary)
    content = content[:5] + first + content[5 + len(first) :]  # where no window begins
    task = text(content, length=16)
    assert read_back(task.validation, task.vocabulary) == others


def test_only_characters_that_training_has_often_enough_have_an_id():
    task = text(KOREAN, min_count=3)
    trained = "".join(read_back(task.train, task.vocabulary)).replace(data.UNKNOWN, "")
    counts = [trained.count(token) for token in task.vocabulary.tokens[2:]]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 3
    assert text(KOREAN, min_count=min(counts)).vocabulary.tokens == task.vocabulary.tokens
    assert task.vocabulary.marks == (data.PAD, data.UNKNOWN)
    assert task.train.ids.min() > 0
    with pytest.raises(ValueError, match="Received: min_count=100000"):
        text(KOREAN, min_count=100_000)


def test_what_a_model_writes_becomes_a_text_again():
    task = text(KOREAN)
    ids = task.vocabulary.encode([task.vocabulary.split("나는 오늘")])
    assert task.vocabulary.join(task.vocabulary.decode(ids[0])) == "나는 오늘"


def test_without_a_path_it_is_the_text_of_the_topics():
    task, topics = text(most=30_000), data.topics()
    assert 29_000 < task.characters <= 30_000
    assert len({*task.vocabulary.tokens} - {*topics.vocabulary.tokens}) < 8  # other quotation marks
    assert text(length=128).characters > 300_000


def test_at_most_so_many_characters_are_read():
    assert same(text(KOREAN, most=2_000), text(KOREAN[:2_000]))


@pytest.mark.parametrize("length", [8, 64])
def test_too_few_characters_are_counted_in_the_error(length, file):
    needed = LEAST_WINDOWS * length + 1
    assert text(KOREAN[:needed], length=length).characters == needed
    message = f"at least {needed:,} characters for windows of {length}, .*Received: {needed - 1:,} characters"
    for given_as in (lambda content: content, file):
        with pytest.raises(ValueError, match=message):
            text(given_as(KOREAN[: needed - 1]), length=length)
    with pytest.raises(ValueError, match="Received: 0 characters"):
        text(file(b""))
    with pytest.raises(ValueError, match=r"at least 6,401 characters.*0.01 is held out"):
        text(KOREAN[:1_500], validation=0.01)


@pytest.mark.parametrize("wrong", ["none.txt", "", "short text", "가" * 200, "a\0b"])
def test_a_file_that_is_not_there_is_named_and_colab_is_told_where_to_drop_it(wrong):
    with pytest.raises(ValueError, match=r"no such file here. In Colab: .*drop.*Received: path_or_text="):
        text(wrong)


def test_a_file_that_cannot_be_read_is_not_said_to_be_missing(file, monkeypatch):
    def refuse(_):
        raise PermissionError("not yours")

    path = file(KOREAN.encode())
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match="not yours"):
        text(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        text(tmp_path)


@pytest.mark.parametrize("content", [b"caf\xe9 ol\xe9\n" * 300, KOREAN.encode("utf-16"), bytes(range(256))])
def test_another_encoding_is_refused_with_its_name(content, file):
    with pytest.raises(ValueError, match=r"UTF-8 or CP949: .*Received: mine.txt, with byte 0x\w+ in line \d"):
        text(file(content))


def test_pairs_in_cp949_are_read_too(file):
    lines = "\r\n".join(f"day {number}\t{number}일" for number in range(60))
    utf_8, cp949 = (data.sentence_pairs(file(lines.encode(each))) for each in ("utf-8", "cp949"))
    assert cp949.train.targets == utf_8.train.targets
    assert "일" in cp949.target_vocabulary.tokens


@pytest.mark.parametrize(
    "wrong",
    [
        {"path_or_text": 3},
        {"path_or_text": ["a", "b"]},
        {"length": 0},
        {"length": 2.5},
        {"most": 0},
        {"validation": 0},
        {"validation": 1},
        {"min_count": 0},
    ],
    ids=str,
)
def test_bad_arguments_are_refused(wrong):
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
        text(**{"path_or_text": KOREAN, **wrong})


@given(some.text(min_size=1, max_size=400), some.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_text_is_read_or_refused_with_an_error_of_ours(content, length):
    content = "a\n" + content
    refused = ""
    try:
        task = text(content, length=length, min_count=1)
    except ValueError as error:
        refused = str(error)
    if refused:
        assert "Received" in refused
        return
    normal = unicodedata.normalize("NFC", content.replace("\r\n", "\n").replace("\r", "\n"))
    assert all(window in normal for window in read_back(task.train, task.vocabulary))
