"""Change the package in one place after the other, as tutorials got it wrong, and see the tests fail."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from tools.lessons import ROOT

LIST = ROOT / "tools/mutants.toml"
AT_ONCE = 2
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "build", "__pycache__", ".*_cache", "*.egg-info")
USES_A_TOOL = re.compile(r"^(from|import) (tools|benchmarks)\b", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One wrong version of the package; `tools/mutants.toml` says what its parts are."""

    wrong: str
    file: str
    right: str
    written: str
    tests: list


def main(arguments=None, mutants=None, root=ROOT):
    """Try every mutant, print the table, and return 1 if one was not caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose description holds the text")
    options = parser.parse_args(arguments)
    chosen = [each for each in mutants or known() if options.only in f"{each.file}: {each.wrong}"]
    if not chosen:
        return f"No mutant's description holds the text. Received: --only {options.only}"
    with ThreadPoolExecutor(AT_ONCE) as threads:
        tried = threads.map(lambda mutant: caught_by(mutant, root), chosen)
        results = list(tqdm(tried, total=len(chosen), unit="mutant", leave=False, disable=None))
    catchers = sorted({caught for caught, _ in results if caught})
    if broken := catchers and _failure(root, catchers):
        return f"{broken} fails without any mutant, so what it caught says nothing. Mend it first."
    rows = [
        [mutant.file, mutant.wrong, caught or "NOT CAUGHT", f"{seconds:.0f}"]
        for mutant, (caught, seconds) in zip(chosen, results, strict=True)
    ]
    print(tabulate(rows, ["module", "what is wrong", "caught by", "seconds"], disable_numparse=True))
    missed = sum(not caught for caught, _ in results)
    print(f"\n{len(chosen) - missed} of {len(chosen)} wrong versions were caught.")
    return int(missed > 0)


def known():
    """Return the mutants of the list."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))

    def tests(file):
        of_its_own = [f"tests/test_{Path(file).stem}.py"]
        return listed["tests"].get(file) or listed["tests"].get(file.split("/")[0]) or of_its_own

    return [Mutant(**{"tests": tests(each["file"]), **each}) for each in listed["mutants"]]


def apply(mutant, root):
    """Write the mutant into the package under `root`.

    Raises:
        ValueError: the text to replace does not stand there once.
    """
    path = Path(root) / "course_utils" / mutant.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.right) != 1:
        raise ValueError(
            f"The text that a mutant replaces must stand once in {mutant.file}. "
            f"Received: {source.count(mutant.right)} times {mutant.right!r}"
        )
    path.write_text(source.replace(mutant.right, mutant.written), encoding="utf-8")


def caught_by(mutant, root):
    """Return the test that fails with the mutant in a copy of `root`, or an empty text; and the seconds.

    Its own tests are run first, and if they pass, all others of the package, but no notebook.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(root, Path(folder) / "copy", ignore=LEFT_OUT)
        apply(mutant, copy)
        failed = _failure(copy, mutant.tests) or _failure(copy, of_the_package(copy))
    return failed, time.monotonic() - begun


def of_the_package(root):
    """Return the test files that use no tool: a tool's test says nothing of the package, and may need git."""
    files = sorted(Path(root, "tests").glob("test_*.py"))
    return [file for file in files if not USES_A_TOOL.search(file.read_text(encoding="utf-8"))]


def _failure(root, tests):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "--no-header", "-o", "addopts="),
            *("-p", "no:cacheprovider", "-p", "no:nbval", *tests),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode not in (0, 1, 2):  # all passed, a test failed, or a module could not be imported
        raise RuntimeError(f"pytest could not run:\n{done.stdout}{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    failed = [line.partition(" ")[2].partition(" - ")[0] for line in lines]  # a test's name may hold spaces
    return failed[0] if failed else ""


if __name__ == "__main__":
    sys.exit(main())
