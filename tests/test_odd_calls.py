"""Every public name, called with odd arguments: a clear error that names the argument, or a right result."""

import inspect
import math
import re
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import keras
import matplotlib.pyplot as plt
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
    causal_mask,
    data,
    diagrams,
    exercises,
    generation,
    lesson,
    masked_softmax,
    measure,
    plotting,
)

# --- what is odd -------------------------------------------------------------------------------------------

ODD = {
    "None": None,
    "NaN": math.nan,
    "inf": math.inf,
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "True": True,
    "text": "text",
    "''": "",
    "[]": [],
    "[1]": [1],
    "huge": 10**30,
    "ragged": [[1], [2, 3]],
    "object": object(),
    "dict": {"a": 1},
    "array": np.array([1.5, 2.5]),
    "texts": np.array(["a", "b"]),
}
OF_ARRAYS = {  # made of the right array
    "one number": lambda right: right.ravel()[0],
    "an axis more": lambda right: right[None],
    "an axis less": lambda right: right[0],
    "bool": lambda right: right > 0,
    "complex": lambda right: right + 1j,
    "strings": lambda right: right.astype(str),
    "objects": lambda right: right.astype(object),
    "whole": lambda right: (10 * right).astype("int32"),
    "empty": lambda right: right[:0],
    "no step": lambda right: right[:, :0] if right.ndim > 1 else right[:0],
    "a row less": lambda right: right[:-1],
    "a step less": lambda right: right[:, :-1] if right.ndim > 1 else right[:-1],
    "a number less": lambda right: right[..., :-1],
    "NaN within": lambda right: _with(right, math.nan),
    "inf within": lambda right: _with(right, math.inf),
}
NOT_FINITE = ("NaN", "inf", "NaN within", "inf within")  # what comes out may be so, too


def _with(right, value):
    odd = right.astype("float64" if right.dtype.kind in "biu" else right.dtype)
    odd[(0,) * odd.ndim] = value
    return odd


def odd_values(right):
    yield from ODD.items()
    if isinstance(right, np.ndarray):
        for label, of in OF_ARRAYS.items():
            if right.ndim or label in ("bool", "complex", "strings", "objects"):
                yield label, of(right)


# --- what fits, by label: everything else must be refused --------------------------------------------------

ANYTHING = {*ODD, *OF_ARRAYS}
WHOLE = set()
FROM_0 = {"0"}
FLAG = {"True"}
RATE = {"0"}
SHARE = set()
NUMBER = {"0", "-1", "1.5", "huge"}
NO_OTHER = set()
OR_NONE = {"None"}
PASSED_ON = None  # to a model or a function that the reader has written
VALUES = {"whole", "NaN within", "inf within"}  # another array of the same shape
LEARNT = {"whole", "NaN within", "inf within", "a row less", "a step less"}  # a batch of sequences


@dataclass
class Case:
    """A call, its right arguments, and for each argument which odd values fit as well."""

    call: callable
    right: dict
    fits: dict
    of: callable = None  # whose signature this is
    also: dict = field(default_factory=dict)  # other names by which an error may call an argument
    words: list = field(default_factory=list)  # arguments that take anything, and are given it together


def case(call, of=None, also=None, **arguments):
    """Each argument is a pair of its right value and what fits."""
    right = {name: value for name, (value, _) in arguments.items()}
    also = {name: ["shape"] for name in right if name.endswith("_initializer")} | (also or {})
    return Case(call, right, {name: fits for name, (_, fits) in arguments.items()}, of, also)


def fault(case, argument, label, value):
    """Return what is wrong with the answer to one odd call, or None."""
    came = f"{argument} = {label}: "
    keras.utils.set_random_seed(1)
    try:
        given = case.words if argument in case.words else [argument]
        result = case.call(**{**case.right, **dict.fromkeys(given, value)})
    except (ValueError, TypeError) as error:
        said = str(error).split("Arguments received by")[0]  # which Keras adds
        names = {argument, *case.also.get(argument, ())}
        if label in OF_ARRAYS or label in (
            "[]",
            "[1]",
            "array",
            "ragged",
        ):  # another argument may no longer fit
            names |= case.right.keys()
        named = any(re.search(rf"`{name}`|(?<!\w){name}=", said) for name in names)
        expects = "Received: " in said or re.search(r"must|need|expected", said, re.IGNORECASE)
        return None if named and expects else f"{came}OBSCURE {type(error).__name__}: {said[:300]}"
    except Exception as error:
        return f"{came}ERROR {type(error).__name__}: {str(error)[:200]}"
    finally:
        plt.close("all")
    if label not in case.fits[argument]:
        return f"{came}TAKEN, giving {result!r:.100}"
    return None if label in NOT_FINITE or is_sound(result) else f"{came}NOT FINITE {result!r:.100}"


def parameters_of(function):
    """Return the names of the arguments, without those that only go on to somebody else."""
    kinds = inspect.signature(function).parameters.values()
    return {
        each.name
        for each in kinds
        if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL) and each.name not in ("self", "training")
    }


def is_sound(result):
    leaves = [each for each in keras.tree.flatten(result) if hasattr(each, "dtype")]
    arrays = [np.asarray(ops.convert_to_numpy(each)) for each in leaves if hasattr(each, "shape")]
    return all(np.isfinite(each).all() for each in arrays if each.dtype.kind == "f")


