"""The models of the course on the number words which no other record has: SimpleRNN, LSTM, Transformer.

The schedule is that of `looking_back`, and so is the test.
"""

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.blocks import TransformerDecoder, TransformerEncoder
from course_utils.data.number_words import number_words
from course_utils.measure import exact_match, mean_by_group
from course_utils.records.looking_back import BATCH, RATE, UNITS
from course_utils.recurrent import LSTMCell, SimpleRNNCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train
from course_utils.transformer import Transformer

LESSON = "11"
RATES = {"SimpleRNN": RATE / 3, "LSTM": RATE, "Transformer": RATE / 3}
PARTS = [{"model": model, "epochs": 5, "seed": seed} for seed in range(1) for model in RATES]
WITHIN = {"right": 0.15, "by_words": 0.2, "parameters": 0}


def translator(numbers, model):
    """Return a translator of this kind: states of 64 numbers, or vectors of 64 and one block on each side."""
    sizes = numbers.source_vocabulary, numbers.target_vocabulary
    if model == "Transformer":
        encoder, decoder = TransformerEncoder(1, 4, 2 * UNITS), TransformerDecoder(1, 4, 2 * UNITS)
        return Transformer(encoder, decoder, *sizes, embedding_dim=UNITS)
    cell = {"SimpleRNN": SimpleRNNCell, "LSTM": LSTMCell}[model]
    return Seq2Seq(Encoder(cell, UNITS), Decoder(cell, UNITS), *sizes, embedding_dim=32)


def make(model, epochs, seed):
    """Train one translator; return what it writes right, from the first token to the end mark.

    `right` is the share of all held-out numbers, `by_words` that of each count of English words from 3 to
    14. One part has the weights of its Transformer.
    """
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    network, pairs, test = translator(numbers, model), numbers.train, numbers.test
    steps = epochs * (len(pairs) // BATCH)
    rising, rate = steps // 20, RATES[model]
    schedule = optimizers.schedules.CosineDecay(
        rate / 10, steps - rising, warmup_target=rate, warmup_steps=rising
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    train(network, pairs.inputs, pairs.labels, epochs, BATCH)
    exact = exact_match(network.generate(test.source_ids, test.labels.shape[1]), test.labels)
    words, by_words = mean_by_group(exact, test.lengths)
    made = {
        "right": float(exact.mean()),
        "by_words": by_words[words >= 3].tolist(),
        "parameters": network.count_params(),
    }
    if (model, seed) == ("Transformer", 0):
        made["weights"] = {str(place): np.asarray(weight) for place, weight in enumerate(network.weights)}
    return made
