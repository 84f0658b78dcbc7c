"""Encoder, decoder and the model that joins them: one model trains and generates."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import (
    GRU,
    LSTM,
    AttentionPooling,
    BahdanauAttention,
    Bidirectional,
    Decoder,
    Encoder,
    GRUCell,
    HardAttention,
    LocalAttention,
    LSTMCell,
    LuongAttention,
    Seq2Seq,
    SimpleRNN,
    SimpleRNNCell,
    data,
)
from course_utils.measure import TokenAccuracy, exact_match

SOURCE = np.array([[3, 4, 5, 6], [7, 3, 0, 0], [5, 0, 0, 0]], "int32")
TARGET = np.array([[1, 5, 3, 4, 2], [1, 3, 2, 0, 0], [1, 4, 4, 2, 0]], "int32")
SHAPES = {
    "simple": (SimpleRNNCell, 6, 1, False, 6),
    "lstm": (LSTMCell, 6, 1, False, 6),
    "gru": (GRUCell, 6, 1, False, 6),
    "deep": (LSTMCell, 6, 2, False, 6),
    "both ways": (GRUCell, 6, 1, True, 6),
    "deep, both ways": (LSTMCell, 6, 2, True, 6),
    "wider decoder": (LSTMCell, 6, 2, False, 9),
    "dot": (GRUCell, 6, 1, False, 6, partial(LuongAttention, "dot"), "after"),
    "concat, deep": (LSTMCell, 6, 2, False, 9, partial(LuongAttention, "concat"), "after"),
    "Bahdanau's": (GRUCell, 6, 1, True, 6, partial(BahdanauAttention, 5), "before"),
    "Bahdanau's, deep": (LSTMCell, 6, 2, True, 9, partial(BahdanauAttention, 5), "before"),
    "general, before": (SimpleRNNCell, 6, 1, False, 6, partial(LuongAttention, "general"), "before"),
    "additive, after": (GRUCell, 6, 1, True, 6, partial(BahdanauAttention, 5), "after"),
    "local-m": (GRUCell, 6, 1, False, 6, partial(LocalAttention, 1), "after"),
    "local-m, before": (GRUCell, 6, 1, False, 6, partial(LocalAttention, 1), "before"),
    "local-p": (GRUCell, 6, 1, False, 6, partial(LocalAttention, 2, "predictive"), "after"),
}
LOOKING = {name: shape for name, shape in SHAPES.items() if len(shape) > 5}


def make(
    cell=GRUCell,
    units=6,
    depth=1,
    bidirectional=False,
    decoder_units=6,
    attention=None,
    attend="after",
    seed=0,
    **options,
):
    keras.utils.set_random_seed(seed)
    dtype = options.get("dtype")
    encoder = Encoder(cell, units, depth, bidirectional, dtype=dtype)
    attention = attention and attention(dtype=dtype)
    decoder = Decoder(cell, decoder_units, depth, attention, attend, dtype=dtype)
    model = Seq2Seq(encoder, decoder, 9, 8, **{"embedding_dim": 5, **options})
    model.build([(None, None), (None, None)])
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(scale=0.6, size=weight.shape) for weight in model.weights])
    return model


def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=[TokenAccuracy()], jit_compile=False, **options)
    return model


def teacher_forced(model, source=SOURCE, target=TARGET):
    return ops.convert_to_numpy(model((source, target)))


def token_by_token(model, source=SOURCE, target=TARGET):
    state, logits = model.start(source), []
    for tokens in target.T:
        step, state = model.step(tokens, state)
        logits.append(ops.convert_to_numpy(step))
    return np.stack(logits, axis=1)


@pytest.fixture(params=SHAPES.values(), ids=SHAPES, name="model", scope="module")
def _model(request):
    """One model for all tests that leave it as it is."""
    return make(*request.param)


def test_token_by_token_equals_teacher_forcing(model):
    np.testing.assert_allclose(token_by_token(model), teacher_forced(model), atol=1e-5)


def test_logits_do_not_depend_on_later_tokens(model):
    later = TARGET.copy()
    later[:, 3:] = 6
    assert not np.allclose(
        teacher_forced(model, target=later)[:, 3:], teacher_forced(model)[:, 3:], atol=1e-3
    )


def test_one_example_does_not_depend_on_its_batch_mates_nor_on_padding(model):
    alone = teacher_forced(model, SOURCE[1:2, :2], TARGET[1:2, :3])
    np.testing.assert_allclose(teacher_forced(model)[1:2, :3], alone, atol=1e-6)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES.values() if shape not in LOOKING.values()])
def test_every_token_of_the_source_is_heard(shape):
    model = make(*shape)
    for position in range(4):
        other = SOURCE.copy()
        other[0, position] = 8
        assert not np.allclose(teacher_forced(model, other)[0], teacher_forced(model)[0], atol=1e-4)


@pytest.mark.usefixtures("op_by_op")
def test_saved_equals_loaded_and_generates_the_same(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is Seq2Seq
    np.testing.assert_allclose(teacher_forced(loaded), teacher_forced(model), atol=1e-6)
    np.testing.assert_array_equal(loaded.generate(SOURCE, 6), model.generate(SOURCE, 6))


@pytest.mark.usefixtures("op_by_op")
def test_marks_of_its_own_are_saved(tmp_path):
    model = make(start=6, end=4)
    kernel, bias = model.next_token.get_weights()
    bias[4] = 50.0
    model.next_token.set_weights([kernel, bias])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    target = np.where(TARGET == 1, 6, TARGET)
    np.testing.assert_allclose(
        teacher_forced(loaded, target=target), teacher_forced(model, target=target), atol=1e-6
    )
    np.testing.assert_array_equal(loaded.generate(SOURCE, 3), [[4, 0, 0]] * 3)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_weight_trains(shape):
    model = make(*shape)
    before = model.get_weights()
    compiled(model, run_eagerly=True).train_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))


def test_training_goes_on_after_loading(tmp_path):
    model = compiled(make(), run_eagerly=True)
    batch = (SOURCE, TARGET[:, :-1]), TARGET[:, 1:]
    model.train_on_batch(*batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.train_on_batch(*batch)
    assert loaded.test_on_batch(*batch) == pytest.approx(model.test_on_batch(*batch), abs=1e-5)


def test_a_projection_lies_between_states_of_different_sizes():
    shapes = {
        name: [projection.kernel.shape for projection in make(*shape).projections]
        for name, shape in SHAPES.items()
    }
    assert shapes.pop("both ways") == [(12, 6)]
    assert shapes.pop("deep, both ways") == [(12, 6)] * 4  # two layers, two states each
    assert shapes.pop("wider decoder") == [(6, 9)] * 4
    assert shapes.pop("concat, deep") == [(6, 9)] * 4
    assert shapes.pop("Bahdanau's") == shapes.pop("additive, after") == [(12, 6)]
    assert shapes.pop("Bahdanau's, deep") == [(12, 9)] * 4
    assert not any(shapes.values())


def test_the_decoder_begins_with_the_encoders_last_states():
    model = make(LSTMCell, depth=2)
    outputs, states = model.encoder(model.source_embedding(SOURCE), mask=ops.convert_to_tensor(SOURCE > 0))
    begun = model.start(SOURCE)["states"]
    for layer, others in zip(states, begun, strict=True):
        for state, other in zip(layer, others, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(state), ops.convert_to_numpy(other))
    last_real = ops.convert_to_numpy(outputs)[np.arange(3), [3, 1, 0]]
    np.testing.assert_allclose(last_real, ops.convert_to_numpy(begun[-1][0]), atol=1e-6)


def test_where_sizes_differ_the_decoder_begins_with_each_state_projected():
    model = make(LSTMCell, depth=2, decoder_units=9)
    _, states = model.encoder(model.source_embedding(SOURCE), mask=ops.convert_to_tensor(SOURCE > 0))
    begun = keras.tree.flatten(model.start(SOURCE)["states"])
    for projection, state, other in zip(model.projections, keras.tree.flatten(states), begun, strict=True):
        kernel, bias = projection.get_weights()
        np.testing.assert_allclose(other, ops.convert_to_numpy(state) @ kernel + bias, atol=1e-6)


def test_each_state_of_both_ways_stands_beside_its_like():
    encoder = make(LSTMCell, bidirectional=True).encoder
    sequences = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    (recurrence,) = encoder.layers
    _, forward_h, forward_c, backward_h, backward_c = recurrence(sequences)
    ((h, c),) = encoder(sequences)[1]
    np.testing.assert_array_equal(h, np.concatenate([forward_h, backward_h], axis=-1))
    np.testing.assert_array_equal(c, np.concatenate([forward_c, backward_c], axis=-1))


def keras_model(ours, cell):
    """The same model from Keras' own layers, with the weights of ours."""
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    layer = getattr(keras.layers, cell)
    reader = layer(6, return_state=True)
    _, *states = reader(keras.layers.Embedding(9, 5)(source), mask=source != 0)
    outputs = layer(6, return_sequences=True)(keras.layers.Embedding(8, 5)(target), initial_state=states)
    model = keras.Model([source, target], keras.layers.Dense(8)(outputs))
    parts = [ours.source_embedding, ours.target_embedding, ours.encoder, ours.decoder, ours.next_token]
    by_shape = {tuple(map(tuple, [w.shape for w in part.weights])): [] for part in parts}
    for part in parts:
        by_shape[tuple(tuple(w.shape) for w in part.weights)].append(part.get_weights())
    for each in model.layers:
        if each.weights:
            each.set_weights(by_shape[tuple(tuple(w.shape) for w in each.weights)].pop(0))
    return model


