"""What the lessons measure. Gradients are taken with TensorFlow, the backend of the lessons."""

import itertools
import math
import time

import keras
import numpy as np
from keras import ops

from course_utils._validation import agree, require_items, require_numbers, require_whole


def gradient_by_distance(cell, inputs):
    """Measure how much of the gradient arrives at each earlier state.

    The gradient of the summed last output with respect to the states after every step (for the LSTM
    hidden and cell state together), as a norm, averaged geometrically over the batch. It is a product of
    one factor a step (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks",
    equation 5).

    Args:
        cell: a recurrent cell, or a layer that carries one.
        inputs: `(batch, time, features)`.

    Returns:
        `(time,)`: element d is the gradient d steps before the last, in units of element 0.

    Raises:
        ValueError: the cell is none, or the inputs are no batch of sequences of vectors.
    """
    import tensorflow as tf

    cell, inputs = _cell_of(cell, inputs)
    every_step = []
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        for _, states in _steps(cell, inputs):
            every_step.append(states)
        last = ops.sum(every_step[-1][0])
    arrived = tape.gradient(last, every_step, unconnected_gradients="zero")
    norms = [np.linalg.norm(np.concatenate(states, axis=-1), axis=-1) for states in arrived]
    tiny = np.finfo("float32").tiny  # what has underflowed to zero still has a logarithm
    mean = np.exp(np.log(np.maximum(norms, tiny)).mean(axis=1))[::-1]
    return mean / mean[0]


def gates_over_time(cell, inputs):
    """Record the gates of a cell, the candidate and the states, step by step.

    The cell is stepped from outside; nothing is added to it.

    Args:
        cell: an LSTM or GRU cell, or a layer that carries one.
        inputs: `(batch, time, features)`.

    Returns:
        A dict of arrays `(batch, time, units)`: the cell's `blocks` by name, "hidden state", and for the
        LSTM "cell state".

    Raises:
        ValueError: the cell has no gates, or the inputs are no batch of sequences of vectors.
    """
    cell, inputs = _cell_of(cell, inputs)
    if not hasattr(cell, "gates"):
        raise ValueError(f"`cell` must have gates. Received: cell={cell}")
    names = [*cell.blocks, "hidden state", "cell state"]
    recorded = [
        [np.asarray(value) for value in (*cell.gates(inputs[:, step], before), *states)]
        for step, (before, states) in enumerate(_steps(cell, inputs))
    ]
    return {
        name: np.stack(values, axis=1)
        for name, values in zip(names, zip(*recorded, strict=True), strict=False)
    }


def accuracy_by_distance(labels, predictions, distances, edges):
    """Measure accuracy in bands of distance.

    Args:
        labels, predictions, distances: `(examples,)` each.
        edges: the borders of the bands; band k holds `edges[k] <= distance < edges[k + 1]`.

    Returns:
        The accuracy of each band, `(len(edges) - 1,)`.

    Raises:
        ValueError: a band holds no example, the three are not numbers of one length, or the edges do not
            rise.
    """
    named = {"labels": labels, "predictions": predictions, "distances": distances}
    labels, predictions, distances = (require_numbers(*each, axes=1) for each in named.items())
    if not len(labels) == len(predictions) == len(distances):
        raise ValueError(
            "There must be as many `predictions` and `distances` as `labels`. "
            f"Received: {len(labels)} labels, {len(predictions)} predictions, {len(distances)} distances"
        )
    edges = require_numbers("edges", edges, axes=1)
    if len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise ValueError(f"`edges` must be two numbers or more that rise. Received: edges={edges.tolist()}")
    correct = labels == predictions
    bands = [(distances >= low) & (distances < high) for low, high in itertools.pairwise(edges)]
    empty = [band for band, inside in enumerate(bands) if not inside.any()]
    if empty:
        raise ValueError(
            f"Every band of distances needs an example. Received: edges={edges.tolist()}, empty={empty}"
        )
    return np.array([correct[inside].mean() for inside in bands])


