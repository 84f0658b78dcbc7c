"""tools/address.py: one address, stamped into every place and no other."""

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
    """A small course with the address x/y in the README and another in its lesson, then stamped."""
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "pyproject.toml").write_text((lessons.ROOT / "pyproject.toml").read_text())
    link = "https://colab.research.google.com/github/old/name/blob/v1.0/notebooks/01_a.ipynb"
    said = "print('https://github.com/x/y')"
    cells = (markdown(f"# 01\n\n[![badge](b.svg)]({link})"), code("old", "setup", count=1), code(said))
    store(tmp_path, "notebooks/01_a.ipynb", *cells)
    badge = link.replace("notebooks", "notebooks/evidence")
    store(tmp_path, "notebooks/evidence/01_a.ipynb", markdown(f"# 01\n\n[![badge](b.svg)]({badge})"))
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
    (evidence,) = lessons.read(root / "notebooks/evidence/01_a.ipynb").cells
    assert "/github/a-school/our.fork/blob/2027/spring/notebooks/evidence/01_a.ipynb)" in evidence.source
    title, setup, said = lessons.read(root / "notebooks/01_a.ipynb").cells
    for text in (readme, title.source):
        assert "/github/a-school/our.fork/blob/2027/spring/notebooks/01_a.ipynb)" in text
    assert setup.source == address.setup_cell(OTHER)
    assert "git+https://github.com/a-school/our.fork@2027/spring" in setup.source
    assert setup.execution_count == 1
    assert said.source == "print('https://github.com/x/y')"
    assert not any(HERE.repository in text for text in texts(root).values())

    assert address.change(root) == []
    address.change(root, HERE.url, HERE.revision)
    assert texts(root) == before


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
    before = texts(root)
    with pytest.raises(ValueError, match="Received: "):
        address.change(root, url, revision)
    assert texts(root) == before


def test_the_command_says_what_is_wrong_in_one_line():
    said = address.main(["--url", "nowhere"])
    assert said == "URL must be like https://github.com/owner/name. Received: URL=nowhere"
