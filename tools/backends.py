"""Run the contract of the layers on every backend of Keras that is installed, one process for each."""

import argparse
import importlib.util
import os
import subprocess
import sys

from tools import lessons

BACKENDS = ("tensorflow", "jax", "torch")
CONTRACT = "tests/test_contract.py"


def main(arguments=None):
    """Run the contract, say on which backends, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make backends", description=__doc__)
    parser.parse_args(arguments)
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    missing = [name for name in BACKENDS if name not in installed]
    failed = [name for name in installed if run(name).returncode]
    print(summary(installed, missing, failed))
    return int(bool(failed))


def run(backend, contract=CONTRACT, **options):
    """Run the contract on `backend` in a process of its own and return that process.

    Args:
        backend: one of `BACKENDS`.
        contract: the file of tests.
        **options: for `subprocess.run`.
    """
    # JAX compiles hundreds of functions for a handful of numbers: it need not make them fast.
    settings = {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--numprocesses=0",
        "-p",
        "no:cacheprovider",
        contract,
    ]
    return subprocess.run(command, cwd=lessons.ROOT, env={**os.environ, **settings}, text=True, **options)


def summary(installed, missing, failed):
    """Return one line on the backends that were run and those that are not installed."""
    parts = [f"Contract run on {', '.join(installed)}"]
    parts += [f"failed on {', '.join(failed)}"] if failed else ["all passed"]
    parts += [f"not installed: {', '.join(missing)}"] if missing else []
    return "; ".join(parts) + "."


if __name__ == "__main__":
    sys.exit(main())
