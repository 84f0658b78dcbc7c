"""tools/lab.py: JupyterLab opens at a copy of the first lesson, display or not; what a reader wrote stays."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from small_lessons import code, printed, store

from tools import lab, lessons

START_SECONDS = 120
NAME = "evidence/02_rnn.ipynb"
STORED = "stored"


def write(path, text, output=STORED):
    """Write a notebook of one cell; take it away where `text` is `None`."""
    cell = code(text or "", outputs=[printed(output)])
    cell.id = "one"  # what says the same is the same file
    store(path.parent, path.name, cell)
    if text is None:
        path.unlink()


def read(folder):
    """Return text and output of each notebook in `folder`; the new one comes after the old."""
    paths = sorted(folder.glob("*.ipynb"), reverse=True)
    return [(cell.source, cell.outputs[0].text) for path in paths for cell in lessons.read(path).cells]


@pytest.fixture
def course(tmp_path):
    """A lesson, its copy, and a function that brings the copy up to date and returns what it says of it."""
    stored, copies = tmp_path / "notebooks", tmp_path / "my_lessons"
    write(stored / NAME, "old")
    lab.copy_lessons(stored, copies)
    return stored / NAME, copies / NAME, lambda: lab.copy_lessons(stored, copies)[1:]


@pytest.mark.parametrize(
    ("copy_is", "lesson_is", "copies_then", "said"),
    [
        (["old", "run"], ["old"], [("old", "run")], ""),
        (["old", "run"], ["new"], [("new", STORED)], "replaced"),
        (["old"], ["old", "run anew"], [("old", "run anew")], "replaced"),
        (["old"], [None], [], "removed"),
        (["mine"], ["old"], [("mine", STORED)], ""),
        (["mine"], ["old", "run anew"], [("mine", STORED)], ""),
        (["mine"], ["new"], [("mine", STORED), ("new", STORED)], "stays"),
        (["mine"], [None], [("mine", STORED)], ""),
        ([None], ["old"], [("old", STORED)], ""),
    ],
)
def test_a_copy_follows_its_lesson_until_the_reader_writes_in_it(
    course, copy_is, lesson_is, copies_then, said
):
    lesson, copy, update = course
    write(copy, *copy_is)
    write(lesson, *lesson_is)
    lines = "".join(update())
    assert lines == "" if said == "" else said in lines
    assert update() == []
    assert read(copy.parent) == copies_then


def test_the_new_lesson_has_a_dated_name_and_itself_follows_until_the_reader_writes_in_it(course):
    lesson, copy, update = course
    write(copy, "mine")
    for text in ("new", "newer"):
        write(lesson, text)
        name = re.search(r"02_rnn \(new \d{4}-\d\d-\d\d\)\.ipynb", *update())[0]
        assert read(copy.parent) == [("mine", STORED), (text, STORED)]
    write(copy.with_name(name), "also mine")
    write(lesson, "newest")
    update()
    assert {("mine", STORED), ("also mine", STORED)} <= set(read(copy.parent))


@pytest.mark.parametrize("damaged", [b'{"cells": [', b"[]", b'{"cells": [1]}', b"\xff"])
def test_a_damaged_copy_stays_even_where_it_is_forgotten_what_was_copied(course, damaged):
    _, copy, update = course
    copy.write_bytes(damaged)
    shutil.rmtree(copy.parent.parent / lab.AS_COPIED)
    assert "stays" in update()[0]
    assert update() == []
    assert copy.read_bytes() == damaged


def test_authors_open_the_stored_lessons_and_a_layout_with_a_lesson_stays(monkeypatch, tmp_path):
    launched = []
    monkeypatch.setattr("jupyterlab.labapp.LabApp.launch_instance", launched.append)
    monkeypatch.setattr(lab, "copy_lessons", lambda: pytest.fail("copies were made"))
    monkeypatch.setattr(lab, "LAYOUTS", tmp_path)
    lab.main(["--edit", "--port=9000"])
    assert f"--ServerApp.root_dir={lessons.ROOT}" in launched[0]
    assert "--allow-root" in launched[0]
    assert launched[0][-1] == "--port=9000"
    assert "--edit" not in launched[0]
    (layout,) = tmp_path.rglob("*.jupyterlab-workspace")
    first = f'"notebook:notebooks/{lessons.find()[0].name}"'
    for before, stays in ((f'{{"data": {{{first}: {{}}}}}}', True), ('{"data": {}}', False)):
        layout.write_text(before)
        lab.main(["--edit"])
        assert first in layout.read_text()
        assert (layout.read_text() == before) is stays


@pytest.fixture
def served(tmp_path):
    """A small course, JupyterLab in it, without a browser, and a function that gives what it has printed."""
    course, output = tmp_path / "course", tmp_path / "output"
    write(course / "notebooks/01_embedding.ipynb", "old")
    shutil.copytree(lessons.ROOT / "tools", course / "tools")
    shutil.copy(lessons.ROOT / ".gitignore", course)
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path) for kind in ("CONFIG", "DATA", "RUNTIME")}
    settings = {**os.environ, **folders, "COURSE_NO_BROWSER": "1"}
    command = [sys.executable, "-m", "tools.lab"]
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=course, env=settings, stdout=file, stderr=file)
    yield course, process, output.read_text
    if process.poll() is None:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
        process.wait()


def address(process, text):
    """Wait until the address is printed, and return it in two parts."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"(http://127\.0\.0\.1:\d+/)lab(\?token=\w+)", text()):
            return found.groups()
        time.sleep(0.2)
    return pytest.fail(f"JupyterLab printed no address:\n{text()}")


@pytest.mark.slow
def test_a_copy_of_the_first_lesson_opens_and_git_sees_nothing_of_it(served):
    course, process, text = served
    server, token = address(process, text)

    def ask(page, **options):
        request = urllib.request.Request(server + page + token, **options)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    assert "JupyterLab" in ask("lab")
    layout = json.loads(ask("lab/api/workspaces/default"))["data"]
    shown = layout["layout-restorer:data"]
    assert layout[shown["main"]["current"]]["data"]["path"] == "01_embedding.ipynb"
    assert (shown["left"]["current"], shown["left"]["collapsed"]) == ("@jupyterlab/toc:plugin", False)
    asked = json.loads(ask("lab/api/settings/@jupyterlab/apputils-extension:notification"))
    assert asked["schema"]["properties"]["fetchNews"]["default"] == "false"

    lesson = json.loads(ask("api/contents/01_embedding.ipynb"))
    lesson["content"]["cells"][0]["source"] = "mine"
    ask("api/contents/01_embedding.ipynb", data=json.dumps(lesson).encode(), method="PUT")
    assert read(course / "my_lessons") == [("mine", STORED)]
    assert f"are in {course / 'my_lessons'}." in text()
    subprocess.run(["git", "init", "--quiet"], cwd=course, check=True)
    seen = subprocess.check_output(["git", "status", "--porcelain"], cwd=course, text=True).split()[1::2]
    assert set(seen) == {".gitignore", "notebooks/", "tools/"}

    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert [child for child in children if child.is_running()] == []


@pytest.mark.parametrize("opens", [True, False])
def test_a_browser_opens_where_one_can(monkeypatch, tmp_path, opens):
    monkeypatch.setattr(lab, "can_open_browser", lambda: opens)
    assert ("--no-browser" in lab.options(tmp_path, tmp_path)) is not opens


def test_a_browser_needs_a_display_on_linux():
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        assert lab.can_open_browser({name: ":0"}, "linux")
        assert not lab.can_open_browser({name: ":0", "COURSE_NO_BROWSER": "1"}, "linux")
    assert not lab.can_open_browser({}, "linux")
    assert lab.can_open_browser({}, "darwin")
    assert not lab.can_open_browser({"COURSE_NO_BROWSER": "1"}, "darwin")
