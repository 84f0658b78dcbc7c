"""Compare every lesson with its stored outputs in one environment; `noxfile.py` makes the environments."""

import json
import os
import subprocess
import time
import tomllib

from tools import kept, lessons

PROJECT = lessons.ROOT / "pyproject.toml"
SHOWN = ("keras", "tensorflow", "numpy")
REPORT_LINES = 40
INSTALLED = """\
import json, platform
from importlib.metadata import distributions
versions = {each.name.lower(): each.version for each in distributions()}
print(json.dumps({"Python": platform.python_version(), **versions}))
"""


# With oneDNN held to older instructions, TensorFlow would ask the real processor whether it has products in
# bfloat16, and then oneDNN, which may not use them any more: the process would end. So it must not ask.
MACHINES = {
    "here": {},
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "SSE41": {"ONEDNN_MAX_CPU_ISA": "SSE41", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "one_thread": kept.ONE_THREAD,
}


def failures(paths, python, folder, settings):
    """Compare each lesson, unless it is kept that it passed, and say what came of each.

    Args:
        paths: the lessons.
        python: the Python of the environment.
        folder: where what passed is kept.
        settings: environment variables for the lessons.

    Returns:
        The names of the lessons that failed.
    """
    asked = subprocess.run([python, "-c", INSTALLED], check=True, capture_output=True, text=True)
    installed = json.loads(asked.stdout)
    print(*(f"{name} {installed[name]}" for name in ("Python", *SHOWN)), sep=", ", flush=True)
    options = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["pytest"]
    patterns = (lessons.ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8")
    alike = settings, installed, kept.package(), options, patterns
    cases = {
        kept.name(path, path.read_text(encoding="utf-8"), alike): (run_one, python, path, settings)
        for path in paths
    }
    return kept.failures(cases, folder)


def run_one(python, path, settings):
    """Compare one lesson with its stored outputs, strictly as `make test` does.

    Returns:
        A dict with the `lesson`, what is `said` of it, and in `failed` the end of a report with a fault.
    """
    begun = time.monotonic()
    done = subprocess.run(
        [
            *(python, "-m", "pytest", "--quiet", "--color=no", "--no-header", "--tb=short"),
            *("-p", "no:cacheprovider", f"--config-file={PROJECT}", f"--rootdir={lessons.ROOT}", path),
        ],
        cwd=lessons.ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    report = done.stdout.strip().splitlines()[-REPORT_LINES:] if done.returncode else []
    return {"lesson": lessons.name_of(path), "said": f"{time.monotonic() - begun:.0f} s", "failed": report}
