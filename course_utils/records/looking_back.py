"""What does it bring a translator of number words to look back? Four decoders, one schedule, every length."""

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.attention import BahdanauAttention, LuongAttention
from course_utils.data.number_words import number_words
from course_utils.measure import exact_match, mean_by_group
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "08"
UNITS, RATE, BATCH = 64, 1e-2, 128  # as in lesson 07
DECODERS = ("no attention", 14), ("average", 14), ("Luong", 14), ("Bahdanau", 14), ("Luong", 8)
PARTS = [
    {"decoder": decoder, "trained_to": words, "epochs": 5, "seed": seed}
    for decoder, words in DECODERS
    for seed in range(3)
]
WITHIN = {"right": 0.15, "by_words": 0.2}


def translator(numbers, decoder):
    """Return a translator whose decoder looks back in this way, or not."""
    attention, attend = {
        "no attention": (None, "after"),
        "average": (LuongAttention("general"), "after"),
        "Luong": (LuongAttention("dot"), "after"),
        "Bahdanau": (BahdanauAttention(UNITS), "before"),
    }[decoder]
    model = Seq2Seq(
        Encoder(GRUCell, UNITS),
        Decoder(GRUCell, UNITS, attention=attention, attend=attend),
        numbers.source_vocabulary,
        numbers.target_vocabulary,
        embedding_dim=32,
    )
    model.build([numbers.train.source_ids.shape, numbers.train.labels.shape])
    if decoder == "average":  # every score is 0, and stays 0
        attention.set_weights([np.zeros((UNITS, UNITS))])
        attention.trainable = False
    return model


def trained(model, pairs, longest=14, epochs=5):
    """Train on the sources of up to so many words, with a learning rate that falls to 0; return the model."""
    short = pairs.lengths <= longest
    source, target = (ids[short] for ids in pairs.inputs)
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * (short.sum() // BATCH))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    train(model, (source, target), pairs.labels[short], epochs, BATCH)
    return model


def make(decoder, trained_to, epochs, seed):
    """Train one translator; return what it writes right, from the first token to the end mark.

    `right` is the share of all held-out numbers, `by_words` that of each count of English words from 3 to 14.
    """
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    model = trained(translator(numbers, decoder), numbers.train, trained_to, epochs)
    test = numbers.test
    exact = exact_match(model.generate(test.source_ids, test.labels.shape[1]), test.labels)
    words, by_words = mean_by_group(exact, test.lengths)
    return {"right": float(exact.mean()), "by_words": by_words[words >= 3].tolist()}
