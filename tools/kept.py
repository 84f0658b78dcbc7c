"""Do long work, two cases at a time, and keep what passed: a run that is stopped goes on where it was."""

import ast
import functools
import hashlib
import json
import multiprocessing
import re
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


def reached(path):
    """Return the code of a module and of those of the package that its imports lead to, by their names.

    An import leads to the module in which the name is bound: `from course_utils import LSTM` to
    `recurrent.py`, and to nothing else that `course_utils/__init__.py` imports.

    Raises:
        ValueError: a module makes the name when it is asked for, so that reading cannot find where, or
            an import is relative.
    """
    found, left = {}, [path]
    while left:
        path = left.pop()
        if path not in found:
            found[path] = statements(path)
            left += _imported(path)
    return {path.relative_to(PACKAGE).as_posix(): found[path] for path in sorted(found)}


def _imported(path):
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            yield from filter(None, (_file(alias.name) for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"An import must name its module in full. Received: {ast.unparse(node)}")
            yield from filter(None, (_binds(node.module, alias.name) for alias in node.names))


def _binds(module, name):
    """Return the file in which a name of a module is bound; None where that is not of the package."""
    if file := _file(f"{module}.{name}"):
        return file
    file = _file(module)
    body = _parse(file).body if file else []
    imports = [(each, alias) for each in body if isinstance(each, ast.ImportFrom) for alias in each.names]
    for node, alias in imports:
        if name == (alias.asname or alias.name):
            return _binds(node.module, alias.name)
    if any(isinstance(each, ast.FunctionDef) and each.name == "__getattr__" for each in body):
        raise ValueError(f"A name must be imported from the module that makes it. Received: {module}.{name}")
    return file


def _file(module):
    """Return the file of a module; None where that is not of the package."""
    package, *names = module.split(".")
    if package != "course_utils":
        return None
    place = PACKAGE.joinpath(*names)
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def contents(folder):
    """Return the code of each module in a folder, and a digest of each record, by their names."""
    paths = [path for path in sorted(folder.rglob("*.*")) if path.is_file() and path.suffix != ".pyc"]
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    records = {name: path for name, path in files.items() if name.startswith("records/") and name != VERDICTS}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in records.items()}
    return digests | {name: statements(path) for name, path in files.items() if path.suffix == ".py"}


def statements(path):
    """Return the code of a module without comments, docstrings and form: better words change no result."""
    return _statements(path.read_text(encoding="utf-8"))


@functools.cache
def _statements(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return _plain(tree)


def _plain(node):
    """Return a syntax tree as lists, without what is empty: that differs between Pythons."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [[name, _plain(value)] for name, value in ast.iter_fields(node) if value not in (None, [])]
    return [type(node).__name__, *fields]


def _parse(path):
    return _tree(path.read_text(encoding="utf-8"))


_tree = functools.cache(ast.parse)  # for those who change nothing in it


def code(path, without=()):
    """Return the sources of a lesson's code cells, but for those with a tag of `without`."""
    cells = lessons.code_cells(lessons.read(path))
    return [cell.source for cell in cells if not set(without) & set(lessons.tags(cell))]


def as_json(stored):
    """Return a dict as JSON, each entry of its lists and dicts on one line: changes are easy to see."""
    text = re.sub(r",\n {3,}", ", ", json.dumps(stored, ensure_ascii=False, indent=1))
    return re.sub(r"\n {3,}|\n  (?=[]}])", "", text) + "\n"
