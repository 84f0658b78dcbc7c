"""tools/claims.py: the page of claims says what the stored lessons say, and no statement is left open."""

import json
import re
import subprocess
import sys

import pytest
from small_lessons import code, markdown, printed, store

from course_utils import lesson
from course_utils.exercises import statements
from tools import claims, lessons, seeds

LONG = "all distances: the LSTM answers at every one, and what is measured | is measured at its end"
UNMEASURED = lesson.WITHOUT_MEASUREMENT
WORDS = "share of them"
BOUNDS = [["-1", "<", "0"], ["0.1234", "==", "0.1234", f"({WORDS})"]]
VERDICT = "holds only when the gates start open, and nothing else is in the way of remembering"


@pytest.fixture(name="found")
def _found(tmp_path, capsys):
    print("some figure 0.5\n  another 0.5")
    lesson.claim(LONG, (0.5, ">", 0.1), (1e-9, "<", 1, "error | at (all) ends"))
    print("  measured by somebody else\n  ✓ is a number\n✓ is not a claim")
    lesson.claim("it learns", (True, "==", True))
    lesson.settle(7, f"{LONG}, said twice: {LONG}", VERDICT, (-1, "<", 0), (0.1234, "==", 0.1234, WORDS))
    for number in UNMEASURED:
        lesson.settle(number, f"it → is good and {LONG}"[:70], "does not hold")
    cells = [markdown("# 02 · RNN: what?\n\ntext"), code("x", outputs=[printed(capsys.readouterr().out)])]
    return claims.found(store(tmp_path, "02_rnn.ipynb", *cells))


@pytest.fixture(name="evidence")
def _evidence(tmp_path):
    text = printed("✓ it shows\n  measured 2 > 1\n✓ Statement 8: it is one → holds\n  measured 1 > 0\n")
    cells = markdown("# 01 · It: the evidence"), code("x", outputs=[text])
    return claims.found(store(tmp_path, "evidence/01_it.ipynb", *cells))


def test_a_lessons_claims_are_found_however_long_they_are(found):
    assert (found.path.name, found.title) == ("02_rnn.ipynb", "02 · RNN: what?")
    bounds = [["0.5", ">", "0.1"], ["1e-09", "<", "1", "(error | at (all) ends)"]]
    assert found.claims == [
        {"text": LONG, "bounds": bounds},
        {"text": "it learns", "bounds": [["True", "==", "True"]]},
    ]


def test_a_lessons_statements_are_found_measured_or_not(found):
    said = f"it → is good and {LONG}"[:70]
    assert found.statements == {
        7: {"said": f"{LONG}, said twice: {LONG}", "verdict": VERDICT, "bounds": BOUNDS},
        **{number: {"said": said, "verdict": "does not hold", "bounds": []} for number in UNMEASURED},
    }


def test_the_page_has_them_by_number_and_by_notebook(found, evidence, tmp_path):
    page = claims.render([found, evidence], tmp_path)
    numbers = [7, *UNMEASURED]
    rows = [line.split(" | ")[0] for line in page.splitlines() if "(notebooks/02_rnn.ipynb) |" in line]
    assert rows == [f"| {number}" for number in sorted(numbers)]
    none = "\n\nNot yet run over seeds.\n\n"
    assert f"### [02 · RNN: what?](notebooks/02_rnn.ipynb){none}- all distances" in page
    assert f"### [01 · It: the evidence](notebooks/evidence/01_it.ipynb){none}- it shows" in page
    assert page.index("### [01") < page.index("### [02")
    assert r"what is measured \| is measured" in page
    assert f"| {VERDICT} | <sub>< 0, share of them: == 0.1234</sub> | [02](notebooks/02_rnn.ipynb) |" in page
    where = "[01 evidence](notebooks/evidence/01_it.ipynb)"
    assert f"| 8 | it is one | holds | <sub>> 0</sub> | {where} |" in page
    assert "| does not hold |  | [02](notebooks/02_rnn.ipynb) |" in page  # a matter of definition


def measure(one, folder, *results, code=None):
    """Store what a notebook's claims measured under each seed."""
    results = [
        {"lesson": "x", "seed": seed, "log": log, "failed": failed}
        for seed, (log, failed) in enumerate(results)
    ]
    key = {"code": code or seeds.code_key(one.path), "package": "x"}
    seeds.store(seeds.place(one.path, folder), key, results)


