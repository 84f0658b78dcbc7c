"""Which of nine digits can a linear map read in the vector of a translator that translates?"""

import keras
import numpy as np

from course_utils.data import number_words
from course_utils.records.number_translators import probes, said, trained, translator

LESSON = "07"
PARTS = [{"epochs": 10, "seed": seed} for seed in range(3)]
WITHIN = {"untrained": 0.15, "trained": 0.15}


def read(model, numbers, places):
    """Return how often a linear probe names each digit; it is fitted to half of the numbers."""
    vectors = np.asarray(model.start(said(numbers, places)[0])["states"][0][0])
    vectors, half, kinds = np.column_stack([vectors, np.ones(len(vectors))]), len(vectors) // 2, np.eye(8)
    named = []
    for column in places.T:
        probe = np.linalg.lstsq(vectors[:half], kinds[column[:half]], rcond=None)[0]
        named.append(float(np.mean((vectors[half:] @ probe).argmax(axis=1) == column[half:])))
    return named


def make(epochs, seed):
    """Train one translator, which reads one way; return what a probe names before training, and after it."""
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    model, places = translator(numbers), probes(numbers, 3_000, np.random.default_rng(seed))
    before = read(model, numbers, places)
    return {"untrained": before, "trained": read(trained(model, numbers, epochs), numbers, places)}
