"""tools/address.py: one address, stamped into every place and no other."""

import json

import pytest
from small_lessons import code, markdown, store

from tools import address, lessons

HERE = address.stated()
OTHER = address.Address("https://github.com/a-school/our.fork", "2027/spring")
README = """\
[![tests](https://github.com/x/y/actions/workflows/test.yml/badge.svg)](https://github.com/x/y/actions/workflows/test.yml)
[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/x/y/blob/main/notebooks/01_a.ipynb)

    git clone https://github.com/x/y
    cd y

Compare [another repository](https://github.com/keras-team/keras/blob/master/README.md).
"""


@pytest.fixture
def root(tmp_path):
    """A small course with the address x/y in the README and another in its lesson."""
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "pyproject.toml").write_text((lessons.ROOT / "pyproject.toml").read_text())
    link = "https://colab.research.google.com/github/old/name/blob/v1.0/notebooks/01_a.ipynb"
    said = "print('https://github.com/x/y')"
    cells = (markdown(f"# 01\n\n[![badge](b.svg)]({link})"), code("old", "setup", count=1), code(said))
    store(tmp_path, "notebooks/01_a.ipynb", *cells)
    address.change(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", address.stamped_files(lessons.ROOT), ids=lambda path: path.name)
def test_the_repository_equals_its_stamped_form(path):
    text = path.read_text(encoding="utf-8")
    assert address.stamp(path.name, text, HERE) == text, "run make address"


def test_stamping_changes_every_place(root):
    changed = address.change(root, OTHER.url, OTHER.revision)
    assert [path.name for path in changed] == ["pyproject.toml", "README.md", "01_a.ipynb"]
    assert address.stated(root) == OTHER
    readme = (root / "README.md").read_text()
    assert readme.count("https://github.com/a-school/our.fork/actions/workflows/test.yml") == 2
    assert "/github/a-school/our.fork/blob/2027/spring/notebooks/01_a.ipynb)" in readme
    assert "git clone https://github.com/a-school/our.fork\n    cd our.fork\n" in readme
    title, setup, _ = lessons.read(root / "notebooks/01_a.ipynb").cells
    assert "/github/a-school/our.fork/blob/2027/spring/notebooks/01_a.ipynb)" in title.source
    assert setup.source == address.setup_cell(OTHER)
    assert "git+https://github.com/a-school/our.fork@2027/spring" in setup.source
    for path in address.stamped_files(root):
        assert HERE.repository not in path.read_text()


def test_stamping_changes_nothing_else_and_is_undone_by_stamping_back(root):
    before = {path: path.read_text() for path in address.stamped_files(root)}
    address.change(root, OTHER.url, OTHER.revision)
    for path, text in before.items():
        now = path.read_text()
        assert len(now.splitlines()) == len(text.splitlines())
    assert "https://github.com/keras-team/keras/blob/master" in (root / "README.md").read_text()
    assert "https://github.com/x/y" in lessons.read(root / "notebooks/01_a.ipynb").cells[2].source
    address.change(root, HERE.url, HERE.revision)
    assert {path: path.read_text() for path in before} == before


def test_stamping_again_changes_nothing(root):
    assert address.change(root) == []


def test_a_stored_lesson_keeps_its_outputs_and_counts(root):
    address.change(root, OTHER.url)
    stored = json.loads((root / "notebooks/01_a.ipynb").read_text())
    assert stored["cells"][1]["execution_count"] == 1


def test_the_revision_alone_can_be_changed(root):
    address.change(root, revision="v2")
    assert address.stated(root) == address.Address(HERE.url, "v2")


@pytest.mark.parametrize("ending", ["/", ".git", ".git/"])
def test_an_address_as_it_is_copied_is_understood(root, ending):
    address.change(root, OTHER.url + ending)
    assert address.stated(root).url == OTHER.url


@pytest.mark.parametrize(
    ("url", "revision"),
    [
        ("github.com/a/b", None),
        ("https://github.com/a", None),
        ("https://gitlab.com/a/b", None),
        ("https://github.com/a/b/tree/main", None),
        ("https://github.com/a/b'", None),
        (None, "two words"),
        (None, "-option"),
        (None, "a..b"),
    ],
)
def test_what_is_no_address_is_refused_and_changes_nothing(root, url, revision):
    before = {path: path.read_text() for path in address.stamped_files(root)}
    with pytest.raises(ValueError, match="Received: "):
        address.change(root, url, revision)
    assert {path: path.read_text() for path in before} == before


def test_the_command_says_what_is_wrong_in_one_line():
    said = address.main(["--url", "nowhere"])
    assert said == "URL must be like https://github.com/owner/name. Received: URL=nowhere"
