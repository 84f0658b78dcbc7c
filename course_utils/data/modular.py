"""Sums of two symbols some steps apart: does a deeper network learn them better?"""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_whole
from course_utils.data._draw import different_rows

MOST = 2**30  # above it a sum of two symbols does not fit into int32


@dataclass(frozen=True, repr=False)
class Modular:
    """Sequences of symbols, and at every step a sum.

    Attributes:
        train_ids, test_ids: the symbols, `(sequences, time)`.
        train_labels, test_labels: `(x_t + x_{t - lag}) mod modulus`, and before that just `x_t`.
        lag: how many steps apart the two are.
    """

    train_ids: np.ndarray
    train_labels: np.ndarray
    test_ids: np.ndarray
    test_labels: np.ndarray
    lag: int

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Modular: {len(self.train_ids):,} sequences to train, {len(self.test_ids):,} to test, "
            f"{self.train_ids.shape[1]} steps, lag {self.lag}"
        )


def modular_sum(train=16_000, test=1_000, time=8, lag=2, modulus=5, seed=0):
    """Make random symbols, and label each with its sum with an earlier one, modulo `modulus`.

    A network must keep the last `lag` symbols, and add. Knowing one of the two symbols says nothing
    about the sum, so guessing is right once in `modulus` from step `lag` on. No sequence stands twice.

    Args:
        train, test: number of sequences.
        time: steps of a sequence.
        lag: how far apart the two symbols are, less than `time`.
        modulus: how many symbols there are, at least 2.
        seed: seed of the draw.

    Returns:
        A `Modular`.

    Raises:
        ValueError: a number is not whole and positive, the lag does not fit into the sequence, the seed is
            negative, or there are not that many different sequences.
    """
    sizes = {"train": train, "test": test, "time": time, "lag": lag}
    train, test, time, lag = (require_whole(name, value) for name, value in sizes.items())
    modulus = require_whole("modulus", modulus, least=2)
    if modulus > MOST:
        raise ValueError(f"`modulus` must be at most {MOST}. Received: modulus={modulus}")
    seed = require_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    if lag >= time:
        raise ValueError(f"`lag` must be less than `time`. Received: lag={lag}, time={time}")
    ids = different_rows(
        lambda count: rng.integers(modulus, size=(count, time)), train + test, possible=modulus**time
    ).astype("int32")
    labels = ids.copy()
    labels[:, lag:] = (ids[:, lag:] + ids[:, :-lag]) % modulus
    return Modular(ids[:train], labels[:train], ids[train:], labels[train:], lag)
