"""What lets a deep stack of recurrent layers learn? Normalisation, residual connections, both, or neither."""

import keras
from keras import layers, losses, ops, optimizers

from course_utils.data import modular_sum
from course_utils.embedding import Embedding
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "06"
EPOCHS = 25  # of 100 updates
ARMS = {
    "neither": (False, False),
    "normalised": (True, False),
    "residual": (False, True),
    "both": (True, True),
}
DEPTHS = 1, 2, 8
PARTS = [{"arm": arm, "depth": depth, "seed": seed} for depth in DEPTHS for arm in ARMS for seed in range(5)]
WITHIN = {"training": 0.3, "held_out": 0.3}  # when a plain stack begins to learn is a matter of chance


def drawn(seed):
    """Return short sequences, and at every step the sum with the symbol two steps before, modulo 5."""
    return modular_sum(train=6_400, test=500, time=6, seed=seed)


def stack(depth, normalised, residual):
    """Return a network of so many GRUs on top of each other."""
    ids = keras.Input((None,), dtype="int32")
    states = Embedding(5, 16)(ids)
    for _ in range(depth):
        read = layers.LayerNormalization()(states) if normalised else states
        given = GRU(16, return_sequences=True)(read)
        states = states + given if residual else given
    return keras.Model(ids, layers.Dense(5)(states))


def right(labels, logits, lag=2):
    """Return the share of sums that are right, without the steps that have nothing to add."""
    hits = ops.equal(ops.cast(labels, "int32"), ops.cast(ops.argmax(logits, axis=-1), "int32"))
    return ops.mean(ops.cast(hits[:, lag:], "float32"))


class StopWhereLearnt(keras.callbacks.Callback):
    """Stop after two epochs in a row in which nearly all held-out sums are right."""

    def on_train_begin(self, logs=None):  # noqa: ARG002
        """Begin to count."""
        self.learnt = 0

    def on_epoch_end(self, epoch, logs):  # noqa: ARG002
        """Count."""
        self.learnt = self.learnt + 1 if logs["val_right"] >= 0.99 else 0
        self.model.stop_training = self.learnt == 2


def make(arm, depth, seed, rate=0.005):
    """Train one stack; return the share of sums that are right after each epoch of 100 updates.

    Training ends where the task is learnt; the later figures repeat the last one.
    """
    task = drawn(seed)
    keras.utils.set_random_seed(seed)
    model = stack(depth, *ARMS[arm])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(rate, clipnorm=1.0), loss, metrics=[right])
    held_out = task.test_ids, task.test_labels
    stop = [StopWhereLearnt()]
    history = train(
        model, task.train_ids, task.train_labels, EPOCHS, validation=held_out, callbacks=stop
    ).history
    return {
        name: history[measured] + history[measured][-1:] * (EPOCHS - len(history[measured]))
        for name, measured in (("training", "right"), ("held_out", "val_right"))
    }
