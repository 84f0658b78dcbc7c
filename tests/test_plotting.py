"""Every picture names its axes and draws what it was given."""

import inspect
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from course_utils import plotting

pytestmark = pytest.mark.usefixtures("styled_figures")
HEADS = {"one": [[0.1, 0.2, 0.7]], "two": [[0.9, 0.1, 0], [0, 0.25, 0.75]]}


def test_curves_draw_every_line_and_the_level():
    axes = plotting.curves(
        [1, 2], {"a": [3, 4], "b": [5, 6]}, "steps", "loss", "falls", level=(1, "chance"), yscale="log"
    )
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [5, 6])
    assert sorted(text.get_text() for text in axes.texts) == ["a", "b", "chance"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(), axes.get_yscale()) == (
        "steps",
        "loss",
        "falls",
        "log",
    )


@pytest.mark.parametrize("points", [range(1, 5), np.arange(1, 3), {"model": [3, 4, 5, 6]}], ids=str)
def test_epochs_and_steps_are_marked_by_whole_numbers(points):
    count = len(points["model"]) if isinstance(points, dict) else len(points)
    axes = plotting.curves(points, {"model": np.arange(count)}, "epoch", "loss")
    marked = axes.get_xticks()
    assert len(marked) >= 2
    assert all(mark == round(mark) for mark in marked)


def test_rates_are_marked_between_whole_numbers():
    axes = plotting.curves([0.1, 0.2, 0.3], {"model": [1, 2, 3]}, "learning rate", "loss")
    assert any(mark != round(mark) for mark in axes.get_xticks())


def test_curves_differ_in_colour_and_in_line_style():
    axes = plotting.curves([1, 2], {str(number): [0, number] for number in range(8)}, "x", "y")
    assert len({line.get_color() for line in axes.lines}) == 8
    assert len({str(line._dash_pattern) for line in axes.lines}) == 8
    coloured = plotting.curves([1, 2], {"a": [1, 2], "b": [2, 1]}, "x", "y", colors={"b": "red"})
    assert [line.get_color() for line in coloured.lines] == [plotting.COLORS[0], "red"]


def test_a_label_stands_at_the_end_of_its_line_in_its_colour_and_touches_no_other():
    lines = {"high": [0, 0.9], "low": [1, 0.1], "also high": [0.5, 0.9], "gone": [0.5, np.nan], "out": [0, 7]}
    axes = plotting.curves([1, 2], lines, "x", "y", level=(0.5, "chance"), ylim=(0, 1))
    axes.figure.canvas.draw()
    to_share = axes.transAxes.inverted()
    extents = {text.get_text(): Text.get_window_extent(text) for text in axes.texts}  # without leaders
    boxes = {name: extent.transformed(to_share) for name, extent in extents.items()}
    middles = {name: (box.y0 + box.y1) / 2 for name, box in boxes.items()}
    assert (middles["low"], middles["gone"]) == pytest.approx((0.1, 0.5), abs=0.03)
    assert middles["gone"] < middles["chance"]
    assert middles["high"] < middles["also high"] < middles["out"] < 1.03
    leads = {text.get_text(): text.xy[1] for text in axes.texts}
    assert (leads["high"], leads["also high"], leads["out"]) == pytest.approx((0.9, 0.9, 1))
    ordered = sorted(boxes.values(), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(ordered))
    colours = {line.get_label(): line.get_color() for line in axes.lines}
    assert {text.get_text(): text.get_color() for text in axes.texts} == colours


def test_a_label_stands_at_the_end_of_its_line_whatever_is_shown():
    axes = plotting.curves([1, 2], {"high": [0, 30], "low": [-20, -10]}, "x", "y")
    places = {text.get_text(): text.xyann[1] for text in axes.texts}
    leads = {text.get_text(): text.xy[1] for text in axes.texts}
    low, high = axes.get_ylim()
    assert places["low"] == leads["low"] == pytest.approx((-10 - low) / (high - low))
    assert places["high"] == leads["high"] == pytest.approx((30 - low) / (high - low))


def test_several_seeds_are_a_mean_in_a_band():
    _, axes = plt.subplots()
    seeds = np.array([[0.0, 1], [1, 3], [2, 2]])
    assert plotting.curves([1, 2], {"a": seeds}, "x", "y", axes=axes) is axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1, 2])
    (band,) = axes.collections
    assert to_hex(band.get_facecolor()[0]) == axes.lines[0].get_color().lower()
    corners = band.get_paths()[0].vertices
    assert [corners[corners[:, 0] == x, 1].min() for x in (1, 2)] == [0, 1]
    assert [corners[corners[:, 0] == x, 1].max() for x in (1, 2)] == [2, 3]
    with pytest.raises(ValueError, match="3 values and 2 points for 'a'"):
        plotting.curves([1, 2], {"a": np.zeros((2, 3))}, "x", "y")


