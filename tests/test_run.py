"""tools/run.py: every lesson is run, what held is counted, and a page is written for each."""

import re

import pytest
from small_lessons import CLAIM, STUB, code, markdown, store

from tools import form, run

SOLUTION = "def answer():\n    return 42"


@pytest.fixture(name="run_all")
def _run_all(tmp_path, capsys):
    """A function that runs the lessons stored there; it gives the exit code and what was printed."""

    def run_all(solution=SOLUTION):
        exit_code = run.main([], tmp_path, tmp_path / "build", lambda _: solution)
        return exit_code, capsys.readouterr().out

    return run_all


def test_a_lesson_that_holds(tmp_path, run_all):
    cells = (markdown("# 02\n\n$h_t$"), code(CLAIM), code("claim('a', True)"), code("claim('b', True)"))
    store(tmp_path, "02_good.ipynb", *cells, code(STUB, "exercise"))
    exit_code, printed = run_all()
    assert exit_code == 0
    assert re.fullmatch(r"02_good +\d+ s +2/2 claims held +1/1 exercises solved\n", printed)
    assert "<math" in (tmp_path / "build/02_good.html").read_text()


def test_a_lesson_that_fails_does_not_stop_the_others(tmp_path, run_all):
    (tmp_path / "01_none.ipynb").write_text("not a notebook")
    why = code("raise KeyError('the reason')")
    store(tmp_path, "02_bad.ipynb", code(CLAIM), why, code("claim('a', True)"))
    store(tmp_path, "03_good.ipynb", code(CLAIM), code("claim('a', True)"))
    exit_code, printed = run_all()
    assert exit_code == 1
    assert re.search(r"^01_none +FAILED\n  NotJSONError: ", printed)
    assert re.search(r"02_bad .* 0/1 claims .*FAILED\n  KeyError: 'the reason'\n  0 of 1 claims", printed)
    assert re.search(r"03_good .* 1/1 claims held +0/0 exercises solved$", printed, re.MULTILINE)


def test_after_a_claim_that_fails_the_others_are_measured(tmp_path, run_all):
    store(tmp_path, "02_a.ipynb", code(CLAIM), code("claim('sure', False)"), code("claim('b', True)"))
    exit_code, printed = run_all()
    assert exit_code == 1
    assert re.search(r"1/2 claims .*FAILED\n  ClaimError: sure\n$", printed)


def test_an_exercise_whose_solution_is_wrong_fails(tmp_path, run_all):
    store(tmp_path, "02_a.ipynb", code(CLAIM), code(STUB, "exercise"))
    exit_code, printed = run_all("def answer():\n    return 41")
    assert exit_code == 1
    assert "0/1 exercises solved   FAILED" in printed


def test_evidence_is_run_after_the_lessons_and_what_is_above_its_budget_is_marked(
    tmp_path, run_all, monkeypatch
):
    monkeypatch.setattr(form, "EVIDENCE", form.EVIDENCE._replace(most_seconds=0))
    store(tmp_path, "evidence/02_a.ipynb", code("import os\nassert os.getcwd().endswith('/evidence')"))
    store(tmp_path, "02_a.ipynb", code("1"))
    lesson, evidence = run_all()[1].splitlines()
    assert re.fullmatch(r"02_a .* solved", lesson)
    assert re.fullmatch(r"02e_a .* solved   above 0 s", evidence)
    assert {path.name for path in (tmp_path / "build").iterdir()} == {"02_a.html", "02e_a.html"}
