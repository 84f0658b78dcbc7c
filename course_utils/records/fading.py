"""What do the states that attention looks at still know? A linear probe asks for the words before."""

import keras
import numpy as np
from keras import ops

from course_utils.data.number_words import number_words
from course_utils.records.looking_back import trained, translator

LESSON = "08"
LAGS, ASKED, WORDS = 9, 2000, 64  # so many ids at most
PARTS = [{"epochs": epochs, "seed": seed} for epochs in (0, 3) for seed in range(3)]
WITHIN = {"from_state": 0.1, "from_word": 0.02}


def read(model, part):
    """Return the ids that the encoder reads, and its states."""
    ids = part.source_ids[:ASKED]
    return ids, ops.convert_to_numpy(model.start(ids)["memory"][1])


def asked(ids, states, lag):
    """Return the states after more than `lag` words, the own word of each as one-hot, and the word before."""
    own, before = ids[:, lag:], ids[:, : ids.shape[1] - lag]
    return states[:, lag:][own != 0], np.eye(WORDS)[own[own != 0]], before[own != 0]


def named(known, test_known, words, test_words):
    """Fit a line from what is known to the words; return the share that it names, held-out."""
    known, test_known = (np.column_stack([each, np.ones(len(each))]) for each in (known, test_known))
    probe = np.linalg.lstsq(known, np.eye(WORDS)[words], rcond=None)[0]
    return float(np.mean((test_known @ probe).argmax(axis=1) == test_words))


def make(epochs, seed):
    """Train a translator with attention; return how many of the words so far back its states still name.

    `from_state` is that share for each lag, `from_word` the same without a state: what the state's own word
    says of the word before. With no epochs the parameters are those that it begins with.
    """
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    model = translator(numbers, "Luong")
    if epochs:
        trained(model, numbers.train, epochs=epochs)
    part, test = read(model, numbers.train), read(model, numbers.test)
    shares = []
    for lag in range(LAGS):
        *known, words = asked(*part, lag)
        *test_known, test_words = asked(*test, lag)
        shares.append([named(*both, words, test_words) for both in zip(known, test_known, strict=True)])
    from_state, from_word = map(list, zip(*shares, strict=True))
    return {"from_state": from_state, "from_word": from_word}
