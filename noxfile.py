"""The environments of `make matrix`, `make colab` and `make backends`, and what runs in each.

One factor is changed at a time. A lesson that passed is not run again until something changes.
"""

import importlib.util
import os
import sys
from pathlib import Path

import nox

from tools import colab as as_in_colab
from tools import lessons, matrix

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.envdir = "build/nox"
nox.options.reuse_venv = "yes"

RESULTS = lessons.ROOT / "build/results"
OWN = "{}.{}".format(*sys.version_info)
OTHERS = [version for version in ("3.11", "3.12", "3.13") if version != OWN]
COLABS = "3.13"  # some packages' newest versions leave older Pythons behind, too
VERSIONS = {
    "stored": ("--constraint", "constraints.txt"),
    "newest": ("--upgrade", "--upgrade-strategy", "eager"),
    "colab": ("--constraint", "constraints-colab.txt"),
}
KEPT_BY_JAX = {
    "JAX_COMPILATION_CACHE_DIR": str(lessons.ROOT / "build/jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


@nox.session(tags=["matrix"], python=OTHERS)
def python(session):
    """Compare every lesson on another Python."""
    compare(session, "stored")


@nox.session(tags=["matrix"], python=COLABS)
@nox.parametrize("versions", ["newest", "colab"], ids=["newest", "colab"])
def versions(session, versions):
    """Compare every lesson with other versions of the packages."""
    compare(session, versions)


@nox.session(tags=["matrix"], python=False)
@nox.parametrize("machine", list(matrix.MACHINES), ids=list(matrix.MACHINES))
def machine(session, machine):
    """Compare every lesson in this environment: as it is, as on an older processor, on one thread."""
    if (wanted := os.environ.get("VERSIONS") or "stored") != "stored":
        session.error(f"The matrix chooses the versions: leave VERSIONS out. Received: VERSIONS={wanted}")
    compare(session, settings=matrix.MACHINES[machine])


@nox.session(python=COLABS)
def colab(session):
    """Run every lesson as Colab would."""
    session.install(*as_in_colab.shipped())
    check(session, as_in_colab.failures, Path(session.bin) / "python", RESULTS / "colab")


@nox.session(python=False)
@nox.parametrize("backend", ["tensorflow", "jax", "torch"], ids=["tensorflow", "jax", "torch"])
def backends(session, backend):
    """Check the contract of the layers on a backend of Keras."""
    if not importlib.util.find_spec(backend):
        session.skip(f"{backend} is not installed")
    # JAX compiles hundreds of functions for a handful of numbers: it need not make them fast, nor anew.
    settings = {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1", **KEPT_BY_JAX}
    tests = session.posargs or ["tests/test_contract.py"]
    options = ("--quiet", "--numprocesses=0", "-p", "no:cacheprovider")
    session.run(sys.executable, "-m", "pytest", *options, *tests, env=settings)


def compare(session, versions=None, settings=None):
    """Compare the chosen lessons with their stored outputs, where `versions` are installed, or here."""
    if versions:
        session.install(*VERSIONS[versions], "--editable", ".[dev]")
    python = Path(session.bin) / "python" if versions else sys.executable
    check(session, matrix.failures, python, RESULTS / "matrix", settings or {})


def check(session, failures, *arguments):
    """Run the lessons that the command names by their numbers, or all, and end the session if some failed."""
    try:
        paths = [path for number in session.posargs or [None] for path in lessons.find(number)]
    except ValueError as error:
        session.error(str(error))
    if failed := failures(paths, *arguments):
        session.error(f"Failed: {', '.join(failed)}.")
