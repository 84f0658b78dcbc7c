"""`lesson.train` is `fit` on batches that differ from epoch to epoch and come again after `seed()`."""

import keras
import numpy as np
import pytest

from course_utils import lesson

ROWS = 70


class Recorder(keras.layers.Layer):
    """Passes its inputs on, and adds up what it saw in training: by row, in the order of the steps."""

    def build(self, shape):  # noqa: ARG002
        self.order = self.add_weight(shape=(ROWS * 8,), initializer="zeros", trainable=False)
        self.at = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")

    def call(self, inputs, training=False):
        if training:
            rows = keras.ops.shape(inputs)[0]
            places = self.at + keras.ops.arange(rows)
            self.order.assign(keras.ops.scatter_update(self.order, places[:, None], inputs[:, 0]))
            self.at.assign_add(rows)
        return inputs


def train(epochs=2, batch_size=16, seed=0, **options):
    keras.utils.set_random_seed(seed)
    inputs = np.arange(1.0, ROWS + 1)[:, None].astype("float32")
    model = keras.Sequential([keras.Input((1,)), recorder := Recorder(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    history = lesson.train(model, inputs, inputs, epochs, batch_size, **options)
    return np.asarray(recorder.order)[: int(recorder.at)], history


def test_every_epoch_draws_other_batches_and_leaves_no_row_out_twice():
    seen, _ = train(epochs=2, batch_size=ROWS // 2)
    first, second = seen.reshape(2, ROWS)
    assert sorted(first) == sorted(second) == list(range(1, ROWS + 1))
    assert list(first) != list(second) != sorted(second)


def test_two_runs_of_one_seed_agree_and_of_two_do_not():
    np.testing.assert_array_equal(train()[0], train()[0])
    assert list(train()[0]) != list(train(seed=1)[0])


def test_all_batches_are_full():
    seen, _ = train(epochs=3, batch_size=16)
    assert len(seen) == 3 * 64
    assert all(len(set(epoch)) == 64 for epoch in seen.reshape(3, 64))
    assert len(train(batch_size=200)[0]) == 2 * ROWS


@pytest.mark.slow
def test_it_trains_and_returns_the_curve_of_both(monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    rng = np.random.default_rng(0)
    inputs = {"a": rng.normal(size=(ROWS, 2)), "b": rng.normal(size=(ROWS, 2))}
    labels = inputs["a"] @ [[1.0], [2.0]] - inputs["b"] @ [[1.0], [0.5]]
    given = {name: keras.Input((2,), name=name) for name in inputs}
    model = keras.Model(given, keras.layers.Dense(1)(keras.layers.Concatenate()(list(given.values()))))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = lesson.train(model, inputs, labels, epochs=30, batch_size=10, validation=(inputs, labels))
    loss, held_out = history.history["loss"], history.history["val_loss"]
    assert len(loss) == len(held_out) == 30
    assert held_out[-1] < 1e-3 < loss[0]


def test_the_bar_counts_all_steps(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_QUIET", raising=False)
    _, history = train(epochs=3, batch_size=16)
    assert "12/12" in capsys.readouterr().out
    assert history.params["steps"] == 4


def test_callbacks_are_called_after_each_epoch():
    ended = []
    train(
        epochs=3,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ended.append(epoch))],
    )
    assert ended == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"model": keras.Sequential([keras.layers.Dense(1)])}, "compiled Keras model"),
        ({"model": None}, "compiled Keras model. Received: model=None"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 1.5}, "batch_size=1.5"),
        ({"labels": np.zeros((3, 1))}, r"as many rows.*\(4, 1\), \(3, 1\)"),
        ({"labels": 1.0}, "as many rows"),
        ({"inputs": np.zeros((0, 1)), "labels": np.zeros((0, 1))}, "at least one"),
        ({"validation": np.zeros((3, 1))}, "pair of inputs and labels"),
        ({"validation": (np.zeros((2, 1)), np.zeros((3, 1)))}, "`validation` and their labels"),
    ],
)
def test_bad_input_is_refused(wrong, expected):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    given = {"model": model, "inputs": np.zeros((4, 1)), "labels": np.zeros((4, 1)), "epochs": 1, **wrong}
    with pytest.raises(ValueError, match=expected):
        lesson.train(**given)


def test_a_model_takes_all_steps_whatever_trained_it_before():
    inputs = np.arange(1.0, ROWS + 1)[:, None].astype("float32")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(inputs, inputs, 10, verbose=0)
    lesson.train(model, inputs, inputs, 1, 10)
    lesson.train(model, inputs[:20], inputs[:20], 1, 10)
    lesson.train(model, inputs, inputs, 1, 1)
    model.fit(inputs, inputs, 10, verbose=0)
    assert int(model.optimizer.iterations) == 7 + 7 + 2 + 70 + 7
    assert len(model.predict(inputs, verbose=0)) == ROWS