@pytest.mark.parametrize(
    ("cell", "name"), [(SimpleRNNCell, "SimpleRNN"), (LSTMCell, "LSTM"), (GRUCell, "GRU")]
)
def test_it_equals_the_same_model_from_keras_own_layers(cell, name):
    ours = make(cell)
    theirs = keras_model(ours, name)
    np.testing.assert_allclose(theirs((SOURCE, TARGET)), teacher_forced(ours), atol=1e-5)


def log_probs_by_hand(model, source, target):
    logits = teacher_forced(model, source, target[:, :-1]).astype("float64")
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    labels = target[:, 1:]
    return np.take_along_axis(log_probs, labels[:, :, None], axis=-1)[:, :, 0], labels > 0


def test_loss_and_accuracy_leave_padding_out():
    model = compiled(make())
    log_probs, real = log_probs_by_hand(model, SOURCE, TARGET)
    named = teacher_forced(model, target=TARGET[:, :-1]).argmax(axis=-1)
    loss, accuracy = model.evaluate((SOURCE, TARGET[:, :-1]), TARGET[:, 1:], verbose=0)
    assert loss == pytest.approx(-log_probs[real].mean(), abs=1e-5)
    assert accuracy == pytest.approx((named == TARGET[:, 1:])[real].mean(), abs=1e-6)


