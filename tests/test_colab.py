"""tools/colab.py and the set-up cell, with the environment that runs the tests standing for Colab's.

Nothing is fetched from a network: the address is served from a repository that holds the working tree, or a
small course in its place.
"""

import contextlib
import io
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest
from small_lessons import CLAIM, code, failed, markdown, printed, store

from tools import address, colab, lessons

VERSION = ".".join(map(str, sys.version_info[:2]))
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
NOTE = "import os\nwith open(os.environ['COUNT'], 'a') as file:\n    file.write('{name} ')"
LOOK = """\
import sys
from pathlib import Path
import course_utils
assert os.listdir() == ["02_good.ipynb"]
assert Path(course_utils.__file__).is_relative_to(sys.prefix)
assert Path(sys.prefix).parent == Path.cwd().parent
assert [name for name in os.environ if name.startswith("PYTHON") or name == "COURSE_SEED"] == []
"""
REPLACE = """\
from pathlib import Path
assert Path(sys.prefix).parent == Path.cwd().parent  # or else the packages of the tests would be changed
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", os.environ["OTHER"]])
"""
FAKE_PYTHON = """\
#!/bin/sh
case "$*" in
    *ensurepip*) exit {status} ;;
    "-m venv "*) echo "$*" >>"$LOG"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip "*) echo "$*" >>"$LOG"; [ ! -f "$LOG.offline" ] ;;
esac
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


# The set-up cell with the course itself


def is_installed(name):
    return any(metadata.distributions(name=name))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    colab.store_tree(lessons.ROOT, folder)
    return folder


@pytest.fixture
def environment(tmp_path):
    return colab.Colab(tmp_path)


def setup_cell():
    """The set-up cell as the first lesson stores it."""
    (cell,) = (c for c in lessons.read(lessons.find()[0]).cells if "setup" in lessons.tags(c))
    return cell.source


@pytest.mark.skipif(not is_installed("keras"), reason="pip takes Keras' nightly build for another package")
def test_the_cell_adds_the_course_and_changes_nothing_else(environment, repository):
    assert environment.run("-c", "import course_utils").returncode == 1
    before = environment.packages()
    assert "rnn-to-self-attention" not in before
    assert {"keras", "tensorflow"} <= before.keys()

    result = environment.run("-c", setup_cell(), served=repository)

    assert result.returncode == 0, result.stdout + result.stderr
    after = environment.packages()
    assert after.pop("rnn-to-self-attention")
    assert after == before
    found = environment.run("-c", "import course_utils; print(course_utils.__file__)").stdout.strip()
    assert Path(found).is_relative_to(environment.home)

    # Again, with nothing to be had from the address: nothing is asked of it.
    assert environment.run("-c", setup_cell()).returncode == 0


def test_an_address_that_cannot_be_reached_is_said_in_plain_words(environment):
    result = environment.run("-c", setup_cell())
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "RuntimeError: The course cannot be fetched. In Colab: check the network and the address"
    )
    assert last.endswith("On your computer: start with `make lab`.")
    assert environment.run("-c", "import course_utils").returncode == 1


# Small lessons of a small course


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_toml", ".toml").replace("_py", ".py")).write_text(text)


def lesson(root, name, *sources):
    """Store a lesson that notes its name when it is run."""
    return store(root, f"notebooks/{name}.ipynb", *map(code, (NOTE.format(name=name), CLAIM, *sources)))


def make_course(root):
    write(root, pyproject_toml=PROJECT.format(name="rnn-to-self-attention", packages='["course_utils"]'))
    write(root / "course_utils", __init___py="", lesson_py="def start():\n    pass\n")
    (root / "constraints-colab.txt").write_text("keras==3.13.2\n")
    colab.git(root, "init", "--quiet")
    return root


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A course with one good lesson and four that fail in their ways, run once; `printed` is what it said."""
    folder = tmp_path_factory.mktemp("colab")
    root = make_course(folder / "course")
    write(folder / "other", pyproject_toml=PROJECT.format(name="Tabulate", packages="[]"))
    lesson(root, "02_good", address.setup_cell(), LOOK, "claim('it learns', True)")
    lesson(root, "03_replaces", address.setup_cell(), REPLACE)
    lesson(root, "04_claims", "claim('it is small', False)", "claim('it is large', True)")
    lesson(root, "05_raises", "raise KeyError('why')", "claim('it is reached', True)")
    lesson(root, "06_dies", "os._exit(1)")
    return Ran(root, folder)


