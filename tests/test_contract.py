"""What every layer and model must do, whatever it computes and whichever backend Keras runs on."""

import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

import course_utils
from course_utils import (
    GRU,
    LSTM,
    AttentionPooling,
    BahdanauAttention,
    Bidirectional,
    Decoder,
    Embedding,
    Encoder,
    GRUCell,
    HardAttention,
    HardAttentionModel,
    LanguageModel,
    LocalAttention,
    LSTMCell,
    LuongAttention,
    MultiHeadAttention,
    PositionalEncoding,
    PositionEmbedding,
    SelfAttention,
    Seq2Seq,
    SimpleRNN,
    SimpleRNNCell,
    TokenAndPositionEmbedding,
    Transformer,
    TransformerBlock,
    TransformerDecoder,
    TransformerEncoder,
)
from course_utils.measure import TokenAccuracy

QUERIES, FLOATS = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 6, 1], [2, 0, 0, 0, 0]], "int32")
TENSORFLOW = keras.backend.backend() == "tensorflow"
# Where `fit` compiles, it does so by XLA. JAX does nothing else, and torch has a compiler of its own.
COMPILED = {"jit_compile": keras.backend.backend() != "torch"}
# A graph costs seconds, and op by op a fraction of one. Not so on JAX, which compiles each op too.
QUICKLY = {"run_eagerly": TENSORFLOW}


def both_ways(layer, merge_mode, **options):
    return Bidirectional(layer(dtype=options.get("dtype")), merge_mode, **options)


def carried(cell, **options):
    made = cell(4, dtype=options.get("dtype"))
    return keras.layers.RNN(made, return_sequences=True, **options)


def stack(**options):
    cells = [cell(4, dtype=options.get("dtype")) for cell in (LSTMCell, GRUCell)]
    return keras.layers.RNN(keras.layers.StackedRNNCells(cells, dtype=options.get("dtype")), **options)


CELLS = {
    "SimpleRNNCell": partial(carried, SimpleRNNCell),
    "LSTMCell": partial(carried, LSTMCell),
    "GRUCell": partial(carried, GRUCell),
    "cells in a stack": stack,
}
RECURRENT = {
    "SimpleRNN": partial(SimpleRNN, 4),
    "SimpleRNN, every step": partial(SimpleRNN, 4, return_sequences=True),
    "SimpleRNN, backwards": partial(SimpleRNN, 4, "relu", "identity", go_backwards=True),
    "LSTM": partial(LSTM, 4),
    "LSTM, every step": partial(LSTM, 4, return_sequences=True),
    "GRU": partial(GRU, 4),
    "GRU, every step": partial(GRU, 4, return_sequences=True),
    "GRU, reset before": partial(GRU, 4, reset_after=False),
    "GRU, without bias": partial(GRU, 4, use_bias=False),
    "both ways, every step": partial(both_ways, partial(LSTM, 4, return_sequences=True), "concat"),
    "both ways, summed": partial(both_ways, partial(GRU, 4), "sum"),
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
    "MultiHeadAttention, wide values": partial(MultiHeadAttention, 2, 3, value_dim=5, use_bias=False),
}
POOLING = {
    "AttentionPooling": partial(AttentionPooling, 3),
    "AttentionPooling, last left out": partial(AttentionPooling, 3, "concat", include_last=False),
}
POSITIONS = {"PositionalEncoding": PositionalEncoding, "PositionEmbedding": partial(PositionEmbedding, 5)}
WITH_ITSELF = {
    "SelfAttention": SelfAttention,
    "SelfAttention, causal": partial(SelfAttention, causal=True),
    "TransformerBlock": partial(TransformerBlock, 2, 6),
    "TransformerBlock, causal, after": partial(TransformerBlock, 2, 6, causal=True, normalize="after"),
    "TransformerEncoder": partial(TransformerEncoder, 2, 2, 6),
    "TransformerDecoder, alone": partial(TransformerDecoder, 2, 2, 6, cross=False),
}
OVER_IDS = {
    "Embedding": partial(Embedding, 7, 4),
    "TokenAndPositionEmbedding": partial(TokenAndPositionEmbedding, 7, 4),
    "TokenAndPositionEmbedding, learnt": partial(TokenAndPositionEmbedding, 7, 4, max_length=5),
}
TAKES_A_MASK = {**RECURRENT, **POOLING, **WITH_ITSELF}  # over the one sequence that it reads
OVER_ONE_SEQUENCE = {**CELLS, **TAKES_A_MASK, **POSITIONS}
LAYERS = {name: (make, [IDS]) for name, make in OVER_IDS.items()}
LAYERS |= {name: (make, [FLOATS]) for name, make in OVER_ONE_SEQUENCE.items()}
LAYERS |= {name: (make, [QUERIES, FLOATS]) for name, make in ATTENTION.items()}
WITHOUT_WEIGHTS = ("LuongAttention, dot", "PositionalEncoding", "SelfAttention", "SelfAttention, causal")
# What hard attention draws has no gradient: its model trains it, below.
TRAINED = [name for name in LAYERS if name not in (*WITHOUT_WEIGHTS, "HardAttention")]
# Compiling takes seconds for each layer: where XLA or JAX is asked, one of each kind answers for the others.
ONE_OF_EACH = (
    *("LSTMCell", "GRU, every step", "both ways, summed", "Embedding", "PositionEmbedding"),
    *("LuongAttention, concat", "LocalAttention, predictive", "MultiHeadAttention", "AttentionPooling"),
    "TransformerBlock",
)
assert set(ONE_OF_EACH) <= set(TRAINED)
# A key's bias adds the same to every score of a query, and the softmax takes it away again.
WITHOUT_GRADIENT = "key/bias"


