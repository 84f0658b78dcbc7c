"""Sentences and their translations, from a file in the format of Tatoeba and Anki."""

import hashlib
import http.client
import io
import os
import re
import unicodedata
import urllib.request
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils._validation import require_flag, require_one_of, require_share, require_whole
from course_utils.data.parallel import MARKS, Pairs, Parallel
from course_utils.data.text import decoded, is_file
from course_utils.vocabulary import PAD, UNKNOWN, Vocabulary

SECONDS = 30  # without a byte from the network, before it is given up
ZIPPED = (b"PK\x03\x04", b"PK\x05\x06")  # how an archive begins, and an empty one
WITHIN = "'\u2019-"  # apostrophes and hyphens stay in their word
NAMES = (PAD, *MARKS, UNKNOWN)  # of marks: a word that looks like one is unknown


@dataclass(frozen=True, repr=False)
class Sentences(Pairs):
    """Sentences and their translations.

    Attributes:
        attributions: who wrote each pair, as the file says; "" where it does not.
        unknown: number of tokens, of both sides, that became the unknown mark.
    """

    attributions: list
    unknown: int


@dataclass(frozen=True, repr=False)
class SentencePairs(Parallel):
    """Sentences and their translations, in three parts.

    Attributes:
        repeated: number of pairs that were left out because the same tokens stood in the file before.
        shortened, dropped: number of pairs that were too long, and what became of them.
    """

    repeated: int
    shortened: int
    dropped: int

    def __repr__(self):
        """Say the sizes, and what is not as in the file."""
        unknown = sum(part.unknown for part in (self.train, self.validation, self.test))
        return (
            f"{super().__repr__()}; {unknown:,} tokens unknown, {self.repeated:,} pairs repeated, "
            f"{self.shortened:,} shortened, {self.dropped:,} dropped"
        )


def sentence_pairs(
    path_or_url,
    file_hash=None,
    tokens="characters",
    max_length=None,
    too_long="refuse",
    min_count=2,
    validation=0.1,
    test=0.1,
    reverse=False,
    cache=None,
    seed=0,
):
    """Read sentences and their translations: a source, a tab, a target, a tab, and who wrote them.

    The third column may be missing. The text is UTF-8 or CP949, plain or zipped; in an archive it is the
    one `.txt` besides `_about.txt`. It is normalised (Unicode NFC), repeated pairs are left out, and all
    translations of a source sentence are in the same part.

    Args:
        path_or_url: a file, or the address of one, which is then kept in the cache.
        file_hash: the file's SHA-256 in hexadecimal; an address needs it.
        tokens: "characters", or "words", with punctuation for itself.
        max_length: the most tokens that a sentence may have, marks not counted; without it, any number.
        too_long: what happens to a pair with a longer sentence: "refuse" it with an error, "cut" the
            sentence, or "drop" the pair.
        min_count: how often a token must be in `train` to have an id; others are the unknown mark.
        validation, test: shares of the source sentences.
        reverse: translate from the second column to the first.
        cache: folder for downloads; without it, where Keras keeps data sets.
        seed: seed of the split.

    Returns:
        A `SentencePairs`; its parts have `attributions` and `unknown`, too.

    Raises:
        ValueError: an argument or a line is not as above, the hash is another, the archive is damaged,
            or there are too few sentences. What was wrong is said, with its line.
        ConnectionError: the address cannot be read.
    """
    require_one_of("tokens", tokens, tuple(SPLIT))
    require_one_of("too_long", too_long, ("refuse", "cut", "drop"))
    if max_length is not None:
        require_whole("max_length", max_length)
    require_whole("min_count", min_count)
    _require_shares(validation, test)
    seed, reverse = require_whole("seed", seed, least=0), require_flag("reverse", reverse)
    text = _text(_content(path_or_url, file_hash, cache))
    pairs = [_tokens(pair, SPLIT[tokens], reverse) for pair in _lines(text)]
    short, changed = _within(pairs, max_length, too_long)
    different = {}
    for _, source, target, by in short:
        different.setdefault((source, target), by)
    parts = _parts(different, validation, test, seed)
    vocabularies = [_vocabulary([pair[side] for pair in parts[0]], min_count) for side in (0, 1)]
    lengths = [max(len(pair[side]) for pair in different) for side in (0, 1)]
    return SentencePairs(
        *vocabularies,
        *(_sentences(part, *vocabularies, *lengths) for part in parts),
        repeated=len(short) - len(different),
        shortened=changed if too_long == "cut" else 0,
        dropped=changed if too_long == "drop" else 0,
    )


