"""tools/kept.py: what passed is kept, and what it depends on names it."""

import time
from pathlib import Path

import pytest
from small_lessons import code, markdown, store

from tools import kept


def note(folder, name, failed=()):
    """Note that a case was done, and when."""
    count = Path(folder, f"{name}.count")
    count.write_text(f"{count.read_text() if count.exists() else ''}x")
    return {"name": name, "at": time.time(), "failed": failed}


def meet(folder, name, other):
    """Wait until the other case has begun, too."""
    note(folder, name)
    met = any(other in counts(folder) or time.sleep(0.1) for _ in range(600))
    return {"failed": [] if met else ["they did not meet"]}


def counts(folder):
    return {path.stem: len(path.read_text()) for path in Path(folder).glob("*.count")}


def test_what_passed_is_done_once_and_what_failed_again(tmp_path):
    cases = {"b": (note, tmp_path, "b"), "a": (note, tmp_path, "a"), "c": (note, tmp_path, "c", ["why"])}
    first = kept.results({"b": cases["b"]}, tmp_path / "build/kept")
    for _ in range(2):
        every = kept.results(cases, tmp_path / "build/kept")
        assert [result["name"] for result in every.values()] == list(every) == ["b", "a", "c"]
        assert every["b"] == first["b"]
    assert counts(tmp_path) == {"a": 1, "b": 1, "c": 2}


def test_two_cases_are_done_at_a_time(tmp_path):
    cases = {"a": (meet, tmp_path, "a", "b"), "b": (meet, tmp_path, "b", "a")}
    assert kept.results(cases, tmp_path / "kept") == {"a": {"failed": []}, "b": {"failed": []}}


def test_a_key_changes_with_every_part():
    keys = {kept.key(*parts) for parts in [("a", 1), ("a", 2), ("b", 1), (["a"], 1), ("a",)]}
    assert len(keys) == 5
    assert kept.key("a", 1) == kept.key("a", 1)


def test_the_package_is_named_by_its_modules_its_records_and_the_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    module = tmp_path / "layer.py"
    module.write_text("one = 1")
    first = kept.package()
    module.write_text('"""Words."""\n\none = 1  # and more')
    assert kept.package() == first
    module.write_text("two = 2")
    second = kept.package()
    store(tmp_path, "records/budget.json", code("1"))
    third = kept.package()
    store(tmp_path, "records/budget.json", code("2"))
    fourth = kept.package()
    store(tmp_path, kept.VERDICTS)
    assert kept.package() == fourth
    monkeypatch.setattr(kept, "version", lambda name: "0")
    assert len({first, second, third, fourth, kept.package()}) == 5


@pytest.mark.parametrize(
    ("body", "left"),
    [('        "It calls."\n', "pass"), ("        return 'It calls.'", "return 'It calls.'")],
)
def test_words_are_no_statements(tmp_path, body, left):
    module = tmp_path / "layer.py"
    module.write_text(
        f'"""A module."""\n\nclass Layer:\n    """A layer."""\n    def call(self):  # why\n{body}'
    )
    assert kept.statements(module) == f"class Layer:\n\n    def call(self):\n        {left}"


def test_the_code_of_a_lesson_leaves_its_words_out(tmp_path):
    path = store(tmp_path, "02_rnn.ipynb", markdown("# 02"), code("x = 1"), code(""))
    assert kept.code(path) == ["x = 1"]
