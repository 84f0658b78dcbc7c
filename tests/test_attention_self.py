"""Self-attention and many heads equal the papers' equations and Keras' layer, and never see the future."""

import itertools
import math
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from course_utils import Embedding, LuongAttention, MultiHeadAttention, SelfAttention, causal_mask

BATCH, TQ, TV, HEADS, KEY_DIM = 3, 4, 6, 2, 3
RNG = np.random.default_rng(0)
SIZES = {
    "one size": (5, 5, 5),
    "query and value differ": (5, 4, 4),
    "key and value differ": (5, 4, 7),
}
REAL = np.arange(TV) < np.array([[6], [2], [4]])
PADDING = REAL[:, None]
FUTURE = np.tril(np.ones((TQ, TV), bool), k=2)
MASKS = {"no mask": None, "padding": PADDING, "the future": FUTURE, "both": PADDING & FUTURE}


def randomised(layer, *shapes, seed=1):
    """The layer with weights that are not symmetric."""
    layer.build(*shapes)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def inputs(query_size=5, value_size=5, key_size=5):
    sizes = (TQ, query_size), (TV, value_size), (TV, key_size)
    return [RNG.normal(size=(BATCH, *size)).astype("float32") for size in sizes]


def numbers(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def assert_close(one, other, atol=1e-5):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=atol)


# --- causal_mask


def test_causal_mask_shows_itself_and_the_past():
    np.testing.assert_array_equal(causal_mask(3, 4), [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]])
    assert keras.backend.standardize_dtype(causal_mask(2, 2).dtype) == "bool"


def test_causal_mask_goes_on_where_the_query_stands():
    whole = causal_mask(5, 5)
    for position in range(5):
        np.testing.assert_array_equal(causal_mask(1, 5, position), whole[position : position + 1])
    several = causal_mask(1, 5, np.array([3, 0]))
    np.testing.assert_array_equal(several, [whole[3:4], whole[0:1]])


# --- SelfAttention


SEQUENCE = RNG.normal(size=(BATCH, TV, 5)).astype("float32")


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_equals_the_formula(causal):
    came = numbers(SelfAttention(causal)(SEQUENCE, mask=REAL, return_attention_scores=True))
    for row, x in enumerate(SEQUENCE):
        for i in range(TV):
            counts = REAL[row] & (np.arange(TV) <= (i if causal else TV))
            weights = np.where(counts, np.exp(x @ x[i]), 0)
            weights /= weights.sum()
            assert_close(came[1][row, i], weights)
            assert_close(came[0][row, i], weights @ x)


def test_self_attention_is_dot_attention_to_itself_and_equals_keras():
    assert_close(SelfAttention()(SEQUENCE), LuongAttention("dot")(SEQUENCE, SEQUENCE))
    theirs = keras.layers.Attention()([SEQUENCE, SEQUENCE], mask=[REAL, REAL], use_causal_mask=True)
    ours = SelfAttention(causal=True)(SEQUENCE, mask=REAL)
    assert_close(ours[0], theirs[0])
    assert_close(ours[2, :4], theirs[2, :4])


def test_without_a_mask_order_is_nothing_to_self_attention():
    turned = RNG.permutation(TV)
    assert_close(
        SelfAttention()(SEQUENCE[:, turned]), ops.convert_to_numpy(SelfAttention()(SEQUENCE))[:, turned]
    )


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (REAL.astype("float32"), r"boolean and have the shape \(3, 6\).*float32\(3, 6\)"),
        (REAL[:, :4], r"boolean and have the shape \(3, 6\).*bool\(3, 4\)"),
        (PADDING, r"boolean and have the shape \(3, 6\).*bool\(3, 1, 6\)"),
    ],
)
def test_self_attention_refuses_other_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention()(SEQUENCE, mask=mask)


def test_self_attention_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"`value` must have the shape \(batch, time, dim\)"):
        SelfAttention()(SEQUENCE[0])


