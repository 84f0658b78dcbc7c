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


def write(folder, name, text):
    """Write a file, and the folders above it, and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def store(folder, name, *cells):
    """Write a notebook of these cells and return its path."""
    return write(folder, name, nbformat.writes(v4.new_notebook(cells=list(cells))))


CLASS = """\
class Cell:
    \"\"\"One step.\"\"\"

    def call(self):
        raise NotImplementedError


check("04.cell", Cell)"""


def well_formed(kind):
    """The cells of a notebook called 04_lstm.ipynb that has this form."""
    stated, folder = address.stated(), "evidence/" * (kind is form.EVIDENCE)
    url = f"https://colab.research.google.com/github/{stated.repository}/blob/{stated.revision}/notebooks/{folder}"
    title = "# 04 · LSTM: the evidence" if folder else "# 04 · LSTM: what is kept?"
    others = int(kind is form.LESSON)  # the claim of the puzzle, and the exercise that builds
    stubs = [STUB.replace("answer", f"answer_{number}") for number in range(form.LEAST_EXERCISES - others)]
    claims = [code(f"claim('{number}', (1, '>', 0))") for number in range(kind.least_claims - others)]
    guess, told = "guess = predict('how much?', None)", "claim('it', (1, '>', 0), guess=guess)"
    inside = {
        "Set-up": [code(address.setup_cell(), "setup")],
        "The puzzle": [code(guess), code(told)],
        "You write it": [code(CLASS, "exercise"), code("Mine = own('04.cell', Cell, otherwise=LSTMCell)")],
        "Train it": [code("seed()\nmodel.fit(x)", "nbval-ignore-output"), code("run(Mine)"), *claims],
        "Look inside": [code("plt.plot(x)\nplt.show()")],
        form.VOTES: [code("vote('04', {32: None, 36: None})")],
        "Exercises": [code(stub, "exercise") for stub in stubs],
        "What it cannot do yet": [markdown("### Left out")],
    }
    parts = kind.parts or ("Set-up", "Train it", "Look inside")
    cells = [markdown(f"{title}\n\n[![Open In Colab](badge.svg)]({url}04_lstm.ipynb)")]
    cells += [cell for part in parts for cell in [markdown(f"## {part}"), *inside.get(part, [])]]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    return cells
