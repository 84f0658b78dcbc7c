"""Greedy and beam search over any model that has `first_tokens`, `start` and `step`."""

import keras
import numpy as np
from keras import ops

from course_utils._validation import require_whole


def generate(
    model,
    source,
    max_length,
    beam_width=1,
    divide_by_length=False,
    return_log_probs=False,
    return_attention_scores=False,
):
    """Generate one sequence for each source, token by token, without ever reading the truth.

    At every step the `beam_width` best continuations are kept. A width of 1 is greedy: the likeliest
    token, again and again. A sequence is as good as the sum of the log-probabilities of its tokens
    (Sutskever et al. 2014, "Sequence to Sequence Learning", section 3.2). A wider beam sees more, but it
    too drops what looks bad at first, so it can end with a worse sequence.

    Args:
        model: has `end_mark`, an id, and three methods. `first_tokens(source)` gives what the
            first step reads, `(batch,)`. `start(source, max_length)` gives a state: a nest of tensors with
            the batch first. `step(tokens, state, return_attention_scores=False)` gives the logits
            `(batch, vocabulary)`, the next state, and on request the weights `(batch, time)`.
        source: ids, `(batch, time)`, padded with 0.
        max_length: tokens after which a sequence stops, ended or not.
        beam_width: how many sequences are kept at every step.
        divide_by_length: choose at the end by the mean log-probability, not by the sum, which prefers
            short sequences.
        return_log_probs: return the summed log-probabilities as well, `(batch,)`.
        return_attention_scores: return the attention weights as well, `(batch, max_length, time)`;
            zeros after the end.

    Returns:
        The tokens, int32 `(batch, max_length)`: no start mark, the end mark if it came, then 0. With one
        or both of the requests a tuple, in the order of the arguments.

    Raises:
        ValueError: the width or the length is not a positive whole number; the source is empty or of another
            shape; or the model refuses: it has no weights to return, too few positions, no such id.
    """
    max_length, width = require_whole("max_length", max_length), require_whole("beam_width", beam_width)
    source = np.asarray(source)
    if source.ndim != 2 or not source.size:
        raise ValueError(
            f"`source` must be ids of shape (batch, time), not empty. Received: shape={source.shape}"
        )
    batch = len(source)
    beam = _Beam(batch, width, max_length, model.end_mark)
    state = model.start(source, max_length)
    tokens = ops.convert_to_numpy(model.first_tokens(source))
    rows = np.arange(batch)
    tokens, rows = np.repeat(tokens, width), np.repeat(rows, width)
    step = _compiled(model)
    all_weights = np.zeros((batch, width, max_length, source.shape[1]), "float32")
    for position in range(max_length):
        logits, state, *weights = step(tokens, rows, state, return_attention_scores)
        live = ~beam.ended
        parents = beam.extend(ops.convert_to_numpy(logits), position)
        if return_attention_scores:
            (weights,) = weights
            weights = ops.convert_to_numpy(weights).reshape(batch, width, -1)
            all_weights[:, :, position] = np.where(live[:, :, None], weights, 0)
            all_weights = _select(all_weights, parents)
        tokens = beam.tokens[:, :, position].ravel()
        rows = (parents + width * np.arange(batch)[:, None]).ravel()
        if beam.ended.all():
            break
    best = beam.best(divide_by_length)
    results = [beam.tokens]
    results += [beam.log_probs] if return_log_probs else []
    results += [all_weights] if return_attention_scores else []
    results = [each[np.arange(batch), best] for each in results]
    return tuple(results) if len(results) > 1 else results[0]


class _Beam:
    """The best sequences so far: for each source `width` of them, side by side."""

    def __init__(self, batch, width, max_length, end):
        self.end = end
        self.tokens = np.zeros((batch, width, max_length), "int32")
        self.ended = np.zeros((batch, width), bool)
        self.log_probs = np.full((batch, width), -np.inf)
        self.log_probs[:, 0] = 0  # at first all are the same empty sequence: count it once

    def extend(self, logits, position):
        """Go one token further; return which sequence each of the new ones goes on from."""
        batch, width = self.ended.shape
        gains = _log_softmax(logits.astype("float64")).reshape(batch, width, -1)
        gains[:, :, 0] = -np.inf  # padding is no token ...
        gains[self.ended] = -np.inf
        gains[self.ended, 0] = 0  # ... but all that follows an end
        vocabulary = gains.shape[-1]
        totals = (self.log_probs[:, :, None] + gains).reshape(batch, -1)
        best = np.argsort(-totals, axis=1, kind="stable")[:, :width]
        parents, tokens = np.divmod(best, vocabulary)
        self.log_probs = np.take_along_axis(totals, best, axis=1)
        self.tokens = _select(self.tokens, parents)
        self.tokens[:, :, position] = tokens
        self.ended = _select(self.ended, parents) | (tokens == self.end)
        return parents

    def best(self, divide_by_length):
        """Return the number of the best sequence of each source."""
        lengths = (self.tokens > 0).sum(axis=-1) if divide_by_length else 1
        return np.argmax(self.log_probs / lengths, axis=1)


def _compiled(model):
    """Return a function that picks rows of the state and goes one step, traced once for each model."""
    if "_step_of_rows" not in vars(model):

        def step(tokens, rows, state, return_attention_scores):
            state = keras.tree.map_structure(lambda leaf: ops.take(leaf, rows, axis=0), state)
            return model.step(tokens, state, return_attention_scores=return_attention_scores)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            step = tf.function(step, reduce_retracing=True)
        vars(model)["_step_of_rows"] = step  # past Keras, which would track it
    return vars(model)["_step_of_rows"]


def _select(beams, parents):
    rows = np.arange(len(beams))[:, None]
    return beams[rows, parents]


def _log_softmax(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
