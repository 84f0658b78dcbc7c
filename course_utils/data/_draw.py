"""Random draws in which nothing stands twice."""

import numpy as np


def different_rows(draw, count, possible):
    """Return the first `count` different rows that are drawn, in the order in which they came.

    Args:
        draw: takes a number and returns as many random rows of whole numbers.
        count: how many rows are wanted.
        possible: how many different rows there are.

    Raises:
        ValueError: there are not that many different rows.
    """
    if count > possible:
        raise ValueError(f"There are only {possible:,} different sequences. Received: train + test={count}")
    rows = draw(count)
    while True:
        rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
        if len(rows) >= count:
            return rows[:count]
        rows = np.concatenate([rows, draw(count)])
