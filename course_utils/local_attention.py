"""Attention to a window of the source, around a position."""

import keras
from keras import ops

from course_utils._validation import agree, require_one_of, require_positions, require_whole
from course_utils.attention import LuongAttention, both, masked_softmax, product, true_length

ALIGNMENTS = ("monotonic", "predictive")


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
        Tv columns: S is one more than the last one that counts.

    Raises:
        ValueError: `window` is not a positive whole number; the alignment is unknown; the query position
            is not whole, is negative or not one for each row; the mask has one column for all positions; else
            as `LuongAttention`.
    """

    arguments = ("window", "alignment", "score")

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

    def align(self, query, keys, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`: zero outside the window."""
        positions = ops.arange(ops.shape(keys)[1], dtype="float32")
        mask = both(positions >= 0, mask)  # one column for each, all True if there is no mask
        length = true_length(mask)
        p = self.centers(query, length, query_position)
        near = ops.abs(positions - ops.minimum(p, length - 1)) <= self.window
        weights = masked_softmax(self.scores(query, keys), both(mask, near))
        if self.alignment == "predictive":
            gaussian = ops.exp(-((positions - p) ** 2) / (2 * (self.window / 2) ** 2))
            weights = weights * ops.cast(gaussian, weights.dtype)
        return weights

    def centers(self, query, length, query_position):
        """Return p_t, `(batch, Tq, 1)` or what broadcasts to it, in float32."""
        if self.alignment == "monotonic":
            return require_positions("query_position", query_position, query)
        inner = ops.tanh(product(query, self.position_kernel))
        inner = ops.sum(inner * self.position_v, axis=-1, keepdims=True)
        return length * ops.sigmoid(ops.cast(inner, "float32"))  # float16 is too coarse for positions

    def require_fit(self, query, value, key, mask):
        """Refuse also a mask with one column for all positions: it does not say the length."""
        super().require_fit(query, value, key, mask)
        if mask is not None and not agree(mask.shape[-1:], key.shape[1:2]):
            raise ValueError(
                f"The true length is read from `mask`, so it needs {key.shape[1]} columns, one for each "
                f"position. Received: mask={tuple(mask.shape)}"
            )
