"""course_utils/live: what a page computes by itself is what Python computes."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from bs4 import BeautifulSoup

from course_utils import lesson, live, records
from course_utils.records import date_reader
from tools import lessons, site_pages

HELD_OUT = 200
WITHIN = 1e-4  # of each weight
RUN = """\
const { DateReader } = require(process.argv[1]);
const { model, texts } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const reader = new DateReader(model);
const told = texts.map((text) => reader.read(text).map(({ sign, weights }) => [sign, [...weights]]));
console.log(JSON.stringify(told));
"""

SHOW = """\
const { DateReader } = require(process.argv[1]);
const { model, texts } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const reader = new DateReader({ ...model, most: 20 }); // so that the end mark alone ends it
const step = reader.step.bind(reader), logits = [];
reader.step = (...given) => {
  const told = step(...given);
  logits.push([...told.logits]);
  return told;
};
reader.read(texts[0]);
const weights = Object.entries(reader.weights).map(([name, rows]) => [name, rows.map((row) => [...row])]);
console.log(JSON.stringify({ logits, weights: Object.fromEntries(weights) }));
"""


@pytest.fixture(scope="module")
def pairs():
    return date_reader.task()


@pytest.fixture(scope="module")
def page(pairs):
    text = "".join(pairs.test.sources[0])
    rows = np.linspace(0, 1, 2 * len(text)).reshape(2, -1)
    return live.date_map(pairs, text, ["2", "<end>"], rows)


def in_node(pairs, texts, run=RUN):
    """Let node read dates by the script of the page, or run something else with it."""
    return run_in_node(run, {"model": live.model(pairs), "texts": texts}, str(live.FOLDER / "date_reader.js"))


def run_in_node(run, given, *arguments):
    """Return what a script prints in node, which reads what is given, both as JSON."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; `make site ARGS=--check` runs the same script in Chromium")
    done = subprocess.run(
        [node, "-e", run, "--", *arguments],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_page_writes_and_looks_as_python_does(pairs):
    lesson.start()
    texts = ["".join(each) for each in pairs.test.sources[:HELD_OUT]] + list(live.NEVER_READ)
    in_page, in_python = in_node(pairs, texts), live.read(pairs, texts)
    assert {*pairs.test.languages[:HELD_OUT]} == {*pairs.test.languages}
    said = [["".join(sign for sign, _ in each) for each in in_page], ["".join(each) for each, _ in in_python]]
    assert [pair for pair in zip(*said, strict=True) if len(set(pair)) > 1] == []
    apart = [
        np.abs(np.array([weights for _, weights in there]) - here).max()
        for there, (_, here) in zip(in_page, in_python, strict=True)
    ]
    assert max(apart) < WITHIN
    never_read = dict(zip(live.NEVER_READ, said[0][HELD_OUT:], strict=True))  # as site/watch.md says
    assert never_read["31 February 2020"] == "2020-02-31<end>"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d<end>", never_read["yesterday"])


def test_the_weights_and_the_logits_are_those_of_python(pairs):
    kept, test = records.weights("date_reader"), pairs.test
    shown = in_node(pairs, ["".join(test.sources[0])], SHOW)
    assert shown["weights"].keys() == kept.keys()
    for name, rows in shown["weights"].items():
        np.testing.assert_array_equal(np.squeeze(rows), np.squeeze(kept[name]), err_msg=name)
    reader = date_reader.stored(pairs, kept)
    logits = reader([each[:1] for each in test.inputs])[0]  # of the true tokens, which it also writes
    np.testing.assert_allclose(shown["logits"], logits, atol=1e-3)


def test_what_no_date_has_is_left_out(pairs):
    known = "3 July 2044"
    strange, plain, empty, nothing = in_node(pairs, [f"“{known}”!", known, "", "Ωß"])
    assert strange == plain
    assert (empty, nothing) == ([], [])


def test_the_weights_are_those_of_the_record_and_small(pairs):
    model = live.model(pairs)
    kept = records.weights("date_reader")
    assert {name: tuple(each["shape"]) for name, each in model["weights"].items()} == {
        name: each.shape for name, each in kept.items()
    }
    assert len(json.dumps(model["weights"])) < 200_000
    assert len((live.FOLDER / "date_reader.js").read_text(encoding="utf-8").splitlines()) < 150


def test_a_page_asks_nothing_of_any_host(page):
    assert "//" not in page.html.replace("// ", "")
    assert len(page.html.encode()) < 250_000
    soup = BeautifulSoup(page._repr_html_(), "html.parser")
    assert not soup.select("[src], link, iframe, img")


def test_the_lesson_and_the_site_show_the_page_of_this_code():
    stored = site_pages.map_of_dates([lessons.read(lessons.NOTEBOOKS / "08_attention.ipynb")])
    assert [
        name for name in live.CODE if (live.FOLDER / name).read_text(encoding="utf-8") not in stored
    ] == []
    assert f"<style>\n{live.styled('date-map', 'date_map.css')}</style>" in stored


def test_a_date_of_each_language_is_offered_and_none_was_in_training(pairs):
    offered = live.examples(pairs)
    known = {"".join(each) for part in (pairs.train, pairs.validation) for each in part.sources}
    held_out, never_read = (set(texts) for texts in offered.values())
    assert len(held_out) == len(np.unique(pairs.test.languages)) == 7
    assert not (held_out | never_read) & known
    assert set("".join(never_read)) <= set(pairs.source_vocabulary.tokens)


def test_where_scripts_do_not_run_the_map_stands_there(page, pairs):
    soup = BeautifulSoup(page.html, "html.parser")
    for each in soup.select("script, style"):
        each.decompose()
    head, *rows = soup.select_one(".date-map").table.select("tr")
    assert [each.text for each in head.select("th")] == ["2", "end"]
    signs = [sign.replace(" ", "␣") for sign in pairs.test.sources[0]]
    assert [row.th.text for row in rows] == signs
    assert rows[-1].select("td")[1].text == "100"
    assert "rgba(0, 114, 178, 1.00)" in rows[-1].select("td")[1]["style"]
    assert rows[0].td.text == ""


@pytest.mark.parametrize("text", ['<b title="&">', "a </script> b", "<!--"])
def test_signs_of_html_stay_signs(pairs, text):
    rows = np.full((1, len(text)), 1 / len(text))
    page = live.date_map(pairs, text, ["<end>"], rows).html
    soup = BeautifulSoup(page, "html.parser")
    assert soup.div["data-text"] == text
    assert "".join(row.th.text for row in soup.select(".still tr")[1:]) == text.replace(" ", "␣")
    assert (page.count("<script"), page.count("</script"), page.count("<!--")) == (1, 1, 0)
    assert "<end>" not in page
    assert len(soup.select("b")) == 0


@pytest.mark.parametrize(
    ("text", "written", "shape", "said"),
    [
        ("ab", ["1"], (2, 1), r"here \(1, 2\). Received: shape=\(2, 1\)"),
        ("ab", ["1", "2"], (2,), r"here \(2, 2\). Received: shape=\(2,\)"),
        ("", ["1"], (1, 1), "`text` must be a date, a string. Received: text=''"),
        (None, ["1"], (1, 1), "`text` must be a date, a string. Received: text=None"),
        ("ab", [], (1, 2), "`written` must be a list, not empty"),
        ("ab", [3], (1, 2), r"`written` must be tokens, strings. Received: written=\[3\]"),
    ],
)
def test_a_map_of_another_shape_is_refused(pairs, text, written, shape, said):
    with pytest.raises(ValueError, match=said):
        live.date_map(pairs, text, written, np.ones(shape))
