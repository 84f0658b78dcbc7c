"""What every layer of the course must do, whatever it computes and whichever backend Keras runs on."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from course_utils import (
    GRU,
    LSTM,
    Bidirectional,
    Decoder,
    Embedding,
    Encoder,
    GRUCell,
    LanguageModel,
    LSTMCell,
    MultiHeadAttention,
    PositionalEncoding,
    PositionEmbedding,
    SelfAttention,
    Seq2Seq,
    SimpleRNN,
    TokenAndPositionEmbedding,
    Transformer,
    TransformerBlock,
    TransformerDecoder,
    TransformerEncoder,
)
from course_utils.attention import (
    AttentionPooling,
    BahdanauAttention,
    HardAttention,
    HardAttentionModel,
    LocalAttention,
    LuongAttention,
)
from course_utils.measure import TokenAccuracy

QUERIES, FLOATS = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 6, 1], [2, 0, 0, 0, 0]], "int32")
# Whether `fit` compiles with XLA. JAX does nothing else, and torch has a compiler of its own.
XLA = {"tensorflow": [False, True], "jax": [True], "torch": [False]}[keras.backend.backend()]


def both_ways(layer, merge_mode, **options):
    return Bidirectional(layer(dtype=options.get("dtype")), merge_mode, **options)


def stack(**options):
    cells = [cell(4, dtype=options.get("dtype")) for cell in (LSTMCell, GRUCell)]
    return keras.layers.RNN(keras.layers.StackedRNNCells(cells, dtype=options.get("dtype")), **options)


RECURRENT = {
    "SimpleRNN": partial(SimpleRNN, 4),
    "SimpleRNN, every step": partial(SimpleRNN, 4, return_sequences=True),
    "SimpleRNN, backwards": partial(SimpleRNN, 4, "relu", "identity", go_backwards=True),
    "LSTM": partial(LSTM, 4),
    "LSTM, every step": partial(LSTM, 4, return_sequences=True),
    "GRU": partial(GRU, 4),
    "GRU, every step": partial(GRU, 4, return_sequences=True),
    "GRU, reset before": partial(GRU, 4, reset_after=False),
    "both ways, every step": partial(both_ways, partial(LSTM, 4, return_sequences=True), "concat"),
    "both ways, summed": partial(both_ways, partial(GRU, 4), "sum"),
    "cells in a stack": stack,
}
ATTENTION = {
    "LuongAttention, dot": LuongAttention,
    "LuongAttention, general": partial(LuongAttention, "general"),
    "LuongAttention, concat": partial(LuongAttention, "concat"),
    "BahdanauAttention": partial(BahdanauAttention, 6),
    "LocalAttention, monotonic": partial(LocalAttention, 1, score="general"),
    "LocalAttention, predictive": partial(LocalAttention, 2, "predictive", "concat"),
    "HardAttention": partial(HardAttention, "general"),
    "MultiHeadAttention": partial(MultiHeadAttention, 2, 3),
}
POOLING = {
    "AttentionPooling": partial(AttentionPooling, 3),
    "AttentionPooling, last left out": partial(AttentionPooling, 3, "concat", include_last=False),
}
OVER_ONE_SEQUENCE = {
    "PositionalEncoding": PositionalEncoding,
    "PositionEmbedding": partial(PositionEmbedding, 5),
    "SelfAttention": SelfAttention,
    "SelfAttention, causal": partial(SelfAttention, causal=True),
    "TransformerBlock": partial(TransformerBlock, 2, 6),
    "TransformerBlock, causal, after": partial(TransformerBlock, 2, 6, causal=True, normalize="after"),
    "TransformerEncoder": partial(TransformerEncoder, 2, 2, 6),
    "TransformerDecoder, alone": partial(TransformerDecoder, 2, 2, 6, cross=False),
}
LAYERS = {
    "Embedding": (partial(Embedding, 7, 4), [IDS]),
    "TokenAndPositionEmbedding": (partial(TokenAndPositionEmbedding, 7, 4), [IDS]),
    "TokenAndPositionEmbedding, learnt": (partial(TokenAndPositionEmbedding, 7, 4, max_length=5), [IDS]),
}
LAYERS |= {name: (make, [FLOATS]) for name, make in (RECURRENT | POOLING | OVER_ONE_SEQUENCE).items()}
LAYERS |= {name: (make, [QUERIES, FLOATS]) for name, make in ATTENTION.items()}
WITHOUT_WEIGHTS = ("LuongAttention, dot", "PositionalEncoding", "SelfAttention", "SelfAttention, causal")
# What hard attention draws has no gradient: its model trains it, below.
TRAINED = [name for name in LAYERS if name not in (*WITHOUT_WEIGHTS, "HardAttention")]
# A key's bias adds the same to every score of a query, and the softmax takes it away again.
WITHOUT_GRADIENT = "key/bias"


@pytest.fixture(params=LAYERS, name="case")
def _case(request):
    keras.utils.set_random_seed(1)
    return LAYERS[request.param]


@pytest.fixture(params=TRAINED, name="trained_case")
def _trained_case(request):
    keras.utils.set_random_seed(1)
    return LAYERS[request.param]


def model_of(layer, inputs, time=None):
    entrances = [keras.Input((time, *each.shape[2:]), dtype=each.dtype.name) for each in inputs]
    return keras.Model(entrances, layer(*entrances))


def randomise(layer, seed=2):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])


def assert_equal(outputs, others):
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs), ops.convert_to_numpy(others), rtol=1e-6, atol=1e-5
    )


def assert_moved(model, before):
    for weight, old in zip(model.weights, before, strict=True):
        moved = (old != ops.convert_to_numpy(weight)).any()
        assert moved or weight.path.endswith(WITHOUT_GRADIENT), weight.path


def test_symbolic_equals_eager_whatever_the_batch_and_the_length(case):
    make, inputs = case
    layer = make()
    model = model_of(layer, inputs)
    randomise(layer)
    for batch, time in ((1, 1), (3, 5)):
        some = [each[:batch, :time] for each in inputs]
        eager = layer(*some)
        assert_equal(model.predict(some, verbose=0), eager)
    assert model.output_shape[1:] == tuple(None if size == 5 else size for size in eager.shape[1:])


def test_a_symbolic_tensor_times_a_number_is_taken(case):
    make, inputs = case
    if inputs[0] is IDS:  # ids are not multiplied
        return
    entrances = [keras.Input((None, *each.shape[2:])) for each in inputs]
    layer = make()
    model = keras.Model(entrances, layer(*(each * 2.0 for each in entrances)))  # Keras marks these as sparse
    assert_equal(model(inputs), layer(*(2 * each for each in inputs)))


def test_one_example_does_not_depend_on_its_batch_mates(case):
    make, inputs = case
    layer = make()
    assert_equal(layer(*inputs)[1:2], layer(*(each[1:2] for each in inputs)))


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)
def test_padding_changes_nothing(make):
    layer = make()
    layer.build(FLOATS.shape)
    randomise(layer)
    alone = layer(FLOATS[1:2, :2])
    mask = np.arange(5) < np.array([[5], [2], [3]])
    padded = np.where(mask[:, :, None], FLOATS, 9).astype("float32")
    among_others = layer(padded, mask=ops.convert_to_tensor(mask))[1:2]
    assert_equal(among_others[:, :2] if len(alone.shape) == 3 else among_others, alone)


@pytest.mark.parametrize("make", ATTENTION.values(), ids=ATTENTION)
def test_padding_is_not_looked_at(make):
    layer = make()
    layer.build(QUERIES.shape, FLOATS.shape)
    randomise(layer)
    mask = np.arange(5) < np.array([[5], [2], [0]])
    padded = np.where(mask[:, :, None], FLOATS, 9).astype("float32")
    outputs = layer(QUERIES, padded, mask=mask[:, None], return_attention_scores=True)
    context, weights = (ops.convert_to_numpy(output) for output in outputs)
    assert_equal(context[1:2], layer(QUERIES[1:2], FLOATS[1:2, :2]))
    assert (weights[1, ..., 2:] == 0).all()
    assert not weights[2].any()
    nothing = layer.output_dense.bias if isinstance(layer, MultiHeadAttention) else 0.0
    assert_equal(context[2], ops.broadcast_to(nothing, context[2].shape))


@pytest.mark.parametrize("make", POOLING.values(), ids=POOLING)
def test_padding_is_not_pooled(make):
    layer = make()
    layer.build(FLOATS.shape)
    randomise(layer)
    mask = np.arange(5) < np.array([[5], [2], [0]])
    padded = np.where(mask[:, :, None], FLOATS, 9).astype("float32")
    pooled = layer(padded, mask=mask)
    assert_equal(pooled[1:2], layer(FLOATS[1:2, :2]))
    assert_equal(pooled[2], np.zeros(3))


def test_saved_equals_loaded(case, tmp_path):
    make, inputs = case
    model = model_of(make(), inputs)
    randomise(model.layers[-1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(model.layers[-1])
    assert_equal(loaded(inputs), model(inputs))


def test_config_makes_an_equal_layer(case):
    make, inputs = case
    layer = make(name="one")
    copy = type(layer).from_config(layer.get_config())
    for each in (layer, copy):
        each.build(*(one.shape for one in inputs))
        randomise(each)
    assert copy.get_config() == layer.get_config()
    assert_equal(copy(*inputs), layer(*inputs))


@pytest.mark.parametrize("jit_compile", XLA)
def test_every_weight_trains(trained_case, jit_compile):
    make, inputs = trained_case
    model = model_of(make(), inputs, time=5)
    randomise(model.layers[-1])
    before = model.get_weights()
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:])))
    assert_moved(model, before)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_computes_in_mixed_precision(case, policy):
    make, inputs = case
    layer = make(dtype=policy)
    outputs = layer(*inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()
    assert all(weight.dtype == "float32" for weight in layer.weights)


def test_trains_in_mixed_precision(trained_case):
    make, inputs = trained_case
    model = model_of(make(dtype="mixed_float16"), inputs, time=5)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:]))))


@pytest.mark.parametrize("jit_compile", XLA)
def test_hard_attention_trains_by_its_model(jit_compile, tmp_path):
    keras.utils.set_random_seed(1)
    entrances = [keras.Input((1, 4)), keras.Input((None, 4))]
    query, value = (keras.layers.Identity()(each) for each in entrances)  # Keras 3.13 wants a layer
    encode = keras.Model(entrances, {"query": query, "value": value})
    model = HardAttentionModel(encode, HardAttention("general"), keras.layers.Dense(1))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model([QUERIES[:, :1], FLOATS])
    before = model.get_weights()
    model.fit([QUERIES[:, :1], FLOATS], np.ones((3, 1)), verbose=0)
    assert_moved(model, before)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for old, new in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert_equal(old, new)
    outputs, others = (each.predict([QUERIES[:, :1], FLOATS], verbose=0) for each in (model, loaded))
    assert_equal(outputs["prediction"], others["prediction"])


LOOKS = {
    "no attention": {},
    "after": {"attention": partial(LuongAttention, "general")},
    "before": {"attention": partial(BahdanauAttention, 4), "attend": "before"},
}


def recurrent_translator(looks):
    looks = {**looks, "attention": looks["attention"]()} if looks else {}
    encoder, decoder = Encoder(LSTMCell, 4, 2, bidirectional=True), Decoder(LSTMCell, 5, 2, **looks)
    return Seq2Seq(encoder, decoder, 7, 7, embedding_dim=3)


def transformer(normalize):
    encoder = TransformerEncoder(2, 2, 16, normalize)
    return Transformer(encoder, TransformerDecoder(2, 2, 16, normalize=normalize), 7, 7, embedding_dim=4)


TRANSLATORS = {name: partial(recurrent_translator, looks) for name, looks in LOOKS.items()}
TRANSLATORS |= {f"Transformer, {order}": partial(transformer, order) for order in ("before", "after")}
TARGET = np.array([[1, 4, 5, 2], [1, 2, 0, 0], [1, 6, 2, 0]], "int32")


def fitted(model, inputs, labels):
    """Train one step, and see every weight move."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.SGD(1.0), loss, metrics=[TokenAccuracy()])
    model(inputs)
    randomise(model)
    before = model.get_weights()
    model.fit(inputs, labels, verbose=0)
    assert_moved(model, before)


