"""What is often said, and what came of it: read from the file that `make claims` writes.

The file has, for each statement's number: `said`; `verdict`; `bounds`, a list of what was measured, the
relation, the limit and perhaps words, as they are printed; `lesson`, its number; and `where`, the notebook
that settles it.
"""

import json
import textwrap
from pathlib import Path

from course_utils.lesson import WIDTH, WITHOUT_MEASUREMENT

FILE = Path(__file__).parent.parent / "records" / "statements.json"
IT_DEPENDS = "holds only when "
DEPENDS = "depends"  # a vote


def read():
    """Return all statements: a dict from each number to what the file has on it."""
    return {int(number): each for number, each in json.loads(FILE.read_text(encoding="utf-8")).items()}


def of_lesson(lesson):
    """Return the statements of a lesson.

    Args:
        lesson: its number, such as "04".

    Raises:
        ValueError: there is none of that number with statements.
    """
    everything = read()
    lessons = sorted({each["lesson"] for each in everything.values()})
    if not isinstance(lesson, str) or lesson not in lessons:
        raise ValueError(f"`lesson` must be one of {', '.join(lessons)}. Received: lesson={lesson!r}")
    return {number: each for number, each in everything.items() if each["lesson"] == lesson}


def show(number, settled, vote):
    """Print a statement, and with a vote also the verdict, its figures, and where it is settled."""
    print(_wrapped(f"{number}. {settled['said']}", ""))
    if vote is None:
        return
    voted = {True: "it holds", False: "it does not hold", DEPENDS: "it depends"}[vote]
    print(_wrapped(f"you voted: {voted}. {_compared(settled['verdict'], vote)}"))
    for bound in settled["bounds"]:
        print(f"  measured {' '.join(bound)}")
    if not settled["bounds"]:
        print(f"  a matter of {WITHOUT_MEASUREMENT[number]}: nothing is measured")
    print(f"  settled in {settled['where']}")


def _compared(verdict, vote):
    right = DEPENDS if verdict.startswith(IT_DEPENDS) else verdict == "holds"
    return f"{'Yes' if vote == right else 'No'}: it {verdict}."


def _wrapped(line, indent="  "):
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
