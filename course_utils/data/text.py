"""A text of one's own, character by character: a file or a string, in windows to train and to validate."""

import contextlib
import itertools
import math
import os
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from course_utils._validation import require_share, require_whole
from course_utils.data.topics import BETWEEN, TEXTS, Windows, cut_windows, new_windows
from course_utils.vocabulary import UNKNOWN, Vocabulary

LONGEST_PATH = 255  # characters: a longer string that is no file is a text
LEAST_WINDOWS = 20
BLOCK = 16  # windows in a row at most, which are trained on or held out together
LINE_END = re.compile("\r\n?")


@dataclass(frozen=True, repr=False)
class Text:
    """A text in two parts.

    Attributes:
        vocabulary: padding, the unknown mark, and the characters that are often enough in `train`, the most
            frequent ones first.
        train, validation: `Windows`.
        characters: number of characters that were read, without what is repeated.
        repeated: number of paragraphs that were left out because the same stood before.
    """

    vocabulary: Vocabulary
    train: Windows
    validation: Windows
    characters: int
    repeated: int

    def __repr__(self):
        """Say the sizes, and what is not as in the file."""
        return (
            f"Text: {self.characters:,} characters, {len(self.vocabulary)} ids, {len(self.train):,} windows "
            f"of {self.train.inputs.shape[1]} to train, {len(self.validation):,} to validate; "
            f"{self.repeated:,} paragraphs repeated"
        )


def text(path_or_text=None, length=64, most=None, validation=0.1, min_count=2):
    """Read a text, and cut it into windows of characters.

    A file is UTF-8, with a byte order mark or without, or CP949, with any line ends. The text is normalised
    (Unicode NFC, one line feed at each line's end). A paragraph that has stood before is left out, and so
    is a held-out window that stands anywhere in the training text: else what is held out could have been
    trained on. Windows in a row are held out together, evenly over the text.

    Args:
        path_or_text: a file; or the text itself, a string that has a line end or more than 255 characters
            and is no file; or nothing, for the help texts that every Python carries.
        length: characters that a model reads in each window.
        most: characters that are read at most, from the beginning; all if left out.
        validation: share of the windows that is held out.
        min_count: how often a character must be in `train` to have an id; others are the unknown mark.

    Returns:
        A `Text`.

    Raises:
        ValueError: there is no such file, it is in another encoding, the text has too few characters, nothing
            is left to validate, no character is often enough, or an argument is not as above. What was
            expected is said, and what came.
    """
    require_whole("length", length)
    most = None if most is None else require_whole("most", most)
    validation, min_count = require_share("validation", validation), require_whole("min_count", min_count)
    paragraphs = _normalised(_read(path_or_text))[:most].strip().split(BETWEEN)
    different = dict.fromkeys(paragraphs)
    content = BETWEEN.join(different)
    windows = _windows(content, length, validation)
    train, held_out = _apart(windows, validation)
    vocabulary = _vocabulary(train, min_count)
    return Text(
        vocabulary,
        *(Windows(vocabulary.encode(map(list, part))) for part in (train, held_out)),
        characters=len(content),
        repeated=sum(map(bool, paragraphs)) - sum(map(bool, different)),
    )


def _read(given):
    """Return the text: what the file has, or the string itself."""
    if given is None:
        return BETWEEN.join(TEXTS[name] for name in sorted(TEXTS))
    if not isinstance(given, (str, os.PathLike)):
        raise ValueError(f"`path_or_text` must be a path or a text. Received: path_or_text={given!r:.80}")
    path = Path(given)
    if is_file(path):
        return _content(path)
    if isinstance(given, str) and (len(given) > LONGEST_PATH or any(end in given for end in "\r\n")):
        return given
    raise ValueError(
        "`path_or_text` must be a file, or a text with a line end. There is no such file here. In Colab: "
        "click the folder at the left edge, drop your file there, and write its name. "
        f"Received: path_or_text={given!r:.80}"
    )


def is_file(path):
    """Say whether there is a file; a name that is too long for one is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def decoded(content):
    """Return the text of a file's bytes.

    Raises:
        UnicodeDecodeError: they are neither UTF-8 nor CP949; the error is that of UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode("cp949")
        raise


def _content(path):
    content = path.read_bytes()
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            "A text must be UTF-8 or CP949: open it in an editor, and save it as UTF-8. "
            f"Received: {path.name}, with byte {content[error.start]:#04x} in line {line}"
        ) from error


def _normalised(content):
    return unicodedata.normalize("NFC", LINE_END.sub("\n", content.removeprefix("\ufeff")))


def _windows(content, length, validation):
    needed = _least(validation) * length + 1
    if len(content) < needed:
        raise ValueError(
            f"A text must have at least {needed:,} characters for windows of {length}, of which a share of "
            f"{validation:g} is held out. Received: {len(content):,} characters, {content[:40]!r}"
        )
    return cut_windows(content, length)


def _least(validation):
    """Return how many windows there must be, so that some are held out."""
    return max(LEAST_WINDOWS, math.ceil(1 / validation))


def _apart(windows, validation):
    """Return the windows to train, and those that are held out and stand nowhere in the training text."""
    block = min(BLOCK, len(windows) // _least(validation))

    def is_held_out(numbered):
        number = numbered[0] // block
        return int((number + 1) * validation) > int(number * validation)

    train, held_out, trained_on = [], [], []
    for held, run in itertools.groupby(enumerate(windows), is_held_out):
        row = [window for _, window in run]
        if held:
            held_out += row
        else:
            train += row
            trained_on.append(row[0] + "".join(window[1:] for window in row[1:]))
    held_out = new_windows(held_out, trained_on)
    if not train or not held_out:
        raise ValueError(
            "There must be windows to train, and others to validate: one that stands in the training text is "
            "left out. "
            f"Received: {len(train)} and {len(held_out)} different ones, with validation={validation}"
        )
    return train, held_out


def _vocabulary(windows, min_count):
    """Number the characters of the training part from the most frequent one on."""
    counts = Counter("".join(windows))
    kept = [character for character, count in counts.items() if count >= min_count]
    if not kept:
        raise ValueError(
            f"No character is in the training part as often as asked. Received: min_count={min_count}"
        )
    return Vocabulary(sorted(kept, key=lambda each: (-counts[each], each)), marks=(UNKNOWN,))
