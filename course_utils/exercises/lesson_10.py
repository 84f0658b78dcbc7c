"""Exercises of lesson 10, self-attention."""

import functools
import re

import keras
import numpy as np
from keras import ops

from course_utils import measure
from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief


class MyAttention(keras.layers.Layer):
    """Self-attention: each step asks all steps of its own sequence, and gets an average of their values."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        """Make the matrices of query, key and value, each `(size, units)`."""
        names = "query", "key", "value"
        self.kernels = [self.add_weight((shape[-1], self.units), name=name) for name in names]

    def call(self, x, attention_mask=True):
        """Return the new vectors, `(batch, T, units)`, and the weights, `(batch, T, T)`.

        `x` is `(batch, T, size)`. `attention_mask` is boolean and has a shape that broadcasts to that of the
        weights: True where a step may look. Each step may look at one at least.
        """
        query, key, value = (ops.matmul(x, kernel) for kernel in self.kernels)
        scores = ops.matmul(query, ops.swapaxes(key, 1, 2)) / self.units**0.5
        scores = ops.where(attention_mask, scores, -1e9)
        weights = ops.softmax(scores, axis=-1)
        return ops.matmul(weights, value), weights


class MyHeads(keras.layers.Layer):
    """Several attentions side by side, each on a few numbers; a last matrix mixes what they found."""

    def __init__(self, num_heads, attention, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.attention = num_heads, attention

    def build(self, shape):
        """Make the heads, which share the size between them, and the last matrix, `(size, size)`."""
        size = shape[-1]
        self.heads = [self.attention(size // self.num_heads) for _ in range(self.num_heads)]
        for head in self.heads:
            head.build(shape)
        self.output_kernel = self.add_weight((size, size), name="output")

    def call(self, x, attention_mask=True):
        """Return the new vectors, `(batch, T, size)`, and the weights, `(batch, num_heads, T, T)`.

        `head(x, attention_mask=attention_mask)` returns what one head found, and its weights. What the heads
        found is joined in their order, and multiplied by the last matrix.
        """
        found, weights = zip(*(head(x, attention_mask=attention_mask) for head in self.heads), strict=True)
        joined = ops.concatenate(found, axis=-1)
        return ops.matmul(joined, self.output_kernel), ops.stack(weights, axis=1)


def positions(time, size):
    """Return the waves of positions 0 to time - 1, an array `(time, size)`; size is even.

    PE(t, 2i) = sin(t / 10000^(2i / size)), PE(t, 2i + 1) = cos(t / 10000^(2i / size)).
    """
    feature = np.arange(size)
    angle = np.arange(time)[:, None] / 10_000 ** (2 * (feature // 2) / size)
    return np.where(feature % 2 == 0, np.sin(angle), np.cos(angle))


def causal_weights(query, key):
    """Return the weights `(batch, T, T)` of scaled dot attention that never looks ahead.

    query and key are `(batch, T, d)`; products may be thousands. Each step looks at itself and those before.
    """
    scores = query @ key.swapaxes(1, 2) / np.sqrt(key.shape[-1])
    scores = np.where(np.tri(key.shape[1], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def reach_experiment(function, x, other):
    """Measure which output knows which input: change one step at a time.

    `function` takes and returns an array `(time, size)`; x and other are such arrays. For each step j, put
    other[j] in place of x[j] and leave all other steps as they are in x. Return an array `(time, time)`: in
    row i and column j the largest absolute change of any number of output i when step j changes.
    """
    before, reach = function(x), np.zeros((len(x), len(x)))
    for step in range(len(x)):
        changed = x.copy()
        changed[step] = other[step]
        reach[:, step] = np.abs(function(changed) - before).max(axis=-1)
    return reach


def _softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


RNG = np.random.default_rng(10)
X = RNG.normal(size=(3, 5, 4)).astype("float32")  # all sizes are different, or a wrong product has a result
UNITS, HEADS = 6, 2
KERNELS = [RNG.normal(size=(4, UNITS)).astype("float32") for _ in range(3)]
QUERY, KEY, VALUE = (X @ kernel for kernel in KERNELS)
PRODUCTS = QUERY @ KEY.swapaxes(1, 2)
SCORES = PRODUCTS / np.sqrt(UNITS)
PAST = np.tri(5, dtype=bool)
REAL = (np.arange(5) < np.array([[5], [3], [1]]))[:, None]
PRODUCTS_DIFFER = (
    "the inner sizes of a product must be equal: ops.matmul(x, kernel) for each of the three, then "
    "ops.matmul(query, ops.swapaxes(key, 1, 2))"
)
_advised = functools.partial(cells.advised, [(cells.SIZES_DIFFER, PRODUCTS_DIFFER)])
_heads_advised = functools.partial(
    cells.advised,
    [
        (cells.SIZES_DIFFER, "join what the heads found along its last axis, then times self.output_kernel"),
        (re.compile("rank|shape", re.IGNORECASE), "ops.stack(weights, axis=1) makes an axis for the heads"),
    ],
)


def _made(answer, shapes, values, *arguments):
    """Make the learner's layer with these arguments, and with weights in which no two numbers are equal."""
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    layer = answer(*arguments)
    if not isinstance(layer, keras.layers.Layer):
        raise WrongAnswerError(
            "a class that inherits from keras.layers.Layer", f"one that makes {brief(layer)}"
        )
    with cells.no_error(in_cell=False):
        layer.build(X.shape)
    came = [tuple(weight.shape) for weight in layer.weights]
    if sorted(came) != sorted(shapes):
        raise WrongAnswerError(f"the weights of the stub, here {shapes}", f"{came}")
    values(layer)
    return layer


