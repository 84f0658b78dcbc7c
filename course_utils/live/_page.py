"""A piece of a page: a box with a style, something that stands still, and the script that takes its place."""

import html
import json
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPT = """\
(() => {{
{code}
{start}
}})();"""


@dataclass(frozen=True)
class Page:
    """A piece of HTML, which notebooks show as what it means."""

    html: str = field(repr=False)

    def _repr_html_(self):
        return self.html


def page(name, style, still, code, start, **data):
    """Return a box of a page.

    Args:
        name: the class of the box, in place of `.box` in `box.css`.
        style: a file of this folder, added to `box.css`.
        still: HTML that needs no script.
        code: files of this folder, whose scripts follow each other.
        start: the lines of script that run then.
        **data: texts that the box itself carries.
    """
    carried = "".join(f' data-{key}="{html.escape(text)}"' for key, text in data.items())
    script = SCRIPT.format(code="\n".join(map(_read, code)), start=start)
    return Page(
        f'<div class="{name}"{carried} data-lm-suppress-shortcuts="true">\n'
        f"<style>\n{styled(name, style)}</style>\n{still}\n<script>\n{script}\n</script>\n</div>"
    )


def styled(name, style):
    """Return the style of a box whose class is `name`: `box.css`, and a file of its own."""
    return _read("box.css").replace(".box", f".{name}") + _read(style)


def as_json(value):
    """Return a value as JSON that may stand in a script: no tag in it ends the script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _read(name):
    return (FOLDER / name).read_text(encoding="utf-8")
