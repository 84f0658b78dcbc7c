"""The data sets hold the truth that they plant, and no test data leak into training."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from course_utils import data
from course_utils.data.clauses import GOOD
from course_utils.data.grammar import RULES


class TestVocabulary:
    vocabulary = data.Vocabulary(["b", "a", "b", "c"])

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
    task = data.grammar(sentences=500, seed=2)

    def test_withheld_and_forbidden_pairs_never_occur(self):
        seen = {tuple(pair) for pair in zip(self.task.words, self.task.neighbours, strict=True)}
        for pairs in (self.task.withheld, self.task.forbidden):
            assert not seen & {tuple(pair) for pair in pairs}

    def test_withheld_pairs_are_allowed_by_a_rule_and_forbidden_ones_are_not(self):
        allowed = {(verb, thing) for _, verb, thing in RULES}
        assert all(tuple(self.task.groups[pair]) in allowed for pair in self.task.withheld)
        assert not any(tuple(self.task.groups[pair]) in allowed for pair in self.task.forbidden)
        assert (len(self.task.withheld), len(self.task.forbidden)) == (32, 384)

    def test_every_sentence_follows_a_rule(self):
        group = dict(zip(self.task.vocabulary.tokens, self.task.groups, strict=True))
        assert {tuple(group[word] for word in sentence) for sentence in self.task.sentences} == set(RULES)

    def test_neighbours_are_those_of_the_sentences_in_both_directions(self):
        first = self.task.vocabulary.encode(self.task.sentences[:1])[0]
        pairs = list(zip(self.task.words[:4], self.task.neighbours[:4], strict=True))
        assert pairs == [
            (first[0], first[1]),
            (first[1], first[0]),
            (first[1], first[2]),
            (first[2], first[1]),
        ]
        assert 0 not in self.task.words

    def test_a_seed_gives_the_same_and_another_seed_other_sentences(self):
        assert data.grammar(500, seed=2).sentences == self.task.sentences
        assert data.grammar(500, seed=3).sentences != self.task.sentences

    @pytest.mark.parametrize("wrong", [{"sentences": 0}, {"withheld": 0}, {"withheld": 1}])
    def test_bad_sizes_and_shares_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.grammar(**wrong)
