"""Our recurrent layers equal Keras' under copied, asymmetric weights, and keep their own promises."""

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import (
    GRU,
    LSTM,
    Bidirectional,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    measure,
)
from course_utils.exercises.properties import ignores_padding as assert_ignores_padding
from course_utils.exercises.properties import last_state_is_that_of_each_alone as assert_last_state_as_alone

BATCH, TIME, FEATURES, UNITS = 3, 6, 4, 5
INPUTS = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")
RIGHT = np.arange(TIME) < np.array([[6], [2], [4]])
GAPS = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]], bool)
FAMILIES = {
    "SimpleRNN": (SimpleRNN, keras.layers.SimpleRNN, {}),
    "SimpleRNN, relu": (SimpleRNN, keras.layers.SimpleRNN, {"activation": "relu"}),
    "LSTM": (LSTM, keras.layers.LSTM, {}),
    "GRU": (GRU, keras.layers.GRU, {}),
    "GRU, reset before": (GRU, keras.layers.GRU, {"reset_after": False}),
}
MERGE_MODES = ["concat", "sum", "mul", "ave", None]


@pytest.fixture(params=FAMILIES, name="family")
def _family(request):
    return FAMILIES[request.param]


def same_weights(ours, theirs, inputs=INPUTS):
    """Give both layers the same weights: no matrix symmetric, no bias zero."""
    rng = np.random.default_rng(2)
    for layer in (ours, theirs):
        layer(inputs)
    weights = [rng.normal(scale=0.7, size=weight.shape) for weight in theirs.trainable_weights]
    for layer in (ours, theirs):
        for variable, weight in zip(layer.trainable_weights, weights, strict=True):
            variable.assign(weight)
        if getattr(layer, "stateful", False):
            layer.reset_state()
    return ours, theirs


def pair(family, **arguments):
    """Our layer and Keras', with the same weights."""
    ours, theirs, own = family
    return same_weights(ours(UNITS, **own, **arguments), theirs(UNITS, **own, **arguments))


def some_states(layer, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(BATCH, UNITS)).astype("float32") for _ in layer.state_size]


def assert_all_close(came, expected):
    for one, other in zip(came, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mask", [None, RIGHT, GAPS], ids=["no mask", "right", "gaps"])
@pytest.mark.parametrize("from_zeros", [True, False])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_equals_keras(family, mask, from_zeros, go_backwards):
    ours, theirs = pair(family, return_sequences=True, return_state=True, go_backwards=go_backwards)
    states = None if from_zeros else some_states(ours)
    assert_all_close(
        ours(INPUTS, initial_state=states, mask=mask), theirs(INPUTS, initial_state=states, mask=mask)
    )


@pytest.mark.parametrize("mask", [None, GAPS], ids=["no mask", "gaps"])
def test_gradients_equal_keras(family, mask):
    calls = [WithMask(layer, mask) for layer in pair(family)]
    for_weights = [
        measure.weight_gradients(call, INPUTS, None, lambda _, last: ops.sum(last**2)) for call in calls
    ]
    assert_all_close(*for_weights)
    np.testing.assert_allclose(*(measure.gradient(call, INPUTS) for call in calls), rtol=1e-5, atol=1e-5)


class WithMask:
    """A layer with its mask, and its weights to differentiate by."""

    def __init__(self, layer, mask):
        self.layer, self.mask = layer, mask
        self.trainable_weights = layer.trainable_weights

    def __call__(self, inputs):
        return self.layer(inputs, mask=self.mask)


def test_stateful_goes_on_where_the_last_batch_stopped(family):
    at_once, _ = pair(family)
    for stateful in pair(family, stateful=True):
        stateful(INPUTS[:, :2])
        np.testing.assert_allclose(stateful(INPUTS[:, 2:]), at_once(INPUTS), atol=1e-5)
        stateful.reset_state()
        np.testing.assert_allclose(stateful(INPUTS), at_once(INPUTS), atol=1e-5)


def test_a_step_at_a_time_equals_all_at_once(family):
    layer, _ = pair(family, return_sequences=True)
    states = [np.zeros((BATCH, UNITS), "float32") for _ in layer.state_size]
    for step in range(TIME):
        output, states = layer.cell(INPUTS[:, step], states)
        np.testing.assert_allclose(output, layer(INPUTS)[:, step], atol=1e-5)


def test_padding_is_stepped_over(family):
    layer, _ = pair(family)
    for mask in (RIGHT, GAPS):
        assert_ignores_padding(lambda inputs, mask=mask: layer(inputs, mask=mask), INPUTS, mask)
        assert_last_state_as_alone(lambda inputs, mask: layer(inputs, mask=mask), INPUTS, mask)


def test_without_a_mask_padding_is_read(family):
    layer, _ = pair(family)
    assert np.abs(layer(INPUTS) - layer(INPUTS, mask=RIGHT)).max() > 0.01


@pytest.mark.parametrize("step", [0, 3, TIME - 1])
def test_no_state_depends_on_later_inputs(family, step):
    layer, _ = pair(family, return_sequences=True)
    gradient = measure.gradient(lambda inputs: layer(inputs)[:, step], INPUTS)
    assert (gradient[:, step + 1 :] == 0).all()
    assert (gradient[:, : step + 1] != 0).any(axis=(0, 2)).all()


def test_cells_stack(family):
    make, _, own = family
    first, second = make(4, return_sequences=True, **own), make(3, **own)
    second(first(INPUTS))
    stacked = keras.layers.RNN(keras.layers.StackedRNNCells([first.cell, second.cell]))
    np.testing.assert_allclose(stacked(INPUTS), second(first(INPUTS)), atol=1e-5)


class TestStart:
    """How the weights start."""

    def test_the_recurrent_kernel_starts_as_asked(self):
        layer = SimpleRNN(UNITS, recurrent_initializer=keras.initializers.Orthogonal(gain=1.5))
        layer.build((None, None, FEATURES))
        kernel = layer.get_weights()[1]
        np.testing.assert_allclose(kernel @ kernel.T, 2.25 * np.eye(UNITS), atol=1e-5)

    @pytest.mark.parametrize("make", [SimpleRNN, LSTM, GRU])
    def test_every_layer_and_its_way_back_start_as_asked(self, make):
        layer = Bidirectional(make(UNITS, recurrent_initializer="zeros"))
        layer.build((None, None, FEATURES))
        for way in (layer.forward_layer, layer.backward_layer):
            assert not way.get_weights()[1].any()

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (LSTMCell(2), [0, 0, 1, 1, 0, 0, 0, 0]),
            (LSTMCell(2, forget_bias=3), [0, 0, 3, 3, 0, 0, 0, 0]),
            (GRUCell(2), [[0] * 6, [0] * 6]),
            (GRUCell(2, update_bias=3), [[3, 3, 0, 0, 0, 0], [0] * 6]),
            (GRUCell(2, reset_after=False, update_bias=3), [3, 3, 0, 0, 0, 0]),
        ],
    )
    def test_the_gate_that_keeps_starts_as_open_as_asked(self, cell, expected):
        cell.build((None, 3))
        np.testing.assert_array_equal(cell.bias, expected)

    @pytest.mark.parametrize(("ours", "theirs"), [(LSTM, keras.layers.LSTM), (GRU, keras.layers.GRU)])
    def test_biases_and_shapes_start_as_those_of_keras(self, ours, theirs):
        layers = ours(UNITS), theirs(UNITS)
        for layer in layers:
            layer.build((None, None, FEATURES))
        assert [w.shape for w in layers[0].weights] == [w.shape for w in layers[1].weights]
        np.testing.assert_array_equal(layers[0].weights[2], layers[1].weights[2])


