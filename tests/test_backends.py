"""The layers keep their contract on JAX, and `make backends` says on which backends it was run."""

import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools import backends

IMPORT = "import sys, course_utils; print('tensorflow' in sys.modules)"


def test_the_contract_holds_on_jax():
    done = backends.run("jax", capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


INSTALLED = [backend for backend in ("jax", "torch") if importlib.util.find_spec(backend)]


@pytest.mark.parametrize("backend", INSTALLED)
def test_tensorflow_is_not_imported_for_another_backend(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_process_runs_on_the_backend_that_is_named(tmp_path):
    contract = tmp_path / "test_which.py"
    contract.write_text("import os\n\ndef test_which():\n    assert os.environ['KERAS_BACKEND'] == 'jax'\n")
    assert backends.run("jax", contract, capture_output=True).returncode == 0
    assert backends.run("torch", contract, capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("installed", "failing", "said"),
    [
        (["tensorflow", "jax", "torch"], [], "Contract run on tensorflow, jax, torch; all passed."),
        (["tensorflow", "jax"], [], "Contract run on tensorflow, jax; all passed; not installed: torch."),
        (
            ["tensorflow", "jax"],
            ["jax"],
            "Contract run on tensorflow, jax; failed on jax; not installed: torch.",
        ),
    ],
)
def test_one_line_says_what_was_run_and_what_is_missing(monkeypatch, capsys, installed, failing, said):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: name in installed or None)
    monkeypatch.setattr(backends, "run", lambda name: SimpleNamespace(returncode=int(name in failing)))
    assert backends.main([]) == int(bool(failing))
    assert capsys.readouterr().out == said + "\n"
