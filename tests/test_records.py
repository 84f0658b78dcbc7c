"""Records: each fits the code that it depends on, is made part by part, and is read as a lesson draws it."""

import json

import numpy as np
import pytest

from course_utils import plotting, records
from course_utils.records import forget_bias
from tools import kept
from tools import records as tool

RECIPE = """\
from pathlib import Path

LESSON = "04"
PARTS = [{"size": size, "seed": seed, "epochs": 2} for size in (8, 16) for seed in (0, 1)]
WITHIN = {"loss": 0.1, "steps": 0}


def make(size, seed, epochs):
    with (Path(__file__).parent / "made").open("a") as file:
        file.write(f"{size}.{seed} ")
    if (Path(__file__).parent / "stop").exists() and seed:
        raise KeyboardInterrupt
    return {"loss": [1 / size + seed / 3] * epochs, "steps": size}
"""


@pytest.fixture(name="folder")
def _folder(tmp_path, monkeypatch):
    """A folder of one recipe that notes which parts were made."""
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    monkeypatch.setattr(kept, "AT_ONCE", 1)
    (tmp_path / "budget.py").write_text(RECIPE)
    return tmp_path


@pytest.fixture(name="stored")
def _stored(folder):
    """The same with its record."""
    parts = [tool.make_part(folder / "budget.py", each)["part"] for each in records.recipe("budget")["PARTS"]]
    (folder / "budget.json").write_text(json.dumps({"key": kept.key(tool.code("budget")), "parts": parts}))
    (folder / "made").unlink()
    return folder


def change(folder, old, new, name="budget.json"):
    text = (folder / name).read_text()
    assert text.count(old) >= 1
    (folder / name).write_text(text.replace(old, new))


@pytest.mark.parametrize("name", records.names())
def test_a_record_fits_the_code_that_it_depends_on(name):
    assert tool.unfit(name) is None


@pytest.mark.parametrize("name", records.names())
def test_a_record_says_how_far_apart_each_of_its_figures_may_be(name):
    allowed = records.recipe(name)["WITHIN"].keys()
    assert all(part["figures"].keys() == allowed for part in records.load(name)["parts"])


@pytest.mark.slow
def test_parts_are_made_once_and_a_run_that_was_stopped_goes_on(folder, tmp_path, capsys):
    (folder / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        tool.main([], tmp_path / "build")
    assert not (folder / "budget.json").exists()
    (folder / "stop").unlink()
    assert tool.main([], tmp_path / "build") == 0
    made = (folder / "made").read_text().split()
    assert made.count("8.0") == 1
    assert set(made) == {"8.0", "8.1", "16.0", "16.1"}
    assert "budget: This record is not whole: it is not made yet." in capsys.readouterr().out

    change(folder, "    return", "    # words\n    return", "budget.py")
    assert tool.main(["--one", "4e"], tmp_path / "other build") == 0
    assert (folder / "made").read_text().split() == made
    part = records.load("budget")["parts"][1]
    assert part["settings"] == {"size": 8, "seed": 1, "epochs": 2}
    assert part["figures"] == {"loss": [0.4583, 0.4583], "steps": 8}
    assert part["made_with"].keys() == {"keras", "tensorflow", "numpy", "python"}


def test_other_code_makes_a_record_unfit(stored):
    assert tool.unfit("budget") is None
    change(stored, "1 / size", "2 / size", "budget.py")
    assert tool.unfit("budget") == "Its code has changed: run `make records N=04`."


@pytest.mark.usefixtures("stored")
def test_a_record_is_read_as_one_array_over_seeds_for_each_setting():
    loss = records.read("budget", "loss")
    assert list(loss) == [8, 16]
    np.testing.assert_allclose(loss[16], [[0.0625, 0.0625], [0.3958, 0.3958]])
    np.testing.assert_array_equal(records.read("budget", "steps")[8], [8, 8])


def test_settings_that_vary_together_are_a_tuple(stored):
    change(stored, '"epochs": 2}', '"epochs": size}', "budget.py")
    for size, seed in ((8, 0), (8, 1), (16, 0), (16, 1)):
        setting = f'"size": {size}, "seed": {seed}, "epochs": '
        change(stored, f"{setting}2", f"{setting}{size}")
    assert list(records.read("budget", "loss")) == [(8, 8), (16, 16)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", r"`figure` must be one of loss, steps. Received: figure=None"),
        ("[{", "{", "its file is damaged"),
        ('"parts"', '"part"', "its file is damaged, KeyError"),
        ('"figures"', '"figure"', "its file is damaged, KeyError"),
        ('"seed": 1', '"seed": 2', r"it lacks the part \{'size': 8, 'seed': 1, 'epochs': 2\}"),
        ('"key": "', '"key": "", "old": "', "it has no key"),
    ],
)
def test_a_record_that_is_not_whole_is_refused(stored, old, new, said):
    change(stored, old, new)
    with pytest.raises(ValueError, match=said) as refused:
        records.read("budget")
    if old:
        assert str(refused.value).endswith(". Run `make records N=04`. Received: name='budget'")


