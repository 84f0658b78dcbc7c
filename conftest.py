"""What every test, and every lesson under test, starts with."""

import os
import sys

import pytest

# Nobody watches, and a progress bar would be an output that differs from the stored one.
os.environ.setdefault("COURSE_QUIET", "1")


@pytest.fixture(autouse=True)
def _determinism_ends_with_the_test():
    """A test that starts a lesson makes TensorFlow deterministic, and Keras then compiles nothing by XLA."""
    yield
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.config import disable_op_determinism, is_op_determinism_enabled

        if is_op_determinism_enabled():
            disable_op_determinism()
