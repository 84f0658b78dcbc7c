"""Train a model: the batches, the epochs, the progress bar.

It stands apart from `lesson`, so that the records, which train too, do not depend on how a claim is printed.
"""

import os
import random

import keras
import numpy as np

from course_utils import fused
from course_utils._validation import require_whole

STEPS_AT_ONCE = 20  # of training in one call of TensorFlow: a call costs as much as a small step


def train(model, inputs, labels, epochs, batch_size=64, validation=None, callbacks=()):
    """Train a compiled model as `fit` does, on batches that are drawn anew in every epoch.

    All batches have `batch_size` rows, so an epoch leaves out the few rows that fill none; the next one
    leaves out others. After `seed()` the same batches come again. Several steps run in one call of
    TensorFlow, so `callbacks` are called after several batches, and after each epoch as always.

    Args:
        model: a compiled `keras.Model`.
        inputs: an array, or arrays in a tuple or a dict, as the model takes them; the first axis is the row.
        labels: an array of as many rows.
        epochs: how often the rows are read.
        batch_size: rows in a batch; all of them in one if there are fewer.
        validation: `(inputs, labels)` that are measured after each epoch and never trained on, or None.
        callbacks: more callbacks for `fit`.

    Returns:
        What `fit` returns: its `history` holds the loss and the metrics of each epoch.

    Raises:
        ValueError: the model is not compiled, the arrays differ in their rows or have none, a number is not
            whole and positive, `validation` is no pair, or there is something else among the callbacks.
    """
    if not getattr(model, "compiled", False):
        raise ValueError(f"`model` must be a compiled Keras model. Received: model={model!r:.80}")
    require_whole("epochs", epochs)
    if not isinstance(callbacks, (list, tuple)) or not all(map(_is_callback, callbacks)):
        raise ValueError(
            f"`callbacks` must be a list of Keras callbacks. Received: callbacks={callbacks!r:.80}"
        )
    rows = _count_rows(inputs, labels)
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise ValueError(
                f"`validation` must be a pair of inputs and labels. Received: validation={validation!r:.80}"
            )
        _count_rows(*validation, name="validation")
    batch_size = min(require_whole("batch_size", batch_size), rows)
    steps = min(STEPS_AT_ONCE, rows // batch_size)
    if fused.expect(model, epochs * (rows // batch_size)) or model.steps_per_execution != steps:
        model.steps_per_execution = steps
        model.train_function = model.test_function = model.predict_function = None  # made for others
    return model.fit(
        _batches((inputs, labels), rows, batch_size),
        epochs=epochs,
        validation_data=validation,
        validation_batch_size=batch_size,
        callbacks=[*progress(), *callbacks],
        shuffle=False,  # the batches are drawn already
        verbose=0,
    )


def progress():
    """Return the callbacks that draw a progress bar in `fit`: none where nobody watches (`COURSE_QUIET`)."""
    return [] if os.environ.get("COURSE_QUIET") else [_ProgressBar()]


class _ProgressBar(keras.callbacks.Callback):
    """One bar for the whole training, counted in steps."""

    def on_train_begin(self, logs=None):  # noqa: ARG002
        steps = self.params.get("steps")
        self.bar = keras.utils.Progbar(steps and steps * self.params["epochs"], unit_name="step")
        self.epochs = 0

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        self.bar.update(self.epochs * (self.params.get("steps") or 0) + batch + 1)

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        self.epochs += 1


def _is_callback(given):
    return isinstance(given, keras.callbacks.Callback)


def _count_rows(inputs, labels, name="inputs"):
    counts = {np.shape(array)[:1] for array in keras.tree.flatten((inputs, labels))}
    if len(counts) != 1 or not counts.isdisjoint({(), (0,)}):
        shapes = [np.shape(array) for array in keras.tree.flatten((inputs, labels))]
        raise ValueError(
            f"`{name}` and their labels must have as many rows, at least one. Received: {shapes}"
        )
    return counts.pop()[0]


def _batches(arrays, rows, batch_size):
    import tensorflow as tf

    arrays = keras.tree.map_structure(tf.convert_to_tensor, arrays)
    order = tf.data.Dataset.range(rows).shuffle(rows, seed=random.randrange(2**31))
    return (
        order.batch(batch_size, drop_remainder=True)
        .map(lambda chosen: keras.tree.map_structure(lambda array: tf.gather(array, chosen), arrays))
        .prefetch(1)
    )
