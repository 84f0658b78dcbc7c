"""The course's pictures: one style, every axis named, one message each."""

import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.font_manager import fontManager, get_font
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy

from course_utils._validation import require_items, require_number, require_numbers, require_whole

# Okabe and Ito's colours are told apart by colour-blind readers; the line styles differ too.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
LINES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*", "<", ">"]

KOREAN = Path(__file__).parent / "fonts" / "CourseKorean.ttf"
fontManager.addfont(KOREAN)
fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))  # or bold text brings a warning


def style():
    """Set the one plot style of the course; in a notebook, pictures have two pixels for each pixel of
    the screen.

    Korean is drawn in Korean letters, but not in a text with a formula.
    """
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.dpi": 80,
            "figure.figsize": (7, 3.2),
            "font.family": ["sans-serif", get_font(KOREAN).family_name],  # letters that the first lacks
            "font.size": 11,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def curves(x, lines, xlabel, ylabel, title=None, level=None, colors=None, axes=None, **settings):
    """Draw one line for each entry of `lines` over the same axis, with its label at its end.

    Args:
        x: `(points,)`, or a dict with the points of each line.
        lines: a dict from the label of each line to its values, `(points,)`; or an array with those of
            several seeds, `(seeds, points)`, drawn as their mean within a band from the least to the largest.
        xlabel, ylabel: what the axes show, with units.
        title: the one thing to see.
        level: a pair of a height and its label, drawn as a thin horizontal line: chance, or a baseline.
        colors: a dict from labels to colours, for lines that are to look as in other pictures.
        axes: where to draw; a new figure if left out.
        **settings: passed to `Axes.set`, for example `yscale="log"`.

    Returns:
        The axes.

    Raises:
        ValueError: there is no line, a line has not as many values as points, `x` is complex or lacks the
            points of a line, or the level, the colours or the axes are not as above.
    """
    if not isinstance(lines, dict) or not lines:
        raise ValueError(f"`lines` must be a dict, not empty. Received: lines={lines!r:.80}")
    if isinstance(x, dict) and not x.keys() >= lines.keys():
        raise ValueError(f"`x` must have the points of each line. Received: x of {list(x)}")
    drawn = {
        label: (x[label] if isinstance(x, dict) else x, list(y) if getattr(y, "ndim", 1) == 2 else [y])
        for label, y in lines.items()
    }
    for label, (points, seeds) in drawn.items():
        if any(map(np.iscomplexobj, require_items("x", points))):
            raise ValueError(f"`x` must not be complex. Received: x={points!r:.80}")
        for values in seeds:
            if len(points) != len(require_items("lines", values)):
                raise ValueError(
                    "Each line must have one value for each point of `x`. "
                    f"Received: {len(values)} values and {len(points)} points for {label!r}"
                )
    if colors is not None and not isinstance(colors, dict):
        raise ValueError(f"`colors` must be a dict from labels to colours. Received: colors={colors!r:.80}")
    if axes is not None and not isinstance(axes, plt.Axes):
        raise ValueError(f"`axes` must be Matplotlib's. Received: axes={axes!r:.80}")
    if level is not None and (not isinstance(level, (list, tuple)) or len(level) != 2 or np.ndim(level[0])):
        raise ValueError(f"`level` must be a height and its label. Received: level={level!r:.80}")
    if level is not None:
        require_number("level", level[0])
    axes = plt.subplots()[1] if axes is None else axes
    if all(np.asarray(points).dtype.kind == "i" for points, _ in drawn.values()):  # epochs, steps, words
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    for label, (points, seeds) in drawn.items():
        (line,) = axes.plot(points, np.mean(seeds, axis=0), label=label, color=(colors or {}).get(label))
        if len(seeds) > 1:
            low, high = np.min(seeds, axis=0), np.max(seeds, axis=0)
            axes.fill_between(points, low, high, facecolor=line.get_color(), alpha=0.15, linewidth=0)
    if level is not None:
        height, label = level
        axes.axhline(height, color="0.4", linewidth=1, linestyle=":", label=label)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title, **settings)
    _label_at_ends(axes)
    return axes