# --- the right arguments -----------------------------------------------------------------------------------

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4)).astype("float32")
QUERY = rng.normal(size=(2, 5, 4)).astype("float32")
STEP = X[:, 0]
STATE = rng.normal(size=(2, 3)).astype("float32")
MASK = np.array([[True, True, True], [True, True, False]])
SOURCE = np.array([[3, 4, 5], [4, 3, 0]], "int32")
TARGET = np.array([[1, 3, 4, 2], [1, 4, 2, 0]], "int32")
FOLDER = tempfile.TemporaryDirectory()
PAIRS = Path(FOLDER.name) / "pairs.txt"
PAIRS.write_text("\n".join(f"a b {sign}\tb a {sign}" for sign in "cdefghijklmn"), encoding="utf-8")
MASK_FITS = {"None", "bool"}  # which leaves booleans as they are


def layer(kind, *inputs, **arguments):
    """The case of a layer's arguments: it is made, and called."""
    names = arguments

    def make_and_call(**given):
        return kind(**given)(*inputs)

    return case(make_and_call, of=kind.__init__, **names)


def layer_call(made, of=None, fresh=False, also=None, **arguments):
    """The case of the arguments of a layer's call; `fresh`, of a layer that was never called before."""
    built = made()
    first = next(iter(arguments))

    def call(**given):
        each = made() if fresh else built
        return each(given.pop(first), **given)

    if not fresh:
        call(**{name: value for name, (value, _) in arguments.items()})
    return case(call, of=of or type(built).call, also=also, **arguments)


def is_made(value):
    return isinstance(value, str) and value == "made"


def without(signature, *names):
    """Leave arguments out that only pass through."""

    def of():
        """Has the signature below."""

    kept = [each for name, each in inspect.signature(signature).parameters.items() if name not in names]
    of.__signature__ = inspect.Signature(kept)
    return of


INITIALIZER = (None, {"None"})
CELL = {
    "kernel_initializer": ("zeros", OR_NONE),
    "recurrent_initializer": ("zeros", OR_NONE),
    "bias_initializer": ("zeros", OR_NONE),
    "use_bias": (True, FLAG),
}
OPTIONS = dict.fromkeys(
    ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"),
    (False, FLAG),
) | {"fused": ("auto", FLAG)}
OF_CELLS = {
    SimpleRNNCell: {"activation": ("tanh", OR_NONE)},
    LSTMCell: {"forget_bias": (1.0, NUMBER | OR_NONE)},
    GRUCell: {"reset_after": (True, FLAG), "update_bias": (1.0, NUMBER | OR_NONE)},
}
LAYER_OF = {SimpleRNNCell: SimpleRNN, LSTMCell: LSTM, GRUCell: GRU}
BETWEEN_TWO = {
    "query": (QUERY, VALUES | {"a step less", "no step"}),
    "value": (X, VALUES | {"a number less"}),
    "key": (X, VALUES | OR_NONE),
    "mask": (MASK[:, None], {"None", "bool", "an axis less", "a row less"}),
    "query_position": (0, ANYTHING),
    "use_causal_mask": (False, FLAG),
    "return_attention_scores": (False, FLAG),
}
KINDS_OF_ATTENTION = {
    "LuongAttention": partial(LuongAttention, "concat"),
    "BahdanauAttention": partial(BahdanauAttention, 3),
    "LocalAttention": partial(LocalAttention, 2, score="general"),
    "HardAttention": HardAttention,
    "MultiHeadAttention": partial(MultiHeadAttention, 2, 2),
}
BLOCK = {
    "num_heads": (2, WHOLE),
    "units": (3, WHOLE),
    "normalize": ("after", NO_OTHER),
    "dropout": (0.0, RATE),
}
ONE_SEQUENCE = {"mask": (MASK, MASK_FITS), "return_attention_scores": (False, FLAG)}
WITH_MEMORY = {
    "inputs": (QUERY, VALUES | {"a step less"}),
    "mask": (np.ones((2, 5), bool), MASK_FITS),
    "memory": (X, VALUES),
    "memory_mask": (MASK, MASK_FITS),
    "return_attention_scores": (False, FLAG),
}


def cell_step(cell):
    built = cell(3)
    states = len(built.get_initial_state(2))
    built.build((None, 4))

    def call(inputs, states):
        return built(inputs, states)

    return case(call, inputs=(STEP, VALUES), states=([STATE] * states, NO_OTHER))


def recurrent(kind, **arguments):
    def call(sequences, initial_state, mask):
        return built(sequences, initial_state=initial_state, mask=mask)

    built = kind()
    carried = [built.forward_layer, built.backward_layer] if isinstance(built, Bidirectional) else [built]
    state = [STATE for layer in carried for _ in layer.state_size]
    built(X)
    return case(
        call,
        of=call,
        sequences=(X, VALUES),
        initial_state=(state, OR_NONE),
        mask=(MASK, MASK_FITS),
        **arguments,
    )


def seq2seq(**options):
    encoder, decoder = Encoder(GRUCell, 3), Decoder(GRUCell, 3, attention=BahdanauAttention(3))
    return Seq2Seq(**{**TRANSLATOR, "encoder": encoder, "decoder": decoder, **options})


def transformer(**options):
    encoder, decoder = TransformerEncoder(1, 2, 3), TransformerDecoder(1, 2, 3)
    return Transformer(**{**TRANSLATOR, "encoder": encoder, "decoder": decoder, **options})


def language_model(**options):
    decoder = TransformerDecoder(1, 2, 3, cross=False)
    return LanguageModel(**{"decoder": decoder, "size": 7, "embedding_dim": 4, "end": 2, **options})