@pytest.mark.usefixtures("op_by_op")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_more_padding_changes_neither_loss_nor_accuracy_nor_what_is_generated(shape):
    model = compiled(make(*shape), run_eagerly=True)
    source, target = (np.pad(ids, ((0, 0), (0, 3))) for ids in (SOURCE, TARGET))
    few = model.test_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
    many = model.test_on_batch((source, target[:, :-1]), target[:, 1:])
    assert few == pytest.approx(many, abs=1e-5)
    few, many = (model.generate(ids, 4, beam_width=2, return_log_probs=True) for ids in (SOURCE, source))
    np.testing.assert_array_equal(few[0], many[0])
    np.testing.assert_allclose(few[1], many[1], atol=1e-5)


@pytest.mark.usefixtures("op_by_op")
def test_greedy_follows_its_own_words(model):
    """Teacher forcing on what was generated names the same tokens again, with the same log-probability."""
    tokens, log_probs = model.generate(SOURCE, 6, return_log_probs=True)
    target = np.concatenate([np.ones((3, 1), int), tokens], axis=1)
    logits = teacher_forced(model, SOURCE, target[:, :-1])
    named = 1 + logits[:, :, 1:].argmax(axis=-1)
    real = tokens > 0
    np.testing.assert_array_equal(named[real], tokens[real])
    by_hand, _ = log_probs_by_hand(model, SOURCE, target)
    np.testing.assert_allclose(log_probs, np.where(real, by_hand, 0).sum(axis=1), atol=1e-5)


