"""Attention to one position alone, and the model that trains it."""

import keras
import numpy as np
from keras import ops

from course_utils._layer import InferredShapes
from course_utils._validation import require_number, require_whole
from course_utils.attention import LuongAttention, mask_scores

TINY = float(np.finfo("float32").tiny)


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
        ValueError: the seed is not whole or is negative; else as `LuongAttention`.
    """

    arguments = ("score", "seed")

    def __init__(self, score="dot", seed=None, **kwargs):
        super().__init__(score, **kwargs)
        self.seed = None if seed is None else require_whole("seed", seed, least=0)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def align(self, query, keys, mask=None, query_position=0, training=False):  # noqa: ARG002
        """Return the weights, `(batch, Tq, Tv)`: one of a row is 1, drawn in training."""
        scores = mask_scores(self.scores(query, keys), mask)
        if training:  # the largest of score + Gumbel noise is a draw from the softmax (Gumbel 1954)
            uniform = keras.random.uniform(ops.shape(scores), TINY, 1, "float32", self.seed_generator)
            scores = mask_scores(scores - ops.cast(ops.log(-ops.log(uniform)), scores.dtype), mask)
        chosen = ops.expand_dims(ops.argmax(scores, axis=-1), -1) == ops.arange(ops.shape(keys)[1])
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
        mask = self.all_masks(query, value, key, mask)
        keys, _ = self.project(value, key)
        log_weights = ops.log_softmax(mask_scores(self.scores(query, keys), mask), axis=-1)
        return ops.sum(ops.where(weights > 0, log_weights, ops.zeros_like(log_weights)), axis=-1)


@keras.saving.register_keras_serializable(package="course_utils")
class HardAttentionModel(InferredShapes, keras.Model):
    """Answers one query through hard attention, and owns the loss that teaches it where to look.

        gradient of  mean over i of loss_i + stop_gradient(loss_i - baseline) * log_prob_i
        baseline = baseline_decay * baseline + (1 - baseline_decay) * mean over i of loss_i

    REINFORCE (Williams 1992) with a running baseline (Xu et al. 2015, section 4.1). The loss that is logged
    is the mean of loss_i alone. The paper's entropy term, and its soft weights in half of the examples, drawn
    at random, are left out.

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
        each example. Sample weights weigh the loss, its surrogate and the baseline.

    Raises:
        ValueError: `encode` gives no query and value, or more than one query; `attention` has no
            `log_prob`; `answer` cannot be called; or the decay is not between 0 and 1.
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
        if not callable(answer):
            raise ValueError(f"`answer` must be a layer or model. Received: answer={answer!r:.80}")
        if not 0 <= require_number("baseline_decay", baseline_decay) <= 1:
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
        """Return the mean loss; in training its gradient is that of the expected loss."""
        losses = self.losses_of(y, y_pred["prediction"])
        weights = ops.ones_like(losses) if sample_weight is None else ops.cast(sample_weight, losses.dtype)
        loss = ops.mean(weights * losses)
        if training:
            log_prob = ops.cast(y_pred["log_prob"], losses.dtype)
            loss = ops.mean(weights * self.choice_losses(losses, log_prob))
            self.follow(losses, weights)
        return loss + sum(self.losses)

    def choice_losses(self, losses, log_prob):
        """Return the losses as they are; their mean has the gradient of the expected loss, on average."""
        advantage = ops.stop_gradient(losses - self.baseline)
        surrogate = advantage * log_prob
        return losses + (surrogate - ops.stop_gradient(surrogate))  # it moves the gradient, not the value

    def losses_of(self, y, prediction):
        """Return one loss for each example, `(batch,)`."""
        loss = keras.losses.get(self.loss)
        return getattr(loss, "call", loss)(y, ops.cast(prediction, "float32"))

    def follow(self, losses, weights):
        """Let the baseline follow the mean loss of a batch, unless all its weights are zero."""
        total = ops.sum(weights)
        mean = ops.sum(weights * losses) / ops.maximum(total, TINY)
        stay = ops.where(total > 0, self.baseline_decay, 1.0)
        self.baseline.assign(stay * self.baseline + (1 - stay) * mean)

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
