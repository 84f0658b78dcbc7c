"""tools/lessons.py: finding, executing, solving."""

import sys

import pytest
from small_lessons import CLAIM, STUB, code, markdown, printed, store

from tools import lessons


def stored(tmp_path, *cells):
    return lessons.read(store(tmp_path, "02_rnn.ipynb", *cells))


def test_lessons_are_found_in_order(tmp_path):
    paths = [store(tmp_path, name) for name in ("02_b.ipynb", "10_c.ipynb", "01_a.ipynb", "draft.ipynb")]
    assert lessons.find(folder=tmp_path) == [paths[2], paths[0], paths[1]]
    assert lessons.find("02", tmp_path) == lessons.find(2, tmp_path) == [paths[0]]


@pytest.mark.parametrize("number", ["42", "", "rnn", "-1"])
def test_an_unknown_number_names_those_that_exist(tmp_path, number):
    store(tmp_path, "01_a.ipynb")
    store(tmp_path, "02_b.ipynb")
    with pytest.raises(ValueError, match=rf"N must be the number of a lesson: 01, 02. Received: N={number}"):
        lessons.find(number, tmp_path)


def test_a_folder_without_lessons_is_refused(tmp_path):
    with pytest.raises(ValueError, match="This one holds none"):
        lessons.find(folder=tmp_path)


def test_a_lesson_is_executed_from_an_empty_kernel_with_settings(tmp_path):
    notebook = stored(tmp_path, code("import os\nprint(os.environ['COURSE_SEED'])", count=7), code("1 + 1"))
    executed = lessons.execute(notebook, tmp_path, {"COURSE_SEED": "3"})
    assert [cell.execution_count for cell in executed.cells] == [1, 2]
    assert executed.cells[0].outputs[0].text == "3\n"
    assert notebook.cells[0].execution_count == 7


def test_a_setting_can_be_taken_away(tmp_path, monkeypatch):
    monkeypatch.setenv("HERE", "1")
    notebook = stored(tmp_path, code("import os\nprint('HERE' in os.environ)"))
    assert lessons.execute(notebook, tmp_path).cells[0].outputs[0].text == "True\n"
    assert lessons.execute(notebook, tmp_path, {"HERE": None}).cells[0].outputs[0].text == "False\n"


def test_a_lesson_is_executed_by_the_python_that_is_asked_for(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nASKED=1 exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    notebook = stored(tmp_path, code("import os\nprint(os.environ.get('ASKED'))"))
    assert lessons.execute(notebook, tmp_path, python=python).cells[0].outputs[0].text == "1\n"
    assert lessons.execute(notebook, tmp_path).cells[0].outputs[0].text == "None\n"


def test_an_error_stops_a_lesson_unless_it_may_go_on(tmp_path):
    notebook = stored(tmp_path, code("raise KeyError"), code("print(1)", outputs=[printed("0")]))
    stopped = lessons.execute(notebook, tmp_path)
    assert [error.ename for error in lessons.errors(stopped)] == ["KeyError"]
    assert not stopped.cells[1].outputs
    assert lessons.execute(notebook, tmp_path, go_on_after=["KeyError"]).cells[1].outputs


def test_solving_replaces_the_stub_and_keeps_the_check(tmp_path):
    notebook = stored(tmp_path, markdown("# 02"), code(CLAIM), code(STUB, "exercise"))
    solved = lessons.solve(notebook, {"02.answer": "\ndef answer():\n    return 42\n"}.get)
    assert solved.cells[2].source == 'def answer():\n    return 42\n\n\ncheck("02.answer", answer)'
    assert notebook.cells[2].source == STUB


def test_a_check_over_several_lines_is_kept_whole():
    assert lessons.exercise("x = 1\ncheck(\n    '02.x',\n    x,\n)") == (
        "02.x",
        "check(\n    '02.x',\n    x,\n)",
    )


def test_an_exercise_without_a_check_is_refused():
    with pytest.raises(ValueError, match=r"ends in check\(.*Received: 'print\(1\)'"):
        lessons.exercise("def f(): pass\nprint(1)")


def test_calls_are_counted_and_words_are_not():
    source = "claim('a claim', (1, '>', 0))\nlesson.claim('b')\n# claim(\nreclaim()"
    assert lessons.calls(source, "claim") == 2
    assert lessons.calls("def (", "claim") == 0


def test_writing_leaves_the_old_file_when_it_is_stopped(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    path = tmp_path / "file.txt"
    path.write_text("old")
    monkeypatch.setattr(lessons.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        lessons.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_keeps_the_mode_of_the_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    path.chmod(0o640)
    lessons.write(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