@pytest.mark.slow
def test_it_learns_to_turn_a_sequence_round_and_ends_it():
    rng = np.random.default_rng(0)
    source = rng.integers(3, 8, size=(400, 3))
    source[np.arange(3) >= rng.integers(1, 4, size=400)[:, None]] = 0
    target = np.zeros((400, 5), int)
    for row, (ids, reversed_ids) in enumerate(zip(source, target, strict=True)):
        ids = ids[ids > 0][::-1]
        reversed_ids[: len(ids) + 2] = [1, *ids, 2]
        target[row] = reversed_ids
    keras.utils.set_random_seed(0)
    model = compiled(Seq2Seq(Encoder(GRUCell, 24), Decoder(GRUCell, 24), 9, 8, embedding_dim=8))
    model.fit((source[:300], target[:300, :-1]), target[:300, 1:], epochs=40, batch_size=30, verbose=0)
    generated = model.generate(source[300:], 6)
    assert exact_match(generated, target[300:, 1:]).mean() > 0.9


@pytest.mark.parametrize("model", LOOKING.values(), ids=LOOKING, indirect=True)
class TestAttention:
    """What attention adds: weights on request, in either order, and no padding looked at."""

    def test_weights_lie_on_real_tokens_alone(self, model):
        _, weights = model((SOURCE, TARGET), return_attention_scores=True)
        weights = ops.convert_to_numpy(weights)
        assert weights.shape == (3, 5, 4)
        assert not weights[np.broadcast_to((SOURCE == 0)[:, None], weights.shape)].any()
        if model.decoder.attention.name.startswith("local") and model.decoder.attention.window == 2:
            assert (weights.sum(axis=-1) <= 1 + 1e-6).all()  # the Gaussian is not normalised again
        else:
            np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)

    @pytest.mark.usefixtures("op_by_op")
    def test_weights_of_generation_are_those_of_teacher_forcing_on_the_same_tokens(self, model):
        tokens, weights = model.generate(SOURCE, 4, beam_width=2, return_attention_scores=True)
        target = np.concatenate([np.ones((3, 1), int), tokens], axis=1)[:, :-1]
        _, forced = model((SOURCE, target), return_attention_scores=True)
        forced = np.where((tokens > 0)[:, :, None], ops.convert_to_numpy(forced), 0)
        np.testing.assert_allclose(weights, forced, atol=1e-5)

    def test_asking_for_weights_changes_nothing_else(self, model):
        logits, _ = model((SOURCE, TARGET), return_attention_scores=True)
        np.testing.assert_array_equal(ops.convert_to_numpy(logits), teacher_forced(model))

    def test_weights_are_kept_nowhere(self, model):
        state = set(vars(model.decoder.attention))
        model((SOURCE, TARGET), return_attention_scores=True)
        assert set(vars(model.decoder.attention)) == state


@pytest.mark.parametrize("attention", [partial(LuongAttention, "general"), partial(BahdanauAttention, 5)])
def test_after_looks_with_this_step_and_before_looks_with_the_last(attention):
    """Another token at step 2 moves the weights of step 2 if the look comes after, of step 3 if before."""
    other = TARGET.copy()
    other[:, 2] = 7
    first_moved = {}
    for order in ("after", "before"):
        model = make(attention=attention, attend=order)
        few, many = (
            ops.convert_to_numpy(model((SOURCE, target), return_attention_scores=True)[1])[0]
            for target in (TARGET, other)
        )
        first_moved[order] = np.flatnonzero(np.abs(few - many).max(axis=-1) > 1e-6)[0]
    assert first_moved == {"after": 2, "before": 3}


def softmax(scores):
    return np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()


