"""Two networks that answer well, their weights, and what occlusion finds: where does the answer come from?"""

import keras
import numpy as np
from keras import layers, optimizers

from course_utils.attention import AttentionPooling
from course_utils.measure import peak_within, weight_within
from course_utils.recurrent import GRU
from course_utils.training import train

LESSON = "09"
TIME, UNITS, RATE, BATCH = 30, 32, 3e-3, 64
PARTS = [{"score": score, "epochs": 4, "seed": seed} for seed in range(3) for score in ("dot", "general")]
WITHIN = {"explained": 0.1, "on_mark": 0.2, "peak": 0.2, "occluded": 0.1, "even": 1.5}


def marked_readings(count, rng):
    """Return readings with marks, `(count, TIME, 2)`, those marked, `(count, 1)`, and where they stand."""
    readings, places = rng.random((count, TIME)), rng.integers(TIME, size=count)
    marks = np.arange(TIME) == places[:, None]
    return np.stack([readings, marks], -1).astype("float32"), readings[marks][:, None], places


def answering(score):
    """Return a network that says the marked reading, one that gives its states and weights, and its parts."""
    inputs = keras.Input((TIME, 2))
    states = GRU(UNITS, return_sequences=True)(inputs)
    pool, say = AttentionPooling(UNITS, score), layers.Dense(1)
    pooled, weights = pool(states, return_attention_scores=True)
    network = keras.Model(inputs, say(pooled))
    network.compile(optimizers.Adam(RATE, clipnorm=1.0), "mse")
    return network, keras.Model(inputs, (states, weights)), (pool, say)


def occlusion(network, series):
    """Return how far the answer moves when the reading of each step is changed by a half, `(count, TIME)`."""
    changed, steps = np.repeat(series[:, None], TIME, axis=1), np.arange(TIME)
    changed[:, steps, steps, 0] = (changed[:, steps, steps, 0] + 0.5) % 1  # a copy for each step
    after = np.reshape(network(changed.reshape(-1, TIME, 2)), (-1, TIME))
    return np.abs(after - network(series))


def around(measured, places, reach=8):
    """Return the mean of what was measured at each step, lined up by the marked one: `reach` to each side."""
    steps = places[:, None] + np.arange(-reach, reach + 1)
    aligned = np.take_along_axis(measured, steps.clip(0, TIME - 1), axis=1)
    return np.mean(aligned, axis=0, where=(steps >= 0) & (steps < TIME))


def explained(answers, readings):
    """Return the share of the variance that the answers explain."""
    return float(1 - np.mean(np.square(answers - readings)) / readings.var())


def with_even_weights(parts, states):
    """Return what a trained network answers when its context is the plain average of its states."""
    pool, say = parts
    joined = np.concatenate([states.mean(axis=1), states[:, -1]], axis=1)
    return np.asarray(say(np.tanh(joined @ np.asarray(pool.kernel))))


def make(score, epochs, seed):
    """Train one network.

    `explained` is the share of the held-out variance after each epoch, `on_mark` the weight on the marked
    step, `peak` and `occluded` how often the largest weight, and the largest move, is there; `even` is
    what is explained when the weights are made even after training.
    """
    rng = np.random.default_rng(seed)
    series, readings, _ = marked_readings(10_000, rng)
    test, test_readings, places = marked_readings(500, rng)
    keras.utils.set_random_seed(seed)
    network, look, parts = answering(score)
    history = train(network, series, readings, epochs, BATCH, validation=(test, test_readings)).history
    states, weights = (np.asarray(each) for each in look(test))
    spans = np.stack([places, places + 1], axis=1)
    return {
        "explained": [float(1 - loss / test_readings.var()) for loss in history["val_loss"]],
        "on_mark": float(weight_within(weights, spans).mean()),
        "peak": float(peak_within(weights, spans).mean()),
        "occluded": float(peak_within(occlusion(network, test), spans).mean()),
        "even": explained(with_even_weights(parts, states), test_readings),
    }
