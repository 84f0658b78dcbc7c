"""Every exercise: its solution passes, its stub is not tried yet, and plausible wrong answers hear why."""

import copy
import functools
import importlib
import inspect
import itertools
import json
import re
from fractions import Fraction
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import tensorflow as tf

from course_utils import (
    Embedding,
    LSTMCell,
    SimpleRNNCell,
    check,
    exercises,
    hint,
    lesson,
    measure,
    own,
    solution,
    vote,
)
from course_utils.exercises import EXERCISES, cells, properties, statements
from course_utils.exercises.exercise import WrongAnswerError, described

NOTEBOOKS = sorted(Path(__file__).parent.parent.glob("notebooks/*.ipynb"))
CELLS = {
    re.search(r'^check\("(.+?)"', cell.source, re.MULTILINE)[1]: cell.source
    for path in NOTEBOOKS
    for cell in nbformat.read(path, as_version=4).cells
    if "exercise" in cell.metadata.get("tags", [])
}


CLASSES = [name for name in EXERCISES if EXERCISES[name].kind == "class"]
CELL_CLASSES = [
    name for name in CLASSES if "states" in inspect.signature(EXERCISES[name].solution.call).parameters
]
FUNCTIONS = [name for name in EXERCISES if name not in CLASSES]
WRONG = {}
for path in sorted(Path(__file__).parent.glob("wrong_answers_*.py")):
    WRONG |= importlib.import_module(path.stem).WRONG


@pytest.fixture(autouse=True)
def _no_pictures_left():
    yield
    plt.close("all")


