"""What takes longer to measure than a lesson may: `make records` measures it once, a lesson draws it.

A record is two files in this folder. Its recipe, such as `forget_bias.py`, has

- `LESSON`: the number of the lesson that draws it;
- `PARTS`: the settings of each part, in a list of dicts; what is measured over seeds has a setting `seed`;
- `make(**settings)`: it measures one part, in ten minutes at most, and returns a dict of figures, each a
  number or a list, also of lists; one part may also return `"weights"`, a dict from names to arrays;
- `WITHIN`: how far apart, on average, each figure may be when a part is made anew, on another machine.

What came of all parts stands beside it, in `forget_bias.json`, with the versions that made it and a key of
the code that it depends on. Weights stand there with their shapes, as float16 in base64.
`statements.json` is no record: `make claims` writes it.
"""

import base64
import json
import runpy
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def read(name, figure=None):
    """Read what a record has measured, as `plotting.curves` draws it: each setting as a band over seeds.

    Args:
        name: the record, such as "forget_bias".
        figure: what was measured, such as "accuracy"; it can be left out where there is one alone.

    Returns:
        A dict from the setting that varies (a tuple where several do, () where none does) to an array
        `(seeds, ...)`.

    Raises:
        ValueError: there is no record or no figure of that name, or the record is not whole.
    """
    parts = load(name)["parts"]
    figures = list(parts[0]["figures"])
    if figure is None and len(figures) == 1:
        (figure,) = figures
    if figure not in figures:
        raise ValueError(f"`figure` must be one of {', '.join(figures)}. Received: figure={figure!r}")
    settings = [part["settings"] for part in parts]
    varying = [each for each in settings[0] if len({repr(part[each]) for part in settings}) > 1]
    names = [each for each in varying if each != "seed"]
    found = {}
    for part in parts:
        setting = tuple(part["settings"][each] for each in names)
        found.setdefault(setting[0] if len(names) == 1 else setting, []).append(part["figures"][figure])
    return {setting: np.array(values) for setting, values in found.items()}


def weights(name):
    """Read the weights that a record holds: a dict from names to arrays of float32, in their stored order.

    Raises:
        ValueError: there is no record of that name, it is not whole, or it holds no weights.
    """
    held = [part["weights"] for part in load(name)["parts"] if "weights" in part]
    if not held:
        raise ValueError(f"`name` must be a record that holds weights. Received: name={name!r}")
    return {
        each: np.frombuffer(base64.b64decode(array["float16"]), "<f2")
        .astype("float32")
        .reshape(array["shape"])
        for each, array in held[0].items()
    }


def names():
    """Return the names of all records."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def recipe(name):
    """Return what the recipe of a record defines, by its names.

    Raises:
        ValueError: there is no record of that name.
    """
    if name not in names():
        raise ValueError(f"`name` must be a record: {', '.join(names())}. Received: name={name!r}")
    return runpy.run_path(str(FOLDER / f"{name}.py"))


def load(name):
    """Return the stored record as it is: its `key`, and its `parts` with `settings`, `figures`, `made_with`.

    Raises:
        ValueError: there is no record of that name, or it is not whole.
    """
    defined, file = recipe(name), FOLDER / f"{name}.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        made = [part["settings"] for part in record["parts"] if part["figures"]]
        missing = [settings for settings in defined["PARTS"] if settings not in made]
        fault = f"it lacks the part {missing[0]}" if missing else "" if record["key"] else "it has no key"
    except FileNotFoundError:
        fault = "it is not made yet"
    except (KeyError, TypeError, ValueError) as error:
        fault = f"its file is damaged, {error!r}"
    if fault:
        raise ValueError(
            f"This record is not whole: {fault}. Run `make records N={defined['LESSON']}`. "
            f"Received: name={name!r}"
        )
    return record
