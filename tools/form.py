"""The form of lessons and of their evidence. Each rule yields a message for each thing that breaks it."""

import ast
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools import address, lessons


class Form(NamedTuple):
    """A form: its title, its parts, those that it may lack, and what is the most or the least of each."""

    title: str
    parts: tuple
    may_lack: tuple
    most_bytes: int
    most_median_lines: float
    least_claims: int
    most_seconds: int  # on two idle cores


VOTES = "What is often said"
PARTS = (
    *("Set-up", "The puzzle", "The idea", "By hand", "You write it", "Train it"),
    *("What else could explain it?", "Look inside", VOTES, "In one card", "Exercises"),
    *("What it cannot do yet", "Left out", "Papers"),
)
LESSON = Form(r"{} · .+: .+\?", PARTS, ("By hand", VOTES), 1_000_000, 5.5, 3, 40)
EVIDENCE = Form(r"{} · .+: the evidence", (), (), 1_000_000, 8, 1, 120)
MOST_CELLS, MOST_WORDS = 60, 1_800
MOST_LINES = 25
LEAST_EXERCISES = 3
UNCOMPARED = "nbval-ignore-output"
MUST_BE_COMPARED = ("claim", "settle", "check")
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|Users|work)/|\b[A-Z]:\\")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Stored:
    """A stored lesson or its evidence: where it is, its notebook, and its form."""

    path: Path
    notebook: object
    form: Form

    @property
    def name(self):
        """Where it stands in the repository."""
        return lessons.place_of(self.path)

    @property
    def code(self):
        """Its code cells that are not empty."""
        return lessons.code_cells(self.notebook)

    def at(self, cell, message):
        """Return `message` with the place before it."""
        return f"{self.name}, cell {self.notebook.cells.index(cell)}: {message}"


def load(path):
    """Return the lesson or evidence stored at `path`."""
    return Stored(path, lessons.read(path), form_of(path))


def form_of(path):
    """Return the form to which the notebook at `path` is held."""
    return EVIDENCE if lessons.is_evidence(path) else LESSON


def size_is_small(stored):
    """Its file stays small enough to show in a browser and to keep in a repository."""
    size = stored.path.stat().st_size
    if size > stored.form.most_bytes:
        yield f"{stored.name}: has {size} bytes; at most {stored.form.most_bytes} were expected"


def is_plain_python(stored):
    """Its code is Python without magics."""
    for cell in stored.code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield stored.at(cell, f"is not plain Python: {error}")


def is_executed(stored):
    """Its cells were executed once each, from top to bottom."""
    for count, cell in enumerate(stored.code, start=1):
        if cell.execution_count != count:
            yield stored.at(cell, f"has execution count {cell.execution_count}; {count} was expected")


