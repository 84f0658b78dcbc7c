"""The embedding is a table that is read by row."""

import keras
import numpy as np
import pytest

from course_utils import Embedding, measure

IDS = np.array([[3, 1, 3], [0, 4, 1]])


@pytest.fixture(name="layer")
def _layer():
    layer = Embedding(5, 3)
    layer.build((None,))
    layer.set_weights([np.random.default_rng(0).normal(size=(5, 3))])
    return layer


def test_equals_keras_and_one_hot_product(layer):
    theirs = keras.layers.Embedding(5, 3)
    theirs.build((None,))
    theirs.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(IDS), theirs(IDS))
    np.testing.assert_allclose(layer(IDS), np.eye(5)[IDS] @ layer.get_weights()[0], atol=1e-6)


def test_only_rows_that_were_read_get_a_gradient(layer):
    (gradient,) = measure.weight_gradients(layer, IDS, None, lambda _, rows: keras.ops.sum(rows))
    np.testing.assert_array_equal(gradient[:, 0], [1, 2, 0, 2, 1])


@pytest.mark.parametrize("dtype", ["int32", "float32"])  # Keras' Sequential hands ids over as floats
def test_ids_beyond_float16_stay_whole(dtype):
    layer = Embedding(3_000, 2, dtype="mixed_float16")
    ids = np.array([[2_049, 2_999]], dtype)
    layer(ids)
    expected = layer.embeddings.numpy()[[2_049, 2_999]].astype("float16")
    np.testing.assert_array_equal(layer(ids)[0], expected)


@pytest.mark.parametrize("wrong", [5, -1, 0.5])
def test_an_id_outside_the_vocabulary_is_refused(layer, wrong):
    with pytest.raises(ValueError, match=rf"from 0 to 4.*Received: ids={wrong}"):
        layer(np.array([[1, wrong]]))


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "8", None, True])
@pytest.mark.parametrize("argument", ["input_dim", "output_dim"])
def test_sizes_must_be_positive_whole_numbers(argument, wrong):
    sizes = {"input_dim": 5, "output_dim": 3, argument: wrong}
    with pytest.raises(
        ValueError, match=rf"`{argument}` must be a whole number.*Received: {argument}={wrong!r}"
    ):
        Embedding(**sizes)
