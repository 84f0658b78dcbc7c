"""tools/matrix.py and the noxfile: every lesson is compared in every case; what passed is not run again."""

import json
import os
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from tools import lessons, matrix

LESSON = """\
import os
with open(os.environ["COUNT"], "a") as file:
    file.write(f"{os.environ.get('FACTOR', '-')} ")
print("the same everywhere")
"""


@pytest.fixture(name="course")
def _course(tmp_path, monkeypatch):
    """A folder of one lesson that notes in which cases it ran."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    write(tmp_path, LESSON)
    return tmp_path


def write(folder, source):
    output = printed("the same everywhere\n")
    store(folder, "02_rnn.ipynb", markdown("# 02"), code(source, outputs=[output], count=1))


def ran(course):
    return sorted((course / "count").read_text().split())


def failures(course, **settings):
    return matrix.failures([course / "02_rnn.ipynb"], sys.executable, course / "build", settings)


def test_a_lesson_is_run_once_in_every_case_and_again_where_something_changed(course, capsys, monkeypatch):
    assert failures(course) == failures(course) == failures(course, FACTOR="7") == []
    assert ran(course) == ["-", "7"]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Python {}.{}.{}, keras ".format(*sys.version_info))
    assert said[1].startswith("✓ 02_rnn, ")
    write(course, LESSON + "# other")
    assert failures(course) == []
    monkeypatch.setattr(matrix, "INSTALLED", matrix.INSTALLED.replace("**versions", "'new': '1', **versions"))
    assert failures(course) == []
    assert ran(course) == ["-", "-", "-", "7"]


def test_a_lesson_that_differs_is_reported_and_run_again(course, capsys):
    write(course, LESSON + "if 'FACTOR' in os.environ: print('seven')")
    for times in (1, 2):
        assert failures(course, FACTOR="7") == ["02_rnn"]
        assert ran(course) == times * ["7"]
        said = capsys.readouterr().out
        assert "FAILED 02_rnn, " in said
        assert "seven" in said


def test_a_lesson_that_pytest_cannot_run_fails_too(course):
    (course / "02_rnn.ipynb").write_text("{}")
    assert failures(course) == ["02_rnn"]


def nox(*arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "nox", *arguments],
        cwd=lessons.ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )


def test_one_factor_is_changed_at_a_time():
    listed = json.loads(nox("--tags", "matrix", "--list", "--json").stdout)
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
    done = nox("--tags", "matrix", "-k", "here", "--", number, VERSIONS=versions)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("name", ["AVX2", "SSE41"])
def test_products_of_every_type_run_on_an_older_processor(name):
    products = """
import tensorflow as tf
for dtype in ("float32", "float16", "bfloat16"):
    ones = tf.ones((64, 64), dtype)
    print(dtype, bool(tf.reduce_all(tf.function(tf.matmul)(ones, ones) == 64)))
"""
    done = subprocess.run(
        [sys.executable, "-c", products],
        env={**os.environ, **matrix.MACHINES[name]},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "float32 True\nfloat16 True\nbfloat16 True\n", done.stderr
