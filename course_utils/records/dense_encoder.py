"""The same vector with a short way into it: a dense layer in place of the recurrence that writes it."""

import keras
from keras import layers, ops

from course_utils.records.one_vector import BATCH, LONGEST, POOL, drawn, share_copied, trained
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq

LESSON = "07"
PARTS = [
    {"units": units, "updates": updates, "seed": seed}
    for units, updates in ((16, 600), (32, 600), (64, 600), (16, 2_400))
    for seed in range(3)
]
WITHIN = {"right": 0.15}


class DenseEncoder(Encoder):
    """Gives the decoder one vector that a dense layer makes of all tokens at once, side by side."""

    def __init__(self, units):
        super().__init__(GRUCell, units)
        self.dense = layers.Dense(units, activation="tanh")

    def build(self, sequences_shape):
        """Make one matrix for all places."""
        self.dense.build((None, LONGEST * sequences_shape[-1]))

    def call(self, sequences, mask=None):
        """Return the tokens, which nobody looks at, and the vector."""
        tokens = sequences * ops.cast(mask, sequences.dtype)[..., None]
        return sequences, [[self.dense(ops.reshape(tokens, (-1, LONGEST * sequences.shape[-1])))]]


def copier(units):
    """Return a model that reads strings of `LONGEST` places at once, and writes them."""
    return Seq2Seq(DenseEncoder(units), Decoder(GRUCell, units), 13, 13, embedding_dim=16)


def make(units, updates, seed):
    """Train one copier; return the share of held-out strings that it copies, by their length."""
    training, held_out = drawn(min(updates * BATCH, POOL), seed)
    keras.utils.set_random_seed(seed)
    return {"right": share_copied(trained(copier(units), training, updates), held_out).tolist()}
