"""The wiring of cells and models in one drawing language: parts on a grid, and wires between them."""

from course_utils.diagrams._sheet import COLORS
from course_utils.diagrams.attention import attention_step, both_orders
from course_utils.diagrams.cells import gru_cell, lstm_cell, rnn_cell
from course_utils.diagrams.kinds import taught_choice
from course_utils.diagrams.networks import bidirectional, seq2seq, stack, unrolled
from course_utils.diagrams.search import beam
from course_utils.diagrams.self_attention import query_key_value
from course_utils.diagrams.transformer import architecture, block_orders
from course_utils.diagrams.your_own import pipeline

__all__ = [
    "COLORS",
    "architecture",
    "attention_step",
    "beam",
    "bidirectional",
    "block_orders",
    "both_orders",
    "gru_cell",
    "lstm_cell",
    "pipeline",
    "query_key_value",
    "rnn_cell",
    "seq2seq",
    "stack",
    "taught_choice",
    "unrolled",
]

for _each in map(globals().get, __all__):
    if callable(_each):
        _each.__module__ = __name__  # where it is found, whichever file it stands in
del _each