def entry(text, *bounds, **more):
    names = "measured", "relation", "limit"
    bounds = [dict(zip(names, each, strict=True)) for each in bounds]
    return {"kind": "claim", "text": text, "bounds": bounds, **more}


def statement(number, said, *bounds):
    return entry(None, *bounds, kind="statement", number=number, said=said)


def line_of(page, what):
    (line,) = (line for line in page.splitlines() if what in line)
    return line.replace(claims.DASH, "-")


def test_each_claim_has_the_range_of_each_bound_over_the_seeds(found, evidence, tmp_path):
    runs = [
        [entry(LONG, (far, ">", 0.1), (1e-9, "<", 1)), entry("it learns", (1.0, "==", 1.0))]
        for far in (0.52, 0.1004, 0.4)
    ]
    measure(found, tmp_path, *((log, []) for log in runs))
    measure(evidence, tmp_path, ([statement(8, "it is one", (2.5, ">", 0))], []))
    page = claims.render([found, evidence], tmp_path)
    assert line_of(page, "- all distances").endswith(
        "<sub>0.1004 - 0.52 (> 0.1), error | at (all) ends: 1e-09 (< 1), seeds 0-2</sub>"
    )
    assert line_of(page, "- it learns") == "- it learns <sub>True (== True), seeds 0-2</sub>"
    assert "| holds | <sub>2.5 (> 0), seed 0</sub> | [01 evidence]" in line_of(page, "| it is one |")
    assert claims.NO_SEEDS not in page


def test_a_limit_that_is_measured_may_be_another_here(found, evidence, tmp_path):
    runs = [[entry(LONG, (0.5, ">", limit), (1e-9, "<", 1))] for limit in (0.2, 0.3)]
    measure(found, tmp_path, *((log, []) for log in runs))
    ends = "<sub>0.5 (> 0.2 - 0.3), error | at (all) ends: 1e-09 (< 1), seeds 0-1</sub>"
    assert line_of(claims.render([found, evidence], tmp_path), "- all distances").endswith(ends)


def test_what_was_measured_before_the_last_change_is_marked(found, evidence, tmp_path):
    measure(found, tmp_path, ([entry(LONG, (0.5, ">", 0.2), (1e-9, "<", 1)), entry("it knew")], []))
    measure(evidence, tmp_path, ([entry("it shows", (3, ">", 1))], []), code="of another notebook")
    page = claims.render([found, evidence], tmp_path)
    assert line_of(page, "- all distances").endswith("> 0.1, error | at (all) ends: < 1 †</sub>")  # a limit
    assert line_of(page, "- it learns") == "- it learns <sub>== True †</sub>"  # another text
    assert line_of(page, "- it shows") == "- it shows <sub>3 (> 1), seed 0 †</sub>"  # other code
    assert page.count("† The code has changed since the seeds were run") == 1


def test_a_seed_that_fails_shows(found, evidence, tmp_path):
    bad, good = ([entry("it shows", (each, ">", 1))] for each in (0.5, 2))
    reached = [statement(8, "it is one", (1, ">", 0))]
    fault = ["KeyError: 'why'\nbecause"]
    measure(evidence, tmp_path, (bad + reached, []), (good, fault), (good + reached, []))
    page = claims.render([found, evidence], tmp_path)
    shown = "<sub>0.5 - 2 (> 1), seeds 0-2, does not hold under seed 0</sub>"
    assert line_of(page, "- it shows") == f"- it shows {shown}"
    assert "<sub>1 (> 0), seeds 0, 2</sub>" in line_of(page, "| it is one |")
    assert "\n\nSeed 1 failed: `KeyError: 'why'`\n\n- it shows" in page


def test_a_limit_that_is_measured_too_has_a_range(evidence, tmp_path):
    measure(evidence, tmp_path, *(([entry("it shows", (2, ">", limit))], []) for limit in (1, 1.25, 1.5)))
    page = claims.render([evidence], tmp_path)
    assert line_of(page, "- it shows") == "- it shows <sub>2 (> 1 - 1.5), seeds 0-2</sub>"


