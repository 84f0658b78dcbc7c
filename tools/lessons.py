"""Find the lessons and their evidence, execute them, say what came of them, and solve their exercises."""

import ast
import asyncio
import contextlib
import copy
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
EVIDENCE = "evidence"
CELL_SECONDS = 600
START_SECONDS = 120
ERROR_LINES = 12


def find(number=None, folder=NOTEBOOKS):
    """Return the paths of all lessons and then of all evidence, or of the one notebook with that number.

    Args:
        number: `"02"` or `"2"` for a lesson, `"02e"` for its evidence; all of them when `None`.
        folder: where the lessons are, and their evidence in the folder `evidence` below it.

    Raises:
        ValueError: there is no notebook with that number, or none at all.
    """
    folders = Path(folder), Path(folder) / EVIDENCE
    paths = [path for each in folders for path in sorted(each.glob("[0-9][0-9]_*.ipynb"))]
    if not paths:
        raise ValueError(
            f"A folder of lessons holds files such as 02_rnn.ipynb. This one holds none. Received: {folder}"
        )
    if number is None:
        return paths
    wanted = str(number).zfill(3 if str(number).endswith("e") else 2)
    chosen = [path for path in paths if number_of(path) == wanted]
    if not chosen:
        known = ", ".join(map(number_of, paths))
        raise ValueError(f"N must be the number of a lesson: {known}. Received: N={number}")
    return chosen


def is_evidence(path):
    """Return whether the notebook at `path` is the evidence of a lesson."""
    return path.parent.name == EVIDENCE


def number_of(path):
    """Return the number of a notebook: `02` for a lesson, `02e` for its evidence."""
    return path.name[:2] + "e" * is_evidence(path)


def name_of(path):
    """Return a name that no other notebook has, `02_rnn` or `02e_rnn`, for its results and its page."""
    return number_of(path) + path.stem[2:]


def place_of(path):
    """Return where a notebook stands in the repository, as links name it."""
    return f"notebooks/{EVIDENCE + '/' if is_evidence(path) else ''}{path.name}"


def link_to(path):
    """Return a link in Markdown to a notebook."""
    return f"[{path.name[:2]}{' evidence' * is_evidence(path)}]({place_of(path)})"


def read(path):
    """Return the notebook stored at `path`."""
    return nbformat.read(path, as_version=4)


def write(path, text):
    """Write `text` to `path` at once: a run that is stopped leaves the old file or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        if path.exists():
            shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def code_cells(notebook):
    """Return the code cells of a notebook that are not empty."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def pictures(cell):
    """Return the pictures among the outputs of a code cell, in base64."""
    return [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]


def calls(source, *names):
    """Return the calls in `source` to a function of one of these names, dotted or not."""
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError:  # the cell itself will say so
        return []
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [each for each in calls if getattr(each.func, "attr", getattr(each.func, "id", None)) in names]


def execute(notebook, folder=NOTEBOOKS, settings=None, go_on_after=(), python=None):
    """Execute a copy of `notebook` from an empty kernel, and return it.

    Args:
        notebook: the notebook; it stays as it is.
        folder: where its kernel works.
        settings: environment variables for the kernel, besides those here; `None` takes one away.
        go_on_after: names of the errors after which the cells below are still executed.
        python: the Python that its kernel runs; the one here by default.

    Returns:
        The executed copy. Where an error stopped it, the cells below have no outputs.
    """
    notebook = without_outputs(notebook)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        startup_timeout=START_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # a new kernel warns of its unencrypted loopback
        allow_error_names=list(go_on_after),
        resources={"metadata": {"path": str(folder)}},
    )
    if python:
        client.create_kernel_manager().kernel_spec.argv[0] = str(python)
    with contextlib.suppress(CellExecutionError):  # it stands among the outputs
        asyncio.run(client.async_execute(env=environment(settings or {})))  # .execute leaves its loop open
    return notebook


def environment(settings):
    """Return the environment variables of a process under these settings; `None` takes one away."""
    return {name: value for name, value in {**os.environ, **settings}.items() if value is not None}


def without_outputs(notebook):
    """Return a copy of `notebook` with neither outputs nor execution counts."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


@dataclass
class Outcome:
    """What came of a lesson: its executed copy, what it logged, what failed in words, and the seconds."""

    notebook: object
    log: list
    failed: list
    seconds: float


def run(notebook, folder=NOTEBOOKS, settings=None, python=None):
    """Execute a lesson to its end, even where a claim does not hold, and return the `Outcome`.

    Args:
        notebook, folder, settings, python: as `execute` takes them.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "log.jsonl"
        settings = {"COURSE_QUIET": "1", "COURSE_LOG": str(file), **(settings or {})}
        try:
            executed = execute(notebook, folder, settings, ["ClaimError"], python)
            failed = errors(executed)
        except Exception as error:  # a kernel that dies, say: the other lessons are still run
            executed, failed = without_outputs(notebook), [f"{type(error).__name__}: {error}"]
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    log = [json.loads(line) for line in lines]
    claims, reached = count(notebook, "claim"), sum(entry["kind"] == "claim" for entry in log)
    if reached < claims:
        failed.append(f"{reached} of {claims} claims were reached")
    return Outcome(executed, log, failed, time.monotonic() - begun)


def count(notebook, *names):
    """Count the calls to these functions in the source of a notebook, whether they are reached or not."""
    return sum(len(calls(cell.source, *names)) for cell in code_cells(notebook))


def errors(notebook):
    """Return the errors of an executed lesson, each with the end of what its cell wrote to stderr."""
    texts = []
    for cell in code_cells(notebook):
        written = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
        last = written.strip().splitlines()[-ERROR_LINES:]
        texts += [
            "\n  ".join([f"{output.ename}: {output.evalue}", *last])
            for output in cell.outputs
            if output.output_type == "error"
        ]
    return texts


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
