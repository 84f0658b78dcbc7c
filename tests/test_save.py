"""tools/save.py: what is stored, and what is refused."""

import json

import pytest
from small_lessons import code, markdown, store

from tools import lessons, save


def test_a_lesson_is_stored_with_clean_metadata_and_the_same_again(tmp_path):
    cells = (
        markdown("# 02"),
        code("import os\nprint(os.environ['COURSE_SEED'], os.environ['COURSE_QUIET'])", "a-tag", count=9),
        code("print('one')\nprint('two')\n1 + 1"),
    )
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


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise KeyError('why')", "code cell 2 ends in KeyError: 'why'"),
        ("import sys\nprint('oh', file=sys.stderr)", "code cell 2 writes to stderr: oh"),
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


@pytest.mark.parametrize("arguments", [["42"], []])
def test_an_unknown_lesson_is_one_clear_line(tmp_path, arguments):
    store(tmp_path, "02_a.ipynb")
    assert save.main(arguments, tmp_path).startswith("N must be the number of a lesson: 02. Received: N=")


def test_a_tagged_picture_goes_to_docs(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    source = "from IPython.display import Image, display\ndisplay(Image(data=b'dots', format='png'))"
    path = store(folder, "02_a.ipynb", code(source, "picture-curve"), code(source))
    save.save(path)
    assert [file.name for file in (tmp_path / "docs").iterdir()] == ["curve.png"]
    assert (tmp_path / "docs" / "curve.png").read_bytes() == b"dots"
