"""Tokens become vectors, by a table with one row for each, and positions are written into them."""

import keras
import numpy as np
from keras import ops

from course_utils._layer import Layer
from course_utils._validation import concrete, require_positions, require_three_axes, require_whole


@keras.saving.register_keras_serializable(package="course_utils")
class Embedding(Layer):
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


@keras.saving.register_keras_serializable(package="course_utils")
class PositionalEncoding(Layer):
    """Writes each position into its vector, as waves of many lengths (Vaswani et al. 2017, section 3.5).

        PE(t, 2i)     = sin(t / 10000^(2i / dim))
        PE(t, 2i + 1) = cos(t / 10000^(2i / dim))
        output_t      = vector_t + PE(t)

    Nothing is learnt, so it goes on beyond any length that was trained.

    Call:
        vectors: `(batch, time, dim)`. Those of an `Embedding` begin small beside the waves: multiply them by
            sqrt(dim) first, as the paper does (section 3.4).
        position: of the first vector, a whole number or one for each row, `(batch,)`.
        Returns vectors of the same shape.

    Raises:
        ValueError: the vectors have another shape, or a position is not whole.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, vectors, position=0):
        """Add the wave of its position to each vector."""
        require_three_axes(vectors=vectors.shape)
        t = require_positions("position", position, vectors)  # in float32: float16 stops counting at 2,048
        feature = np.arange(vectors.shape[-1])
        angle = t / 10_000.0 ** (2 * (feature // 2) / len(feature)).astype("float32")
        waves = ops.where(feature % 2 == 0, ops.sin(angle), ops.cos(angle))
        return vectors + ops.cast(waves, vectors.dtype)


@keras.saving.register_keras_serializable(package="course_utils")
class PositionEmbedding(Layer):
    """Writes each position into its vector, from a table that is learnt: `output_t = vector_t + P[t]`.

    (Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", section 3.1; compared with waves in
    Vaswani et al. 2017, section 3.5.)

    Args:
        max_length: rows of the table. What lies beyond has no position.

    Call:
        As `PositionalEncoding`.

    Raises:
        ValueError: `max_length` is not a positive whole number, or a sequence is longer; else as
            `PositionalEncoding`. Positions can be looked at only outside a compiled function.
    """

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.max_length = require_whole("max_length", max_length)

    def build(self, vectors_shape):
        """Make the table."""
        require_three_axes(vectors=vectors_shape)
        shape = (self.max_length, vectors_shape[-1])
        self.positions = self.add_weight(name="positions", shape=shape, initializer="uniform")

    def call(self, vectors, position=0):
        """Add the row of its position to each vector."""
        require_three_axes(vectors=vectors.shape)
        t = require_positions("position", position, vectors)[..., 0]
        self._require_known(t, vectors.shape[1])
        return vectors + ops.cast(ops.take(self.positions, ops.cast(t, "int32"), axis=0), vectors.dtype)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "max_length": self.max_length}

    def _require_known(self, positions, length):
        known = concrete(positions)
        longest = length if known is None else int(known.max(initial=-1)) + 1
        if isinstance(longest, int) and longest > self.max_length:  # None, or in JAX a symbol, is any length
            raise ValueError(
                f"There are positions for {self.max_length} vectors (`max_length`), and no more. "
                f"Received: length={longest}"
            )
