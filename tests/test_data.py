"""The data sets hold the truth that they plant, and no test data leak into training."""

import functools
import importlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from course_utils import data
from course_utils.data.clauses import GOOD, NOUNS
from course_utils.data.grammar import RULES, WORDS

# What each data set calls the examples that a model reads. A data set that is not listed fails.
EXAMPLES = {
    "airline": "inputs",
    "clauses": "ids",
    "dates": "source_ids",
    "grammar": "sentences",
    "marked_symbol": "inputs",
    "modular_sum": "ids",
    "number_words": "source_ids",
    "senses": "ids",
    "sentence_pairs": "sources",
    "text": "ids",
    "topics": "ids",
}
PARTS = ("train", "validation", "test")
DATA_SETS = sorted(name for name in data.__all__ if callable(getattr(data, name)) and name != "Vocabulary")
DRAWN = sorted({*DATA_SETS} - {"airline", "text", "topics"})  # those with a seed


@functools.cache
def default(name):
    """The data set as it is without any argument."""
    return getattr(data, name)()


def examples(task, name):
    """The examples of each part, in a form that can stand in a set."""
    parts = {}
    for part in PARTS:
        if hasattr(task, f"{part}_{EXAMPLES[name]}"):
            parts[part] = getattr(task, f"{part}_{EXAMPLES[name]}")
        elif hasattr(task, part):
            parts[part] = getattr(getattr(task, part), EXAMPLES[name])
    return {
        part: [row.tobytes() if isinstance(row, np.ndarray) else tuple(row) for row in rows]
        for part, rows in parts.items()
    }


class TestHeldOut:
    """At default sizes: a smaller draw may have no repeats where the default has many."""

    @pytest.fixture(name="task")
    def _task(self, name, tmp_path):
        if name != "sentence_pairs":
            return default(name)
        path = tmp_path / "pairs.txt"  # each source has two translations, and each line stands twice
        lines = [f"Run {number}{sign}\tCours {number}{sign}" for number in range(99) for sign in ".!"]
        lines += [f"{line} !" for line in lines]
        path.write_text("\n".join(lines * 2), encoding="utf-8")
        return data.sentence_pairs(path)

    @pytest.mark.parametrize("name", DATA_SETS)
    def test_no_held_out_example_stands_in_training(self, task, name):
        parts = examples(task, name)
        assert {"train"} < set(parts)
        assert all(parts.values())
        for part, other in itertools.combinations(parts, 2):
            assert not set(parts[part]) & set(parts[other])

    @pytest.mark.parametrize("name", sorted({*DATA_SETS} - {"text", "topics", "sentence_pairs"}))
    def test_no_example_is_trained_on_twice(self, task, name):
        train = examples(task, name)["train"]
        assert len(set(train)) == len(train)

    @pytest.mark.parametrize(
        ("name", "sizes"),
        [
            ("clauses", (4_000, 1_000)),
            ("dates", (20_000, 1_000, 1_000)),
            ("grammar", (600, 150)),
            ("marked_symbol", (20_000, 2_000)),
            ("modular_sum", (16_000, 1_000)),
            ("number_words", (20_000, 1_000, 1_000)),
            ("senses", (2_700, 900)),
        ],
    )
    def test_default_sizes(self, task, name, sizes):
        assert tuple(map(len, examples(task, name).values())) == sizes

    @pytest.mark.parametrize(
        ("name", "seen_and_possible"),
        [
            ("clauses", lambda task: (task.train_ids, range(1, len(task.vocabulary)))),
            ("dates", lambda task: (task.train.source_ids, range(3, len(task.source_vocabulary)))),
            ("dates", lambda task: (task.train.target_ids, range(1, len(task.target_vocabulary)))),
            ("grammar", lambda task: (task.train_words, range(1, len(task.vocabulary)))),
            ("grammar", lambda task: (task.train_neighbours, range(1, len(task.vocabulary)))),
            ("marked_symbol", lambda task: (task.train_inputs[..., :-1].argmax(axis=-1), range(8))),
            ("marked_symbol", lambda task: (task.train_labels, range(8))),
            ("marked_symbol", lambda task: (task.train_distances, range(50))),
            ("modular_sum", lambda task: (task.train_ids, range(5))),
            ("number_words", lambda task: (task.train.source_ids, range(3, len(task.source_vocabulary)))),
            ("number_words", lambda task: (task.train.target_ids, range(len(task.target_vocabulary)))),
            ("senses", lambda task: (task.train_ids, range(1, len(task.vocabulary)))),
        ],
    )
    def test_whatever_can_occur_is_trained_on(self, task, name, seen_and_possible):  # noqa: ARG002
        seen, possible = seen_and_possible(task)
        assert set(possible) <= set(np.unique(seen).tolist())

    @pytest.mark.parametrize(
        ("draw", "possible"),
        [
            (lambda train, test: data.marked_symbol(train, test, time=3, symbols=2), 2**3 * 3),
            (lambda train, test: data.modular_sum(train, test, time=3, modulus=3), 3**3),
            (lambda train, test: data.grammar(train, test), 768),
        ],
        ids=["marked_symbol", "modular_sum", "grammar"],
    )
    def test_all_that_is_possible_can_be_had_and_no_more(self, draw, possible):
        (name,) = (each for each in ("inputs", "ids", "sentences") if hasattr(draw(3, 2), f"train_{each}"))
        task = draw(possible - 5, 5)
        rows = [*getattr(task, f"train_{name}"), *getattr(task, f"test_{name}")]
        assert len({str(np.asarray(row).tolist()) for row in rows}) == possible
        with pytest.raises(
            ValueError, match=rf"only {possible} different .*Received: train \+ test={possible + 1}"
        ):
            draw(possible - 5, 6)


