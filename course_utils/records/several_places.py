"""One query, several places: what do heads of the same total size gain?"""

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from course_utils.embedding import Embedding
from course_utils.multi_head_attention import MultiHeadAttention
from course_utils.training import train

LESSON = "10"
STEPS, PLACES, DIGITS, UNITS = 16, 4, 10, 32
BOOKS, TEST = 10_000, 1_000
PARTS = [{"heads": heads, "seed": seed, "epochs": 20} for heads in (1, 2, 4) for seed in range(5)]
WITHIN = {"right": 0.1, "loss": 0.1, "looks": 0.3}


def coloured_digits(count, rng, places=PLACES):
    """Return rows of digits with colours, `(count, STEPS + 1, 2)`, and the digits of each colour in order.

    As many digits as there are `places` have a colour from 1 on, one each; the others have 0. At the last
    step stand the mark `DIGITS` and no colour. The third result says where each colour stands.
    """
    digits = rng.integers(DIGITS, size=(count, STEPS))
    where = rng.permuted(np.tile(np.arange(STEPS), (count, 1)), axis=1)[:, :places]
    colours = np.zeros_like(digits)
    np.put_along_axis(colours, where, np.arange(1, places + 1)[None], axis=1)
    rows = np.stack([digits, colours], axis=-1)
    question = np.tile([[[DIGITS, 0]]], (count, 1, 1))
    return np.concatenate([rows, question], axis=1), np.take_along_axis(digits, where, axis=1), where


class Heads(layers.Layer):
    """The package's attention of many heads, called as the learner's of lesson 10 is."""

    def __init__(self, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads

    def build(self, shape):
        """Build heads that have the size of the vectors together."""
        self.attention = MultiHeadAttention(self.num_heads, shape[-1] // self.num_heads, use_bias=False)
        self.attention.build(shape, shape)

    def call(self, x):
        """Return the new vectors, and the weights of every head."""
        return self.attention(x, x, return_attention_scores=True)


def namer(look, places=PLACES, joint=False):
    """Return a compiled network that names the digits of all colours, from the last step's new vector.

    The vector of a digit and that of its colour are added; if `joint`, both have one vector together.
    """
    rows = keras.Input((STEPS + 1, 2), dtype="int32")
    digit, colour = rows[..., 0], rows[..., 1]
    if joint:
        vectors = Embedding((DIGITS + 1) * (places + 1), UNITS)(digit * (places + 1) + colour)
    else:
        vectors = layers.Add()([Embedding(DIGITS + 1, UNITS)(digit), Embedding(places + 1, UNITS)(colour)])
    found, _ = look(vectors)
    said = layers.Reshape((places, DIGITS))(layers.Dense(places * DIGITS)(found[:, -1]))
    model = keras.Model(rows, said)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(3e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def on_places(model, rows, where):
    """Return the weights of the last step on the place of each colour, `(rows, heads, places)`."""
    (of_heads,) = (layer.output[1] for layer in model.layers if isinstance(layer.output, (list, tuple)))
    weights = ops.convert_to_numpy(keras.Model(model.input, of_heads)(rows))[:, :, -1]
    return np.take_along_axis(weights, where[:, None], axis=2)


def make(heads, seed, epochs):
    """Train one network; return its loss in training and the share of digits right, held-out, by epoch.

    `looks` is the mean weight of each head on the place of each colour, in one list.
    """
    rng = np.random.default_rng(seed)
    rows, digits, _ = coloured_digits(BOOKS, rng)
    *held_out, where = coloured_digits(TEST, rng)
    keras.utils.set_random_seed(seed)
    model = namer(Heads(heads))
    history = train(model, rows, digits, epochs, validation=held_out).history
    looks = on_places(model, held_out[0], where).mean(axis=0).ravel().tolist()
    return {"right": history["val_accuracy"], "loss": history["loss"], "looks": looks}
