"""tools/run.py: every lesson is run, and what held is counted."""

import re

import pytest
from small_lessons import CLAIM, STUB, code, markdown, store, write

from tools import form, run

GOOD = CLAIM, "claim('a', True)", "claim('b', True)"
LESSONS = {
    "02_bad": (
        CLAIM,
        "claim('a', False)",
        "claim('b', True)",
        "raise KeyError('why')",
        "claim('c', True)",
    ),
    "03_good": GOOD,
    "evidence/03_good": ("import os\nassert os.getcwd().endswith('/evidence')",),
}
SAID = [
    r"01_none +FAILED",
    r"  NotJSONError: .+",
    r"02_bad .* 1/3 claims held .* FAILED",
    r"  ClaimError: a",  # which does not stop a lesson, as an error does
    r"  KeyError: 'why'",
    r"  2 of 3 claims were reached",
    r"03_good .* 2/2 claims held   0/0 exercises solved",
    r"04_wrong .* 0/1 exercises solved   FAILED",
    r"03e_good .* solved   above 0 s",
]


def test_a_lesson_that_holds(tmp_path, capsys):
    cells = markdown("# 02\n\n$h_t$"), *map(code, GOOD), code(STUB, "exercise")
    store(tmp_path, "02_good.ipynb", *cells)
    assert run.main([], tmp_path, lambda _: "def answer():\n    return 42") == 0
    printed = capsys.readouterr().out
    assert re.fullmatch(r"02_good +\d+ s +2/2 claims held +1/1 exercises solved\n", printed)


@pytest.mark.slow
def test_what_fails_is_told_and_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(form, "EVIDENCE", form.EVIDENCE._replace(most_seconds=0))
    write(tmp_path, "01_none.ipynb", "not a notebook")
    for name, sources in LESSONS.items():
        store(tmp_path, f"{name}.ipynb", *map(code, sources))
    store(tmp_path, "04_wrong.ipynb", code(CLAIM), code(STUB, "exercise"))
    assert run.main([], tmp_path, lambda _: "def answer():\n    return 41") == 1
    for line, said in zip(capsys.readouterr().out.splitlines(), SAID, strict=True):
        assert re.fullmatch(said, line)
