"""tools/site_notebooks.py: what the cells of a notebook become before they are a page."""

import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from small_lessons import code, markdown, printed, shown

from course_utils import exercises
from tools import site_notebooks


def ready(*cells):
    return site_notebooks.ready(v4.new_notebook(cells=list(cells))).cells


def figure(source):
    return code(source, outputs=[shown(image_png="aaaa", text_plain="<Figure>")])


def alt(before, source):
    return ready(markdown(before), figure(source))[-1].metadata.mystnb["image"]["alt"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("diagrams.lstm_cell(title='One step of it')", "One step of it"),
        (
            "title = 'It learns four words'\nplotting.curves(x, lines, 'steps', 'loss', title)",
            "It learns four words",
        ),
        ("plotting.curves(x, lines, 'steps', 'loss', 'It ' 'learns')", "It learns · Which line rises?"),
        (
            "left.set(title='Two')\nright.set_title('or three stories')\nplt.suptitle('Two')",
            "Two · or three stories",
        ),
        ("left.set(title='Two')\nright.set(title=f'of {name}')", "Two · Which line rises?"),
        ("plotting.curves(x, lines, 'steps', 'loss', name)", "Which line rises?"),
        ("plt.plot(x)", "Which line rises?"),
    ],
)
def test_a_picture_says_its_titles_or_what_to_look_for(source, said):
    assert alt("## Train it\n\nTwo networks. **Which** line [rises](a.md)?", source) == said


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("Look at $h_t$. Which `line` rises?", "Which line rises?"),
        ("One.\n\n- Two.\n- Three.\n\nFour (5). Six.", "Six."),
        ("Rising at 0.95, so look: it rises.", "Rising at 0.95, so look: it rises."),
        ("Two lines\nof one sentence.", "Two lines of one sentence."),
    ],
)
def test_the_last_sentence_of_a_text(text, last):
    assert site_notebooks.last_sentence(text) == last


def test_a_picture_is_as_wide_as_in_the_notebook():
    (cell,) = ready(figure("plt.plot(x)"))
    assert "width" not in cell.metadata.mystnb["image"]
    cell.outputs[0].metadata["image/png"] = {"width": 569, "height": 265}
    (cell,) = ready(cell)
    assert cell.metadata.mystnb["image"]["width"] == "569px"


def test_the_notebook_stays_as_it_is_and_the_set_up_is_folded():
    cell = code("import sys", "setup")
    (folded,) = ready(cell)
    assert (cell.metadata.tags, folded.metadata.tags) == (["setup"], ["setup", "hide-input"])


def test_hints_are_folded_and_the_solution_once_more():
    cell, helped = ready(code("def lstm_step(x): ...\n\n\ncheck('04.lstm_step', lstm_step)", "exercise"))
    assert cell.source.startswith("def lstm_step")
    soup = BeautifulSoup(helped.source, "html.parser")
    assert not soup.select("details[open]")
    hints = [each.p.text for each in soup.select(".help > details:not(.solution)")]
    assert hints == exercises.EXERCISES["04.lstm_step"].hints
    assert exercises.solution_source("04.lstm_step") in soup.select_one(".help > .solution").text


def test_code_and_signs_in_a_hint_are_shown_as_they_are(monkeypatch):
    hint = "Where `mask < 1`, a * b * c stays <0; see `W_x`."
    changed = exercises.EXERCISES["04.lstm_step"].__class__("04.lstm_step", len, [], [hint])
    monkeypatch.setitem(exercises.EXERCISES, "04.lstm_step", changed)
    monkeypatch.setattr(exercises, "solution_source", lambda name: "pass")
    shown = BeautifulSoup(site_notebooks.help_with("04.lstm_step"), "html.parser").p
    assert shown.text == hint.replace("`", "")
    assert [each.text for each in shown.find_all("code")] == ["mask < 1", "W_x"]


STATEMENTS = {
    32: {"said": "a < b", "verdict": "does not hold", "bounds": [["3", "==", "3", "(gates)"]]},
    17: {"said": "b", "verdict": "holds", "bounds": []},
    36: {"said": "c", "verdict": "holds only when so", "bounds": [["0.5", "<", "1"], ["2", ">", "1"]]},
}


@pytest.fixture
def votes(monkeypatch):
    settled = {key: {**each, "where": "notebooks/evidence/04_lstm.ipynb"} for key, each in STATEMENTS.items()}
    monkeypatch.setattr(site_notebooks.statements, "read", lambda: settled)
    (cell,) = ready(code("vote('04', {32: None, 17: None, 36: True})", outputs=[printed("32. a")]))
    assert cell.cell_type == "markdown"
    return BeautifulSoup(cell.source, "html.parser").find_all("fieldset")


def test_a_vote_is_something_to_click(votes):
    assert [each.legend.text for each in votes] == ["32. a < b", "17. b", "36. c"]
    for each in votes:
        assert [label.text.strip() for label in each.find_all("label")] == list(site_notebooks.VOTES.values())
        assert {choice["type"] for choice in each.find_all("input")} == {"radio"}
        assert not each.select("[checked]")
    assert len({choice["name"] for each in votes for choice in each.find_all("input")}) == 3


def test_one_vote_is_right(votes):
    right = [each.select("label:has(.right)") for each in votes]
    assert [[label.text.strip() for label in each] for each in right] == [
        ["It does not hold"],
        ["It holds"],
        ["It depends"],
    ]


def test_a_verdict_has_its_figures_and_where_they_were_measured(votes):
    told = [each.select_one(".verdict > div") for each in votes]
    assert [each.b.text for each in told] == [f"YesNo: it {each['verdict']}." for each in STATEMENTS.values()]
    assert [[line.text for line in each.find_all("li")] for each in told] == [
        ["measured 3 == 3 (gates)"],
        [],
        ["measured 0.5 < 1", "measured 2 > 1"],
    ]
    assert "a matter of definition" in told[1].text.lower()
    assert told[0].a["href"] == "evidence/04_lstm.html#statement-32"


def test_the_cell_that_settles_a_statement_can_be_linked_to():
    target, _ = ready(
        code("settle(32, 'a', 'holds', (1, '>', 0))\nfor n in (1, 2):\n    settle(n, 'b', 'holds')")
    )
    assert target.source == "(statement-32)="
