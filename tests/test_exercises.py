"""Every exercise: its solution passes, its stub is not tried yet, and plausible wrong answers hear why."""

import copy
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

from course_utils import check, exercises, hint, solution
from course_utils.exercises import EXERCISES, properties
from course_utils.exercises.exercise import WrongAnswerError

NOTEBOOKS = sorted(Path(__file__).parent.parent.glob("notebooks/*.ipynb"))
CELLS = {
    re.search(r'^check\("(.+?)"', cell.source, re.MULTILINE)[1]: cell.source
    for path in NOTEBOOKS
    for cell in nbformat.read(path, as_version=4).cells
    if "exercise" in cell.metadata.get("tags", [])
}


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


def stub_of(name):
    namespace = {"np": np, "check": lambda *_: None}
    exec(CELLS[name], namespace)
    return namespace[name.partition(".")[2]]


def test_every_exercise_stands_in_its_lesson_and_has_wrong_answers():
    assert set(CELLS) == set(EXERCISES) == set(WRONG)
    assert all(len(wrong) >= 2 for wrong in WRONG.values())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_passes(name, capsys):
    exercise = EXERCISES[name]
    out = said(capsys, name, exercise.solution)
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
    assert (
        stub.__code__.co_varnames[: stub.__code__.co_argcount]
        == solved.__code__.co_varnames[: solved.__code__.co_argcount]
    )


@pytest.mark.parametrize(
    ("name", "answer", "message"), [(name, *wrong) for name in WRONG for wrong in WRONG[name]]
)
def test_a_wrong_answer_hears_what_is_wrong(name, answer, message, capsys):
    out = said(capsys, name, answer)
    failed = out.partition("✗")[2]
    assert message in failed, out
    assert "Solved" not in out


@pytest.mark.parametrize("name", EXERCISES)
def test_none_asks_for_a_return(name, capsys):
    assert "None: is a return missing?" in said(capsys, name, lambda *_: None)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_error_or_no_function_is_a_wrong_answer(name, capsys):
    def fails(*_):
        raise ZeroDivisionError("division by zero")

    assert "ZeroDivisionError: division by zero" in said(capsys, name, fails)
    assert "the function that you wrote" in said(capsys, name, 4)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("odd", [[[1, 2], [1]], "text", {}, (np.zeros((2, 3)), 3.0), object()], ids=type)
def test_an_answer_of_an_odd_kind_is_wrong_and_raises_nothing(name, odd, capsys):
    out = said(capsys, name, lambda *_: odd)
    assert "✗" in out
    assert "Solved" not in out


@pytest.mark.parametrize("name", [name for name in CELLS if "raise NotImplementedError\n    " in CELLS[name]])
def test_the_planted_bug_is_one(name, capsys):
    namespace = {"np": np, "check": check}
    exec(CELLS[name].replace("    raise NotImplementedError\n", ""), namespace)
    assert "✗" in capsys.readouterr().out


def test_each_lesson_predicts_writes_and_repairs():
    for lesson in {name[:2] for name in EXERCISES}:
        cells = [source for name, source in CELLS.items() if name.startswith(lesson)]
        repairs = [source for source in cells if "raise NotImplementedError\n    " in source]
        predicts = [source for source in cells if '"""Predict: ' in source]
        assert len(cells) >= 3, f"lesson {lesson} needs three exercises: predict, write, repair"
        assert repairs, f"lesson {lesson} needs an exercise that repairs a planted bug"
        assert predicts, f'lesson {lesson} needs an exercise whose docstring begins "Predict: "'
        written = len(cells) - len(repairs) - len(predicts)
        assert written > 0, f"lesson {lesson} needs an exercise that writes a function"


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


def leaves_of(came):
    """Return the arrays of a result, and whether there are several in a tuple or a list."""
    several = isinstance(came, (tuple, list)) and any(np.ndim(each) for each in came)
    return (list(came) if several else [came]), several


def turned(name, turn, number=None):
    """Return the solution with each array of its result turned, or that of one number alone."""

    def answer(*given):
        leaves, several = leaves_of(EXERCISES[name].solution(*given))
        leaves = [
            turn(np.array(leaf)) if number in (None, index) else leaf for index, leaf in enumerate(leaves)
        ]
        return tuple(leaves) if several else leaves[0]

    return answer


def arrays_of(name):
    """Return how many arrays the solution gives."""
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
    for kind, number in itertools.product(NOT_NUMBERS, range(arrays_of(name))):
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


@pytest.mark.parametrize("name", [name for name in EXERCISES if name != "10.sees_the_future"])
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


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_passes_in_every_form(name, capsys):
    for form, turn in FORMS.items():
        assert "Solved" in said(capsys, name, turned(name, turn)), form


