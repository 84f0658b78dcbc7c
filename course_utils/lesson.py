"""Start a lesson, make a claim, settle a statement, show progress.

Three environment variables reach a lesson from outside, and `make` sets them:

- `COURSE_SEED` replaces the lesson's seed,
- `COURSE_QUIET` hides progress bars, so that they leave no trace in stored outputs,
- `COURSE_LOG` names a file that gets one line of JSON for each claim, statement and exercise.
"""

import contextlib
import json
import math
import numbers
import operator
import os
import re
from pathlib import Path

import keras

from course_utils import plotting
from course_utils._validation import require_flag, require_whole

RELATIONS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}
STATEMENTS = range(1, 93)
VERDICT = re.compile(r"holds|does not hold|holds only when \S.*")
WITHOUT_MEASUREMENT = (17, 91)  # matters of definition and of history

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
        ValueError: the seed is not a whole number from 0 to 2**32 - 1, or there is not one device at least.
        RuntimeError: TensorFlow has run something already, and it is too late for this.
    """
    global _seed
    _seed = _whole_seed(os.environ.get("COURSE_SEED") or seed)
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


def claim(text, *bounds):
    """State what an experiment has shown, and check it.

    Args:
        text: one sentence, without figures that are measured.
        *bounds: what bears it out, each `(measured, relation, limit)`, where the relation
            is one of `>`, `>=`, `<`, `<=`, `==`.

    Raises:
        ClaimError: a bound is false. The message gives what was measured and what was expected.
        ValueError: the text is no sentence, there is no bound, or one is not of that form.
    """
    if not bounds:
        raise ValueError("A claim needs at least one (measured, relation, limit). Received: bounds=()")
    _check_bounds(f"Claim: {_sentence('text', text)}", bounds, {"kind": "claim", "text": text})


def settle(number, said, verdict, *bounds):
    """Settle one statement of the widely read notes by measurement.

    Args:
        number: the number of the statement, 1 to 92.
        said: what is said, in our words.
        verdict: "holds", "does not hold" or "holds only when ...", with the condition.
        *bounds: as in `claim`; at least one, except for a matter of definition or history.

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
    _check_bounds(f"Statement {number}: {said} → {verdict}", bounds, entry)


def progress():
    """Return the callbacks that draw a progress bar in `fit`: none where nobody watches (`COURSE_QUIET`)."""
    return [] if os.environ.get("COURSE_QUIET") else [_ProgressBar()]


def log(entry):
    """Append `entry`, a dict, as a line of JSON to the file that `COURSE_LOG` names, if it names one."""
    if not isinstance(entry, dict):
        raise ValueError(f"`entry` must be a dict. Received: entry={entry!r:.80}")
    path = os.environ.get("COURSE_LOG")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**entry, "seed": _seed}, ensure_ascii=False) + "\n")


class _ProgressBar(keras.callbacks.Callback):
    """One bar for the whole training, counted in steps."""

    def on_train_begin(self, logs=None):  # noqa: ARG002
        steps = self.params.get("steps")
        self.bar = keras.utils.Progbar(steps and steps * self.params["epochs"], unit_name="step")
        self.seen = 0

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        self.seen += 1
        self.bar.update(self.seen)


def _whole_seed(value):
    try:
        number = int(value)
    except (OverflowError, TypeError, ValueError):
        number = -1
    if not 0 <= number < 2**32 or str(number) != str(value).strip():
        raise ValueError(f"A seed must be a whole number from 0 to 2**32 - 1. Received: seed={value!r}")
    return number


def _prepare_tensorflow(gpu, devices):
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    with contextlib.suppress(RuntimeError):  # too late once TensorFlow has run something
        if not gpu:
            tf.config.set_visible_devices([], "GPU")
        if devices > 1:
            (cpu,) = tf.config.list_physical_devices("CPU")
            parts = [tf.config.LogicalDeviceConfiguration()] * devices
            tf.config.set_logical_device_configuration(cpu, parts)
            tf.get_logger().setLevel("ERROR")  # it would name them in every training
    if not gpu and tf.config.get_visible_devices("GPU"):
        raise RuntimeError("This kernel already uses the GPU. Restart it, then call `lesson.start()` first.")
    if devices > 1 and len(tf.config.list_logical_devices("CPU")) != devices:
        raise RuntimeError(
            "TensorFlow has chosen its devices already. Restart the kernel, then call "
            f"`lesson.start(devices={devices})` first."
        )


def _sentence(name, text):
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"`{name}` must be a sentence. Received: {name}={text!r}")
    return text


def _check_bounds(line, bounds, entry):
    measured = [_check_bound(bound) for bound in bounds]
    held = all(holds for *_, holds in measured)
    log(
        {
            **entry,
            "held": held,
            "bounds": [
                dict(zip(("measured", "relation", "limit"), bound, strict=False)) for bound in measured
            ],
        }
    )
    if not held:
        raise ClaimError(_what_was_measured(line, measured))
    print(f"✓ {line}")


def _check_bound(bound):
    try:
        measured, relation, limit = bound
        if isinstance(measured, str) or isinstance(limit, str):
            raise TypeError("a text is no number")
        measured, limit = float(measured), float(limit)
        compare = RELATIONS[relation]
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f"A bound is (measured, relation, limit): two numbers and one of {', '.join(RELATIONS)} "
            f"between them. Received: bound={bound!r}"
        ) from error
    finite = math.isfinite(measured) and math.isfinite(limit)  # below infinity is no claim
    return measured, relation, limit, finite and compare(measured, limit)


def _what_was_measured(line, measured):
    rows = [
        f"  {'as expected' if holds else 'NOT AS EXPECTED'}: "
        f"measured {value:.6g}, expected {relation} {limit:.6g}"
        for value, relation, limit, holds in measured
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