def _characters(text):
    return tuple(text)


def _words(text):
    """Split at spaces, with punctuation for itself: `Don't go!` is three words."""
    return tuple(
        "".join(
            f" {sign} " if unicodedata.category(sign).startswith("P") and sign not in WITHIN else sign
            for sign in text
        ).split()
    )


SPLIT = {"characters": _characters, "words": _words}


def _require_shares(validation, test):
    if require_share("validation", validation) + require_share("test", test) >= 1:
        raise ValueError(
            "`validation` and `test` must be together below 1. "
            f"Received: validation={validation!r}, test={test!r}"
        )


def _content(path_or_url, file_hash, cache):
    """Return the bytes of the file, whose hash was checked if there is one."""
    for name, path in {"path_or_url": path_or_url, "cache": "" if cache is None else cache}.items():
        if not isinstance(path, (str, os.PathLike)):
            raise ValueError(f"`{name}` must be a path or an address. Received: {name}={path!r}")
    if file_hash is not None:
        file_hash = _require_hash(file_hash)
    if "://" in str(path_or_url):
        if file_hash is None:
            raise ValueError(
                "An address needs the SHA-256 of its file, for another time there may be another file. "
                f"Received: file_hash=None with path_or_url={path_or_url!r}"
            )
        return _download(str(path_or_url), file_hash, cache)
    path = Path(path_or_url)
    if not is_file(path):
        raise ValueError(
            f"`path_or_url` must be a file, or an address with ://. Received: path_or_url={path_or_url!r:.80}"
        )
    content = path.read_bytes()
    if file_hash is not None:
        _check_hash(content, file_hash, path)
    return content


def _require_hash(file_hash):
    if not isinstance(file_hash, str) or not re.fullmatch("[0-9a-fA-F]{64}", file_hash):
        raise ValueError(
            f"`file_hash` must be a SHA-256, 64 hexadecimal digits. Received: file_hash={file_hash!r}"
        )
    return file_hash.lower()


def _check_hash(content, expected, where):
    received = hashlib.sha256(content).hexdigest()
    if received != expected:
        raise ValueError(
            f"{where} must have the SHA-256 {expected}; it is damaged, or another file. Received: {received}"
        )


def _download(url, file_hash, cache):
    """Return the bytes at `url`, from the cache if they are there."""
    if cache is None:
        cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    kept = Path(cache) / f"sentence_pairs-{file_hash}"
    if kept.is_file() and hashlib.sha256(content := kept.read_bytes()).hexdigest() == file_hash:
        return content
    content = _fetch(url)
    _check_hash(content, file_hash, url)
    # Written under another name first: whoever stops this leaves no half of a file in the cache.
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        half.write_bytes(content)
        half.replace(kept)
    finally:
        half.unlink(missing_ok=True)
    return content