def test_both_orders_equal_a_loop_over_the_equations():
    """With a simple cell, in NumPy, one source without padding: Luong's order, then Bahdanau's."""
    for order in ("after", "before"):
        model = make(SimpleRNNCell, attention=partial(LuongAttention, "dot"), attend=order)
        memory, states = model.encoder(model.source_embedding(SOURCE[:1]))
        memory, h = ops.convert_to_numpy(memory)[0], ops.convert_to_numpy(states[0][0])[0]
        kernel, recurrent, bias = model.decoder.recurrences[0].get_weights()
        outputs = []
        for x in ops.convert_to_numpy(model.target_embedding(TARGET[:1]))[0]:
            if order == "before":
                x = np.concatenate([x, softmax(memory @ h) @ memory])
            h = output = np.tanh(x @ kernel + h @ recurrent + bias)
            if order == "after":
                (join,) = model.decoder.join.get_weights()
                output = np.tanh(np.concatenate([softmax(memory @ h) @ memory, h]) @ join)
            outputs.append(output)
        logits = ops.convert_to_numpy(model.next_token(np.array([outputs], "float32")))
        np.testing.assert_allclose(logits, teacher_forced(model, SOURCE[:1], TARGET[:1]), atol=1e-5)


def test_before_asks_with_the_hidden_state_and_not_with_the_cell_state():
    model = make(LSTMCell, attention=partial(LuongAttention, "dot"), attend="before")
    state = model.start(SOURCE[:1])
    _, _, weights = model.step(TARGET[:1, 0], state, return_attention_scores=True)
    memory, h = (ops.convert_to_numpy(each)[0] for each in (state["memory"][1], state["states"][0][0]))
    np.testing.assert_allclose(ops.convert_to_numpy(weights)[0], softmax(memory @ h), atol=1e-6)


@pytest.mark.parametrize("attention", [HardAttention(), AttentionPooling(4), "dot", keras.layers.Dense(3)])
def test_attention_of_another_kind_is_refused(attention):
    with pytest.raises(ValueError, match=r"LocalAttention, or None. Received: attention="):
        Decoder(GRUCell, 6, attention=attention)


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match=r"'after', 'before'. Received: attend='during'"):
        Decoder(GRUCell, 6, attention=LuongAttention(), attend="during")


@pytest.mark.usefixtures("op_by_op")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", ["deep, both ways", "dot", "Bahdanau's, deep"])
def test_mixed_precision_trains_and_generates(policy, shape):
    model = make(*SHAPES[shape], dtype=policy)
    losses = compiled(model, run_eagerly=True).train_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
    assert np.isfinite(losses).all()
    assert model.encoder.compute_dtype == policy.removeprefix("mixed_")
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert model.generate(SOURCE, 4, beam_width=2).shape == (3, 4)


def test_generation_uses_the_weights_of_now():
    model = make()
    before = model.generate(SOURCE, 6)
    model.set_weights(make(seed=5).get_weights())
    np.testing.assert_array_equal(model.generate(SOURCE, 6), make(seed=5).generate(SOURCE, 6))
    assert (before != model.generate(SOURCE, 6)).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"decoder": Decoder(LSTMCell, 6)},
            r"states in each. Received: encoder=\[1\], decoder=\[2\]",
        ),
        ({"decoder": Decoder(GRUCell, 6, depth=2)}, r"as many layers.*encoder=\[1\], decoder=\[1, 1\]"),
        ({"start": 0}, r"`start`.*at least 1. Received: start=0"),
        ({"start": "1"}, r"`start`.*Received: start='1'"),
        ({"end": 8}, r"from 1 to 7. Received: start=1, end=8"),
        ({"start": 2}, r"two ids.*Received: start=2, end=2"),
        ({"source_size": 1.0}, r"`source_size`.*Received: source_size=1.0"),
        ({"target_size": 2}, r"`target_size`.*at least 3. Received: target_size=2"),
        ({"embedding_dim": 0}, r"`embedding_dim`.*Received: embedding_dim=0"),
    ],
)
def test_parts_that_do_not_fit_are_refused(wrong, message):
    parts = {
        "encoder": Encoder(GRUCell, 6),
        "decoder": Decoder(GRUCell, 6),
        "source_size": 9,
        "target_size": 8,
    }
    with pytest.raises(ValueError, match=message):
        Seq2Seq(**{**parts, **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cells": "GRU", "units": None}, r"`cells` must be the class.*Received: cells='GRU'"),
        ({"cells": None, "units": None}, r"Received: cells=None"),
        ({"cells": keras.layers.Dense}, r"Received: cells=<class"),
        ({"cells": [], "units": None}, r"at least one layer. Received: cells=\[\]"),
        ({"cells": GRUCell(4)}, r"`units` and `depth` go with the class.*units=6"),
        ({"cells": GRUCell(4), "units": None, "depth": 2}, r"go with the class.*depth=2"),
        ({"cells": LSTM(4), "units": None}, r"`return_sequences=True` and `return_state=True`"),
        ({"units": 0}, r"`units`.*Received: units=0"),
        ({"depth": 1.5}, r"`depth`.*Received: depth=1.5"),
    ],
)
@pytest.mark.parametrize("part", [Encoder, Decoder])
def test_wrong_arguments_are_refused(part, wrong, message):
    with pytest.raises(ValueError, match=message):
        part(**{"cells": GRUCell, "units": 6, **wrong})