@pytest.mark.parametrize(
    "layer",
    [
        SimpleRNN(UNITS, "relu", "identity", go_backwards=True),
        LSTM(UNITS, forget_bias=3, return_state=True),
        GRU(UNITS, reset_after=False, update_bias=2, return_sequences=True),
    ],
)
def test_every_argument_goes_through_the_config(layer):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config
    given = {"forget_bias": 3, "update_bias": 2, "reset_after": False, "activation": "relu"}
    assert all(config[name] == given[name] for name in given if name in config)
    assert len(config.keys() & given.keys()) >= 1


class TestGates:
    """What the gates do, on numbers that can be seen through."""

    def test_a_closed_input_and_an_open_forget_gate_keep_the_cell_state(self):
        cell = LSTMCell(1)
        cell.build((None, 1))
        cell.bias.assign([-50, 50, 0, 50])  # input closed, forget open, output open
        h, (_, c) = cell(np.ones((1, 1), "float32"), [np.zeros((1, 1)), np.full((1, 1), 0.7)])
        np.testing.assert_allclose([c, h], [[[0.7]], [[np.tanh(0.7)]]], atol=1e-6)

    def test_an_update_gate_of_one_keeps_the_old_state(self):
        for reset_after in (True, False):
            cell = GRUCell(1, reset_after=reset_after, update_bias=50)
            cell.build((None, 1))
            h, _ = cell(np.ones((1, 1), "float32"), [np.full((1, 1), 0.7)])
            np.testing.assert_allclose(h, [[0.7]], atol=1e-6)

    def test_recorded_gates_give_the_states_back(self):
        for layer in (LSTM(UNITS), GRU(UNITS), GRU(UNITS, reset_after=False)):
            layer.build((None, None, FEATURES))
            recorded = measure.gates_over_time(layer, INPUTS)
            np.testing.assert_allclose(recorded["hidden state"][:, -1], layer(INPUTS), atol=1e-5)
            if "forget" in recorded:
                c, f, i, g = (recorded[name] for name in ("cell state", "forget", "input", "candidate"))
                np.testing.assert_allclose(c[:, 1:], (f * np.roll(c, 1, axis=1) + i * g)[:, 1:], atol=1e-5)
            else:
                h, z, g = (recorded[name] for name in ("hidden state", "update", "candidate"))
                np.testing.assert_allclose(
                    h[:, 1:], (z * np.roll(h, 1, axis=1) + (1 - z) * g)[:, 1:], atol=1e-5
                )

    def test_a_cell_without_gates_has_none_to_record(self):
        with pytest.raises(ValueError, match="must have gates"):
            measure.gates_over_time(SimpleRNN(UNITS), INPUTS)


