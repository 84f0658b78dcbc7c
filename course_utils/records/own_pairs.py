"""Few pairs, and other pairs: what a translator of number words learns from a file in Tatoeba's format.

A file is written with a number a line, "twenty one<tab>이 십 일", and read as anybody's own is.

- "words": words and syllables; "characters": letters and syllables, and the spaces between.
- "reversed": words, from Korean to English.

An epoch has as many updates for every number of pairs: few are read more often. The test part is one for all
of a seed and a kind. No number of it is trained on, and none chooses the epoch that is kept.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.attention import LuongAttention
from course_utils.data import number_words, sentence_pairs
from course_utils.measure import exact_match
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "12"
SIZES = 100, 1_000, 3_000
KINDS = [*(("words", size) for size in SIZES), ("characters", SIZES[-1]), ("reversed", SIZES[-1])]
PARTS = [{"kind": kind, "pairs": pairs, "seed": seed} for seed in range(3) for kind, pairs in KINDS]
LINES, DIGITS, EPOCHS = 3_750, 6, 12  # a tenth of the lines is validation, another one the test
UNITS, DIM, RATE, BATCH = 64, 32, 5e-3, 64
WITHIN = {"loss": 0.2, "val_loss": 0.5, "right": 0.2, "right_last": 0.2}


def write_pairs(path, seed, lines=LINES):
    """Write number words and numerals to a file, a pair a line, with a tab between."""
    numbers = number_words(lines, 10, 10, digits=DIGITS, seed=seed).train
    pairs = zip(numbers.sources, numbers.targets, strict=True)
    Path(path).write_text("".join(f"{' '.join(s)}\t{' '.join(t)}\n" for s, t in pairs), encoding="utf-8")


def read_pairs(kind, seed, lines=LINES):
    """Return the pairs of such a file, read as `kind` says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.txt"
        write_pairs(path, seed, lines)
        tokens = "characters" if kind == "characters" else "words"
        return sentence_pairs(path, tokens=tokens, reverse=kind == "reversed", seed=seed)


def some_of(pairs, count, rows):
    """Return inputs and labels of the first `count` pairs, as often as they make up so many rows."""
    chosen = np.resize(np.arange(min(count, len(pairs))), rows)
    return tuple(ids[chosen] for ids in pairs.inputs), pairs.labels[chosen]


def translator(task):
    """Return a compiled translator for these pairs."""
    vocabularies = task.source_vocabulary, task.target_vocabulary
    decoder = Decoder(GRUCell, UNITS, attention=LuongAttention("general"))
    model = Seq2Seq(Encoder(GRUCell, UNITS), decoder, *vocabularies, embedding_dim=DIM)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(RATE, clipnorm=1.0), loss)
    return model


class Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the least loss on the validation part."""

    least = np.inf

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        """Keep the weights, where they are the best so far."""
        if logs["val_loss"] < self.least:
            self.least, self.weights = logs["val_loss"], self.model.get_weights()


def right(model, pairs):
    """Return the share of pairs whose target the model writes, from the first token to the end mark."""
    return float(exact_match(model.generate(pairs.source_ids, pairs.labels.shape[1]), pairs.labels).mean())


def make(kind, pairs, seed):
    """Train one translator; return its losses by epoch, and the share of the test that it writes right.

    `right` is that of the epoch with the least loss on the validation part, `right_last` that of the last.
    """
    task = read_pairs(kind, seed)
    keras.utils.set_random_seed(seed)
    model, best = translator(task), Best()
    some, held_out = some_of(task.train, pairs, len(task.train)), task.validation
    history = train(model, *some, EPOCHS, BATCH, (held_out.inputs, held_out.labels), [best]).history
    right_last = right(model, task.test)
    model.set_weights(best.weights)
    return {
        "loss": history["loss"],
        "val_loss": history["val_loss"],
        "right": right(model, task.test),
        "right_last": right_last,
    }