def _fetch(url):
    try:
        # Some servers refuse a client that does not give its name.
        request = urllib.request.Request(url, headers={"User-Agent": "course_utils"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.read()
    except (ValueError, http.client.InvalidURL) as error:
        raise ValueError(
            "`path_or_url` must be a whole address, with letters beyond ASCII written as %ED%95%9C. "
            f"Received: path_or_url={url!r:.80}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"Cannot read {url}: {error!r}. If this machine is offline, fetch the file elsewhere and pass "
            "its path."
        ) from error


def _text(content):
    if content.startswith(ZIPPED):
        content = _unzipped(content)
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"The text must be UTF-8 or CP949; line {line} is neither. Received: byte "
            f"{content[error.start]:#04x} at {error.start}"
        ) from error


def _unzipped(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            texts = [name for name in names if name.endswith(".txt") and not name.endswith("_about.txt")]
            if len(texts) == 1:
                return archive.read(texts[0])
    except Exception as error:  # of many kinds: each way to pack has its own
        raise ValueError(f"The archive is damaged, or encrypted. Received: {error!r}") from error
    raise ValueError(f"The archive must have one .txt besides _about.txt. Received: {names}")


def _lines(text):
    """Return the columns of each line: number, source, target, attribution."""
    lines = text.rstrip("\r\n").split("\n")  # not splitlines: it also splits within a sentence
    if lines == [""]:
        raise ValueError("The file must have a pair in each line. Received: an empty file")
    return [_columns(number, line) for number, line in enumerate(lines, start=1)]


def _columns(number, line):
    columns = [column.strip() for column in unicodedata.normalize("NFC", line).split("\t")]
    if len(columns) not in (2, 3) or not columns[0] or not columns[1]:
        raise ValueError(
            f"Line {number} must be a source, a tab, a target and perhaps a tab and an attribution. "
            f"Received: {line[:80]!r}"
        )
    return number, *columns[:2], "".join(columns[2:])


def _tokens(pair, split, reverse):
    number, first, second, by = pair
    source, target = (second, first) if reverse else (first, second)
    return number, split(source), split(target), by


def _within(pairs, max_length, too_long):
    """Return the pairs as `too_long` asks, and how many were too long."""
    long = [pair for pair in pairs if max_length and max(len(pair[1]), len(pair[2])) > max_length]
    if long and too_long == "refuse":
        number, source, target, _ = long[0]
        raise ValueError(
            f"Every sentence must have at most {max_length} tokens (or pass too_long='cut' or 'drop'). "
            f"Received: {max(len(source), len(target))} in line {number}"
        )
    if too_long == "drop":
        dropped = {pair[0] for pair in long}
        return [pair for pair in pairs if pair[0] not in dropped], len(long)
    return [
        (number, source[:max_length], target[:max_length], by) for number, source, target, by in pairs
    ], len(long)


def _parts(pairs, validation, test, seed):
    """Split by source: return three lists of source, target and attribution."""
    sources = sorted({source for source, _ in pairs})  # whatever the order of the file
    held_out = [max(1, round(share * len(sources))) for share in (validation, test)]
    if sum(held_out) >= len(sources):
        raise ValueError(
            f"Three parts need more sentences. Received: {len(sources)} different source sentences"
        )
    order = np.random.default_rng(seed).permutation(len(sources))
    part = {sources[number]: 1 for number in order[: held_out[0]]}
    part |= {sources[number]: 2 for number in order[held_out[0] : sum(held_out)]}
    parts = [[], [], []]
    for (source, target), by in pairs.items():
        parts[part.get(source, 0)].append((list(source), list(target), by))
    return parts


def _vocabulary(sentences, min_count):
    """Number the tokens of the training part from the most frequent one on."""
    counts = Counter(token for sentence in sentences for token in sentence)
    kept = [token for token, count in counts.items() if count >= min_count and token not in NAMES]
    if not kept:
        raise ValueError(
            f"No token is in the training part as often as asked. Received: min_count={min_count}"
        )
    return Vocabulary(sorted(kept, key=lambda token: (-counts[token], token)), marks=(*MARKS, UNKNOWN))


def _sentences(part, source_vocabulary, target_vocabulary, source_length, target_length):
    sources, targets, attributions = (list(column) for column in zip(*part, strict=True))
    return Sentences(
        sources,
        targets,
        source_vocabulary.encode(sources, length=source_length),
        target_vocabulary.encode(targets, length=target_length + len(MARKS), marked=True),
        attributions,
        source_vocabulary.count_unknown(sources) + target_vocabulary.count_unknown(targets),
    )