# --- MultiHeadAttention


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_equals_keras_with_copied_weights(sizes, mask):
    query, value, key = inputs(*sizes)
    ours = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape, key.shape)
    theirs = keras.layers.MultiHeadAttention(HEADS, KEY_DIM)
    theirs.build(query.shape, value.shape, key.shape)
    theirs.set_weights(ours.get_weights())
    came = ours(query, value, key=key, mask=mask, return_attention_scores=True)
    if mask is not None:
        mask = np.broadcast_to(mask, (BATCH, TQ, TV))
    right = theirs(query, value, key=key, attention_mask=mask, return_attention_scores=True)
    for one, other in zip(came, right, strict=True):
        assert_close(one, other)


def test_weights_have_keras_names_and_shapes():
    query, value, key = inputs(5, 4, 7)
    layers = MultiHeadAttention(HEADS, KEY_DIM), keras.layers.MultiHeadAttention(HEADS, KEY_DIM)
    described = []
    for layer in layers:
        layer.build(query.shape, value.shape, key.shape)
        paths = ["/".join(weight.path.split("/")[-2:]) for weight in layer.weights]
        described.append([(path, tuple(w.shape)) for path, w in zip(paths, layer.weights, strict=True)])
    assert described[0] == described[1]


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_equals_the_papers_equation_head_by_head(mask):
    query, value, key = inputs(5, 4, 7)
    layer = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape, key.shape)
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = layer.get_weights()
    counts = np.broadcast_to(True if mask is None else mask, (BATCH, TQ, TV))
    came = numbers(layer(query, value, key=key, mask=mask, return_attention_scores=True))
    for row in range(BATCH):
        context = b_o.copy()
        for head in range(HEADS):
            q, k = query[row] @ w_q[:, head] + b_q[head], key[row] @ w_k[:, head] + b_k[head]
            scores = np.where(counts[row], q @ k.T / math.sqrt(KEY_DIM), -np.inf)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            weights /= weights.sum(axis=-1, keepdims=True)
            context = context + weights @ (value[row] @ w_v[:, head] + b_v[head]) @ w_o[head]
            assert_close(came[1][row, head], weights)
        assert_close(came[0][row], context)


def test_first_kernels_are_glorots_over_all_heads():
    layer = MultiHeadAttention(8, 16)
    layer.build((None, None, 128), (None, None, 64))
    for projection, rows, columns in (
        (layer.query_dense, 128, 128),
        (layer.value_dense, 64, 128),
        (layer.output_dense, 128, 128),
    ):
        kernel, bias = projection.get_weights()
        limit = math.sqrt(6 / (rows + columns))
        assert 0.98 * limit < np.abs(kernel).max() <= limit
        assert abs(kernel.std() - limit / math.sqrt(3)) < 0.02 * limit
        assert not bias.any()
    assert not np.allclose(layer.query_dense.get_weights()[0], layer.output_dense.get_weights()[0].ravel()[0])


def test_every_projection_begins_with_numbers_of_its_own():
    kernels = []
    for _ in range(2):
        layer = MultiHeadAttention(HEADS, KEY_DIM)
        layer.build((None, None, 5), (None, None, 5))
        projections = layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense
        kernels += [np.sort(projection.get_weights()[0], axis=None) for projection in projections]
    for one, other in itertools.combinations(kernels, 2):
        assert not np.allclose(one, other)


def test_padding_changes_nothing():
    query, value, _ = inputs()
    layer = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape)
    padded = np.where(REAL[..., None], value, 1e4).astype("float32")
    one, other = (layer(query, each, mask=PADDING) for each in (value, padded))
    np.testing.assert_array_equal(one, other)
    assert_close(layer(query[1:2], value[1:2, :2]), one[1:2])


def test_a_query_with_nothing_to_look_at_finds_only_the_bias():
    query, value, _ = inputs()
    layer = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape)
    mask = PADDING & np.array([True, True, False])[:, None, None]
    context, weights = numbers(layer(query, value, mask=mask, return_attention_scores=True))
    assert not weights[2].any()
    assert_close(context[2], np.broadcast_to(layer.get_weights()[-1], context[2].shape))
    assert_close(weights[:2].sum(axis=-1), np.ones((2, HEADS, TQ)))


