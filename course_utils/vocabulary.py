"""Tokens and their ids."""

import itertools

import numpy as np

from course_utils._validation import require_flag, require_whole

PAD = "<pad>"
START = "<start>"
END = "<end>"
UNKNOWN = "<unknown>"


class Vocabulary:
    """A numbered list of tokens. Id 0 is padding, the other marks follow, then the tokens in order.

    Args:
        tokens: the tokens, in the order of their ids; repeated ones count once.
        marks: further marks between padding and tokens, for example `(START, END, UNKNOWN)`. With
            `UNKNOWN` among them every token that is not listed gets its id; without it such a token is
            an error. The name of a mark, met in a text, is a token that is not listed.
        separator: what stands between the tokens of a text. Left out it is nothing where every token is one
            character, and otherwise a space.

    Raises:
        ValueError: there is no token, a token is not a non-empty string or has the name of a mark, a mark is
            no such string or stands twice, or the separator is no string.
    """

    def __init__(self, tokens, marks=(), separator=None):
        tokens = _listed("tokens", tokens)
        if not tokens:
            raise ValueError("A vocabulary needs at least one token. Received: tokens=[]")
        marks = [PAD, *_listed("marks", marks)]
        for number, mark in enumerate(marks):
            if not isinstance(mark, str) or not mark or mark in marks[:number]:
                raise ValueError(f"A mark must be a non-empty string, once. Received: mark={mark!r}")
        for token in tokens:
            if not isinstance(token, str) or not token or token in marks:
                raise ValueError(f"A token must be a non-empty string and no mark. Received: token={token!r}")
        self.tokens = [*marks, *dict.fromkeys(tokens)]
        self.marks = tuple(marks)
        self.separator = self._require_separator(separator)
        self.ids = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self):
        """Count padding, marks and tokens: the rows of an embedding table."""
        return len(self.tokens)

    def __repr__(self):
        """Say the size and the first tokens."""
        return f"Vocabulary of {len(self)}: {' '.join(self.tokens[:6])} ..."

    def encode(self, sentences, length=None, cut=False, marked=False):
        """Return the ids of `sentences`, padded with 0 on the right.

        Args:
            sentences: lists of tokens.
            length: number of columns, marks included; without it, what the longest sentence needs.
            cut: shorten longer sentences to `length` instead of refusing them; the marks stay.
            marked: put `START` before each sentence and `END` after it.

        Returns:
            An int32 array `(len(sentences), length)`.

        Raises:
            ValueError: `length` has no room for a token beside the marks, there is no sentence, one is empty,
                too long or a plain string, a token is not in the vocabulary and there is no mark for
                unknown ones, or marks are asked for that the vocabulary does not have.
        """
        sentences = _require_sentences(sentences)
        cut, marked = require_flag("cut", cut), require_flag("marked", marked)
        before, after = self._marks_around() if marked else ([], [])
        around = len(before) + len(after)
        longest = max(map(len, sentences)) + around
        length = longest if length is None else require_whole("length", length, least=1 + around)
        if longest > length and not cut:
            raise ValueError(
                f"Every sentence must have at most {length - around} tokens (or pass cut=True). "
                f"Received: length={longest - around}"
            )
        ids = np.zeros((len(sentences), length), "int32")
        for row, sentence in zip(ids, sentences, strict=True):
            kept = [*before, *(self._id(token) for token in sentence[: length - around]), *after]
            row[: len(kept)] = kept
        return ids

    def decode(self, ids, marks=True):
        """Return the tokens of one sequence of `ids`, without padding.

        Args:
            ids: the ids of one sequence.
            marks: keep `START` and `END`, and what may follow `END`. With `marks=False` the sentence
                ends before the first `END`, as a translation does, and `START` is left out.

        Raises:
            ValueError: an id is not in the vocabulary, or `ids` is not one sequence of whole numbers.
        """
        marks, ids = require_flag("marks", marks), _whole_numbers(ids)
        outside = [number for number in ids if not 0 <= number < len(self)]
        if outside:
            raise ValueError(f"Ids must be from 0 to {len(self) - 1}. Received: id={outside[0]}")
        tokens = [self.tokens[number] for number in ids if number != 0]
        if marks:
            return tokens
        return [token for token in itertools.takewhile(lambda token: token != END, tokens) if token != START]

    def split(self, text):
        """Return the tokens of a text.

        Args:
            text: a string, such as "twenty one" for words or "21" for characters.

        Raises:
            ValueError: the text is no string, or empty.
        """
        tokens = []
        if isinstance(text, str):
            tokens = text.split(self.separator) if self.separator else list(text)
        if not tokens or not all(tokens):
            raise ValueError(
                f"A text must be a string of tokens with {self.separator!r} between two of them. "
                f"Received: text={text!r}"
            )
        return tokens

    def join(self, tokens):
        """Return the text of a list of tokens: `split` turned round."""
        return self.separator.join(tokens)

    def get_config(self):
        """Return the arguments, for saving."""
        tokens = self.tokens[len(self.marks) :]
        return {"tokens": tokens, "marks": list(self.marks[1:]), "separator": self.separator}

    def count_unknown(self, sentences):
        """Return how many tokens of `sentences` the vocabulary does not list, repeated ones counted again.

        Raises:
            ValueError: the sentences are no lists of tokens.
        """
        return sum(not self._lists(token) for sentence in _require_sentences(sentences) for token in sentence)

    def _require_separator(self, separator):
        if separator is None:
            return " " if any(len(token) > 1 for token in self.tokens[len(self.marks) :]) else ""
        if not isinstance(separator, str):
            raise ValueError(f"`separator` must be a string. Received: separator={separator!r}")
        return separator

    def _marks_around(self):
        for mark in (START, END):
            if mark not in self.marks:
                raise ValueError(
                    f"To mark sentences, the vocabulary needs the mark {mark}. Received: marks={self.marks}"
                )
        return [self.ids[START]], [self.ids[END]]

    def _lists(self, token):
        return isinstance(token, str) and token in self.ids and token not in self.marks

    def _id(self, token):
        if self._lists(token):
            return self.ids[token]
        if UNKNOWN in self.ids:
            return self.ids[UNKNOWN]
        raise ValueError(
            f"The vocabulary has no such token and no mark for unknown ones. Received: token={token!r}"
        )


def _whole_numbers(ids):
    try:
        numbers = np.asarray(ids)
    except ValueError:  # of rows of different lengths
        numbers = np.array(None)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise ValueError(f"`ids` must be one sequence of whole numbers. Received: ids={ids!r:.80}")
    return numbers.tolist()


def _listed(name, items):
    try:
        return list(items)
    except TypeError as error:
        raise ValueError(f"`{name}` must be a list. Received: {name}={items!r:.80}") from error


def _require_sentences(sentences):
    sentences = _listed("sentences", sentences)
    if not sentences:
        raise ValueError("Expected at least one sentence. Received: sentences=[]")
    for sentence in sentences:
        if isinstance(sentence, str) or not hasattr(sentence, "__len__") or not len(sentence):
            raise ValueError(
                f"A sentence must be a list of tokens, not empty. Received: sentence={sentence!r}"
            )
    return sentences
