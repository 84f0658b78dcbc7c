"""Plausible wrong answers to the exercises of lesson 12, and the words each must hear."""

import functools

import numpy as np
from changed_solutions import changed

drawn = functools.partial(changed, "12.chances")
POWERS = "powers = np.exp((logits - logits.max()) / temperature)"
LIKELY = "likely = powers / powers.sum()"
ORDER = "order = np.argsort(-likely)"
KEPT = "kept = order[:top_k] if top_p is None else order[:top_k][before[:top_k] < top_p]"
BEFORE = "before = np.cumsum(likely[order]) - likely[order]"
LEFT = "left[kept] = likely[kept]"
AGAIN = "return left / left.sum()"
CHANCES = [
    (lambda logits, *_: logits, "the logits: take their softmax"),
    (lambda logits, *_: np.exp(logits), "powers that do not sum to one"),
    (drawn(AGAIN, "return np.log(left / left.sum())"), "logarithms of the chances"),
    (drawn(AGAIN, "return (left / left.sum())[order]"), "each token keeps its place"),
    (drawn(POWERS, "powers = np.exp(logits - logits.max())"), "at temperature 1: it is not used"),
    (drawn(POWERS, "powers = np.exp((logits - logits.max()) * temperature)"), "times the temperature"),
    (
        drawn(LIKELY, "likely = np.exp(logits) / np.exp(logits).sum() / temperature", AGAIN, "return left"),
        "chances divided by the temperature",
    ),
    (drawn(KEPT, "kept = order"), "top_k is not used"),
    (drawn(KEPT, KEPT.replace("order[:top_k] if", "order if")), "top_k is not used"),
    (drawn(AGAIN, "return left"), "chances that no longer sum to one"),
    (drawn(KEPT, "kept = order[: top_k and top_k + 1]"), "one token too many"),
    (drawn(ORDER, "order = np.argsort(likely)"), "sort downwards"),
    (drawn(KEPT, "kept = np.arange(len(logits))[:top_k]"), "sort by their chances"),
    (drawn(LEFT, "left[kept] = 1", AGAIN, "return likely if len(kept) == 6 else left / left.sum()"), "ratio"),
    (drawn(KEPT, "kept = order[:top_k]"), "top_p is not used"),
    (drawn(BEFORE, "before = np.cumsum(likely[order])"), "one token too few"),
    (
        drawn(BEFORE, "before = top_p and np.where(likely[order] >= top_p, 0, 1)"),
        "The likeliest always stays",
    ),
    (drawn(KEPT, "kept = order[:top_k] if top_p is None else order[before < top_p]"), "top_p alone"),
    (drawn(KEPT, "kept = order[:top_k] if top_k else order[before < (top_p or 1)]"), "top_k alone"),
    (drawn(POWERS, "powers = np.exp(logits / temperature)"), "the largest score subtracted"),
    (drawn(AGAIN, "pass"), "None: is a return missing?"),
]

stopped = functools.partial(changed, "12.stop")
BETTER = "if losses[epoch - 1] < losses[best - 1]:"
OVER = "if epoch - best == patience:"
EARLY = "return best, epoch"
STOP = [
    (lambda *given: np.array(stopped()(*given)) - 1, "the first is 1"),
    (stopped(EARLY, "return epoch, best"), "the epoch that is kept comes first"),
    (stopped(OVER, "if False:"), "the least loss of all epochs"),
    (stopped(EARLY, "return best, len(losses)"), "where does the patience end?"),
    (stopped(OVER, "if epoch - best > patience:"), "one epoch too many"),
    (stopped(OVER, "if epoch - best == patience - 1:"), "one epoch too few"),
    (stopped(EARLY, "return epoch, epoch"), "the weights of the last epoch"),
    (stopped(BETTER, BETTER.replace("<", "<=")), "the first is kept"),
    (
        stopped(BETTER, "if losses[epoch - 1] < losses[epoch - 2] or epoch == 1:"),
        "with the one before: with the best",
    ),
    (lambda losses, patience: float(np.argmin(losses) + 1), "integers, which can be indices"),
    (lambda losses, patience: int(np.argmin(losses) + 1), "shape (2,)"),
]

