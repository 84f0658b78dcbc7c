"""Search over any model with a start and a step: greedy is greedy, a wide beam finds the best there is."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import generation
from course_utils.generation import generate, sample

END, A, B, C = 2, 3, 4, 5


class Tree:
    """A model that is a table: the logits of the next token after every prefix, for each of its sources."""

    end_mark = END

    def __init__(self, logits):
        self.logits = ops.convert_to_tensor(logits, "float32")  # (sources, prefixes, vocabulary)
        self.vocabulary = logits.shape[-1]
        self.traced = 0

    def first_tokens(self, source):
        return np.zeros(len(source), "int32")

    def start(self, source, max_length):  # noqa: ARG002
        return {
            "source": ops.convert_to_tensor(source[:, 0], "int32"),
            "prefix": ops.zeros(len(source), "int32"),
        }

    def step(self, tokens, state, return_attention_scores=False):
        self.traced += 1
        prefix = state["prefix"] * self.vocabulary + ops.cast(tokens, "int32")
        row = state["source"] * self.logits.shape[1] + prefix
        logits = ops.take(ops.reshape(self.logits, (-1, self.vocabulary)), row, axis=0)
        state = {**state, "prefix": prefix}
        if return_attention_scores:
            return logits, state, ops.one_hot(state["prefix"], 64)  # as if it looked at its own prefix
        return logits, state

    def log_probs(self, source, tokens):
        """Sum the log-probabilities of `tokens`, without any search."""
        total, prefix = 0.0, 0
        for token in tokens:
            logits = np.asarray(self.logits[source][prefix], "float64")
            total += logits[token] - np.log(np.exp(logits).sum())
            prefix = prefix * self.vocabulary + token
        return total


@pytest.fixture(name="random_tree")
def _random_tree():
    logits = np.random.default_rng(0).normal(scale=2, size=(20, 5**3, 5))
    logits[:, :, 1] = -50  # a start mark: three symbols are left
    return Tree(logits)


SOURCES = np.arange(20)[:, None]


def every_sequence(symbols=(END, A, B), steps=3):
    """All sequences that have ended, or not within the steps."""
    for sequence in itertools.product(symbols, repeat=steps):
        stop = sequence.index(END) + 1 if END in sequence else steps
        if END not in sequence[stop:] and all(token == A for token in sequence[stop:]):  # each once
            yield sequence[:stop]


def padded(tokens, steps=3):
    return [*tokens, *[0] * (steps - len(tokens))]


def test_a_beam_of_one_takes_the_likeliest_token_again_and_again(random_tree):
    expected = []
    for source in range(20):
        tokens, prefix = [], 0
        while len(tokens) < 3 and END not in tokens:
            tokens.append(1 + int(np.argmax(np.asarray(random_tree.logits[source][prefix])[1:])))
            prefix = prefix * 5 + tokens[-1]
        expected.append(padded(tokens))
    np.testing.assert_array_equal(generate(random_tree, SOURCES, 3), expected)


@pytest.mark.parametrize("divide_by_length", [False, True])
def test_a_beam_that_holds_every_prefix_finds_what_trying_all_finds(random_tree, divide_by_length):
    tokens, log_probs = generate(
        random_tree, SOURCES, 3, 9, divide_by_length=divide_by_length, return_log_probs=True
    )
    lengths = set()
    for source in range(20):
        sums = {sequence: random_tree.log_probs(source, sequence) for sequence in every_sequence()}
        assert len(sums) == 15
        best = max(sums, key=lambda found: sums[found] / (len(found) if divide_by_length else 1))
        assert tokens[source].tolist() == padded(best)
        assert log_probs[source] == pytest.approx(sums[best], abs=1e-5)
        lengths.add(len(best))
    assert {1, 3} <= lengths  # some end at once


def test_dividing_by_the_length_prefers_longer_sequences(random_tree):
    lengths = [
        (generate(random_tree, SOURCES, 3, 9, divide_by_length=divide) > 0).sum() for divide in (False, True)
    ]
    assert lengths[0] < lengths[1]


def table(probabilities):
    """Make a tree of one source from the probabilities after some prefixes; elsewhere it ends."""
    logits = np.full((1, 6**3, 6), -50.0)
    logits[:, :, END] = 0
    for prefix, following in probabilities.items():
        row = 0
        for token in prefix:
            row = row * 6 + token
        logits[0, row] = -50
        for token, probability in following.items():
            logits[0, row, token] = np.log(probability)
    return Tree(logits)


@pytest.mark.usefixtures("op_by_op")
def test_a_wider_beam_can_end_with_a_worse_sequence():
    tree = table(
        {
            (): {A: 0.36, B: 0.35, C: 0.29},
            (A,): {A: 0.48, B: 0.26, C: 0.26},  # .36 x .48 = .1728 is dropped by a beam of two ...
            (B,): {A: 0.5, B: 0.5},  # ... for two of .35 x .5 = .175 ...
            (C,): {A: 0.5, B: 0.5},
            (B, A): {A: 0.4, B: 0.3, C: 0.3},  # ... which lead nowhere
            (B, B): {A: 0.4, B: 0.3, C: 0.3},
        }
    )
    scores = {}
    for width in (1, 2, 3):
        tokens, log_probs = generate(tree, [[0]], 3, width, return_log_probs=True)
        scores[width] = np.exp(log_probs[0])
    assert scores[1] == pytest.approx(0.36 * 0.48, abs=1e-6)
    assert scores[2] == pytest.approx(0.35 * 0.5 * 0.4, abs=1e-6)
    assert scores[3] == pytest.approx(scores[1], abs=1e-6)
    np.testing.assert_array_equal(tokens, [[A, A, END]])


def test_the_first_step_reads_what_the_model_says_and_the_state_of_its_source():
    tree = table({(): {A: 1.0}, (A,): {B: 1.0}, (A, B): {C: 1.0}})
    asked = []
    tree.first_tokens = lambda source: np.full(len(source), A, "int32")
    start = tree.start
    tree.start = lambda source, max_length: (
        asked.append((source.tolist(), max_length)) or start(source, max_length)
    )
    np.testing.assert_array_equal(generate(tree, [[0]], 2), [[B, C]])
    assert asked == [([[0]], 2)]


def test_of_two_that_are_equally_likely_the_first_is_taken():
    tree = table({(): {B: 0.5, A: 0.5}, (A,): {C: 0.5, END: 0.5}})
    np.testing.assert_array_equal(generate(tree, [[0]], 3), [[A, END, 0]])
    many = Tree(np.tile([0.0, 1.0], (1, 1, 50)))
    tokens = generate(many, np.zeros((1, 1), int), 1, 5)
    assert tokens.tolist() == [[1]]  # of fifty: a sort that is not stable takes another one


@pytest.mark.usefixtures("op_by_op")
def test_log_probs_and_weights_come_in_the_order_of_the_arguments(random_tree):
    wide = np.tile(SOURCES, (1, 64))
    tokens, log_probs, weights = generate(
        random_tree, wide, 2, return_log_probs=True, return_attention_scores=True
    )
    assert (tokens.shape, log_probs.shape, weights.shape) == ((20, 2), (20,), (20, 2, 64))
    assert tokens.dtype == "int32"


@pytest.mark.usefixtures("op_by_op")
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf], ids=str)
def test_logits_that_are_no_numbers_are_refused(wrong, width):
    """A model whose weights are NaN would write padding alone, as if it had nothing to say."""
    tree = table({(): {A: 0.6, B: 0.4}})
    logits = np.array(tree.logits)
    logits[0, A] = wrong  # after the first token
    with pytest.raises(ValueError, match=r"`model` must give finite logits.*Received: logits=.* at step 1"):
        generate(Tree(logits), [[0]], 3, width)


def test_a_model_that_gives_padding_alone_is_refused():
    logits = np.full((1, 6**3, 6), -np.inf)
    logits[:, :, 0] = 0
    with pytest.raises(ValueError, match=r"`model` must give finite logits.*at step 0"):
        generate(Tree(logits), [[0]], 3)


def test_a_token_that_a_model_forbids_is_never_written():
    tree = table({(): {A: 0.6, B: 0.4}})
    logits = np.array(tree.logits)
    logits[0, 0, A] = -np.inf
    np.testing.assert_array_equal(generate(Tree(logits), [[0]], 3, 3), [[B, END, 0]])


@pytest.mark.usefixtures("op_by_op")
def test_what_has_ended_stays_ended_beside_what_has_not():
    tree = table({(): {END: 0.6, A: 0.4}, (A,): {A: 1.0}, (A, A): {A: 1.0}})
    np.testing.assert_array_equal(generate(tree, [[0]], 3), [[END, 0, 0]])
    tokens, log_probs = generate(tree, [[0]], 3, 2, divide_by_length=True, return_log_probs=True)
    np.testing.assert_array_equal(tokens, [[A, A, A]])
    assert np.exp(log_probs[0]) == pytest.approx(0.4, abs=1e-6)


def test_weights_belong_to_the_sequence_that_is_returned(random_tree):
    """The tree's weights say which prefix it was at, so a mix-up of beams would show."""
    wide = np.tile(SOURCES, (1, 64))
    small = Tree(np.asarray(random_tree.logits)[:, :64, 1:])  # ids 1 end, 2, 3: base 4, so prefixes < 64
    small.end_mark = 1
    tokens, weights = generate(small, wide, 3, 3, return_attention_scores=True)
    for row, looked in zip(tokens, weights, strict=True):
        prefix = 0
        for position in range(3):
            if position and row[position - 1] in (0, 1):
                assert not looked[position:].any()  # nothing after the end
                break
            prefix = prefix * 4 + (row[position - 1] if position else 0)
            assert looked[position].argmax() == prefix
            assert looked[position].sum() == 1


