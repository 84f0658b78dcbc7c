"""Our recurrent layers equal Keras' under copied, asymmetric weights, and keep their own promises."""

from functools import partial

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
from course_utils.recurrent import FLAGS

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


@pytest.mark.parametrize(
    "options", [{"unroll": True}, {"zero_output_for_mask": True}, {"use_bias": False}], ids=str
)
def test_options_of_the_layer_equal_keras(family, options):
    ours, theirs = pair(family, return_sequences=True, **options)
    np.testing.assert_allclose(ours(INPUTS, mask=GAPS), theirs(INPUTS, mask=GAPS), atol=1e-5)


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

    def test_kernels_start_as_those_of_keras(self, family):
        keras.utils.set_random_seed(0)
        weights = []
        for make in family[:2]:
            layer = make(60, **family[2])
            layer.build((None, None, 40))
            weights.append(layer.get_weights())
        (ours, recurrent, *_), (theirs, *_) = weights
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(60), atol=1e-5)
        limit = np.sqrt(6 / sum(ours.shape))
        for kernel in (ours, theirs):
            assert 0.98 * limit < np.abs(kernel).max() <= limit
            np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.05)

    @pytest.mark.parametrize("use_bias", [True, False])
    def test_all_weights_start_as_asked(self, family, use_bias):
        make, _, own = family
        starts = {"kernel": 2.0, "recurrent_kernel": 3.0, "bias": 4.0}
        initializers = {
            name.replace("kernel", "initializer") if "rec" in name else f"{name}_initializer": value
            for name, value in starts.items()
        }
        constants = {name: keras.initializers.Constant(value) for name, value in initializers.items()}
        layer = Bidirectional(make(UNITS, **{**own, **constants, "use_bias": use_bias}))
        layer.build((None, None, FEATURES))
        for way in (layer.forward_layer, layer.backward_layer):
            assert [weight.name for weight in way.weights] == list(starts)[: 3 if use_bias else 2]
            for weight in way.weights:
                expected = np.full(weight.shape, starts[weight.name])
                if weight.name == "bias" and make is LSTM:
                    expected[UNITS : 2 * UNITS] = 1
                np.testing.assert_array_equal(weight, expected)

    def test_the_recurrent_kernel_starts_as_asked(self):
        layer = SimpleRNN(UNITS, recurrent_initializer=keras.initializers.Orthogonal(gain=1.5))
        layer.build((None, None, FEATURES))
        kernel = layer.get_weights()[1]
        np.testing.assert_allclose(kernel @ kernel.T, 2.25 * np.eye(UNITS), atol=1e-5)

    @pytest.mark.parametrize("given", ["ones", keras.initializers.Ones, keras.initializers.Ones()])
    @pytest.mark.parametrize("name", ["kernel", "recurrent", "bias"])
    def test_a_start_is_a_name_a_class_or_an_initializer(self, name, given, tmp_path):
        layer = GRU(UNITS, **{f"{name}_initializer": given})
        model = keras.Sequential([keras.Input((None, FEATURES)), layer])
        assert (layer.weights[["kernel", "recurrent", "bias"].index(name)].numpy() == 1).all()
        model.save(tmp_path / "start.keras")
        again = keras.saving.load_model(tmp_path / "start.keras")
        assert again.layers[0].get_config() == layer.get_config()

    def test_two_ways_start_apart(self, family):
        make, _, own = family
        layer = Bidirectional(make(UNITS, **own))
        layer.build((None, None, FEATURES))
        for one, other in zip(layer.forward_layer.weights[:2], layer.backward_layer.weights[:2], strict=True):
            assert np.abs(one.numpy() - other.numpy()).max() > 0.1

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (LSTMCell(2), [0, 0, 1, 1, 0, 0, 0, 0]),
            (LSTMCell(2, forget_bias=3), [0, 0, 3, 3, 0, 0, 0, 0]),
            (LSTMCell(2, forget_bias=0, bias_initializer="ones"), [1, 1, 0, 0, 1, 1, 1, 1]),
            (LSTMCell(2, forget_bias=None, bias_initializer="ones"), [1] * 8),
            (LSTMCell(2, bias_initializer=None), [0, 0, 1, 1, 0, 0, 0, 0]),
            (GRUCell(2, bias_initializer="ones"), [[1] * 6, [1] * 6]),
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
        partial(SimpleRNN, activation="relu", recurrent_initializer="identity", go_backwards=True),
        partial(LSTM, forget_bias=3.0, return_state=True, use_bias=False, dtype="mixed_float16"),
        partial(LSTM, forget_bias=None, kernel_initializer="he_normal", trainable=False),
        partial(GRU, reset_after=False, update_bias=2.0, return_sequences=True, unroll=True),
        partial(GRU, bias_initializer="ones", zero_output_for_mask=True, stateful=True, name="mine"),
    ],
)
def test_every_argument_goes_through_the_config(layer):
    given, layer = layer.keywords, layer(UNITS)
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.cell.get_config()["dtype"] == config["dtype"]
    for name, value in given.items():
        if "initializer" not in name and name != "dtype":
            assert config[name] == value


