"""Attention equals the papers' equations and Keras' layers, and keeps its promises about padding."""

import math
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from course_utils import (
    AttentionPooling,
    BahdanauAttention,
    Embedding,
    HardAttention,
    HardAttentionModel,
    LocalAttention,
    LuongAttention,
    masked_softmax,
    measure,
)
from course_utils.exercises.properties import ignores_padding as assert_ignores_padding
from course_utils.exercises.properties import last_state_is_that_of_each_alone as assert_last_state_as_alone

BATCH, TQ, TV, DIM = 3, 4, 6, 5
RNG = np.random.default_rng(0)
QUERY = RNG.normal(size=(BATCH, TQ, DIM)).astype("float32")
VALUE = RNG.normal(size=(BATCH, TV, DIM)).astype("float32")
KEY = RNG.normal(size=(BATCH, TV, DIM)).astype("float32")
REAL = np.arange(TV) < np.array([[6], [2], [4]])
PADDING = REAL[:, None]
MASKS = {
    "no mask": None,
    "padding": PADDING,
    "the future": np.tril(np.ones((TQ, TV), bool)),
    "both": PADDING & np.tril(np.ones((TQ, TV), bool)),
    "gaps": RNG.random((BATCH, 1, TV)) < 0.6,
    "one for all": np.array([1, 0, 1, 1, 1, 0], bool),
}
GLOBAL = {
    "dot": LuongAttention,
    "general": partial(LuongAttention, "general"),
    "concat": partial(LuongAttention, "concat"),
    "additive": partial(BahdanauAttention, 3),
}
SOFT = GLOBAL | {
    "local-m": partial(LocalAttention, 1),
    "local-p": partial(LocalAttention, 2, "predictive", "general"),
}
ALL = SOFT | {"hard": partial(HardAttention, "general")}


def built(make, query=QUERY, value=VALUE, key=None, seed=1):
    """A layer with weights that are not symmetric."""
    layer = make()
    layer.build(query.shape, value.shape, None if key is None else key.shape)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def with_weights(layer, *arguments, **named):
    outputs = layer(*arguments, return_attention_scores=True, **named)
    return tuple(np.asarray(ops.convert_to_numpy(output)) for output in outputs)


def assert_close(one, other, atol=1e-5):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=atol)


# --- The papers' equations, one query and one key at a time


def luong_score(kind, weights, q, k):
    """Luong et al. 2015, section 3.1: the three scores, which have no number."""
    if kind == "dot":
        return q @ k
    if kind == "general":
        (w,) = weights
        return q @ w @ k
    w, v = weights
    return v @ np.tanh(np.concatenate([q, k]) @ w)


def score(kind, weights, q, k):
    """The score of `kind`: Bahdanau et al. 2015, appendix A.1.2, or Luong's."""
    if kind != "additive":
        return luong_score(kind, weights, q, k)
    w, u, v = weights
    return v @ np.tanh(q @ w + k @ u)


def softmax_where(scores, counts):
    """Bahdanau et al. 2015, equation 6, over the positions that count."""
    weights = np.zeros(len(scores))
    if counts.any():
        exponentials = np.exp(scores[counts] - scores[counts].max())
        weights[counts] = exponentials / exponentials.sum()
    return weights


