"""tools/lessons.py: finding, executing, solving."""

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_lessons import CLASS, code, markdown, store, write

from tools import lessons, run, save, seeds


def stored(tmp_path, *cells):
    return lessons.read(store(tmp_path, "02_rnn.ipynb", *cells))


def test_lessons_and_then_their_evidence_are_found_in_order_and_by_number(tmp_path):
    with pytest.raises(ValueError, match="This one holds none"):
        lessons.find(folder=tmp_path)
    names = "evidence/02_b", "02_b", "10_c", "evidence/01_a", "01_a", "draft"
    evidence, second, tenth, of_the_first, first, _ = (store(tmp_path, f"{name}.ipynb") for name in names)
    assert lessons.find(folder=tmp_path) == [first, second, tenth, of_the_first, evidence]
    assert lessons.find("02", tmp_path) == lessons.find(2, tmp_path) == [second]
    assert lessons.find("02e", tmp_path) == lessons.find("2e", tmp_path) == [evidence]


@pytest.mark.parametrize("number", ["42", "", "rnn", "-1", "02e", "e", "01ee"])
def test_an_unknown_number_names_those_that_exist(tmp_path, number):
    for name in ("01_a.ipynb", "02_b.ipynb", "evidence/01_a.ipynb"):
        store(tmp_path, name)
    said = rf"N must be the number of a lesson: 01, 02, 01e. Received: N={number}$"
    with pytest.raises(ValueError, match=said):
        lessons.find(number, tmp_path)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(run, ["--one", "42"]), (run, ["--one"]), (save, ["42"]), (save, []), (seeds, ["--one", "42"])],
)
def test_an_unknown_number_is_one_clear_line_of_each_command(tmp_path, command, arguments):
    store(tmp_path, "02_a.ipynb")
    number = "42" if "42" in arguments else ""
    said = command.main(arguments, tmp_path)
    assert said == f"N must be the number of a lesson: 02. Received: N={number}"


def test_a_lesson_and_its_evidence_have_names_and_places_of_their_own():
    paths = Path("notebooks/02_rnn.ipynb"), Path("notebooks/evidence/02_rnn.ipynb")
    assert [lessons.name_of(path) for path in paths] == ["02_rnn", "02e_rnn"]
    assert [Path(lessons.place_of(path)) for path in paths] == list(paths)
    assert lessons.link_to(paths[1]) == "[02 evidence](notebooks/evidence/02_rnn.ipynb)"


def test_a_lesson_is_executed_from_an_empty_kernel_with_settings_and_a_python(tmp_path, monkeypatch):
    monkeypatch.setenv("TAKEN", "1")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nASKED=1 exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    names = "[os.environ.get(name) for name in ('COURSE_SEED', 'TAKEN', 'ASKED')]"
    notebook = stored(tmp_path, code(f"import os\nprint({names})", count=7), code("1 + 1"))
    executed = lessons.execute(notebook, tmp_path, {"COURSE_SEED": "3", "TAKEN": None}, python=python)
    assert [cell.execution_count for cell in executed.cells] == [1, 2]
    assert executed.cells[0].outputs[0].text == "['3', None, '1']\n"
    assert notebook.cells[0].execution_count == 7


def open_loops():
    kinds = ((each, type(each)) for each in gc.get_objects())  # of some, isinstance would ask more
    return [each for each, kind in kinds if issubclass(kind, asyncio.BaseEventLoop) and not each.is_closed()]


def test_no_event_loop_is_left_open(tmp_path):
    before = open_loops()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lessons.execute, stored(tmp_path, code("1")), tmp_path).result()
        assert open_loops() == before  # while the thread, which holds its loop, lives


def test_an_error_stops_a_lesson_and_is_told_with_what_its_cell_wrote_to_stderr(tmp_path):
    source = "import sys\nprint('pip says why', file=sys.stderr)\nraise KeyError('no')"
    cells = (code("print('a warning', file=__import__('sys').stderr)"), code(source), code("1", count=9))
    stopped = lessons.execute(stored(tmp_path, *cells), tmp_path)
    assert lessons.errors(stopped) == ["KeyError: 'no'\n  pip says why"]
    assert stopped.cells[2].execution_count is None


def test_a_kernel_that_dies_fails_its_lesson_alone(tmp_path):
    outcome = lessons.run(stored(tmp_path, code("import os\nos._exit(1)")), tmp_path)
    assert outcome.failed == ["DeadKernelError: Kernel died"]
    assert (outcome.log, outcome.notebook.cells[0].outputs) == ([], [])


def test_solving_replaces_the_stub_and_keeps_the_check_whole(tmp_path):
    check = 'check(\n    "02.answer",\n    answer,\n)'
    stub = f"def answer():\n    raise NotImplementedError\n\n\n{check}"
    notebook = stored(tmp_path, markdown("# 02"), code("1"), code(stub, "exercise"))
    solved = lessons.solve(notebook, {"02.answer": "\ndef answer():\n    return 42\n"}.get)
    assert solved.cells[2].source == f"def answer():\n    return 42\n\n\n{check}"
    assert notebook.cells[2].source == stub


def test_a_class_is_solved_too_and_the_cells_below_use_it(tmp_path):
    course = "def check(name, answer): pass\ndef own(name, answer, otherwise): return answer"
    mine = code("Mine = own('04.cell', Cell, otherwise=None)\nMine().call()")
    notebook = stored(tmp_path, code(course), code(CLASS, "exercise"), mine)
    solved = lessons.solve(notebook, {"04.cell": "class Cell:\n    def call(self):\n        return 42"}.get)
    outcomes = [lessons.execute(each, tmp_path) for each in (notebook, solved)]
    assert [lessons.errors(each) for each in outcomes] == [["NotImplementedError: "], []]
    assert outcomes[1].cells[2].outputs[0].data["text/plain"] == "42"


def test_an_exercise_without_a_check_is_refused():
    with pytest.raises(ValueError, match=r"ends in check\(.*Received: 'print\(1\)'"):
        lessons.exercise("def f(): pass\nprint(1)")


def test_calls_are_counted_and_words_are_not():
    source = "claim('a claim', (1, '>', 0))\nlesson.claim('b')\n# claim(\nreclaim()"
    assert len(lessons.calls(source, "claim")) == 2
    assert lessons.calls("def (", "claim") == []


def test_writing_keeps_the_mode_of_the_file_and_the_old_text_when_it_is_stopped(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    path = write(tmp_path, "file.txt", "old")
    path.chmod(0o640)
    lessons.write(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    monkeypatch.setattr(lessons.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        lessons.write(path, "newer")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
