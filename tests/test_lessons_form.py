"""The stored notebooks are numbered in order and have their form, and every rule of a form can fail."""

import pytest
from small_lessons import CLASS, STUB, code, failed, markdown, printed, shown, store, well_formed

from tools import address, form, lessons
from tools.form import EVIDENCE, LESSON

STORED = [form.load(path) for path in lessons.find()]


def numbers(*forms):
    return [stored.path.name[:2] for stored in STORED if stored.form in forms]


def test_the_numbers_are_in_order():
    assert numbers(LESSON) == [f"{number:02}" for number in range(1, len(numbers(LESSON)) + 1)]


def test_each_lesson_has_its_evidence():
    assert set(numbers(LESSON)) <= set(numbers(EVIDENCE))


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_what_is_stored_keeps_the_rules_of_its_form(stored):
    assert form.broken(stored) == []


def test_the_set_up_cell_is_short():
    assert len(address.setup_cell().splitlines()) <= 14  # 12, and two where an address is long


def test_a_form_is_known_by_its_folder(tmp_path):
    paths = [tmp_path / name for name in ("05_gru.ipynb", "evidence/05_gru.ipynb")]
    assert [form.form_of(path) for path in paths] == [LESSON, EVIDENCE]


def stored(tmp_path, cells, kind):
    store(tmp_path, "04_lstm.ipynb")
    path = store(tmp_path, f"{'evidence/' * (kind is EVIDENCE)}04_lstm.ipynb", *cells)
    return form.Stored(path, lessons.read(path), kind)


def place(cells, start):
    """The index of the first cell whose source starts so."""
    return next(index for index, cell in enumerate(cells) if cell.source.startswith(start))


# Each of these returns a function that changes a list of cells.


def added(*new, after="## Look inside"):
    def change(cells):
        index = place(cells, after) + 1
        cells[index:index] = new

    return change


def changed(start, **entries):
    return lambda cells: cells[place(cells, start)].update(entries)


def rewritten(start, source):
    return changed(start, source=source)


def tagged(start, *tags):
    return changed(start, metadata={"tags": tags})


def moved(start, after):
    def change(cells):
        cell = cells.pop(place(cells, start))
        added(cell, after=after)(cells)

    return change


def without(start):
    return lambda cells: cells.pop(place(cells, start))


def with_output(output):
    return added(code("x", outputs=[output]))


def with_every_cell(source):
    def change(cells):
        for cell in cells:
            if cell.cell_type == "code":
                cell.source = source

    return change


