"""tools/matrix.py and the noxfile: every lesson is compared in every case; what passed is not run again."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from nox import registry
from small_lessons import code, markdown, printed, store

import noxfile
from tools import lessons, matrix

PRODUCTS = """\
import tensorflow as tf
for dtype in ("float32", "float16", "bfloat16"):
    ones = tf.ones((64, 64), dtype)
    print(dtype, bool(tf.reduce_all(tf.function(tf.matmul)(ones, ones) == 64)))
"""
LESSON = """\
import os
print("the same everywhere")
if "FACTOR" in os.environ: print("seven")
"""


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cases_in_threads")]


@pytest.fixture(name="course")
def _course(tmp_path):
    """A folder of one lesson that differs under one setting."""
    write(tmp_path, LESSON)
    return tmp_path


def write(folder, source):
    output = printed("the same everywhere\n")
    store(folder, "02_rnn.ipynb", markdown("# 02"), code(source, outputs=[output], count=1))


def failures(course, **settings):
    return matrix.failures([course / "02_rnn.ipynb"], sys.executable, course / "build", settings)


def test_what_a_lesson_depends_on_makes_another_case(course, capsys, monkeypatch):
    monkeypatch.setattr(matrix.kept, "failures", lambda cases, _: list(cases))
    monkeypatch.setattr(matrix.kept, "package", lambda: "one package")
    names = {*failures(course), *failures(course)}
    assert capsys.readouterr().out.startswith("Python {}.{}.{}, keras ".format(*sys.version_info))
    names.update(failures(course, FACTOR="7"))
    monkeypatch.setattr(matrix, "INSTALLED", matrix.INSTALLED.replace("**versions", "'new': '1', **versions"))
    names.update(failures(course))
    write(course, LESSON + "# other")
    names.update(failures(course))
    monkeypatch.setattr(matrix.kept, "package", lambda: "another package")
    names.update(failures(course))
    assert len(names) == 5
    write(course / "evidence", LESSON)
    both = matrix.failures(lessons.find(folder=course), sys.executable, course / "build", {})
    assert [name.partition("-")[0] for name in both] == ["02_rnn", "02e_rnn"]


def test_a_lesson_is_compared_with_what_is_stored(course, capsys):
    assert failures(course) == []
    assert failures(course, FACTOR="7") == ["02_rnn"]
    _, passed, _, failed, *report = capsys.readouterr().out.splitlines()
    assert passed.startswith("✓ 02_rnn, ")
    assert failed.startswith("FAILED 02_rnn, ")
    assert any("seven" in line for line in report)


def test_a_lesson_that_pytest_cannot_run_fails_too(course):
    (course / "02_rnn.ipynb").write_text("{}")
    assert failures(course) == ["02_rnn"]


def test_one_factor_is_changed_at_a_time():
    assert sorted([noxfile.OWN, *noxfile.OTHERS]) == ["3.11", "3.12", "3.13"]
    sessions = {name: each for name, each in registry.get().items() if "matrix" in each.tags}
    assert list(sessions) == ["python", "versions", "machine"]
    assert sessions["python"].python == noxfile.OTHERS
    factors = [each.id for name in ("versions", "machine") for each in sessions[name].parametrize]
    assert factors == ["newest", "colab", *matrix.MACHINES]


@pytest.mark.parametrize(
    ("number", "versions", "said"),
    [
        ("77", "", "N must be the number of a lesson: 01, 02"),
        ("1", "newest", "The matrix chooses the versions: leave VERSIONS out. Received: VERSIONS=newest"),
    ],
)
def test_what_is_not_there_is_named(number, versions, said, monkeypatch):
    def error(line):
        raise ValueError(line)

    monkeypatch.setenv("VERSIONS", versions)
    session = SimpleNamespace(posargs=[number], error=error, bin=None)
    with pytest.raises(ValueError, match=said):
        noxfile.machine.func(session, "here")


@pytest.mark.parametrize("name", ["AVX2", "SSE41"])
def test_products_of_every_type_run_on_an_older_processor(name):
    environment = {**os.environ, **matrix.MACHINES[name]}
    done = subprocess.run([sys.executable, "-c", PRODUCTS], env=environment, capture_output=True, text=True)
    assert done.stdout == "float32 True\nfloat16 True\nbfloat16 True\n", done.stderr
