"""The Transformer on one page, and the two orders of its parts."""

from course_utils._validation import require_one_of
from course_utils.diagrams._sheet import COLORS, FORMULA, PLUS, SOFT, WORD, Sheet, taken_away

SIDES = "encoder", "decoder"
PARTS = "embedding", "positions", "self-attention", "cross-attention", "feed-forward"
LESSONS = dict(zip(PARTS, ("lesson 01", "lesson 10", "lesson 10", "lesson 08", "lesson 11"), strict=True))
PATH, WIDE = 4, 3.0  # the residual path's line, and the width of a part
PITCH = 2.3  # of a part with its norm, from one fork to the next


def architecture(here=None, without=(), title=None):
    """Draw the Transformer, norms before: encoder on the left, decoder on the right, each beside its path.

    The thick line is the residual path: parts read from it, and what they find is added to it.

    Args:
        here: a part of the decoder that is marked "you are here": "embedding", "positions",
            "self-attention", "cross-attention" or "feed-forward".
        without: "encoder", which leaves a GPT, or "decoder", which leaves a BERT; drawn pale.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no such part or side.
    """
    here = None if here is None else require_one_of("here", here, PARTS)
    sheet = Sheet(14.7, 13.0, title, without=taken_away(without, SIDES))
    reads = {"encoder": "source", "decoder": "target so far"}
    ends, looks = {}, {}
    for name, path, column in (("encoder", 5.6, 3.5), ("decoder", 8.0, 10.1)):
        style = {"color": COLORS[name], "width": PATH, "part": name}
        below = _bottom(sheet, name, reads[name], path, column, here)
        parts = [part for part in PARTS[2:] if name == "decoder" or part != "cross-attention"]
        top = 3.15 + PITCH * len(parts)
        sheet.frame(min(path, column - WIDE / 2) - 0.3, 2.8, max(path, column + WIDE / 2) + 0.3, top)
        for number, part in enumerate(parts):
            owner = "encoder decoder" if part == "cross-attention" else name
            below, looks[name, part] = _pre_norm(
                sheet, path, column, 3.0 + PITCH * number, part, owner, below, style
            )
            _tag(sheet, name, column, looks[name, part].y, part, here, owner)
        sheet.label(column, top - 0.2, r"$\times\,N$ blocks", name, SOFT, WORD)
        ends[name] = sheet.box(path, top + 0.6, "norm", name, SOFT, 1.2, 0.5, size=WORD)
        sheet.wire(below, ends[name], **style)
    _memory(sheet, ends["encoder"], looks["decoder", "cross-attention"])
    logits = sheet.box(8.0, ends["decoder"].y + 0.95, "logits", "decoder", SOFT, 1.5, 0.55, size=WORD)
    says = sheet.word(8.0, logits.y + 0.95, "next token", "decoder")
    sheet.wire(ends["decoder"], logits, part="decoder")
    sheet.wire(logits, says, part="decoder")
    return sheet.axes


def block_orders(title=None):
    """Draw a block twice, the same parts in two orders: the norm after each sum, and before each part.

    Args:
        title: the one thing to see.

    Returns:
        The axes.
    """
    sheet = Sheet(11.4, 7.0, title)
    style = {"color": COLORS["forward"], "width": PATH}
    for left, name, draw in ((0.1, "post-norm (2017)", _post_norm), (5.8, "pre-norm", _pre_norm)):
        sheet.frame(left, 0.9, left + 5.5, 6.1)
        sheet.label(left + 3.4, 6.55, name, size=FORMULA)
        path, column = left + 1.2, left + 3.5
        below = sheet.word(path, 0.4, "x")
        for number, part in enumerate(("self-attention", "feed-forward")):
            below, _ = draw(sheet, path, column, 1.2 + 2.4 * number, part, "", below, style)
        sheet.wire(below, (path, 6.5), **style)
    return sheet.axes


def _pre_norm(sheet, path, column, bottom, part, owner, below, style):
    """Draw x + part(norm(x)): return the sum, and the part."""
    norm = sheet.box(column, bottom + 0.4, "norm", owner, SOFT, 1.2, 0.45, size=WORD)
    box = sheet.box(column, bottom + 1.15, part, owner, _color(part), WIDE, 0.55, size=WORD)
    plus = sheet.operation(path, bottom + 1.85, PLUS, owner)
    sheet.wire(below, plus, **style)
    sheet.wire((path, bottom), (column, bottom), norm, part=owner, dot=True)
    sheet.wire(norm, box, part=owner)
    sheet.wire(box, (column, bottom + 1.85), plus, part=owner)
    return plus, box


def _post_norm(sheet, path, column, bottom, part, owner, below, style):
    """Draw norm(x + part(x)): return the norm, and the part."""
    box = sheet.box(column, bottom + 0.55, part, owner, _color(part), WIDE, 0.55, size=WORD)
    plus = sheet.operation(path, bottom + 1.1, PLUS, owner)
    norm = sheet.box(path, bottom + 1.98, "norm", owner, SOFT, 1.2, 0.45, size=WORD)
    sheet.wire(below, plus, **style)
    sheet.wire((path, bottom), (column, bottom), box, part=owner, dot=True)
    sheet.wire(box, (column, bottom + 1.1), plus, part=owner)
    sheet.wire(plus, norm, **style)
    return norm, box


def _bottom(sheet, name, reads, path, column, here):
    """Draw what is read, its vectors, and the positions that are added; return the sum."""
    read = sheet.word(path, 0.4, reads, name)
    table = sheet.box(path, 1.35, "embedding", name, COLORS["encoder"], 1.9, 0.55, size=WORD)
    plus = sheet.operation(path, 2.3, PLUS, name)
    waves = sheet.box(column, 2.3, "positions", name, COLORS["z"], 1.8, 0.55, size=WORD)
    sheet.wire(read, table, part=name)
    sheet.wire(table, plus, part=name)
    sheet.wire(waves, plus, part=name)
    _tag(sheet, name, column, 2.3, "positions", here, name)
    _tag(sheet, name, column, 1.35, "embedding", here, name)
    return plus


def _memory(sheet, memory, look):
    """Lead what the encoder gives into the decoder's attention to it."""
    between = memory.x + 1.2
    entry = (look.x - look.width / 2, look.y)
    wire = {"color": COLORS["context"], "width": 3, "part": "encoder decoder"}
    sheet.wire(
        memory, (memory.x, memory.y + 0.8), (between, memory.y + 0.8), (between, look.y), entry, **wire
    )


def _tag(sheet, side, column, row, part, here, owner):
    """Write beside a part where it was built, or that the reader is there."""
    marked = part == here and side == "decoder"
    hidden = ", causal" if (side, part) == ("decoder", "self-attention") else ""
    text = "◀ you are here" if marked else LESSONS[part] + hidden
    beside, ha = (-1.95, "right") if side == "encoder" else (1.95, "left")
    sheet.label(column + beside, row, text, owner, COLORS["backward"] if marked else SOFT, WORD, ha=ha)


def _color(part):
    return {"cross-attention": COLORS["context"], "feed-forward": COLORS["o"]}.get(part, COLORS["query"])
