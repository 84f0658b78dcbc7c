"""Exercises of lesson 11, the Transformer."""

import functools
import re

import keras
import numpy as np

from course_utils.embedding import Embedding
from course_utils.exercises import cells, properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError, brief
from course_utils.exercises.lesson_10 import MyAttention, MyHeads, positions


class MyBlock(keras.layers.Layer):
    """A pre-norm block: attention, then a feed-forward part; what each finds is added to what was there."""

    def __init__(self, attention, units, **kwargs):
        super().__init__(**kwargs)
        self.attention, self.units = attention(), units

    def build(self, shape):
        """Make a normalisation for each part, and the two matrices of the feed-forward part."""
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
        self.feed_forward = keras.Sequential(
            [keras.layers.Dense(self.units, "relu"), keras.layers.Dense(shape[-1])]
        )
        for part in (self.attention, *self.norms, self.feed_forward):
            part.build(shape)

    def call(self, x, attention_mask=True):
        """Return the new vectors, `(batch, T, size)`; x has the same shape.

        `self.attention(y, attention_mask=attention_mask)` returns what it found, and its weights.
        """
        found, _ = self.attention(self.norms[0](x), attention_mask=attention_mask)
        x = x + found
        return x + self.feed_forward(self.norms[1](x))


class MyGPT(keras.Model):
    """A small GPT: it names the next token at every place, and sees no later one."""

    def __init__(self, size, dim, positions, block, depth=1):
        super().__init__()
        self.dim, self.waves = dim, lambda time: positions(time, dim).astype("float32")
        self.table, self.blocks = Embedding(size, dim), [block() for _ in range(depth)]
        self.norm, self.logits = keras.layers.LayerNormalization(epsilon=1e-6), keras.layers.Dense(size)

    def build(self, shape):
        """Make the weights of every part."""
        for part in (self.table, *self.blocks, self.norm, self.logits):
            part.build(shape if part is self.table else (*shape, self.dim))

    def call(self, ids):
        """Return the logits of each next token, `(batch, T, size)`; ids are `(batch, T)`.

        A vector of the table is multiplied by the root of `self.dim`; `self.waves(T)` are the positions.
        `block(x, attention_mask=mask)` gives new vectors. The norm comes after the last block.
        """
        time = ids.shape[1]
        x = self.table(ids) * self.dim**0.5 + self.waves(time)
        for block in self.blocks:
            x = block(x, attention_mask=np.tri(time, dtype=bool))
        return self.logits(self.norm(x))