def stores_no_faults(stored):
    """Its outputs hold no error, no lines of stderr, and no path of a machine."""
    for cell in stored.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield stored.at(cell, f"ends in {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                yield stored.at(cell, f"writes to stderr: {output.text.strip()}")
            found = MACHINE_PATH.search(_text(output))
            if found:
                yield stored.at(cell, f"shows a path of a machine: {found[0]}")


def cells_are_short(stored):
    """Its code cells are short."""
    lengths = [len(cell.source.splitlines()) for cell in stored.code]
    for cell, length in zip(stored.code, lengths, strict=True):
        if length > MOST_LINES:
            yield stored.at(cell, f"has {length} lines; at most {MOST_LINES} were expected")
    most = stored.form.most_median_lines
    if lengths and statistics.median(lengths) > most:
        yield f"{stored.name}: its code cells have a median of more than {most} lines"


def begins_with_badge(stored):
    """Its first cell has the title and Colab's badge."""
    first = stored.notebook.cells[0]
    url = f"https://colab.research.google.com/github/{address.stated().repository}/blob/"
    badge = f"{url}{address.stated().revision}/{stored.name})"
    if first.cell_type != "markdown" or badge not in first.source:
        yield stored.at(first, f"lacks the badge that links to ...{badge[len(url) - 6 :]}")


def has_setup(stored):
    """Its first code cell is the set-up cell, which is the same in every lesson."""
    cells = [cell for cell in stored.code if "setup" in lessons.tags(cell)]
    if cells != stored.code[:1] or not cells:
        yield f"{stored.name}: the first code cell, and only that, must be tagged setup"
    for cell in cells:
        if cell.source != address.setup_cell():
            yield stored.at(cell, "differs from the set-up cell of the other lessons; run make address")


def has_a_title(stored):
    """It has one title, with its number, and with its question or the word evidence."""
    titles = [text for level, text, _ in headings(stored) if level == 1]
    expected = stored.form.title.format(stored.path.name[:2])
    if len(titles) != 1 or not re.fullmatch(expected, titles[0]):
        yield f"{stored.name}: its one title must be like '# {expected}'. Received: {titles}"


def has_its_parts(stored):
    """It has its parts in order, each at the beginning of a cell."""
    found = [(text, cell) for level, text, cell in headings(stored) if level == 2]
    parts = tuple(part_name(text) for text, _ in found)
    expected = tuple(p for p in stored.form.parts if p in parts or p not in stored.form.may_lack)
    if parts != expected:
        yield f"{stored.name}: its parts must be {', '.join(expected)}. Received: {', '.join(parts)}"
    for text, cell in found:
        if not cell.source.startswith("## "):
            yield stored.at(cell, f"must begin with its heading, so that '{text}' can be folded by itself")


def is_short(stored):
    """It is short: few cells, few words."""
    cells = stored.notebook.cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    for count, most, what in ((len(cells), MOST_CELLS, "cells"), (words, MOST_WORDS, "words")):
        if count > most:
            yield f"{stored.name}: has {count} {what}; at most {most} were expected"


def asks_its_reader(stored):
    """It asks for predictions, which claims show beside what came, and for votes, and gives none itself."""
    votes = any(part_name(text) == VOTES for _, text, _ in headings(stored))
    for name in ("predict", "vote") if votes else ("predict",):
        found = list(_named(stored, name))
        if not found:
            yield f"{stored.name}: must ask its reader with {name}(...)"
        for cell, call in found:
            if any(ast.unparse(answer) != "None" for answer in _answers(call)):
                yield stored.at(cell, f"must leave the answer of {name}(...) to the reader, and store None")
    asked = len(list(_named(stored, "predict")))
    shown = sum(each.arg == "guess" for _, call in _named(stored, "claim") for each in call.keywords)
    if shown < asked:
        yield f"{stored.name}: asks for {asked} predictions, and {shown} claims have a guess=..."


def uses_what_the_reader_builds(stored):
    """It takes the reader's part with `own` in the cell after its exercise, and uses it below."""
    owned = list(_named(stored, "own"))
    if not owned:
        yield f"{stored.name}: must use what its reader builds with own(...)"
    for cell, call in owned:
        place = stored.code.index(cell)
        before, *below = stored.code[place - 1], *stored.code[place + 1 :]
        wanted = f"check({', '.join(map(ast.unparse, call.args[:2]))})"
        if "exercise" not in lessons.tags(before) or ast.unparse(ast.parse(before.source).body[-1]) != wanted:
            yield stored.at(cell, f"must come right after the exercise that ends in {wanted}")
        taken = re.search(r"^(\w+) = own\(", cell.source, re.MULTILINE)
        if not taken or not any(re.search(rf"\b{taken[1]}\b", each.source) for each in below):
            yield stored.at(cell, "must give what own(...) returns a name that is used below")


def has_its_lesson(stored):
    """It stands beside a lesson of the same name."""
    if not (stored.path.parent.parent / stored.path.name).exists():
        yield f"{stored.name}: there is no notebooks/{stored.path.name} whose evidence this could be"


def outputs_are_compared(stored):
    """At most a third of its code cells go uncompared, and none that states something."""
    uncompared = [cell for cell in stored.code if UNCOMPARED in lessons.tags(cell)]
    if 3 * len(uncompared) > len(stored.code):
        yield f"{stored.name}: {len(uncompared)} of {len(stored.code)} code cells are tagged {UNCOMPARED}"
    for cell in uncompared:
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))
        if asserts or lessons.calls(cell.source, *MUST_BE_COMPARED) or ".shape" in cell.source:
            yield stored.at(cell, f"is tagged {UNCOMPARED} and holds a claim, a check, an assert or a shape")


def makes_claims(stored):
    """It makes enough claims; what evidence settles counts, too."""
    names = ("claim", "settle") if stored.form is EVIDENCE else ("claim",)
    count = lessons.count(stored.notebook, *names)
    if count < stored.form.least_claims:
        yield f"{stored.name}: makes {count} claims; at least {stored.form.least_claims} were expected"


