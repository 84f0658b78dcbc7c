"""Recurrent networks, unrolled over their steps: one way, both ways, in layers, encoder and decoder."""

from itertools import pairwise

from course_utils._validation import require_flag, require_whole
from course_utils.diagrams._sheet import (
    COLORS,
    FORMULA,
    PLUS,
    SOFT,
    WORD,
    Sheet,
    breadth,
    digits,
    numbers_of,
    row_of,
    steps_of,
    taken_away,
    words_of,
)


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
        ValueError: there is no step, a name is unknown, there are not as many numbers as steps, or one of
            `backward` is negative.
    """
    steps, words = steps_of("steps", steps)
    numbers = numbers_of(values, {"x": steps, "h": steps + 1, "y": steps}, steps)
    sizes = None if backward is None else row_of("backward", backward, steps, least=0)
    shift = 0 if sizes is None else 0.22
    low, apart = (0.6 if words else 0.1), max(2.35 if "h0" in numbers else 2.15, breadth(words) + 0.3)
    rows = low + 0.5, low + 2.7, low + 4.9
    width, height = apart * steps + (1.9 if sizes is None else 2.6), rows[2] + (0.6 if sizes is None else 1.8)
    sheet = Sheet(max(7.2, width), height, title, numbers)
    states = [_state(sheet, 0, 0.8, rows[1])]
    for step in range(1, steps + 1):
        at = states[0].x + apart * step
        states.append(_step(sheet, step, states[-1], at, rows, shift, is_last=step == steps))
    for state, word in zip(states[1:], words, strict=bool(words)):
        sheet.label(state.x, 0.35, word, size=WORD)
    if sizes is not None:
        _way_back(sheet, states, rows[2], sizes, shift)
    return sheet.axes


def bidirectional(steps, values=None, title=None):
    """Draw a network that reads both ways: two chains with weights of their own, joined at each step.

    Args:
        steps: how many, or a list with what is read at each step.
        values: a dict from `"x"`, `"forward"`, `"backward"` and `"y"` to `(steps,)` numbers.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no step, a name is unknown, or there are not as many numbers as steps.
    """
    steps, words = steps_of("steps", steps)
    numbers = numbers_of(values, dict.fromkeys(("x", "forward", "backward", "y"), steps), steps)
    apart, low = max(2.95, breadth(words) + 0.4), 0.6 if words else 0.1
    rows = [low + row for row in (0.5, 1.25, 2.55, 4.4, 6.2, 7.7)]
    sheet = Sheet(max(7.2, apart * steps + 0.2), rows[-1] + 0.6, title, numbers)
    ahead, behind = [], []
    for step in range(1, steps + 1):
        at = 0.1 + apart * (step - 0.5)
        one, other = _both_ways(sheet, step, at, rows)
        ahead.append(one)
        behind.insert(0, other)
        if words:
            sheet.label(at, 0.35, words[step - 1], size=WORD)
    for chain, color, name, beside in (
        (ahead, "forward", "$W_h$", 1.85),
        (behind, "backward", "$V_h$", -1.85),
    ):
        for before, after in pairwise(chain):
            sheet.wire(before, after, color=COLORS[color], width=2.5)
            sheet.label(before.x + beside, before.y + 0.35, name, size=FORMULA)
    return sheet.axes


def stack(depth, steps, residual=False, normalized=False, title=None):
    """Draw recurrent layers on top of each other: each reads what the one below gives.

    Args:
        depth: how many layers.
        steps: how many, or a list with what is read at each step.
        residual: what a layer reads is added to what it gives.
        normalized: what a layer reads is normalised first.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no layer or no step, or a switch is not True or False.
    """
    residual, normalized = require_flag("residual", residual), require_flag("normalized", normalized)
    depth, (steps, words) = require_whole("depth", depth), steps_of("steps", steps)
    apart, low = max(2.5, breadth(words) + 0.4), 0.6 if words else 0.1
    gap = 1.65 + 0.95 * residual + 1.15 * normalized
    sheet = Sheet(max(7.2, apart * steps), low + 2.1 + gap * depth, title)
    states = [None] * depth
    for step in range(1, steps + 1):
        at = apart * (step - 0.5)
        read = sheet.port(at, low + 0.5, f"$x_{{{step}}}$")
        for layer in range(depth):
            name = f"$h^{{({layer + 1})}}_{{{step}}}$"
            states[layer], read = _layer(sheet, name, read, states[layer], residual, normalized)
        sheet.wire(read, sheet.port(at, low + 1.75 + gap * depth, rf"$\hat y_{{{step}}}$"))
        if words:
            sheet.label(at, 0.35, words[step - 1], size=WORD)
    return sheet.axes


def seq2seq(source, target, title=None, without=(), forced=False):
    """Draw an encoder that reads, a decoder that writes, and the one vector between them.

    Args:
        source: what is read at each step.
        target: what is written, without marks; the picture adds the start and the end mark.
        title: the one thing to see.
        without: the parts that are drawn pale, as if taken away: `"encoder"`, `"context"`, `"decoder"` or
            `"feedback"`.
        forced: the decoder reads the true tokens, as in training, and gives a probability to each next one;
            otherwise it reads what it has written itself.

    Returns:
        The axes.

    Raises:
        ValueError: there is nothing to read or nothing to write, a part is unknown, or `forced` is not True
            or False.
    """
    source, target = words_of("source", source), words_of("target", target)
    forced = require_flag("forced", forced)
    without = taken_away(without, ("encoder", "context", "decoder", "feedback"))
    fed, said = ["<start>", *target], [*target, "<end>"]
    said = [f"p({word})" for word in said] if forced else said
    near, far = max(1.8, breadth(source) + 0.4), max(2, breadth([*fed, *said]) + 0.9)
    rows = (1.3, 3.2, 5.2)
    first, middle = 0.5 * near, near * len(source) + 0.8
    begin = middle + 0.75 + 0.5 * far
    sheet = Sheet(begin + far * (len(target) + 0.5), 5.7, title, without=without)
    states = _chain(sheet, "encoder", "h", source, first, near, rows)
    context = sheet.box(middle, rows[1], "$v$", "context", COLORS["context"], 0.9, 1.7)
    sheet.wire(states[-1], context, part="context", color=COLORS["context"], width=5)
    _chain(sheet, "decoder", "s", fed, begin, far, rows, said, "" if forced else "feedback", context)
    reads = "the true target" if forced else "what it has written"
    for at, name, says in (
        (first + near * (len(source) - 1) / 2, "encoder", "encoder"),
        (middle, "context", "context"),
        (begin + far * len(target) / 2, "decoder", f"decoder\nreads {reads}"),
    ):
        sheet.label(at, 0.45 if name == "decoder" else 0.65, says, name, COLORS[name], WORD)
    return sheet.axes


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
        sheet.label(x, y, rf"$\mathbf{{{digits(size)}}}$", color=color, size=WORD, ha=ha)
    sheet.label(0.3, y_row + 1.3, r"$\rightarrow$ forward", color=COLORS["forward"], size=WORD, ha="left")
    said = rf"$\leftarrow$ backward: gradient of the loss at $\hat y_{{{len(sizes)}}}$"
    sheet.label(0.3, y_row + 0.85, said, color=color, size=WORD, ha="left")


def _both_ways(sheet, step, at, rows):
    """Draw one step of a network that reads both ways; return its two states."""
    x_row, fork_row, ahead_row, behind_row, join_row, y_row = rows
    x = sheet.port(at, x_row, f"$x_{{{step}}}$", f"x{step}")
    y = sheet.port(at, y_row, rf"$\hat y_{{{step}}}$", f"y{step}")
    there, back = rf"\overrightarrow{{h}}_{{{step}}}", rf"\overleftarrow{{h}}_{{{step}}}"
    joined = sheet.box(at, join_row, rf"$[{there}\,;\,{back}]$", "", SOFT, 2.3, size=FORMULA)
    states = []
    sheet.wire(x, (at, fork_row), arrow=False)
    for name, symbol, row, beside in (
        ("forward", there, ahead_row, -0.5),
        ("backward", back, behind_row, 0.5),
    ):
        value = f"{name}{step}"
        tall = 1.35 if value in sheet.values else 1.1
        state = sheet.box(at + beside, row, f"${symbol}$", "", COLORS[name], 1.3, tall, value, FORMULA)
        sheet.wire((at, fork_row), (state.x, fork_row), state, dot=not states)
        sheet.wire(state, joined.side(up=-1, beside=beside), color=COLORS[name], width=2.5)
        states.append(state)
    sheet.wire(joined, y)
    return states


def _layer(sheet, name, below, before, residual, normalized):
    """Draw one layer at one step; return its state, and what the next layer reads."""
    at, top = below.x, below.y + below.height / 2
    read = below
    if normalized:
        read = sheet.box(at, top + 0.85, "norm", color=SOFT, width=1.2, height=0.6, size=WORD)
        sheet.wire(below, read)
    state = sheet.box(at, read.y + read.height / 2 + 1.1, name, "", COLORS["forward"], 1.3)
    sheet.wire(read, state)
    if before:
        sheet.wire(before, state, color=COLORS["forward"], width=2.5)
    if not residual:
        return state, state
    add = sheet.operation(at, state.y + 1.2, PLUS)
    sheet.wire(state, add)
    sheet.wire((at, top + 0.2), (at + 0.95, top + 0.2), (at + 0.95, add.y), add, dot=True)
    return state, add


def _chain(sheet, name, symbol, read, first, apart, rows, said=(), feedback="", before=None):
    """Draw the steps of one network; return its states."""
    states, color, out = [], COLORS[name], None
    for step, word in enumerate(read):
        at = first + apart * step
        token = sheet.word(at, rows[0], word, name)
        state = sheet.box(at, rows[1], f"${symbol}_{{{step + 1}}}$", name, color, 1.1)
        sheet.wire(token, state, part=name)
        if before:
            handed = before.name == "context"
            style = {"color": COLORS["context"], "width": 5} if handed else {"color": color, "width": 2.5}
            sheet.wire(before, state, part=before.name, **style)
        if out and feedback:
            aside = at - apart / 2
            back = (out, (aside, rows[2]), (aside, rows[0]), token)
            sheet.wire(*back, part=feedback, color=SOFT, dashed=True)
        if said:
            out = sheet.word(at, rows[2], said[step], name)
            sheet.wire(state, out, part=name)
        states.append(before := state)
    return states
