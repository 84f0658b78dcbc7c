"""The lessons' data: small, made or shipped here, each with the truth that decides its answers."""

from course_utils.data.airline import airline
from course_utils.data.clauses import clauses
from course_utils.data.grammar import grammar
from course_utils.data.marked import marked_symbol
from course_utils.data.modular import modular_sum
from course_utils.data.senses import senses
from course_utils.data.vocabulary import PAD, UNKNOWN, Vocabulary

__all__ = [
    "PAD",
    "UNKNOWN",
    "Vocabulary",
    "airline",
    "clauses",
    "grammar",
    "marked_symbol",
    "modular_sum",
    "senses",
]