@pytest.mark.usefixtures("op_by_op")
def test_one_source_does_not_depend_on_its_batch_mates(random_tree):
    together = generate(random_tree, SOURCES, 3, 4)
    alone = [generate(random_tree, SOURCES[[row]], 3, 4)[0] for row in range(20)]
    np.testing.assert_array_equal(together, alone)


def test_search_stops_when_all_have_ended(monkeypatch):
    steps = []

    def counted(model):
        return lambda tokens, _, state, __: steps.append(tokens) or model.step(tokens, state)

    monkeypatch.setattr(generation, "_compiled", counted)
    assert generate(table({(): {END: 1.0}}), [[0]], 50).shape == (1, 50)
    assert len(steps) == 1


def test_the_step_is_traced_once():
    tree = table({(): {A: 1.0}, (A,): {A: 1.0}})
    for _ in range(3):
        generate(tree, np.zeros((4, 1), int), 3)
    assert tree.traced <= 2  # the first step and the others have as many rows here


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beam_width": 0}, r"`beam_width`.*at least 1. Received: beam_width=0"),
        ({"beam_width": 1.5}, r"`beam_width`.*Received: beam_width=1.5"),
        ({"max_length": 0}, r"`max_length`.*Received: max_length=0"),
        ({"source": np.zeros((0, 3), int)}, r"`source`.*not empty. Received: shape=\(0, 3\)"),
        ({"source": np.zeros((3, 0), int)}, r"`source`.*not empty. Received: shape=\(3, 0\)"),
        ({"source": np.zeros(3, int)}, r"`source`.*\(batch, time\).*Received: shape=\(3,\)"),
        ({"source": np.full((3, 1), 0.5)}, r"`source` must be ids, whole numbers.*dtype=float64"),
        ({"source": np.full((3, 1), np.nan)}, r"`source` must be ids, whole numbers.*dtype=float64"),
        ({"source": [["a"]]}, r"`source` must be ids, whole numbers.*Received: shape=\(1, 1\)"),
        ({"source": [[True]]}, r"`source` must be ids, whole numbers.*dtype=bool"),
        ({"source": [[1], [2, 3]]}, r"`source` must be ids, whole numbers.*Received: shape="),
        ({"source": None}, r"`source` must be ids, whole numbers.*Received: shape="),
        ({"max_length": True}, r"`max_length`.*Received: max_length=True"),
        ({"model": None}, r"`model` must have `end_mark`. Received: model=None"),
        ({"model": abs}, r"`model` must have `end_mark`. Received: model=<"),
    ],
)
def test_wrong_input_is_refused(random_tree, wrong, message):
    with pytest.raises(ValueError, match=message):
        generate(**{"model": random_tree, "source": SOURCES, "max_length": 3, **wrong})


