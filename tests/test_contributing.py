"""CONTRIBUTING.md names what is there, the hooks run the course's ruff, and GitHub can show each form."""

import re

import pytest
import yaml

from tools import lessons
from tools.lessons import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_file_that_is_named_exists():
    named = set(re.findall(r"(?:\w+/)*\w+\.(?:py|md|toml|txt|ipynb)|(?<=`)\w+/(?=`)", PAGE))
    new = f"{max(int(path.name[:2]) for path in lessons.find()) + 1:02}"  # the lesson that is to be written
    assert f"notebooks/{new}_name.ipynb" in named
    named = {path for path in named if new not in path}
    assert {"course_utils/", "tests/test_embedding.py", "docs/reference.md", "README.md"} <= named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_place_that_is_to_be_changed_stands_in_its_file():
    places = re.findall(r"`(\w+)(?:\(\))?` in `([\w/]+\.py)`", PAGE)
    assert {"AttentionPooling", "MODULES", "LAYER_MODULES", "table", "STATEMENTS"} <= set(dict(places))
    for name, file in places:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^((class|def) )?{name}\b", text, re.MULTILINE), (name, file)


def test_the_hooks_run_the_ruff_that_the_course_runs():
    (pin,) = re.findall(r"^ruff==.+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = repository["hooks"]
    assert [hook["entry"] for hook in hooks] == ["ruff check --fix", "ruff format"]
    assert all(hook["additional_dependencies"] == [pin] for hook in hooks)


def test_there_is_a_form_for_a_lesson_a_layer_and_a_statement():
    assert {path.stem for path in FORMS} == {"lesson", "layer", "statement"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_is_one_that_github_shows(path):
    form = load(path)
    assert form.keys() == {"name", "description", "body"}
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    for part in form["body"]:
        assert part.keys() <= {"type", "id", "attributes", "validations"}
        assert part["type"] in {"input", "textarea"}
        known = {"label", "description", "placeholder", *(["render"] if part["type"] == "textarea" else [])}
        assert "label" in part["attributes"].keys() <= known
        assert part.get("validations", {}).keys() <= {"required"}
