"""The wiring of recurrent cells."""

from course_utils._validation import require_flag, require_numbers
from course_utils.diagrams._sheet import (
    COLORS,
    ONE_MINUS,
    PLUS,
    SOFT,
    TANH,
    TIMES,
    WORD,
    Sheet,
    digits,
    named,
    taken_away,
)


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
        without: the parts that are drawn pale, as if taken away: `"z"`, which leaves the candidate alone,
            `"r"` or `"g"`.
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
    sheet.wire(h_before, (1.7, top), width=4, arrow=False)
    sheet.wire((1.7, top), keep, part="z", width=4)
    sheet.wire(z, keep, part="z", color=COLORS["z"], says="$z_t$")
    sheet.wire((z_at, mix), rest, part="z", color=COLORS["z"], dot=True)
    sheet.wire(rest, write, part="z", color=COLORS["z"])
    sheet.wire(r, (r_at, middle), reset, part="r", color=COLORS["r"], says="$r_t$")
    sheet.wire(first, second)
    sheet.wire(second, g)
    sheet.wire(g, write, part="g", color=COLORS["g"], says="$g_t$", ha="right")
    sheet.wire(write, add)
    sheet.wire(keep, add, part="z", width=4)
    sheet.wire(add, h, width=4)
    sheet.label((z_at + g_at) / 2, top + 0.33, r"$z_t\,h_{t-1}$", "z", SOFT, WORD)
    sheet.label((r_at + g_at) / 2, mix + 0.3, "$1-z_t$", "z", SOFT, WORD)
    sheet.label(g_at - 0.15, (mix + top) / 2, r"$(1-z_t)\,g_t$", "z g", SOFT, WORD, ha="right")
    return sheet.axes


def _cell(height, title, values, names, without, parts):
    """Return the sheet of a cell; its arguments are checked."""
    numbers = {
        name: digits(require_numbers(f"values[{name!r}]", value, axes=0, finite=True))
        for name, value in named("values", {} if values is None else values, dict, names).items()
    }
    return Sheet(10.85, height, title, numbers, taken_away(without, parts))
