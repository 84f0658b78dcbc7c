"""Write the repository's address and its branch or tag into badges and set-up cells.

`pyproject.toml` is the one place that states them. With `--url` or `--revision` it is changed first.
The standard library is enough: a workflow runs this where nothing is installed.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINE_LENGTH = 110  # ruff's
PLACEHOLDER = "--your-account--"  # no account is named so
NAME = r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+"
URL = rf"https://github\.com/{NAME}"
REVISION = r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_])?"
REMOTE = rf"(?m)^(\S+)\t(?:\S+[/@.])?github\.com(?::\d+)?[:/]({NAME})/? \(fetch\)"
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

COURSE = {course}
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
    parser.add_argument(
        "--adopt", nargs=2, metavar=("URL", "BRANCH"), help="what the workflow `address` does"
    )
    parser.add_argument("--remind", action="store_true", help="say so where a copy still has no address")
    options = parser.parse_args(arguments)
    changed = []
    try:
        if options.remind:
            remind()
        elif options.adopt:
            changed = adopt(ROOT, *options.adopt)
        else:
            changed = change(ROOT, options.url, options.revision)
    except ValueError as error:
        return str(error)
    for path in changed:
        print(f"Stamped {path.relative_to(ROOT)}.")
    return 0


def remind(root=ROOT):
    """Print a line where the placeholder still stands and the repository on GitHub is known."""
    url = remote(root)
    if url and PLACEHOLDER in stated(root).url:
        print(f"The badges and first cells have no address yet. Give them yours: make address URL={url}")


def remote(root):
    """Return the page on GitHub of what `root` is a clone of; None where there is none."""
    command = ["git", f"--git-dir={root / '.git'}", "remote", "--verbose"]  # of no repository around it
    try:
        said = subprocess.run(command, capture_output=True, text=True).stdout
    except OSError:  # without git
        return None
    names = dict(re.findall(REMOTE, said))
    name = names.get("origin") or next(iter(names.values()), None)
    return name and f"https://github.com/{name.removesuffix('.git')}"


def stated(root=ROOT):
    """Return the address that `pyproject.toml` states."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return Address(project["project"]["urls"]["Repository"], project["tool"]["course"]["revision"])


def adopt(root, url, branch):
    """Stamp a copy with its own `url` and `branch`, and return the files that changed.

    Where the URL stands already, its revision stays: somebody chose it.

    Raises:
        ValueError: as in `change`.
    """
    own = stated(root).url.casefold() == url.casefold()  # upper and lower case are one to GitHub
    return change(root) if own else change(root, url, branch)


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
        path.write_text(stamped[path], encoding="utf-8", newline="\n")
    return changed


def stamped_files(root):
    """Return the files that hold the address."""
    folders = root / "notebooks", root / "notebooks/evidence"
    notebooks = [path for folder in folders for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]
    return [root / "pyproject.toml", root / "README.md", *notebooks]


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
    """Return the source of every lesson's set-up cell, as ruff formats it."""
    address = address or stated()
    course = f'"rnn-to-self-attention[lessons] @ git+{address.url}@{address.revision}"'
    if len("COURSE = ") + len(course) > LINE_LENGTH >= len("    ") + len(course):
        course = f"(\n    {course}\n)"
    return SETUP_CELL.format(course=course)


def _stamp(text, address):
    parts = {"repository": address.repository, "name": address.repository.split("/")[1], **vars(address)}
    for place, new in PLACES.items():
        text = re.sub(place, new.format(**parts), text)
    return text


if __name__ == "__main__":
    sys.exit(main())