@pytest.fixture(params=LAYERS, name="case")
def _case(request):
    keras.utils.set_random_seed(1)
    return LAYERS[request.param]


@pytest.fixture(params=ONE_OF_EACH, name="one_of_each")
def _one_of_each(request):
    keras.utils.set_random_seed(1)
    return LAYERS[request.param]


def some_on_each_backend(names):
    """Return the names of layers, marked so that one of each kind is run on each backend."""
    return [pytest.param(name, marks=[pytest.mark.on_each_backend] * (name in ONE_OF_EACH)) for name in names]


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


@pytest.mark.parametrize("name", some_on_each_backend(LAYERS))
def test_symbolic_equals_eager_whatever_the_batch_and_the_length(name):
    keras.utils.set_random_seed(1)
    make, inputs = LAYERS[name]
    layer = make()
    model = model_of(layer, inputs)
    randomise(layer)
    in_a_graph = partial(model.predict, verbose=0)
    called = in_a_graph if name in ONE_OF_EACH else model
    for batch, time in ((1, 1), (3, 5))[not TENSORFLOW :]:  # JAX compiles each size anew, op by op too
        some = [each[:batch, :time] for each in inputs]
        eager = layer(*some)
        assert_equal(called(some), eager)
    assert model.output_shape[1:] == tuple(None if size == 5 else size for size in eager.shape[1:])


@pytest.mark.parametrize("name", [each for each in ONE_OF_EACH if each not in OVER_IDS])
def test_a_symbolic_tensor_times_a_number_is_taken(name):
    make, inputs = LAYERS[name]
    entrances = [keras.Input((None, *each.shape[2:])) for each in inputs]
    layer = make()
    model = keras.Model(entrances, layer(*(each * 2.0 for each in entrances)))  # Keras marks these as sparse
    assert_equal(model(inputs), layer(*(2 * each for each in inputs)))


def test_one_example_does_not_depend_on_its_batch_mates(case):
    make, inputs = case
    layer = make()
    assert_equal(layer(*inputs)[1:2], layer(*(each[1:2] for each in inputs)))


@pytest.mark.on_each_backend
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


@pytest.mark.on_each_backend
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
    nothing = getattr(getattr(layer, "output_dense", None), "bias", None)
    nothing = 0.0 if nothing is None else nothing
    assert_equal(context[2], ops.broadcast_to(nothing, context[2].shape))


@pytest.mark.on_each_backend
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


def masked(seed=0, dtype="float32"):
    """Vectors with the mask that a layer of Keras attaches to them."""
    keras.utils.set_random_seed(seed)
    return keras.layers.Embedding(7, 4, mask_zero=True, dtype=dtype)(IDS)


def mask_of(tensor):
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else ops.convert_to_numpy(mask)


