"""What does the next character cost a count? Runs of 1 to 8 characters, in the help texts of this Python.

The text differs a little between Pythons, and the figures with it.
"""

from collections import Counter

import numpy as np

from course_utils.data.topics import topics

LESSON = "11"
TIME = 64  # characters in a window
PARTS = [{"longest": 8}]
WITHIN = {"bits": 0.1}


def make(longest):
    """Count; return the bits a held-out character, for each length of the runs that are counted.

    The last character of a run is named by those before it: `bits[0]` looks at none. A run of few
    occurrences trusts the shorter one: of the chance it gives that as many parts as it has different
    followers (Witten and Bell 1991, "The Zero-Frequency Problem", method C).
    """
    text = topics(length=TIME)
    train = np.append(text.train.inputs.ravel(), text.train.ids[-1, -1])  # as it stands, without windows
    held_out, places = text.test.ids, text.test.labels.shape
    chances, bits = np.full(places, 1 / len(text.vocabulary)), []
    for length in range(1, longest + 1):
        seen = Counter(_runs(train[None], length))
        before, followers = Counter(), Counter()
        for run, times in seen.items():
            before[run[:-1]] += times
            followers[run[:-1]] += 1
        first = max(length - 2, 0)  # there are too few characters before it
        found = [
            (seen[run], before[run[:-1]], followers[run[:-1]])
            for run in _runs(held_out[:, max(2 - length, 0) :], length)
        ]
        times, all_times, kinds = np.reshape(found, (places[0], -1, 3)).transpose(2, 0, 1)
        trusted = (times + kinds * chances[:, first:]) / np.maximum(all_times + kinds, 1)
        chances[:, first:] = np.where(all_times > 0, trusted, chances[:, first:])
        bits.append(float(-np.log2(chances).mean()))
    return {"bits": bits}


def _runs(rows, length):
    windows = np.lib.stride_tricks.sliding_window_view(rows.astype("uint8"), length, axis=1)
    return [run.tobytes() for run in windows.reshape(-1, length)]