BROKEN = [
    (LESSON, form.size_is_small, with_output(printed("x" * 1_000_001)), "at most 1000000 were expected"),
    (LESSON, form.is_plain_python, added(code("%timeit x")), "is not plain Python"),
    (LESSON, form.is_executed, changed("plt.plot", execution_count=None), "has execution count None"),
    (LESSON, form.is_executed, changed("plt.plot", execution_count=1), "has execution count 1;"),
    (LESSON, form.stores_no_faults, with_output(failed("KeyError")), "ends in KeyError: no"),
    (LESSON, form.stores_no_faults, with_output(printed("w", name="stderr")), "writes to stderr: w"),
    (LESSON, form.stores_no_faults, with_output(printed("in /home/me/x")), "path of a machine: /home/"),
    (LESSON, form.stores_no_faults, with_output(shown(text_html="<b>/Users/me</b>")), "a machine: /Users/"),
    (LESSON, form.cells_are_short, added(code("x = 1\n" * 26)), "has 26 lines; at most 25"),
    (LESSON, form.cells_are_short, with_every_cell("x\n" * 6), "a median of more than 5.5 lines"),
    (EVIDENCE, form.cells_are_short, with_every_cell("x\n" * 9), "a median of more than 8 lines"),
    (LESSON, form.begins_with_badge, rewritten("# 04", "# 04 · LSTM"), "lacks the badge"),
    (LESSON, form.begins_with_badge, moved("# 04", after="## Set-up"), "cell 0: lacks"),
    (EVIDENCE, form.begins_with_badge, rewritten("# 04", well_formed(LESSON)[0].source), "/evidence/04_lstm"),
    (LESSON, form.has_setup, rewritten("import importlib", "import os"), "differs from the set-up cell"),
    (EVIDENCE, form.has_setup, tagged("import importlib"), "must be tagged setup"),
    (LESSON, form.has_setup, added(code("x"), after="# 04"), "the first code cell, and only that"),
    (LESSON, form.has_setup, tagged("plt.plot", "setup"), "the first code cell, and only that"),
    (LESSON, form.has_a_title, rewritten("# 04", "# LSTM: what?"), "its one title must be like '# 04 · "),
    (LESSON, form.has_a_title, rewritten("# 04", "# 04 · LSTM: it keeps"), "its one title must be like"),
    (LESSON, form.has_a_title, added(markdown("# 04 · Again: what?")), "its one title"),
    (EVIDENCE, form.has_a_title, rewritten("# 04", "# 04 · LSTM: what?"), "· .+: the evidence'"),
    (LESSON, form.has_its_parts, without("## The idea"), "its parts must be Set-up, The puzzle, The idea"),
    (LESSON, form.has_its_parts, moved("## The idea", after="## By hand"), "its parts must be"),
    (LESSON, form.has_its_parts, added(markdown("## One more")), "its parts must be"),
    (LESSON, form.has_its_parts, moved("## Exercises", after="## Papers"), "its parts must be"),
    (LESSON, form.has_its_parts, rewritten("## Exercises", "### Exercises"), "its parts must be"),
    (LESSON, form.has_its_parts, rewritten("## Papers", "text\n\n## Papers"), "begin with its heading"),
    (LESSON, form.outputs_are_compared, tagged("claim('1'", form.UNCOMPARED), "holds a claim"),
    (LESSON, form.outputs_are_compared, added(code("assert x", form.UNCOMPARED)), "holds a claim"),
    (EVIDENCE, form.outputs_are_compared, added(code("settle(1)", form.UNCOMPARED)), "holds a claim"),
    (LESSON, form.outputs_are_compared, added(code("check('x')", form.UNCOMPARED)), "holds a claim"),
    (LESSON, form.outputs_are_compared, added(code("x.shape", form.UNCOMPARED)), "or a shape"),
    (LESSON, form.outputs_are_compared, added(*(code("x", form.UNCOMPARED) for _ in range(8))), "are tagged"),
    (LESSON, form.makes_claims, without("claim('1'"), "makes 2 claims; at least 3 were expected"),
    (EVIDENCE, form.makes_claims, without("claim("), "makes 0 claims; at least 1"),
    (LESSON, form.has_exercises, without("def answer_1"), "has 2 exercises; at least 3 were expected"),
    (LESSON, form.has_exercises, added(code("solution('04.a')")), "executes hint or solution"),
    (LESSON, form.has_exercises, added(code("hint('04.a')")), "executes hint or solution"),
    (LESSON, form.has_exercises, tagged("def answer_1"), "is not tagged exercise"),
    (LESSON, form.has_exercises, rewritten("def answer_1", "x = 1"), "must be one stub"),
    (LESSON, form.has_exercises, rewritten("def answer_1", STUB.replace("raise", "return")), "one stub"),
    (LESSON, form.has_exercises, rewritten("def answer_1", "y = 0\n" + STUB), "must be one stub"),
    (LESSON, form.has_exercises, rewritten("class Cell", CLASS.replace("raise", "return")), "one stub"),
    (LESSON, form.has_exercises, rewritten("def answer_1", f"{STUB}.x"), "must be one stub"),
    (LESSON, form.figures_end_in_show, added(code("plt.plot(x)")), "must end in plt.show()"),
    (LESSON, form.figures_end_in_show, with_output(shown(image_png="aaaa")), "must end in plt.show()"),
    *(
        (
            LESSON,
            form.labels_stay_at_their_lines,
            added(code(f"a = plotting.curves(x)\na.{move}")),
            "moves the y",
        )
        for move in ("set_ylim(0, 1)", "set(xticks=x, ylim=(0, 1))")
    ),
    (LESSON, form.training_is_seeded, rewritten("seed()", "model.fit(x)"), "must call seed()"),
    (LESSON, form.training_is_seeded, rewritten("seed()", "train(model, x, y, 3)"), "must call seed()"),
    (LESSON, form.by_hand_is_numpy, added(code("keras.ops.tanh(x)"), after="## By hand"), "not use Keras"),
    (LESSON, form.by_hand_is_numpy, added(code("import tensorflow"), after="## By hand"), "not use Keras"),
    (LESSON, form.is_short, added(markdown("word " * form.MOST_WORDS)), "words; at most 1800"),
    (LESSON, form.is_short, added(*(markdown("") for _ in range(form.MOST_CELLS))), "cells; at most 60"),
    (LESSON, form.asks_its_reader, rewritten("guess =", "guess = model.predict(x)"), "with predict(...)"),
    (LESSON, form.asks_its_reader, rewritten("guess =", "predict('how much?', 0.5)"), "and store None"),
    (LESSON, form.asks_its_reader, rewritten("guess =", "predict('?', guess=1)"), "store None"),
    (LESSON, form.asks_its_reader, rewritten("claim('it'", "claim('it')"), "1 predictions, and 0 claims"),
    (LESSON, form.asks_its_reader, without("vote("), "must ask its reader with vote(...)"),
    (LESSON, form.asks_its_reader, rewritten("vote(", "vote('04', {32: None, 36: True})"), "store None"),
    (LESSON, form.uses_what_the_reader_builds, without("Mine ="), "must use what its reader builds"),
    (LESSON, form.uses_what_the_reader_builds, added(code("x"), after="class Cell"), "right after"),
    (LESSON, form.uses_what_the_reader_builds, tagged("class Cell"), "right after the exercise"),
    (LESSON, form.uses_what_the_reader_builds, rewritten("class Cell", STUB), "check('04.cell', Cell)"),
    (LESSON, form.uses_what_the_reader_builds, without("run(Mine)"), "a name that is used below"),
    (EVIDENCE, form.has_its_lesson, lambda cells: cells, "there is no notebooks/04_lstm.ipynb"),
]


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


FENCE = "\n\n```python\n# a comment\n```"
ALLOWED = {
    "lesson": (LESSON,),
    "evidence": (EVIDENCE,),
    "code in text": (LESSON, added(markdown(f"`claim(`{FENCE}"))),
    "a mark in text, and a comment in code": (LESSON, added(markdown(f"a # heading{FENCE}"))),
    "no part by hand": (LESSON, without("## By hand")),
    "no votes": (LESSON, without(f"## {form.VOTES}"), rewritten("vote(", "x")),
    "Keras in text": (LESSON, rewritten("## By hand", "## By hand\n\nwithout keras")),
    "Keras in other parts": (LESSON, rewritten("run(", "run(Mine, keras.Model)")),
    "more after a colon": (LESSON, rewritten("## The idea", "## The idea: one state, carried on")),
}


@pytest.mark.parametrize("allowed", ALLOWED.values(), ids=ALLOWED)
def test_a_well_formed_notebook_keeps_every_rule(tmp_path, allowed):
    kind, *changes = allowed
    cells = well_formed(kind)
    for change in changes:
        change(cells)
    assert form.broken(stored(tmp_path, cells, kind)) == []
