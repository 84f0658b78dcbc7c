"""Run every lesson from an empty kernel, and show what held."""

import argparse
import sys

from tools import form, lessons


def main(arguments=None, folder=lessons.NOTEBOOKS, solution_source=None):
    """Run the lessons and return the exit code.

    Args:
        arguments: those of the command line.
        folder: where the lessons are.
        solution_source: gives the source of an exercise's solution by name; the course's own by default.
    """
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--one", nargs="?", const="", metavar="N", help="02 for a lesson, 02e for evidence")
    options = parser.parse_args(arguments)
    try:
        paths = lessons.find(options.one, folder)
    except ValueError as error:
        return str(error)
    passed = [run(path, solution_source or _solution_source) for path in paths]
    return int(not all(passed))


def run(path, solution_source):
    """Run one lesson as it stands and once more solved, and print what held.

    Returns:
        Whether nothing failed: no error, no claim, no exercise.
    """
    name, most = lessons.name_of(path), form.form_of(path).most_seconds
    print(f"{name:28}", end="", flush=True)
    try:
        notebook = lessons.read(path)
        as_it_stands = lessons.run(notebook, path.parent)
        exercises = [lessons.exercise(cell.source)[0] for cell in lessons.exercises(notebook)]
        solution = lessons.solve(notebook, solution_source)
        solved = lessons.run(solution, path.parent) if exercises else as_it_stands
    except Exception as error:  # whatever it is, the other lessons are still run
        print(f"FAILED\n  {type(error).__name__}: {error}")
        return False
    held = [entry["held"] for entry in as_it_stands.log if entry["kind"] == "claim"]
    claims = max(len(held), lessons.count(notebook, "claim"))
    right = {entry["name"] for entry in solved.log if entry["kind"] == "exercise" and entry["solved"]}
    count = sum(name in right for name in exercises)
    failed = list(dict.fromkeys(as_it_stands.failed + solved.failed))
    passed = not failed and sum(held) == claims and count == len(exercises)
    counts = f"{sum(held)}/{claims} claims held   {count}/{len(exercises)} exercises solved"
    slow = f"   above {most} s" if as_it_stands.seconds > most else ""
    print(f"{as_it_stands.seconds:4.0f} s   {counts}{slow}{'' if passed else '   FAILED'}")
    for text in failed:
        print(f"  {text}")
    return passed


def _solution_source(name):
    from course_utils import exercises  # late, because it brings TensorFlow

    return exercises.solution_source(name)


if __name__ == "__main__":
    sys.exit(main())
