"""Layers and models, from embeddings to self-attention; on demand, what the lessons use beside them."""

import importlib

from course_utils import _quiet  # isort: skip  (before Keras: it imports TensorFlow in silence)

_quiet.import_tensorflow()

from course_utils.attention import (  # noqa: E402
    AttentionPooling,
    BahdanauAttention,
    LuongAttention,
    SelfAttention,
    causal_mask,
    masked_softmax,
)
from course_utils.blocks import TransformerBlock, TransformerDecoder, TransformerEncoder  # noqa: E402
from course_utils.embedding import (  # noqa: E402
    Embedding,
    PositionalEncoding,
    PositionEmbedding,
    TokenAndPositionEmbedding,
)
from course_utils.hard_attention import HardAttention, HardAttentionModel  # noqa: E402
from course_utils.language_model import LanguageModel  # noqa: E402
from course_utils.local_attention import LocalAttention  # noqa: E402
from course_utils.multi_head_attention import MultiHeadAttention  # noqa: E402
from course_utils.recurrent import (  # noqa: E402
    GRU,
    LSTM,
    Bidirectional,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)
from course_utils.seq2seq import Decoder, Encoder, Seq2Seq  # noqa: E402
from course_utils.transformer import Transformer  # noqa: E402

ON_DEMAND = {  # what lessons use beside the layers, and the module it stands in
    **{name: name for name in ("data", "diagrams", "lesson", "measure", "plotting")},
    **dict.fromkeys(("check", "hint", "own", "solution", "vote"), "exercises"),
    **dict.fromkeys(("claim", "predict", "seed", "settle"), "lesson"),
    **dict.fromkeys(("progress", "train"), "training"),
}

__all__ = [
    "GRU",
    "LSTM",
    "AttentionPooling",
    "BahdanauAttention",
    "Bidirectional",
    "Decoder",
    "Embedding",
    "Encoder",
    "GRUCell",
    "HardAttention",
    "HardAttentionModel",
    "LSTMCell",
    "LanguageModel",
    "LocalAttention",
    "LuongAttention",
    "MultiHeadAttention",
    "PositionEmbedding",
    "PositionalEncoding",
    "SelfAttention",
    "Seq2Seq",
    "SimpleRNN",
    "SimpleRNNCell",
    "TokenAndPositionEmbedding",
    "Transformer",
    "TransformerBlock",
    "TransformerDecoder",
    "TransformerEncoder",
    "causal_mask",
    "check",
    "claim",
    "data",
    "diagrams",
    "hint",
    "lesson",
    "masked_softmax",
    "measure",
    "own",
    "plotting",
    "predict",
    "progress",
    "seed",
    "settle",
    "solution",
    "train",
    "vote",
]


def __getattr__(name):
    if name not in ON_DEMAND:
        raise AttributeError(f"module 'course_utils' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"course_utils.{ON_DEMAND[name]}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"`course_utils.{name}` needs the packages of the lessons: install the course with its extra "
            f"`lessons`, `rnn-to-self-attention[lessons]`. Not found: {error.name}",
            name=error.name,
        ) from error
    return module if ON_DEMAND[name] == name else getattr(module, name)


def __dir__():
    return sorted(globals().keys() | ON_DEMAND.keys())
