"""tools/matrix.py and the noxfile: every lesson is compared in every case; what passed is not run again."""

import json
import os
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from tools import lessons, matrix

NOX = ("-m", "nox", "--tags", "matrix")
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

    names = {*failures(course), *failures(course)}
    assert capsys.readouterr().out.startswith("Python {}.{}.{}, keras ".format(*sys.version_info))
    names.update(failures(course, FACTOR="7"))
    monkeypatch.setattr(matrix, "INSTALLED", matrix.INSTALLED.replace("**versions", "'new': '1', **versions"))
    names.update(failures(course))
    write(course, LESSON + "# other")
    names.update(failures(course))
    assert len(names) == 4
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


def python(*arguments, **settings):
    command, environment = [sys.executable, *arguments], {**os.environ, **settings}
    return subprocess.run(command, cwd=lessons.ROOT, env=environment, capture_output=True, text=True)


def test_one_factor_is_changed_at_a_time():
    listed = json.loads(python(*NOX, "--list", "--json").stdout)
    own = "{}.{}".format(*sys.version_info)
    pythons = {each["python"] for each in listed if not each["call_spec"]}
    assert pythons | {own} == {"3.11", "3.12", "3.13"}
    assert own not in pythons
    factors = [each["call_spec"] for each in listed if each["call_spec"]]
    machines = [{"machine": name} for name in matrix.MACHINES]
    assert factors == [{"versions": "newest"}, {"versions": "colab"}, *machines]


@pytest.mark.parametrize(
    ("number", "versions", "said"),
    [
        ("77", "", "N must be the number of a lesson: 01, 02"),
        ("1", "newest", "The matrix chooses the versions: leave VERSIONS out. Received: VERSIONS=newest"),
    ],
)
def test_what_is_not_there_is_named(number, versions, said):
    done = python(*NOX, "-k", "here", "--", number, VERSIONS=versions)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("name", ["AVX2", "SSE41"])
def test_products_of_every_type_run_on_an_older_processor(name):
    done = python("-c", PRODUCTS, **matrix.MACHINES[name])
    assert done.stdout == "float32 True\nfloat16 True\nbfloat16 True\n", done.stderr
