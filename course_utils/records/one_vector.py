"""What can be learnt through one vector? Random digits are copied, by width and budget."""

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.measure import exact_match
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "07"
LONGEST, BATCH, HELD_OUT = 8, 128, 200  # of each length
LENGTHS = range(3, LONGEST + 1)
POOL = 2_400 * BATCH  # strings: what is trained for longer reads them again
BUDGETS = {64: (300, 600, 2_400), 32: (600, 2_400), 16: (600, 2_400, 9_600)}
PARTS = [
    {"units": units, "updates": updates, "seed": seed}
    for units, budgets in BUDGETS.items()
    for updates in budgets
    for seed in range(3)
]
WITHIN = {"right": 0.15}


def strings(count, rng):
    """Draw strings of 1 to `LONGEST` digits, padded on the right with 0: the digit k has the id k + 3."""
    digits = rng.integers(3, 13, size=(count, LONGEST), dtype="int32")
    return np.where(np.arange(LONGEST) < rng.integers(1, LONGEST + 1, size=(count, 1)), digits, 0)


def marked(ids):
    """Return strings between the start mark 1 and the end mark 2."""
    targets = np.pad(ids, ((0, 0), (1, 1)))
    targets[:, 0], targets[np.arange(len(ids)), (ids != 0).sum(axis=1) + 1] = 1, 2
    return targets


def drawn(count, seed):
    """Return `count` strings to train on, and `HELD_OUT` of each of `LENGTHS` that are not among them."""
    rng = np.random.default_rng(seed)
    held_out = np.zeros((len(LENGTHS), HELD_OUT, LONGEST), "int32")
    for place, length in enumerate(LENGTHS):
        numbers = rng.choice(10**length, HELD_OUT, replace=False)
        held_out[place, :, :length] = numbers[:, None] // 10 ** np.arange(length) % 10 + 3
    held_out = held_out.reshape(-1, LONGEST)
    many = strings(count + count // 20 + 100, rng)
    different = many[~np.isin(_numbered(many), _numbered(held_out))]
    return different[:count], held_out


def copier(units, attention=None):
    """Return a model that reads and writes strings, with vectors of `units` numbers."""
    encoder, decoder = Encoder(GRUCell, units), Decoder(GRUCell, units, attention=attention)
    return Seq2Seq(encoder, decoder, 13, 13, embedding_dim=16)


def trained(model, ids, updates, change=lambda ids: ids):
    """Train a copier with a learning rate that falls to 0 over the budget; return it."""
    schedule = optimizers.schedules.CosineDecay(1e-2, updates)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    target, at_once = marked(ids), len(ids) // BATCH
    train(model, (change(ids), target[:, :-1]), target[:, 1:], updates // at_once, BATCH)
    return model


def share_copied(model, held_out, change=lambda ids: ids):
    """Return the share of strings that are written right from start to end, for each of `LENGTHS`."""
    written = model.generate(change(held_out), LONGEST + 1)
    right = exact_match(written, marked(held_out)[:, 1:])
    return right.reshape(len(LENGTHS), -1).mean(axis=1)


def make(units, updates, seed):
    """Train one copier; return the share of held-out strings that it copies, by their length."""
    training, held_out = drawn(min(updates * BATCH, POOL), seed)
    keras.utils.set_random_seed(seed)
    return {"right": share_copied(trained(copier(units), training, updates), held_out).tolist()}


def _numbered(ids):
    return ids @ 13 ** np.arange(LONGEST)
