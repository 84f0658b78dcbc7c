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
            end, fewer than `length` characters, is left out, and so are held-out windows that stand
            anywhere in the training text: a line of a table, or at a small length any phrase.
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
    by piece, evenly over the alphabet of topics. No paragraph is in both parts, and no held-out window stands
    anywhere in the training text.

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
    texts = {name: BETWEEN.join(part) for name, part in parts.items()}
    windows = {name: cut_windows(content, length) for name, content in texts.items()}
    windows["test"] = new_windows(windows["test"], [texts["train"]])
    for name, part in windows.items():
        if not part:
            raise ValueError(
                f"There must be a window to train and one to test; `{name}` has none. "
                f"Received: length={length}, test={test}"
            )
    ids = {name: Windows(vocabulary.encode(map(list, part))) for name, part in windows.items()}
    return Topics(vocabulary, **ids)


def cut_windows(content, length):
    """Return the windows as strings; each begins with the last character of the one before."""
    return [content[start : start + length + 1] for start in range(0, len(content) - length, length)]


def new_windows(windows, texts):
    """Return the windows that stand nowhere in the texts."""
    length, known = max(map(len, windows), default=0), set()
    for content in texts:
        runs = (content[start : start + length] for start in range(len(content) - length + 1))
        known |= set(windows).intersection(runs)
    return [window for window in windows if window not in known]


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
