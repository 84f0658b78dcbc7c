"""tools/save.py: what is stored, and what is refused."""

import base64
import json

import pytest
from PIL import Image
from small_lessons import code, markdown, store

from tools import lessons, save


def test_a_lesson_is_stored_with_clean_metadata_and_the_same_again(tmp_path):
    source = "import os\nprint(os.environ['COURSE_SEED'], os.environ['COURSE_QUIET'])"
    cells = markdown("# 02"), code(source, "a-tag", count=9), code("print('one')\nprint('two')\n1 + 1")
    path = store(tmp_path, "02_a.ipynb", *cells)
    ids = [cell.id for cell in lessons.read(path).cells]
    stored = json.loads(path.read_text())
    stored["metadata"] = {"widgets": {}, "language_info": {"name": "python", "version": "3.9"}}
    stored["cells"][1]["metadata"]["execution"] = {"iopub.status.busy": "2020"}
    path.write_text(json.dumps(stored))

    save.save(path)

    notebook = lessons.read(path)
    assert [cell.id for cell in notebook.cells] == ids
    assert notebook.metadata == save.METADATA
    assert [cell.metadata for cell in notebook.cells] == [{}, {"tags": ["a-tag"]}, {}]
    assert [cell.execution_count for cell in lessons.code_cells(notebook)] == [1, 2]
    assert notebook.cells[1].outputs[0].text == "0 1\n"
    assert "3." not in json.dumps(notebook.metadata)
    assert path.read_text().endswith("}\n")
    once = path.read_bytes()
    save.save(path)
    assert path.read_bytes() == once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise KeyError('why')", "notebooks/02_a.ipynb, cell 1: ends in KeyError: 'why'"),
        ("import sys\nprint('oh', file=sys.stderr)", "cell 1: writes to stderr: oh"),
        ("print('/home/me')", "cell 1: shows a path of a machine: /home/"),
        ("import os\nos._exit(1)", "Kernel died"),
    ],
)
def test_a_lesson_with_a_fault_is_refused_and_left_as_it_was(tmp_path, source, reason):
    path = store(tmp_path, "02_a.ipynb", code("1"), code(source))
    before = path.read_bytes()
    said = save.main(["02"], tmp_path)
    assert reason in said
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "number"), [("02_a.ipynb", "02"), ("evidence/02_a.ipynb", "02e")])
def test_a_tagged_picture_goes_to_docs_with_the_palette_that_is_stored(tmp_path, name, number):
    draw = "from PIL import Image\nImage.new('RGB', (8, 8), 'red')"
    path = store(tmp_path / "notebooks", name, code(draw, "picture-curve"), code(draw))
    assert save.main([number], tmp_path / "notebooks") == 0
    (picture,) = (tmp_path / "docs").iterdir()
    image = Image.open(picture)
    assert (picture.name, image.mode) == ("curve.png", "P")
    assert image.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    stored = lessons.read(path).cells[0].outputs[0].data["image/png"]
    assert base64.b64decode(stored) == picture.read_bytes()
