"""One step of attention, part by part, and the two orders of a decoder that attends."""

from itertools import pairwise
from types import SimpleNamespace

from course_utils._validation import require_one_of, require_whole
from course_utils.diagrams._sheet import (
    COLORS,
    FORMULA,
    PLUS,
    SOFT,
    TIMES,
    WORD,
    Sheet,
    breadth,
    digits,
    row_of,
    steps_of,
)

ORDERS = ("luong", "bahdanau", "last")
FORMULAS = {
    "luong": (
        r"$s_t = f(s_{t-1},\,y_{t-1})$",
        "$c_t$ from $s_t$",
        r"$\tilde h_t = \tanh([c_t;\,s_t]W_c)$",
    ),
    "bahdanau": ("$c_t$ from $s_{t-1}$", r"$s_t = f(s_{t-1},\,[y_{t-1}\,;\,c_t])$"),
}
CONTEXT = {"color": COLORS["context"], "width": 3.5}


def attention_step(order="luong", source=3, weights=None, scores=None, step=None, title=None):
    """Draw one step of attention: who asks, what is found, and where the context goes.

    The query meets each state in a score. The softmax of the scores are the weights, and the states,
    averaged by them, are the context c. In Luong's order the decoder's new state asks, and the context
    joins it in h~ on the way out. In Bahdanau's the state before asks, and the context goes into the cell.
    In many to one h* asks, the state after the end signal.

    Args:
        order: "luong", "bahdanau", or "last" for many to one.
        source: how many states, or a list with what is read at each.
        weights: `(source,)` numbers from 0 to 1, drawn as bars.
        scores: `(source,)` numbers.
        step: the number of the decoder's step; "t" without it.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: the order is unknown, there is nothing to look at, there are not as many numbers as
            states, a weight is below 0 or above 1, the step is not a positive whole number, or many to one
            is given a step.
    """
    order, (steps, words) = require_one_of("order", order, ORDERS), steps_of("source", source)
    given = {
        "weight": [] if weights is None else row_of("weights", weights, steps, least=0, most=1),
        "score": [] if scores is None else row_of("scores", scores, steps),
    }
    numbers = {
        f"{name} {place}": digits(round(number, 3))
        for name, row in given.items()
        for place, number in enumerate(row)
    }
    names, apart = _names(order, step), max(2.3, breadth(words) + 0.4)
    columns = [3.1 + apart * place for place in range(steps)]
    rows = SimpleNamespace(
        **{"read": 0.5, "state": 2.4, "query": 3.5, "score": 4.4, "softmax": 5.6, "weight": 6.95},
        **{"weighted": 8.3, "sum": 9.3, "joined": 5.6, "out": 7.4},
    )
    sheet = Sheet(columns[-1] + 5, 10, title, numbers)
    for number, name in enumerate(("state", "score", "softmax", "weighted", "sum"), 1):
        sheet.label(0.25, getattr(rows, name), f"{number}  {name}", color=SOFT, size=WORD, ha="left")
    for number, name in enumerate(("query", "key", "value")):
        at, row = columns[-1] + 3.8, rows.sum + 0.2 - 0.42 * number
        sheet.label(at, row, name, color=COLORS[name], size=WORD, ha="left")
    states = [_state(sheet, place, at, rows, words) for place, at in enumerate(columns)]
    for before, after in pairwise(states):
        sheet.wire(before, after, color=COLORS["encoder"], width=2.5)
    scores, total = _look(sheet, states, rows, given["weight"])
    context = sheet.box(columns[-1] + 2.05, rows.sum, names.context, "", COLORS["context"], 1.1)
    sheet.wire(total, context, **CONTEXT)
    asks = _ask(sheet, order, names, states[-1], columns[-1] + 4.2, rows, context)
    sheet.feed(asks, rows.query, dict.fromkeys(reversed(scores), -0.28), COLORS["query"])
    return sheet.axes


def both_orders(source=3, title=None):
    """Draw Luong's order beside Bahdanau's, equal parts at equal places: two arrows differ.

    Args:
        source: how many states, or a list with what is read at each.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is nothing to look at.
    """
    steps, words = steps_of("source", source)
    apart = max(1.15, breadth(words) + 0.2, 2.5 / steps)
    wide = apart * steps + 4.2
    rows = SimpleNamespace(read=0.5, state=2.4, query=4.3, joined=6.4, out=7.75)
    sheet = Sheet(2 * wide + 0.1, 8.9, title)
    for left, order, when in ((0.1, "luong", "after"), (0.1 + wide, "bahdanau", "before")):
        sheet.frame(left, 0.05, left + wide - 0.1, 8.3)
        sheet.label(left + wide / 2, 8.6, f"{order.capitalize()}: look {when} the step", size=FORMULA)
        for line, formula in enumerate(FORMULAS[order]):
            sheet.label(left + 0.25, 7.95 - 0.5 * line, formula, size=WORD, ha="left")
        columns = [left + 0.15 + apart * (place + 0.5) for place in range(steps)]
        states = [_state(sheet, place, at, rows, words, 0.95) for place, at in enumerate(columns)]
        _as_one_part(sheet, order, states, columns[-1] + 0.5 * apart, rows)
    return sheet.axes


