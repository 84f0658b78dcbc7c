"""The wiring of cells and networks in one drawing language: parts on a grid, and wires between them."""

import textwrap
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from course_utils._validation import require_flag, require_items, require_numbers, require_whole
from course_utils.plotting import COLORS as PALETTE

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY = PALETTE[:6]
COLORS = {  # z keeps the old state as f does; r is to the GRU what i is to the LSTM (Chung et al. 2014)
    "f": ORANGE,
    "i": GREEN,
    "g": SKY,
    "o": PINK,
    "z": ORANGE,
    "r": GREEN,
    "forward": BLUE,
    "backward": VERMILION,
}
INK, SOFT, PALE, FRAME = "0.15", "0.4", "0.75", "0.965"
UNIT = 0.65  # of the grid, in inches; type and lines are in points
TITLE, SYMBOL, FORMULA, NUMBER, WORD = 15, 18, 15.5, 14, 12.5
ROUND = "round,pad=0,rounding_size=0.15"
TIMES, PLUS, ONE_MINUS, TANH = r"$\times$", "$+$", "$1-$", r"$\tanh$"


def unrolled(steps, backward=None, values=None, title=None):
    """Draw a recurrent network unrolled over its steps, and how the gradient comes back.

    Args:
        steps: how many, or a list with what is read at each step.
        backward: how large the gradient of a loss at the last output is at each state, `(steps,)`. The
            arrow back to a state is as wide as this number says, the largest one widest.
        values: a dict from `"x"` and `"y"` to `(steps,)` numbers, and from `"h"` to one more, h_0 first.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no step, a name is unknown, or there are not as many numbers as steps.
    """
    listed = isinstance(steps, (list, tuple, np.ndarray))
    words = [str(word) for word in require_items("steps", steps)] if listed else []
    steps = len(words) or require_whole("steps", steps)
    given = _named("values", {} if values is None else values, dict, ("x", "h", "y"))
    numbers = {
        f"{name}{step}": _digits(number)
        for name, row in given.items()
        for step, number in enumerate(_row(f"values[{name!r}]", row, steps + (name == "h")), name != "h")
    }
    sizes = None if backward is None else _row("backward", backward, steps, least=0)
    shift = 0 if sizes is None else 0.22
    low, apart = (0.6 if words else 0.1), 2.35 if "h0" in numbers else 2.15
    rows = low + 0.5, low + 2.7, low + 4.9
    width, height = apart * steps + (1.9 if sizes is None else 2.6), rows[2] + (0.6 if sizes is None else 1.8)
    sheet = _Sheet(max(7.2, width), height, title, numbers)
    states = [_state(sheet, 0, 0.8, rows[1])]
    for step in range(1, steps + 1):
        at = states[0].x + apart * step
        states.append(_step(sheet, step, states[-1], at, rows, shift, is_last=step == steps))
    for state, word in zip(states[1:], words, strict=bool(words)):
        sheet.label(state.x, 0.35, word, size=WORD)
    if sizes is not None:
        _way_back(sheet, states, rows[2], sizes, shift)
    return sheet.axes


def rnn_cell(values=None, without=(), title=None):
    """Draw the wiring of a simple recurrent cell: h_t = tanh(x_t W_x + h_{t-1} W_h + b).

    Args:
        values: a dict to numbers that are printed at the parts, from names among `"x"`, `"h_before"`,
            `"W_x"`, `"W_h"`, `"b"` and `"h"`.
        without: the parts that are drawn pale, as if taken away: `"W_x"`, `"W_h"`, `"b"` or `"tanh"`.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: a name is unknown, or a value is no number.
    """
    weights = ("W_x", "W_h", "b")
    sheet = _cell(5.5, title, values, ("x", "h_before", "h", *weights), without, (*weights, "tanh"))
    row, add_at = 3.4, 5.4
    sheet.frame(1.45, 0.85, 9.25, 5.35)
    h_before, h = sheet.port(0.7, row, "$h_{t-1}$", "h_before"), sheet.port(10.15, row, "$h_t$", "h")
    x = sheet.port(add_at, 0.4, "$x_t$", "x")
    w_h = sheet.box(3.2, row, r"$\times\,W_h$", "W_h", COLORS["forward"], value="W_h")
    w_x = sheet.box(add_at, 1.9, r"$\times\,W_x$", "W_x", COLORS["forward"], value="W_x")
    b = sheet.box(add_at, 4.65, "$b$", "b", COLORS["forward"], height=0.9, value="b")
    add, squash = sheet.operation(add_at, row, PLUS), sheet.operation(7.4, row, TANH, "tanh")
    sheet.wire(h_before, w_h, part="W_h")
    sheet.wire(w_h, add, part="W_h")
    sheet.wire(x, w_x, part="W_x")
    sheet.wire(w_x, add, part="W_x")
    sheet.wire(b, add, part="b")
    sheet.wire(add, squash)
    sheet.wire(squash, h)
    return sheet.axes


