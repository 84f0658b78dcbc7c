"""One marked symbol among many: how far back can a network remember?"""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_whole
from course_utils.data._draw import different_rows


@dataclass(frozen=True, repr=False)
class Marked:
    """Sequences with one marked symbol, which is asked for after the last step.

    Attributes:
        train_inputs, test_inputs: `(sequences, time, symbols + 1)`: the symbol, one-hot, and the mark.
        train_labels, test_labels: the marked symbol, `(sequences,)`.
        train_distances, test_distances: steps from the marked one to the last, 0 to time - 1.
    """

    train_inputs: np.ndarray
    train_labels: np.ndarray
    train_distances: np.ndarray
    test_inputs: np.ndarray
    test_labels: np.ndarray
    test_distances: np.ndarray

    def __repr__(self):
        """Say the sizes."""
        _, time, features = self.train_inputs.shape
        return (
            f"Marked: {len(self.train_labels):,} sequences to train, {len(self.test_labels):,} to test, "
            f"{time} steps of {features - 1} symbols and a mark"
        )


def marked_symbol(train=20_000, test=2_000, time=50, symbols=8, seed=0):
    """Make sequences of random symbols, one of them marked; the label is the marked symbol.

    The marked step is drawn evenly over the sequence, so that one model shows its accuracy at every
    distance. Guessing is right once in `symbols`. No sequence stands twice.

    Args:
        train, test: number of sequences.
        time: steps of a sequence.
        symbols: how many different symbols there are.
        seed: seed of the draw.

    Returns:
        A `Marked`.

    Raises:
        ValueError: a number is not whole and positive, there are fewer than two symbols, the seed is
            negative, or there are not that many different sequences.
    """
    train, test, time = (
        require_whole(name, value) for name, value in (("train", train), ("test", test), ("time", time))
    )
    symbols = require_whole("symbols", symbols, least=2)
    seed = require_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)

    def draw(count):
        drawn = rng.integers(symbols, size=(count, time))
        return np.column_stack([drawn, rng.integers(time, size=count)])

    everything = train + test
    rows = different_rows(draw, everything, possible=symbols**time * time)
    drawn, marked = rows[:, :-1], rows[:, -1]
    rows = np.arange(everything)
    inputs = np.zeros((everything, time, symbols + 1), "float32")
    inputs[rows[:, None], np.arange(time), drawn] = 1
    inputs[rows, marked, symbols] = 1
    labels = drawn[rows, marked].astype("int32")
    distances = time - 1 - marked
    return Marked(
        inputs[:train], labels[:train], distances[:train], inputs[train:], labels[train:], distances[train:]
    )
