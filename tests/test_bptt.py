"""Gradients by hand are those of the cell, in every option, and the layers take the way that is right."""

import contextlib
import functools
import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import (
    GRU,
    LSTM,
    Bidirectional,
    Decoder,
    Encoder,
    GRUCell,
    LSTMCell,
    LuongAttention,
    Seq2Seq,
    SimpleRNN,
    SimpleRNNCell,
    bptt,
    fused,
    lesson,
)

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loops are TensorFlow's")

BATCH, TIME, FEATURES, UNITS = 3, 5, 2, 4
FAMILIES = {
    "tanh": (SimpleRNN, {}),
    "relu": (SimpleRNN, {"activation": "relu"}),
    "sigmoid": (SimpleRNN, {"activation": "sigmoid"}),
    "linear": (SimpleRNN, {"activation": "linear"}),
    "LSTM": (LSTM, {}),
    "GRU": (GRU, {}),
    "GRU, reset before": (GRU, {"reset_after": False}),
}
MASK = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


@pytest.fixture(name="rng")
def _rng():
    return np.random.default_rng(0)


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(name="compiled_ways")
def _compiled_ways(monkeypatch):
    """The ways that XLA compiles, one after the other."""
    ways, chosen = [], bptt._compiled.__wrapped__
    monkeypatch.setattr(bptt, "_compiled", lambda *each: ways.append(each) or chosen(*each))
    return ways


@pytest.fixture(name="no_block")
def _no_block(monkeypatch):
    """Even a small LSTM goes through the loops."""
    monkeypatch.setattr(fused, "BLOCK_PRODUCTS", 0)


def tensor(rng, *shape):
    return tf.constant(rng.normal(scale=0.5, size=shape).astype("float32"))


def answers(layer, weights, inputs, states, mask, compiled=False, training=None):
    """Return what comes out of a layer, and the gradients of the inputs, the states and the weights."""
    if not layer.built:
        layer.build(inputs.shape)
    layer.set_weights(weights)

    def differentiate():
        with tf.GradientTape() as tape:
            tape.watch([inputs, states])
            outputs = layer(inputs, initial_state=states, mask=mask, training=training)
            loss = sum(tf.reduce_sum(tf.sin((1.3 + place) * each)) for place, each in enumerate(outputs))
        return outputs, tape.gradient(
            loss, [inputs, states, [each.value for each in layer.trainable_variables]]
        )

    return tf.nest.flatten((tf.function(differentiate, autograph=False) if compiled else differentiate)())


def given_to(layer, rng):
    """Return weights without symmetry, inputs and states for a layer."""
    layer.build((BATCH, TIME, FEATURES))
    weights = [tensor(rng, *each.shape) for each in layer.weights]
    states = [tensor(rng, BATCH, UNITS) for _ in keras.tree.flatten(layer.state_size)]
    return weights, tensor(rng, BATCH, TIME, FEATURES), states


