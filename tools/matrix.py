"""Run every lesson against its stored outputs under other Pythons, versions, instruction sets, threads.

One factor is changed at a time. What passed is kept in `build/matrix/results`; what failed is run again.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field

from tabulate import tabulate

from tools import kept, lessons

BUILD = lessons.ROOT / "build"
SETUP = lessons.ROOT / "tools/setup.sh"
PROJECT = lessons.ROOT / "pyproject.toml"
PACKAGES = ("keras", "tensorflow", "numpy", "matplotlib", "babel", "ipython", "ipykernel", "nbval")
SHOWN = ("keras", "tensorflow")
REPORT_LINES = 40
MINOR = "import sys; print('%d.%d' % sys.version_info[:2])"
INSTALLED = f"""\
import importlib.metadata, json, platform
versions = {{name: importlib.metadata.version(name) for name in {PACKAGES}}}
print(json.dumps([platform.python_version(), versions]))
"""


@dataclass(frozen=True)
class Case:
    """One row of the matrix.

    Attributes:
        name: what the row is called.
        python: the Python it needs, such as `"3.12"`; with other than the stored versions the Python it
            takes where there is one. The one that this runs on when `None`.
        versions: what `tools/setup.sh` installs.
        settings: environment variables for the lessons.
    """

    name: str
    python: str | None = None
    versions: str = "stored"
    settings: dict = field(default_factory=dict)


def older_processor(instructions):
    """Return the settings that let TensorFlow compute as on a processor that has no more instructions.

    Without `TF_ENABLE_ONEDNN_OPTS` it asks the real processor, which may have products in bfloat16, and then
    oneDNN, which may not use them any more: the process ends.
    """
    return {"ONEDNN_MAX_CPU_ISA": instructions, "TF_ENABLE_ONEDNN_OPTS": "0"}


CASES = (
    Case("Python 3.11", "3.11"),
    Case("Python 3.12", "3.12"),
    Case("Python 3.13", "3.13"),
    Case("newest versions", "3.13", "newest"),  # some packages' newest versions leave older Pythons behind
    Case("Colab's versions", "3.13", "colab"),
    Case("AVX2", settings=older_processor("AVX2")),
    Case("SSE41", settings=older_processor("SSE41")),
    Case("one thread", settings=kept.ONE_THREAD),
)


class EnvironmentMissingError(Exception):
    """There is no environment for a case. It is told by one word, and by a report if something failed."""

    def __init__(self, word, report=""):
        super().__init__(word, report)
        self.word, self.report = word, report


def main(arguments=None, folder=lessons.NOTEBOOKS, build=BUILD, cases=CASES):
    """Run what has not passed yet, print the table and what failed, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("--one", nargs="?", metavar="N", help="only the lesson with this number")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose name holds the text")
    options = parser.parse_args(arguments)
    if (versions := os.environ.get("VERSIONS") or "stored") != "stored":
        return f"The matrix chooses the versions itself: leave VERSIONS out. Received: VERSIONS={versions}"
    try:
        paths = lessons.find(options.one or None, folder)
    except ValueError as error:
        return str(error)
    chosen = [case for case in cases if options.only.lower() in case.name.lower()]
    if not chosen:
        return f"No case's name holds the text. Received: --only {options.only}"
    pythons, missing = environments(chosen, build / "matrix")
    results, installed = run(paths, chosen, pythons, build / "matrix/results")
    print(table(paths, chosen, results, installed, missing))
    reports = [(name, error.report) for name, error in missing.items() if error.report]
    reports += [(f"{each['case']}, {each['lesson']}", each["report"]) for each in results if each["failed"]]
    for name, report in reports:
        print(f"\n{name} failed:\n{report}")
    return int(bool(reports))


def environments(cases, folder):
    """Make the environments that are needed and not there yet, one after the other.

    Returns:
        The Python of each case's environment by the name of the case, and the errors of those that have none.
    """
    pythons, missing = {}, {}
    for case in cases:
        try:
            pythons[case.name] = environment(case, folder)
        except EnvironmentMissingError as error:
            missing[case.name] = error
    return pythons, missing


