"""Where to look: scores, a mask, a softmax, and the average that the weights give."""

import math

import keras
import numpy as np
from keras import ops

from course_utils._layer import Layer
from course_utils._validation import (
    agree,
    require_mask,
    require_one_of,
    require_positions,
    require_rate,
    require_three_axes,
    require_whole,
)

SCORES = ("dot", "general", "concat")
ALIGNMENTS = ("monotonic", "predictive")
LARGEST, TINY = float(np.finfo("float32").max), float(np.finfo("float32").tiny)


def masked_softmax(scores, mask=None):
    """Turn scores into weights that sum to one over the positions that count.

        weight_s = exp(score_s) / sum over s' of exp(score_s')

    (Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    equation 6; Luong et al. 2015, equation 7.)

    Args:
        scores: `(..., Tv)`, of any float type; the softmax is taken in float32 at least.
        mask: booleans that broadcast to `scores`, True where a position counts; all count if left out.

    Returns:
        Weights of the shape and type of `scores`: exactly zero where the mask is False, and zeros all
        along a row where nothing counts.

    Raises:
        ValueError: the mask is not boolean, or does not broadcast to the scores.
    """
    require_mask(mask, scores.shape)
    masked = _masked(scores, mask)
    one = scores.shape[-1] == 1  # of which Keras' softmax warns
    weights = ops.ones_like(masked) if one else ops.softmax(masked, axis=-1)
    if mask is not None:  # a row where nothing counts has come out even
        weights = weights * ops.cast(ops.any(mask, axis=-1, keepdims=True), weights.dtype)
    return ops.cast(weights, scores.dtype)


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
    """
    first = ops.expand_dims(ops.cast(query_position, "int32"), -1)
    return ops.expand_dims(first + ops.arange(Tq), -1) >= ops.arange(Tv)


class _Attention(Layer):
    """What every attention between two sequences shares: score, mask, softmax, weighted average.

    A kind of attention says what its scores are, and if need be how weights come from them.
    """

    def build(self, query_shape, value_shape, key_shape=None):
        """Make the weights of the layer, for these sizes of query and key."""
        key_shape = value_shape if key_shape is None else key_shape
        _require_sequences(query_shape, value_shape, key_shape)
        self.sizes = (query_shape[-1], key_shape[-1])
        self.build_scores(*self.sizes)

    def build_scores(self, query_size, key_size):
        """Make what `scores` needs."""
        raise NotImplementedError

    def scores(self, query, key):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        raise NotImplementedError

    def attend(self, query, key, mask, query_position, training):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`."""
        return masked_softmax(self.scores(query, key), mask)

    def call(
        self,
        query,
        value,
        key=None,
        mask=None,
        query_position=0,
        return_attention_scores=False,
        training=False,
    ):
        """Average the values, each weighted by how much the query looks at it."""
        key = value if key is None else key
        self._require_fit(query, value, key, mask)
        weights = self.attend(query, key, mask, query_position, training)
        context = ops.matmul(weights, value)
        return (context, weights) if return_attention_scores else context

    def compute_mask(self, query, previous_mask=None):
        """Pass no mask on: it says which sources count, not which queries."""

    def _require_fit(self, query, value, key, mask):
        _require_sequences(query.shape, value.shape, key.shape)
        sizes = (query.shape[-1], key.shape[-1])
        if sizes != self.sizes:
            raise ValueError(
                f"`query` and `key` must have the sizes {self.sizes}, for which the layer was built. "
                f"Received: sizes={sizes}"
            )
        require_mask(mask, (query.shape[0], query.shape[1], key.shape[1]))


