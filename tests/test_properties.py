"""Whatever comes in, a result of the right shape comes out, or an error that says what was expected."""

import contextlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from keras import ops

from course_utils import causal_mask, data, generation, masked_softmax, measure
from course_utils.data import END, PAD, START, UNKNOWN

STRANGE = [
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # a family, joined from three
    "e\u0301\u0323",  # combining marks
    "\u0634\u0643\u0631\u0627",  # right to left
    "\u1112\u1161\u11ab",  # a syllable in pieces
    "\x00\u2028\ufeff ",
    "x" * 10_000,
    PAD,
    START,
    END,
    UNKNOWN,
]
tokens = some.one_of(some.text(min_size=1), some.sampled_from(STRANGE))
sentences = some.lists(some.lists(tokens, min_size=1, max_size=6), min_size=1, max_size=6)
careful = settings(max_examples=60, deadline=None)


@careful
@given(known=some.lists(tokens, min_size=1), read=sentences, length=some.integers(3, 12), cut=some.booleans())
@example(STRANGE[:-4], [STRANGE, ["x"]], 4, True)
def test_a_vocabulary_takes_any_text(known, read, length, cut):
    listed = [token for token in known if token not in (PAD, START, END, UNKNOWN)] or ["a"]
    vocabulary = data.Vocabulary(listed, marks=(START, END, UNKNOWN))
    longest = max(map(len, read))
    if longest + 2 > length and not cut:
        with pytest.raises(ValueError, match=rf"at most {length - 2} tokens.*length={longest}"):
            vocabulary.encode(read, length, cut, marked=True)
        return
    ids = vocabulary.encode(read, length, cut, marked=True)
    assert ids.shape == (len(read), length)
    for row, sentence in zip(ids, read, strict=True):
        kept = [token if token in listed else UNKNOWN for token in sentence[: length - 2]]
        assert vocabulary.decode(row) == [START, *kept, END]
        assert vocabulary.decode(row, marks=False) == kept
    assert vocabulary.count_unknown(read) == sum(token not in listed for row in read for token in row)


@careful
@given(ids=some.lists(some.integers(-3, 9), max_size=8))
def test_ids_are_decoded_or_refused(ids):
    vocabulary = data.Vocabulary("abc", marks=(START, END, UNKNOWN))
    if all(0 <= number < len(vocabulary) for number in ids):
        assert len(vocabulary.decode(ids)) == np.count_nonzero(ids)
    else:
        with pytest.raises(ValueError, match="Ids must be from 0 to 6"):
            vocabulary.decode(ids)


@careful
@given(sentence=some.one_of(some.none(), some.text(), some.lists(some.one_of(some.none(), some.integers()))))
def test_what_is_no_sentence_is_refused(sentence):
    vocabulary = data.Vocabulary("abc")
    with pytest.raises((ValueError, TypeError)) as refused:
        vocabulary.encode([sentence])
    assert str(refused.value)


scores = some.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)


@careful
@given(some.data())
def test_weights_sum_to_one_or_to_nothing_under_any_mask(draw):
    shape = draw.draw(some.tuples(*[some.integers(1, 4)] * 3))
    given_scores = draw.draw(arrays.arrays("float32", shape, elements=scores))
    mask_shape = tuple(draw.draw(some.sampled_from((1, size))) for size in shape)
    mask = draw.draw(arrays.arrays(bool, mask_shape))
    weights = ops.convert_to_numpy(masked_softmax(given_scores, mask))
    mask = np.broadcast_to(mask, shape)
    assert (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), mask.any(axis=-1), atol=1e-5)


@careful
@given(queries=some.integers(0, 6), values=some.integers(0, 9), position=some.integers(0, 12))
def test_a_causal_mask_hides_the_future_alone(queries, values, position):
    mask = ops.convert_to_numpy(causal_mask(queries, values, position))
    assert mask.shape == (queries, values)
    for query in range(queries):
        np.testing.assert_array_equal(mask[query], np.arange(values) <= position + query)