def _attention(answer):
    return _made(answer, [(4, UNITS)] * 3, lambda layer: layer.set_weights(KERNELS), UNITS)


def _heads(answer):
    return _made(answer, [(4, 2)] * 3 * HEADS + [(4, 4)], _fill, HEADS, MyAttention)


def _fill(layer):
    rng = np.random.default_rng(len(layer.weights))
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))


def _looked(layer, advised, stub=False, x=X, **mask):
    """Return the new vectors and the weights as arrays of numbers."""
    with advised(stub):
        returned = layer(x, **mask)
    if returned is None:
        raise WrongAnswerError("the new vectors and the weights", "None: is a return missing?")
    found = properties.several(returned, ("the new vectors", "the weights"))
    if any(isinstance(each, np.ndarray) for each in found):
        raise WrongAnswerError("tensors", cells.NUMPY_IN_GENERAL)
    return [properties.numbers(each) for each in found]


def _gives_vectors_and_weights(answer):
    found, weights = _looked(_attention(answer), _advised, stub=True)
    if found.shape == PRODUCTS.shape and weights.shape != found.shape:
        raise WrongAnswerError("the new vectors first, then the weights", "the weights first")
    properties.same_shape(found, (3, 5, UNITS))
    properties.same_shape(weights, (3, 5, 5))


def _divides_and_weighs(answer):
    found, weights = _looked(_attention(answer), _advised)
    properties.same_values(
        weights,
        _softmax(SCORES),
        [
            (_softmax(PRODUCTS), "products that are not divided by the root of `units`"),
            (_softmax(PRODUCTS / UNITS), "products divided by `units`: divide by its root"),
            (_softmax(PRODUCTS / 2), "products divided by the root of the size of x: take that of the key"),
            (_softmax(PRODUCTS / np.sqrt(5)), "products divided by the root of the number of steps"),
            (_softmax(SCORES * UNITS), "products times the root of `units`: divide by it"),
            (SCORES, "the scores themselves: the softmax is missing"),
            (_softmax(SCORES, 1), "weights that sum to one over the queries: write axis=-1"),
            (_softmax(SCORES, 0), "weights that sum to one over the batch: write axis=-1"),
            (_softmax(SCORES.swapaxes(1, 2)), "queries and keys exchanged: a row for each query"),
            (_softmax(_products(KEY, KEY)), "products of keys with keys: where is the query?"),
            (_softmax(_products(QUERY, QUERY)), "products of queries with queries: where is the key?"),
        ],
    )
    by_hand = _softmax(SCORES)
    properties.same_values(
        found,
        by_hand @ VALUE,
        [
            (by_hand @ KEY, "an average of the keys: average the values"),
            (by_hand @ QUERY, "an average of the queries: average the values"),
            (SCORES @ VALUE, "a sum with the scores: multiply the values by the weights"),
            (VALUE, "the values themselves: average them by the weights"),
            (by_hand.swapaxes(1, 2) @ VALUE, "the weights with their last two axes exchanged"),
        ],
    )