def _label_at_ends(axes):
    """Write the label of each line beside its end; where labels would touch, the upper one moves up.

    A thin line leads from each end to its label.
    """
    apart = 1.3 * plt.rcParams["font.size"] * axes.figure.dpi / 72 / axes.get_window_extent().height
    axes.get_ylim()  # settles what it shows
    to_share = axes.get_yaxis_transform() + axes.transAxes.inverted()
    ends = [(_last_finite(line.get_ydata()), line) for line in axes.get_lines()]
    heights = np.array([to_share.transform((1, end))[1] for end, _ in ends])
    order, steps = np.argsort(heights, kind="stable"), apart * np.arange(len(ends))
    lowest = np.maximum.accumulate(np.clip(heights[order], 0, 1) - steps)
    places = np.minimum(lowest, max(1 - apart / 2 - steps[-1], 0)) + steps  # no higher than the frame
    beside = offset_copy(axes.transAxes, axes.figure, x=14, units="points")
    for place, each in zip(places, order, strict=True):
        (_, line), height = ends[each], np.clip(heights[each], 0, 1)
        leader = {"arrowstyle": "-", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
        axes.annotate(
            line.get_label(),
            (1, height),
            (1, place),
            xycoords="axes fraction",
            textcoords=beside,
            color=line.get_color(),
            va="center",
            annotation_clip=False,
            arrowprops={**leader, "color": line.get_color()},
        )


def _last_finite(values):
    finite = np.asarray(values, float)[np.isfinite(np.asarray(values, float))]
    return finite[-1] if len(finite) else 0.0


def heatmap(values, rows, columns, xlabel, ylabel, title=None, label="value", limit=None):
    """Draw a matrix as coloured cells, zero in white; two colours only where there is a negative value.

    Args:
        values: `(rows, columns)`.
        rows, columns: the labels, in Latin or Korean letters.
        xlabel, ylabel: what the columns and the rows are.
        title: the one thing to see.
        label: what the colour shows, with its unit.
        limit: the value of the strongest colour, of either sign; the largest absolute one if left out.

    Returns:
        The axes.

    Raises:
        ValueError: the values are no matrix with a row and a column for each label, or the limit is not
            positive.
    """
    values = require_numbers("values", values, axes=2, finite=True)
    rows, columns = require_items("rows", rows), require_items("columns", columns)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(
            "`values` must have a row and a column for each label, here "
            f"{(len(rows), len(columns))}. Received: shape={values.shape}"
        )
    if limit is not None and require_numbers("limit", limit, axes=0, finite=True) <= 0:
        raise ValueError(f"`limit` must be positive. Received: limit={limit}")
    limit = limit or np.abs(values.astype(float)).max()
    _, axes = plt.subplots(figsize=(1.6 + 0.32 * len(columns), 1.2 + 0.26 * len(rows)))
    cmap, least = ("RdBu_r", -limit) if values.min() < 0 else ("Blues", 0)
    image = axes.imshow(values, cmap=cmap, vmin=least, vmax=limit, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90 if len("".join(map(str, columns))) > 40 else 0)
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.grid(visible=False)
    axes.figure.colorbar(image, label=label)
    return axes


def attention_map(weights, source, target, title=None):
    """Draw where each step of the target looked, with a token at every row and column.

    Args:
        weights: of one example, `(Tq, Tv)`; what is beyond the tokens is padding and left out.
        source, target: the tokens, in Latin or Korean letters.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there are more tokens than weights, or no token.
    """
    weights = require_numbers("weights", weights, finite=True)
    source, target = require_items("source", source), require_items("target", target)
    if weights.ndim != 2 or len(target) > weights.shape[0] or len(source) > weights.shape[1]:
        raise ValueError(
            "`weights` must have a row for each target token and a column for each source token, here "
            f"{(len(target), len(source))}. Received: shape={weights.shape}"
        )
    letters = max(len(str(token)) for token in source)
    _, axes = plt.subplots(figsize=(1.8 + 0.27 * len(source), 1.4 + 0.24 * len(target) + 0.06 * letters))
    image = axes.imshow(weights[: len(target), : len(source)], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), source, rotation=90 if letters > 2 else 0)
    axes.set_yticks(range(len(target)), target)
    axes.set(xlabel="source: what is read", ylabel="target: what is written", title=title)
    axes.grid(visible=False)
    axes.figure.colorbar(image, label="weight")
    return axes


