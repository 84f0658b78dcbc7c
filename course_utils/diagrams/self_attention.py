"""Self-attention: from the words of one sequence, by query, key and value, to a new vector."""

from types import SimpleNamespace

from course_utils._validation import require_whole
from course_utils.diagrams._sheet import (
    COLORS,
    FORMULA,
    INK,
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

OTHERS = "others"
ROWS = SimpleNamespace(
    read=0.4, parts=1.75, query=2.65, score=3.4, softmax=4.35, weight=5.3, times=6.35, sum=7.2, new=8.35
)


def query_key_value(words, asks=2, weights=None, title=None):
    """Draw how one word of a sequence looks at all of them: query, key and value in three colours.

    Each word makes a query, a key and a value. The query of one of them meets the keys of all; the softmax of
    the scores are the weights, and the values, averaged by them, are its new vector. The queries of the
    others are pale: they do the same at the same time.

    Args:
        words: how many words there are, or a list of them.
        asks: which of them asks, counted from 1.
        weights: `(words,)` numbers from 0 to 1, drawn as bars and written beside them.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no word, no such word asks, or there is not one weight from 0 to 1 for each.
    """
    steps, texts = steps_of("words", words)
    if require_whole("asks", asks) > steps:
        raise ValueError(f"`asks` must be from 1 to {steps}. Received: asks={asks!r}")
    bars = [] if weights is None else row_of("weights", weights, steps, least=0, most=1)
    apart = max(3.1, breadth(texts) + 0.3)
    values = {f"weight {place}": digits(each) for place, each in enumerate(bars)}
    sheet = Sheet(apart * steps + 0.3, 8.8, title, values, {OTHERS})
    columns = [0.15 + apart * (place + 0.5) for place in range(steps)]
    parts = [_word(sheet, place, at, texts, place + 1 == asks) for place, at in enumerate(columns)]
    middle, wide = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 2.6
    softmax = sheet.box(middle, ROWS.softmax, "softmax", "", SOFT, wide, 0.55, size=WORD)
    total = sheet.box(middle, ROWS.sum, PLUS, "", SOFT, wide, 0.5)
    scores = []
    for place, word in enumerate(parts):
        beside = word.key.x - middle
        score = sheet.box(word.key.x, ROWS.score, "score", "", SOFT, 1.3, 0.65, size=WORD)
        bar = sheet.weight(word.key.x, ROWS.weight, place, bars, height=0.9)
        times = sheet.operation(word.key.x, ROWS.times, TIMES)
        sheet.wire(word.key, score, color=COLORS["key"], width=2.5)
        sheet.wire(score, softmax.side(up=-1, beside=beside))
        sheet.wire(softmax.side(up=1, beside=beside), bar)
        sheet.wire(bar, times)
        sheet.wire(word.value, (word.value.x, ROWS.times), times, color=COLORS["value"], width=2.5)
        sheet.wire(times, total.side(up=-1, beside=beside))
        scores.append(score)
    for line, part in enumerate(("query", "key", "value")):
        sheet.label(0.2, 8.55 - 0.4 * line, part, color=COLORS[part], size=WORD, ha="left")
    _ask(sheet, parts[asks - 1].query, scores)
    new = sheet.port(middle, ROWS.new, f"new $x_{{{asks}}}$")
    sheet.wire(total, new, color=COLORS["value"], width=3.5)
    return sheet.axes


def _word(sheet, place, at, texts, asking):
    """Draw what is read and what is made of it: a query, which is pale unless it asks, a key and a value."""
    name = f"$x_{{{place + 1}}}$"
    read = sheet.word(at, ROWS.read, texts[place]) if texts else sheet.port(at, ROWS.read, name)
    parts = {}
    for part, beside in (("query", -0.95), ("key", 0), ("value", 0.95)):
        pale = OTHERS if part == "query" and not asking else ""
        symbol = f"${part[0]}_{{{place + 1}}}$"
        parts[part] = sheet.box(at + beside, ROWS.parts, symbol, pale, COLORS[part], 0.8, 0.8, size=FORMULA)
        turn = (at, ROWS.read + 0.65), (at + beside, ROWS.read + 0.65)
        through = turn if beside else ()
        sheet.wire(read, *through, parts[part], part=pale, color=INK)
    return SimpleNamespace(**parts)


def _ask(sheet, query, scores):
    """Lead the query along its row into each score."""
    for score in scores:
        end = score.x - 0.4
        turn = [] if abs(end - query.x) < 0.01 else [(query.x, ROWS.query), (end, ROWS.query)]
        into = (end, score.y - score.height / 2)
        sheet.wire(query, *turn, into, color=COLORS["query"], width=2.5)
