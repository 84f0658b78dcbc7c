"""The set-up cell as Colab runs it: in an empty folder, with all packages but the course, from its address.

Nothing is fetched from a network: the address is served from a repository that holds the working tree.
"""

import json
import os
import shutil
import subprocess
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest

from tools import address, lessons

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
ADDRESS = address.stated()
OF_THE_COURSE = ("course_utils", "__editable__", "rnn_to_self_attention")


class Colab:
    """An environment that sees the packages installed here, but not the course."""

    def __init__(self, folder):
        self.home, self.folder = folder / "environment", folder / "content"
        self.folder.mkdir()
        venv.create(self.home, with_pip=False, symlinks=True)
        self.python = self.home / "bin/python"
        self._share_packages(folder / "installed")

    def run(self, *arguments, served=None):
        """Run Python here; `served` is the repository that git gets for the course's address."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**self._environment(), **serve(served)},
            capture_output=True,
            text=True,
        )

    def packages(self):
        listed = self.run("-m", "pip", "list", "--format=json").stdout
        return {package["name"]: package["version"] for package in json.loads(listed)}

    def _share_packages(self, shared):
        # Not by naming site-packages itself: pip would find the course there, installed as editable.
        shared.mkdir()
        for entry in SITE_PACKAGES.iterdir():
            if not entry.name.startswith(OF_THE_COURSE) and entry.suffix != ".pth":
                (shared / entry.name).symlink_to(entry)
        own = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        (Path(own) / "shared.pth").write_text(f"{shared}\n")

    def _environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
        # Pip reads the second one the other way round: false means no isolation.
        return {**kept, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_CONFIG_FILE": os.devnull}


def serve(repository):
    """The environment variables that make git get the course's address from `repository`."""
    url = f"file://{repository or '/nowhere'}"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{url}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS.url,
        "GIT_TERMINAL_PROMPT": "0",
    }


def git(folder, *arguments):
    settings = ("-c", "user.name=test", "-c", "user.email=test", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def is_installed(name):
    return any(metadata.distributions(name=name))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository whose branch, named as the stamped revision, is the working tree as it is now."""
    folder = tmp_path_factory.mktemp("repository")
    listed = git(lessons.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (lessons.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(lessons.ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "checkout", "--quiet", "-B", ADDRESS.revision)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "the working tree")
    return folder


@pytest.fixture
def colab(tmp_path):
    return Colab(tmp_path)


def setup_cell():
    """The set-up cell as the first lesson stores it."""
    (cell,) = (c for c in lessons.read(lessons.find()[0]).cells if "setup" in lessons.tags(c))
    return cell.source


@pytest.mark.skipif(not is_installed("keras"), reason="pip takes Keras' nightly build for another package")
def test_the_cell_adds_the_course_and_changes_nothing_else(colab, repository):
    assert colab.run("-c", "import course_utils").returncode == 1
    before = colab.packages()
    assert "rnn-to-self-attention" not in before
    assert {"keras", "tensorflow"} <= before.keys()

    result = colab.run("-c", setup_cell(), served=repository)

    assert result.returncode == 0, result.stdout + result.stderr
    after = colab.packages()
    assert after.pop("rnn-to-self-attention")
    assert after == before
    found = colab.run("-c", "import course_utils; print(course_utils.__file__)").stdout.strip()
    assert Path(found).is_relative_to(colab.home)

    # Again, with nothing to be had from the address: nothing is asked of it.
    assert colab.run("-c", setup_cell()).returncode == 0


def test_an_address_that_cannot_be_reached_is_said_in_plain_words(colab):
    result = colab.run("-c", setup_cell())
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "RuntimeError: The course cannot be fetched. In Colab: check the network and the address"
    )
    assert last.endswith("On your computer: start with `make lab`.")
    assert colab.run("-c", "import course_utils").returncode == 1
