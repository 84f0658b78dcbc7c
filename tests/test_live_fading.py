"""course_utils/live: what a page measures of two untrained networks is what Python measures."""

import itertools
import math

import numpy as np
import pytest
from bs4 import BeautifulSoup
from test_live import run_in_node

from course_utils import LSTMCell, SimpleRNNCell, diagrams, live
from course_utils.live import _fading

WITHIN = 1e-4  # of each number
TURNED = {"SimpleRNN": (0.5, 0.95, 1.25, 1.6), "LSTM": (0, 0.7, 2.5, 5)}
SETTINGS = [
    {"network": network, "turned": turned, "size": size, "steps": steps}
    for network, values in TURNED.items()
    for turned, size, steps in itertools.product(values, (0.1, 1.3), (7, 60))
] + [{"network": "SimpleRNN", "turned": 1.0, "size": 0, "steps": 60}]
GIVEN = 'const given = JSON.parse(require("fs").readFileSync(0, "utf8"));\n'
MEASURE = """\
const networks = new Fading(given.model);
const told = given.settings.map((each) => networks.measure(each));
console.log(JSON.stringify(told.map(({ left, arrived }) => [[...left], [...arrived]])));
"""
RANGES = [("gain", 0.5, 1.6), ("forget_bias", 0, 5), ("size", 0, 2), ("steps", 5, 60)]
TOLD = {
    **{3e-29: "3 · 10⁻²⁹", 7.24e-13: "7.2 · 10⁻¹³", 9.96e-5: "0.0001", 1.34e-4: "0.00013", 0.00312: "0.0031"},
    **{0.0996: "0.1", 0.16: "0.16", 0.996: "1", 1.04: "1", 1.7: "1.7", 9.96: "10", 84.4: "84"},
    **{2345: "2,300", 12345: "1.2 · 10⁴", 1.6e10: "1.6 · 10¹⁰"},
}


def in_node(run, given):
    code = "\n".join((live.FOLDER / name).read_text(encoding="utf-8") for name in _fading.CODE)
    return run_in_node(f"{GIVEN}{code}\n{run}", given)


@pytest.fixture(scope="module")
def page():
    return live.fading()


@pytest.fixture(scope="module")
def drawing():
    """A drawing of two lines, with its axis, and the values of the lines."""
    curves = np.geomspace(1, 1e-9, 26), np.geomspace(1e3, 1, 26)
    svg = in_node(
        "console.log(JSON.stringify(drawing(given[0], given[1], 390)));", [each.tolist() for each in curves]
    )
    return BeautifulSoup(svg, "html.parser"), curves


@pytest.mark.slow
def test_the_page_measures_as_python_does():
    assert len(SETTINGS) > 30
    in_page = in_node(MEASURE, {"model": _fading.networks(), "settings": SETTINGS})
    for setting, curves in zip(SETTINGS, in_page, strict=True):
        for came, expected in zip(curves, live.faded(**setting), strict=True):
            assert len(came) == setting["steps"] + 1
            np.testing.assert_allclose(came, expected, rtol=WITHIN, err_msg=str(setting))


def test_without_inputs_the_gain_alone_counts():
    left, arrived = live.faded("SimpleRNN", 0.8, size=0, steps=20)
    powers = 0.8 ** np.arange(21)
    np.testing.assert_allclose(left, powers, rtol=0.01)  # orthogonal as far as float16 has it
    np.testing.assert_allclose(arrived, powers[::-1], rtol=0.01)


@pytest.mark.parametrize(("network", "turned"), [("SimpleRNN", 0.95), ("LSTM", 0.5), ("LSTM", 3)])
def test_what_is_left_is_how_far_two_runs_are_apart(network, turned):
    cell, inputs, ends = _fading._cell(network, turned), 0.5 * _fading._drawn()[0][:, 1:21], []
    for start in (0, 1e-5):
        states = [np.zeros((4, 16))] * (len(cell.get_initial_state(4)) - 1) + [np.full((4, 16), float(start))]
        for step in range(20):
            states = cell(inputs[:, step], states)[1]
        ends.append(np.asarray(states[-1]))
    apart = np.linalg.norm(ends[1] - ends[0], axis=1) / (1e-5 * math.sqrt(16))
    expected = math.exp(np.log(apart).mean())
    np.testing.assert_allclose(live.faded(network, turned, 0.5, 20)[0][-1], expected, rtol=1e-3)