@pytest.mark.parametrize("name", some_on_each_backend(TAKES_A_MASK))
def test_an_attached_mask_is_taken_like_one_that_is_given(name):
    layer, vectors = TAKES_A_MASK[name](), masked()
    bare = ops.convert_to_tensor(ops.convert_to_numpy(vectors))
    attached, given = (ops.convert_to_numpy(each) for each in (layer(vectors), layer(bare, mask=IDS > 0)))
    real = IDS > 0 if attached.shape[:2] == IDS.shape else slice(None)
    assert_equal(attached[real], given[real])
    last = layer(bare)
    assert not np.allclose(given, ops.convert_to_numpy(last), atol=1e-4)  # so the mask does count


@pytest.mark.parametrize("name", some_on_each_backend(ATTENTION))
def test_attached_masks_of_query_and_value_are_both_taken(name):
    layer, query, value = ATTENTION[name](), masked(0), masked(1)
    bare = [ops.convert_to_tensor(ops.convert_to_numpy(each)) for each in (query, value)]
    mask = (IDS > 0)[:, :, None] & (IDS > 0)[:, None]
    assert_equal(layer(query, value), layer(*bare, mask=mask))
    assert_equal(layer(bare[0], value), layer(*bare, mask=(IDS > 0)[:, None]))


@pytest.mark.on_each_backend
def test_a_block_takes_the_masks_of_both_its_sequences():
    block, x, memory = TransformerBlock(2, 6, cross=True), masked(0), masked(1)
    bare = [ops.convert_to_tensor(ops.convert_to_numpy(each)) for each in (x, memory)]
    given = block(bare[0], mask=IDS > 0, memory=bare[1], memory_mask=IDS > 0)
    assert_equal(block(x, memory=memory), given)
    decoder = TransformerDecoder(1, 2, 6)
    given = decoder(bare[0], mask=IDS > 0, memory=bare[1], memory_mask=IDS > 0)
    assert_equal(decoder(x, memory=memory), given)


@pytest.mark.on_each_backend
@pytest.mark.parametrize("encoder", [Encoder(GRUCell, 4), Encoder(LSTMCell, 4, 2, bidirectional=True)])
def test_an_encoder_takes_an_attached_mask(encoder):
    vectors = masked()
    bare = ops.convert_to_tensor(ops.convert_to_numpy(vectors))
    came, given = (keras.tree.flatten(each) for each in (encoder(vectors), encoder(bare, mask=IDS > 0)))
    for one, other in zip(came[1:], given[1:], strict=True):
        assert_equal(one, other)
    np.testing.assert_array_equal(mask_of(came[0]), IDS > 0)
    assert all(mask_of(state) is None for state in came[1:])


@pytest.mark.on_each_backend
def test_a_decoder_takes_the_masks_of_its_inputs_and_of_the_memory():
    decoder = Decoder(GRUCell, 4, attention=BahdanauAttention(3))
    inputs, memory = masked(0), masked(1)
    bare = ops.convert_to_tensor(ops.convert_to_numpy(memory))
    zeros = [[ops.zeros((3, 4))]]
    came, state = decoder(inputs, decoder.start(zeros, memory))
    outputs, _ = decoder(inputs, decoder.start(zeros, bare, IDS > 0))
    assert_equal(came, outputs)
    np.testing.assert_array_equal(mask_of(came), IDS > 0)
    one = ops.convert_to_tensor(ops.convert_to_numpy(inputs))[2:, :1]
    alone, after_one = decoder(one, decoder.start([[ops.zeros((1, 4))]], bare[2:], IDS[2:] > 0))
    assert_equal(came[2:, :1], alone)
    assert_equal(state["states"][0][0][2:], after_one["states"][0][0])  # padding left the state as it was


def test_a_decoder_that_attends_before_takes_the_mask_of_the_memory_and_refuses_that_of_its_inputs():
    decoder = Decoder(GRUCell, 4, attention=BahdanauAttention(3), attend="before")
    inputs, memory, zeros = FLOATS, masked(1), [[ops.zeros((3, 4))]]
    bare = ops.convert_to_tensor(ops.convert_to_numpy(memory))
    came, _ = decoder(inputs, decoder.start(zeros, memory))
    assert_equal(came, decoder(inputs, decoder.start(zeros, bare, IDS > 0))[0])
    with pytest.raises(ValueError, match=r"takes no mask of its inputs.*mask of the shape \(3, 5\)"):
        decoder(masked(0), decoder.start(zeros, memory))