def _products(one, other):
    return one @ other.swapaxes(1, 2) / np.sqrt(UNITS)


def _hides_what_may_not_be_seen(answer):
    for mask in (PAST, REAL):
        _, weights = _looked(_attention(answer), _advised, attention_mask=mask)
        as_zero = _softmax(np.where(mask, SCORES, 0))
        properties.same_values(
            weights,
            _softmax(np.where(mask, SCORES, -1e9)),
            [
                (_softmax(SCORES), "weights where it is False: attention_mask is not used"),
                (_softmax(SCORES) * mask, "weights that no longer sum to one: masked after the softmax"),
                (as_zero, "the score 0 where it is False: that still gets a weight"),
                (as_zero * mask, "the score 0 where it is False: it has taken weight from the rest"),
                (_softmax(np.where(~mask, SCORES, -1e9)), "the opposite: True is where a step may look"),
            ],
        )


def _takes_high_scores(answer):
    for mask, cause in ((True, properties.OVERFLOW), (PAST, properties.NOT_HIDDEN)):
        layer = _attention(answer)
        with _advised():
            _, weights = layer(30 * X, attention_mask=mask)
        right = _softmax(np.where(mask, 900 * SCORES, -1e9))
        properties.same_values(weights, right, tolerance=1e-3, cause=cause)


def _can_be_compiled(answer, made):
    layer = made(answer)
    with cells.no_error(in_cell=False):
        came = layer(keras.Input((None, 4)), attention_mask=True)
    properties.several(came, ("the new vectors", "the weights"))


def _has_gradients(answer, made, right):
    """Compare the gradients with respect to x, under a mask, with those of the solution."""
    layer, ours = made(answer), made(right)
    units = np.shape(ours(X)[0])[-1]
    turned = np.random.default_rng(3).normal(size=(3, 5, units)).astype("float32")
    with cells.no_error(in_cell=False):
        came = measure.gradient(lambda x: layer(x, attention_mask=PAST)[0] * turned, X)
    expected = measure.gradient(lambda x: ours(x, attention_mask=PAST)[0] * turned, X)
    properties.same_gradient(came, expected, "x", "the course's layer")


def _trains(answer, made, right):
    """Compare the weights after one step of training with those of the solution after the same step."""
    after = []
    for layer in (made(answer), made(right)):
        with cells.no_error(in_cell=False):
            inputs = keras.Input((5, 4))
            model = keras.Model(inputs, layer(inputs)[0])
            model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
            model.train_on_batch(X, np.ones(model.output_shape[1:])[None].repeat(3, 0))
            after.append([properties.numbers(weight) for weight in layer.weights])
    for mine, ours in zip(*after, strict=True):
        properties.same_values(mine, ours, tolerance=1e-3)


def _gives_vectors_and_weights_of_heads(answer):
    found, weights = _looked(_heads(answer), _heads_advised, stub=True)
    if np.ndim(found) == 4:
        raise WrongAnswerError("the new vectors first, then the weights", "the weights first")
    properties.same_shape(found, X.shape)
    if weights.shape == (HEADS, 3, 5, 5):
        raise WrongAnswerError("weights `(batch, num_heads, T, T)`", "the heads before the batch: axis=1")
    properties.same_shape(weights, (3, HEADS, 5, 5))


def _joins_and_mixes(answer):
    layer = _heads(answer)
    found, weights = _looked(layer, _heads_advised)
    ours = _heads(MyHeads)
    heads = [[np.asarray(each) for each in head(X)] for head in ours.heads]
    last, first = np.asarray(ours.output_kernel), [each for each, _ in heads]
    joined = np.concatenate(first, axis=-1)
    mixed = np.stack(first, axis=-1).reshape(3, 5, 4)
    properties.same_values(
        found,
        joined @ last,
        [
            (joined, "what the heads found, joined: multiply it by self.output_kernel"),
            (np.concatenate(first[::-1], axis=-1) @ last, "the heads in another order"),
            (mixed @ last, "numbers of the heads in turn: join one head after the other"),
            (joined @ last.T, "the last matrix transposed"),
            (joined @ last / HEADS, "half of it: the heads are joined, not averaged"),
            (np.concatenate([first[0]] * 2, axis=-1) @ last, "the first head twice"),
        ],
    )
    properties.same_values(
        weights,
        np.stack([each for _, each in heads], axis=1),
        [(np.stack([heads[0][1]] * 2, axis=1), "the weights of the first head twice")],
    )


