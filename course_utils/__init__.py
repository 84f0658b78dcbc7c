"""The layers, data and measures of the course, from embeddings to self-attention."""

from course_utils import _quiet  # isort: skip  (before Keras: it imports TensorFlow in silence)

_quiet.import_tensorflow()

from course_utils import data, lesson, measure, plotting  # noqa: E402
from course_utils.embedding import Embedding  # noqa: E402
from course_utils.exercises import check, hint, solution  # noqa: E402
from course_utils.lesson import claim, progress, seed, settle  # noqa: E402
from course_utils.recurrent import (  # noqa: E402
    GRU,
    LSTM,
    Bidirectional,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)

__all__ = [
    "GRU",
    "LSTM",
    "Bidirectional",
    "Embedding",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "check",
    "claim",
    "data",
    "hint",
    "lesson",
    "measure",
    "plotting",
    "progress",
    "seed",
    "settle",
    "solution",
]
