"""Run every lesson as Colab would: alone in an empty folder, on Colab's versions, installed by its own cell.

The address that the set-up cell names is served from a local repository that holds the working tree; what
else the course needs comes from the registry. What is done is kept in `build/colab` and not done again.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from tools import address, kept, lessons
from tools.run import count_claims

BUILD = lessons.ROOT / "build"
VERSION = "3.13"  # Colab's Python
NAMES = (f"python{VERSION}", "python3", "python")
UNUSED = ("jax", "jaxlib")  # no lesson imports them
COURSE = "rnn-to-self-attention"
OF_THE_COURSE = ("course_utils", "__editable__", "rnn_to_self_attention")
# Whatever begins like one of these is of this machine, and not so in Colab.
LEFT_OUT = ("PYTHON", "VIRTUAL_ENV", "COURSE_", "KERAS_", "MPL", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
NO_WARNING = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # of Colab's ipykernel, that nobody can debug
ERROR_LINES = 12


class Colab:
    """An environment that sees the packages of another one but not the course, and a folder for a lesson.

    Args:
        folder: where both are made.
        python: the Python of the environment that has what Colab ships.
    """

    def __init__(self, folder, python=sys.executable):
        self.home, self.folder = folder / "environment", folder / "content"
        self.folder.mkdir()
        _call(python, "-m", "venv", "--without-pip", "--symlinks", self.home)
        self.python = self.home / "bin/python"
        self._share_packages(_site_packages(python), folder / "installed")

    def run(self, *arguments, served=None):
        """Run Python here; `served` is the repository that git gets for the course's address."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**plain_environment(), **serve(served)},
            capture_output=True,
            text=True,
        )

    def packages(self):
        """Return the versions of all packages by their names."""
        listed = json.loads(self.run("-m", "pip", "list", "--format=json").stdout)
        return {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in listed}

    def execute(self, path, served, settings):
        """Execute the lesson at `path`, alone in the folder, to its end even where a claim does not hold."""
        shutil.copy(path, self.folder)
        settings = {**dict.fromkeys(_left_out()), **serve(served), **settings}
        return lessons.execute(
            lessons.read(path), self.folder, settings, go_on_after=["ClaimError"], python=self.python
        )

    def _share_packages(self, packages, shared):
        # Not by naming site-packages itself: pip would find the course there, installed as editable.
        shared.mkdir()
        for entry in packages.iterdir():
            if not entry.name.startswith(OF_THE_COURSE) and entry.suffix != ".pth":
                (shared / entry.name).symlink_to(entry)
        (_site_packages(self.python) / "shared.pth").write_text(f"{shared}\n")


