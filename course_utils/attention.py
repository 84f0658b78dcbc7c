"""Where to look: scores, a mask, a softmax, and the average that the weights give."""

import keras
import numpy as np
from keras import ops

from course_utils._validation import require_one_of, require_whole

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
    _require_mask(mask, scores.shape)
    weights = ops.exp(ops.log_softmax(_masked(scores, mask), axis=-1))  # softmax warns of a single position
    if mask is not None:
        weights = ops.where(mask, weights, 0.0)  # a row where nothing counts has come out even
    return ops.cast(weights, scores.dtype)


class _Attention(keras.layers.Layer):
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
        _require_mask(mask, (query.shape[0], query.shape[1], key.shape[1]))


@keras.saving.register_keras_serializable(package="course_utils")
class LuongAttention(_Attention):
    """Global attention (Luong et al. 2015, "Effective Approaches to Attention-based NMT", section 3.1).

        weights_t    = softmax over s of score(q_t, k_s)      (equation 7)
        score(q, k)  = q . k                  "dot"           (equation 8)
                       q W . k                "general"
                       v . tanh([q; k] W)     "concat"
        context_t    = sum over s of weight_ts * value_s

    What the paper makes of the context, h~ = tanh(W[c; h]) in equation 5, is the decoder's part.

    Args:
        score: "dot", "general" or "concat". "dot" has no weights of its own and takes only a query and a
            key of one size; "concat" has as many tanh units as the query has features.

    Call:
        query: who looks, `(batch, Tq, dim)`.
        value: what is averaged, `(batch, Tv, dim)`.
        key: what the query is compared with, `(batch, Tv, dim)`; the value if left out.
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
    """Additive attention (Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align").

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
        As `LuongAttention`. With "monotonic", t is `query_position` for the first query.

    Raises:
        ValueError: `window` is not a positive whole number; the alignment is unknown; the query position
            is not whole or not one for each row; else as `LuongAttention`.
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
            return _query_positions(query, query_position)
        inner = ops.tanh(ops.matmul(query, self.position_kernel))
        inner = ops.sum(inner * self.position_v, axis=-1, keepdims=True)
        return length * ops.sigmoid(ops.cast(inner, "float32"))  # float16 is too coarse for positions

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "window": self.window, "alignment": self.alignment}


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
    term, and its soft weights in every other example, are left out.

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
class AttentionPooling(keras.layers.Layer):
    """Attention from the last state to all of them: many to one (Luong et al. 2015, equations 5, 7, 8).

        weights = softmax over i of score(h*, h_i)
        c       = sum over i of weight_i * h_i
        h~      = tanh([c; h*] W)

    h* is the last state that the mask leaves, not padding.

    Args:
        units: size of h~.
        score: as in `LuongAttention`. "dot" finds h* most like itself, so that much of the weight stays on
            the last step; "general", the default, can learn to look elsewhere.
        include_last: whether h* is one of the h_i. Without it a sequence of one step has nothing to look
            at, and its context is zeros.

    Call:
        value: the states h_1 to h_T, `(batch, T, dim)`.
        mask: booleans `(batch, T)`, True where a step counts; all count if left out.
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
        _require_three_axes(value=value_shape)
        self.attention.build((value_shape[0], 1, value_shape[-1]), value_shape)
        self.kernel = self.add_weight(name="kernel", shape=(2 * value_shape[-1], self.units))

    def call(self, value, mask=None, return_attention_scores=False):
        """Look back from the last real state."""
        _require_three_axes(value=value.shape)
        _require_mask(mask, value.shape[:2], broadcast=False)
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


def _additive_scores(query, key, v):
    """Return v . tanh(q + k) for every pair: from `(batch, Tq, units)` and `(batch, Tv, units)`."""
    return ops.matmul(ops.tanh(query[:, :, None] + key[:, None]), v)  # tanh of (batch, Tq, Tv, units)


def _masked(scores, mask):
    """Return scores in float32 at least, and where the mask is False, one below all others."""
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    scores = ops.clip(scores, -LARGEST / 2, LARGEST / 2)  # a product in float16 may have gone to infinity
    return scores if mask is None else ops.where(mask, scores, -LARGEST)


def _true_length(mask):
    """Return one more than the last position that counts, `(..., 1)` for a mask `(..., Tv)`."""
    ends = ops.arange(1, ops.shape(mask)[-1] + 1, dtype="float32")
    return ops.max(ops.where(mask, ends, 0.0), axis=-1, keepdims=True)


def _query_positions(query, query_position):
    """Return the positions of the queries, `(1, Tq, 1)` or `(batch, Tq, 1)`, in float32."""
    first = ops.convert_to_tensor(query_position)
    whole = "int" in keras.backend.standardize_dtype(first.dtype)
    if not whole or tuple(first.shape) not in ((), (query.shape[0],), (None,)):
        raise ValueError(
            "`query_position` must be a whole number, or one for each row. "
            f"Received: query_position={query_position}"
        )
    first = ops.cast(ops.reshape(first, (-1, 1, 1)), "float32")
    return first + ops.arange(ops.shape(query)[1], dtype="float32")[:, None]


def _require_three_axes(**shapes):
    for name, shape in shapes.items():
        if len(shape) != 3:
            raise ValueError(
                f"`{name}` must have the shape (batch, time, dim). Received: {name}={tuple(shape)}"
            )


def _require_sequences(query, value, key):
    """Refuse shapes of query, value and key that are not those of three sequences that go together."""
    _require_three_axes(query=query, value=value, key=key)
    query, value, key = tuple(query), tuple(value), tuple(key)
    if not _agree(value[:2], key[:2]):
        raise ValueError(
            f"`value` and `key` must have one batch size and one length. Received: value={value}, key={key}"
        )
    if not _agree(query[:1], value[:1]):
        raise ValueError(
            f"`query` and `value` must have one batch size. Received: query={query}, value={value}"
        )


def _require_mask(mask, shape, broadcast=True):
    """Refuse a mask that is not boolean, or not of this shape nor, if it may, one that broadcasts to it."""
    if mask is None:
        return
    shape, came, fits = tuple(shape), repr(mask), False
    if hasattr(mask, "shape"):
        had, dtype = tuple(mask.shape), keras.backend.standardize_dtype(mask.dtype)
        came = f"{dtype}{had}"
        wanted = shape[-len(had) :] if broadcast and had else shape
        fits = dtype == "bool" and _agree(had, wanted, one_is_any=broadcast)
    if not fits:
        relation = "broadcast to" if broadcast else "have"
        raise ValueError(f"`mask` must be boolean and {relation} the shape {shape}. Received: mask={came}")


def _agree(sizes, others, one_is_any=False):
    """Say whether sizes are equal, as far as they are known."""
    return len(sizes) == len(others) and all(
        size is None or other is None or size == other or (one_is_any and size == 1)
        for size, other in zip(sizes, others, strict=True)
    )
