"""The stored notebooks are numbered in order and have their form, and every rule of a form can fail."""

import pytest
from small_lessons import CLASS, STUB, code, failed, markdown, printed, shown, store, well_formed

from tools import address, form, lessons
from tools.form import EVIDENCE, LESSON, OLD

STORED = [form.load(path) for path in lessons.find()]


def numbers(*forms):
    return [stored.path.name[:2] for stored in STORED if stored.form in forms]


def test_the_numbers_are_in_order_and_those_of_lessons_to_come_are_free():
    known = sorted([*numbers(OLD, LESSON), *form.NOT_WRITTEN])
    assert known == [f"{number:02}" for number in range(1, int(known[-1]) + 1)]
    assert form.OLD_FORM.issubset(known)


def test_each_lesson_in_the_new_form_has_its_evidence():
    assert set(numbers(LESSON)) <= set(numbers(EVIDENCE))


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_what_is_stored_keeps_the_rules_of_its_form(stored):
    assert form.broken(stored) == []


def test_the_set_up_cell_is_short():
    assert len(address.setup_cell().splitlines()) <= 12


def test_a_form_is_known_by_folder_and_number(monkeypatch, tmp_path):
    monkeypatch.setattr(form, "OLD_FORM", {"05"})
    paths = [tmp_path / name for name in ("05_gru.ipynb", "04_lstm.ipynb", "evidence/05_gru.ipynb")]
    assert [form.form_of(path) for path in paths] == [OLD, LESSON, EVIDENCE]


def stored(tmp_path, cells, kind):
    store(tmp_path, "04_lstm.ipynb")
    path = store(tmp_path, f"{'evidence/' * (kind is EVIDENCE)}04_lstm.ipynb", *cells)
    return form.Stored(path, lessons.read(path), kind)


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


def with_words(cells):
    cells[0].source += "\n\n" + "word " * form.MOST_WORDS


def with_cells(cells):
    cells.extend(markdown("") for _ in range(form.MOST_CELLS))


def with_the_badge_of_the_lesson(cells):
    cells[0].source = cells[0].source.replace("evidence/", "")


