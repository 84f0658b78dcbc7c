"""Tokens and their ids."""

import numpy as np

from course_utils._validation import require_whole

PAD = "<pad>"
UNKNOWN = "<unknown>"


class Vocabulary:
    """A numbered list of tokens. Id 0 is padding, the other marks follow, then the tokens in order.

    Args:
        tokens: the tokens, in the order of their ids; repeated ones count once.
        marks: further marks between padding and tokens, for example `(UNKNOWN,)`. With `UNKNOWN` among
            them every token that is not listed gets its id; without it such a token is an error.

    Raises:
        ValueError: there is no token, or a token is not a non-empty string or has the name of a mark.
    """

    def __init__(self, tokens, marks=()):
        tokens = list(dict.fromkeys(tokens))
        if not tokens:
            raise ValueError("A vocabulary needs at least one token. Received: tokens=[]")
        marks = [PAD, *marks]
        for token in tokens:
            if not isinstance(token, str) or not token or token in marks:
                raise ValueError(f"A token must be a non-empty string and no mark. Received: token={token!r}")
        self.tokens = [*marks, *tokens]
        self.ids = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self):
        """Count padding, marks and tokens: the rows of an embedding table."""
        return len(self.tokens)

    def __repr__(self):
        """Say the size and the first tokens."""
        return f"Vocabulary of {len(self)}: {' '.join(self.tokens[:6])} ..."

    def encode(self, sentences, length=None, cut=False):
        """Return the ids of `sentences`, padded with 0 on the right.

        Args:
            sentences: lists of tokens.
            length: number of columns; without it, the length of the longest sentence.
            cut: shorten longer sentences to `length` instead of refusing them.

        Returns:
            An int32 array `(len(sentences), length)`.

        Raises:
            ValueError: there is no sentence, one is empty, too long or a plain string, or a token is
                not in the vocabulary and there is no mark for unknown ones.
        """
        sentences = list(sentences)
        if not sentences:
            raise ValueError("Expected at least one sentence. Received: sentences=[]")
        for sentence in sentences:
            if isinstance(sentence, str) or not len(sentence):
                raise ValueError(
                    f"A sentence must be a list of tokens, not empty. Received: sentence={sentence!r}"
                )
        longest = max(map(len, sentences))
        length = longest if length is None else require_whole("length", length)
        if longest > length and not cut:
            raise ValueError(
                f"Every sentence must have at most {length} tokens (or pass cut=True). "
                f"Received: length={longest}"
            )
        ids = np.zeros((len(sentences), length), "int32")
        for row, sentence in zip(ids, sentences, strict=True):
            kept = sentence[:length]
            row[: len(kept)] = [self._id(token) for token in kept]
        return ids

    def decode(self, ids):
        """Return the tokens of one sequence of `ids`, without padding.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        outside = [int(number) for number in ids if not 0 <= number < len(self)]
        if outside:
            raise ValueError(f"Ids must be from 0 to {len(self) - 1}. Received: id={outside[0]}")
        return [self.tokens[number] for number in ids if number != 0]

    def _id(self, token):
        if token in self.ids:
            return self.ids[token]
        if UNKNOWN in self.ids:
            return self.ids[UNKNOWN]
        raise ValueError(
            f"The vocabulary has no such token and no mark for unknown ones. Received: token={token!r}"
        )
