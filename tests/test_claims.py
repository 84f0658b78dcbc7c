"""tools/claims.py: the page of claims says what the stored lessons say, and no statement is left open."""

import json
import re
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from course_utils import lesson
from course_utils.exercises import statements
from tools import claims, lessons

LONG = "all distances: the LSTM answers at every one, and what is measured | is measured at its end"
UNMEASURED = lesson.WITHOUT_MEASUREMENT
BOUNDS = [["-1", "<", "0"], ["0.1234", "==", "0.1234"]]
VERDICT = "holds only when the gates start open, and nothing else is in the way of remembering"


@pytest.fixture(name="found")
def _found(tmp_path, capsys):
    print("some figure 0.5\n  another 0.5")
    lesson.claim(LONG, (0.5, ">", 0.1), (1e-9, "<", 1))
    print("  measured by somebody else\n  ✓ is a number\n✓ is not a claim")
    lesson.claim("it learns", (True, "==", True))
    lesson.settle(7, f"{LONG}, said twice: {LONG}", VERDICT, (-1, "<", 0), (0.1234, "==", 0.1234))
    for number in UNMEASURED:
        lesson.settle(number, f"it → is good and {LONG}"[:70], "does not hold")
    cells = [markdown("# 02 · RNN: what?\n\ntext"), code("x", outputs=[printed(capsys.readouterr().out)])]
    return claims.found(store(tmp_path, "02_rnn.ipynb", *cells))


@pytest.fixture(name="evidence")
def _evidence(tmp_path):
    text = printed("✓ it shows\n  measured 2 > 1\n✓ Statement 8: it is one → holds\n  measured 1 > 0\n")
    cells = markdown("# 01 · It: the evidence"), code("x", outputs=[text])
    return claims.found(store(tmp_path, "evidence/01_it.ipynb", *cells))


def test_a_lessons_claims_are_found_however_long_they_are(found):
    assert (found.path.name, found.title) == ("02_rnn.ipynb", "02 · RNN: what?")
    assert found.claims == [LONG, "it learns"]


def test_a_lessons_statements_are_found_measured_or_not(found):
    said = f"it → is good and {LONG}"[:70]
    assert found.statements == {
        7: {"said": f"{LONG}, said twice: {LONG}", "verdict": VERDICT, "bounds": BOUNDS},
        **{number: {"said": said, "verdict": "does not hold", "bounds": []} for number in UNMEASURED},
    }


def test_the_page_has_them_by_number_and_by_notebook(found, evidence):
    page = claims.render([found, evidence])
    numbers = [7, *UNMEASURED]
    rows = [line.split(" | ")[0] for line in page.splitlines() if "(notebooks/02_rnn.ipynb) |" in line]
    assert rows == [f"| {number}" for number in sorted(numbers)]
    assert "### [02 · RNN: what?](notebooks/02_rnn.ipynb)\n\n- all distances" in page
    assert "### [01 · It: the evidence](notebooks/evidence/01_it.ipynb)\n\n- it shows" in page
    assert page.index("### [01") < page.index("### [02")
    assert r"what is measured \| is measured" in page
    assert f"| {VERDICT} | [02](notebooks/02_rnn.ipynb) |" in page
    assert "| 8 | it is one | holds | [01 evidence](notebooks/evidence/01_it.ipynb) |" in page


def test_votes_find_each_statement_by_its_number_with_its_lesson_and_its_place(found, evidence):
    settled = json.loads(claims.for_vote([found, evidence]))
    assert list(settled) == [str(number) for number in sorted([7, 8, *UNMEASURED])]
    place = {"lesson": "01", "where": "notebooks/evidence/01_it.ipynb"}
    assert settled["8"] == {"said": "it is one", "verdict": "holds", "bounds": [["1", ">", "0"]], **place}
    assert settled["7"]["where"] == "notebooks/02_rnn.ipynb"


def test_the_stored_page_and_the_statements_for_vote_are_up_to_date():
    found = [claims.found(path) for path in lessons.find()]
    assert claims.PAGE.read_text(encoding="utf-8") == claims.render(found), "run `make claims`"
    assert statements.FILE.read_text(encoding="utf-8") == claims.for_vote(found), "run `make claims`"


def test_every_statement_is_settled_once():
    settled = [number for path in lessons.find() for number in claims.found(path).statements]
    assert sorted(settled) == list(lesson.STATEMENTS)


@pytest.mark.parametrize("path", lessons.find(), ids=lessons.name_of)
def test_every_claim_in_a_lessons_source_is_on_the_page(path):
    assert claims.lacks(path) is None


def test_a_lesson_that_is_not_stored_leaves_the_page_alone(tmp_path, monkeypatch):
    outputs = [printed("✓ it learns\n  measured 0.97 > 0.9\n")]
    two = "claim('it learns', bound)\nclaim('it forgets', bound)"
    path = store(tmp_path, "02_rnn.ipynb", markdown("# 02 · RNN: what?"), code(two, outputs=outputs))
    monkeypatch.setattr(claims, "PAGE", tmp_path / "CLAIMS.md")
    monkeypatch.setattr(statements, "FILE", tmp_path / "statements.json")
    monkeypatch.setattr(claims.lessons, "find", lambda: [path])
    said = "notebooks/02_rnn.ipynb calls claim 2 times, and its outputs show 1 of them: run make save N=02"
    assert claims.main().startswith(said)
    assert not claims.PAGE.exists()
    assert not statements.FILE.exists()


CLAIMED = "✓ it learns\n  measured 0.97 > 0.9\n"
STORED = f"{CLAIMED}The loss measured 0.5 > 0.1\n"
COMPARED = [
    ("measured 0.97", "measured 0.98765", True),
    ("measured 0.97", "measured -1.2e-09", True),
    ("measured 0.97", "measured 524288", True),
    ("measured 0.97", "measured nan", True),
    ("measured 0.97", "measured -inf", True),
    ("measured 0.97", "measured True", True),
    ("> 0.9", ">= 0.9", False),
    ("> 0.9", "> 0.8", False),
    ("it learns", "it knows", False),
    ("\n  measured", "\n  measured 1 > 0.9\n  measured", False),
    ("  measured 0.97 > 0.9", "", False),
    ("\n  measured 0.97", " measured 0.98", False),
    ("loss measured 0.5", "loss measured 0.6", False),
    ("it learns", "it learns 0.97 > 0.9", False),
]


def test_of_what_a_claim_prints_the_measured_figure_alone_is_not_compared(tmp_path, capsys):
    lesson.claim("it learns", (0.97, ">", 0.9))
    assert capsys.readouterr().out == CLAIMED
    cells = [
        code(f"print({STORED.replace(old, new)!r}, end='')", outputs=[printed(STORED)], count=count)
        for count, (old, new, _) in enumerate(COMPARED, start=1)
    ]
    path = store(tmp_path, "02_rnn.ipynb", *cells)
    command = [sys.executable, "-m", "pytest", "-v", "-n0", "--tb=no", "--color=no", "-p", "no:cacheprovider"]
    settings = [f"--config-file={lessons.ROOT / 'pyproject.toml'}", f"--rootdir={lessons.ROOT}"]
    said = subprocess.run(
        [*command, *settings, path], cwd=lessons.ROOT, capture_output=True, text=True, check=False
    ).stdout
    assert re.findall(r"Cell \d+ (\w+)", said) == [
        "PASSED" if equal else "FAILED" for *_, equal in COMPARED
    ], said
