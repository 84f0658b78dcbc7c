"""Every picture names its axes and draws what it was given."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import plotting


@pytest.fixture(autouse=True)
def _style_and_close():
    plotting.style()
    yield
    plt.close("all")


def test_curves_draw_every_line_and_the_level():
    axes = plotting.curves(
        [1, 2], {"a": [3, 4], "b": [5, 6]}, "steps", "loss", "falls", level=(1, "chance"), yscale="log"
    )
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [5, 6])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "chance"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(), axes.get_yscale()) == (
        "steps",
        "loss",
        "falls",
        "log",
    )


def test_curves_differ_in_colour_and_in_line_style():
    axes = plotting.curves([1, 2], {str(number): [0, number] for number in range(7)}, "x", "y")
    assert len({line.get_color() for line in axes.lines}) == 7
    assert len({str(line._dash_pattern) for line in axes.lines}) == 7


def test_curves_take_points_of_their_own():
    axes = plotting.curves({"a": [1, 2], "b": [5]}, {"a": [3, 4], "b": [6]}, "x", "y")
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [5])


def test_heatmap_labels_rows_and_columns():
    axes = plotting.heatmap([[1, -2], [0, 1], [1, 1]], ["r1", "r2", "r3"], ["c1", "c2"], "x", "y")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["r1", "r2", "r3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c1", "c2"]
    assert axes.images[0].get_clim() == (-2, 2)  # zero is white


def test_word_map_keeps_distances_in_the_plane_and_names_groups():
    vectors = np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0], [3, 1, 0]])
    axes = plotting.word_map(vectors, ["a", "b", "c", "d"], ["left", "right", "left", "right"])
    left, right = (np.asarray(points.get_offsets()) for points in axes.collections)
    assert np.linalg.norm(left[0] - right[0]) == pytest.approx(3, abs=1e-6)
    assert np.linalg.norm(left[0] - left[1]) == pytest.approx(1, abs=1e-6)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["left", "right"]


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


def test_unrolled_draws_a_step_for_each_input():
    axes = plotting.unrolled(["a", "b"])
    drawn = [text.get_text() for text in axes.texts]
    assert sum("h_" in text and "=" not in text for text in drawn) == 2
    assert "$x_2$\nb" in drawn


def test_table_lookup_shows_the_row_that_is_read():
    axes = plotting.table_lookup(1, [[1, 2], [3, 4]], ["a", "b"], "read")
    one_hot, _, row = (panel.images[0].get_array() for panel in axes.figure.axes)
    np.testing.assert_array_equal(one_hot, [[0, 1]])
    np.testing.assert_array_equal(row, [[3, 4]])


def test_encoder_decoder_shows_both_sides_with_the_marks():
    axes = plotting.encoder_decoder(["ten", "two"], ["sip", "i"], "read, then written")
    drawn = [text.get_text() for text in axes.texts]
    assert [text for text in drawn if text.startswith("$h_")] == ["$h_1$", "$h_2$"]
    assert [text for text in drawn if text.startswith("$s_")] == ["$s_1$", "$s_2$", "$s_3$"]
    assert drawn.count("<start>") == drawn.count("<end>") == 1
    assert drawn.count("sip") == drawn.count("i") == 2  # written once, read once
    assert drawn.count("ten") == drawn.count("two") == 1


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