def test_turning_the_memory_turns_the_weights_and_leaves_the_context():
    query, value, _ = inputs()
    layer = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape)
    turned = RNG.permutation(TV)
    context, weights = numbers(layer(query, value, return_attention_scores=True))
    other, others = numbers(layer(query, value[:, turned], return_attention_scores=True))
    assert_close(other, context)
    assert_close(others, weights[..., turned])


def test_attending_to_what_was_projected_equals_the_call():
    query, value, key = inputs(5, 4, 7)
    layer = randomised(MultiHeadAttention(HEADS, KEY_DIM), query.shape, value.shape, key.shape)
    projected = layer.project(value, key)
    assert projected[0].shape == projected[1].shape == (BATCH, HEADS, TV, KEY_DIM)
    for t in range(TQ):
        one, _ = layer.attend(query[:, t : t + 1], *projected, PADDING)
        assert_close(one, layer(query, value, key=key, mask=PADDING)[:, t : t + 1])


@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize(
    "make",
    [partial(MultiHeadAttention, HEADS, KEY_DIM), partial(SelfAttention, causal=True)],
    ids=["many heads", "bare"],
)
def test_no_gradient_comes_from_the_future(make, dropout, padding, return_weights):
    keras.utils.set_random_seed(0)
    layer = make() if make.func is SelfAttention else make(dropout=dropout)
    bare = isinstance(layer, SelfAttention)
    sequence = tf.constant(SEQUENCE)
    for t in range(TV):
        with tf.GradientTape() as tape:
            tape.watch(sequence)
            mask = REAL if padding else np.ones_like(REAL)
            if bare:
                outputs = layer(sequence, mask=mask, return_attention_scores=return_weights)
            else:
                outputs = layer(
                    sequence,
                    sequence,
                    mask=mask[:, None] & np.asarray(causal_mask(TV, TV)),
                    return_attention_scores=return_weights,
                    training=True,
                )
            outputs = outputs if return_weights else [outputs]
            loss = sum(tf.reduce_sum(tf.square(each[..., t, :])) for each in outputs)
        gradient = tape.gradient(loss, sequence).numpy()
        assert not gradient[:, t + 1 :].any()
        if padding:  # nothing comes from padding, but for the query itself
            assert not gradient[1, 2:t].any()
    assert gradient[0].any()


def test_dropout_drops_weights_only_in_training():
    query, value, _ = inputs()
    layer = MultiHeadAttention(HEADS, KEY_DIM, dropout=0.5)
    plain, again = (layer(query, value) for _ in range(2))
    np.testing.assert_array_equal(plain, again)
    dropped, weights = layer(query, value, return_attention_scores=True, training=True)
    assert not np.allclose(dropped, plain)
    assert_close(np.sum(weights, axis=-1), np.ones((BATCH, HEADS, TQ)))  # those before dropout


def test_every_argument_goes_through_the_config():
    arguments = {"num_heads": 2, "key_dim": 3, "value_dim": 5, "dropout": 0.5, "use_bias": False}
    config = MultiHeadAttention(**arguments).get_config()
    assert {name: config[name] for name in arguments} == arguments
    assert MultiHeadAttention.from_config(config).get_config() == config
    assert MultiHeadAttention(2, 3).get_config()["value_dim"] == 3


@pytest.mark.parametrize(
    "options", [{"value_dim": 5}, {"use_bias": False}, {"value_dim": 2, "use_bias": False}]
)
def test_options_of_the_projections_equal_keras(options):
    query, value, key = inputs(5, 4, 7)
    ours = randomised(MultiHeadAttention(HEADS, KEY_DIM, **options), query.shape, value.shape, key.shape)
    theirs = keras.layers.MultiHeadAttention(HEADS, KEY_DIM, **options)
    theirs.build(query.shape, value.shape, key.shape)
    theirs.set_weights(ours.get_weights())
    assert_close(ours(query, value, key=key), theirs(query, value, key=key))


