"""Build the pages of the course in build/site/ from the stored notebooks, which are not executed."""

import argparse
import importlib.util
import shutil
import subprocess
import sys
import webbrowser

from tools import lessons

SETTINGS = lessons.ROOT / "site"
BUILD = lessons.ROOT / "build"
NEEDED = "mathjax", "furo", "myst_nb", "sphinx"


def main(arguments=None):
    """Build the pages, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make site", description=__doc__)
    parser.add_argument("--open", action="store_true", help="show them in a browser")
    parser.add_argument("--check", action="store_true", help="look at each in Chromium")
    options = parser.parse_args(arguments)
    if not is_installed():
        return "The pages want Sphinx: pip install --constraint constraints-site.txt --editable '.[site]'"
    pages = BUILD / "site"
    if code := build(pages):
        return code
    print(f"Wrote {pages.relative_to(lessons.ROOT)}/index.html.")
    if options.open:
        webbrowser.open((pages / "index.html").as_uri())
    if options.check:
        from tools import site_check  # late, because it wants a browser

        return site_check.main(pages)
    return 0


def is_installed():
    """Return whether the extra `site` is installed."""
    return all(map(importlib.util.find_spec, NEEDED))


def build(pages):
    """Build the pages in the folder `pages`, which is made anew, and return the exit code of Sphinx."""
    from tools import site_pages  # late, because it brings TensorFlow

    sources = pages.with_name(f"{pages.name}-sources")
    shutil.rmtree(pages, ignore_errors=True)
    site_pages.write(sources)
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--fresh-env"]
    folders = ["--conf-dir", SETTINGS, "--doctree-dir", sources / ".read", sources, pages]
    return subprocess.run([sys.executable, "-m", "sphinx", *options, *folders]).returncode


if __name__ == "__main__":
    sys.exit(main())