def lstm_cell(values=None, without=(), title=None):
    """Draw the wiring of an LSTM cell: the cell state along the top, the hidden state along the bottom.

    The gates i, f and o and the candidate g are what `LSTMCell.gates` returns, in their `COLORS`.

    Args:
        values: a dict to numbers that are printed at the parts, from names among `"x"`, `"h_before"`,
            `"c_before"`, `"i"`, `"f"`, `"g"`, `"o"`, `"c"` and `"h"`.
        without: the parts that are drawn pale, as if taken away: `"i"`, `"f"`, `"g"`, `"o"` or `"tanh"`.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: a name is unknown, or a value is no number.
    """
    names = ("x", "h_before", "c_before", "i", "f", "g", "o", "c", "h")
    sheet = _cell(7.15, title, values, names, without, ("i", "f", "g", "o", "tanh"))
    top, mix, row, h_row, x_row = 6.4, 4.6, 2.8, 1.7, 1.2
    f_at, i_at, g_at, o_at, out_at = 2.4, 3.98, 5.56, 7.14, 8.6
    sheet.frame(1.45, 0.85, 9.25, 7.05)
    c_before, h_before = (
        sheet.port(0.7, top, "$c_{t-1}$", "c_before"),
        sheet.port(0.7, h_row, "$h_{t-1}$", "h_before"),
    )
    x, c, h = (
        sheet.port(1.8, 0.4, "$x_t$", "x"),
        sheet.port(10.15, top, "$c_t$", "c"),
        sheet.port(10.15, h_row, "$h_t$", "h"),
    )
    f = sheet.gate(f_at, row, "forget", r"$\sigma\,W^f$", "f")
    i = sheet.gate(i_at, row, "input", r"$\sigma\,W^i$", "i")
    g = sheet.gate(g_at, row, "candidate", r"$\tanh\,W^g$", "g")
    o = sheet.gate(o_at, row, "output", r"$\sigma\,W^o$", "o")
    keep, write = sheet.operation(f_at, top, TIMES, "f"), sheet.operation(g_at, mix, TIMES, "i g")
    add, show = sheet.operation(g_at, top, PLUS), sheet.operation(out_at, mix, TIMES, "o")
    squash = sheet.operation(out_at, 5.5, TANH, "tanh")

    sheet.feed(h_before, row=h_row, into=dict.fromkeys((f, i, g, o), -0.3))
    sheet.feed(x, row=x_row, into=dict.fromkeys((f, i, g, o), 0.3))
    sheet.wire(c_before, keep, width=4)
    sheet.wire(f, keep, part="f", color=COLORS["f"], says="$f_t$")
    sheet.wire(keep, add, width=4)
    sheet.wire(i, (i_at, mix), write, part="i", color=COLORS["i"], says="$i_t$")
    sheet.wire(g, write, part="g", color=COLORS["g"], says="$g_t$")
    sheet.wire(write, add)
    sheet.wire(add, c, width=4)
    sheet.wire((out_at, top), squash, dot=True)
    sheet.wire(squash, show)
    sheet.wire(o, (o_at, mix), show, part="o", color=COLORS["o"], says="$o_t$")
    sheet.wire(show, (out_at, h_row), h)
    sheet.label((f_at + g_at) / 2, top + 0.33, r"$f_t\,c_{t-1}$", "f", SOFT, WORD)
    sheet.label(g_at + 0.15, 5.5, r"$i_t\,g_t$", "i g", SOFT, WORD, ha="left")
    return sheet.axes


