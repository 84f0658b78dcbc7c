"""Plausible wrong answers to the exercises of lesson 06, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

ORDER = "ops.where(steps < lengths, lengths - 1 - steps, steps)[:, :, None]"
FORWARD = "forward = self.forward_layer(sequences)"
BACKWARD = "backward = self.backward_layer(ops.take_along_axis(sequences, order, axis=1))"
BACK = "ops.take_along_axis(backward, order, axis=1)"
JOINED = f"ops.concatenate([forward, {BACK}], axis=-1)"
LENGTHS = 'ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)'
FLIPPED = "backward = self.backward_layer(ops.flip(sequences, axis=1))"

layer = functools.partial(changed, "06.bidirectional")


def returns(what):
    return layer(f"return {JOINED}", f"return {what}")


LAYERS = [
    (
        layer(BACKWARD, FLIPPED, BACK, "ops.flip(backward, axis=1)"),
        "all columns turned round: the way back begins in the padding",
    ),
    (
        layer(LENGTHS, "ops.shape(sequences)[1] * ops.ones_like(ops.cast(mask[:, :1], 'int32'))"),
        "all columns turned round: the way back begins in the padding",
    ),
    (
        layer(BACK, "ops.flip(backward, axis=1)"),
        "the right steps read, but all columns of the states turned round",
    ),
    (
        layer("order, axis=1))", "order, axis=1), mask=mask)", BACK, "ops.flip(backward, axis=1)"),
        "the right steps read, but all columns of the states turned round",
    ),
    (
        layer(BACKWARD, f"{FLIPPED[:-1]}, mask=mask)", BACK, "ops.flip(backward, axis=1)"),
        "all columns turned round, but the mask of the backward layer not",
    ),
    (layer(BACKWARD, FLIPPED), "all columns of the steps turned round, but the real ones of the states"),
    (layer(BACK, "backward"), "the states of the way back in the order in which they were read"),
    (
        layer(BACKWARD, FLIPPED, BACK, "backward"),
        "the states of the way back in the order in which they were",
    ),
    (
        layer(BACKWARD, "backward = self.backward_layer(sequences)", BACK, "backward"),
        "two ways forwards: reverse what the backward layer reads",
    ),
    (
        layer(BACKWARD, "backward = self.backward_layer(sequences)"),
        "a second way forwards, whose states are turned round",
    ),
    (returns(f"ops.concatenate([{BACK}, forward], axis=-1)"), "the way back first"),
    (layer("self.backward_layer(ops", "self.forward_layer(ops"), "the forward layer twice"),
    (layer(FORWARD, "forward = self.backward_layer(sequences)"), "the backward layer twice"),
    (
        layer(
            FORWARD,
            "forward = self.backward_layer(sequences)",
            "self.backward_layer(ops",
            "self.forward_layer(ops",
        ),
        "the two layers exchanged",
    ),
    (returns("ops.concatenate([forward, forward], axis=-1)"), "the forward states twice"),
    (returns(f"forward + {BACK}"), "as wide as one way: both stand side by side"),
    (returns("forward"), "as wide as one way"),
    (returns(f"ops.concatenate([forward, {BACK}], axis=1)"), "the ways one after the other"),
    (returns(f"ops.concatenate([forward, {BACK}], axis=0)"), "the ways under each other"),
    (returns(f"(forward, {BACK})"), "a tuple of 2: ops.concatenate puts them side by side"),
    (
        returns(f"ops.stack([forward, {BACK}])"),
        "expected: shape (3, 5, 8)\n      came:     shape (2, 3, 5, 4)",
    ),
    (returns(f"{JOINED} * np.nan"), "expected: finite numbers\n      came:     nan"),
    (
        returns(f"ops.where(mask[:, :, None], {JOINED}, np.nan)"),
        "expected: finite numbers\n      came:     nan",
    ),
    (returns(f"1.02 * {JOINED}"), "values within 0.0001"),
    (layer("lengths - 1 - steps", "lengths - steps"), "the first real step takes the last, lengths - 1"),
    (
        layer(LENGTHS, "ops.sum(ops.cast(ops.any(sequences != 0, axis=-1), 'int32'), axis=1, keepdims=True)"),
        "real steps are those where `mask` is True",
    ),
    (
        layer(BACKWARD, "backward = self.backward_layer(np.take_along_axis(sequences, order, axis=1))"),
        "is NumPy used?",
    ),
    (returns(f"ops.convert_to_numpy({JOINED})"), "an array: write keras.ops for NumPy"),
    (
        layer(FORWARD, "forward = self.forward_layer(ops.stop_gradient(sequences))"),
        "the gradient of the course's layer with respect to the sequences",
    ),
    (returns(f"ops.stop_gradient({JOINED})"), "a gradient with respect to the sequences"),
    (layer("ops.arange(ops.shape(sequences)[1])", "ops.arange(5)"), "does so around other layers"),
    (
        layer("ops.shape(sequences)[1]", "sequences.shape[1]"),
        "(the number of steps is not known when the layer is compiled: write `ops.shape(sequences)[1]`)",
    ),
    (
        layer("ops.shape(sequences)[1]", "len(sequences[0])"),
        "(the number of steps is not known when the layer is compiled: write `ops.shape(sequences)[1]`)",
    ),
    (layer(LENGTHS, LENGTHS.replace(", keepdims=True", "")), "(lengths need `keepdims=True`)"),
    *(
        (
            layer(
                BACKWARD,
                f"backward = self.backward_layer(ops.flip(sequences){mask})",
                BACK,
                "ops.flip(backward)",
            ),
            "all axes turned round: `axis=1` turns the steps round",
        )
        for mask in ("", ", mask=mask")
    ),
    (returns("None"), "None: is a return missing?"),
    (layer("(keras.layers.Layer)", ""), "expected: a class that inherits from keras.layers.Layer"),
    (layer("self.backward_layer.build(sequences_shape)", "pass"), "the weights of both layers"),
]


PARTS = {
    "key": "tuple(sentence[: place + wait + 1])",
    "read": "sentence[: place + wait + 1]",
    "right": "np.bincount(group).max()",
    "share": " / len(tags)",
    "waits": "in waits:",
    "result": "return best",
}
experiment = functools.partial(changed_by_parts, "06.waiting_experiment", PARTS)

EXPERIMENTS = [
    (experiment(key="sentence[: place + wait + 1]"), "(write tuple(sentence[...]) for the key)"),
    (experiment(read="sentence[: place + wait]"), "one word too few"),
    (experiment(read="sentence[: place + wait + 2]"), "one word too many"),
    (experiment(read="sentence[place : place + wait + 1]"), "without the words before it"),
    (experiment(read="sentence[place + 1 : place + wait + 1]"), "the words after it alone"),
    (experiment(read="sentence[: wait + 1]"), "words counted from the first"),
    (experiment(read="sentence"), "whole sentences: the reader waits for `wait` words"),
    (experiment(read="()"), "the most frequent tag of all"),
    (experiment(right="group.count(group[0])"), "the first tag of each group"),
    (experiment(right="(np.bincount(group) ** 2).sum() / len(group)"), "a tag drawn as often as it occurs"),
    (experiment(right="len(group) * (len(set(group)) == 1)"), "only groups with one tag counted"),
    (experiment(right="len(group) / len(set(group))"), "one tag of those that occur"),
    (experiment(share=" / len(tags) * 100"), "per cent: a share was asked for"),
    (experiment(share=""), "how many are right: a share was asked for"),
    (experiment(share=" / len(groups)"), "values that differ"),
    (
        experiment(right="np.bincount(group).max() / len(group)", share=" / len(groups)"),
        "the mean of the groups' shares",
    ),
    (experiment(waits="in reversed(waits):"), "values that differ"),
    (experiment(waits="in waits[:1]:"), "expected: shape (3,)\n      came:     shape (1,)"),
    (experiment(result="return best[0]"), "expected: shape (3,)\n      came:     shape ()"),
    (experiment(result="return [np.nan * each for each in best]"), "expected: finite numbers"),
    (experiment(read="list(sentence[: place + wait + 1])", result="return best + 0"), "no error"),
    (lambda waits, *_: np.minimum(1, (1 + waits) / 3), "values that differ"),
]


def at(states, forward, backward):
    rows, units = np.arange(len(states)), states.shape[-1] // 2
    return np.concatenate([states[rows, forward, :units], states[rows, backward, units:]], axis=-1)


WRONG = {
    "06.bidirectional": LAYERS,
    "06.waiting_experiment": EXPERIMENTS,
    "06.rising_ceiling": [
        (lambda: 0.5, "a toss of a coin"),
        (lambda: 10 / 16, "always no"),
        (lambda: 6 / 16, "a model may also say no"),
        (lambda: 1, "as if the next number were known"),
        (lambda: 0.8, "a share that can be counted: what is the best answer after each of the four numbers?"),
        (lambda: 75, "per cent: a share from 0 to 1 was asked for"),
    ],
    "06.last_states": [
        (
            lambda states, lengths: states[np.arange(len(states)), lengths - 1],
            "has read that word only",
        ),
        (lambda states, lengths: states[:, -1], "for short sequences that is padding"),
        (lambda states, lengths: states[:, 0], "has not read the others yet"),
        (lambda states, lengths: at(states, lengths - 1, -1), "next to nothing"),
        (lambda states, lengths: at(states, lengths - 2, 0), "values that differ"),
        (lambda states, lengths: at(states, np.minimum(lengths, 4), 0), "that one stands at lengths - 1"),
        (
            lambda states, lengths: np.roll(at(states, lengths - 1, 0), 2, axis=-1),
            "the backward half first: the forward half stands first",
        ),
        (lambda states, lengths: at(states, lengths - 1, 0)[:, :2], "shape (3, 2): both stand side by side"),
        (
            lambda states, lengths: at(states, lengths - 1, 0).reshape(3, 2, 2),
            "shape (3, 2, 2): both stand side by side",
        ),
    ],
}
