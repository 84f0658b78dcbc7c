"""The drawing language: parts on a grid, wires between them, and the checks that all pictures share."""

import textwrap
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from course_utils._validation import require_items, require_numbers, require_whole
from course_utils.plotting import COLORS as PALETTE

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY = PALETTE[:6]
COLORS = {  # z keeps the old state as f does; r is to the GRU what i is to the LSTM (Chung et al. 2014)
    **{"f": ORANGE, "i": GREEN, "g": SKY, "o": PINK, "z": ORANGE, "r": GREEN},
    **{"forward": BLUE, "backward": VERMILION},
    **{"encoder": BLUE, "decoder": VERMILION, "context": GREEN},  # who asks, who is asked, what comes
    **{"key": BLUE, "query": VERMILION, "value": GREEN},
}
INK, SOFT, PALE, FRAME = "0.15", "0.4", "0.75", "0.965"
UNIT = 0.65  # of the grid, in inches; type and lines are in points
TITLE, SYMBOL, FORMULA, NUMBER, WORD = 15, 18, 15.5, 14, 12.5
ROUND = "round,pad=0,rounding_size=0.15"
TIMES, PLUS, ONE_MINUS, TANH = r"$\times$", "$+$", "$1-$", r"$\tanh$"


class Part(NamedTuple):
    """A place on the sheet that wires lead to and from."""

    x: float
    y: float
    width: float  # none, and no height, where the part is an operation that is taken away
    height: float
    name: str = ""

    def edge(self, towards):
        """Return where a wire from or to that place meets this part."""
        across, up = np.sign(np.round(np.subtract(towards, self[:2]), 6))
        return self.x + across * self.width / 2, self.y + up * self.height / 2

    def side(self, across=0, up=0, beside=0):
        """Return the middle of a side, or a place so far beside it: to the right, or up."""
        return (
            self.x + across * self.width / 2 + (0 if across else beside),
            self.y + up * self.height / 2 + (0 if up else beside),
        )


class Sheet:
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
        """Say whether something that belongs to these names is taken away."""
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

    def word(self, x, y, text, name="", color=INK):
        """Write a token, or what else is as long as it likes."""
        self.label(x, y, text, name, color, WORD)
        return Part(x, y, breadth([text]) + 0.3, 0.7, name)

    def place(self, x, y, value=""):
        """Return the room of a symbol, and of its number if there is one."""
        return Part(x, y, 1.2, 1.05 if value in self.values else 0.7)

    def box(self, x, y, text, name="", color=INK, width=1.4, height=1.1, value="", size=SYMBOL):
        """Draw a vector, or what makes one."""
        self._draw(FancyBboxPatch, (x - width / 2, y - height / 2), width, height, name, color, ROUND)
        self.label(x, y, text, name, value=value, size=size)
        return Part(x, y, width, height, name)

    def gate(self, x, y, word, formula, name):
        """Draw a part with weights of its own: its formula is applied to what comes in."""
        place = self.box(x, y, "", name, COLORS[name], width=1.46, height=1.2)
        self.label(x, y + 0.28, word, name, size=WORD - 0.5)
        self.label(x, y - 0.25, formula, name, size=NUMBER)
        return place

    def operation(self, x, y, sign, name=""):
        """Draw what is done to what comes in, without weights of its own."""
        width, height = {TANH: 1.1, ONE_MINUS: 0.9}.get(sign, 0.6), 0.6
        self._draw(Ellipse, (x, y), width, height, name, "0.5")
        if self.pale(name):
            return Part(x, y, 0, 0, name)
        self.label(x, y, sign, name, size=FORMULA)
        return Part(x, y, width, height, name)

    def weight(self, x, y, place, weights, height=1.1):
        """Draw the weight on a place as a bar, empty for 0 and full for 1; empty where none are given."""
        bar, frame = self.box(x, y, "", "", COLORS["context"], 0.55, height), self.axes.patches[-1]
        if len(weights):
            left, bottom = x - bar.width / 2, y - bar.height / 2
            full = Rectangle((left, bottom), bar.width, bar.height * weights[place])
            self.axes.add_patch(full).set(fc=COLORS["context"], zorder=4, clip_path=frame)
        name = f"$a_{{{place + 1}}}$"
        self.label(x - 0.4, y, name, size=FORMULA, value=f"weight {place}", ha="right")
        return bar

    def frame(self, left, bottom, right, top):
        """Draw the ground on which the parts of one thing stand."""
        box = FancyBboxPatch((left, bottom), right - left, top - bottom, "round,pad=0,rounding_size=0.3")
        self.axes.add_patch(box).set(fc=FRAME, ec="0.8", zorder=0)

    def wire(
        self,
        *stops,
        part="",
        color=INK,
        width=2,
        arrow=True,
        dot=False,
        dashed=False,
        shift=(0, 0),
        says=None,
        ha="left",
    ):
        """Draw a line through places or from part to part; what it `says` stands where it starts upwards.

        `dot` marks that it branches off another wire.
        """
        places = [np.array(stop[:2]) for stop in stops]
        for end, beside in ((0, 1), (-1, -2)):
            if isinstance(stops[end], Part):
                places[end] = stops[end].edge(places[beside])
        pale = self.pale(part)
        color = PALE if pale else color
        arrow = arrow and getattr(stops[-1], "width", 1)
        self._line(_rounded(np.add(places, shift)), color, width, arrow, dashed, zorder=1 if pale else 2)
        if dot:
            self.axes.plot(*places[0], "o", color=color, markersize=6, zorder=3)
        if says:
            x, y = places[0] + np.array([0.15 if ha == "left" else -0.15, 0.52])
            self.label(x, y, says, part, value=part, ha=ha)

    def branch(self, start, end, color=INK, width=2, dashed=False, zorder=2):
        """Draw a line that bends from the right side of a part to the left side of another."""
        start, end = start.side(across=1), end.side(across=-1)
        middle = (start[0] + end[0]) / 2
        path = Path([start, (middle, start[1]), (middle, end[1]), end], [Path.MOVETO, *[Path.CURVE4] * 3])
        self._line(path, color, width, False, dashed, zorder)

    def feed(self, start, row, into, color=INK):
        """Draw a wire along a row, and branches up into parts; each joins so far beside its middle."""
        ends = [(part.x + beside, part.y - part.height / 2, part) for part, beside in into.items()]
        *forks, last = [(x, row) for x, *_ in ends]
        stem = [*forks, last][-2:][0]
        corner = [] if start[1] == row else [(start[0], row)]
        self.wire(start, *corner, stem, arrow=False, dot=not isinstance(start, Part), color=color)
        for fork, (*end, part) in zip([*forks, last], ends, strict=True):
            turn = [stem, fork] if fork == last and forks else [fork]
            through = part.width == 0  # what comes in passes an operation that is taken away
            name = "" if through else part.name
            self.wire(*turn, end, part=name, arrow=not through, dot=fork != last, color=color)

    def _line(self, path, color, width, arrow, dashed, zorder):
        style = {"arrowstyle": "-|>" if arrow else "-", "mutation_scale": 10 + 3 * width, "color": color}
        style["linestyle"] = (0, (3, 1.5)) if dashed else "-"
        self.axes.add_patch(FancyArrowPatch(path=path, linewidth=width, zorder=zorder, **style))

    def _draw(self, shape, place, width, height, name, color, *style):
        pale = self.pale(name)
        patch = self.axes.add_patch(shape(place, width, height, *style))
        patch.set(ec=PALE if pale else color, fc="none" if pale else tint(color), zorder=4)
        patch.set(linewidth=2, linestyle="--" if pale else "-")


