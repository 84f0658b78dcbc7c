"""The lessons' data, made or shipped here, and what reads a text or pairs of your own."""

from course_utils.data.airline import airline
from course_utils.data.clauses import clauses
from course_utils.data.dates import dates
from course_utils.data.grammar import grammar
from course_utils.data.marked import marked_symbol
from course_utils.data.modular import modular_sum
from course_utils.data.number_words import number_words
from course_utils.data.senses import senses
from course_utils.data.sentence_pairs import sentence_pairs
from course_utils.data.text import text
from course_utils.data.topics import topics
from course_utils.vocabulary import END, PAD, START, UNKNOWN, Vocabulary

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "Vocabulary",
    "airline",
    "clauses",
    "dates",
    "grammar",
    "marked_symbol",
    "modular_sum",
    "number_words",
    "senses",
    "sentence_pairs",
    "text",
    "topics",
]