def said(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out


def defined_in(source, name, checked=lambda *_: None):
    """Run a cell as its lesson does, and return what it defines for an exercise."""
    namespace = {"np": np, "keras": keras, "ops": keras.ops, "Embedding": Embedding, "check": checked}
    exec(source, namespace)
    return namespace[EXERCISES[name].solution.__name__]


def stub_of(name):
    return defined_in(CELLS[name], name)


def test_every_exercise_stands_in_its_lesson_and_has_wrong_answers():
    assert set(CELLS) == set(EXERCISES) == set(WRONG)
    assert all(len(wrong) >= 2 for wrong in WRONG.values())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_that_is_shown_stands_alone_and_passes_and_there_are_hints(name, capsys):
    exercise = EXERCISES[name]
    assert len(exercise.hints) >= 2
    solution(name)
    alone = defined_in(capsys.readouterr().out, name)
    out = said(capsys, name, alone)
    assert out.endswith("Solved.\n")
    assert [line.strip() for line in out.splitlines()[1:-1]] == [
        f"✓ {sentence}" for sentence, _ in exercise.properties
    ]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_untouched_stub_is_not_tried_yet(name, capsys):
    out = said(capsys, name, stub_of(name))
    assert out == f'{name}\n  Not tried yet. Stuck? Call hint("{name}").\n'


@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_asks_for_what_the_solution_gives(name):
    stub, solved = stub_of(name), EXERCISES[name].solution
    assert stub.__doc__ == solved.__doc__
    assert inspect.signature(stub) == inspect.signature(solved)
    if name in CLASSES:
        assert stub.__bases__ == solved.__bases__
        assert {each for each in vars(stub) if inspect.isfunction(vars(stub)[each])} == {
            each for each in vars(solved) if inspect.isfunction(vars(solved)[each])
        }
        assert inspect.signature(stub.call) == inspect.signature(solved.call)
        assert stub.call.__doc__ == solved.call.__doc__


@pytest.mark.parametrize(
    ("name", "answer", "message"), [(name, *wrong) for name in WRONG for wrong in WRONG[name]]
)
def test_a_wrong_answer_hears_what_is_wrong(name, answer, message, capsys):
    out = said(capsys, name, answer)
    failed = out.partition("✗")[2]
    assert message in failed, out
    assert "Solved" not in out
    assert not re.search("expected: (None|something else|another number)", out)
    assert "cannot be read" not in out


@pytest.mark.parametrize("name", EXERCISES)
def test_none_asks_for_a_return(name, capsys):
    assert "None: is a return missing?" in said(capsys, name, lambda *_: None)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_error_or_no_function_is_a_wrong_answer(name, capsys):
    def fails(*_):
        raise ZeroDivisionError("division by zero")

    assert "ZeroDivisionError: division by zero" in said(capsys, name, fails)
    asked = "class" if "class " in CELLS[name] else "function"
    assert f"the {asked} that you wrote, without brackets" in said(capsys, name, 4)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("odd", [[[1, 2], [1]], "text", {}, (np.zeros((2, 3)), 3.0), object()], ids=type)
def test_an_answer_of_an_odd_kind_is_wrong_and_raises_nothing(name, odd, capsys):
    out = said(capsys, name, lambda *_: odd)
    assert "✗" in out
    assert "Solved" not in out


@pytest.mark.parametrize("name", [name for name in CELLS if "raise NotImplementedError\n    " in CELLS[name]])
def test_the_planted_bug_is_one(name, capsys):
    defined_in(CELLS[name].replace("    raise NotImplementedError\n", ""), name, check)
    assert "✗" in capsys.readouterr().out


def test_the_planted_bug_of_the_lstm_is_named(capsys):
    defined_in(CELLS["04.lstm_step"].replace("    raise NotImplementedError\n", ""), "04.lstm_step", check)
    assert "expected: the blocks in the order i, f, g, o\n      came:     the order i, f, o, g" in (
        capsys.readouterr().out
    )


def test_each_lesson_writes_and_repairs():
    for number in {name[:2] for name in EXERCISES}:
        cells = [source for name, source in CELLS.items() if name.startswith(number)]
        repairs = [source for source in cells if "raise NotImplementedError\n    " in source]
        assert len(cells) >= 3, f"lesson {number} needs three exercises"
        assert repairs, f"lesson {number} needs an exercise that repairs a planted bug"
        assert len(cells) > len(repairs), f"lesson {number} needs an exercise that writes a function"


def test_a_wrong_window_is_drawn_and_a_right_one_is_not(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    check("02.windows", WRONG["02.windows"][0][0])
    assert len(shown) == 1
    check("02.windows", EXERCISES["02.windows"].solution)
    check("02.windows", lambda series, length: 3)
    assert len(shown) == 1
    assert capsys.readouterr().out.count("✗") == 2


def test_a_picture_leaves_the_exercise_as_it_is(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))

    def in_place(series, length):
        series += 1
        return WRONG["02.windows"][0][0](series, length)

    assert "✗" in said(capsys, "02.windows", in_place)
    assert len(shown) == 1
    assert "Solved" in said(capsys, "02.windows", EXERCISES["02.windows"].solution)


class GivenError(Exception):
    """Tells what an answer was given."""


def arguments_of(name):
    """Return what the first property of an exercise gives the answer."""

    def answer(*arguments):
        raise GivenError(*arguments)

    with pytest.raises(GivenError) as given:
        EXERCISES[name].properties[0][1](answer)
    return given.value.args


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (name, place)
        for name in EXERCISES
        for place, value in enumerate(arguments_of(name))
        if isinstance(value, (np.ndarray, list))
    ],
)
def test_an_answer_that_changes_an_argument_is_wrong(name, place, capsys):
    def changes(*given):
        came = copy.deepcopy(EXERCISES[name].solution(*given))
        array = given[place] if isinstance(given[place], np.ndarray) else given[place][-1]
        array.flat[-1] = not array.flat[-1] if array.dtype == bool else array.flat[-1] + 1
        return came

    argument = list(inspect.signature(EXERCISES[name].solution).parameters)[place]
    before = copy.deepcopy(arguments_of(name)[place])
    out = said(capsys, name, changes)
    assert out.endswith(
        "  ✗ leaves its arguments as they are\n"
        "      expected: arguments that are as they were after the call\n"
        f"      came:     a change in `{argument}`\n"
    )
    np.testing.assert_equal(arguments_of(name)[place], before)  # what is asked stays the same


def cell_turned(name, turn, number):
    """Return the solution, a cell, in which each new state is turned, or that of one number alone."""

    class Turned(EXERCISES[name].solution):
        def call(self, inputs, states):
            _, after = super().call(inputs, states)
            after = [
                as_tensor(turn(np.array(state))) if number in (None, index) else state
                for index, state in enumerate(after)
            ]
            return after[0], after

    return Turned


def layer_turned(name, turn):
    """Return the solution, a layer, whose result is turned."""

    class Turned(EXERCISES[name].solution):
        def call(self, inputs):
            return as_tensor(turn(np.array(super().call(inputs))))

    return Turned