def test_wrong_ids_are_refused():
    model = make()
    with pytest.raises(ValueError, match=r"`ids`.*from 0 to 8.*Received: ids=9"):
        model.generate(SOURCE + 3, 4)
    with pytest.raises(ValueError, match=r"`ids`.*from 0 to 7.*Received: ids=9"):
        model((SOURCE, np.where(TARGET == 5, 9, TARGET)))
    with pytest.raises(ValueError, match=r"begin with the start mark, id 1. Received: target=\[5, 3, 4, 2\]"):
        model((SOURCE, TARGET[:, 1:]))
    with pytest.raises(ValueError, match=r"not empty. Received: shape=\(0, 4\)"):
        model.generate(SOURCE[:0], 4)
    with pytest.raises(ValueError, match="`beam_width`"):
        model.generate(SOURCE, 4, beam_width=0)
    with pytest.raises(ValueError, match=r"no attention.*Received: return_attention_scores=True"):
        model.generate(SOURCE, 4, return_attention_scores=True)


class TestTexts:
    """A translator that was made with vocabularies reads and writes texts."""

    WORDS = data.Vocabulary(["one", "two", "three"])
    SIGNS = data.Vocabulary("321", marks=(data.START, data.END))

    def translator(self):
        """A model that has learnt three words by heart."""
        keras.utils.set_random_seed(0)
        model = compiled(Seq2Seq(Encoder(GRUCell, 16), Decoder(GRUCell, 16), self.WORDS, self.SIGNS, 8))
        texts, signs = ["one two", "three", "two two one"], ["12", "3", "221"]
        source = self.WORDS.encode([self.WORDS.split(text) for text in texts])
        target = self.SIGNS.encode([self.SIGNS.split(text) for text in signs], marked=True)
        source, target = (np.tile(ids, (150, 1)) for ids in (source, target))
        model.fit((source, target[:, :-1]), target[:, 1:], batch_size=3, shuffle=False, verbose=0)
        return model

    def test_texts_become_texts_and_the_vocabularies_are_saved_with_the_model(self, tmp_path, request):
        model = self.translator()
        request.getfixturevalue("op_by_op")
        model.save(tmp_path / "model.keras")
        for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
            assert each.translate(["three", "two two one"]) == ["3", "221"]
            assert each.translate(["one two"], beam_width=3) == ["12"]
            assert each.translate(["two two one"], max_length=1) == ["2"]
            assert each.source_vocabulary.tokens == self.WORDS.tokens
            assert each.target_vocabulary.get_config() == self.SIGNS.get_config()
        clone = Seq2Seq.from_config(model.get_config())
        assert clone.source_vocabulary.split("one two") == ["one", "two"]

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            ("one two", r"`texts` must be a list of strings. Received: texts='one two'"),
            (None, r"`texts` must be a list of strings. Received: texts=None"),
            ([], "at least one sentence"),
            ([3], r"A text must be a string.*Received: text=3"),
            ([""], r"A text must be a string.*Received: text=''"),
            (["one  two"], r"A text must be a string of tokens with ' ' between"),
            (["four"], r"no such token.*Received: token='four'"),
        ],
    )
    def test_texts_that_cannot_be_read_are_refused(self, texts, message):
        model = Seq2Seq(Encoder(GRUCell, 4), Decoder(GRUCell, 4), self.WORDS, self.SIGNS)
        with pytest.raises(ValueError, match=message):
            model.translate(texts)

    def test_the_marks_are_those_of_the_vocabulary_wherever_they_stand_in_it(self):
        signs = data.Vocabulary("321", marks=(data.UNKNOWN, data.END, data.START))
        model = Seq2Seq(Encoder(GRUCell, 4), Decoder(GRUCell, 4), 9, signs)
        assert (model.start_mark, model.end_mark) == (3, 2)
        again = Seq2Seq.from_config(model.get_config())
        assert (again.start_mark, again.end_mark) == (3, 2)
        with pytest.raises(
            ValueError, match=r"the vocabulary's own marks, \[3, 2\].*Received: start=1, end=2"
        ):
            Seq2Seq(Encoder(GRUCell, 4), Decoder(GRUCell, 4), 9, signs, start=1, end=2)
        with pytest.raises(
            ValueError, match=r"needs the marks <start> and <end>. Received: marks=\('<pad>',\)"
        ):
            Seq2Seq(Encoder(GRUCell, 4), Decoder(GRUCell, 4), 9, data.Vocabulary("321"))

    def test_a_model_without_vocabularies_does_not_translate(self):
        for sizes in ((9, 8), (self.WORDS, 8), (9, self.SIGNS)):
            model = Seq2Seq(Encoder(GRUCell, 4), Decoder(GRUCell, 4), *sizes)
            with pytest.raises(ValueError, match="needs a model that was made with a `Vocabulary`"):
                model.translate(["one"])


