"""Tokens become vectors: a table with one row for each token."""

import keras
import numpy as np
from keras import ops

from course_utils._validation import concrete, require_whole


@keras.saving.register_keras_serializable(package="course_utils")
class Embedding(keras.layers.Layer):
    """A table of vectors, read by row: `output[b, t] = embeddings[ids[b, t]]`.

    The same as a one-hot vector times the table, without making the one-hot vector
    (Bengio et al. 2003, "A Neural Probabilistic Language Model", section 2: the mapping C).

    Args:
        input_dim: vocabulary size, the number of rows. Ids run from 0 to `input_dim - 1`.
        output_dim: embedding size, the number of columns.

    Call:
        ids: whole numbers of any shape, for example `(batch, time)`.
        Returns one vector for each id: `(batch, time, output_dim)`.

    Raises:
        ValueError: a size is not a positive whole number, or an id is not in the vocabulary.
            Ids can be looked at only outside a compiled function; inside one the backend decides.
    """

    def __init__(self, input_dim, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.input_dim = require_whole("input_dim", input_dim)
        self.output_dim = require_whole("output_dim", output_dim)
        self.autocast = False  # float16 cannot count beyond 2,048

    def build(self, input_shape):  # noqa: ARG002
        """Make the table."""
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer="uniform"
        )

    def call(self, ids):
        """Read one row for each id."""
        self._require_ids(ids)
        rows = ops.take(self.embeddings, ops.cast(ids, "int32"), axis=0)
        return ops.cast(rows, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """One more axis than the ids: `(..., output_dim)`."""
        return (*input_shape, self.output_dim)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim}

    def _require_ids(self, ids):
        values = concrete(ids)
        if values is None:
            return
        wrong = (values != np.floor(values)) | (values < 0) | (values >= self.input_dim)
        if wrong.any():
            raise ValueError(
                f"`ids` must be whole numbers from 0 to {self.input_dim - 1}, the rows of the table. "
                f"Received: ids={values[wrong].ravel()[0]}"
            )