TRANSLATOR = {"source_size": 7, "target_size": 6, "embedding_dim": 4, "start": 1, "end": 2}


def translator(make, **more):
    """The case of a translator's arguments. The parts are made anew for each call, for they are built."""

    def call(encoder, decoder, **given):
        parts = {"encoder": encoder, "decoder": decoder}
        return make(**given, **{name: part for name, part in parts.items() if not is_made(part)})(
            [SOURCE, TARGET]
        )

    sizes = {
        name: (value, OR_NONE if name in ("start", "end") else WHOLE) for name, value in TRANSLATOR.items()
    }
    return case(call, encoder=("made", WHOLE), decoder=("made", WHOLE), **sizes, **more)


def hard_model(**options):
    query, value = keras.Input((1, 4)), keras.Input((3, 4))
    encode = keras.Model([query, value], {"query": query, "value": value})
    parts = {"encode": encode, "attention": HardAttention(), "answer": keras.layers.Dense(1)}
    return HardAttentionModel(
        **{**parts, **{name: each for name, each in options.items() if not is_made(each)}}
    )


def generated(method, **arguments):
    models = {}

    def call(model, source, **given):
        if is_made(model):
            model = models.setdefault("one", language_model())
        return method(model, source, **given)

    return case(
        call,
        of=method,
        model=("made", NO_OTHER),
        source=(SOURCE, {"a row less", "a step less", "a number less"}),
        also={"source": ["ids"]},
        **arguments,
    )


def with_bound(function):
    return lambda bound, **given: function(**given, **{"bound": bound})


def picture(function, **arguments):
    names = inspect.signature(function).parameters.keys() - arguments.keys()
    words = [name for name in ("xlabel", "ylabel", "title", "label") if name in names]
    made = case(function, **{name: (name, ANYTHING) for name in words}, **arguments)
    return replace(made, words=words)


STEPS = (["a", "b"], {"[1]", "texts", "array", "whole", "1", "numbers"})
NAMES = {"source": (["a", "b", "c"], {"[1]", "texts"}), "target": (["a", "b"], {"[1]", "texts"})}
VOCABULARY = data.Vocabulary("abc", marks=(data.START, data.END))
SIZES = {"train": (18, WHOLE), "test": (18, WHOLE), "seed": (0, FROM_0)}
SQUARE = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]])
LABELS = np.array([1, 2, 3, 1])


