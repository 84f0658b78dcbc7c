"""Every picture says what the cell computes, and no text of it stands on another."""

import inspect
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox

from course_utils import diagrams, plotting

WIDE = -0.964
LSTM = {
    **dict.fromkeys(("x", "h_before", "c_before", "g", "c", "h"), WIDE),
    "i": 0.0881,
    "f": 0.731,
    "o": 0.0849,
}
GRU = {**dict.fromkeys(("x", "h_before", "g", "h"), WIDE), "z": 0.0881, "r": 0.0731}
RNN = dict.fromkeys(("x", "h_before", "W_x", "W_h", "b", "h"), WIDE)
ROWS = {"x": [WIDE] * 4, "h": [WIDE] * 5, "y": [WIDE] * 4}
SIZES = [0.0000123, 0.0123, 0.123, 0.964]
PICTURES = {
    "unrolled": (diagrams.unrolled, {"steps": ["not", "too", "good", "today"], "backward": SIZES}, ROWS),
    "unrolled, one step": (diagrams.unrolled, {"steps": 1, "backward": [0.0123]}, {"h": [WIDE] * 2}),
    "unrolled, forward": (diagrams.unrolled, {"steps": 4}, ROWS),
    "unrolled, many steps": (diagrams.unrolled, {"steps": 12}, None),
    "rnn_cell": (diagrams.rnn_cell, {}, RNN),
    "lstm_cell": (diagrams.lstm_cell, {}, LSTM),
    "lstm_cell, a gate away": (diagrams.lstm_cell, {"without": "f"}, LSTM),
    "gru_cell": (diagrams.gru_cell, {}, GRU),
    "gru_cell, reset before": (diagrams.gru_cell, {"reset_after": False}, GRU),
}
CELLS = {
    "rnn_cell": (RNN, ("W_x", "W_h", "b", "tanh")),
    "lstm_cell": (LSTM, ("i", "f", "g", "o", "tanh")),
    "gru_cell": (GRU, ("z", "r", "g")),
}


@pytest.fixture(autouse=True)
def _style_and_close():
    plotting.style()
    yield
    plt.close("all")


def texts_of(axes):
    return [text for text in (axes.title, *axes.texts) if text.get_text()]


def wires_of(axes, color=None):
    wires = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    return [each for each in wires if color is None or to_hex(each.get_edgecolor()) == to_hex(color)]


def strips_of(wire):
    """Yield the boxes on the screen that a wire of right angles covers, its head last."""
    places = wire.axes.transData.transform(wire._path_original.vertices)
    point = wire.figure.dpi / 72
    for start, end in itertools.pairwise(places):
        box = Bbox([np.minimum(start, end), np.maximum(start, end)])
        yield box.padded(wire.get_linewidth() * point / 2)
    if wire.get_arrowstyle().arrow == "-|>":
        size = wire.get_mutation_scale() * point
        back = end + (places[-2] - end) / np.abs(places[-2] - end).max() * 0.4 * size
        across = 0.2 * size * (np.abs(end - back) < 1e-6)
        yield Bbox([np.minimum(end, back) - across, np.maximum(end, back) + across])


def ends_of(wire):
    places = wire._path_original.vertices
    return places[0], places[-1]


def test_all_pictures_are_listed_above():
    public = {
        name
        for name, function in vars(diagrams).items()
        if inspect.isfunction(function) and function.__module__ == diagrams.__name__ and name[0] != "_"
    }
    assert public == {function.__name__ for function, *_ in PICTURES.values()}