def test_votes_find_each_statement_by_its_number_with_its_lesson_and_its_place(found, evidence):
    settled = json.loads(claims.for_vote([found, evidence]))
    assert list(settled) == [str(number) for number in sorted([7, 8, *UNMEASURED])]
    place = {"lesson": "01", "where": "notebooks/evidence/01_it.ipynb"}
    assert settled["8"] == {"said": "it is one", "verdict": "holds", "bounds": [["1", ">", "0"]], **place}
    assert settled["7"]["where"] == "notebooks/02_rnn.ipynb"


def test_the_stored_page_and_the_statements_for_vote_are_up_to_date():
    found = [claims.found(path) for path in lessons.find()]
    assert claims.PAGE.read_text(encoding="utf-8") == claims.render(found), "run `make claims`"
    assert statements.FILE.read_text(encoding="utf-8") == claims.for_vote(found), "run `make claims`"


def test_every_statement_is_settled_once():
    settled = [number for path in lessons.find() for number in claims.found(path).statements]
    assert sorted(settled) == list(lesson.STATEMENTS)


@pytest.mark.parametrize("path", lessons.find(), ids=lessons.name_of)
def test_every_claim_in_a_lessons_source_is_on_the_page(path):
    assert claims.lacks(path) is None


def test_a_lesson_that_is_not_stored_leaves_the_page_alone(tmp_path, monkeypatch):
    outputs = [printed("✓ it learns\n  measured 0.97 > 0.9\n")]
    two = "claim('it learns', bound)\nclaim('it forgets', bound)"
    path = store(tmp_path, "02_rnn.ipynb", markdown("# 02 · RNN: what?"), code(two, outputs=outputs))
    monkeypatch.setattr(claims, "PAGE", tmp_path / "CLAIMS.md")
    monkeypatch.setattr(statements, "FILE", tmp_path / "statements.json")
    monkeypatch.setattr(claims.lessons, "find", lambda: [path])
    said = "notebooks/02_rnn.ipynb calls claim 2 times, and its outputs show 1 of them: run make save N=02"
    assert claims.main().startswith(said)
    assert not claims.PAGE.exists()
    assert not statements.FILE.exists()


CLAIMED = "✓ it learns\n  measured 0.97 > 0.9\n  measured 0.2 < 0.3 (far (away))\n"
STORED = f"{CLAIMED}The loss measured 0.5 > 0.1\n"
COMPARED = [
    ("measured 0.97", "measured 0.98765", True),
    ("measured 0.97", "measured -1.2e-09", True),
    ("measured 0.97", "measured 524288", True),
    ("measured 0.97", "measured nan", True),
    ("measured 0.97", "measured -inf", True),
    ("measured 0.97", "measured True", True),
    ("measured 0.2", "measured 0.25", True),
    ("< 0.3", "< 0.4", False),
    ("(far (away))", "(near (by))", False),
    (" (far (away))", "", False),
    ("> 0.9", ">= 0.9", False),
    ("> 0.9", "> 0.8", False),
    ("it learns", "it knows", False),
    ("\n  measured", "\n  measured 1 > 0.9\n  measured", False),
    ("  measured 0.97 > 0.9", "", False),
    ("\n  measured 0.97", " measured 0.98", False),
    ("loss measured 0.5", "loss measured 0.6", False),
    ("it learns", "it learns 0.97 > 0.9", False),
]


@pytest.mark.slow
def test_of_what_a_claim_prints_the_measured_figure_alone_is_not_compared(tmp_path, capsys):
    lesson.claim("it learns", (0.97, ">", 0.9), (0.2, "<", 0.3, "far (away)"))
    assert capsys.readouterr().out == CLAIMED
    cells = [
        code(f"print({STORED.replace(old, new)!r}, end='')", outputs=[printed(STORED)], count=count)
        for count, (old, new, _) in enumerate(COMPARED, start=1)
    ]
    path = store(tmp_path, "02_rnn.ipynb", *cells)
    command = [sys.executable, "-m", "pytest", "-v", "-n0", "--tb=no", "--color=no", "-p", "no:cacheprovider"]
    settings = [f"--config-file={lessons.ROOT / 'pyproject.toml'}", f"--rootdir={lessons.ROOT}"]
    said = subprocess.run(
        [*command, *settings, path], cwd=lessons.ROOT, capture_output=True, text=True, check=False
    ).stdout
    assert re.findall(r"Cell \d+ (\w+)", said) == [
        "PASSED" if equal else "FAILED" for *_, equal in COMPARED
    ], said