class TestBidirectional:
    """Both directions, ours against Keras'."""

    @pytest.mark.parametrize("merge_mode", MERGE_MODES)
    @pytest.mark.parametrize("return_sequences", [False, True])
    @pytest.mark.parametrize("mask", [None, RIGHT, GAPS], ids=["no mask", "right", "gaps"])
    def test_equals_keras(self, family, merge_mode, return_sequences, mask):
        make, keras_make, own = family
        arguments = {"return_sequences": return_sequences, "return_state": True, **own}
        ours, theirs = same_weights(
            Bidirectional(make(UNITS, **arguments), merge_mode),
            keras.layers.Bidirectional(keras_make(UNITS, **arguments), merge_mode),
        )
        came, expected = ours(INPUTS, mask=mask), theirs(INPUTS, mask=mask)
        assert len(came) == len(expected)
        for one, other in zip(came, expected, strict=True):
            if len(one.shape) == 3 and mask is not None:  # at masked steps an output means nothing
                one, other = np.asarray(one)[mask], np.asarray(other)[mask]
            np.testing.assert_allclose(one, other, atol=1e-5)

    def test_our_layers_work_inside_that_of_keras(self, family):
        make, keras_make, own = family
        assert_all_close(
            *(
                [layer(INPUTS)]
                for layer in same_weights(
                    keras.layers.Bidirectional(make(UNITS, **own)),
                    keras.layers.Bidirectional(keras_make(UNITS, **own)),
                )
            )
        )

    def test_the_way_back_does_not_start_in_the_padding(self, family):
        make, _, own = family
        layer = Bidirectional(make(UNITS, **own))
        layer(INPUTS)
        assert_ignores_padding(lambda inputs: layer(inputs, mask=RIGHT), INPUTS, RIGHT)
        assert_last_state_as_alone(lambda inputs, mask: layer(inputs, mask=mask), INPUTS, RIGHT)

    def test_a_layer_that_goes_backwards_is_turned_round(self):
        layer = Bidirectional(LSTM(UNITS, go_backwards=True))
        assert (layer.forward_layer.go_backwards, layer.backward_layer.go_backwards) == (True, False)

    @pytest.mark.parametrize("wrong", [SimpleRNN(3, stateful=True), keras.layers.Dense(3), None])
    def test_only_recurrent_layers_that_are_not_stateful(self, wrong):
        with pytest.raises(ValueError, match=r"recurrent layer that is not stateful.*Received: layer="):
            Bidirectional(wrong)

    def test_no_initial_state(self):
        with pytest.raises(ValueError, match="takes no initial state"):
            Bidirectional(GRU(UNITS))(INPUTS, initial_state=[np.zeros((BATCH, UNITS))])

    @pytest.mark.parametrize("wrong", ["average", "Concat", 1])
    def test_unknown_merge_modes(self, wrong):
        with pytest.raises(ValueError, match=rf"`merge_mode` must be one of.*Received: merge_mode={wrong!r}"):
            Bidirectional(GRU(UNITS), merge_mode=wrong)


class TestBadInput:
    """What does not fit is refused, and named."""

    @pytest.mark.parametrize("wrong", [0, -3, 2.5, "8", None, True])
    @pytest.mark.parametrize("layer", [SimpleRNN, SimpleRNNCell, LSTM, LSTMCell, GRU, GRUCell])
    def test_units_must_be_a_positive_whole_number(self, layer, wrong):
        with pytest.raises(ValueError, match=rf"`units` must be a whole number.*Received: units={wrong!r}"):
            layer(wrong)

    @pytest.mark.parametrize("shape", [(3, 4), (3, 6, 4, 1)])
    def test_input_must_have_three_axes(self, family, shape):
        with pytest.raises(ValueError, match=r"\(batch, time, features\).*Received: shape="):
            family[0](UNITS)(np.zeros(shape))

    @pytest.mark.parametrize(
        "mask",
        [RIGHT[:, :4], RIGHT[:2], RIGHT[..., None], RIGHT.astype("float32")],
        ids=["short", "rows", "rank", "numbers"],
    )
    def test_mask_must_be_boolean_and_fit(self, family, mask):
        with pytest.raises(
            ValueError, match=r"`mask` must be boolean and have the shape \(3, 6\).*Received: mask="
        ):
            family[0](UNITS)(INPUTS, mask=mask)

    def test_initial_states_must_have_the_size_of_the_units(self, family):
        layer = family[0](UNITS)
        wrong = [np.zeros((BATCH, 4), "float32") for _ in layer.state_size]
        with pytest.raises(
            ValueError, match=r"`initial_state` must hold states of the sizes \[5.*Received: sizes=\[4"
        ):
            layer(INPUTS, initial_state=wrong)

    def test_two_states_are_too_many_for_one(self):
        with pytest.raises(ValueError, match=r"sizes \[5\]. Received: sizes=\[5, 5\]"):
            GRU(UNITS)(INPUTS, initial_state=[np.zeros((BATCH, UNITS), "float32")] * 2)
