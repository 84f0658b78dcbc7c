"""Write what Sphinx builds the pages from: the notebooks and the Markdown files, with links that lead on."""

import os
import re
import shutil

import nbformat

from course_utils import live
from tools import address, lessons, site_notebooks

NAMES = "docs/reference.md"
WATCH, TURN = "watch.md", "turn.md"  # they stand in the folder of the settings
TO_TRY = {WATCH: "Watch attention read a date", TURN: "Turn the gain, or the forget bias"}
PLACE_OF_FIGURE = "{figure}"
WATCHED = 'class="date-map"'
TO_LOOK_UP = {
    "CLAIMS.md": "Claims",
    "GLOSSARY.md": "Glossary",
    NAMES: "Public names",
    "docs/teaching.md": "Twelve weeks",
    "docs/keras.md": "Beside Keras",
    "benchmarks/RESULTS.md": "Benchmark",
    "CHANGELOG.md": "Changes",
    "CONTRIBUTING.md": "Contributing",
}
HOME, HOME_IS = "index.md", "README.md"
RAW = "``````{{raw}} html\n{}\n``````"
CONTENTS = """

```{{toctree}}
:hidden:
:caption: {caption}

{entries}
```
"""
MODULE = re.compile(r"^## `course_utils\.(\w+)`$", re.MULTILINE)
CODE_OR_LINK = re.compile(r"```.*?```|`[^`\n]+`|\]\((?![a-z]+:|#)([^)#]+)(#[^)]*)?\)", re.DOTALL)
COLAB = re.compile(r"\[!\[Open In Colab\]\([^)]+\)\]\(([^)]+)\)")
BADGE_OF_TESTS = re.compile(r"^\[!\[tests\].*\n\n", re.MULTILINE)
SETTLED = re.compile(r"^(\| (\d+) \| .*\]\()[^)]+(\) \|)$", re.MULTILINE)


def write(folder):
    """Fill `folder`, which is made anew, with the sources of the pages."""
    shutil.rmtree(folder, ignore_errors=True)
    for place, text in sources().items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for picture in (lessons.ROOT / "docs").glob("*.png"):
        shutil.copy(picture, folder / "docs")


def sources():
    """Return the text of every page's source, by its place."""
    notebooks = {lessons.place_of(path): lessons.read(path) for path in lessons.find()}
    texts = {place: (lessons.ROOT / place).read_text(encoding="utf-8") for place in (HOME_IS, *TO_LOOK_UP)}
    texts.update(by_module(texts.pop(NAMES)))
    texts.update({place: (lessons.ROOT / "site" / place).read_text(encoding="utf-8") for place in TO_TRY})
    pages, stated = {*notebooks, *texts}, address.stated()
    for place, notebook in notebooks.items():
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = for_the_web(cell.source, place, pages, stated)
    notebooks = {place: site_notebooks.ready(notebook) for place, notebook in notebooks.items()}
    marked = "\n".join(cell.source for notebook in notebooks.values() for cell in notebook.cells)
    texts["CLAIMS.md"] = to_measurements(texts["CLAIMS.md"], marked)
    texts = {place: for_the_web(text, place, pages, stated) for place, text in texts.items()}
    figures = {WATCH: map_of_dates(notebooks.values()), TURN: live.fading().html}
    for place, figure in figures.items():
        texts[place] = texts[place].replace(PLACE_OF_FIGURE, RAW.format(figure))
    texts[HOME] = texts.pop(HOME_IS) + contents(notebooks)
    return {**texts, **{place: nbformat.writes(notebook) for place, notebook in notebooks.items()}}


def map_of_dates(notebooks):
    """Return the piece of HTML with the map of dates that one of the notebooks has stored.

    Raises:
        ValueError: none has one.
    """
    outputs = [
        output
        for each in notebooks
        for cell in lessons.code_cells(each)
        for output in cell.get("outputs", ())
    ]
    stored = [output.get("data", {}).get("text/html", "") for output in outputs]
    for each in stored:
        if WATCHED in each:
            return each
    raise ValueError(
        f"A notebook must show the date map that `{WATCH}` shows: `make save N=08`. "
        f"Received: {len(outputs)} outputs, none with {WATCHED}"
    )


def contents(notebooks):
    """Return the table of contents: the order in which one goes from page to page."""
    titles = {
        place: f"{place.rpartition('/')[2][:2]} {short_title(each)}" for place, each in notebooks.items()
    }
    parts = {"Lessons": {}, "Evidence": {}, "To try": TO_TRY, "To look up": TO_LOOK_UP}
    for place, title in titles.items():
        parts["Evidence" if f"/{lessons.EVIDENCE}/" in place else "Lessons"][place] = title
    return "".join(_contents(caption, entries) for caption, entries in parts.items() if entries)


def _contents(caption, entries):
    listed = "\n".join(f"{title} </{place}>" for place, title in entries.items())
    return CONTENTS.format(caption=caption, entries=listed)


def short_title(notebook):
    """Return `LSTM` of a notebook that begins with `# 04 · LSTM: what ...?`."""
    return re.match(r"# (?:\d+ · )?([^:\n]+)", notebook.cells[0].source)[1]


def for_the_web(text, place, pages, stated):
    """Return Markdown whose badges are links, and whose links lead to pages, or else to the repository.

    Args:
        text: the Markdown.
        place: where it stands in the repository.
        pages: the places that become pages.
        stated: the address of the repository.
    """

    def relinked(match):
        link, anchor = match[1], match[2] or ""
        if not link:
            return match[0]
        target = os.path.normpath(os.path.join(os.path.dirname(place), link))
        if target == HOME_IS:
            return f"](/{HOME}{anchor})"
        if target in pages or (target.startswith("docs/") and target.endswith(".png")):
            return match[0]
        if target.startswith(".."):  # of a place on GitHub, from that of the file: issues, say
            return f"]({stated.url}/{target.removeprefix('../../')}{anchor})"
        return f"]({stated.url}/blob/{stated.revision}/{target}{anchor})"

    text = COLAB.sub(r"[Open in Colab](\1){.colab}", BADGE_OF_TESTS.sub("", text))
    return CODE_OR_LINK.sub(relinked, text)


def by_module(page):
    """Return the page of the public names as one with their list, and one for each module, by place."""
    head, *rest = MODULE.split(page)
    modules = dict(zip(rest[::2], rest[1::2], strict=True))
    headings = r"^### (class )?`(\w+)`$"
    home = {
        "class-" * bool(kind) + name.lower(): module
        for module, text in modules.items()
        for kind, name in re.findall(headings, text, re.MULTILINE)
    }

    def linked(text, folder=""):
        return re.sub(r"\]\(#([\w-]+)\)", lambda match: f"]({folder}{home[match[1]]}.md#{match[1]})", text)

    places = {module: f"{NAMES.removesuffix('.md')}/{module}.md" for module in modules}
    listed = _contents("Modules", {place: module for module, place in places.items()})
    pages = {NAMES: linked(head, "reference/") + listed}
    for module, text in modules.items():
        raised = re.sub("^##(#+ )", r"#\1", text, flags=re.MULTILINE)
        pages[places[module]] = f"# {module}\n{linked(raised)}"
    return pages


def to_measurements(claims, marked):
    """Return the page of claims, whose statements link to the cells that settle them.

    Args:
        claims: the page.
        marked: the text of all notebooks, in which such cells have a mark above them.
    """

    def linked(match):
        target = site_notebooks.target_of(match[2])
        return f"{match[1]}#{target}{match[3]}" if f"({target})=" in marked else match[0]

    return SETTLED.sub(linked, claims)
