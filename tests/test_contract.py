"""What every layer of the course must do, whatever it computes and whichever backend Keras runs on."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import GRU, LSTM, Bidirectional, Embedding, GRUCell, LSTMCell, SimpleRNN

FLOATS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 6, 1], [2, 0, 0, 0, 0]], "int32")
# Whether `fit` compiles with XLA. JAX does nothing else, and torch has a compiler of its own.
XLA = {"tensorflow": [False, True], "jax": [True], "torch": [False]}[keras.backend.backend()]


def both_ways(layer, merge_mode, **options):
    return Bidirectional(layer(dtype=options.get("dtype")), merge_mode, **options)


def stack(**options):
    cells = [cell(4, dtype=options.get("dtype")) for cell in (LSTMCell, GRUCell)]
    return keras.layers.RNN(keras.layers.StackedRNNCells(cells, dtype=options.get("dtype")), **options)


RECURRENT = {
    "SimpleRNN": partial(SimpleRNN, 4),
    "SimpleRNN, every step": partial(SimpleRNN, 4, return_sequences=True),
    "SimpleRNN, backwards": partial(SimpleRNN, 4, "relu", "identity", go_backwards=True),
    "LSTM": partial(LSTM, 4),
    "LSTM, every step": partial(LSTM, 4, return_sequences=True),
    "GRU": partial(GRU, 4),
    "GRU, every step": partial(GRU, 4, return_sequences=True),
    "GRU, reset before": partial(GRU, 4, reset_after=False),
    "both ways, every step": partial(both_ways, partial(LSTM, 4, return_sequences=True), "concat"),
    "both ways, summed": partial(both_ways, partial(GRU, 4), "sum"),
    "cells in a stack": stack,
}
LAYERS = {"Embedding": (partial(Embedding, 7, 4), IDS)}
LAYERS |= {name: (make, FLOATS) for name, make in RECURRENT.items()}


@pytest.fixture(params=LAYERS, name="case")
def _case(request):
    keras.utils.set_random_seed(1)
    return LAYERS[request.param]


def model_of(layer, inputs, time=None):
    entrance = keras.Input((time, *inputs.shape[2:]), dtype=inputs.dtype.name)
    return keras.Model(entrance, layer(entrance))


def randomise(layer, seed=2):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])


def assert_equal(outputs, others):
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), ops.convert_to_numpy(others), atol=1e-6)


def test_symbolic_equals_eager_whatever_the_batch_and_the_length(case):
    make, inputs = case
    layer = make()
    model = model_of(layer, inputs)
    randomise(layer)
    for batch, time in ((1, 1), (3, 5)):
        eager = layer(inputs[:batch, :time])
        assert_equal(model.predict(inputs[:batch, :time], verbose=0), eager)
    assert model.output_shape[1:] == tuple(None if size == 5 else size for size in eager.shape[1:])


def test_one_example_does_not_depend_on_its_batch_mates(case):
    make, inputs = case
    layer = make()
    assert_equal(layer(inputs)[1:2], layer(inputs[1:2]))


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)
def test_padding_changes_nothing(make):
    layer = make()
    layer.build(FLOATS.shape)
    randomise(layer)
    alone = layer(FLOATS[1:2, :2])
    mask = np.arange(5) < np.array([[5], [2], [3]])
    padded = np.where(mask[:, :, None], FLOATS, 9).astype("float32")
    among_others = layer(padded, mask=ops.convert_to_tensor(mask))[1:2]
    assert_equal(among_others[:, :2] if len(alone.shape) == 3 else among_others, alone)


def test_saved_equals_loaded(case, tmp_path):
    make, inputs = case
    model = model_of(make(), inputs)
    randomise(model.layers[-1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(model.layers[-1])
    assert_equal(loaded(inputs), model(inputs))


def test_config_makes_an_equal_layer(case):
    make, inputs = case
    layer = make(name="one")
    copy = type(layer).from_config(layer.get_config())
    for each in (layer, copy):
        each.build(inputs.shape)
        randomise(each)
    assert copy.get_config() == layer.get_config()
    assert_equal(copy(inputs), layer(inputs))


@pytest.mark.parametrize("jit_compile", XLA)
def test_every_weight_trains(case, jit_compile):
    make, inputs = case
    model = model_of(make(), inputs, time=5)
    randomise(model.layers[-1])
    before = model.get_weights()
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:])))
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_computes_in_mixed_precision(case, policy):
    make, inputs = case
    layer = make(dtype=policy)
    outputs = layer(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()
    assert all(weight.dtype == "float32" for weight in layer.weights)


def test_trains_in_mixed_precision(case):
    make, inputs = case
    model = model_of(make(dtype="mixed_float16"), inputs, time=5)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:]))))
