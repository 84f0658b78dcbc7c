"""Write CLAIMS.md, and the statements for `vote`, from what the stored notebooks say held."""

import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from course_utils import lesson
from course_utils.exercises import statements
from tools import lessons, seeds

PAGE = lessons.ROOT / "CLAIMS.md"
# What `lesson.claim` and `lesson.settle` print: a text in one line or more, then its figures, if it has any.
FIGURE = r"  measured \S+ (?:[<>]=?|==) \S+(?: \(.+\))?"
MEASURED = re.compile(rf"^✓ (.+(?:\n  .+)*?)((?:\n{FIGURE}$)+)", re.MULTILINE)
NOT_MEASURED = re.compile(r"^(Statement \d+: .+(?:\n  .+)*?)\s+\(a\s+matter\s+of\s+\w+\)()$", re.MULTILINE)
STATEMENT = re.compile(r"Statement (\d+): (.+) → (.+)")
HEAD = """\
# What is claimed, and what was checked

Each line stands in a lesson, or in its evidence, behind a measurement that is made again whenever that
notebook runs, and that raises an error if it says otherwise. `make run` checks all of them, and
`make seeds SEEDS=0-9` shows by how much they hold. This page is written by `make claims` from the stored
notebooks, and from what was measured under each seed, in `docs/seeds/`; a test holds it up to date.

In small type stands what was measured, from the least to the largest over the seeds, with its bound after it.
One figure alone is the same under every seed: nothing in it is drawn, or it comes from a record, whose
trainings have seeds of their own. A bound alone was not yet measured over seeds.
{mark} The code has changed since the seeds were run: figures are from before, a bound alone has none yet.

## Statements

What widely read notes on the subject say, in our words, and what came of it. A verdict that begins with
"holds only when" says what is missing. Statements {without} are matters of definition or history, and have a
verdict without a measurement. Where a statement is a formula, the formula, written out, is compared with what
the layer computes.

| | what is said | verdict | measured | where |
| --: | --- | --- | --- | --- |
{statements}

## Claims

What the lessons and their evidence found in addition.
"""
MARK, DASH = "†", "\N{EN DASH}"
NO_SEEDS = "Not yet run over seeds.\n"


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
        bounds = [figure.split(maxsplit=4)[1:] for figure in figures.strip().splitlines()]
        if match := STATEMENT.fullmatch(line):
            settled[int(match[1])] = {"said": match[2], "verdict": match[3], "bounds": bounds}
        else:
            claims.append({"text": line, "bounds": bounds})
    return Found(path, notebook.cells[0].source.splitlines()[0].removeprefix("# "), claims, settled)


def for_vote(all_found):
    """Return the text of the file that `vote` reads."""
    settled = {
        number: {**each, "lesson": one.path.name[:2], "where": lessons.place_of(one.path)}
        for one in all_found
        for number, each in one.statements.items()
    }
    return json.dumps(dict(sorted(settled.items())), ensure_ascii=False, indent=1) + "\n"


def render(all_found, folder=seeds.STORED):
    """Return the page, with the evidence of each lesson after it.

    Args:
        all_found: what each stored notebook says held.
        folder: where it is stored what was measured under each seed.
    """
    all_found = sorted(all_found, key=lambda one: lessons.number_of(one.path))
    rows, parts = [], []
    for one in all_found:
        stored = seeds.read(one.path, folder)
        current = stored and stored["code"] == seeds.code_key(one.path)
        for number, each in one.statements.items():
            measured = figures(f"{number}: {each['said']}", each["bounds"], stored, current)
            rows.append((number, each["said"], each["verdict"], measured, lessons.link_to(one.path)))
        parts.append(f"### [{one.title}]({lessons.place_of(one.path)})\n")
        faults = stored["seeds"].items() if stored else ()
        parts += [f"Seed {seed} failed: `{fault}`\n" for seed, failed in faults for fault in failed]
        parts += [] if stored else [NO_SEEDS]
        for each in one.claims:
            parts.append(f"- {each['text']} {figures(each['text'], each['bounds'], stored, current)}")
        parts.append("")
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in sorted(rows)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    *others, last = lesson.WITHOUT_MEASUREMENT
    head = HEAD.format(statements=table, without=f"{', '.join(map(str, others))} and {last}", mark=MARK)
    return "\n".join([head, *parts])


def figures(what, bounds, stored, current):
    """Return the bounds of a claim in small type, with what each measured over the seeds.

    Args:
        what: the claim, as `seeds` calls it.
        bounds: those that the notebook has printed: a figure, the relation, the limit, and perhaps words in
            brackets, of each.
        stored: what `seeds` has stored of the notebook, or None.
        current: whether the notebook's code is still the one that was run.
    """
    measured = list(seeds.bounds_of(stored, what)) if stored else []
    alike = len(measured) == len(bounds) and all(map(_alike, bounds, measured))
    if not bounds:
        return ""
    parts = [f"{relation} {limit}" for _, relation, limit, *_ in bounds]
    if alike:
        parts = [_ranges(each, limit) for each, (_, _, limit, *_) in zip(measured, bounds, strict=True)]
    named = ["".join(f"{words[1:-1]}: " for words in bound[3:]) for bound in bounds]
    parts = [name + part for name, part in zip(named, parts, strict=True)]
    if alike:
        parts.append(_named(measured[0].measured))
        failing = {seed for bound in measured for seed in bound.failing()}
        parts += [f"does not hold under {_named(failing)}"] if failing else []
    return f"<sub>{', '.join(parts)}{'' if not stored or (alike and current) else f' {MARK}'}</sub>"


def _alike(printed, bound):
    """Say whether a notebook has printed this bound: of its limit it shows six digits at least.

    A limit that is measured differs between machines, too.
    """
    _, relation, limit, *_ = printed
    limit = float({"True": 1, "False": 0}.get(limit, limit))
    is_measured = bool(bound.limits)
    return relation == bound.relation and (is_measured or math.isclose(limit, bound.limit, rel_tol=1e-5))


def _ranges(bound, printed):
    """Return what was measured, from the least to the largest, and the limit, which may have been, too."""
    limits = [bound.limit, *bound.limits.values()]
    ends = [(min(values), max(values)) for values in (list(bound.measured.values()), limits)]
    measured = [lesson._figures(end, bound.limit)[0] for end in ends[0]]
    limit = [lesson._figures(end, end)[1] for end in ends[1]]
    if printed in ("True", "False"):
        measured, limit = ([str(bool(end)) for end in each] for each in ends)
    measured, limit = (f" {DASH} ".join(dict.fromkeys(each)) for each in (measured, limit))
    return f"{measured} ({bound.relation} {limit})"


def _named(numbers):
    """Return seeds in words."""
    first, *_, last = sorted([*numbers, *numbers])
    if len(numbers) == last - first + 1 > 1:
        return f"seeds {first}{DASH}{last}"
    return f"seed{'s' * (len(numbers) > 1)} {', '.join(map(str, sorted(numbers)))}"


if __name__ == "__main__":
    sys.exit(main())
