"""Is it the learning rate? Two networks of `marked_starts`, each with the learning rate of the other one."""

import keras

from course_utils.data import marked_symbol
from course_utils.records.marked_starts import RATES, network
from course_utils.training import train

LESSON = "04"
OTHER = {"69 units": RATES["identity"], "identity": RATES["69 units"]}
PARTS = [{"start": start, "seed": seed, "epochs": 20} for start in OTHER for seed in range(5)]
WITHIN = {"accuracy": 0.2}


def make(start, seed, epochs):
    """Train one SimpleRNN; return its accuracy on held-out sequences after each epoch of 312 updates."""
    task = marked_symbol(seed=seed)
    keras.utils.set_random_seed(seed)
    model, held_out = network(start), (task.test_inputs, task.test_labels)
    model.optimizer.learning_rate = OTHER[start]
    history = train(model, task.train_inputs, task.train_labels, epochs, validation=held_out).history
    return {"accuracy": history["val_accuracy"]}
