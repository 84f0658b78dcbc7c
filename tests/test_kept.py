"""tools/kept.py: what passed is kept, and what it depends on names it."""

import json
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


@pytest.mark.slow
def test_what_passed_is_done_once_and_what_failed_again(tmp_path):
    cases = {"b": (note, tmp_path, "b"), "a": (note, tmp_path, "a"), "c": (note, tmp_path, "c", ["why"])}
    first = kept.results({"b": cases["b"]}, tmp_path / "build/kept")
    for _ in range(2):
        every = kept.results(cases, tmp_path / "build/kept")
        assert [result["name"] for result in every.values()] == list(every) == ["b", "a", "c"]
        assert every["b"] == first["b"]
    assert counts(tmp_path) == {"a": 1, "b": 1, "c": 2}


@pytest.mark.slow
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


PLAIN = "class Layer:\n    def call(self):\n        {}\n"
WORDS = '"""A module."""\n\nclass Layer:\n    """A layer."""\n    def call(self):  # why\n        {}\n'


def statements(folder, source):
    module = folder / "layer.py"
    module.write_text(source)
    return kept.statements(module)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ('"It calls."', "pass"),
        ("return 'It calls.'", 'return "It calls."'),
        ("return (self,\n\n            1)", "return self, 1"),
    ],
)
def test_words_and_form_are_no_statements(tmp_path, body, left):
    assert statements(tmp_path, WORDS.format(body)) == statements(tmp_path, PLAIN.format(left))


@pytest.mark.parametrize(
    "other", ["return None, 1", "return self, 2", "return self, 1.0", "return self, True", "return 1, self"]
)
def test_other_statements_are_other(tmp_path, other):
    assert statements(tmp_path, PLAIN.format(other)) != statements(tmp_path, PLAIN.format("return self, 1"))


MODULES = {
    "__init__.py": (
        "from course_utils.layer import Layer\nfrom course_utils.other import Other\n"
        "def __getattr__(name):\n    pass\n"
    ),
    "layer.py": "import numpy as np\nfrom course_utils._base import base as first\nLayer = first\n",
    "_base.py": "base = 1\n",
    "other.py": "def f():\n    from course_utils import data\n",
    "data/__init__.py": (
        "from course_utils.data.dates import dates\nfrom course_utils.data.marked import marked\n"
    ),
    "data/dates.py": "dates = 1\n",
    "data/marked.py": "marked = 1\n",
}


@pytest.fixture(name="package")
def _package(tmp_path, monkeypatch):
    """A package of these modules."""
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    for name, source in MODULES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    return tmp_path


def reached(package, source):
    (package / "recipe.py").write_text(source)
    return kept.reached(package / "recipe.py")


DATA = ["data/__init__.py", "data/dates.py", "data/marked.py"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import keras\nfrom numpy import array", []),
        ("from course_utils.layer import Layer", ["_base.py", "layer.py"]),
        ("from course_utils import Layer as It", ["_base.py", "layer.py"]),
        ("from course_utils.data import marked", ["data/marked.py"]),
        ("from course_utils import data", DATA),
        ("def make():\n    import course_utils.other", [*DATA, "other.py"]),
        ("from course_utils.layer import first", ["_base.py"]),
        ("from course_utils.layer import *", ["_base.py", "layer.py"]),
        ("import course_utils", ["__init__.py", "_base.py", *DATA, "layer.py", "other.py"]),
    ],
)
def test_imports_are_followed_to_where_a_name_is_bound(package, source, names):
    assert list(reached(package, source)) == sorted([*names, "recipe.py"])


def test_what_is_reached_changes_with_the_code_of_each_module_and_not_with_its_words(package):
    source = "from course_utils import Layer"
    first = reached(package, source)
    (package / "_base.py").write_text("base = 1  # one")
    (package / "other.py").write_text("other = 2")
    assert reached(package, f"{source}\n# words") == first
    (package / "_base.py").write_text("base = 2")
    second = reached(package, source)
    assert len({kept.key(each) for each in (first, second, reached(package, f"{source}\nx = 1"))}) == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from course_utils import train", "from the module that makes it. Received: course_utils.train"),
        ("from .layer import Layer", "must name its module in full. Received: from .layer import Layer"),
    ],
)
def test_what_reading_cannot_find_is_refused(package, source, said):
    with pytest.raises(ValueError, match=said):
        reached(package, source)


def test_json_has_a_line_for_each_entry_of_its_lists_and_dicts():
    stored = {
        "key": "a",
        "parts": [{"x": [1, {"y": 2}]}, {"x": []}],
        "claims": {"one\n   two": [[3]], "[]": 4},
    }
    text = kept.as_json(stored)
    assert json.loads(text) == stored
    assert [len(line) - len(line.lstrip()) for line in text.splitlines()] == [0, 1, 1, 2, 2, 1, 1, 2, 2, 1, 0]


def test_the_code_of_a_lesson_leaves_its_words_out(tmp_path):
    path = store(tmp_path, "02_rnn.ipynb", markdown("# 02"), code("y = 2", "setup"), code("x = 1"), code(""))
    assert kept.code(path) == ["y = 2", "x = 1"]
    assert kept.code(path, without=["setup"]) == ["x = 1"]


def test_what_python_compiles_changes_no_key(tmp_path):
    record, compiled = tmp_path / "records/its.json", tmp_path / "records/__pycache__/its.cpython-311.pyc"
    compiled.parent.mkdir(parents=True)
    record.write_text("{}")
    before = kept.contents(tmp_path)
    compiled.write_bytes(b"\0")
    assert kept.contents(tmp_path) == before
    record.write_text("[]")
    assert kept.contents(tmp_path) != before
