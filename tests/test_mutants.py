"""tools/mutants.py: each wrong version is what it says, and is caught; the project stays as it was."""

import re

import pytest
from small_lessons import write

from tools import mutants
from tools.lessons import ROOT

KNOWN = mutants.known()
LAYER = "def double(x):\n    return 2 * x\n\n\ndef unused(x):\n    return x + 1\n"
OWN = """\
import pytest
from course_utils.layer import double


@pytest.mark.parametrize("x", [3], ids=["with a space"])
def test_double(x):
    assert double(x) == 6
"""
OTHER = "from course_utils import layer\n\n\ndef test_zero():\n    assert layer.double(0) == 0\n"
TOOL = "from tools import save\n\n\ndef test_tool():\n    raise ValueError(save)\n"


def mutant(right, written, tests=("tests/test_layer.py",)):
    return mutants.Mutant("it is wrong", "layer.py", right, written, tests)


@pytest.fixture(name="project")
def _project(tmp_path):
    write(tmp_path, "course_utils/__init__.py", "")
    write(tmp_path, "course_utils/layer.py", LAYER)
    write(tmp_path, "tests/test_layer.py", OWN)
    write(tmp_path, "tests/test_other.py", OTHER)
    write(tmp_path, "tests/test_a_tool.py", TOOL)  # what this one sees says nothing of the package
    return tmp_path


@pytest.mark.parametrize("each", KNOWN, ids=lambda each: f"{each.file}: {each.wrong}")
def test_every_mutant_can_be_applied_and_is_python(each, tmp_path):
    file = f"course_utils/{each.file}"
    source = (ROOT / file).read_text(encoding="utf-8")
    path = write(tmp_path, file, source)
    mutants.apply(each, tmp_path)
    written = path.read_text(encoding="utf-8")
    assert written != source
    compile(written, each.file, "exec")
    for tests, *names in (test.split("::") for test in each.tests):
        source = (ROOT / tests).read_text(encoding="utf-8")
        assert all(re.search(rf"(class|def) {name}\b", source) for name in names)


def test_no_two_are_alike():
    assert len({each.wrong for each in KNOWN}) == len(KNOWN) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "written", "caught"),
    [
        ("2 * x", "3 * x", "tests/test_layer.py::test_double[with a space]"),
        ("2 * x", "2 * x + (x == 0)", "tests/test_other.py::test_zero"),  # its own tests miss it
        ("def double", "def triple", "tests/test_layer.py"),  # it cannot be imported
        ("x + 1", "x + 2", "NOT CAUGHT"),
    ],
)
def test_a_mutant_is_caught_by_its_own_tests_or_else_by_the_others(project, capsys, right, written, caught):
    missed = caught == "NOT CAUGHT"
    assert mutants.main([], [mutant(right, written)], project) == int(missed)
    printed = capsys.readouterr().out
    assert f" {caught} " in printed
    assert f"{int(not missed)} of 1 wrong versions were caught" in printed
    assert (project / "course_utils/layer.py").read_text() == LAYER


def test_the_tests_of_the_package_are_those_that_use_no_tool():
    names = {file.name for file in mutants.of_the_package(ROOT)}
    assert {"test_attention.py", "test_properties.py", "test_data.py"} < names
    assert not names & {"test_colab.py", "test_mutants.py", "test_bench.py", "test_lessons_form.py"}


@pytest.mark.slow
def test_a_test_that_fails_anyway_catches_nothing(project):
    write(project, "tests/test_layer.py", "def test_never():\n    raise ValueError\n")
    said = mutants.main([], [mutant("2 * x", "3 * x")], project)
    assert said.startswith("tests/test_layer.py::test_never fails without any mutant")


@pytest.mark.parametrize(("right", "times"), [("y", 0), ("return", 2)])
def test_a_mutant_that_fits_no_longer_is_named(project, right, times):
    with pytest.raises(ValueError, match=rf"must stand once in layer.py. Received: {times} times '{right}'"):
        mutants.apply(mutant(right, "z"), project)


def test_a_run_that_is_no_test_run_is_an_error(project):
    with pytest.raises(RuntimeError, match="pytest could not run"):
        mutants.caught_by(mutant("2 * x", "3 * x", ["tests/none.py"]), project)


def test_a_text_that_names_no_mutant_is_refused(project):
    said = mutants.main(["--only", "nothing"], [mutant("2 * x", "3 * x")], project)
    assert said == "No mutant's description holds the text. Received: --only nothing"
