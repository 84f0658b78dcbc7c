"""tools/kept.py: what is done is kept, and what it depends on names it."""

import time
from pathlib import Path

import pytest
from small_lessons import code, markdown, store

from tools import kept


def note(folder, name):
    """Note that a case was done, and when."""
    count = Path(folder, f"{name}.count")
    count.write_text(f"{count.read_text() if count.exists() else ''}x")
    return {"name": name, "at": time.time()}


def fail(folder, name):
    note(folder, name)
    raise RuntimeError(name)


def counts(folder):
    return {path.stem: len(path.read_text()) for path in Path(folder).glob("*.count")}


def test_each_case_is_done_once_and_its_result_comes_under_its_name(tmp_path):
    build = tmp_path / "build/kept"
    first = kept.results({"b": (note, tmp_path, "b")}, build)
    both = kept.results({"a": (note, tmp_path, "a"), "b": (note, tmp_path, "b")}, build)
    assert list(both) == ["a", "b"]
    assert both["b"] == first["b"]
    assert counts(tmp_path) == {"a": 1, "b": 1}


def meet(folder, name, other):
    """Return whether the other case begins before this one ends."""
    note(folder, name)
    for _ in range(600):
        if other in counts(folder):
            return True
        time.sleep(0.1)
    return False


def test_two_cases_are_done_at_a_time(tmp_path):
    cases = {"a": (meet, tmp_path, "a", "b"), "b": (meet, tmp_path, "b", "a")}
    assert kept.results(cases, tmp_path / "kept") == {"a": True, "b": True}


def test_a_case_that_fails_keeps_no_result(tmp_path):
    with pytest.raises(RuntimeError, match="a"):
        kept.results({"a": (fail, tmp_path, "a")}, tmp_path / "kept")
    kept.results({"a": (note, tmp_path, "a")}, tmp_path / "kept")
    assert counts(tmp_path) == {"a": 2}


def test_a_result_that_is_not_to_be_kept_is_returned_and_done_again(tmp_path):
    cases = {name: (note, tmp_path, name) for name in "ab"}
    for _ in range(2):
        done = kept.results(cases, tmp_path / "kept", keep=lambda result: result["name"] == "a")
        assert [result["name"] for result in done.values()] == ["a", "b"]
    assert counts(tmp_path) == {"a": 1, "b": 2}


def test_a_key_changes_with_every_part():
    keys = {kept.key(*parts) for parts in [("a", 1), ("a", 2), ("b", 1), (["a"], 1), ("a",)]}
    assert len(keys) == 5
    assert kept.key("a", 1) == kept.key("a", 1)


def test_the_package_is_named_by_its_modules_and_the_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    module = tmp_path / "layer.py"
    module.write_text("one = 1")
    first = kept.package()
    assert kept.package() == first
    module.write_text("two = 2")
    second = kept.package()
    monkeypatch.setattr(kept, "version", lambda name: "0")
    assert len({first, second, kept.package()}) == 3


def test_words_change_no_result(tmp_path):
    module = tmp_path / "layer.py"
    layer = 'class Layer:\n    """A layer."""\n    def call(self):  # why\n        "It calls."\n'
    module.write_text(f'"""A module."""\n\n{layer}')
    assert kept.statements(module) == "class Layer:\n\n    def call(self):\n        pass"
    module.write_text(f"{layer}        return 'It calls.'")
    assert kept.statements(module) == "class Layer:\n\n    def call(self):\n        return 'It calls.'"


def test_the_code_of_a_lesson_leaves_its_words_out(tmp_path):
    store(tmp_path, "02_rnn.ipynb", markdown("# 02"), code("x = 1"), code(""))
    assert kept.code(tmp_path / "02_rnn.ipynb") == ["x = 1"]
