"""Write docs/reference.md, the page of the public names, from their docstrings."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import textwrap
from types import FunctionType

import course_utils
from tools import lessons

PAGE = lessons.ROOT / "docs/reference.md"
MODULES = (
    *("embedding", "recurrent", "attention", "local_attention", "hard_attention", "multi_head_attention"),
    *("blocks", "seq2seq", "transformer", "language_model", "generation", "data", "vocabulary"),
    *("measure", "ngrams", "plotting", "diagrams", "training", "lesson", "exercises", "records"),
)
NOT_FOR_READERS = ("_", "all_masks", "build", "call", "compute_", "from_config", "get_config", "require_")
SECTION = re.compile(r"(?:Args|Attributes|Call|Returns|Raises):\n")
AS_MARKDOWN = (
    (r"\A(\w+):\n", r"**\1**\n\n"),
    (r"^    (\*{0,2}\w+(?:, (?:\*{0,2}\w+|\.\.\.))*): ", r"- `\1`: "),
    (r"^ {8}", "  "),
    (r"^ {4}", ""),
    (r"^((?:- |  ).*\n)(?=\w)", r"\1\n"),  # what follows a list is not of its last item
)
HEAD = """\
# The public names

Every layer, model and function of `course_utils` but the figures of `live`, module by module. Layers and
models come from the package itself: `from course_utils import LSTM`. [Another page](keras.md) says where they
differ from Keras'.
This page is written from the docstrings by `make reference`, and a test holds it up to date.
"""


def render():
    """Return the page."""
    found = {module: public(module) for module in MODULES}
    parts = [HEAD]
    for module, names in found.items():
        parts += [f"**{module}**\n", "\n".join(f"- {_link(each)}: {_summary(each)}" for each in names) + "\n"]
    for module, names in found.items():
        parts += [f"## `course_utils.{module}`\n", *map(entry, names)]
    links = {f"`{each.__name__}`": _link(each) for names in found.values() for each in names}
    classes = r"(?<!\[)(?<!class )`[A-Z]\w+`"
    return re.sub(classes, lambda match: links.get(match[0], match[0]), "\n".join(parts))


def public(name):
    """Return the public classes and functions of a module, in their order; for data those of its files."""
    module = importlib.import_module(f"course_utils.{name}")
    files = pkgutil.iter_modules(module.__path__, f"{module.__name__}.") if name == "data" else ()
    modules = [importlib.import_module(file.name) for file in files if "._" not in file.name] or [module]
    objects = [(part.__name__, each) for part in modules for each in vars(part).values()]
    objects = [(part, each) for part, each in objects if inspect.isclass(each) or inspect.isfunction(each)]
    own = [each for part, each in objects if each.__module__ == part and each.__name__[0] != "_"]
    layers = [each for each in own if each.__name__ in course_utils.__all__]
    return own if name in course_utils.ON_DEMAND.values() else layers or own


def entry(described):
    """Return the part of the page on a class or a function."""
    parts = [f"### {'class ' * inspect.isclass(described)}`{described.__name__}`\n"]
    if not dataclasses.is_dataclass(described):  # functions make those
        signature = f"{described.__name__}{_signature(described)}"
        parts.append(textwrap.fill(signature, 100, initial_indent=" " * 4, subsequent_indent=" " * 8) + "\n")
    parts.append(markdown(described.__doc__))
    if methods := list(_methods(described)):
        parts.append("**Methods**\n\n" + "".join(f"- {method}\n" for method in methods))
    return "\n".join(parts)


def markdown(docstring):
    """Return a docstring as Markdown, in which equations, being indented, are code, and arguments a list."""
    parts = re.split(r"^(?=\S)", inspect.cleandoc(docstring) + "\n", flags=re.MULTILINE)
    for place, part in enumerate(parts):
        for pattern, replacement in AS_MARKDOWN if SECTION.match(part) else ():
            part = parts[place] = re.sub(pattern, replacement, part, flags=re.MULTILINE)
    return "".join(parts)


def _methods(described):
    """Describe in a line each the methods and properties that we have written, inherited ones too."""
    ours = [kind for kind in getattr(described, "__mro__", ()) if kind.__module__.startswith("course_utils")]
    for name, each in {name: each for kind in reversed(ours) for name, each in vars(kind).items()}.items():
        if not name.startswith(NOT_FOR_READERS) and isinstance(each, property | FunctionType):
            yield f"`{name}{'' if isinstance(each, property) else _signature(each)}`: {_summary(each)}"


def _signature(described):
    signature = inspect.signature(described.__init__ if inspect.isclass(described) else described)
    return re.sub(r"\((?:self|/)(?:, )?", "(", str(signature)).replace("'", '"')


def _summary(described):
    return inspect.cleandoc(described.__doc__).splitlines()[0]


def _link(described):
    anchor = "class-" * inspect.isclass(described) + described.__name__.lower()
    return f"[`{described.__name__}`](#{anchor})"


if __name__ == "__main__":
    lessons.write(PAGE, render())
    print(f"Wrote {PAGE.relative_to(lessons.ROOT)}.")