def has_exercises(stored):
    """It has enough exercises, each a stub that is checked, and gives no answer away."""
    cells = lessons.exercises(stored.notebook)
    if len(cells) < LEAST_EXERCISES:
        yield f"{stored.name}: has {len(cells)} exercises; at least {LEAST_EXERCISES} were expected"
    for cell in stored.code:
        if lessons.calls(cell.source, "hint", "solution"):
            yield stored.at(cell, "executes hint or solution")
        if lessons.calls(cell.source, "check") and cell not in cells:
            yield stored.at(cell, "has a check and is not tagged exercise")
    for cell in cells:
        if not _is_stub(cell.source):
            yield stored.at(cell, "must be one stub that raises NotImplementedError, then its check")


def figures_end_in_show(stored):
    """Its cells with figures end in `plt.show()`, so that no value of the last line is stored."""
    for cell in stored.code:
        draws = re.search(r"\bplt\.", cell.source) or lessons.pictures(cell)
        if draws and cell.source.rstrip().splitlines()[-1] != "plt.show()":
            yield stored.at(cell, "has a figure and must end in plt.show()")


def labels_stay_at_their_lines(stored):
    """No axis is moved after `curves` has set labels at the ends of its lines."""
    for cell in stored.code:
        _, *after = cell.source.split("plotting.curves(")
        if any(re.search(r"\.set_ylim\(|\.set\([^)]*\bylim=", part) for part in after):
            yield stored.at(cell, "moves the y axis under labels that stand: give ylim to curves")


def training_is_seeded(stored):
    """Its cells that train set the seed, so that running them again gives the same."""
    of_its_own = any(re.search(r"^def train\b", cell.source, re.MULTILINE) for cell in stored.code)
    trains = ("fit",) if of_its_own else ("fit", "train")
    for cell in stored.code:
        if lessons.calls(cell.source, *trains) and not lessons.calls(cell.source, "seed"):
            yield stored.at(cell, "trains and must call seed()")


def by_hand_is_numpy(stored):
    """Its part by hand uses neither Keras nor TensorFlow."""
    for part, cell in _with_parts(stored):
        uses = cell.cell_type == "code" and re.search(r"\b(?:keras|tensorflow|tf)\b", cell.source)
        if part == "By hand" and uses:
            yield stored.at(cell, "is in the part by hand and must not use Keras or TensorFlow")


OF_ALL = (
    *(size_is_small, is_plain_python, is_executed, stores_no_faults, cells_are_short, begins_with_badge),
    *(has_setup, has_a_title, outputs_are_compared, makes_claims, figures_end_in_show, training_is_seeded),
    labels_stay_at_their_lines,
)
RULES = {
    LESSON: (
        *(*OF_ALL, has_its_parts, has_exercises, by_hand_is_numpy),
        *(is_short, asks_its_reader, uses_what_the_reader_builds),
    ),
    EVIDENCE: (*OF_ALL, has_its_lesson),
}


def broken(stored):
    """Return what the rules say of a notebook that breaks them."""
    return [message for rule in RULES[stored.form] for message in rule(stored)]


def headings(stored):
    """Return the headings of a notebook as (level, text, cell), in order."""
    return [(level, text, cell) for cell in stored.notebook.cells for level, text in _headings(cell)]


def part_name(heading):
    """Return a heading without what follows its colon."""
    return heading.split(":")[0].strip()


def _headings(cell):
    source = FENCED.sub("", cell.source) if cell.cell_type == "markdown" else ""
    return [(len(marks), text.strip()) for marks, text in re.findall(r"^(#+) +(.+)$", source, re.MULTILINE)]


def _with_parts(stored):
    """Yield each cell after the name of the part in which it stands."""
    part = ""
    for cell in stored.notebook.cells:
        part = next((part_name(text) for level, text in reversed(_headings(cell)) if level == 2), part)
        yield part, cell


def _text(output):
    data = output.get("data", {})
    texts = [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join([output.get("text", ""), *texts])


def _is_stub(source):
    match ast.parse(source).body:
        case [
            ast.FunctionDef() | ast.ClassDef() as stub,
            ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(str()), *_])),
        ]:
            raised = [ast.unparse(node) for node in ast.walk(stub) if isinstance(node, ast.Raise)]
            return any(each.startswith("raise NotImplementedError") for each in raised)
    return False


def _named(stored, name):
    """Yield each call to a function of this name, which is no method, with its cell."""
    for cell in stored.code:
        calls = lessons.calls(cell.source, name)
        yield from ((cell, call) for call in calls if isinstance(call.func, ast.Name))


def _answers(call):
    given = [*call.args[1:], *(each.value for each in call.keywords)]
    return [value for each in given for value in (each.values if isinstance(each, ast.Dict) else [each])]
