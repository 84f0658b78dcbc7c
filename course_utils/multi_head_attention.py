"""Many attentions side by side: queries, keys and values are projected for each head."""

import math

import keras
from keras import ops

from course_utils._validation import require_flag, require_rate, require_whole
from course_utils.attention import BaseAttention, masked_softmax


@keras.saving.register_keras_serializable(package="course_utils")
class MultiHeadAttention(BaseAttention):
    """Many attentions side by side, each on projections of its own (Vaswani et al. 2017, section 3.2).

        head_i  = softmax(Q_i K_i^T / sqrt(key_dim)) V_i,  Q_i = query W_i^Q,  K_i = key W_i^K,
                                                           V_i = value W_i^V            (equation 1)
        context = [head_1; ...; head_n] W^O                                             (section 3.2.2)

    Every projection has a bias, which the paper does without. Kernels begin uniform with the limit
    sqrt(6 / (rows + columns)), where a kernel's rows and columns are those of all heads together
    (Glorot and Bengio 2010, "Understanding the Difficulty of Training Deep Feedforward Neural Networks",
    equation 16).

    Args:
        num_heads: how many attentions.
        key_dim: size of a query and key within one head.
        value_dim: size of a value within one head; `key_dim` if left out.
        dropout: share of the weights that are dropped in training.
        use_bias: whether the projections have a bias.

    Call:
        As `LuongAttention`; query, key and value may have different sizes. The context has the size of the
        query, and the weights are those of every head, before dropout: `(batch, num_heads, Tq, Tv)`. Where
        a query may look at nothing, its weights are zeros and its context is the last projection's bias.

    Raises:
        ValueError: a number is not whole and positive; the dropout is not from 0 to below 1; else as
            `LuongAttention`.
    """

    sized = ("value",)
    arguments = ("num_heads", "key_dim", "value_dim", "dropout", "use_bias")

    def __init__(self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = require_whole("num_heads", num_heads)
        self.key_dim = require_whole("key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else require_whole("value_dim", value_dim)
        self.dropout = require_rate("dropout", dropout)
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.use_bias = require_flag("use_bias", use_bias)

    def build(self, query_shape, value_shape, key_shape=None):
        """Make the four projections."""
        super().build(query_shape, value_shape, key_shape)
        self.value_dense = self._into_heads("value", value_shape[-1], self.value_dim)
        self.output_dense = self._out_of_heads("attention_output", query_shape[-1])

    def build_scores(self, query_size, key_size):
        """Make the projections of queries and keys."""
        self.query_dense = self._into_heads("query", query_size, self.key_dim)
        self.key_dense = self._into_heads("key", key_size, self.key_dim)

    def project(self, value, key=None):
        """Return keys and values of every head, `(batch, num_heads, Tv, key_dim)` and `(..., value_dim)`."""
        keys, values = self.key_dense(value if key is None else key), self.value_dense(value)
        return ops.swapaxes(keys, 1, 2), ops.swapaxes(values, 1, 2)

    def scores(self, query, keys):
        """Return the score of every query with every key in every head, `(batch, num_heads, Tq, Tv)`."""
        queries = self.query_dense(query) / math.sqrt(self.key_dim)
        return ops.einsum("bqhd,bhvd->bhqv", queries, keys)

    def align(self, query, keys, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Return the weights of every head: one mask serves all of them."""
        every_head = mask if mask is None or len(mask.shape) < 3 else mask[:, None]
        return masked_softmax(self.scores(query, keys), every_head)

    def attend(self, query, keys, values, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Let every head average the values that it attends to, and mix what the heads found."""
        weights = self.align(query, keys, mask)
        heads = ops.einsum("bhqv,bhvd->bqhd", self.drop(weights), values)
        return self.output_dense(heads), weights

    def _into_heads(self, name, size, dim):
        return self._projection(name, "btf,fhd->bthd", (size,), (self.num_heads, dim))

    def _out_of_heads(self, name, size):
        return self._projection(name, "bthd,hdf->btf", (self.num_heads, self.value_dim), (size,))

    def _projection(self, name, equation, given, made):
        limit = math.sqrt(6 / (math.prod(given) + math.prod(made)))
        projection = keras.layers.EinsumDense(
            equation,
            (None, *made),
            bias_axes=equation[-len(made) :] if self.use_bias else None,
            kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
            dtype=self.dtype_policy,
            name=name,
        )
        projection.build((None, None, *given))
        projection.supports_masking = True  # else it would warn of one that is attached
        return projection