BROKEN = [
    (LESSON, form.size_is_small, with_output(printed("x" * 1_000_001)), "at most 1000000 were expected"),
    (OLD, form.size_is_small, with_output(printed("x" * 700_001)), "at most 700000 were expected"),
    (LESSON, form.is_plain_python, with_cell(code("%timeit x")), "is not plain Python"),
    (LESSON, form.is_executed, uncounted, "has execution count None"),
    (LESSON, form.is_executed, counted_twice, "has execution count 1;"),
    (LESSON, form.stores_no_faults, with_output(failed("KeyError")), "ends in KeyError: no"),
    (LESSON, form.stores_no_faults, with_output(printed("w", name="stderr")), "writes to stderr: w"),
    (LESSON, form.stores_no_faults, with_output(printed("in /home/me/x")), "path of a machine: /home/"),
    (LESSON, form.stores_no_faults, with_output(shown(text_html="<b>/Users/me</b>")), "a machine: /Users/"),
    (LESSON, form.cells_are_short, with_cell(code("x = 1\n" * 26)), "has 26 lines; at most 25"),
    (LESSON, form.cells_are_short, with_every_cell("x\n" * 6), "a median of more than 5.5 lines"),
    (EVIDENCE, form.cells_are_short, with_every_cell("x\n" * 9), "a median of more than 8 lines"),
    (OLD, form.cells_are_short, with_every_cell("x\n" * 8), "a median of more than 7 lines"),
    (LESSON, form.begins_with_badge, with_source("# 04", "# 04 · LSTM"), "lacks the badge"),
    (LESSON, form.begins_with_badge, lambda cells: cells.insert(0, markdown("hello")), "cell 0: lacks"),
    (EVIDENCE, form.begins_with_badge, with_the_badge_of_the_lesson, "/notebooks/evidence/04_lstm.ipynb)"),
    (LESSON, form.has_setup, with_source("import importlib", "import os"), "differs from the set-up cell"),
    (EVIDENCE, form.has_setup, with_tags("import importlib"), "must be tagged setup"),
    (LESSON, form.has_setup, with_cell(code("x"), after="# 04"), "the first code cell, and only that"),
    (LESSON, form.has_setup, with_tags("plt.plot", "setup"), "the first code cell, and only that"),
    (LESSON, form.has_a_title, with_source("# 04", "# LSTM: what?"), "its one title must be like '# 04 · "),
    (LESSON, form.has_a_title, with_source("# 04", "# 04 · LSTM: it keeps"), "its one title must be like"),
    (LESSON, form.has_a_title, with_cell(markdown("# 04 · Again: what?")), "its one title"),
    (EVIDENCE, form.has_a_title, with_source("# 04", "# 04 · LSTM: what?"), "· .+: the evidence'"),
    (OLD, form.has_a_title, with_source("# 04", "# 05 · LSTM"), "its one title must be like '# 04 · "),
    (LESSON, form.has_its_parts, without("## The idea"), "its parts must be Set-up, The puzzle, The idea"),
    (LESSON, form.has_its_parts, in_another_order, "its parts must be"),
    (LESSON, form.has_its_parts, with_cell(markdown("## One more")), "its parts must be"),
    (LESSON, form.has_its_parts, with_papers_before_exercises, "its parts must be"),
    (LESSON, form.has_its_parts, with_exercises_beneath, "its parts must be"),
    (LESSON, form.has_its_parts, with_source("## Papers", "text\n\n## Papers"), "begin with its heading"),
    (OLD, form.has_its_parts, without("## By hand"), "its parts must be Set-up, The task"),
    (OLD, form.says_what_is_left_out, without("### Left out"), "'What it cannot do yet' must hold"),
    (OLD, form.says_what_is_left_out, with_left_out_among_the_papers, "must hold '### Left out'"),
    (LESSON, form.outputs_are_compared, with_tags("claim('1'", form.UNCOMPARED), "holds a claim"),
    (LESSON, form.outputs_are_compared, with_cell(code("assert x", form.UNCOMPARED)), "holds a claim"),
    (EVIDENCE, form.outputs_are_compared, with_cell(code("settle(1)", form.UNCOMPARED)), "holds a claim"),
    (LESSON, form.outputs_are_compared, with_cell(code("check('x')", form.UNCOMPARED)), "holds a claim"),
    (LESSON, form.outputs_are_compared, with_cell(code("x.shape", form.UNCOMPARED)), "or a shape"),
    (LESSON, form.outputs_are_compared, with_much_uncompared, "are tagged"),
    (LESSON, form.makes_claims, without("claim('1'"), "makes 2 claims; at least 3 were expected"),
    (OLD, form.makes_claims, without("claim('1'"), "makes 5 claims; at least 6 were expected"),
    (EVIDENCE, form.makes_claims, without("claim("), "makes 0 claims; at least 1"),
    (LESSON, form.has_exercises, without("def answer_1"), "has 2 exercises; at least 3 were expected"),
    (LESSON, form.has_exercises, with_cell(code("solution('04.a')")), "executes hint or solution"),
    (LESSON, form.has_exercises, with_cell(code("hint('04.a')")), "executes hint or solution"),
    (LESSON, form.has_exercises, with_tags("def answer_1"), "is not tagged exercise"),
    (LESSON, form.has_exercises, with_source("def answer_1", "x = 1"), "must be one stub"),
    (LESSON, form.has_exercises, with_source("def answer_1", STUB.replace("raise", "return")), "one stub"),
    (LESSON, form.has_exercises, with_source("def answer_1", "y = 0\n" + STUB), "must be one stub"),
    (LESSON, form.has_exercises, with_source("class Cell", CLASS.replace("raise", "return")), "one stub"),
    (LESSON, form.has_exercises, with_source("def answer_1", f"{STUB}.x"), "must be one stub"),
    (LESSON, form.figures_end_in_show, with_cell(code("plt.plot(x)")), "must end in plt.show()"),
    (LESSON, form.figures_end_in_show, with_output(shown(image_png="aaaa")), "must end in plt.show()"),
    (LESSON, form.training_is_seeded, with_source("seed()", "model.fit(x)"), "must call seed()"),
    (LESSON, form.training_is_seeded, with_source("seed()", "train(model, x, y, 3)"), "must call seed()"),
    (LESSON, form.by_hand_is_numpy, with_cell(code("keras.ops.tanh(x)"), "## By hand"), "not use Keras"),
    (LESSON, form.by_hand_is_numpy, with_cell(code("import tensorflow"), "## By hand"), "not use Keras"),
    (LESSON, form.is_short, with_words, "words; at most 1800 were expected"),
    (LESSON, form.is_short, with_cells, "cells; at most 60 were expected"),
    (LESSON, form.asks_its_reader, with_source("guess =", "guess = model.predict(x)"), "with predict(...)"),
    (LESSON, form.asks_its_reader, with_source("guess =", "predict('how much?', 0.5)"), "and store None"),
    (LESSON, form.asks_its_reader, with_source("guess =", "predict('?', guess=1)"), "store None"),
    (LESSON, form.asks_its_reader, with_source("claim('it'", "claim('it')"), "1 predictions, and 0 claims"),
    (LESSON, form.asks_its_reader, without("vote("), "must ask its reader with vote(...)"),
    (LESSON, form.asks_its_reader, with_source("vote(", "vote('04', {32: None, 36: True})"), "store None"),
    (LESSON, form.uses_what_the_reader_builds, without("Mine ="), "must use what its reader builds"),
    (
        LESSON,
        form.uses_what_the_reader_builds,
        with_cell(code("x"), "class Cell"),
        "right after the exercise",
    ),
    (LESSON, form.uses_what_the_reader_builds, with_tags("class Cell"), "right after the exercise"),
    (LESSON, form.uses_what_the_reader_builds, with_source("class Cell", STUB), "check('04.cell', Cell)"),
    (LESSON, form.uses_what_the_reader_builds, without("run(Mine)"), "a name that is used below"),
    (EVIDENCE, form.has_its_lesson, lambda cells: cells, "there is no notebooks/04_lstm.ipynb"),
]