OURS = {name: each for name, each in LAYERS.items() if name not in CELLS}  # their layer is Keras'


@pytest.mark.parametrize("name", some_on_each_backend(name for name in OURS if name not in OVER_IDS))
def test_the_mask_goes_on_with_time_and_ends_where_time_ends(name):
    make, inputs = OURS[name]
    outputs = make()(*(masked() for _ in inputs))
    if len(outputs.shape) == 3:
        np.testing.assert_array_equal(mask_of(outputs), IDS > 0)
    else:
        assert mask_of(outputs) is None


def test_embeddings_make_a_mask_on_request_alone():
    np.testing.assert_array_equal(mask_of(Embedding(7, 4, mask_zero=True)(IDS)), IDS > 0)
    assert mask_of(Embedding(7, 4)(IDS)) is None


def test_the_shape_of_the_output_is_known_before_the_call(case):
    make, inputs = case
    layer = make()
    shapes = [(None, *each.shape[1:]) for each in inputs]
    for _ in ("not built", "built"):
        said = layer.compute_output_shape(*shapes)
        assert tuple(said) == (None, *layer(*inputs).shape[1:])


@pytest.mark.parametrize("name", [name for name in ONE_OF_EACH if len(LAYERS[name][1]) == 1])
def test_it_goes_into_time_distributed(name):
    make, (inputs,) = LAYERS[name]
    keras.utils.set_random_seed(1)
    layer = make()
    twice = np.stack([inputs, inputs[::-1]], axis=1)
    entrance = keras.Input((2, *inputs.shape[1:]), dtype=inputs.dtype.name)
    model = keras.Model(entrance, keras.layers.TimeDistributed(layer)(entrance))
    came = ops.convert_to_numpy(model(twice))
    assert_equal(came[:, 0], layer(inputs))
    assert_equal(came[:, 1], layer(inputs[::-1]))


if TENSORFLOW:  # JAX computes in float64 only where it is told to before it starts

    def test_computes_in_float64(case):
        make, inputs = case
        wide, layer = make(dtype="float64"), make()
        for each in (wide, layer):
            each.build(*(one.shape for one in inputs))
            randomise(each)
        outputs = wide(*(each.astype("float64") if each is not IDS else each for each in inputs))
        assert keras.backend.standardize_dtype(outputs.dtype) == "float64"
        assert_equal(outputs, layer(*inputs))
        if len(inputs) == 2 or "mask" in wide._call_signature.parameters:
            mask = IDS > 0 if len(inputs) == 1 else (IDS > 0)[:, None]
            assert keras.backend.standardize_dtype(wide(*inputs, mask=mask).dtype) == "float64"


def test_a_cloned_model_gives_the_same(one_of_each):
    make, inputs = one_of_each
    model = model_of(make(), inputs)
    randomise(model.layers[-1])
    clone = keras.models.clone_model(model)
    assert clone.layers[-1] is not model.layers[-1]
    clone.set_weights(model.get_weights())
    assert_equal(clone(inputs), model(inputs))


def test_an_example_without_weight_teaches_nothing(one_of_each):
    make, inputs = one_of_each
    model = model_of(make(), inputs, time=5)
    model.compile("sgd", "mse", **QUICKLY)
    labels = np.ones((2, *model.output_shape[1:]))
    weights = np.array([1.0, 0.0]).reshape(-1, *[1] * (labels.ndim - 2)) * labels[..., 0]
    before, trained = model.get_weights(), []
    for other in inputs[0][:1], inputs[0][1:2]:
        model.set_weights(before)
        few = [np.concatenate([inputs[0][:1], other]), *(each[:2] for each in inputs[1:])]
        model.train_on_batch(few, labels, sample_weight=weights)
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        assert_equal(one, other)


@pytest.mark.parametrize("case", some_on_each_backend(LAYERS), indirect=True)
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


