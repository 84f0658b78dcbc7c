"""What a search has tried."""

from course_utils._validation import require_flag, require_number, require_whole
from course_utils.diagrams._sheet import COLORS, INK, PALE, SOFT, WORD, Sheet, breadth, digits, words_of

APART = 1.3
FATES = {"best": (COLORS["context"], 5), "kept": (COLORS["forward"], 2.5), "dropped": (SOFT, 2)}


def beam(tree, title=None):
    """Draw a beam search as a tree: what was tried at each step, what was kept, and what is best.

    The best sequence is the one with the highest score among those that were kept and not gone on from.

    Args:
        tree: for each step a list of what was tried, each as (parent, word, score, kept): which of those
            tried at the step before it goes on from, counted from 0 (at the first step 0, the start); the
            word; the log-probability of the sequence so far; and whether the beam kept it. A sequence that
            has ended needs no more steps.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: the tree is no such list, a parent was not kept, a score is no number, or nothing was
            kept at the first step.
    """
    tree = _tried(tree)
    wide = max(1.4, breadth([word for level in tree for _, word, *_ in level]) + 0.4)
    tall = max(3.2, APART * max(map(len, tree)))
    numbers = {
        f"{step} {place}": digits(score)
        for step, level in enumerate(tree)
        for place, (_, _, score, _) in enumerate(level)
    }
    sheet = Sheet(2 + (wide + 1) * len(tree), tall + 1, title, numbers, without=("dropped",))
    best, nodes = _best(tree), [sheet.word(0.85, tall / 2 + 0.1, "<start>")]
    for step, level in enumerate(tree):
        at = 2 + (wide + 1) * step + wide / 2
        sheet.label(at, tall + 0.6, f"step {step + 1}", color=SOFT, size=WORD)
        nodes = _level(sheet, step, level, at, wide, nodes, best)
    for number, fate in enumerate(FATES):
        sheet.label(0.3, tall + 0.6 - 0.42 * number, fate, color=FATES[fate][0], size=WORD, ha="left")
    return sheet.axes


def _level(sheet, step, level, at, wide, parents, best):
    """Draw what was tried at one step, in the order of the parents; return the parts."""
    ranked = sorted(range(len(level)), key=lambda place: (-parents[level[place][0]].y, -level[place][2]))
    middle = sheet.axes.get_ylim()[1] / 2 - 0.4
    nodes = {}
    for rank, place in enumerate(ranked):
        parent, word, _, kept = level[place]
        fate = "best" if (step, place) in best else "kept" if kept else "dropped"
        color, width = FATES[fate]
        row = middle + APART * ((len(level) - 1) / 2 - rank)
        nodes[place] = sheet.box(at, row, "", fate, color, wide, 1.05)
        sheet.label(at, row, word, color=INK if kept else SOFT, size=WORD, value=f"{step} {place}")
        sheet.branch(parents[parent], nodes[place], color if kept else PALE, width, dashed=not kept)
    return nodes


def _tried(tree):
    """Return the steps of a search, or raise a `ValueError` unless each goes on from what was kept before."""
    steps = tree if isinstance(tree, (list, tuple)) else []
    entries = [entry for step in steps for entry in (step if isinstance(step, (list, tuple)) else [])]
    listed = all(isinstance(step, (list, tuple)) and step for step in steps)
    if not entries or not listed or not all(isinstance(e, (list, tuple)) and len(e) == 4 for e in entries):
        raise ValueError(
            "`tree` must be a list of steps, each a list of (parent, word, score, kept). "
            f"Received: tree={tree!r:.80}"
        )
    tried, before = [], [True]
    for number, step in enumerate(steps, 1):
        tried.append([])
        for parent, word, score, kept in step:
            if require_whole("parent", parent, least=0) >= len(before) or not before[parent]:
                raise ValueError(
                    "`parent` must be the place of one that was kept at the step before. "
                    f"Received: parent={parent} at step {number}"
                )
            (word,) = words_of("word", [word])
            tried[-1].append((parent, word, require_number("score", score), require_flag("kept", kept)))
        before = [kept for *_, kept in tried[-1]]
    if not any(kept for *_, kept in tried[0]):
        raise ValueError(f"`tree` must have something kept at its first step. Received: tree={tree!r:.80}")
    return tried


def _best(tree):
    """Return the steps and places of the best sequence."""
    parents = [{(step, entry[0]) for entry in level} for step, level in enumerate(tree)]
    ends = [
        (entry[2], step, place)
        for step, level in enumerate(tree)
        for place, entry in enumerate(level)
        if entry[3] and (step + 1 == len(tree) or (step + 1, place) not in parents[step + 1])
    ]
    _, step, place = max(ends)
    path = set()
    while step >= 0:
        path.add((step, place))
        step, place = step - 1, tree[step][place][0]
    return path
