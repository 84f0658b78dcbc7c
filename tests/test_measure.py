"""Measures give what can be worked out by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import LSTM, LSTMCell, MultiHeadAttention, SimpleRNN, SimpleRNNCell, measure


def test_an_orthogonal_linear_recurrence_keeps_the_gradient():
    inputs = np.random.default_rng(0).normal(size=(4, 30, 3)).astype("float32")
    for gain in (0.5, 1.0, 1.1):
        cell = SimpleRNNCell(6, "linear", keras.initializers.Orthogonal(gain))
        came = measure.gradient_by_distance(cell, inputs)
        np.testing.assert_allclose(came, gain ** np.arange(30), rtol=1e-3)


def test_gradient_by_distance_takes_a_layer_too_and_is_the_jacobian_of_one_step():
    layer = SimpleRNN(1, "linear", keras.initializers.Constant(-0.5))
    came = measure.gradient_by_distance(layer, np.ones((2, 4, 1), "float32"))
    np.testing.assert_allclose(came, [1, 0.5, 0.25, 0.125], atol=1e-6)


def test_gradient_by_distance_goes_through_the_cell_state_of_an_lstm():
    cell = LSTMCell(1, forget_bias=50)  # forget open, output half open, and no weight: h passes nothing on
    cell.build((None, 1))
    for weight in (cell.kernel, cell.recurrent_kernel):
        weight.assign(np.zeros(weight.shape))
    came = measure.gradient_by_distance(cell, np.ones((2, 4, 1), "float32"))
    np.testing.assert_allclose(came, [1, *3 * [0.5 / np.sqrt(1 + 0.5**2)]], atol=1e-6)


def test_gradient_by_distance_is_a_geometric_mean_over_the_batch():
    cell = SimpleRNNCell(1, recurrent_initializer=keras.initializers.Constant(1.0))
    cell.build((None, 1))
    cell.kernel.assign([[1.0]])
    came = measure.gradient_by_distance(cell, np.array([[[0], [0]], [[0], [2]]], "float32"))
    np.testing.assert_allclose(came, [1, np.sqrt(1 - np.tanh(2) ** 2)], atol=1e-6)  # of 1 and tanh'(2)


def test_a_distance_on_an_edge_belongs_to_the_band_above():
    np.testing.assert_array_equal(measure.accuracy_by_distance([1, 1], [1, 0], [0, 2], [0, 2, 4]), [1, 0])


def test_accuracy_by_distance():
    came = measure.accuracy_by_distance([1, 1, 2, 2], [1, 0, 2, 2], [0, 1, 5, 9], [0, 2, 10])
    np.testing.assert_array_equal(came, [0.5, 1])
    with pytest.raises(ValueError, match="needs an example"):
        measure.accuracy_by_distance([1], [1], [0], [0, 2, 4])


def test_cosines_within_and_between_groups():
    vectors = np.array([[1.0, 0], [3, 0], [0, 2], [0, -1]])
    cosines = measure.cosine_similarities(vectors)
    np.testing.assert_allclose(cosines[0], [1, 1, 0, 0])
    within, between = measure.within_and_between(cosines, ["a", "a", "b", "b"])
    assert (within, between) == (0, 0)  # 1 in a, -1 in b
    np.testing.assert_allclose(measure.group_similarities(cosines, ["a", "a", "b", "b"]), [[1, 0], [0, -1]])
    backwards = measure.group_similarities(cosines, ["b", "b", "a", "a"])  # as they come, not by name
    np.testing.assert_allclose(backwards, [[1, 0], [0, -1]])
    assert measure.within_and_between(cosines + 1, np.array([0, 1, 0, 1])) == (1, pytest.approx(1))


def test_ranked_above_counts_ties_half():
    assert measure.ranked_above([2, 3], [1, 0]) == 1
    assert measure.ranked_above([0], [1, 2]) == 0
    assert measure.ranked_above([1, 1], [1]) == 0.5
    assert measure.ranked_above(np.array([1], "uint8"), np.array([2], "uint8")) == 0
    assert measure.ranked_above([-np.inf, 0], [-np.inf]) == 0.75


def test_mean_absolute_percentage_error():
    assert measure.mean_absolute_percentage_error([100, 200], [110, 180]) == pytest.approx(10)
    assert measure.mean_absolute_percentage_error([-100, 200], [-110, 180]) == pytest.approx(10)
    few = np.array([1, 2], "uint8"), np.array([2, 1], "uint8")  # 1 - 2 is 255 there
    assert measure.mean_absolute_percentage_error(*few) == pytest.approx(75)


def test_gradient_and_where_none_passes():
    inputs = np.array([[1.0, 3.0]], "float32")
    np.testing.assert_allclose(measure.gradient(lambda x: x**2, inputs), [[2, 6]])
    assert measure.gradient(lambda x: ops.argmax(x, axis=-1), inputs) is None


def test_a_weight_that_no_gradient_reaches_has_none():
    layer = keras.layers.Dense(2)
    kernel, bias = measure.weight_gradients(layer, np.ones((4, 3)), None, lambda *_: ops.sum(layer.bias))
    assert kernel is None
    np.testing.assert_array_equal(bias, [1, 1])


def test_weight_gradients_follow_the_order_of_the_weights():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    kernel, bias = measure.weight_gradients(layer, np.ones((4, 3)), 5.0, lambda y, out: ops.sum(out) * y)
    np.testing.assert_allclose(kernel, np.full((3, 2), 20))
    np.testing.assert_allclose(bias, [20, 20])


def test_the_median_is_not_moved_by_one_slow_call():
    calls = []

    def slow_once():
        calls.append(1)
        if len(calls) == 2:
            import time

            time.sleep(0.05)

    assert measure.median_milliseconds(slow_once, repeats=5) < 8  # the mean is above 10
    assert len(calls) == 6


def test_the_time_is_in_milliseconds():
    import time

    assert 5 <= measure.median_milliseconds(lambda: time.sleep(0.005), repeats=3) < 500


class TestTokens:
    labels = np.array([[3, 2, 0], [4, 5, 2]])

    def test_accuracy_counts_real_tokens_alone_over_all_batches(self):
        named = np.array([[3, 5, 1], [4, 2, 2]])
        logits = np.eye(6, dtype="float32")[named]
        metric = measure.TokenAccuracy()
        for row in range(2):
            metric.update_state(self.labels[[row]], logits[[row]])
        assert float(metric.result()) == pytest.approx(3 / 5)  # a mean of batches would be 7/12
        metric.reset_state()
        assert float(metric.result()) == 0

    named = np.array([[3, 5, 1], [4, 2, 2]])
    logits = np.eye(6, dtype="float32")[named]

    @pytest.mark.parametrize(
        ("weight", "expected"),
        [
            (None, 3 / 5),
            ([1, 0], 1 / 2),
            ([[1], [0]], 1 / 2),
            (np.array([0.25, 0.5]), (0.25 + 2 * 0.5) / (2 * 0.25 + 3 * 0.5)),
            ([0.1, 0], 1 / 2),  # below one token in all
            ([[1, 0, 9], [0, 1, 0]], 1 / 2),  # padding never counts
            ([0, 0], 0),
        ],
        ids=str,
    )
    def test_accuracy_weighs_samples_and_tokens(self, weight, expected):
        metric = measure.TokenAccuracy()
        metric.update_state(self.labels, self.logits, sample_weight=weight)
        assert float(metric.result()) == pytest.approx(expected)

    def test_accuracy_follows_the_rules_of_keras(self):
        """As a weighted metric it sees the weights, as a metric it does not; compiled, too."""
        ids = keras.Input((3,), dtype="int32")
        table = keras.layers.Embedding(6, 6, embeddings_initializer="identity")
        model = keras.Model(ids, table(ids))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(
            "sgd",
            loss,
            metrics=[measure.TokenAccuracy()],
            weighted_metrics=[measure.TokenAccuracy(name="weighted")],
        )
        weights = np.array([1.0, 0.0])
        came = model.evaluate(self.named, self.labels, 1, 0, sample_weight=weights, return_dict=True)
        assert came["accuracy"] == pytest.approx(3 / 5)
        assert came["weighted"] == pytest.approx(1 / 2)
        again = keras.metrics.deserialize(keras.metrics.serialize(measure.TokenAccuracy(name="mine")))
        assert (type(again), again.name) == (measure.TokenAccuracy, "mine")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"labels": np.ones((2, 2), int)},
            {"labels": np.ones((1, 3), int)},
            {"labels": np.ones(2, int)},
            {"labels": np.ones((2, 3, 1), int)},
            {"logits": np.ones((2, 3))},
            {"labels": None},
            {"sample_weight": np.ones(3)},
            {"sample_weight": np.ones((2, 2))},
            {"sample_weight": ["a", "b"]},
        ],
        ids=str,
    )
    def test_accuracy_refuses_other_shapes(self, wrong):
        given = {"labels": self.labels, "logits": self.logits, **wrong}
        with pytest.raises(ValueError, match=rf"`{next(iter(wrong))}`.*Received: "):
            measure.TokenAccuracy().update_state(**given)

    def test_a_sequence_is_right_from_first_to_last(self):
        generated = np.array([[3, 2, 0, 0], [4, 5, 5, 2]])
        assert measure.exact_match(generated, self.labels).tolist() == [True, False]
        assert measure.exact_match(self.labels, generated).tolist() == [True, False]
        assert measure.exact_match(self.labels, self.labels).all()

    @pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.zeros(2)], ids=["more rows", "one row"])
    def test_other_sequences_are_refused(self, wrong):
        with pytest.raises(ValueError, match=r"as many on both sides. Received: shapes"):
            measure.exact_match(wrong, self.labels)

    def test_means_stand_in_the_order_of_their_groups(self):
        groups, means = measure.mean_by_group([True, False, True, True], [7, 3, 3, 7])
        assert (groups.tolist(), means.tolist()) == ([3, 7], [0.5, 1.0])


class TestAlignment:
    weights = np.array([[0.1, 0.5, 0.3, 0.1], [0.6, 0.2, 0.1, 0.1]])
    spans = np.array([[1, 3], [1, 2]])

    def test_weight_on_the_span_and_around_it(self):
        np.testing.assert_allclose(measure.weight_within(self.weights, self.spans), [0.8, 0.2])
        np.testing.assert_allclose(measure.weight_within(self.weights, self.spans, slack=1), [1.0, 0.9])

    def test_the_peak_is_on_the_span_or_beside_it(self):
        assert measure.peak_within(self.weights, self.spans).tolist() == [True, False]
        assert measure.peak_within(self.weights, self.spans, slack=1).tolist() == [True, True]

    @pytest.mark.parametrize("spans", [np.zeros((3, 2)), np.zeros(2)], ids=["more rows", "one span"])
    def test_other_spans_are_refused(self, spans):
        with pytest.raises(ValueError, match=r"`spans` \(examples, 2\). Received: shapes"):
            measure.weight_within(self.weights, spans)


class TestProducts:
    def test_a_chain_is_as_long_as_its_products_wait(self):
        matrix = np.ones((4, 4), "float32")
        assert measure.products(lambda x: x + 1, (3, 4)) == (0, 0)
        assert measure.products(lambda x: (x @ matrix) @ matrix, (3, 4)) == (2 * 3 * 4 * 4, 2)
        assert measure.products(lambda x: x @ matrix + x @ matrix, (3, 4)) == (2 * 3 * 4 * 4, 1)

    def test_every_kind_of_product_is_counted_with_its_true_size(self):
        matrix = np.ones((5, 4), "float32")
        expected = 2 * 3 * 4 * 5, 1
        import tensorflow as tf

        for function in (
            lambda x: tf.matmul(x[0], matrix, transpose_b=True) + tf.matmul(x[1], matrix, transpose_b=True),
            lambda x: tf.matmul(x, np.stack([matrix, matrix]), transpose_b=True),
            lambda x: tf.matmul(ops.swapaxes(x, 1, 2), np.stack([matrix.T, matrix.T]), transpose_a=True),
            lambda x: tf.einsum("btf,gf->btg", x, matrix),
        ):
            assert measure.products(function, (2, 3, 4)) == expected

    def test_a_recurrence_waits_at_each_step_and_attention_does_not(self):
        look = MultiHeadAttention(2, 4)
        for steps in (3, 6):
            came = measure.products(SimpleRNN(8, unroll=True), (1, steps, 8))
            assert came == (2 * steps * 64, steps)
            came = measure.products(lambda x: look(x, x), (1, steps, 8))
            assert came == (4 * steps * 64 + 2 * steps**2 * 8, 4)

    @pytest.mark.parametrize("layer", [SimpleRNN, LSTM])  # a loop, and a block that holds one
    def test_a_loop_is_refused(self, layer):
        with pytest.raises(ValueError, match=r"unroll recurrent layers. Received: function="):
            measure.products(layer(8), (1, 3, 8))


ONES = np.ones((2, 3, 4), "float32")
SQUARE = np.ones((3, 3))


@pytest.mark.parametrize(
    ("name", "arguments", "argument"),
    [
        ("gradient_by_distance", (keras.layers.Dense(2), ONES), "cell"),
        ("gradient_by_distance", (SimpleRNNCell(2), ONES[0]), "inputs"),
        ("gradient_by_distance", (SimpleRNNCell(2), ONES[:0]), "inputs"),
        ("gradient_by_distance", (SimpleRNNCell(2), ONES * np.nan), "inputs"),
        ("gates_over_time", (LSTMCell(2), None), "inputs"),
        ("gates_over_time", ("LSTM", ONES), "cell"),
        ("accuracy_by_distance", ([1, 1], [1], [0, 0], [0, 1]), "predictions"),
        ("accuracy_by_distance", ([1, 1], [1, 1], [0], [0, 1]), "distances"),
        ("accuracy_by_distance", ([1], [[1]], [0], [0, 1]), "predictions"),
        ("accuracy_by_distance", ([1], ["a"], [0], [0, 1]), "predictions"),
        ("accuracy_by_distance", ([1], [1], [0], [0]), "edges"),
        ("accuracy_by_distance", ([1], [1], [0], [0, 0]), "edges"),
        ("accuracy_by_distance", ([1], [1], [0], [2, 0]), "edges"),
        ("exact_match", (np.zeros((0, 3)), np.zeros((0, 3))), "generated"),
        ("exact_match", (SQUARE, None), "labels"),
        ("exact_match", (SQUARE, SQUARE * np.nan), "labels"),
        ("weight_within", (SQUARE, [[0, 1]] * 3, -1), "slack"),
        ("weight_within", (SQUARE, [[0, 1]] * 3, 0.5), "slack"),
        ("peak_within", (SQUARE * np.nan, [[0, 1]] * 3), "weights"),
        ("peak_within", (None, [[0, 1]] * 3), "weights"),
        ("mean_by_group", ([1, 2], [1]), "groups"),
        ("mean_by_group", ([1, 2], None), "groups"),
        ("mean_by_group", ([1, np.nan], [1, 1]), "values"),
        ("mean_by_group", ([], []), "values"),
        ("cosine_similarities", ([[1, 0], [0, 0]],), "vectors"),
        ("cosine_similarities", ([1, 0],), "vectors"),
        ("within_and_between", (SQUARE, "aab"), "groups"),
        ("within_and_between", (SQUARE, ["a", "b"]), "groups"),
        ("within_and_between", (SQUARE, ["a", "a", "a"]), "two groups"),
        ("within_and_between", (SQUARE, ["a", "b", "c"]), "two groups"),
        ("within_and_between", (SQUARE[:2], ["a", "b"]), "similarities"),
        ("group_similarities", (SQUARE, ["a", "b", "b"]), "two items"),
        ("group_similarities", (SQUARE, [["a"], ["b"], ["b"]]), "groups"),
        ("ranked_above", ([], [1]), "scores"),
        ("ranked_above", ([1], [np.nan]), "other_scores"),
        ("ranked_above", ("abc", [1]), "scores"),
        ("mean_absolute_percentage_error", ([1, 2], [[1], [2]]), "forecast"),
        ("mean_absolute_percentage_error", ([1, 2], [1]), "forecast"),
        ("mean_absolute_percentage_error", ([1, 0], [1, 1]), "actual"),
        ("mean_absolute_percentage_error", ([], []), "actual"),
        ("mean_absolute_percentage_error", ([1, 2], None), "forecast"),
        ("median_milliseconds", (None,), "function"),
        ("median_milliseconds", (len, 0), "repeats"),
        ("weight_gradients", (None, ONES, ONES, len), "model"),
        ("weight_gradients", (keras.layers.Dense(2), ONES, ONES, "mse"), "loss"),
        ("gradient", (None, ONES), "function"),
        ("gradient", (ops.square, [1, 2]), "inputs"),
        ("gradient", (ops.square, []), "inputs"),
        ("products", (len, (3, None)), "shape"),
        ("products", (len, 3), "shape"),
        ("products", (3, (3, 3)), "function"),
    ],
)
def test_an_odd_argument_is_named(name, arguments, argument):
    with pytest.raises(ValueError, match=rf"(?s){argument}\b.*Received: "):
        getattr(measure, name)(*arguments)
