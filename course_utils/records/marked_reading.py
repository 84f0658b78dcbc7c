"""One answer from all states: what is the short path worth, and what is the choice?"""

import keras
import numpy as np
from keras import layers, ops, optimizers

from course_utils.attention import LuongAttention
from course_utils.recurrent import SimpleRNN
from course_utils.training import train

LESSON = "08"
TIME, UNITS, EPOCHS, BATCH = 50, 32, 20, 64
READS = "last state", "average", "attention"
PARTS = [{"reads": reads, "seed": seed, "epochs": EPOCHS} for reads in READS for seed in range(5)]
WITHIN = {"explained": 0.2}


def marked_readings(count, rng):
    """Return readings with marks, `(count, TIME, 2)`, those marked, `(count, 1)`, and where they stand."""
    readings, places = rng.random((count, TIME)), rng.integers(TIME, size=count)
    marks = np.arange(TIME) == places[:, None]
    return np.stack([readings, marks], -1).astype("float32"), readings[marks][:, None], places


class GeneralAttention(layers.Layer):
    """The package's attention with the general score, called as the learner's of lesson 08 is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = LuongAttention("general")

    def build(self, query_shape, states_shape):
        """Build the attention."""
        self.attention.build(query_shape, states_shape)

    def call(self, query, states, mask):
        """Return the contexts and the weights."""
        return self.attention(query, states, mask=mask[:, None], return_attention_scores=True)


def average(_, states, mask):
    """Return the average of all states and its weights, which are even."""
    real = ops.cast(mask[:, None], states.dtype)
    weights = real / ops.sum(real, axis=-1, keepdims=True)
    return ops.matmul(weights, states), weights


def answering(look=None, states=None, epochs=EPOCHS):
    """Return a network that names the marked reading.

    Args:
        look: called with the last state, all states and their mask, it gives a context and weights;
            without it the network answers from the last state alone.
        states: the recurrent layer, which gives all states; a SimpleRNN if left out.
        epochs: of 10,000 examples, over which the learning rate falls to 0.
    """
    inputs = keras.Input((TIME, 2))
    seen = (states or SimpleRNN(UNITS, return_sequences=True))(inputs)
    last = seen[:, -1:]
    if look is not None:
        context, _ = look(last, seen, ops.ones_like(seen[..., 0], "bool"))
        last = layers.Dense(UNITS, "tanh", use_bias=False)(ops.concatenate([context, last], axis=-1))
    model = keras.Model(inputs, layers.Dense(1)(last[:, 0]))
    schedule = optimizers.schedules.CosineDecay(3e-3, epochs * (10_000 // BATCH))
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), "mse")
    return model


def make(reads, seed, epochs):
    """Train one network; return the share of the variance that it explains, held-out, after each epoch."""
    rng = np.random.default_rng(seed)
    inputs, answers, _ = marked_readings(10_000, rng)
    held_out = marked_readings(1_000, rng)[:2]
    keras.utils.set_random_seed(seed)
    look = {"last state": None, "average": average, "attention": GeneralAttention()}[reads]
    losses = train(
        answering(look, epochs=epochs), inputs, answers, epochs, BATCH, validation=held_out
    ).history["val_loss"]
    return {"explained": [float(1 - loss / held_out[1].var()) for loss in losses]}