def table():
    """Return every case by name. A layer has two: what it is made of, and what it is called on."""
    cases = {
        "masked_softmax": case(
            masked_softmax,
            scores=(
                X,
                LEARNT | {"array", "[1]", "an axis more", "a number less"} - {"a row less", "a step less"},
            ),
            mask=(MASK[:, :, None], {"None", "bool", "an axis less", "a row less"}),
        ),
        "causal_mask": case(
            causal_mask, Tq=(2, FROM_0), Tv=(3, FROM_0), query_position=(0, FROM_0 | {"[1]"})
        ),
    }
    for cell, own in OF_CELLS.items():
        arguments = {"units": (3, WHOLE), **CELL, **own}
        name, carrying = cell.__name__, LAYER_OF[cell]
        states = 2 if cell is LSTMCell else 1
        accepted = cell.arguments()
        cases[name] = case(
            lambda cell=cell, states=states, **given: cell(**given)(STEP, [STATE] * states),
            of=_signature(accepted),
            **arguments,
        )
        cases[f"{name}.call"] = cell_step(cell)
        cases[carrying.__name__] = case(
            lambda kind=carrying, **given: kind(**given)(X),
            of=_signature({*accepted, *OPTIONS}),
            **arguments,
            **OPTIONS,
        )
        cases[f"{carrying.__name__}.call"] = recurrent(partial(carrying, 3))
    cases |= {
        "Bidirectional": case(
            lambda layer, merge_mode, backward_layer: Bidirectional(
                GRU(3) if is_made(layer) else layer, merge_mode, backward_layer
            )(X),
            layer=("made", NO_OTHER),
            merge_mode=("sum", OR_NONE),
            backward_layer=(None, OR_NONE),
        ),
        "Bidirectional.call": recurrent(lambda: Bidirectional(LSTM(3))),
        "Embedding": layer(
            Embedding,
            SOURCE,
            input_dim=(7, WHOLE),
            output_dim=(3, WHOLE),
            embeddings_initializer=("zeros", OR_NONE),
            mask_zero=(True, FLAG),
        ),
        "Embedding.call": layer_call(
            lambda: Embedding(7, 3),
            ids=(
                SOURCE,
                ANYTHING
                - {
                    "None",
                    "NaN",
                    "inf",
                    "-1",
                    "1.5",
                    "True",
                    "text",
                    "''",
                    "huge",
                    "ragged",
                    "object",
                    "dict",
                    "array",
                    "texts",
                    "bool",
                    "complex",
                    "strings",
                    "objects",
                    "whole",
                    "NaN within",
                    "inf within",
                },
            ),
        ),
        "PositionalEncoding": layer(PositionalEncoding, X),
        "PositionalEncoding.call": layer_call(
            PositionalEncoding,
            vectors=(X, LEARNT | {"a number less", "empty", "no step"}),
            position=(0, FROM_0),
        ),
        "PositionEmbedding": layer(PositionEmbedding, X, max_length=(7, WHOLE)),
        "PositionEmbedding.call": layer_call(
            lambda: PositionEmbedding(7), vectors=(X, LEARNT | {"empty", "no step"}), position=(0, FROM_0)
        ),
        "TokenAndPositionEmbedding": layer(
            TokenAndPositionEmbedding,
            SOURCE,
            input_dim=(7, WHOLE),
            output_dim=(3, WHOLE),
            max_length=(5, OR_NONE),
            dropout=(0.1, RATE),
        ),
        "TokenAndPositionEmbedding.call": layer_call(
            lambda: TokenAndPositionEmbedding(7, 4),
            of=without(TokenAndPositionEmbedding.call, "self", "training"),
            ids=(SOURCE, {"a row less", "a step less", "a number less", "empty", "no step"}),
            position=(0, FROM_0),
        ),
        "LuongAttention": layer(LuongAttention, QUERY, X, score=("general", NO_OTHER)),
        "BahdanauAttention": layer(BahdanauAttention, QUERY, X, units=(3, WHOLE)),
        "LocalAttention": layer(
            LocalAttention,
            QUERY,
            X,
            window=(2, WHOLE),
            alignment=("predictive", NO_OTHER),
            score=("general", NO_OTHER),
        ),
        "HardAttention": layer(
            HardAttention, QUERY, X, score=("general", NO_OTHER), seed=(3, FROM_0 | OR_NONE)
        ),
        "MultiHeadAttention": layer(
            MultiHeadAttention,
            QUERY,
            X,
            num_heads=(2, WHOLE),
            key_dim=(3, WHOLE),
            value_dim=(2, OR_NONE),
            dropout=(0.1, RATE),
            use_bias=(True, FLAG),
        ),
        "AttentionPooling": layer(
            AttentionPooling,
            X,
            units=(3, WHOLE),
            score=("general", NO_OTHER),
            include_last=(True, FLAG),
        ),
        "AttentionPooling.call": layer_call(lambda: AttentionPooling(3), value=(X, VALUES), **ONE_SEQUENCE),
        "SelfAttention": layer(SelfAttention, X, causal=(True, FLAG)),
        "SelfAttention.call": layer_call(
            SelfAttention, value=(X, VALUES | {"a number less"}), **ONE_SEQUENCE
        ),
        "TransformerBlock": case(
            lambda **given: TransformerBlock(**given)(X, memory=X if given["cross"] else None),
            of=TransformerBlock.__init__,
            **BLOCK,
            causal=(True, FLAG),
            cross=(False, FLAG),
        ),
        "TransformerBlock.call": layer_call(lambda: TransformerBlock(2, 3, cross=True), **WITH_MEMORY),
        "TransformerEncoder": layer(TransformerEncoder, X, depth=(1, WHOLE), **BLOCK),
        "TransformerEncoder.call": layer_call(
            lambda: TransformerEncoder(1, 2, 3),
            of=without(TransformerEncoder.call, "memory", "memory_mask"),
            inputs=(X, VALUES),
            **ONE_SEQUENCE,
        ),
        "TransformerDecoder": case(
            lambda **given: TransformerDecoder(**given)(X, memory=X if given["cross"] else None),
            of=TransformerDecoder.__init__,
            depth=(1, WHOLE),
            cross=(False, FLAG),
            **BLOCK,
        ),
        "TransformerDecoder.call": layer_call(lambda: TransformerDecoder(1, 2, 3), **WITH_MEMORY),
        "Encoder": layer(
            Encoder,
            X,
            cells=(GRUCell, NO_OTHER),
            units=(3, WHOLE),
            depth=(1, OR_NONE),
            bidirectional=(True, FLAG),
        ),
        "Encoder.call": layer_call(
            lambda: Encoder(GRUCell, 3), sequences=(X, VALUES), mask=(MASK, MASK_FITS)
        ),
        "Decoder": case(
            lambda **given: Decoder(**given),
            of=Decoder.__init__,
            cells=(GRUCell, NO_OTHER),
            units=(3, WHOLE),
            depth=(1, OR_NONE),
            attention=(None, OR_NONE),
            attend=("before", NO_OTHER),
        ),
        "Decoder.call": decoder_call(),
        "Decoder.start": decoder_start(),
        "Seq2Seq": translator(seq2seq),
        "Seq2Seq.call": model_call(seq2seq),
        "Transformer": translator(transformer, max_length=(5, OR_NONE)),
        "Transformer.call": model_call(transformer),
        "LanguageModel": case(
            lambda decoder, **given: language_model(
                **given, **({} if is_made(decoder) else {"decoder": decoder})
            )(SOURCE),
            of=LanguageModel.__init__,
            decoder=("made", NO_OTHER),
            size=(7, WHOLE),
            embedding_dim=(4, WHOLE),
            max_length=(5, OR_NONE),
            end=(2, OR_NONE),
        ),
        "LanguageModel.call": layer_call(
            language_model, ids=(SOURCE, {"a row less", "a step less", "a number less", "empty"})
        ),
        "HardAttentionModel": case(
            lambda **given: hard_model(**given)([QUERY[:, :1], X]),
            of=HardAttentionModel.__init__,
            encode=("made", NO_OTHER),
            attention=("made", NO_OTHER),
            answer=("made", NO_OTHER),
            baseline_decay=(0.9, {"0"}),
        ),
    }
    for name, made in KINDS_OF_ATTENTION.items():
        cases[f"{name}.call"] = layer_call(made, of=without(LuongAttention.call, "training"), **BETWEEN_TWO)
    return cases | of_generation() | of_lessons() | of_data() | of_measures() | of_pictures()


