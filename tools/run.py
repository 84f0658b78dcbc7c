"""Run every lesson from an empty kernel, show what held, and write each as a page to build/."""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from tools import lessons, page

BUILD = lessons.ROOT / "build"
AIM_SECONDS, MOST_SECONDS = 60, 120
ERROR_LINES = 12


@dataclass
class Result:
    """What one lesson showed."""

    name: str
    seconds: float = 0.0
    held: int = 0
    claims: int = 0
    solved: int = 0
    exercises: int = 0
    error: str = ""

    @property
    def passed(self):
        """Whether nothing failed: no error, no claim, no exercise."""
        return not self.error and self.held == self.claims and self.solved == self.exercises


def main(arguments=None, folder=lessons.NOTEBOOKS):
    """Run the lessons and return the exit code."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--one", nargs="?", const="", metavar="N", help="only the lesson with this number")
    options = parser.parse_args(arguments)
    try:
        paths = lessons.find(options.one, folder)
    except ValueError as error:
        return str(error)
    return run(paths)


def run(paths, build=BUILD, solution_source=None):
    """Run the lessons at `paths`, print the table and what failed; return 1 if anything did, else 0.

    Args:
        paths: the lessons.
        build: the folder for the pages.
        solution_source: gives the source of an exercise's solution by name; the course's own by default.
    """
    build.mkdir(parents=True, exist_ok=True)
    results = [run_lesson(path, build, solution_source or _solution_source) for path in paths]
    print(table(results))
    for result in results:
        if result.error:
            print(f"\n{result.name} failed:\n{result.error}")
    return int(not all(result.passed for result in results))


def run_lesson(path, build, solution_source):
    """Run one lesson as it stands and once more solved, and write its page; return the `Result`."""
    result = Result(path.stem)
    try:
        notebook = lessons.read(path)
        stubs = lessons.exercises(notebook)
        result.claims, result.exercises = count_claims(notebook), len(stubs)
        bar = tqdm(total=len(notebook.cells) * (2 if stubs else 1), desc=path.stem, unit="cell", leave=False)
        with bar:
            _run_as_it_stands(notebook, path, build, result, bar)
            if stubs:
                _run_solved(lessons.solve(notebook, solution_source), path, result, bar)
    except Exception as error:  # whatever it is, the other lessons are still run
        result.error = result.error or f"{type(error).__name__}: {error}"
    return result


def count_claims(notebook):
    """Count the claims in a lesson's source: one that is never reached has not held."""
    return sum(lessons.calls(cell.source, "claim") for cell in lessons.code_cells(notebook))


def table(results):
    """Return the results as a table of text."""
    rows = [
        (
            result.name,
            f"{result.seconds:.0f}{_mark(result.seconds)}",
            f"{result.held}/{result.claims}",
            f"{result.solved}/{result.exercises}",
            "" if result.passed else "FAILED",
        )
        for result in results
    ]
    return tabulate(rows, ("lesson", "seconds", "claims held", "exercises solved", ""), disable_numparse=True)


def _mark(seconds):
    if seconds > MOST_SECONDS:
        return f" (above {MOST_SECONDS}, too slow)"
    return f" (above {AIM_SECONDS})" if seconds > AIM_SECONDS else ""


def _run_as_it_stands(notebook, path, build, result, bar):
    begun = time.monotonic()
    executed, log = _execute(notebook, path, bar)
    result.seconds = time.monotonic() - begun
    claims = [entry for entry in log if entry["kind"] == "claim"]
    result.held = sum(entry["held"] for entry in claims)
    result.claims = max(result.claims, len(claims))
    result.error = _error_text(executed)
    lessons.write(build / f"{path.stem}.html", page.render(executed, path.stem))


def _run_solved(notebook, path, result, bar):
    executed, log = _execute(notebook, path, bar)
    solved = {entry["name"] for entry in log if entry["kind"] == "exercise" and entry["solved"]}
    asked = [lessons.exercise(cell.source)[0] for cell in lessons.exercises(notebook)]
    result.solved = sum(name in solved for name in asked)
    result.error = result.error or _error_text(executed)


def _execute(notebook, path, bar):
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        settings = {"COURSE_QUIET": "1", "COURSE_LOG": str(log)}
        # After a claim that does not hold, the others are still measured.
        executed = lessons.execute(notebook, path.parent, settings, bar.update, go_on_after=["ClaimError"])
        return executed, lessons.read_log(log)


def _error_text(notebook):
    texts = []
    for error in lessons.errors(notebook):
        last = f"{error.ename}: {error.evalue}".strip().splitlines()[-ERROR_LINES:]
        texts.append("\n".join(f"  {line}" for line in last))
    return "\n".join(texts)


def _solution_source(name):
    from course_utils import exercises  # late, because it brings TensorFlow

    return exercises.solution_source(name)


if __name__ == "__main__":
    sys.exit(main())
