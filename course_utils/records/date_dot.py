"""The translator of dates with the dot score: does it look at the nearest state, or the largest product?"""

import keras
import numpy as np

from course_utils.attention import LuongAttention
from course_utils.measure import exact_match, peak_within, weight_within
from course_utils.records.date_bare import reader, trained
from course_utils.records.date_reader import STEPS, on_spans, task, written

LESSON = "08"
PARTS = [{"epochs": 3, "seed": seed} for seed in range(3)]
WITHIN = {"exact": 0.05, "on_span": 0.1, "product": 0.1, "nearest": 0.2, "same": 0.2}


def scores(model, pairs):
    """Return the products of all states of decoder and encoder, and minus half their squared distances.

    Both are `(pairs, Tt, Ts)`, and minus infinity on padding. |q - k|^2 = |q|^2 - 2 q k + |k|^2.
    """
    source, target = pairs.inputs
    begun = model.start(source)
    (recurrence,), (states, *_) = model.decoder.recurrences, begun["states"]
    queries, _ = recurrence(model.target_embedding(target), initial_state=states)
    queries, keys = (keras.ops.convert_to_numpy(each) for each in (queries, begun["memory"][1]))
    products = queries @ keys.swapaxes(1, 2)
    nearness = products - ((queries**2).sum(-1)[:, :, None] + (keys**2).sum(-1)[:, None]) / 2
    return [np.where(pairs.source_ids[:, None] == 0, -np.inf, each) for each in (products, nearness)]


def found(score, pairs):
    """Return how often its highest is within one character of the true year, month and day."""
    return on_spans(peak_within, np.exp(score - score.max(-1, keepdims=True)), pairs, slack=1)


def make(epochs, seed):
    """Train one translator; return what it writes right of held-out dates, and which states it looks at.

    `on_span` is the weight on the true year, month and day, to within one character. `product` is how often
    the largest product is there, `nearest` the nearest state; each has two rows, with random parameters and
    trained. `same` is the share of digits for which both are one state, trained.
    """
    pairs = task(seed)
    keras.utils.set_random_seed(seed)
    model = reader(pairs, LuongAttention("dot"))
    at_random = scores(model, pairs.test)
    after = scores(trained(model, pairs, epochs), pairs.test)
    said, weights = written(model, pairs.test)
    digits = [step for steps in STEPS.values() for step in steps]
    best_product, nearest = (each[:, digits].argmax(-1) for each in after)
    both = [[found(each, pairs.test) for each in of] for of in (at_random, after)]
    product, nearness = map(list, zip(*both, strict=True))
    return {
        "exact": float(exact_match(said, pairs.test.labels).mean()),
        "on_span": on_spans(weight_within, weights, pairs.test, slack=1),
        "product": product,
        "nearest": nearness,
        "same": float(np.mean(best_product == nearest)),
    }