class TestOddArguments:
    @pytest.mark.parametrize("seed", [-1, None, 1.5, "0", True])
    @pytest.mark.parametrize("name", sorted({*DRAWN} - {"sentence_pairs"}))
    def test_a_seed_is_a_whole_number(self, name, seed):
        with pytest.raises(ValueError, match=r"`seed` must be a whole number of at least 0. Received: seed="):
            getattr(data, name)(seed=seed)

    @pytest.mark.parametrize("share", [None, "0.5", float("nan"), True, 0, 1, -0.5])
    @pytest.mark.parametrize(
        ("name", "argument"),
        [("clauses", "negated"), ("grammar", "withheld"), ("topics", "test")],
        ids=["clauses", "grammar", "topics"],
    )
    def test_a_share_is_above_0_and_below_1(self, name, argument, share):
        with pytest.raises(ValueError, match=rf"`{argument}` must be above 0.*Received: {argument}="):
            getattr(data, name)(**{argument: share})

    @pytest.mark.parametrize(
        ("name", "wrong", "message"),
        [
            ("number_words", {"zero": None}, "`zero` must be from 0 to below 1. Received: zero=None"),
            ("number_words", {"to_english": "yes"}, "`to_english` must be True or False. Received"),
            ("dates", {"languages": None}, "`languages` must be a list.*Received: languages=None"),
            ("dates", {"languages": "ko"}, "`languages` must be a list.*Received: languages='ko'"),
            ("modular_sum", {"modulus": 2**31}, "`modulus` must be at most.*Received: modulus=2147483648"),
        ],
    )
    def test_other_arguments(self, name, wrong, message):
        with pytest.raises(ValueError, match=message):
            getattr(data, name)(**wrong)

    def test_a_share_so_extreme_that_sentences_run_out_is_refused(self):
        with pytest.raises(ValueError, match=r"too few sentences.*train \+ test=6600, negated=0.0001"):
            data.clauses(train=5_600, test=1_000, negated=1e-4)