@pytest.mark.usefixtures("op_by_op")
class TestSample:
    """Draws from what the model holds likely."""

    P = np.array([0.0, 0.0, 0.1, 0.2, 0.3, 0.4])  # padding, the start mark, the end, A, B, C

    def one_table(self):
        """A model that holds the same likely after every prefix, but padding likeliest of all."""
        logits = np.log(np.maximum(self.P, 1e-30))
        logits[0] = 50
        return Tree(np.tile(logits, (1, 6**3, 1)))

    def shares(self, **options):
        drawn = sample(self.one_table(), np.zeros((20_000, 1), int), 1, seed=0, **options)
        return np.bincount(drawn[:, 0], minlength=6) / len(drawn)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, P),
            ({"temperature": 0.5}, P**2 / (P**2).sum()),
            ({"temperature": 2.0}, np.sqrt(P) / np.sqrt(P).sum()),
            ({"top_k": 2}, [0, 0, 0, 0, 3 / 7, 4 / 7]),
            ({"top_k": 1}, [0, 0, 0, 0, 0, 1]),
            ({"top_k": 99}, P),
            ({"top_p": 0.3}, [0, 0, 0, 0, 0, 1]),
            ({"top_p": 0.41}, [0, 0, 0, 0, 3 / 7, 4 / 7]),
            ({"top_p": 0.71}, [0, 0, 0, 2 / 9, 3 / 9, 4 / 9]),
            ({"top_p": 1.0}, P),
            ({"top_k": 3, "top_p": 0.3}, [0, 0, 0, 0, 0, 1]),
            ({"top_k": 1, "top_p": 1.0}, [0, 0, 0, 0, 0, 1]),
        ],
    )
    def test_tokens_come_as_often_as_is_said(self, options, expected):
        np.testing.assert_allclose(self.shares(**options), expected, atol=0.012)

    def test_it_follows_its_own_words_from_each_sources_table(self, random_tree):
        source = np.arange(20)[:, None]
        drawn = sample(random_tree, source, 3, temperature=1e-3, seed=1)
        np.testing.assert_array_equal(drawn, generate(random_tree, source, 3))

    def test_nothing_follows_the_end(self):
        drawn = sample(self.one_table(), np.zeros((500, 1), int), 3, seed=0)
        ended = np.cumsum(drawn == END, axis=1) - (drawn == END) > 0
        assert ended.any()
        assert not drawn[ended].any()
        assert (drawn[~ended] > 1).all()

    def test_draws_can_be_repeated_and_differ_by_default(self):
        model, source = self.one_table(), np.zeros((50, 1), int)
        one, same, other = (sample(model, source, 3, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()
        keras.utils.set_random_seed(0)
        first, second = (sample(model, source, 3) for _ in range(2))
        assert (first != second).any()
        keras.utils.set_random_seed(0)
        np.testing.assert_array_equal(sample(model, source, 3), first)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"temperature": 0}, r"`temperature` must be above zero. Received: temperature=0"),
            ({"temperature": float("nan")}, "`temperature` must be a number"),
            ({"temperature": None}, "`temperature` must be a number"),
            ({"top_k": 0}, r"`top_k` must be a whole number.*top_k=0"),
            ({"top_p": 0.0}, r"`top_p` must be above 0 and at most 1. Received: top_p=0.0"),
            ({"top_p": 1.5}, r"`top_p` must be above 0 and at most 1"),
            ({"seed": -1}, "`seed` must be a whole number"),
            ({"max_length": 0}, "`max_length` must be a whole number"),
            ({"source": [1, 2]}, "`source` must be ids"),
            ({"model": None}, "`model` must have `end_mark`"),
        ],
    )
    def test_wrong_arguments_are_refused(self, wrong, message):
        right = {"model": self.one_table(), "source": np.zeros((1, 1), int), "max_length": 2}
        with pytest.raises(ValueError, match=message):
            sample(**{**right, **wrong})

    def test_a_seed_of_zero_is_a_seed(self):
        drawn = [sample(self.one_table(), np.zeros((50, 1), int), 3, seed=0) for _ in range(2)]
        np.testing.assert_array_equal(*drawn)

    def test_top_p_counts_what_the_temperature_has_made_of_the_probabilities(self):
        colder = self.shares(temperature=0.5, top_p=0.5)  # C had 0.4, and now more than a half
        np.testing.assert_array_equal(colder, [0, 0, 0, 0, 0, 1])