@pytest.mark.parametrize(("dpi", "title"), [(80, None), (160, "wide words " * 12)], ids=["80", "160"])
@pytest.mark.parametrize("with_values", [False, True], ids=["", "values"])
@pytest.mark.parametrize("name", PICTURES)
def test_no_text_stands_on_another_or_on_a_wire_or_leaves_the_figure(name, with_values, dpi, title):
    plt.rcParams["figure.dpi"] = dpi
    function, arguments, values = PICTURES[name]
    axes = function(**arguments, values=values if with_values else None, title=title)
    axes.figure.canvas.draw()
    assert axes.figure.dpi == dpi
    figure, boxes = axes.figure.bbox, {text: text.get_window_extent() for text in texts_of(axes)}
    strips = [(strip, wire) for wire in wires_of(axes) for strip in strips_of(wire)]
    shapes = [patch for patch in axes.patches if not isinstance(patch, FancyArrowPatch)]
    for (text, box), (other, beside) in itertools.combinations(boxes.items(), 2):
        assert not box.padded(-0.5).overlaps(beside.padded(-0.5)), (text, other)
    for text, box in boxes.items():
        assert holds(figure, box), text
        crossed = [wire for strip, wire in strips if box.padded(-0.5).overlaps(strip)]
        assert not crossed, text
    around = {shape: shape.get_window_extent() for shape in shapes}
    for (shape, outer), (part, inner) in itertools.product(around.items(), [*boxes.items(), *around.items()]):
        apart = not outer.padded(-1).overlaps(inner.padded(-1))
        assert apart or holds(outer, inner) or holds(inner, outer), (shape, part)


def holds(around, box):
    return around.x0 <= box.x0 and box.x1 <= around.x1 and around.y0 <= box.y0 and box.y1 <= around.y1


class Wiring:
    """What a picture computes, read off its parts and wires."""

    def __init__(self, axes, given):
        self.given = given
        shapes = [patch for patch in axes.patches if isinstance(patch, (Ellipse, FancyBboxPatch))]
        self.parts = {}
        for shape in shapes:
            box = shape.get_window_extent().transformed(axes.transData.inverted())
            words = [text.get_text() for text in axes.texts if box.contains(*text.get_position())]
            if box.width < 3:  # not the frame
                self.parts[" ".join(words) + f" @{box.x0:.1f} {box.y0:.1f}"] = box
        self.ports = {text.get_text(): text.get_position() for text in axes.texts}
        self.wires = [wire._path_original.vertices for wire in wires_of(axes)]

    def node_at(self, place):
        for name, box in self.parts.items():
            if box.padded(0.03).contains(*place):
                return name
        for name, (x, y) in self.ports.items():
            if name in self.given and abs(place[0] - x) < 0.65 and abs(place[1] - y) < 0.5:
                return name
        return None

    def source(self, wire):
        node = self.node_at(wire[0])
        if node:
            return node
        (through,) = [each for each in self.wires if each is not wire and passes(each, wire[0])]
        return self.source(through)

    def inputs(self, node):
        return [self.source(wire) for wire in self.wires if self.node_at(wire[-1]) == node]

    def value(self, node):
        if node in self.given:
            return self.given[node]
        inputs = [self.value(source) for source in self.inputs(node)]
        word = node.split("@")[0]
        if "W" in word or "b" in word:
            for name, apply in self.given["weights"].items():
                if name in word:
                    return apply(*sorted(inputs))
        (apply,) = [apply for sign, apply in SIGNS.items() if sign in word]
        return apply(inputs)

    def output(self, name):
        x, y = self.ports[name]
        (wire,) = [each for each in self.wires if abs(each[-1][1] - y) < 0.01 and 0 < x - each[-1][0] < 0.7]
        return self.value(self.source(wire))


SIGNS = {
    r"\times": math.prod,
    "+": sum,
    "1-": lambda inputs: 1 - inputs[0],
    r"\tanh": lambda inputs: math.tanh(inputs[0]),
}


def passes(wire, place):
    """Say whether a wire goes through a place or ends there."""
    for start, end in itertools.pairwise(wire):
        low, high = np.minimum(start, end) - 1e-6, np.maximum(start, end) + 1e-6
        if (
            (low <= place).all()
            and (place <= high).all()
            and np.abs(np.subtract(place, wire[0])).max() > 1e-6
        ):
            return True
    return False