@pytest.mark.parametrize("name", some_on_each_backend(TRAINED))
def test_every_weight_trains(name):
    keras.utils.set_random_seed(1)
    make, inputs = LAYERS[name]
    model = model_of(make(), inputs, time=5)
    randomise(model.layers[-1])
    before = model.get_weights()
    model.compile("sgd", "mse", **(COMPILED if name in ONE_OF_EACH else QUICKLY))
    model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:])))
    assert_moved(model, before)


@pytest.mark.parametrize("case", some_on_each_backend(LAYERS), indirect=True)
def test_computes_in_mixed_precision(case):
    assert_computes_in("mixed_float16", case)


def test_computes_in_bfloat16(one_of_each):
    assert_computes_in("mixed_bfloat16", one_of_each)


def assert_computes_in(policy, case):
    make, inputs = case
    layer = make(dtype=policy)
    outputs = layer(*inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()
    assert all(weight.dtype == "float32" for weight in layer.weights)


def test_trains_in_mixed_precision(one_of_each):
    make, inputs = one_of_each
    model = model_of(make(dtype="mixed_float16"), inputs, time=5)
    model.compile("sgd", "mse", **QUICKLY)
    assert np.isfinite(model.train_on_batch(inputs, np.ones((3, *model.output_shape[1:]))))


ORDERS = {
    "deep, from both ways": {},
    "after": {"attention": partial(LuongAttention, "general")},
    "after, concat": {"attention": partial(LuongAttention, "concat")},
    "before": {"attention": partial(BahdanauAttention, 4), "attend": "before"},
    "before, general": {"attention": partial(LuongAttention, "general"), "attend": "before"},
    "before, local": {"attention": partial(LocalAttention, 1, "predictive", "concat"), "attend": "before"},
}
TARGET = np.array([[1, 4, 5, 2], [1, 2, 0, 0], [1, 6, 2, 0]], "int32")


def recurrent_translator(options, dtype=None):
    options = {**options, "attention": options["attention"](dtype=dtype)} if options else {}
    cell, depth = (GRUCell, 1) if options else (LSTMCell, 2)
    encoder = Encoder(cell, 4, depth, bidirectional=not options, dtype=dtype)
    decoder = Decoder(cell, 5, depth, dtype=dtype, **options)
    return Seq2Seq(encoder, decoder, 7, 7, embedding_dim=3, dtype=dtype)


def transformer(normalize, dtype=None):
    encoder = TransformerEncoder(2, 2, 16, normalize, dtype=dtype)
    decoder = TransformerDecoder(2, 2, 16, normalize=normalize, dtype=dtype)
    return Transformer(encoder, decoder, 7, 7, embedding_dim=4, dtype=dtype)


def language_model(dtype=None):
    return LanguageModel(TransformerDecoder(2, 2, 16, cross=False, dtype=dtype), 7, 4, dtype=dtype)


TRANSLATORS = {name: partial(recurrent_translator, options) for name, options in ORDERS.items()}
TRANSLATORS |= {f"Transformer, {order}": partial(transformer, order) for order in ("before", "after")}
PAIRS, LABELS = (IDS, TARGET[:, :-1]), TARGET[:, 1:]
MODELS = {name: (make, PAIRS, IDS) for name, make in TRANSLATORS.items()}
MODELS["LanguageModel"] = (language_model, TARGET[:, :-1], TARGET)  # how it is made, what it reads, prompts


def compiled(model, rate=1.0, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.SGD(rate), loss, weighted_metrics=[TokenAccuracy()], **options)
    return model


# Seq2Seq without and with attention, and the others: tests/test_seq2seq.py and tests/test_transformer.py have
# the variants.
OF_EACH_KIND = ("deep, from both ways", "before, local", "Transformer, before", "LanguageModel")


@pytest.fixture(params=OF_EACH_KIND, name="model_case")
def _model_case(request):
    keras.utils.set_random_seed(1)
    return MODELS[request.param]


def built(make, inputs, **options):
    model = make(**options)
    model(inputs)
    randomise(model)
    return model


@pytest.mark.slow
@pytest.mark.on_each_backend
def test_every_weight_of_a_model_trains_and_the_loss_that_is_logged_is_the_loss(model_case):
    make, inputs, _ = model_case
    model = compiled(built(make, inputs), **COMPILED)
    before = model.get_weights()
    logits = ops.convert_to_numpy(model(inputs)).astype("float64")
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_probs, LABELS[:, :, None], axis=-1)[:, :, 0]
    logged = model.train_on_batch(inputs, LABELS, return_dict=True)
    assert_moved(model, before)
    assert logged["loss"] == pytest.approx(losses[LABELS > 0].mean(), abs=1e-5)
    right = (logits.argmax(axis=-1) == LABELS)[LABELS > 0].mean()
    assert logged["accuracy"] == pytest.approx(right, abs=1e-6)


