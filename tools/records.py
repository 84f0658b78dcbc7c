"""Make the records, what takes longer to measure than a lesson may, and store them in the package."""

import argparse
import base64
import datetime
import os
import platform
import runpy
import sys
from importlib.metadata import version

import numpy as np

from course_utils import lesson, records
from tools import kept, lessons

BUILD = lessons.ROOT / "build/records"
WEEK = datetime.date.today().toordinal() // 7


def main(arguments=None, build=BUILD):
    """Make what is not made or no longer fits, or with `--check` one part anew; return the exit code."""
    parser = argparse.ArgumentParser(prog="make records", description=__doc__)
    parser.add_argument("--one", nargs="?", metavar="N", help="04: those of one lesson")
    parser.add_argument("--check", action="store_true", help="make one part anew, each week another")
    options = parser.parse_args(arguments)
    names = [name for name in records.names() if not options.one or is_of(name, options.one)]
    if not names:
        known = ", ".join(sorted({records.recipe(name)["LESSON"] for name in records.names()}))
        return f"N must be the number of a lesson with records: {known}. Received: N={options.one}"
    os.environ |= kept.ONE_THREAD | {"COURSE_QUIET": "1"}  # two parts on two cores
    if options.check:
        try:
            return check(names)
        except ValueError as error:
            return str(error)
    for name in names:
        if why := unfit(name):
            print(f"{name}: {why}")
            make(name, build)
        print(f"{name} is made, and fits the code.")
    return 0


def is_of(name, number):
    """Say whether a lesson, or its evidence, of this number draws the record."""
    return records.recipe(name)["LESSON"] == number.removesuffix("e").zfill(2)


def unfit(name):
    """Say why a record is to be made, or return None where it is whole and its key fits."""
    try:
        stored = records.load(name)["key"]
    except ValueError as error:
        return str(error)
    fits = stored == kept.key(code(name))
    return None if fits else f"Its code has changed: run `make records N={records.recipe(name)['LESSON']}`."


def code(name):
    """Return the code that a record depends on."""
    return kept.reached(records.FOLDER / f"{name}.py")


def make(name, build):
    """Make the parts that are not kept from before, and store the record."""
    path, depends_on = records.FOLDER / f"{name}.py", code(name)
    cases = {
        f"{name}-{kept.key(depends_on, settings)}": (make_part, path, settings)
        for settings in records.recipe(name)["PARTS"]
    }
    parts = [result["part"] for result in kept.results(cases, build).values()]
    lessons.write(path.with_suffix(".json"), kept.as_json({"key": kept.key(depends_on), "parts": parts}))


def make_part(path, settings):
    """Make one part of the record whose recipe stands at `path`."""
    lesson.start()
    figures = runpy.run_path(str(path))["make"](**settings)
    weights = {name: packed(array) for name, array in figures.pop("weights", {}).items()}
    made_with = {name: version(name) for name in ("keras", "tensorflow", "numpy")}
    part = {
        "settings": settings,
        "figures": {name: rounded(figure) for name, figure in figures.items()},
        "made_with": made_with | {"python": platform.python_version()},
    }
    return {"part": part | ({"weights": weights} if weights else {}), "failed": []}


def rounded(figure):
    """Return a number, or a list of them, to four digits; what is infinite or no number raises ValueError."""
    if isinstance(figure, list):
        return [rounded(each) for each in figure]
    if not np.isfinite(figure):
        raise ValueError(f"A figure of a record must be finite. Received: {figure}")
    return figure if isinstance(figure, int) else float(f"{figure:.4g}")


def packed(array):
    """Return an array as JSON can hold it: its shape, and its numbers as float16 in base64.

    Raises:
        ValueError: a number is not finite in float16.
    """
    narrow = np.asarray(array).astype("<f2")
    if not np.isfinite(narrow).all():
        raise ValueError(f"Weights must be finite in float16. Received: up to {np.abs(array).max()}")
    return {"shape": list(narrow.shape), "float16": base64.b64encode(narrow.tobytes()).decode()}


def check(names, week=WEEK):
    """Make one part anew, and compare it; return the exit code."""
    stored = [(name, part) for name in names for part in records.load(name)["parts"]]
    name, part = stored[week % len(stored)]
    made = make_part(records.FOLDER / f"{name}.py", part["settings"])["part"]
    differs = False
    for figure, within in records.recipe(name)["WITHIN"].items():
        distance = apart(part["figures"][figure], made["figures"][figure])
        differs |= distance > within
        print(f"{name}, {part['settings']}: {figure} differs by {distance:.2g}, and {within} is allowed.")
    return int(differs)


def apart(stored, made):
    """Return how far two figures are apart on average; infinitely where their shapes differ."""
    stored, made = np.array(stored), np.array(made)
    return np.abs(stored - made).mean() if stored.shape == made.shape else np.inf


if __name__ == "__main__":
    sys.exit(main())