@pytest.mark.slow
def test_what_the_page_says_is_so():
    """The sentences of site/turn.md, on 50 steps."""
    everything = [live.faded("SimpleRNN", 1, size, 50) for size in (0, 1, 2)]
    ends = np.array([(left[-1], arrived[0]) for left, arrived in everything])
    np.testing.assert_allclose(ends[0], 1, rtol=0.02)
    assert ends[1:].max() < 1e-6
    half_open, open_, open_on_large = (live.faded("LSTM", *each, 50) for each in ((0, 0.1), (5, 0.1), (5, 2)))
    assert max(half_open[0][-1], half_open[1][0]) < 1e-9
    assert min(open_[0][-1], open_[1][0]) > 1
    assert min(open_on_large[0][-1], open_on_large[1][0]) > 0.7


def test_the_networks_are_those_of_the_course_before_training():
    inputs, weights = _fading._drawn()
    rnn, lstm = _fading._cell("SimpleRNN", 1.5), _fading._cell("LSTM", 3)
    assert isinstance(rnn, SimpleRNNCell)
    assert isinstance(lstm, LSTMCell)
    turned = np.asarray(rnn.recurrent_kernel)
    np.testing.assert_allclose(turned @ turned.T, 1.5**2 * np.eye(16), atol=5e-3)
    for kernel, recurrent in weights.values():
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(16), atol=2e-3)
        assert np.abs(kernel).max() <= math.sqrt(6 / sum(kernel.shape))
    np.testing.assert_array_equal(lstm.bias, np.repeat([0, 3, 0, 0], 16))
    assert not inputs[:, 0].any()
    assert 0.9 < inputs[:, 1:].std() < 1.1


def test_the_weights_are_the_same_at_every_call_and_small():
    kept = _fading.networks()
    _fading._drawn.cache_clear()
    assert _fading.networks() == kept
    assert len(live._page.as_json(kept)) < 8_000
    own = [(live.FOLDER / name).read_text(encoding="utf-8") for name in ("fading.js", "fading_figure.js")]
    assert sum(len(text.splitlines()) for text in own) < 150


def test_a_page_asks_nothing_of_any_host(page):
    assert "//" not in page.html.replace("// ", "")
    assert len(page.html.encode()) < 30_000
    soup = BeautifulSoup(page._repr_html_(), "html.parser")
    assert not soup.select("[src], link, iframe, img")
    assert (page.html.count("<script"), page.html.count("</script")) == (1, 1)


def test_forward_and_backward_have_the_colours_of_the_course(page):
    light, dark = page.html.partition("@media")[::2]
    forward = [int(diagrams.COLORS["forward"][at : at + 2], 16) for at in (1, 3, 5)]
    assert f"--key: {forward[0]} {forward[1]} {forward[2]};" in light
    assert ".fading .forward { --this: rgb(var(--key));" in dark
    assert f".fading .backward {{ --this: {diagrams.COLORS['backward'].lower()};" in dark


def test_a_page_begins_with_what_is_asked():
    html = live.fading("LSTM", gain=1.3, forget_bias=2, size=0.5, steps=10).html
    start = html.partition("const settings = ")[2].partition(";\n")[0]
    sliders = {"gain": 1.3, "forget bias": 2.0, "size of the inputs": 0.5, "steps": 10}
    assert start.startswith('{"network": "LSTM"')
    asked = [f'"name": "{name}", ' for name in sliders]
    assert [each for each in asked if each not in start] == []
    values = [float(part.partition("}")[0]) for part in start.split('"value": ')[1:]]
    assert values == list(sliders.values())
    assert "After 10 steps, with inputs of size 0.5" in html