@keras.saving.register_keras_serializable(package="course_utils")
class LuongAttention(_Attention):
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
            `(ids != 0)[:, None, :]`. Give it explicitly: nothing is read from the inputs.
        query_position: index of the first query, one whole number or one for each row, `(batch,)`. Only
            attention that knows positions reads it.
        return_attention_scores: give the weights as well.
        Returns the context, `(batch, Tq, dim)`, and on request the weights, `(batch, Tq, Tv)`. Both are
        zeros where a query may look at nothing.

    Raises:
        ValueError: the score is unknown; an input has another shape than this, or a size that does not
            fit the others or the weights; the mask is not boolean or does not broadcast.
    """

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

    def scores(self, query, key):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        if self.score == "concat":  # [q; k] W = q W_q + k W_k, without writing every pair down
            w_q, w_k = ops.split(self.kernel, [query.shape[-1]], axis=0)
            return _additive_scores(ops.matmul(query, w_q), ops.matmul(key, w_k), self.v)
        if self.score == "general":
            query = ops.matmul(query, self.kernel)
        return ops.matmul(query, ops.swapaxes(key, 1, 2))

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "score": self.score}


@keras.saving.register_keras_serializable(package="course_utils")
class BahdanauAttention(_Attention):
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

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)

    def build_scores(self, query_size, key_size):
        """Make W, U and v."""
        self.query_kernel = self.add_weight(name="query_kernel", shape=(query_size, self.units))
        self.key_kernel = self.add_weight(name="key_kernel", shape=(key_size, self.units))
        self.v = self.add_weight(name="v", shape=(self.units,))

    def scores(self, query, key):
        """Return the score of every query with every key, `(batch, Tq, Tv)`."""
        query, key = ops.matmul(query, self.query_kernel), ops.matmul(key, self.key_kernel)
        return _additive_scores(query, key, self.v)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="course_utils")
class LocalAttention(LuongAttention):
    """Attention to a window of the source (Luong et al. 2015, section 3.2).

        p_t       = t                                         "monotonic": local-m
                    S * sigmoid(v_p . tanh(q_t W_p))          "predictive": local-p (equation 9)
        weights_t = softmax of the scores over the s with |s - p_t| <= window
        weight_ts = weight_ts * exp(-(s - p_t)^2 / (2 sigma^2)),  sigma = window / 2
                                                              local-p alone (equation 10)

    t and s count from zero. S is the true length: one more than the last position that the mask leaves.
    The window lies around p_t, or around the last real position where p_t is beyond it. After the Gaussian,
    which stays around p_t, the weights are not normalised again: they sum to at most one.

    Args:
        window: how far to look to either side, the paper's D.
        alignment: "monotonic" or "predictive".
        score: as in `LuongAttention`.

    Call:
        As `LuongAttention`. With "monotonic", t is `query_position` for the first query. The mask has
        Tv columns: the last one that counts is the true length S.

    Raises:
        ValueError: `window` is not a positive whole number; the alignment is unknown; the query position
            is not whole or not one for each row; the mask has one column for all positions; else as
            `LuongAttention`.
    """

    def __init__(self, window, alignment="monotonic", score="dot", **kwargs):
        super().__init__(score, **kwargs)
        self.window = require_whole("window", window)
        self.alignment = require_one_of("alignment", alignment, ALIGNMENTS)

    def build_scores(self, query_size, key_size):
        """Make what the score needs and, to predict positions, W_p and v_p."""
        super().build_scores(query_size, key_size)
        if self.alignment == "predictive":
            self.position_kernel = self.add_weight(name="position_kernel", shape=(query_size, query_size))
            self.position_v = self.add_weight(name="position_v", shape=(query_size,))

    def attend(self, query, key, mask, query_position, training):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`: zero outside the window."""
        mask = ops.ones((1, 1, ops.shape(key)[1]), "bool") if mask is None else mask
        positions = ops.arange(ops.shape(key)[1], dtype="float32")
        length = _true_length(mask)
        p = self.centers(query, length, query_position)
        near = ops.abs(positions - ops.minimum(p, length - 1)) <= self.window
        weights = masked_softmax(self.scores(query, key), ops.logical_and(mask, near))
        if self.alignment == "predictive":
            sigma = self.window / 2
            gaussian = ops.exp(-((positions - p) ** 2) / (2 * sigma**2))
            weights = weights * ops.cast(gaussian, weights.dtype)
        return weights

    def centers(self, query, length, query_position):
        """Return p_t, `(batch, Tq, 1)` or what broadcasts to it, in float32."""
        if self.alignment == "monotonic":
            return require_positions("query_position", query_position, query)
        inner = ops.tanh(ops.matmul(query, self.position_kernel))
        inner = ops.sum(inner * self.position_v, axis=-1, keepdims=True)
        return length * ops.sigmoid(ops.cast(inner, "float32"))  # float16 is too coarse for positions

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "window": self.window, "alignment": self.alignment}

    def _require_fit(self, query, value, key, mask):
        super()._require_fit(query, value, key, mask)
        if mask is not None and not agree(mask.shape[-1:], key.shape[1:2]):
            raise ValueError(
                f"The true length is read from `mask`, so it needs {key.shape[1]} columns, one for each "
                f"position. Received: mask={tuple(mask.shape)}"
            )


