"""tools/site_check.py: in a browser, each fault of a page is seen and named."""

import importlib.util

import pytest
from small_lessons import write

from course_utils import live
from course_utils.records import date_reader
from tools import site_check

if importlib.util.find_spec("playwright") is None or site_check.installed() is None:
    pytest.skip("no Playwright, or no browser, is installed", allow_module_level=True)

STYLE = """\
<meta charset="utf-8">
<style>
body { background: white; margin: 0 } img { background: white }
@media (prefers-color-scheme: dark) { body { background: black } }
fieldset:not(:has(:checked)) .verdict > div, fieldset:has(.right:checked) .no, .yes { display: none }
fieldset:has(.right:checked) .yes { display: inline }
</style>"""
PAGE = "<!DOCTYPE html><html><head>{style}</head><body><article>{body}</article></body></html>"
PICTURE = '<img alt="A line" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=" {}>'
VOTE = """\
<div class="vote"><fieldset><input type="radio" name="s" class="right"><input type="radio" name="s">
<div class="verdict"><div><span class="yes">Yes</span><span class="no">No</span></div></div>
</fieldset></div>"""
HELP = '<details class="help" {}><summary>Hints</summary><pre>return 42</pre></details>'
RENDERED = '<span class="math"><mjx-container>{}</mjx-container></span>'
OUTPUT = f"<pre style='width: 300px; overflow-x: auto'>{'word ' * 30}</pre>"
FAULTS = {
    "<div style='width: 500px'>wide</div>": "wider than the window: wide, at 390 points, light",
    f"<div class='cell_output' style='overflow-x: auto'>{OUTPUT}</div>": "an output that does not wrap: ",
    "<style>html { overflow: hidden }</style><p style='width: 500px'>cut</p>": "wider than the window: cut",
    "<p>the state $h_t$</p>": "an equation left as text: the state $h_t$",
    "<p>the sum \\frac{1}{2}</p>": "an equation left as text: the sum \\frac{1}{2}",
    '<span class="math">\\(h_t\\)</span>': "an equation left as text: \\(h_t\\)",
    RENDERED.format("<g data-mml-node='merror'>\\no</g>"): "an equation left as text: \\no",
    PICTURE.format("").replace("A line", ""): "a picture without a text",
    PICTURE.format("style='filter: invert(1)'"): "a picture that is not on white",
    "<style>img { background: gray }</style>" + PICTURE.format(""): "a picture that is not on white",
    "<style>body { background: white !important }</style>": "not in the scheme of the reader",
    "<img alt='it' src='http://other.invalid/a.png'>": "asks for http://other.invalid/a.png",
    "<script src='gone.js'></script>": "404: ",
    "<script>console.error('oh')</script>": "console: oh",
    "<script>throw Error('no')</script>": "error: no",
    HELP.format("open"): "told unasked: return 42",
    "<style>.verdict > div { display: block !important }</style>" + VOTE: "told unasked: YesNo",
    "<style>.yes { display: none !important }</style>" + VOTE: "a vote that is not answered: s",
}
FINE = [
    "<p>a price of $5 and <code>$x$</code></p>",
    RENDERED.format("h"),
    PICTURE.format("width=300"),
    HELP.format(""),
    OUTPUT,
    f"<div class='cell_output'>{OUTPUT.replace('overflow', 'white-space: pre-wrap; overflow')}</div>",
    VOTE,
    "<div style='overflow-x: auto'><div style='width: 500px'>wide</div></div>",
]


def check(folder, *bodies, searches=None, **shown):
    for number, body in enumerate(bodies):
        write(folder, f"{number:02}.html", PAGE.format(style=STYLE, body=body))
    write(folder, "favicon.ico", "")
    return site_check.main(folder, searches or {}, **shown)


def test_nothing_is_wrong_with_good_pages(tmp_path, capsys):
    assert check(tmp_path, *FINE) == 0
    assert capsys.readouterr().out == f"{len(FINE)} pages, and the search, are as they should be.\n"


