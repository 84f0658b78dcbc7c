"""What does the next character cost a count? With 0 to 8 letters before it, in the help texts of this Python.

The text differs a little between Pythons, and the figures with it.
"""

import numpy as np

from course_utils import ngrams
from course_utils.data.topics import topics

LESSON = "11"
TIME = 64  # characters in a window
PARTS = [{"longest": 8}]
WITHIN = {"bits": 0.1}


def make(longest):
    """Count the training text; return the bits a held-out character, for each number of letters before."""
    text = topics(length=TIME)
    whole = np.append(text.train.inputs.ravel(), text.train.ids[-1, -1])  # as it stands, without windows
    return {"bits": ngrams.bits(whole[None], text.test.ids, len(text.vocabulary), longest).tolist()}
