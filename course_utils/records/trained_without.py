"""What can a Transformer not do without? Each part is taken out after training, and left out of it."""

import keras
import numpy as np
from keras import layers

from course_utils.attention import causal_mask
from course_utils.data.topics import topics
from course_utils.embedding import Embedding, PositionalEncoding
from course_utils.multi_head_attention import MultiHeadAttention
from course_utils.records.bits_over_steps import trained

LESSON = "11"
TIME, DIM, HEADS, DEPTH, RATE = 32, 64, 4, 2, 5e-3
WITHOUT = "nothing", "attention", "feed-forward", "residual", "norm", "positions"
PARTS = [{"seed": seed, "epochs": 3} for seed in range(3)]
WITHIN = {"left_out": 0.2, "taken_out": 1.0}


def writer(without, size):
    """Return a model of characters without one of its parts; a part has the same name in all of them."""
    ids = keras.Input((TIME,), dtype="int32")
    x = layers.Rescaling(DIM**0.5)(Embedding(size, DIM, name="table")(ids))
    x = x if without == "positions" else PositionalEncoding()(x)
    past = causal_mask(TIME, TIME)
    for depth in range(DEPTH):
        look = MultiHeadAttention(HEADS, DIM // HEADS, name=f"attention{depth}")
        widen = layers.Dense(4 * DIM, "relu", name=f"widen{depth}")
        narrow = layers.Dense(DIM, name=f"narrow{depth}")
        parts = {
            "attention": lambda x, look=look: look(x, x, mask=past),
            "feed-forward": lambda x, widen=widen, narrow=narrow: narrow(widen(x)),
        }
        for name, part in parts.items():
            if name != without:
                found = part(_normed(x, f"{name}{depth}", without))
                x = found if without == "residual" else layers.Add()([x, found])
    return keras.Model(ids, layers.Dense(size, name="logits")(_normed(x, "last", without)))


def make(seed, epochs):
    """Train the whole and each model without a part; return held-out bits, in the order `WITHOUT`.

    `left_out` are models that were trained without the part, `taken_out` is the whole one, trained with all
    of them, from which the part is taken afterwards.
    """
    text, models, left_out = topics(length=TIME), {}, []
    for without in WITHOUT:
        keras.utils.set_random_seed(seed)
        models[without] = writer(without, len(text.vocabulary))
        left_out.append(trained(models[without], text, epochs, RATE)[0][-1])
    whole = models["nothing"]
    return {"left_out": left_out, "taken_out": [_taken_out(whole, each, text) for each in WITHOUT]}


def _normed(x, name, without):
    return x if without == "norm" else layers.LayerNormalization(epsilon=1e-6, name=f"norm_{name}")(x)


def _taken_out(whole, without, text):
    model = writer(without, len(text.vocabulary))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return float(model.evaluate(text.test.inputs, text.test.labels, 32, verbose=0) / np.log(2))
