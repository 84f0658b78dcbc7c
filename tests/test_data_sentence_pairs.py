"""Sentence pairs keep what the file says, in disjoint parts, and whatever is wrong with it is said."""

import contextlib
import functools
import hashlib
import http.server
import io
import itertools
import re
import socket
import threading
import unicodedata
import urllib.request
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from course_utils import data

PARTS = ("train", "validation", "test")
# Sentence i has two translations, each by someone else; the signs are the same in all.
LINES = [
    f"Run {number:02}!\tCours {number:02}{sign}\tCC-BY {number}{sign}"
    for number in range(40)
    for sign in ".!"
]


@pytest.fixture
def file(tmp_path):
    """Write bytes, text or lines to a file and return its path."""

    def write(content, name="pairs.txt"):
        if isinstance(content, list):
            content = "\n".join(content) + "\n"
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def address(tmp_path):
    """Serve a folder on this machine; return the folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def triples(task):
    return {
        part: [
            ("".join(source), "".join(target), by)
            for source, target, by in zip(pairs.sources, pairs.targets, pairs.attributions, strict=True)
        ]
        for part in PARTS
        for pairs in [getattr(task, part)]
    }


def everything(task):
    return list(itertools.chain(*triples(task).values()))


class TestParts:
    def test_every_pair_is_in_one_part_with_its_attribution(self, file):
        found = triples(data.sentence_pairs(file(LINES)))
        assert sorted(itertools.chain(*found.values())) == sorted(tuple(line.split("\t")) for line in LINES)
        assert [len(found[part]) for part in PARTS] == [64, 8, 8]

    def test_all_translations_of_a_sentence_are_in_one_part(self, file):
        found = triples(data.sentence_pairs(file(LINES)))
        sources = {part: {source for source, _, _ in found[part]} for part in PARTS}
        assert [len(sources[part]) for part in PARTS] == [32, 4, 4]
        assert len(set.union(*sources.values())) == 40

    def test_shares_are_those_of_the_sources(self, file):
        task = data.sentence_pairs(file(LINES), validation=0.2, test=0.4)
        assert [len(getattr(task, part)) for part in PARTS] == [2 * 16, 2 * 8, 2 * 16]

    def test_a_seed_gives_the_same_and_another_seed_other_parts(self, file):
        path = file(LINES)
        first, again, other = (triples(data.sentence_pairs(path, seed=seed)) for seed in (1, 1, 2))
        assert first == again
        assert first["test"] != other["test"]
        assert first["test"] != first["validation"]

    def test_the_parts_do_not_depend_on_the_order_of_the_lines(self, file):
        first = triples(data.sentence_pairs(file(LINES)))
        other = triples(data.sentence_pairs(file(LINES[::-1])))
        assert all(sorted(first[part]) == sorted(other[part]) for part in PARTS)

    def test_columns_change_places_on_request(self, file):
        task = data.sentence_pairs(file(LINES), reverse=True)
        found = everything(task)
        assert sorted(found) == sorted((b, a, by) for a, b, by in (line.split("\t") for line in LINES))
        assert len(task.train) == 64  # 80 sources now, one translation each

    def test_the_attribution_may_be_missing(self, file):
        task = data.sentence_pairs(file([line.rsplit("\t", 1)[0] for line in LINES]))
        assert set(task.train.attributions) == {""}
        assert len(task.train.attributions) == len(task.train) == 64

    def test_repeated_pairs_are_left_out_and_counted(self, file):
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        again = [f"{decomposed}\tx\tsecond", f" {composed} \tx\tthird", "Run 00!\tCours 00.\tcopy"]
        task = data.sentence_pairs(file([f"{composed}\tx\tfirst", *LINES, *again]))
        found = everything(task)
        assert len(found) == len(set(found)) == 81
        assert (composed, "x", "first") in found
        assert ("Run 00!", "Cours 00.", "CC-BY 0.") in found
        assert task.repeated == 3

    def test_text_is_normalised(self, file):
        decomposed = unicodedata.normalize("NFD", "한국어 é")
        task = data.sentence_pairs(file([f"{decomposed} {line}" for line in LINES]), min_count=1)
        assert "".join(task.train.sources[0]).startswith("한국어 é Run")
        assert {"한", "é"} <= set(task.source_vocabulary.tokens)

    @pytest.mark.parametrize(
        ("validation", "test"), [(0, 0.1), (0.1, 0), (0.5, 0.5), (-0.1, 0.3), (None, 0.1), (0.1, "0.1")]
    )
    def test_bad_shares_are_refused(self, file, validation, test):
        with pytest.raises(ValueError, match=r"`(validation|test).* must be .*Received: (validation|test)="):
            data.sentence_pairs(file(LINES), validation=validation, test=test)

    def test_too_few_sentences_are_refused(self, file):
        with pytest.raises(ValueError, match="Received: 2 different source sentences"):
            data.sentence_pairs(file(["a\tb", "c\td", "a\te"]))


class TestTokens:
    def test_ids_spell_the_characters(self, file):
        task = data.sentence_pairs(file(LINES))
        for part in PARTS:
            pairs = getattr(task, part)
            assert pairs.unknown == 0
            assert pairs.source_ids.shape[1] == 7
            assert pairs.target_ids.shape[1] == 9 + 2
            for row, source in zip(pairs.source_ids, pairs.sources, strict=True):
                assert task.source_vocabulary.decode(row) == source
            for row, target in zip(pairs.target_ids, pairs.targets, strict=True):
                assert task.target_vocabulary.decode(row) == [data.START, *target, data.END]
        marks = [data.PAD, data.START, data.END, data.UNKNOWN]
        assert task.source_vocabulary.tokens[:4] == task.target_vocabulary.tokens[:4] == marks

    def test_words_stand_without_their_punctuation(self, file):
        lines = [f"Don't go, Tom-{number}!\t¿Y tú?  «Sí»" for number in range(5)]
        task = data.sentence_pairs(file(lines), tokens="words", min_count=1)
        assert sorted(task.train.sources + task.validation.sources + task.test.sources)[0] == [
            "Don't",
            "go",
            ",",
            "Tom-0",
            "!",
        ]
        assert task.train.targets[0] == ["¿", "Y", "tú", "?", "«", "Sí", "»"]

    def test_frequent_tokens_come_first(self, file):
        task = data.sentence_pairs(file([f"{'b' * 9}{'c' * 5}a{number}\tx" for number in range(9)]))
        assert task.source_vocabulary.tokens[4:7] == ["b", "c", "a"]

    def test_rare_tokens_are_unknown_and_counted_by_the_training_part_alone(self, file):
        # Sentence i has a letter of its own, three times: frequent in the file, known only where trained.
        lines = [f"ab {letter * 3}\tab" for letter in "cdefghijklmnopqrstuvwxyz"]
        task = data.sentence_pairs(file(lines), min_count=3)
        trained = {source[-1] for source in task.train.sources}
        assert set(task.source_vocabulary.tokens[4:]) == {"a", "b", " "} | trained
        assert task.train.unknown == 0
        assert task.test.unknown == 3 * len(task.test)
        unknown = task.source_vocabulary.ids[data.UNKNOWN]
        np.testing.assert_array_equal(task.test.source_ids[:, 3:], unknown)
        assert f"{3 * len(task.test) + 3 * len(task.validation)} tokens unknown" in repr(task)

    def test_both_sides_count_as_unknown(self, file):
        task = data.sentence_pairs(file([f"ab{letter}\tab{letter}" for letter in "cdefghij"]))
        assert task.train.unknown == 2 * len(task.train)
        assert set(task.source_vocabulary.tokens[4:]) == {"a", "b"}

    def test_a_minimum_above_all_counts_is_an_error(self, file):
        with pytest.raises(ValueError, match="Received: min_count=10000"):
            data.sentence_pairs(file(LINES), min_count=10_000)

    def test_words_that_look_like_marks_are_unknown(self, file):
        lines = [f"<pad> go {number}\t<start> <end> <unknown>  go" for number in range(9)]
        task = data.sentence_pairs(file(lines), tokens="words")
        np.testing.assert_array_equal(task.train.source_ids[:, :2], [[3, 4]] * len(task.train))
        np.testing.assert_array_equal(task.train.target_ids, [[1, 3, 3, 3, 4, 2]] * len(task.train))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"tokens": "syllables"},
            {"too_long": "split"},
            {"max_length": 0},
            {"max_length": 2.5},
            {"min_count": 0},
            {"seed": -1},
            {"reverse": "yes"},
            {"cache": 3},
        ],
        ids=str,
    )
    def test_bad_arguments_are_refused(self, file, wrong):
        name = next(iter(wrong))
        with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
            data.sentence_pairs(file(LINES), **wrong)


class TestLength:
    lines = (*LINES, "A source that is long\tbut not its target\tme", "Run 99!\tLa cible est longue\tyou")

    def test_longer_sentences_are_refused_with_their_line(self, file):
        with pytest.raises(ValueError, match=r"at most 9 tokens.*Received: 21 in line 81"):
            data.sentence_pairs(file(list(self.lines)), max_length=9)

    def test_longest_sentences_are_not_too_long(self, file):
        task = data.sentence_pairs(file(list(self.lines)), max_length=21)
        assert (task.shortened, task.dropped) == (0, 0)
        assert max(getattr(task, part).lengths.max() for part in PARTS) == 21

    def test_they_are_cut_as_asked(self, file):
        task = data.sentence_pairs(file(list(self.lines)), max_length=9, too_long="cut")
        found = everything(task)
        assert ("A source ", "but not i", "me") in found
        assert ("Run 99!", "La cible ", "you") in found
        assert (len(found), task.shortened, task.dropped) == (82, 2, 0)
        assert task.train.source_ids.shape[1] == 9
        assert task.train.target_ids.shape[1] == 11
        assert all(2 in row for part in PARTS for row in getattr(task, part).target_ids)

    def test_they_are_dropped_as_asked(self, file):
        task = data.sentence_pairs(file(list(self.lines)), max_length=9, too_long="drop")
        assert sorted(everything(task)) == sorted(tuple(line.split("\t")) for line in LINES)
        assert (task.shortened, task.dropped) == (0, 2)
        assert repr(task) == (
            "SentencePairs: 64 pairs to train, 8 to validate, 8 to test, ids of 7 steps to 11, "
            "19 source and 22 target ids; 0 tokens unknown, 0 pairs repeated, 0 shortened, 2 dropped"
        )

    def test_sentences_that_are_equal_once_cut_are_in_one_part(self, file):
        lines = [f"{letter} same{number}\tx{number}" for letter in "abcd" for number in range(9)]
        task = data.sentence_pairs(file(lines), max_length=6, too_long="cut", validation=0.3, test=0.3)
        sources = [{"".join(source) for source in getattr(task, part).sources} for part in PARTS]
        assert sorted(itertools.chain(*sources)) == ["a same", "b same", "c same", "d same"]


class TestFile:
    def test_a_byte_order_mark_and_windows_lines_change_nothing(self, file):
        plain = triples(data.sentence_pairs(file(LINES)))
        assert triples(data.sentence_pairs(file("\ufeff" + "\r\n".join(LINES) + "\r\n\r\n"))) == plain

    def test_separators_within_a_sentence_do_not_end_its_line(self, file):
        signs = "\u2028\x85\x0b\x1c"
        task = data.sentence_pairs(file([f"a{signs}{number}\tb" for number in range(9)]))
        assert all("".join(source).startswith(f"a{signs}") for source in task.train.sources)

    @pytest.mark.parametrize("line", ["alone", "", "a\tb\tc\td", "\tb", "a\t", " \tb", "a\t\u3000\tc"])
    def test_a_line_without_two_or_three_columns_is_named(self, file, line):
        with pytest.raises(ValueError, match=r"Line 3 must be .*Received: '"):
            data.sentence_pairs(file([*LINES[:2], line, *LINES[2:]]))

    def test_another_encoding_is_named_with_its_line(self, file):
        content = "\n".join([*LINES[:5], "Été\tSummer"]).encode("latin-1")
        with pytest.raises(
            ValueError, match=r"must be UTF-8 or CP949; line 6 is neither. Received: byte 0xc9 at \d+$"
        ):
            data.sentence_pairs(file(content))
        with pytest.raises(ValueError, match=r"line 1 is neither. Received: byte 0xff at 0"):
            data.sentence_pairs(file("\n".join(LINES).encode("utf-16")))

    @pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
    def test_an_empty_file_is_refused(self, file, content):
        with pytest.raises(ValueError, match="Received: an empty file"):
            data.sentence_pairs(file(content))

    def test_a_missing_file_and_a_folder_are_refused(self, tmp_path):
        for wrong in (tmp_path / "none.txt", tmp_path):
            with pytest.raises(ValueError, match=r"must be a file.*Received: path_or_url="):
                data.sentence_pairs(wrong)

    def test_the_hash_of_a_file_is_checked_if_it_is_given(self, file):
        path = file(LINES)
        right, wrong = sha256(path.read_bytes()), "0" * 64
        assert len(data.sentence_pairs(path, file_hash=right.upper()).train) == 64
        with pytest.raises(ValueError, match=f"must have the SHA-256 {wrong}.*Received: {right}$"):
            data.sentence_pairs(str(path), file_hash=wrong)

    @pytest.mark.parametrize("wrong", ["", "abc", "g" * 64, "0" * 63, 7])
    def test_what_is_no_hash_is_refused(self, file, wrong):
        with pytest.raises(ValueError, match=r"64 hexadecimal digits. Received: file_hash="):
            data.sentence_pairs(file(LINES), file_hash=wrong)

    def test_archives_are_read(self, file):
        content = zipped({"_about.txt": "no\tpair", "fra.txt": "\n".join(LINES)})
        assert triples(data.sentence_pairs(file(content, "fra.zip"))) == triples(
            data.sentence_pairs(file(LINES))
        )

    @pytest.mark.parametrize("names", [[], ["_about.txt"], ["a.txt", "b.txt"], ["a.csv"]])
    def test_an_archive_without_one_text_is_refused(self, file, names):
        content = zipped(dict.fromkeys(names, "a\tb"))
        with pytest.raises(
            ValueError, match=f"one .txt besides _about.txt. Received: {re.escape(str(names))}"
        ):
            data.sentence_pairs(file(content))

    def test_a_damaged_archive_is_refused(self, file):
        content = zipped({"fra.txt": "\n".join(LINES)})
        middle = len(content) // 2
        for damaged in (
            content[:middle],
            content[:-5],
            content[:middle] + b"\0\0\0\0" + content[middle + 4 :],
        ):
            with pytest.raises(ValueError, match="archive is damaged"):
                data.sentence_pairs(file(damaged, "fra.zip"))

    @given(some.data())
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
    def test_any_damage_is_an_error_of_ours_or_changes_nothing(self, file, draw):
        content = bytearray(zipped({"fra.txt": "\n".join(LINES)}))
        place = draw.draw(some.integers(4, len(content) - 1))
        content[place] ^= draw.draw(some.integers(1, 255))
        with contextlib.suppress(ValueError):  # and nothing else
            assert len(data.sentence_pairs(file(bytes(content))).train) == 64


class TestAddress:
    def test_a_file_is_fetched_checked_and_kept(self, address, tmp_path):
        folder, url = address
        content = zipped({"fra.txt": "\n".join(LINES), "_about.txt": "about"})
        (folder / "fra.zip").write_bytes(content)
        first = data.sentence_pairs(f"{url}/fra.zip", sha256(content), cache=tmp_path / "new" / "cache")
        assert len(first.train) == 64
        assert [path.read_bytes() for path in (tmp_path / "new" / "cache").iterdir()] == [content]
        (folder / "fra.zip").unlink()
        again = data.sentence_pairs(f"{url}/fra.zip", sha256(content), cache=tmp_path / "new" / "cache")
        assert triples(again) == triples(first)

    def test_a_damaged_file_in_the_cache_is_fetched_again(self, address, tmp_path):
        folder, url = address
        content = "\n".join(LINES).encode()
        (folder / "fra.txt").write_bytes(content)
        arguments = f"{url}/fra.txt", sha256(content)
        data.sentence_pairs(*arguments, cache=tmp_path / "cache")
        (kept,) = (tmp_path / "cache").iterdir()
        kept.write_bytes(content[:-9])
        assert len(data.sentence_pairs(*arguments, cache=tmp_path / "cache").train) == 64
        assert kept.read_bytes() == content

    def test_the_cache_is_where_keras_has_it(self, address, tmp_path, monkeypatch):
        folder, url = address
        content = "\n".join(LINES).encode()
        (folder / "fra.txt").write_bytes(content)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        data.sentence_pairs(f"{url}/fra.txt", sha256(content))
        assert [path.read_bytes() for path in (tmp_path / "keras" / "datasets").iterdir()] == [content]

    def test_an_address_needs_a_hash(self, address):
        with pytest.raises(ValueError, match=r"needs the SHA-256.*Received: file_hash=None"):
            data.sentence_pairs(f"{address[1]}/fra.txt")

    def test_another_hash_is_an_error_that_names_both_and_nothing_is_kept(self, address, tmp_path):
        folder, url = address
        content = "\n".join(LINES).encode()
        (folder / "fra.txt").write_bytes(content)
        message = f"{url}/fra.txt must have the SHA-256 {'1' * 64}.*Received: {sha256(content)}$"
        with pytest.raises(ValueError, match=message):
            data.sentence_pairs(f"{url}/fra.txt", "1" * 64, cache=tmp_path / "cache")
        assert not list(tmp_path.glob("cache/*"))

    def test_a_file_that_is_not_there_is_an_error_that_names_the_address(self, address, tmp_path):
        url = f"{address[1]}/none.txt"
        with pytest.raises(ConnectionError, match=f"Cannot read {url}: .*404.*pass its path"):
            data.sentence_pairs(url, "1" * 64, cache=tmp_path / "cache")
        assert not list(tmp_path.glob("cache/*"))

    def test_offline_is_an_error_that_says_what_to_do(self, tmp_path, monkeypatch):
        def offline(*_, **__):
            raise socket.gaierror(-3, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", offline)
        url = "https://example.org/fra-eng.zip"
        with pytest.raises(
            ConnectionError, match=f"Cannot read {url}: .*offline.*elsewhere and pass its path"
        ):
            data.sentence_pairs(url, "1" * 64, cache=tmp_path / "cache")
        assert not list(tmp_path.glob("cache/*"))

    def test_a_line_that_breaks_leaves_nothing(self, tmp_path, monkeypatch):
        class Breaks(io.BytesIO):
            def read(self, *_):
                raise TimeoutError("timed out")

        monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Breaks())
        with pytest.raises(ConnectionError, match="timed out"):
            data.sentence_pairs("http://127.0.0.1/fra.txt", "1" * 64, cache=tmp_path / "cache")
        assert not list(tmp_path.glob("cache/*"))

    @pytest.mark.parametrize("url", ["http://127.0.0.1/한국.zip", "http://[bad/x", "://x"])
    def test_what_is_no_address_is_refused(self, url, tmp_path):
        with pytest.raises(ValueError, match=r"must be a whole address.*Received: path_or_url="):
            data.sentence_pairs(url, "1" * 64, cache=tmp_path / "cache")

    def test_the_pairs_themselves_are_no_path(self):
        with pytest.raises(ValueError, match=r"must be a file, or an address.*Received: path_or_url="):
            data.sentence_pairs("Go.\t가.\n" * 100)

    def test_a_full_disk_leaves_no_half_of_a_file(self, address, tmp_path, monkeypatch):
        folder, url = address
        content = "\n".join(LINES).encode()
        (folder / "fra.txt").write_bytes(content)

        def full(path, content):
            with path.open("wb") as half:
                half.write(content[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            data.sentence_pairs(f"{url}/fra.txt", sha256(content), cache=tmp_path / "cache")
        assert not list(tmp_path.glob("cache/*"))


# Texts as people write them: any sign but those that end a column or a line, or have no UTF-8.
texts = some.text(
    some.characters(exclude_characters="\t\n\r", exclude_categories=("Cs",)), min_size=1
).filter(str.strip)
STRANGE = [
    "👩🏽‍🚀🇰🇷",
    "e\u0301\u0323\u0302",
    "שלום عليكم",
    "ﷺ\u200f\u202e",
    "\u200b",
    "a" * 5_000,
    "한국",
    "<pad>",
]


@given(
    some.lists(some.tuples(texts, texts, texts), max_size=12),
    some.sampled_from(["characters", "words"]),
)
@example([(text, text[::-1].strip() or "x", text) for text in STRANGE], "characters")
@example([(text, text, text) for text in STRANGE], "words")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_text_is_read_split_and_spelled(file, lines, tokens):
    lines = [*((f"{number} a", "b", "me") for number in range(9)), *lines]  # enough for three parts
    path = file("\n".join("\t".join(columns) for columns in lines))
    task = data.sentence_pairs(path, tokens=tokens, min_count=1, validation=0.3, test=0.3)
    seen = set()
    for part in PARTS:
        pairs = getattr(task, part)
        sources = {tuple(source) for source in pairs.sources}
        assert not sources & seen
        seen |= sources
        assert pairs.source_ids.min() >= 0
        assert pairs.lengths.tolist() == list(map(len, pairs.sources))
        assert pairs.unknown == sum(np.sum(ids == 3) for ids in (pairs.source_ids, pairs.target_ids))
        for row, target in zip(pairs.target_ids, pairs.targets, strict=True):
            said = task.target_vocabulary.decode(row, marks=False)
            assert all(token in (word, data.UNKNOWN) for token, word in zip(said, target, strict=True))
    if tokens == "characters":
        expected = {tuple(unicodedata.normalize("NFC", text).strip() for text in line[:2]) for line in lines}
        assert {triple[:2] for part in triples(task).values() for triple in part} == expected