@keras.saving.register_keras_serializable(package="course_utils")
class TokenAccuracy(keras.metrics.Metric):
    """The share of real tokens that a model names: padding, label 0, does not count.

    Under teacher forcing this is a figure of training. What a model can do is measured on what it
    generates, by `exact_match`. Where it is one of the `weighted_metrics`, a token counts by the weight of
    its sample, or by its own.

    Args:
        name: what the history calls it.
        **kwargs: `dtype`, as every metric takes it.
    """

    def __init__(self, name="accuracy", **kwargs):
        if not isinstance(name, (str, type(None))):
            raise ValueError(f"`name` must be a text. Received: name={name!r:.80}")
        super().__init__(name=name, **kwargs)
        self.right = self.add_weight(name="right", initializer="zeros")
        self.real = self.add_weight(name="real", initializer="zeros")

    def update_state(self, labels, logits, sample_weight=None):
        """Count the tokens of one batch.

        Args:
            labels: ids, `(batch, time)`, padded with 0.
            logits: `(batch, time, vocabulary)`.
            sample_weight: `(batch,)`, or one for each token, `(batch, time)`.

        Raises:
            ValueError: the shapes are not as above.
        """
        labels, logits = _tensor("labels", labels), _tensor("logits", logits)
        if not agree(labels.shape, logits.shape[:-1]):
            raise ValueError(
                "`labels` must be (batch, time) and `logits` (batch, time, vocabulary). "
                f"Received: shapes {tuple(labels.shape)} and {tuple(logits.shape)}"
            )
        labels = ops.cast(labels, "int32")
        right = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), labels)
        counts = ops.cast(ops.not_equal(labels, 0), self.dtype)
        if sample_weight is not None:
            counts = counts * self._of_tokens(sample_weight, labels.shape)
        self.right.assign_add(ops.sum(ops.cast(right, self.dtype) * counts))
        self.real.assign_add(ops.sum(counts))

    def result(self):
        """Return the share so far."""
        return ops.divide_no_nan(self.right.value, self.real.value)

    def _of_tokens(self, weight, shape):
        weight = _tensor("sample_weight", weight, self.dtype)
        for _ in range(len(shape) - len(weight.shape)):
            weight = ops.expand_dims(weight, -1)
        if not agree(weight.shape[:1], shape[:1]) or not agree(weight.shape, shape, one_is_any=True):
            raise ValueError(
                "`sample_weight` must have one number for each row of `labels`, or for each token. "
                f"Received: shapes {tuple(weight.shape)} and {tuple(shape)}"
            )
        return weight


def exact_match(generated, labels):
    """Say for each sequence whether it is right from the first token to the end mark.

    Args:
        generated, labels: ids, `(sequences, time)`, padded on the right with 0; their lengths may differ.

    Returns:
        Booleans, `(sequences,)`.

    Raises:
        ValueError: there are not as many sequences on both sides, or there is none.
    """
    generated, labels = require_numbers("generated", generated), require_numbers("labels", labels)
    if generated.ndim != 2 or labels.ndim != 2 or len(generated) != len(labels):
        raise ValueError(
            "`generated` and `labels` must be ids (sequences, time), as many on both sides. "
            f"Received: shapes {generated.shape} and {labels.shape}"
        )
    longest = max(generated.shape[1], labels.shape[1])
    padded = [np.pad(ids, ((0, 0), (0, longest - ids.shape[1]))) for ids in (generated, labels)]
    return (padded[0] == padded[1]).all(axis=1)


def weight_within(weights, spans, slack=0):
    """Measure how much of the attention lies on the true span.

    Args:
        weights: `(examples, time)`.
        spans: the first position of each span and the one after its last, `(examples, 2)`.
        slack: how many positions to either side count as well.

    Returns:
        The summed weight, `(examples,)`.

    Raises:
        ValueError: there is not one span for each row of weights, or the slack is negative.
    """
    inside = _within(weights, spans, slack)
    return (np.asarray(weights) * inside).sum(axis=1)


def peak_within(weights, spans, slack=0):
    """Say for each example whether its largest weight lies on the true span; as `weight_within`."""
    inside = _within(weights, spans, slack)
    peaks = np.argmax(weights, axis=1)[:, None]
    return np.take_along_axis(inside, peaks, axis=1)[:, 0]


def mean_by_group(values, groups):
    """Return the different `groups`, in order, and the mean of the `values` in each.

    Raises:
        ValueError: there is not one group for each value.
    """
    values = require_numbers("values", values, axes=1)
    groups = _require_groups(groups, len(values))
    names, members = np.unique(groups, return_inverse=True)
    return names, np.bincount(members, weights=values) / np.bincount(members)


def cosine_similarities(vectors):
    """Return the cosine of every row of `vectors` with every other, `(rows, rows)`.

    Raises:
        ValueError: the vectors are no rows of numbers, or one of them is zero and has no direction.
    """
    vectors = require_numbers("vectors", vectors, axes=2, finite=True)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not norms.all():
        raise ValueError(
            f"`vectors` must not be zero: zero has no direction. Received: row {np.argmin(norms)} is zero"
        )
    unit = vectors / norms
    return unit @ unit.T


