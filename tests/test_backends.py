"""What of the contract depends on the backend holds on JAX; `make backends` runs all on all installed."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tools.lessons import ROOT

IMPORT = "import sys, course_utils; print('tensorflow' in sys.modules)"


def run(backend, *tests):
    """Run the contract, or the `tests` in its place, on a backend, as `make backends` does."""
    command = [sys.executable, "-m", "nox", "--session", f"backends({backend})", "--", *tests]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_contract_holds_on_jax():
    done = run("jax", "tests/test_contract.py", "-m", "on_each_backend")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


INSTALLED = [backend for backend in ("jax", "torch") if importlib.util.find_spec(backend)]


@pytest.mark.parametrize("backend", INSTALLED)
def test_tensorflow_is_not_imported_for_another_backend(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_process_runs_on_the_backend_that_is_named_and_says_so(tmp_path):
    contract = tmp_path / "test_which.py"
    contract.write_text("import os\n\ndef test_which():\n    assert os.environ['KERAS_BACKEND'] == 'jax'\n")
    for backend, status, said in (("jax", 0, "was successful"), ("tensorflow", 1, "failed")):
        done = run(backend, contract)
        assert done.returncode == status
        assert f"backends({backend}) {said}" in done.stdout


def test_a_backend_that_is_not_installed_is_named(tmp_path):
    tests = tmp_path / "test_nothing.py"
    tests.write_text("def test_nothing():\n    pass\n")
    done = run("torch", tests)
    assert done.returncode == 0
    assert ("torch is not installed" in done.stdout) == ("torch" not in INSTALLED)
