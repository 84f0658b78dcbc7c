"""What a reader can touch without Python: the translator of dates, and two networks before training.

Each is a piece of a page: a style, something that stands still, and a script that takes its place where
scripts run. It asks nothing of any host, and no kernel.
"""

import html

import numpy as np

from course_utils import records
from course_utils._validation import require_items, require_numbers
from course_utils.live._fading import faded, fading, in_words
from course_utils.live._page import FOLDER, Page, as_json, page, styled
from course_utils.records import date_reader

__all__ = [
    "FOLDER",
    "Page",
    "date_map",
    "examples",
    "faded",
    "fading",
    "in_words",
    "model",
    "read",
    "still",
    "styled",
]

CODE = "date_reader.js", "date_map.js"
RECORD = "date_reader"
NEVER_READ = "31 February 2020", "July 4th, 1776", "yesterday"
STRONG = 0.8  # from this weight on, white is read more easily than black
START = """\
const reader = new DateReader({model});
const settings = {settings};
for (const box of document.querySelectorAll(".date-map:not(.live)")) watchDates(box, reader, settings);"""


def date_map(pairs, text, written, weights):
    """Show a date that is read, with a line to type another, and the map of where each character looked.

    Where scripts do not run, the map of `text` stands there alone.

    Args:
        pairs: the dates, as `records.date_reader.task` gives them.
        text: the date to begin with.
        written: what was written for it, a list of tokens.
        weights: where each token looked, `(written, characters of the text)`.

    Returns:
        A `Page`.

    Raises:
        ValueError: the text is no string or empty, a token is no string or there is none, or there is not one
            weight for each character and token.
    """
    settings = {"longest": pairs.test.source_ids.shape[1], "examples": examples(pairs)}
    start = START.format(model=as_json(model(pairs)), settings=as_json(settings))
    return page("date-map", "date_map.css", still(text, written, weights), CODE, start, text=text)


def model(pairs):
    """Return the stored translator as the script takes it: weights in float16, tokens, and where to end."""
    (kept,) = (part["weights"] for part in records.load(RECORD)["parts"] if "weights" in part)
    tokens, marks = pairs.target_vocabulary.tokens, pairs.target_vocabulary.marks
    return {
        "weights": {name: kept[name] for name in date_reader.NAMES},
        "source": pairs.source_vocabulary.tokens,
        "target": tokens,
        "start": tokens.index(marks[1]),
        "end": tokens.index(marks[2]),
        "most": pairs.test.labels.shape[1],
    }


def examples(pairs):
    """Return dates to try: the first that is held out in each language, and some that are in no data."""
    held_out = pairs.test
    firsts = [np.argmax(held_out.languages == language) for language in np.unique(held_out.languages)]
    return {
        "Held out:": ["".join(held_out.sources[first]) for first in firsts],
        "Never read:": list(NEVER_READ),
    }


def read(pairs, texts):
    """Let Python read dates with the stored weights; return for each what is written, and where it looked.

    Args:
        pairs: the dates, as `records.date_reader.task` gives them.
        texts: a list of strings.

    Returns:
        A list of pairs: the tokens up to the end mark, and their weights, `(tokens, characters)`.

    Raises:
        ValueError: a text is empty, or has a character that stands in no date.
    """
    reader = date_reader.stored(pairs, records.weights(RECORD))
    ids = pairs.source_vocabulary.encode([list(text) for text in texts])
    said, weights = reader.generate(ids, pairs.test.labels.shape[1], return_attention_scores=True)
    tokens = [[pairs.target_vocabulary.tokens[each] for each in row if each] for row in said]
    return [
        (row, looked[: len(row), : len(text)])
        for row, looked, text in zip(tokens, weights, texts, strict=True)
    ]


def still(text, written, weights):
    """Return the map as a table that needs neither script nor style: a row for each character that is read.

    Args:
        text, written, weights: as `date_map` takes them.

    Raises:
        ValueError: as in `date_map`.
    """
    weights = require_numbers("weights", weights, finite=True)
    if not isinstance(text, str) or not text:
        raise ValueError(f"`text` must be a date, a string. Received: text={text!r:.80}")
    read, written = list(text), require_items("written", written)
    if not all(isinstance(token, str) for token in written):
        raise ValueError(f"`written` must be tokens, strings. Received: written={written!r:.80}")
    if weights.shape != (len(written), len(read)):
        raise ValueError(
            "`weights` must have a row for each token and a column for each character, here "
            f"{(len(written), len(read))}. Received: shape={weights.shape}"
        )
    head = "".join(f"<th>{html.escape(token.strip('<>'))}</th>" for token in written)
    rows = "".join(
        f"<tr><th>{'␣' if sign == ' ' else html.escape(sign)}</th>{''.join(map(_cell, column))}</tr>\n"
        for sign, column in zip(read, weights.T, strict=True)
    )
    said = "Weights in %. Rows: what it reads. Columns: what it writes."
    return f'<table class="still">\n<caption>{said}</caption>\n<tr><td></td>{head}</tr>\n{rows}</table>'


def _cell(weight):
    ink = "white" if weight > STRONG else "inherit"
    color = f"background-color: rgba(0, 114, 178, {weight:.2f}); color: {ink}"
    return f'<td style="{color}">{round(100 * weight) or ""}</td>'
