"""From a file to what a model writes."""

from course_utils.diagrams._sheet import COLORS, SOFT, WORD, Sheet, breadth, words_of

ROOM = 0.7  # between two stages


def pipeline(stages, below=None, title=None):
    """Draw stages in a row, what each hands on to the next, and a word below each.

    Args:
        stages: the names of the stages; a name may have several lines.
        below: a word for each stage, such as what can go wrong there; "" for none. Nothing if left out.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there is no stage, or not one word for each.
    """
    stages = words_of("stages", stages)
    below = [""] * len(stages) if below is None else words_of("below", below)
    if len(below) != len(stages):
        raise ValueError(
            f"`below` must have {len(stages)} words, one for each stage. Received: below={below}"
        )
    widths = [
        max(breadth(f"{name}\n{word}".split("\n")) + 0.5, 1.4)
        for name, word in zip(stages, below, strict=True)
    ]
    lines = 1 + max(word.count("\n") for word in below)
    bottom = 0.42 * lines + 0.3
    sheet = Sheet(sum(widths) + ROOM * (len(stages) + 1), bottom + 1.7, title)
    at, before = ROOM, None
    for name, word, width in zip(stages, below, widths, strict=True):
        box = sheet.box(at + width / 2, bottom + 0.8, name, color=COLORS["forward"], width=width, size=WORD)
        sheet.label(box.x, bottom / 2, word, color=COLORS["backward"], size=WORD)
        if before:
            sheet.wire(before.side(across=1), box.side(across=-1), color=SOFT)
        at, before = at + width + ROOM, box
    return sheet.axes
