"""tools/lab.py: JupyterLab opens at the first lesson, also where there is no display, and ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from tools import lab, lessons

START_SECONDS = 120


@pytest.fixture
def served(tmp_path):
    """A JupyterLab on a free port, without a browser: its process, and a function that reads its output."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    output = tmp_path / "output"
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path) for kind in ("CONFIG", "DATA", "RUNTIME")}
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.lab", f"--port={port}"],
            cwd=lessons.ROOT,
            env={**os.environ, **folders, "COURSE_NO_BROWSER": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    yield process, output.read_text
    if process.poll() is None:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
        process.wait()


def printed_address(process, read):
    """Wait until the address is printed, and return it."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\S+token=\w+", read())
        if found:
            return found[0]
        time.sleep(0.2)
    return pytest.fail(f"JupyterLab printed no address:\n{read()}")


def test_the_first_lesson_opens_and_nothing_stays_behind(served):
    process, read = served
    url = printed_address(process, read)
    first = lessons.find()[0].name
    assert f"/lab/tree/notebooks/{first}?token=" in url
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        assert "JupyterLab" in answer.read().decode()
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert [child for child in children if child.is_running()] == []


def test_options_name_the_lesson_and_root_is_allowed(monkeypatch):
    monkeypatch.setattr(lab, "is_root", lambda: True)
    monkeypatch.setattr(lab, "can_open_browser", lambda: False)
    options = lab.options(lessons.NOTEBOOKS / "01_embedding.ipynb")
    assert "--LabApp.default_url=/lab/tree/notebooks/01_embedding.ipynb" in options
    assert {"--allow-root", "--no-browser"} <= set(options)


def test_options_open_a_browser_where_one_can(monkeypatch):
    monkeypatch.setattr(lab, "is_root", lambda: False)
    monkeypatch.setattr(lab, "can_open_browser", lambda: True)
    options = lab.options(lessons.NOTEBOOKS / "01_embedding.ipynb")
    assert not {"--allow-root", "--no-browser"} & set(options)


@pytest.mark.parametrize(
    ("environment", "system", "can"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"BROWSER": "wslview"}, "linux", True),
        ({"DISPLAY": ":0", "COURSE_NO_BROWSER": "1"}, "linux", False),
        ({}, "darwin", True),
        ({"COURSE_NO_BROWSER": "1"}, "darwin", False),
    ],
)
def test_a_browser_needs_a_display_on_linux(environment, system, can):
    assert lab.can_open_browser(environment, system) is can