def gru_cell(values=None, without=(), reset_after=True, title=None):
    """Draw the wiring of a GRU cell: the hidden state along the top.

    The gates z and r and the candidate g are what `GRUCell.gates` returns, in their `COLORS`.

    Args:
        values: a dict to numbers that are printed at the parts, from names among `"x"`, `"h_before"`,
            `"z"`, `"r"`, `"g"` and `"h"`.
        without: the parts that are drawn pale, as if taken away: `"z"`, `"r"` or `"g"`.
        reset_after: reset after the product with W_h, or before it.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: a name is unknown, a value is no number, or `reset_after` is not True or False.
    """
    after = require_flag("reset_after", reset_after)
    sheet = _cell(8.15, title, values, ("x", "h_before", "z", "r", "g", "h"), without, ("z", "r", "g"))
    top, mix, middle, row, h_row, x_row = 7.45, 6.2, 4.35, 2.8, 1.7, 1.2
    z_at, r_at, g_at = 2.72, 4.35, 8.3
    sheet.frame(1.45, 0.85, 9.25, 8.05)
    h_before, h = sheet.port(0.7, top, "$h_{t-1}$", "h_before"), sheet.port(10.15, top, "$h_t$", "h")
    x = sheet.port(2, 0.4, "$x_t$", "x")
    z = sheet.gate(z_at, row, "update", r"$\sigma\,W^z$", "z")
    r = sheet.gate(r_at, row, "reset", r"$\sigma\,W^r$", "r")
    g = sheet.gate(g_at, middle, "candidate", r"$\tanh\,W_x^g$", "g")
    times_w = sheet.box(*((6.2, row) if after else (6.8, middle)), "$W_h^g$", "g", COLORS["g"], 0.9, 0.9)
    reset = sheet.operation(6.2 if after else 5.78, middle, TIMES, "r")
    keep, add = sheet.operation(z_at, top, TIMES, "z"), sheet.operation(g_at, top, PLUS)
    rest, write = sheet.operation(r_at, mix, ONE_MINUS, "z"), sheet.operation(g_at, mix, TIMES, "z g")
    first, second = (times_w, reset) if after else (reset, times_w)

    sheet.feed((1.7, top), row=h_row, into={z: -0.3, r: -0.3, first: 0})
    sheet.feed(x, row=x_row, into={z: 0.3, r: 0.3, g: 0})
    sheet.wire(h_before, keep, width=4)
    sheet.wire(z, keep, part="z", color=COLORS["z"], says="$z_t$")
    sheet.wire((z_at, mix), rest, part="z", color=COLORS["z"], dot=True)
    sheet.wire(rest, write, part="z", color=COLORS["z"])
    sheet.wire(r, (r_at, middle), reset, part="r", color=COLORS["r"], says="$r_t$")
    sheet.wire(first, second)
    sheet.wire(second, g)
    sheet.wire(g, write, part="g", color=COLORS["g"], says="$g_t$", ha="right")
    sheet.wire(write, add)
    sheet.wire(keep, add, width=4)
    sheet.wire(add, h, width=4)
    sheet.label((z_at + g_at) / 2, top + 0.33, r"$z_t\,h_{t-1}$", "z", SOFT, WORD)
    sheet.label((r_at + g_at) / 2, mix + 0.3, "$1-z_t$", "z", SOFT, WORD)
    sheet.label(g_at - 0.15, (mix + top) / 2, r"$(1-z_t)\,g_t$", "z g", SOFT, WORD, ha="right")
    return sheet.axes


class _Part(NamedTuple):
    x: float
    y: float
    width: float  # none, and no height, where the part is an operation that is taken away
    height: float
    name: str = ""

    def edge(self, towards):
        """Return where a wire from or to that place meets this part."""
        across, up = np.sign(np.round(np.subtract(towards, self[:2]), 6))
        return self.x + across * self.width / 2, self.y + up * self.height / 2