class TestVocabulary:
    vocabulary = data.Vocabulary(["b", "a", "b", "c"])

    def test_texts_are_split_and_joined_by_what_stands_between_tokens(self):
        for vocabulary, text, tokens in (
            (data.Vocabulary("cab"), "abc", ["a", "b", "c"]),
            (data.Vocabulary(["a", "be", "c"]), "a be c", ["a", "be", "c"]),
            (data.Vocabulary("cab", separator=", "), "a, b, c", ["a", "b", "c"]),
        ):
            assert vocabulary.split(text) == tokens
            assert vocabulary.join(tokens) == text
            assert data.Vocabulary(**vocabulary.get_config()).split(text) == tokens

    def test_a_vocabulary_comes_back_from_its_config(self):
        marked = data.Vocabulary(["a", "be"], marks=(data.START, data.UNKNOWN), separator="-")
        again = data.Vocabulary(**marked.get_config())
        assert (again.tokens, again.marks, again.separator) == (marked.tokens, marked.marks, "-")

    @pytest.mark.parametrize("separator", [0, ["-"], b"-"])
    def test_a_separator_is_a_string(self, separator):
        with pytest.raises(ValueError, match=r"`separator` must be a string. Received: separator="):
            data.Vocabulary("ab", separator=separator)

    def test_padding_is_zero_and_tokens_keep_their_order(self):
        assert self.vocabulary.tokens == [data.PAD, "b", "a", "c"]
        assert len(self.vocabulary) == 4
        assert "Vocabulary of 4" in repr(self.vocabulary)

    def test_encoding_and_decoding_is_a_round_trip(self):
        sentences = [["a", "b"], ["c"], ["b", "b", "a"]]
        ids = self.vocabulary.encode(sentences)
        assert ids.dtype == "int32"
        np.testing.assert_array_equal(ids, [[2, 1, 0], [3, 0, 0], [1, 1, 2]])
        assert [self.vocabulary.decode(row) for row in ids] == sentences

    @given(some.lists(some.lists(some.text(min_size=1), min_size=1), min_size=1))
    def test_any_text_is_a_round_trip(self, sentences):
        tokens = [token for sentence in sentences for token in sentence if token != data.PAD]
        if not tokens:
            return
        sentences = [[token for token in sentence if token != data.PAD] or tokens for sentence in sentences]
        vocabulary = data.Vocabulary(tokens)
        ids = vocabulary.encode(sentences)
        assert ids.shape == (len(sentences), max(map(len, sentences)))
        assert [vocabulary.decode(row) for row in ids] == sentences

    def test_unknown_tokens_get_their_mark_where_there_is_one(self):
        marked = data.Vocabulary(["a"], marks=(data.UNKNOWN,))
        np.testing.assert_array_equal(marked.encode([["a", "z"]]), [[2, 1]])

    def test_unknown_tokens_are_refused_where_there_is_none(self):
        with pytest.raises(ValueError, match=r"no such token.*Received: token='z'"):
            self.vocabulary.encode([["a", "z"]])

    def test_long_sentences_are_cut_only_as_asked(self):
        np.testing.assert_array_equal(self.vocabulary.encode([["a", "b", "c"]], length=2, cut=True), [[2, 1]])
        with pytest.raises(ValueError, match=r"at most 2 tokens.*Received: length=3"):
            self.vocabulary.encode([["a", "b", "c"]], length=2)

    @pytest.mark.parametrize("wrong", [[], [["a"], []], ["ab"]], ids=["none", "empty", "string"])
    def test_empty_or_plain_sentences_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: sentence"):
            self.vocabulary.encode(wrong)

    @pytest.mark.parametrize("wrong", [[], [""], [3], [data.PAD]], ids=["none", "empty", "number", "mark"])
    def test_a_vocabulary_needs_proper_tokens(self, wrong):
        with pytest.raises(ValueError, match="Received: token"):
            data.Vocabulary(wrong)

    @pytest.mark.parametrize("marks", [None, ["", "b"], [3], ["<a>", "<a>"], [data.PAD]], ids=str)
    def test_marks_are_different_strings(self, marks):
        with pytest.raises(ValueError, match="Received: mark"):
            data.Vocabulary(["a"], marks=marks)

    @pytest.mark.parametrize("wrong", [None, 3, [[1]], [["a"], None], [["a"], [["a"]]]], ids=str)
    def test_what_are_no_sentences_is_refused(self, wrong):
        for function in (self.vocabulary.encode, data.Vocabulary(["a"], marks=[data.UNKNOWN]).count_unknown):
            if function != self.vocabulary.encode and wrong in ([[1]], [["a"], [["a"]]]):
                assert function(wrong) == 1  # unknown tokens
            else:
                with pytest.raises(ValueError, match=r"Received: (sentence|token)"):
                    function(wrong)

    @pytest.mark.parametrize("wrong", [None, 1, [[1, 2]], [1.5], ["a"], [True], [[1], [2, 3]]], ids=str)
    def test_what_are_no_ids_is_refused(self, wrong):
        with pytest.raises(ValueError, match=r"`ids` must be one sequence of whole numbers. Received: ids="):
            self.vocabulary.decode(wrong)

    @pytest.mark.parametrize("flag", ["cut", "marked"])
    def test_flags_are_true_or_false(self, flag):
        with pytest.raises(ValueError, match=f"`{flag}` must be True or False. Received: {flag}='no'"):
            self.vocabulary.encode([["a"]], **{flag: "no"})

    @pytest.mark.parametrize("wrong", [4, -1])
    def test_ids_outside_are_refused(self, wrong):
        with pytest.raises(ValueError, match=rf"from 0 to 3. Received: id={wrong}"):
            self.vocabulary.decode([1, wrong])

    def test_start_and_end_stand_around_a_marked_sentence(self):
        marked = data.Vocabulary(["a", "b"], marks=(data.START, data.END))
        assert marked.tokens == [data.PAD, data.START, data.END, "a", "b"]
        ids = marked.encode([["a", "b"], ["b"]], marked=True)
        np.testing.assert_array_equal(ids, [[1, 3, 4, 2], [1, 4, 2, 0]])
        np.testing.assert_array_equal(marked.encode([["b"]], length=5, marked=True), [[1, 4, 2, 0, 0]])
        np.testing.assert_array_equal(marked.encode([["b"]]), [[4]])

    def test_marks_stay_where_a_sentence_is_cut(self):
        marked = data.Vocabulary(["a", "b"], marks=(data.START, data.END))
        sentence = [["a", "b", "b"]]
        np.testing.assert_array_equal(
            marked.encode(sentence, length=4, cut=True, marked=True), [[1, 3, 4, 2]]
        )
        np.testing.assert_array_equal(marked.encode(sentence, length=5, marked=True), [[1, 3, 4, 4, 2]])
        with pytest.raises(ValueError, match=r"at most 2 tokens.*Received: length=3"):
            marked.encode(sentence, length=4, marked=True)
        with pytest.raises(ValueError, match=r"at least 3. Received: length=2"):
            marked.encode(sentence, length=2, cut=True, marked=True)

    @pytest.mark.parametrize("marks", [(), (data.START,), (data.END, data.UNKNOWN)])
    def test_marks_that_the_vocabulary_lacks_are_refused(self, marks):
        with pytest.raises(ValueError, match=r"needs the mark <(start|end)>. Received: marks=\("):
            data.Vocabulary(["a"], marks=marks).encode([["a"]], marked=True)

    def test_decoding_stops_at_the_end_and_leaves_marks_out_as_asked(self):
        marked = data.Vocabulary(["a", "b"], marks=(data.START, data.END, data.UNKNOWN))
        ids = [1, 4, 3, 5, 2, 5, 2, 0]
        assert marked.decode(ids, marks=False) == ["a", data.UNKNOWN, "b"]
        assert marked.decode(ids) == [data.START, "a", data.UNKNOWN, "b", data.END, "b", data.END]
        assert marked.decode([4, 5], marks=False) == ["a", "b"]
        assert marked.decode([1, 2], marks=False) == []
        with pytest.raises(ValueError, match="Received: id=6"):
            marked.decode([2, 6], marks=False)  # behind the end, too

    def test_unknown_tokens_are_counted(self):
        marked = data.Vocabulary(["a"], marks=(data.UNKNOWN,))
        assert marked.count_unknown([["a", "z", "z"], ["y"]]) == 3
        assert self.vocabulary.count_unknown([["a", "b"]]) == 0

    def test_the_name_of_a_mark_in_a_text_is_no_mark(self):
        marked = data.Vocabulary(["a"], marks=(data.START, data.END, data.UNKNOWN))
        text = [["a", data.PAD, data.START, data.END, data.UNKNOWN]]
        np.testing.assert_array_equal(marked.encode(text), [[4, 3, 3, 3, 3]])
        assert marked.count_unknown(text) == 4
        with pytest.raises(ValueError, match="no such token"):
            self.vocabulary.encode([["a", data.PAD]])