def test_the_level_is_drawn_at_its_height():
    axes = plotting.curves([1, 2], {"a": [3, 4]}, "x", "y", level=(1.5, "chance"))
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [1.5, 1.5])
    assert len(plotting.curves([1, 2], {"a": [3, 4]}, "x", "y").lines) == 1


def test_the_style_does_not_depend_on_what_was_set_before():
    fresh = dict(plt.rcParams)
    plt.rcParams.update({"font.size": 30, "axes.grid": False, "figure.figsize": (1, 1)})
    plotting.style()
    assert dict(plt.rcParams) == fresh
    assert fresh["axes.grid"]
    assert not fresh["axes.spines.top"]
    assert not fresh["axes.spines.right"]
    assert tuple(fresh["figure.figsize"]) == (7, 3.2)


# Each picture with a text for every argument that takes one.
PICTURES = {
    "curves": {
        "x": [1, 2],
        "lines": {"first line": [1, 2], "second line": [2, 1]},
        "xlabel": "horizontal",
        "ylabel": "vertical",
        "title": "what to see",
        "level": (1, "the level"),
    },
    "heatmap": {
        "values": [[1, 2], [3, 4], [5, 6]],
        "rows": ["row 1", "row 2", "row 3"],
        "columns": ["column 1", "column 2"],
        "xlabel": "horizontal",
        "ylabel": "vertical",
        "title": "what to see",
        "label": "the unit",
    },
    "attention_map": {
        "weights": np.eye(2),
        "source": ["word 1", "word 2"],
        "target": ["mot 1", "mot 2"],
        "title": "what to see",
    },
    "position_waves": {"waves": [[0.5, 1.0], [1.0, 0.5]], "positions": [0, 1], "title": "what to see"},
    "head_weights": {
        "weights": {"two heads": [[0.5, 0.5], [1, 0]]},
        "places": ["first", "second"],
        "title": "what to see",
    },
    "word_map": {
        "vectors": np.arange(9.0).reshape(3, 3) ** 2,
        "words": ["word 1", "word 2", "not written"],
        "groups": ["group 1", "group 2", "group 2"],
        "title": "what to see",
    },
    "table_lookup": {
        "row": 1,
        "table": [[0.25, 0.5], [0.75, -2]],
        "words": ["word 1", "word 2"],
        "title": "what to see",
    },
}


def figure_of(name):
    """Return the figure of a picture, which gives its axes or several of them."""
    return np.ravel(getattr(plotting, name)(**PICTURES[name]))[0].figure


def texts_in(argument):
    if isinstance(argument, str):
        return [argument]
    if isinstance(argument, (list, tuple, dict)):
        return [text for each in argument for text in texts_in(each)]
    return []


def test_all_pictures_are_listed_above():
    drawn = {
        name
        for name, function in vars(plotting).items()
        if inspect.isfunction(function) and function.__module__ == plotting.__name__ and name[0] != "_"
    }
    assert drawn == {*PICTURES, "style"}


