"""tools/seeds.py: every seed is run once; each claim is shown with its margin, and its figures are stored."""

import json

import pytest
from small_lessons import code, markdown, store

from tools import kept, seeds

LESSON = """\
import json, os
seed = int(os.environ["COURSE_SEED"])
def claim(text, *bounds):
    bounds = [dict(zip(("measured", "relation", "limit"), bound)) for bound in bounds]
    with open(os.environ["COURSE_LOG"], "a") as file:
        file.write(json.dumps({"kind": "claim", "text": text, "bounds": bounds, "held": True}) + chr(10))
with open(os.environ["COUNT"], "a") as file:
    file.write(f"{seed} ")
"""
CLAIMS = "claim('it learns', (0.9 + 0.01 * seed, '>', 0.5), (seed, '<', 2.5))"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cases_in_threads")]


@pytest.fixture(name="course")
def _course(tmp_path, monkeypatch):
    """A folder of one lesson that notes which seeds ran."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    store(tmp_path, "02_rnn.ipynb", markdown("# 02"), code(LESSON), code(CLAIMS))
    return tmp_path


def ran(course):
    return sorted(map(int, (course / "count").read_text().split()))


def run(course, *arguments):
    return seeds.main(arguments, course, course / "build", course / "stored")


def stored(course, name="02_rnn"):
    return json.loads((course / f"stored/{name}.json").read_text())


def test_every_seed_is_run_once_and_the_table_is_printed_and_stored(course, capsys):
    assert run(course, "--seeds", "0,2") == 0
    assert ran(course) == [0, 2]
    printed = capsys.readouterr().out
    (line,) = (line for line in printed.splitlines() if "it learns" in line)
    assert line.split()[3:] == ["<", "2.5", "0", "2", "0.5", "1", "weak"]  # the bound that held by the least
    assert "2 bounds, 1 of them weak" in printed
    assert "> 0.5" in (course / "build/seeds.txt").read_text()

    store(course, "02_rnn.ipynb", markdown("# other words"), code(LESSON), code(CLAIMS))
    run(course, "--seeds", "0-2", "--one", "2")
    assert ran(course) == [0, 1, 2]  # it goes on, and words change no result
    store(course, "02_rnn.ipynb", markdown("# 02"), code(LESSON), code(CLAIMS + "  # other code"))
    run(course, "--seeds", "1")
    assert ran(course) == [0, 1, 1, 2]


def test_evidence_is_run_beside_its_lesson_even_where_their_code_is_the_same(course, capsys):
    store(course, "evidence/02_rnn.ipynb", code(LESSON), code(CLAIMS))
    run(course, "--seeds", "2")
    assert ran(course) == [2, 2]
    assert stored(course)["claims"] == stored(course, "evidence/02_rnn")["claims"]
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table if "it learns" in line] == ["02", "02e"]


def test_what_each_seed_measured_is_stored_and_more_seeds_of_the_same_code_join_it(course, monkeypatch):
    run(course, "--seeds", "2")
    assert stored(course)["seeds"] == {"2": []}
    run(course, "--seeds", "0,1")
    first = stored(course)
    assert first["seeds"] == {"2": [], "0": [], "1": []}
    learns, small = first["claims"]["it learns"]
    assert small == {"relation": "<", "limit": 2.5, "measured": {"2": 2, "0": 0, "1": 1}, "limits": {}}
    assert learns["measured"] == {"2": 0.92, "0": 0.9, "1": 0.91}

    monkeypatch.setattr(kept, "package", lambda: "another package")
    run(course, "--seeds", "1")
    assert stored(course)["claims"]["it learns"][1]["measured"] == {"1": 1}
    store(course, "02_rnn.ipynb", code(LESSON), code(CLAIMS.replace("it learns", "it knows")))
    run(course, "--seeds", "2")
    last = stored(course)
    assert (last["seeds"], list(last["claims"])) == ({"2": []}, ["it knows"])
    assert len({(each["code"], each["package"]) for each in (first, last)}) == 2


def test_words_and_the_address_of_the_course_leave_what_is_stored_valid(course):
    path = store(course, "02_rnn.ipynb", markdown("# 02"), code("ADDRESS = 1", "setup"), code("x = 1"))
    key = seeds.code_key(path)
    store(course, "02_rnn.ipynb", markdown("# two"), code("ADDRESS = 2", "setup"), code("x = 1"))
    assert seeds.code_key(path) == key
    store(course, "02_rnn.ipynb", markdown("# 02"), code("ADDRESS = 1", "setup"), code("x = 2"))
    assert seeds.code_key(path) != key


def test_a_limit_that_is_measured_too_is_that_of_each_seed(course, capsys):
    store(course, "02_rnn.ipynb", code(LESSON), code("claim('it gains', (seed, '>', 2 * seed - 3))"))
    assert run(course, "--seeds", "0-2") == 0  # margins of 3, 2 and 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "it gains" in line)
    assert line.split()[-2:] == ["1", "0.82"]
    (bound,) = stored(course)["claims"]["it gains"]
    assert (bound["limit"], bound["limits"]) == (-3, {"1": -1, "2": 1})
    (again,) = seeds.bounds_of(stored(course), "it gains")
    assert (again.margin(), again.failing()) == (1, [])


def test_a_claim_that_fails_under_one_seed_fails_the_table(course, capsys):
    assert run(course, "--seeds", "2-3") == 1
    assert "FAILED" in capsys.readouterr().out
    learns, small = seeds.bounds_of(stored(course), "it learns")
    assert (learns.failing(), small.failing()) == ([], [3])


def test_a_lesson_that_ends_in_an_error_is_named(course, capsys):
    store(course, "02_rnn.ipynb", code(LESSON), code("raise KeyError('why')"), code(CLAIMS))
    assert run(course, "--seeds", "1") == 1
    printed = capsys.readouterr().out
    assert "02_rnn, seed 1: KeyError: 'why'" in printed
    assert "02_rnn, seed 1: 0 of 1 claims were reached" in printed
    assert stored(course)["seeds"] == {"1": ["KeyError: 'why'", "0 of 1 claims were reached"]}


@pytest.mark.parametrize(
    ("relation", "limit", "measured", "margin", "held", "weak"),
    [
        (">", 0.9, [0.95, 0.97], 0.05, True, False),
        (">", 0.9, [0.9, 0.97], 0.0, False, True),
        (">=", 1.0, [1.0, 1.0], 0.0, True, False),
        ("<", 0.2, [0.1, 0.19], 0.01, True, True),
        ("==", 3, [3, 3], 0.0, True, False),
        ("==", 3, [3, 4], -1.0, False, True),
        ("<", 0.2, [0.1, float("nan")], float("-inf"), False, True),
        (">", 10, [2e4, 9e6], 19990.0, True, False),  # powers of ten apart, and far above
        (">", 10, [11, 9e6], 1.0, True, True),
        ("<", 0.2, [0.001, 0.1], 0.1, True, False),
    ],
)
def test_a_margin_is_the_distance_on_the_side_that_holds(relation, limit, measured, margin, held, weak):
    bound = seeds.Bound("02", "x", relation, limit, dict(enumerate(measured)))
    assert bound.margin() == pytest.approx(margin)
    assert (bound.held(), bound.weak()) == (held, weak)
    assert bool(bound.failing()) != held


@pytest.mark.parametrize("text", ["", "two", "3-1", "-1", "0,,1"])
def test_seeds_that_are_none_are_refused(course, text, capsys):
    with pytest.raises(SystemExit):
        run(course, "--seeds", text)
    assert "must be seeds such as 0-9 or 0,3,5" in capsys.readouterr().err