class TestClauses:
    task = data.clauses(train=400, test=100, seed=3)

    def test_rows_mirror_each_other_with_opposite_labels(self):
        sentences = self.task.train_sentences + self.task.test_sentences
        labels = [*self.task.train_labels, *self.task.test_labels]
        for first in range(0, len(sentences), 2):
            turn = sentences[first].index("but")
            left, right = sentences[first][:turn], sentences[first][turn + 1 :]
            assert sentences[first + 1] == [*right, "but", *left]
            assert labels[first] + labels[first + 1] == 1

    def test_the_label_is_what_the_last_clause_says(self):
        for sentence, label in zip(self.task.train_sentences, self.task.train_labels, strict=True):
            last = sentence[sentence.index("but") + 1 :]
            praises = (last[-1] in GOOD) != ("not" in last)
            assert praises == bool(label)

    def test_no_sentence_stands_in_train_and_test_or_twice(self):
        sentences = [" ".join(words) for words in self.task.train_sentences + self.task.test_sentences]
        assert len(set(sentences)) == len(sentences) == 500

    def test_the_two_clauses_have_different_nouns(self):
        for words in self.task.train_sentences:
            assert len({word for word in words if word in NOUNS}) == 2

    def test_no_place_in_a_pair_says_the_label(self):
        assert 0.4 < data.clauses().train_labels[::2].mean() < 0.6

    def test_a_quarter_is_negated_by_default(self):
        sentences = data.clauses().train_sentences
        assert abs(sum(words.count("not") for words in sentences) / (2 * len(sentences)) - 0.25) < 0.02

    def test_ids_spell_the_sentences(self):
        for sentence, row in zip(self.task.test_sentences, self.task.test_ids, strict=True):
            assert self.task.vocabulary.decode(row) == sentence

    def test_the_share_of_negated_clauses_is_as_asked(self):
        for negated in (0.1, 0.5):
            task = data.clauses(negated=negated)
            clauses = 2 * len(task.train_sentences)
            assert abs(sum(words.count("not") for words in task.train_sentences) / clauses - negated) < 0.05

    def test_a_seed_gives_the_same_and_another_seed_other_sentences(self):
        assert data.clauses(400, 100, seed=3).train_sentences == self.task.train_sentences
        assert data.clauses(400, 100, seed=4).train_sentences != self.task.train_sentences

    @pytest.mark.parametrize(
        "wrong", [{"train": 3}, {"test": 0}, {"train": 20_000}, {"negated": 0}, {"negated": 1.5}]
    )
    def test_bad_sizes_and_shares_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.clauses(**wrong)


