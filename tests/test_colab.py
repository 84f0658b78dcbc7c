"""tools/colab.py and the set-up cell, with the packages that run the tests standing for what Colab ships.

Nothing is fetched from a network: the address is served from a repository that holds the working tree, or a
small course in its place.
"""

import os
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from small_lessons import code, store, write

from tools import address, colab, lessons

pytestmark = pytest.mark.slow
OF_THE_COURSE = ("course_utils", "__editable__", "rnn_to_self_attention")
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "0.0.1"
[tool.setuptools]
packages = {packages}
"""
LOOK = """\
import os, sys
from pathlib import Path
import course_utils
assert os.listdir() == ["02_good.ipynb"]
assert Path(course_utils.__file__).is_relative_to(sys.prefix)
assert Path(sys.prefix).parent == Path.cwd().parent
assert [name for name in os.environ if name.startswith("PYTHON") or name == "COURSE_SEED"] == []
"""
REPLACE = """\
import os, subprocess, sys
from pathlib import Path
assert Path(sys.prefix).parent == Path.cwd().parent  # or else the packages of the tests would be changed
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", os.environ["OTHER"]])
"""


@pytest.fixture(scope="module", autouse=True)
def _offline():
    """Pip fetches nothing, and what it builds is built by the setuptools that is here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("PIP_"):
                patch.delenv(name)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_NO_BUILD_ISOLATION", "false")  # read the other way round: false means no isolation
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        yield


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The Python of an environment that has all the packages of this one but not the course."""
    home = tmp_path_factory.mktemp("shipped") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(OF_THE_COURSE) and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    return home / "bin/python"


@pytest.mark.skipif(
    not any(metadata.distributions(name="keras")), reason="pip takes Keras' nightly for another"
)
def test_the_cell_adds_the_course_and_changes_nothing_else(tmp_path, shipped):
    (repository := tmp_path / "repository").mkdir()
    colab.store_tree(lessons.ROOT, repository)
    environment = colab.Colab(tmp_path, shipped, repository)
    before = environment.packages()
    assert {"keras", "tensorflow"} <= before.keys()
    assert colab.COURSE not in before
    cell = address.setup_cell()
    install, start, _ = cell.partition("from course_utils")
    assert start
    result = environment.run("-c", install)
    assert result.returncode == 0, result.stdout + result.stderr
    after = environment.packages()
    assert after.pop(colab.COURSE)
    assert after == before
    environment.settings |= colab.serve("/nowhere")
    result = environment.run("-c", f"{cell}\nprint(lesson.__file__)")  # and nothing is fetched
    assert Path(result.stdout.strip()).is_relative_to(environment.home), result.stderr


def test_an_address_that_cannot_be_reached_is_said_in_plain_words(tmp_path, shipped):
    result = colab.Colab(tmp_path, shipped, "/nowhere").run("-c", address.setup_cell())
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("RuntimeError: The course cannot be fetched. In Colab: check the network and")
    assert last.endswith("On your computer: start with `make lab`.")


def test_what_is_shipped_are_the_pins_without_what_no_lesson_imports(tmp_path):
    write(tmp_path, "constraints-colab.txt", "# Colab's\nkeras==3.13.2\njax==0.7.2\n\nnumpy==2.1.3\n")
    assert colab.shipped(tmp_path) == ["keras==3.13.2", "numpy==2.1.3"]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course with one good lesson and one that replaces a package."""
    root = tmp_path / "course"
    write(root, "pyproject.toml", PROJECT.format(name=colab.COURSE, packages='["course_utils"]'))
    write(root, "course_utils/__init__.py", "")
    write(root, "course_utils/lesson.py", "def start():\n    pass\n")
    write(root, "constraints-colab.txt", "keras==3.13.2\n")
    write(tmp_path, "other/pyproject.toml", PROJECT.format(name="Tabulate", packages="[]"))
    store(root, "notebooks/02_good.ipynb", code(address.setup_cell()), code(LOOK))
    store(root, "notebooks/03_replaces.ipynb", code(REPLACE))
    monkeypatch.setenv("OTHER", str(tmp_path / "other"))
    monkeypatch.setenv("PYTHONPATH", str(root))  # this one and the next are kept from the lessons
    monkeypatch.setenv("COURSE_SEED", "9")
    return root


@pytest.mark.usefixtures("cases_in_threads")
def test_each_lesson_runs_alone_with_the_course_that_its_cell_installs(course, shipped, tmp_path, capsys):
    paths = sorted((course / "notebooks").iterdir())
    assert colab.failures(paths, shipped, tmp_path / "build", course) == ["03_replaces"]
    good, replaces, not_installed, replaced = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"✓ 02_good, \d+ s; added rnn-to-self-attention", good)
    assert replaces.startswith("FAILED 03_replaces, ")
    assert not_installed == "  its set-up cell has not installed the course"
    version = metadata.version("tabulate")
    assert replaced == f"  tabulate {version}, which Colab ships, was replaced by 0.0.1"
    assert version != "0.0.1"


def test_what_a_lesson_depends_on_makes_another_case(course, tmp_path, monkeypatch):
    monkeypatch.setattr(colab.kept, "failures", lambda cases, _: list(cases))

    def names(*paths):
        return colab.failures(paths or [course / "notebooks/02_good.ipynb"], None, tmp_path, course)

    seen = {*names(), *names()}
    write(course, "course_utils/more.py", "more = 1")
    seen.update(names())
    write(course, "constraints-colab.txt", "keras==3.13.3\n")
    seen.update(names())
    lesson = store(course, "notebooks/02_good.ipynb", code("other"))
    seen.update(names())
    assert len(seen) == 4
    evidence = store(course, "notebooks/evidence/02_good.ipynb", code("other"))
    assert len(names(lesson, evidence)) == 2
