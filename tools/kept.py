"""Do long work, two cases at a time, and keep what passed: a run that is stopped goes on where it was."""

import ast
import hashlib
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version

from tqdm import tqdm

from tools import lessons

AT_ONCE = 2
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
PACKAGE = lessons.ROOT / "course_utils"
VERDICTS = "records/statements.json"  # made from the stored lessons: no measurement depends on it


def results(cases, folder):
    """Return the result of each case, from the file that keeps it or else by its function.

    Args:
        cases: `{name: (function, *arguments)}`. The name is that of a file, and changes with all that the
            result depends on. The function is importable, because it is called in another process, and
            returns a dict that JSON can hold. Its `failed` is empty where it is to be kept; otherwise
            the case is done again the next time.
        folder: where the results are kept; it is made if there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.json" for name in cases}
    texts = {name: file.read_text(encoding="utf-8") for name, file in files.items() if file.exists()}
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")) as processes:
        running = {processes.submit(*case): name for name, case in cases.items() if name not in texts}
        for done in tqdm(as_completed(running), total=len(running), unit="run", leave=False, disable=None):
            name, result = running[done], done.result()
            texts[name] = json.dumps(result)
            if not result["failed"]:
                lessons.write(files[name], texts[name])
    return {name: json.loads(texts[name]) for name in cases}


def failures(cases, folder):
    """Print what came of each case, `said` and `failed` of a `lesson`; return the lessons that failed."""
    done = results(cases, folder).values()
    for result in done:
        print(f"{'FAILED' if result['failed'] else '✓'} {result['lesson']}, {result['said']}")
        print(*(f"  {text}\n" for text in result["failed"]), sep="", end="", flush=True)
    return [result["lesson"] for result in done if result["failed"]]


def name(path, *parts):
    """Return the name of a case: that of the notebook at `path`, and what else its result depends on."""
    return f"{lessons.name_of(path)}-{key(*parts)}"


def key(*parts):
    """Return a short name for what a result depends on: it changes with every part."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def package():
    """Return what the lessons use, digested, and the versions here."""
    return key(contents(PACKAGE), [version(name) for name in ("keras", "tensorflow", "numpy")])


def contents(folder):
    """Return the code of each module in a folder, and a digest of each record, by their names."""
    paths = [path for path in sorted(folder.rglob("*.*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    records = {name: path for name, path in files.items() if name.startswith("records/") and name != VERDICTS}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in records.items()}
    return digests | {name: statements(path) for name, path in files.items() if path.suffix == ".py"}


def statements(path):
    """Return the code of a module without its comments and docstrings: better words change no result."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def code(path):
    """Return the sources of a lesson's code cells."""
    return [cell.source for cell in lessons.code_cells(lessons.read(path))]