def expected(kind, weights, query, value, key, mask):
    """Weights, and contexts by Bahdanau et al. 2015, equation 5."""
    mask = np.broadcast_to(True if mask is None else mask, (len(query), query.shape[1], value.shape[1]))
    attended = np.array(
        [
            [
                softmax_where(np.array([score(kind, weights, q, k) for k in key[row]]), mask[row, t])
                for t, q in enumerate(query[row])
            ]
            for row in range(len(query))
        ]
    )
    return np.einsum("bts,bsd->btd", attended, value), attended


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("kind", GLOBAL)
@pytest.mark.parametrize("key", [None, KEY], ids=["value as key", "key"])
def test_equals_the_papers_equations(kind, mask, key):
    layer = built(GLOBAL[kind], key=key)
    came = with_weights(layer, QUERY, VALUE, key=key, mask=mask)
    right = expected(kind, layer.get_weights(), QUERY, VALUE, VALUE if key is None else key, mask)
    for one, other in zip(came, right, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("kind", ["general", "concat", "additive"])
def test_query_key_and_value_may_have_sizes_of_their_own(kind):
    query, key, value = QUERY[..., :2], KEY[..., :3], VALUE
    layer = built(GLOBAL[kind], query, value, key)
    came = with_weights(layer, query, value, key=key, mask=PADDING)
    for one, other in zip(came, expected(kind, layer.get_weights(), query, value, key, PADDING), strict=True):
        assert_close(one, other)


def test_bahdanaus_names_are_those_of_the_weights():
    layer = built(GLOBAL["additive"], QUERY[..., :2], VALUE)
    shapes = [(weight.name, tuple(weight.shape)) for weight in layer.weights]
    assert shapes == [("query_kernel", (2, 3)), ("key_kernel", (DIM, 3)), ("v", (3,))]


class TestKeras:
    """Our layers equal Keras' between the projections that make them the same."""

    @staticmethod
    def ours_and_theirs(kind):
        layer = built(GLOBAL[kind])
        weights = layer.get_weights()
        if kind in ("dot", "general"):
            project = weights[0].T if kind == "general" else np.eye(DIM, dtype="float32")
            theirs = keras.layers.Attention()
            return layer, lambda query, mask: theirs([query, VALUE, VALUE @ project], mask=[None, mask])
        w, u = np.split(weights[0], 2) if kind == "concat" else weights[:2]
        theirs = keras.layers.AdditiveAttention()
        theirs([QUERY @ w, VALUE, VALUE @ u])
        theirs.set_weights([weights[-1]])
        return layer, lambda query, mask: theirs([ops.matmul(query, w), VALUE, VALUE @ u], mask=[None, mask])

    @pytest.mark.parametrize("kind", GLOBAL)
    @pytest.mark.parametrize("mask", [None, REAL], ids=["no mask", "padding"])
    def test_equals_keras(self, kind, mask):
        ours, theirs = self.ours_and_theirs(kind)
        assert_close(ours(QUERY, VALUE, mask=None if mask is None else mask[:, None]), theirs(QUERY, mask))

    @pytest.mark.parametrize("kind", GLOBAL)
    def test_gradients_equal_keras(self, kind):
        ours, theirs = self.ours_and_theirs(kind)
        assert_close(
            measure.gradient(lambda query: ours(query, VALUE, mask=PADDING) ** 2, QUERY),
            measure.gradient(lambda query: theirs(query, REAL) ** 2, QUERY),
        )


class TestMaskedSoftmax:
    """The one softmax of them all."""

    def test_numbers_that_can_be_checked_by_hand(self):
        scores = np.log([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0]]).astype("float32")
        mask = np.array([[True, True, True], [True, False, True]])
        assert_close(masked_softmax(scores, mask), [[1 / 8, 2 / 8, 5 / 8], [1 / 6, 0, 5 / 6]])
        assert_close(masked_softmax(scores), [[1 / 8, 2 / 8, 5 / 8]] * 2)

    def test_a_row_with_nothing_to_attend_to_gives_zeros_and_no_gradient(self):
        scores, mask = np.ones((2, 3), "float32"), np.array([[False] * 3, [True, True, False]])
        np.testing.assert_array_equal(masked_softmax(scores, mask)[0], np.zeros(3))
        gradient = measure.gradient(lambda scores: masked_softmax(scores, mask)[:, 0], scores)
        assert_close(gradient, [[0, 0, 0], [0.25, -0.25, 0]])

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
    @pytest.mark.parametrize("largest", [0, 30, 60000, 1e37])  # 1e37 is infinite in float16
    def test_finite_in_every_precision(self, dtype, largest):
        scores = ops.cast(np.array([[largest, -largest, largest, -5]]), dtype)
        mask = np.array([[[True, True, False, True]], [[False] * 4]])
        scores = ops.repeat(scores[None], 2, axis=0)
        weights = masked_softmax(scores, mask)
        assert keras.backend.standardize_dtype(weights.dtype) == dtype
        weights = ops.convert_to_numpy(ops.cast(weights, "float32"))
        assert_close(weights.sum(axis=-1), [[1], [0]], atol=0.01)
        assert (weights[~mask] == 0).all()
        expected = [1, 0, 0, 0] if largest else [0.4983, 0.4983, 0, 0.0034]
        assert_close(weights[0], [expected], atol=0.01)

    @pytest.mark.parametrize("shift", [-1000, 1000])
    def test_adding_to_all_scores_changes_nothing(self, shift):
        assert_close(masked_softmax(KEY + shift, KEY > 0), masked_softmax(KEY, KEY > 0), atol=1e-3)

    @pytest.mark.parametrize(
        "mask",
        [REAL[:, :5], REAL[:2], REAL[None, None], REAL.astype("float32"), REAL.tolist(), True],
        ids=["short", "rows", "rank", "numbers", "list", "True"],
    )
    def test_mask_must_be_boolean_and_broadcast(self, mask):
        with pytest.raises(
            ValueError, match=r"(?s)`mask` must be boolean and broadcast.*\(3, 6\).*Received: mask="
        ):
            masked_softmax(np.zeros((BATCH, TV), "float32"), mask)