class TestMarked:
    task = data.marked_symbol(train=300, test=200, time=12, symbols=5, seed=1)

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_the_label_is_the_marked_symbol_at_its_distance(self, part):
        inputs, labels, distances = (
            getattr(self.task, f"{part}_{name}") for name in ("inputs", "labels", "distances")
        )
        np.testing.assert_array_equal(inputs[..., -1].sum(axis=1), 1)
        np.testing.assert_array_equal(inputs[..., :-1].sum(axis=2), 1)
        marked = inputs[..., -1].argmax(axis=1)
        np.testing.assert_array_equal(distances, 11 - marked)
        np.testing.assert_array_equal(labels, inputs[np.arange(len(inputs)), marked, :-1].argmax(axis=1))

    def test_every_distance_and_symbol_occurs(self):
        assert set(self.task.train_distances) == set(range(12))
        assert set(self.task.train_labels) == set(range(5))
        assert "300 sequences to train, 200 to test" in repr(self.task)

    def test_the_marked_step_is_drawn_evenly_by_default(self):
        distances = data.marked_symbol().train_distances
        counts = np.bincount(distances, minlength=50)
        assert len(counts) == 50
        assert abs(counts / 400 - 1).max() < 0.3

    def test_a_seed_gives_the_same_and_another_seed_other_sequences(self):
        again, other = (data.marked_symbol(300, 200, 12, 5, seed=seed).train_inputs for seed in (1, 2))
        np.testing.assert_array_equal(again, self.task.train_inputs)
        assert (other != self.task.train_inputs).any()

    @pytest.mark.parametrize("wrong", [{"train": 0}, {"test": -1}, {"time": 2.5}, {"symbols": 1}])
    def test_bad_sizes_are_refused(self, wrong):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be a whole number"):
            data.marked_symbol(**wrong)


