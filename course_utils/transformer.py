"""The Transformer that translates: encoder and decoder without recurrence."""

import keras
from keras import ops

from course_utils.blocks import TransformerDecoder, TransformerEncoder
from course_utils.embedding import TokenAndPositionEmbedding
from course_utils.token_model import logits_layer
from course_utils.translator import Translator


@keras.saving.register_keras_serializable(package="course_utils")
class Transformer(Translator):
    """Encoder and decoder without recurrence, joined (Vaswani et al. 2017, "Attention Is All You Need").

        p(y_1 ... y_n | x) = product over t of p(y_t | y_1 ... y_{t-1}, x)

    In training all positions are worked out at once. Generation goes step by step, with the keys and values
    of what came before in a cache. The paper shares one table between both embeddings and the output (section
    3.4); here each has its own, as source and target have different vocabularies.

    Args:
        encoder: a `TransformerEncoder`. Its dropout falls on the vectors that it reads, too.
        decoder: a `TransformerDecoder` with `cross`. The same holds of its dropout.
        source_size, target_size, embedding_dim, start, end: as in `Seq2Seq`. The size of every vector in the
            model is `embedding_dim`.
        max_length: learn positions, for at most so many tokens on either side; waves if left out.

    Call:
        As `Seq2Seq`. The weights are those of the last block to the source, the mean over its heads.

    Raises:
        ValueError: encoder and decoder are of another kind, a sequence is longer than `max_length`; else as
            `Seq2Seq` and `TransformerBlock`.
    """

    def __init__(
        self,
        encoder,
        decoder,
        source_size,
        target_size,
        embedding_dim=64,
        max_length=None,
        start=None,
        end=None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs)
        self._require_kinds()
        self.max_length = max_length
        self.source_embedding, self.target_embedding = (
            TokenAndPositionEmbedding(size, embedding_dim, max_length, part.dropout, dtype=self.dtype_policy)
            for size, part in ((self.source_size, encoder), (self.target_size, decoder))
        )
        self.next_token = logits_layer(self.target_size, self.compute_dtype)

    def build(self, inputs_shape):
        """Build every part on the shapes of the ids."""
        source_shape, target_shape = ((*shape, self.embedding_dim) for shape in inputs_shape)
        shapes = [
            (self.source_embedding, [source_shape[:-1]]),
            (self.target_embedding, [target_shape[:-1]]),
            (self.encoder, [source_shape]),
            (self.decoder, [target_shape, source_shape]),
            (self.next_token, [target_shape]),
        ]
        self._build_parts(shapes)

    def call(self, inputs, return_attention_scores=False):
        """Teacher forcing: read the source and every true token at once, and name the next ones."""
        source, target = inputs
        self.require_inputs(source, target)
        memory, vectors = self.read(source), self.target_embedding(target)
        masks = {"mask": ops.not_equal(target, 0), "memory_mask": ops.not_equal(source, 0)}
        outputs, weights = self.decoder(vectors, memory=memory, return_attention_scores=True, **masks)
        logits = self.next_token(outputs)
        return (logits, ops.mean(weights[-1][-1], axis=1)) if return_attention_scores else logits

    def read(self, source):
        """Return the memory, `(batch, Ts, embedding_dim)`: what the encoder makes of the source."""
        return self.encoder(self.source_embedding(source), mask=ops.not_equal(source, 0))

    def start(self, source, max_length):
        """Read the source; return the state before the first step.

        Args:
            source: ids, `(batch, Ts)`.
            max_length: how many steps there will be at most.
        """
        self.require_built(source)
        self.target_embedding.require_length(max_length)
        source = ops.convert_to_tensor(source)
        cache = self.decoder.start(ops.shape(source)[0], max_length, self.read(source))
        position = ops.zeros_like(source[:, 0], "int32")
        return {"cache": cache, "mask": ops.not_equal(source, 0), "position": position}

    def step(self, tokens, state, return_attention_scores=False):
        """Go one step: as `Seq2Seq.step`."""
        position = state["position"]
        vectors = self.target_embedding(tokens[:, None], position=position)
        outputs, cache, weights = self.decoder.step(vectors, state["cache"], position, state["mask"])
        logits, state = self.next_token(outputs)[:, 0], {**state, "cache": cache, "position": position + 1}
        weights = [ops.mean(weights[-1][-1], axis=1)[:, 0]] if return_attention_scores else []
        return logits, state, *weights

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "max_length": self.max_length}

    def _require_kinds(self):
        fits = isinstance(self.encoder, TransformerEncoder) and isinstance(self.decoder, TransformerDecoder)
        if not fits or not self.decoder.cross:
            raise ValueError(
                "A `Transformer` needs a `TransformerEncoder` and a `TransformerDecoder` with `cross`. "
                f"Received: encoder={self.encoder}, decoder={self.decoder}"
            )
