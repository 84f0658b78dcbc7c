"""Start a lesson, predict, make a claim, settle a statement; `train` and `progress` are here too.

Three environment variables reach a lesson from outside, and `make` sets them:

- `COURSE_SEED` replaces the lesson's seed,
- `COURSE_QUIET` hides progress bars, so that they leave no trace in stored outputs,
- `COURSE_LOG` names a file that gets one line of JSON for each claim, statement and exercise.
"""

import contextlib
import functools
import json
import math
import numbers
import operator
import os
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import keras

from course_utils import plotting, training
from course_utils._validation import require_flag, require_number, require_whole
from course_utils.tracing import VariablesFirst
from course_utils.training import progress  # noqa: F401  (a lesson takes it from here)

RELATIONS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}
STATEMENTS = range(1, 93)
VERDICT = re.compile(r"holds|does not hold|holds only when \S.*")
WITHOUT_MEASUREMENT = {17: "definition", 91: "history"}  # what each is a matter of
WIDTH = 88
WORDS = 50  # with a figure they stand in one line

_seed = 0


class ClaimError(AssertionError):
    """A claim or a verdict that the measurement does not bear out."""


def start(seed=0, gpu=False, devices=1):
    """Start a lesson: seeded, deterministic, on the CPU, with one plot style. Starting again is harmless.

    Args:
        seed: the seed of the lesson; the environment variable `COURSE_SEED` replaces it.
        gpu: let TensorFlow use a GPU. Small recurrences are slower there, so the default is the CPU.
        devices: how many devices TensorFlow is to see in the CPU, to try out what runs on several machines.

    Raises:
        ValueError: the seed is not a whole number from 0 to 2**32 - 1, `gpu` is not True or False, or there
            is not one device at least.
        RuntimeError: TensorFlow has run something already, and it is too late for this.
    """
    global _seed
    given = os.environ.get("COURSE_SEED")
    _seed = _whole_seed("COURSE_SEED", given) if given else _whole_seed("seed", seed)
    require_whole("devices", devices)
    require_flag("gpu", gpu)
    if keras.backend.backend() == "tensorflow":
        _prepare_tensorflow(gpu, devices)
    plotting.style()
    keras.utils.set_random_seed(_seed)


def seed():
    """Set every random generator back to the lesson's seed, and return it.

    Each cell that trains begins with this, so that running the cell again gives the same result.
    """
    keras.utils.set_random_seed(_seed)
    return _seed


@functools.wraps(training.train)
def train(model, inputs, labels, epochs, batch_size=64, validation=None, callbacks=()):
    """Train, and trace the step of training once."""
    if isinstance(callbacks, (list, tuple)):
        callbacks = [VariablesFirst(inputs, labels, batch_size), *callbacks]
    return training.train(model, inputs, labels, epochs, batch_size, validation, callbacks)


def predict(what, guess=None):
    """Ask the reader for a guess before it is measured; `claim` shows it beside what came.

    Args:
        what: what is asked, one number.
        guess: the reader's number; None for none yet.

    Returns:
        The guess, for `claim(..., guess=guess)`.

    Raises:
        ValueError: `what` is no text, or the guess is neither a number nor None.
    """
    print(_wrapped(f"Predict: {_sentence('what', what)}"))
    if require_number("guess", guess, or_none=True) is None:
        print("  Put a number in place of None, run this cell, and go on.")
    else:
        print(f"  your guess {_guessed(guess)}")
    return guess


def claim(text, *bounds, guess=None):
    """State what an experiment has shown, check it, and print it with each figure that bears it out.

    Args:
        text: one sentence, without figures that are measured.
        *bounds: what bears it out, each `(measured, relation, limit)`, where the relation
            is one of `>`, `>=`, `<`, `<=`, `==`. A fourth entry says in a few words what was measured, where
            the text does not.
        guess: what the reader has predicted of the first bound's measured figure; None prints nothing.

    Raises:
        ClaimError: a bound is false. The message gives what was measured and what was expected.
        ValueError: the text is no sentence, there is no bound, one is not of that form, or the guess is
            neither a number nor None.
    """
    require_number("guess", guess, or_none=True)
    if not bounds:
        raise ValueError("A claim needs at least one (measured, relation, limit). Received: bounds=()")
    checked = _check_bounds(_sentence("text", text), bounds, {"kind": "claim", "text": text})
    if guess is not None:
        print(f"  your guess {_guessed(guess)}, measured {checked[0].measured_text}")


def settle(number, said, verdict, *bounds):
    """Settle one statement of the widely read notes by measurement.

    Args:
        number: the number of the statement, one of `STATEMENTS`.
        said: what is said, in our words.
        verdict: "holds", "does not hold" or "holds only when ...", with the condition.
        *bounds: as in `claim`; at least one, except for a matter of definition or history, which is printed
            without a check mark.

    Raises:
        ClaimError: a bound is false, so the verdict is not borne out.
        ValueError: the number, the text, the verdict or a bound is not of that form, or there is no bound
            where one is needed.
    """
    if isinstance(number, bool) or not isinstance(number, numbers.Integral) or number not in STATEMENTS:
        raise ValueError(
            f"A statement has a number from {STATEMENTS[0]} to {STATEMENTS[-1]}. Received: number={number!r}"
        )
    if not isinstance(verdict, str) or not VERDICT.fullmatch(verdict):
        raise ValueError(
            'A verdict is "holds", "does not hold" or begins with "holds only when ". '
            f"Received: verdict={verdict!r}"
        )
    if not bounds and number not in WITHOUT_MEASUREMENT:
        raise ValueError(f"Statement {number} must be measured: give at least one bound. Received: bounds=()")
    entry = {"kind": "statement", "number": int(number), "said": _sentence("said", said), "verdict": verdict}
    line = f"Statement {number}: {said} → {verdict}"
    _check_bounds(line if bounds else f"{line} (a matter of {WITHOUT_MEASUREMENT[number]})", bounds, entry)


