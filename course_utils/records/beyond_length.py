"""Trained on windows of 32 characters, and then 128 are read. What does a Transformer miss there?

Its positions are waves, learnt rows, or none; or waves that begin at another number in each window.
"""

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from course_utils.blocks import TransformerDecoder
from course_utils.data.topics import topics
from course_utils.embedding import Embedding, PositionalEncoding, PositionEmbedding
from course_utils.training import train

LESSON = "11"
TIME, LONG, DIM, BATCH, RATE = 32, 128, 64, 32, 5e-3
POSITIONS = "waves", "learnt", "none", "waves from anywhere"
FIRST = (0, 32, 64, 96)  # numbers at which a window of 32 begins in the test
PARTS = [{"positions": positions, "seed": seed, "epochs": 3} for seed in range(3) for positions in POSITIONS]
WITHIN = {"by_place": 0.3, "moved": 0.3}


def reader(positions, size):
    """Return a model that reads ids, and the number of the first position of each row."""
    ids, first = keras.Input((None,), dtype="int32"), keras.Input((), dtype="int32")
    vectors = layers.Rescaling(DIM**0.5)(Embedding(size, DIM)(ids))
    if positions != "none":
        layer = PositionEmbedding(LONG) if positions == "learnt" else PositionalEncoding()
        vectors = layer(vectors, position=first)
    found = TransformerDecoder(2, 4, 4 * DIM, cross=False)(vectors)
    return keras.Model([ids, first], layers.Dense(size)(found))


def bits(model, ids, first=0):
    """Return the bits of each character, `(rows, time)`, where the first one read has this position."""
    costs = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    numbers = np.full(BATCH, first, "int32")
    rows = [
        costs(some[:, 1:], model([some[:, :-1], numbers[: len(some)]]))
        for some in np.split(ids, range(BATCH, len(ids), BATCH))
    ]
    return ops.convert_to_numpy(ops.concatenate(rows)) / np.log(2)


def make(positions, seed, epochs):
    """Train one model; return what characters cost it beyond its length.

    `by_place` is the mean at each of 128 places. `moved` is the mean over places 9 to 32 of windows of 32,
    where the numbers of the positions begin at 0, 32, 64 and 96.
    """
    text, long_text = topics(length=TIME), topics(length=LONG)
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = reader(positions, len(text.vocabulary))
    anywhere = positions == "waves from anywhere"
    first = rng.integers(LONG - TIME + 1 if anywhere else 1, size=len(text.train)).astype("int32")
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * (len(first) // BATCH))
    model.compile(
        optimizers.Adam(schedule, clipnorm=1.0), losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    train(model, (text.train.inputs, first), text.train.labels, epochs, BATCH)
    return {
        "by_place": bits(model, long_text.test.ids).mean(axis=0).tolist(),
        "moved": [float(bits(model, text.test.ids, each)[:, 8:].mean()) for each in FIRST],
    }
