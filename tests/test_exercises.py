"""Every exercise: its solution passes, its stub is not tried yet, and plausible wrong answers hear why."""

import importlib
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from course_utils import check, exercises, hint, solution
from course_utils.exercises import EXERCISES, properties
from course_utils.exercises.exercise import WrongAnswerError

NOTEBOOKS = sorted(Path(__file__).parent.parent.glob("notebooks/*.ipynb"))
CELLS = {
    re.search(r'^check\("(.+?)"', cell.source, re.MULTILINE)[1]: cell.source
    for path in NOTEBOOKS
    for cell in nbformat.read(path, as_version=4).cells
    if "exercise" in cell.metadata.get("tags", [])
}


WRONG = {}
for path in sorted(Path(__file__).parent.glob("wrong_answers_*.py")):
    WRONG |= importlib.import_module(path.stem).WRONG


@pytest.fixture(autouse=True)
def _no_pictures_left():
    yield
    plt.close("all")


def said(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out


def stub_of(name):
    namespace = {"np": np, "check": lambda *_: None}
    exec(CELLS[name], namespace)
    return namespace[name.partition(".")[2]]


def test_every_exercise_stands_in_its_lesson_and_has_wrong_answers():
    assert set(CELLS) == set(EXERCISES) == set(WRONG)
    assert all(len(wrong) >= 2 for wrong in WRONG.values())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_passes(name, capsys):
    exercise = EXERCISES[name]
    out = said(capsys, name, exercise.solution)
    assert out.endswith("Solved.\n")
    assert [line.strip() for line in out.splitlines()[1:-1]] == [
        f"✓ {sentence}" for sentence, _ in exercise.properties
    ]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_untouched_stub_is_not_tried_yet(name, capsys):
    out = said(capsys, name, stub_of(name))
    assert out == f'{name}\n  Not tried yet. Stuck? Call hint("{name}").\n'


@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_asks_for_what_the_solution_gives(name):
    stub, solved = stub_of(name), EXERCISES[name].solution
    assert stub.__doc__ == solved.__doc__
    assert (
        stub.__code__.co_varnames[: stub.__code__.co_argcount]
        == solved.__code__.co_varnames[: solved.__code__.co_argcount]
    )


@pytest.mark.parametrize(
    ("name", "answer", "message"), [(name, *wrong) for name in WRONG for wrong in WRONG[name]]
)
def test_a_wrong_answer_hears_what_is_wrong(name, answer, message, capsys):
    out = said(capsys, name, answer)
    failed = out.partition("✗")[2]
    assert message in failed, out
    assert "Solved" not in out


@pytest.mark.parametrize("name", EXERCISES)
def test_none_asks_for_a_return(name, capsys):
    assert "None: is a return missing?" in said(capsys, name, lambda *_: None)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_error_or_no_function_is_a_wrong_answer(name, capsys):
    def fails(*_):
        raise ZeroDivisionError("division by zero")

    assert "ZeroDivisionError: division by zero" in said(capsys, name, fails)
    assert "the function that you wrote" in said(capsys, name, 4)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("odd", [[[1, 2], [1]], "text", {}, (np.zeros((2, 3)), 3.0), object()], ids=type)
def test_an_answer_of_an_odd_kind_is_wrong_and_raises_nothing(name, odd, capsys):
    out = said(capsys, name, lambda *_: odd)
    assert "✗" in out
    assert "Solved" not in out


@pytest.mark.parametrize("name", [name for name in CELLS if "raise NotImplementedError\n    " in CELLS[name]])
def test_the_planted_bug_is_one(name, capsys):
    namespace = {"np": np, "check": check}
    exec(CELLS[name].replace("    raise NotImplementedError\n", ""), namespace)
    assert "✗" in capsys.readouterr().out


def test_each_lesson_predicts_writes_and_repairs():
    for lesson in {name[:2] for name in EXERCISES}:
        cells = [source for name, source in CELLS.items() if name.startswith(lesson)]
        repairs = [source for source in cells if "raise NotImplementedError\n    " in source]
        predicts = [source for source in cells if '"""Predict: ' in source]
        assert len(cells) >= 3, lesson
        assert repairs, lesson
        assert predicts, lesson
        assert len(cells) > len(repairs) + len(predicts), lesson


def test_a_wrong_window_is_drawn_and_a_right_one_is_not(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    check("02.windows", WRONG["02.windows"][0][0])
    assert len(shown) == 1
    check("02.windows", EXERCISES["02.windows"].solution)
    check("02.windows", lambda series, length: 3)
    assert len(shown) == 1
    assert capsys.readouterr().out.count("✗") == 2


def test_answers_cannot_change_what_they_are_given(capsys):
    def greedy(table, row, count):
        found = EXERCISES["01.nearest"].solution(table, row, count)
        table[:] = 0
        return found

    assert "Solved" in said(capsys, "01.nearest", greedy)


def test_what_was_solved_is_logged(tmp_path, monkeypatch, capsys):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("COURSE_LOG", str(log))
    check("02.clip_by_norm", EXERCISES["02.clip_by_norm"].solution)
    check("02.clip_by_norm", stub_of("02.clip_by_norm"))
    assert [json.loads(line)["solved"] for line in log.read_text().splitlines()] == [True, False]
    assert capsys.readouterr().out


def test_hints_come_one_by_one(capsys, monkeypatch):
    monkeypatch.setitem(exercises._hints_given, "02.windows", 0)
    for _ in range(5):
        hint("02.windows")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert lines[3] == lines[4] == 'No more hints. solution("02.windows") shows a worked solution.'


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_hints_and_a_solution_that_stands_alone(name, capsys):
    assert len(EXERCISES[name].hints) >= 2
    solution(name)
    namespace = {"np": np}
    exec(capsys.readouterr().out, namespace)
    assert "Solved" in said(capsys, name, namespace[name.partition(".")[2]])


@pytest.mark.parametrize("ask", [hint, solution, lambda name: check(name, None)])
def test_an_unknown_exercise_is_named_with_the_closest(ask):
    with pytest.raises(ValueError, match=r"closest is '02.windows'.*Received: name='02.window'"):
        ask("02.window")


class TestProperties:
    """The shared properties fail where they should."""

    inputs = np.random.default_rng(0).normal(size=(2, 3, 1))
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)

    def test_ignores_padding(self):
        properties.ignores_padding(lambda x: (x * self.mask[..., None]).sum(axis=1), self.inputs, self.mask)
        with pytest.raises(WrongAnswerError, match="whatever stands in the padding"):
            properties.ignores_padding(lambda x: x.sum(axis=1), self.inputs, self.mask)

    def test_last_state_is_that_of_each_alone(self):
        def total(x, mask):
            return (x * mask[..., None]).sum(axis=1)

        properties.last_state_is_that_of_each_alone(total, self.inputs, self.mask)
        with pytest.raises(WrongAnswerError, match=r"\[1, 0, 0\]|\[1, 1, 0\]"):
            properties.last_state_is_that_of_each_alone(
                lambda x, mask: x.mean(axis=1), self.inputs, self.mask
            )

    def test_same_values_and_shape(self):
        properties.same_values([1.0, 2.0], np.array([1.0, 2.0]))
        with pytest.raises(WrongAnswerError, match="shape"):
            properties.same_values([1.0], np.array([1.0, 2.0]))
        with pytest.raises(WrongAnswerError, match="differ by up to 1"):
            properties.same_values([1.0, 3.0], np.array([1.0, 2.0]))
