"""Four blocks, 100 updates: how many letters do they turn round, post-norm and pre-norm?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.blocks import TransformerBlock
from course_utils.embedding import Embedding, PositionalEncoding
from course_utils.training import train

LESSON = "11"
LETTERS, LENGTH, UNITS, DEPTH = 10, 10, 32, 4
ORDERS = {"post-norm": "after", "pre-norm": "before"}
PARTS = [{"order": order, "seed": seed} for order in ORDERS for seed in range(5)]
WITHIN = {"right": 0.3}


def make(order, seed):
    """Train one stack for an epoch of 100 updates; return the share of held-out letters right."""
    rng = np.random.default_rng(seed)
    letters, held_out = (rng.integers(LETTERS, size=(count, LENGTH)) for count in (6_400, 1_000))
    keras.utils.set_random_seed(seed)
    ids = keras.Input((LENGTH,), dtype="int32")
    x = PositionalEncoding()(layers.Rescaling(UNITS**0.5)(Embedding(LETTERS, UNITS)(ids)))
    for _ in range(DEPTH):
        x = TransformerBlock(2, 2 * UNITS, normalize=ORDERS[order])(x)
    model = keras.Model(ids, layers.Dense(LETTERS)(x))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(3e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    test = held_out, held_out[:, ::-1]
    history = train(model, letters, letters[:, ::-1], 1, validation=test).history
    return {"right": history["val_accuracy"][-1]}