def test_scores_are_scaled_before_they_can_overflow():
    layer = MultiHeadAttention(1, 64, dtype="mixed_float16")
    sequence = np.full((1, 3, 64), 60.0)
    layer.build(sequence.shape, sequence.shape)
    layer.set_weights([np.ones(weight.shape) * (weight.ndim > 1) / 8 for weight in layer.weights])
    outputs = layer(sequence, sequence, return_attention_scores=True)
    assert all(np.isfinite(each).all() for each in numbers(outputs))


@pytest.mark.slow
def test_random_labels_cannot_be_learnt_through_the_causal_mask():
    # The label of each position is the next symbol, and symbols are drawn at random: a model that sees the
    # future reads it off, and one that does not stays at chance.
    keras.utils.set_random_seed(0)
    symbols = np.random.default_rng(0).integers(0, 8, size=(2_048, 9))

    class Reader(keras.Model):
        def __init__(self, hidden):
            super().__init__()
            self.hidden = hidden
            self.embedding, self.place = Embedding(8, 16), Embedding(8, 16)
            self.attention = MultiHeadAttention(2, 16)
            self.out = keras.layers.Dense(8)

        def call(self, ids):
            vectors = 8 * self.embedding(ids) + 8 * self.place(np.arange(8)[None])
            mask = causal_mask(8, 8) if self.hidden else None
            return self.out(self.attention(vectors, vectors, mask=mask))

    accuracies = {}
    for hidden in (True, False):
        model = Reader(hidden)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.02), loss, metrics=["sparse_categorical_accuracy"])
        model.fit(symbols[:1_536, :-1], symbols[:1_536, 1:], epochs=8, batch_size=64, verbose=0)
        _, accuracies[hidden] = model.evaluate(symbols[1_536:, :-1], symbols[1_536:, 1:], verbose=0)
    assert accuracies[True] < 0.2
    assert accuracies[False] > 0.75


# --- Bad input


@pytest.mark.parametrize("argument", ["num_heads", "key_dim"])
@pytest.mark.parametrize("wrong", [0, -1, 2.5, None, True])
def test_numbers_of_heads_must_be_whole(argument, wrong):
    with pytest.raises(ValueError, match=rf"`{argument}` must be a whole.*Received: {argument}={wrong!r}"):
        MultiHeadAttention(**{"num_heads": 2, "key_dim": 3, argument: wrong})


@pytest.mark.parametrize("wrong", [1, -0.1, 1.5, None, "half", True])
def test_dropout_must_leave_something(wrong):
    with pytest.raises(ValueError, match=rf"`dropout` must be from 0 to below 1.*dropout={wrong!r}"):
        MultiHeadAttention(2, 3, dropout=wrong)


@pytest.mark.parametrize(
    ("mask", "came"),
    [
        (PADDING.astype("int32"), r"int32\(3, 1, 6\)"),
        (PADDING[..., :4], r"bool\(3, 1, 4\)"),
        (REAL, r"bool\(3, 6\)"),
        (np.ones((BATCH, HEADS, TQ, TV), bool), r"bool\(3, 2, 4, 6\)"),
        ("causal", "'causal'"),
    ],
)
def test_a_mask_of_another_kind_or_shape_is_refused(mask, came):
    query, value, _ = inputs()
    with pytest.raises(ValueError, match=rf"boolean and broadcast to the shape \(3, 4, 6\).*mask={came}"):
        MultiHeadAttention(HEADS, KEY_DIM)(query, value, mask=mask)


def test_sequences_that_do_not_go_together_are_refused():
    query, value, key = inputs()
    layer = MultiHeadAttention(HEADS, KEY_DIM)
    with pytest.raises(ValueError, match="`value` and `key` must have one batch size and one length"):
        layer(query, value, key=key[:, :3])
    with pytest.raises(ValueError, match="`query` and `value` must have one batch size"):
        layer(query[:2], value)
    layer(query, value)
    with pytest.raises(ValueError, match=r"must have the sizes \(5, 5\).*sizes=\(4, 5\)"):
        layer(query[..., :4], value)