@careful
@given(some.data())
def test_spans_hold_a_share_of_the_weight(draw):
    rows, time = draw.draw(some.integers(1, 4)), draw.draw(some.integers(1, 6))
    weights = draw.draw(arrays.arrays("float64", (rows, time), elements=some.floats(0, 1)))
    spans = np.sort(draw.draw(arrays.arrays("int64", (rows, 2), elements=some.integers(-2, 8))), axis=1)
    slack = draw.draw(some.integers(0, 3))
    within, wider = (measure.weight_within(weights, spans, each) for each in (slack, slack + 1))
    assert within.shape == measure.peak_within(weights, spans, slack).shape == (rows,)
    assert (within >= 0).all()
    assert (within <= wider + 1e-9).all()
    np.testing.assert_allclose(measure.weight_within(weights, spans, 20), weights.sum(axis=1))


ids = arrays.arrays("int32", some.tuples(some.just(3), some.integers(1, 5)), elements=some.integers(1, 4))


@careful
@given(one=ids, other=ids, more=some.integers(0, 4))
def test_sequences_match_whatever_padding_follows(one, other, more):
    padded = np.pad(one, ((0, 0), (0, more)))
    assert measure.exact_match(padded, one).all()
    expected = [list(a) == list(b) for a, b in zip(one, other, strict=True)]
    np.testing.assert_array_equal(measure.exact_match(padded, other), expected)


class Table:
    """A model whose next token depends on the last one alone."""

    end_mark = 2

    def __init__(self, logits):
        self.logits = ops.convert_to_tensor(logits)

    def first_tokens(self, source):
        return np.ones(len(source), "int32")

    def start(self, source, max_length):  # noqa: ARG002
        return {"source": ops.convert_to_tensor(source)}

    def step(self, last, state, return_attention_scores=False):  # noqa: ARG002
        return ops.take(self.logits, last, axis=0), state


@settings(max_examples=15, deadline=None)
@given(some.data())
def test_generation_ends_once_and_pads_the_rest(draw):
    logits = draw.draw(
        arrays.arrays("float32", (5, 5), elements=some.floats(-30, 30, width=32, allow_subnormal=False))
    )
    length, width = draw.draw(some.integers(1, 5)), draw.draw(some.integers(1, 6))
    generated, log_probs = generation.generate(
        Table(logits), np.ones((2, 3), int), length, width, return_log_probs=True
    )
    assert generated.shape == (2, length)
    assert (log_probs <= 1e-6).all()
    for row in generated:
        real = row[: np.flatnonzero(row == 2)[0] + 1] if 2 in row else row
        assert (real > 0).all()
        assert not row[len(real) :].any()


@settings(max_examples=15, deadline=None)
@given(
    languages=some.lists(
        some.sampled_from(["en", "ko", "de", "fr", "ja", "es", "it"]), min_size=1, unique=True
    ),
    seed=some.integers(0, 2**32 - 1),
)
def test_every_date_has_its_three_fields_where_its_spans_say(languages, seed):
    made = data.dates(train=20, validation=3, test=3, languages=tuple(languages), seed=seed)
    for part in (made.train, made.validation, made.test):
        for source, day, spans in zip(part.sources, part.dates, part.spans, strict=True):
            year, month, _ = day.astype(object).timetuple()[:3]
            assert str(year) in "".join(source[slice(*spans[0])])
            assert all(0 <= first < last <= len(source) for first, last in spans)
            with contextlib.suppress(ValueError):  # a month's name is no number
                assert int("".join(source[slice(*spans[1])])) == month


@settings(max_examples=10, deadline=None)
@given(digits=some.integers(3, 18), zero=some.floats(0, 0.9), seed=some.integers(0, 2**32 - 1))
def test_number_words_fit_their_columns_and_share_no_number(digits, zero, seed):
    with contextlib.suppress(ValueError):  # where there are not that many
        made = data.number_words(150, 10, 10, digits, zero, seed=seed)
        parts = (made.train, made.validation, made.test)
        numbers = np.concatenate([part.numbers for part in parts])
        assert len(np.unique(numbers)) == len(numbers) == 170
        for part in parts:
            assert part.source_ids.shape[1] == made.train.source_ids.shape[1]
            assert (part.target_ids[:, 0] == 1).all()
            assert ((part.target_ids == 2).sum(axis=1) == 1).all()
