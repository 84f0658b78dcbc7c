"""Every picture says what the cell or the model computes, and no text of it stands on another."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.transforms import Bbox

from course_utils import diagrams
from course_utils.diagrams._sheet import FRAME, PALE

pytestmark = pytest.mark.usefixtures("styled_figures")
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
LONG = ["저는", *["electroencephalographically"] * 2, "<unknown>"]
TREE = [
    [(0, "A", -0.511, True), (0, "B", -0.916, True), (0, "internationalisation", -123.4, False)],
    [(0, "AA", -1.43, True), (0, "AB", -1.61, False), (1, "B.", -1.02, True), (1, "BB", -3.2, False)],
    [(0, "AA.", -1.44, True), (0, "AAA", -5.5, False)],
]
PICTURES = {
    "unrolled": (diagrams.unrolled, {"steps": ["not", "too", "good", "today"], "backward": SIZES}, ROWS),
    "unrolled, one step": (diagrams.unrolled, {"steps": 1, "backward": [0.0123]}, {"h": [WIDE] * 2}),
    "unrolled, forward": (diagrams.unrolled, {"steps": 4}, ROWS),
    "unrolled, many steps": (diagrams.unrolled, {"steps": 12}, None),
    "unrolled, wide words": (diagrams.unrolled, {"steps": LONG}, None),
    "rnn_cell": (diagrams.rnn_cell, {}, RNN),
    "lstm_cell": (diagrams.lstm_cell, {}, LSTM),
    "lstm_cell, a gate away": (diagrams.lstm_cell, {"without": "f"}, LSTM),
    "gru_cell": (diagrams.gru_cell, {}, GRU),
    "gru_cell, reset before": (diagrams.gru_cell, {"reset_after": False}, GRU),
    "bidirectional": (diagrams.bidirectional, {"steps": 1}, {"forward": [WIDE]}),
    "bidirectional, words": (
        diagrams.bidirectional,
        {"steps": LONG},
        dict.fromkeys(("x", "forward", "backward", "y"), [WIDE] * 4),
    ),
    "stack": (diagrams.stack, {"depth": 1, "steps": 1}, None),
    "stack, residual": (diagrams.stack, {"depth": 3, "steps": LONG, "residual": True}, None),
    "stack, both": (
        diagrams.stack,
        {"depth": 2, "steps": 12, "residual": True, "normalized": True},
        None,
    ),
    "seq2seq": (diagrams.seq2seq, {"source": ["ten"], "target": ["십"]}, None),
    "seq2seq, words": (diagrams.seq2seq, {"source": LONG, "target": LONG}, None),
    "seq2seq, forced": (diagrams.seq2seq, {"source": LONG, "target": LONG, "forced": True}, None),
    "seq2seq, without": (diagrams.seq2seq, {"source": LONG, "target": LONG, "without": "context"}, None),
    "attention_step": (
        diagrams.attention_step,
        {"weights": [0.0123, 0.964, 0.0237], "scores": [WIDE] * 3, "step": 11},
        None,
    ),
    "attention_step, words": (diagrams.attention_step, {"order": "bahdanau", "source": LONG}, None),
    "attention_step, one": (diagrams.attention_step, {"source": 1, "weights": [1], "scores": [WIDE]}, None),
    "attention_step, last": (diagrams.attention_step, {"order": "last", "source": 5}, None),
    "both_orders": (diagrams.both_orders, {}, None),
    "both_orders, one": (diagrams.both_orders, {"source": 1}, None),
    "both_orders, words": (diagrams.both_orders, {"source": LONG}, None),
    "architecture": (diagrams.architecture, {}, None),
    "architecture, here": (diagrams.architecture, {"here": "self-attention"}, None),
    "architecture, gpt": (diagrams.architecture, {"without": "encoder", "here": "feed-forward"}, None),
    "architecture, bert": (diagrams.architecture, {"without": ("decoder",)}, None),
    "block_orders": (diagrams.block_orders, {}, None),
    "pipeline": (diagrams.pipeline, {"stages": LONG, "below": ["", "two\nlines", *LONG[2:]]}, None),
    "pipeline, one": (diagrams.pipeline, {"stages": ["a file"]}, None),
    "query_key_value": (diagrams.query_key_value, {"words": ["저는", "강사", "입니다"], "asks": 2}, None),
    "query_key_value, weights": (
        diagrams.query_key_value,
        {"words": LONG, "asks": 1, "weights": [0.0123] * len(LONG)},
        None,
    ),
    "query_key_value, one": (diagrams.query_key_value, {"words": 1, "asks": 1, "weights": [1]}, None),
    "taught_choice": (diagrams.taught_choice, {}, None),
    "beam": (diagrams.beam, {"tree": TREE}, None),
    "beam, one": (diagrams.beam, {"tree": [[(0, "", -12.3, True)]]}, None),
}
CELLS = {
    "rnn_cell": (RNN, ("W_x", "W_h", "b", "tanh")),
    "lstm_cell": (LSTM, ("i", "f", "g", "o", "tanh")),
    "gru_cell": (GRU, ("z", "r", "g")),
}


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
    public = {name for name in diagrams.__all__ if callable(getattr(diagrams, name))}
    assert public == {function.__name__ for function, *_ in PICTURES.values()}


@pytest.mark.parametrize("full", [False, True])  # with a wide title, with the values and on a fine screen
@pytest.mark.parametrize("name", PICTURES)
def test_no_text_stands_on_another_or_on_a_wire_or_leaves_the_figure(name, full):
    plt.rcParams["figure.dpi"] = dpi = 160 if full else 80
    function, arguments, values = PICTURES[name]
    written = {"values": values} if full and values else {}
    axes = function(**arguments, **written, title="wide words " * 12 if full else None)
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
    for shape, box in around.items():
        assert holds(figure, box), shape
    for (shape, outer), (part, inner) in itertools.product(around.items(), [*boxes.items(), *around.items()]):
        apart = not outer.padded(-1).overlaps(inner.padded(-1))
        assert apart or holds(outer, inner) or holds(inner, outer), (shape, part)


def holds(around, box):
    return (np.array(around.min) <= box.min + 0.01).all() and (box.max <= np.array(around.max) + 0.01).all()


class Wiring:
    """What a picture computes, read off its parts and wires."""

    def __init__(self, axes, given):
        self.given = given
        drawn = [patch for patch in axes.patches if to_hex(patch.get_edgecolor()) != to_hex(PALE)]
        shapes = [patch for patch in drawn if isinstance(patch, (Ellipse, FancyBboxPatch))]
        self.parts = {}
        for shape in shapes:
            box = shape.get_window_extent().transformed(axes.transData.inverted())
            words = [text.get_text() for text in axes.texts if box.contains(*text.get_position())]
            if box.width < 3:  # not the frame
                self.parts[" ".join(words) + f" @{box.x0:.1f} {box.y0:.1f}"] = box
        self.ports = {text.get_text(): text.get_position() for text in axes.texts}
        self.wires = [wire._path_original.vertices for wire in drawn if isinstance(wire, FancyArrowPatch)]

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
@pytest.mark.parametrize("without", ["", "z", "r"])
def test_the_picture_of_the_gru_computes_its_equations_also_with_z_held_at_0_or_r_at_1(reset_after, without):
    weights = {
        "W^z": gate(0.1, 0.2, sigmoid),
        "W^r": gate(0.3, 0.4, sigmoid),
        "W_x^g": lambda state, x: math.tanh(0.5 * x + state),
        "W_h^g": lambda h: 0.6 * h + 0.7,
    }
    axes = diagrams.gru_cell(without=[*without], reset_after=reset_after)
    wiring = Wiring(axes, {"$x_t$": X, "$h_{t-1}$": H, "weights": weights})
    z = 0 if without == "z" else weights["W^z"](H, X)
    r = 1 if without == "r" else weights["W^r"](H, X)
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
        kept = [shape for shape in shapes if shape[0] != to_hex(PALE)]
        words = {t.get_text() for t in axes.texts if to_hex(t.get_color()) == to_hex(PALE)}
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


class Reading:
    """What a picture of a model computes: by the text of a part, what it is or what it makes of its inputs.

    Each part gets a dict from the texts of its inputs to their values; `within` leaves one panel.
    """

    def __init__(self, axes, meaning, within=(-math.inf, math.inf)):
        axes.figure.canvas.draw()
        self.meaning, inside = meaning, lambda x: within[0] < x < within[1]
        texts = [text for text in texts_of(axes)[bool(axes.get_title()) :] if inside(text.get_position()[0])]
        shapes = [
            patch.get_window_extent().transformed(axes.transData.inverted())
            for patch in axes.patches
            if isinstance(patch, (Ellipse, FancyBboxPatch)) and to_hex(patch.get_facecolor()) != to_hex(FRAME)
        ]
        self.nodes = []  # (text, box)
        for box in shapes:
            if inside(box.x0):
                self.nodes.append((self.name(box, texts), box.padded(0.03)))
        for text in texts:
            if not any(box.contains(*text.get_position()) for _, box in self.nodes):
                box = text.get_window_extent().transformed(axes.transData.inverted())
                self.nodes.append((text.get_text(), box.padded(0.32)))
        self.wires = [wire._path_original.vertices for wire in wires_of(axes)]
        self.wires = [wire for wire in self.wires if inside(wire[0][0])]

    @staticmethod
    def name(box, texts):
        """Return the text in a box, or the nearest on its left."""
        places = [(text.get_position(), text.get_text()) for text in texts]
        middle = (box.y0 + box.y1) / 2
        return (
            next((text for place, text in places if box.contains(*place)), None)
            or max((x, text) for (x, y), text in places if x < box.x0 and abs(y - middle) < 0.05)[1]
        )

    def node(self, place):
        return next((node for node in self.nodes if node[1].contains(*place)), None)

    def source(self, wire):
        node = self.node(wire[0])
        if node:
            return node
        (through,) = [each for each in self.wires if each is not wire and passes(each, wire[0])]
        return self.source(through)

    def inputs(self, node):
        return [wire for wire in self.wires if self.node(wire[-1]) == node]

    def value(self, node):
        if isinstance(node, str):
            (node,) = [each for each in self.nodes if each[0] == node]
        came = [(self.source(wire), wire) for wire in self.inputs(node)]
        meaning = self.meaning.get(node[0])
        if not came:
            return meaning
        values = [(source[0], self.along(wire, source)) for source, wire in came]
        if not callable(meaning) and len(values) == 1:  # what it is given goes through
            return values[0][1]
        return meaning([value for _, value in values]) if node[0] in OPERATIONS else meaning(dict(values))

    def along(self, wire, source):
        """Return what a wire carries; what leaves the softmax depends on where."""
        if "softmax" not in source[0]:
            return self.value(source)
        came = {round(each[-1][0], 3): self.along(each, self.source(each)) for each in self.inputs(source)}
        return math.exp(came[round(wire[0][0], 3)]) / sum(map(math.exp, came.values()))


OPERATIONS = {r"$\times$": math.prod, "$+$": sum, "score": math.prod}


def cell(a, b):
    """Return a function of what is read and the state before, if there is one."""

    def step(came, before):
        rest = {name: value for name, value in came.items() if name != before}
        (read,) = rest.values()
        return math.tanh(a * read + b * came.get(before, 0))

    return step


def states(read, step):
    h = []
    for x in read:
        h.append(step({"x": x, "h": h[-1]} if h else {"x": x}, "h"))
    return h


READ = [0.7, -0.4, 0.9, 0.2]
THERE, BACK = r"\overrightarrow{{h}}_{{{}}}", r"\overleftarrow{{h}}_{{{}}}"


def test_the_picture_of_both_ways_computes_each_state_from_its_side():
    ahead, behind = cell(0.3, 0.5), cell(-0.6, 0.8)
    meaning = {f"$x_{{{step}}}$": x for step, x in enumerate(READ, 1)}
    for step in range(1, 5):
        meaning[f"${THERE.format(step)}$"] = lambda came, t=step: ahead(came, f"${THERE.format(t - 1)}$")
        meaning[f"${BACK.format(step)}$"] = lambda came, t=step: behind(came, f"${BACK.format(t + 1)}$")
        meaning[f"$[{THERE.format(step)}\\,;\\,{BACK.format(step)}]$"] = lambda came: came
    reading = Reading(diagrams.bidirectional(4), meaning)
    expected = zip(states(READ, ahead), states(READ[::-1], behind)[::-1], strict=True)
    for step, (h, g) in enumerate(expected, 1):
        came = reading.value(rf"$\hat y_{{{step}}}$")
        assert came == pytest.approx({f"${THERE.format(step)}$": h, f"${BACK.format(step)}$": g})


def test_the_values_of_both_ways_stand_at_their_states():
    rows = {"x": [1, 2], "forward": [3, 4], "backward": [5, 6], "y": [7, 8]}
    axes = diagrams.bidirectional(2, values=rows)
    at = {text.get_text(): text.get_position() for text in axes.texts}
    symbols = {"x": "x_{{{}}}", "forward": THERE, "backward": BACK, "y": r"\hat y_{{{}}}"}
    for (name, row), step in itertools.product(rows.items(), (1, 2)):
        symbol, below = at[f"${symbols[name].format(step)}$"], at[rf"$\mathbf{{{row[step - 1]}}}$"]
        assert below[0] == symbol[0]
        assert 0 < symbol[1] - below[1] < 0.5


@pytest.mark.parametrize(
    ("picture", "symbol"),
    [
        (diagrams.bidirectional, "$x_{{{}}}$"),
        (lambda words: diagrams.stack(2, words), "$x_{{{}}}$"),
        (lambda words: diagrams.attention_step(source=words), "$h_{{{}}}$"),
    ],
    ids=["bidirectional", "stack", "attention_step"],
)
def test_each_word_stands_under_its_step(picture, symbol):
    at = {text.get_text(): text.get_position() for text in picture(["not", "good"]).texts}
    for step, word in enumerate(["not", "good"], 1):
        assert at[word][0] == at[symbol.format(step)][0]
        assert at[word][1] < at[symbol.format(step)][1]


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
def test_the_picture_of_a_stack_computes_layer_upon_layer(residual, normalized):
    step = cell(0.8, 0.5)
    meaning = {f"$x_{{{t}}}$": x for t, x in enumerate(READ, 1)} | OPERATIONS
    meaning["norm"] = lambda came: 3 * sum(came.values()) + 1
    for layer, t in itertools.product((1, 2, 3), (1, 2, 3, 4)):
        before = f"$h^{{({layer})}}_{{{t - 1}}}$"
        meaning[f"$h^{{({layer})}}_{{{t}}}$"] = lambda came, before=before: step(came, before)
    reading = Reading(diagrams.stack(3, 4, residual, normalized), meaning)
    read = READ
    for _ in range(3):
        given = states([3 * x + 1 for x in read] if normalized else read, step)
        read = [x + h for x, h in zip(read, given, strict=True)] if residual else given
    assert [reading.value(rf"$\hat y_{{{t}}}$") for t in (1, 2, 3, 4)] == pytest.approx(read)


@pytest.mark.parametrize("forced", [True, False])
def test_the_picture_of_seq2seq_hands_over_the_last_state_and_reads_what_was_written_or_is_true(forced):
    reads, writes = cell(0.3, 0.5), cell(-0.6, 0.8)
    tokens = {"two": 0.7, "<start>": -0.4, "만": 0.9, r"\$2\$": 0.2}  # no formula
    meaning = dict(tokens)
    for t in (1, 2, 3):
        meaning[f"$h_{{{t}}}$"] = lambda came, t=t: reads(came, f"$h_{{{t - 1}}}$")
        meaning[f"$s_{{{t}}}$"] = lambda came, t=t: writes(came, f"$s_{{{t - 1}}}$" if t > 1 else "$v$")
    axes = diagrams.seq2seq(["two", "$2$", "two"], ["만", "$2$"], forced=forced)
    reading = Reading(axes, meaning)
    h = states([tokens[word] for word in ("two", r"\$2\$", "two")], reads)[-1]
    assert reading.value("$v$") == pytest.approx(h)
    s = [writes({"v": h, "x": tokens["<start>"]}, "v")]
    for token in ("만", r"\$2\$"):
        s.append(writes({"s": s[-1], "x": tokens[token] if forced else s[-1]}, "s"))
    assert [reading.value(f"$s_{{{t}}}$") for t in (1, 2, 3)] == pytest.approx(s)
    assert reading.value("p(<end>)" if forced else "<end>") == pytest.approx(s[-1])
    styles = {wire.get_linestyle() for wire in wires_of(axes)}
    assert (len(styles) == 1) == forced  # what is fed back is dashed
    thick = [
        wire
        for wire in wires_of(axes)
        if wire.get_linewidth() == max(w.get_linewidth() for w in wires_of(axes))
    ]
    assert {to_hex(wire.get_edgecolor()) for wire in thick} == {to_hex(diagrams.COLORS["context"])}
    assert len(thick) == 2


def softmax(scores):
    shares = np.exp(scores)
    return shares / shares.sum()


def joined(came):
    return {name.replace("$", ""): value for name, value in came.items()}


KEYS = np.array(READ)
STATES = {f"$h_{{{place}}}$": (lambda came, h=h: h) for place, h in enumerate(READ, 1)}


def test_the_picture_of_luongs_order_asks_with_the_new_state_and_joins_the_context_after_it():
    meaning = {
        **OPERATIONS,
        **STATES,
        "$s_{2}$": 0.3,
        "$y_{2}$": 4.0,
        "$s_{3}$": lambda came: came["$s_{2}$"] * 5 + came["$y_{2}$"],
        r"$\tilde h_{3}$": joined,
    }
    s = 0.3 * 5 + 4
    reading = Reading(diagrams.attention_step("luong", 4, step=3), meaning)
    c = softmax(KEYS * s) @ KEYS
    assert reading.value("$c_{3}$") == pytest.approx(c)
    assert reading.value(r"$\hat y_{3}$") == pytest.approx({"c_{3}": c, "s_{3}": s})


def test_the_picture_of_bahdanaus_order_asks_with_the_state_before_and_feeds_the_context_into_the_cell():
    meaning = {**OPERATIONS, **STATES, "$s_{t-1}$": 0.3, "$y_{t-1}$": 4.0, "$s_{t}$": joined}
    reading = Reading(diagrams.attention_step("bahdanau", 4), meaning)
    c = softmax(KEYS * 0.3) @ KEYS
    assert reading.value(r"$\hat y_{t}$") == pytest.approx({"s_{t-1}": 0.3, "y_{t-1}": 4, "c_{t}": c})


def test_the_picture_of_many_to_one_asks_with_the_state_after_the_end():
    meaning = {
        **OPERATIONS,
        **STATES,
        r"$x_{\mathrm{end}}$": 4.0,
        "$h^*$": lambda came: came["$h_{4}$"] + came[r"$x_{\mathrm{end}}$"],
        r"$\tilde h$": joined,
    }
    reading = Reading(diagrams.attention_step("last", 4), meaning)
    asks = READ[-1] + 4
    c = softmax(KEYS * asks) @ KEYS
    assert reading.value(r"$\hat y$") == pytest.approx({"c": c, "h^*": asks})


def test_a_weight_is_a_bar_of_its_height_and_a_number():
    weights = [0.125, 0.875, 0]
    axes = diagrams.attention_step(source=3, weights=weights, scores=[-1, 0.5, 2])
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    frames = [
        patch for patch in axes.patches if isinstance(patch, FancyBboxPatch) and patch.get_width() < 0.6
    ]
    for weight, bar, frame in zip(weights, bars, frames, strict=True):
        assert bar.get_height() == pytest.approx(weight * frame.get_height())
        assert bar.get_xy() == pytest.approx((frame.get_x(), frame.get_y()))
    at = {text.get_text(): text.get_position() for text in axes.texts}
    for place, number in enumerate(("0.125", "0.875", "0"), 1):
        below = at[rf"$\mathbf{{{number}}}$"]
        assert below[0] == at[f"$a_{{{place}}}$"][0]
        assert 0 < at[f"$a_{{{place}}}$"][1] - below[1] < 0.5
    numbers = sorted(
        (at[rf"$\mathbf{{{number}}}$"] for number in ("-1", "0.5", "2")), key=lambda place: place[0]
    )
    assert numbers == [at[rf"$\mathbf{{{number}}}$"] for number in ("-1", "0.5", "2")]


def test_query_key_and_value_have_a_colour_each():
    axes = diagrams.attention_step(source=4)
    for name, count in (("query", 4 + 1 + 1), ("key", 4 + 3), ("value", 4 + 2)):
        (word,) = [text for text in axes.texts if text.get_text() == name]
        color = diagrams.COLORS[name]
        assert to_hex(word.get_color()) == to_hex(color)
        assert len(wires_of(axes, color)) == count  # also what joins the states, and the context


class TestBothOrders:
    def panels(self):
        axes = diagrams.both_orders(2)
        frames = [p for p in axes.patches if to_hex(p.get_facecolor()) == to_hex(FRAME)]
        left, right = [(frame.get_x(), frame.get_x() + frame.get_width()) for frame in frames]
        return axes, left, right

    def test_each_computes_its_order(self):
        axes, *panels = self.panels()
        meaning = {
            **STATES,
            "attention": lambda came: sorted(came.items()),
            "$s_{t-1}$": 0.3,
            "$y_{t-1}$": 4.0,
            r"$\tilde h_{t}$": joined,
            "$s_{t}$": joined,
        }
        luong, bahdanau = (Reading(axes, meaning, within).value(r"$\hat y_{t}$") for within in panels)
        s = {"s_{t-1}": 0.3, "y_{t-1}": 4}
        keys = [("$h_{1}$", READ[0]), ("$h_{2}$", READ[1])]
        assert luong == {"c_{t}": [*keys, ("$s_{t}$", s)], "s_{t}": s}
        assert bahdanau == {**s, "c_{t}": [*keys, ("$s_{t-1}$", 0.3)]}

    def test_equal_parts_stand_at_equal_places_and_only_two_ways_differ(self):
        axes, left, right = self.panels()
        texts, wires = [], []
        for start, end in (left, right):
            found = [text for text in axes.texts if start < text.get_position()[0] < end]
            texts.append(
                {(t.get_text(), *np.round(np.subtract(t.get_position(), (start, 0)), 3)) for t in found}
            )
            found = [wire for wire in wires_of(axes) if start < ends_of(wire)[0][0] < end]
            paths = [np.round(wire._path_original.vertices - (start, 0), 3) for wire in found]
            wires.append(
                {(to_hex(w.get_edgecolor()), str(path)) for w, path in zip(found, paths, strict=True)}
            )
        parts = {"h_{1}", "h_{2}", "c_{t}", "s_{t-1}", "s_{t}", "y_{t-1}", r"\hat y_{t}", "x_{1}", "x_{2}"}
        assert {f"${part}$" for part in parts} | {"attention"} == {text for text, *_ in texts[0] & texts[1]}
        counts = [[color for color, _ in one - other] for one, other in (wires, wires[::-1])]
        query, context = to_hex(diagrams.COLORS["query"]), to_hex(diagrams.COLORS["context"])
        for colors in counts:
            assert colors.count(query) == colors.count(context) == 1
        assert [len(colors) for colors in counts] == [4, 3]  # and from the state to h~, and from there out


class TestBeam:
    def joins(self, axes):
        reading, aside = Reading(axes, {}), np.array([0.05, 0])
        found = {}
        for wire in wires_of(axes):
            start, *_, end = wire._path_original.vertices
            ends = reading.node(start - aside), reading.node(end + aside)
            found[ends[0][0], ends[1][0]] = wire
        return found

    def test_each_word_is_joined_to_the_one_it_goes_on_from(self):
        pairs = {
            ("<start>" if not step else TREE[step - 1][parent][1], word)
            for step, level in enumerate(TREE)
            for parent, word, *_ in level
        }
        assert self.joins(diagrams.beam(TREE)).keys() == pairs

    def test_the_best_is_emphasised_the_kept_solid_and_the_dropped_grey(self):
        joins = self.joins(diagrams.beam(TREE))
        looks = {word: (to_hex(w.get_edgecolor()), w.get_linewidth()) for (_, word), w in joins.items()}
        dashed = {word for (_, word), wire in joins.items() if wire.get_linestyle() != "-"}
        best = {word for word, look in looks.items() if look == (to_hex(diagrams.COLORS["context"]), 5)}
        assert best == {"B", "B."}  # -1.02, and it ended a step before the others
        assert dashed == {"internationalisation", "AB", "BB", "AAA"}
        assert {looks[word][0] for word in dashed} == {to_hex(PALE)}
        kept = {looks[word] for word in looks.keys() - best - dashed}
        assert kept == {(to_hex(diagrams.COLORS["forward"]), 2.5)}

    def test_a_search_that_writes_down_what_it_tries_is_drawn_with_what_it_finds(self):
        likely = {"": {"A": 0.6, "B": 0.4}, "A": {"A ": 0.4, "B ": 0.35}, "B": {"end": 0.9, "B  ": 0.1}}
        beam, tree = [(0, "", 0.0)], []  # a search keeps places, words and scores
        for _ in range(2):
            tried = [
                (place, token, score + math.log(p))
                for place, word, score in beam
                for token, p in likely[word].items()
            ]
            best = sorted(range(len(tried)), key=lambda place: -tried[place][2])[:2]
            tree.append([(*each, place in best) for place, each in enumerate(tried)])
            beam = [(place, *tried[place][1:]) for place in best]
        looks = {word: wire.get_linewidth() for (_, word), wire in self.joins(diagrams.beam(tree)).items()}
        assert beam[0][1] == "end"
        assert {word for word, width in looks.items() if width == 5} == {"B", "end"}
        assert {word for word, width in looks.items() if width == 2.5} == {"A", "A "}

    def test_what_was_dropped_is_not_best_though_it_may_be_likelier(self):
        tree = [[(0, "a", -1, True), (0, "b", -2, True)], [(0, "c", -5, True), (1, "d", -0.1, False)]]
        looks = {word: wire.get_linewidth() for (_, word), wire in self.joins(diagrams.beam(tree)).items()}
        assert looks["a"] == looks["c"] == 5
        assert looks["b"] == 2.5

    def test_what_every_sequence_goes_on_from_is_no_end(self):
        tree = [[(0, "a", -1, True)], [(0, "b", -2, True), (0, "c", -3, True)]]
        looks = {word: wire.get_linewidth() for (_, word), wire in self.joins(diagrams.beam(tree)).items()}
        assert looks == {"a": 5, "b": 5, "c": 2.5}

    def test_steps_stand_side_by_side_and_no_branches_cross(self):
        axes = diagrams.beam([TREE[0], TREE[1][::-1], [(1, "B.x", -1, True), (3, "AAA", -5.5, True)]])
        at = {text.get_text(): text.get_position() for text in axes.texts}
        for step, level in enumerate((TREE[0], TREE[1]), 1):
            assert {at[word][0] for _, word, *_ in level} == {at[f"step {step}"][0]}
        down = ["A", "B", "internationalisation"], ["AA", "AB", "B.", "BB"]
        for words in (*down, ["AAA", "B.x"]):
            heights = [at[word][1] for word in words]
            assert heights == sorted(heights, reverse=True)

    def test_a_number_stands_under_its_word(self):
        at = {text.get_text(): text.get_position() for text in diagrams.beam(TREE).texts}
        for level in TREE:
            for _, word, score, _ in level:
                below = at[rf"$\mathbf{{{score:.3g}}}$"]
                assert below[0] == at[word][0]
                assert 0 < at[word][1] - below[1] < 0.5


@pytest.mark.parametrize(
    ("part", "words", "shapes", "wires"),
    [
        ("encoder", ["a", "b", "$h_{1}$", "$h_{2}$", "encoder"], 2, 3),
        ("context", ["$v$", "context"], 1, 2),
        (
            "decoder",
            ["<start>", "c", "d", "$s_{1}$", "$s_{2}$", "$s_{3}$", "c", "d", "<end>"],
            3,
            8,
        ),
        ("feedback", [], 0, 2),
    ],
)
def test_a_part_of_seq2seq_that_is_taken_away_is_pale_and_the_others_are_not(part, words, shapes, wires):
    axes = diagrams.seq2seq(["a", "b"], ["c", "d"], without=part)
    pale = [text.get_text() for text in axes.texts if to_hex(text.get_color()) == to_hex(PALE)]
    says = [text for text in pale if "reads" in text]
    assert sorted(pale) == sorted([*words, *says])
    assert len(says) == (part == "decoder")
    gone = [patch for patch in axes.patches if to_hex(patch.get_edgecolor()) == to_hex(PALE)]
    drawn = [isinstance(patch, FancyArrowPatch) for patch in gone]
    assert (drawn.count(False), drawn.count(True)) == (shapes, wires)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("unrolled", {"steps": 0}, "`steps` must be a whole number of at least 1"),
        ("unrolled", {"steps": []}, "`steps` must be a list, not empty"),
        ("unrolled", {"steps": [["a"], ["b", "c"]]}, "`steps` must be a list"),
        ("unrolled", {"steps": "abc"}, "`steps` must be a whole number or a list"),
        ("unrolled", {"steps": range(3)}, "`steps` must be a whole number or a list"),
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
        ("bidirectional", {"steps": 0}, "`steps` must be a whole number of at least 1"),
        (
            "bidirectional",
            {"steps": 2, "values": {"h": [1, 2]}},
            "names from 'x', 'forward', 'backward', 'y'",
        ),
        (
            "bidirectional",
            {"steps": 2, "values": {"forward": [1]}},
            r"`values\['forward'\]` must be 2 numbers",
        ),
        ("stack", {"depth": 0, "steps": 2}, "`depth` must be a whole number of at least 1"),
        ("stack", {"depth": 1, "steps": []}, "`steps` must be a list, not empty"),
        ("stack", {"depth": 1, "steps": 2, "residual": 1}, "`residual` must be True or False"),
        ("stack", {"depth": 1, "steps": 2, "normalized": None}, "`normalized` must be True or False"),
        ("seq2seq", {"source": [], "target": ["a"]}, "`source` must be a list, not empty"),
        ("seq2seq", {"source": ["a"], "target": "ab"}, "`target` must be a list"),
        (
            "seq2seq",
            {"source": ["a"], "target": ["a"], "without": "v"},
            "`without` must be names from 'encoder'",
        ),
        ("seq2seq", {"source": ["a"], "target": ["a"], "forced": 1}, "`forced` must be True or False"),
        ("attention_step", {"order": "after"}, "`order` must be one of 'luong', 'bahdanau', 'last'"),
        ("attention_step", {"source": 0}, "`source` must be a whole number of at least 1"),
        ("attention_step", {"weights": [0.5, 0.5]}, "`weights` must be 3 numbers from 0 to 1"),
        ("attention_step", {"weights": [0.5, 0.7, -0.2]}, "`weights` must be 3 numbers from 0 to 1"),
        ("attention_step", {"weights": [0.5, 1.5, 0]}, "`weights` must be 3 numbers from 0 to 1"),
        ("attention_step", {"scores": [1, 2]}, "`scores` must be 3 numbers"),
        ("attention_step", {"step": 0}, "`step` must be a whole number of at least 1"),
        ("attention_step", {"order": "last", "step": 1}, "`step` must be left out where the last state asks"),
        ("both_orders", {"source": "abc"}, "`source` must be a whole number"),
        ("query_key_value", {"words": 3, "asks": 4}, "`asks` must be from 1 to 3"),
        ("query_key_value", {"words": 3, "asks": 0}, "`asks` must be a whole number of at least 1"),
        ("pipeline", {"stages": []}, "`stages` must be a list, not empty"),
        ("pipeline", {"stages": ["a", "b"], "below": ["a"]}, "`below` must have 2 words, one for each stage"),
        ("query_key_value", {"words": []}, "`words` must be a list, not empty"),
        ("query_key_value", {"words": 3, "weights": [0.5, 0.5]}, "`weights` must be 3 numbers from 0 to 1"),
        ("query_key_value", {"words": 2, "weights": [0.5, 1.2]}, "`weights` must be 2 numbers from 0 to 1"),
        ("beam", {"tree": []}, "`tree` must be a list of steps, each a list of"),
        ("beam", {"tree": [[]]}, "`tree` must be a list of steps, each a list of"),
        ("beam", {"tree": [[(0, "a", -1)]]}, "`tree` must be a list of steps, each a list of"),
        ("beam", {"tree": [(0, "a", -1, True)]}, "`tree` must be a list of steps, each a list of"),
        (
            "beam",
            {"tree": [[(1, "a", -1, True)]]},
            "`parent` must be .*kept at the step before.*parent=1 at step 1",
        ),
        ("beam", {"tree": [[(0.0, "a", -1, True)]]}, "`parent` must be a whole number"),
        ("beam", {"tree": [[(0, "a", np.nan, True)]]}, "`score` must be a number"),
        ("beam", {"tree": [[(0, "a", -1, 1)]]}, "`kept` must be True or False"),
        ("beam", {"tree": [[(0, "a", -1, False)]]}, "something kept"),
        (
            "beam",
            {"tree": [[(0, "a", -1, False), (0, "b", -1, True)], [(0, "c", -2, True)]]},
            "`parent` must be .*kept at the step before.*parent=0 at step 2",
        ),
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


def test_the_word_that_asks_is_named_and_the_weights_stand_at_their_words():
    axes = diagrams.query_key_value(["나는", "너를"], asks=2, weights=[0.25, 0.75])
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert {"나는", "너를", "new $x_{2}$", "query", "key", "value"} <= places.keys()
    assert places[r"$\mathbf{0.25}$"] < places[r"$\mathbf{0.75}$"]


def test_the_query_of_the_word_that_asks_reaches_all_scores_and_the_others_are_pale():
    axes = diagrams.query_key_value(3, asks=1)
    shown = {text.get_text(): text.get_color() for text in axes.texts}
    assert shown["$q_{1}$"] != shown["$q_{2}$"] == shown["$q_{3}$"]