def log(entry):
    """Append `entry`, a dict, as a line of JSON to the file that `COURSE_LOG` names, if it names one.

    Raises:
        ValueError: the entry is no dict.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"`entry` must be a dict. Received: entry={entry!r:.80}")
    path = os.environ.get("COURSE_LOG")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**entry, "seed": _seed}, ensure_ascii=False) + "\n")


def _whole_seed(name, value):
    try:
        number = int(value)
    except (OverflowError, TypeError, ValueError):
        number = -1
    if not 0 <= number < 2**32 or str(number) != str(value).strip():
        raise ValueError(f"A seed must be a whole number from 0 to 2**32 - 1. Received: {name}={value!r}")
    return number


def _prepare_tensorflow(gpu, devices):
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    # It would warn of every small model that is traced, and name the devices in every training.
    tf.get_logger().setLevel("ERROR")
    with contextlib.suppress(RuntimeError):  # too late once TensorFlow has run something
        if not gpu:
            tf.config.set_visible_devices([], "GPU")
        if devices > 1:
            (cpu,) = tf.config.list_physical_devices("CPU")
            parts = [tf.config.LogicalDeviceConfiguration()] * devices
            tf.config.set_logical_device_configuration(cpu, parts)
    if not gpu and tf.config.get_visible_devices("GPU"):
        raise RuntimeError("This kernel already uses the GPU. Restart it, then call `lesson.start()` first.")
    if gpu and tf.config.list_physical_devices("GPU") and not tf.config.get_visible_devices("GPU"):
        raise RuntimeError(
            "This kernel has hidden the GPU already. Restart it, then call `lesson.start(gpu=True)` first."
        )
    if devices > 1 and len(tf.config.list_logical_devices("CPU")) != devices:
        raise RuntimeError(
            "TensorFlow has chosen its devices already. Restart the kernel, then call "
            f"`lesson.start(devices={devices})` first."
        )


def _sentence(name, text):
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"`{name}` must be a sentence. Received: {name}={text!r}")
    return text


class _Bound(NamedTuple):
    measured: float
    relation: str
    limit: float
    holds: bool
    measured_text: str
    limit_text: str
    words: str

    def words_after(self):
        return f" ({self.words})" if self.words else ""


def _check_bounds(line, bounds, entry):
    checked = [_check_bound(bound) for bound in bounds]
    held = all(bound.holds for bound in checked)
    named = [dict(zip(("measured", "relation", "limit"), bound, strict=False)) for bound in checked]
    log({**entry, "held": held, "bounds": named})
    if not held:
        raise ClaimError(_what_was_measured(line, checked))
    print(_wrapped(f"✓ {line}" if bounds else line))
    for bound in checked:
        print(f"  measured {bound.measured_text} {bound.relation} {bound.limit_text}{bound.words_after()}")
    return checked


def _wrapped(line):
    return textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _check_bound(bound):
    try:
        measured, relation, limit, *words = bound
        (words,) = words or [""]
        if not isinstance(words, str) or len(words) > WORDS or "\n" in words:
            raise TypeError("no few words")
        if isinstance(measured, str) or isinstance(limit, str):
            raise TypeError("a text is no number")
        texts = _figures(measured, limit)
        measured, limit = float(measured), float(limit)
        compare = RELATIONS[relation]
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f"A bound is (measured, relation, limit): two numbers and one of {', '.join(RELATIONS)} "
            f"between them; a fourth entry may say in at most {WORDS} characters what was measured. "
            f"Received: bound={bound!r}"
        ) from error
    finite = math.isfinite(measured) and math.isfinite(limit)  # below infinity is no claim
    return _Bound(measured, relation, limit, finite and compare(measured, limit), *texts, words)


def _figures(measured, limit):
    """Return both as text, with as many digits as show on which side of the limit the measured one lies."""
    if _is_bool(measured) and _is_bool(limit):
        return str(bool(measured)), str(bool(limit))
    exact = float(measured), float(limit)
    for digits in range(3, 18):
        texts = _figure(exact[0], digits), _figure(exact[1], max(digits, 6))
        if _side(*map(float, texts)) == _side(*exact):
            break
    return texts


def _guessed(guess):
    return _figure(float(guess), 6)


def _is_bool(value):
    return isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))


def _side(value, limit):
    return value > limit, value < limit


def _figure(value, digits):
    """Return a number with so many digits, more where it would read as a whole number and is none."""
    if value.is_integer() and abs(value) < 1e9:
        return str(int(value))
    text = f"{value:.{digits}g}"
    if abs(value) < 1e6 and float(text).is_integer() and digits < 17:
        return _figure(value, digits + 1)
    return text


def _what_was_measured(line, checked):
    rows = [
        f"  {'as expected' if bound.holds else 'NOT AS EXPECTED'}: "
        f"measured {bound.measured_text}, expected {bound.relation} {bound.limit_text}{bound.words_after()}"
        for bound in checked
    ]
    return "\n".join(
        [
            f"Not borne out here. {line}",
            *rows,
            f"Seed {_seed}, Keras {keras.__version__} on {keras.backend.backend()}. "
            "If you changed nothing above, this machine disagrees with the course: please report these "
            "lines. The cells below can still be run.",
        ]
    )
