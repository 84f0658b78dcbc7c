"""Exercises of lesson 02, the simple recurrent network."""

import math

import matplotlib.pyplot as plt
import numpy as np

from course_utils.exercises import properties
from course_utils.exercises.exercise import Exercise, WrongAnswerError


def memoryless_loss():
    """Predict: the smallest mean loss of a model without memory that reads "letters" letter by letter."""
    return 4 * np.log(2) / 6


def rnn_with_padding(x, mask, kernel, recurrent_kernel, bias):
    """Return the last state `(batch, units)` of a simple RNN that steps over padding.

    x is `(batch, time, features)`; mask is `(batch, time)`, False for padding.
    """
    h = np.zeros((len(x), len(bias)))
    for t in range(x.shape[1]):
        stepped = np.tanh(x[:, t] @ kernel + h @ recurrent_kernel + bias)
        h = np.where(mask[:, t, None], stepped, h)
    return h


def windows(series, length):
    """Return every window of `length` values, `(n, length)`, and the value to forecast from each, `(n,)`."""
    inputs = np.array([series[start : start + length] for start in range(len(series) - length)])
    labels = series[length:]
    return inputs, labels


def clip_by_norm(gradients, limit):
    """Return the list of gradients, scaled together so that their common norm is at most `limit`."""
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = min(1, limit / norm) if norm > 0 else 1
    return [gradient * factor for gradient in gradients]


def _is_the_bound_for_letters(answer):
    came = answer()
    pairs = list(zip("letters", "letters"[1:], strict=False))
    followers = {read: [after for before, after in pairs if before == read] for read, _ in pairs}
    loss = sum(math.log(len(followers[read]) / followers[read].count(after)) for read, after in pairs)
    properties.one_number(
        came,
        loss / len(pairs),
        [
            (loss, "the sum over the letters, not their mean"),
            (loss / len("letters"), "a mean over seven: how many letters have a letter after them?"),
            (0, "as if each letter had only one follower: which have two?"),
            (math.log(len(set("letters"))), "the loss of guessing: the model does see one letter"),
            (math.log(2), "a loss for every letter: some have only one follower"),
            (loss / len(pairs) / math.log(2), "bits: the loss has the natural logarithm"),
        ],
    )


def _rnn_weights():
    rng = np.random.default_rng(2)
    return rng.normal(size=(3, 4)), rng.normal(size=(4, 4)) / 2, rng.normal(size=4)


X = np.random.default_rng(1).normal(size=(3, 5, 3))
FULL = np.ones((3, 5), bool)
RIGHT = np.arange(5) < np.array([[5], [3], [1]])
GAPS = np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]], bool)


def _one_state_for_each_sequence(answer):
    properties.same_shape(answer(X, FULL, *_rnn_weights()), (3, 4))


def _is_the_plain_rnn_without_padding(answer):
    backwards = rnn_with_padding(X[:, ::-1], FULL, *_rnn_weights())
    properties.same_values(
        answer(X, FULL, *_rnn_weights()),
        rnn_with_padding(X, FULL, *_rnn_weights()),
        [(backwards, "the state after reading from the last step to the first")],
    )


def _ignores_what_stands_in_padding(answer):
    properties.ignores_padding(lambda x: answer(x, RIGHT, *_rnn_weights()), X, RIGHT)


def _keeps_the_state_over_padding(answer):
    for mask in (RIGHT, GAPS):
        properties.last_state_is_that_of_each_alone(lambda x, m: answer(x, m, *_rnn_weights()), X, mask)


SERIES = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0])


def _inputs_and_labels(answer, length=3):
    inputs, labels = properties.several(answer(SERIES, length), ("windows", "labels"))
    return properties.numbers(inputs), properties.numbers(labels)


def _one_label_for_each_window(answer):
    inputs, labels = _inputs_and_labels(answer)
    properties.same_shape(labels, (len(inputs),))
    properties.same_shape(inputs, (len(labels), 3))


def _no_window_sees_its_label(answer):
    inputs, labels = _inputs_and_labels(answer)
    for place, words in ((0, "first"), (-1, "last")):
        if np.allclose(inputs[:, place], labels):
            raise WrongAnswerError("the value after the window", f"the {words} value of the window itself")


def _the_label_comes_next(answer):
    inputs, labels = _inputs_and_labels(answer)
    expected = windows(SERIES, 3)[1]
    if len(labels) < len(expected):
        raise WrongAnswerError(
            "a window for every value with enough values before it",
            f"{len(expected) - len(labels)} too few",
        )
    properties.same_values(labels, expected)
    properties.same_values(inputs, windows(SERIES, 3)[0])


def _does_so_for_other_lengths(answer):
    for length in (1, 5, 7):
        for came, expected in zip(_inputs_and_labels(answer, length), windows(SERIES, length), strict=True):
            properties.same_values(came, expected)


