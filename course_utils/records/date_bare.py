"""The translator of dates with the dot score and no softmax: the bare products are its weights."""

import keras
import numpy as np
from keras import losses, ops, optimizers

from course_utils.attention import LuongAttention
from course_utils.measure import exact_match
from course_utils.records.date_reader import BATCH, DIM, RATE, STEPS, UNITS, task, written
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "08"
PARTS = [{"epochs": 3, "seed": seed} for seed in range(3)]
WITHIN = {"exact": 0.05, "sums": 20, "negative": 0.1}


def bare_products():
    """Return the dot score without its softmax: what is padding gets 0, all else its product."""
    attention = LuongAttention("dot")
    attention.align = lambda query, keys, mask, *_: attention.scores(query, keys) * ops.cast(mask, "float32")
    return attention


def reader(pairs, attention):
    """Return a translator as that of the record, with this attention."""
    model = Seq2Seq(
        Encoder(GRUCell, UNITS // 2, bidirectional=True),
        Decoder(GRUCell, UNITS, attention=attention),
        pairs.source_vocabulary,
        pairs.target_vocabulary,
        embedding_dim=DIM,
    )
    model.build([pairs.train.source_ids.shape, pairs.train.labels.shape])
    return model


def trained(model, pairs, epochs):
    """Train it as that of the record, with fewer epochs; return it."""
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * (len(pairs.train) // BATCH))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    train(model, pairs.train.inputs, pairs.train.labels, epochs, BATCH)
    return model


def make(epochs, seed):
    """Train one translator; return what it writes right of held-out dates, and what its weights are.

    `sums` is the least, the median and the largest sum of the weights of a character, `negative` the share of
    weights below 0.
    """
    pairs = task(seed)
    keras.utils.set_random_seed(seed)
    model = trained(reader(pairs, bare_products()), pairs, epochs)
    said, weights = written(model, pairs.test)
    weights = weights[:, : STEPS["day"][-1] + 1]
    real = np.broadcast_to((pairs.test.source_ids != 0)[:, None], weights.shape)
    return {
        "exact": float(exact_match(said, pairs.test.labels).mean()),
        "sums": [float(each) for each in np.percentile(weights.sum(-1), [0, 50, 100])],
        "negative": float(np.mean(weights[real] < 0)),
    }
