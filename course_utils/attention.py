"""Attention: a score, a mask, a softmax, and the average that the weights give."""

import keras
import numpy as np
from keras import ops

from course_utils._layer import Layer, attached_mask
from course_utils._validation import (
    agree,
    require_flag,
    require_floats,
    require_mask,
    require_one_of,
    require_three_axes,
    require_whole,
    whole_positions,
)

SCORES = ("dot", "general", "concat")
LARGEST = float(np.finfo("float32").max)


def masked_softmax(scores, mask=None):
    """Turn scores into weights that sum to one over the positions that count.

        weight_s = exp(score_s) / sum over s' of exp(score_s')

    (Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    equation 6; Luong et al. 2015, equation 7.)

    Args:
        scores: `(..., Tv)`; the softmax is taken in float32 at least.
        mask: booleans that broadcast to `scores`, True where a position counts; all count if left out.

    Returns:
        Weights of the shape and float type of `scores`: exactly zero where the mask is False, and zeros all
        along a row where nothing counts.

    Raises:
        ValueError: the scores are no numbers or have no axis; the mask is not boolean, or does not
            broadcast to them.
    """
    scores = require_floats("scores", scores)
    require_mask(mask, scores.shape)
    masked = mask_scores(scores, mask)
    one = scores.shape[-1] == 1  # of which Keras' softmax warns
    weights = ops.ones_like(masked) if one else ops.softmax(masked, axis=-1)
    if mask is not None:  # a row where nothing counts has come out even
        weights = weights * ops.cast(mask, weights.dtype)
    return ops.cast(weights, scores.dtype)


def mask_scores(scores, mask):
    """Return scores in float32 at least, and where the mask is False, so low that no weight is left."""
    wide = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if wide.dtype != scores.dtype:  # a product in float16 may have gone to infinity
        wide = ops.clip(wide, -LARGEST / 8, LARGEST / 8)
    return wide if mask is None else wide + ops.cast(ops.where(mask, 0.0, -LARGEST / 2), wide.dtype)


def causal_mask(Tq, Tv, query_position=0):  # noqa: N803
    """Say where each query may look when the future is hidden: at itself and at what came before.

    (Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3.)

    Args:
        Tq, Tv: how many queries and how many values there are.
        query_position: index of the first query among the values, one whole number or one for each row,
            `(batch,)`.

    Returns:
        Booleans `(Tq, Tv)`, or `(batch, Tq, Tv)` for one position a row. With padding hidden too:
        `causal_mask(Tq, Tv) & (ids != 0)[:, None, :]`.

    Raises:
        ValueError: a number is not whole or is negative, or positions have more than one axis.
    """
    first = whole_positions("query_position", query_position)
    queries = first[..., None] + _places("Tq", Tq)
    return ops.expand_dims(queries, -1) >= _places("Tv", Tv)


