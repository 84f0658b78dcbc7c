"""tools/run.py: every lesson is run, what held is counted, and a page is written for each."""

import re

import pytest
from small_lessons import CLAIM, STUB, code, markdown, store

from tools import run

SOLUTION = "def answer():\n    return 42"


def run_all(folder, capsys, solution=SOLUTION):
    """Run the lessons in a folder; return the exit code and what was printed."""
    exit_code = run.run(sorted(folder.glob("*.ipynb")), folder / "build", lambda _: solution)
    return exit_code, capsys.readouterr().out


def row(printed, name):
    (line,) = (line for line in printed.splitlines() if re.match(rf"{name} .*\d/\d", line))
    return line


def test_a_lesson_that_holds(tmp_path, capsys):
    cells = (code(CLAIM), code("claim('a', True)"), code("claim('b', True)"), code(STUB, "exercise"))
    store(tmp_path, "02_good.ipynb", *cells)
    exit_code, printed = run_all(tmp_path, capsys)
    assert exit_code == 0
    assert re.search(r"lesson +seconds +claims held +exercises solved", printed)
    assert re.search(r"02_good +\d+ +2/2 +1/1 *$", row(printed, "02_good"))
    assert (tmp_path / "build/02_good.html").exists()


def test_a_lesson_that_fails_does_not_stop_the_others(tmp_path, capsys):
    store(
        tmp_path, "01_bad.ipynb", code(CLAIM), code("raise KeyError('the reason')"), code("claim('a', True)")
    )
    store(tmp_path, "02_good.ipynb", code(CLAIM), code("claim('a', True)"))
    exit_code, printed = run_all(tmp_path, capsys)
    assert exit_code == 1
    assert re.search(r"0/1 +0/0 +FAILED", row(printed, "01_bad"))
    assert re.search(r"1/1 +0/0 *$", row(printed, "02_good"))
    assert re.search(r"01_bad failed:\n +KeyError: 'the reason'", printed)


def test_after_a_claim_that_fails_the_others_are_measured(tmp_path, capsys):
    store(tmp_path, "02_a.ipynb", code(CLAIM), code("claim('sure', False)"), code("claim('b', True)"))
    exit_code, printed = run_all(tmp_path, capsys)
    assert exit_code == 1
    assert "1/2" in row(printed, "02_a")
    assert "ClaimError: sure" in printed


def test_an_exercise_whose_solution_is_wrong_fails(tmp_path, capsys):
    store(tmp_path, "02_a.ipynb", code(CLAIM), code(STUB, "exercise"))
    exit_code, printed = run_all(tmp_path, capsys, "def answer():\n    return 41")
    assert exit_code == 1
    assert re.search(r"0/1 +FAILED", row(printed, "02_a"))


def test_a_file_that_is_no_notebook_is_a_lesson_that_fails(tmp_path, capsys):
    (tmp_path / "02_a.ipynb").write_text("not a notebook")
    exit_code, printed = run_all(tmp_path, capsys)
    assert exit_code == 1
    assert "02_a failed:" in printed


@pytest.mark.parametrize(
    ("seconds", "shown"), [(59, "59"), (61, "61 (above 60)"), (121, "121 (above 120, too slow)")]
)
def test_slow_lessons_are_marked(seconds, shown):
    line = run.table([run.Result("02_a", seconds=seconds)]).splitlines()[-1]
    assert line.split("0/0")[0].split(maxsplit=1)[1].strip() == shown


@pytest.mark.parametrize("arguments", [["--one", "42"], ["--one"]])
def test_an_unknown_lesson_is_one_clear_line(tmp_path, arguments):
    store(tmp_path, "02_a.ipynb")
    said = run.main(arguments, tmp_path)
    assert said.startswith("N must be the number of a lesson: 02. Received: N=")
    assert "\n" not in said


def test_pages_show_equations_without_a_network(tmp_path, capsys):
    store(tmp_path, "02_a.ipynb", markdown("# 02\n\n$h_t$"), code("1"))
    run_all(tmp_path, capsys)
    assert "<math" in (tmp_path / "build/02_a.html").read_text()
