"""Is it the learning rate? The networks of `bits_over_steps`, each with the other of two learning rates."""

import keras

from course_utils.data.topics import topics
from course_utils.records.bits_over_steps import TIME, trained, writer

LESSON = "11"
RATES = {"GRU": 5e-3, "wide GRU": 1e-2, "1 block": 1e-2, "2 blocks": 1e-2}
PARTS = [{"model": model, "seed": seed, "epochs": 10} for seed in range(3) for model in RATES]
WITHIN = {"bits": 0.15}


def make(model, seed, epochs):
    """Train one model; return the bits a character of held-out text, by epoch."""
    text = topics(length=TIME)
    keras.utils.set_random_seed(seed)
    bits, _ = trained(writer(model, len(text.vocabulary)), text, epochs, RATES[model])
    return {"bits": bits}
