"""tools/claims.py: the page of claims says what the stored lessons say, and no statement is left open."""

import pytest
from small_lessons import code, markdown, printed, store

from course_utils import lesson
from tools import claims, lessons

SAID = """\
some figure 0.5
✓ Claim: it | learns
✓ Statement 7: it is fast → holds only when it is small
✓ Statement 3: it → is good → does not hold
"""


@pytest.fixture(name="found")
def _found(tmp_path):
    cells = [markdown("# 02 · RNN: what?\n\ntext"), code("x", outputs=[printed(SAID)], count=1)]
    return claims.found(store(tmp_path, "02_rnn.ipynb", *cells))


def test_a_lessons_lines_are_found(found):
    assert found == claims.Found(
        "02_rnn.ipynb",
        "02 · RNN: what?",
        ["it | learns"],
        {7: ("it is fast", "holds only when it is small"), 3: ("it → is good", "does not hold")},
    )


def test_the_page_has_them_by_number_and_by_lesson(found):
    page = claims.render([found])
    third, seventh = page.index("| 3 | it → is good | does not hold"), page.index("| 7 | it is fast")
    assert third < seventh
    assert "[02](notebooks/02_rnn.ipynb)" in page
    assert "### [02 · RNN: what?](notebooks/02_rnn.ipynb)\n\n- it | learns\n" in page


def test_the_stored_page_is_up_to_date():
    page = claims.render(claims.found(path) for path in lessons.find())
    assert claims.PAGE.read_text(encoding="utf-8") == page, "run `make claims`"


def test_every_statement_is_settled_once():
    settled = [number for path in lessons.find() for number in claims.found(path).statements]
    assert sorted(settled) == list(lesson.STATEMENTS)


@pytest.mark.parametrize("path", lessons.find(), ids=lambda path: path.stem)
def test_every_claim_in_a_lessons_source_is_on_the_page(path):
    found = claims.found(path)
    notebook = lessons.read(path)
    counted = [
        sum(lessons.calls(cell.source, name) for cell in lessons.code_cells(notebook))
        for name in ("claim", "settle")
    ]
    assert [len(found.claims), len(found.statements)] >= counted