def environment(case, folder):
    """Return the Python of the environment of a case: the one that this runs in, or one made in `folder`.

    Raises:
        EnvironmentMissingError: the case's Python was not found, or its environment could not be made.
    """
    own = "{}.{}".format(*sys.version_info)
    stored = case.versions == "stored"
    if stored and case.python in (None, own):
        return sys.executable
    python = case.python and find_python(case.python)
    if not python and stored:
        raise EnvironmentMissingError("not found")
    home = folder / (f"python{case.python}" if stored else case.versions)
    place = os.path.relpath(home, lessons.ROOT)
    settings = {"VENV": place, "VERSIONS": case.versions, "PYTHON": python or sys.executable}
    made = subprocess.run(
        [SETUP],
        cwd=lessons.ROOT,
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,  # its last lines say what is missing
        text=True,
        check=False,
    )
    if made.returncode:
        raise EnvironmentMissingError("no environment", _tail(made.stderr))
    return str(home / "bin/python")


def find_python(version):
    """Return the path of a Python of this version, or `None`. Each is tried, because some do not run."""
    for name in (f"python{version}", "python3", "python"):
        for folder in os.get_exec_path():
            path = shutil.which(name, path=folder)
            if path and _ask(path, MINOR).stdout.strip() == version:
                return path
    return None


def run(paths, cases, pythons, folder):
    """Run each lesson in each case that has an environment, unless it is kept that it passed.

    Returns:
        The results in the order of cases and lessons: dicts with `case`, `lesson`, the numbers of cells that
        `passed` and `failed`, `seconds`, and a `report` where one failed. Then for each case what is
        installed there: its Python's version, and a dict of the packages' versions.
    """
    options = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["pytest"]
    package = kept.package()
    installed = {
        name: json.loads(_ask(python, INSTALLED, check=True).stdout) for name, python in pythons.items()
    }
    runs = {}
    for case in (case for case in cases if case.name in pythons):
        for path in paths:
            text = path.read_text(encoding="utf-8")
            key = kept.key(case.name, case.settings, installed[case.name], text, package, options)
            runs[f"{path.stem}-{key}"] = (run_one, case.name, pythons[case.name], path, case.settings)
    return list(kept.results(runs, folder, keep=passed).values()), installed


def run_one(case, python, path, settings):
    """Compare one lesson with its stored outputs, strictly as `make test` does, and return the result."""
    begun = time.monotonic()
    done = subprocess.run(
        [
            *(python, "-m", "pytest", "--quiet", "--color=no", "--no-header", "--tb=short"),
            *("-p", "no:cacheprovider", f"--config-file={PROJECT}", f"--rootdir={lessons.ROOT}", path),
        ],
        cwd=lessons.ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", _tail(done.stdout, 1))}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    return {
        "case": case,
        "lesson": path.stem,
        "passed": counts.get("passed", 0),
        "failed": max(failed, int(done.returncode != 0)),  # at least one, where pytest itself could not run
        "seconds": time.monotonic() - begun,
        "report": _tail(done.stdout) if done.returncode else "",
    }


def passed(result):
    """Say whether every cell of a lesson passed."""
    return not result["failed"]


def table(paths, cases, results, installed, missing):
    """Return the results as text: a row for each case, a column for each lesson."""
    cells = {(each["case"], each["lesson"]): _cell(each) for each in results}
    rows = []
    for case in cases:
        if case.name in missing:
            rows.append([case.name, missing[case.name].word])
        else:
            python, packages = installed[case.name]
            versions = [python, *(packages[name] for name in SHOWN)]
            rows.append([case.name, *versions, *(cells[case.name, path.stem] for path in paths)])
    head = ["", "Python", *SHOWN, *(path.stem[:2] for path in paths)]
    rows = [row + [""] * (len(head) - len(row)) for row in rows]
    return tabulate(rows, head, disable_numparse=True)


def _cell(result):
    return f"✓ {result['seconds']:.0f} s" if passed(result) else f"{result['failed']} failed"


def _ask(python, source, check=False):
    return subprocess.run([python, "-c", source], capture_output=True, text=True, check=check)


def _tail(text, lines=REPORT_LINES):
    return "\n".join(text.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