def layer_norm(x, scale, shift):
    """Normalise each position of x `(time, dim)` by itself; scale and shift are `(dim,)`."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-6) * scale + shift


def bits_per_character(logits, labels):
    """Return the mean of -log2 p over all real labels, one number.

    logits are `(batch, time, size)`, labels ids `(batch, time)`; label 0 is padding and does not count.
    """
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_chances = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    bits = -np.take_along_axis(log_chances, labels[..., None], axis=-1)[..., 0] / np.log(2)
    return bits[labels != 0].mean()


def context_experiment(bits, texts, lengths):
    """Measure how many characters back a model uses.

    texts are ids `(rows, T)`. `bits(ids)` gives what the last character of each row costs after those before
    it, `(rows,)`. For each length let the model read only so many characters, those right before the last one
    of each text. Return the mean costs of the last characters, one for each length.
    """
    return [bits(texts[:, -length - 1 :]).mean() for length in lengths]


RNG = np.random.default_rng(10)
SEQUENCES = RNG.normal(size=(3, 5, 4)).astype("float32")  # all sizes are different
UNITS, HEADS = 6, 2
PAST = np.tri(5, dtype=bool)
SIZE, DEPTH = 7, 2
IDS = RNG.integers(1, SIZE, size=(3, 5))
RIGHT_SIZES = "the parts give vectors of the size of x: which of them was given the wrong ones?"
_advised = functools.partial(cells.advised, [(cells.SIZES_DIFFER, RIGHT_SIZES)])
_gpt_advised = functools.partial(
    cells.advised,
    [
        (re.compile("'int' object|NoneType"), "ids.shape[1] is T"),
        (cells.SIZES_DIFFER, "the waves are self.waves(T), with T = ids.shape[1]"),
    ],
)


def _make_heads():
    return MyHeads(HEADS, MyAttention)


def _make_block():
    return MyBlock(_make_heads, UNITS)


def _made(answer, solution, arguments, shape):
    """Make the learner's layer and the course's, with the same weights, in which no two numbers are equal."""
    if isinstance(getattr(answer, "answer", answer), keras.layers.Layer):
        raise WrongAnswerError("the class that you wrote, without brackets after its name", "a layer")
    made = [answer(*arguments), solution(*arguments)]
    if not isinstance(made[0], keras.layers.Layer):
        raise WrongAnswerError(
            f"a class that inherits from {_base(solution)}", f"one that makes {brief(made[0])}"
        )
    for layer in made:
        with cells.no_error(in_cell=False):
            layer.build(shape)
        rng = np.random.default_rng(len(layer.weights))
        for weight in layer.weights:
            weight.assign(rng.normal(size=weight.shape))
    mine, ours = ([tuple(weight.shape) for weight in layer.weights] for layer in made)
    if mine != ours:
        raise WrongAnswerError(f"the weights of the stub, here {ours}", f"{mine}")
    return made


def _base(solution):
    (base,) = solution.__bases__
    return "keras.Model" if base is keras.Model else "keras.layers.Layer"


def _came(layer, inputs, advised, stub=False, **mask):
    """Return what a layer gives, as an array of numbers."""
    with advised(stub):
        returned = layer(inputs, **mask)
    if returned is None:
        raise WrongAnswerError("a value", "None: is a return missing?")
    if isinstance(returned, (tuple, list)):
        raise WrongAnswerError("one tensor", f"{len(returned)} results")
    if isinstance(returned, np.ndarray):
        raise WrongAnswerError("tensors", cells.NUMPY_IN_GENERAL)
    return properties.numbers(returned)


def _blocks(answer):
    return _made(answer, MyBlock, (_make_heads, UNITS), SEQUENCES.shape)


def _gives_new_vectors(answer):
    block, _ = _blocks(answer)
    properties.same_shape(_came(block, SEQUENCES, _advised, stub=True), SEQUENCES.shape)


def _composes_the_block(answer):
    _is_composed(answer, True)


def _hides_what_may_not_be_seen(answer):
    _is_composed(answer, PAST)


def _is_composed(answer, mask):
    block, ours = _blocks(answer)
    x = SEQUENCES

    def look(y, mask=mask):
        return np.asarray(ours.attention(y, attention_mask=mask)[0])

    first, second, dense = (
        lambda y, part=part: np.asarray(part(y)) for part in (*ours.norms, ours.feed_forward)
    )

    def composed(first=first, second=second, look=look):
        between = x + look(first(x))
        return between + dense(second(between))

    found, on_path, between = x + look(first(x)), first(x) + look(first(x)), first(x + look(x))
    ahead = x + dense(second(x))
    known = [
        (composed(look=lambda y: look(y, True)), "attention that sees all: hand attention_mask on"),
        (composed(look=lambda y: look(y, ~PAST)), "the opposite of the mask"),
        (second(between + dense(between)), "the norm after each sum: that is the other order"),
        (dense(second(look(first(x)))), "no residual: nothing is added to what was there"),
        (found, "the feed-forward part is missing"),
        (look(first(x)) + dense(second(look(first(x)))), "what attention found is not added to x"),
        (dense(second(found)), "what the feed-forward part gives is not added to what was there"),
        (x + dense(second(found)), "the second part added to the first x: add it to the sum so far"),
        (composed(second=first), "the first norm twice: each part has its own"),
        (composed(first=second, second=first), "the norms exchanged"),
        (composed(first=lambda y: y, second=lambda y: y), "no norm"),
        (composed(second=lambda y: y), "the second norm is missing"),
        (composed(first=lambda y: y), "the first norm is missing"),
        (on_path + dense(second(on_path)), "a norm on the residual path: add to x itself"),
        (second(on_path) + dense(second(on_path)), "both norms on the residual path: add to what was there"),
        (found + dense(second(x)), "both parts side by side: the second reads the first's sum"),
        (ahead, "the attention is missing"),
        (ahead + look(first(ahead)), "the feed-forward part first"),
    ]
    came = _came(block, x, _advised, **({} if mask is True else {"attention_mask": mask}))
    properties.same_values(came, composed(), known[2 if mask is True else 0 :], tolerance=1e-3)


def _gpts(answer):
    return _made(answer, MyGPT, (SIZE, 4, positions, _make_block, DEPTH), IDS.shape)


def _gives_logits(answer):
    gpt, _ = _gpts(answer)
    came = _came(gpt, IDS, _gpt_advised, stub=True)
    if came.shape == (*IDS.shape, 4):
        raise WrongAnswerError(f"shape {(*IDS.shape, SIZE)}", f"shape {came.shape}: where are the logits?")
    properties.same_shape(came, (*IDS.shape, SIZE))


def _composes_the_gpt(answer):
    for ids in (IDS, IDS[:, :3]):
        gpt, ours = _gpts(answer)
        table, waves = np.asarray(ours.table(ids)), ours.waves(ids.shape[1])
        past = np.tri(ids.shape[1], dtype=bool)

        def said(x, depth=DEPTH, mask=past, normed=True, ours=ours):
            for block in ours.blocks[:depth]:
                x = block(x, attention_mask=mask)
            return np.asarray(ours.logits(ours.norm(x) if normed else x))

        right = said(2 * table + waves)
        chances = np.exp(right - right.max(axis=-1, keepdims=True))
        properties.same_values(
            _came(gpt, ids, _gpt_advised),
            right,
            [
                (said(table + waves), "vectors of the table that are not multiplied by the root of dim"),
                (said(4 * table + waves), "vectors times dim: multiply by its root"),
                (said(2 * (table + waves)), "waves that are multiplied, too: add them afterwards"),
                (said(2 * table), "no positions"),
                (said(waves + 0 * table), "positions alone: where is the table?"),
                (said(2 * table + waves, depth=1), "one block of two: go through self.blocks"),
                (said(2 * table + waves, depth=0), "no block: go through self.blocks"),
                (
                    said(2 * table + waves, mask=True),
                    "later tokens are seen: hand a causal mask to each block",
                ),
                (said(2 * table + waves, mask=past.T), "the mask turned round: a row for each that looks"),
                (said(2 * table + waves, normed=False), "the last norm is missing"),
                (
                    chances / chances.sum(axis=-1, keepdims=True),
                    "chances: the softmax belongs to the loss, return the logits",
                ),
            ],
            tolerance=1e-3,
        )


def _trains(answer, made, inputs):
    """Compare the weights after one step of training with those of the solution after the same step."""
    after = []
    for layer in made(answer):
        with cells.no_error(in_cell=False):
            given = keras.Input(inputs.shape[1:], dtype=inputs.dtype)
            model = keras.Model(given, layer(given))
            model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=False)
            model.train_on_batch(inputs, np.ones((len(inputs), *model.output_shape[1:])))
            after.append([properties.numbers(weight) for weight in layer.weights])
    for mine, ours in zip(*after, strict=True):
        properties.same_values(mine, ours, tolerance=1e-3)


X = RNG.normal(size=(4, 3))
POSITIONS = 5 * X
SCALE, SHIFT = np.array([2, 1, 0.5]), np.array([0, 1, -1])
EPSILON = 5e-3  # what is added to the variance is free: from nothing to Keras' 1e-3


def _normalises_each_position(answer):
    across = (POSITIONS - POSITIONS.mean(axis=0)) / np.sqrt(POSITIONS.var(axis=0) + 1e-6)
    whole = (POSITIONS - POSITIONS.mean()) / np.sqrt(POSITIONS.var() + 1e-6)
    centred = POSITIONS - POSITIONS.mean(axis=-1, keepdims=True)
    unbiased = centred / POSITIONS.std(axis=-1, ddof=1, keepdims=True)
    properties.same_values(
        answer(POSITIONS, np.ones(3), np.zeros(3)),
        layer_norm(POSITIONS, np.ones(3), np.zeros(3)),
        [
            (across, "each feature normalised over the positions: which axis has one position's numbers?"),
            (whole, "all positions normalised together"),
            (centred, "only the mean is taken away"),
            (
                centred / (POSITIONS.var(axis=-1, keepdims=True) + 1e-6),
                "a division by the variance, not by its root",
            ),
            (unbiased, "a variance over one number less: divide by the number of features"),
        ],
        tolerance=EPSILON,
    )


def _sees_no_other_position(answer):
    before = properties.numbers(answer(POSITIONS, SCALE, SHIFT))
    changed = POSITIONS.copy()
    changed[2:] += 5
    difference = np.abs(properties.numbers(answer(changed, SCALE, SHIFT))[:2] - before[:2]).max()
    if not difference <= 1e-6:
        raise WrongAnswerError(
            "the same at the first positions, whatever comes later", f"a change of {difference:.3g} there"
        )


def _scales_and_shifts(answer):
    bare = layer_norm(POSITIONS, np.ones(3), np.zeros(3))
    properties.same_values(
        answer(POSITIONS, SCALE, SHIFT),
        bare * SCALE + SHIFT,
        [
            (bare, "scale and shift are not used"),
            (bare * SCALE, "the shift is not used"),
            ((bare + SHIFT) * SCALE, "the shift before the scale"),
        ],
        tolerance=EPSILON,
    )


def _takes_equal_numbers(answer):
    properties.same_values(
        answer(np.ones((2, 3)), SCALE, SHIFT),
        np.array([SHIFT, SHIFT]),
        tolerance=EPSILON,
        cause=properties.ZERO_DIVISION,
    )


LOGITS = RNG.normal(size=(2, 4, 5))
LABELS = np.array([[3, 1, 4, 2], [2, 4, 0, 0]])
FULL = np.array([[3, 1, 4, 2], [2, 4, 1, 1]])


def _bits(logits, labels):
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -np.log2(np.take_along_axis(chances, labels[..., None], axis=-1))[..., 0]


def _is_the_mean_of_the_bits(answer):
    bits = _bits(LOGITS, FULL)
    chances = 2.0**-bits
    properties.one_number(
        answer(LOGITS, FULL),
        bits.mean(),
        [
            (bits.mean() * np.log(2), "the natural logarithm: bits have the base 2"),
            (bits.sum(), "the sum: what is asked is the mean"),
            (-bits.mean(), "the sign: a likely character has few bits, not fewer than none"),
            (-np.log2(chances.mean()), "the logarithm of the mean chance: the mean comes last"),
            (chances.mean(), "the mean chance: where is the logarithm?"),
            (
                -np.take_along_axis(LOGITS, FULL[..., None], axis=-1).mean(),
                "logits as if they were logarithms of chances",
            ),
        ],
        1e-4,
    )


def _leaves_padding_out(answer):
    bits, real = _bits(LOGITS, LABELS), LABELS != 0
    properties.one_number(
        answer(LOGITS, LABELS),
        bits[real].mean(),
        [
            (bits.mean(), "padding counted like a character"),
            ((bits * real).mean(), "padding left out of the sum, but not out of the number it is divided by"),
            (
                np.mean([each[keep].mean() for each, keep in zip(bits, real, strict=True)]),
                "the mean of each row's mean: a short row's characters count for more",
            ),
        ],
        1e-4,
    )


def _takes_high_logits(answer):
    properties.same_values(
        answer(1000 * LOGITS, FULL),
        bits_per_character(1000 * LOGITS, FULL),
        tolerance=1e-2,
        cause=properties.OVERFLOW,
    )


TEXTS = np.random.default_rng(13).integers(1, 9, size=(6, 8))


def _cost(ids):
    """Return numbers that tell every row of ids from every other."""
    return np.abs(np.sin(ids @ (1 + np.arange(ids.shape[1])[::-1] ** 2) * 0.7 + ids.shape[1])) + 0.1


def _one_for_each_length(answer):
    properties.same_shape(answer(_cost, TEXTS, (1, 3, 6)), (3,))


def _reads_so_many_before_the_last(answer):
    lengths = (1, 2, 5)

    def mean(start, stop=None):
        return [_cost(TEXTS[:, start(each) : stop and stop(each)]).mean() for each in lengths]

    properties.same_values(
        answer(_cost, TEXTS, lengths),
        mean(lambda n: -n - 1),
        [
            (mean(lambda n: -n), "one character too few: the last is named, so many stand before it"),
            (mean(lambda _: 0, lambda n: n + 1), "the first characters: read those right before the last"),
            (mean(lambda _: 0, lambda n: n), "the first characters: read those right before the last"),
            ([_cost(TEXTS).mean()] * 3, "the whole text each time"),
            (np.array(mean(lambda n: -n - 1)) * len(TEXTS), "sums: take the mean over the texts"),
            (
                [np.median(_cost(TEXTS[:, -each - 1 :])) for each in lengths],
                "medians: take the mean over the texts",
            ),
        ],
    )


def _chain(order, rng, kinds=4):
    """Draw texts in which so many characters decide the chances of the next; return them, and its costs."""
    chances = rng.dirichlet(np.full(kinds, 0.3), size=kinds**order).cumsum(axis=1)
    ids = rng.integers(kinds, size=(2_000, 40))
    for step in range(order, ids.shape[1]):
        before = chances[ids[:, step - order : step] @ kinds ** np.arange(order)]
        ids[:, step] = (rng.random((len(ids), 1)) > before[:, :-1]).sum(axis=1)

    def bits(rows):
        length = min(order, rows.shape[1] - 1)
        places = kinds ** np.arange(length + 1)[::-1]
        runs = np.lib.stride_tricks.sliding_window_view(ids, length + 1, axis=1) @ places
        counts = np.bincount(runs.ravel(), minlength=kinds * places[0]).reshape(-1, kinds) + 0.01
        named = counts / counts.sum(axis=1, keepdims=True)
        return -np.log2(named.ravel()[rows[:, -length - 1 :] @ places])

    return ids, bits


def _draw_the_costs(answer):
    import matplotlib.pyplot as plt

    from course_utils import plotting

    lengths, lines = range(1, 7), {}
    for order in (1, 2, 3):
        ids, bits = _chain(order, np.random.default_rng(order))
        lines[f"decided by {order}"] = answer(bits, ids, list(lengths))
    plotting.curves(
        lengths,
        lines,
        "characters that are read",
        "bits",
        "Characters farther back bring nothing",
        ylim=(0, None),
    )
    plt.show()


EXERCISES = [
    Exercise(
        "11.block",
        MyBlock,
        [
            ("gives new vectors of the shape of x", _gives_new_vectors),
            ("normalises, attends and adds; normalises, feeds forward and adds", _composes_the_block),
            ("hides what attention_mask hides", _hides_what_may_not_be_seen),
            (
                "trains inside a compiled model as the course's does",
                functools.partial(_trains, made=_blocks, inputs=SEQUENCES),
            ),
        ],
        [
            "A part reads normalised vectors: self.norms[0](x). What it finds is added to x.",
            "found, _ = self.attention(self.norms[0](x), attention_mask=attention_mask), then x = x + found.",
            "The second half reads the sum: return x + self.feed_forward(self.norms[1](x)).",
        ],
    ),
    Exercise(
        "11.gpt",
        MyGPT,
        [
            ("gives logits for every place", _gives_logits),
            ("adds positions, goes through every block, sees nothing later", _composes_the_gpt),
            (
                "trains inside a compiled model as the course's does",
                functools.partial(_trains, made=_gpts, inputs=IDS),
            ),
        ],
        [
            "x = self.table(ids) * self.dim**0.5 + self.waves(T), where T is ids.shape[1].",
            "np.tri(T, dtype=bool) is the causal mask; each block takes it as attention_mask.",
            "for block in self.blocks: x = block(x, attention_mask=mask). Then self.logits(self.norm(x)).",
        ],
    ),
    Exercise(
        "11.layer_norm",
        layer_norm,
        [
            ("normalises each position", _normalises_each_position),
            ("uses no other position", _sees_no_other_position),
            ("scales and shifts each feature", _scales_and_shifts),
            ("takes a position whose numbers are all equal", _takes_equal_numbers),
        ],
        [
            "x has the shape (time, dim). Over which axis lie the numbers of one position?",
            "A mean over axis 0 mixes positions, later ones too.",
            "axis=-1, and keepdims=True so that it can be subtracted from each row.",
        ],
    ),
    Exercise(
        "11.bits_per_character",
        bits_per_character,
        [
            ("is the mean of -log2 of the true character's chance", _is_the_mean_of_the_bits),
            ("leaves padding out", _leaves_padding_out),
            ("takes logits of a thousand", _takes_high_logits),
        ],
        [
            "The softmax of the logits gives chances; np.take_along_axis picks the label's.",
            "np.log2, or a natural logarithm divided by np.log(2). Subtract the largest logit first.",
            "log p is the logit minus np.log of the sum of exponentials: no chance is rounded to 0 then.",
            "bits[labels != 0].mean() leaves padding out.",
        ],
    ),
    Exercise(
        "11.context_experiment",
        context_experiment,
        [
            ("gives one mean for each length", _one_for_each_length),
            ("reads so many characters before the last one", _reads_so_many_before_the_last),
        ],
        [
            "The last character is the one that is named. To read n before it, a row needs n + 1 ids.",
            "texts[:, -n - 1 :] has the last character and the n before it.",
            "[bits(texts[:, -length - 1 :]).mean() for length in lengths]",
        ],
        result=_draw_the_costs,
    ),
]