@pytest.mark.parametrize("name", PICTURES)
def test_every_text_that_is_passed_is_seen(name):
    figure = figure_of(name)
    seen = "\n".join(text.get_text() for text in figure.findobj(Text))
    wanted = set(texts_in(list(PICTURES[name].values()))) - {"not written"}
    assert "what to see" in wanted
    assert {text for text in wanted if text not in seen} == set()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_not_drawn_into_another_one(name):
    first, second = (figure_of(name) for _ in range(2))
    assert first is not second


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("curves", {"lines": {}}, "`lines` must be a dict, not empty"),
        ("curves", {"lines": [1, 2]}, "`lines` must be a dict, not empty"),
        ("curves", {"lines": {"a": [1]}}, "one value for each point.*1 values and 2 points for 'a'"),
        ("curves", {"lines": {"a": 1}}, "`lines` must be a list"),
        ("curves", {"x": {"first line": [1, 2]}}, "`x` must have the points of each line"),
        ("curves", {"x": None}, "`x` must be a list"),
        ("curves", {"level": 1}, "`level` must be a height and its label"),
        ("curves", {"level": ("chance", 0.5)}, "`level` must be a number. Received: level='chance'"),
        ("heatmap", {"rows": ["one"]}, r"a column for each label, here \(1, 2\).*shape=\(3, 2\)"),
        ("heatmap", {"columns": list("abc")}, r"here \(3, 3\). Received: shape=\(3, 2\)"),
        ("heatmap", {"rows": None}, "`rows` must be a list"),
        ("heatmap", {"values": [1, 2]}, "`values` must be numbers with 2 axes"),
        ("heatmap", {"values": [[1, 2], [3, np.nan], [5, 6]]}, "`values` must be .*without NaN"),
        ("heatmap", {"values": [["a", "b"]] * 3}, "`values` must be numbers"),
        ("heatmap", {"limit": 0}, "`limit` must be positive"),
        ("heatmap", {"limit": -1}, "`limit` must be positive"),
        ("heatmap", {"limit": "1"}, "`limit` must be numbers"),
        ("attention_map", {"weights": np.full((2, 2), np.nan)}, "`weights` must be .*without NaN"),
        ("attention_map", {"source": []}, "`source` must be a list, not empty"),
        ("attention_map", {"target": None}, "`target` must be a list"),
        ("position_waves", {"waves": [1, 2]}, "`waves`"),
        ("position_waves", {"waves": [[np.nan, 1]]}, "`waves`"),
        ("position_waves", {"positions": (2,)}, "`positions` must be below 2"),
        ("position_waves", {"positions": ()}, "`positions`"),
        ("head_weights", {"weights": {}}, "`weights` must be a dict, not empty"),
        ("head_weights", {"weights": [[0.1]]}, "`weights` must be a dict"),
        ("head_weights", {"weights": HEADS}, "`weights` must have 2 numbers"),
        ("head_weights", {"weights": {"one": [[1.2, 0]]}}, "from 0 to 1 for each head"),
        ("word_map", {"words": ["a"]}, "a word and a group for each.*1 words, 3 groups"),
        ("word_map", {"groups": ["a"]}, "a word and a group for each.*3 words, 1 groups"),
        ("word_map", {"groups": "abc"}, "`groups` must be a list"),
        ("word_map", {"vectors": [[1], [2], [3]]}, r"two numbers or more.*shape=\(3, 1\)"),
        ("word_map", {"vectors": None}, "`vectors` must be numbers"),
        ("table_lookup", {"row": 2}, "`table` must have.*row=2"),
        ("table_lookup", {"row": -1}, "`row` must be a whole number of at least 0"),
        ("table_lookup", {"words": ["a"]}, "`table` must have one row for each word.*2 rows, 1 words"),
        ("table_lookup", {"table": [1, 2]}, "`table` must be numbers with 2 axes"),
    ],
)
def test_an_odd_argument_is_named_and_nothing_is_drawn(name, wrong, message):
    with pytest.raises(ValueError, match=message) as error:
        getattr(plotting, name)(**{**PICTURES[name], **wrong})
    assert "Received: " in str(error.value)
    assert not plt.get_fignums()


def test_curves_take_points_of_their_own():
    axes = plotting.curves({"a": [1, 2], "b": [5]}, {"a": [3, 4], "b": [6]}, "x", "y")
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [5])


def test_heatmap_labels_rows_and_columns():
    axes = plotting.heatmap([[1, -2], [0, 1], [1, 1]], ["r1", "r2", "r3"], ["c1", "c2"], "x", "y")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["r1", "r2", "r3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c1", "c2"]
    assert axes.images[0].get_clim() == (-2, 2)  # zero is white
    limited = plotting.heatmap([[1, -2]], ["r1"], ["c1", "c2"], "x", "y", limit=5)
    assert limited.images[0].get_clim() == (-5, 5)
    zeros = plotting.heatmap(np.zeros((1, 2)), ["r1"], ["c1", "c2"], "x", "y")
    assert zeros.images[0].norm(0) == 0.5


def test_word_map_keeps_distances_in_the_plane_and_names_groups():
    vectors = np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0], [3, 1, 0]])
    axes = plotting.word_map(vectors, ["a", "b", "c", "d"], ["left", "right", "left", "right"])
    left, right = (np.asarray(points.get_offsets()) for points in axes.collections)
    assert np.linalg.norm(left[0] - right[0]) == pytest.approx(3, abs=1e-6)
    assert np.linalg.norm(left[0] - left[1]) == pytest.approx(1, abs=1e-6)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["left", "right"]
    assert len({str(points.get_facecolor()) for points in axes.collections}) == 2
    assert len({str(points.get_paths()[0].vertices) for points in axes.collections}) == 2  # markers


