"""tools/address.py and its workflow: one address in every place and no other; a copy takes its own."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from small_lessons import code, markdown, store, write

from tools import address, lab, lessons

HERE = address.stated()
OTHER = address.Address("https://github.com/a-school/our.fork", "2027/spring")
NOTEBOOKS = "notebooks/01_a.ipynb", "notebooks/evidence/01_a.ipynb"
SAID = "print('https://github.com/x/y')"
README = """\
[![tests](https://github.com/x/y/actions/workflows/test.yml/badge.svg)](https://github.com/x/y/actions/workflows/test.yml)
[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/x/y/blob/main/notebooks/01_a.ipynb)

    git clone https://github.com/x/y
    cd y

Compare [another repository](https://github.com/keras-team/keras/blob/master/README.md).
"""


@pytest.fixture
def root(tmp_path):
    """A small course with the address x/y in the README and another in its notebooks, then stamped."""
    write(tmp_path, "README.md", README)
    write(tmp_path, "pyproject.toml", (lessons.ROOT / "pyproject.toml").read_text())
    for path in NOTEBOOKS:
        title = (
            f"# 01\n\n[![badge](b.svg)](https://colab.research.google.com/github/old/name/blob/v1.0/{path})"
        )
        store(tmp_path, path, markdown(title), code("old", "setup", count=1), code(SAID))
    address.change(tmp_path)
    return tmp_path


def texts(root):
    return {path: path.read_text() for path in address.stamped_files(root)}


@pytest.mark.parametrize("path", address.stamped_files(lessons.ROOT), ids=lambda path: path.name)
def test_the_repository_equals_its_stamped_form(path):
    text = path.read_text(encoding="utf-8")
    assert address.stamp(path.name, text, HERE) == text, "run make address"


def test_stamping_changes_every_place_and_nothing_else_and_is_undone_by_stamping_back(root):
    before = texts(root)
    changed = address.change(root, OTHER.url, OTHER.revision)
    assert [path.name for path in changed] == ["pyproject.toml", "README.md", "01_a.ipynb", "01_a.ipynb"]
    assert address.stated(root) == OTHER
    readme = (root / "README.md").read_text()
    assert readme.count("https://github.com/a-school/our.fork/actions/workflows/test.yml") == 2
    assert "git clone https://github.com/a-school/our.fork\n    cd our.fork\n" in readme
    assert "https://github.com/keras-team/keras/blob/master" in readme
    assert "/github/a-school/our.fork/blob/2027/spring/notebooks/01_a.ipynb)" in readme
    for path in NOTEBOOKS:
        title, setup, said = lessons.read(root / path).cells
        assert f"/github/a-school/our.fork/blob/2027/spring/{path})" in title.source
        assert setup.source == address.setup_cell(OTHER)
        assert setup.execution_count == 1
        assert said.source == SAID
    assert "git+https://github.com/a-school/our.fork@2027/spring" in setup.source
    assert not any(HERE.repository in text for text in texts(root).values())

    assert address.change(root) == []
    address.change(root, HERE.url, HERE.revision)
    assert texts(root) == before


@pytest.mark.parametrize("ending", ["/", ".git", ".git/"])
def test_each_part_can_be_changed_alone_and_the_address_given_as_it_is_copied(root, ending):
    address.change(root, revision="v2")
    assert address.stated(root) == address.Address(HERE.url, "v2")
    address.change(root, OTHER.url + ending)
    assert address.stated(root) == address.Address(OTHER.url, "v2")


def test_the_set_up_cell_is_formatted_however_long_the_address(tmp_path):
    for length in range(1, 40):
        own = address.Address(f"https://github.com/{'a' * length}/rnn-to-self-attention", "main")
        write(tmp_path, f"{length}.py", address.setup_cell(own) + "\n")
    settings = ("--no-cache", "--config", lessons.ROOT / "pyproject.toml", tmp_path)
    for command in (["format", "--check"], ["check", "--select", "E501"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


OWNER = "https://github.com/a"
NO_URLS = ("github.com/a/b", OWNER, "https://gitlab.com/a/b", f"{OWNER}/b/tree/main", f"{OWNER}/b'")
NO_REVISIONS = ("two words", "-option", "a..b")


@pytest.mark.parametrize("wrong", [{"url": x} for x in NO_URLS] + [{"revision": x} for x in NO_REVISIONS])
def test_what_is_no_address_is_refused_and_changes_nothing(root, wrong):
    before = texts(root)
    with pytest.raises(ValueError, match="Received: "):
        address.change(root, **wrong)
    assert texts(root) == before


def test_the_command_says_what_is_wrong_in_one_line():
    said = address.main(["--url", "nowhere"])
    assert said == "URL must be like https://github.com/owner/name. Received: URL=nowhere"


def test_every_notebook_is_stamped():
    assert address.stamped_files(lessons.ROOT)[2:] == lessons.find()


WORKFLOW = yaml.safe_load((lessons.ROOT / ".github/workflows/address.yml").read_text(encoding="utf-8"))
(JOB,) = WORKFLOW["jobs"].values()
MESSAGE = "Badges and set-up cells name a-school/our.fork"


def git(folder, *arguments):
    """Run git and return what it says, with the settings of nobody."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    names = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", *names, *arguments]
    done = subprocess.run(command, cwd=folder, env=settings, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Copy:
    """A small course on GitHub, here a bare repository, and a clone on somebody's computer."""

    def __init__(self, folder, course):
        for name in ("__init__.py", "address.py"):
            write(course, f"tools/{name}", (lessons.ROOT / "tools" / name).read_text(encoding="utf-8"))
        self.folder, self.github, self.clone = folder, folder / "copy.git", course
        git(folder, "init", "--quiet", "--bare", self.github)
        git(course, "init", "--quiet", "--initial-branch=main")
        git(course, "remote", "add", "origin", self.github)
        self.push("the course")
        # Nothing but Python itself: no package is installed where the workflow runs.
        python = write(folder, "bin/python3", f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
        python.chmod(0o755)

    def push(self, message, branch="main"):
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", "--message", message)
        git(self.clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def happens(self, event="push", ref="refs/heads/main", default="main", meanwhile=lambda: None):
        """Do what GitHub does with the workflow; return whether it passed, None where it has not begun."""
        kind, name = re.fullmatch("refs/(head|tag)s/(.+)", ref).groups()
        settings = {
            "github.ref": ref,
            "github.ref_name": name,
            "github.ref_type": {"head": "branch", "tag": "tag"}[kind],
            "github.repository": "a-school/our.fork",
            "github.server_url": "https://github.com",
            "github.event.repository.default_branch": default,
        }
        on = WORKFLOW[True]  # YAML reads the key `on` as true
        begins = event in on and (event != "push" or kind == "head" or on[event].keys() != {"branches"})
        if not begins or not all(_equal(each, settings) for each in JOB["if"].split(" && ")):
            return None
        checkout, *steps = JOB["steps"]
        assert checkout["uses"].startswith("actions/checkout@")
        runner = self.folder / f"runner {len(list(self.folder.iterdir()))}"
        git(self.folder, "clone", "--quiet", "--depth=1", f"--branch={name}", self.github.as_uri(), runner)
        meanwhile()
        given = {key.replace(".", "_").upper(): text for key, text in settings.items()}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        given |= {"PATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for step in steps:
            command = ["bash", "-e", "-c", step["run"]]
            done = subprocess.run(command, cwd=runner, env=given, capture_output=True, text=True)
            self.said = done.stdout
            if done.returncode:
                return False
        return True

    def commits(self, branch="main"):
        """The messages of all commits on GitHub, the newest first."""
        return git(self.github, "log", "--format=%s", branch).splitlines()

    def stated(self):
        """Bring the clone up to date, and return the address that it states."""
        git(self.clone, "pull", "--quiet", "--ff-only", "origin", "main")
        return address.stated(self.clone)


def _equal(comparison, settings):
    left, right = comparison.split(" == ")
    return settings[left] == (right[1:-1] if right[0] == "'" else settings[right])


@pytest.fixture
def copy(tmp_path, root):
    course = shutil.copytree(root, tmp_path / "clone", ignore=shutil.ignore_patterns("clone"))
    address.change(course, f"https://github.com/{address.PLACEHOLDER}/course", "main")
    return Copy(tmp_path, course)


OWN = address.Address(OTHER.url, "main")


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_a_copy_takes_its_own_address_in_one_commit_and_then_rests(copy, event):
    assert copy.happens(event)
    assert copy.stated() == OWN
    assert address.change(copy.clone) == []
    assert set(git(copy.clone, "show", "--name-only", "--format=").splitlines()) == {
        "pyproject.toml",
        "README.md",
        *NOTEBOOKS,
    }
    assert git(copy.clone, "log", "-1", "--format=%an") == "github-actions[bot]"
    assert copy.happens(event)  # as it would if the commit came from anybody else
    assert copy.commits() == [MESSAGE, "the course"]


def test_a_copy_of_a_copy_takes_its_own_with_the_branch_that_it_has(copy):
    address.change(copy.clone, "https://github.com/another/course", "autumn")
    copy.push("another")
    assert copy.happens()
    assert copy.stated() == OWN
    assert copy.commits() == [MESSAGE, "another", "the course"]


def test_where_the_address_is_its_own_the_chosen_branch_stays_and_what_was_merged_is_stamped(copy):
    address.change(copy.clone, OTHER.url.replace("a-school", "A-School"), "autumn")
    copy.push("own")
    assert copy.happens()
    assert copy.commits() == ["own", "the course"]

    theirs = (copy.clone / NOTEBOOKS[0]).read_text().replace("A-School", "another")
    write(copy.clone, "notebooks/02_b.ipynb", theirs)
    copy.push("merged")
    assert copy.happens()
    assert copy.commits() == [MESSAGE, "merged", "own", "the course"]
    assert git(copy.github, "show", "--name-only", "--format=", "main") == "notebooks/02_b.ipynb"


@pytest.mark.parametrize(
    "there",
    [
        {"event": "pull_request"},
        {"event": "pull_request_target"},
        {"ref": "refs/heads/work"},
        {"event": "workflow_dispatch", "ref": "refs/heads/work"},
        {"ref": "refs/tags/main"},
        {"event": "workflow_dispatch", "ref": "refs/tags/main"},
    ],
    ids=str,
)
def test_nothing_begins_on_a_contributors_branch_on_a_tag_or_in_a_pull_request(copy, there):
    copy.push("mine", branch="work")
    assert copy.happens(**there) is None


def test_the_default_branch_may_have_another_name(copy):
    copy.push("mine", branch="lessons/all")
    assert copy.happens(ref="refs/heads/lessons/all", default="lessons/all")
    assert copy.commits("lessons/all") == [MESSAGE, "mine", "the course"]
    assert copy.commits() == ["the course"]
    assert f'revision = "{"lessons/all"}"' in git(copy.github, "show", "lessons/all:pyproject.toml")


def test_a_push_in_the_meantime_stays_and_it_is_said_what_to_do(copy):
    assert copy.happens(meanwhile=lambda: copy.push("newer")) is False
    assert copy.said == f"::error::The new address cannot be pushed. Run make address URL={OTHER.url}\n"
    assert copy.commits() == ["newer", "the course"]


def test_the_workflow_may_write_contents_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "write"}
    assert "permissions" not in JOB


@pytest.mark.parametrize(
    ("remotes", "page"),
    [
        ({"origin": "https://github.com/a-school/our.fork"}, OTHER.url),
        ({"origin": "https://github.com/a-school/our.fork.git"}, OTHER.url),
        ({"origin": "https://name:secret@github.com/a-school/our.fork/"}, OTHER.url),
        ({"origin": "git@github.com:a-school/our.fork.git"}, OTHER.url),
        ({"origin": "ssh://git@ssh.github.com:443/a-school/our.fork.git"}, OTHER.url),
        ({"above": "https://github.com/x/y", "origin": "git@github.com:a-school/our.fork"}, OTHER.url),
        ({"origin": "/srv/course.git", "teacher": "git@github.com:a-school/our.fork"}, OTHER.url),
        ({"origin": "https://gitlab.com/a-school/our.fork"}, None),
        ({"origin": "https://notgithub.com/a-school/our.fork"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_page_of_a_clone_is_that_of_its_origin_or_else_of_another_remote(tmp_path, remotes, page):
    git(tmp_path, "init", "--quiet")
    for name, url in remotes.items():
        git(tmp_path, "remote", "add", name, url)
    assert address.remote(tmp_path) == page
    inside = tmp_path / "unpacked"
    inside.mkdir()
    assert address.remote(inside) is None


def test_without_git_there_is_no_page(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert address.remote(tmp_path) is None


LINE = f"The badges and first cells have no address yet. Give them yours: make address URL={OTHER.url}\n"


def test_the_owner_of_a_copy_is_reminded_until_it_has_an_address(copy, monkeypatch, capsys):
    monkeypatch.setattr(address.remind, "__defaults__", (copy.clone,))

    def said():
        assert address.main(["--remind"]) == 0
        return capsys.readouterr().out

    assert said() == ""
    git(copy.clone, "remote", "set-url", "origin", OTHER.url)
    assert said() == LINE
    address.change(copy.clone, OTHER.url)
    assert said() == ""


@pytest.mark.parametrize("arguments", [[], ["--edit"]])
def test_make_lab_reminds(copy, monkeypatch, capsys, arguments):
    git(copy.clone, "remote", "set-url", "origin", OTHER.url)
    monkeypatch.setattr(address.remind, "__defaults__", (copy.clone,))
    monkeypatch.setattr(lab, "copy_lessons", list)
    monkeypatch.setattr(lab, "keep_layout", lambda *_: None)
    monkeypatch.setattr("jupyterlab.labapp.LabApp.launch_instance", lambda _: None)
    lab.main(arguments)
    assert LINE in capsys.readouterr().out


@pytest.mark.parametrize("target", ["test", "quick"])
def test_make_test_reminds_last(target):
    command = ["make", "-n", "--no-print-directory", target]  # `make test` runs this, too
    shown = subprocess.run(command, cwd=lessons.ROOT, capture_output=True, text=True).stdout
    assert re.search(r"pytest .+\n\S+python -m tools\.address --remind; \\\nexit \$status\s*$", shown)
