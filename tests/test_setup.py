"""tools/setup.sh, with fake Pythons on a fake path: which one it takes, what it installs, and when."""

import shutil
import subprocess

import pytest

from tools.lessons import ROOT

COMMANDS = ("sh", "cat", "cksum", "cp", "dirname", "ls", "mkdir", "rm")
FILES = ("pyproject.toml", "constraints.txt", "constraints-colab.txt", "tools/setup.sh")
FAKE_PYTHON = """\
#!/bin/sh
case "$*" in
    *sys.exit*) exit {fits} ;;
    *print*) echo {version} ;;
    *ensurepip*) exit {ensurepip} ;;
    "-m venv "*) echo "venv {version}" >>log; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip "*) echo "$*" >>log; [ ! -f offline ] ;;
esac
"""


class Machine:
    """A folder with the course's files, and a path that holds nothing but what a test puts there."""

    def __init__(self, folder):
        self.course, self.path = folder / "course", folder / "bin"
        self.path.mkdir()
        for command in COMMANDS:
            (self.path / command).symlink_to(shutil.which(command))
        for file in FILES:
            (self.course / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, self.course / file)

    def add_python(self, name, version, ensurepip=True):
        fits = version in ("3.11", "3.12", "3.13")
        text = FAKE_PYTHON.format(version=version, fits=int(not fits), ensurepip=int(not ensurepip))
        self._add(self.path / name, text)

    def add_shim(self, name):
        self._add(self.path / name, "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")

    def setup(self, **settings):
        return subprocess.run(
            [self.course / "tools/setup.sh"],
            env={"PATH": str(self.path), **settings},
            capture_output=True,
            text=True,
        )

    @property
    def log(self):
        """What was made and installed, in order."""
        log = self.course / "log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def made_with(self):
        return [line.removeprefix("venv ") for line in self.log if line.startswith("venv ")]

    @staticmethod
    def _add(path, text):
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def ready(machine):
    machine.add_python("python3.12", "3.12")
    assert machine.setup().returncode == 0
    return machine


def test_takes_the_newest_python_that_fits(machine):
    for version in ("3.10", "3.11", "3.13", "3.12", "3.14"):
        machine.add_python(f"python{version}", version)
    assert machine.setup().returncode == 0
    assert machine.made_with == ["3.13"]


def test_passes_over_names_that_do_not_run(machine):
    machine.add_shim("python3.13")
    machine.add_shim("python3.12")
    machine.add_python("python3.11", "3.11")
    assert machine.setup().returncode == 0
    assert machine.made_with == ["3.11"]


@pytest.mark.parametrize("name", ["python3", "python"])
def test_takes_a_python_without_version_in_its_name(machine, name):
    machine.add_python("python3.11", "3.11")
    machine.add_python(name, "3.12")
    assert machine.setup().returncode == 0
    assert machine.made_with == ["3.12"]


def test_passes_over_a_python_that_makes_no_environments(machine):
    machine.add_python("python3.13", "3.13", ensurepip=False)
    machine.add_python("python3.11", "3.11")
    assert machine.setup().returncode == 0
    assert machine.made_with == ["3.11"]


def test_says_what_to_install_when_no_python_makes_environments(machine):
    machine.add_python("python3.13", "3.13", ensurepip=False)
    result = machine.setup()
    assert result.returncode == 1
    assert "apt install python3.13-venv" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (machine.course / ".venv").exists()


def test_says_what_to_install_when_no_python_fits(machine):
    machine.add_python("python3", "3.9")
    result = machine.setup()
    assert result.returncode == 1
    assert result.stderr.startswith("No Python 3.11, 3.12 or 3.13 was found: install one")
    assert len(result.stderr.splitlines()) == 1
    assert not (machine.course / ".venv").exists()


def test_python_can_be_asked_for(machine):
    machine.add_python("python3.13", "3.13")
    machine.add_python("mine", "3.11")
    assert machine.setup(PYTHON="mine").returncode == 0
    assert machine.made_with == ["3.11"]


def test_another_python_makes_the_environment_anew(ready):
    ready.add_python("mine", "3.11")
    assert ready.setup(PYTHON="mine").returncode == 0
    assert ready.made_with == ["3.12", "3.11"]


def test_a_python_that_does_not_fit_is_refused_and_changes_nothing(ready):
    ready.add_python("old", "3.9")
    before = ready.log
    result = ready.setup(PYTHON="old")
    assert result.returncode == 1
    assert result.stderr.strip() == "PYTHON must run Python 3.11, 3.12 or 3.13. Received: PYTHON=old"
    assert ready.log == before


