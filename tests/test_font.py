"""Korean is drawn in every figure, by a font that comes with the course; stored pictures are sharp."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from nbformat import v4
from PIL import Image
from small_lessons import code

from course_utils import diagrams, plotting
from tools import font, lessons

pytestmark = pytest.mark.usefixtures("styled_figures")
EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
OF_THE_COURSE = "*.md", "docs/*.md", "notebooks/**/*.ipynb", "course_utils/**/*.py", "course_utils/**/*.json"
KOREAN_PICTURES = {
    "curves": lambda: plotting.curves([1, 2], {"저는": [1, 2]}, "걸음", "손실", "제목", level=(1, "우연")),
    "heatmap": lambda: plotting.heatmap([[1, 2]], ["강사"], ["저는", "입니다"], "열", "행", "제목", "값"),
    "attention map": lambda: plotting.attention_map(np.eye(2), ["저는", "강사"], ["나", "선생"], "제목"),
    "unrolled": lambda: diagrams.unrolled(["저는", "강사"], title="제목"),
    "cell": lambda: diagrams.lstm_cell(title="망각 게이트"),
}


def pixels(text, **settings):
    """What a text looks like."""
    figure = plt.figure(figsize=(5, 1), layout="none")
    figure.text(0.05, 0.4, text, fontsize=30, **settings)
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())


def letters(path=plotting.KOREAN):
    return {chr(code) for code in TTFont(path).getBestCmap()}


def test_the_font_is_the_one_that_the_program_makes():
    stamp = json.loads((font.FOLDER / font.STAMP).read_text(encoding="utf-8"))
    stored = plotting.KOREAN.read_bytes()
    assert stamp == {"source": font.SOURCE, "key": font.key(), "sha256": hashlib.sha256(stored).hexdigest()}
    assert letters() == set(font.characters())
    assert len(stored) < 1_000_000


def test_the_font_has_what_the_course_writes_and_what_a_reader_may():
    paths = [path for pattern in OF_THE_COURSE for path in lessons.ROOT.glob(pattern)]
    written = {each for path in paths for each in EAST_ASIAN.findall(path.read_text(encoding="utf-8"))}
    assert set("저는 강사입니다 게이트 年月日").difference(" ") <= written
    assert written - letters() == set()
    assert set("훈민정음 뷰어 펩시 쥬라기 줴 ㄱㅏ ㅋㅋ 「」、。\uff5e\uff01㉠㈜").difference(" ") <= letters()


def test_a_font_without_a_letter_is_refused():
    with open(font_manager.findfont("DejaVu Sans"), "rb") as file:
        latin = file.read()
    with pytest.raises(ValueError, match=r"every character\. Received: .*가각간"):
        font.make(latin)


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_korean_is_drawn_by_this_font_and_no_box_stands_for_it(weight, caplog):
    drawn = pixels("저는", weight=weight)
    assert not caplog.records
    np.testing.assert_array_equal(drawn, pixels("저는", font=plotting.KOREAN))
    with pytest.warns(UserWarning, match="missing from font"):
        boxes = pixels("\ue123\ue124")
    assert (drawn != boxes).any()
    assert (drawn != pixels("강사", weight=weight)).any()


@pytest.mark.parametrize("text", ["Latin 0.5 \u22121 ✓", r"a formula: $h_t = \tanh(W x_t)$"])
@pytest.mark.parametrize("settings", [{}, {"weight": "bold"}, {"style": "italic"}, {"family": "monospace"}])
def test_other_letters_are_drawn_as_ever(text, settings, caplog):
    drawn = pixels(text, **settings)
    plt.rcParams["font.family"] = plt.rcParamsDefault["font.family"]
    np.testing.assert_array_equal(drawn, pixels(text, **settings))
    assert (drawn != pixels("")).any()
    assert not caplog.records


@pytest.mark.parametrize("draw", KOREAN_PICTURES.values(), ids=KOREAN_PICTURES)
def test_pictures_write_korean(draw, caplog):
    draw().figure.canvas.draw()  # a letter that is missing would be warned of, which is an error here
    assert not caplog.records


def test_the_font_and_its_licence_are_installed_with_the_course(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(lessons.ROOT / name, tmp_path)
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(lessons.ROOT / "course_utils", tmp_path / "course_utils", ignore=unwanted)
    build = "from setuptools.build_meta import build_wheel; build_wheel('wheels')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("wheels/*.whl")
    with zipfile.ZipFile(wheel) as files:
        assert files.read(f"course_utils/fonts/{font.FONT}") == plotting.KOREAN.read_bytes()
        licence = files.read(f"course_utils/fonts/{font.LICENCE}").decode()
        copy = f".dist-info/licenses/course_utils/fonts/{font.LICENCE}"  # where tools look for licences
        assert [name for name in files.namelist() if name.endswith(copy)]
    names = TTFont(plotting.KOREAN)["name"]
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "SIL Open Font License" in names.getDebugName(13)
    reserved = re.search(r"Reserved Font Name '(\w+)'", licence)[1]
    assert reserved in names.getDebugName(0)  # the copyright
    assert reserved not in names.getDebugName(4)


def blurred(notebook):
    """The pictures with less than two pixels for each of a screen: their cell, and both widths."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                width = Image.open(io.BytesIO(base64.b64decode(picture))).width
                shown = output.metadata.get("image/png", {}).get("width", width)
                found += [(number, width, shown)] if width < 2 * shown else []
    return found


@pytest.mark.parametrize("path", lessons.find(), ids=lessons.name_of)
def test_stored_pictures_have_two_pixels_for_each_of_a_screen(path):
    assert blurred(lessons.read(path)) == []


@pytest.mark.parametrize(("shown", "is_blurred"), [({"width": 4}, False), ({"width": 5}, True), ({}, True)])
def test_a_blurred_picture_is_found(shown, is_blurred):
    with io.BytesIO() as file:
        Image.new("RGB", (9, 9)).save(file, "PNG")
        picture = base64.b64encode(file.getvalue()).decode()
    output = {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {"image/png": shown}}
    shows = code("plt.show()", outputs=[nbformat.from_dict(output)])
    found = blurred(v4.new_notebook(cells=[code("1"), shows]))
    assert found == [(1, 9, shown.get("width", 9))] * is_blurred
