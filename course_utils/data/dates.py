"""Dates as people write them, and as ISO does: a translation whose alignment is known."""

import datetime
import itertools
from dataclasses import dataclass

import numpy as np
from babel import Locale
from babel.dates import DateTimeFormat, tokenize_pattern

from course_utils._validation import require_one_of, require_whole
from course_utils.data.parallel import MARKS, Pairs, Parallel
from course_utils.vocabulary import Vocabulary

LOCALES = {
    "en": ("en_US", "en_GB"),
    **{language: (language,) for language in ("ko", "de", "fr", "ja", "es", "it")},
}
STYLES = ("medium", "long", "full")  # "short" is left out: 1/8/26 is two days, or more
FIRST, DAYS = datetime.date(1900, 1, 1), 73_049  # to the end of 2099
KINDS = {"y": "year", "M": "month", "L": "month", "d": "day", "E": "weekday", "c": "weekday"}
PARTS = ("year", "month", "day")  # what ISO says, in its order
# Days that show every value of a kind: a day of each year, of each month, ...
SHOWN = {
    "year": [datetime.date(year, 1, 1) for year in range(1900, 2100)],
    "month": [datetime.date(2000, month, 1) for month in range(1, 13)],
    "day": [datetime.date(2000, 1, day) for day in range(1, 32)],
    "weekday": [datetime.date(2001, 1, day) for day in range(1, 8)],  # it began on a Monday
}
# Korean and Japanese characters in Latin letters, each in one of its readings.
ROMAN = {
    **{"년": "nyeon", "월": "wol", "일": "il", "요": "yo", "화": "hwa", "수": "su", "목": "mok"},
    **{"금": "geum", "토": "to", "年": "nen", "月": "gatsu", "日": "nichi", "曜": "yo", "火": "ka"},
    **{"水": "sui", "木": "moku", "金": "kin", "土": "do"},
}


@dataclass(frozen=True, repr=False)
class DatePairs(Pairs):
    """Dates in two spellings.

    Attributes:
        dates: what both say, `datetime64[D]`, `(pairs,)`.
        languages: of the sources, `(pairs,)`.
        spans: where year, month and day stand in the source, from `start` to before `stop`,
            `(pairs, 3, 2)`.
    """

    dates: np.ndarray
    languages: np.ndarray
    spans: np.ndarray


@dataclass(frozen=True, repr=False)
class Dates(Parallel):
    """Dates in many spellings; `roman` is each Korean or Japanese character in Latin letters."""

    roman: dict


def dates(train=20_000, validation=1_000, test=1_000, languages=tuple(LOCALES), disjoint="string", seed=0):
    """Pair dates such as "Saturday, August 1, 2026" or "1. August 2026" with "2026-08-01".

    The sources are what Babel makes of the days from 1900 to 2099 in its medium, long and full styles,
    as characters. No source stands twice, and none has two readings.

    Args:
        train, validation, test: number of pairs.
        languages: some of "en" (American and British), "ko", "de", "fr", "ja", "es" and "it".
        disjoint: what the parts do not share: "string", though the same day may be in two of them in
            two spellings, or "date", where each day occurs only once.
        seed: seed of the draw.

    Returns:
        A `Dates`; its parts have `dates`, `languages` and `spans`, too.

    Raises:
        ValueError: a number is not whole and positive, a language or the split is not one of the
            above, the seed is negative, there are not that many strings or days, or a string has two
            readings.
    """
    sizes = [
        require_whole(name, value)
        for name, value in (("train", train), ("validation", validation), ("test", test))
    ]
    require_one_of("disjoint", disjoint, ("string", "date"))
    seed = require_whole("seed", seed, least=0)
    styles = _styles(languages)
    rng = np.random.default_rng(seed)
    if disjoint == "string":
        days, chosen = np.divmod(rng.permutation(DAYS * len(styles)), len(styles))
    else:
        days, chosen = rng.permutation(DAYS), rng.integers(len(styles), size=DAYS)
    drawn = _written(zip(days, (styles[number] for number in chosen), strict=True), sum(sizes))
    sources = Vocabulary(sorted({sign for style in styles for sign in style.signs()}), marks=MARKS)
    targets = Vocabulary("0123456789-", marks=MARKS)
    longest = max(style.longest() for style in styles)
    edges = np.cumsum([0, *sizes])
    parts = (
        _pairs(drawn[start:stop], sources, targets, longest) for start, stop in itertools.pairwise(edges)
    )
    return Dates(sources, targets, *parts, roman=dict(ROMAN))


class _Style:
    """One way to write a date: pieces of text that stay, and fields with the text of each value."""

    def __init__(self, language, locale, style):
        self.language = language
        self.pieces = []  # of a kind and its texts; text that stays has the kind ""
        locale = Locale.parse(locale)
        for token, text in tokenize_pattern(locale.date_formats[style].pattern):
            if token == "field":
                sign, count = text
                kind = KINDS[sign]
                texts = [DateTimeFormat(day, locale)[sign * count] for day in SHOWN[kind]]
                self.pieces.append((kind, texts))
            else:
                self.pieces.append(("", [text]))

    def write(self, day):
        """Return the text of a day, and the spans of its year, month and day."""
        values = {
            "": 0,
            "year": day.year - FIRST.year,
            "month": day.month - 1,
            "day": day.day - 1,
            "weekday": day.weekday(),
        }
        text, spans = "", {}
        for kind, texts in self.pieces:
            piece = texts[values[kind]]
            spans[kind] = (len(text), len(text) + len(piece))
            text += piece
        return text, [spans[part] for part in PARTS]

    def signs(self):
        return {sign for _, texts in self.pieces for text in texts for sign in text}

    def longest(self):
        return sum(max(map(len, texts)) for _, texts in self.pieces)


def _styles(languages):
    if not isinstance(languages, (list, tuple)):
        raise ValueError(f"`languages` must be a list or a tuple. Received: languages={languages!r}")
    languages = [require_one_of("languages", language, tuple(LOCALES)) for language in languages]
    if not languages or len(set(languages)) < len(languages):
        raise ValueError(f"`languages` must be some languages, each once. Received: languages={languages}")
    return [
        _Style(language, locale, style)
        for language in languages
        for locale in LOCALES[language]
        for style in STYLES
    ]


def _written(days_and_styles, count):
    """Write days, each in its style, until there are `count` different strings."""
    drawn = {}
    for number, style in days_and_styles:
        if len(drawn) == count:
            break
        day = FIRST + datetime.timedelta(days=int(number))
        text, spans = style.write(day)
        if drawn.setdefault(text, (text, day, style.language, spans))[1] != day:
            raise ValueError(
                f"A string must have one reading; this one has two. Received: {text!r}, "
                f"{drawn[text][1]} or {day}"
            )
    if len(drawn) < count:
        raise ValueError(
            f"There are only {len(drawn):,} such dates. Received: train + validation + test={count}"
        )
    return list(drawn.values())


def _pairs(drawn, source_vocabulary, target_vocabulary, longest):
    texts, days, languages, spans = zip(*drawn, strict=True)
    sources, targets = [list(text) for text in texts], [list(day.isoformat()) for day in days]
    return DatePairs(
        sources,
        targets,
        source_vocabulary.encode(sources, length=longest),
        target_vocabulary.encode(targets, marked=True),
        np.array(days, "datetime64[D]"),
        np.array(languages),
        np.array(spans, "int32"),
    )
