"""Dates through a window, epoch by epoch: what comes through the window, and what past it?"""

import keras
import numpy as np
from keras import losses, ops, optimizers

from course_utils.attention import LuongAttention
from course_utils.data.dates import dates
from course_utils.local_attention import LocalAttention
from course_utils.measure import exact_match, mean_by_group, weight_within
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "09"
LANGUAGES = "de", "en", "ko"
WINDOW, UNITS, DIM, RATE, BATCH = 4, 64, 32, 5e-3, 128
LOOKS = "global", "local-p", "local-m"
PARTS = [
    {"look": look, "begins_with": start, "epochs": 14, "seed": seed}
    for seed in range(3)
    for look, start in [
        *((look, start) for start in ("last state", "zeros") for look in LOOKS),
        ("none", "last state"),
    ]
]
WITHIN = {"right": 0.15, "by_language": 0.2, "on_year": 0.2}


class WithoutLastState(Encoder):
    """An encoder whose last states are zeros: a decoder learns of the source by attention alone."""

    def call(self, sequences, mask=None):
        """Read, and give all outputs, and zeros in place of the last states."""
        outputs, states = super().call(sequences, mask)
        return outputs, keras.tree.map_structure(ops.zeros_like, states)


class EachEpoch(keras.callbacks.Callback):
    """Write the held-out dates after each epoch, and keep the share that is right from start to end."""

    def __init__(self, pairs):
        super().__init__()
        self.pairs, self.right = pairs, []

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        """Write the dates, and keep the share."""
        said = self.model.generate(self.pairs.source_ids, self.pairs.labels.shape[1])
        self.right.append(float(exact_match(said, self.pairs.labels).mean()))


def task(seed):
    """Return dates in three languages; no day stands in two parts. Korean alone writes the year first."""
    return dates(train=12_000, languages=LANGUAGES, disjoint="date", seed=seed)


def translator(pairs, look, begins_with):
    """Return a translator that looks in this way, and begins with the last state or with zeros."""
    attention = {
        "global": LuongAttention,
        "local-m": lambda: LocalAttention(WINDOW),
        "local-p": lambda: LocalAttention(WINDOW, "predictive"),
        "none": lambda: None,
    }[look]()
    encoder = {"last state": Encoder, "zeros": WithoutLastState}[begins_with](GRUCell, UNITS)
    return Seq2Seq(
        encoder,
        Decoder(GRUCell, UNITS, attention=attention),
        pairs.source_vocabulary,
        pairs.target_vocabulary,
        embedding_dim=DIM,
    )


def make(look, begins_with, epochs, seed):
    """Train one translator at a constant learning rate; return what it writes right.

    `right` is the share of all held-out dates after each epoch, `by_language` that of each language at the
    end, and `on_year` the weight on the year while the year is written, in German and English; 0 without
    attention.
    """
    pairs = task(seed)
    keras.utils.set_random_seed(seed)
    model, test = translator(pairs, look, begins_with), pairs.test
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(RATE, clipnorm=1.0), loss)
    written = EachEpoch(test)
    train(model, pairs.train.inputs, pairs.train.labels, epochs, BATCH, callbacks=[written])
    length = test.labels.shape[1]
    if look == "none":
        said, on_year = model.generate(test.source_ids, length), 0.0
    else:
        said, weights = model.generate(test.source_ids, length, return_attention_scores=True)
        last = test.languages != "ko"
        on_year = np.mean([weight_within(weights[last, t], test.spans[last, 0]) for t in range(4)])
    languages, by_language = mean_by_group(exact_match(said, test.labels), test.languages)
    assert tuple(languages) == LANGUAGES
    return {"right": written.right, "by_language": by_language.tolist(), "on_year": float(on_year)}