def _gives_each_head_the_mask(answer):
    layer, ours = _heads(answer), _heads(MyHeads)
    for mask in (PAST, REAL):
        _, weights = _looked(layer, _heads_advised, attention_mask=mask)
        expected = np.asarray(ours(X, attention_mask=mask)[1])
        properties.same_values(
            weights, expected, [(np.asarray(ours(X)[1]), "weights where it is False: hand the mask on")]
        )


TIME, SIZE = 6, 8


def _waves(time, size, base=10_000, first=0, whole=False):
    feature = np.arange(size)
    exponent = feature if whole else 2 * (feature // 2)
    return np.arange(first, first + time)[:, None] / base ** (exponent / size)


def _has_the_shape_of_positions(answer):
    came = properties.numbers(answer(TIME, SIZE))
    if came.shape == (SIZE, TIME):
        raise WrongAnswerError(f"shape {(TIME, SIZE)}", f"shape {(SIZE, TIME)}: a row for each position")
    properties.same_shape(came, (TIME, SIZE))


def _are_the_waves(answer, time=TIME, size=SIZE):
    even, angle = np.arange(size) % 2 == 0, _waves(time, size)
    every, later = _waves(time, size, whole=True), _waves(time, size, first=1)
    doubled = np.arange(time)[:, None] / 10_000 ** (2 * np.arange(size) / size)
    halves = np.concatenate([np.sin(angle[:, ::2]), np.cos(angle[:, ::2])], axis=1)
    slow = np.arange(time)[:, None] / 10_000 ** ((np.arange(size) // 2) / size)
    fast = np.arange(time)[:, None] * 10_000 ** (2 * (np.arange(size) // 2) / size)
    properties.same_values(
        answer(time, size),
        np.where(even, np.sin(angle), np.cos(angle)),
        [
            (
                np.where(even, np.cos(angle), np.sin(angle)),
                "sine and cosine exchanged: even features are sines",
            ),
            (halves, "all sines, then all cosines: they stand in turn"),
            (
                np.where(even, np.sin(every), np.cos(every)),
                "a wave of its own for each feature: two share one",
            ),
            (
                np.where(even, np.sin(doubled), np.cos(doubled)),
                "the number of the feature in place of i: i is feature // 2",
            ),
            (np.where(even, np.sin(later), np.cos(later)), "waves that begin at position 1: the first is 0"),
            (np.where(even, np.sin(slow), np.cos(slow)), "i / size in the exponent: it is 2i / size"),
            (np.where(even, np.sin(fast), np.cos(fast)), "t times the power: divide by it"),
            (angle, "the angles: take their sines and cosines"),
            (np.sin(angle), "sines alone: odd features are cosines"),
        ],
    )


def _do_so_for_other_sizes(answer):
    for time, size in ((1, 2), (3, 4), (20, 6)):
        properties.same_shape(answer(time, size), (time, size))
        _are_the_waves(answer, time, size)


ASKING, ASKED = np.random.default_rng(11).normal(size=(2, 2, 4, 3))
FUTURE = ~np.tri(4, dtype=bool)


def _sums_to_one(answer):
    came = properties.numbers(answer(ASKING, ASKED))
    properties.same_shape(came, (2, 4, 4))
    if not np.allclose(came.sum(axis=-1), 1, atol=1e-5):
        raise WrongAnswerError(
            "a sum of 1 for each query", f"the sums {came.sum(axis=-1)[0].round(2).tolist()}"
        )


def _never_looks_ahead(answer):
    came = properties.numbers(answer(ASKING, ASKED))
    ahead = np.abs(came[:, FUTURE]).max()
    if not ahead == 0:
        raise WrongAnswerError("the weight 0 on every later step", f"weights up to {ahead:.3g} there")


def _weighs_the_past(answer):
    products = ASKING @ ASKED.swapaxes(1, 2)

    def past(scores):
        return _softmax(np.where(FUTURE, -1e9, scores))

    properties.same_values(
        answer(ASKING, ASKED),
        causal_weights(ASKING, ASKED),
        [
            (past(products / 3), "products divided by the size of a key: divide by its root"),
            (past(products), "products that are not divided"),
            (past(products / 2), "products divided by the root of the number of steps"),
            (past(products.swapaxes(1, 2) / np.sqrt(3)), "queries and keys exchanged"),
        ],
    )


def _takes_high_products(answer):
    high = 1000 * ASKING
    properties.same_values(
        answer(high, ASKED), causal_weights(high, ASKED), tolerance=1e-3, cause=properties.NOT_HIDDEN
    )


STEPS, OTHERS = np.random.default_rng(12).normal(size=(2, 5, 3))


def _running_mean(x):
    return np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]


def _products_of_neighbours(x):
    return x * np.roll(x, -1, axis=0)


def _tripled_alone(x):
    return x * np.array([1, 2, 3])


def _reached(answer, function, x=STEPS, other=OTHERS):
    return answer(lambda given: np.array(function(given)), x, other)


def _one_row_for_each_output(answer):
    properties.same_shape(_reached(answer, _running_mean), (5, 5))


def _is_on_the_diagonal_where_steps_are_apart(answer):
    _is_reached(answer, _tripled_alone)


def _is_measured(answer):
    for function in (_running_mean, _products_of_neighbours, lambda x: x[::-1]):
        _is_reached(answer, function)


def _is_reached(answer, function):
    before, others = function(STEPS), {"all": [], "zeros": [], "sum": []}
    differences, kept = [], STEPS.copy()
    for step in range(len(STEPS)):
        changed = STEPS.copy()
        changed[step] = OTHERS[step]
        differences.append(function(changed) - before)
        kept[step] = OTHERS[step]
        others["all"].append(np.abs(function(kept) - before).max(axis=-1))
        changed[step] = 0
        others["zeros"].append(np.abs(function(changed) - before).max(axis=-1))
        changed[step] = STEPS[step] + OTHERS[step]
        others["sum"].append(np.abs(function(changed) - before).max(axis=-1))
    differences = np.array(differences)  # (changed step, output, size)
    right = np.abs(differences).max(axis=-1).T
    properties.same_values(
        _reached(answer, function),
        right,
        [
            (right.T, "rows and columns exchanged: a row for each output"),
            (np.array(others["all"]).T, "steps that stay changed: begin from x again for each step"),
            (np.array(others["zeros"]).T, "zeros in place of other[j]"),
            (np.array(others["sum"]).T, "other[j] added: put it in place of x[j]"),
            (differences.max(axis=-1).T, "changes with their sign: take the absolute values first"),
            (np.abs(differences).mean(axis=-1).T, "the mean over an output's numbers: take the largest"),
            (np.abs(differences).sum(axis=-1).T, "the sum over an output's numbers: take the largest"),
            (np.linalg.norm(differences, axis=-1).T, "the length of the change: take its largest number"),
            (right > 0, "yes or no: how large is the change?"),
        ],
    )


def _draw_who_knows_whom(answer):
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    x, other = rng.normal(size=(2, 12, 16))
    matrices = rng.normal(size=(3, 16, 16)) / 4
    W_x, W_h = matrices[0], np.linalg.qr(matrices[1])[0]  # noqa: N806

    def attention(x, mask=True):
        query, key, value = (x @ matrix for matrix in matrices)
        return _softmax(np.where(mask, query @ key.T / 4, -1e9)) @ value

    def recurrence(x):
        states, state = [], np.zeros(16)
        for x_t in x:
            state = np.tanh(x_t @ W_x + state @ W_h)
            states.append(state)
        return np.array(states)

    models = {
        "attention": attention,
        "with a causal mask": lambda x: attention(x, np.tri(12, dtype=bool)),
        "a recurrence": recurrence,
    }
    _, panels = plt.subplots(1, 3, figsize=(8.4, 3.1), sharey=True)
    for axes, (name, model) in zip(panels, models.items(), strict=True):
        reach = answer(model, x, other)
        image = axes.imshow(np.log10(np.maximum(reach, 1e-4)), cmap="Blues", vmin=-3, vmax=0.3)
        axes.set(title=name, xlabel="input that changes")
        axes.grid(visible=False)
    panels[0].set_ylabel("output")
    plt.colorbar(image, ax=panels, label="change (log 10)")
    plt.show()


ATTENTION_GIVEN = {"made": _attention, "right": MyAttention}
HEADS_GIVEN = {"made": _heads, "right": MyHeads}

EXERCISES = [
    Exercise(
        "10.attention",
        MyAttention,
        [
            ("gives the new vectors and the weights", _gives_vectors_and_weights),
            ("averages the values by the softmax of the scaled products", _divides_and_weighs),
            ("gives no weight where attention_mask is False", _hides_what_may_not_be_seen),
            ("takes scores of a thousand", _takes_high_scores),
            (
                "is written with keras.ops, so that it can be compiled",
                functools.partial(_can_be_compiled, made=_attention),
            ),
            (
                "has the gradients of the course's layer",
                functools.partial(_has_gradients, **ATTENTION_GIVEN),
            ),
            ("trains inside a compiled model", functools.partial(_trains, **ATTENTION_GIVEN)),
        ],
        [
            "query, key, value = (ops.matmul(x, kernel) for kernel in self.kernels)",
            "ops.swapaxes(key, 1, 2) turns the keys, so that each query meets each key. Divide by the root.",
            "Hide before the softmax: ops.where(attention_mask, scores, -1e9).",
            "weights = ops.softmax(scores, axis=-1), then the weights times the values.",
        ],
    ),
    Exercise(
        "10.heads",
        MyHeads,
        [
            ("gives the new vectors and the weights of every head", _gives_vectors_and_weights_of_heads),
            ("joins what the heads found, and mixes it by the last matrix", _joins_and_mixes),
            ("gives each head the mask", _gives_each_head_the_mask),
            (
                "is written with keras.ops, so that it can be compiled",
                functools.partial(_can_be_compiled, made=_heads),
            ),
            ("has the gradients of the course's layer", functools.partial(_has_gradients, **HEADS_GIVEN)),
            ("trains inside a compiled model", functools.partial(_trains, **HEADS_GIVEN)),
        ],
        [
            "Ask each of self.heads, and keep two lists: what it found, and its weights.",
            "ops.concatenate(found, axis=-1) joins, ops.stack(weights, axis=1) makes an axis for the heads.",
            "The new vectors are ops.matmul(joined, self.output_kernel).",
        ],
    ),
    Exercise(
        "10.positions",
        positions,
        [
            ("has a row for each position", _has_the_shape_of_positions),
            ("are sines and cosines of the angles", _are_the_waves),
            ("does so for other sizes", _do_so_for_other_sizes),
        ],
        [
            "Features 0 and 1 share i = 0, features 2 and 3 share i = 1: that is feature // 2.",
            "angle = np.arange(time)[:, None] / 10_000 ** (2 * (feature // 2) / size), a row for each t.",
            "np.where(feature % 2 == 0, np.sin(angle), np.cos(angle))",
        ],
    ),
    Exercise(
        "10.causal_weights",
        causal_weights,
        [
            ("sums to one for each query", _sums_to_one),
            ("gives later steps no weight", _never_looks_ahead),
            ("weighs the rest by scaled products", _weighs_the_past),
            ("takes products of a thousand", _takes_high_products),
        ],
        [
            "np.tril puts 0 where a step may not look. What does the softmax make of a score of 0?",
            "np.where(np.tri(T, dtype=bool), scores, -np.inf) comes before the softmax.",
            "Scaled: by the root of the key's size.",
        ],
    ),
    Exercise(
        "10.reach_experiment",
        reach_experiment,
        [
            ("has a row for each output and a column for each input", _one_row_for_each_output),
            (
                "finds nothing beside the diagonal where steps stay apart",
                _is_on_the_diagonal_where_steps_are_apart,
            ),
            ("is the largest change of each output", _is_measured),
        ],
        [
            "Call function(x) once, then once more for each step, with that step alone changed.",
            "changed = x.copy(), then changed[step] = other[step].",
            "reach[:, step] = np.abs(function(changed) - before).max(axis=-1)",
        ],
        result=_draw_who_knows_whom,
    ),
]
