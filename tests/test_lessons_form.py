"""The stored lessons are numbered in order and have their form, and every rule of that form can fail."""

import nbformat
import pytest
from small_lessons import STUB, code, failed, markdown, printed, shown, well_formed

from tools import form, lessons

STORED = [form.load(path) for path in lessons.find()]
IN_THE_OLD_FORM = [lesson for lesson in STORED if lesson.number in form.OLD_FORM]
TEN_LINES = "\n".join("x = 1" for _ in range(10))


def test_the_numbers_are_in_order_and_those_of_lessons_to_come_are_free():
    numbers = [lesson.number for lesson in STORED]
    last = int(numbers[-1])
    assert sorted([*numbers, *form.NOT_WRITTEN]) == [f"{number:02}" for number in range(1, last + 1)]


def test_every_lesson_is_held_to_a_form():
    assert {lesson.number for lesson in STORED} == form.OLD_FORM, "the only rules are those of the old form"


@pytest.mark.parametrize("rule", form.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("stored", IN_THE_OLD_FORM, ids=lambda stored: stored.path.stem)
def test_stored_lessons_in_the_old_form_keep_its_rules(stored, rule):
    assert list(rule(stored)) == []


def lesson(tmp_path, cells, name="04_lstm.ipynb"):
    path = tmp_path / name
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return form.load(path)


def place(cells, start):
    """The index of the first cell whose source starts so."""
    return next(index for index, cell in enumerate(cells) if cell.source.startswith(start))


def with_cell(cell, after="## Look inside"):
    def change(cells):
        cells.insert(place(cells, after) + 1, cell)

    return change


def with_source(start, source):
    def change(cells):
        cells[place(cells, start)].source = source

    return change


def with_output(output):
    return with_cell(code("x", outputs=[output]))


def without(start):
    def change(cells):
        del cells[place(cells, start)]

    return change


def with_tags(start, *tags):
    def change(cells):
        cells[place(cells, start)].metadata["tags"] = list(tags)

    return change


def with_every_cell(source):
    def change(cells):
        for cell in cells:
            if cell.cell_type == "code":
                cell.source = source

    return change


def uncounted(cells):
    cells[place(cells, "plt.plot")].execution_count = None


def counted_twice(cells):
    cells[place(cells, "plt.plot")].execution_count = 1


def in_another_order(cells):
    idea, hand = place(cells, "## The idea"), place(cells, "## By hand")
    cells[idea], cells[hand] = cells[hand], cells[idea]


def with_papers_before_exercises(cells):
    cells.insert(place(cells, "## Exercises"), cells.pop(place(cells, "## Papers")))


def with_left_out_among_the_papers(cells):
    cells.append(cells.pop(place(cells, "### Left out")))


def with_exercises_beneath(cells):
    cells[place(cells, "## Exercises")].source = "### Exercises"


def with_much_uncompared(cells):
    cells.extend(code("x", form.UNCOMPARED) for _ in range(8))


BROKEN = [
    (form.size_is_small, with_output(printed("x" * 700_001)), "at most 700000 were expected"),
    (form.is_plain_python, with_cell(code("%timeit x")), "is not plain Python"),
    (form.is_executed, uncounted, "has execution count None"),
    (form.is_executed, counted_twice, "has execution count 1;"),
    (form.stores_no_faults, with_output(failed("KeyError")), "stores an error, KeyError"),
    (form.stores_no_faults, with_output(printed("w", name="stderr")), "stores lines of stderr"),
    (form.stores_no_faults, with_output(printed("in /home/me/x.py")), "a path of a machine: /home/"),
    (form.stores_no_faults, with_output(shown(text_html="<b>/Users/me</b>")), "a path of a machine: /Users/"),
    (form.cells_are_short, with_cell(code("x = 1\n" * 26)), "has 26 lines; at most 25"),
    (form.cells_are_short, with_every_cell(TEN_LINES), "a median of more than 7 lines"),
    (form.begins_with_badge, with_source("# 04", "# 04 · LSTM"), "lacks the badge"),
    (form.begins_with_badge, lambda cells: cells.insert(0, markdown("hello")), "cell 0: lacks the badge"),
    (form.has_setup, with_source("import importlib", "import os"), "differs from the set-up cell"),
    (form.has_setup, with_source("import importlib", "x\n" * 13), "has more than 12 lines"),
    (form.has_setup, with_tags("import importlib"), "must be tagged setup"),
    (form.has_setup, with_cell(code("x"), after="# 04"), "the first code cell, and only that"),
    (form.has_setup, with_tags("plt.plot", "setup"), "the first code cell, and only that"),
    (form.has_its_parts, without("## The idea"), "its parts must be"),
    (form.has_its_parts, in_another_order, "its parts must be"),
    (form.has_its_parts, with_cell(markdown("## One more")), "its parts must be"),
    (form.has_its_parts, with_source("# 04", "# LSTM"), "its one title must begin with '# 04 · '"),
    (form.has_its_parts, with_cell(markdown("# 04 · Again")), "its one title"),
    (form.has_its_parts, without("## Papers"), "its parts must be"),
    (form.has_its_parts, with_papers_before_exercises, "its parts must be"),
    (form.has_its_parts, with_exercises_beneath, "its parts must be"),
    (form.has_its_parts, with_source("## Papers", "after text\n\n## Papers"), "must begin with its heading"),
    (form.has_its_parts, without("### Left out"), "'What it cannot do yet' must hold '### Left out'"),
    (form.has_its_parts, with_left_out_among_the_papers, "must hold '### Left out'"),
    (form.outputs_are_compared, with_tags("claim('1'", form.UNCOMPARED), "holds a claim"),
    (form.outputs_are_compared, with_cell(code("assert x", form.UNCOMPARED)), "holds a claim"),
    (form.outputs_are_compared, with_cell(code("settle(1, 's', 'holds')", form.UNCOMPARED)), "holds a claim"),
    (form.outputs_are_compared, with_cell(code("check('x', x)", form.UNCOMPARED)), "holds a claim"),
    (form.outputs_are_compared, with_cell(code("print(x.shape)", form.UNCOMPARED)), "or a shape"),
    (form.outputs_are_compared, with_much_uncompared, "are tagged"),
    (form.makes_claims, without("claim("), f"claims; at least {form.LEAST_CLAIMS}"),
    (form.has_exercises, without("def answer_1"), f"exercises; at least {form.LEAST_EXERCISES}"),
    (form.has_exercises, with_cell(code("solution('04.a')")), "executes hint or solution"),
    (form.has_exercises, with_cell(code("hint('04.a')")), "executes hint or solution"),
    (form.has_exercises, with_tags("def answer_1"), "is not tagged exercise"),
    (form.has_exercises, with_source("def answer_1", "x = 1"), "must be one function"),
    (
        form.has_exercises,
        with_source("def answer_1", STUB.replace("raise", "return")),
        "must be one function",
    ),
    (form.has_exercises, with_source("def answer_1", "y = 0\n" + STUB), "must be one function"),
    (form.figures_end_in_show, with_cell(code("plt.plot(x)")), "must end in plt.show()"),
    (form.figures_end_in_show, with_output(shown(image_png="aaaa")), "must end in plt.show()"),
    (form.training_is_seeded, with_source("seed()", "model.fit(x)"), "must call seed()"),
    (form.training_is_seeded, with_source("seed()", "train(model, x, y, 3)"), "must call seed()"),
    (form.by_hand_is_numpy, with_cell(code("keras.ops.tanh(x)"), after="## By hand"), "must not use Keras"),
    (form.by_hand_is_numpy, with_cell(code("import tensorflow"), after="## By hand"), "must not use Keras"),
]


@pytest.mark.parametrize("rule", form.RULES, ids=lambda rule: rule.__name__)
def test_a_well_formed_lesson_keeps_every_rule(tmp_path, rule):
    assert list(rule(lesson(tmp_path, well_formed()))) == []


@pytest.mark.parametrize(
    ("rule", "change", "said"), BROKEN, ids=[f"{rule.__name__}-{said}" for rule, _, said in BROKEN]
)
def test_a_rule_that_is_broken_says_where(tmp_path, rule, change, said):
    cells = well_formed()
    change(cells)
    messages = list(rule(lesson(tmp_path, cells)))
    assert any(said in message for message in messages), messages
    assert all(message.startswith("04_lstm.ipynb") for message in messages)


def test_every_rule_is_seen_to_fail():
    assert {rule for rule, _, _ in BROKEN} == set(form.RULES)


@pytest.mark.parametrize("kind", ["`claim(`", "a # heading"])
def test_words_in_text_and_code_fences_count_for_nothing(tmp_path, kind):
    cells = well_formed()
    cells.insert(3, markdown(f"{kind}\n\n```python\n# a comment\n```"))
    assert [message for rule in form.RULES for message in rule(lesson(tmp_path, cells))] == []


def test_a_part_may_say_more_after_a_colon(tmp_path):
    cells = well_formed()
    with_source("## The idea", "## The idea: one state, carried on")(cells)
    assert list(form.has_its_parts(lesson(tmp_path, cells))) == []
