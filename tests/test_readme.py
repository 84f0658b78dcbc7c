"""The README says what is there: lessons, links, and a picture that a lesson made."""

import base64
import re

import pytest
from num2words import num2words

from course_utils import lesson
from course_utils.exercises import statements
from tools import lessons

README = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
TEACHING = (lessons.ROOT / "docs/teaching.md").read_text(encoding="utf-8")
ROWS = [line for line in README.splitlines() if line.startswith("| [")]
LESSONS = [path for path in lessons.find() if not lessons.is_evidence(path)]


@pytest.mark.parametrize("path", LESSONS, ids=lessons.name_of)
def test_each_lesson_has_a_row_with_its_question_its_badge_and_its_evidence(path):
    question = lessons.read(path).cells[0].source.splitlines()[0].partition(": ")[2]
    (row,) = [row for row in ROWS if f"(notebooks/{path.name})" in row]
    assert question.lower() in row.lower()
    *_, badge, evidence = row.removesuffix(" |").split(" | ")
    assert f"/notebooks/{path.name})" in badge.partition("colab.research.google.com/github")[2]
    place = path.parent / "evidence" / path.name
    link = f"[evidence]({lessons.place_of(place)}) {badge.replace('/notebooks/', '/notebooks/evidence/')}"
    assert evidence == (link if place.exists() else "-")


def test_no_row_names_a_lesson_that_is_not_there():
    assert len(ROWS) == len(LESSONS)


def test_the_numbers_of_statements_and_verdicts_are_those_of_the_course():
    (said,) = re.findall(r"make (\d+) \*statements\*", README)
    (unmeasured,) = re.findall(r"all but (\w+) by a measurement", README)
    verdicts = [each["verdict"] for each in statements.read().values()]
    beginnings = [("holds only when", "does not hold") for _ in verdicts]
    conditional, wrong = (sum(map(str.startswith, verdicts, each)) for each in zip(*beginnings, strict=True))
    counts = len(verdicts) - conditional - wrong, conditional, wrong
    assert "**{} hold, {} hold only under a condition, {} do not.**".format(*counts) in README
    assert int(said) == len(lesson.STATEMENTS)
    assert unmeasured == num2words(len(lesson.WITHOUT_MEASUREMENT))


@pytest.mark.parametrize("name", ["README.md", "docs/teaching.md"])
def test_every_file_that_is_linked_exists(name):
    page = lessons.ROOT / name
    linked = re.findall(r"\]\((?!https?://|#)([^)]+)\)", page.read_text(encoding="utf-8"))
    assert linked
    assert [link for link in linked if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("path", LESSONS, ids=lessons.name_of)
def test_each_lesson_has_its_week(path):
    weeks = [line for line in TEACHING.splitlines() if re.match(r"\| \d", line)]
    (week,) = [line for line in weeks if f"(../notebooks/{path.name})" in line]
    assert week.startswith(f"| {int(path.name[:2])} | [{path.name[:2]} ")


def test_the_pictures_are_those_of_the_lessons():
    cells = [cell for path in lessons.find() for cell in lessons.code_cells(lessons.read(path))]
    tagged = {tag: cell for cell in cells for tag in lessons.tags(cell) if tag.startswith("picture-")}
    assert tagged
    for tag, cell in tagged.items():
        name = tag.removeprefix("picture-")
        (image,) = lessons.pictures(cell)
        assert (lessons.ROOT / "docs" / f"{name}.png").read_bytes() == base64.b64decode(image)
        assert f"(docs/{name}.png)" in README