class Ran:
    """What a run of all lessons came to, and a way to run them again."""

    def __init__(self, root, folder):
        self.root, self.folder, self.count = root, folder, folder / "count"
        self.status, self.printed = self.again()

    def again(self, *arguments):
        written = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(written):
            patch.setattr(colab, "preinstalled", lambda *_: sys.executable)
            patch.setenv("COUNT", str(self.count))
            patch.setenv("OTHER", str(self.folder / "other"))
            patch.setenv("PYTHONPATH", str(self.root))  # this one and the next are kept from the lessons
            patch.setenv("COURSE_SEED", "9")
            status = colab.main(arguments, self.root / "notebooks", self.folder / "build", self.root)
        return status, written.getvalue()

    def line(self, name):
        (line,) = (line for line in self.printed.splitlines() if line.startswith(f"{name} "))
        return line.split()


def test_a_lesson_runs_alone_with_the_course_that_its_cell_installs(ran):
    _, _, claims, added = ran.line("02_good")
    assert (claims, added) == ("1/1", "rnn-to-self-attention")
    assert "02_good:" not in ran.printed


def test_a_lesson_that_replaces_what_colab_ships_fails_and_names_it(ran):
    assert ran.line("03_replaces")[-1] == "FAILED"
    before = metadata.version("tabulate")
    assert f"03_replaces: tabulate {before}, which Colab ships, was replaced by 0.0.1\n" in ran.printed
    assert metadata.version("tabulate") == before != "0.0.1"


def test_a_claim_that_does_not_hold_fails_the_lesson_and_the_next_is_reached(ran):
    assert ran.line("04_claims")[2:] == ["2/2", "FAILED"]
    assert "04_claims: ClaimError: it is small\n" in ran.printed
    assert "04_claims: its set-up cell has not installed the course\n" in ran.printed


def test_an_error_fails_the_lesson(ran):
    assert ran.line("05_raises")[2:] == ["0/1", "FAILED"]
    assert "05_raises: KeyError: 'why'\n" in ran.printed
    assert "05_raises: 0 of 1 claims were reached\n" in ran.printed


def test_a_kernel_that_dies_fails_the_lesson_and_no_other(ran):
    assert ran.line("06_dies")[-1] == "FAILED"
    assert "06_dies: DeadKernelError" in ran.printed
    assert ran.status == 1


def test_what_passed_is_kept_and_what_failed_is_run_again(ran):
    before = ran.count.read_text().split()
    status, printed = ran.again("--one", "2")
    assert (status, printed.splitlines()[-1].split()) == (0, ran.line("02_good"))
    status, printed = ran.again("--one", "05")
    assert status == 1
    assert "KeyError: 'why'" in printed
    assert "02_good" not in printed
    assert ran.count.read_text().split() == [*before, "05_raises"]


def test_a_lesson_that_is_not_there_is_named(ran):
    known = "02, 03, 04, 05, 06"
    assert ran.again("--one", "7")[0] == f"N must be the number of a lesson: {known}. Received: N=7"


def test_a_course_that_git_does_not_know_is_said_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "preinstalled", lambda *_: sys.executable)
    lesson(tmp_path, "02_a")
    said = colab.main([], tmp_path / "notebooks", tmp_path / "build", tmp_path)
    assert said.startswith("Lessons install the course from git, and git failed: ")
    assert len(said.splitlines()) == 1


def test_a_result_is_kept_under_all_that_it_depends_on(tmp_path, monkeypatch):
    monkeypatch.setattr(colab.kept, "results", lambda cases, *_, **__: dict(zip(cases, cases, strict=True)))
    root = make_course(tmp_path / "course")

    def name():
        (name,) = colab.run([root / "notebooks/02_a.ipynb"], sys.executable, "served", tmp_path, root)
        return name

    store(root, "notebooks/02_a.ipynb", markdown("# 02"), code("1"))
    names = [name()]
    store(root, "notebooks/02_a.ipynb", markdown("# other words"), code("1"))
    assert name() == names[0]
    store(root, "notebooks/02_a.ipynb", markdown("# 02"), code("2"))
    names.append(name())
    for file in ("course_utils/lesson.py", "pyproject.toml", "constraints-colab.txt"):
        (root / file).write_text("changed")
        names.append(name())
    assert len(set(names)) == 5