of_logits = functools.partial(changed, "12.loss")
HIGHEST = "logits = logits - logits.max(axis=-1, keepdims=True)"
LOG_P = "log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))"
MEAN = "return losses[labels != 0].mean()"
SIGN = "losses = -np.take_along_axis"
LOSS = [
    (
        of_logits(HIGHEST, "pass", LOG_P, "log_p = np.log(np.clip(logits, 1e-7, 1))"),
        "taken for chances: soft",
    ),
    (
        of_logits(
            HIGHEST, "pass", LOG_P, "log_p = np.log(np.clip(logits, 1e-7, 1))", MEAN, "return losses.mean()"
        ),
        "and padding counted, too",
    ),
    (of_logits(MEAN, "return losses.mean()"), "the mean over all labels"),
    (of_logits(MEAN, "return losses[labels != 0].sum()"), "the sum: divide"),
    (of_logits(MEAN, "return losses[labels != 0].sum() / losses.size"), "by the number of all labels"),
    (of_logits(SIGN, "losses = np.take_along_axis"), "a negative loss"),
    (of_logits(MEAN, "return losses[labels != 0].mean() / np.log(2)"), "bits: take"),
    (of_logits(LOG_P, "log_p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)"), "right to 5"),
    (
        of_logits(
            SIGN,
            "losses = np.exp(log_p) * 0 + np.exp(log_p); losses = np.take_along_axis",
            "(log_p, labels",
            "(losses, labels",
        ),
        "the mean of p",
    ),
    (of_logits(HIGHEST, "pass"), "finite numbers"),
    (of_logits(LOG_P, LOG_P.replace("axis=-1", "axis=0")), "right to 5 digits"),
    (of_logits(MEAN, "pass"), "None: is a return missing?"),
]

trained_on = functools.partial(changed, "12.batch")
ZEROS = "ids = np.zeros((len(rows), max(map(len, rows))), int)"
FILL = "row[: len(tokens)] = tokens"
READS = "read = [[1, *target] for target in targets]"
SAYS = "labels = [[*target, 2] for target in targets]"
OF_THREE = "for rows in (sources, read, labels):"
ALL = "return padded"
BATCH = [
    (trained_on(ZEROS, ZEROS.replace("zeros(", "full(").replace(", int)", ", 2, int)")), "counts, id 2"),
    (trained_on(ZEROS, ZEROS.replace("zeros", "ones")), "counts, id 1"),
    (trained_on(FILL, "row[len(row) - len(tokens) :] = tokens"), "padding on the left"),
    (
        trained_on(OF_THREE, OF_THREE.replace("sources", "[[1, *s] for s in sources]")),
        "a start mark before the sources",
    ),
    (
        trained_on(OF_THREE, OF_THREE.replace("sources", "[[*s, 2] for s in sources]")),
        "an end mark after the sources",
    ),
    (trained_on(READS, "read = targets"), "no start mark"),
    (trained_on(READS, "read = [[*target, 2] for target in targets]"), "it would read what it is to say"),
    (trained_on(READS, "read = [[1, *target, 2] for target in targets]"), "the end mark, too"),
    (trained_on(READS, "read = [[2, *target] for target in targets]"), "the end mark in front"),
    (trained_on(SAYS, "labels = read"), "it need only copy them"),
    (trained_on(SAYS, "labels = targets"), "a model would never stop"),
    (trained_on(SAYS, "labels = [[1, *target, 2] for target in targets]"), "it is read, and never said"),
    (trained_on(SAYS, "labels = [[*target[1:], 2] for target in targets]"), "two ahead"),
    (trained_on(ALL, "return padded[:2]"), "3 results: the sources, what the decoder"),
    (trained_on(ALL, "return padded[0]"), "3 results: the sources"),
    (trained_on(ALL, "pass"), "None: is a return missing?"),
]

moved = functools.partial(changed, "12.padding_experiment")
PADS = "padded = [np.pad(ids, ((0, 0), (0, more))) for more in range(most + 1)]"
MOVES = "return np.array([np.abs(answer(each) - alone).max() for each in padded])"
PADDING = [
    (moved(PADS, PADS.replace("range(most + 1)", "range(1, most + 1)")), "shape (4,)"),
    (moved(PADS, PADS.replace("range(most + 1)", "range(most)")), "shape (4,)"),
    (
        moved(
            MOVES,
            "a = [alone, *map(answer, padded)]\n"
            "    return np.array([np.abs(y - x).max() for x, y in zip(a[:-1], a[1:], strict=True)])",
        ),
        "compare with the answer without any",
    ),
    (moved(PADS, PADS.replace("(0, more)", "(more, 0)")), "padding on the left"),
    (moved(PADS, PADS.replace("more)))", "more)), constant_values=1)")), "padding with id 1"),
    (
        moved(MOVES, MOVES.replace("np.abs(answer(each) - alone)", "(answer(each) - alone)")),
        "absolute values",
    ),
    (moved(MOVES, MOVES.replace(".max()", ".mean()")), "the mean of the differences"),
    (moved(MOVES, MOVES.replace(".max()", ".sum()")), "the sum of the differences"),
    (moved(MOVES, MOVES.replace(".max()", "[0].max()")), "the largest of all rows"),
    (moved(MOVES, MOVES.replace("np.abs(answer(each) - alone)", "answer(each)")), "values that differ"),
    (moved(MOVES, "pass"), "None: is a return missing?"),
]

WRONG = {
    "12.chances": CHANCES,
    "12.stop": STOP,
    "12.loss": LOSS,
    "12.batch": BATCH,
    "12.padding_experiment": PADDING,
}
