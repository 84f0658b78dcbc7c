"""tools/matrix.py: every lesson is compared in every case, and what passed is not run again."""

import json
import os
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from tools import lessons, matrix
from tools.matrix import Case

OWN = "{}.{}".format(*sys.version_info)
LESSON = """\
import os
with open(os.environ["COUNT"], "a") as file:
    file.write(f"{os.environ.get('FACTOR', '-')} ")
print("the same everywhere")
"""
CASES = (Case("plain"), Case("factor", settings={"FACTOR": "7"}))
# In place of tools/setup.sh: what runs in the environment that it makes can tell in which.
SETUP = """\
#!/bin/sh
echo "$VENV $VERSIONS $PYTHON" >>"$COUNT"
if [ "$VERSIONS" = colab ]; then echo "pip says why" >&2; exit 1; fi
mkdir -p "$VENV/bin"
printf '#!/bin/sh\\nFACTOR=%s exec "%s" "$@"\\n' "$VERSIONS" "$INTERPRETER" >"$VENV/bin/python"
chmod +x "$VENV/bin/python"
"""


@pytest.fixture(name="course")
def _course(tmp_path, monkeypatch):
    """A folder of one lesson that notes in which cases it ran."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    monkeypatch.setenv("INTERPRETER", sys.executable)
    monkeypatch.delenv("VERSIONS", raising=False)
    write(tmp_path, LESSON)
    return tmp_path


@pytest.fixture
def setup(course, monkeypatch):
    """A set-up that makes an environment of the Python that runs this; what Colab ships it cannot have."""
    script(course / "setup.sh", SETUP)
    monkeypatch.setattr(matrix, "SETUP", course / "setup.sh")


@pytest.fixture
def quick(monkeypatch):
    """No lesson is run, and each passes."""
    monkeypatch.setattr(matrix, "run_one", note)


def note(case, python, path, settings):  # noqa: ARG001
    """Note on which Python a lesson would run."""
    with open(os.environ["COUNT"], "a") as file:
        file.write(f"{python}\n")
    return {"case": case, "lesson": path.stem, "passed": 1, "failed": 0, "seconds": 1.0, "report": ""}


def write(folder, source, name="02_rnn.ipynb"):
    store(folder, name, markdown("# 02"), code(source, outputs=[printed("the same everywhere\n")], count=1))


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def fake_python(path, version):
    return script(path, f"#!/bin/sh\necho {version}\n")


def ran(course):
    return sorted((course / "count").read_text().split())


def run(course, *arguments, cases=CASES):
    return matrix.main(arguments, course, course / "build", cases)


def rows(capsys):
    """The cells of the printed table below its head, by the name of the case."""
    lines = [line for line in capsys.readouterr().out.split("\n\n")[0].splitlines() if line.strip()]
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    return {first: others for first, *others in cells[2:]}


def test_every_lesson_is_run_in_every_case_and_shown(course, capsys):
    assert run(course) == 0
    assert ran(course) == ["-", "7"]
    table = rows(capsys)
    assert list(table) == ["plain", "factor"]
    for python, *_, cell in table.values():
        assert python.startswith(OWN)
        assert cell.startswith("✓ ")


def test_it_goes_on_where_it_stopped(course):
    assert run(course, "--only", "Factor") == 0
    assert ran(course) == ["7"]
    assert run(course, "--one", "2") == 0
    assert ran(course) == ["-", "7"]
    write(course, LESSON + "# other")
    assert run(course) == 0
    assert ran(course) == ["-", "-", "7", "7"]


def test_a_result_depends_on_the_versions_that_are_installed(course, monkeypatch):
    run(course, "--only", "plain")
    packages = (*matrix.PACKAGES, "pytest")
    monkeypatch.setattr(matrix, "INSTALLED", matrix.INSTALLED.replace(f"{matrix.PACKAGES}", f"{packages}"))
    run(course, "--only", "plain")
    assert ran(course) == ["-", "-"]


def test_a_lesson_that_differs_fails_the_table_and_is_run_again(course, capsys):
    write(course, LESSON + "if 'FACTOR' in os.environ: print('seven')")
    for times in (1, 2):
        assert run(course) == 1
        assert ran(course) == sorted(["-"] + times * ["7"])
        said = capsys.readouterr().out
        assert "1 failed" in said
        assert "factor, 02_rnn failed:" in said
        assert "seven" in said
        assert "plain, 02_rnn failed" not in said


def test_a_lesson_that_pytest_cannot_run_fails_too(course, capsys):
    (course / "02_rnn.ipynb").write_text("{}")
    assert run(course, "--only", "plain") == 1
    said = capsys.readouterr().out
    assert "1 failed" in said
    assert "plain, 02_rnn failed:" in said


def test_results_are_json(course):
    run(course, "--only", "factor")
    (file,) = (course / "build/matrix/results").iterdir()
    result = json.loads(file.read_text())
    assert result["seconds"] > 0
    assert {**result, "seconds": 0} == {
        "case": "factor",
        "lesson": "02_rnn",
        "passed": 1,
        "failed": 0,
        "seconds": 0,
        "report": "",
    }


@pytest.mark.usefixtures("setup")
def test_other_versions_get_an_environment_of_their_own(course, capsys):
    cases = (Case("own", OWN), Case("newest versions", versions="newest"))
    assert run(course, cases=cases) == 0
    place, versions, python, *ran_in = (course / "count").read_text().split()
    assert (lessons.ROOT / place).resolve() == course / "build/matrix/newest"
    assert (versions, python) == ("newest", sys.executable)
    assert sorted(ran_in) == ["-", "newest"]
    assert [cells[-1][0] for cells in rows(capsys).values()] == ["✓", "✓"]


@pytest.mark.usefixtures("setup", "quick")
def test_another_python_gets_an_environment_of_its_own(course, monkeypatch):
    python = fake_python(course / "bin/python3.9", "3.9")
    monkeypatch.setenv("PATH", str(python.parent), prepend=":")
    assert run(course, cases=[Case("Python 3.9", "3.9")]) == 0
    place, versions, asked, ran_on = (course / "count").read_text().split()
    assert (lessons.ROOT / place).resolve() == course / "build/matrix/python3.9"
    assert (versions, asked) == ("stored", str(python))
    assert ran_on == str(course / "build/matrix/python3.9/bin/python")


@pytest.mark.usefixtures("setup", "quick")
def test_other_versions_take_another_python_where_theirs_is_not_found(course):
    assert run(course, cases=[Case("newest versions", "3.2", "newest")]) == 0
    assert (course / "count").read_text().splitlines()[0].endswith(f" newest {sys.executable}")


@pytest.mark.usefixtures("quick")
def test_a_python_that_is_not_found_is_a_row_and_no_failure(course, capsys):
    assert run(course, cases=[Case("Python 3.2", "3.2"), Case("plain")]) == 0
    assert ran(course) == [sys.executable]
    table = rows(capsys)
    assert table["Python 3.2"] == ["not found"]
    assert table["plain"][-1] == "✓ 1 s"


@pytest.mark.usefixtures("setup", "quick")
def test_an_environment_that_cannot_be_made_fails_the_table_and_the_others_are_run(course, capsys):
    assert run(course, cases=[Case("Colab's versions", versions="colab"), Case("plain")]) == 1
    said = capsys.readouterr().out
    assert "no environment" in said
    assert "Colab's versions failed:\npip says why" in said
    assert "✓ 1 s" in said


def test_a_python_is_found_by_any_name_if_it_runs(tmp_path, monkeypatch):
    script(tmp_path / "one/python3.12", "#!/bin/sh\nexit 127\n")
    fake_python(tmp_path / "one/python3", "3.11")
    second = fake_python(tmp_path / "two/python3.12", "3.12")
    plain = fake_python(tmp_path / "two/python", "3.10")
    monkeypatch.setenv("PATH", f"{tmp_path}/one:{tmp_path}/two")
    assert matrix.find_python("3.12") == str(second)
    assert matrix.find_python("3.10") == str(plain)
    assert matrix.find_python("3.2") is None


def test_the_course_changes_one_factor_at_a_time():
    names = [case.name for case in matrix.CASES]
    assert len(set(names)) == len(names)
    factors = {
        "python": lambda case: case.python if case.versions == "stored" else None,
        "versions": lambda case: case.versions if case.versions != "stored" else None,
        "settings": lambda case: case.settings,
    }
    for case in matrix.CASES:
        assert [bool(value(case)) for value in factors.values()].count(True) == 1, case.name


def test_versions_are_not_chosen_from_outside(course, monkeypatch):
    monkeypatch.setenv("VERSIONS", "newest")
    said = run(course)
    assert said == "The matrix chooses the versions itself: leave VERSIONS out. Received: VERSIONS=newest"


def test_what_is_not_there_is_named(course):
    assert run(course, "--one", "7") == "N must be the number of a lesson: 02. Received: N=7"
    assert run(course, "--only", "Python 4") == "No case's name holds the text. Received: --only Python 4"


@pytest.mark.parametrize("case", [case for case in matrix.CASES if "ONEDNN_MAX_CPU_ISA" in case.settings])
def test_products_of_every_type_run_on_an_older_processor(case):
    products = """
import tensorflow as tf
for dtype in ("float32", "float16", "bfloat16"):
    ones = tf.ones((64, 64), dtype)
    print(dtype, bool(tf.reduce_all(tf.function(tf.matmul)(ones, ones) == 64)))
"""
    done = subprocess.run(
        [sys.executable, "-c", products],
        env={**os.environ, **case.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "float32 True\nfloat16 True\nbfloat16 True\n", done.stderr
