"""Do the tasks of lesson 05 need a gate? Cells without one learn them: a leaky state, and a SimpleRNN."""

import functools

import keras
from keras import layers, ops

from course_utils.data import marked_symbol
from course_utils.records import gru_marked, gru_ring
from course_utils.recurrent import SimpleRNN, SimpleRNNCell
from course_utils.training import train

LESSON = "05"
EPOCHS = {"marked": 8, "ring": 16}
CELLS = ("marked", "leaky"), ("marked", "SimpleRNN"), ("ring", "SimpleRNN")
PARTS = [{"task": task, "cell": cell, "seed": seed} for task, cell in CELLS for seed in range(5)]
WITHIN = {"right": 0.1}


class LeakyCell(SimpleRNNCell):
    """A SimpleRNN whose units each keep a share of their state, the same at all steps."""

    def build(self, input_shape):
        """Make the weights: those of the SimpleRNN, and one for the share of each unit."""
        super().build(input_shape)
        self.logit = self.add_weight((self.units,), keras.initializers.Constant(3.0), name="logit")

    def call(self, inputs, states):
        """Go one step: from `x_t` and `h_{t-1}` to `h_t`."""
        new, _ = super().call(inputs, states)
        share = ops.sigmoid(self.logit)  # sigma(3) = 0.95
        h = share * states[0] + (1 - share) * new
        return h, [h]


def leaky(units):
    """Return a layer of leaky units."""
    return layers.RNN(LeakyCell(units))


def make(task, cell, seed):
    """Train one cell; return the share that it has right on held-out sequences after each epoch.

    On the ring there are 10 units, of 160 weights.
    """
    if task == "marked":
        drawn = marked_symbol(seed=seed)
        training = drawn.train_inputs, drawn.train_labels
        held_out, recipe, figure = (drawn.test_inputs, drawn.test_labels), gru_marked, "val_accuracy"
        layer = functools.partial({"leaky": leaky, "SimpleRNN": SimpleRNN}[cell], 32)
    else:
        (training, held_out), recipe, figure = gru_ring.drawn(seed), gru_ring, "val_right"
        layer = functools.partial(SimpleRNN, 10, return_sequences=True)
    keras.utils.set_random_seed(seed)
    model = recipe.network(layer(), "nothing")
    history = train(model, *training, EPOCHS[task], validation=held_out).history
    return {"right": history[figure]}