def tint(color, share=0.2):
    """Return a colour made light."""
    return tuple(1 - share * (1 - part) for part in to_rgb(color))


def breadth(texts, size=WORD):
    """Return how many units wide the widest of these texts is."""
    written = [text for text in texts if text.strip()]  # a path with nothing in it cannot be made
    return (
        max((TextPath((0, 0), text, size=size).get_extents().x1 for text in written), default=0) / 72 / UNIT
    )


def _rounded(places, radius=0.15):
    """Return a path through places that turns its corners round."""
    vertices, codes = [places[0]], [Path.MOVETO]
    for before, corner, after in zip(places, places[1:], places[2:], strict=False):
        ways = np.subtract([before, after], corner)
        near, far = corner + ways * np.minimum(radius / np.abs(ways).max(axis=1, keepdims=True), 0.5)
        vertices += [near, corner, far]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, places[-1]], [*codes, Path.LINETO])


def named(argument, given, kind, known):
    """Return what was given, or raise a `ValueError` unless it has names of this picture alone."""
    if not isinstance(given, kind) or not all(isinstance(name, str) and name in known for name in given):
        what = "a dict with names" if kind is dict else "names"
        raise ValueError(
            f"`{argument}` must be {what} from {', '.join(map(repr, known))}. "
            f"Received: {argument}={given!r:.80}"
        )
    return given


def taken_away(without, parts):
    """Return the names of parts that are to be drawn pale, as a list."""
    without = (without,) if isinstance(without, str) else without
    return list(named("without", without, (list, tuple, set), parts))


def words_of(argument, items):
    """Return tokens as they are written into a picture."""
    return [str(word).replace("$", r"\$") for word in require_items(argument, items)]


def steps_of(argument, steps):
    """Return how many steps there are, and what is read at each if that was given."""
    listed = isinstance(steps, (list, tuple, np.ndarray))
    words = words_of(argument, steps) if listed else []
    if not listed and (isinstance(steps, str) or not np.isscalar(steps)):
        raise ValueError(f"`{argument}` must be a whole number or a list. Received: {argument}={steps!r:.80}")
    return len(words) or require_whole(argument, steps), words


def numbers_of(values, lengths, steps):
    """Return the numbers of a picture by name and step; a row that is one longer begins at step 0."""
    given = named("values", {} if values is None else values, dict, lengths)
    return {
        f"{name}{step}": digits(number)
        for name, row in given.items()
        for step, number in enumerate(
            row_of(f"values[{name!r}]", row, lengths[name]), steps - lengths[name] + 1
        )
    }


def row_of(argument, given, length, least=-np.inf, most=np.inf):
    """Return the numbers as an array, or raise a `ValueError` unless there are so many of that size."""
    row = require_numbers(argument, given, axes=1, finite=True)
    if len(row) != length or row.min() < least or row.max() > most:
        sizes = ", none of them negative" if least == 0 else ""
        sizes = f" from {least} to {most}" if most < np.inf else sizes
        raise ValueError(f"`{argument}` must be {length} numbers{sizes}. Received: {argument}={given!r:.80}")
    return row


def digits(value):
    """Return a number as it is printed at a part."""
    return f"{float(value):.3g}"
