"""The models of the course on the number words: three cells, alone and with attention, and a Transformer.

One schedule, one number of updates, and the test of `looking_back`.
"""

import keras
import numpy as np
from keras import losses, optimizers

from course_utils.attention import LuongAttention
from course_utils.blocks import TransformerDecoder, TransformerEncoder
from course_utils.data.number_words import number_words
from course_utils.measure import exact_match, mean_by_group
from course_utils.records.bits_over_steps import rises_and_falls
from course_utils.recurrent import GRUCell, LSTMCell, SimpleRNNCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train
from course_utils.transformer import Transformer

LESSON = "11"
UNITS, BATCH = 64, 128
CELLS = {"SimpleRNN": SimpleRNNCell, "LSTM": LSTMCell, "GRU": GRUCell}
LOOKING = " + attention"
MODELS = (*CELLS, *(cell + LOOKING for cell in CELLS), "Transformer")
RATES = {"SimpleRNN": 3e-3, "LSTM": 1e-2, "GRU": 1e-2, "Transformer": 3e-3}
PARTS = [{"model": model, "epochs": 5, "seed": seed} for seed in range(3) for model in MODELS]
WITHIN = {"right": 0.15, "by_words": 0.2, "parameters": 0}


def translator(numbers, model):
    """Return a translator of this kind: states of 64 numbers, or vectors of 64 and one block on each side."""
    sizes = numbers.source_vocabulary, numbers.target_vocabulary
    if model == "Transformer":
        encoder, decoder = TransformerEncoder(1, 4, 2 * UNITS), TransformerDecoder(1, 4, 2 * UNITS)
        return Transformer(encoder, decoder, *sizes, embedding_dim=UNITS)
    cell = CELLS[model.removesuffix(LOOKING)]
    attention = LuongAttention("dot") if model.endswith(LOOKING) else None
    return Seq2Seq(Encoder(cell, UNITS), Decoder(cell, UNITS, attention=attention), *sizes, embedding_dim=32)


def make(model, epochs, seed):
    """Train one translator; return what it writes right, from the first token to the end mark.

    `right` is the share of all held-out numbers, `by_words` that of each count of English words from 3 to
    14. One part has the weights of its Transformer.
    """
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    network, pairs, test = translator(numbers, model), numbers.train, numbers.test
    schedule = rises_and_falls(RATES[model.removesuffix(LOOKING)], epochs * (len(pairs) // BATCH))
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
