"""The wiring of cells and models in one drawing language: parts on a grid, and wires between them."""

from course_utils.diagrams._sheet import COLORS
from course_utils.diagrams.attention import attention_step, both_orders
from course_utils.diagrams.cells import gru_cell, lstm_cell, rnn_cell
from course_utils.diagrams.networks import bidirectional, seq2seq, stack, unrolled
from course_utils.diagrams.search import beam

__all__ = [
    "COLORS",
    "attention_step",
    "beam",
    "bidirectional",
    "both_orders",
    "gru_cell",
    "lstm_cell",
    "rnn_cell",
    "seq2seq",
    "stack",
    "unrolled",
]

for _each in map(globals().get, __all__):
    if callable(_each):
        _each.__module__ = __name__  # where it is found, whichever file it stands in
del _each
