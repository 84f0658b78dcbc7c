"""tools/setup.sh, with fake Pythons on a fake path: which one it takes, what it installs, and when."""

import shutil
import subprocess

import pytest
from small_lessons import write

from tools.lessons import ROOT

COMMANDS = ("sh", "cat", "cksum", "cp", "dirname", "ls", "mkdir", "rm")
FILES = ("pyproject.toml", "constraints.txt", "constraints-colab.txt", "tools/setup.sh")
FAKE_PYTHON = """\
#!/bin/sh
case "$*" in
    *print*) echo {version} ;;
    *ensurepip*) exit {ensurepip} ;;
    "-m venv "*) echo "venv {version}" >>log; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip "*) echo "$*" >>log; [ ! -f offline ] ;;
esac
"""
SHIM = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"


class Machine:
    """A folder with the course's files, and a path that holds nothing but what a test puts there."""

    def __init__(self, folder):
        self.course, self.path = folder / "course", folder / "bin"
        self.path.mkdir()
        for command in COMMANDS:
            (self.path / command).symlink_to(shutil.which(command))
        for file in FILES:
            write(self.course, file, (ROOT / file).read_text())
        (self.course / "tools/setup.sh").chmod(0o755)
        write(self.course, "log", "")

    def add(self, name, version, ensurepip=True):
        """Add a Python; one without a version is a shim that does not run."""
        text = FAKE_PYTHON.format(version=version, ensurepip=int(not ensurepip)) if version else SHIM
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def setup(self, **settings):
        """Set up; return what it refuses, or an empty text."""
        environment = {"PATH": str(self.path), **settings}
        done = subprocess.run(self.course / "tools/setup.sh", env=environment, capture_output=True, text=True)
        assert done.returncode == int(bool(done.stderr))
        self.said = done.stdout
        return done.stderr.rstrip("\n")

    @property
    def log(self):
        """What was made and installed, in order."""
        return (self.course / "log").read_text().splitlines()

    @property
    def made_with(self):
        return [line.removeprefix("venv ") for line in self.log if line.startswith("venv ")]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def ready(machine):
    machine.add("python3.12", "3.12")
    assert not machine.setup()
    return machine


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({f"python{version}": version for version in ("3.10", "3.11", "3.13", "3.12", "3.14")}, "3.13"),
        ({"python3.13": None, "python3.12": None, "python3.11": "3.11"}, "3.11"),
        ({"python3.11": "3.11", "python3": "3.12"}, "3.12"),
        ({"python3.11": "3.11", "python": "3.12"}, "3.12"),
    ],
)
def test_takes_the_newest_python_that_fits_and_runs(machine, pythons, taken):
    for name, version in pythons.items():
        machine.add(name, version)
    assert not machine.setup()
    assert machine.made_with == [taken]


@pytest.mark.parametrize(
    ("version", "ensurepip", "said"),
    [
        ("3.9", True, "No Python 3.11, 3.12 or 3.13 was found: install one"),
        ("3.13", False, "python3 cannot make environments: install its venv module"),
        ("3.13", False, "apt install python3.13-venv"),
    ],
)
def test_a_python_that_will_not_do_is_told_of_or_passed_over(machine, version, ensurepip, said):
    machine.add("python3", version, ensurepip)
    (line,) = machine.setup().splitlines()
    assert said in line
    assert not machine.log
    machine.add("python3.11", "3.11")
    assert not machine.setup()
    assert machine.made_with == ["3.11"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PYTHON", "old", "must run Python 3.11, 3.12 or 3.13"),
        ("VERSIONS", "latest", "must be stored, newest, colab or nightly"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(ready, name, value, said):
    ready.add("old", "3.9")
    before = ready.log
    assert ready.setup(**{name: value}) == f"{name} {said}. Received: {name}={value}"
    assert ready.log == before


def test_run_again_does_nothing_unless_another_python_is_asked_for(ready):
    ready.add("python3.13", "3.13")
    ready.add("my python", "3.11")
    before = ready.log
    assert not ready.setup()
    assert (ready.said, ready.log) == ("", before)
    assert not ready.setup(PYTHON="my python")
    assert ready.made_with == ["3.12", "3.11"]


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt", "constraints-colab.txt", None])
def test_installs_again_when_a_file_changes_or_the_folder_moves(ready, file):
    before = len(ready.log)
    if file:
        write(ready.course, file, "# changed\n")
    else:
        ready.course = ready.course.rename(ready.course.with_name("moved"))
    assert not ready.setup()
    assert len(ready.log) == before + 1
    assert ready.made_with == ["3.12"]


def test_what_failed_is_tried_again(machine):
    machine.add("python3.12", "3.12")
    (machine.course / "offline").touch()
    assert "Run make again" in machine.setup()
    (machine.course / "offline").unlink()
    assert not machine.setup()
    assert len(machine.log) == 3


@pytest.mark.parametrize("version", ["3.9", None])
def test_an_environment_that_is_broken_or_does_not_fit_is_made_anew(ready, version):
    ready.add(ready.course / ".venv/bin/python", version)
    assert not ready.setup()
    assert ready.made_with == ["3.12", "3.12"]


@pytest.mark.parametrize(
    ("versions", "options"),
    [
        ("stored", "--constraint constraints.txt"),
        ("colab", "--constraint constraints-colab.txt"),
        ("newest", "--upgrade --upgrade-strategy eager"),
    ],
)
def test_versions_choose_what_is_installed_and_nightly_leaves_again(ready, versions, options):
    ready.setup(VERSIONS="nightly")
    assert [line.split(" --")[0] for line in ready.log[-2:]] == ["-m pip uninstall", "-m pip install"]
    assert "keras-nightly" in ready.log[-1]
    (ready.course / ".venv/lib/python3.12/site-packages/keras_nightly-3.dist-info").mkdir(parents=True)
    assert not ready.setup(VERSIONS=versions)
    assert ready.log[-2].startswith("-m pip uninstall --yes keras-nightly keras")
    assert ready.log[-1].startswith(f"-m pip install {options} --editable .[dev]")