class _Sheet:
    """A figure of `width` by `height` units. What belongs to a part in `without` is drawn pale."""

    def __init__(self, width, height, title=None, values=None, without=()):
        lines = textwrap.wrap("" if title is None else str(title), int(width * 5.5))
        room = 0.25 * len(lines) + 0.1 if lines else 0
        size = width * UNIT, height * UNIT + room
        _, self.axes = plt.subplots(figsize=size, layout="none")
        self.axes.set_position((0, 0, 1, height * UNIT / size[1]))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")
        self.axes.set_title("\n".join(lines), fontsize=TITLE)
        self.values, self.without = values or {}, set(without)

    def pale(self, names):
        return not self.without.isdisjoint(names.split())

    def label(self, x, y, text, name="", color=INK, size=SYMBOL, value="", ha="center"):
        """Write a text and, where there is a value of that name, the number under it."""
        style = {"ha": ha, "va": "center", "color": PALE if self.pale(name) else color, "zorder": 5}
        number = self.values.get(value)
        self.axes.text(x, y + (0.2 if number else 0), text, fontsize=size, **style)
        if number:
            self.axes.text(x, y - 0.22, rf"$\mathbf{{{number}}}$", fontsize=NUMBER, **style)

    def port(self, x, y, text, value=""):
        """Write what comes in or goes out."""
        self.label(x, y, text, value=value)
        return self.place(x, y, value)

    def place(self, x, y, value=""):
        return _Part(x, y, 1.2, 1.05 if value in self.values else 0.7)

    def box(self, x, y, text, name="", color=INK, width=1.4, height=1.1, value=""):
        self._draw(FancyBboxPatch, (x - width / 2, y - height / 2), width, height, name, color, ROUND)
        self.label(x, y, text, name, value=value)
        return _Part(x, y, width, height, name)

    def gate(self, x, y, word, formula, name):
        """Draw a part with weights of its own: its formula is applied to what comes in."""
        place = self.box(x, y, "", name, COLORS[name], width=1.46, height=1.2)
        self.label(x, y + 0.28, word, name, size=WORD)
        self.label(x, y - 0.25, formula, name, size=FORMULA)
        return place

    def operation(self, x, y, sign, name=""):
        width, height = {TANH: 1.1, ONE_MINUS: 0.9}.get(sign, 0.6), 0.6
        self._draw(Ellipse, (x, y), width, height, name, "0.5")
        if self.pale(name):
            return _Part(x, y, 0, 0, name)
        self.label(x, y, sign, name, size=FORMULA)
        return _Part(x, y, width, height, name)

    def frame(self, left, bottom, right, top):
        box = FancyBboxPatch((left, bottom), right - left, top - bottom, "round,pad=0,rounding_size=0.3")
        self.axes.add_patch(box).set(fc=FRAME, ec="0.8", zorder=0)

    def wire(
        self, *stops, part="", color=INK, width=2, arrow=True, dot=False, shift=(0, 0), says=None, ha="left"
    ):
        """Draw a line through places or from part to part; what it `says` stands where it starts upwards.

        `dot` marks that it branches off another wire.
        """
        places = [np.array(stop[:2]) for stop in stops]
        for end, beside in ((0, 1), (-1, -2)):
            if isinstance(stops[end], _Part):
                places[end] = stops[end].edge(places[beside])
        pale = self.pale(part)
        color = PALE if pale else color
        arrow = arrow and getattr(stops[-1], "width", 1)
        style = {"arrowstyle": "-|>" if arrow else "-", "mutation_scale": 10 + 3 * width, "color": color}
        path = _rounded(np.add(places, shift))
        self.axes.add_patch(FancyArrowPatch(path=path, linewidth=width, zorder=1 if pale else 2, **style))
        if dot:
            self.axes.plot(*places[0], "o", color=color, markersize=6, zorder=3)
        if says:
            x, y = places[0] + np.array([0.15 if ha == "left" else -0.15, 0.52])
            self.label(x, y, says, part, value=part, ha=ha)

    def feed(self, start, row, into):
        """Draw a wire along a row, and branches up into parts; each joins so far beside its middle."""
        ends = [(part.x + beside, part.y - part.height / 2, part) for part, beside in into.items()]
        *forks, last = [(x, row) for x, *_ in ends]
        corner = [] if start[1] == row else [(start[0], row)]
        self.wire(start, *corner, forks[-1], arrow=False, dot=not isinstance(start, _Part))
        for fork, (*end, part) in zip([*forks, last], ends, strict=True):
            turn = [forks[-1], fork] if fork == last else [fork]
            through = part.width == 0  # what comes in passes an operation that is taken away
            self.wire(*turn, end, part="" if through else part.name, arrow=not through, dot=fork != last)

    def _draw(self, shape, place, width, height, name, color, *style):
        pale = self.pale(name)
        patch = self.axes.add_patch(shape(place, width, height, *style))
        patch.set(ec=PALE if pale else color, fc="none" if pale else _tint(color), zorder=4)
        patch.set(linewidth=2, linestyle="--" if pale else "-")


def _tint(color, share=0.2):
    return tuple(1 - share * (1 - part) for part in to_rgb(color))


