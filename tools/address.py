"""Write the repository's address and its branch or tag into badges and set-up cells.

`pyproject.toml` is the one place that states them. With `--url` or `--revision` it is changed first.
"""

import argparse
import json
import re
import sys
import tomllib
from dataclasses import dataclass

from tools import lessons

NAME = r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+"
URL = rf"https://github\.com/{NAME}"
REVISION = r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_])?"
# What holds the address, wherever it stands; links to other repositories stay as they are.
PLACES = {
    r'(?m)^(Repository = ").*"': r'\g<1>{url}"',
    r'(?m)^(revision = ").*"': r'\g<1>{revision}"',
    rf"(https://colab\.research\.google\.com/github/){NAME}/blob/[^\s)]+?(/notebooks/)": (
        r"\g<1>{repository}/blob/{revision}\g<2>"
    ),
    rf"{URL}(/actions/workflows/)": r"{url}\g<1>",
    rf"(git clone ){URL}(\s+(?:&& )?cd )[\w.-]+": r"\g<1>{url}\g<2>{name}",
}
SETUP_CELL = """\
import importlib.util
import subprocess
import sys

COURSE = "rnn-to-self-attention[lessons] @ git+{url}@{revision}"
missing = importlib.util.find_spec("course_utils") is None  # as in Colab: it is added, nothing else changes
if missing and subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", COURSE]):
    colab = "In Colab: check the network and the address above; a teacher changes it by `make address`."
    raise RuntimeError(f"The course cannot be fetched. {{colab}} On your computer: start with `make lab`.")
from course_utils import lesson

lesson.start()"""


@dataclass(frozen=True)
class Address:
    """Where the course is to be had: `url` is its repository's page, `revision` a branch or tag."""

    url: str
    revision: str

    def __post_init__(self):
        """Refuse what is no address of a repository on GitHub, and what names no branch or tag."""
        if not re.fullmatch(URL, self.url) or self.url.endswith(".git"):
            raise ValueError(f"URL must be like https://github.com/owner/name. Received: URL={self.url}")
        if not re.fullmatch(REVISION, self.revision) or ".." in self.revision or "//" in self.revision:
            raise ValueError(f"REVISION must name a branch or tag. Received: REVISION={self.revision}")

    @property
    def repository(self):
        """The owner and the name, as in `owner/name`."""
        return self.url.removeprefix("https://github.com/")


def main(arguments=None):
    """Stamp the whole repository and return the exit code."""
    parser = argparse.ArgumentParser(prog="make address", description=__doc__)
    parser.add_argument("--url", help="https://github.com/owner/name")
    parser.add_argument("--revision", help="the branch or tag that lessons install")
    options = parser.parse_args(arguments)
    try:
        for path in change(lessons.ROOT, options.url, options.revision):
            print(f"Stamped {path.relative_to(lessons.ROOT)}.")
    except ValueError as error:
        return str(error)
    return 0


def stated(root=lessons.ROOT):
    """Return the address that `pyproject.toml` states."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return Address(project["project"]["urls"]["Repository"], project["tool"]["course"]["revision"])


def change(root, url=None, revision=None):
    """Set the address where one is given, stamp every place, and return the files that changed.

    Raises:
        ValueError: the address or the revision is not of the right form; nothing is written.
    """
    before = stated(root)
    url = url.strip().rstrip("/").removesuffix(".git") if url else before.url
    address = Address(url, revision or before.revision)
    texts = {path: path.read_text(encoding="utf-8") for path in stamped_files(root)}
    stamped = {path: stamp(path.name, text, address) for path, text in texts.items()}
    changed = [path for path in texts if stamped[path] != texts[path]]
    for path in changed:
        lessons.write(path, stamped[path])
    return changed


def stamped_files(root):
    """Return the files that hold the address."""
    return [root / "pyproject.toml", root / "README.md", *lessons.find(folder=root / "notebooks")]


def stamp(name, text, address):
    """Return the text of the file called `name` with `address` in every place that holds one."""
    if not name.endswith(".ipynb"):
        return _stamp(text, address)
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = _stamp(source, address)
        elif "setup" in cell["metadata"].get("tags", []):
            source = setup_cell(address)
        cell["source"] = source.splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def setup_cell(address=None):
    """Return the source of every lesson's set-up cell."""
    address = address or stated()
    return SETUP_CELL.format(url=address.url, revision=address.revision)


def _stamp(text, address):
    parts = {"repository": address.repository, "name": address.repository.split("/")[1], **vars(address)}
    for place, new in PLACES.items():
        text = re.sub(place, new.format(**parts), text)
    return text


if __name__ == "__main__":
    sys.exit(main())
