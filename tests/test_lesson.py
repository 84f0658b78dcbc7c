"""A lesson starts the same way each time, and a claim that is false stops it."""

import contextlib
import io
import json

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from course_utils import lesson

LAST = lesson.STATEMENTS[-1]


@pytest.fixture(name="log")
def _log(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    monkeypatch.setenv("COURSE_LOG", str(path))
    return lambda: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def _no_seed_from_outside(monkeypatch):
    monkeypatch.delenv("COURSE_SEED", raising=False)


def draws():
    return np.random.normal(), float(keras.random.normal(())), float(tf.random.normal(()))  # noqa: NPY002


def test_start_and_seed_repeat_every_generator():
    lesson.start(seed=7)
    first = draws()
    lesson.start(seed=7)
    assert draws() == first
    assert lesson.seed() == 7
    assert draws() == first
    lesson.start(seed=8)
    assert draws() != first


def test_the_environment_replaces_the_seed(monkeypatch):
    monkeypatch.setenv("COURSE_SEED", "5")
    lesson.start(seed=1)
    assert lesson.seed() == 5


@pytest.mark.parametrize("wrong", ["-1", "1.5", "one", str(2**32)])
def test_a_seed_must_be_a_whole_number(monkeypatch, wrong):
    monkeypatch.setenv("COURSE_SEED", wrong)
    with pytest.raises(ValueError, match=r"A seed must be a whole number.*Received: COURSE_SEED="):
        lesson.start()


@pytest.mark.parametrize("wrong", [True, 1.0, None, -1, "1.5"])
def test_a_seed_that_is_passed_must_be_whole_too(wrong):
    with pytest.raises(ValueError, match=r"A seed must be a whole number.*Received: seed="):
        lesson.start(seed=wrong)


def test_start_makes_operations_deterministic():
    lesson.start()
    with pytest.raises(RuntimeError, match="determinism"):
        tf.random.Generator.from_non_deterministic_state()


def test_start_sets_the_style_of_the_course():
    plt.rcdefaults()
    lesson.start()
    assert plt.rcParams["axes.grid"]
    assert not plt.rcParams["axes.spines.top"]


def test_the_gpu_is_hidden_unless_it_is_asked_for(monkeypatch):
    hidden = []
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda devices, kind: hidden.append((devices, kind))
    )
    lesson.start(gpu=True)
    assert not hidden
    lesson.start()
    assert hidden == [([], "GPU")]