def test_run_again_does_nothing(ready):
    before = ready.log
    result = ready.setup()
    assert (result.returncode, result.stdout, ready.log) == (0, "", before)


def test_a_newer_python_leaves_the_environment_alone(ready):
    ready.add_python("python3.13", "3.13")
    assert ready.setup().returncode == 0
    assert ready.made_with == ["3.12"]


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt", "constraints-colab.txt"])
def test_installs_again_when_a_file_changes(ready, file):
    before = len(ready.log)
    with (ready.course / file).open("a") as opened:
        opened.write("# changed\n")
    assert ready.setup().returncode == 0
    assert len(ready.log) == before + 1
    assert ready.made_with == ["3.12"]


def test_installs_again_when_the_folder_moves(ready):
    before = len(ready.log)
    ready.course = ready.course.rename(ready.course.with_name("moved"))
    assert ready.setup().returncode == 0
    assert len(ready.log) == before + 1


def test_what_failed_is_tried_again(machine):
    machine.add_python("python3.12", "3.12")
    (machine.course / "offline").touch()
    result = machine.setup()
    assert result.returncode == 1
    assert "Run make again" in result.stderr
    (machine.course / "offline").unlink()
    assert machine.setup().returncode == 0
    assert len(machine.log) == 3


def test_a_broken_environment_is_made_anew(ready):
    python = ready.course / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.12")
    assert ready.setup().returncode == 0
    assert ready.made_with == ["3.12", "3.12"]


def test_an_environment_with_a_python_that_does_not_fit_is_made_anew(ready):
    ready.add_python(ready.course / ".venv/bin/python", "3.9")
    assert ready.setup().returncode == 0
    assert ready.made_with == ["3.12", "3.12"]


@pytest.mark.parametrize(
    ("versions", "options"),
    [
        ("stored", "--constraint constraints.txt"),
        ("colab", "--constraint constraints-colab.txt"),
        ("newest", "--upgrade --upgrade-strategy eager"),
    ],
)
def test_versions_choose_what_is_installed(ready, versions, options):
    ready.setup(VERSIONS="nightly")
    assert ready.setup(VERSIONS=versions).returncode == 0
    assert ready.log[-1].startswith(f"-m pip install {options} --editable .[dev]")


def test_nightly_replaces_keras_and_leaves_again(ready):
    ready.setup(VERSIONS="nightly")
    assert [line.split(" --")[0] for line in ready.log[-2:]] == ["-m pip uninstall", "-m pip install"]
    assert "keras-nightly" in ready.log[-1]
    (ready.course / ".venv/lib/python3.12/site-packages/keras_nightly-3.dist-info").mkdir(parents=True)
    ready.setup(VERSIONS="stored")
    assert ready.log[-2].startswith("-m pip uninstall --yes keras-nightly keras")
    assert "constraints.txt" in ready.log[-1]


def test_unknown_versions_are_refused(ready):
    result = ready.setup(VERSIONS="latest")
    assert result.returncode == 1
    assert (
        result.stderr.strip()
        == "VERSIONS must be stored, newest, colab or nightly. Received: VERSIONS=latest"
    )


def test_another_environment_is_made_beside_the_first(ready):
    ready.add_python("python3.13", "3.13")
    first = (ready.course / ".venv/course-stamp").read_text()
    settings = {"VENV": "build/matrix/newest", "VERSIONS": "newest", "PYTHON": "python3.13"}
    result = ready.setup(**settings)
    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == "Making build/matrix/newest with Python 3.13."
    assert "its newest versions, in build/matrix/newest:" in result.stdout
    assert (ready.course / "build/matrix/newest/bin/python").exists()
    assert (ready.course / ".venv/course-stamp").read_text() == first

    before = ready.log
    assert ready.setup(**settings).stdout == ""
    assert ready.setup().stdout == ""
    assert ready.log == before
    assert ready.made_with == ["3.12", "3.13"]


@pytest.mark.parametrize("folder", ["notebooks", "build", "build/", "build/../notebooks", "..", "/build/x"])
def test_an_environment_in_the_place_of_something_else_is_refused(ready, folder):
    (ready.course / "notebooks").mkdir()
    before = ready.log
    result = ready.setup(VENV=folder)
    assert result.returncode == 1
    assert result.stderr.strip() == f"VENV must be .venv or a folder in build. Received: VENV={folder}"
    assert (ready.course / "notebooks").exists()
    assert ready.log == before
