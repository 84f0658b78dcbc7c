"""Run every lesson from an empty kernel, show what held, and write each as a page to build/."""

import argparse
import sys

from tools import lessons, page

BUILD = lessons.ROOT / "build"
AIM_SECONDS, MOST_SECONDS = 60, 120


def main(arguments=None, folder=lessons.NOTEBOOKS, build=BUILD, solution_source=None):
    """Run the lessons and return the exit code.

    Args:
        arguments: those of the command line.
        folder: where the lessons are.
        build: the folder for the pages.
        solution_source: gives the source of an exercise's solution by name; the course's own by default.
    """
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--one", nargs="?", const="", metavar="N", help="only the lesson with this number")
    options = parser.parse_args(arguments)
    try:
        paths = lessons.find(options.one, folder)
    except ValueError as error:
        return str(error)
    build.mkdir(parents=True, exist_ok=True)
    passed = [run(path, build, solution_source or _solution_source) for path in paths]
    return int(not all(passed))


def run(path, build, solution_source):
    """Run one lesson as it stands and once more solved, write its page, and print what held.

    Returns:
        Whether nothing failed: no error, no claim, no exercise.
    """
    print(f"{path.stem:28}", end="", flush=True)
    try:
        notebook = lessons.read(path)
        as_it_stands = lessons.run(notebook, path.parent)
        lessons.write(build / f"{path.stem}.html", page.render(as_it_stands.notebook, path.stem))
        exercises = [lessons.exercise(cell.source)[0] for cell in lessons.exercises(notebook)]
        solution = lessons.solve(notebook, solution_source)
        solved = lessons.run(solution, path.parent) if exercises else as_it_stands
    except Exception as error:  # whatever it is, the other lessons are still run
        print(f"FAILED\n  {type(error).__name__}: {error}")
        return False
    held = [entry["held"] for entry in as_it_stands.log if entry["kind"] == "claim"]
    claims = max(len(held), lessons.count_claims(notebook))
    right = {entry["name"] for entry in solved.log if entry["kind"] == "exercise" and entry["solved"]}
    count = sum(name in right for name in exercises)
    failed = list(dict.fromkeys(as_it_stands.failed + solved.failed))
    passed = not failed and sum(held) == claims and count == len(exercises)
    counts = f"{sum(held)}/{claims} claims held   {count}/{len(exercises)} exercises solved"
    marks = _mark(as_it_stands.seconds) + ("" if passed else "   FAILED")
    print(f"{as_it_stands.seconds:4.0f} s   {counts}{marks}")
    for text in failed:
        print(f"  {text}")
    return passed


def _mark(seconds):
    if seconds > MOST_SECONDS:
        return f"   above {MOST_SECONDS} s, too slow"
    return f"   above {AIM_SECONDS} s" if seconds > AIM_SECONDS else ""


def _solution_source(name):
    from course_utils import exercises  # late, because it brings TensorFlow

    return exercises.solution_source(name)


if __name__ == "__main__":
    sys.exit(main())