def _rounded(places, radius=0.15):
    """Return a path through places that turns its corners round."""
    vertices, codes = [places[0]], [Path.MOVETO]
    for before, corner, after in zip(places, places[1:], places[2:], strict=False):
        ways = np.subtract([before, after], corner)
        near, far = corner + ways * np.minimum(radius / np.abs(ways).max(axis=1, keepdims=True), 0.5)
        vertices += [near, corner, far]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, places[-1]], [*codes, Path.LINETO])


def _cell(height, title, values, names, without, parts):
    """Return the sheet of a cell; its arguments are checked."""
    values = {} if values is None else values
    without = (without,) if isinstance(without, str) else without
    numbers = {
        name: _digits(require_numbers(f"values[{name!r}]", value, axes=0, finite=True))
        for name, value in _named("values", values, dict, names).items()
    }
    return _Sheet(10.85, height, title, numbers, _named("without", without, (list, tuple, set), parts))


def _named(argument, given, kind, known):
    """Return what was given, or raise a `ValueError` unless it has names of this picture alone."""
    if not isinstance(given, kind) or not all(isinstance(name, str) and name in known for name in given):
        what = "a dict with names" if kind is dict else "names"
        raise ValueError(
            f"`{argument}` must be {what} from {', '.join(map(repr, known))}. "
            f"Received: {argument}={given!r:.80}"
        )
    return given


def _row(argument, given, length, least=-np.inf):
    """Return the numbers as an array, or raise a `ValueError` unless there are so many of that size."""
    row = require_numbers(argument, given, axes=1, finite=True)
    if len(row) != length or row.min() < least:
        not_negative = "" if least < 0 else ", none of them negative"
        raise ValueError(
            f"`{argument}` must be {length} numbers{not_negative}. Received: {argument}={given!r:.80}"
        )
    return row


def _digits(value):
    return f"{float(value):.3g}"


def _state(sheet, step, x, y):
    width = 1.3 if f"h{step}" in sheet.values else 1.1
    return sheet.box(x, y, f"$h_{{{step}}}$", "", COLORS["forward"], width, value=f"h{step}")


def _step(sheet, step, before, at, rows, shift, is_last):
    """Draw one step of the unrolled network, the ways forward moved aside by `shift`; return its state."""
    forward = {"color": COLORS["forward"], "width": 2.5}
    x_row, h_row, y_row = rows
    x = sheet.port(at, x_row, f"$x_{{{step}}}$", f"x{step}")
    h = _state(sheet, step, at, h_row)
    y = sheet.port(at, y_row, rf"$\hat y_{{{step}}}$", f"y{step}")
    aside = -shift if is_last else 0
    sheet.wire(x, h, **forward)
    sheet.wire(before, h, shift=(0, shift), **forward)
    sheet.wire(h, y, shift=(aside, 0), **forward)
    sheet.label(at + 0.15, (x_row + h_row) / 2 - 0.15, "$W_x$", size=FORMULA, ha="left")
    sheet.label((before.x + at) / 2, h_row + shift + 0.35, "$W_h$", size=FORMULA)
    side, ha = (-0.15, "right") if aside else (0.15, "left")
    sheet.label(at + aside + side, (h_row + y_row) / 2 + 0.1, "$W_y$", size=FORMULA, ha=ha)
    return h


def _way_back(sheet, states, y_row, sizes, shift):
    """Draw the gradient from the last output to each state, the larger the wider."""
    color = COLORS["backward"]
    widths = [max(0.8, 8 * size / (sizes.max() or 1)) for size in sizes]
    loss = sheet.place(states[-1].x, y_row, f"y{len(sizes)}")
    for start, end, width, size in zip([*states[2:], loss], states[1:], widths, sizes, strict=True):
        down = start is loss
        sheet.wire(start, end, color=color, width=width, shift=(shift, 0) if down else (0, -shift))
        x, y, ha = (start.x + end.x) / 2, end.y - 0.75, "center"
        if down:
            x, y, ha = end.x + shift + 0.25, (y_row + end.y) / 2 + 0.1, "left"
        sheet.label(x, y, rf"$\mathbf{{{_digits(size)}}}$", color=color, size=WORD, ha=ha)
    sheet.label(0.3, y_row + 1.3, r"$\rightarrow$ forward", color=COLORS["forward"], size=WORD, ha="left")
    said = rf"$\leftarrow$ backward: gradient of the loss at $\hat y_{{{len(sizes)}}}$"
    sheet.label(0.3, y_row + 0.85, said, color=color, size=WORD, ha="left")