def step_by_step(model, state, ids):
    logits = []
    for tokens in ids.T:
        step, state = model.step(ops.convert_to_tensor(tokens), state)
        logits.append(ops.convert_to_numpy(step))
    return np.stack(logits, axis=1)


@pytest.mark.on_each_backend
def test_a_step_at_a_time_equals_all_at_once(model_case):
    make, inputs, prompts = model_case
    model = built(make, inputs)
    begun = model.start(prompts[:, :1] if make is language_model else prompts, 4)
    stepped = step_by_step(model, begun, TARGET)
    whole = ops.convert_to_numpy(model(TARGET if make is language_model else (IDS, TARGET)))
    np.testing.assert_allclose(stepped[TARGET > 0], whole[TARGET > 0], rtol=1e-6, atol=1e-5)


@pytest.mark.on_each_backend
def test_a_model_that_was_never_called_generates(model_case, request):
    make, inputs, prompts = model_case
    keras.utils.set_random_seed(5)
    model = make()
    generated = model.generate(prompts, 4)
    request.getfixturevalue("op_by_op")  # compiling changes nothing
    keras.utils.set_random_seed(5)
    other = make()
    other(inputs)
    np.testing.assert_array_equal(other.generate(prompts, 4), generated)
    model.set_weights(built(make, inputs).get_weights())  # so it is built as by a call