def test_a_mixed_policy_reaches_the_cell_and_its_states(family):
    make, _, own = family
    layer = make(UNITS, **own, return_state=True, dtype="mixed_float16")
    output, *states = layer(INPUTS)
    assert {ops.dtype(each) for each in (output, *states, *layer.cell.get_initial_state(2))} == {"float16"}
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    given = layer(INPUTS, initial_state=some_states(layer))
    assert {ops.dtype(each) for each in given} == {"float16"}


def test_float64_is_kept_throughout(family):
    make, _, own = family
    layer = make(UNITS, **own, return_sequences=True, dtype="float64")
    layer(INPUTS)
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    inputs = rng.normal(size=INPUTS.shape)
    sizes = np.ones((BATCH, UNITS))
    by_hand = [0 * sizes for _ in layer.state_size]
    for step in range(TIME):
        output, by_hand = layer.cell(inputs[:, step], by_hand)
    came = layer(inputs)[:, -1]
    assert ops.dtype(came) == "float64"
    np.testing.assert_allclose(came, output, rtol=1e-12)
    rounded = layer(inputs.astype("float32").astype("float64"))[:, -1]
    assert np.abs(came - rounded).max() > 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("make", [LSTM, GRU])
def test_trains_compiled_with_lengths_and_batches_that_vary(make):
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(7, 4)(ids)
    states = Bidirectional(make(UNITS))(vectors, mask=ids != 0)
    model = keras.Model(ids, keras.layers.Dense(1)(states))
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    before = [weight.numpy() for weight in model.weights]
    for shape in ((2, 3), (3, 5)):
        model.fit(np.ones(shape, "int32"), np.ones((shape[0], 1)), verbose=0)
    moved = [(old != weight.numpy()).any() for old, weight in zip(before, model.weights, strict=True)]
    assert all(moved)


