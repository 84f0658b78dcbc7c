"""Make stored notebooks ready for pages: votes and hints to click, and words for each picture."""

import ast
import copy
import html
import inspect
import re

from nbformat import v4

from course_utils import diagrams, exercises, plotting
from course_utils.exercises import statements
from course_utils.lesson import WITHOUT_MEASUREMENT
from tools import lessons

SHORT = 4  # words
VOTES = {"holds": "It holds", "does not hold": "It does not hold", statements.IT_DEPENDS: "It depends"}


def ready(notebook):
    """Return a copy of a stored notebook that does in a page what its cells do in Jupyter."""
    notebook, before = copy.deepcopy(notebook), ""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            before = cell.source
            cells.append(cell)
        else:
            cells += ready_code(cell, before)
    notebook.cells = cells
    return notebook


def ready_code(cell, before):
    """Return the cells that stand in a page for a cell of code, `before` being the text above it."""
    if voted := lessons.calls(cell.source, "vote"):
        return [v4.new_markdown_cell("\n".join(map(vote, voted)))]
    if "setup" in lessons.tags(cell):
        cell.metadata.tags = [*lessons.tags(cell), "hide-input"]
    if lessons.pictures(cell):
        cell.metadata.mystnb = {"image": picture(cell, before)}
    settled = [ast.unparse(call.args[0]) for call in lessons.calls(cell.source, "settle") if call.args]
    targets = "\n".join(f"({target_of(number)})=" for number in settled if number.isdigit())
    cells = [v4.new_markdown_cell(targets), cell] if targets else [cell]
    name = lessons.exercise(cell.source)[0] if "exercise" in lessons.tags(cell) else None
    if name in exercises.EXERCISES:
        cells.append(v4.new_markdown_cell(help_with(name)))
    return cells


def target_of(number):
    """Return the name that links give to the cell which settles a statement."""
    return f"statement-{number}"


def picture(cell, before):
    """Return what a picture says to those who do not see it, and its width on the screen.

    It says the titles that its cell gives, and where they are short or not written out, what to look for.
    """
    metadata = [output.metadata for output in cell.outputs if "image/png" in output.get("data", {})]
    width = metadata[0].get("image/png", {}).get("width")
    given = titles(cell.source)
    said = list(dict.fromkeys(filter(None, given)))
    if not said or None in given or len(" ".join(said).split()) < SHORT:
        said.append(last_sentence(before))
    shown = {"alt": " · ".join(said)}
    return {**shown, "width": f"{width}px"} if width else shown


def titles(source):
    """Return the titles that a cell gives to what it draws, in order; None for what is not written out."""
    tree = ast.parse(source)
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = filter(None, map(_title, sorted(calls, key=lambda call: (call.lineno, call.col_offset))))
    values = [named.get(each.id) if isinstance(each, ast.Name) else each for each in given]
    return [
        each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else None
        for each in values
    ]


def last_sentence(markdown):
    """Return the last sentence of a text without its marks."""
    *_, last = re.split(r"\n\s*\n|^#.*$|^[-|].*$", markdown.strip(), flags=re.MULTILINE)
    plain = re.sub(r"\]\([^)]*\)|[*`$\[\]]|\\(?=[a-z])", "", last)
    return re.split(r"(?<=[.?!:]) +(?=[A-Z(])", " ".join(plain.split()))[-1]


def _title(call):
    name = getattr(call.func, "attr", "")
    given = dict(zip(_parameters(name), call.args, strict=False))
    return {**given, **{keyword.arg: keyword.value for keyword in call.keywords}}.get("title")


def _parameters(name):
    if name in ("title", "set_title", "suptitle"):
        return ["title"]
    drawn = getattr(plotting, name, None) or getattr(diagrams, name, None)
    return list(inspect.signature(drawn).parameters) if inspect.isfunction(drawn) else []


def help_with(name):
    """Return the hints of an exercise, folded, and its solution, folded once more."""
    hints = exercises.EXERCISES[name].hints
    told = [
        f"<details><summary>Hint {place} of {len(hints)}</summary><p>{_as_html(hint)}</p></details>"
        for place, hint in enumerate(hints, start=1)
    ]
    return "\n".join(
        [
            f'<details class="help"><summary>Hints and a solution of <code>{name}</code></summary>',
            *told,
            '<details class="solution"><summary>A solution</summary>',
            f"\n```python\n{exercises.solution_source(name)}\n```\n",
            "</details></details>",
        ]
    )


def vote(call):
    """Return what is often said as something to click, from a call of `vote`."""
    settled = statements.read()
    asked = "\n".join(statement(number, settled[number]) for number in ast.literal_eval(call.args[1]))
    return f'<div class="vote">\n<p>On this page: vote by a click, and see the verdict.</p>\n{asked}\n</div>'


def statement(number, settled):
    """Return a statement with three votes; the style shows its verdict when one of them is clicked."""
    depends = settled["verdict"].startswith(statements.IT_DEPENDS)
    right = statements.IT_DEPENDS if depends else settled["verdict"]
    choices = "".join(
        f'<label><input type="radio" name="statement-{number}" autocomplete="off"'
        f"{' class=right' if vote == right else ''}> {label}</label>"
        for vote, label in VOTES.items()
    )
    verdict, measured_at = _as_html(settled["verdict"]), f"{_page_of(settled['where'])}#{target_of(number)}"
    return "\n".join(
        [
            f"<fieldset><legend>{number}. {_as_html(settled['said'])}</legend>",
            f'<div class="votes">{choices}</div>',
            '<div class="verdict" role="status"><div>',
            f'<p><b><span class="yes">Yes</span><span class="no">No</span>: it {verdict}.</b></p>',
            _measured(number, settled["bounds"]),
            f'<p><a href="{measured_at}">How it was measured</a></p>',
            "</div></div></fieldset>",
        ]
    )


def _measured(number, bounds):
    if not bounds:
        return f"<p>A matter of {WITHOUT_MEASUREMENT[number]}: nothing is measured.</p>"
    figures = "".join(f"<li>measured {_as_html(' '.join(bound))}</li>" for bound in bounds)
    return f"<ul>{figures}</ul>"


def _page_of(place):
    return place.removeprefix("notebooks/").replace(".ipynb", ".html")


def _as_html(text):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
