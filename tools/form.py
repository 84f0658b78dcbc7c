"""The form of the lessons. Each rule yields one message for each thing in a lesson that breaks it."""

import ast
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from tools import address, lessons

NOT_WRITTEN = frozenset({"03"})  # its number is kept free
# Those that still have the form of the first edition, which the rules below are for.
OLD_FORM = frozenset({"01", "02", "04", "05", "06", "07", "08", "09", "10", "11"})
PARTS = (
    "Set-up",
    "The task",
    "The idea",
    "By hand",
    "As a layer",
    "Three ways, one answer",
    "Train it",
    "Look inside",
    "What it cannot do yet",
    "Exercises",
    "Papers",
)
BENEATH = "What it cannot do yet", "Left out"  # a part, and the heading beneath it
MOST_BYTES = 700_000
MOST_LINES, MEDIAN_LINES, SETUP_LINES = 25, 7, 12
LEAST_EXERCISES, LEAST_CLAIMS = 3, 6
UNCOMPARED = "nbval-ignore-output"
MUST_BE_COMPARED = ("claim", "settle", "check")
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|Users|work)/|\b[A-Z]:\\")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Lesson:
    """A stored lesson: where it is, and its notebook."""

    path: Path
    notebook: object

    @property
    def name(self):
        """The name of its file."""
        return self.path.name

    @property
    def number(self):
        """Its number, as in the name of its file."""
        return self.name[:2]

    @property
    def code(self):
        """Its code cells that are not empty."""
        return lessons.code_cells(self.notebook)

    def at(self, cell, message):
        """Return `message` with the place before it."""
        return f"{self.name}, cell {self.notebook.cells.index(cell)}: {message}"


def load(path):
    """Return the lesson stored at `path`."""
    return Lesson(path, lessons.read(path))


def size_is_small(lesson):
    """Its file stays small enough to show in a browser and to keep in a repository."""
    size = lesson.path.stat().st_size
    if size > MOST_BYTES:
        yield f"{lesson.name}: has {size} bytes; at most {MOST_BYTES} were expected"


def is_plain_python(lesson):
    """Its code is Python without magics."""
    for cell in lesson.code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield lesson.at(cell, f"is not plain Python: {error}")


def is_executed(lesson):
    """Its cells were executed once each, from top to bottom."""
    for count, cell in enumerate(lesson.code, start=1):
        if cell.execution_count != count:
            yield lesson.at(cell, f"has execution count {cell.execution_count}; {count} was expected")


def stores_no_faults(lesson):
    """It stores no error, no lines of stderr, and no path of a machine."""
    for cell in lesson.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield lesson.at(cell, f"stores an error, {output.ename}")
            if output.get("name") == "stderr":
                yield lesson.at(cell, "stores lines of stderr")
            found = MACHINE_PATH.search(_text(output))
            if found:
                yield lesson.at(cell, f"stores a path of a machine: {found[0]}")


def cells_are_short(lesson):
    """Its code cells are short."""
    lengths = [len(cell.source.splitlines()) for cell in lesson.code]
    for cell, length in zip(lesson.code, lengths, strict=True):
        if length > MOST_LINES:
            yield lesson.at(cell, f"has {length} lines; at most {MOST_LINES} were expected")
    if lengths and statistics.median(lengths) > MEDIAN_LINES:
        yield f"{lesson.name}: its code cells have a median of more than {MEDIAN_LINES} lines"


def begins_with_badge(lesson):
    """Its first cell has the title and Colab's badge."""
    first = lesson.notebook.cells[0]
    url = f"https://colab.research.google.com/github/{address.stated().repository}/blob/"
    badge = f"{url}{address.stated().revision}/notebooks/{lesson.name})"
    if first.cell_type != "markdown" or badge not in first.source:
        yield lesson.at(first, f"lacks the badge that links to ...{badge[len(url) - 6 :]}")


def has_setup(lesson):
    """Its first code cell is the set-up cell, which is the same in every lesson."""
    cells = [cell for cell in lesson.code if "setup" in lessons.tags(cell)]
    if cells != lesson.code[:1] or not cells:
        yield f"{lesson.name}: the first code cell, and only that, must be tagged setup"
    for cell in cells:
        if cell.source != address.setup_cell():
            yield lesson.at(cell, "differs from the set-up cell of the other lessons; run make address")
        if len(cell.source.splitlines()) > SETUP_LINES:
            yield lesson.at(cell, f"has more than {SETUP_LINES} lines")


def has_its_parts(lesson):
    """It has a title and the parts, in order, each at the beginning of a cell."""
    found = headings(lesson)
    titles = [text for level, text, _ in found if level == 1]
    if len(titles) != 1 or not titles[0].startswith(f"{lesson.number} · "):
        yield f"{lesson.name}: its one title must begin with '# {lesson.number} · '. Received: {titles}"
    parts = tuple(part_name(text) for level, text, _ in found if level == 2)
    if parts != PARTS:
        yield f"{lesson.name}: its parts must be {', '.join(PARTS)}. Received: {', '.join(parts)}"
    for level, text, cell in found:
        if level == 2 and not cell.source.startswith("## "):
            yield lesson.at(cell, f"must begin with its heading, so that '{text}' can be folded by itself")
    part, expected = BENEATH
    beneath = _beneath(part, found)
    if expected not in beneath:
        yield f"{lesson.name}: '{part}' must hold '### {expected}'. Received: {', '.join(beneath)}"


