"""Does a SimpleRNN learn the marked symbol: as Keras starts it, with more units, from the identity?"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from course_utils.data import marked_symbol
from course_utils.measure import accuracy_by_distance
from course_utils.recurrent import SimpleRNN
from course_utils.training import train

LESSON = "04"
STARTS = {
    "32 units": {"units": 32},
    "69 units": {"units": 69},  # as many weights as an LSTM of 32 units, within 2 %
    "identity": {"units": 32, "recurrent_initializer": "identity"},  # Le et al. 2015, with a slower rate
}
RATES = {"32 units": 3e-3, "69 units": 3e-3, "identity": 1e-3}
PARTS = [{"start": start, "seed": seed, "epochs": 20} for start in STARTS for seed in range(5)]
WITHIN = {"accuracy": 0.15, "within_50": 0.2, "within_400": 0.2}


def network(start):
    """Return the compiled network with the SimpleRNN of this start."""
    model = keras.Sequential([keras.Input((None, 9)), SimpleRNN(**STARTS[start]), layers.Dense(8)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(RATES[start], clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def by_distance(model, time, seed):
    """Return the accuracy on new sequences of `time` steps, in ten bands of distance, the nearest first."""
    task = marked_symbol(train=1, test=1_000, time=time, seed=seed + 1)
    answers, edges = np.argmax(model(task.test_inputs), axis=-1), np.linspace(0, time, 11).astype(int)
    return accuracy_by_distance(task.test_labels, answers, task.test_distances, edges).tolist()


def make(start, seed, epochs):
    """Train one SimpleRNN; return its accuracy after each epoch of 312 updates, by distance at the end."""
    task = marked_symbol(seed=seed)
    keras.utils.set_random_seed(seed)
    model, held_out = network(start), (task.test_inputs, task.test_labels)
    history = train(model, task.train_inputs, task.train_labels, epochs, validation=held_out).history
    return {
        "accuracy": history["val_accuracy"],
        "within_50": by_distance(model, 50, seed),
        "within_400": by_distance(model, 400, seed),
    }
