"""The pictures of lesson 10 show what they are given, and name what is odd."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import diagrams, plotting
from course_utils.exercises.lesson_10 import positions

TABLES = {"one": [[0.1, 0.2, 0.7]], "two": [[0.9, 0.1, 0], [0, 0.25, 0.75]]}
PLACES = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def _style_and_close():
    plotting.style()
    yield
    plt.close("all")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_word_that_asks_is_named_and_the_weights_stand_at_their_words():
    axes = diagrams.query_key_value(["나는", "너를"], asks=2, weights=[0.25, 0.75])
    assert {"나는", "너를", "new $x_{2}$", "query", "key", "value"} <= set(texts(axes))
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert places[r"$\mathbf{0.25}$"] < places[r"$\mathbf{0.75}$"]


def test_the_query_of_the_word_that_asks_reaches_all_scores_and_the_others_are_pale():
    axes = diagrams.query_key_value(3, asks=1)
    shown = {text.get_text(): text.get_color() for text in axes.texts}
    assert shown["$q_{1}$"] != shown["$q_{2}$"] == shown["$q_{3}$"]


def test_the_map_shows_the_waves_and_the_lines_their_dot_products():
    waves = positions(20, 8)
    rows, alike = plotting.position_waves(waves, positions=(3, 10), title="what to see")
    np.testing.assert_array_equal(rows.images[0].get_array(), waves)
    for line, position in zip(alike.lines, (3, 10), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(20) - position)
        np.testing.assert_allclose(line.get_ydata(), waves @ waves[position])
        assert line.get_xdata()[np.argmax(line.get_ydata())] == 0
    assert rows.figure.get_suptitle() == "what to see"


def test_each_model_has_its_heads_and_each_cell_its_number():
    axes = plotting.head_weights(TABLES, PLACES, "what to see")
    assert [each.get_title() for each in axes] == ["one", "two"]
    for each, table in zip(axes, TABLES.values(), strict=True):
        assert [label.get_text() for label in each.get_xticklabels()] == PLACES
        assert [label.get_text() for label in each.get_yticklabels()] == [
            f"head {number + 1}" for number in range(len(table))
        ]
        assert texts(each) == [f"{weight:.2f}" for row in table for weight in row]


@pytest.mark.parametrize(
    ("draw", "arguments", "message"),
    [
        (plotting.position_waves, {"waves": [1, 2]}, "`waves` must have 2 axes|`waves`"),
        (plotting.position_waves, {"waves": [[np.nan, 1]]}, "`waves`"),
        (plotting.position_waves, {"waves": np.eye(4), "positions": (4,)}, "`positions` must be below 4"),
        (plotting.position_waves, {"waves": np.eye(4), "positions": ()}, "`positions`"),
        (plotting.head_weights, {"weights": {}, "places": PLACES}, "`weights` must be a dict, not empty"),
        (plotting.head_weights, {"weights": [[0.1]], "places": PLACES}, "`weights` must be a dict"),
        (plotting.head_weights, {"weights": TABLES, "places": ["a"]}, "`weights` must have 1 numbers"),
        (plotting.head_weights, {"weights": {"one": [[1.2]]}, "places": ["a"]}, "from 0 to 1 for each head"),
    ],
)
def test_an_odd_argument_is_named_and_nothing_is_drawn(draw, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        draw(**arguments)
    assert "Received: " in str(error.value)
    assert not plt.get_fignums()