def as_tensor(turned):
    plain = type(turned) is np.ndarray and turned.dtype.kind in "iuf"
    return keras.ops.convert_to_tensor(turned.astype("float32")) if plain else turned


def leaves_of(came):
    """Return the arrays of a result, and whether there are several in a tuple or a list."""
    several = isinstance(came, (tuple, list)) and any(np.ndim(each) for each in came)
    return (list(came) if several else [came]), several


def turned(name, turn, number=None, solution=None):
    """Return the solution with each array of its result turned, or that of one number alone."""
    if name in CELL_CLASSES:
        return cell_turned(name, turn, number)
    if name in CLASSES:
        return layer_turned(name, turn)
    solution = solution or EXERCISES[name].solution

    def answer(*given):
        leaves, several = leaves_of(solution(*given))
        leaves = [
            turn(np.array(leaf)) if number in (None, index) else leaf for index, leaf in enumerate(leaves)
        ]
        return tuple(leaves) if several else leaves[0]

    return answer


def remembered(name):
    """Return a function that makes a solution anew: what one was asked, the next answers from memory."""
    came = []

    def solution():
        calls = itertools.count()

        def answer(*given):
            if (call := next(calls)) == len(came):
                came.append(EXERCISES[name].solution(*given))
            return copy.deepcopy(came[call])

        return answer

    return solution


def arrays_of(name):
    """Return how many arrays the solution gives, or its cell or layer."""
    if name in CELL_CLASSES:
        return len(EXERCISES[name].solution(2).state_size)
    if name in CLASSES:
        return 1
    return len(leaves_of(EXERCISES[name].solution(*arguments_of(name)))[0])


def with_one(value, place=-1):
    def put(leaf):
        leaf = leaf.astype("float64")
        leaf.flat[place] = value
        return leaf

    return put


NOT_NUMBERS = {
    "nan": lambda leaf: np.full(leaf.shape, np.nan),
    "inf": lambda leaf: np.full(leaf.shape, np.inf),
    "one nan": with_one(np.nan),
    "one inf": with_one(np.inf),
    "one -inf": with_one(-np.inf, 0),
    "None": lambda _: None,
    "an array of None": lambda leaf: np.full(leaf.shape, None),
    "text": lambda leaf: leaf.astype(str).tolist(),
    "an array of text": lambda leaf: leaf.astype(str),
    "text as objects": lambda leaf: leaf.astype(str).astype(object),
    "complex": lambda leaf: leaf + 0j,
    "imaginary": lambda leaf: leaf + 1j,
    "masked": lambda leaf: np.ma.array(leaf, mask=True),
    "nothing": lambda _: [],
    "one axis more": lambda leaf: leaf[None],
    "a function": lambda leaf: lambda: leaf,
    "no values": lambda leaf: keras.KerasTensor(leaf.shape),
}


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_that_is_no_number_is_wrong(name, capsys):
    for kind, number in itertools.product(NOT_NUMBERS, range(arrays_of(name))):
        out = said(capsys, name, turned(name, NOT_NUMBERS[kind], number))
        assert "✗" in out, kind
        assert "Solved" not in out, kind
        assert "cannot be read" not in out, kind


