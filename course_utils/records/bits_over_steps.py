"""Which network names the next character best? GRUs and Transformers of two sizes, over 10 passes of a text.

They read the help texts of this Python, letter by letter. The text differs a little between Pythons, and the
figures with it.
"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.blocks import TransformerDecoder
from course_utils.data.topics import topics
from course_utils.embedding import Embedding
from course_utils.language_model import LanguageModel
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "11"
TIME, BATCH = 64, 32
RATES = {"GRU": 1e-2, "wide GRU": 5e-3, "1 block": 5e-3, "2 blocks": 5e-3}
PARTS = [{"model": model, "seed": seed, "epochs": 10} for seed in range(3) for model in RATES]
WITHIN = {"bits": 0.1, "training": 0.1, "parameters": 0, "steps": 100}


def writer(model, size):
    """Return a model of characters, by its name."""
    if model in ("GRU", "wide GRU"):
        dim, units = {"GRU": (64, 96), "wide GRU": (96, 218)}[model]
        return keras.Sequential([Embedding(size, dim), GRU(units, return_sequences=True), layers.Dense(size)])
    depth, dim = {"1 block": (1, 64), "2 blocks": (2, 96)}[model]
    return LanguageModel(TransformerDecoder(depth, 4, 4 * dim, cross=False), size, embedding_dim=dim)


def rises_and_falls(rate, steps):
    """Return a schedule that rises to the rate in a twentieth of the steps, and falls to 0 in the others."""
    rising = steps // 20
    return optimizers.schedules.CosineDecay(
        rate / 10, steps - rising, warmup_target=rate, warmup_steps=rising
    )


def trained(model, text, epochs, rate):
    """Train a model of characters; return the bits a character, held-out and in training, by epoch."""
    schedule = rises_and_falls(rate, epochs * (len(text.train) // BATCH))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    held_out = text.test.inputs, text.test.labels
    came = train(model, text.train.inputs, text.train.labels, epochs, BATCH, validation=held_out).history
    return [(np.array(came[each]) / np.log(2)).tolist() for each in ("val_loss", "loss")]


def make(model, seed, epochs):
    """Train one model; return the bits a character by epoch, its parameters, and the steps of training.

    `bits` are those of held-out text, `training` the mean over each epoch while it learns.
    """
    text = topics(length=TIME)
    keras.utils.set_random_seed(seed)
    network = writer(model, len(text.vocabulary))
    bits, training = trained(network, text, epochs, RATES[model])
    return {
        "bits": bits,
        "training": training,
        "parameters": network.count_params(),
        "steps": epochs * (len(text.train) // BATCH),
    }
