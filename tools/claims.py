"""Write CLAIMS.md, and the statements for `vote`, from what the stored notebooks say held."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from course_utils import lesson
from course_utils.exercises import statements
from tools import lessons

PAGE = lessons.ROOT / "CLAIMS.md"
# What `lesson.claim` and `lesson.settle` print: a text in one line or more, then its figures, if it has any.
MEASURED = re.compile(r"^✓ (.+(?:\n  .+)*?)((?:\n  measured \S+ (?:[<>]=?|==) \S+$)+)", re.MULTILINE)
NOT_MEASURED = re.compile(r"^(Statement \d+: .+(?:\n  .+)*?)\s+\(a\s+matter\s+of\s+\w+\)()$", re.MULTILINE)
STATEMENT = re.compile(r"Statement (\d+): (.+) → (.+)")
HEAD = """\
# What is claimed, and what was checked

Each line stands in a lesson, or in its evidence, behind a measurement that is made again whenever that
notebook runs, and that raises an error if it says otherwise. `make run` checks all of them, and
`make seeds SEEDS=0-9` shows by how much they hold. This page is written from the stored notebooks by
`make claims`, and a test holds it up to date.

## Statements

What widely read notes on the subject say, in our words, and what came of it. A verdict that begins with
"holds only when" says what is missing. Statements {without} are matters of definition or history, and have a
verdict without a measurement. Where a statement is a formula, the formula, written out, is compared with what
the layer computes.

| | what is said | verdict | where |
| --: | --- | --- | --- |
{statements}

## Claims

What the lessons and their evidence found in addition.
"""


@dataclass(frozen=True)
class Found:
    """What one stored notebook says held: its claims, and its statements by number."""

    path: Path
    title: str
    claims: list
    statements: dict


def main():
    """Write the page and the statements, and return the exit code."""
    if missing := [line for path in lessons.find() if (line := lacks(path))]:
        return "\n".join(missing)
    all_found = [found(path) for path in lessons.find()]
    for path, text in ((PAGE, render(all_found)), (statements.FILE, for_vote(all_found))):
        lessons.write(path, text)
        print(f"Wrote {path.name}.")
    return 0


def lacks(path):
    """Say which claims and statements of the notebook at `path` its stored outputs lack; `None` if none."""
    notebook, held = lessons.read(path), found(path)
    for name, count in (("claim", len(held.claims)), ("settle", len(held.statements))):
        if count < (wanted := lessons.count(notebook, name)):  # a loop may make more
            place, number = lessons.place_of(path), lessons.number_of(path)
            return (
                f"{place} calls {name} {wanted} times, and its outputs show {count} of them: "
                f"run make save N={number}, then this again."
            )
    return None


def found(path):
    """Read what the notebook at `path` says held."""
    notebook = lessons.read(path)
    outputs = [output.get("text", "") for cell in lessons.code_cells(notebook) for output in cell.outputs]
    printed, claims, settled = "\n".join(outputs), [], {}
    for text, figures in MEASURED.findall(printed) + NOT_MEASURED.findall(printed):
        line = " ".join(text.split("\n  "))
        if match := STATEMENT.fullmatch(line):
            bounds = [figure.split()[1:] for figure in figures.strip().splitlines()]
            settled[int(match[1])] = {"said": match[2], "verdict": match[3], "bounds": bounds}
        else:
            claims.append(line)
    return Found(path, notebook.cells[0].source.splitlines()[0].removeprefix("# "), claims, settled)


def for_vote(all_found):
    """Return the text of the file that `vote` reads."""
    settled = {
        number: {**each, "lesson": one.path.name[:2], "where": lessons.place_of(one.path)}
        for one in all_found
        for number, each in one.statements.items()
    }
    return json.dumps(dict(sorted(settled.items())), ensure_ascii=False, indent=1) + "\n"


def render(all_found):
    """Return the page, with the evidence of each lesson after it."""
    all_found = sorted(all_found, key=lambda one: lessons.number_of(one.path))
    rows = sorted(
        (number, each["said"], each["verdict"], lessons.link_to(one.path))
        for one in all_found
        for number, each in one.statements.items()
    )
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    *others, last = lesson.WITHOUT_MEASUREMENT
    parts = [HEAD.format(statements=table, without=f"{', '.join(map(str, others))} and {last}")]
    for one in all_found:
        parts.append(f"### [{one.title}]({lessons.place_of(one.path)})\n")
        parts.append("\n".join(f"- {claim}" for claim in one.claims) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