def _names(order, step):
    """Return what stands at the parts."""
    if order == "last":
        if step is not None:
            raise ValueError(f"`step` must be left out where the last state asks. Received: step={step!r}")
        symbols = ("", "h^*", r"x_{\mathrm{end}}", "c", r"\tilde h", r"\hat y")
    else:
        now = "t" if step is None else require_whole("step", step)
        before = "t-1" if step is None else now - 1
        symbols = (f"s_{{{before}}}", f"s_{{{now}}}", f"y_{{{before}}}")
        symbols += (f"c_{{{now}}}", rf"\tilde h_{{{now}}}", rf"\hat y_{{{now}}}")
    names = ("before", "state", "read", "context", "joined", "out")
    return SimpleNamespace(**{name: f"${symbol}$" for name, symbol in zip(names, symbols, strict=True)})


def _state(sheet, place, at, rows, words, width=1.75):
    """Draw a state of the encoder and what it reads."""
    read = (
        sheet.word(at, rows.read, words[place])
        if words
        else sheet.port(at, rows.read, f"$x_{{{place + 1}}}$")
    )
    state = sheet.box(at, rows.state, f"$h_{{{place + 1}}}$", "", COLORS["encoder"], width)
    sheet.wire(read, state)
    return state


def _look(sheet, states, rows, weights):
    """Draw the five steps from the states to their weighted sum; return the scores and the sum."""
    middle, wide = (states[0].x + states[-1].x) / 2, states[-1].x - states[0].x + 1.9
    softmax = sheet.box(middle, rows.softmax, "", "", SOFT, wide, 0.5)
    total = sheet.box(middle, rows.sum, PLUS, "", SOFT, wide, 0.5)
    scores = []
    for place, state in enumerate(states):
        beside, aside = state.x - middle, state.side(up=1, beside=0.77)
        value = f"score {place}"
        tall = 1.05 if value in sheet.values else 0.65
        score = sheet.box(state.x, rows.score, "score", "", SOFT, 1.3, tall, value, WORD)
        weight = sheet.weight(state.x, rows.weight, place, weights)
        times = sheet.operation(state.x, rows.weighted, TIMES)
        sheet.wire(state, score, color=COLORS["key"])
        sheet.wire(score, softmax.side(up=-1, beside=beside))
        sheet.wire(softmax.side(up=1, beside=beside), weight)
        sheet.wire(weight, times)
        sheet.wire(aside, (aside[0], rows.weighted), times, color=COLORS["value"])
        sheet.wire(times, total.side(up=-1, beside=beside))
        scores.append(score)
    return scores, total


def _as_one_part(sheet, order, states, right, rows):
    """Draw one step, with all between the query and the context in one box."""
    middle = (states[0].x + states[-1].x) / 2
    look = sheet.box(
        middle, rows.query + 0.25, "attention", "", SOFT, max(1.6, states[-1].x - states[0].x + 1), size=WORD
    )
    for state in states:
        sheet.wire(state, look.side(up=-1, beside=state.x - middle), color=COLORS["key"])
    names = _names(order, None)
    context = sheet.box(right + 0.8, rows.joined, names.context, "", COLORS["context"], 1.1)
    sheet.wire(look, (middle, rows.joined), context, **CONTEXT)
    asks = _ask(sheet, order, names, None, right + 2.95, rows, context)
    through = [] if asks[1] == rows.query else [(asks[0], rows.query)]
    end = look.x + look.width / 2, rows.query
    sheet.wire(asks, *through, end, color=COLORS["query"], width=3.5, dot=not through)


def _ask(sheet, order, names, last, at, rows, context):
    """Draw who asks, and where the context goes; return where the query leaves."""
    color = COLORS["encoder" if order == "last" else "decoder"]
    read, out = sheet.port(at, rows.read, names.read), sheet.port(at, rows.out, names.out)
    state = sheet.box(at, rows.state, names.state, "", color, 1.1)
    before = last if order == "last" else sheet.box(context.x, rows.state, names.before, "", color, 1.1)
    sheet.wire(before, state, color=color, width=2.5)
    sheet.wire(read, state)
    down = [] if context.y == rows.joined else [(context.x, rows.joined)]
    if order == "bahdanau":
        aside, low = (context.x + at) / 2, (rows.read + rows.state) / 2 - 0.1
        into = (aside, rows.joined), (aside, low), (at - 0.3, low), state.side(up=-1, beside=-0.3)
        sheet.wire(context, *down, *into, **CONTEXT)
        sheet.wire(state, out)
        return before
    joined = sheet.box(at, rows.joined, names.joined, "", SOFT, 1.1)
    sheet.wire(context, *down, joined, **CONTEXT)
    sheet.wire(state, joined)
    sheet.wire(joined, out)
    return at, rows.query