def _signature(names):
    def of():
        """Has the signature below."""

    of.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    )
    return of


def decoder_call():
    decoder = Decoder(GRUCell, 3, attention=BahdanauAttention(3))

    def call(inputs, state, return_attention_scores):
        state = decoder.start([[STATE]], X, MASK) if is_made(state) else state
        return decoder(inputs, state, return_attention_scores=return_attention_scores)

    call(QUERY, "made", False)
    return case(
        call,
        of=without(Decoder.call, "self"),
        also={"inputs": ["states"]},
        inputs=(QUERY, VALUES | {"a step less"}),
        state=("made", NO_OTHER),
        return_attention_scores=(False, FLAG),
    )


def decoder_start():
    decoder = Decoder(GRUCell, 3, attention=BahdanauAttention(3))
    decoder(QUERY, decoder.start([[STATE]], X, MASK))
    return case(
        decoder.start,
        states=([[STATE]], NO_OTHER),
        memory=(X, VALUES),
        mask=(MASK, MASK_FITS),
    )


def model_call(make):
    model = make()

    def call(source, target, return_attention_scores):
        return model([source, target], return_attention_scores=return_attention_scores)

    call(SOURCE, TARGET, False)
    return case(
        call,
        source=(SOURCE, {"a step less", "a number less"}),
        target=(TARGET, {"a step less", "a number less"}),
        return_attention_scores=(False, FLAG),
        also={"source": ["ids"], "target": ["ids"]},
    )


def of_generation():
    return {
        "sample": generated(
            generation.sample,
            max_length=(2, WHOLE),
            temperature=(1.0, {"0", "1.5", "huge"}),
            top_k=(2, OR_NONE),
            top_p=(0.5, OR_NONE),
            seed=(0, FROM_0 | OR_NONE),
        ),
        "generate": generated(
            generation.generate,
            max_length=(2, WHOLE),
            beam_width=(1, WHOLE),
            divide_by_length=(False, FLAG),
            return_log_probs=(False, FLAG),
            return_attention_scores=(False, NO_OTHER),
        ),
    }


def of_lessons():
    trained = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    trained.compile("sgd", "mse")
    return {
        "predict": case(
            lesson.predict, what=("How many are right?", {"text"}), guess=(None, NUMBER | OR_NONE)
        ),
        "own": case(
            course_utils.own,
            name=("02.windows", NO_OTHER),
            answer=(lambda *given: 1, ANYTHING),
            otherwise=(len, NO_OTHER),
        ),
        "vote": case(course_utils.vote, lesson=("04", NO_OTHER), votes=({39: None}, NO_OTHER)),
        "start": case(lesson.start, seed=(0, FROM_0), gpu=(False, FLAG), devices=(1, WHOLE)),
        "seed": case(lesson.seed),
        "progress": case(lesson.progress),
        "train": case(
            lesson.train,
            model=(trained, NO_OTHER),
            inputs=(STEP, PASSED_ON),
            labels=(STATE, PASSED_ON),
            epochs=(1, WHOLE),
            batch_size=(2, {"huge"}),
            validation=(None, OR_NONE),
            callbacks=((), {"[]"}),
        ),
        "log": case(lesson.log, entry=({"kind": "claim"}, {"dict"})),
        "claim": case(
            lambda text, bound: lesson.claim(text, bound),
            text=("One is more than zero", {"text"}),
            bound=((1, ">", 0), NO_OTHER),
        ),
        "settle": case(
            lambda number, said, verdict, bound: lesson.settle(number, said, verdict, bound),
            number=(1, WHOLE),
            said=("One is more than zero", {"text"}),
            verdict=("holds", NO_OTHER),
            bound=((1, ">", 0), NO_OTHER),
        ),
        "check": case(course_utils.check, name=("02.windows", NO_OTHER), answer=(lambda *given: 1, ANYTHING)),
        "hint": case(course_utils.hint, name=("02.windows", NO_OTHER)),
        "solution": case(course_utils.solution, name=("02.windows", NO_OTHER)),
        "solution_source": case(exercises.solution_source, name=("02.windows", NO_OTHER)),
    }