class TestAirline:
    task = data.airline()

    def test_each_label_follows_its_window(self):
        scaled = self.task.scale(self.task.passengers)
        np.testing.assert_allclose(self.task.train_inputs[5, :, 0], scaled[5:29], atol=1e-6)
        assert self.task.train_labels[5] == pytest.approx(scaled[29], abs=1e-6)
        np.testing.assert_allclose(
            self.task.unscale(self.task.test_labels), self.task.passengers[108:], rtol=1e-5
        )

    def test_the_published_total(self):
        assert self.task.passengers.shape == (144,)
        assert self.task.passengers.sum() == 40_363
        assert "84 windows to train, 36 months to test" in repr(self.task)

    def test_the_published_totals_of_each_year_and_of_the_first_month(self):
        years = self.task.passengers.reshape(12, 12)
        np.testing.assert_array_equal(
            years.sum(axis=1), [1520, 1676, 2042, 2364, 2700, 2867, 3408, 3939, 4421, 4572, 5140, 5714]
        )
        np.testing.assert_array_equal(
            years.sum(axis=0), [2901, 2820, 3242, 3205, 3262, 3740, 4216, 4213, 3629, 3199, 2794, 3142]
        )
        np.testing.assert_array_equal(years[0], [112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118])
        assert (years.argmax(axis=1) >= 6).all()  # the peak is in summer: July or August
        assert (years.argmax(axis=1) <= 7).all()

    @pytest.mark.parametrize("wrong", [0, -3, None, "many", [], float("nan")])
    def test_what_are_no_passengers_is_refused(self, wrong):
        with pytest.raises(ValueError, match=r"`passengers` must be .*Received: passengers"):
            self.task.scale(wrong)

    def test_test_months_change_nothing_that_is_trained_on(self, monkeypatch):
        airline_module = importlib.import_module("course_utils.data.airline")
        changed = airline_module.THOUSANDS.copy()
        changed[9:] *= 3
        monkeypatch.setattr(airline_module, "THOUSANDS", changed)
        other = data.airline()
        np.testing.assert_array_equal(other.train_inputs, self.task.train_inputs)
        np.testing.assert_array_equal(other.train_labels, self.task.train_labels)
        assert (other.mean, other.deviation) == (self.task.mean, self.task.deviation)

    @pytest.mark.parametrize(
        "wrong", [{"window": 0}, {"test_months": 0}, {"window": 108}, {"test_months": 144}]
    )
    def test_bad_splits_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.airline(**wrong)


class TestGrammar:
    task = data.grammar(train=500, test=100, seed=2)
    sentences = task.train_sentences + task.test_sentences
    words = np.concatenate([task.train_words, task.test_words])
    neighbours = np.concatenate([task.train_neighbours, task.test_neighbours])

    def test_withheld_and_forbidden_pairs_never_occur(self):
        seen = {tuple(pair) for pair in zip(self.words, self.neighbours, strict=True)}
        for pairs in (self.task.withheld, self.task.forbidden):
            assert not seen & {tuple(pair) for pair in pairs}

    def test_withheld_pairs_are_allowed_by_a_rule_and_forbidden_ones_are_not(self):
        allowed = {(verb, thing) for _, verb, thing in RULES}
        assert all(tuple(self.task.groups[pair]) in allowed for pair in self.task.withheld)
        assert not any(tuple(self.task.groups[pair]) in allowed for pair in self.task.forbidden)
        assert (len(self.task.withheld), len(self.task.forbidden)) == (32, 384)
        assert len({tuple(pair) for pair in self.task.withheld}) == 32
        assert len(data.grammar(train=50, test=10, withheld=0.5).withheld) == 64

    def test_every_sentence_follows_a_rule(self):
        group = dict(zip(self.task.vocabulary.tokens, self.task.groups, strict=True))
        for part in (self.task.train_sentences, self.task.test_sentences):
            assert {tuple(group[word] for word in sentence) for sentence in part} == set(RULES)

    def test_every_word_has_its_group(self):
        for word, group in zip(self.task.vocabulary.tokens[1:], self.task.groups[1:], strict=True):
            assert word in WORDS[group]
        assert self.task.groups[0] == ""

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_neighbours_are_those_of_the_sentences_in_both_directions(self, part):
        sentences = getattr(self.task, f"{part}_sentences")
        expected = [
            pair
            for one, two, three in self.task.vocabulary.encode(sentences)
            for pair in ((one, two), (two, one), (two, three), (three, two))
        ]
        words, neighbours = (getattr(self.task, f"{part}_{name}") for name in ("words", "neighbours"))
        assert list(zip(words, neighbours, strict=True)) == expected

    def test_ids_say_nothing_about_groups(self):
        words = self.task.vocabulary.tokens[1:]
        assert words == sorted(word for group in WORDS.values() for word in group)

    def test_sentences_stand_in_no_order(self):
        first = [sentence[0] for sentence in self.sentences]
        assert len(set(first[:40])) > 8  # of 16

    def test_a_seed_gives_the_same_and_another_seed_other_sentences(self):
        assert data.grammar(500, 100, seed=2).train_sentences == self.task.train_sentences
        assert data.grammar(500, 100, seed=3).train_sentences != self.task.train_sentences

    @pytest.mark.parametrize(
        "wrong", [{"train": 0}, {"test": 2.5}, {"train": 700}, {"withheld": 0}, {"withheld": 1}]
    )
    def test_bad_sizes_and_shares_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.grammar(**wrong)

    def test_sizes_are_said(self):
        assert repr(self.task) == (
            "Grammar: 500 sentences to train, 100 to test, 64 words, 32 allowed pairs withheld, 384 forbidden"
        )