def test_runs_over_every_sequence_of_sequences(family):
    make, _, own = family
    inputs = np.random.default_rng(3).normal(size=(2, 3, TIME, FEATURES)).astype("float32")
    for layer in (make(UNITS, **own, return_sequences=True), Bidirectional(make(UNITS, **own))):
        over_all = keras.layers.TimeDistributed(layer)
        model = keras.Sequential([keras.Input((None, TIME, FEATURES)), over_all])
        came = model(inputs)
        assert model.output_shape == (None, None, *came.shape[2:])
        for step in range(3):
            np.testing.assert_allclose(came[:, step], layer(inputs[:, step]), atol=1e-6)


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
    @pytest.mark.parametrize(
        ("return_sequences", "mask"),
        [(False, RIGHT), (True, GAPS), (True, None)],
        ids=["last, right", "every, gaps", "every"],
    )
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

    @pytest.mark.parametrize("mask", [None, GAPS], ids=["no mask", "gaps"])
    def test_starts_from_the_states_of_both_ways(self, family, mask):
        make, keras_make, own = family
        ours, theirs = same_weights(
            Bidirectional(make(UNITS, **own, return_state=True)),
            keras.layers.Bidirectional(keras_make(UNITS, **own, return_state=True)),
        )
        states = some_states(ours.forward_layer) + some_states(ours.backward_layer, seed=4)
        assert_all_close(
            ours(INPUTS, initial_state=states, mask=mask), theirs(INPUTS, initial_state=states, mask=mask)
        )

    @pytest.mark.parametrize("states", [1, 3, 4])
    def test_as_many_states_as_both_ways_have(self, states):
        with pytest.raises(
            ValueError,
            match=r"`initial_state` must hold 1 states of the way forwards.*initial_state=\[\(3, 5",
        ):
            Bidirectional(GRU(UNITS))(INPUTS, initial_state=[np.zeros((BATCH, UNITS))] * states)

    def test_the_way_back_may_be_another_layer(self, tmp_path):
        layer = Bidirectional(LSTM(UNITS), backward_layer=GRU(3, go_backwards=True))
        expected = np.concatenate([layer.forward_layer(INPUTS), layer.backward_layer(INPUTS)], axis=-1)
        model = keras.Sequential([keras.Input((None, FEATURES)), layer])
        np.testing.assert_allclose(model(INPUTS), expected, atol=1e-6)
        model.save(tmp_path / "both.keras")
        again = keras.saving.load_model(tmp_path / "both.keras")
        np.testing.assert_array_equal(again(INPUTS), model(INPUTS))

    @pytest.mark.parametrize(
        "wrong",
        [
            partial(GRU, UNITS),
            partial(GRU, UNITS, go_backwards=True, return_sequences=True),
            partial(GRU, UNITS, go_backwards=True, return_state=True),
            partial(GRU, UNITS, go_backwards=True, stateful=True),
            partial(keras.layers.Dense, UNITS),
        ],
    )
    def test_the_way_back_must_match(self, wrong):
        with pytest.raises(ValueError, match=r"`backward_layer` must.*Received: backward_layer="):
            Bidirectional(LSTM(UNITS), backward_layer=wrong())

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
        wanted = r"`sequences` must have the shape \(batch, time, features\).*Received: sequences="
        with pytest.raises(ValueError, match=wanted):
            family[0](UNITS)(np.zeros(shape))
        with pytest.raises(ValueError, match=wanted):
            Bidirectional(family[0](UNITS))(np.zeros(shape))

    @pytest.mark.parametrize("shape", [(3, 6, 7), (3, 4)])
    def test_a_built_layer_keeps_its_width(self, family, shape):
        layer = family[0](UNITS)
        layer(INPUTS)
        for wrong in (np.zeros(shape, "float32"), keras.Input(shape[1:])):
            with pytest.raises(
                ValueError, match=r"shape \(batch, time, 4\). Received: sequences=\((3|None), "
            ):
                layer(wrong)

    @pytest.mark.parametrize("built", [False, True])
    def test_no_steps_at_all(self, family, built):
        layer = family[0](UNITS)
        if built:
            layer(INPUTS)
        with pytest.raises(ValueError, match=r"at least one step. Received: sequences=\(3, 0, 4\)"):
            layer(INPUTS[:, :0])

    def test_a_stateful_layer_goes_on_with_as_many_rows(self, family):
        layer = family[0](UNITS, stateful=True)
        layer(INPUTS)
        with pytest.raises(ValueError, match=r"shape \(3, time, 4\). Received: sequences=\(2, 6, 4\)"):
            layer(INPUTS[:2])

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

    @pytest.mark.parametrize(
        "state", [np.zeros((BATCH, 4)), np.zeros((1, UNITS)), np.zeros((BATCH, 1, UNITS)), "zeros", None]
    )
    def test_initial_states_must_have_the_shape_of_the_states(self, family, state):
        layer = family[0](UNITS)
        with pytest.raises(
            ValueError, match=r"`initial_state` must have the shapes \[\(3, 5\).*Received: init"
        ):
            layer(INPUTS, initial_state=[state for _ in layer.state_size])

    def test_two_states_are_too_many_for_one(self):
        with pytest.raises(
            ValueError, match=r"shapes \[\(3, 5\)\]. Received: initial_state=\[\(3, 5\), \(3, 5\)\]"
        ):
            GRU(UNITS)(INPUTS, initial_state=[np.zeros((BATCH, UNITS), "float32")] * 2)

    def test_a_cell_takes_one_step_and_its_own_states(self, family):
        cell = family[0](UNITS).cell
        states = cell.get_initial_state(BATCH)
        cell(INPUTS[:, 0], states)
        for wrong in (INPUTS, INPUTS[:, 0, :3], INPUTS[0, 0]):
            with pytest.raises(
                ValueError, match=r"`inputs` must have the shape \(batch, 4\). Received: inputs="
            ):
                cell(wrong, states)
        for wrong in ([], states * 2, [state[:2] for state in states], [state[:, :3] for state in states]):
            with pytest.raises(
                ValueError, match=r"`states` must have the shapes \[\(3, 5\).*Received: states="
            ):
                cell(INPUTS[:, 0], wrong)

    @pytest.mark.parametrize("wrong", ["relu", True, np.nan, np.inf, [1.0], np.ones(2)])
    @pytest.mark.parametrize(
        ("make", "name"),
        [(LSTM, "forget_bias"), (LSTMCell, "forget_bias"), (GRU, "update_bias"), (GRUCell, "update_bias")],
    )
    def test_a_bias_is_a_number(self, make, name, wrong):
        with pytest.raises(ValueError, match=rf"`{name}` must be a number or None. Received: {name}="):
            make(UNITS, **{name: wrong})

    @pytest.mark.parametrize(("make", "name"), [(LSTM, "forget_bias"), (GRU, "reset_after")])
    def test_an_activation_in_second_place_is_named(self, make, name):
        with pytest.raises(ValueError, match=rf"`{name}` must be.*Received: {name}='relu'"):
            make(4, "relu")

    @pytest.mark.parametrize("wrong", ["no", None, 1, np.nan, np.ones(2)])
    @pytest.mark.parametrize("name", sorted(FLAGS))
    def test_flags_are_true_or_false(self, name, wrong):
        with pytest.raises(ValueError, match=rf"`{name}` must be True or False. Received: {name}="):
            LSTM(UNITS, **{name: wrong})
        with pytest.raises(ValueError, match="`use_bias` must be True or False"):
            GRU(UNITS, use_bias=wrong)

    @pytest.mark.parametrize("name", ["dropout", "recurrent_dropout", "kernel_regularizer", "implementation"])
    def test_what_is_not_offered_is_refused(self, family, name):
        layer = family[0]
        for make in (layer, layer.cell_class):
            with pytest.raises(ValueError, match=rf"passed to {make.__name__}: {{'{name}': 0.5}}"):
                make(UNITS, **{name: 0.5})


