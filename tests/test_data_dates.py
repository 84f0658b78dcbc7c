"""Dates are what Babel writes, their spans cut out the right text, and no string has two readings."""

import datetime
import importlib
import re

import numpy as np
import pytest
from babel import Locale
from babel.dates import DateTimeFormat, format_date, tokenize_pattern

from course_utils import data

SMALL = {"train": 900, "validation": 80, "test": 120}
PARTS = ("train", "validation", "test")
TASK = data.dates(**SMALL, seed=2)
BY_DATE = data.dates(**SMALL, disjoint="date", seed=2)
LOCALES = ["en_US", "en_GB", "ko", "de", "fr", "ja", "es", "it"]
STYLES = ["medium", "long", "full"]


def everything(task):
    for part in PARTS:
        pairs = getattr(task, part)
        yield from zip(
            map("".join, pairs.sources), pairs.dates.tolist(), pairs.languages, pairs.spans, strict=True
        )


@pytest.mark.parametrize("task", [TASK, BY_DATE], ids=["string", "date"])
def test_sources_are_what_babel_writes(task):
    for text, date, language, _ in everything(task):
        locales = [locale for locale in LOCALES if locale.startswith(language)]
        assert text in [format_date(date, style, locale) for locale in locales for style in STYLES]


def test_every_language_and_style_is_there():
    texts = {text for text, *_ in everything(TASK)}
    days = {date for _, date, *_ in everything(TASK)}
    for locale in LOCALES:
        for style in STYLES:
            assert any(format_date(day, style, locale) in texts for day in days), (locale, style)


@pytest.mark.parametrize("task", [TASK, BY_DATE], ids=["string", "date"])
def test_spans_cut_out_year_month_and_day(task):
    for text, date, language, spans in everything(task):
        year, month, day = (text[start:stop] for start, stop in spans)
        assert year == str(date.year)
        assert day.isdigit()
        assert int(day) == date.day
        if month.isdigit():
            assert int(month) == date.month
        else:
            names = [
                Locale.parse(language).months[context][width][date.month]
                for context in ("format", "stand-alone")
                for width in ("abbreviated", "wide")
            ]
            # British and American short forms differ; the Korean month is written with its 월.
            assert month in [*names, "Sept"]


def test_what_is_around_a_span_does_not_belong_to_it():
    for text, _, _, spans in everything(TASK):
        for start, stop in spans:
            inside = text[start:stop]
            assert inside == inside.strip(" ,/")
            if inside.isdigit():
                assert not text[:start][-1:].isdigit()
                assert not text[stop:][:1].isdigit()


def test_targets_are_iso():
    for part in PARTS:
        pairs = getattr(TASK, part)
        assert ["".join(target) for target in pairs.targets] == [str(date) for date in pairs.dates]
        assert pairs.spans.shape == (len(pairs), 3, 2)
        assert pairs.target_ids.shape == (len(pairs), 12)


def readings(text, patterns):
    return {
        reading
        for pattern, months in patterns
        if (found := pattern.fullmatch(text))
        for reading in [(found["year"], months[found["month"]], int(found["day"]))]
    }


def patterns_of_all_styles():
    """A regular expression for each way to write a date, with what its months mean."""
    for name in LOCALES:
        locale = Locale.parse(name)
        for style in STYLES:
            pattern, months = "", {}
            for token, text in tokenize_pattern(locale.date_formats[style].pattern):
                if token == "chars":
                    pattern += re.escape(text)
                    continue
                sign = text[0] * text[1]
                if text[0] in "ML":
                    for month in range(1, 13):
                        months[DateTimeFormat(datetime.date(2000, month, 1), locale)[sign]] = month
                    pattern += f"(?P<month>{'|'.join(map(re.escape, months))})"
                else:
                    kind = {"y": r"(?P<year>\d{4})", "d": r"(?P<day>\d\d?)", "E": r"\D+"}
                    pattern += kind[text[0]]
            yield re.compile(pattern), months


def test_no_string_has_two_readings_in_any_language():
    patterns = list(patterns_of_all_styles())
    for text, date, _, _ in everything(TASK):
        assert readings(text, patterns) == {(str(date.year), date.month, date.day)}


def test_ambiguous_strings_are_refused(monkeypatch):
    monkeypatch.setattr(importlib.import_module("course_utils.data.dates"), "STYLES", ("short",))
    with pytest.raises(ValueError, match=r"one reading; this one has two. Received: '.+', \S+ or \S+$"):
        data.dates(train=3_000, validation=1, test=1, languages=("en", "es"))


def test_no_string_is_in_two_parts_or_twice():
    for task in (TASK, BY_DATE):
        texts = [text for text, *_ in everything(task)]
        assert len(set(texts)) == len(texts) == 1_100
        assert [len(getattr(task, part)) for part in PARTS] == [900, 80, 120]


