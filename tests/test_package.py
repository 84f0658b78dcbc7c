"""What holds of the package as a whole: a silent import, and layers that are our own."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import course_utils

PACKAGE = Path(course_utils.__file__).parent
TAUGHT = {
    *("SimpleRNN", "SimpleRNNCell", "LSTM", "LSTMCell", "GRU", "GRUCell", "Bidirectional", "Embedding"),
    *("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention"),
}
LAYER_MODULES = (
    *("_layer", "embedding", "bptt", "fused", "recurrent", "attention", "local_attention", "hard_attention"),
    *(
        "multi_head_attention",
        "blocks",
        "token_model",
        "translator",
        "seq2seq",
        "transformer",
        "language_model",
    ),
)
NAME_TENSORFLOW = ("bptt", "fused")
KNOW_NO_LAYER = ("measure", "plotting", "diagrams", "generation", "data")


def python(code, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def taught_by_keras(tree):
    """Names of Keras layers that the course teaches, wherever a source reaches for them."""
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in TAUGHT
            and ast.unparse(node.value).endswith("layers")
        ):
            found.append(ast.unparse(node))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("keras", "tensorflow")):
            found += [alias.name for alias in node.names if alias.name in TAUGHT]
    return found


def imported(tree):
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return modules


def trees(*names):
    for path in sorted(PACKAGE.rglob("*.py")):
        if not names or path.relative_to(PACKAGE).parts[0].removesuffix(".py") in names:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_import_loads_the_layers_and_nothing_of_the_lessons():
    # Without these packages Keras can be imported too, which looks for Matplotlib by itself.
    done = python(
        "import sys\n"
        "sys.modules |= dict.fromkeys(('matplotlib', 'babel', 'num2words'))\n"
        "import course_utils, keras\n"
        "print(sorted(name for name in sys.modules if name.startswith('course_utils.')))\n"
        "vectors = course_utils.Embedding(2, 1)(keras.ops.ones((1, 1)))\n"
        "print(course_utils.LSTM(3)(vectors).shape, set(course_utils.__all__) <= set(dir(course_utils)))\n"
        "try: course_utils.plotting\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    loaded, shape, said = done.stdout.splitlines()
    layers = {f"course_utils.{name}" for name in LAYER_MODULES}
    also = {f"course_utils.{name}" for name in ("_quiet", "_validation", "generation", "vocabulary")}
    assert set(ast.literal_eval(loaded)) == layers | also
    assert shape == "(1, 3) True"
    assert re.match(r"`course_utils.plotting` needs .*`rnn-to-self-attention\[lessons\]`.*matplotlib", said)


def test_what_lessons_use_is_there_on_demand():
    for name in course_utils.ON_DEMAND:
        assert course_utils.__getattr__(name).__name__.split(".")[-1] == name


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'course_utils' has no attribute 'lstm'"):
        course_utils.lstm  # noqa: B018


@pytest.mark.slow
def test_import_and_start_are_silent_and_harmless_twice_and_the_cpu_is_used():
    done = python(
        "from course_utils import lesson\n"
        "lesson.start(); lesson.start(3)\n"
        "import tensorflow as tf\n"
        "tf.zeros(()); lesson.start(); print(lesson.seed(), tf.config.get_visible_devices('GPU'))",
        COURSE_SEED="",
        TF_CPP_MIN_LOG_LEVEL="",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 []\n", "")


@pytest.mark.slow
def test_start_makes_devices_before_the_first_op_without_a_word_and_says_when_it_is_too_late():
    done = python(
        "import sys; sys.ps1 = '> '\n"  # so TensorFlow takes this for a notebook and says more
        "from course_utils import lesson\n"  # which runs no op, or else there would be one device
        "lesson.start(devices=2); lesson.start(devices=2)\n"
        "import tensorflow as tf\n"
        "devices = [device.name for device in tf.config.list_logical_devices('CPU')]\n"
        "tf.distribute.MirroredStrategy(devices); print(devices)\n"
        "try: lesson.start(devices=3)\n"
        "except RuntimeError as error: print(error)",
        TF_CPP_MIN_LOG_LEVEL="1",  # what JAX sets
    )
    names = ["/device:CPU:0", "/device:CPU:1"]
    late = (
        "TensorFlow has chosen its devices already. Restart the kernel, then call `lesson.start(devices=3)`"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{names}\n{late} first.\n", "")


@pytest.mark.parametrize("wrong", [0, 1.5, None])
def test_start_wants_a_whole_number_of_devices(wrong):
    with pytest.raises(ValueError, match=rf"`devices` must be a whole number.*devices={wrong!r}"):
        course_utils.lesson.start(devices=wrong)


def test_tensorflow_is_not_imported_beforehand_for_another_backend():
    done = python(
        f"import runpy, sys\nrunpy.run_path({str(PACKAGE / '_quiet.py')!r})['import_tensorflow']()\n"
        "print('tensorflow' in sys.modules)",
        KERAS_BACKEND="jax",
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_no_layer_that_is_taught_comes_from_keras():
    for path, tree in trees():
        assert not taught_by_keras(tree), path


@pytest.mark.parametrize(
    "source",
    [
        "keras.layers.LSTM(3)",
        "class A(layers.GRU): pass",
        "from keras.layers import Embedding",
        "x = keras.layers.SimpleRNNCell",
    ],
)
def test_a_layer_from_keras_would_be_found(source):
    assert taught_by_keras(ast.parse(source))


def test_layers_are_written_with_keras_ops_alone():
    for path, tree in trees(*(name for name in LAYER_MODULES if name not in NAME_TENSORFLOW)):
        assert not {name.split(".")[0] for name in imported(tree)} & {"tensorflow", "jax", "torch"}, path


def test_data_measures_and_pictures_know_no_layer():
    for path, tree in trees(*KNOW_NO_LAYER):
        layers = {f"course_utils.{name}" for name in LAYER_MODULES}
        assert not any(name.startswith(tuple(layers)) for name in imported(tree)), path


def test_citation_and_changes_name_the_version():
    root = PACKAGE.parent
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license"} <= citation.keys()
    assert citation["version"] == version
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changes, re.MULTILINE)[0] == version


def test_every_public_name_has_a_docstring():
    for name in course_utils.__all__:
        assert getattr(course_utils, name).__doc__, name
