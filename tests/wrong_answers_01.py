"""Plausible wrong answers to the exercises of lesson 01, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed, changed_by_parts

TAKE = "return ops.take(self.embeddings, ids, axis=0)"
layer = functools.partial(changed, "01.embedding", TAKE)

LAYERS = [
    (layer("ops.take(self.embeddings, ids, axis=0)"), "None: is a return missing?"),
    (layer("return ops.take(self.embeddings, ids)"), "single numbers. Is `axis=0` missing?"),
    (layer("return ops.take(self.embeddings, ids % 4, axis=1)"), "columns. `axis=0` reads rows"),
    (layer("return ops.take(self.embeddings, ids, axis=1)"), "no error\n      came:     "),
    (layer("return ops.take(self.embeddings, ids - 1, axis=0)"), "the row before that of each id"),
    (
        layer("return ops.take(self.embeddings, (ids - 1) % self.embeddings.shape[0], axis=0)"),
        "the row before that of each id",
    ),
    (
        layer("return ops.take(self.embeddings, (ids + 1) % self.embeddings.shape[0], axis=0)"),
        "the row after that of each id",
    ),
    (
        layer(f"{TAKE} * ops.cast(ids != 0, 'float32')[..., None]"),
        "zeros for id 0: here its row is read like any other",
    ),
    (layer("return self.embeddings[:3] + ops.zeros((2, 3, 4))"), "the first rows of the table, whatever"),
    (layer("return ops.mean(ops.take(self.embeddings, ids, axis=0), axis=1)"), "shape (2, 4)"),
    (layer("return ops.one_hot(ids, self.embeddings.shape[0])"), "shape (2, 3, 6)"),
    (layer("return self.embeddings[ids]"), "a weight cannot be indexed with an array: use ops.take"),
    (
        layer("return ops.stack([self.embeddings[i] for i in ids])"),
        "a weight cannot be indexed with an array: use ops.take",
    ),
    (
        layer("return ops.one_hot(ids, self.embeddings.shape[0]) @ self.embeddings"),
        "`@` fails for a single id: use ops.take",
    ),
    (layer("return np.take(self.embeddings, ids, axis=0)"), "NumPy: write ops.take for np.take"),
    (layer("return ops.array(np.array(self.embeddings)[np.array(ids)])"), "NumPy: write ops.array"),
    (
        layer("return ops.take(ops.stop_gradient(self.embeddings), ids, axis=0)"),
        "a gradient with respect to the table\n      came:     none",
    ),
    (layer("return 2 * ops.take(self.embeddings, ids, axis=0)"), "values that differ"),
    (
        layer("t = self.embeddings; return ops.take(t / 2 + ops.stop_gradient(t / 2), ids, axis=0)"),
        "for row 0 the gradient",
    ),
    (
        layer(
            "v = ops.take(self.embeddings, ids, axis=0); "
            "return ops.where((ids == 4)[..., None], ops.stop_gradient(v), v)"
        ),
        "for row 4 the gradient",
    ),
    (
        layer("return ops.take(self.embeddings, ops.reshape(ids, (2, 3)), axis=0)"),
        "no error\n      came:     ",
    ),
    (
        changed("01.embedding", "(input_dim, output_dim)", "(output_dim, input_dim)"),
        "the table of the stub, here (6, 4)\n      came:     weights of shapes [(4, 6)]",
    ),
    (changed("01.embedding", "(keras.layers.Layer)", ""), "has no attribute 'add_weight'"),
    (lambda rows, size: np.zeros((rows, size)), "a class that inherits from keras.layers.Layer"),
    (changed("01.embedding")(6, 4), "the class that you wrote, without brackets after its name"),
]


def gradient(put):
    def wrong(ids, arrived, rows):
        made = np.zeros((rows, arrived.shape[1]))
        put(made, ids, arrived)
        return made

    return wrong


def right_gradient(ids, arrived, rows):
    return gradient(lambda made, *given: np.add.at(made, *given))(ids, arrived, rows)


def assigned(made, ids, arrived):
    made[ids] = arrived


def added_at_once(made, ids, arrived):
    made[ids] += arrived


def first_only(made, ids, arrived):
    made[ids[::-1]] = arrived[::-1]


def over_its_arguments(ids, arrived, rows):
    arrived *= 1.5
    return right_gradient(ids, arrived / 1.5, rows)


def like_what_arrived(ids, arrived, _rows):
    made = np.zeros_like(arrived)
    np.add.at(made, ids, arrived)
    return made


def averaged(ids, arrived, rows):
    return right_gradient(ids, arrived, rows) / np.maximum(np.bincount(ids, minlength=rows), 1)[:, None]


GRADIENTS = [
    (gradient(assigned), "for row 4, read twice, only what arrived last"),
    (gradient(added_at_once), "for row 4, read twice, only what arrived last"),
    (gradient(first_only), "for row 4, read twice, only what arrived first"),
    (averaged, "the mean of both: they are added"),
    (lambda ids, arrived, rows: right_gradient(ids, arrived, rows) / len(ids), "a mean over all reads"),
    (
        lambda ids, arrived, rows: right_gradient(ids, np.ones_like(arrived), rows),
        "how often each row was read",
    ),
    (lambda ids, arrived, rows: -right_gradient(ids, arrived, rows), "its sign turned: that is the step"),
    (lambda ids, arrived, rows: arrived, "a row for each read, not for each word"),
    (lambda ids, arrived, rows: right_gradient(ids, arrived, rows).T, "shape (3, 6)"),
    (lambda ids, arrived, rows: right_gradient(ids, arrived, rows)[ids], "a row for each read"),
    (
        lambda ids, arrived, rows: right_gradient(ids, arrived, rows) + 0.1,
        "zeros for row 2, which was not read",
    ),
    (
        lambda ids, arrived, rows: right_gradient(ids, arrived, 6),
        "shape (3, 2)\n      came:     shape (6, 2)",
    ),
    (lambda ids, arrived, rows: right_gradient(ids, arrived, rows) * 3, "values that differ"),
    (over_its_arguments, "a change in `arrived`"),
    (lambda ids, arrived, rows: np.eye(rows)[ids] @ arrived, "or a `.T` forgotten?"),
    (like_what_arrived, "is the table begun with another shape"),
]

PARTS = {
    "scores": "((left[:, :size] * strength[:size]) @ right[:size]).round(9)",
    "share": "float(np.mean((one > other) + (one == other) / 2))",
    "sizes": "in sizes:",
    "result": "return measured",
}
experiment = functools.partial(changed_by_parts, "01.size_experiment", PARTS)

EXPERIMENTS = [
    (experiment(share="float(np.mean(one > other))"), "ties that count nothing: a tie counts one half"),
    (experiment(share="float(np.mean(one >= other))"), "ties that count in full: a tie counts one half"),
    (
        experiment(scores="((left[:, :size] * strength[:size]) @ right[:size])"),
        "are the scores rounded to 9 digits",
    ),
    (
        experiment(
            scores="((left[:, :size] * strength[:size]) @ right[:size])", share="float(np.mean(one > other))"
        ),
        "ties that count nothing: a tie counts one half",
    ),
    (
        experiment(share="float(np.mean(one[:, 0] > other[: len(one)]))"),
        "each withheld pair beside one forbidden pair: compare each with each",
    ),
    (
        experiment(
            share="float(np.mean((one[:, 0] > other[:len(one)]) + (one[:, 0] == other[:len(one)]) / 2))"
        ),
        "each withheld pair beside one forbidden pair: compare each with each",
    ),
    (experiment(scores="(left[:, :size] @ right[:size]).round(9)"), "without the singular values"),
    (
        experiment(scores="((left[:, size:] * strength[size:]) @ right[size:]).round(9)"),
        "or scores of what is to be cut off",
    ),
    (
        experiment(scores="((left[:, -size:] * strength[-size:]) @ right[-size:]).round(9)"),
        "the last numbers of each word",
    ),
    (
        experiment(scores="((left[:, :size + 1] * strength[:size + 1]) @ right[:size + 1]).round(9)"),
        "one number too many for each size",
    ),
    (
        experiment(scores="((left[:, :size - 1] * strength[:size - 1]) @ right[:size - 1]).round(9)"),
        "one number too few for each size",
    ),
    (
        experiment(share="float(np.mean((one < other) + (one == other) / 2))"),
        "how often the forbidden pair is higher",
    ),
    (
        experiment(result="return [100 * each for each in measured]"),
        "per cent: a share was asked for",
    ),
    (
        experiment(
            scores="(left[:, :min(size, 7)] * strength[:min(size, 7)] @ right[:min(size, 7)]).round(9)"
        ),
        "all scores tie\n      came:     0.905: are the scores rounded",
    ),
    (experiment(scores="left[:, :size].round(9)"), "no error\n      came:     IndexError"),
    (experiment(sizes="in sizes[:1]:"), "shape (5,)\n      came:     shape (1,)"),
    (experiment(result="return measured[0]"), "came:     shape ()"),
    (lambda sizes, counts, withheld, forbidden: [0.5 for _ in sizes], "values that differ"),
]

WRONG = {
    "01.embedding": LAYERS,
    "01.table_gradient": GRADIENTS,
    "01.size_experiment": EXPERIMENTS,
    "01.sentence_vectors": [
        (lambda table, ids: table[ids].mean(axis=1), "change with it"),
        (lambda table, ids: table[ids].mean(axis=2), "shape (3, 4)"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).sum(axis=1), "the sum of the vectors"),
        (lambda table, ids: (table[ids] * (ids != 0)[..., None]).mean(axis=1), "the padded length"),
        (
            lambda table, ids: (
                (table[ids] * (ids != 0)[..., None]).sum(axis=1) / (ids != 0).sum(axis=1)[:, None]
            ),
            "came:     nan: is something divided by zero?",
        ),
    ],
}