def _draw_windows(answer):
    inputs, labels = _inputs_and_labels(answer)
    _, axes = plt.subplots(figsize=(6, 2.4))
    axes.plot(SERIES, "o-", color="0.75", label="series")
    axes.plot(inputs[1], "s", label="second window, drawn where it should lie")
    axes.axhline(labels[1], linestyle=":", label="its label")
    axes.lines[1].set_xdata(np.arange(1, 1 + len(inputs[1])))
    axes.set(xlabel="step", ylabel="value", title="Does the label come after the window?")
    axes.legend(loc="upper left", fontsize=8)
    plt.show()


GRADIENTS = ("the first gradient", "the second")
LARGE = [np.array([[3.0, 0.0], [0.0, -4.0]]), np.array([12.0, 0.0])]  # norms 5 and 12, together 13


def _clipped(answer, limit):
    clipped = properties.several(answer(LARGE, limit), GRADIENTS)
    for came, gradient in zip(clipped, LARGE, strict=True):
        properties.same_shape(came, gradient.shape)
    return [properties.numbers(came) for came in clipped]


def _keeps_shapes(answer):
    _clipped(answer, 2.0)


def _leaves_small_gradients_alone(answer):
    for limit in (13.0, 20.0):
        for came, gradient in zip(_clipped(answer, limit), LARGE, strict=True):
            properties.same_values(came, gradient)


def _keeps_the_direction(answer):
    clipped = _clipped(answer, 2.0)
    factors = []
    for came, gradient in zip(clipped, LARGE, strict=True):
        factors.append((came * gradient).sum() / (gradient**2).sum())
        if not np.allclose(came, factors[-1] * gradient, atol=1e-5):
            raise WrongAnswerError(
                "the same factor for every number of a gradient",
                "each number clipped by itself, which changes the direction",
            )
    if not abs(factors[0] - factors[1]) <= 1e-5:
        raise WrongAnswerError(
            "one factor for all gradients", "a factor for each gradient: the norm is that of all together"
        )


def _reaches_the_limit(answer):
    for limit in (2.0, 12.5):
        norm = np.sqrt(sum((came**2).sum() for came in _clipped(answer, limit)))
        if not abs(norm - limit) <= 1e-4:
            raise WrongAnswerError(f"a common norm of {limit:g}, the limit", f"a common norm of {norm:.3g}")


def _zeros_stay_zeros(answer):
    gradients = [np.zeros((2, 2)), np.zeros(3)]
    for came, gradient in zip(properties.several(answer(gradients, 1.0), GRADIENTS), gradients, strict=True):
        properties.same_values(came, gradient, cause=properties.ZERO_DIVISION)


EXERCISES = [
    Exercise(
        "02.memoryless_loss",
        memoryless_loss,
        [("is the smallest mean loss of a model that sees one letter at a time", _is_the_bound_for_letters)],
        [
            "Write down the six pairs of a letter and the one after it. Which stand twice on the left?",
            "Where a letter has two followers, the best guess is one half for each: a loss of log 2.",
            "Add the losses of the six pairs, then take the mean.",
        ],
    ),
    Exercise(
        "02.rnn_with_padding",
        rnn_with_padding,
        [
            ("gives one state for each sequence", _one_state_for_each_sequence),
            ("is the plain RNN where nothing is padded", _is_the_plain_rnn_without_padding),
            ("ignores what stands in the padding", _ignores_what_stands_in_padding),
            ("keeps the state over padding, wherever it stands", _keeps_the_state_over_padding),
        ],
        [
            "Begin with the loop of the lesson. What should h be after a step that is padding?",
            "Compute the step for the whole batch, then decide for each row whether it counts.",
            "np.where(mask[:, t, None], stepped, h) takes the new state where the mask is True.",
        ],
    ),
    Exercise(
        "02.windows",
        windows,
        [
            ("gives one label for each window", _one_label_for_each_window),
            ("keeps the value to forecast out of each window", _no_window_sees_its_label),
            ("gives the next value for every window that has one", _the_label_comes_next),
            ("does so for other lengths", _does_so_for_other_lengths),
        ],
        [
            "Print the first window and its label. Which value of the series is the label?",
            "A window that starts at 0 ends before `length`. So at which index is the next value?",
            "The last window must leave one value over: there are len(series) - length of them.",
        ],
        picture=_draw_windows,
    ),
    Exercise(
        "02.clip_by_norm",
        clip_by_norm,
        [
            ("gives one gradient for each", _keeps_shapes),
            ("leaves small gradients alone", _leaves_small_gradients_alone),
            ("keeps the direction: one factor for all", _keeps_the_direction),
            ("scales a large norm down to the limit", _reaches_the_limit),
            ("leaves zeros zeros", _zeros_stay_zeros),
        ],
        [
            "The common norm is the root of the sum of all squares, over all gradients.",
            "Multiply everything by limit / norm, but only where the norm is above the limit.",
            "min(1, limit / norm) is that factor; look after a norm of zero.",
        ],
    ),
]
