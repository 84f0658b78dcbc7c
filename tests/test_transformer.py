"""Blocks equal the same parts from Keras, no future is seen, and steps with a cache equal the full pass."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from course_utils import (
    Decoder,
    Encoder,
    GRUCell,
    LanguageModel,
    TokenAndPositionEmbedding,
    Transformer,
    TransformerBlock,
    TransformerDecoder,
    TransformerEncoder,
)
from course_utils.measure import TokenAccuracy, exact_match

RNG = np.random.default_rng(0)
DIM, MEMORY_DIM, HEADS, UNITS = 6, 4, 2, 7
INPUTS = RNG.normal(size=(3, 5, DIM)).astype("float32")
MEMORY = RNG.normal(size=(3, 4, MEMORY_DIM)).astype("float32")
REAL = np.arange(5) < np.array([[5], [2], [3]])
MEMORY_REAL = np.arange(4) < np.array([[4], [1], [3]])
SOURCE = np.array([[3, 4, 5, 6], [7, 3, 0, 0], [5, 0, 0, 0]], "int32")
TARGET = np.array([[1, 5, 3, 4, 2], [1, 3, 2, 0, 0], [1, 4, 4, 2, 0]], "int32")
TEXT = np.array([[3, 4, 5, 6, 3, 2], [7, 3, 6, 6, 0, 0], [5, 5, 0, 0, 0, 0]], "int32")
ORDERS = ("before", "after")


def randomised(part, seed=0):
    """A part or model with weights that are not symmetric."""
    rng = np.random.default_rng(seed)
    part.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in part.weights])
    return part


def translator(normalize="before", depth=2, max_length=None, dropout=0.0, dtype=None, seed=0):
    keras.utils.set_random_seed(seed)
    options = {"normalize": normalize, "dropout": dropout, "dtype": dtype}
    encoder, decoder = (
        kind(depth, HEADS, UNITS, **options) for kind in (TransformerEncoder, TransformerDecoder)
    )
    model = Transformer(encoder, decoder, 9, 8, embedding_dim=DIM, max_length=max_length, dtype=dtype)
    model.build([(None, None), (None, None)])
    return randomised(model, seed)


def writer(normalize="before", max_length=None, end=2, dropout=0.0, dtype=None, seed=0):
    keras.utils.set_random_seed(seed)
    decoder = TransformerDecoder(2, HEADS, UNITS, False, normalize, dropout, dtype=dtype)
    model = LanguageModel(decoder, 8, DIM, max_length, end, dtype=dtype)
    model.build((None, None))
    return randomised(model, seed)


def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=[TokenAccuracy()], jit_compile=False, **options)
    return model


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(one, other, atol=1e-5):
    np.testing.assert_allclose(numbers(one), numbers(other), rtol=1e-5, atol=atol)


MODELS = {
    "before": translator,
    "after": lambda **options: translator("after", **options),
    "learnt positions": lambda **options: translator(max_length=8, **options),
    "one block": lambda **options: translator(depth=1, **options),
}


@pytest.fixture(params=MODELS.values(), ids=MODELS, name="model", scope="module")
def _model(request):
    """One model for all tests that leave it as it is."""
    return request.param()


class TestBlock:
    """One block: its parts, their order, its masks."""

    def by_keras(self, normalize, block):
        """The same parts from Keras, joined by hand."""

        def attention(name):
            ours = getattr(block, name)
            theirs = keras.layers.MultiHeadAttention(HEADS, DIM // HEADS)
            theirs.build(INPUTS.shape, INPUTS.shape if name == "self_attention" else MEMORY.shape)
            theirs.set_weights(ours.get_weights())
            return theirs

        causal = np.tril(np.ones((5, 5), bool)) if block.causal else np.ones((5, 5), bool)
        own, across = attention("self_attention"), attention("cross_attention") if block.cross else None
        parts = [lambda x: own(x, x, attention_mask=REAL[:, None] & causal)]
        if block.cross:
            seen = np.broadcast_to(MEMORY_REAL[:, None], (3, 5, 4))
            parts.append(lambda x: across(x, MEMORY, attention_mask=seen))
        parts.append(lambda x: block.narrow(ops.relu(ops.matmul(x, block.widen.kernel) + block.widen.bias)))
        x = ops.convert_to_tensor(INPUTS)
        for part, norm in zip(parts, block.norms, strict=True):
            x = x + part(norm(x)) if normalize == "before" else norm(x + part(x))
        return x

    @pytest.mark.parametrize("normalize", ORDERS)
    @pytest.mark.parametrize("cross", [False, True])
    @pytest.mark.parametrize("causal", [False, True])
    def test_equals_its_parts_from_keras(self, normalize, cross, causal):
        block = TransformerBlock(HEADS, UNITS, causal, cross, normalize)
        block.build(INPUTS.shape, MEMORY.shape if cross else None)
        randomised(block)
        memory = {"memory": MEMORY, "memory_mask": MEMORY_REAL} if cross else {}
        assert_close(block(INPUTS, mask=REAL, **memory), self.by_keras(normalize, block))

    def test_weights_are_those_of_every_head(self):
        block = TransformerBlock(HEADS, UNITS, causal=True, cross=True)
        _, (own, across) = block(
            INPUTS, mask=REAL, memory=MEMORY, memory_mask=MEMORY_REAL, return_attention_scores=True
        )
        assert own.shape == (3, HEADS, 5, 5)
        assert across.shape == (3, HEADS, 5, 4)
        assert not numbers(own)[np.broadcast_to(~np.tri(5, dtype=bool), own.shape)].any()
        assert not numbers(across)[np.broadcast_to(~MEMORY_REAL[:, None, None], across.shape)].any()

    @pytest.mark.parametrize("normalize", ORDERS)
    @pytest.mark.parametrize("dropout", [0.0, 0.5])
    @pytest.mark.parametrize("padding", [False, True])
    def test_no_gradient_comes_from_the_future(self, normalize, dropout, padding):
        keras.utils.set_random_seed(0)
        block = TransformerBlock(HEADS, UNITS, True, False, normalize, dropout)
        block.build(INPUTS.shape)
        randomised(block)
        inputs = tf.constant(INPUTS)
        for t in range(5):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs, _ = block(
                    inputs, mask=REAL if padding else None, return_attention_scores=True, training=True
                )
                loss = tf.reduce_sum(outputs[:, t] ** 3)
            gradient = tape.gradient(loss, inputs).numpy()
            assert not gradient[:, t + 1 :].any()
            assert gradient[:, t].any()

    def test_a_step_at_a_time_equals_all_at_once(self):
        block = TransformerBlock(HEADS, UNITS, causal=True, cross=True)
        whole = block(INPUTS, memory=MEMORY, memory_mask=MEMORY_REAL)
        cache = block.start(3, 5, MEMORY)
        for t in range(5):
            step, cache, _ = block.step(INPUTS[:, t : t + 1], cache, ops.full((3,), t, "int32"), MEMORY_REAL)
            assert_close(step, whole[:, t : t + 1])

    def test_dropout_is_for_training(self):
        block = TransformerBlock(HEADS, UNITS, dropout=0.5)
        np.testing.assert_array_equal(block(INPUTS), block(INPUTS))
        assert not np.allclose(block(INPUTS, training=True), block(INPUTS))

    @pytest.mark.parametrize("part", ["self_attention", "cross_attention", "narrow"])
    def test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention(self, part):
        keras.utils.set_random_seed(0)
        block = TransformerBlock(HEADS, UNITS, cross=True, dropout=0.5)
        block(INPUTS, memory=MEMORY)
        for other in {"self_attention", "cross_attention", "narrow"} - {part}:  # the others add nothing
            silent = getattr(block, other)
            silent.set_weights([np.zeros(weight.shape) for weight in silent.weights])
        plain, dropped = (
            numbers(block(INPUTS, memory=MEMORY, training=training)) - INPUTS for training in (False, True)
        )
        gone = dropped == 0
        assert 0.3 < gone.mean() < 0.7
        is_doubled = np.allclose(dropped[~gone], 2 * plain[~gone], atol=1e-5)
        assert is_doubled == (part == "narrow")  # what attention found has changed before

    @pytest.mark.parametrize("normalize", ORDERS)
    def test_the_residual_path_is_normalised_only_after(self, normalize):
        block = TransformerBlock(HEADS, UNITS, normalize=normalize)
        outputs = numbers(block(100 * INPUTS + 3))
        is_normal = np.allclose(outputs.mean(axis=-1), 0, atol=1e-4)
        assert is_normal == (normalize == "after")

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"num_heads": 0}, "`num_heads` must be a whole number.*num_heads=0"),
            ({"units": 1.5}, "`units` must be a whole number.*units=1.5"),
            ({"normalize": "around"}, "`normalize` must be one of 'before', 'after'.*'around'"),
            ({"dropout": 1}, "`dropout` must be from 0 to below 1.*dropout=1"),
        ],
    )
    @pytest.mark.parametrize("part", [TransformerBlock, TransformerEncoder, TransformerDecoder])
    def test_wrong_arguments_are_refused(self, part, wrong, message):
        depth = {} if part is TransformerBlock else {"depth": 1}
        with pytest.raises(ValueError, match=message):
            part(**{**depth, "num_heads": HEADS, "units": UNITS, **wrong})

    def test_a_size_that_does_not_divide_is_refused(self):
        with pytest.raises(ValueError, match=r"divisible by `num_heads` = 4. Received: size=6"):
            TransformerBlock(4, UNITS)(INPUTS)

    def test_a_memory_goes_with_cross(self):
        with pytest.raises(ValueError, match=r"`cross` needs a memory.*cross=True, memory=None"):
            TransformerBlock(HEADS, UNITS, cross=True)(INPUTS)
        with pytest.raises(ValueError, match=r"takes none.*cross=False, memory=of the shape \(3, 4, 4\)"):
            TransformerBlock(HEADS, UNITS)(INPUTS, memory=MEMORY)

    @pytest.mark.parametrize(
        ("masks", "message"),
        [
            ({"mask": REAL[:, :4]}, r"boolean and have the shape \(3, 5\).*bool\(3, 4\)"),
            ({"mask": REAL.astype("float32")}, r"boolean and have the shape \(3, 5\).*float32"),
            ({"mask": REAL[:, None]}, r"boolean and have the shape \(3, 5\).*bool\(3, 1, 5\)"),
            ({"memory_mask": REAL}, r"boolean and have the shape \(3, 4\).*bool\(3, 5\)"),
        ],
    )
    def test_masks_of_another_kind_or_shape_are_refused(self, masks, message):
        with pytest.raises(ValueError, match=message):
            TransformerBlock(HEADS, UNITS, cross=True)(INPUTS, memory=MEMORY, **masks)


def test_tokens_are_scaled_before_positions_are_added():
    layer = TokenAndPositionEmbedding(9, DIM)
    vectors = numbers(layer(SOURCE))
    bare = numbers(layer.embedding(SOURCE)) * np.sqrt(DIM)
    positions = numbers(layer.positions(np.zeros((1, 4, DIM), "float32")))
    np.testing.assert_allclose(vectors, bare + positions, atol=1e-6)


def test_tokens_at_their_places_are_dropped_in_training():
    keras.utils.set_random_seed(0)
    layer = TokenAndPositionEmbedding(9, DIM, dropout=0.5)
    plain, dropped = (numbers(layer(SOURCE, training=training)) for training in (False, True))
    gone = dropped == 0
    assert 0.3 < gone.mean() < 0.7
    assert_close(dropped[~gone], 2 * plain[~gone])


@pytest.mark.parametrize("part", [TransformerEncoder, TransformerDecoder])
def test_dropout_reaches_the_blocks(part):
    stack = part(2, HEADS, UNITS, dropout=0.5)
    memory = {"memory": MEMORY} if part is TransformerDecoder else {}
    plain, again, dropped = (stack(INPUTS, **memory, training=each) for each in (False, False, True))
    np.testing.assert_array_equal(plain, again)
    assert not np.allclose(dropped, plain)


@pytest.mark.parametrize(
    "layer",
    [
        TransformerBlock(HEADS, UNITS, dropout=0.5),
        TransformerEncoder(2, HEADS, UNITS, dropout=0.5),
        TransformerDecoder(2, HEADS, UNITS, dropout=0.5),
        TokenAndPositionEmbedding(9, DIM, dropout=0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_dropout_goes_through_the_config(layer):
    config = layer.get_config()
    assert config["dropout"] == 0.5
    assert type(layer).from_config(config).get_config() == config


def test_depth_must_be_whole():
    for part in (TransformerEncoder, TransformerDecoder):
        with pytest.raises(ValueError, match=r"`depth` must be a whole number.*depth=0"):
            part(0, HEADS, UNITS)


class TestTransformer:
    """The model that translates."""

    def teacher_forced(self, model, source=SOURCE, target=TARGET):
        return numbers(model((source, target)))

    def test_token_by_token_equals_teacher_forcing(self, model):
        state, logits = model.start(SOURCE, 5), []
        for tokens in TARGET.T:
            step, state = model.step(tokens, state)
            logits.append(numbers(step))
        real = TARGET > 0
        assert_close(np.stack(logits, axis=1)[real], self.teacher_forced(model)[real])

    def test_later_tokens_change_nothing_before_them(self, model):
        later = TARGET.copy()
        later[0, 3:] = 6
        one, other = (self.teacher_forced(model, target=target)[0] for target in (TARGET, later))
        np.testing.assert_array_equal(one[:3], other[:3])
        assert not np.allclose(one[3:], other[3:], atol=1e-3)

    def test_one_example_does_not_depend_on_its_batch_mates_nor_on_padding(self, model):
        alone = self.teacher_forced(model, SOURCE[1:2, :2], TARGET[1:2, :3])
        assert_close(self.teacher_forced(model)[1:2, :3], alone)

    @pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
    def test_what_stands_in_padding_changes_nothing(self, make):
        model = make()
        # The ids decide what is padding. The table's row of id 0 is what stands there.
        before = self.teacher_forced(model)
        for embedding in (model.source_embedding.embedding, model.target_embedding.embedding):
            (table,) = embedding.get_weights()
            table[0] = 9.0
            embedding.set_weights([table])
        real = TARGET > 0
        np.testing.assert_array_equal(self.teacher_forced(model)[real], before[real])

    def test_every_token_of_the_source_is_heard_and_so_is_its_place(self, model):
        before = self.teacher_forced(model)[0]
        for position in range(4):
            other = SOURCE.copy()
            other[0, position] = 8
            assert not np.allclose(self.teacher_forced(model, other)[0], before, atol=1e-4)
        turned = SOURCE[:, [1, 0, 2, 3]]
        assert not np.allclose(self.teacher_forced(model, turned)[0], before, atol=1e-4)

    @pytest.mark.usefixtures("op_by_op")
    def test_weights_of_generation_are_those_of_teacher_forcing_on_the_same_tokens(self, model):
        tokens, weights = model.generate(SOURCE, 4, beam_width=2, return_attention_scores=True)
        target = np.concatenate([np.ones((3, 1), int), tokens], axis=1)[:, :-1]
        _, forced = model((SOURCE, target), return_attention_scores=True)
        forced = np.where((tokens > 0)[:, :, None], numbers(forced), 0)
        assert forced.shape == (3, 4, 4)
        assert not forced[np.broadcast_to((SOURCE == 0)[:, None], forced.shape)].any()
        assert_close(weights, forced)

    @pytest.mark.usefixtures("op_by_op")
    def test_greedy_follows_its_own_words(self, model):
        tokens = model.generate(SOURCE, 6)
        target = np.concatenate([np.ones((3, 1), int), tokens], axis=1)
        named = 1 + self.teacher_forced(model, SOURCE, target[:, :-1])[:, :, 1:].argmax(axis=-1)
        np.testing.assert_array_equal(named[tokens > 0], tokens[tokens > 0])

    @pytest.mark.usefixtures("op_by_op")
    @pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
    def test_more_padding_changes_neither_loss_nor_what_is_generated(self, make):
        model = compiled(make(), run_eagerly=True)
        source, target = (np.pad(ids, ((0, 0), (0, 3))) for ids in (SOURCE, TARGET))
        few = model.test_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
        many = model.test_on_batch((source, target[:, :-1]), target[:, 1:])
        assert few == pytest.approx(many, abs=1e-5)
        few, many = (model.generate(ids, 4, beam_width=2, return_log_probs=True) for ids in (SOURCE, source))
        np.testing.assert_array_equal(few[0], many[0])
        assert_close(few[1], many[1])

    @pytest.mark.usefixtures("op_by_op")
    def test_saved_equals_loaded_and_generates_the_same(self, model, tmp_path):
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert type(loaded) is Transformer
        assert_close(self.teacher_forced(loaded), self.teacher_forced(model), atol=1e-6)
        np.testing.assert_array_equal(loaded.generate(SOURCE, 6), model.generate(SOURCE, 6))

    @pytest.mark.usefixtures("op_by_op")
    def test_dropout_is_for_training(self):
        model = translator(dropout=0.5)
        np.testing.assert_array_equal(self.teacher_forced(model), self.teacher_forced(model))
        assert not np.allclose(model((SOURCE, TARGET), training=True), self.teacher_forced(model))
        plain = translator()
        np.testing.assert_array_equal(model.generate(SOURCE, 6), plain.generate(SOURCE, 6))

    @pytest.mark.slow
    def test_it_learns_to_turn_a_sequence_round_and_ends_it(self):
        rng = np.random.default_rng(0)
        source = rng.integers(3, 8, size=(1_000, 3))
        source[np.arange(3) >= rng.integers(1, 4, size=1_000)[:, None]] = 0
        target = np.zeros((1_000, 5), int)
        for ids, reversed_ids in zip(source, target, strict=True):
            real = ids[ids > 0][::-1]
            reversed_ids[: len(real) + 2] = [1, *real, 2]
        keras.utils.set_random_seed(0)
        model = compiled(
            Transformer(TransformerEncoder(1, 2, 32), TransformerDecoder(1, 2, 32), 9, 8, embedding_dim=16)
        )
        model.fit((source[:800], target[:800, :-1]), target[:800, 1:], 64, 12, verbose=0)
        assert exact_match(model.generate(source[800:], 6), target[800:, 1:]).mean() > 0.9

    @pytest.mark.usefixtures("op_by_op")
    def test_generation_beyond_the_positions_is_refused(self):
        model = translator(max_length=8)
        assert model.generate(SOURCE, 8).shape == (3, 8)
        with pytest.raises(ValueError, match=r"knows 8 positions.*Received: length=9"):
            model.generate(SOURCE, 9)
        with pytest.raises(ValueError, match=r"positions for 8 vectors.*Received: length=9"):
            model.generate(np.ones((1, 9), int), 4)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"encoder": Encoder(GRUCell, 6)}, "needs a `TransformerEncoder`"),
            ({"decoder": Decoder(GRUCell, 6)}, "and a `TransformerDecoder` with `cross`"),
            (
                {"decoder": TransformerDecoder(1, 2, 4, cross=False)},
                "and a `TransformerDecoder` with `cross`",
            ),
            ({"start": 2}, "two ids.*Received: start=2, end=2"),
            ({"embedding_dim": 0}, "`embedding_dim`.*Received: embedding_dim=0"),
            ({"max_length": 0}, "`max_length`.*Received: max_length=0"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, wrong, message):
        parts = {
            "encoder": TransformerEncoder(1, 2, 4),
            "decoder": TransformerDecoder(1, 2, 4),
            "source_size": 9,
            "target_size": 8,
        }
        with pytest.raises(ValueError, match=message):
            Transformer(**{**parts, **wrong})

    def test_wrong_ids_are_refused(self, model):
        with pytest.raises(
            ValueError, match=r"begin with the start mark, id 1. Received: target=\[5, 3, 4, 2\]"
        ):
            model((SOURCE, TARGET[:, 1:]))
        with pytest.raises(ValueError, match=r"from 0 to 8.*Received: ids=9"):
            model.generate(SOURCE + 3, 4)


class TestLanguageModel:
    """The model that goes on writing."""

    @pytest.mark.usefixtures("op_by_op")
    @pytest.mark.parametrize("normalize", ORDERS)
    @pytest.mark.parametrize("max_length", [None, 12])
    def test_a_step_with_its_cache_equals_the_full_pass(self, normalize, max_length):
        model = writer(normalize, max_length, end=None)
        tokens, log_probs = model.generate(TEXT, 5, return_log_probs=True)
        for prompt, written, log_prob in zip(TEXT, tokens, log_probs, strict=True):
            text = [each for each in prompt if each]
            total = 0.0
            for token in written:
                logits = numbers(model(np.array([text])))[0, -1].astype("float64")
                total += logits[token] - np.log(np.exp(logits).sum())
                assert token == 1 + logits[1:].argmax()
                text.append(token)
            assert total == pytest.approx(log_prob, abs=1e-4)

    def test_a_step_gives_the_logits_of_the_full_pass(self):
        model = writer()
        state, whole = model.start(TEXT[:, :1], 6), numbers(model(TEXT))
        for t, tokens in enumerate(TEXT.T):
            logits, state = model.step(tokens, state)
            rows = tokens > 0
            assert_close(numbers(logits)[rows], whole[rows, t])

    @pytest.mark.usefixtures("op_by_op")
    def test_prompts_of_several_lengths_do_not_disturb_each_other(self):
        model = writer(end=None)
        together = model.generate(TEXT, 4, beam_width=2)
        for row, prompt in enumerate(TEXT):
            alone = model.generate(prompt[prompt > 0][None], 4, beam_width=2)
            np.testing.assert_array_equal(together[row : row + 1], alone)

    @pytest.mark.usefixtures("op_by_op")
    def test_the_end_mark_ends_a_text(self):
        model = writer()
        kernel, bias = model.next_token.get_weights()
        bias[2] = 50.0
        model.next_token.set_weights([kernel, bias])
        np.testing.assert_array_equal(model.generate(TEXT, 3), [[2, 0, 0]] * 3)

    def test_later_tokens_and_padding_change_nothing(self):
        model = writer()
        later = TEXT.copy()
        later[0, 4:] = 7
        np.testing.assert_array_equal(numbers(model(later))[0, :4], numbers(model(TEXT))[0, :4])
        assert_close(model(np.pad(TEXT, ((0, 0), (0, 3))))[:, :6], model(TEXT))

    @pytest.mark.usefixtures("op_by_op")
    def test_saved_equals_loaded(self, tmp_path):
        for index, model in enumerate((writer(max_length=12), writer("after", end=None))):
            model.save(tmp_path / f"{index}.keras")
            loaded = keras.saving.load_model(tmp_path / f"{index}.keras")
            assert_close(loaded(TEXT), model(TEXT), atol=1e-6)
            np.testing.assert_array_equal(loaded.generate(TEXT, 4), model.generate(TEXT, 4))

    @pytest.mark.usefixtures("op_by_op")
    def test_its_end_mark_is_saved(self, tmp_path):
        model = writer(end=5)
        kernel, bias = model.next_token.get_weights()
        bias[5] = 50.0
        model.next_token.set_weights([kernel, bias])
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded.generate(TEXT, 3), [[5, 0, 0]] * 3)

    @pytest.mark.slow
    def test_it_learns_a_text_by_heart(self):
        keras.utils.set_random_seed(0)
        text = np.array([[3, 4, 3, 5, 3, 6, 3, 7, 4, 5]])
        model = compiled(LanguageModel(TransformerDecoder(1, 2, 16, cross=False), 8, 16))
        model.fit(np.repeat(text[:, :-1], 32, axis=0), np.repeat(text[:, 1:], 32, axis=0), 1, 5, verbose=0)
        np.testing.assert_array_equal(model.generate(text[:, :2], 8), text[:, 2:])

    @pytest.mark.usefixtures("op_by_op")
    def test_a_prompt_longer_than_the_model_knows_is_refused(self):
        model = writer(max_length=8)
        assert model.generate(TEXT, 3).shape == (3, 3)
        with pytest.raises(ValueError, match=r"knows 8 positions.*Received: length=9"):
            model.generate(TEXT, 4)
        with pytest.raises(ValueError, match=r"knows 8 positions.*Received: length=9"):
            model.generate(np.ones((1, 9), int), 1)
        with pytest.raises(ValueError, match=r"positions for 8 vectors.*Received: length=9"):
            model(np.ones((1, 9), int))

    @pytest.mark.parametrize("prompt", [[0, 0, 0], [3, 0, 4], [0, 3, 4]])
    def test_a_prompt_that_is_empty_or_has_gaps_is_refused(self, prompt):
        with pytest.raises(ValueError, match=rf"Every prompt needs a token.*source=\[{prompt[0]}, "):
            writer().generate(np.array([[3, 4, 5], prompt]), 2)

    def test_wrong_arguments_are_refused(self):
        for decoder in (TransformerDecoder(1, 2, 4), TransformerEncoder(1, 2, 4)):
            with pytest.raises(ValueError, match="needs a `TransformerDecoder` with `cross=False`"):
                LanguageModel(decoder, 8)
        with pytest.raises(ValueError, match=r"`size`.*at least 2. Received: size=1"):
            LanguageModel(TransformerDecoder(1, 2, 4, cross=False), 1)
        with pytest.raises(ValueError, match=r"no source to look at.*return_attention_scores=True"):
            writer().generate(TEXT, 2, return_attention_scores=True)


@pytest.mark.usefixtures("op_by_op")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("normalize", ORDERS)
def test_mixed_precision_trains_and_generates(policy, normalize):
    model = compiled(translator(normalize, dtype=policy), run_eagerly=True)
    losses = model.train_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
    assert np.isfinite(losses).all()
    assert model.encoder.blocks[0].self_attention.compute_dtype == policy.removeprefix("mixed_")
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert model.generate(SOURCE, 4, beam_width=2).shape == (3, 4)
    text = writer(normalize, dtype=policy)
    assert text.generate(TEXT, 3, beam_width=2).shape == (3, 3)


@pytest.mark.parametrize("rates", [(0.0, 0.5), (0.5, 0.0)])
def test_what_each_side_reads_is_dropped_by_its_own_rate(rates):
    keras.utils.set_random_seed(0)
    kinds = zip((TransformerEncoder, TransformerDecoder), rates, strict=True)
    encoder, decoder = (kind(1, HEADS, UNITS, dropout=rate) for kind, rate in kinds)
    model = Transformer(encoder, decoder, 9, 8, embedding_dim=DIM)
    sides = zip((model.source_embedding, model.target_embedding), (SOURCE, TARGET), rates, strict=True)
    for embedding, ids, rate in sides:
        gone = numbers(embedding(ids, training=True)) == 0
        assert gone.mean() == pytest.approx(rate, abs=0.2)


def test_ids_that_come_as_floats_stay_whole_in_half_precision():
    layer = TokenAndPositionEmbedding(3_000, DIM, dtype="mixed_float16")
    ids = np.array([[2_049, 2_999]])
    np.testing.assert_array_equal(numbers(layer(ids.astype("float32"))), numbers(layer(ids)))


def test_small_vectors_are_normalised_too():
    stack = TransformerEncoder(1, HEADS, UNITS)
    stack.build(INPUTS.shape)
    for part in (stack.blocks[0].self_attention, stack.blocks[0].narrow):  # nothing is added to the inputs
        part.set_weights([np.zeros(weight.shape) for weight in part.weights])
    assert_close(numbers(stack(0.01 * INPUTS)).std(axis=-1), np.ones((3, 5)), atol=0.1)
