"""Fourteen strings of one to three letters in a vector of two numbers: where do they lie?"""

import itertools

import keras
import numpy as np
from keras import losses, optimizers

from course_utils import measure
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "07"
STRINGS = ["".join(letters) for count in (1, 2, 3) for letters in itertools.product("ab", repeat=count)]
ANSWERS = {"copied": STRINGS, "reversed": [string[::-1] for string in STRINGS]}
PARTS = [{"answer": answer, "seed": seed} for answer in ANSWERS for seed in range(5)]
WITHIN = {"right": 0, "vectors": 0.5}
UPDATES = 380


def make(answer, seed):
    """Train a translator with two numbers between its parts; return what it writes right, and its vectors.

    `right` is the share of the strings, all of them trained on; `vectors` are `(strings, 2)`.
    """
    sources = np.array([["0ab".index(letter) for letter in string.ljust(3, "0")] for string in STRINGS])
    written = np.array(
        [["0<>ab".index(token) for token in f"<{each}>".ljust(5, "0")] for each in ANSWERS[answer]]
    )
    keras.utils.set_random_seed(seed)
    model = Seq2Seq(Encoder(GRUCell, 2), Decoder(GRUCell, 32), 3, 5, embedding_dim=2)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    rate = optimizers.schedules.CosineDecay(3e-2, UPDATES)
    model.compile(optimizers.Adam(rate, clipnorm=1.0), loss)
    inputs, targets = np.tile(sources, (20, 1)), np.tile(written, (20, 1))
    train(model, (inputs, targets[:, :-1]), targets[:, 1:], UPDATES // 20, len(STRINGS))
    _, ((vectors,),) = model.encoder(model.source_embedding(sources), mask=sources != 0)
    right = measure.exact_match(model.generate(sources, 4), written[:, 1:]).mean()
    return {"right": float(right), "vectors": np.asarray(vectors).tolist()}
