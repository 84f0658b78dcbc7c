"""Translators of number words: one encoder reads one way, one of as many weights reads both ways.

What stands in the context vector is asked of numbers of nine digits, each from 2 to 9: then every digit has a
word of its own, at the same place, and the Korean numeral asks for them in the same order.
"""

import keras
import numpy as np
from keras import losses, ops, optimizers

from course_utils.data import number_words
from course_utils.measure import exact_match, mean_by_group
from course_utils.recurrent import GRUCell
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq
from course_utils.training import train

LESSON = "07"
UNITS, DIM, RATE, BATCH = 64, 32, 1e-2, 128
AN_EPOCH = 156  # updates on 20,000 pairs
WAYS = {"one way": UNITS, "both ways": 35}  # units in each direction
PARTS = [{"reads": reads, "epochs": 10, "seed": seed} for seed in range(3) for reads in WAYS]
WITHIN = {"right": 0.15, "by_words": 0.2, "forced": 0.05, "free": 0.15, "moved": 0.1, "written": 0.15}
ONES = ["two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SYLLABLES, POWERS = "이삼사오육칠팔구", "억천백십만천백십"


def translator(numbers, reads="one way"):
    """Return a model for these number words."""
    encoder = Encoder(GRUCell, WAYS[reads], bidirectional=reads == "both ways")
    sizes = len(numbers.source_vocabulary), len(numbers.target_vocabulary)
    return Seq2Seq(encoder, Decoder(GRUCell, UNITS), *sizes, embedding_dim=DIM)


def trained(model, numbers, epochs):
    """Train a translator with a learning rate that falls to 0 over the budget; return it."""
    schedule = optimizers.schedules.CosineDecay(RATE, epochs * AN_EPOCH)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizers.Adam(schedule, clipnorm=1.0), loss)
    train(model, numbers.train.inputs, numbers.train.labels, epochs, BATCH)
    return model


def probes(numbers, count, rng):
    """Draw nine digits, places in `ONES`, `(count, 9)`; none of these numbers was trained on."""
    places = rng.integers(8, size=(count, 9))
    trained_on = {row.tobytes() for row in numbers.train.source_ids}
    return places[[row.tobytes() not in trained_on for row in said(numbers, places)[0]]]


def said(numbers, places):
    """Return the ids of source and target of these digits, each word of a digit at the same place."""
    sources, targets = zip(*map(_words, places), strict=True)
    source = numbers.source_vocabulary.encode(sources, length=numbers.train.source_ids.shape[1])
    return source, numbers.target_vocabulary.encode(targets, marked=True)


def moved(model, numbers, places):
    """Yield how far the context vector moves when one digit is another one: first digit, second, ...

    The measure is the distance between the vectors of two numbers that have nothing to do with each other.
    """
    vectors = _vectors(model, numbers, places)
    apart = np.linalg.norm(vectors - np.roll(vectors, 1, axis=0), axis=1).mean()
    for place in range(9):
        other = places.copy()
        other[:, place] = (other[:, place] + 1 + np.arange(len(places)) % 7) % 8
        distances = np.linalg.norm(_vectors(model, numbers, other) - vectors, axis=1)
        yield float(distances.mean() / apart)


def written(model, numbers, places):
    """Return how often each of the nine digits is written in its place."""
    source, target = said(numbers, places)
    right = model.generate(source, target.shape[1])[:, : target.shape[1] - 1] == target[:, 1:]
    return right.mean(axis=0)[0:18:2].tolist()


def make(reads, epochs, seed):
    """Train one translator; return what it writes right on held-out numbers, and what stands in its vector.

    `right` is the share of numbers, `by_words` that of each count of English words from 3 to 14. `forced` and
    `free` are shares of the tokens, with the true token read, and its own. Of nine digits, `moved` is how far
    each moves the vector, and `written` how often it is written right.
    """
    numbers = number_words(seed=seed)
    keras.utils.set_random_seed(seed)
    model, test = trained(translator(numbers, reads), numbers, epochs), numbers.test
    free, forced = model.generate(test.source_ids, test.labels.shape[1]), ops.argmax(model(test.inputs), -1)
    right, real = exact_match(free, test.labels), test.labels != 0
    words, by_words = mean_by_group(right, test.lengths)
    places = probes(numbers, 1_000, np.random.default_rng(seed))
    return {
        "right": float(right.mean()),
        "by_words": by_words[np.isin(words, range(3, 15))].tolist(),
        "forced": float(np.mean((np.asarray(forced) == test.labels)[real])),
        "free": float(np.mean((free == test.labels)[real])),
        "moved": list(moved(model, numbers, places)),
        "written": written(model, numbers, places),
    }


def _vectors(model, numbers, places):
    return np.asarray(model.start(said(numbers, places)[0])["states"][0][0])


def _words(places):
    """Return the English words and the Korean syllables of nine digits."""
    one, ten = [ONES[place] for place in places], [TENS[place] for place in places]
    source = [one[0], "hundred", ten[1], one[2], "million", one[3], "hundred", ten[4], one[5], "thousand"]
    source += [one[6], "hundred", ten[7], one[8]]
    digits = [SYLLABLES[place] for place in places]
    return source, [part for pair in zip(digits, [*POWERS, ""], strict=True) for part in pair if part]
