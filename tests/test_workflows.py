"""The Makefile, the workflows and .ci/run: every command is a target, and every version is tested."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from small_lessons import write

from tools.lessons import ROOT

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in (ROOT / ".github/workflows").glob("*.yml")
}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RULES = {
    name: needs
    for names, needs in re.findall(r"^([a-z ]+):([^=\n]*)$", MAKEFILE, re.MULTILINE)
    for name in names.split()
}
WITHOUT_MAKE = {"address", "site"}  # tests/test_address.py and tests/test_site.py look at them
JOBS = [job for name in WORKFLOWS if name not in WITHOUT_MAKE for job in WORKFLOWS[name]["jobs"].values()]


def jobs(name):
    return list(WORKFLOWS[name]["jobs"].values())


def matrix(job):
    return job["strategy"]["matrix"]["include"]


def runs(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def python(job):
    (step,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python"))
    return step["with"]["python-version"]


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True).stdout


def test_every_target_is_named_by_help_and_sets_up_first():
    targets = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()
    assert sorted(RULES) == sorted(targets)
    said = make("help")
    assert make() == said
    assert [name for name in RULES if f"make {name}" not in said] == ["help", "setup"]
    assert [name for name, needs in RULES.items() if needs.strip() != "setup"] == ["help", "setup"]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_target_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(" ".join(re.findall(r"(?:`|^|_SEED=\d )make ([a-z ]+)", text, re.MULTILINE)).split())
    assert {"lab", "test", "quick", "save"} <= named <= RULES.keys()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["name"])
def test_every_step_is_a_target_with_the_python_and_the_versions_of_the_matrix(job):
    actions = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
    assert actions == ["actions/checkout", "actions/setup-python"]
    assert runs(job)
    assert all(re.fullmatch(rf"make ({'|'.join(RULES)})( [A-Z]+=\S+)*", run) for run in runs(job))
    assert job["env"] == {"PYTHON": "python", "VERSIONS": "${{ matrix.versions }}"}
    assert python(job).split()[-3:] == ["${{", "matrix.python", "}}"]
    assert job["runs-on"] == "${{ matrix.machine }}"
    assert {entry["versions"] for entry in matrix(job)} <= {"stored", "newest", "colab", "nightly"}


def fitting_pythons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    fits = SpecifierSet(project["requires-python"])
    return [f"3.{minor}" for minor in range(30) if f"3.{minor}" in fits]


def test_each_python_is_tested_with_the_stored_versions():
    entries = [entry for job in jobs("test") for entry in matrix(job)]
    tested = {entry["python"] for entry in entries if entry["versions"] == "stored"}
    assert sorted(tested) == fitting_pythons()
    assert {entry["machine"] for entry in entries} == {"ubuntu-latest", "macos-latest"}


def commands(name):
    """Which command is run with which versions."""
    return {(run, entry["versions"]) for job in jobs(name) for entry in matrix(job) for run in runs(job)}


def test_what_is_run_on_push_what_weekly_and_what_on_a_tag():
    on = {name: workflow[True] for name, workflow in WORKFLOWS.items()}  # YAML reads the key `on` as true
    assert set(on["test"]) == {"push", "pull_request"}
    assert {("make test", versions) for versions in ("stored", "newest", "colab")} <= commands("test")
    assert set(on["weekly"]) == {"schedule", "workflow_dispatch"}
    assert commands("weekly") == {
        ("make test", "newest"),
        ("make test", "nightly"),
        ("make seeds SEEDS=1,2", "stored"),
        ("make records CHECK=1", "stored"),
        ("make mutants", "stored"),
        ("make colab", "stored"),
    }
    assert on["release"]["push"] == {"tags": ["v*"]}
    assert commands("release") == {("make matrix", "stored")}


def test_the_matrix_finds_each_python():
    (job,) = jobs("release")
    wanted = python(job).replace("${{ matrix.python }}", matrix(job)[0]["python"])
    assert wanted.split() == fitting_pythons()


@pytest.mark.parametrize("exit_code", [0, 2])
def test_ci_ends_in_the_closing_line_and_has_the_exit_code(tmp_path, exit_code):
    ci = write(tmp_path, ".ci/run", (ROOT / ".ci/run").read_text())
    recipe = f"@echo '=== 3 passed in 1.25s ==='; echo later; exit {exit_code}"
    write(tmp_path, "Makefile", f"test:\n\t{recipe}\n")
    result = subprocess.run(["bash", ci], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "=== 3 passed in 1.25s ==="
    assert result.returncode == exit_code


def test_ci_can_be_executed():
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert (ROOT / "tools/setup.sh").stat().st_mode & 0o111
