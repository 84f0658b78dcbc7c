"""Tokens become vectors, by a table with one row for each, and positions are written into them."""

import math

import keras
import numpy as np
from keras import ops

from course_utils._layer import Layer
from course_utils._validation import (
    concrete,
    initializer,
    require_flag,
    require_floats,
    require_positions,
    require_rate,
    require_shape,
    require_three_axes,
    require_whole,
)


@keras.saving.register_keras_serializable(package="course_utils")
class Embedding(Layer):
    """A table of vectors, read by row: `output[b, t] = embeddings[ids[b, t]]`.

    The same as a one-hot vector times the table, without making the one-hot vector
    (Bengio et al. 2003, "A Neural Probabilistic Language Model", section 2: the mapping C).

    Args:
        input_dim: vocabulary size, the number of rows. Ids run from 0 to `input_dim - 1`.
        output_dim: embedding size, the number of columns.
        embeddings_initializer: how the table starts.
        mask_zero: attach the mask `ids != 0` to the vectors, for the layers behind. Id 0 is padding then.

    Call:
        ids: whole numbers of any shape, for example `(batch, time)`.
        Returns one vector for each id: `(batch, time, output_dim)`.

    Raises:
        ValueError: a size is not a positive whole number, the initializer is unknown, the ids are no numbers,
            or one is not in the vocabulary. Ids can be looked at only outside a compiled function; inside
            one the backend decides.
    """

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform", mask_zero=False, **kwargs):
        super().__init__(**kwargs)
        self.input_dim = require_whole("input_dim", input_dim)
        self.output_dim = require_whole("output_dim", output_dim)
        self.embeddings_initializer = initializer("embeddings_initializer", embeddings_initializer)
        self.mask_zero = self.supports_masking = require_flag("mask_zero", mask_zero)
        self.autocast = False  # float16 cannot count beyond 2,048

    def build(self, input_shape=None):  # noqa: ARG002
        """Make the table."""
        shape = (self.input_dim, self.output_dim)
        self.embeddings = self.add_weight(
            name="embeddings", shape=shape, initializer=self.embeddings_initializer
        )

    def call(self, ids):
        """Read one row for each id."""
        self._require_ids(ids)
        rows = ops.take(self.embeddings, ops.cast(ids, "int32"), axis=0)
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, ids, mask=None):  # noqa: ARG002
        """Return the mask of the vectors: with `mask_zero`, False where the id is 0."""
        return ops.not_equal(ids, 0) if self.mask_zero else None

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "mask_zero": self.mask_zero,
        }

    def _require_ids(self, ids):
        dtype = str(getattr(ids, "dtype", None))
        if "int" not in dtype and "float" not in dtype:
            raise ValueError(f"`ids` must be whole numbers. Received: ids={ids!r}")
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
        ValueError: the vectors have another shape or are no numbers, or a position is not whole, or is
            negative.
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
        ValueError: `max_length` is not a positive whole number, a sequence is longer or the vectors
            are of another size than before; else as `PositionalEncoding`. Positions can be looked at only
            outside a compiled function.
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
        require_shape(
            "vectors", vectors.shape, ("batch", "time", "dim"), (None, None, self.positions.shape[1])
        )
        vectors = ops.cast(require_floats("vectors", vectors), self.compute_dtype)
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


@keras.saving.register_keras_serializable(package="course_utils")
class TokenAndPositionEmbedding(Layer):
    """What a Transformer reads: `output[b, t] = sqrt(dim) * embeddings[ids[b, t]] + PE(t)`.

    (Vaswani et al. 2017, "Attention Is All You Need", sections 3.4 and 3.5; dropout, section 5.4.)

    Args:
        input_dim: vocabulary size.
        output_dim: size of a vector.
        max_length: learn a position for each of so many places; waves without end if left out.
        dropout: share of the numbers that are dropped in training.

    Call:
        ids: `(batch, time)`.
        position: of the first id, a whole number or one for each row, `(batch,)`.
        Returns vectors, `(batch, time, output_dim)`.

    Raises:
        ValueError: a number is not whole and positive, the dropout is not from 0 to below 1, the ids have
            another shape, one is not in the vocabulary, a position is not whole or is negative, or a
            sequence is longer than `max_length`. Ids and positions can be looked at only outside a compiled
            function.
    """

    def __init__(self, input_dim, output_dim, max_length=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # float16 cannot count beyond 2,048
        self.embedding = Embedding(input_dim, output_dim, dtype=self.dtype_policy)
        self.max_length = max_length
        if max_length is None:
            self.positions = PositionalEncoding(dtype=self.dtype_policy)
        else:
            self.positions = PositionEmbedding(max_length, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(require_rate("dropout", dropout), dtype=self.dtype_policy)

    def build(self, ids_shape):
        """Make the tables."""
        self.embedding.build(ids_shape)
        self.positions.build((*ids_shape, self.embedding.output_dim))

    def call(self, ids, position=0, training=False):
        """Read one row for each id, and write its position into it."""
        require_shape("ids", ids.shape, ("batch", "time"), (None, None))
        vectors = self.embedding(ids) * math.sqrt(self.embedding.output_dim)
        return self.dropout(self.positions(vectors, position=position), training=training)

    def require_length(self, length):
        """Refuse a sequence that is longer than there are positions."""
        if self.max_length is not None and length > self.max_length:
            raise ValueError(
                f"The model knows {self.max_length} positions (`max_length`), and here more are needed. "
                f"Received: length={length}"
            )

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "input_dim": self.embedding.input_dim,
            "output_dim": self.embedding.output_dim,
            "max_length": self.max_length,
            "dropout": self.dropout.rate,
        }
