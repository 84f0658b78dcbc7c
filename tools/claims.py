"""Write CLAIMS.md, the page of all claims and verdicts, from what the stored lessons say held."""

import argparse
import re
import sys
from dataclasses import dataclass

from course_utils import lesson
from tools import lessons

PAGE = lessons.ROOT / "CLAIMS.md"
# What `lesson.claim` and `lesson.settle` print: a text in one line or more, then its figures, if it has any.
MEASURED = re.compile(r"^✓ (.+(?:\n  .+)*?)(?=\n  measured \S+ (?:[<>]=?|==) \S+$)", re.MULTILINE)
NOT_MEASURED = re.compile(r"^(Statement \d+: .+(?:\n  .+)*?)\s+\(a\s+matter\s+of\s+\w+\)$", re.MULTILINE)
STATEMENT = re.compile(r"Statement (\d+): (.+) → (.+)")
HEAD = """\
# What is claimed, and what was checked

Each line stands in a lesson behind a measurement that is made again whenever the lesson runs, and that raises
an error if it says otherwise. `make run` checks all of them, and `make seeds SEEDS=0-9` shows by how much
they hold. This page is written from the stored lessons by `make claims`, and a test holds it up to date.

## Statements

What widely read notes on the subject say, in our words, and what came of it. A verdict that begins with
"holds only when" says what is missing. Statements {without} are matters of definition or history, and have a
verdict without a measurement. Where a statement is a formula, the formula, written out, is compared with what
the layer computes.

| | what is said | verdict | lesson |
| --: | --- | --- | --- |
{statements}

## Claims

What the lessons found in addition.
"""


@dataclass(frozen=True)
class Found:
    """What one stored lesson says held: its claims, and its statements by number."""

    name: str
    title: str
    claims: list
    statements: dict


def main(arguments=None):
    """Write the page and return the exit code."""
    argparse.ArgumentParser(prog="make claims", description=__doc__).parse_args(arguments)
    missing = [line for path in lessons.find() if (line := lacks(path))]
    if missing:
        return "\n".join(missing)
    lessons.write(PAGE, render(found(path) for path in lessons.find()))
    print(f"Wrote {PAGE.name}.")
    return 0


def lacks(path):
    """Say which claims and statements of the lesson at `path` its stored outputs lack; `None` if none."""
    code, held = lessons.code_cells(lessons.read(path)), found(path)
    for name, count in (("claim", len(held.claims)), ("settle", len(held.statements))):
        wanted = sum(lessons.calls(cell.source, name) for cell in code)
        if count < wanted:  # a loop may make more
            number = path.name[:2]
            return (
                f"{path.name} calls {name} {wanted} times, and its outputs show {count} of them: run "
                f"make save N={number}, then this again."
            )
    return None


def found(path):
    """Read what the lesson at `path` says held."""
    notebook = lessons.read(path)
    outputs = [output.get("text", "") for cell in lessons.code_cells(notebook) for output in cell.outputs]
    measured, others = (
        [" ".join(text.split("\n  ")) for output in outputs for text in form.findall(output)]
        for form in (MEASURED, NOT_MEASURED)
    )
    settled = {text: match for text in measured + others if (match := STATEMENT.fullmatch(text))}
    claims = [text for text in measured if text not in settled]
    statements = {int(match[1]): match.groups()[1:] for match in settled.values()}
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    return Found(path.name, title, claims, statements)


def render(all_found):
    """Return the page."""
    all_found = list(all_found)
    rows = sorted(
        (number, said, verdict, each.name)
        for each in all_found
        for number, (said, verdict) in each.statements.items()
    )
    table = "\n".join(
        f"| {number} | {_cell(said)} | {_cell(verdict)} | [{name[:2]}](notebooks/{name}) |"
        for number, said, verdict, name in rows
    )
    *others, last = lesson.WITHOUT_MEASUREMENT
    parts = [HEAD.format(statements=table, without=f"{', '.join(map(str, others))} and {last}")]
    for each in all_found:
        parts.append(f"### [{each.title}](notebooks/{each.name})\n")
        parts.append("\n".join(f"- {claim}" for claim in each.claims) + "\n")
    return "\n".join(parts)


def _cell(text):
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