def assert_equal(came, expected):
    for one, other in zip(came, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


NAMES = "go_backwards", "return_sequences", "zero_output_for_mask", "use_bias"
OPTIONS = [  # half of all: any three of the options come in every combination
    dict(zip(NAMES, given, strict=True))
    for given in itertools.product((False, True), repeat=4)
    if sum(given) % 2 == 0
]


@pytest.mark.parametrize("mask", [MASK, None], ids=["masked", "all"])
def test_equals_keras_in_every_option(family, mask, rng):
    make, own = family
    of_a_mask = [each for each in OPTIONS if mask is not None or not each["zero_output_for_mask"]]
    for options in of_a_mask[:1] if "activation" in own else of_a_mask:
        theirs = getattr(keras.layers, make.__name__)(UNITS, return_state=True, **own, **options)
        given = given_to(theirs, rng)
        ours = make(UNITS, return_state=True, fused=True, **own, **options)
        assert_equal(answers(ours, *given, mask), answers(theirs, *given, mask))


@pytest.mark.usefixtures("no_block")
@pytest.mark.parametrize(
    ("name", "mask"),
    [*((name, MASK) for name in ("tanh", "LSTM", "GRU", "GRU, reset before")), ("LSTM", None)],
)
def test_compiled_equals_the_cell(name, mask, rng):
    make, own = FAMILIES[name]
    layer = make(UNITS, return_sequences=True, return_state=True, fused=False, **own)
    given = given_to(layer, rng)
    fast = make(UNITS, return_sequences=True, return_state=True, fused=True, **own)
    assert_equal(answers(fast, *given, mask, compiled=True), answers(layer, *given, mask))


@pytest.mark.parametrize(
    ("name", "compiled"), [("LSTM", False), ("GRU", False), ("GRU, reset before", False), ("GRU", True)]
)
def test_the_second_derivative_is_right_too(name, compiled, rng):
    make, own = FAMILIES[name]
    plain, fast = (make(UNITS, fused=each, **own) for each in (False, True))
    weights, inputs, _ = given_to(plain, rng)
    fast.build(inputs.shape)

    def twice(layer, compiled=False):
        layer.set_weights(weights)
        kernel = layer.cell.recurrent_kernel.value

        def differentiate():
            with tf.GradientTape() as outer:
                outer.watch(inputs)
                with tf.GradientTape() as inner:
                    inner.watch(inputs)
                    loss = tf.reduce_sum(tf.sin(layer(inputs)))
                first = inner.gradient(loss, [inputs, kernel])
                total = sum(tf.reduce_sum(tf.cos(each)) for each in first)
            return outer.gradient(total, [inputs, kernel])

        return (tf.function(differentiate, autograph=False) if compiled else differentiate)()

    assert_equal(twice(fast, compiled), twice(plain))


def test_states_go_on_from_batch_to_batch(rng):
    layers = [LSTM(UNITS, stateful=True, fused=each) for each in (False, True)]
    weights, inputs, _ = given_to(layers[0], rng)
    layers[1].build(inputs.shape)
    for layer in layers:
        layer.set_weights(weights)
    for _ in range(2):
        assert_equal([layers[1](inputs)], [layers[0](inputs)])


class TestTheChoice:
    """Compiling is for a long training, and a block for small steps."""

    @pytest.mark.slow
    def test_a_long_training_after_a_short_one_is_compiled_and_goes_the_same_way(self, rng, compiled_ways):
        layer, plain = (GRU(UNITS, fused=each) for each in ("auto", False))
        weights, inputs, _ = given_to(layer, rng)
        trained, given = [], (np.tile(inputs, (20, 1, 1)), np.ones((20 * BATCH, UNITS)))
        for each in (layer, plain):
            each.build(inputs.shape)
            each.set_weights(weights)
            model = keras.Sequential([each])
            model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=False)
            keras.utils.set_random_seed(0)
            for epochs, compiled in ((1, False), (20, True)) if each is layer else ((1, True), (20, True)):
                lesson.train(model, *given, epochs, BATCH)
                assert bool(compiled_ways) == compiled  # by the first of both
            trained.append(each.get_weights())
        assert_equal(*trained)

    @pytest.mark.parametrize(
        ("steps", "training", "compiles"), [(399, True, False), (400, True, True), (400, False, False)]
    )
    def test_a_short_training_and_inference_are_not_compiled(
        self, steps, training, compiles, rng, compiled_ways
    ):
        layer = GRU(UNITS)
        assert (
            fused.expect(keras.Sequential([layer]), steps) == layer.many_steps == (steps >= fused.PAYS_AFTER)
        )
        assert not fused.expect(keras.Sequential([layer]), steps)
        tf.function(functools.partial(layer, training=training))(tensor(rng, BATCH, TIME, FEATURES))
        assert bool(compiled_ways) == compiles

    def test_layers_within_others_are_told_too(self):
        encoder, decoder = Encoder(GRUCell, 3, bidirectional=True), Decoder(GRUCell, 3)
        model = Seq2Seq(encoder, decoder, 5, 5, 2)
        inner = [each for each in model._flatten_layers() if isinstance(each, fused.FusedRNN)]
        assert len(inner) == 3
        assert fused.expect(model, 1_000)
        assert all(each.many_steps for each in inner)
        assert fused.expect(model, 1)
        assert not any(each.many_steps for each in inner)

    @pytest.mark.parametrize(
        ("batch", "features", "units", "block"),
        [
            (64, 9, 64, True),
            (64, 32, 64, False),
            (32, 32, 64, True),
            (128, 9, 64, False),
            (None, 9, 128, False),
        ],
    )
    def test_a_block_is_for_small_steps(self, batch, features, units, block, monkeypatch):
        monkeypatch.setattr(bptt, "block_lstm", lambda *_: pytest.fail("in a block"))
        layer = LSTM(units)
        shape = tf.TensorSpec((batch, 2, features), "float32")
        trace = tf.function(functools.partial(layer, training=True)).get_concrete_function
        with pytest.raises(pytest.fail.Exception, match="in a block") if block else contextlib.nullcontext():
            trace(shape)

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: SimpleRNN(3, activation="softplus", fused=True), "none of those"),
            (lambda: fused.FusedRNN(keras.layers.GRUCell(3), fused=True), "none of those"),
            (lambda: fused.FusedRNN(type("Own", (GRUCell,), {})(3), fused=True), "none of those"),
            (lambda: GRU(3, fused=True, unroll=True), "unrolled"),
            (lambda: LSTM(3, fused=True, dtype="mixed_float16"), "in float16"),
            (lambda: LSTM(3, fused=True, dtype="float64"), "in float64"),
        ],
    )
    def test_says_why_it_cannot(self, make, reason):
        with pytest.raises(ValueError, match=f"{reason}.*Received: fused=True"):
            make()

    def test_a_gpu_is_left_to_keras(self, monkeypatch, rng):
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
        with pytest.raises(ValueError, match="there is a GPU"):
            LSTM(3, fused=True)
        assert LSTM(UNITS)(tensor(rng, BATCH, TIME, FEATURES)).shape == (BATCH, UNITS)

    @pytest.mark.parametrize("wrong", ["yes", 1, None])
    def test_refuses_another_word(self, wrong):
        with pytest.raises(
            ValueError, match=re.escape(f'`fused` must be "auto", True or False. Received: fused={wrong!r}')
        ):
            LSTM(3, fused=wrong)

    def test_a_step_that_is_replaced_is_gone(self, rng):
        layer = LSTM(UNITS)  # which goes through the block, so that its cell is not asked
        inputs = tensor(rng, BATCH, TIME, FEATURES)
        layer(inputs)
        layer.cell.call = lambda x, states: (x[:, :1] + states[0], [x[:, :1] + states[0], states[1]])
        expected = np.repeat(np.sum(inputs[..., :1], axis=1), UNITS, axis=1)
        np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5)
        own = type(
            "Own",
            (LSTMCell,),
            {"call": lambda self, inputs, states: (states[0] + 1, [states[0] + 1, states[1]])},
        )
        np.testing.assert_array_equal(fused.FusedRNN(own(UNITS))(inputs), np.full((BATCH, UNITS), TIME))