class TestEveryKind:
    """What holds of every kind of attention."""

    @pytest.fixture(params=ALL, name="make")
    def _make(self, request):
        return ALL[request.param]

    @pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
    def test_weights_sum_to_one_over_real_positions_and_are_zero_elsewhere(self, make, mask):
        layer = built(make)
        context, weights = with_weights(layer, QUERY, VALUE, mask=mask)
        assert weights.shape == (BATCH, TQ, TV)
        allowed = np.broadcast_to(True if mask is None else mask, weights.shape)
        assert (weights[~allowed] == 0).all()
        assert (weights >= 0).all()
        if not isinstance(layer, LocalAttention):  # a window may hold nothing but gaps
            assert_close(weights.sum(axis=-1), allowed.any(axis=-1))
        assert (weights.sum(axis=-1) <= 1 + 1e-6).all()
        assert_close(context, weights @ VALUE)

    def test_weights_come_only_on_request(self, make):
        layer = built(make)
        np.testing.assert_array_equal(layer(QUERY, VALUE), with_weights(layer, QUERY, VALUE)[0])

    def test_padding_changes_nothing(self, make):
        layer = built(make)
        other_value, other_key = (np.where(REAL[..., None], each, 50) for each in (VALUE, KEY))
        for one, other in zip(
            with_weights(layer, QUERY, VALUE, key=KEY, mask=PADDING),
            with_weights(layer, QUERY, other_value, key=other_key, mask=PADDING),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
        assert_ignores_padding(lambda value: layer(QUERY, value, mask=PADDING), VALUE, REAL)

    def test_as_alone_without_padding(self, make):
        layer = built(make)
        context, weights = with_weights(layer, QUERY, VALUE, key=KEY, mask=PADDING)
        for row, length in enumerate(REAL.sum(axis=1)):
            alone = slice(row, row + 1)
            one, some = with_weights(layer, QUERY[alone], VALUE[alone, :length], key=KEY[alone, :length])
            assert_close(one, context[alone])
            assert_close(some, weights[alone, :, :length])

    def test_nothing_to_look_at_gives_zeros_even_with_gradients(self, make):
        layer = built(make)
        nothing = PADDING & np.array([[[True]], [[False]], [[True]]])
        context, weights = with_weights(layer, QUERY, VALUE, mask=nothing)
        assert not context[1].any()
        assert not weights[1].any()
        gradient = measure.gradient(lambda value: layer(QUERY, value, mask=nothing), VALUE)
        assert np.isfinite(gradient).all()
        assert not gradient[1].any()

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    @pytest.mark.parametrize("scale", [1, 300])
    def test_finite_in_half_precision(self, make, policy, scale):
        layer = built(partial(make, dtype=policy))
        outputs = layer(scale * QUERY, scale * VALUE, mask=PADDING, return_attention_scores=True)
        assert {keras.backend.standardize_dtype(each.dtype) for each in outputs} == {policy[6:]}
        context, weights = (ops.convert_to_numpy(ops.cast(each, "float32")) for each in outputs)
        assert np.isfinite(context).all()
        assert (weights[~np.broadcast_to(PADDING, weights.shape)] == 0).all()
        if not isinstance(layer, LocalAttention) or layer.alignment == "monotonic":
            assert_close(weights.sum(axis=-1), np.ones((BATCH, TQ)), atol=0.02)

    def test_one_query_at_a_time_equals_all_at_once(self, make):
        layer = built(make)
        at_once = with_weights(layer, QUERY, VALUE, mask=PADDING)
        for position in (
            int,
            np.int64,
            lambda t: np.full(BATCH, t),
            lambda t: ops.full((BATCH,), t, "int32"),
        ):
            for t in range(TQ):
                step = with_weights(
                    layer, QUERY[:, t : t + 1], VALUE, mask=PADDING, query_position=position(t)
                )
                for one, all_of_them in zip(step, at_once, strict=True):
                    assert_close(one[:, 0], all_of_them[:, t])

    def test_nothing_is_stored_during_a_call(self, make):
        layer = built(make)
        layer(QUERY, VALUE)
        before = dict(layer.__dict__)
        layer(QUERY[:1], VALUE[:1], key=KEY[:1], mask=PADDING[:1], query_position=3)
        assert layer.__dict__.keys() == before.keys()
        assert all(layer.__dict__[name] is value for name, value in before.items())

    def test_masks_that_keras_layers_have_attached_count_and_that_of_the_query_goes_on(self, make):
        ids = np.array([[1, 2, 1, 2], [2, 1, 1, 0], [1, 0, 0, 0]])
        embedding = keras.layers.Embedding(3, DIM, mask_zero=True)
        query, value = embedding(ids[:, :3]), embedding(ids)
        layer = built(make, value=np.asarray(value))
        came = layer(query, value, mask=np.tri(3, 4, 1, dtype=bool), return_attention_scores=True)
        np.testing.assert_array_equal(came[0]._keras_mask, ids[:, :3] > 0)
        explicit = (ids[:, :3, None] > 0) & (ids[:, None] > 0) & np.tri(3, 4, 1, dtype=bool)
        for one, other in zip(
            came, with_weights(layer, np.asarray(query), np.asarray(value), mask=explicit), strict=True
        ):
            assert_close(one, other)

    def test_a_mask_attached_to_the_key_counts(self, make):
        ids = np.array([[1, 2, 1, 2, 1, 0], [2, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
        key = keras.layers.Embedding(3, DIM, mask_zero=True)(ids)
        layer = built(make, key=KEY)
        came = layer(QUERY, VALUE, key=key, return_attention_scores=True)[1]
        right = with_weights(layer, QUERY, VALUE, key=np.asarray(key), mask=ids[:, None] > 0)[1]
        assert_close(came, right)

    def test_the_causal_mask_is_had_by_its_name(self, make):
        layer = built(make)
        for options in ({}, {"mask": PADDING}):
            came = layer(QUERY, VALUE, use_causal_mask=True, query_position=1, **options)
            mask = np.tri(TQ, TV, 1, dtype=bool) & options.get("mask", True)
            assert_close(came, layer(QUERY, VALUE, mask=mask, query_position=1))

    def test_a_symbolic_model_takes_every_argument(self, make, tmp_path):
        shapes = {"query": (None, DIM), "value": (None, DIM), "key": (None, DIM)}
        entrances = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
        entrances["mask"] = keras.Input((1, None), dtype="bool", name="mask")
        entrances["query_position"] = keras.Input((), dtype="int32", name="query_position")
        layer = built(make, key=KEY)
        model = keras.Model(entrances, layer(**entrances, return_attention_scores=True))
        assert [output.shape for output in model.outputs] == [(None, None, DIM), (None, None, None)]
        position = np.array([2, 0, 1], "int32")
        inputs = {"query": QUERY, "value": VALUE, "key": KEY, "mask": PADDING, "query_position": position}
        came = with_weights(layer, **inputs)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        for each in (model, loaded):
            for one, other in zip(each(inputs), came, strict=True):
                assert_close(one, other)


@pytest.mark.parametrize("kind", GLOBAL)
def test_permuting_the_memory_permutes_the_weights_and_leaves_the_context(kind):
    layer, order = built(GLOBAL[kind]), np.array([3, 0, 5, 1, 4, 2])
    context, weights = with_weights(layer, QUERY, VALUE, key=KEY, mask=PADDING)
    assert np.abs(weights[:, :, order] - weights).max() > 0.1
    permuted = with_weights(layer, QUERY, VALUE[:, order], key=KEY[:, order], mask=PADDING[..., order])
    assert_close(permuted[0], context)
    assert_close(permuted[1], weights[:, :, order])


# --- Local attention


def local(layer, query, value, mask, first):
    """Luong et al. 2015, section 3.2 and equations 9 and 10, one query at a time."""
    weights = layer.get_weights()
    attended = np.zeros((BATCH, query.shape[1], TV))
    for row in range(BATCH):
        (real,) = np.nonzero(mask[row])
        length = real[-1] + 1  # S
        for t, q in enumerate(query[row]):
            p = first[row] + t
            if layer.alignment == "predictive":
                w_p, v_p = weights[-2:]
                p = length / (1 + np.exp(-v_p @ np.tanh(q @ w_p)))
            center = min(p, length - 1)
            window = [s for s in real if abs(s - center) <= layer.window]
            scores = [luong_score(layer.score, weights[: len(weights)][:1], q, value[row, s]) for s in window]
            shares = softmax_where(np.array(scores), np.ones(len(window), bool))
            if layer.alignment == "predictive":
                shares = shares * np.exp(-((np.array(window) - p) ** 2) / (2 * (layer.window / 2) ** 2))
            attended[row, t, window] = shares
    return attended


class TestLocal:
    """Windows, and where they lie."""

    @pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
    @pytest.mark.parametrize("window", [1, 2, 3])
    @pytest.mark.parametrize("mask", [np.ones_like(REAL), REAL], ids=["all real", "padding"])
    @pytest.mark.parametrize("position", [0, 3, [0, 5, 2]])
    def test_equals_the_papers_equations(self, alignment, window, mask, position):
        layer = built(partial(LocalAttention, window, alignment, "general"))
        first = np.broadcast_to(position, BATCH)
        given = position if isinstance(position, int) else np.array(position)
        context, weights = with_weights(layer, QUERY, VALUE, mask=mask[:, None], query_position=given)
        right = local(layer, QUERY, VALUE, mask, first)
        assert_close(weights, right)
        assert_close(context, right @ VALUE)
        if mask.all():
            assert_close(layer(QUERY, VALUE, query_position=given), context)

    def test_a_window_that_can_be_checked_by_hand(self):
        ones = np.ones((1, 5, 2), "float32")  # every score is the same
        weights = with_weights(LocalAttention(1), ones, ones)[1][0]
        third, half = 1 / 3, 1 / 2
        assert_close(
            weights,
            [
                [half, half, 0, 0, 0],
                [third, third, third, 0, 0],
                [0, third, third, third, 0],
                [0, 0, third, third, third],
                [0, 0, 0, half, half],
            ],
        )

    def test_the_gaussian_by_hand(self):
        layer = LocalAttention(2, "predictive")
        ones = np.ones((1, 5, 2), "float32")
        layer.build(ones.shape, ones.shape)
        layer.set_weights([np.zeros((2, 2)), np.zeros(2)])  # sigmoid(0): half of the true length
        mask = np.array([[[True, True, True, True, False]]])
        assert_close(
            with_weights(layer, ones[:, :1], ones, mask=mask)[1],
            [[np.exp([-2, -0.5, 0, -0.5, -np.inf]) / 4]],  # around 2, with sigma = 1
        )

    @pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
    def test_past_the_end_the_window_stays_at_the_last_real_position(self, alignment):
        layer = built(partial(LocalAttention, 1, alignment))
        if alignment == "predictive":
            layer.set_weights([np.zeros((DIM, DIM)), np.zeros(DIM)])
            layer.position_kernel.assign(50 * np.eye(DIM))
            layer.position_v.assign(np.full(DIM, 50.0))
        query = np.ones_like(QUERY)
        weights = with_weights(layer, query, VALUE, mask=PADDING, query_position=40)[1]
        at = np.argwhere(REAL[:, 1:] < REAL[:, :-1])  # of the rows that have padding
        for row, last in at:
            assert set(np.flatnonzero(weights[row].any(axis=0))) == {last - 1, last}

    def test_a_position_beyond_the_end_can_still_learn(self):
        layer = built(partial(LocalAttention, 2, "predictive"))
        layer.set_weights([np.eye(DIM), np.ones(DIM)])  # p is 1.96 where two positions are real
        query, mask = np.ones_like(QUERY), np.arange(TV) < 2

        def weight_of_the_first(query):
            return layer(query, 0 * VALUE, mask=mask, return_attention_scores=True)[1][:, :, 0]

        assert (measure.gradient(weight_of_the_first, query) < 0).all()

    def test_positions_are_exact_in_half_precision(self):
        layer = LocalAttention(1, dtype="mixed_float16")
        source = np.ones((1, 3001, 2), "float32")
        weights = with_weights(layer, source[:, :1], source, query_position=2999)[1]
        assert np.flatnonzero(weights).tolist() == [2998, 2999, 3000]

    def test_gaps_are_not_the_end(self):
        layer = built(partial(LocalAttention, 1))
        mask = np.array([True, False, False, True, True, False])
        weights = with_weights(layer, QUERY, VALUE, mask=mask, query_position=1)[1]
        assert [np.flatnonzero(row).tolist() for row in weights[0]] == [[0], [3], [3, 4], [3, 4]]


# --- Hard attention


def draws(layer, query, value, n, **named):
    """One-hot weights of `n` draws, `(n, Tq, Tv)`, for one example."""
    many = [np.repeat(each[:1], n, axis=0) for each in (query, value)]
    return with_weights(layer, *many, training=True, **named)[1]


class TestHard:
    """Draws, their probabilities, and what they teach."""

    N = 20_000

    def test_looks_at_the_most_probable_position(self):
        layer = built(ALL["hard"])
        soft = LuongAttention("general")
        soft.build(QUERY.shape, VALUE.shape)
        soft.set_weights(layer.get_weights()[:1])
        weights = with_weights(layer, QUERY, VALUE, mask=PADDING)[1]
        probabilities = with_weights(soft, QUERY, VALUE, mask=PADDING)[1]
        np.testing.assert_array_equal(weights, np.eye(TV)[probabilities.argmax(axis=-1)])

    def test_draws_as_often_as_the_softmax_says(self):
        layer = HardAttention(seed=3)
        weights = draws(layer, QUERY, VALUE, self.N, mask=PADDING[2:])
        assert set(np.unique(weights)) == {0, 1}
        assert (weights.sum(axis=-1) == 1).all()
        probabilities = with_weights(LuongAttention(), QUERY[:1], VALUE[:1], mask=PADDING[2:])[1][0]
        error = np.sqrt(probabilities * (1 - probabilities) / self.N)
        assert (np.abs(weights.mean(axis=0) - probabilities) <= 4 * error + 1e-9).all()

    def test_every_query_draws_for_itself(self):
        weights = draws(HardAttention(seed=3), np.zeros_like(QUERY), VALUE, 500)
        assert (weights[:, 0].argmax(axis=-1) == weights[:, 1].argmax(axis=-1)).mean() < 0.5

    def test_a_draw_is_repeated_by_its_seed_alone(self):
        one, same, other = (HardAttention(seed=seed) for seed in (3, 3, 4))
        first = draws(one, QUERY, VALUE, 100)
        np.testing.assert_array_equal(first, draws(same, QUERY, VALUE, 100))
        assert (first != draws(other, QUERY, VALUE, 100)).any()
        assert (first != draws(one, QUERY, VALUE, 100)).any()

    def test_nothing_is_drawn_where_nothing_counts(self):
        mask = np.zeros((1, 1, TV), bool)
        layer = HardAttention()
        weights = draws(layer, QUERY, VALUE, 100, mask=mask)
        assert not weights.any()
        assert not np.asarray(layer.log_prob(weights[:1], QUERY[:1], VALUE[:1], mask)).any()

    @pytest.mark.parametrize("key", [None, KEY], ids=["value as key", "key"])
    def test_log_prob_is_that_of_the_draw(self, key):
        layer = built(ALL["hard"], key=key)
        weights = with_weights(layer, QUERY, VALUE, key=key, mask=PADDING, training=True)[1]
        kernel = layer.get_weights()[:1]
        probabilities = expected("general", kernel, QUERY, VALUE, VALUE if key is None else key, PADDING)[1]
        assert_close(
            layer.log_prob(weights, QUERY, VALUE, PADDING, key=key),
            np.log((weights * probabilities).sum(axis=-1)),
            atol=1e-4,
        )

    def test_log_prob_is_the_same_in_half_precision(self):
        layer, half = (
            built(partial(HardAttention, "general", dtype=d)) for d in ("float32", "mixed_float16")
        )
        weights = with_weights(half, QUERY, VALUE, mask=PADDING, training=True)[1]
        assert weights.dtype == "float16"
        log_prob = half.log_prob(weights, QUERY, VALUE, PADDING)
        assert log_prob.dtype == "float32"
        assert_close(log_prob, layer.log_prob(weights, QUERY, VALUE, PADDING))

    def test_no_gradient_passes_from_the_context_to_the_scores(self):
        layer = HardAttention()
        for training in (False, True):
            assert measure.gradient(lambda query, t=training: layer(query, VALUE, training=t), QUERY) is None
        assert measure.gradient(lambda value: layer(QUERY, value), VALUE).any()


def three_ways(n, losses=(1.0, 2.0, 4.0), **options):
    """`n` copies of one query that chooses among three losses, each with parameters of its own."""
    entrance = keras.Input((1,), dtype="int32")
    query = Embedding(n, 3, name="queries")(entrance)
    value = keras.Input((3, 3))
    encode = keras.Model([entrance, value], {"query": query, "value": keras.layers.Identity()(value)})
    answer = keras.layers.Dense(1, use_bias=False, trainable=False)
    model = HardAttentionModel(encode, HardAttention(seed=1), answer, **options)
    inputs = [np.arange(n)[:, None], np.repeat(np.eye(3, dtype="float32")[None], n, axis=0)]
    model.compile("sgd", "mean_absolute_error")
    model(inputs)
    answer.set_weights([np.array(losses)[:, None]])
    logits = np.log([0.2, 0.5, 0.3])
    encode.get_layer("queries").set_weights([np.repeat(logits[None], n, axis=0)])
    return model, inputs, np.zeros((n, 1), "float32")


def estimates(model, inputs, labels):
    """The gradient of the loss that each copy estimates, `(n, 3)`."""
    weight = model.encode.trainable_weights[0].value
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, labels, outputs, training=True)
    gradient = tape.gradient(loss, weight)
    return len(labels) * np.asarray(tf.convert_to_tensor(gradient))


class TestReinforce:
    """The model that owns its loss."""

    N = 20_000
    # Of E = sum of p_i * loss_i by the scores: p_i * (loss_i - E), with p = .2, .5, .3 and loss = 1, 2, 4.
    EXACT = np.array([0.2, 0.5, 0.3]) * (np.array([1, 2, 4]) - 2.4)

    @pytest.mark.parametrize("baseline", [0.0, 2.4, -3.0])
    def test_the_gradient_estimate_agrees_with_the_exact_expectation(self, baseline):
        model, inputs, labels = three_ways(self.N)
        model.baseline.assign(baseline)
        came = estimates(model, inputs, labels)
        error = came.std(axis=0) / math.sqrt(self.N)
        assert (np.abs(came.mean(axis=0) - self.EXACT) < 4 * error).all()
        assert (error < 0.1 * np.abs(self.EXACT).max()).all()

    def test_a_baseline_lowers_the_variance(self):
        variance = []
        for baseline in (0.0, 2.4):
            model, inputs, labels = three_ways(2000)
            model.baseline.assign(baseline)
            variance.append(estimates(model, inputs, labels).var(axis=0).sum())
        assert variance[1] < 0.3 * variance[0]

    def test_the_baseline_runs_after_the_loss_in_fit_and_goes_on_after_reload(self, tmp_path):
        model, inputs, labels = three_ways(2, losses=(3.0, 3.0, 3.0), baseline_decay=0.8)
        model.fit(inputs, labels, epochs=2, verbose=0)
        assert_close(model.baseline, 3 * (1 - 0.8**2))
        assert model.baseline.path in [weight.path for weight in model.non_trainable_weights]
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert_close(loaded.baseline, model.baseline)
        assert_close(loaded.predict(inputs, verbose=0)["prediction"], [[3], [3]])
        loaded.fit(inputs, labels, epochs=2, verbose=0)
        assert_close(loaded.baseline, 3 * (1 - 0.8**4))

    def test_reloads_where_inputs_must_be_whole_numbers(self, tmp_path):
        ids = keras.Input((None,), dtype="int32")
        states = ops.one_hot(ids, 5)
        encode = keras.Model(ids, {"query": states[:, :1], "value": states})
        model = HardAttentionModel(encode, HardAttention("general"), keras.layers.Dense(1))
        inputs = np.array([[0, 1, 2], [3, 4, 0]], "int32")
        outputs = model(inputs)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert len(loaded.weights) == len(model.weights)
        assert_close(loaded(inputs)["prediction"], outputs["prediction"])

    def test_this_batch_is_compared_with_the_baseline_before_it(self):
        model, inputs, labels = three_ways(2, losses=(3.0, 3.0, 3.0))
        outputs = model(inputs, training=True)

        def loss(log_prob):
            return model.compute_loss(inputs, labels, {**outputs, "log_prob": log_prob}, training=True)

        for baseline in (0.0, 0.3):
            log_prob = np.asarray(outputs["log_prob"])
            assert_close(measure.gradient(loss, log_prob), np.full(2, (3 - baseline) / 2))

    def test_the_loss_that_is_logged_is_the_loss(self):
        model, inputs, labels = three_ways(1, losses=(1.0, 2.0, 4.0))
        model.optimizer.learning_rate = 0.0
        history = model.fit(inputs, labels, epochs=9, verbose=0).history
        assert set(history["loss"]) == {1.0, 2.0, 4.0}  # whatever was drawn, and whatever the baseline is

    def test_sample_weights_weigh_the_loss_its_surrogate_and_the_baseline(self):
        model, _, _ = three_ways(2)
        labels, prediction = np.zeros((2, 1), "float32"), np.array([[1.0], [3.0]], "float32")

        def loss(log_prob):
            outputs = {"prediction": prediction, "log_prob": log_prob}
            return model.compute_loss(
                None, labels, outputs, sample_weight=np.array([1.0, 0.0]), training=True
            )

        errors = np.asarray(model.losses_of(labels, prediction))
        gradient = measure.gradient(loss, np.array([-1.0, -2.0], "float32"))
        assert_close(gradient, [errors[0] / 2, 0])
        assert_close(model.baseline, (1 - model.baseline_decay) * errors[0])  # the other one has no weight
        baseline = float(model.baseline)
        model.follow(errors, np.zeros(2, "float32"))
        assert_close(model.baseline, baseline)

    def test_what_is_drawn_does_not_change_how_the_answer_learns(self):
        model, _, labels = three_ways(2)

        def loss(prediction, training):
            outputs = {"prediction": prediction, "log_prob": np.array([-1.0, -2.0], "float32")}
            return model.compute_loss(None, labels, outputs, training=training)

        prediction = np.array([[1.0], [4.0]], "float32")
        assert_close(*(measure.gradient(partial(loss, training=each), prediction) for each in (False, True)))

    def test_a_decay_of_one_is_no_baseline(self):
        model, inputs, labels = three_ways(2, baseline_decay=1)
        model.fit(inputs, labels, epochs=2, verbose=0)
        assert float(model.baseline) == 0

    def test_outside_training_the_loss_is_the_plain_one(self):
        model, inputs, labels = three_ways(2)
        assert_close(model.evaluate(inputs, labels, verbose=0), 2)  # the most probable of the three
        assert float(model.baseline) == 0

    def test_examples_may_be_weighted_and_weights_regularised(self):
        model, inputs, labels = three_ways(2)
        outputs = {"prediction": np.array([[1.0], [4.0]], "float32"), "log_prob": np.zeros(2)}
        loss = partial(model.compute_loss, inputs, labels, outputs, training=False)
        assert_close(loss(sample_weight=np.array([1.0, 0.0], "float32")), 0.5)
        model.encode.get_layer("queries").embeddings.regularizer = keras.regularizers.L2(1.0)
        assert_close(loss(), 2.5 + 2 * np.sum(np.log([0.2, 0.5, 0.3]) ** 2))

    @pytest.mark.parametrize(
        ("name", "make", "labels"),
        [
            ("mse", keras.losses.MeanSquaredError, [[1.0, 0.0], [0.0, 0.0]]),
            ("sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy, [1, 0]),
        ],
    )
    def test_a_loss_may_be_a_name_or_an_object_with_any_reduction(self, name, make, labels):
        model, _, _ = three_ways(2)
        labels, prediction = np.array(labels), np.array([[0.25, 0.75], [0.5, 0.5]], "float32")
        for loss in (name, make(), make(reduction="sum"), make(reduction="none")):
            model.compile("sgd", loss)
            came = model.compute_loss(None, labels, {"prediction": prediction}, training=False)
            assert_close(came, make()(labels, prediction))

    @pytest.mark.slow
    def test_learns_to_look_up_a_digit(self):
        keras.utils.set_random_seed(0)
        model, inputs, labels = phone_book(pairs=4, items=12_000)
        held_out, right = [each[-1000:] for each in inputs], labels[-1000:]
        model.compile(
            keras.optimizers.Adam(0.01),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        assert model.evaluate(held_out, right, verbose=0)[1] < 0.3
        model.fit([each[:-1000] for each in inputs], labels[:-1000], verbose=0)
        assert model.evaluate(held_out, right, verbose=0)[1] > 0.99
        names, _, asked = held_out
        chosen = model.predict(held_out, verbose=0)["weights"].argmax(axis=1)
        assert (chosen == np.argmax(names == asked, axis=1)).mean() > 0.99

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_trains_under_mixed_precision(self, policy):
        before = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            model, inputs, labels = phone_book(pairs=4, items=64)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile("adam", loss)
            history = model.fit(inputs, labels, epochs=2, verbose=0).history
        finally:
            keras.mixed_precision.set_dtype_policy(before)
        assert np.isfinite(history["loss"]).all()
        assert all(weight.dtype == "float32" for weight in model.trainable_weights)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"encode": keras.layers.Dense(3)}, r"`encode` must be a functional model.*Received: encode="),
            ({"attention": LuongAttention()}, r"`attention` must have a `log_prob`.*Received: attention="),
            (
                {"baseline_decay": 1.5},
                r"`baseline_decay` must be between 0 and 1.*Received: baseline_decay=1.5",
            ),
        ],
    )
    def test_bad_parts(self, changed, said):
        model, _, _ = three_ways(2)
        parts = {"encode": model.encode, "attention": model.attention, "answer": model.answer}
        with pytest.raises(ValueError, match=said):
            HardAttentionModel(**{**parts, **changed})

    @pytest.mark.parametrize("time", [None, 2])
    def test_only_one_query(self, time):
        entrance = keras.Input((time, 3))
        states = keras.layers.Dense(3)(entrance)
        encode = keras.Model(entrance, {"query": states, "value": states})
        with pytest.raises(ValueError, match=r"one query.*Received: query="):
            HardAttentionModel(encode, HardAttention(), keras.layers.Dense(1))(np.ones((1, 2, 3)))


def phone_book(pairs, items, names=8):
    """A model that looks a name up among pairs of name and digit, and the task."""
    rng = np.random.default_rng(0)
    people = np.array([rng.permutation(names)[:pairs] for _ in range(items)])
    digits, asked = rng.integers(0, 10, (items, pairs)), rng.integers(0, pairs, items)
    entrances = [keras.Input((size,), dtype="int32") for size in (pairs, pairs, 1)]
    embed_name, embed_digit = Embedding(names, 16), Embedding(10, 16)
    outputs = {
        "query": embed_name(entrances[2]),
        "key": embed_name(entrances[0]),
        "value": embed_digit(entrances[1]),
    }
    model = HardAttentionModel(
        keras.Model(entrances, outputs), HardAttention("general"), keras.layers.Dense(10)
    )
    rows = np.arange(items)
    return model, [people, digits, people[rows, asked][:, None]], digits[rows, asked]


# --- Many to one


class TestPooling:
    """h~ from the last real state and what it looks back at."""

    @staticmethod
    def expected(layer, value, mask):
        """Luong et al. 2015: the scores of section 3.1, then equations 7 and 5."""
        kind = layer.attention.score
        weights = [w.numpy() for w in layer.attention.weights]
        pooled, attended = [], []
        for states, counts in zip(value, mask, strict=True):
            last = np.flatnonzero(counts)[-1]
            counts = counts & ((np.arange(TV) != last) | layer.include_last)
            scores = np.array([luong_score(kind, weights, states[last], state) for state in states])
            shares = softmax_where(scores, counts)
            both = np.concatenate([shares @ states, states[last]])
            pooled.append(np.tanh(both @ layer.kernel.numpy()))
            attended.append(shares)
        return np.array(pooled), np.array(attended)

    @pytest.mark.parametrize("score", ["dot", "general", "concat"])
    @pytest.mark.parametrize("include_last", [True, False])
    @pytest.mark.parametrize("mask", [None, REAL, MASKS["gaps"][:, 0]], ids=["no mask", "padding", "gaps"])
    def test_equals_the_papers_equations(self, score, include_last, mask):
        layer = AttentionPooling(3, score, include_last)
        layer.build(VALUE.shape)
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
        pooled, weights = with_weights(layer, VALUE, mask=mask)
        assert pooled.shape == (BATCH, 3)
        assert weights.shape == (BATCH, TV)
        right = self.expected(layer, VALUE, np.ones_like(REAL) if mask is None else mask)
        assert_close(pooled, right[0])
        assert_close(weights, right[1])
        np.testing.assert_array_equal(layer(VALUE, mask=mask), pooled)

    @pytest.mark.parametrize("include_last", [True, False])
    def test_padding_changes_nothing(self, include_last):
        layer = AttentionPooling(3, include_last=include_last)
        assert_ignores_padding(lambda value: layer(value, mask=REAL), VALUE, REAL)
        assert_last_state_as_alone(lambda value, mask: layer(value, mask=mask), VALUE, REAL)

    def test_the_dot_finds_the_last_state_most_like_itself(self):
        states = np.random.default_rng(5).normal(size=(200, 30, 16)).astype("float32")
        weights = with_weights(AttentionPooling(3, "dot"), states)[1]
        assert weights[:, -1].mean() > 0.9
        others = with_weights(AttentionPooling(3, "dot", include_last=False), states)[1]
        assert not others[:, -1].any()
        assert_close(others.sum(axis=1), np.ones(200))

    def test_one_step_alone(self):
        for include_last in (True, False):
            layer = AttentionPooling(3, include_last=include_last)
            weights = with_weights(layer, VALUE[:, :1])[1]
            np.testing.assert_array_equal(weights, np.full((BATCH, 1), float(include_last)))

    def test_nothing_real_gives_zeros(self):
        pooled, weights = with_weights(AttentionPooling(3), VALUE, mask=np.zeros_like(REAL))
        assert not pooled.any()
        assert not weights.any()

    def test_keras_own_mask_is_read_but_not_passed_on(self):
        value = keras.layers.Embedding(3, DIM, mask_zero=True)(np.array([[1, 2, 0, 0]]))
        pooled, weights = AttentionPooling(3)(value, return_attention_scores=True)
        assert (np.asarray(weights)[0, 2:] == 0).all()
        assert getattr(pooled, "_keras_mask", None) is None

    @pytest.mark.parametrize(
        "mask",
        [REAL[:, :5], REAL[:2], REAL[:1], REAL[:, None], REAL.astype("int32")],
        ids=["short", "rows", "one for all", "rank", "numbers"],
    )
    def test_mask_must_be_boolean_and_fit(self, mask):
        with pytest.raises(
            ValueError, match=r"(?s)`mask` must be boolean and have the shape \(3, 6\).*Received: mask="
        ):
            AttentionPooling(3)(VALUE, mask=mask)

    @pytest.mark.parametrize("shape", [(3, 4), (3, 6, 4, 1)])
    def test_value_must_have_three_axes(self, shape):
        with pytest.raises(ValueError, match=r"\(batch, time, dim\).*Received: value="):
            AttentionPooling(3)(np.zeros(shape, "float32"))

    def test_units_and_score(self):
        with pytest.raises(ValueError, match=r"`units` must be a whole number.*Received: units=0"):
            AttentionPooling(0)
        with pytest.raises(ValueError, match=r"`score` must be one of.*Received: score='cosine'"):
            AttentionPooling(3, "cosine")


# --- Arguments


@pytest.mark.parametrize(
    ("layer", "given"),
    [
        (LuongAttention("concat"), {"score": "concat"}),
        (BahdanauAttention(7), {"units": 7}),
        (
            LocalAttention(3, "predictive", "general"),
            {"window": 3, "alignment": "predictive", "score": "general"},
        ),
        (HardAttention("general", seed=5), {"score": "general", "seed": 5}),
        (
            AttentionPooling(7, "concat", include_last=False),
            {"units": 7, "score": "concat", "include_last": False},
        ),
    ],
)
def test_every_argument_goes_through_the_config(layer, given):
    config = layer.get_config()
    assert {name: config[name] for name in given} == given
    assert type(layer).from_config(config).get_config() == config
    assert keras.saving.get_registered_name(type(layer)) == f"course_utils>{type(layer).__name__}"


class TestBadInput:
    """What does not fit is refused, and named."""

    @pytest.mark.parametrize("wrong", ["additive", "Dot", None, 1])
    @pytest.mark.parametrize("make", [LuongAttention, HardAttention, partial(LocalAttention, 2, "monotonic")])
    def test_unknown_scores(self, make, wrong):
        with pytest.raises(ValueError, match=rf"`score` must be one of 'dot'.*Received: score={wrong!r}"):
            make(wrong)

    @pytest.mark.parametrize("wrong", ["m", "local", None])
    def test_unknown_alignments(self, wrong):
        with pytest.raises(
            ValueError, match=rf"`alignment` must be one of 'monotonic'.*Received: alignment={wrong!r}"
        ):
            LocalAttention(2, wrong)

    @pytest.mark.parametrize("wrong", [0, -1, 2.5, "2", None, True])
    def test_sizes_must_be_positive_whole_numbers(self, wrong):
        with pytest.raises(ValueError, match=rf"`units` must be a whole.*Received: units={wrong!r}"):
            BahdanauAttention(wrong)
        with pytest.raises(ValueError, match=rf"`window` must be a whole.*Received: window={wrong!r}"):
            LocalAttention(wrong)

    @pytest.fixture(params=ALL, name="layer")
    def _layer(self, request):
        return ALL[request.param]()

    @pytest.mark.parametrize("shape", [(3, 5), (3, 6, 5, 1)])
    @pytest.mark.parametrize("name", ["query", "value", "key"])
    def test_inputs_must_have_three_axes(self, layer, name, shape):
        inputs = {"query": QUERY, "value": VALUE, "key": KEY, name: np.zeros(shape, "float32")}
        with pytest.raises(ValueError, match=rf"`{name}` must have the shape.*Received: {name}=\(3, "):
            layer(**inputs)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"key": KEY[:, :4]}, "`value` and `key` must have one batch size and one length"),
            ({"key": KEY[:2]}, "`value` and `key` must have one batch size and one length"),
            ({"query": QUERY[:2]}, "`query` and `value` must have one batch size"),
        ],
        ids=["length", "batch of the key", "batch of the query"],
    )
    def test_shapes_that_do_not_fit(self, layer, changed, said):
        with pytest.raises(ValueError, match=rf"{said}.*Received: "):
            layer(**{"query": QUERY, "value": VALUE, "key": KEY, **changed})

    @pytest.mark.parametrize("make", [LuongAttention, HardAttention, partial(LocalAttention, 1)])
    def test_dot_needs_one_size(self, make):
        with pytest.raises(ValueError, match=r'"dot" needs a query and a key of one size.*sizes=\(3, 5\)'):
            make()(QUERY[..., :3], VALUE)

    @pytest.mark.parametrize("changed", [{"query": QUERY[..., :3]}, {"key": KEY[..., :3]}])
    def test_sizes_that_the_layer_was_not_built_for(self, layer, changed):
        layer(QUERY, VALUE)
        with pytest.raises(ValueError, match=r"must have the sizes \(5, 5\).*Received: sizes="):
            layer(**{"query": QUERY, "value": VALUE, "key": KEY, **changed})

    @pytest.mark.parametrize(
        "mask",
        [REAL, PADDING[..., :4], PADDING[:2], PADDING[..., None], PADDING.astype("float32")],
        ids=["no axis for the queries", "short", "rows", "rank", "numbers"],
    )
    def test_mask_must_be_boolean_and_broadcast(self, layer, mask):
        with pytest.raises(
            ValueError,
            match=r"(?s)`mask` must be boolean and broadcast to the shape \(3, 4, 6\).*Received: mask=",
        ):
            layer(QUERY, VALUE, mask=mask)

    @pytest.mark.parametrize("wrong", [1.5, np.zeros(2, "int32"), np.zeros((3, 1), "int32"), np.zeros(3)])
    def test_query_position_must_be_whole_and_fit(self, wrong):
        with pytest.raises(ValueError, match=r"(?s)`query_position` must be a whole.*Received: query_pos"):
            LocalAttention(1)(QUERY, VALUE, query_position=wrong)

    def test_a_window_needs_a_mask_with_every_position(self):
        with pytest.raises(ValueError, match=r"needs 6 columns.*Received: mask=\(3, 1, 1\)"):
            LocalAttention(1)(QUERY, VALUE, mask=np.ones((BATCH, 1, 1), bool))

    def test_log_prob_checks_what_it_is_given(self):
        layer = built(ALL["hard"])
        weights = np.zeros((BATCH, TQ, TV), "float32")
        with pytest.raises(ValueError, match=r"(?s)`mask` must be boolean.*Received: mask="):
            layer.log_prob(weights, QUERY, VALUE, REAL)
        with pytest.raises(ValueError, match=r"must have the sizes \(5, 5\).*Received: sizes="):
            layer.log_prob(weights, QUERY[..., :3], VALUE)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_mask_attached_to_the_value_counts_beside_a_key_without_one(make):
    ids = np.array([[1, 2, 1, 2, 1, 0], [2, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
    value = keras.layers.Embedding(3, DIM, mask_zero=True)(ids)
    layer = built(make, key=KEY)
    came = with_weights(layer, QUERY, value, key=KEY)
    right = with_weights(layer, QUERY, np.asarray(value), key=KEY, mask=ids[:, None] > 0)
    for one, other in zip(came, right, strict=True):
        assert_close(one, other)


def test_a_predicted_position_is_exact_in_half_precision():
    query, value = np.ones((1, 1, 2), "float32"), np.zeros((1, 2000, 2), "float32")
    layer = LocalAttention(1, "predictive", dtype="mixed_float16")
    layer.build(query.shape, value.shape)
    layer.set_weights([np.full((2, 2), 20.0), np.full(2, 0.5)])  # p is 2000 sigmoid(1), or 1462.1
    _, weights = with_weights(layer, query, value)
    np.testing.assert_array_equal(np.flatnonzero(weights), [1462, 1463])


def test_a_softmax_of_float64_has_its_digits():
    scores = np.random.default_rng(0).normal(size=(3, 5))
    for mask in (None, np.arange(5) < 4):
        exact = np.exp(scores) * (True if mask is None else mask)
        weights = masked_softmax(scores, mask)
        np.testing.assert_allclose(weights, exact / exact.sum(axis=-1, keepdims=True), rtol=1e-13)
