"""The constraints and environment.yml agree with pyproject.toml and with what is installed."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools.lessons import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+")


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(name):
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines(name)}


def installed_versions():
    """What tools/setup.sh last installed: stored, newest, colab or nightly; None where it did not."""
    stamp = Path(sys.prefix) / "course-stamp"
    return stamp.read_text().splitlines()[0] if stamp.exists() else None


def needed(name, extras=frozenset()):
    """The names of all that a distribution with these extras needs here."""
    found, waiting = set(), [(name, frozenset(extras))]
    while waiting:
        step = waiting.pop()
        if step in found:
            continue
        found.add(step)
        for text in metadata.requires(step[0]) or []:
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in step[1] or {""}):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in found}


def test_constraints_pin_everything_as_installed():
    if installed_versions() != "stored":
        pytest.skip("not the stored versions are installed here")
    names = needed(PROJECT["name"], {"dev"}) - {PROJECT["name"]}
    installed = {name: metadata.version(name) for name in names}
    assert {name: pins("constraints.txt").get(name) for name in names} == installed


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-colab.txt"])
def test_constraints_are_pins_without_address_that_meet_what_the_project_asks_for(name):
    assert [line for line in lines(name) if not PIN.fullmatch(line)] == []
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
    assert len(pins(name)) == len(lines(name))
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    requirements = [Requirement(text) for group in groups for text in group]
    asked = {canonicalize_name(each.name): each.specifier for each in requirements}
    both = asked.keys() & pins(name).keys()
    assert {"keras", "tensorflow", "numpy", "matplotlib", "babel"} <= both
    assert [each for each in both if pins(name)[each] not in asked[each]] == []


def test_environment_is_that_of_the_project_which_gets_all_else_through_pip():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"]
    assert environment["channels"] == ["conda-forge"]
    python, pip, through_pip = environment["dependencies"]
    name, versions = python.split()
    assert (name, pip) == ("python", "pip")
    assert SpecifierSet(versions) == SpecifierSet(PROJECT["requires-python"])
    constraint, project = through_pip["pip"]
    assert constraint == "--constraint constraints.txt"
    extra = re.fullmatch(r"--editable \.\[(\w+)\]", project)[1]
    assert extra in PROJECT["optional-dependencies"]
