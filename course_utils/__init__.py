"""The layers, data and measures of the course, from embeddings to self-attention."""

from course_utils import _quiet  # isort: skip  (before Keras: it imports TensorFlow in silence)

_quiet.import_tensorflow()

from course_utils import data, lesson, measure, plotting  # noqa: E402
from course_utils.attention import (  # noqa: E402
    AttentionPooling,
    BahdanauAttention,
    HardAttention,
    HardAttentionModel,
    LocalAttention,
    LuongAttention,
    MultiHeadAttention,
    SelfAttention,
    causal_mask,
    masked_softmax,
)
from course_utils.embedding import Embedding, PositionalEncoding, PositionEmbedding  # noqa: E402
from course_utils.exercises import check, hint, solution  # noqa: E402
from course_utils.lesson import claim, progress, seed, settle  # noqa: E402
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
from course_utils.transformer import (  # noqa: E402
    LanguageModel,
    TokenAndPositionEmbedding,
    Transformer,
    TransformerBlock,
    TransformerDecoder,
    TransformerEncoder,
)

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
    "hint",
    "lesson",
    "masked_softmax",
    "measure",
    "plotting",
    "progress",
    "seed",
    "settle",
    "solution",
]