def test_where_scripts_do_not_run_a_table_stands_there(page):
    soup = BeautifulSoup(page.html, "html.parser")
    for each in soup.select("script, style"):
        each.decompose()
    _, *rows = soup.select_one(".fading").table.select("tr")
    assert [row.th.text for row in rows] == [
        *(f"SimpleRNN, gain {gain}" for gain in (0.5, 1.0, 1.5)),
        *(f"LSTM, forget bias {bias}" for bias in (0, 1, 3, 5)),
    ]
    left, arrived = live.faded("SimpleRNN", 1.5, 0.1, 50)
    assert [cell.text for cell in rows[2].select("td")] == list(map(_fading.in_words, (left[-1], arrived[0])))
    assert soup.table.caption.text.startswith("After 50 steps, with inputs of size 0.1:")


def test_numbers_are_told_alike_in_the_table_and_in_the_sentence():
    told = in_node("console.log(JSON.stringify(given.map(inWords)));", list(TOLD))
    assert told == list(map(_fading.in_words, TOLD)) == list(TOLD.values())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0031, "0.0031 of the gradient arrives"),
        (0.9999, "all of the gradient arrives"),
        (1.7, "the gradient is 1.7 times as large"),
    ],
)
def test_a_sentence_says_what_is_left_or_has_grown(value, said):
    assert in_node('console.log(JSON.stringify(wording(given, "gradient", "arrives")));', value) == said


@pytest.mark.parametrize(("kind", "at"), [("forward", 0), ("backward", 1)])
def test_a_line_lies_where_the_axis_says(drawing, kind, at):
    soup, curves = drawing
    drawn, steps = soup.select_one(f"path.{kind}")["d"].removeprefix("M").split("L"), range(26)
    points = np.array([each.split() for each in drawn], float)
    frame = soup.svg.svg
    levels = {
        each.text: float(each["y"]) - 5 - float(frame["y"])
        for each in soup.select("text[text-anchor=end]:not([class])")
    }
    marks = {
        each.text: float(each["x"]) - float(frame["x"]) for each in soup.select("text[text-anchor=middle]")
    }
    height = [levels["1"] + power * (levels["10⁻³"] - levels["1"]) / -3 for power in np.log10(curves[at])]
    np.testing.assert_allclose(points[:, 1], height, atol=0.01)
    np.testing.assert_allclose(points[:, 0], [step * marks["10"] / 10 for step in steps], atol=0.01)
    powers = ("⁶", "³", "⁻³", "⁻⁶", "⁻⁹", "⁻¹²", "⁻¹⁵")
    assert levels.keys() == {"1", *(f"10{power}" for power in powers)}
    assert (levels["10⁶"], levels["10⁻¹⁵"], points[-1, 0]) == (
        0,
        float(frame["height"]),
        float(frame["width"]),
    )
    assert float(frame["x"]) + float(frame["width"]) < float(soup.svg["width"]) == 390


def test_labels_stand_at_the_ends_of_their_lines(drawing):
    soup, _ = drawing
    forward, backward = (soup.select_one(f"text.{kind}") for kind in ("forward", "backward"))
    assert (forward.text, backward.text) == ("difference →", "← gradient")
    ends = [soup.select_one(f"path.{kind}")["d"][1:].split("L") for kind in ("forward", "backward")]
    heights = float(ends[0][-1].split()[1]), float(ends[1][0].split()[1])
    assert abs(float(forward["y"]) - heights[0]) < 25
    assert abs(float(backward["y"]) - heights[1]) < 25
    assert float(backward["x"]) < 10 < float(forward["x"])


@pytest.mark.parametrize(("name", "least", "most"), RANGES)
@pytest.mark.parametrize("beyond", [-1, 1])
def test_a_number_out_of_its_range_is_refused(name, least, most, beyond):
    value = most + 1 if beyond > 0 else least - 1
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{least}.*Received: {name}={value}"):
        live.fading(**{name: value})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"network": "GRU"}, "`network` must be one of 'SimpleRNN', 'LSTM'. Received: network='GRU'"),
        ({"steps": 7.5}, "`steps` must be a whole number of at least 5. Received: steps=7.5"),
        ({"turned": 2}, "`turned` must be from 0.5 to 1.6. Received: turned=2"),
        ({"size": "0.1"}, "`size` must be a number. Received: size='0.1'"),
    ],
)
def test_python_refuses_what_no_slider_gives(wrong, said):
    with pytest.raises(ValueError, match=said):
        live.faded(**{"network": "SimpleRNN", "turned": 1, **wrong})
