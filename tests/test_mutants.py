"""tools/mutants.py: each wrong version is what it says, and is caught; the project stays as it was."""

import re

import pytest

from tools import mutants
from tools.lessons import ROOT

LAYER = "def double(x):\n    return 2 * x\n\n\ndef unused(x):\n    return x + 1\n"
OWN = """\
import pytest
from course_utils.layer import double


@pytest.mark.parametrize("x", [3], ids=["with a space"])
def test_double(x):
    assert double(x) == 6
"""
OTHER = "from course_utils import layer\n\n\ndef test_zero():\n    assert layer.double(0) == 0\n"


def mutant(right, written, tests=("tests/test_layer.py",)):
    return mutants.Mutant("it is wrong", "layer.py", right, written, tests)


@pytest.fixture(name="project")
def _project(tmp_path):
    for name, text in {
        "course_utils/__init__.py": "",
        "course_utils/layer.py": LAYER,
        "tests/test_layer.py": OWN,
        "tests/test_other.py": OTHER,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("each", mutants.MUTANTS, ids=lambda each: f"{each.file}: {each.wrong}")
def test_every_mutant_can_be_applied_and_is_python(each, tmp_path):
    file = tmp_path / "course_utils" / each.file
    file.parent.mkdir(parents=True)
    file.write_text((ROOT / "course_utils" / each.file).read_text(encoding="utf-8"), encoding="utf-8")
    path, source = mutants.apply(each, tmp_path)
    assert path.read_text(encoding="utf-8") != source
    compile(path.read_text(encoding="utf-8"), each.file, "exec")
    for file, *names in (test.split("::") for test in each.tests):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert all(re.search(rf"(class|def) {name}\b", source) for name in names)


def test_there_are_many_and_no_two_are_alike():
    assert len(mutants.MUTANTS) >= 40
    assert len({each.wrong for each in mutants.MUTANTS}) == len(mutants.MUTANTS)


def test_a_mutant_is_caught_by_the_tests_of_its_module(project, capsys):
    assert mutants.main([], [mutant("2 * x", "3 * x")], project) == 0
    printed = capsys.readouterr().out
    assert "test_layer.py::test_double[with a space]" in printed
    assert "1 of 1 wrong versions were caught" in printed
    assert (project / "course_utils/layer.py").read_text() == LAYER


def test_a_mutant_that_its_own_tests_miss_is_caught_by_the_others(project, capsys):
    assert mutants.main([], [mutant("2 * x", "2 * x + (x == 0)")], project) == 0
    assert "test_other.py::test_zero" in capsys.readouterr().out


def test_what_the_test_of_a_tool_sees_does_not_count(project, capsys):
    tool = "from tools import save\n\n\ndef test_tool():\n    raise ValueError(save)\n"
    (project / "tests/test_a_tool.py").write_text(tool)
    assert mutants.main([], [mutant("x + 1", "x + 2")], project) == 1
    assert "NOT CAUGHT" in capsys.readouterr().out


def test_the_tests_of_the_package_are_those_that_use_no_tool():
    names = {file.name for file in mutants.of_the_package(ROOT)}
    assert {"test_attention.py", "test_properties.py", "test_data.py"} < names
    assert not names & {"test_colab.py", "test_mutants.py", "test_bench.py"}


def test_a_module_that_cannot_be_imported_counts_as_caught(project, capsys):
    assert mutants.main([], [mutant("def double", "def triple")], project) == 0
    assert "test_layer.py" in capsys.readouterr().out


def test_a_test_that_fails_anyway_catches_nothing(project):
    (project / "tests/test_layer.py").write_text("def test_never():\n    raise ValueError\n")
    said = mutants.main([], [mutant("2 * x", "3 * x")], project)
    assert said.startswith("test_layer.py::test_never fails without any mutant")


def test_a_mutant_that_nobody_sees_fails_the_table(project, capsys):
    several = [mutant("x + 1", "x + 2"), mutant("2 * x", "3 * x")]
    assert mutants.main([], several, project) == 1
    printed = capsys.readouterr().out
    assert "NOT CAUGHT" in printed
    assert "1 of 2 wrong versions were caught" in printed


def test_a_mutant_that_fits_no_longer_is_named(project):
    with pytest.raises(ValueError, match=r"must stand once in layer.py. Received: 0 times 'y'"):
        mutants.apply(mutant("y", "z"), project)
    with pytest.raises(ValueError, match="Received: 2 times 'return'"):
        mutants.apply(mutant("return", "yield"), project)


def test_a_run_that_is_no_test_run_is_an_error(project):
    with pytest.raises(RuntimeError, match="pytest could not run"):
        mutants.caught_by(mutant("2 * x", "3 * x", ("tests/none.py",)), project)


def test_a_text_that_names_no_mutant_is_refused(project):
    said = mutants.main(["--only", "nothing"], [mutant("2 * x", "3 * x")], project)
    assert said == "No mutant's description holds the text. Received: --only nothing"
