"""The Transformer that goes on writing what it is given."""

import keras
import numpy as np
from keras import ops

from course_utils._validation import NamedArguments, require_ids, require_whole
from course_utils.blocks import TransformerDecoder
from course_utils.embedding import TokenAndPositionEmbedding
from course_utils.token_model import TokenModel, logits_layer


@keras.saving.register_keras_serializable(package="course_utils")
class LanguageModel(NamedArguments, TokenModel):
    """A decoder alone, which goes on writing what it is given: p(x_t | x_1 ... x_{t-1}).

    (Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 3.1.)

    Args:
        decoder: a `TransformerDecoder` with `cross=False`. Its dropout falls on what it reads, too.
        size: of the vocabulary. Id 0 is padding.
        embedding_dim: size of every vector in the model.
        max_length: learn positions, for at most so many tokens; waves if left out.
        end: id of the mark that ends a text, if there is one.

    Call:
        ids: `(batch, T)`, padded on the right with 0.
        Returns the logits of each next token, `(batch, T, size)`. They are given the true tokens before it.

    Raises:
        ValueError: the decoder is of another kind; a number is not whole and positive; an id is not in the
            vocabulary; a text is longer than `max_length`; a prompt of `generate` is empty or has padding
            before its end; else as `TransformerBlock`.
    """

    reads = "ids"

    def __init__(self, decoder, size, embedding_dim=64, max_length=None, end=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(decoder, TransformerDecoder) or decoder.cross:
            raise ValueError(
                "A `LanguageModel` needs a `TransformerDecoder` with `cross=False`. "
                f"Received: decoder={decoder}"
            )
        self.decoder, self.size = decoder, require_whole("size", size, least=2)
        self.embedding_dim, self.max_length = require_whole("embedding_dim", embedding_dim), max_length
        self.end_mark = -1 if end is None else require_whole("end", end)  # no token is -1
        if self.end_mark >= self.size:
            raise ValueError(
                f"`end` must be an id of the vocabulary, from 1 to {size - 1}. Received: end={end}"
            )
        self.embedding = TokenAndPositionEmbedding(
            size, embedding_dim, max_length, decoder.dropout, dtype=self.dtype_policy
        )
        self.next_token = logits_layer(size, self.compute_dtype)

    def build(self, ids_shape):
        """Build every part on the shape of the ids."""
        vectors_shape = (*ids_shape, self.embedding_dim)
        self.embedding.build(ids_shape)
        if not self.decoder.built:  # one that was saved alone has been built when it was loaded
            self.decoder.build(vectors_shape)
        self.next_token.build(vectors_shape)

    def call(self, ids):
        """Read all tokens at once, and name the next ones."""
        require_ids(ids=ids)
        return self.next_token(self.decoder(self.embedding(ids), mask=ops.not_equal(ids, 0)))

    def first_tokens(self, source):
        """Return what the first step of generation reads: the last token of each prompt, `(batch,)`."""
        source = np.asarray(source)
        return source[np.arange(len(source)), self._lengths(source) - 1].astype("int32")

    def start(self, source, max_length):
        """Read the prompts; return the state before the first step.

        Args:
            source: ids of the prompts, `(batch, Ts)`.
            max_length: how many tokens will be written at most.
        """
        require_ids(source=source)
        lengths = self._lengths(source)
        source = np.asarray(source)[:, : lengths.max()]
        if not self.built:
            self.build(source.shape)
        self.embedding.require_length(lengths.max() + max_length - 1)  # the last token is not read
        cache = self.decoder.start(len(source), source.shape[1] + max_length)
        _, cache, _ = self.decoder.step(self.embedding(source), cache, ops.zeros((len(source),), "int32"))
        # What the padding has written beyond a prompt's end is written over before anyone attends to it.
        return {"cache": cache, "position": ops.convert_to_tensor(lengths - 1, "int32")}

    def step(self, tokens, state, return_attention_scores=False):
        """Go one step.

        Args:
            tokens: the ids of the tokens before, `(batch,)`.
            state: as `start` or the last `step` returned it.
            return_attention_scores: refused: there is no source to look at.

        Returns:
            The logits of the next token, `(batch, size)`, and the next state.
        """
        if return_attention_scores:
            raise ValueError(
                "A language model has no source to look at, so there are no weights. "
                "Received: return_attention_scores=True"
            )
        position = state["position"]
        vectors = self.embedding(tokens[:, None], position=position)
        outputs, cache, _ = self.decoder.step(vectors, state["cache"], position)
        return self.next_token(outputs)[:, 0], {"cache": cache, "position": position + 1}

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "size": self.size,
            "embedding_dim": self.embedding_dim,
            "max_length": self.max_length,
            "end": None if self.end_mark < 0 else self.end_mark,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the model from `get_config`."""
        decoder = keras.saving.deserialize_keras_object(config["decoder"], custom_objects)
        return cls(**{**config, "decoder": decoder})

    def _lengths(self, source):
        real = np.asarray(source) != 0
        lengths = real.sum(axis=1)
        wrong = (lengths == 0) | (real != (np.arange(real.shape[1]) < lengths[:, None])).any(axis=1)
        if wrong.any():
            raise ValueError(
                "Every prompt needs a token, and padding only after its last. "
                f"Received: source={np.asarray(source)[wrong][0].tolist()}"
            )
        return lengths