@pytest.mark.parametrize("kind", form.RULES, ids=["old", "lesson", "evidence"])
def test_a_well_formed_notebook_keeps_every_rule(tmp_path, kind):
    assert form.broken(stored(tmp_path, well_formed(kind), kind)) == []


@pytest.mark.parametrize(("kind", "rule", "change", "said"), BROKEN)
def test_a_rule_that_is_broken_says_where(tmp_path, kind, rule, change, said):
    cells = well_formed(kind)
    change(cells)
    changed = stored(tmp_path, cells, kind)
    if rule is form.has_its_lesson:
        (tmp_path / "04_lstm.ipynb").unlink()
    messages = list(rule(changed))
    assert any(said in message for message in messages), messages
    assert all(message.startswith(changed.name) for message in messages)
    assert set(messages) <= set(form.broken(changed))


def test_every_rule_is_seen_to_fail():
    assert {rule for _, rule, *_ in BROKEN} == {rule for rules in form.RULES.values() for rule in rules}


@pytest.mark.parametrize("kind", ["`claim(`", "a # heading"])
def test_words_in_text_and_code_fences_count_for_nothing(tmp_path, kind):
    cells = well_formed(LESSON)
    cells.insert(3, markdown(f"{kind}\n\n```python\n# a comment\n```"))
    assert form.broken(stored(tmp_path, cells, LESSON)) == []


@pytest.mark.parametrize("part", [["## By hand"], ["## What is often said", "vote("]])
def test_two_parts_may_be_left_out(tmp_path, part):
    cells = well_formed(LESSON)
    for start in part:
        without(start)(cells)
    changed = stored(tmp_path, cells, LESSON)
    assert [*form.has_its_parts(changed), *form.asks_its_reader(changed)] == []


def test_a_part_may_say_more_after_a_colon(tmp_path):
    cells = well_formed(LESSON)
    with_source("## The idea", "## The idea: one state, carried on")(cells)
    assert form.broken(stored(tmp_path, cells, LESSON)) == []
