"""Open JupyterLab at the first lesson. Where no browser can open, print the address and keep serving."""

import os
import sys

from tools import lessons


def main(arguments=None):
    """Become JupyterLab; more arguments are passed on to it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        first = lessons.find()[0]
    except ValueError as error:
        return str(error)
    print("JupyterLab starts. To stop it, press Ctrl-C here twice.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", *options(first), *arguments]
    return os.execv(sys.executable, command)  # in this process, so that it ends when this ends


def options(first, root=lessons.ROOT):
    """Return JupyterLab's options for serving `root` and opening the lesson at `first`."""
    chosen = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{first.relative_to(root).as_posix()}",
        "--ServerApp.log_level=WARN",  # leaves the address
        "--LabApp.log_level=WARN",
    ]
    if is_root():
        chosen.append("--allow-root")
    if not can_open_browser():
        chosen.append("--no-browser")
    return chosen


def is_root():
    """Return whether this is the superuser, as whom JupyterLab starts only when told to."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def can_open_browser(environment=os.environ, system=sys.platform):
    """Return whether a browser can be opened: `COURSE_NO_BROWSER` forbids it, and Linux needs a display."""
    if environment.get("COURSE_NO_BROWSER"):
        return False
    if not system.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


if __name__ == "__main__":
    sys.exit(main())