def main(arguments=None, folder=lessons.NOTEBOOKS, build=BUILD, root=lessons.ROOT):
    """Run what has not passed yet, print the table and what failed, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make colab", description=__doc__)
    parser.add_argument("--one", nargs="?", metavar="N", help="only the lesson with this number")
    options = parser.parse_args(arguments)
    build = build / "colab"
    with tempfile.TemporaryDirectory() as served:
        try:
            paths = lessons.find(options.one or None, folder)
            python = preinstalled(build / "preinstalled", root / "constraints-colab.txt")
            store_tree(root, Path(served))
        except (ValueError, RuntimeError) as error:
            return str(error)
        results = run(paths, python, served, build / "results", root)
    print(table(results))
    for result in results:
        for failure in failures(result):
            print(f"\n{result['lesson']}: {failure}")
    return int(any(map(failures, results)))


def preinstalled(home, constraints):
    """Return the Python of the environment that has what Colab ships; it is made where it is not as asked.

    Args:
        home: where the environment is.
        constraints: the file that pins Colab's versions.

    Raises:
        RuntimeError: there is no fitting Python, or the packages cannot be installed.
    """
    python, stamp = home / "bin/python", home / "course-stamp"
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and line[0] != "#" and line.split("==")[0] not in UNUSED]
    state = "\n".join([VERSION, str(home), *pins])
    if _fits(python) and stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return python
    chosen = find_python()
    print(f"Installing what Colab ships in {home}: a few minutes and 2.4 GB.", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    options = () if sys.stdout.isatty() else ("--quiet",)
    try:
        _call(chosen, "-m", "venv", home)
        _call(python, "-m", "pip", "install", *options, "--disable-pip-version-check", *pins)
    except subprocess.CalledProcessError as error:
        raise RuntimeError("Colab's packages could not be installed: it is said above why.") from error
    lessons.write(stamp, state)
    return python


def find_python():
    """Return a Python of Colab's version: the one that `PYTHON` names, or else one that is on the path.

    Raises:
        RuntimeError: there is none.
    """
    wanted = os.environ.get("PYTHON")
    for name in [wanted] if wanted else NAMES:
        if _fits(name):
            return name
    if wanted:
        raise RuntimeError(f"PYTHON must run Python {VERSION}, as Colab does. Received: PYTHON={wanted}")
    raise RuntimeError(
        f"No Python {VERSION} that makes environments was found: install one (python.org or your package "
        "manager), then run make colab again."
    )


def run(paths, python, served, folder, root=lessons.ROOT):
    """Run each lesson, unless it has passed before; return the results in the order of the lessons.

    Args:
        paths: the lessons.
        python: the Python of the environment that has what Colab ships.
        served: the repository that git gets for the course's address.
        folder: where the results are kept.
        root: where the files of the course are.
    """
    modules = sorted((root / "course_utils").rglob("*.py"))
    course = {str(path.relative_to(root)): kept.statements(path) for path in modules}
    for name in ("pyproject.toml", "constraints-colab.txt"):
        course[name] = (root / name).read_text(encoding="utf-8")
    cases = {
        f"{path.stem}-{kept.key(kept.code(path), course)}": (run_one, path, python, served) for path in paths
    }
    return list(kept.results(cases, folder, keep=lambda result: not failures(result)).values())


def run_one(path, python, served):
    """Run one lesson in an environment of its own; return its result.

    Returns:
        A dict with `lesson`, `seconds`, the number of claims `reached` of the `claims` in the source,
        `errors`, `changed` with the versions before and after of each such package, and what was `added`.
    """
    result = {"lesson": path.stem, "claims": count_claims(lessons.read(path))}
    with tempfile.TemporaryDirectory() as folder:
        colab, log = Colab(Path(folder), python), Path(folder) / "log.jsonl"
        settings = {"COURSE_QUIET": "1", "COURSE_LOG": str(log), **kept.ONE_THREAD, **NO_WARNING}
        before, begun = colab.packages(), time.monotonic()
        try:
            result["errors"] = error_texts(colab.execute(path, served, settings))
        except Exception as error:  # a kernel that dies, say: the other lessons are still run
            result["errors"] = [f"{type(error).__name__}: {error}"]
        result["seconds"] = time.monotonic() - begun
        after = colab.packages()
        result["reached"] = sum(entry["kind"] == "claim" for entry in lessons.read_log(log))
    result["added"] = sorted(after.keys() - before.keys())
    result["changed"] = {
        name: [version, after.get(name)] for name, version in before.items() if after.get(name) != version
    }
    return result


def error_texts(notebook):
    """Return the errors of an executed lesson, each with what its cell wrote to stderr: pip says why."""
    texts = []
    for cell in lessons.code_cells(notebook):
        written = [output.text for output in cell.outputs if output.get("name") == "stderr"]
        last = "".join(written).strip().splitlines()[-ERROR_LINES:]
        for output in cell.outputs:
            if output.output_type == "error":
                texts.append("\n  ".join([f"{output.ename}: {output.evalue}", *last]))
    return texts


def failures(result):
    """Return what failed in a lesson, in words."""
    texts = list(result["errors"])
    if result["reached"] < result["claims"]:
        texts.append(f"{result['reached']} of {result['claims']} claims were reached")
    if COURSE not in result["added"]:
        texts.append("its set-up cell has not installed the course")
    for name, (before, after) in result["changed"].items():
        became = f"replaced by {after}" if after else "removed"
        texts.append(f"{name} {before}, which Colab ships, was {became}")
    return texts


def table(results):
    """Return the results as a table of text."""
    rows = [
        (
            result["lesson"],
            f"{result['seconds']:.0f}",
            f"{result['reached']}/{result['claims']}",
            ", ".join(result["added"]),
            "FAILED" if failures(result) else "",
        )
        for result in results
    ]
    return tabulate(rows, ("lesson", "seconds", "claims reached", "added", ""), disable_numparse=True)


def serve(repository=None):
    """Return the environment variables that make git get the course's address from `repository`."""
    url = f"file://{repository or '/nowhere'}"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{url}.insteadOf",
        "GIT_CONFIG_VALUE_0": address.stated().url,
        "GIT_TERMINAL_PROMPT": "0",
    }


def store_tree(root, repository):
    """Make a repository whose branch, named as the stamped revision, is the working tree as it is now.

    Args:
        root: the working tree, in which git runs.
        repository: an empty folder.

    Raises:
        RuntimeError: git does not run, or `root` is no working tree.
    """
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, repository / name)
    git(repository, "init", "--quiet")
    git(repository, "checkout", "--quiet", "-B", address.stated().revision)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--no-verify", "--message", "the working tree")


def git(folder, *arguments):
    """Run git in `folder` and return what it printed.

    Raises:
        RuntimeError: git does not run, or says that it failed.
    """
    settings = ("-c", "user.name=course", "-c", "user.email=course", "-c", "commit.gpgsign=false")
    command = ["git", *settings, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=plain_environment(), check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()
        raise RuntimeError(f"Lessons install the course from git, and git failed: {said}") from error
    return done.stdout


def plain_environment():
    """Return the environment variables without those that Colab does not set."""
    left_out = _left_out()
    return {name: value for name, value in os.environ.items() if name not in left_out}


def _left_out():
    return [name for name in os.environ if name.startswith(LEFT_OUT)]


def _fits(python):
    """Say whether this is Colab's Python and makes environments: it is tried, as a name may be a shim."""
    code = f"import ensurepip, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{VERSION}')"
    try:
        done = subprocess.run([python, "-c", code], env=plain_environment(), capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


def _site_packages(python):
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", code], env=plain_environment(), check=True, capture_output=True)
    return Path(done.stdout.decode().strip())


def _call(python, *arguments):
    subprocess.run([python, *arguments], env=plain_environment(), check=True)


if __name__ == "__main__":
    sys.exit(main())
