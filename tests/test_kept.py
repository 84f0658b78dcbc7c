"""tools/kept.py: what is done is kept, and what it depends on names it."""

import time
from pathlib import Path

import pytest
from small_lessons import code, markdown, store

from tools import kept


def note(folder, name, seconds=0.0):
    """Note that a case was done, and when."""
    begun = time.time()
    time.sleep(seconds)
    count = Path(folder, f"{name}.count")
    count.write_text(f"{count.read_text() if count.exists() else ''}x")
    return {"name": name, "from": begun, "to": time.time()}


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


def test_two_cases_are_done_at_a_time(tmp_path):
    done = kept.results({name: (note, tmp_path, name, 1.0) for name in "ab"}, tmp_path / "kept")
    assert max(each["from"] for each in done.values()) < min(each["to"] for each in done.values())


def test_a_case_that_fails_keeps_no_result(tmp_path):
    with pytest.raises(RuntimeError, match="a"):
        kept.results({"a": (fail, tmp_path, "a")}, tmp_path / "kept")
    kept.results({"a": (note, tmp_path, "a")}, tmp_path / "kept")
    assert counts(tmp_path) == {"a": 2}


def test_a_key_changes_with_every_part():
    keys = {kept.key(*parts) for parts in [("a", 1), ("a", 2), ("b", 1), (["a"], 1), ("a",)]}
    assert len(keys) == 5
    assert kept.key("a", 1) == kept.key("a", 1)


def test_the_package_is_named_by_its_modules_and_the_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    module = tmp_path / "layer.py"
    module.write_text("one")
    first = kept.package()
    assert kept.package() == first
    module.write_text("two")
    second = kept.package()
    monkeypatch.setattr(kept, "version", lambda name: "0")
    assert len({first, second, kept.package()}) == 3


def test_the_code_of_a_lesson_leaves_its_words_out(tmp_path):
    store(tmp_path, "02_rnn.ipynb", markdown("# 02"), code("x = 1"), code(""))
    assert kept.code(tmp_path / "02_rnn.ipynb") == ["x = 1"]