def test_a_package_that_is_gone_was_removed():
    result = {"errors": [], "reached": 1, "claims": 1, "added": [colab.COURSE]}
    assert colab.failures({**result, "changed": {}}) == []
    said = colab.failures({**result, "changed": {"numpy": ["2.1.3", None]}})
    assert said == ["numpy 2.1.3, which Colab ships, was removed"]


def test_an_error_comes_with_what_its_cell_wrote_to_stderr():
    why = printed("pip says why", "stderr")
    cells = [
        code("1", outputs=[printed("a warning", "stderr")]),
        code("2", outputs=[printed("much"), why, failed("RuntimeError")]),
    ]
    notebook = lessons.without_outputs(lessons.nbformat.v4.new_notebook(cells=cells))
    assert colab.error_texts(notebook) == []
    notebook.cells = cells
    assert colab.error_texts(notebook) == ["RuntimeError: no\n  pip says why"]


# What Colab ships, with fake Pythons on a fake path


class Machine:
    """A path that holds nothing but what a test puts there, and a file that pins packages."""

    def __init__(self, folder, monkeypatch):
        self.path, self.log, self.home = folder / "bin", folder / "log", folder / "build/preinstalled"
        self.constraints = folder / "constraints-colab.txt"
        self.constraints.write_text("# Colab's\nkeras==3.13.2\njax==0.7.2\njaxlib==0.7.2\nnumpy==2.1.3\n")
        self.path.mkdir()
        for command in ("mkdir", "cp", "git"):
            (self.path / command).symlink_to(shutil.which(command))
        monkeypatch.setenv("PATH", str(self.path))
        monkeypatch.setenv("LOG", str(self.log))
        monkeypatch.delenv("PYTHON", raising=False)

    def add_python(self, name, status=0):
        (self.path / name).write_text(FAKE_PYTHON.format(status=status))
        (self.path / name).chmod(0o755)

    def preinstalled(self):
        """Ask for the environment; return what was made and installed for it."""
        begun = len(self.lines())
        assert colab.preinstalled(self.home, self.constraints) == self.home / "bin/python"
        return self.lines()[begun:]

    def lines(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_what_colab_ships_is_installed_once_without_what_no_lesson_imports(machine):
    machine.add_python("python3.13")
    made, installed = machine.preinstalled()
    assert made == f"-m venv {machine.home}"
    assert installed.endswith(" keras==3.13.2 numpy==2.1.3")
    assert machine.preinstalled() == []


def test_other_versions_make_it_again(machine):
    machine.add_python("python3.13")
    machine.preinstalled()
    (machine.home / "old").touch()
    machine.constraints.write_text("keras==3.14.0\n")
    made, installed = machine.preinstalled()
    assert made == f"-m venv {machine.home}"
    assert installed.endswith(" keras==3.14.0")
    assert not (machine.home / "old").exists()


def test_what_was_interrupted_is_not_taken_for_finished(machine):
    machine.add_python("python3.13")
    offline = Path(f"{machine.log}.offline")
    offline.touch()
    with pytest.raises(RuntimeError, match=r"could not be installed: it is said above why\."):
        machine.preinstalled()
    offline.unlink()
    assert len(machine.preinstalled()) == 2


def test_an_environment_whose_python_is_gone_is_made_again(machine):
    machine.add_python("python3.13")
    machine.preinstalled()
    (machine.home / "bin/python").unlink()
    assert len(machine.preinstalled()) == 2


@pytest.mark.parametrize("name", ["python3", "python"])
def test_names_that_do_not_run_are_passed_over(machine, name):
    machine.add_python("python3.13", status=127)
    machine.add_python(name)
    assert colab.find_python() == name


def test_no_python_is_said_in_one_sentence(machine):
    machine.add_python("python3", status=1)
    root = make_course(machine.home.parent / "course")
    lesson(root, "02_a")
    said = colab.main([], root / "notebooks", machine.home.parent, root)
    assert said.startswith("No Python 3.13 that makes environments was found: install one")


def test_the_python_that_is_named_is_taken_or_refused(machine, monkeypatch):
    machine.add_python("python3.13")
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setattr(colab, "VERSION", VERSION)
    assert colab.find_python() == sys.executable
    monkeypatch.setattr(colab, "VERSION", "3.9")
    with pytest.raises(RuntimeError, match=r"PYTHON must run Python 3\.9, as Colab does\. Received: PYTHON="):
        colab.find_python()