@pytest.mark.parametrize("name", ["02.windows", "02.clip_by_norm", "04.lstm_step", "05.turn_update_gate"])
@pytest.mark.parametrize("container", [list, tuple])
def test_several_results_may_be_a_list_or_a_tuple(name, container, capsys):
    assert "Solved" in said(capsys, name, lambda *given: container(EXERCISES[name].solution(*given)))


@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_expected_is_left_out_or_says_something(name, capsys):
    for answer, _ in WRONG[name]:
        out = said(capsys, name, answer)
        assert not re.search("expected: (None|something else|another number)", out)
        assert "cannot be read" not in out


def test_what_was_solved_is_logged(tmp_path, monkeypatch, capsys):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("COURSE_LOG", str(log))
    check("02.clip_by_norm", EXERCISES["02.clip_by_norm"].solution)
    check("02.clip_by_norm", stub_of("02.clip_by_norm"))
    assert [json.loads(line)["solved"] for line in log.read_text().splitlines()] == [True, False]
    assert capsys.readouterr().out


def test_hints_come_one_by_one(capsys, monkeypatch):
    monkeypatch.setitem(exercises._hints_given, "02.windows", 0)
    for _ in range(5):
        hint("02.windows")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert lines[3] == lines[4] == 'No more hints. solution("02.windows") shows a worked solution.'


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_hints_and_a_solution_that_stands_alone(name, capsys):
    assert len(EXERCISES[name].hints) >= 2
    solution(name)
    namespace = {"np": np}
    exec(capsys.readouterr().out, namespace)
    assert "Solved" in said(capsys, name, namespace[name.partition(".")[2]])


@pytest.mark.parametrize("ask", [hint, solution, lambda name: check(name, None)])
def test_an_unknown_exercise_is_named_with_the_closest(ask):
    with pytest.raises(ValueError, match=r"closest is '02.windows'.*Received: name='02.window'"):
        ask("02.window")


def with_epsilon(epsilon):
    def layer_norm(x, scale, shift):
        centred = x - x.mean(axis=-1, keepdims=True)
        return scale * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) + shift

    return layer_norm


def rnn_row_by_row(x, mask, kernel, recurrent_kernel, bias):
    states = []
    for row, counts in zip(x, mask, strict=True):
        h = np.zeros(len(bias))
        for step in row[counts]:
            h = np.tanh(step @ kernel + h @ recurrent_kernel + bias)
        states.append(h)
    return states


def loop_with_a_break(step, state, start, end, most):
    said, token = [], start
    for _ in range(most):
        log_probs, state = step(token, state)
        token = log_probs.argmax()
        said.append(token)
        if token == end:
            break
    return np.array(said)


def sees_in_place(function, time, dim):
    x = np.random.default_rng(1).normal(size=(time, dim))
    for step in range(1, time):
        before = function(x)
        x[step:] = np.random.default_rng(step + 2).normal(size=(time - step, dim))
        if np.abs(function(x)[:step] - before[:step]).max() > 1e-9:
            return np.True_
    return np.False_


RIGHT = [
    ("01.rows_that_change", lambda: np.unique([3, 7, 3, 9, 9, 7, 0, 0]).size),
    (
        "01.sentence_vectors",
        lambda table, ids: (
            np.ma.array(table[ids], mask=np.repeat((ids == 0)[..., None], 3, axis=2)).mean(axis=1).filled(0)
        ),
    ),
    ("02.memoryless_loss", lambda: 0.462),
    ("02.rnn_with_padding", rnn_row_by_row),
    (
        "02.windows",
        lambda series, length: [
            np.lib.stride_tricks.sliding_window_view(series, length)[:-1],
            list(series[length:]),
        ],
    ),
    (
        "02.clip_by_norm",
        lambda gradients, limit: tuple(
            g * limit / max(limit, np.sqrt(sum((g**2).sum() for g in gradients))) for g in gradients
        ),
    ),
    ("04.forget_bias", lambda distance, share: -np.log(np.float32(share) ** np.float32(-1 / distance) - 1)),
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
    ("08.first_weight", lambda: 0.787),
    (
        "08.weights_of_queries",
        lambda scores, mask: keras.ops.softmax(keras.ops.where(mask[:, None], scores, -1e9), axis=-1),
    ),
    (
        "10.attend",
        lambda query, key, value, mask: keras.ops.matmul(
            keras.ops.softmax(
                keras.ops.where(mask, query @ key.transpose(0, 2, 1) * key.shape[-1] ** -0.5, -1e9), axis=-1
            ),
            value,
        ),
    ),
    ("10.sees_the_future", sees_in_place),
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