def of_data():
    return {
        "airline": case(data.airline, window=(24, WHOLE), test_months=(36, WHOLE)),
        "clauses": case(data.clauses, **SIZES, negated=(0.25, SHARE)),
        "dates": case(
            data.dates,
            **SIZES,
            validation=(18, WHOLE),
            languages=(("en", "ko"), NO_OTHER),
            disjoint=("string", NO_OTHER),
        ),
        "grammar": case(data.grammar, **SIZES, withheld=(0.25, SHARE)),
        "marked_symbol": case(data.marked_symbol, **SIZES, time=(6, WHOLE), symbols=(4, WHOLE)),
        "modular_sum": case(data.modular_sum, **SIZES, time=(6, WHOLE), lag=(2, WHOLE), modulus=(5, WHOLE)),
        "number_words": case(
            data.number_words,
            **{**SIZES, "train": (200, WHOLE)},
            validation=(18, WHOLE),
            digits=(6, WHOLE),
            zero=(0.25, RATE),
            to_english=(False, FLAG),
        ),
        "senses": case(data.senses, **SIZES),
        "text": case(
            data.text,
            path_or_text=("\n".join(map(str, range(900))), OR_NONE),
            length=(64, WHOLE),
            most=(None, OR_NONE),
            validation=(0.1, SHARE),
            min_count=(2, WHOLE),
        ),
        "topics": case(data.topics, length=(64, WHOLE), test=(0.1, SHARE)),
        "sentence_pairs": case(
            data.sentence_pairs,
            path_or_url=(str(PAIRS), NO_OTHER),
            file_hash=(None, OR_NONE),
            tokens=("words", NO_OTHER),
            max_length=(7, OR_NONE),
            too_long=("cut", NO_OTHER),
            min_count=(2, WHOLE),
            validation=(0.1, SHARE),
            test=(0.1, SHARE),
            reverse=(False, FLAG),
            cache=(None, OR_NONE | {"text", "''"}),
            seed=(0, FROM_0),
        ),
        "Vocabulary": case(
            data.Vocabulary,
            of=data.Vocabulary.__init__,
            separator=(" ", {"None", "text", "''"}),
            tokens=(["a", "b"], {"text", "dict", "texts"}),
            marks=((data.START,), {"text", "''", "[]", "dict", "texts"} - {"text"}),
            also={"tokens": ["token"], "marks": ["mark", "token"]},
        ),
        "Vocabulary.encode": case(
            VOCABULARY.encode,
            sentences=([["a", "b"], ["c"]], NO_OTHER),
            length=(5, OR_NONE),
            cut=(False, FLAG),
            marked=(True, FLAG),
            also={"sentences": ["sentence", "token"]},
        ),
        "Vocabulary.decode": case(VOCABULARY.decode, ids=([3, 4], {"[]", "[1]"}), marks=(True, FLAG)),
        "Vocabulary.count_unknown": case(
            VOCABULARY.count_unknown,
            sentences=([["a", "b"], ["c"]], {"ragged"}),
            also={"sentences": ["sentence"]},
        ),
    }


def of_measures():
    cell = GRUCell(3)
    weights = np.array([[0.2, 0.8, 0.0], [0.5, 0.25, 0.25]])
    spans = np.array([[0, 2], [1, 3]])
    one_axis = {"whole", "a step less", "a row less", "a number less", "bool", "inf within"}
    scores = {"0", "inf", "-1", "1.5", "True", "[1]", "array"} | {
        each
        for each in OF_ARRAYS
        if each not in ("complex", "strings", "objects", "empty", "no step", "NaN within")
    }
    model = keras.layers.Dense(2)
    model(STEP)

    def accuracy(labels, logits, sample_weight):
        metric = measure.TokenAccuracy()
        metric.update_state(labels, logits, sample_weight)
        return metric.result()

    over_cell = {"cell": (cell, NO_OTHER), "inputs": (X, {"whole", "a row less", "a step less", "bool"})}
    return {
        "gradient_by_distance": case(measure.gradient_by_distance, **over_cell),
        "gates_over_time": case(measure.gates_over_time, **over_cell),
        "accuracy_by_distance": case(
            measure.accuracy_by_distance,
            labels=(LABELS, {"whole", "bool", "inf within"}),
            predictions=(LABELS, {"whole", "bool", "inf within"}),
            distances=(np.array([0, 1, 2, 3]), {"inf within"}),
            edges=(np.array([0, 2, 4]), {"array", "a row less", "a step less", "a number less"}),
        ),
        "TokenAccuracy": case(
            measure.TokenAccuracy,
            of=measure.TokenAccuracy.__init__,
            name=("accuracy", {"text", "None", "''"}),
        ),
        "TokenAccuracy.update_state": case(
            accuracy,
            labels=(SOURCE, {"whole", "bool", "NaN within", "inf within"}),
            logits=(
                rng.normal(size=(2, 3, 6)),
                {"whole", "bool", "a number less", "NaN within", "inf within"},
            ),
            sample_weight=(
                np.array([1.0, 2.0]),
                {"None", "whole", "array", "bool", "NaN within", "inf within"},
            ),
        ),
        "exact_match": case(
            measure.exact_match,
            generated=(SOURCE, {"whole", "a step less", "a number less", "bool", "inf within"}),
            labels=(SOURCE, {"whole", "a step less", "a number less", "bool", "inf within"}),
        ),
        "weight_within": case(
            measure.weight_within,
            weights=(weights, {"whole", "a step less", "a number less", "bool"}),
            spans=(spans, {"whole", "bool", "inf within"}),
            slack=(0, FROM_0),
        ),
        "peak_within": case(
            measure.peak_within,
            weights=(weights, {"whole", "a step less", "a number less", "bool"}),
            spans=(spans, {"whole", "bool", "inf within"}),
            slack=(0, FROM_0),
        ),
        "mean_by_group": case(
            measure.mean_by_group,
            values=(np.array([0.5, 1.0]), {"whole", "bool", "array", "inf within"}),
            groups=(["a", "b"], {"array", "texts"}),
        ),
        "cosine_similarities": case(measure.cosine_similarities, vectors=(X[0], one_axis - {"inf within"})),
        "within_and_between": case(
            measure.within_and_between,
            similarities=(SQUARE, {"whole", "bool"}),
            groups=(["a", "a", "b"], NO_OTHER),
        ),
        "group_similarities": case(
            measure.group_similarities,
            similarities=(SQUARE, {"whole", "bool"}),
            groups=(["a", "a", "a"], NO_OTHER),
        ),
        "ranked_above": case(measure.ranked_above, scores=(LABELS, scores), other_scores=(LABELS, scores)),
        "mean_absolute_percentage_error": case(
            measure.mean_absolute_percentage_error,
            actual=(LABELS, {"whole", "bool"}),
            forecast=(LABELS, {"whole", "bool"}),
        ),
        "median_milliseconds": case(
            measure.median_milliseconds, function=(lambda: 1, NO_OTHER), repeats=(2, WHOLE)
        ),
        "weight_gradients": case(
            measure.weight_gradients,
            model=(model, NO_OTHER),
            inputs=(STEP, PASSED_ON),
            labels=(STATE[:, :2], PASSED_ON),
            loss=(keras.losses.MeanSquaredError(), NO_OTHER),
        ),
        "gradient": case(
            measure.gradient,
            function=(lambda x: x * x, NO_OTHER),
            inputs=(
                X,
                ANYTHING
                - {"bool", "whole", "complex", "strings", "objects", *ODD, "empty", "no step", "NaN within"}
                | {"1.5", "array", "inf"},
            ),
        ),
        "products": case(
            measure.products, function=(lambda x: ops.matmul(x, x), NO_OTHER), shape=((2, 2), {"[1]"})
        ),
    }


