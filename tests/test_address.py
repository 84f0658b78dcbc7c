"""tools/address.py: one address, stamped into every place and no other."""

import pytest
from small_lessons import code, markdown, store, write

from tools import address, lessons

HERE = address.stated()
OTHER = address.Address("https://github.com/a-school/our.fork", "2027/spring")
NOTEBOOKS = "notebooks/01_a.ipynb", "notebooks/evidence/01_a.ipynb"
SAID = "print('https://github.com/x/y')"
README = """\
[![tests](https://github.com/x/y/actions/workflows/test.yml/badge.svg)](https://github.com/x/y/actions/workflows/test.yml)
[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/x/y/blob/main/notebooks/01_a.ipynb)

    git clone https://github.com/x/y
    cd y

Compare [another repository](https://github.com/keras-team/keras/blob/master/README.md).
"""


@pytest.fixture
def root(tmp_path):
    """A small course with the address x/y in the README and another in its notebooks, then stamped."""
    write(tmp_path, "README.md", README)
    write(tmp_path, "pyproject.toml", (lessons.ROOT / "pyproject.toml").read_text())
    for path in NOTEBOOKS:
        title = (
            f"# 01\n\n[![badge](b.svg)](https://colab.research.google.com/github/old/name/blob/v1.0/{path})"
        )
        store(tmp_path, path, markdown(title), code("old", "setup", count=1), code(SAID))
    address.change(tmp_path)
    return tmp_path


def texts(root):
    return {path: path.read_text() for path in address.stamped_files(root)}


@pytest.mark.parametrize("path", address.stamped_files(lessons.ROOT), ids=lambda path: path.name)
def test_the_repository_equals_its_stamped_form(path):
    text = path.read_text(encoding="utf-8")
    assert address.stamp(path.name, text, HERE) == text, "run make address"


def test_stamping_changes_every_place_and_nothing_else_and_is_undone_by_stamping_back(root):
    before = texts(root)
    changed = address.change(root, OTHER.url, OTHER.revision)
    assert [path.name for path in changed] == ["pyproject.toml", "README.md", "01_a.ipynb", "01_a.ipynb"]
    assert address.stated(root) == OTHER
    readme = (root / "README.md").read_text()
    assert readme.count("https://github.com/a-school/our.fork/actions/workflows/test.yml") == 2
    assert "git clone https://github.com/a-school/our.fork\n    cd our.fork\n" in readme
    assert "https://github.com/keras-team/keras/blob/master" in readme
    assert "/github/a-school/our.fork/blob/2027/spring/notebooks/01_a.ipynb)" in readme
    for path in NOTEBOOKS:
        title, setup, said = lessons.read(root / path).cells
        assert f"/github/a-school/our.fork/blob/2027/spring/{path})" in title.source
        assert setup.source == address.setup_cell(OTHER)
        assert setup.execution_count == 1
        assert said.source == SAID
    assert "git+https://github.com/a-school/our.fork@2027/spring" in setup.source
    assert not any(HERE.repository in text for text in texts(root).values())

    assert address.change(root) == []
    address.change(root, HERE.url, HERE.revision)
    assert texts(root) == before


@pytest.mark.parametrize("ending", ["/", ".git", ".git/"])
def test_each_part_can_be_changed_alone_and_the_address_given_as_it_is_copied(root, ending):
    address.change(root, revision="v2")
    assert address.stated(root) == address.Address(HERE.url, "v2")
    address.change(root, OTHER.url + ending)
    assert address.stated(root) == address.Address(OTHER.url, "v2")


OWNER = "https://github.com/a"
NO_URLS = ("github.com/a/b", OWNER, "https://gitlab.com/a/b", f"{OWNER}/b/tree/main", f"{OWNER}/b'")
NO_REVISIONS = ("two words", "-option", "a..b")


@pytest.mark.parametrize("wrong", [{"url": x} for x in NO_URLS] + [{"revision": x} for x in NO_REVISIONS])
def test_what_is_no_address_is_refused_and_changes_nothing(root, wrong):
    before = texts(root)
    with pytest.raises(ValueError, match="Received: "):
        address.change(root, **wrong)
    assert texts(root) == before


def test_the_command_says_what_is_wrong_in_one_line():
    said = address.main(["--url", "nowhere"])
    assert said == "URL must be like https://github.com/owner/name. Received: URL=nowhere"
