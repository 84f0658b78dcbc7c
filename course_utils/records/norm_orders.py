"""Eight blocks: which learning rate do they bear, post-norm and pre-norm, and which with warm-up?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.blocks import TransformerBlock
from course_utils.embedding import Embedding, PositionalEncoding
from course_utils.training import train

LESSON = "11"
LETTERS, LENGTH, UNITS, DEPTH, BATCH = 10, 10, 32, 8, 64
ARMS = {
    "post-norm": ("after", 3e-3, False),
    "post-norm, warm-up": ("after", 3e-3, True),
    "post-norm, a tenth": ("after", 3e-4, False),
    "pre-norm": ("before", 3e-3, False),
}
PARTS = [{"arm": arm, "seed": seed, "epochs": 3} for arm in ARMS for seed in range(3)]
WITHIN = {"right": 0.3}


def turner(block, rate):
    """Return a compiled stack of blocks that turns letters round; `block()` makes one of them."""
    ids = keras.Input((LENGTH,), dtype="int32")
    x = PositionalEncoding()(layers.Rescaling(UNITS**0.5)(Embedding(LETTERS, UNITS)(ids)))
    for _ in range(DEPTH):
        x = block()(x)
    model = keras.Model(ids, layers.Dense(LETTERS)(x))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(rate, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def make(arm, seed, epochs):
    """Train one stack; return the share of held-out letters right by epoch.

    With warm-up the rate rises over the first half of the updates, and else it is the same from the start.
    """
    normalize, rate, rises = ARMS[arm]
    rng = np.random.default_rng(seed)
    letters, held_out = (rng.integers(LETTERS, size=(count, LENGTH)) for count in (10_000, 1_000))
    steps = epochs * (len(letters) // BATCH)
    rising = optimizers.schedules.PolynomialDecay(rate / 100, steps // 2, rate)
    keras.utils.set_random_seed(seed)
    model = turner(lambda: TransformerBlock(2, 2 * UNITS, normalize=normalize), rising if rises else rate)
    test = held_out, held_out[:, ::-1]
    history = train(model, letters, letters[:, ::-1], epochs, BATCH, validation=test).history
    return {"right": history["val_accuracy"]}