def masks_of(outputs):
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    masks = [getattr(output, "_keras_mask", None) for output in outputs]
    return [None if mask is None else np.asarray(mask).tolist() for mask in masks]


class TestMasks:
    """Which masks are read, and which are handed on."""

    @pytest.mark.parametrize("attached", [False, True])
    @pytest.mark.parametrize("backwards", [False, True])
    def test_outputs_of_every_step_carry_the_mask_and_nothing_else_does(self, family, attached, backwards):
        make, _, own = family
        rows = np.where(GAPS[..., None], INPUTS, 0)
        inputs, mask = (keras.layers.Masking()(rows), None) if attached else (rows, GAPS)
        handed_on = (GAPS[:, ::-1] if backwards else GAPS).tolist()
        for return_sequences, return_state in np.ndindex(2, 2):
            options = {
                **own,
                "go_backwards": backwards,
                "return_sequences": bool(return_sequences),
                "return_state": bool(return_state),
            }
            layer = make(UNITS, **options)
            first = [handed_on if return_sequences else None]
            states = [None for _ in layer.state_size * return_state]
            assert masks_of(layer(inputs, mask=mask)) == first + states
            for merge_mode in ("concat", None):
                both = Bidirectional(make(UNITS, **options), merge_mode)
                outputs = first * (2 if merge_mode is None else 1)
                assert masks_of(both(inputs, mask=mask)) == outputs + states * 2
            carried = Bidirectional(keras.layers.RNN(layer.cell, return_sequences=bool(return_sequences)))
            if not backwards:
                assert masks_of(carried(inputs, mask=mask)) == first

    def test_without_a_mask_nothing_is_handed_on(self, family):
        for backwards in (False, True):
            layer = family[0](UNITS, return_sequences=True, go_backwards=backwards)
            assert masks_of(layer(INPUTS)) == masks_of(Bidirectional(layer)(INPUTS)) == [None]

    @pytest.mark.parametrize("time", [3, 4])
    def test_a_loss_behind_both_ways_equals_that_of_keras(self, time):
        # With 3 rows and 3 steps the mask over time would fit the rows of the loss, and be taken for theirs.
        ids = np.array([[1, 2, 0, 0], [4, 0, 0, 0], [5, 6, 3, 1]])[:, :time]
        losses = []
        for both, make in ((Bidirectional, LSTM), (keras.layers.Bidirectional, keras.layers.LSTM)):
            embedding = keras.layers.Embedding(7, FEATURES, mask_zero=True)
            model = keras.Sequential([embedding, both(make(UNITS)), keras.layers.Dense(2)])
            model.compile(loss="mse")
            model(ids)
            rng = np.random.default_rng(5)
            model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
            losses.append(model.evaluate(ids, np.ones((3, 2)), verbose=0))
        np.testing.assert_allclose(*losses, rtol=1e-5)

    def test_an_attached_mask_is_read_beside_initial_states(self, family):
        make, _, own = family
        rows = np.where(GAPS[..., None], INPUTS, 0)
        for layer in (make(UNITS, **own), Bidirectional(make(UNITS, **own))):
            ways = (
                [layer]
                if isinstance(layer, keras.layers.RNN)
                else [layer.forward_layer, layer.backward_layer]
            )
            states = [state for way in ways for state in some_states(way)]
            attached = layer(keras.layers.Masking()(rows), initial_state=states)
            np.testing.assert_allclose(attached, layer(rows, initial_state=states, mask=GAPS), atol=1e-6)
            assert np.abs(attached - layer(rows, initial_state=states)).max() > 0.01

    def test_a_mask_that_is_given_stands_above_an_attached_one(self, family):
        make, _, own = family
        attached = keras.layers.Masking()(np.where(GAPS[..., None], INPUTS, 0))
        for layer in (make(UNITS, **own), Bidirectional(make(UNITS, **own))):
            np.testing.assert_allclose(
                layer(attached, mask=RIGHT), layer(np.asarray(attached), mask=RIGHT), atol=1e-6
            )