@pytest.mark.usefixtures("folder")
def test_a_record_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"is not whole: it is not made yet. Run `make records N=04`"):
        records.read("budget", "loss")
    with pytest.raises(ValueError, match=r"`name` must be a record: budget. Received: name='statements'"):
        records.read("statements")


@pytest.mark.parametrize(("week", "part"), [(0, "8.0"), (3, "16.1"), (5, "8.1")])
def test_each_week_another_part_is_made_anew_and_compared(stored, week, part, capsys):
    assert tool.check(["budget"], week) == 0
    assert (stored / "made").read_text() == f"{part} "
    assert capsys.readouterr().out.count("differs by 0, and") == 2


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("seed / 3", "seed / 3 + 0.09", 0),
        ("seed / 3", "seed / 3 - 0.11", 1),
        ('"steps": size}', '"steps": size + 1}', 1),
        ("* epochs", "* (epochs + 1)", 1),
        ("* epochs", "* 1", 1),
    ],
)
def test_a_part_that_differs_by_more_than_the_record_allows_fails(stored, old, new, differs):
    change(stored, old, new, "budget.py")
    assert tool.main(["--check"]) == differs


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("number", ["05", "forty"])
def test_a_lesson_without_records_is_named(number):
    said = f"N must be the number of a lesson with records: 04. Received: N={number}"
    assert tool.main(["--one", number]) == said


@pytest.mark.parametrize(
    ("figure", "stored"),
    [(0.98765, 0.9877), (3.45678e-5, 3.457e-5), ([1, [2 / 3]], [1, [0.6667]]), (12345, 12345)],
)
def test_figures_are_stored_with_four_digits(figure, stored):
    assert tool.rounded(figure) == stored


@pytest.mark.parametrize("figure", [float("nan"), [1.0, float("inf")]])
def test_a_figure_that_is_no_number_is_refused(figure):
    with pytest.raises(ValueError, match=r"must be finite. Received: (nan|inf)"):
        tool.rounded(figure)


def with_weights(folder, returned):
    change(
        folder,
        '"steps": size}',
        f'"steps": size}} | ({returned} if size + seed == 17 else {{}})',
        "budget.py",
    )
    change(folder, "from pathlib import Path", "from pathlib import Path\n\nimport numpy as np", "budget.py")


@pytest.mark.slow
def test_weights_come_back_by_their_names_as_float16_has_them(folder, tmp_path):
    with_weights(folder, '{"weights": {"kernel": np.arange(6).reshape(2, 3) / 3, "bias": np.array([2.5])}}')
    assert tool.main([], tmp_path / "build") == 0
    held = records.weights("budget")
    assert list(held) == ["kernel", "bias"]
    assert {each.dtype.name for each in held.values()} == {"float32"}
    np.testing.assert_array_equal(held["kernel"], (np.arange(6).reshape(2, 3) / 3).astype("float16"))
    np.testing.assert_array_equal(held["bias"], [2.5])
    assert list(records.read("budget", "steps")) == [8, 16]  # the figures are read as before
    assert tool.check(["budget"], 3) == 0


@pytest.mark.usefixtures("stored")
def test_a_record_without_weights_gives_none():
    with pytest.raises(ValueError, match=r"must be a record that holds weights. Received: name='budget'"):
        records.weights("budget")


@pytest.mark.parametrize("weight", [float("nan"), 1e6])
def test_weights_that_float16_cannot_hold_are_refused(weight):
    with pytest.raises(ValueError, match="Weights must be finite in float16"), np.errstate(over="ignore"):
        tool.packed([1.0, weight])


def test_the_forget_bias_is_drawn_in_two_lines():
    accuracies = records.read("forget_bias")
    axes = plotting.curves(range(1, 31), accuracies, "epochs", "accuracy", "learning")
    assert [line.get_label() for line in axes.get_lines()] == list(map(str, forget_bias.BIASES))
    assert all(each.shape == (5, 30) and 0 <= each.min() <= each.max() <= 1 for each in accuracies.values())
