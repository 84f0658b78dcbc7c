"""Greedy and beam search, and draws, over a model with `end_mark`, `first_tokens`, `start` and `step`."""

import random

import keras
import numpy as np
from keras import ops

from course_utils._validation import require_flag, require_number, require_whole


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
        model: has `end_mark`, an id, or -1 for none, and three methods. `first_tokens(source)` gives what
            the first step reads, `(batch,)`. `start(source, max_length)` gives a state: a nest of tensors
            with the batch first. `step(tokens, state, return_attention_scores=False)` gives the logits
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
        ValueError: the width or the length is not a positive whole number; the source is empty, of another
            shape, or no ids; the model lacks `end_mark` or a method, or its logits are not numbers, as where
            its weights are NaN; or the model refuses: it has no weights to return, too few positions, no
            such id.
    """
    max_length, width = require_whole("max_length", max_length), require_whole("beam_width", beam_width)
    flags = {"divide_by_length": divide_by_length, "return_log_probs": return_log_probs}
    for name, flag in {**flags, "return_attention_scores": return_attention_scores}.items():
        require_flag(name, flag)
    _require_parts(model)
    source = _ids(source)
    batch = len(source)
    beam = _Beam(batch, width, max_length, model.end_mark)
    state = model.start(source, max_length)
    tokens = ops.convert_to_numpy(model.first_tokens(source))
    rows = None if width == 1 else np.repeat(np.arange(batch), width)  # None: every row goes on as it is
    tokens = np.repeat(tokens, width)
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
        rows = None if width == 1 else (parents + width * np.arange(batch)[:, None]).ravel()
        if beam.ended.all():
            break
    best = beam.best(divide_by_length)
    results = [beam.tokens]
    results += [beam.log_probs] if return_log_probs else []
    results += [all_weights] if return_attention_scores else []
    results = [each[np.arange(batch), best] for each in results]
    return tuple(results) if len(results) > 1 else results[0]


def sample(model, source, max_length, temperature=1.0, top_k=None, top_p=None, seed=None):
    """Draw one sequence for each source, token by token, from what the model holds likely.

        p(token) = softmax(logits / temperature), of which the unlikely ones are left out

    (`top_k`: Fan et al. 2018, "Hierarchical Neural Story Generation"; `top_p`: Holtzman et al. 2020, "The
    Curious Case of Neural Text Degeneration".)

    Args:
        model, source, max_length: as in `generate`.
        temperature: above zero. Below 1 the likely tokens become likelier, above 1 less likely.
        top_k: draw from so many tokens alone, the likeliest.
        top_p: draw from the fewest tokens alone that have this probability together.
        seed: a whole number for draws that can be repeated; by default it comes from Keras' global seed.

    Returns:
        The tokens, int32 `(batch, max_length)`: no start mark, the end mark if it came, then 0.

    Raises:
        ValueError: the temperature is not above zero, `top_k` is not a positive whole number, `top_p` is not
            above 0 and at most 1, the seed is not whole; else as `generate`.
    """
    max_length = require_whole("max_length", max_length)
    keep = _kept_tokens(temperature, top_k, top_p)
    seed = random.getrandbits(32) if seed is None else require_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    _require_parts(model)
    source = _ids(source)
    step = _compiled(model)
    state, tokens = model.start(source, max_length), ops.convert_to_numpy(model.first_tokens(source))
    drawn = np.zeros((len(source), max_length), "int32")
    live = np.ones(len(source), bool)
    for position in range(max_length):
        logits, state = step(tokens, None, state, False)
        logits = ops.convert_to_numpy(logits).astype("float64")
        _require_a_likeliest(logits[live], position)
        # The largest of logit + Gumbel noise is a draw from the softmax (Gumbel 1954).
        tokens = np.argmax(keep(logits) + rng.gumbel(size=logits.shape), axis=1).astype("int32")
        drawn[live, position] = tokens[live]
        live &= tokens != model.end_mark
        if not live.any():
            break
    return drawn


def _kept_tokens(temperature, top_k, top_p):
    """Return a function that divides logits by the temperature and takes the unlikely tokens out."""
    if require_number("temperature", temperature) <= 0:
        raise ValueError(f"`temperature` must be above zero. Received: temperature={temperature!r}")
    if top_k is not None:
        require_whole("top_k", top_k)
    if top_p is not None and not 0 < require_number("top_p", top_p) <= 1:
        raise ValueError(f"`top_p` must be above 0 and at most 1. Received: top_p={top_p!r}")

    def keep(logits):
        logits = logits / temperature
        logits[:, 0] = -np.inf  # padding is no token
        order = np.argsort(-logits, axis=1, kind="stable")
        ranked = np.exp(_log_softmax(np.take_along_axis(logits, order, axis=1)))
        out = np.zeros(ranked.shape, bool)
        out[:, top_k:] = top_k is not None
        if top_p is not None:  # those that come when the probability is reached already
            out |= np.cumsum(ranked, axis=1) - ranked >= top_p
        return np.where(np.take_along_axis(out, np.argsort(order, axis=1), axis=1), -np.inf, logits)

    return keep


def _require_parts(model):
    for part in ("end_mark", "first_tokens", "start", "step"):
        if not hasattr(model, part):
            raise ValueError(f"`model` must have `{part}`. Received: model={model!r:.80}")


def _ids(source):
    try:
        source = np.asarray(source)
    except ValueError:  # of rows of different lengths
        source = np.array(None)
    whole = source.dtype.kind in "iu" or (source.dtype.kind == "f" and (source == np.floor(source)).all())
    if source.ndim != 2 or not source.size or not whole:
        raise ValueError(
            "`source` must be ids, whole numbers, of shape (batch, time), not empty. "
            f"Received: shape={source.shape}, dtype={source.dtype}"
        )
    return source


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
        logits = logits.astype("float64").reshape(batch, width, -1)
        _require_a_likeliest(logits[~self.ended & (self.log_probs > -np.inf)], position)
        gains = _log_softmax(logits)
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
    """Return a function that goes one step from the given rows of the state, traced once for each model."""
    if "_step_of_rows" not in vars(model):

        def step(tokens, rows, state, return_attention_scores):
            if rows is not None:
                state = keras.tree.map_structure(lambda leaf: ops.take(leaf, rows, axis=0), state)
            return model.step(tokens, state, return_attention_scores=return_attention_scores)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            step = tf.function(step, reduce_retracing=True)
        vars(model)["_step_of_rows"] = step  # past Keras, which would track it
    return vars(model)["_step_of_rows"]


def _require_a_likeliest(logits, position):
    """Refuse logits of which none is the largest: NaN, infinity, or minus infinity for all but padding."""
    sound = np.isfinite(logits.max(axis=-1)) & (logits[:, 1:].max(axis=-1) > -np.inf)
    if not sound.all():
        raise ValueError(
            "`model` must give finite logits; its weights may not be numbers. "
            f"Received: logits={logits[~sound][0]} at step {position}"
        )


def _select(beams, parents):
    rows = np.arange(len(beams))[:, None]
    return beams[rows, parents]


def _log_softmax(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