def outputs_are_compared(lesson):
    """At most a third of its code cells go uncompared, and none that states something."""
    uncompared = [cell for cell in lesson.code if UNCOMPARED in lessons.tags(cell)]
    if 3 * len(uncompared) > len(lesson.code):
        yield f"{lesson.name}: {len(uncompared)} of {len(lesson.code)} code cells are tagged {UNCOMPARED}"
    for cell in uncompared:
        if lessons.calls(cell.source, *MUST_BE_COMPARED) or _asserts(cell.source) or ".shape" in cell.source:
            yield lesson.at(cell, f"is tagged {UNCOMPARED} and holds a claim, a check, an assert or a shape")


def makes_claims(lesson):
    """It makes enough claims."""
    count = sum(lessons.calls(cell.source, "claim") for cell in lesson.code)
    if count < LEAST_CLAIMS:
        yield f"{lesson.name}: makes {count} claims; at least {LEAST_CLAIMS} were expected"


def has_exercises(lesson):
    """It has enough exercises, each a stub that is checked, and gives no answer away."""
    cells = lessons.exercises(lesson.notebook)
    if len(cells) < LEAST_EXERCISES:
        yield f"{lesson.name}: has {len(cells)} exercises; at least {LEAST_EXERCISES} were expected"
    for cell in lesson.code:
        if lessons.calls(cell.source, "hint", "solution"):
            yield lesson.at(cell, "executes hint or solution")
        if lessons.calls(cell.source, "check") and cell not in cells:
            yield lesson.at(cell, "has a check and is not tagged exercise")
    for cell in cells:
        if not _is_stub(cell.source):
            yield lesson.at(
                cell, "must be one function that raises NotImplementedError first, then its check"
            )


def figures_end_in_show(lesson):
    """Its cells with figures end in `plt.show()`, so that no value of the last line is stored."""
    for cell in lesson.code:
        draws = re.search(r"\bplt\.", cell.source) or any(
            "image/png" in o.get("data", {}) for o in cell.outputs
        )
        if draws and cell.source.rstrip().splitlines()[-1] != "plt.show()":
            yield lesson.at(cell, "has a figure and must end in plt.show()")


def training_is_seeded(lesson):
    """Its cells that train set the seed, so that running them again gives the same."""
    of_its_own = any(re.search(r"^def train\b", cell.source, re.MULTILINE) for cell in lesson.code)
    trains = ("fit",) if of_its_own else ("fit", "train")
    for cell in lesson.code:
        if lessons.calls(cell.source, *trains) and not lessons.calls(cell.source, "seed"):
            yield lesson.at(cell, "trains and must call seed()")


def by_hand_is_numpy(lesson):
    """Its part by hand uses neither Keras nor TensorFlow."""
    part = ""
    for cell in lesson.notebook.cells:
        if cell.cell_type == "markdown":
            part = next((part_name(t) for level, t in reversed(_headings(cell)) if level == 2), part)
        elif part == "By hand" and re.search(r"\b(?:keras|tensorflow|tf)\b", cell.source):
            yield lesson.at(cell, "is in the part by hand and must not use Keras or TensorFlow")


RULES = (
    size_is_small,
    is_plain_python,
    is_executed,
    stores_no_faults,
    cells_are_short,
    begins_with_badge,
    has_setup,
    has_its_parts,
    outputs_are_compared,
    makes_claims,
    has_exercises,
    figures_end_in_show,
    training_is_seeded,
    by_hand_is_numpy,
)


def headings(lesson):
    """Return the headings of a lesson as (level, text, cell), in order."""
    cells = [cell for cell in lesson.notebook.cells if cell.cell_type == "markdown"]
    return [(level, text, cell) for cell in cells for level, text in _headings(cell)]


def part_name(heading):
    """Return a heading without what follows its colon."""
    return heading.split(":")[0].strip()


def _beneath(part, found):
    names, inside = [], ""
    for level, text, _ in found:
        if level == 2:
            inside = part_name(text)
        elif level == 3 and inside == part:
            names.append(part_name(text))
    return names


def _headings(cell):
    found = re.findall(r"^(#+) +(.+)$", FENCED.sub("", cell.source), re.MULTILINE)
    return [(len(marks), text.strip()) for marks, text in found]


def _text(output):
    data = output.get("data", {})
    texts = [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join([output.get("text", ""), *texts])


def _asserts(source):
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


def _is_stub(source):
    try:
        lessons.exercise(source)
    except ValueError:
        return False
    match ast.parse(source).body:
        case [ast.FunctionDef(body=body), ast.Expr()]:
            return _raises_first(body)
    return False


def _raises_first(body):
    first = body[1] if isinstance(body[0], ast.Expr) and len(body) > 1 else body[0]
    match first:
        case ast.Raise(exc=ast.Name("NotImplementedError") | ast.Call(func=ast.Name("NotImplementedError"))):
            return True
    return False