def of_pictures():
    matrix = np.array([[0.1, 0.9], [0.5, 0.5]])
    two = (["a", "b"], {"texts", "array"})
    return {
        "style": case(plotting.style),
        "curves": picture(
            plotting.curves,
            x=(
                np.array([1.0, 2.0]),
                {"array", "texts", "strings", "objects", "whole", "bool", "NaN within", "inf within"},
            ),
            lines=({"one": [1, 2]}, NO_OTHER),
            level=((1, "chance"), OR_NONE),
            colors=({"one": "red"}, OR_NONE | {"dict"}),
            axes=(None, OR_NONE),
        ),
        "heatmap": picture(
            plotting.heatmap,
            values=(matrix, {"whole", "bool"}),
            rows=two,
            columns=two,
            limit=(1, {"None", "1.5", "True", "huge"}),
        ),
        "attention_map": picture(
            plotting.attention_map,
            weights=(matrix, {"whole", "bool"}),
            source=(["a", "b"], {"[1]", "texts", "array"}),
            target=(["a", "b"], {"[1]", "texts", "array"}),
        ),
        "position_waves": picture(
            plotting.position_waves,
            waves=(matrix, {"whole", "bool", "a step less", "a number less"}),
            positions=((0, 1), {"[1]"}),
        ),
        "head_weights": picture(
            plotting.head_weights,
            weights=({"one": [[0.5, 0.5]]}, NO_OTHER),
            places=(["a", "b"], {"[1]", "texts", "array"}),
        ),
        "word_map": picture(plotting.word_map, vectors=(matrix, {"whole", "bool"}), words=two, groups=two),
        "unrolled": picture(
            diagrams.unrolled,
            steps=STEPS,
            backward=([0.5, 1.0], OR_NONE | {"array"}),
            values=({}, OR_NONE),
        ),
        "rnn_cell": picture(diagrams.rnn_cell, values=({"x": 1}, OR_NONE), without=((), {"[]"})),
        "lstm_cell": picture(diagrams.lstm_cell, values=({"x": 1}, OR_NONE), without=((), {"[]"})),
        "gru_cell": picture(
            diagrams.gru_cell, values=({"x": 1}, OR_NONE), without=((), {"[]"}), reset_after=(True, FLAG)
        ),
        "bidirectional": picture(diagrams.bidirectional, steps=STEPS, values=({}, OR_NONE)),
        "stack": picture(
            diagrams.stack, depth=(1, WHOLE), steps=STEPS, residual=(True, FLAG), normalized=(True, FLAG)
        ),
        "seq2seq": picture(
            diagrams.seq2seq,
            source=(["a"], {"[1]", "texts", "array"}),
            target=(["b"], {"[1]", "texts", "array"}),
            without=((), {"[]"}),
            forced=(True, FLAG),
        ),
        "attention_step": picture(
            diagrams.attention_step,
            order=("luong", set()),
            source=STEPS,
            weights=([0.5, 0.5], OR_NONE),
            scores=([0.5, 1.0], OR_NONE | {"array"}),
            step=(1, OR_NONE),
        ),
        "both_orders": picture(diagrams.both_orders, source=STEPS),
        "taught_choice": picture(diagrams.taught_choice),
        "architecture": picture(diagrams.architecture, here=("positions", OR_NONE), without=((), {"[]"})),
        "block_orders": picture(diagrams.block_orders),
        "pipeline": picture(
            diagrams.pipeline,
            stages=(["a", "b"], {"texts", "array"}),
            below=(["", "c"], OR_NONE | {"texts", "array"}),
        ),
        "query_key_value": picture(
            diagrams.query_key_value, words=STEPS, asks=(1, WHOLE), weights=([0.5, 0.5], OR_NONE)
        ),
        "beam": picture(diagrams.beam, tree=([[(0, "a", -1.0, True)]], NO_OTHER)),
        "table_lookup": picture(
            plotting.table_lookup,
            row=(1, FROM_0),
            table=(matrix, {"whole", "bool", "a step less", "a number less", "inf within"}),
            words=two,
        ),
    }


TABLE = table()


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(lesson, "_prepare_tensorflow", lambda gpu, devices: None)
    monkeypatch.delenv("COURSE_LOG", raising=False)
    monkeypatch.delenv("COURSE_SEED", raising=False)


