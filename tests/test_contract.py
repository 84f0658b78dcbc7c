"""What every layer of the course must do, whatever it computes."""

import keras
import numpy as np
import pytest

from course_utils import Embedding, SimpleRNN

FLOATS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 6, 1], [2, 0, 0, 0, 0]], "int32")
LAYERS = {
    "Embedding": (lambda **kwargs: Embedding(7, 4, **kwargs), IDS),
    "SimpleRNN": (lambda **kwargs: SimpleRNN(4, **kwargs), FLOATS),
    "SimpleRNN, every step": (lambda **kwargs: SimpleRNN(4, return_sequences=True, **kwargs), FLOATS),
    "SimpleRNN, backwards": (
        lambda **kwargs: SimpleRNN(4, "relu", "identity", go_backwards=True, **kwargs),
        FLOATS,
    ),
}


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


def test_symbolic_equals_eager(case):
    make, inputs = case
    layer = make()
    model = model_of(layer, inputs)
    randomise(layer)
    assert model.output_shape[1:] == tuple(None if size == 5 else size for size in layer(inputs).shape[1:])
    np.testing.assert_allclose(model.predict(inputs, verbose=0), layer(inputs), atol=1e-6)


def test_any_length_and_any_batch(case):
    make, inputs = case
    model = model_of(make(), inputs)
    for batch, time in ((1, 1), (2, 3), (3, 5)):
        assert np.isfinite(model.predict(inputs[:batch, :time], verbose=0)).all()


def test_one_example_does_not_depend_on_its_batch_mates(case):
    make, inputs = case
    layer = make()
    together = np.asarray(layer(inputs))
    np.testing.assert_allclose(together[1], np.asarray(layer(inputs[1:2]))[0], atol=1e-6)


def test_saved_equals_loaded(case, tmp_path):
    make, inputs = case
    model = model_of(make(), inputs)
    randomise(model.layers[-1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(model.layers[-1])
    np.testing.assert_allclose(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)


def test_config_makes_an_equal_layer(case):
    make, inputs = case
    layer = make(name="one")
    layer(inputs)
    copy = type(layer).from_config(layer.get_config())
    copy(inputs)
    copy.set_weights(layer.get_weights())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(inputs), layer(inputs))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_every_weight_trains(case, jit_compile):
    make, inputs = case
    model = model_of(make(), inputs, time=5)
    randomise(model.layers[-1])
    before = model.get_weights()
    target = np.ones((3, *model.output_shape[1:]), "float32")
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.fit(inputs, target, verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_trains_in_mixed_precision(case, policy):
    make, inputs = case
    layer = make(dtype=policy)
    model = model_of(layer, inputs)
    assert all(weight.dtype == "float32" for weight in layer.weights)
    outputs = model(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(inputs, np.ones(outputs.shape, "float32"), verbose=0).history["loss"][0])