def test_each_fault_is_named_with_its_page(tmp_path, capsys):
    assert check(tmp_path, *FAULTS) == 1
    told = capsys.readouterr().out
    assert [
        said for number, said in enumerate(FAULTS.values()) if f"{number:02}.html: {said}" not in told
    ] == []


def test_a_search_that_finds_nothing_is_a_fault(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(site_check, "PATIENCE", 2_000)
    write(
        tmp_path,
        "search.html",
        PAGE.format(style=STYLE, body="<ul id='search-results'><a href='04_lstm'>4</a></ul>"),
    )
    assert check(tmp_path, searches={"forget": "04_lstm", "망각": "08_attention"}) == 1
    assert capsys.readouterr().out == "the search for '망각' does not find 08_attention\n"


@pytest.fixture(scope="module")
def dates():
    return site_check.read_by_python()


@pytest.fixture(scope="module")
def date_map(dates):
    text, (written, weights) = next(iter(dates.items()))
    return live.date_map(date_reader.task(), text, written, weights).html


def test_a_date_typed_gives_the_map_that_python_gives(tmp_path, capsys, date_map, dates):
    assert check(tmp_path, date_map, dates=dates) == 0, capsys.readouterr().out
    assert {"31 February 2020", "1962년 6월 11일"} <= dates.keys()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("z * old + (1 - z)", "z * old + (1.02 - z)", "the map of '20.02.1916' is not that of Python: 0."),
        ("step.logits.indexOf", "step.weights.indexOf", "'20.02.1916' becomes ["),
        ("input.oninput = read;", "", "'1909/06/02' becomes ["),
        ("[column, row] : [row, column]", "[row, column] : [column, row]", "error: "),
        ("ArrowDown: 1,", "", "after ArrowDown the map of dates is at"),
        ("answer.children[chosen].focus();", "", "after ArrowRight the map of dates is at"),
        ("told.replaceChildren(...sentences(weights));", "", "'told': False"),
        (" .frame { overflow-x: auto; }", " .frame { min-width: 500px; }", "wider than the window: "),
    ],
)
def test_a_map_that_errs_is_named(tmp_path, capsys, date_map, dates, right, wrong, said):
    assert date_map.count(right) == 1
    chosen = dict(list(dates.items())[:6])
    assert check(tmp_path, date_map.replace(right, wrong), dates=chosen) == 1
    assert said in capsys.readouterr().out


@pytest.fixture(scope="module")
def shown():
    return site_check.measured_by_python()


@pytest.fixture(scope="module")
def sliders():
    return live.fading().html


def test_sliders_moved_by_keys_show_what_python_measures(tmp_path, capsys, sliders, shown):
    assert check(tmp_path, sliders, shown=shown) == 0, capsys.readouterr().out
    assert len({tuple(numbers) for numbers in shown}) == len(site_check.KEYS)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("values[key === chosen ?", "values[key !== chosen ?", "error: "),
        (
            "(x, turned) => Math.tanh(x + gain",
            "(x, turned) => Math.tanh(x + 0.9 * gain",
            "after End on [data-key",
        ),
        (
            "slope * gain * turned",
            "slope * turned",
            "after End on [data-key=SimpleRNN] input, at 390 points, the f",
        ),
        (
            'box.addEventListener("input", draw);',
            "",
            "after ArrowRight on :checked, at 1280 points, the figure",
        ),
        ("clientWidth || 320", "clientWidth + 20", "the lines have [5, 5] steps, or do not fit"),
        ('(left, "forward")', '(left.slice(1), "forward")', "the lines have [49, 50] steps"),
        ("${beside(left[steps])}", "${beside(NaN)}", "console: "),
    ],
)
def test_sliders_that_err_are_named(tmp_path, capsys, sliders, shown, right, wrong, said):
    assert sliders.count(right) == 1
    assert check(tmp_path, sliders.replace(right, wrong), shown=shown) == 1
    assert said in capsys.readouterr().out
