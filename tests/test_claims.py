"""tools/claims.py: the page of claims says what the stored lessons say, and no statement is left open."""

import re
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from course_utils import lesson
from tools import claims, lessons

LONG = "all distances: the LSTM answers at every one, and what is measured | is measured at its end"
VERDICT = "holds only when the gates start open, and nothing else is in the way of remembering"


@pytest.fixture(name="found")
def _found(tmp_path, capsys):
    print("some figure 0.5\n  another 0.5")
    lesson.claim(LONG, (0.5, ">", 0.1), (1e-9, "<", 1))
    print("  measured by somebody else\n  ✓ is a number\n✓ is not a claim")
    lesson.claim("it learns", (True, "==", True))
    lesson.settle(7, f"{LONG}, said twice: {LONG}", VERDICT, (-1, "<", 0))
    for number in lesson.WITHOUT_MEASUREMENT:
        lesson.settle(number, f"it → is good and {LONG}"[:70], "does not hold")
    cells = [markdown("# 02 · RNN: what?\n\ntext"), code("x", outputs=[printed(capsys.readouterr().out)])]
    return claims.found(store(tmp_path, "02_rnn.ipynb", *cells))


def test_a_lessons_claims_are_found_however_long_they_are(found):
    assert (found.name, found.title) == ("02_rnn.ipynb", "02 · RNN: what?")
    assert found.claims == [LONG, "it learns"]


def test_a_lessons_statements_are_found_measured_or_not(found):
    said = f"it → is good and {LONG}"[:70]
    assert found.statements == {
        7: (f"{LONG}, said twice: {LONG}", VERDICT),
        **dict.fromkeys(lesson.WITHOUT_MEASUREMENT, (said, "does not hold")),
    }


def test_the_page_has_them_by_number_and_by_lesson(found):
    page = claims.render([found])
    numbers = [7, *lesson.WITHOUT_MEASUREMENT]
    rows = [line.split(" | ")[0] for line in page.splitlines() if "(notebooks/02_rnn.ipynb) |" in line]
    assert rows == [f"| {number}" for number in sorted(numbers)]
    assert "### [02 · RNN: what?](notebooks/02_rnn.ipynb)\n\n- all distances" in page
    assert r"what is measured \| is measured" in page
    assert f"| {VERDICT} | [02](notebooks/02_rnn.ipynb) |" in page


def test_the_stored_page_is_up_to_date():
    page = claims.render(claims.found(path) for path in lessons.find())
    assert claims.PAGE.read_text(encoding="utf-8") == page, "run `make claims`"


def test_every_statement_is_settled_once():
    settled = [number for path in lessons.find() for number in claims.found(path).statements]
    assert sorted(settled) == list(lesson.STATEMENTS)


@pytest.mark.parametrize("path", lessons.find(), ids=lambda path: path.stem)
def test_every_claim_in_a_lessons_source_is_on_the_page(path):
    assert claims.lacks(path) is None


def test_a_lesson_that_is_not_stored_leaves_the_page_alone(tmp_path, monkeypatch):
    outputs = [printed("✓ it learns\n  measured 0.97 > 0.9\n")]
    two = "claim('it learns', bound)\nclaim('it forgets', bound)"
    path = store(tmp_path, "02_rnn.ipynb", markdown("# 02 · RNN: what?"), code(two, outputs=outputs))
    monkeypatch.setattr(claims, "PAGE", tmp_path / "CLAIMS.md")
    monkeypatch.setattr(claims.lessons, "find", lambda: [path])
    said = "02_rnn.ipynb calls claim 2 times, and its outputs show 1 of them: run make save N=02"
    assert claims.main([]).startswith(said)
    assert not claims.PAGE.exists()


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