@keras.saving.register_keras_serializable(package="course_utils")
class HardAttention(LuongAttention):
    """Attention to one position alone (Xu et al. 2015, "Show, Attend and Tell", section 4.1).

        s_t       drawn with the probabilities softmax over s of score(q_t, k_s)     (equation 8)
        weights_t = 1 at s_t, 0 elsewhere
        context_t = value at s_t                                                     (equation 9)

    In training the position is drawn; otherwise it is the most probable one. No gradient passes from the
    context to the scores: a model learns them through `log_prob`, as `HardAttentionModel` does.

    Args:
        score: as in `LuongAttention`. The paper's own is a small network: "concat".
        seed: a whole number for draws that can be repeated; by default it comes from Keras' global seed.

    Call:
        As `LuongAttention`, with `training=True` for draws.

    Raises:
        ValueError: as `LuongAttention`.
    """

    def __init__(self, score="dot", seed=None, **kwargs):
        super().__init__(score, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def attend(self, query, key, mask, query_position, training):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`: one of a row is 1, drawn in training."""
        scores = _masked(self.scores(query, key), mask)
        if training:  # the largest of score + Gumbel noise is a draw from the softmax (Gumbel 1954)
            uniform = keras.random.uniform(ops.shape(scores), TINY, 1, "float32", self.seed_generator)
            scores = _masked(scores - ops.log(-ops.log(uniform)), mask)
        chosen = ops.expand_dims(ops.argmax(scores, axis=-1), -1) == ops.arange(ops.shape(key)[1])
        if mask is not None:
            chosen = ops.logical_and(chosen, mask)
        return ops.cast(chosen, query.dtype)

    def log_prob(self, weights, query, value, mask=None, key=None):
        """Return the log-probability of a draw.

        Args:
            weights: one-hot, `(batch, Tq, Tv)`, as the layer gave them.
            query, value, mask, key: what the layer was called on.

        Returns:
            `(batch, Tq)`, in float32 at least; zero where a query may look at nothing.

        Raises:
            ValueError: as for the call.
        """
        key = value if key is None else key
        self._require_fit(query, value, key, mask)
        log_weights = ops.log_softmax(_masked(self.scores(query, key), mask), axis=-1)
        return ops.sum(ops.where(weights > 0, log_weights, 0.0), axis=-1)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="course_utils")
class HardAttentionModel(keras.Model):
    """Answers one query through hard attention, and owns the loss that teaches it where to look.

        loss     = mean over i of loss_i + stop_gradient(loss_i - baseline) * log_prob_i
        baseline = baseline_decay * baseline + (1 - baseline_decay) * mean over i of loss_i

    REINFORCE (Williams 1992) with a running baseline (Xu et al. 2015, section 4.1). The paper's entropy
    term, and its soft weights in half of the examples, drawn at random, are left out.

    Args:
        encode: a functional model that gives attention's arguments by name: a dict with `query`,
            `(batch, 1, dim)`, `value`, and if wanted `key` and `mask`.
        attention: a `HardAttention`.
        answer: a layer or model from the context, `(batch, dim)`, to the prediction.
        baseline_decay: how much of the baseline stays at each step, from 0 to 1. The baseline starts at
            zero, so 1 trains without one.

    Call:
        inputs: what `encode` reads.
        Returns a dict: `prediction`, `weights`, `(batch, Tv)`, and their `log_prob`, `(batch,)`. Loss and
        metrics given to `compile` see the prediction alone; the loss may be any that gives one number for
        each example.

    Raises:
        ValueError: `encode` gives no query and value, or more than one query; `attention` has no
            `log_prob`; or the decay is not between 0 and 1.
    """

    def __init__(self, encode, attention, answer, baseline_decay=0.9, **kwargs):
        super().__init__(**kwargs)
        given = getattr(encode, "output", None)
        if not isinstance(given, dict) or not {"query", "value"} <= given.keys():
            raise ValueError(
                "`encode` must be a functional model that gives a dict with `query` and `value`. "
                f"Received: encode={encode}"
            )
        if not hasattr(attention, "log_prob"):
            raise ValueError(f"`attention` must have a `log_prob`. Received: attention={attention}")
        if not 0 <= baseline_decay <= 1:
            raise ValueError(
                f"`baseline_decay` must be between 0 and 1. Received: baseline_decay={baseline_decay!r}"
            )
        self.encode, self.attention, self.answer = encode, attention, answer
        self.baseline_decay = baseline_decay
        self.baseline = self.add_weight(name="baseline", shape=(), initializer="zeros", trainable=False)

    def build(self, inputs_shape):  # noqa: ARG002
        """Build attention and answer on what `encode` gives."""
        given = self.encode.output
        if not self.attention.built:
            key = given.get("key", given["value"])
            self.attention.build(given["query"].shape, given["value"].shape, key.shape)
        if not self.answer.built:
            self.answer.build((None, given["value"].shape[-1]))

    def call(self, inputs, training=False):
        """Look at one position, and answer from it."""
        encoded = self.encode(inputs, training=training)
        if encoded["query"].shape[1] not in (None, 1):
            raise ValueError(
                "`encode` must give one query, of the shape (batch, 1, dim). "
                f"Received: query={tuple(encoded['query'].shape)}"
            )
        context, weights = self.attention(**encoded, return_attention_scores=True, training=training)
        log_prob = self.attention.log_prob(weights, **encoded)
        return {
            "prediction": self.answer(context[:, 0]),
            "weights": weights[:, 0],
            "log_prob": log_prob[:, 0],
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # noqa: ARG002
        """Return the mean loss and, in training, what makes its gradient that of the expected loss."""
        loss = keras.losses.get(self.loss)
        losses = getattr(loss, "call", loss)(y, ops.cast(y_pred["prediction"], "float32"))  # one an example
        mean = ops.mean(losses)
        if training:
            losses = losses + ops.stop_gradient(losses - self.baseline) * y_pred["log_prob"]
            self.baseline.assign(self.baseline_decay * self.baseline + (1 - self.baseline_decay) * mean)
        if sample_weight is not None:
            losses = losses * sample_weight
        return ops.mean(losses) + sum(self.losses)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Measure the prediction alone."""
        return super().compute_metrics(x, y, y_pred["prediction"], sample_weight)

    def get_config(self):
        """Return the arguments, for saving."""
        parts = {"encode": self.encode, "attention": self.attention, "answer": self.answer}
        saved = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **saved, "baseline_decay": self.baseline_decay}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the model from `get_config`."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("encode", "attention", "answer")
        }
        return cls(**{**config, **parts})


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
        Returns h~, `(batch, units)`, and on request the weights, `(batch, T)`.

    Raises:
        ValueError: `units` is not a positive whole number; the score is unknown; the value has another
            shape than this; the mask is not boolean or has another shape.
    """

    def __init__(self, units, score="general", include_last=True, **kwargs):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)
        self.include_last = include_last
        self.attention = LuongAttention(score, dtype=self.dtype_policy)

    def build(self, value_shape):
        """Build the attention, and make W."""
        require_three_axes(value=value_shape)
        self.attention.build((value_shape[0], 1, value_shape[-1]), value_shape)
        self.kernel = self.add_weight(name="kernel", shape=(2 * value_shape[-1], self.units))

    def call(self, value, mask=None, return_attention_scores=False):
        """Look back from the last real state."""
        require_three_axes(value=value.shape)
        require_mask(mask, value.shape[:2], broadcast=False)
        mask = ops.ones(ops.shape(value)[:2], "bool") if mask is None else mask
        is_last = ops.arange(ops.shape(value)[1], dtype="float32") == _true_length(mask) - 1
        last = ops.matmul(ops.cast(is_last, value.dtype)[:, None], value)  # h*, (batch, 1, dim)
        if not self.include_last:
            mask = ops.logical_and(mask, ops.logical_not(is_last))
        context, weights = self.attention(last, value, mask=mask[:, None], return_attention_scores=True)
        pooled = ops.tanh(ops.matmul(ops.concatenate([context, last], axis=-1)[:, 0], self.kernel))
        return (pooled, weights[:, 0]) if return_attention_scores else pooled

    def compute_mask(self, value, previous_mask=None):
        """Pass no mask on: time is gone."""

    def get_config(self):
        """Return the arguments, for saving."""
        own = {"units": self.units, "score": self.attention.score, "include_last": self.include_last}
        return {**super().get_config(), **own}


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
        mask: booleans `(batch, T)`, True where a position counts; all count if left out.
        return_attention_scores: give the weights as well.
        Returns the contexts, `(batch, T, dim)`, and on request the weights, `(batch, T, T)`.

    Raises:
        ValueError: the value has another shape than this; the mask is not boolean or has another shape.
    """

    def __init__(self, causal=False, **kwargs):
        super().__init__(**kwargs)
        self.causal = causal
        self.attention = LuongAttention("dot", dtype=self.dtype_policy)

    def build(self, value_shape):
        """Build the attention, which has no weights."""
        require_three_axes(value=value_shape)
        self.attention.build(value_shape, value_shape)

    def call(self, value, mask=None, return_attention_scores=False):
        """Look from every position at every position."""
        require_three_axes(value=value.shape)
        require_mask(mask, value.shape[:2], broadcast=False)
        mask = ops.ones(ops.shape(value)[:2], "bool") if mask is None else mask
        mask = mask[:, None]
        if self.causal:
            mask = ops.logical_and(mask, causal_mask(*2 * [ops.shape(value)[1]]))
        return self.attention(value, value, mask=mask, return_attention_scores=return_attention_scores)

    def compute_mask(self, value, previous_mask=None):
        """Pass no mask on: whoever needs it has the ids."""

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "causal": self.causal}


@keras.saving.register_keras_serializable(package="course_utils")
class MultiHeadAttention(_Attention):
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
        key_dim: size of a query, key and value within one head.
        dropout: share of the weights that are dropped in training.

    Call:
        As `LuongAttention`; query, key and value may have different sizes. The context has the size of the
        query, and the weights are those of every head, before dropout: `(batch, num_heads, Tq, Tv)`. Where
        a query may look at nothing, its weights are zeros and its context is the last projection's bias.

    Raises:
        ValueError: a number is not whole and positive; the dropout is not from 0 to below 1; else as
            `LuongAttention`.
    """

    def __init__(self, num_heads, key_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = require_whole("num_heads", num_heads)
        self.key_dim = require_whole("key_dim", key_dim)
        self.dropout = keras.layers.Dropout(require_rate("dropout", dropout), dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        """Make the four projections."""
        super().build(query_shape, value_shape, key_shape)
        self.value_dense = self._into_heads("value", value_shape[-1])
        self.output_dense = self._out_of_heads("attention_output", query_shape[-1])

    def build_scores(self, query_size, key_size):
        """Make the projections of queries and keys."""
        self.query_dense = self._into_heads("query", query_size)
        self.key_dense = self._into_heads("key", key_size)

    def call(
        self,
        query,
        value,
        key=None,
        mask=None,
        query_position=0,  # noqa: ARG002
        return_attention_scores=False,
        training=False,
    ):
        """Let every head average the values that it looks at, and mix what the heads found."""
        key = value if key is None else key
        self._require_fit(query, value, key, mask)
        keys, values = self.keys_and_values(value, key)
        context, weights = self.look(query, keys, values, mask, training)
        return (context, weights) if return_attention_scores else context

    def keys_and_values(self, value, key=None):
        """Return what every later query looks at: `(batch, Tv, num_heads, key_dim)`, twice."""
        return self.key_dense(value if key is None else key), self.value_dense(value)

    def look(self, query, keys, values, mask=None, training=False):
        """Look from every query at keys and values that are projected already.

        Args:
            query: `(batch, Tq, dim)`.
            keys, values: as `keys_and_values` returns them.
            mask: as in the call.
            training: whether to drop weights.

        Returns:
            The context, `(batch, Tq, dim)`, and the weights, `(batch, num_heads, Tq, Tv)`.
        """
        queries = self.query_dense(query) / math.sqrt(self.key_dim)
        scores = ops.einsum("bqhd,bvhd->bhqv", queries, keys)
        every_head = mask if mask is None or len(mask.shape) < 3 else mask[:, None]
        weights = masked_softmax(scores, every_head)
        heads = ops.einsum("bhqv,bvhd->bqhd", self.dropout(weights, training=training), values)
        return self.output_dense(heads), weights

    def get_config(self):
        """Return the arguments, for saving."""
        own = {"num_heads": self.num_heads, "key_dim": self.key_dim, "dropout": self.dropout.rate}
        return {**super().get_config(), **own}

    def _into_heads(self, name, size):
        return self._projection(name, "btf,fhd->bthd", (size,), (self.num_heads, self.key_dim))

    def _out_of_heads(self, name, size):
        return self._projection(name, "bthd,hdf->btf", (self.num_heads, self.key_dim), (size,))

    def _projection(self, name, equation, given, made):
        limit = math.sqrt(6 / (math.prod(given) + math.prod(made)))
        projection = keras.layers.EinsumDense(
            equation,
            (None, *made),
            bias_axes=equation[-len(made) :],
            kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
            dtype=self.dtype_policy,
            name=name,
        )
        projection.build((None, None, *given))
        return projection


def _additive_scores(query, key, v):
    """Return v . tanh(q + k) for every pair: from `(batch, Tq, units)` and `(batch, Tv, units)`."""
    return ops.matmul(ops.tanh(query[:, :, None] + key[:, None]), v)  # tanh of (batch, Tq, Tv, units)


def _masked(scores, mask):
    """Return scores in float32 at least, and where the mask is False, so low that no weight is left."""
    wide = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if wide.dtype != scores.dtype:  # a product in float16 may have gone to infinity
        wide = ops.clip(wide, -LARGEST / 8, LARGEST / 8)
    return wide if mask is None else wide + ops.where(mask, 0.0, -LARGEST / 2)


def _true_length(mask):
    """Return one more than the last position that counts, `(..., 1)` for a mask `(..., Tv)`."""
    ends = ops.arange(1, ops.shape(mask)[-1] + 1, dtype="float32")
    return ops.max(ops.where(mask, ends, 0.0), axis=-1, keepdims=True)


def _require_sequences(query, value, key):
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