def step_by_step(model, state, ids):
    logits = []
    for tokens in ids.T:
        step, state = model.step(ops.convert_to_tensor(tokens), state)
        logits.append(ops.convert_to_numpy(step))
    return np.stack(logits, axis=1)


def assert_comes_back(model, source, path):
    model.save(path / "model.keras")
    loaded = keras.saving.load_model(path / "model.keras")
    for width in (1, 3):
        generated = model.generate(source, 5, beam_width=width)
        assert generated.shape == (3, 5)
        np.testing.assert_array_equal(loaded.generate(source, 5, beam_width=width), generated)


@pytest.mark.parametrize("make", TRANSLATORS.values(), ids=TRANSLATORS)
def test_a_translator_trains_generates_and_comes_back(make, tmp_path):
    keras.utils.set_random_seed(1)
    model = make()
    fitted(model, (IDS, TARGET[:, :-1]), TARGET[:, 1:])
    stepped, whole = step_by_step(model, model.start(IDS, 4), TARGET), model.predict((IDS, TARGET), verbose=0)
    np.testing.assert_allclose(stepped[TARGET > 0], whole[TARGET > 0], rtol=1e-6, atol=1e-5)
    assert_comes_back(model, IDS, tmp_path)


def test_a_language_model_trains_generates_and_comes_back(tmp_path):
    keras.utils.set_random_seed(1)
    model = LanguageModel(TransformerDecoder(2, 2, 16, cross=False), 7, 4)
    fitted(model, TARGET[:, :-1], TARGET[:, 1:])
    stepped, whole = step_by_step(model, model.start(TARGET[:, :1], 4), TARGET), model(TARGET)
    np.testing.assert_allclose(
        stepped[TARGET > 0], ops.convert_to_numpy(whole)[TARGET > 0], rtol=1e-6, atol=1e-5
    )
    assert_comes_back(model, TARGET, tmp_path)
