"""Tiny lessons for the tests of the tools: most need no package, so their kernels start fast."""

import nbformat
from nbformat import v4

from tools import address, form

CLAIM = """\
import json, os
def log(**entry):
    if os.environ.get("COURSE_LOG"):
        with open(os.environ["COURSE_LOG"], "a") as file:
            file.write(json.dumps(entry) + chr(10))
class ClaimError(AssertionError): pass
def claim(text, held):
    log(kind="claim", text=text, held=held)
    if not held: raise ClaimError(text)
def check(name, answer):
    try: solved = answer() == 42
    except NotImplementedError: solved = False
    log(kind="exercise", name=name, solved=solved)
"""
STUB = """\
def answer():
    \"\"\"The answer.\"\"\"
    raise NotImplementedError


check("02.answer", answer)"""


def markdown(source):
    return v4.new_markdown_cell(source)


def code(source, *tags, outputs=(), count=None):
    metadata = {"tags": list(tags)} if tags else {}
    return v4.new_code_cell(source, metadata=metadata, outputs=list(outputs), execution_count=count)


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def shown(**data):
    return v4.new_output("display_data", data={kind.replace("_", "/"): value for kind, value in data.items()})


def failed(name="ValueError"):
    return v4.new_output("error", ename=name, evalue="no", traceback=[])


def store(folder, name, *cells):
    """Write a notebook of these cells and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=list(cells)), path)
    return path


def well_formed(name="04_lstm.ipynb"):
    """The cells of a lesson that has the form all lessons have."""
    stated = address.stated()
    badge = f"https://colab.research.google.com/github/{stated.repository}/blob/{stated.revision}/notebooks/{name}"
    title = markdown(f"# {name[:2]} · LSTM: what is kept?\n\n[![Open In Colab](badge.svg)]({badge})")
    cells = [title]
    for part in form.PARTS:
        cells.append(markdown(f"## {part}"))
        if part == "Set-up":
            cells.append(code(address.setup_cell(), "setup"))
        elif part == "Train it":
            cells.append(code("seed()\nmodel.fit(x)", "nbval-ignore-output"))
            cells += [code(f"claim('{number}', (1, '>', 0))") for number in range(form.LEAST_CLAIMS)]
        elif part == "Look inside":
            cells.append(code("plt.plot(x)\nplt.show()"))
        elif part == form.BENEATH[0]:
            cells.append(markdown(f"### {form.BENEATH[1]}"))
        elif part == "Exercises":
            stubs = [STUB.replace("answer", f"answer_{number}") for number in range(form.LEAST_EXERCISES)]
            cells += [code(stub, "exercise") for stub in stubs]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    return cells