@keras.saving.register_keras_serializable(package="tests")
class Sum(keras.layers.Layer):
    """A cell of somebody else: it adds up what it reads."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.dense = keras.layers.Dense(units)

    def build(self, inputs_shape):
        self.dense.build(inputs_shape)

    def call(self, inputs, states):
        total = states[0] + ops.tanh(self.dense(inputs))
        return total, [total]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


MADE = {
    "a foreign cell": lambda: Sum(6),
    "Keras' cell": lambda: keras.layers.GRUCell(6, dropout=0.1),
    "our cell, configured": lambda: GRUCell(6, reset_after=False),
    "our layer": lambda: SimpleRNN(6, "relu", return_sequences=True, return_state=True),
    "Keras' layer": lambda: keras.layers.GRU(6, return_sequences=True, return_state=True),
}


class TestWhatIsMadeAlready:
    """Encoder and decoder of cells and layers that somebody has made."""

    @pytest.mark.slow
    @pytest.mark.parametrize("attend", ["after", "before"])
    @pytest.mark.parametrize("make", MADE.values(), ids=MADE)
    def test_it_trains_generates_and_comes_back(self, make, attend, tmp_path, request):
        keras.utils.set_random_seed(0)
        decoder = Decoder([make(), GRUCell(7)], attention=BahdanauAttention(5), attend=attend)
        model = compiled(Seq2Seq(Encoder([make(), GRUCell(7)]), decoder, 9, 8, embedding_dim=5))
        model((SOURCE, TARGET))
        before = model.get_weights()
        model.run_eagerly = (attend, make) != ("before", MADE["a foreign cell"])  # one of all is compiled
        model.train_on_batch((SOURCE, TARGET[:, :-1]), TARGET[:, 1:])
        assert all((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))
        request.getfixturevalue("op_by_op")
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(teacher_forced(loaded), teacher_forced(model), atol=1e-6)
        np.testing.assert_array_equal(loaded.generate(SOURCE, 5), model.generate(SOURCE, 5))

    def test_both_ways_of_a_layer_that_is_made(self):
        made = SimpleRNN(3, return_sequences=True, return_state=True)
        for encoder in (Encoder(made, bidirectional=True), Encoder([Bidirectional(made)])):
            outputs, ((state,),) = encoder(np.ones((2, 4, 5), "float32"))
            assert outputs.shape == (2, 4, 6)
            assert state.shape == (2, 6)
            np.testing.assert_allclose(outputs[:, -1, :3], state[:, :3], atol=1e-6)
            np.testing.assert_allclose(outputs[:, 0, 3:], state[:, 3:], atol=1e-6)

    @pytest.mark.parametrize("part", [Encoder, Decoder])
    @pytest.mark.parametrize(
        ("made", "message"),
        [
            (partial(SimpleRNN, 3, go_backwards=True), r"nor go backwards.*go_backwards=True"),
            (partial(keras.layers.GRU, 3, go_backwards=True), r"nor go backwards.*go_backwards=True"),
            (partial(GRU, 3, stateful=True), r"must not be stateful.*stateful=True"),
        ],
    )
    def test_layers_that_go_on_in_another_way_are_refused(self, part, made, message):
        with pytest.raises(ValueError, match=message):
            part([made(return_sequences=True, return_state=True)])

    @pytest.mark.parametrize("part", [Encoder, Decoder])
    def test_cells_whose_output_has_another_size_than_their_first_state_are_refused(self, part):
        wide = Sum(4)
        wide.output_size = 5
        stack = keras.layers.StackedRNNCells([GRUCell(3), GRUCell(4)])
        for cell, sizes in (
            (wide, r"state_size=\[4\], output_size=5"),
            (stack, r"state_size=\[3, 4\], output_size=4"),
        ):
            with pytest.raises(ValueError, match=sizes):
                part(cell)

    def test_a_list_is_the_same_as_a_class(self):
        keras.utils.set_random_seed(0)
        by_class, by_list = Encoder(LSTMCell, 6, 2), Encoder([LSTMCell(6), LSTMCell(6)])
        inputs = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
        by_class(inputs), by_list(inputs)
        by_list.set_weights(by_class.get_weights())
        for one, other in zip(*map(keras.tree.flatten, (by_class(inputs), by_list(inputs))), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_a_decoder_that_reads_both_ways_is_refused(self):
        layer = Bidirectional(SimpleRNN(3, return_sequences=True, return_state=True))
        with pytest.raises(ValueError, match=r"cannot read both ways: it writes. Received: cells="):
            Decoder([layer])
        summed = Bidirectional(SimpleRNN(3, return_sequences=True, return_state=True), "sum")
        with pytest.raises(ValueError, match=r"`merge_mode=\"concat\"`. Received: cells="):
            Encoder([summed])


@pytest.mark.usefixtures("op_by_op")
def test_generation_begins_with_the_start_mark_of_the_model():
    model = make(start=6, end=4)
    _, log_probs = model.generate(SOURCE, 1, return_log_probs=True)
    after_the_mark = ops.log_softmax(teacher_forced(model, target=np.full((3, 1), 6))[:, 0])
    np.testing.assert_allclose(log_probs, np.max(after_the_mark[:, 1:], axis=1), atol=1e-5)


def test_layers_are_projected_where_not_the_first_of_them_differs():
    encoder, decoder = (Encoder([GRUCell(6), GRUCell(7)]), Decoder([GRUCell(6), GRUCell(8)]))
    model = Seq2Seq(encoder, decoder, 9, 8)
    assert teacher_forced(model).shape == (3, 5, 8)
    assert [state.shape for (state,) in model.start(SOURCE)["states"]] == [(3, 6), (3, 8)]


@pytest.mark.parametrize("attend", ["after", "before"])
def test_two_calls_of_several_steps_equal_one(attend):
    model = make(attention=partial(LocalAttention, 1), attend=attend)
    vectors, state, parts = model.target_embedding(TARGET), model.start(SOURCE), []
    whole, _ = model.decoder(vectors, state)
    for steps in (vectors[:, :2], vectors[:, 2:]):
        outputs, state = model.decoder(steps, state)
        parts.append(outputs)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