X, H, C = 2.0, 0.3, -0.7  # sorted, the inputs of a gate are h, x


def gate(a, b, squash):
    return lambda h, x: squash(a * x + b * h)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def test_the_picture_of_the_simple_cell_computes_its_equation():
    weights = {"W_h": lambda h: 0.4 * h, "W_x": lambda x: -0.3 * x, "$b$": lambda: 0.1}
    wiring = Wiring(diagrams.rnn_cell(), {"$x_t$": X, "$h_{t-1}$": H, "weights": weights})
    assert wiring.output("$h_t$") == pytest.approx(math.tanh(-0.3 * X + 0.4 * H + 0.1))


def test_the_picture_of_the_lstm_computes_its_equations():
    weights = {
        "W^f": gate(0.1, 0.2, sigmoid),
        "W^i": gate(0.3, 0.4, sigmoid),
        "W^g": gate(0.5, 0.6, math.tanh),
        "W^o": gate(0.7, 0.8, sigmoid),
    }
    given = {"$x_t$": X, "$h_{t-1}$": H, "$c_{t-1}$": C, "weights": weights}
    wiring = Wiring(diagrams.lstm_cell(), given)
    f, i, g, o = (apply(H, X) for apply in weights.values())
    c = f * C + i * g
    assert wiring.output("$c_t$") == pytest.approx(c)
    assert wiring.output("$h_t$") == pytest.approx(o * math.tanh(c))


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_picture_of_the_gru_computes_its_equations(reset_after):
    weights = {
        "W^z": gate(0.1, 0.2, sigmoid),
        "W^r": gate(0.3, 0.4, sigmoid),
        "W_x^g": lambda state, x: math.tanh(0.5 * x + state),
        "W_h^g": lambda h: 0.6 * h + 0.7,
    }
    wiring = Wiring(
        diagrams.gru_cell(reset_after=reset_after), {"$x_t$": X, "$h_{t-1}$": H, "weights": weights}
    )
    z, r = weights["W^z"](H, X), weights["W^r"](H, X)
    state = r * (0.6 * H + 0.7) if reset_after else 0.6 * r * H + 0.7
    expected = z * H + (1 - z) * math.tanh(0.5 * X + state)
    assert wiring.output("$h_t$") == pytest.approx(expected)


@pytest.mark.parametrize(("cell", "name"), [(cell, name) for cell in CELLS for name in CELLS[cell][0]])
def test_a_value_is_printed_at_its_part_with_three_digits(cell, name):
    axes = getattr(diagrams, cell)({name: np.float32(0.123456)})
    (number,) = [text for text in axes.texts if "0.123" in text.get_text()]
    assert number.get_text() == r"$\mathbf{0.123}$"
    (symbol,) = [
        text
        for text in axes.texts
        if text.get_position()[0] == number.get_position()[0]
        and 0 < text.get_position()[1] - number.get_position()[1] < 0.5
    ]
    written = symbol.get_text().strip("$").replace(r"\times\,", "")
    assert written == {"h_before": "h_{t-1}", "c_before": "c_{t-1}"}.get(
        name, name if name in ("W_x", "W_h", "b") else f"{name}_t"
    )


@pytest.mark.parametrize(("cell", "part"), [(cell, part) for cell in CELLS for part in CELLS[cell][1]])
def test_a_part_that_is_taken_away_is_pale_and_the_others_are_not(cell, part):
    def looks(axes):
        shapes = [(to_hex(p.get_edgecolor()), p.get_linestyle()) for p in axes.patches]
        kept = [shape for shape in shapes if shape[0] != to_hex(diagrams.PALE)]
        words = {t.get_text() for t in axes.texts if to_hex(t.get_color()) == to_hex(diagrams.PALE)}
        return kept, words, sum(style == "--" for _, style in shapes)

    whole, without = getattr(diagrams, cell)(), getattr(diagrams, cell)(without=(part,))
    assert looks(whole)[1:] == (set(), 0)
    kept, words, dashed = looks(without)
    assert 0 < len(looks(whole)[0]) - len(kept) < len(kept)
    assert dashed
    if part != "tanh":
        assert any(part in word for word in words)
    others = {p for p in CELLS[cell][1] if p not in (part, "tanh")}
    assert not {f"${other}_t$" for other in others} & words


