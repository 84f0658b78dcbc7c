"""Exercises of lesson 06, both directions and depth."""

import functools
import itertools
import re

import keras
import numpy as np
from keras import ops

from course_utils import measure
from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief
from course_utils.recurrent import GRU, Bidirectional, SimpleRNN


class MyBidirectional(keras.layers.Layer):
    """Reads both ways: at each step both states stand side by side, the forward one first."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.forward_layer = layer
        self.backward_layer = type(layer).from_config({**layer.get_config(), "name": "backward"})

    def build(self, sequences_shape):
        """Build both layers. They are alike, read forwards, give every state, and have their own weights."""
        self.forward_layer.build(sequences_shape)
        self.backward_layer.build(sequences_shape)

    def call(self, sequences, mask):
        """From `sequences`, `(batch, time, features)`, return both states, `(batch, time, 2 * units)`.

        `mask`, `(batch, time)`, is True at real steps; they stand first. What is returned at padding counts
        for nothing.
        """
        lengths = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        steps = ops.arange(ops.shape(sequences)[1])
        order = ops.where(steps < lengths, lengths - 1 - steps, steps)[:, :, None]
        # Neither layer needs the mask: both read the real steps first, and the padding after them.
        forward = self.forward_layer(sequences)
        backward = self.backward_layer(ops.take_along_axis(sequences, order, axis=1))
        return ops.concatenate([forward, ops.take_along_axis(backward, order, axis=1)], axis=-1)


def rising_ceiling():
    """Predict: numbers from 0 to 3, tag "the next one is larger": the best left-to-right accuracy."""
    return (3 / 4 + 2 / 4 + 3 / 4 + 4 / 4) / 4


def last_states(states, lengths):
    """Return the last state of each way, side by side, `(batch, 2 * units)`.

    states is `(batch, time, 2 * units)`, forward and backward side by side; padding is on the right.
    """
    units = states.shape[-1] // 2
    forward = states[np.arange(len(states)), lengths - 1, :units]
    backward = states[:, 0, units:]
    return np.concatenate([forward, backward], axis=-1)


def waiting_experiment(waits, ids, places, tags):
    """Measure how often a word can be named right, at best, by a reader who waits for some words after it.

    `ids` are sentences, `(sentences, time)`, padded with 0. The word to be named stands at `places`, and its
    tags are `tags`, whole numbers, both `(sentences,)`. A reader who waits for `wait` words has read that
    word, all before it, and the next `wait`. Return a list of one share for each of `waits`.
    """
    best = []
    for wait in waits:
        groups = {}
        for sentence, place, tag in zip(ids, places, tags, strict=True):
            groups.setdefault(tuple(sentence[: place + wait + 1]), []).append(tag)
        best.append(sum(np.bincount(group).max() for group in groups.values()) / len(tags))
    return best


SEQUENCES = np.random.default_rng(3).normal(size=(3, 5, 2)).astype("float32")
LENGTHS = np.array([5, 3, 1])
MASK = np.arange(5) < LENGTHS[:, None]
NO_MASK = np.ones_like(MASK)
SEQUENCES[~MASK] = 0


def _made(answer, units=4, features=2, make=SimpleRNN):
    """Make the learner's layer around one of `make`, and the course's with the same weights."""
    wanted = Bidirectional(make(units, return_sequences=True))
    wanted.build((None, None, features))
    rng = np.random.default_rng(units)
    wanted.set_weights([rng.normal(size=weight.shape).astype("float32") for weight in wanted.weights])
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    layer = answer(make(units, return_sequences=True))
    if not isinstance(layer, keras.layers.Layer):
        raise WrongAnswerError(
            "a class that inherits from keras.layers.Layer", f"one that makes {brief(layer)}"
        )
    with cells.no_error(in_cell=False):
        layer.build((None, None, features))
    shapes, expected = ([tuple(weight.shape) for weight in each.weights] for each in (layer, wanted))
    if shapes != expected:
        raise WrongAnswerError(f"the weights of both layers, {expected}", f"{shapes}")
    layer.set_weights(wanted.get_weights())
    return layer, wanted


NO_NUMBER_OF_STEPS = (
    "the number of steps is not known when the layer is compiled: write `ops.shape(sequences)[1]`"
)
_advised = functools.partial(
    cells.advised,
    [
        (re.compile(pattern), helps)
        for pattern, helps in {
            r"is not in \[0,": "the first real step takes the last, lengths - 1, not lengths",
            "as a data type": "is NumPy used? Write keras.ops for it",
            "Invalid dtype: NoneType|len is not well defined": NO_NUMBER_OF_STEPS,
            r"Incompatible shapes: \[1,5\] vs\. \[3\]|\[5\] vs\. \[3\]": "lengths need `keepdims=True`",
        }.items()
    ],
)


def _read(layer, sequences=SEQUENCES, mask=MASK, stub=False):
    with _advised(stub):
        # not `layer(...)`: if None came, Keras would give it the mask, and fail from then on
        if layer.call(ops.convert_to_tensor(sequences), mask=ops.convert_to_tensor(mask)) is None:
            raise WrongAnswerError("the states of both ways", "None: is a return missing?")
        came = layer(sequences, mask=mask)
    if isinstance(came, (tuple, list)):
        raise WrongAnswerError(
            "one tensor", f"a {type(came).__name__} of {len(came)}: ops.concatenate puts them side by side"
        )
    if isinstance(came, np.ndarray):
        raise WrongAnswerError("a tensor", "an array: write keras.ops for NumPy, so that it can be compiled")
    return came


def _gives_both_states_of_every_step(answer):
    came = properties.numbers(_read(_made(answer)[0], stub=True))
    known = {
        (3, 5, 4): "as wide as one way: both stand side by side, with ops.concatenate",
        (3, 10, 4): "the ways one after the other: `axis=-1` puts them side by side",
        (6, 5, 4): "the ways under each other: `axis=-1` puts them side by side",
    }
    if came.shape in known:
        raise WrongAnswerError("shape (3, 5, 8)", f"shape {came.shape}, {known[came.shape]}")
    properties.same_shape(came, (3, 5, 8))


def _states(sequences, weights, mask):
    """Return the states of a SimpleRNN, `(batch, time, units)`, in NumPy; where `mask` is False they stay."""
    kernel, recurrent_kernel, bias = weights
    h, states = np.zeros((len(sequences), len(bias))), []
    for x, real in zip(sequences.transpose(1, 0, 2), mask.T, strict=True):
        states.append(h := np.where(real[:, None], np.tanh(x @ kernel + h @ recurrent_kernel + bias), h))
    return np.stack(states, axis=1)


def _real_steps_reversed(sequences):
    steps = np.arange(5)
    order = np.where(steps < LENGTHS[:, None], LENGTHS[:, None] - 1 - steps, steps)
    return np.take_along_axis(sequences, order[:, :, None], axis=1)


def _flipped(sequences):
    return sequences[:, ::-1]


def _all_axes_flipped(sequences):
    return np.flip(sequences)


def _as_it_is(sequences):
    return sequences


def _joined(weights, before=_real_steps_reversed, after=_real_steps_reversed, mask=NO_MASK):
    """Return the states of both ways; the way back reads what `before` gives, and `after` turns it round."""
    backward = after(_states(before(SEQUENCES), weights[3:], mask))
    return np.concatenate([_states(SEQUENCES, weights[:3], NO_MASK), backward], axis=-1)


def _mistakes(weights):
    """Return wrong states, each with the words for it."""
    right = _joined(weights)
    all_axes = (_joined(weights, _all_axes_flipped, _all_axes_flipped, mask) for mask in (NO_MASK, MASK))
    return [
        (
            np.roll(right, 4, axis=-1),
            "the way back first: the forward state stands first, the backward one behind it",
        ),
        (
            _joined(weights, after=_as_it_is),
            "the states of the way back in the order in which they were read: turn them round, too, so that "
            "both states of a step belong to the same word",
        ),
        (_joined(weights, _as_it_is, _as_it_is), "two ways forwards: reverse what the backward layer reads"),
        (_joined(weights, before=_as_it_is), "a second way forwards, whose states are turned round"),
        (
            _joined([*weights[:3], *weights[:3]]),
            "the forward layer twice: `self.backward_layer` reads the way back",
        ),
        (_joined([*weights[3:], *weights[3:]]), "the backward layer twice"),
        (_joined([*weights[3:], *weights[:3]]), "the two layers exchanged"),
        (
            np.concatenate([_joined(weights)[..., :4]] * 2, axis=-1),
            "the forward states twice: where are those of the way back?",
        ),
        *((values, "all axes turned round: `axis=1` turns the steps round") for values in all_axes),
    ]


STATES_FLIPPED = (
    "the right steps read, but all columns of the states turned round: reverse the real ones alone, as before"
)
MISTAKES_AT_PADDING = [  # what is done to the steps, to the states, what mask is read, and words for it
    (
        _flipped,
        _flipped,
        NO_MASK,
        "all columns turned round: the way back begins in the padding, and arrives at the last word with "
        "that in its state. Reverse the real steps alone",
    ),
    (
        _flipped,
        _flipped,
        MASK,
        "all columns turned round, but the mask of the backward layer not: turn it round with them",
    ),
    (_real_steps_reversed, _flipped, NO_MASK, STATES_FLIPPED),
    (_real_steps_reversed, _flipped, MASK, STATES_FLIPPED),
    (
        _flipped,
        _real_steps_reversed,
        NO_MASK,
        "all columns of the steps turned round, but the real ones of the states: the way back begins in the "
        "padding",
    ),
    (_flipped, _as_it_is, NO_MASK, "all columns turned round, and the states not turned round"),
]


def _compared_where(counts, answer, mistakes):
    """Require the right states where `counts`, `(batch, time)`, and name the mistake."""
    layer, wanted = _made(answer)
    came = _read(layer)
    properties.same_shape(came, (3, 5, 8))
    properties.same_values(
        properties.numbers(came)[counts],
        _joined(wanted.get_weights())[counts],
        [(values[counts], words) for values, words in mistakes(wanted.get_weights())],
        tolerance=1e-4,
    )


def _reads_a_row_without_padding(answer):
    _compared_where(MASK & (LENGTHS == 5)[:, None], answer, _mistakes)


def _does_not_read_padding(answer):
    def at_padding(weights):
        of_steps = [(_joined(weights, *done), words) for *done, words in MISTAKES_AT_PADDING]
        return of_steps + _mistakes(weights)

    _compared_where(MASK, answer, at_padding)


def _goes_by_the_mask(answer):
    """Here padding is no zeros, and a step of zeros is real."""
    layer, wanted = _made(answer)
    sequences = np.where(MASK[..., None], SEQUENCES, 2).astype("float32")
    sequences[0, -1] = 0
    came, expected = (properties.numbers(_read(each, sequences)) for each in (layer, wanted))
    properties.same_shape(came, expected.shape)
    difference = np.abs(came - expected)[MASK].max()
    if not difference <= 1e-4:
        raise WrongAnswerError(
            "the same states at real steps whatever stands in the padding",
            f"states that differ by up to {difference:.3g}: real steps are those where `mask` is True",
        )


def _can_be_compiled(answer):
    layer, _ = _made(answer)
    with _advised():
        layer(keras.Input((None, 2)), mask=keras.Input((None,), dtype="bool"))


def _has_gradients(answer):
    layer, wanted = _made(answer)
    weights = np.random.default_rng(7).normal(size=(3, 5, 8)).astype("float32") * MASK[..., None]
    with cells.no_error(in_cell=False):
        came = measure.gradient(lambda read: weights * layer(read, mask=MASK), SEQUENCES)
    expected = measure.gradient(lambda read: weights * wanted(read, mask=MASK), SEQUENCES)
    properties.same_gradient(came, expected, "the sequences", "the course's layer")


def _does_so_for_other_layers(answer):
    layer, wanted = _made(answer, 3, 4, GRU)
    mask = np.arange(7) < np.array([[2], [7], [6], [1]])
    sequences = np.random.default_rng(8).normal(size=(4, 7, 4)).astype("float32")
    came, expected = (properties.numbers(_read(each, sequences, mask)) for each in (layer, wanted))
    properties.same_shape(came, expected.shape)
    difference = np.abs(came - expected)[mask].max()
    if not difference <= 1e-4:
        raise WrongAnswerError(
            "the states of the course's layer around a GRU",
            f"states that differ by up to {difference:.3g}: is a number of steps, rows or units written out?",
        )


def _trains(answer):
    layer, _ = _made(answer)
    before = layer.get_weights()
    with cells.no_error(in_cell=False):
        ids = keras.Input((None, 2))
        model = keras.Model(ids, layer(ids, mask=ops.any(ids != 0, axis=-1)))
        model.compile("sgd", "mse", jit_compile=False)
        model.train_on_batch(SEQUENCES, np.ones((3, 5, 8), "float32"))
    for weight, was in zip(layer.weights, before, strict=True):
        if np.array_equal(properties.numbers(weight), was):
            raise WrongAnswerError("every weight changed by a step of training", f"the same {weight.path}")


def _is_the_ceiling(answer):
    came = answer()
    pairs = list(itertools.product(range(4), repeat=2))
    larger = [sum(after > number for before, after in pairs if before == number) for number in range(4)]
    properties.one_number(
        came,
        sum(max(count, 4 - count) for count in larger) / len(pairs),
        [
            (1 / 2, "a toss of a coin: after a 3, is the next number ever larger?"),
            (
                1 - sum(larger) / 16,
                "always no: the model has read the number to compare with",
            ),
            (sum(larger) / 16, "how often the next one is larger: a model may also say no"),
            (1, "as if the next number were known: what may a left-to-right model read?"),
            (75, "per cent: a share from 0 to 1 was asked for"),
        ],
        asked="a share that can be counted: what is the best answer after each of the four numbers?",
    )


STATES = np.random.default_rng(6).normal(size=(3, 5, 4))


def _both_ways_side_by_side(answer):
    came = properties.numbers(answer(STATES, LENGTHS))
    if came.size in (6, 12) and came.shape != (3, 4):  # one way or both
        raise WrongAnswerError(
            "shape (3, 4)", f"shape {came.shape}: both stand side by side, with np.concatenate(..., axis=1)"
        )
    properties.same_shape(came, (3, 4))


def _forward_after_the_last_word(answer):
    properties.same_values(
        properties.numbers(answer(STATES, LENGTHS))[:, :2],
        last_states(STATES, LENGTHS)[:, :2],
        [
            (STATES[:, -1, :2], "the state after the last column: for short sequences that is padding"),
            (
                STATES[:, 0, :2],
                "the state after the first word, which has not read the others yet",
            ),
            (STATES[:, 0, 2:], "the backward half first: the forward half stands first"),
            (
                STATES[np.arange(3), np.minimum(LENGTHS, 4), :2],
                "the state one column after the last word: that one stands at lengths - 1",
            ),
        ],
    )


def _backward_after_the_first_word(answer):
    properties.same_values(
        properties.numbers(answer(STATES, LENGTHS))[:, 2:],
        STATES[:, 0, 2:],
        [
            (
                STATES[np.arange(3), LENGTHS - 1, 2:],
                "the state at the last word: the way back begins there, and has read that word only",
            ),
            (STATES[:, -1, 2:], "the state at the last column, where the way back has read next to nothing"),
        ],
    )


def _ignores_padded_states(answer):
    mask = np.arange(5) < LENGTHS[:, None]
    properties.ignores_padding(lambda states: answer(states, LENGTHS), STATES, mask)


def _sentences(rows, time, seed):
    """Return sentences in which tags depend on words before and after a word, each in a measure."""
    rng = np.random.default_rng(seed)
    ids, places = rng.integers(1, 3, size=(rows, time)), rng.integers(1, time - 2, size=rows)
    after = ids[np.arange(rows)[:, None], places[:, None] + np.arange(-1, 3)]
    tags = (after @ np.array([1, 0, 2, 1]) + (rng.uniform(size=rows) < 0.2)) % 3
    ids[np.arange(time) > places[:, None] + rng.integers(1, 3, size=rows)[:, None]] = 0
    return ids, places, tags


WAITS = np.array([0, 1, 2])
IDS, PLACES, TAGS = _sentences(80, 6, seed=1)


def _one_for_each_wait(answer):
    with properties.advised([(re.compile("unhashable type"), "write tuple(sentence[...]) for the key")]):
        properties.one_for_each(WAITS, answer(WAITS, IDS, PLACES, TAGS))


def _shares(waits, ids, places, tags, read, of_group=lambda group: np.bincount(group).max()):
    """Return for each wait the share that is right where `read` is read, and `of_group` right in a group."""
    groups = [_groups(wait, ids, places, tags, read) for wait in waits]
    return np.array([sum(map(of_group, of_wait)) for of_wait in groups]) / len(tags)


def _groups(wait, ids, places, tags, read):
    """Return the tags of sentences that are alike in what is read, an array for each group."""
    groups = {}
    for sentence, place, tag in zip(ids, places, tags, strict=True):
        groups.setdefault(tuple(read(sentence, place, wait)), []).append(tag)
    return [np.array(group) for group in groups.values()]


def _mean_over_groups(waits, *given):
    """Return for each wait the mean of what is right in each group, whatever its size."""
    groups = [_groups(wait, *given, _up_to) for wait in waits]
    return np.array([np.mean([np.bincount(group).max() / len(group) for group in each]) for each in groups])


def _up_to(sentence, place, wait):
    return sentence[: place + wait + 1]


OTHER_READINGS = [
    (lambda sentence, place, wait: sentence[: place + wait], "one word too few: after the word, `wait` more"),
    (lambda sentence, place, wait: sentence[: place + wait + 2], "one word too many after the word"),
    (
        lambda sentence, place, wait: sentence[place : place + wait + 1],
        "what was read without the words before it: a reader has read those, too",
    ),
    (
        lambda sentence, place, wait: sentence[place + 1 : place + wait + 1],
        "the words after it alone: a reader has read those before it, too",
    ),
    (
        lambda sentence, _, wait: sentence[: wait + 1],
        "words counted from the first: count from `places`",
    ),
    (lambda sentence, *_: sentence, "whole sentences: the reader waits for `wait` words"),
    (lambda *_: (), "the most frequent tag of all, whatever was read"),
]
OTHER_ANSWERS = [
    (
        lambda group: group.tolist().count(group[0]),
        "the first tag of each group: the most frequent one is right most often",
    ),
    (
        lambda group: (np.bincount(group) ** 2).sum() / len(group),
        "a tag drawn as often as it occurs: always name the most frequent one",
    ),
    (
        lambda group: len(group) * (len(set(group.tolist())) == 1),
        "only groups with one tag counted: in the others the most frequent one is right, too",
    ),
    (
        lambda group: len(group) / len(set(group.tolist())),
        "one tag of those that occur, as often as any: name the most frequent one",
    ),
]


def _the_best(given, share=True):
    return _shares(*given, _up_to) * (1 if share else 100)


def _is_the_best_share(answer):
    given = WAITS, IDS, PLACES, TAGS
    properties.same_values(
        properties.one_for_each(WAITS, answer(*given)),
        _the_best(given),
        [
            (_the_best(given, share=False), "per cent: a share was asked for"),
            (_the_best(given) * len(TAGS), "how many are right: a share was asked for"),
            (_mean_over_groups(*given), "the mean of the groups' shares: a large group counts for more"),
            *((_shares(*given, read), words) for read, words in OTHER_READINGS),
            *((_shares(*given, _up_to, of_group), words) for of_group, words in OTHER_ANSWERS),
        ],
    )


def _does_so_for_other_sentences(answer):
    given = np.array([3, 0]), *_sentences(50, 8, seed=2)
    properties.same_values(properties.one_for_each(given[0], answer(*given)), _the_best(given))


def _draw_how_long_to_wait(answer):
    import matplotlib.pyplot as plt

    from course_utils import data, plotting

    task, waits = data.senses(), np.arange(5)
    lines = {}
    for word, senses in (("쓰고", task.nouns), ("배를", task.verbs)):
        tags = [task.tags.index(sense) for sense in senses]
        places = np.isin(task.train_tags, tags).argmax(axis=1)
        asked = task.train_tags[np.arange(len(places)), places]
        lines[word] = properties.one_for_each(waits, answer(waits, task.train_ids, places, asked))
    plotting.curves(
        waits,
        lines,
        xlabel="words read after the word",
        ylabel="best possible",
        title="Your experiment: how long must a reader wait?",
        level=(1 / 3, "guessing"),
        ylim=(0, 1.05),
    )
    plt.show()


EXERCISES = [
    Exercise(
        "06.bidirectional",
        MyBidirectional,
        [
            ("gives both states of every step", _gives_both_states_of_every_step),
            ("reads a sequence without padding both ways", _reads_a_row_without_padding),
            ("begins the way back at the last real step", _does_not_read_padding),
            ("goes by the mask, whatever stands in the padding", _goes_by_the_mask),
            ("is written with keras.ops, so that it can be compiled", _can_be_compiled),
            ("has the gradients of the course's layer", _has_gradients),
            ("does so around other layers, and for other sizes", _does_so_for_other_layers),
            ("trains inside a compiled model", _trains),
        ],
        [
            "The way back: reverse the real steps, let self.backward_layer read them, reverse its states. "
            "With three real steps out of five, the old steps 2, 1, 0, 3, 4 stand at the new ones.",
            "lengths = ops.sum(ops.cast(mask, 'int32'), axis=1, keepdims=True), and steps = "
            "ops.arange(ops.shape(sequences)[1]). order = ops.where(steps < lengths, ..., steps): what "
            "stands in place of the dots?",
            "It is lengths - 1 - steps. ops.take_along_axis(sequences, order[:, :, None], axis=1) reverses "
            "the real steps, and the same does so with the states. ops.concatenate([forward, backward], "
            "axis=-1) puts both side by side.",
        ],
    ),
    Exercise(
        "06.rising_ceiling",
        rising_ceiling,
        [("is the best accuracy of a model that has not read the next number", _is_the_ceiling)],
        [
            "The numbers before this one say nothing. Group the steps by this number.",
            "After a 0, three of the four next numbers are larger: the best answer is yes, right in 3/4.",
            "Take the better answer in each of the four groups, then the mean over the groups.",
        ],
    ),
    Exercise(
        "06.last_states",
        last_states,
        [
            ("gives both ways side by side", _both_ways_side_by_side),
            ("takes the forward state after the last word", _forward_after_the_last_word),
            (
                "takes the backward state at the first word, which is read last",
                _backward_after_the_first_word,
            ),
            ("ignores what stands in the padding", _ignores_padded_states),
        ],
        [
            "Which words has the backward state at step t read? And at which step has it read all?",
            "Cut the last axis in two halves and look after each by itself.",
            "The backward half comes from step 0, whatever the length.",
        ],
    ),
    Exercise(
        "06.waiting_experiment",
        waiting_experiment,
        [
            ("measures one share for each wait", _one_for_each_wait),
            ("measures the best that can be done after so many words", _is_the_best_share),
            ("does so for other sentences", _does_so_for_other_sentences),
        ],
        [
            "Sentences that are alike up to where the reader stands get the same answer: put them into a "
            "group. Which answer is right most often in a group?",
            "For each wait a dict from tuple(sentence[: place + wait + 1]) to the list of its tags.",
            "np.bincount(group).max() sentences of a group are right. Add them up, and divide by len(tags).",
        ],
        result=_draw_how_long_to_wait,
    ),
]
