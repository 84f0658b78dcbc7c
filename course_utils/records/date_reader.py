"""A small translator of dates, from seven languages to ISO. Its weights are kept, to look into it.

Weights are named by the part that has them; `reader` says which part is which. Gates stand in Keras' order
z, r, h. A bias of two rows has that of the inputs first.
"""

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.attention import LuongAttention
from course_utils.data.dates import dates
from course_utils.measure import exact_match, weight_within
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "08"
UNITS, DIM, RATE, BATCH = 64, 16, 8e-3, 128
PARTS = [{"seed": seed, "epochs": 6} for seed in range(3)]
WITHIN = {"loss": 0.02, "exact": 0.02, "exact_in_float16": 0.02, "on_span": 0.1}
STEPS = {"year": range(4), "month": (5, 6), "day": (8, 9)}  # of the ISO date, where each part is written
GRU = "kernel", "recurrent_kernel", "bias"
NAMES = (
    *(f"encoder.{way}.{each}" for way in ("forward", "backward") for each in GRU),
    *(f"decoder.cell.{each}" for each in GRU),
    *("decoder.attention.kernel", "decoder.join.kernel", "source_embedding", "target_embedding"),
    *("next_token.kernel", "next_token.bias"),
)


def task(seed=0):
    """Return the dates: no day stands in two parts, in any spelling. The weights are for seed 0."""
    return dates(train=16_000, disjoint="date", seed=seed)


def reader(pairs):
    """Return a translator: it reads both ways, looks back by the general score, in Luong's order."""
    model = Seq2Seq(
        Encoder(GRUCell, UNITS // 2, bidirectional=True),
        Decoder(GRUCell, UNITS, attention=LuongAttention("general")),
        pairs.source_vocabulary,
        pairs.target_vocabulary,
        embedding_dim=DIM,
    )
    model.build([pairs.train.source_ids.shape, pairs.train.labels.shape])
    return model


def stored(pairs, weights):
    """Return the translator with weights by their names, as `records.weights` gives them."""
    model = reader(pairs)
    model.set_weights([weights[name] for name in NAMES])
    return model


def trained(pairs, epochs):
    """Train a translator with a learning rate that falls to 0; return it, and its held-out losses."""
    model = reader(pairs)
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * (len(pairs.train) // BATCH))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    held_out = pairs.validation.inputs, pairs.validation.labels
    history = train(model, pairs.train.inputs, pairs.train.labels, epochs, BATCH, validation=held_out)
    return model, history.history["val_loss"]


def written(model, pairs):
    """Return the ids that it writes, and where it looked, `(pairs, Tt, Ts)`."""
    return model.generate(pairs.source_ids, pairs.labels.shape[1], return_attention_scores=True)


def on_spans(measured, weights, pairs, slack=0):
    """Return what a function of `measure` says of year, month and day, on average over dates and digits."""
    return [
        float(np.mean([measured(weights[:, step], pairs.spans[:, part], slack) for step in steps]))
        for part, steps in enumerate(STEPS.values())
    ]


def make(seed, epochs):
    """Train one translator; return its loss on held-out dates, the share that it writes right, and its maps.

    `exact_in_float16` is that share with weights as they are kept, `on_span` the weight on the true year,
    month and day, to within one character.
    """
    pairs = task(seed)
    keras.utils.set_random_seed(seed)
    model, loss = trained(pairs, epochs)
    said, weights = written(model, pairs.test)
    figures = {"loss": loss, "exact": float(exact_match(said, pairs.test.labels).mean())}
    kept = dict(zip(NAMES, model.get_weights(), strict=True))
    model.set_weights([each.astype("float16").astype("float32") for each in kept.values()])
    narrow, _ = written(model, pairs.test)
    figures["exact_in_float16"] = float(exact_match(narrow, pairs.test.labels).mean())
    figures["on_span"] = on_spans(weight_within, weights, pairs.test, slack=1)
    return figures | ({"weights": kept} if seed == 0 else {})
