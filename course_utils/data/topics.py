"""The help texts that every Python carries, character by character: a text to go on with."""

import itertools
from dataclasses import dataclass
from pydoc_data.topics import topics as TEXTS  # noqa: N812

import numpy as np

from course_utils._validation import require_share, require_whole
from course_utils.vocabulary import UNKNOWN, Vocabulary

CHARACTERS = ["\n", *map(chr, range(ord(" "), ord("~") + 1))]  # whatever stands in this Python's texts
BETWEEN = "\n\n"  # paragraphs
PIECE = 2_000  # characters at least, which are trained on or held out together


@dataclass(frozen=True, repr=False)
class Windows:
    """A text, cut into windows.

    Attributes:
        ids: of the characters, `(windows, length + 1)`. Each window begins with the last character of the
            one before, so that every character but the first is a label once. What fills no window at the
            end, fewer than `length` characters, is left out, and so are held-out windows that stand in
            training, too: the rule of a table, or at a small length any phrase.
    """

    ids: np.ndarray

    def __len__(self):
        """Count the windows."""
        return len(self.ids)

    @property
    def inputs(self):
        """What a model reads: each window without its last character, `(windows, length)`."""
        return self.ids[:, :-1]

    @property
    def labels(self):
        """What it is to say at each step: the next character, `(windows, length)`."""
        return self.ids[:, 1:]


@dataclass(frozen=True, repr=False)
class Topics:
    """A text in two parts.

    Attributes:
        vocabulary: padding, the unknown mark, the newline and the 95 printable characters of ASCII.
        train, test: `Windows`.
    """

    vocabulary: Vocabulary
    train: Windows
    test: Windows

    def __repr__(self):
        """Say what is the same with every Python."""
        return f"Topics: {len(self.vocabulary)} ids, windows of {self.train.inputs.shape[1]} characters"


def topics(length=64, test=0.1):
    """Cut the help texts of Python (`pydoc_data.topics`) into windows of characters.

    They are a few hundred thousand characters, and differ between Python's versions; the vocabulary does
    not. The texts share paragraphs. One that has stood before is left out, and the rest is held out piece
    by piece, evenly over the alphabet of topics: so no paragraph is in both parts, and no window either.

    Args:
        length: characters that a model reads in each window.
        test: share of the pieces that is held out.

    Returns:
        A `Topics`.

    Raises:
        ValueError: the length is not a positive whole number, the share is not between 0 and 1, or one of
            the parts has no window.
    """
    require_whole("length", length)
    test = require_share("test", test)
    vocabulary = Vocabulary(CHARACTERS, marks=(UNKNOWN,))
    parts = {"train": [], "test": []}
    for number, piece in enumerate(_pieces()):
        held_out = int((number + 1) * test) > int(number * test)
        parts["test" if held_out else "train"].append(piece)
    windows = {name: _windows(vocabulary, BETWEEN.join(part), length) for name, part in parts.items()}
    trained_on = {window.tobytes() for window in windows["train"].ids}
    new = [window.tobytes() not in trained_on for window in windows["test"].ids]
    windows["test"] = Windows(windows["test"].ids[np.array(new, bool)])
    for name, part in windows.items():
        if not len(part):
            raise ValueError(
                f"There must be a window to train and one to test; `{name}` has none. "
                f"Received: length={length}, test={test}"
            )
    return Topics(vocabulary, **windows)


def _pieces():
    """Return the texts in the order of their names, without what is repeated, in pieces."""
    paragraphs = itertools.chain(*(TEXTS[name].strip().split(BETWEEN) for name in sorted(TEXTS)))
    pieces, size = [[]], 0
    for paragraph in dict.fromkeys(paragraphs):
        if size >= PIECE:
            pieces.append([])
            size = 0
        pieces[-1].append(paragraph)
        size += len(paragraph) + len(BETWEEN)
    return [BETWEEN.join(piece) for piece in pieces]


def _windows(vocabulary, text, length):
    ids = vocabulary.encode([list(text)])[0] if text else np.zeros(0, "int32")
    starts = np.arange(0, len(ids) - length, length)
    length = min(length, len(ids))  # without a window, whatever the length
    return Windows(ids[starts[:, None] + np.arange(length + 1)])