def test_the_state_passes_a_gate_that_is_taken_away():
    def gaps(axes):
        thick = sorted(
            tuple(x for x, _ in ends_of(wire)) for wire in wires_of(axes) if wire.get_linewidth() == 4
        )
        return [right[0] - left[1] for left, right in itertools.pairwise(thick)]

    assert min(gaps(diagrams.lstm_cell())) == pytest.approx(0.6)  # the circles stand between
    assert min(gaps(diagrams.lstm_cell(without="f"))) == 0
    assert min(gaps(diagrams.gru_cell(without="z"))) == 0


@pytest.mark.parametrize(("cell", "gates"), [("lstm_cell", "ifgo"), ("gru_cell", "zrg")])
def test_a_gate_and_what_leaves_it_have_its_colour(cell, gates):
    axes = getattr(diagrams, cell)()
    for name in gates:
        color = diagrams.COLORS[name]
        boxes = [
            p
            for p in axes.patches
            if isinstance(p, FancyBboxPatch) and to_hex(p.get_edgecolor()) == to_hex(color)
        ]
        assert boxes
        assert wires_of(axes, color)
    assert len({diagrams.COLORS[name] for name in gates}) == len(gates)


class TestUnrolled:
    def test_it_has_each_step_with_its_input_state_output_and_the_shared_weights(self):
        axes = diagrams.unrolled(11)
        drawn = [text.get_text() for text in axes.texts]
        for step in range(1, 12):
            assert {f"$x_{{{step}}}$", f"$h_{{{step}}}$", rf"$\hat y_{{{step}}}$"} <= {
                text.replace(f"$h_{step}$", f"$h_{{{step}}}$") for text in drawn
            }
        assert [drawn.count(name) for name in ("$W_x$", "$W_h$", "$W_y$")] == [11, 11, 11]
        assert len(wires_of(axes, diagrams.COLORS["forward"])) == 33
        assert not wires_of(axes, diagrams.COLORS["backward"])

    def test_it_says_what_is_read(self):
        drawn = diagrams.unrolled(["not", "good"]).texts
        places = {text.get_text(): text.get_position() for text in drawn}
        assert places["not"][0] == places["$x_{1}$"][0]
        assert places["good"][0] == places["$x_{2}$"][0]
        assert places["good"][1] < places["$x_{2}$"][1]

    def test_the_arrows_back_are_as_wide_as_the_sizes_say(self):
        sizes = [0.2, 0.5, 1]
        axes = diagrams.unrolled(3, backward=sizes)
        places = {text.get_text(): text.get_position() for text in axes.texts}
        first, second, third = wires_of(axes, diagrams.COLORS["backward"])
        widths = np.array([wire.get_linewidth() for wire in (first, second, third)])
        np.testing.assert_allclose(widths / widths.max(), sizes)
        for wire, start, end in ((first, 2, 1), (second, 3, 2)):
            (x0, y0), (x1, y1) = ends_of(wire)
            assert y0 == y1
            assert places[f"$h_{{{end}}}$"][0] < x1 < x0 < places[f"$h_{{{start}}}$"][0]
        (x0, y0), (x1, y1) = ends_of(third)
        assert x0 == x1
        assert places["$h_{3}$"][1] < y1 < y0 < places[r"$\hat y_{3}$"][1]
        numbers = [places[rf"$\mathbf{{{size:g}}}$"] for size in sizes]
        assert numbers[0] < numbers[1] < numbers[2]

    def test_no_gradient_is_drawn_thin(self):
        widths = {
            w.get_linewidth() for w in wires_of(diagrams.unrolled(2, [0, 0]), diagrams.COLORS["backward"])
        }
        assert len(widths) == 1
        assert 0 < widths.pop() < 2

    def test_values_stand_at_their_steps_h_0_first(self):
        axes = diagrams.unrolled(2, values={"x": [1, 2], "h": [3, 4, 5], "y": [6, 7]})
        at = {text.get_text(): text.get_position() for text in axes.texts}
        symbols = ["$x_{1}$", "$x_{2}$", "$h_{0}$", "$h_{1}$", "$h_{2}$", r"$\hat y_{1}$", r"$\hat y_{2}$"]
        for number, symbol in enumerate(symbols, start=1):
            below = at[rf"$\mathbf{{{number}}}$"]
            assert below[0] == at[symbol][0]
            assert 0 < at[symbol][1] - below[1] < 0.5


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("unrolled", {"steps": 0}, "`steps` must be a whole number of at least 1"),
        ("unrolled", {"steps": []}, "`steps` must be a list, not empty"),
        ("unrolled", {"steps": [["a"], ["b", "c"]]}, "`steps` must be a list"),
        ("unrolled", {"steps": "abc"}, "`steps` must be a whole number"),
        ("unrolled", {"steps": 2, "backward": [1]}, "`backward` must be 2 numbers"),
        (
            "unrolled",
            {"steps": 2, "backward": [1, -1]},
            "`backward` must be 2 numbers, none of them negative",
        ),
        ("unrolled", {"steps": 2, "backward": [1, np.nan]}, "`backward` must be .*without NaN"),
        ("unrolled", {"steps": 2, "values": {"h": [1, 2]}}, r"`values\['h'\]` must be 3 numbers"),
        ("unrolled", {"steps": 2, "values": {"c": [1, 2]}}, "names from 'x', 'h', 'y'"),
        ("unrolled", {"steps": 2, "values": {"xh": [1, 2]}}, "names from 'x', 'h', 'y'"),
        ("rnn_cell", {"values": {"c": 1}}, "names from 'x', 'h_before'.*Received: values={'c': 1}"),
        ("rnn_cell", {"without": ("f",)}, "`without` must be names from 'W_x'"),
        ("lstm_cell", {"values": [1]}, "`values` must be a dict"),
        ("lstm_cell", {"values": {"z": 1}}, "names from 'x'.*Received: values={'z': 1}"),
        ("lstm_cell", {"values": {"f": "1"}}, r"`values\['f'\]` must be numbers"),
        ("lstm_cell", {"values": {"f": [0.1, 0.2]}}, r"`values\['f'\]` must be numbers with 0 axes"),
        ("lstm_cell", {"values": {"f": np.inf}}, r"`values\['f'\]` must be .*finite"),
        ("lstm_cell", {"without": ("f", "q")}, r"`without` must be names from 'i', 'f'.*\('f', 'q'\)"),
        ("lstm_cell", {"without": None}, "`without` must be names"),
        ("lstm_cell", {"without": [["f"]]}, "`without` must be names"),
        ("gru_cell", {"without": "f"}, "`without` must be names from 'z', 'r', 'g'. Received: without=.*f"),
        ("gru_cell", {"values": {"o": 1}}, "names from 'x', 'h_before', 'z'"),
        ("gru_cell", {"reset_after": 1}, "`reset_after` must be True or False"),
    ],
)
def test_an_odd_argument_is_named_and_nothing_is_drawn(name, wrong, message):
    with pytest.raises(ValueError, match=message) as error:
        getattr(diagrams, name)(**wrong)
    assert "Received: " in str(error.value)
    assert not plt.get_fignums()


def test_the_background_is_white_and_a_title_stands_above():
    axes = diagrams.lstm_cell(title="what to see")
    assert to_rgb(axes.figure.get_facecolor()) == (1, 1, 1)
    assert axes.get_title() == "what to see"
