"""The Makefile, the workflows and .ci/run: every step is a target, and every version is tested."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools.lessons import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()
VERSIONS = re.search(r"^    ([a-z |]+)\) ;;$", (ROOT / "tools/setup.sh").read_text(), re.MULTILINE)[1].split(
    " | "
)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path):
    return list(load(path)["jobs"].values())


def matrix(path):
    return [entry for job in jobs(path) for entry in job["strategy"]["matrix"]["include"]]


def named(name):
    (path,) = (path for path in WORKFLOWS if path.name == name)
    return path


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_every_target_has_a_rule_and_help_names_it():
    rules = re.findall(r"^(\w+):(?!=)", MAKEFILE, re.MULTILINE)
    assert sorted(rules) == sorted(TARGETS)
    said = make("help").stdout
    assert [name for name in TARGETS if name not in ("help", "setup") and f"make {name}" not in said] == []


def test_help_is_what_make_says_by_itself():
    assert make().stdout == make("help").stdout


def test_every_target_but_help_sets_up_first():
    rules = dict(re.findall(r"^(\w+):(?!=)(.*)$", MAKEFILE, re.MULTILINE))
    assert {name for name, needs in rules.items() if needs.strip() != "setup"} == {"help", "setup"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_is_a_target(path):
    for job in jobs(path):
        actions = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
        assert actions == ["actions/checkout", "actions/setup-python"]
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert runs
        assert [
            run for run in runs if not re.fullmatch(rf"make ({'|'.join(TARGETS)})( [A-Z]+=\S+)*", run)
        ] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_runs_the_python_and_the_versions_of_its_matrix(path):
    for job in jobs(path):
        assert job["env"] == {"PYTHON": "python", "VERSIONS": "${{ matrix.versions }}"}
        (python,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python"))
        assert python["with"]["python-version"].split()[-3:] == ["${{", "matrix.python", "}}"]
        assert job["runs-on"] == "${{ matrix.machine }}"
    assert {entry["versions"] for entry in matrix(path)} <= set(VERSIONS)


def fitting_pythons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    fits = SpecifierSet(project["requires-python"])
    return [f"3.{minor}" for minor in range(30) if f"3.{minor}" in fits]


def test_each_python_is_tested_with_the_stored_versions():
    entries = matrix(named("test.yml"))
    tested = {entry["python"] for entry in entries if entry["versions"] == "stored"}
    assert sorted(tested) == fitting_pythons()
    assert {entry["machine"] for entry in entries} == {"ubuntu-latest", "macos-latest"}


def commands(path):
    """Which command is run with which versions."""
    return {
        (step["run"], entry["versions"])
        for job in jobs(path)
        for entry in job["strategy"]["matrix"]["include"]
        for step in job["steps"]
        if "run" in step
    }


def test_what_is_run_on_push_what_weekly_and_what_on_a_tag():
    # YAML reads the key `on` as true.
    assert set(load(named("test.yml"))[True]) == {"push", "pull_request"}
    assert {("make test", versions) for versions in ("stored", "newest", "colab")} <= commands(
        named("test.yml")
    )
    assert set(load(named("weekly.yml"))[True]) == {"schedule", "workflow_dispatch"}
    assert commands(named("weekly.yml")) == {
        ("make test", "newest"),
        ("make test", "nightly"),
        ("make seeds SEEDS=1,2", "stored"),
        ("make mutants", "stored"),
        ("make colab", "stored"),
    }
    assert load(named("release.yml"))[True]["push"] == {"tags": ["v*"]}
    assert commands(named("release.yml")) == {("make matrix", "stored")}


def test_the_matrix_finds_each_python():
    (job,) = jobs(named("release.yml"))
    wanted = job["steps"][1]["with"]["python-version"].replace(
        "${{ matrix.python }}", matrix(named("release.yml"))[0]["python"]
    )
    assert wanted.split() == fitting_pythons()


@pytest.mark.parametrize("exit_code", [0, 2])
def test_ci_ends_in_the_closing_line_and_has_the_exit_code(tmp_path, exit_code):
    ci = tmp_path / ".ci/run"
    ci.parent.mkdir()
    ci.write_text((ROOT / ".ci/run").read_text())
    recipe = f"@echo '=== 3 passed in 1.25s ==='; echo later; exit {exit_code}"
    (tmp_path / "Makefile").write_text(f"test:\n\t{recipe}\n")
    result = subprocess.run(["bash", ci], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "=== 3 passed in 1.25s ==="
    assert result.returncode == exit_code


def test_ci_can_be_executed():
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert (ROOT / "tools/setup.sh").stat().st_mode & 0o111