def test_a_gpu_that_is_hidden_already_cannot_be_had(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["one"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda _: [])
    with pytest.raises(RuntimeError, match="has hidden the GPU already"):
        lesson.start(gpu=True)


def test_training_is_deterministic():
    def train():
        lesson.start()
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        inputs = np.random.default_rng(0).normal(size=(64, 3))
        return model.fit(inputs, inputs.sum(axis=1), verbose=0, epochs=2).history["loss"]

    assert train() == train()


def test_a_claim_that_holds_is_printed_with_its_figures_and_logged(capsys, log):
    lesson.claim(
        "it works",
        (0.97, ">", 0.9, "of all symbols, near the end"),
        (np.float32(3), "<=", 3),
        (3, ">=", 3),
        (np.array(1), "==", True),
    )
    assert capsys.readouterr().out.splitlines() == [
        "✓ it works",
        "  measured 0.97 > 0.9 (of all symbols, near the end)",
        "  measured 3 <= 3",
        "  measured 3 >= 3",
        "  measured 1 == 1",
    ]
    (entry,) = log()
    assert (entry["kind"], entry["text"], entry["held"]) == ("claim", "it works", True)
    assert entry["bounds"][0] == {"measured": 0.97, "relation": ">", "limit": 0.9}


@pytest.mark.parametrize(
    ("bound", "printed"),
    [
        ((0.99842, ">", 0.95), "0.998 > 0.95"),
        ((0.99962, ">", 0.9995), "0.9996 > 0.9995"),
        ((0.99996, "<", 1), "0.99996 < 1"),
        ((0.99996, ">", 0.9), "0.99996 > 0.9"),  # and not 1
        ((0.85, "<", 0.8500000001), "0.85 < 0.8500000001"),
        ((3.66356, "<", np.log(39)), "3.66 < 3.66356"),
        ((-0.0342, "<", -0.03), "-0.0342 < -0.03"),
        ((1.234e-9, "<", 1e-8), "1.23e-09 < 1e-08"),
        ((524288, ">", 262144.0), "524288 > 262144"),
        ((1234567.0, ">", 262144), "1234567 > 262144"),
        ((1234.5, ">", 1234.2), "1234.5 > 1234.2"),
        ((2.3456e12, ">", 1), "2.35e+12 > 1"),
        ((-0.0, "==", 0), "0 == 0"),
        ((np.float32(0.1), "<", np.float64(0.2)), "0.1 < 0.2"),
        ((np.array(0.25), "==", tf.constant(0.25)), "0.25 == 0.25"),
        ((True, "==", np.bool_(True)), "True == True"),
        ((tf.constant(False), "==", np.array(False)), "False == False"),
        ((1, "==", True), "1 == 1"),
    ],
)
def test_a_figure_is_short_and_tells_on_which_side_of_the_limit_it_lies(bound, printed, capsys):
    lesson.claim("it works", bound)
    assert capsys.readouterr().out == f"✓ it works\n  measured {printed}\n"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_printed_figures_compare_as_the_measured_ones_do(measured, limit):
    relation = ">" if measured > limit else "<" if measured < limit else "=="
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        lesson.claim("it works", (measured, relation, limit))
    shown, _, bar = printed.getvalue().split()[-3:]
    assert lesson.RELATIONS[relation](float(shown), float(bar))
    assert len(shown) <= 24


def test_a_prediction_is_asked_for_and_shown_beside_what_came(capsys, log):
    guess = lesson.predict("the share that is right", 0.9)
    lesson.claim("it works", (0.14, "<", 0.3), (5, ">", 1), guess=guess)
    assert guess == 0.9
    assert capsys.readouterr().out.splitlines() == [
        "Predict: the share that is right",
        "  your guess 0.9",
        "✓ it works",
        "  measured 0.14 < 0.3",
        "  measured 5 > 1",
        "  your guess 0.9, measured 0.14",
    ]
    assert log()[0].keys() == {"kind", "text", "held", "bounds", "seed"}  # what a reader guesses stays hers


def test_without_a_guess_nothing_is_said_of_one(capsys):
    assert lesson.predict("the share that is right") is None
    asked = capsys.readouterr().out
    assert asked.splitlines()[1:] == ["  Put a number in place of None, run this cell, and go on."]
    lesson.claim("it works", (1, ">", 0), guess=None)
    assert capsys.readouterr().out == "✓ it works\n  measured 1 > 0\n"


def test_a_long_question_is_wrapped(capsys):
    lesson.predict(" ".join(["word"] * 40), 1)
    *asked, guess = capsys.readouterr().out.splitlines()
    assert max(map(len, asked)) <= lesson.WIDTH
    assert " ".join(asked).split() == ["Predict:", *["word"] * 40]
    assert guess == "  your guess 1"


@pytest.mark.parametrize("guess", [0, -3, 2.5, np.float32(0.5), np.int64(7)])
def test_a_guess_may_be_any_number(guess, capsys):
    assert lesson.predict("a number", guess) is guess
    lesson.claim("it works", (1, ">", 0), guess=guess)
    assert capsys.readouterr().out.endswith(f"  your guess {float(guess):g}, measured 1\n")


@pytest.mark.parametrize("guess", ["0.9", float("nan"), float("inf"), True, np.array([0.5]), [1], 1j])
def test_a_guess_that_is_no_number_is_refused(guess, capsys, log):
    refused = r"`guess` must be a number or None. Received: guess="
    with pytest.raises(ValueError, match=refused):
        lesson.predict("a number", guess)
    with pytest.raises(ValueError, match=refused):
        lesson.claim("it works", (1, ">", 0), guess=guess)
    assert "✓" not in capsys.readouterr().out
    with pytest.raises(FileNotFoundError):
        log()


def test_a_prediction_needs_a_question():
    with pytest.raises(ValueError, match=r"`what` must be a sentence. Received: what=''"):
        lesson.predict("", 3)


def test_a_false_claim_is_one_whatever_was_guessed():
    with pytest.raises(lesson.ClaimError, match="NOT AS EXPECTED"):
        lesson.claim("it works", (0, ">", 1), guess=0)


@pytest.mark.parametrize("length", [1, 7, 30, 200])
def test_a_long_claim_is_wrapped_between_words_and_a_figure_never_is(length, capsys):
    text = " ".join(["word-by-word"] * length)
    lesson.claim(text, (0.5, ">", 0.1))
    first, *others, figure = capsys.readouterr().out.splitlines()
    assert first.startswith("✓ ")
    assert all(line.startswith("  word-by-word") and line.endswith("word-by-word") for line in others)
    assert " ".join(line[2:] for line in (first, *others)) == text
    lengths = [len(line) for line in (first, *others)]
    assert max(lengths) <= lesson.WIDTH
    assert all(length + len(" word-by-word") > lesson.WIDTH for length in lengths[:-1])
    assert figure == "  measured 0.5 > 0.1"


def test_the_longest_words_of_a_figure_stay_in_its_line(capsys):
    lesson.claim("it works", (-1.23456789e-100, "<=", -1.2e-100, "x" * lesson.WORDS))
    *_, figure = capsys.readouterr().out.splitlines()
    assert figure.endswith(f" ({'x' * lesson.WORDS})")
    assert len(figure) <= lesson.WIDTH


def test_a_word_longer_than_a_line_stays_whole(capsys):
    lesson.claim("x" * 100, (1, ">", 0))
    assert "x" * 100 in capsys.readouterr().out


@pytest.mark.parametrize(
    "bound",
    [
        (0.9, ">", 0.9),
        (1, ">=", 1.1),
        (2, "<", 2),
        (3, "<=", 2.9),
        (1, "==", 0),
        (float("nan"), "<", 1),
        (float("inf"), ">", 1),
        (1, "<", float("inf")),  # whatever was measured
        (1, ">", float("nan")),
    ],
)
def test_a_false_claim_says_what_was_measured_and_expected(bound, log):
    with pytest.raises(lesson.ClaimError) as error:
        lesson.claim("it works", (1, ">", 0, "near"), (*bound, "far"))
    measured, relation, limit = bound
    assert f"NOT AS EXPECTED: measured {measured:.6g}, expected {relation} {limit:.6g} (far)" in str(
        error.value
    )
    assert "  as expected: measured 1, expected > 0 (near)\n" in str(error.value)
    assert "it works" in str(error.value)
    assert log()[0]["held"] is False


@pytest.mark.parametrize(
    "bound",
    [
        (1, ">"),
        (1, "=>", 2),
        ("high", ">", 1),
        (None, ">", 1),
        ([1, 2], ">", 0),
        ("2", ">", 1),
        3,
        None,
        (1, ">", 0, 2),
        (1, ">", 0, "a", "b"),
        (1, ">", 0, "two\nlines"),
        (1, ">", 0, "x" * (lesson.WORDS + 1)),
    ],
)
def test_a_bound_that_is_none_is_refused(bound):
    with pytest.raises(ValueError, match=r"A bound is.*Received: bound="):
        lesson.claim("it works", bound)


def test_a_claim_needs_a_sentence_and_a_bound():
    with pytest.raises(ValueError, match="at least one"):
        lesson.claim("it works")
    with pytest.raises(ValueError, match="`text` must be a sentence"):
        lesson.claim(" ", (1, ">", 0))
    with pytest.raises(ValueError, match="`text` must be a sentence"):
        lesson.claim(None, (1, ">", 0))


def test_each_claim_has_its_line_in_the_log_with_the_seed(log):
    lesson.start(seed=3)
    lesson.claim("it works", (1, ">", 0))
    lesson.settle(np.int64(5), "저는", "holds", (np.float32(1), ">", 0))
    assert [entry["kind"] for entry in log()] == ["claim", "statement"]
    assert [entry["seed"] for entry in log()] == [3, 3]
    assert (log()[1]["said"], log()[1]["verdict"], log()[1]["held"]) == ("저는", "holds", True)


def test_the_message_of_a_false_claim_names_seed_and_version():
    lesson.start(seed=6)
    with pytest.raises(lesson.ClaimError, match=rf"Seed 6, Keras {keras.__version__} on "):
        lesson.claim("it works", (0, ">", 1))


@pytest.mark.parametrize("entry", [None, "text", [1]])
def test_what_is_logged_is_a_dict(entry):
    with pytest.raises(ValueError, match=r"`entry` must be a dict. Received: entry="):
        lesson.log(entry)


def test_a_statement_is_settled_with_its_verdict(capsys, log):
    lesson.settle(39, "it remembers", "holds only when the gates start open", (1, ">", 0))
    printed = "✓ Statement 39: it remembers → holds only when the gates start open\n  measured 1 > 0\n"
    assert capsys.readouterr().out == printed
    assert log()[0]["number"] == 39
    with pytest.raises(lesson.ClaimError, match="Statement 39"):
        lesson.settle(39, "it remembers", "holds", (0, ">", 0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "x", "holds", (1, ">", 0)), f"from 1 to {LAST}. Received: number=0"),
        ((LAST + 1, "x", "holds", (1, ">", 0)), f"from 1 to {LAST}. Received: number={LAST + 1}"),
        ((True, "x", "holds", (1, ">", 0)), "Received: number=True"),
        ((5.0, "x", "holds", (1, ">", 0)), "Received: number=5.0"),
        (("5", "x", "holds", (1, ">", 0)), "Received: number='5'"),
        ((5, "x", "is true", (1, ">", 0)), "A verdict is"),
        ((5, "x", None, (1, ">", 0)), "A verdict is.*Received: verdict=None"),
        ((5, "x", "Holds", (1, ">", 0)), "A verdict is"),
        ((5, "x", "holds, mostly", (1, ">", 0)), "A verdict is"),
        ((5, "x", "it holds", (1, ">", 0)), "A verdict is"),
        ((5, "x", "holds only when ", (1, ">", 0)), "A verdict is"),
        ((5, "x", "holds only if it rains", (1, ">", 0)), "A verdict is"),
        ((5, "", "holds", (1, ">", 0)), "`said` must be a sentence"),
        ((5, "x", "holds"), "Statement 5 must be measured"),
    ],
)
def test_a_statement_of_another_form_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lesson.settle(*arguments)


@pytest.mark.parametrize("number", lesson.WITHOUT_MEASUREMENT)
def test_definitions_and_history_need_no_measurement_and_have_no_check_mark(number, capsys):
    lesson.settle(number, "it is so", "does not hold")
    matter = lesson.WITHOUT_MEASUREMENT[number]
    assert capsys.readouterr().out == f"Statement {number}: it is so → does not hold (a matter of {matter})\n"
    lesson.settle(number, "it is so", "holds", (1, ">", 0))
    assert capsys.readouterr().out == f"✓ Statement {number}: it is so → holds\n  measured 1 > 0\n"


def test_without_a_log_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_LOG", raising=False)
    monkeypatch.chdir(tmp_path)
    lesson.claim("it works", (1, ">", 0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("quiet", "drawn"), [("1", False), ("", True)])
def test_a_progress_bar_is_drawn_only_where_somebody_watches(quiet, drawn, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_QUIET", quiet)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 1)), np.ones(8), batch_size=2, epochs=3, verbose=0, callbacks=lesson.progress())
    assert ("12/12" in capsys.readouterr().out) == drawn