@pytest.mark.parametrize(
    ("name", "holds"),
    [(name, holds) for name in EXERCISES for _, holds in EXERCISES[name].properties],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_property_by_itself_refuses_what_is_no_number(name, holds):
    kinds = (
        ("one nan", "None", "complex") if name in CLASSES else NOT_NUMBERS
    )  # a class is made and traced anew
    for kind, number in itertools.product(kinds, range(arrays_of(name))):
        if kind not in ("nothing", "one axis more"):
            with pytest.raises(WrongAnswerError):
                holds(turned(name, NOT_NUMBERS[kind], number))


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_that_is_wrong_at_one_place_is_wrong(name, capsys):
    def off_by_one(leaf):
        if leaf.dtype == bool:
            return ~leaf
        leaf.flat[int(place * leaf.size)] += 1
        return leaf

    for place, number in itertools.product([0, 0.5, -1], range(arrays_of(name))):
        assert "✗" in said(capsys, name, turned(name, off_by_one, number)), place


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_that_is_scaled_is_wrong(name, capsys):
    for factor, number in itertools.product([0.98, 1.02, -1], range(arrays_of(name))):
        assert "✗" in said(capsys, name, turned(name, lambda leaf, by=factor: by * leaf, number)), factor


def narrowed(leaf):
    return leaf if leaf.dtype == bool else leaf.astype("float32" if leaf.dtype.kind == "f" else "int32")


FORMS = {
    "a list": lambda leaf: leaf.tolist(),
    "an array": lambda leaf: leaf,
    "NumPy's own types": lambda leaf: leaf[()],
    "32 bits": narrowed,
    "a scalar of 32 bits": lambda leaf: narrowed(leaf)[()],
    "a tensor": keras.ops.convert_to_tensor,
    "in Fortran's order": lambda leaf: np.array(leaf, order="F"),
    "masked, with nothing hidden": lambda leaf: np.ma.array(leaf, mask=False),
    "objects": lambda leaf: leaf.astype(object) if leaf.dtype.kind == "f" else leaf,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_answer_passes_in_every_form(name, capsys):
    solution = remembered(name) if name.endswith("_experiment") else lambda: None
    for form, turn in FORMS.items():
        assert "Solved" in said(capsys, name, turned(name, turn, solution=solution())), form


@pytest.mark.parametrize("name", ["02.windows", "03.clip_by_norm", "04.lstm_step", "05.turn_update_gate"])
@pytest.mark.parametrize("container", [list, tuple])
def test_several_results_may_be_a_list_or_a_tuple(name, container, capsys):
    assert "Solved" in said(capsys, name, lambda *given: container(EXERCISES[name].solution(*given)))


def test_what_was_solved_is_logged(tmp_path, monkeypatch, capsys):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("COURSE_LOG", str(log))
    check("02.windows", EXERCISES["02.windows"].solution)
    check("02.windows", stub_of("02.windows"))
    assert [json.loads(line)["solved"] for line in log.read_text().splitlines()] == [True, False]
    assert capsys.readouterr().out


def test_hints_come_one_by_one(capsys, monkeypatch):
    monkeypatch.setitem(exercises._hints_given, "02.windows", 0)
    for _ in range(5):
        hint("02.windows")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert lines[3] == lines[4] == 'No more hints. solution("02.windows") shows a worked solution.'


@pytest.mark.parametrize("ask", [hint, solution, lambda name: check(name, None)])
def test_an_unknown_exercise_is_named_with_the_closest(ask):
    with pytest.raises(ValueError, match=r"closest is '02.windows'.*Received: name='02.window'"):
        ask("02.window")


def with_epsilon(epsilon):
    def layer_norm(x, scale, shift):
        centred = x - x.mean(axis=-1, keepdims=True)
        return scale * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) + shift

    return layer_norm


def product_with_one_hot():
    class Product(EXERCISES["01.embedding"].solution):
        def call(self, ids):
            return keras.ops.matmul(keras.ops.one_hot(ids, self.embeddings.shape[0]), self.embeddings)

    return Product


def cut(counts, size):
    left, strength, right = np.linalg.svd(counts)
    return (left[:, :size] @ np.diag(strength[:size]) @ right[:size]).round(9)


def rnn_row_by_row(cell, inputs, mask):
    rows = []
    for row, counts in zip(inputs, mask, strict=True):
        h, states = np.zeros((1, cell.units)), []
        for x, real in zip(row, counts, strict=True):
            h = cell(x[None], (h,))[0] if real else h
            states.append(h[0])
        rows.append(states)
    return rows


def loop_with_a_break(step, state, start, end, most):
    said, token = [], start
    for _ in range(most):
        log_probs, state = step(token, state)
        token = log_probs.argmax()
        said.append(token)
        if token == end:
            break
    return np.array(said)


def reaches_in_place(function, x, other):
    reach, before = [], function(x)
    x = x.copy()
    for step, kept in enumerate(x.copy()):
        x[step] = other[step]
        reach.append([np.abs(change).max() for change in function(x) - before])
        x[step] = kept
    return [list(row) for row in zip(*reach, strict=True)]


def waves_in_pairs(time, size):
    angle = np.arange(time)[:, None] * np.exp(-np.arange(0, size, 2) / size * np.log(10_000))
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(time, size)


def cell_by_hand(split, sigmoid, returned):
    class ByHand(EXERCISES["04.lstm_cell"].solution):
        def call(self, inputs, states):
            z = inputs @ self.kernel + states[0] @ self.recurrent_kernel + self.bias
            i, f, g, o = split(z, self.units)
            c = sigmoid(f) * states[1] + sigmoid(i) * keras.ops.tanh(g)
            return returned(sigmoid(o) * keras.ops.tanh(c), c)

    return ByHand


RIGHT = [
    ("04.lstm_cell", LSTMCell),
    ("04.lstm_cell", functools.partial(LSTMCell, forget_bias=0)),
    (
        "04.lstm_cell",
        cell_by_hand(
            lambda z, units: [z[:, units * block : units * block + units] for block in range(4)],
            lambda z: 1 / (1 + keras.ops.exp(-z)),
            lambda h, c: (h, (h, c)),
        ),
    ),
    (
        "04.lstm_cell",
        cell_by_hand(lambda z, _: tf.split(z, 4, axis=1), tf.sigmoid, lambda h, c: [h, [h, c]]),
    ),
    (
        "04.bias_experiment",
        lambda biases, inputs, make_cell: dict(
            zip(
                biases,
                EXERCISES["04.bias_experiment"].solution(biases, inputs, make_cell),
                strict=True,
            )
        ),
    ),
    ("01.embedding", Embedding),
    ("01.embedding", product_with_one_hot()),
    (
        "01.table_gradient",
        lambda ids, arrived, rows: np.eye(rows)[ids].T @ arrived,
    ),
    (
        "01.size_experiment",
        lambda sizes, counts, withheld, forbidden: {
            size: measure.ranked_above(*(cut(counts, size)[tuple(each.T)] for each in (withheld, forbidden)))
            for size in sizes
        },
    ),
    (
        "01.sentence_vectors",
        lambda table, ids: (
            np.ma.array(table[ids], mask=np.repeat((ids == 0)[..., None], 3, axis=2)).mean(axis=1).filled(0)
        ),
    ),
    ("02.rnn_cell", SimpleRNNCell),
    ("02.rnn_loop", rnn_row_by_row),
    (
        "02.windows",
        lambda series, length: [
            np.lib.stride_tricks.sliding_window_view(series, length)[:-1],
            list(series[length:]),
        ],
    ),
    (
        "03.clip_by_norm",
        lambda gradients, limit: tuple(
            g * limit / max(limit, np.sqrt(sum((g**2).sum() for g in gradients))) for g in gradients
        ),
    ),
    ("06.rising_ceiling", lambda: Fraction(3, 4)),
    (
        "06.last_states",
        lambda states, lengths: [
            np.concatenate([row[length - 1, : len(row[0]) // 2], row[0, len(row[0]) // 2 :]])
            for row, length in zip(states, lengths, strict=True)
        ],
    ),
    ("07.exact_share", lambda: 0.513),
    ("07.greedy_loop", loop_with_a_break),
    (
        "08.weights_of_queries",
        lambda scores, mask: keras.ops.softmax(keras.ops.where(mask[:, None], scores, -1e9), axis=-1),
    ),
    (
        "10.causal_weights",
        lambda query, key: keras.ops.softmax(
            keras.ops.where(
                np.tri(key.shape[1], dtype=bool), query @ key.transpose(0, 2, 1) * key.shape[-1] ** -0.5, -1e9
            ),
            axis=-1,
        ),
    ),
    ("10.positions", waves_in_pairs),
    ("10.reach_experiment", reaches_in_place),
    ("11.layer_norm", with_epsilon(1e-12)),
    ("11.layer_norm", with_epsilon(1e-5)),
    ("11.layer_norm", with_epsilon(1e-3)),
    (
        "11.bits_per_character",
        lambda logits, labels: (
            keras.ops.mean(
                keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(labels, logits)[
                    labels != 0
                ]
            )
            / np.log(2)
        ),
    ),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_right_answer_of_another_kind_passes(name, answer, capsys):
    assert "Solved" in said(capsys, name, answer)


def test_what_an_experiment_measured_is_drawn_where_it_is_right(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    check("04.bias_experiment", WRONG["04.bias_experiment"][0][0])
    assert not shown
    check("04.bias_experiment", EXERCISES["04.bias_experiment"].solution)
    measured, formula = shown[0].axes[0].lines
    assert (np.diff(measured.get_ydata()) > 0).all()
    np.testing.assert_allclose(formula.get_ydata(), (1 / (1 + np.exp(-formula.get_xdata()))) ** 20)
    assert capsys.readouterr().out.count("Solved") == 1


def test_what_cannot_be_drawn_leaves_the_answer_right(capsys, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: 1 / 0)
    assert "Solved" in said(capsys, "04.bias_experiment", EXERCISES["04.bias_experiment"].solution)


def test_one_own_is_used_where_it_passes_and_the_courses_where_not(capsys, tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("COURSE_LOG", str(log))
    mine = EXERCISES["04.lstm_cell"].solution
    assert own("04.lstm_cell", mine, otherwise=LSTMCell) is mine
    assert capsys.readouterr().out == "From here on: your MyLSTMCell, because it passes 04.lstm_cell.\n"
    unsolved = "From here on: LSTMCell of the course, because 04.lstm_cell is not solved yet.\n"
    for other in (stub_of("04.lstm_cell"), WRONG["04.lstm_cell"][0][0], 4, None, lambda units: units.x):
        assert own("04.lstm_cell", other, otherwise=LSTMCell) is LSTMCell
        assert capsys.readouterr().out == unsolved
    assert not log.exists()  # `check` has written it


def test_one_own_function_is_used_too(capsys):
    mine = EXERCISES["04.lstm_step"].solution
    assert own("04.lstm_step", mine, otherwise=abs) is mine
    assert own("04.lstm_step", WRONG["04.lstm_step"][0][0], otherwise=abs) is abs
    assert capsys.readouterr().out.count("From here on") == 2


def test_what_is_used_otherwise_must_be_a_class_or_a_function():
    with pytest.raises(ValueError, match=r"`otherwise` must be a class or a function. Received: otherwise=4"):
        own("04.lstm_cell", None, otherwise=4)


SAID = "An LSTM forgets, and this sentence goes on so long that it does not fit into a single line of 88"
SETTLED = {
    5: {"said": SAID, "verdict": "holds", "bounds": [["0.1", "<", "2"], ["3", "==", "3"]]},
    6: {"said": "It does", "verdict": "does not hold", "bounds": [["1", ">", "0"]]},
    7: {"said": "It may", "verdict": "holds only when it rains", "bounds": [["1", ">", "0"]]},
    17: {"said": "It is", "verdict": "holds", "bounds": []},
}


@pytest.fixture(name="settled")
def _settled(tmp_path, monkeypatch):
    where = {"lesson": "04", "where": "notebooks/evidence/04_lstm.ipynb"}
    entries = {number: {**each, **where} for number, each in SETTLED.items()}
    entries[8] = {**entries[6], "lesson": "05"}
    file = tmp_path / "statements.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    monkeypatch.setattr(statements, "FILE", file)


@pytest.mark.usefixtures("settled")
def test_without_votes_the_statements_are_shown_and_no_verdict(capsys):
    vote("04", {6: None, 5: None})
    assert capsys.readouterr().out.splitlines() == [
        "6. It does",
        "5. An LSTM forgets, and this sentence goes on so long that it does not fit into a single",
        "  line of 88",
        'Does it hold? Put True, False or "depends" in place of None, and run this cell again.',
    ]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("number", "given", "answer"),
    [
        (5, True, "you voted: it holds. Yes: it holds."),
        (5, np.False_, "you voted: it does not hold. No: it holds."),
        (6, False, "you voted: it does not hold. Yes: it does not hold."),
        (6, True, "you voted: it holds. No: it does not hold."),
        (7, True, "you voted: it holds. No: it holds only when it rains."),
        (7, "depends", "you voted: it depends. Yes: it holds only when it rains."),
        (5, "depends", "you voted: it depends. No: it holds."),
    ],
)
def test_a_vote_shows_the_verdict_the_figures_and_the_place(number, given, answer, capsys):
    vote("04", {number: given})
    lines = capsys.readouterr().out.splitlines()
    figures = [f"  measured {' '.join(bound)}" for bound in SETTLED[number]["bounds"]]
    assert lines[-len(figures) - 2 :] == [
        f"  {answer}",
        *figures,
        "  settled in notebooks/evidence/04_lstm.ipynb",
    ]


@pytest.mark.usefixtures("settled")
def test_what_has_no_vote_yet_stays_hidden_beside_what_has(capsys):
    vote("04", {6: None, 7: True, 17: True})
    out = capsys.readouterr().out
    assert "does not hold" not in out
    assert "it holds only when it rains" in out
    assert "  a matter of definition: nothing is measured\n" in out
    assert out.endswith("run this cell again.\n")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("4", {5: True}), r"`lesson` must be one of 04, 05. Received: lesson='4'"),
        ((4, {5: True}), r"Received: lesson=4"),
        (("04", {8: True}), r"settles the statements 5, 6, 7, 17. Received: votes={8: True}"),
        (("04", {5: None, 1: None}), r"Received: votes={5: None, 1: None}$"),
        (("04", {"5": True}), r"Received: votes={'5': True}"),
        (("04", {5.0: True}), r"Received: votes={5.0: True}"),
        (("04", {True: True}), r"Received: votes={True: True}"),
        (("04", {5: 1}), r"A vote is True, False, .depends. or None. Received: votes={5: 1}"),
        (("04", {5: "True"}), r"Received: votes={5: 'True'}"),
        (("04", {}), r"`votes` must be a dict from a statement's number .*Received: votes={}"),
        (("04", [5]), r"Received: votes=\[5\]"),
        (("04", None), r"Received: votes=None"),
    ],
)
def test_votes_of_another_form_are_refused_before_anything_is_shown(arguments, message, capsys):
    with pytest.raises(ValueError, match=message):
        vote(*arguments)
    assert not capsys.readouterr().out


def test_what_is_said_is_stored_as_it_was_settled():
    stored = statements.read()
    assert list(stored) == list(lesson.STATEMENTS)
    root = Path(__file__).parent.parent
    for number, each in stored.items():
        assert each["said"].strip(), number
        assert lesson.VERDICT.fullmatch(each["verdict"]), number
        assert (root / each["where"]).name.startswith(f"{each['lesson']}_"), number
        assert (root / each["where"]).exists(), number
        assert bool(each["bounds"]) != (number in lesson.WITHOUT_MEASUREMENT), number
        for measured, relation, limit, *_ in each["bounds"]:
            if measured not in ("True", "False"):
                assert lesson.RELATIONS[relation](float(measured), float(limit)), number


class TestCells:
    """What a learner's cell hears where numbers alone do not tell."""

    right = EXERCISES["04.lstm_cell"].solution

    def test_a_check_leaves_the_traceback_of_keras_as_it_was(self, capsys):
        for answer in (self.right, stub_of("04.lstm_cell"), WRONG["04.lstm_cell"][0][0]):
            check("04.lstm_cell", answer)
            assert keras.config.is_traceback_filtering_enabled()
        assert capsys.readouterr().out

    def test_many_checks_bring_no_warning_of_tracing(self, caplog, capsys):
        for _ in range(6):
            cells.trains(self.right, "LSTMCell")
        assert not caplog.records
        assert not capsys.readouterr().err

    def test_what_is_neither_argument_nor_weight_is_lost_with_saving(self):
        drawn = iter((0.5, 0.5, 0.7))

        class Loses(self.right):
            def build(self, input_shape):
                super().build(input_shape)
                self.share = next(drawn)

            def call(self, inputs, states):
                output, after = super().call(inputs, states)
                return self.share * output, after

        cells.comes_back(Loses, "LSTMCell")
        drawn = iter((0.5, 0.7))
        with pytest.raises(WrongAnswerError, match="neither argument nor weight"):
            cells.comes_back(Loses, "LSTMCell")


class Failing(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.matmul(inputs, keras.ops.ones((4, 5)))


@tf.function
def traced(inputs):
    raise ValueError(f"no tensor of rank {len(inputs.shape)}")


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        (
            lambda: Failing()(np.ones((2, 3))),
            "InvalidArgumentError: Matrix size-incompatible: In[0]: [2,3], In[1]: [4,5]",
        ),
        (lambda: Failing()(keras.Input((3,))), "ValueError: Dimensions must be equal, but are 3 and 4 for "),
        (lambda: traced(tf.ones((2, 3))), "ValueError: no tensor of rank 2"),
        (lambda: {}["c"], "KeyError: 'c'"),
        (lambda: int("x" * 500), "ValueError: invalid literal for int() with base 10: ..."),
    ],
)
def test_an_error_is_told_in_a_line_without_what_keras_and_tensorflow_add(fails, told):
    with pytest.raises((ValueError, KeyError, tf.errors.InvalidArgumentError), match=r"\w") as error:
        fails()
    line = described(error.value)
    assert line.startswith(told)
    assert len(line) < 260
    assert not re.search(r"\n|\x1b|Arguments received|\{\{|\[Op:", line)


class TestProperties:
    """The shared properties fail where they should."""

    inputs = np.random.default_rng(0).normal(size=(2, 3, 1))
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)

    def test_ignores_padding(self):
        properties.ignores_padding(lambda x: (x * self.mask[..., None]).sum(axis=1), self.inputs, self.mask)
        with pytest.raises(WrongAnswerError, match="whatever stands in the padding"):
            properties.ignores_padding(lambda x: x.sum(axis=1), self.inputs, self.mask)

    def test_last_state_is_that_of_each_alone(self):
        def total(x, mask):
            return (x * mask[..., None]).sum(axis=1)

        properties.last_state_is_that_of_each_alone(total, self.inputs, self.mask)
        with pytest.raises(WrongAnswerError, match=r"\[1, 0, 0\]|\[1, 1, 0\]"):
            properties.last_state_is_that_of_each_alone(
                lambda x, mask: x.mean(axis=1), self.inputs, self.mask
            )

    def test_the_state_of_every_sequence_is_compared(self):
        def total(x, mask):
            return (x * mask[..., None]).sum(axis=1)

        for row in range(2):
            with pytest.raises(WrongAnswerError, match=re.escape(str(self.mask[row].astype(int).tolist()))):
                properties.last_state_is_that_of_each_alone(
                    lambda x, mask, wrong=row: (
                        total(x, mask) + (np.arange(len(x)) == wrong)[:, None] * (len(x) > 1)
                    ),
                    self.inputs,
                    self.mask,
                )

    def test_results_that_are_no_numbers_do_not_ignore_padding(self):
        with pytest.raises(WrongAnswerError, match="finite numbers, came nan"):
            properties.ignores_padding(lambda x: x * np.nan, self.inputs, self.mask)

    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (0.5, "expected a number, right to 2 digits after the point, came 0.5$"),
            (70, "expected a number, right to 2 digits after the point, came 70$"),
            (2, "^came 2, twice too many$"),
            ([0.7], r"expected one number, came \[0.7\]$"),
            (np.nan, "expected finite numbers, came nan$"),
            (-np.inf, "expected finite numbers, came inf$"),
            (None, "expected numbers, came None$"),
        ],
    )
    def test_one_number(self, number, words):
        properties.one_number(0.705, 0.7, [], 0.01)
        with pytest.raises(WrongAnswerError, match=words):
            properties.one_number(number, 0.7, [(2, "twice too many")], 0.01)

    def test_one_number_that_is_whole_or_a_share(self):
        with pytest.raises(WrongAnswerError, match="expected a whole number, came 4"):
            properties.one_number(4, 5)
        with pytest.raises(WrongAnswerError, match="a share from 0 to 1, not in per cent, right to 3 digits"):
            properties.one_number(70, 0.7, share=True)

    def test_numbers_are_read_from_lists_fractions_and_tensors(self):
        for came in ([1, 0.5], (Fraction(1), Fraction(1, 2)), keras.ops.array([1, 0.5])):
            numbers = properties.numbers(came)
            assert numbers.dtype == "float64"
            assert numbers.tolist() == [1, 0.5]

    def test_whole_numbers(self):
        assert properties.whole_numbers([3, 4]).tolist() == [3, 4]
        assert properties.whole_numbers([]).tolist() == []
        with pytest.raises(
            WrongAnswerError, match="integers, which can be indices, came numbers of type float64"
        ):
            properties.whole_numbers([3.0, 4.0])

    def test_calls_are_counted(self):
        twice = properties.at_most(2, abs, ("two calls", "more"))
        assert (twice(-1), twice(-2)) == (1, 2)
        with pytest.raises(WrongAnswerError, match="expected two calls, came more"):
            twice(-3)

    def test_same_values_and_shape(self):
        properties.same_values([1.0, 2.0], np.array([1.0, 2.0]))
        with pytest.raises(WrongAnswerError, match="shape"):
            properties.same_values([1.0], np.array([1.0, 2.0]))
        with pytest.raises(WrongAnswerError, match="differ by up to 1"):
            properties.same_values([1.0, 3.0], np.array([1.0, 2.0]))
