"""What is created before the first step changes nothing, and the step is traced once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import GRU, Embedding, lesson, tracing, training

IDS = np.random.default_rng(0).integers(5, size=(24, 6))


class Counted(keras.layers.Layer):
    """Counts how often it is traced for training, and how often it is called at all."""

    def build(self, shape):  # noqa: ARG002
        self.traced = 0
        self.called = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        self.traced += training and not tf.executing_eagerly()
        self.called.assign_add(1)
        return inputs


def model_of(*parts, built=True):
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((6,), dtype="int32")] if built else []
    model = keras.Sequential([*inputs, Embedding(5, 4), *parts, keras.layers.Dense(5)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("built", [True, False])
def test_the_step_is_traced_once(built):
    times = []
    for train in (training.train, lesson.train):
        model = model_of(counted := Counted(), built=built)
        train(model, IDS, IDS, epochs=2, batch_size=8)
        times.append(counted.traced)
        assert float(counted.called) >= 6
    assert times == [2, 1]


@pytest.mark.parametrize("built", [True, False])
def test_the_same_is_learnt(built):
    ways = []
    for train in (training.train, training.train, lesson.train):  # the first in a process draws other weights
        model = model_of(
            keras.layers.Dropout(0.5),
            GRU(3, return_sequences=True),
            keras.layers.LayerNormalization(),
            built=built,
        )
        history = train(model, IDS, IDS, epochs=2, batch_size=8, validation=(IDS, IDS)).history
        ways.append((*model.get_weights(), *history.values()))
    for one, other in zip(*ways[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_the_first_look_has_changed_is_taken_back():
    model = model_of(counted := Counted())
    before = [np.array(weight) for weight in model.get_weights()]
    first = tracing.VariablesFirst(IDS, IDS, 8)
    first.set_model(model)
    first.on_train_begin()
    assert model.optimizer.built
    assert float(counted.called) == 0
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_building_a_model_is_no_reading():
    model = model_of(counted := Counted(), built=False)
    first = tracing.VariablesFirst(IDS, IDS, 8)
    first.set_model(model)
    first.on_train_begin()
    assert model.built
    assert model.optimizer.built
    assert float(counted.called) == 0
