"""Run every lesson as Colab would: alone in an empty folder, on Colab's versions, installed by its own cell.

The address that the set-up cell names is served from a local repository that holds the working tree; what
else the course needs comes from the registry. `noxfile.py` makes the environment that has what Colab ships.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import address, kept, lessons

UNUSED = ("jax", "jaxlib")  # no lesson imports them
COURSE = "rnn-to-self-attention"
# Whatever begins like one of these is of this machine, and not so in Colab.
LEFT_OUT = ("PYTHON", "VIRTUAL_ENV", "COURSE_", "KERAS_", "MPL", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
NO_WARNING = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # of Colab's ipykernel, that nobody can debug


def shipped(root=lessons.ROOT):
    """Return what Colab ships, as pip takes it."""
    lines = (root / "constraints-colab.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] != "#" and line.split("==")[0] not in UNUSED]


class Colab:
    """An environment that sees the packages of another one, and an empty folder for a lesson.

    Args:
        folder: where both are made.
        python: the Python of the environment that has what Colab ships.
        served: the repository that git gets for the course's address.
    """

    def __init__(self, folder, python, served):
        self.home, self.folder = folder / "environment", folder / "content"
        self.python = self.home / "bin/python"
        self.folder.mkdir()
        none = dict.fromkeys(name for name in os.environ if name.startswith(LEFT_OUT))
        self.settings = {**none, **serve(served), **NO_WARNING}
        call = [python, "-m", "venv", "--without-pip", "--symlinks", self.home]
        subprocess.run(call, env=lessons.environment(self.settings), check=True)
        (_packages(self.python) / "shipped.pth").write_text(f"{_packages(python)}\n")

    def run(self, *arguments):
        """Run Python here."""
        command, environment = [self.python, *arguments], lessons.environment(self.settings)
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def packages(self):
        """Return the versions of all packages by their names."""
        listed = json.loads(self.run("-m", "pip", "list", "--format=json").stdout)
        return {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in listed}

    def execute(self, path, settings):
        """Execute the lesson at `path`, alone in the folder; return what came of it."""
        shutil.copy(path, self.folder)
        return lessons.run(lessons.read(path), self.folder, {**self.settings, **settings}, self.python)


def failures(paths, python, folder, root=lessons.ROOT):
    """Run each lesson, unless it is kept that it passed, and say what came of each.

    Args:
        paths: the lessons.
        python: the Python of the environment that has what Colab ships.
        folder: where what passed is kept.
        root: the working tree of the course.

    Returns:
        The names of the lessons that failed.
    """
    names = "pyproject.toml", "constraints-colab.txt"
    others = [(root / name).read_text(encoding="utf-8") for name in names]
    course = kept.contents(root / "course_utils"), others
    with tempfile.TemporaryDirectory() as served:
        store_tree(root, Path(served))
        cases = {kept.name(path, kept.code(path), course): (run_one, path, python, served) for path in paths}
        return kept.failures(cases, folder)


def run_one(path, python, served):
    """Run one lesson in an environment of its own.

    Returns:
        A dict with the `lesson`, what is `said` of it, and what `failed`, in words.
    """
    with tempfile.TemporaryDirectory() as folder:
        colab = Colab(Path(folder), python, served)
        before = colab.packages()
        outcome = colab.execute(path, kept.ONE_THREAD)
        after = colab.packages()
    added, failed = sorted(after.keys() - before.keys()), outcome.failed
    if COURSE not in added:
        failed.append("its set-up cell has not installed the course")
    for name, version in before.items():
        if after.get(name) != version:
            became = f"replaced by {after[name]}" if name in after else "removed"
            failed.append(f"{name} {version}, which Colab ships, was {became}")
    said = f"{outcome.seconds:.0f} s; added {', '.join(added)}"
    return {"lesson": lessons.name_of(path), "said": said, "failed": failed}


def store_tree(root, repository):
    """Make a repository whose branch, named as the stamped revision, is the working tree as it is now.

    Args:
        root: the working tree.
        repository: an empty folder.
    """
    settings = ("-c", "user.name=course", "-c", "user.email=course", "-c", "commit.gpgsign=false")
    git = ["git", *settings, f"--git-dir={repository / '.git'}", f"--work-tree={root}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for command in (
        ("init", "--quiet"),
        ("symbolic-ref", "HEAD", f"refs/heads/{address.stated().revision}"),
        ("add", "--all"),
        ("commit", "--quiet", "--no-verify", "--message", "the working tree"),
    ):
        subprocess.run([*git, *command], cwd=root, env=environment, check=True)


def serve(repository):
    """Return the environment variables that make git get the course's address from `repository`."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": address.stated().url,
        "GIT_TERMINAL_PROMPT": "0",
    }


def _packages(python):
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())