@pytest.mark.parametrize("name", TABLE)
def test_an_odd_argument_is_named_or_gives_a_right_result(name):
    each = TABLE[name]
    assert is_sound(each.call(**each.right))
    faults = [
        fault(each, argument, label, value)
        for argument, right in each.right.items()
        if each.fits[argument] is not PASSED_ON and argument not in each.words[1:]
        for label, value in odd_values(right)
    ]
    found = [each for each in faults if each]
    assert not found, "\n".join(["", *found])


def public_functions(module):
    return {
        name
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_public_name_and_every_argument_stands_in_the_table():
    modules = (measure, plotting, diagrams, lesson, generation, exercises)
    public = {name for name in course_utils.__all__ if not inspect.ismodule(getattr(course_utils, name))}
    public |= {name for name in data.__all__ if callable(getattr(data, name))}
    assert set().union(public, *map(public_functions, modules)) - TABLE.keys() == set()
    layers = {name for name in public if _is_layer(getattr(course_utils, name, None))}
    without_call = {f"{name}.call" for name in layers} - {"HardAttentionModel.call"}  # its own are `encode`'s
    assert without_call - TABLE.keys() == set()
    for name, each in TABLE.items():
        if each.of is not None or (inspect.isfunction(each.call) and each.call.__name__ == name):
            assert parameters_of(each.of or each.call) - each.right.keys() == set(), name


def _is_layer(kind):
    return inspect.isclass(kind) and issubclass(kind, keras.layers.Layer)


# --- what was found once, each by its name -----------------------------------------------------------------


def test_whole_numbers_are_not_cut():
    scores = np.array([[1, 2, 3]])
    np.testing.assert_allclose(masked_softmax(scores), masked_softmax(scores.astype("float32")))
    vectors = np.arange(24).reshape(2, 3, 4)
    for each in (PositionalEncoding(), SelfAttention(), LSTM(3), TransformerBlock(2, 3), AttentionPooling(3)):
        of_floats = np.asarray(each(vectors.astype("float32")))
        np.testing.assert_allclose(np.asarray(each(vectors)), of_floats, rtol=1e-5)
        assert np.asarray(each(vectors)).dtype == "float32"


@pytest.mark.parametrize("make", [seq2seq, transformer])
def test_two_sources_do_not_share_one_target(make):
    model = make()
    with pytest.raises(ValueError, match="as many `source` as `target`"):
        model([SOURCE, TARGET[:1]])
    with pytest.raises(ValueError, match="as many `source` as `target`"):
        model([SOURCE[:1], TARGET])


@pytest.mark.parametrize("make", [seq2seq, transformer])
def test_a_target_begins_with_the_start_mark(make):
    with pytest.raises(ValueError, match="Every target must begin with the start mark"):
        make()([SOURCE, TARGET[:, 1:]])


@pytest.mark.parametrize("make", [seq2seq, transformer])
def test_a_translator_reads_two_sequences(make):
    for inputs in (SOURCE, [SOURCE], None, [SOURCE, TARGET, TARGET]):
        with pytest.raises(ValueError, match="`inputs` must be the ids of the source and of the target"):
            make()(inputs)


@pytest.mark.parametrize("end", [7, 100])
def test_the_end_is_in_the_vocabulary(end):
    with pytest.raises(ValueError, match=f"end={end}"):
        language_model(end=end)
    for make in (seq2seq, transformer):
        with pytest.raises(ValueError, match=f"end={end}"):
            make(end=end)


def test_a_prompt_may_be_padded_beyond_the_positions():
    model = language_model(max_length=5)
    padded = np.pad(SOURCE, ((0, 0), (0, 4)))
    np.testing.assert_array_equal(model.generate(padded, 2), model.generate(SOURCE, 2))


@pytest.mark.parametrize("make", [seq2seq, transformer, language_model])
def test_a_model_whose_weights_are_no_numbers_writes_nothing(make):
    model = make()
    model.generate(SOURCE, 2)
    model.set_weights([np.full_like(weight, math.nan) for weight in model.get_weights()])
    with pytest.raises(ValueError, match="`model` must give finite logits"):
        model.generate(SOURCE, 2)


@pytest.mark.parametrize("mask", [MASK.astype("float32"), MASK[..., None], MASK[:, :2], MASK[:1], MASK[0]])
def test_an_encoder_takes_no_other_mask(mask):
    with pytest.raises(ValueError, match="`mask` must be boolean"):
        Encoder(GRUCell, 3)(X, mask=mask)


def test_a_position_before_the_first_has_no_row():
    with pytest.raises(ValueError, match="`position` must not be negative"):
        PositionEmbedding(7)(X, position=-1)


def test_an_activation_is_not_a_forget_bias():
    with pytest.raises(ValueError, match="`forget_bias` must be a number or None"):
        LSTM(4, "relu")


@pytest.mark.parametrize(
    "make", [lambda: LSTM(3), lambda: Bidirectional(GRU(3)), lambda: Encoder(GRUCell, 3)]
)
def test_a_built_layer_reads_one_width_and_a_step_at_least(make):
    built = make()
    built(X)
    for odd in (X[..., :3], X[:, :0]):
        with pytest.raises(ValueError, match="`sequences` must have"):
            built(odd)


def test_names_may_be_anything_but_unclear():
    for odd in (np.array(["dot", "concat"]), ["dot"], {"dot"}, {}):
        with pytest.raises(ValueError, match="`score` must be one of"):
            LuongAttention(odd)
