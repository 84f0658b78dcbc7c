"""Pairs of sequences: what every translation task of the course has in common."""

from dataclasses import dataclass

import numpy as np

from course_utils.vocabulary import END, START, Vocabulary

MARKS = (START, END)  # ids 1 and 2 on both sides, so that a task can be turned round


@dataclass(frozen=True, repr=False)
class Pairs:
    """Sequences and their translations.

    Attributes:
        sources, targets: lists of tokens, without marks.
        source_ids: padded on the right with 0, `(pairs, Ts)`.
        target_ids: the start mark, the target, the end mark, padded on the right with 0, `(pairs, Tt)`.
    """

    sources: list
    targets: list
    source_ids: np.ndarray
    target_ids: np.ndarray

    def __len__(self):
        """Count the pairs."""
        return len(self.sources)

    def __repr__(self):
        """Say the sizes."""
        return (
            f"{type(self).__name__}: {len(self):,} pairs, ids of {self.source_ids.shape[1]} steps "
            f"to {self.target_ids.shape[1]}"
        )

    @property
    def inputs(self):
        """What the model reads under teacher forcing: the source, and the target, `(pairs, Tt - 1)`."""
        return self.source_ids, self.target_ids[:, :-1]

    @property
    def labels(self):
        """What the model is to say at each step, one ahead of what it reads, `(pairs, Tt - 1)`."""
        return self.target_ids[:, 1:]

    @property
    def lengths(self):
        """The number of tokens of each source, `(pairs,)`."""
        return np.count_nonzero(self.source_ids, axis=1)


@dataclass(frozen=True, repr=False)
class Parallel:
    """A translation task: a vocabulary for each side, and pairs to train, to validate and to test.

    Attributes:
        source_vocabulary, target_vocabulary: the tokens; padding is 0, the start mark 1, the end mark 2.
        train, validation, test: `Pairs`.
    """

    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    train: Pairs
    validation: Pairs
    test: Pairs

    def __repr__(self):
        """Say the sizes."""
        return (
            f"{type(self).__name__}: {len(self.train):,} pairs to train, {len(self.validation):,} to "
            f"validate, {len(self.test):,} to test, ids of {self.train.source_ids.shape[1]} steps to "
            f"{self.train.target_ids.shape[1]}, {len(self.source_vocabulary)} source and "
            f"{len(self.target_vocabulary)} target ids"
        )
