"""Import TensorFlow without its start-up lines, which no setting of its own silences."""

import contextlib
import os
import sys


def import_tensorflow():
    """Import TensorFlow in silence unless `KERAS_BACKEND` names another backend, or it is imported already.

    Import TensorFlow yourself, before this package, to see what it has to say.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow" or "tensorflow" in sys.modules:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # JAX, imported before, leaves it at 1
    with _stderr_closed():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def _stderr_closed():
    """Send file descriptor 2 nowhere: the lines come from C++, below `sys.stderr`."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
