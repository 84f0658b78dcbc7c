"""Find the lessons, execute them, solve their exercises, and read what they logged."""

import ast
import contextlib
import copy
import json
import os
import tempfile
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_SECONDS = 600
START_SECONDS = 120


def find(number=None, folder=NOTEBOOKS):
    """Return the paths of the lessons in reading order, or of the one with that number.

    Args:
        number: as in the file's name, `"02"` or `"2"`; all lessons when `None`.
        folder: where the lessons are.

    Raises:
        ValueError: there is no lesson with that number, or none at all.
    """
    lessons = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    if not lessons:
        raise ValueError(
            f"A folder of lessons holds files such as 02_rnn.ipynb. This one holds none. Received: {folder}"
        )
    if number is None:
        return lessons
    chosen = [path for path in lessons if path.name[:2] == str(number).zfill(2)]
    if not chosen:
        known = ", ".join(path.name[:2] for path in lessons)
        raise ValueError(f"N must be the number of a lesson: {known}. Received: N={number}")
    return chosen


def read(path):
    """Return the notebook stored at `path`."""
    return nbformat.read(path, as_version=4)


def write(path, text):
    """Write `text` to `path` at once: a run that is stopped leaves the old file or the new one."""
    path = Path(path)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(part).chmod(path.stat().st_mode if path.exists() else 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def code_cells(notebook):
    """Return the code cells of a notebook that are not empty."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def calls(source, *names):
    """Count the calls in `source` to a function of one of these names, dotted or not."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # the cell itself will say so
        return 0
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sum(getattr(function, "attr", getattr(function, "id", None)) in names for function in functions)


def execute(notebook, folder=NOTEBOOKS, settings=None, on_cell=None, go_on_after=(), python=None):
    """Execute a copy of `notebook` from an empty kernel, and return it.

    Args:
        notebook: the notebook; it stays as it is.
        folder: where its kernel works.
        settings: environment variables for the kernel, besides those here; `None` takes one away.
        on_cell: called without arguments after each cell.
        go_on_after: names of the errors after which the cells below are still executed.
        python: the Python that its kernel runs; the one here by default.

    Returns:
        The executed copy. Where an error stopped it, the cells below have no outputs.
    """
    notebook = without_outputs(notebook)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=_kernel_manager(python) if python else AsyncKernelManager,
        timeout=CELL_SECONDS,
        startup_timeout=START_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # a new kernel warns of its unencrypted loopback
        allow_error_names=list(go_on_after),
        resources={"metadata": {"path": str(folder)}},
        on_cell_complete=lambda **_: on_cell and on_cell(),
    )
    environment = {**os.environ, **(settings or {})}
    with contextlib.suppress(CellExecutionError):  # it stands among the outputs
        client.execute(env={name: value for name, value in environment.items() if value is not None})
    return notebook


def _kernel_manager(python):
    class Manager(AsyncKernelManager):
        def format_kernel_cmd(self, extra_arguments=None):
            return [str(python), *super().format_kernel_cmd(extra_arguments)[1:]]

    return Manager


def without_outputs(notebook):
    """Return a copy of `notebook` with neither outputs nor execution counts."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def errors(notebook):
    """Return the errors among the stored outputs, in order."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output for output in outputs if output.output_type == "error"]


def exercise(source):
    """Return the name and the last line of an exercise, which ends in `check("02.windows", windows)`.

    Raises:
        ValueError: the cell does not end in such a line.
    """
    last = ast.parse(source).body[-1]
    line = ast.get_source_segment(source, last)
    match last:
        case ast.Expr(ast.Call(func=ast.Name("check"), args=[ast.Constant(str(name)), *_])):
            return name, line
    raise ValueError(f'An exercise ends in check("its name", answer). Received: {line!r}')


def solve(notebook, solution_source):
    """Return a copy of `notebook` in which a worked solution takes the place of every stub.

    Args:
        notebook: the notebook.
        solution_source: a function that gives the source of the solution of an exercise by name.
    """
    notebook = copy.deepcopy(notebook)
    for cell in exercises(notebook):
        name, line = exercise(cell.source)
        cell.source = f"{solution_source(name).strip()}\n\n\n{line}"
    return notebook


def exercises(notebook):
    """Return the cells that hold an exercise."""
    return [cell for cell in code_cells(notebook) if "exercise" in tags(cell)]


def read_log(path):
    """Return the entries that a lesson appended to its log, oldest first; none where it has no log."""
    path = Path(path)
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
