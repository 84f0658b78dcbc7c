"""Open JupyterLab at the first lesson, in copies of the lessons: what the reader writes there stays.

    --edit    open the stored lessons instead, for authors

Other arguments are passed on to JupyterLab. Where no browser can open, the address is printed.
"""

import datetime
import json
import os
import sys

from tools import address, lessons

COPIES = lessons.ROOT / "my_lessons"
AS_COPIED = ".as_copied"  # each lesson as it was copied: shows what reader and course have changed since
LAYOUTS = lessons.ROOT / "build" / "jupyterlab"
SETTINGS = lessons.ROOT / "tools" / "jupyterlab"


def main(arguments=None):
    """Copy the lessons and become JupyterLab."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    root, layouts, folder = COPIES, LAYOUTS / "copies", lessons.NOTEBOOKS
    try:
        if "--edit" in arguments:
            arguments.remove("--edit")
            root, layouts, folder = lessons.ROOT, LAYOUTS / "edit", lessons.ROOT
        else:
            print(*copy_lessons(), sep="\n")
        address.remind()
        keep_layout(layouts, lessons.find()[0].relative_to(folder).as_posix())
    except (OSError, ValueError) as error:
        return str(error)
    from jupyterlab.labapp import LabApp  # here, because it is slow

    print("JupyterLab starts. To stop it, press Ctrl-C here twice.", flush=True)
    return LabApp.launch_instance([*options(root, layouts), *arguments])


def copy_lessons(stored=lessons.NOTEBOOKS, copies=COPIES):
    """Bring `copies` up to date with the lessons in `stored`; a copy in which the reader has written stays.

    The reader has written in a copy when the text of a cell differs from the lesson that was copied. Outputs
    do not count: a run makes them again.

    Returns:
        Lines for the reader: where the copies are, and which have changed.
    """
    known = copies / AS_COPIED
    names = {path.relative_to(stored) for path in stored.rglob("[0-9][0-9]_*.ipynb")}
    names |= {path.relative_to(known) for path in known.rglob("*.ipynb")}
    lines = [_copy(name, stored, copies) for name in sorted(names) if ".ipynb_checkpoints" not in name.parts]
    return [f"Your copies of the lessons are in {copies}. What you write there stays.", *filter(None, lines)]


def _copy(name, stored, copies):
    stored, copy, known = stored / name, copies / name, copies / AS_COPIED / name
    new, mine, old = written(stored), written(copy), written(known)
    if new is None:
        if mine != old:
            return None
        copy.unlink()
        return f"{name} is no lesson any more, so its copy is removed. You had written nothing in it."
    if mine is None or mine in (old, new):
        if None not in (mine, old) and _text(stored) == _text(known):
            return None
        target, line = copy, f"{name} has changed, so its copy is replaced. You had written nothing in it."
    elif old == new:
        return None
    else:
        for each in copy.parent.glob(f"{copy.stem} (new *).ipynb"):
            if written(each) in (old, new):
                each.unlink()
        target = copy.with_name(f"{copy.stem} (new {datetime.date.today()}).ipynb")
        if target.exists():  # the reader has written in it today: the next one comes tomorrow
            return None
        line = f"{name} has changed. You have written in its copy, which stays; the new one is {target.name}"
    for path in (target, known):
        path.parent.mkdir(parents=True, exist_ok=True)
        lessons.write(path, _text(stored))
    return line if mine is not None else None


def written(path):
    """Return the kind and text of each cell of the notebook at `path`; `None` where there is none."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return path.read_bytes()  # damaged, and still the reader's


def _text(path):
    return path.read_text(encoding="utf-8")


def keep_layout(folder, lesson):
    """Lay out JupyterLab with `lesson` and its table of contents, unless the reader left a lesson open.

    The layout is in a folder of its own: JupyterLab's usual one holds that of the reader's other work.
    """
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    if not any('"notebook:' in _text(path) for path in folder.glob("*")):
        layout = _text(SETTINGS / "layout.json").replace("LESSON", lesson)
        WorkspacesManager(folder).save("default", layout)


def options(root, layouts):
    """Return JupyterLab's options for serving `root` with its layouts in `layouts`."""
    chosen = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.workspaces_dir={layouts}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.default_url=/lab",
        "--allow-root",  # without it JupyterLab does not start as root, as in a container
        "--ServerApp.log_level=ERROR",  # leaves the address
        "--LabApp.log_level=ERROR",
    ]
    return chosen if can_open_browser() else [*chosen, "--no-browser"]


def can_open_browser(environment=os.environ, system=sys.platform):
    """Return whether a browser can be opened: `COURSE_NO_BROWSER` forbids it, and Linux needs a display."""
    if environment.get("COURSE_NO_BROWSER"):
        return False
    if not system.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


if __name__ == "__main__":
    sys.exit(main())