def test_word_map_is_not_mirrored_when_the_vectors_are_turned():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    for each in (vectors, vectors @ turned, -vectors):
        across = np.linalg.lstsq(
            each - each.mean(axis=0),
            plotting.word_map(each, list("abcdef"), ["one"] * 6).collections[0].get_offsets(),
        )[0]
        assert (across[0] >= 0).all()  # the first number of a vector always grows to the right, and up


def test_heatmap_draws_each_row_beside_its_label():
    values = [[1, -2], [0, 1], [1, 1]]
    axes = plotting.heatmap(values, ["r1", "r2", "r3"], ["c1", "c2"], "x", "y")
    np.testing.assert_array_equal(axes.images[0].get_array(), values)
    assert axes.images[0].origin == "upper"


def test_word_map_writes_the_first_word_of_each_group_where_it_lies():
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    axes = plotting.word_map(vectors, ["a", "b", "c", "d"], ["left", "left", "right", "right"])
    assert [text.get_text() for text in axes.texts] == ["a", "c"]
    for text, points in zip(axes.texts, axes.collections, strict=True):
        np.testing.assert_allclose(text.xy, points.get_offsets()[0])


def test_word_map_does_not_show_what_all_words_share():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    here, there = (
        plotting.word_map(each, list("abcdef"), ["one"] * 6).collections[0].get_offsets()
        for each in (vectors, vectors + 20)
    )
    np.testing.assert_allclose(here, there, atol=1e-6)


def test_table_lookup_shows_the_row_that_is_read():
    axes = plotting.table_lookup(1, [[1, 2], [3, 4]], ["a", "b"], "read")
    one_hot, _, row = (panel.images[0].get_array() for panel in axes.figure.axes)
    np.testing.assert_array_equal(one_hot, [[0, 1]])
    np.testing.assert_array_equal(row, [[3, 4]])
    shown = [text.get_text() for panel in axes.figure.axes for text in panel.texts]
    assert shown == ["0", "1", "times", "1", "2", "3", "4", "=", "3", "4"]


class TestAttentionMap:
    weights = np.array([[0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 0.0]])

    def test_it_leaves_padding_out_and_names_every_token(self):
        axes = plotting.attention_map(self.weights, ["two", "ten"], ["i", "sip"], "looks")
        np.testing.assert_array_equal(axes.images[0].get_array(), [[0.7, 0.3], [0.2, 0.8]])
        assert [text.get_text() for text in axes.get_xticklabels()] == ["two", "ten"]
        assert [text.get_text() for text in axes.get_yticklabels()] == ["i", "sip"]
        assert axes.images[0].get_clim() == (0, 1)
        assert axes.get_xlabel()
        assert axes.get_ylabel()

    def test_35_characters_do_not_overlap(self):
        axes = plotting.attention_map(np.eye(12, 35), list("x" * 35), list("2024-01-01#"))
        axes.figure.canvas.draw()
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))

    def test_more_tokens_than_weights_are_refused(self):
        with pytest.raises(ValueError, match=r"here \(1, 4\). Received: shape=\(3, 3\)"):
            plotting.attention_map(self.weights, list("abcd"), ["a"])


def test_a_map_shows_the_waves_of_positions_and_lines_their_dot_products():
    waves = np.random.default_rng(0).normal(size=(20, 8))
    rows, alike = plotting.position_waves(waves, positions=(3, 10))
    np.testing.assert_array_equal(rows.images[0].get_array(), waves)
    for line, position in zip(alike.lines, (3, 10), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(20) - position)
        np.testing.assert_allclose(line.get_ydata(), waves @ waves[position])


def test_each_model_has_its_heads_and_each_cell_its_number():
    axes = plotting.head_weights(HEADS, ["a", "b", "c"])
    assert [each.get_title() for each in axes] == ["one", "two"]
    for each, table in zip(axes, HEADS.values(), strict=True):
        assert [label.get_text() for label in each.get_xticklabels()] == ["a", "b", "c"]
        heads = [label.get_text() for label in each.get_yticklabels()]
        assert heads == [f"head {number + 1}" for number in range(len(table))]
        assert [text.get_text() for text in each.texts] == [
            f"{weight:.2f}" for row in table for weight in row
        ]


@pytest.mark.parametrize(
    ("least", "color_map", "bottom"), [(-1, "RdBu_r", -4), (0, "Blues", 0), (2, "Blues", 0)]
)
def test_a_matrix_has_two_colours_only_where_a_value_is_negative(least, color_map, bottom):
    axes = plotting.heatmap([[least, 3], [1, 4]], ["a", "b"], ["c", "d"], "columns", "rows")
    (image,) = axes.get_images()
    assert image.cmap.name == color_map
    assert image.get_clim() == (bottom, 4)
