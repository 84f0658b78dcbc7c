"""Run a lesson with seed 0 from an empty kernel and store its outputs: the only way they are made."""

import argparse
import base64
import io
import sys

import nbformat
from PIL import Image

from tools import form, lessons

# Without any version, so that the file is the same whichever Python made it.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def main(arguments=None, folder=lessons.NOTEBOOKS):
    """Store the lessons that are named and return the exit code."""
    parser = argparse.ArgumentParser(prog="make save", description=__doc__)
    parser.add_argument("number", nargs="*", metavar="N", help="02 for a lesson, 02e for its evidence")
    options = parser.parse_args(arguments)
    try:
        for path in [path for number in options.number or [""] for path in lessons.find(number, folder)]:
            save(path)
            print(f"Stored {lessons.place_of(path)}.")
    except (ValueError, RuntimeError, TimeoutError) as error:  # the last two: a dead kernel, an endless cell
        return str(error)
    return 0


def save(path):
    """Execute the lesson at `path` and store it there.

    Raises:
        ValueError: a cell ends in an error, writes to stderr or shows a path of this machine; the stored file
            is left as it was.
    """
    settings = {"COURSE_SEED": "0", "COURSE_QUIET": "1", "COURSE_LOG": ""}
    executed = lessons.execute(lessons.read(path), path.parent, settings)
    if faults := list(form.stores_no_faults(form.Stored(path, executed, form.form_of(path)))):
        raise ValueError(f"It is not stored. {faults[0]}")
    lessons.write(path, nbformat.writes(clean(executed)) + "\n")
    docs = path.parents[2 if lessons.is_evidence(path) else 1] / "docs"
    for cell in lessons.code_cells(executed):
        images = lessons.pictures(cell)
        for tag in lessons.tags(cell):
            if images and tag.startswith("picture-"):  # the README shows it
                docs.mkdir(exist_ok=True)
                (docs / f"{tag.removeprefix('picture-')}.png").write_bytes(base64.b64decode(images[-1]))


def clean(notebook):
    """Return `notebook` with the course's metadata only: tags stay, and nothing of a machine or a tool."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": lessons.tags(cell)} if lessons.tags(cell) else {})
        for output in cell.get("outputs", []):
            if "metadata" in output:
                size = {"image/png": output.metadata["image/png"]} if "image/png" in output.metadata else {}
                output.metadata = nbformat.from_dict(size)
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
    nbformat.validate(notebook)
    return notebook


def smaller(picture):
    """Return a PNG, both in base64, with a palette: a plot has few colours."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    plain = Image.alpha_composite(white, image).convert("RGB")
    with io.BytesIO() as file:
        plain.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        return base64.b64encode(file.getvalue()).decode() + "\n"


if __name__ == "__main__":
    sys.exit(main())