def test_is_saved_with_its_choice(tmp_path, rng):
    model = keras.Sequential([keras.Input((None, FEATURES)), GRU(UNITS, fused=False), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].fused is False
    inputs = tensor(rng, BATCH, TIME, FEATURES)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def trained(choice, steps=6):
    """Return the losses of a translator that attends after its step, of both ways, and of masks."""
    keras.utils.set_random_seed(1)
    carry = functools.partial(GRU, return_sequences=True, return_state=True, fused=choice)
    encoder = Encoder([Bidirectional(carry(UNITS))])
    decoder = Decoder([carry(2 * UNITS)], attention=LuongAttention(), attend="after")
    model = Seq2Seq(encoder, decoder, 9, 9, embedding_dim=3)
    rng = np.random.default_rng(0)
    source, read, labels = rng.integers(0, 9, size=(3, steps * 8, TIME))
    source[:, 0] = read[:, 0] = 1  # a word, and the start mark
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.SGD(0.5), loss)
    return lesson.train(model, (source, read), labels, epochs=3, batch_size=8).history["loss"]


@pytest.mark.slow
def test_a_translator_trains_the_same_and_again_to_the_last_bit(monkeypatch):
    monkeypatch.setattr(fused, "PAYS_AFTER", 2)  # a few steps are many, so that XLA compiles
    tf.config.experimental.enable_op_determinism()
    losses = trained("auto")
    assert trained("auto") == losses
    np.testing.assert_allclose(losses, trained(False), rtol=1e-5)


def test_cells_that_are_given_alone_are_carried_so_too():
    for cell in (SimpleRNNCell, LSTMCell, GRUCell):
        (layer,) = Encoder(cell, UNITS).layers
        assert layer.fused == "auto"
        assert layer._recurrence() is not None