def within_and_between(similarities, groups):
    """Return the mean similarity of two items of one group, and of two items of different groups.

    Args:
        similarities: `(items, items)`; an item's similarity with itself does not count.
        groups: the group of each item, `(items,)`.

    Raises:
        ValueError: the similarities are not square, there is not one group for each item, no group has two
            items, or there is only one group.
    """
    similarities, groups = _require_square(similarities), _require_groups(groups, len(similarities))
    same = np.equal.outer(groups, groups)
    others = ~np.eye(len(same), dtype=bool)
    if same.all() or not (same & others).any():
        raise ValueError(
            f"There must be two groups, and one of two items. Received: groups={groups.tolist()!r:.80}"
        )
    return float(similarities[same & others].mean()), float(similarities[~same].mean())


def group_similarities(similarities, groups):
    """Return the mean similarity of every group with every other, in the order in which they come.

    Args:
        similarities: `(items, items)`; an item's similarity with itself does not count.
        groups: the group of each item, `(items,)`.

    Returns:
        `(groups, groups)`, each group's mean with itself on the diagonal.

    Raises:
        ValueError: the similarities are not square, there is not one group for each item, or a group has
            one item.
    """
    similarities, groups = _require_square(similarities), _require_groups(groups, len(similarities))
    names = dict.fromkeys(groups.tolist())
    members = np.array([groups == group for group in names], float)
    if members.sum(axis=1).min() < 2:
        raise ValueError(f"Each group must have two items. Received: groups={groups.tolist()!r:.80}")
    others = 1 - np.eye(len(similarities))
    return (members @ (similarities * others) @ members.T) / (members @ others @ members.T)


def ranked_above(scores, other_scores):
    """Return how often one of `scores` is above one of `other_scores`; ties count one half.

    1 means that the two can be told apart by a threshold, 0.5 that the scores say nothing
    (the area under the ROC curve).

    Raises:
        ValueError: one of them is not numbers, or there are none.
    """
    scores = require_numbers("scores", scores)
    other_scores = require_numbers("other_scores", other_scores)
    above, equal = np.greater.outer(scores, other_scores), np.equal.outer(scores, other_scores)
    return float(above.mean() + equal.mean() / 2)


def mean_absolute_percentage_error(actual, forecast):
    """Return the mean of `|actual - forecast| / |actual|`, in percent.

    Raises:
        ValueError: the two have other shapes or no numbers, or something actual is zero.
    """
    actual, forecast = (
        require_numbers(*each, finite=True).astype("float64")
        for each in {"actual": actual, "forecast": forecast}.items()
    )
    if actual.shape != forecast.shape:
        raise ValueError(
            "`actual` and `forecast` must have the same shape. "
            f"Received: shapes {actual.shape} and {forecast.shape}"
        )
    if not actual.all():
        raise ValueError("`actual` must not be zero: nothing is a share of it. Received: actual with 0")
    return float(100 * np.mean(np.abs(actual - forecast) / np.abs(actual)))


def median_milliseconds(function, repeats=15):
    """Return the median time of `function()` in milliseconds, after one call to warm up.

    Raises:
        ValueError: the function cannot be called, or the number of repeats is not whole and positive.
    """
    _require_callable("function", function)
    repeats = require_whole("repeats", repeats)
    function()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begun)
    return float(1000 * np.median(seconds))


def weight_gradients(model, inputs, labels, loss):
    """Return the gradient of `loss(labels, model(inputs))` with respect to each weight of the model.

    Args:
        model: a Keras model or layer.
        inputs, labels: one batch.
        loss: a function or a Keras loss that takes labels and outputs.

    Returns:
        A list of arrays, in the order of `model.trainable_weights`; None where no gradient passes.

    Raises:
        ValueError: the model or the loss cannot be called.
    """
    _require_callable("model", model)
    _require_callable("loss", loss)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss(labels, model(inputs))
    gradients = tape.gradient(value, [weight.value for weight in model.trainable_weights])
    return [None if each is None else np.asarray(tf.convert_to_tensor(each)) for each in gradients]


def gradient(function, inputs):
    """Return the gradient of the sum of `function(inputs)` with respect to `inputs`.

    Args:
        function: takes and returns a tensor.
        inputs: an array of floats.

    Returns:
        An array of the shape of `inputs`, or None where no gradient passes.

    Raises:
        ValueError: the function cannot be called, or the inputs are no floats, so that they have no gradient.
    """
    _require_callable("function", function)
    import tensorflow as tf

    dtype = require_numbers("inputs", inputs).dtype
    if dtype.kind != "f":
        raise ValueError(f"`inputs` must be floats: others have no gradient. Received: inputs of {dtype}")
    inputs = ops.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = ops.sum(function(inputs))
    arrived = tape.gradient(value, inputs)
    return None if arrived is None else np.asarray(arrived)


