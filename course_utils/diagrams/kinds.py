"""How a choice is taught: the draw, and what passes over it."""

from course_utils.diagrams._sheet import COLORS, FORMULA, SOFT, WORD, Sheet


def taught_choice(title=None):
    """Draw hard attention and its three arrows: the draw, the gradient that ends there, and REINFORCE.

    Args:
        title: the one thing to see.

    Returns:
        The axes.
    """
    sheet = Sheet(14.2, 5.1, title)
    row, below, above = 2.55, 1, 4.2
    query = sheet.port(0.7, row, "$q$")
    scores = sheet.box(2.5, row, "scores", "", COLORS["query"], 1.7, size=WORD)
    softmax = sheet.box(4.9, row, "softmax", "", SOFT, 1.7, size=WORD)
    draw = sheet.box(7.3, row, "draw $i$", "", COLORS["context"], 1.5, size=WORD)
    answer = sheet.box(10.1, row, "answer", "", COLORS["value"], 1.7, size=WORD)
    loss = sheet.box(13.0, row, "$L_i$", "", SOFT, 1.3)
    for before, after, says in (
        (query, scores, ""),
        (scores, softmax, ""),
        (softmax, draw, "$a$"),
        (draw, answer, "$v_i$"),
        (answer, loss, ""),
    ):
        sheet.wire(before, after)
        start, end = before.side(across=1)[0], after.side(across=-1)[0]
        sheet.label((start + end) / 2, row + 0.33, says, size=FORMULA)
    back = {"color": COLORS["decoder"], "width": 3}
    sheet.wire((13.0, row - 0.55), (13.0, below), (10.1, below), answer.side(up=-1), **back)
    sheet.wire((10.1, below), (7.6, below), dot=True, **back)
    sheet.label(7.3, below, r"$\times$", color=COLORS["decoder"])
    sheet.label(11.55, below - 0.4, "backpropagation", color=COLORS["decoder"], size=WORD)
    sheet.label(7.3, below - 0.4, "no gradient", color=COLORS["decoder"], size=WORD)
    jump = {"color": COLORS["encoder"], "width": 3, "dashed": True}
    sheet.wire((13.0, row + 0.55), (13.0, above), (2.5, above), scores.side(up=1), **jump)
    jumped = r"REINFORCE: $(L_i - b)\,\nabla \log a_i$"
    sheet.label(7.3, above + 0.4, jumped, color=COLORS["encoder"], size=FORMULA)
    return sheet.axes
