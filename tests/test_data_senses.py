"""The data of lesson 06 hold the truth that they plant, and no test data leak into training."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from course_utils import data


class TestSenses:
    task = data.senses(train=270, test=90, seed=3)
    sentences = task.train_sentences + task.test_sentences
    tags = np.concatenate([task.train_tags, task.test_tags])

    def test_the_noun_before_and_the_verb_after_decide(self):
        for sentence, tags in zip(self.sentences, self.tags, strict=True):
            use, kind = (self.task.tags[tag] for tag in tags if tag > 1)
            place = sentence.index("쓰고")
            assert sentence[place - 1] in self.task.nouns[use]
            assert sentence[place + 1] == "배를"
            assert sentence[-1] in self.task.verbs[kind]

    def test_tags_stand_at_their_words_and_padding_is_zero(self):
        ids = np.concatenate([self.task.train_ids, self.task.test_ids])
        for sentence, row, tags in zip(self.sentences, ids, self.tags, strict=True):
            assert self.task.vocabulary.decode(row) == sentence
            np.testing.assert_array_equal(tags != 0, row != 0)
            np.testing.assert_array_equal(
                np.flatnonzero(tags > 1), [sentence.index("쓰고"), sentence.index("배를")]
            )

    @pytest.mark.parametrize(
        ("word", "cut"),
        [("배를", lambda place: slice(place + 1)), ("쓰고", lambda place: slice(place, None))],
    )
    @pytest.mark.parametrize("part", ["train", "test"])
    def test_one_way_is_right_exactly_once_in_three(self, word, cut, part):
        groups = defaultdict(Counter)
        sentences = getattr(self.task, f"{part}_sentences")
        for sentence, tags in zip(sentences, getattr(self.task, f"{part}_tags"), strict=True):
            place = sentence.index(word)
            groups[tuple(sentence[cut(place)])][tags[place]] += 1
        assert 3 * sum(max(counts.values()) for counts in groups.values()) == len(sentences)

    def test_blocks_of_nine_differ_in_noun_and_verb_alone(self):
        for first in range(0, len(self.sentences), 9):
            block = [tuple(sentence) for sentence in self.sentences[first : first + 9]]
            noun = block[0].index("쓰고") - 1
            rest = {(*words[:noun], *words[noun + 1 : -1]) for words in block}
            assert len(rest) == 1
            assert {len({words[place] for words in block}) for place in (noun, -1)} == {3}
            assert block[0][:-1] == block[1][:-1]
            assert block[0][noun + 1 :] == block[3][noun + 1 :]

    def test_no_sentence_stands_in_train_and_test_or_twice(self):
        task = data.senses()
        train, test = (set(map(tuple, part)) for part in (task.train_sentences, task.test_sentences))
        assert (len(train), len(test)) == (2_700, 900)
        assert train.isdisjoint(test)

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("sizes", [(2_700, 900), (900, 2_700), (8_100, 270)])
    def test_both_parts_have_the_same_forms_in_the_same_shares(self, seed, sizes):
        task = data.senses(*sizes, seed=seed)
        shares = []
        for sentences in (task.train_sentences, task.test_sentences):
            forms = Counter((words.index("쓰고"), len(words) - words.index("배를")) for words in sentences)
            shares.append([forms[before, after] / len(sentences) for before in (2, 3) for after in (2, 3, 4)])
            assert sum(shares[-1]) == pytest.approx(1)
        np.testing.assert_allclose(*shares, atol=1.5 * 9 / min(sizes))

    def test_neither_part_is_sorted(self):
        task = data.senses()
        for sentences in (task.train_sentences, task.test_sentences):
            lengths = [len(words) for words in sentences[::9]]
            assert abs(np.corrcoef(lengths, np.arange(len(lengths)))[0, 1]) < 0.3

    def test_lengths_differ_and_every_word_has_latin_letters(self):
        task = data.senses()
        assert set(map(len, task.train_sentences)) == {5, 6, 7, 8}
        assert {word for words in task.train_sentences for word in words} == set(task.roman)
        assert all(roman.isascii() for roman in task.roman.values())
        assert len(set(task.roman.values())) == len(task.roman)
        assert "2,700 sentences to train, 900 to test, 45 ids" in repr(task)

    def test_a_seed_gives_the_same_and_another_seed_other_sentences(self):
        assert data.senses(270, 90, seed=3).train_sentences == self.task.train_sentences
        assert data.senses(270, 90, seed=4).train_sentences != self.task.train_sentences

    @pytest.mark.parametrize("wrong", [{"train": 10}, {"test": 0}, {"train": 90_000}, {"test": 9.0}])
    def test_bad_sizes_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.senses(**wrong)


class TestModularSum:
    task = data.modular_sum(train=300, test=200, time=7, lag=3, modulus=4, seed=1)

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_labels_are_sums_with_the_symbol_before(self, part):
        ids, labels = getattr(self.task, f"{part}_ids"), getattr(self.task, f"{part}_labels")
        for row, sums in zip(ids, labels, strict=True):
            before = [0, 0, 0, *row[:-3]]
            np.testing.assert_array_equal(sums, (row + before) % 4)

    def test_one_of_the_two_symbols_says_next_to_nothing(self):
        task = data.modular_sum()
        for known in (task.train_ids[:, 2:], task.train_ids[:, :-2]):
            counts = np.histogram2d(known.ravel(), task.train_labels[:, 2:].ravel(), bins=5)[0]
            assert (counts.max(axis=1) / counts.sum(axis=1)).max() < 0.22
        assert "16,000 sequences to train, 1,000 to test, 8 steps, lag 2" in repr(task)

    def test_a_seed_gives_the_same_and_another_seed_other_sequences(self):
        again, other = (data.modular_sum(300, 200, 7, 3, 4, seed=seed).train_ids for seed in (1, 2))
        np.testing.assert_array_equal(again, self.task.train_ids)
        assert (other != self.task.train_ids).any()

    @pytest.mark.parametrize("wrong", [{"train": 0}, {"modulus": 1}, {"lag": 8}, {"time": 2.5}])
    def test_bad_sizes_are_refused(self, wrong):
        with pytest.raises(ValueError, match="Received: "):
            data.modular_sum(**wrong)