def products(function, shape):
    """Count the matrix products that a function takes, and how many of them must wait for each other.

    They are counted in the graph that TensorFlow runs. Recurrent layers are to be unrolled: a loop is one
    node of the graph.

    Args:
        function: takes and returns a tensor, for example a layer.
        shape: of what it takes, with whole numbers.

    Returns:
        The multiply-adds of all products, and the number of products on the longest chain of which each
        needs the result of the one before.

    Raises:
        ValueError: the graph holds a loop or a call, in which products would be missed, the function cannot
            be called, or the shape is not whole numbers.
    """
    _require_callable("function", function)
    if not isinstance(shape, (list, tuple)) or not shape:
        raise ValueError(f"`shape` must be whole numbers. Received: shape={shape!r}")
    shape = [require_whole("shape", size) for size in shape]
    import tensorflow as tf

    graph = tf.function(function).get_concrete_function(tf.TensorSpec(shape)).graph
    total, chains = 0, {}
    for node in graph.get_operations():  # in an order in which each comes after what it needs
        if node.type.endswith(("While", "Call")) or node.type.startswith("BlockLSTM"):
            raise ValueError(
                f"The graph must be flat; unroll recurrent layers. Received: function={function}, "
                f"with a node {node.type}"
            )
        made = _multiply_adds(node)
        before = max((chains[source.op.name] for source in node.inputs), default=0)
        total, chains[node.name] = total + made, before + (made > 0)
    return total, max(chains.values())


def _multiply_adds(node):
    if node.type == "Einsum":
        names = node.get_attr("equation").decode().partition("->")[0].split(",")
        sizes = {
            axis: size
            for axes, source in zip(names, node.inputs, strict=True)
            for axis, size in zip(axes, source.shape, strict=True)
        }
        return math.prod(sizes.values())
    if node.type in ("MatMul", "BatchMatMulV2"):
        turned = node.get_attr("transpose_a" if node.type == "MatMul" else "adj_x")
        return math.prod(node.outputs[0].shape) * node.inputs[0].shape[-2 if turned else -1]
    return 0


def _cell_of(layer, inputs):
    cell = getattr(layer, "cell", layer)
    if not hasattr(cell, "state_size"):
        raise ValueError(
            f"`cell` must be a recurrent cell, or a layer that carries one. Received: cell={layer}"
        )
    inputs = require_numbers("inputs", inputs, axes=3, finite=True)
    if not cell.built:
        cell.build((None, inputs.shape[-1]))
    return cell, ops.convert_to_tensor(inputs, cell.compute_dtype)


def _steps(cell, inputs):
    """Yield the states before and after each step, from zeros on."""
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    states = [ops.zeros((inputs.shape[0], size)) for size in sizes]
    for step in range(inputs.shape[1]):
        before = states
        _, states = cell(inputs[:, step], before)
        yield before, states


def _within(weights, spans, slack):
    weights, spans = require_numbers("weights", weights, finite=True), require_numbers("spans", spans)
    slack = require_whole("slack", slack, least=0)
    if weights.ndim != 2 or spans.shape != (len(weights), 2):
        raise ValueError(
            "`weights` must be (examples, time) and `spans` (examples, 2). "
            f"Received: shapes {weights.shape} and {spans.shape}"
        )
    positions = np.arange(weights.shape[1])
    return (positions >= spans[:, :1] - slack) & (positions < spans[:, 1:] + slack)


def _tensor(name, values, dtype=None):
    try:
        if getattr(getattr(values, "dtype", None), "kind", "f") not in "biufV":  # V is bfloat16
            raise TypeError(f"{values.dtype} is not a type of numbers")
        return ops.convert_to_tensor(values, dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be numbers. Received: {name}={values!r:.80}") from error


def _require_groups(groups, count):
    names = require_items("groups", groups)
    if len(names) != count:
        raise ValueError(
            f"`groups` must have one name for each item, here {count}. Received: groups={groups!r:.80}"
        )
    return np.asarray(names)


def _require_square(similarities):
    similarities = require_numbers("similarities", similarities, axes=2, finite=True)
    if similarities.shape[0] != similarities.shape[1]:
        raise ValueError(
            f"`similarities` must be square. Received: similarities of shape {similarities.shape}"
        )
    return similarities


def _require_callable(name, function):
    if not callable(function):
        raise ValueError(f"`{name}` must be a function or a layer. Received: {name}={function!r:.80}")
