"""What every test, and every lesson under test, starts with."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

# Nobody watches, and a progress bar would be an output that differs from the stored one.
os.environ.setdefault("COURSE_QUIET", "1")


def pytest_addoption(parser):
    """`make quick` tries some cases of each test."""
    parser.addoption("--every", type=int, default=1, help="of a test with many cases, try every Nth alone")


def pytest_configure(config):
    """The patterns of nbval are found from any folder."""
    if path := getattr(config.option, "nbval_sanitize_with", None):
        config.option.nbval_sanitize_with = str(config.rootpath / path)


def pytest_collection_modifyitems(config, items):
    """A test with fewer than N cases loses none, and the first case of each is always tried."""
    step = config.getoption("every")
    cases = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {
        id(item)
        for group in cases.values()
        if len(group) >= step
        for place, item in enumerate(group)
        if place % step
    }
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
    items[:] = [item for item in items if id(item) not in left_out]


@pytest.fixture(autouse=True)
def _determinism_ends_with_the_test():
    """A test that starts a lesson makes TensorFlow deterministic, and Keras then compiles nothing by XLA."""
    yield
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.config import disable_op_determinism, is_op_determinism_enabled

        if is_op_determinism_enabled():
            disable_op_determinism()


@pytest.fixture
def op_by_op():
    """What is compiled elsewhere, `generate` above all, runs without: cheaper where it is called once."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def cases_in_threads(monkeypatch):
    """What `make` does in processes of its own is done in threads, which start faster."""
    from tools import kept

    monkeypatch.setattr(kept, "ProcessPoolExecutor", lambda count, _: ThreadPoolExecutor(count))


@pytest.fixture
def styled_figures():
    """Pictures look as in a lesson, and are closed when the test ends."""
    import matplotlib.pyplot as plt

    from course_utils import plotting

    plotting.style()
    yield
    plt.close("all")