def test_no_day_is_in_two_parts_on_request():
    days = [date for _, date, *_ in everything(BY_DATE)]
    assert len(set(days)) == len(days)
    crowded = data.dates(train=5_000, validation=1, test=5_000, languages=("de",))
    assert set(crowded.train.dates.tolist()) & set(crowded.test.dates.tolist())


def test_days_are_from_1900_to_2099():
    module = importlib.import_module("course_utils.data.dates")
    assert datetime.date(1900, 1, 1) == module.FIRST
    assert module.FIRST + datetime.timedelta(days=module.DAYS - 1) == datetime.date(2099, 12, 31)
    years = {date.year for _, date, *_ in everything(TASK)}
    assert min(years) < 1910
    assert max(years) > 2090


def test_ids_spell_the_characters():
    for part in PARTS:
        pairs = getattr(TASK, part)
        for row, source in zip(pairs.source_ids, pairs.sources, strict=True):
            assert TASK.source_vocabulary.decode(row) == source
        for row, target in zip(pairs.target_ids, pairs.targets, strict=True):
            assert TASK.target_vocabulary.decode(row) == [data.START, *target, data.END]
            assert TASK.target_vocabulary.decode(row, marks=False) == target


def test_vocabulary_and_width_do_not_depend_on_the_draw():
    other = data.dates(train=1, validation=1, test=1, seed=5)
    assert other.source_vocabulary.tokens == TASK.source_vocabulary.tokens
    assert other.train.source_ids.shape[1] == TASK.train.source_ids.shape[1]
    assert data.UNKNOWN not in TASK.source_vocabulary.tokens


@pytest.mark.parametrize("language", ["en", "ko", "de", "fr", "ja", "es", "it"])
def test_vocabulary_and_width_hold_every_string_of_a_language(language):
    task = data.dates(train=1, validation=1, test=1, languages=(language,))
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=number) for number in range(0, 3_000, 5)]
    texts = [
        list(format_date(day, style, locale))
        for locale in LOCALES
        if locale.startswith(language)
        for style in STYLES
        for day in days
    ]
    assert max(map(len, texts)) == task.train.source_ids.shape[1]
    assert {sign for text in texts for sign in text} == set(task.source_vocabulary.tokens[3:])


def test_only_the_languages_that_are_asked_for():
    task = data.dates(**SMALL, languages=("ko", "ja"))
    assert set(task.train.languages) == {"ko", "ja"}
    assert len(task.source_vocabulary) < len(TASK.source_vocabulary)


def test_characters_that_are_not_latin_have_a_latin_spelling():
    foreign = {sign for sign in TASK.source_vocabulary.tokens[3:] if ord(sign) >= 0x300}
    assert foreign == set(TASK.roman)
    assert all(spelling.isascii() for spelling in TASK.roman.values())
    assert [TASK.roman[sign] for sign in "년월일年月日"] == ["nyeon", "wol", "il", "nen", "gatsu", "nichi"]


@pytest.mark.parametrize("disjoint", ["string", "date"])
def test_every_style_is_drawn_about_equally_often(disjoint):
    task = data.dates(train=3_000, validation=1, test=1, languages=("de",), disjoint=disjoint)
    with_weekday = np.mean(["tag, " in "".join(source) for source in task.train.sources])
    with_name = np.mean([any(sign.isalpha() for sign in source) for source in task.train.sources])
    assert with_weekday == pytest.approx(0.28, abs=0.04)  # a third, but for "Mittwoch"
    assert with_name == pytest.approx(2 / 3, abs=0.04)  # the third style is 01.08.2026


@pytest.mark.parametrize("disjoint", ["string", "date"])
def test_a_seed_gives_the_same_and_another_seed_other_dates(disjoint):
    first, again, other = (data.dates(**SMALL, disjoint=disjoint, seed=seed) for seed in (2, 2, 3))
    for part in PARTS:
        np.testing.assert_array_equal(getattr(first, part).source_ids, getattr(again, part).source_ids)
        assert not np.array_equal(getattr(first, part).source_ids, getattr(other, part).source_ids)


def test_sizes_are_said():
    assert repr(TASK).startswith("Dates: 900 pairs to train, 80 to validate, 120 to test, ids of ")
    assert repr(TASK.test).startswith("DatePairs: 120 pairs, ids of ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": 0},
        {"validation": 1.5},
        {"test": -1},
        {"languages": ()},
        {"languages": ("en", "en")},
        {"languages": ("en", "xx")},
        {"disjoint": "day"},
    ],
    ids=str,
)
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be .*Received: {next(iter(wrong))}="):
        data.dates(**SMALL | wrong)


def test_more_dates_than_there_are_is_an_error():
    message = r"only 73,049 such dates. Received: train \+ validation \+ test=73050"
    with pytest.raises(ValueError, match=message):
        data.dates(train=73_048, validation=1, test=1, languages=("de",), disjoint="date")
