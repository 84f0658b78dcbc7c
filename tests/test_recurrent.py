"""Our recurrent layers equal Keras' under copied, asymmetric weights, and keep their own promises."""

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import SimpleRNN, SimpleRNNCell, measure
from course_utils.exercises import properties

BATCH, TIME, FEATURES, UNITS = 3, 6, 4, 5
INPUTS = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")
RIGHT = np.arange(TIME) < np.array([[6], [2], [4]])
GAPS = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]], bool)
STATE = np.random.default_rng(1).normal(size=(BATCH, UNITS)).astype("float32")


def pair(**arguments):
    """Our layer and Keras', with the same weights: no matrix symmetric, no bias zero."""
    ours, theirs = SimpleRNN(UNITS, **arguments), keras.layers.SimpleRNN(UNITS, **arguments)
    rng = np.random.default_rng(2)
    shapes = [(FEATURES, UNITS), (UNITS, UNITS), (UNITS,)]
    weights = [rng.normal(scale=0.7, size=shape) for shape in shapes]
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
        layer.set_weights(weights)
    return ours, theirs


@pytest.mark.parametrize("mask", [None, RIGHT, GAPS], ids=["no mask", "right", "gaps"])
@pytest.mark.parametrize("state", [None, STATE], ids=["from zeros", "from a state"])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_equals_keras(mask, state, go_backwards, activation):
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    ours, theirs = pair(activation=activation, **arguments)
    for came, expected in zip(
        ours(INPUTS, initial_state=state, mask=mask),
        theirs(INPUTS, initial_state=state, mask=mask),
        strict=True,
    ):
        np.testing.assert_allclose(came, expected, atol=1e-5)


def test_gradients_equal_keras():
    ours, theirs = (
        measure.weight_gradients(layer, INPUTS, None, lambda _, last: ops.sum(last**2)) for layer in pair()
    )
    for came, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(came, expected, atol=1e-5)
    ours, theirs = (measure.gradient(layer, INPUTS) for layer in pair())
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_stateful_goes_on_where_the_last_batch_stopped():
    stateful, theirs = pair(stateful=True)
    at_once, _ = pair()
    for layer in (stateful, theirs):
        layer(INPUTS[:, :2])
    np.testing.assert_allclose(stateful(INPUTS[:, 2:]), at_once(INPUTS), atol=1e-5)
    np.testing.assert_allclose(theirs(INPUTS[:, 2:]), at_once(INPUTS), atol=1e-5)
    stateful.reset_state()
    np.testing.assert_allclose(stateful(INPUTS), at_once(INPUTS), atol=1e-5)


def test_a_step_at_a_time_equals_all_at_once():
    layer, _ = pair(return_sequences=True)
    states = [np.zeros((BATCH, UNITS), "float32")]
    for step in range(TIME):
        output, states = layer.cell(INPUTS[:, step], states)
        np.testing.assert_allclose(output, layer(INPUTS)[:, step], atol=1e-5)


def test_padding_is_stepped_over():
    layer, _ = pair()
    for mask in (RIGHT, GAPS):
        properties.ignores_padding(lambda inputs, mask=mask: layer(inputs, mask=mask), INPUTS, mask)
        properties.last_state_is_that_of_each_alone(
            lambda inputs, mask: layer(inputs, mask=mask), INPUTS, mask
        )


def test_without_a_mask_padding_is_read():
    layer, _ = pair()
    assert np.abs(layer(INPUTS) - layer(INPUTS, mask=RIGHT)).max() > 0.01


@pytest.mark.parametrize("step", range(TIME))
def test_no_state_depends_on_later_inputs(step):
    layer, _ = pair(return_sequences=True)
    gradient = measure.gradient(lambda inputs: layer(inputs)[:, step], INPUTS)
    assert (gradient[:, step + 1 :] == 0).all()
    assert (gradient[:, : step + 1] != 0).any(axis=(0, 2)).all()


def test_cells_stack():
    cells = [SimpleRNNCell(4), SimpleRNNCell(3)]
    stacked = keras.layers.RNN(keras.layers.StackedRNNCells(cells))
    came = stacked(INPUTS)
    first, second = SimpleRNN(4, return_sequences=True), SimpleRNN(3)
    second(first(INPUTS))
    first.set_weights(cells[0].get_weights())
    second.set_weights(cells[1].get_weights())
    np.testing.assert_allclose(came, second(first(INPUTS)), atol=1e-5)


def test_the_recurrent_kernel_starts_as_asked():
    layer = SimpleRNN(UNITS, recurrent_initializer=keras.initializers.Orthogonal(gain=1.5))
    layer.build((None, None, FEATURES))
    kernel = layer.get_weights()[1]
    np.testing.assert_allclose(kernel @ kernel.T, 2.25 * np.eye(UNITS), atol=1e-5)


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "8", None, True])
@pytest.mark.parametrize("layer", [SimpleRNN, SimpleRNNCell])
def test_units_must_be_a_positive_whole_number(layer, wrong):
    with pytest.raises(ValueError, match=rf"`units` must be a whole number.*Received: units={wrong!r}"):
        layer(wrong)


@pytest.mark.parametrize("shape", [(3, 4), (3, 6, 4, 1)])
def test_input_must_have_three_axes(shape):
    with pytest.raises(ValueError, match=r"\(batch, time, features\).*Received: shape="):
        SimpleRNN(UNITS)(np.zeros(shape))


@pytest.mark.parametrize(
    "mask",
    [RIGHT[:, :4], RIGHT[:2], RIGHT[..., None], RIGHT.astype("float32")],
    ids=["short", "rows", "rank", "numbers"],
)
def test_mask_must_be_boolean_and_fit(mask):
    with pytest.raises(ValueError, match=r"`mask` must be boolean with shape .*\(3, 6\).*Received: mask="):
        SimpleRNN(UNITS)(INPUTS, mask=mask)


def test_initial_state_must_have_the_size_of_the_units():
    with pytest.raises(
        ValueError, match=r"`initial_state` must hold states of the sizes \[5\].*Received: sizes=\[4\]"
    ):
        SimpleRNN(UNITS)(INPUTS, initial_state=STATE[:, :4])