def word_map(vectors, words, groups, title=None):
    """Draw word vectors in the plane in which they spread most (principal components).

    Args:
        vectors: `(words, size)`.
        words: the words, in Latin or Korean letters. The first one of each group is written into the picture.
        groups: the group of each word; it decides colour and marker.
        title: the one thing to see.

    Returns:
        The axes.

    Raises:
        ValueError: there are not two vectors of two numbers, or not one word and one group for each.
    """
    vectors = require_numbers("vectors", vectors, axes=2, finite=True)
    words, groups = require_items("words", words), require_items("groups", groups)
    if min(vectors.shape) < 2 or not len(vectors) == len(words) == len(groups):
        raise ValueError(
            "`vectors` must be two or more, of two numbers or more, with a word and a group for each. "
            f"Received: shape={vectors.shape}, {len(words)} words, {len(groups)} groups"
        )
    centred = vectors - np.mean(vectors, axis=0)
    across = np.linalg.svd(centred, full_matrices=False)[2][:2]
    across = np.where(across[:, :1] < 0, -across, across)  # a fixed sign: the same picture each time
    plane = centred @ across.T
    _, axes = plt.subplots(figsize=(7, 4.6))
    for number, group in enumerate(dict.fromkeys(groups)):
        inside = np.array([each == group for each in groups])
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        axes.scatter(*plane[inside].T, color=color, marker=marker, label=group)
        axes.annotate(words[np.flatnonzero(inside)[0]], plane[inside][0], fontsize=8)
    axes.set(xlabel="first direction", ylabel="second direction", title=title)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def table_lookup(row, table, words, title=None):
    """Draw a one-hot vector, times a table, equal to one row of the table.

    Args:
        row: which word is looked up.
        table: `(words, size)`.
        words: the label of each row, in Latin or Korean letters.
        title: the one thing to see.

    Returns:
        The axes of the table.

    Raises:
        ValueError: the table has not one row for each word, or no such row.
    """
    table = require_numbers("table", table, axes=2)
    row, words = require_whole("row", row, least=0), require_items("words", words)
    if len(words) != len(table) or row >= len(table):
        raise ValueError(
            "`table` must have one row for each word, and the row that is looked up. "
            f"Received: {len(table)} rows, {len(words)} words, row={row}"
        )
    one_hot = np.eye(len(table))[[row]]
    widths = [len(table), table.shape[1], table.shape[1]]
    figure, panels = plt.subplots(1, 3, figsize=(6.2, 2.6), width_ratios=widths)
    parts = [
        (one_hot, f"one-hot of {words[row]}", None),
        (table, "table E", words),
        (table[[row]], f"row of {words[row]}", None),
    ]
    for axes, (values, name, labels) in zip(panels, parts, strict=True):
        axes.imshow(values, cmap="RdBu_r", vmin=-2, vmax=2)
        for (line, column), value in np.ndenumerate(values):
            axes.text(column, line, f"{value:g}", ha="center", va="center")
        axes.set(xlabel=name, xticks=[], yticks=range(len(labels)) if labels else [])
        axes.set_yticklabels(labels or [])
        axes.grid(visible=False)
    for axes, sign in zip(panels[:2], ("times", "="), strict=True):
        axes.annotate(
            sign, (1.12, 0.5), xycoords="axes fraction", fontsize=12, va="center", annotation_clip=False
        )
    figure.suptitle(title, fontsize="medium")
    return panels[1]


def position_waves(waves, positions=(8, 24, 40), title=None):
    """Draw what is added at each position as a map, and beside it how alike the rows of positions are.

    Args:
        waves: `(time, size)`, a row for each position.
        positions: of which rows the dot products with all rows are drawn, over the distance.
        title: the one thing to see.

    Returns:
        The axes of the map, and those of the dot products.

    Raises:
        ValueError: the waves are no matrix of numbers, or there is no such position.
    """
    waves = require_numbers("waves", waves, axes=2, finite=True)
    for each in require_items("positions", positions):
        if require_whole("positions", each, least=0) >= len(waves):
            raise ValueError(f"`positions` must be below {len(waves)}. Received: positions={positions!r:.80}")
    figure, (rows, alike) = plt.subplots(1, 2, figsize=(8.4, 3.6))
    image = rows.imshow(waves, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    rows.set(xlabel="feature", ylabel="position")
    rows.grid(visible=False)
    figure.colorbar(image, ax=rows, label="what is added")
    for each in positions:
        alike.plot(np.arange(len(waves)) - each, waves[each] @ waves.T, label=f"from {each}")
    alike.set(xlabel="distance", ylabel="dot product")
    alike.legend(loc="lower center")
    figure.suptitle(title, fontsize="medium")
    return rows, alike


def head_weights(weights, places, title=None):
    """Draw how much weight each head of several models puts on each place.

    Args:
        weights: a dict from the name of each model to its weights, `(heads, places)`.
        places: the name of each place.
        title: the one thing to see.

    Returns:
        A list of axes, one for each model.

    Raises:
        ValueError: there is no model, or one has not a weight from 0 to 1 for each head and place.
    """
    places = require_items("places", places)
    if not isinstance(weights, dict) or not weights:
        raise ValueError(f"`weights` must be a dict, not empty. Received: weights={weights!r:.80}")
    tables = {name: require_numbers("weights", each, axes=2, finite=True) for name, each in weights.items()}
    for table in tables.values():
        if table.shape[1] != len(places) or table.min() < 0 or table.max() > 1:
            raise ValueError(
                f"`weights` must have {len(places)} numbers from 0 to 1 for each head. "
                f"Received: shape={table.shape}, from {table.min():.3g} to {table.max():.3g}"
            )
    heights = [len(table) for table in tables.values()]
    size = 1.6 + 1.1 * len(places), 0.9 + 0.75 * len(heights) + 0.36 * sum(heights)
    figure, panels = plt.subplots(len(heights), 1, figsize=size, height_ratios=heights, squeeze=False)
    for axes, (name, table) in zip(panels[:, 0], tables.items(), strict=True):
        axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (head, place), weight in np.ndenumerate(table):
            color = "white" if weight > 0.6 else "black"
            axes.text(place, head, f"{weight:.2f}", ha="center", va="center", color=color)
        axes.set(
            title=name, yticks=range(len(table)), yticklabels=[f"head {n + 1}" for n in range(len(table))]
        )
        axes.set_xticks(range(len(places)), places)
        axes.grid(visible=False)
    figure.suptitle(title, fontsize="medium")
    return list(panels[:, 0])
