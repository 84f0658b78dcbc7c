"""Counting: which token comes after which others. A strong simple language model beside a network."""

import math
from collections import Counter

import numpy as np

from course_utils._validation import require_numbers, require_whole


def bits(train, held_out, size, longest):
    """Measure what counting needs to name the next token.

    It counts which token has come after the n before it. Each count gives up a part of itself, and what is
    given up goes to the shorter run, which counts after how many different tokens a run has come, not how
    often: Kneser-Ney smoothing, interpolated (Chen and Goodman 1999, "An empirical study of smoothing
    techniques for language modeling").

    Args:
        train: ids of the texts that are counted, `(texts, time)`.
        held_out: ids, `(rows, time)`. The first of each row is given, the others are named.
        size: number of ids.
        longest: number of tokens that are looked at, at most.

    Returns:
        `(longest + 1,)`: element n is the mean of -log2 p where n tokens are looked at, fewer where a row
        begins.

    Raises:
        ValueError: an argument is not as above, or there is no token to name.
    """
    size, longest = require_whole("size", size), require_whole("longest", longest, least=0)
    texts, rows = _as_letters("train", train, size), _as_letters("held_out", held_out, size)
    counts = Counter(
        text[at - n : at + 1] for n in range(longest + 1) for text in texts for at in range(n, len(text))
    )
    often, after_different = _given_up(counts), _given_up(Counter(run[1:] for run in counts if run[1:]))
    places = [(row, at) for row in rows for at in range(1, len(row))]
    if not places:
        raise ValueError("`held_out` must have a second token in each row. Received: rows of one")
    found = np.zeros(longest + 1)
    for row, at in places:
        shorter = p = 1 / size
        for n in range(longest + 1):
            if n <= at:
                run = row[at - n : at + 1]
                p, shorter = _mixed(often, run, shorter), _mixed(after_different, run, shorter)
            found[n] -= math.log2(p)
    return found / len(places)


def _given_up(counts):
    """Return counts; sum and number of what follows each beginning; what is given up at each length."""
    totals, kinds, times = Counter(), Counter(), Counter()
    for run, count in counts.items():
        totals[run[:-1]] += count
        kinds[run[:-1]] += 1
        times[len(run), count] += 1
    lengths = {len(run) for run in counts}
    once, twice = ({length: times[length, each] for length in lengths} for each in (1, 2))
    given_up = {
        length: once[length] / (once[length] + 2 * twice[length]) if once[length] else 0.5
        for length in lengths
    }
    return counts, totals, kinds, given_up


def _mixed(counted, run, shorter):
    """Return the chance of the last token of a run, where the shorter run says `shorter`."""
    counts, totals, kinds, given_up = counted
    before = run[:-1]
    if not totals[before]:
        return shorter
    part = given_up[len(run)]
    return (max(counts[run] - part, 0) + part * kinds[before] * shorter) / totals[before]


def _as_letters(name, ids, size):
    """Return each row of ids as a string, whose slices are quick to count."""
    ids = require_numbers(name, ids, axes=2)
    if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= size:
        raise ValueError(
            f"`{name}` must be ids, whole numbers from 0 to {size - 1}. "
            f"Received: {ids.dtype}, from {ids.min()} to {ids.max()}"
        )
    return ["".join(map(chr, row)) for row in ids]