@pytest.mark.usefixtures("op_by_op")
def test_a_model_comes_back_and_is_cloned(model_case, tmp_path):
    make, inputs, prompts = model_case
    model = built(make, inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    clone = type(model).from_config(model.get_config())
    clone(inputs)
    clone.set_weights(model.get_weights())
    outputs, generated = model(inputs), model.generate(prompts, 3, beam_width=2)
    assert generated.shape == (3, 3)
    for other in (loaded, clone):
        assert_equal(other(inputs), outputs)
        np.testing.assert_array_equal(other.generate(prompts, 3, beam_width=2), generated)


def test_a_pair_without_weight_teaches_a_model_nothing_and_is_not_measured(model_case):
    make, inputs, _ = model_case
    model = compiled(built(make, inputs), **QUICKLY)
    labels = np.stack([LABELS[0], LABELS[0]])  # as many real tokens, so that the mean is over as many
    weights = np.array([[1.0], [0.0]]) * np.ones_like(labels)
    before, trained = model.get_weights(), []
    for other in (0, 2):  # what stands in the second row
        model.set_weights(before)
        some = keras.tree.map_structure(lambda ids, other=other: ids[[0, other]], inputs)
        result = model.train_on_batch(some, labels, sample_weight=weights, return_dict=True)
        trained.append([*model.get_weights(), np.array([result["loss"], result["accuracy"]])])
    for one, other in zip(*trained, strict=True):
        assert_equal(one, other)


if TENSORFLOW:  # JAX computes in float64 only where it is told to before it starts

    @pytest.mark.usefixtures("op_by_op")
    def test_a_model_computes_in_float64(model_case):
        make, inputs, prompts = model_case
        model = built(make, inputs, dtype="float64")
        outputs = model(inputs)
        assert keras.backend.standardize_dtype(outputs.dtype) == "float64"
        assert_equal(outputs, built(make, inputs)(inputs))
        assert model.generate(prompts, 3).shape == (3, 3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_in_mixed_precision_have_the_digits_of_float32(model_case, policy):
    make, inputs, _ = model_case
    model = make(dtype=policy)
    assert keras.backend.standardize_dtype(model(inputs).dtype) == "float32"
    assert all(weight.dtype == "float32" for weight in model.weights)


def test_a_models_output_shape_is_known(model_case):
    make, inputs, _ = model_case
    shapes = inputs.shape if make is language_model else [each.shape for each in inputs]
    assert tuple(make().compute_output_shape(shapes)) == (3, 3, 7)


def hard_attention_model():
    entrances = [keras.Input((1, 4)), keras.Input((None, 4))]
    query, value = (keras.layers.Identity()(each) for each in entrances)  # Keras 3.13 wants a layer
    encode = keras.Model(entrances, {"query": query, "value": value})
    return HardAttentionModel(encode, HardAttention("general"), keras.layers.Dense(1))


LOADED = """
import sys
from pathlib import Path
import numpy as np
import course_utils, keras
for path in sorted(Path(sys.argv[1]).glob("*.keras")):
    inputs = np.load(path.with_suffix(".npz"))
    inputs = [inputs[name] for name in inputs.files]
    outputs = keras.saving.load_model(path)(inputs[0] if path.stem.startswith("one") else inputs)
    outputs = outputs["prediction"] if isinstance(outputs, dict) else outputs
    np.save(path.with_suffix(".npy"), keras.ops.convert_to_numpy(outputs))
"""


def of_each_make(made):
    """Of the layers or models under their names, one for each class with what classes stand within it."""
    return {tuple(type(each) for each in [one, *one._flatten_layers()]): name for name, one in made.items()}


@pytest.mark.slow
def test_what_one_process_saves_another_loads(tmp_path):
    keras.utils.set_random_seed(1)
    layers = {name: make() for name, (make, _) in LAYERS.items()}
    models = {}
    for name in of_each_make(layers).values():
        inputs = LAYERS[name][1]
        models[f"layer {name}"] = model_of(layers[name], inputs), inputs
    translators = {name: make() for name, make in TRANSLATORS.items()}
    for name in of_each_make(translators).values():
        models[f"pair {name}"] = translators[name], list(PAIRS)
    models["one text"] = (language_model(), TARGET)
    models["hard attention"] = (hard_attention_model(), [QUERIES[:, :1], FLOATS])
    expected = {}
    for name, (model, inputs) in models.items():
        outputs = model(inputs)
        expected[name] = outputs["prediction"] if isinstance(outputs, dict) else outputs
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", *(inputs if isinstance(inputs, list) else [inputs]))
    done = subprocess.run([sys.executable, "-c", LOADED, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, outputs in expected.items():
        assert_equal(np.load(tmp_path / f"{name}.npy"), outputs)


if TENSORFLOW:  # a SavedModel is TensorFlow's

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "name",
        [
            *("both ways, summed", "AttentionPooling", "LocalAttention, predictive", "PositionEmbedding"),
            *("before", "Transformer, before", "LanguageModel"),  # which hold the others
        ],
    )
    def test_what_is_exported_serves_the_same(name, tmp_path):
        import tensorflow as tf

        keras.utils.set_random_seed(1)
        if name in MODELS:
            make, inputs, _ = MODELS[name]
            model, inputs = make(), list(inputs) if isinstance(inputs, tuple) else inputs
        else:
            make, inputs = LAYERS[name]
            model = model_of(make(), inputs)
        outputs = model(inputs)
        model.export(tmp_path / "exported", verbose=False)
        served = tf.saved_model.load(tmp_path / "exported")
        given = [tf.constant(each) for each in inputs] if isinstance(inputs, list) else tf.constant(inputs)
        assert_equal(served.serve(given), outputs)


@pytest.mark.on_each_backend
def test_hard_attention_trains_by_its_model(tmp_path):
    keras.utils.set_random_seed(1)
    model = hard_attention_model()
    model.compile("sgd", "mse", **COMPILED)
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


def test_every_public_layer_and_model_stands_in_the_contract():
    public = {
        each
        for each in (getattr(course_utils, name) for name in course_utils.__all__)
        if isinstance(each, type) and issubclass(each, keras.layers.Layer)
    }
    made = [make() for make, _ in LAYERS.values()] + [make() for make, *_ in MODELS.values()]
    made += [hard_attention_model()]
    tested = {type(each) for one in made for each in [one, *one._flatten_layers()]}
    assert public - tested == set()


def test_a_layer_whose_shape_was_asked_can_be_built_for_another_size(case):
    make, (*others, last) = case
    layer = make()
    layer.compute_output_shape(*((None, *each.shape[1:]) for each in (*others, last)))
    assert not layer.weights