class BaseAttention(Layer):
    """What every attention between two sequences shares: project once, then score, mask, weight, average.

    A kind of attention says what its scores are, and if need be how weights come from them.
    """

    sized = ()  # `require_fit` looks at query and key, and values may be of any size

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, query_shape, value_shape, key_shape=None):
        """Make the weights of the layer, for these sizes of query and key."""
        key_shape = value_shape if key_shape is None else key_shape
        require_sequences(query_shape, value_shape, key_shape)
        self.sizes = (query_shape[-1], key_shape[-1])
        self.build_scores(*self.sizes)

    def build_scores(self, query_size, key_size):
        """Make what `scores` needs."""
        raise NotImplementedError

    def project(self, value, key=None):
        """Return what all queries attend to: the keys, as `scores` wants them, and the values.

        Args:
            value, key: as in the call.
        """
        return value if key is None else key, value

    def scores(self, query, keys):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        raise NotImplementedError

    def align(self, query, keys, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`."""
        return masked_softmax(self.scores(query, keys), mask)

    def attend(self, query, keys, values, mask=None, query_position=0, training=False):
        """Average what `project` returned by the weights; return the context and the weights."""
        weights = self.align(query, keys, mask, query_position, training)
        return ops.matmul(weights, values), weights

    def call(
        self,
        query,
        value,
        key=None,
        mask=None,
        query_position=0,
        use_causal_mask=False,
        return_attention_scores=False,
        training=False,
    ):
        """Average the values, each weighted by how much the query attends to it."""
        mask = self.all_masks(query, value, key, mask, use_causal_mask, query_position)
        keys, values = self.project(value, key)
        context, weights = self.attend(query, keys, values, mask, query_position, training)
        return (context, weights) if return_attention_scores else context

    def compute_mask(self, query, previous_mask=None):  # noqa: ARG002
        """Pass on which queries count."""
        return attached_mask(query)

    def all_masks(self, query, value, key, mask, use_causal_mask=False, query_position=0):
        """Refuse inputs that do not fit, and return all masks in one: given, attached, causal."""
        key = value if key is None else key
        self.require_fit(query, value, key, mask)
        attached = [attached_mask(query), attached_mask(value), attached_mask(key)]
        masks = [mask, *(each if each is None else each[:, None] for each in attached[1:])]
        masks += [] if attached[0] is None else [attached[0][:, :, None]]
        if use_causal_mask:
            masks.append(causal_mask(ops.shape(query)[1], ops.shape(value)[1], query_position))
        return both(*masks)

    def require_fit(self, query, value, key, mask):
        """Refuse inputs whose shapes do not fit each other or the weights."""
        require_sequences(query.shape, value.shape, key.shape)
        sizes = (query.shape[-1], key.shape[-1])
        if sizes != self.sizes:
            raise ValueError(
                f"`query` and `key` must have the sizes {self.sizes}, for which the layer was built. "
                f"Received: sizes={sizes}"
            )
        require_mask(mask, (query.shape[0], query.shape[1], key.shape[1]))


@keras.saving.register_keras_serializable(package="course_utils")
class LuongAttention(BaseAttention):
    """Global attention (Luong et al. 2015, "Effective Approaches to Attention-based NMT", section 3.1).

        weights_t    = softmax over s of score(q_t, k_s)      (equation 7)
        score(q, k)  = q . k                  "dot"
                       q W . k                "general"
                       v . tanh([q; k] W)     "concat"
        context_t    = sum over s of weight_ts * value_s

    What the paper makes of the context, h~ = tanh(W[c; h]) in equation 5, is the decoder's part.

    Args:
        score: "dot", "general" or "concat". "dot" has no weights of its own and takes only a query and a
            key of one size; "concat" has as many tanh units as the query has features.

    Call:
        query: who looks, `(batch, Tq, query_dim)`.
        value: what is averaged, `(batch, Tv, dim)`.
        key: what the query is compared with, `(batch, Tv, key_dim)`; the value if left out.
        mask: booleans that broadcast to `(batch, Tq, Tv)`, True where a query may look; for padding
            `(ids != 0)[:, None, :]`. Masks that Keras' layers have attached to query, value and key count
            besides, as in Keras' layers: a padded query looks at nothing, and nobody looks at padding.
        query_position: index of the first query, one whole number or one for each row, `(batch,)`. Read
            with `use_causal_mask`, and by attention that knows positions (`LocalAttention`).
        use_causal_mask: hide from each query what comes after it, as `causal_mask` does.
        return_attention_scores: give the weights as well.
        Returns the context, `(batch, Tq, dim)`, and on request the weights, `(batch, Tq, Tv)`. Both are
        zeros where a query may look at nothing.

    Raises:
        ValueError: the score is unknown; an input has another shape than this, or a size that does not
            fit the others or the weights; the mask is not boolean or does not broadcast.
    """

    arguments = ("score",)

    def __init__(self, score="dot", **kwargs):
        super().__init__(**kwargs)
        self.score = require_one_of("score", score, SCORES)

    def build_scores(self, query_size, key_size):
        """Make W and v, as far as the score has them."""
        if self.score == "dot" and query_size != key_size:
            raise ValueError(
                'The score "dot" needs a query and a key of one size. '
                f"Received: sizes={(query_size, key_size)}"
            )
        if self.score == "general":
            self.kernel = self.add_weight(name="kernel", shape=(query_size, key_size))
        if self.score == "concat":
            self.kernel = self.add_weight(name="kernel", shape=(query_size + key_size, query_size))
            self.v = self.add_weight(name="v", shape=(query_size,))

    def project(self, value, key=None):
        """Return the keys, with "concat" times their part of W, and the values."""
        keys = value if key is None else key
        if self.score == "concat":  # [q; k] W = q W_q + k W_k, without writing every pair down
            keys = ops.matmul(keys, self.kernel[self.sizes[0] :])
        return keys, value

    def scores(self, query, keys):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        if self.score == "concat":
            return additive_scores(product(query, self.kernel[: self.sizes[0]]), keys, self.v)
        if self.score == "general":
            query = product(query, self.kernel)
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))


@keras.saving.register_keras_serializable(package="course_utils")
class BahdanauAttention(BaseAttention):
    """Additive attention (Bahdanau et al. 2015, "Jointly Learning to Align and Translate").

        weights_t   = softmax over s of score(q_t, k_s)       (equation 6)
        score(q, k) = v . tanh(q W + k U)                     (appendix A.1.2)
        context_t   = sum over s of weight_ts * value_s       (equation 5)

    In the paper the query is the decoder's state before the step. Which state is given, and where the
    context goes, is the decoder's part.

    Args:
        units: size of the tanh layer, the columns of W and U.

    Call:
        As `LuongAttention`. Query and key may have different sizes.

    Raises:
        ValueError: `units` is not a positive whole number; else as `LuongAttention`.
    """

    arguments = ("units",)

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)

    def build_scores(self, query_size, key_size):
        """Make W, U and v."""
        self.query_kernel = self.add_weight(name="query_kernel", shape=(query_size, self.units))
        self.key_kernel = self.add_weight(name="key_kernel", shape=(key_size, self.units))
        self.v = self.add_weight(name="v", shape=(self.units,))

    def project(self, value, key=None):
        """Return the keys times U, and the values."""
        return ops.matmul(value if key is None else key, self.key_kernel), value

    def scores(self, query, keys):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        return additive_scores(product(query, self.query_kernel), keys, self.v)


@keras.saving.register_keras_serializable(package="course_utils")
class AttentionPooling(Layer):
    """Attention from the last state to all of them: many to one.

        weights = softmax over i of score(h*, h_i)
        c       = sum over i of weight_i * h_i
        h~      = tanh([c; h*] W)

    (Luong et al. 2015, equations 7 and 5, where a decoder's state asks.) Here it is h*, the last state that
    the mask leaves, not padding.

    Args:
        units: size of h~.
        score: as in `LuongAttention`. "dot" finds h* most like itself, so that much of the weight stays on
            the last step where states differ much; "general", the default, can learn to look elsewhere.
        include_last: whether h* is one of the h_i. Without it a sequence of one step has nothing to look
            at, and its context is zeros.

    Call:
        value: the states h_1 to h_T, `(batch, T, dim)`.
        mask: booleans `(batch, T)`, True where a step counts. Left out, a mask that a layer of Keras has
            attached to the value is read; without one all count.
        return_attention_scores: give the weights as well.
        Returns h~, `(batch, units)`, and on request the weights, `(batch, T)`. Time is gone, and with it
        the mask.

    Raises:
        ValueError: `units` is not a positive whole number; the score is unknown; the value has another
            shape than this; the mask is not boolean or has another shape.
    """

    arguments = ("units", "score", "include_last")

    def __init__(self, units, score="general", include_last=True, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = require_whole("units", units)
        self.score, self.include_last = score, require_flag("include_last", include_last)
        self.attention = LuongAttention(score, dtype=self.dtype_policy)

    def build(self, value_shape):
        """Build the attention, and make W."""
        require_three_axes(value=value_shape)
        self.attention.build((value_shape[0], 1, value_shape[-1]), value_shape)
        self.kernel = self.add_weight(name="kernel", shape=(2 * value_shape[-1], self.units))

    def call(self, value, mask=None, return_attention_scores=False):
        """Look back from the last real state."""
        mask = mask_of(value, mask)
        is_last = ops.arange(ops.shape(value)[1], dtype="float32") == true_length(mask) - 1
        last = ops.matmul(ops.cast(is_last, value.dtype)[:, None], value)  # h*, (batch, 1, dim)
        mask = mask if self.include_last else both(mask, ops.logical_not(is_last))
        context, weights = self.attention.attend(last, *self.attention.project(value), mask[:, None])
        joined = ops.concatenate([context, last], axis=-1)[:, 0]
        pooled = ops.tanh(ops.matmul(joined, self.kernel))
        return (pooled, weights[:, 0]) if return_attention_scores else pooled

    def compute_mask(self, value, previous_mask=None):
        """Pass no mask on: time is gone."""


@keras.saving.register_keras_serializable(package="course_utils")
class SelfAttention(Layer):
    """A sequence looks at itself, bare: every position at every position, without a weight to learn.

        weights_i = softmax over j of x_i . x_j
        context_i = sum over j of weight_ij * x_j

    Dot attention (`LuongAttention`) in which query, key and value are the same sequence.

    Args:
        causal: whether each position sees only itself and what came before.

    Call:
        value: the sequence, `(batch, T, dim)`.
        mask: booleans `(batch, T)`, True where a position counts. Left out, a mask that a layer of Keras has
            attached to the value is read; without one all count.
        return_attention_scores: give the weights as well.
        Returns the contexts, `(batch, T, dim)`, and on request the weights, `(batch, T, T)`.

    Raises:
        ValueError: the value has another shape than this; the mask is not boolean or has another shape.
    """

    arguments = ("causal",)

    def __init__(self, causal=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.causal = require_flag("causal", causal)
        self.attention = LuongAttention("dot", dtype=self.dtype_policy)

    def build(self, value_shape):
        """Build the attention, which has no weights."""
        require_three_axes(value=value_shape)
        self.attention.build(value_shape, value_shape)

    def call(self, value, mask=None, return_attention_scores=False):
        """Look from every position at every position."""
        mask = self_mask(value, mask, self.causal)
        context, weights = self.attention.attend(value, value, value, mask)
        return (context, weights) if return_attention_scores else context


def _places(name, length):
    """Return 0, 1, ..., `length` - 1."""
    tensor = hasattr(length, "dtype") and length.shape == () and "int" in str(length.dtype)
    symbol = type(length).__module__.startswith("jax")  # a length that JAX will know later
    return ops.arange(length if tensor or symbol else require_whole(name, length, least=0))


def product(query, kernel):
    """Return `query`, `(batch, Tq, dim)`, times `kernel`; a single one in a form that XLA takes in a loop."""
    one = query.shape[1] == 1
    return ops.expand_dims(ops.matmul(ops.squeeze(query, 1), kernel), 1) if one else ops.matmul(query, kernel)


def additive_scores(query, key, v):
    """Return v . tanh(q + k) for every pair: from `(batch, Tq, units)` and `(batch, Tv, units)`."""
    hidden = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))  # (batch, Tq, Tv, units)
    return ops.sum(hidden * v, axis=-1) if query.shape[1] == 1 else ops.matmul(hidden, v)  # as in `product`


def both(*masks):
    """Return one mask that is True where all are; those that are None leave all."""
    masks = [mask for mask in masks if mask is not None]
    if not masks:
        return None
    mask, *others = masks
    for other in others:
        mask = ops.logical_and(mask, other)
    return mask


def mask_of(value, mask, name="mask"):
    """Return the mask of a sequence, given or attached or else all True; refuse one that does not fit."""
    require_three_axes(value=value.shape)
    mask = attached_mask(value) if mask is None else mask
    require_mask(mask, value.shape[:2], broadcast=False, name=name)
    return ops.ones(ops.shape(value)[:2], "bool") if mask is None else mask


def self_mask(value, mask, causal):
    """Say where each position of a sequence may look in it, `(batch, 1, T)`, or `(batch, T, T)` if causal."""
    mask, time = mask_of(value, mask)[:, None], ops.shape(value)[1]
    return both(mask, causal_mask(time, time)) if causal else mask


def true_length(mask):
    """Return one more than the last position that counts, `(..., 1)` for a mask `(..., Tv)`."""
    ends = ops.arange(1, ops.shape(mask)[-1] + 1, dtype="float32")
    return ops.max(ops.where(mask, ends, 0.0), axis=-1, keepdims=True)


def require_sequences(query, value, key):
    """Refuse shapes of query, value and key that are not those of three sequences that go together."""
    require_three_axes(query=query, value=value, key=key)
    query, value, key = tuple(query), tuple(value), tuple(key)
    if not agree(value[:2], key[:2]):
        raise ValueError(
            f"`value` and `key` must have one batch size and one length. Received: value={value}, key={key}"
        )
    if not agree(query[:1], value[:1]):
        raise ValueError(
            f"`query` and `value` must have one batch size. Received: query={query}, value={value}"
        )
