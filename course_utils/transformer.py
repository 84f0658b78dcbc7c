"""Blocks of self-attention, and what they make: a model that translates, and one that goes on writing."""

import math

import keras
import numpy as np
from keras import ops

from course_utils import generation
from course_utils._layer import Layer
from course_utils._translator import Translator
from course_utils._validation import require_mask, require_one_of, require_rate, require_whole
from course_utils.attention import MultiHeadAttention, causal_mask
from course_utils.embedding import Embedding, PositionalEncoding, PositionEmbedding


@keras.saving.register_keras_serializable(package="course_utils")
class TokenAndPositionEmbedding(Layer):
    """What a Transformer reads: `output[b, t] = sqrt(dim) * embeddings[ids[b, t]] + PE(t)`.

    (Vaswani et al. 2017, "Attention Is All You Need", sections 3.4 and 3.5; dropout, section 5.4.)

    Args:
        input_dim: vocabulary size.
        output_dim: size of a vector.
        max_length: learn a position for each of so many places; waves without end if left out.
        dropout: share of the numbers that are dropped in training.

    Call:
        ids: `(batch, time)`.
        position: of the first id, a whole number or one for each row, `(batch,)`.
        Returns vectors, `(batch, time, output_dim)`.

    Raises:
        ValueError: a number is not whole and positive, the dropout is not from 0 to below 1, an id is not in
            the vocabulary, or a sequence is longer than `max_length`. Ids and positions can be looked at
            only outside a compiled function.
    """

    def __init__(self, input_dim, output_dim, max_length=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # float16 cannot count beyond 2,048
        self.embedding = Embedding(input_dim, output_dim, dtype=self.dtype_policy)
        self.max_length = max_length
        if max_length is None:
            self.positions = PositionalEncoding(dtype=self.dtype_policy)
        else:
            self.positions = PositionEmbedding(max_length, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(require_rate("dropout", dropout), dtype=self.dtype_policy)

    def build(self, ids_shape):
        """Make the tables."""
        self.embedding.build(ids_shape)
        self.positions.build((*ids_shape, self.embedding.output_dim))

    def call(self, ids, position=0, training=False):
        """Read one row for each id, and write its position into it."""
        vectors = self.embedding(ids) * math.sqrt(self.embedding.output_dim)
        return self.dropout(self.positions(vectors, position=position), training=training)

    def require_room(self, length):
        """Refuse a sequence that is longer than there are positions."""
        if self.max_length is not None and length > self.max_length:
            raise ValueError(
                f"The model knows {self.max_length} positions (`max_length`), and here more are needed. "
                f"Received: length={length}"
            )

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "input_dim": self.embedding.input_dim,
            "output_dim": self.embedding.output_dim,
            "max_length": self.max_length,
            "dropout": self.dropout.rate,
        }


class _Reader(Layer):
    """What a block shares with blocks on one another: the call is a `read` of which nothing is kept."""

    def call(
        self,
        inputs,
        mask=None,
        memory=None,
        memory_mask=None,
        return_attention_scores=False,
        training=False,
    ):
        """Send all positions through at once."""
        outputs, _, weights = self.read(inputs, mask, memory, memory_mask, training)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs, previous_mask=None):
        """Pass no mask on: whoever needs it has the ids."""


@keras.saving.register_keras_serializable(package="course_utils")
class TransformerBlock(_Reader):
    """Self-attention, attention to a memory if there is one, and two dense layers, each added to its input.

        "before":  x = x + part(LayerNorm(x))          (Xiong et al. 2020, "On Layer Normalization in the
                                                        Transformer Architecture", section 3.3)
        "after":   x = LayerNorm(x + part(x))          (Vaswani et al. 2017, section 3.1)

        part(x) = MultiHead(x, x, x), then MultiHead(x, memory, memory),
                  then max(0, x W_1 + b_1) W_2 + b_2   (Vaswani et al., equation 2)

    Args:
        num_heads: of each attention; the size of the vectors must be divisible by it.
        units: size of the inner dense layer.
        causal: whether each position sees only itself and what came before.
        cross: whether it also looks at a memory.
        normalize: "before" each part, or "after" its result has been added.
        dropout: share that is dropped in training, of attention weights and of what each part adds.

    Call:
        inputs: `(batch, T, dim)`.
        mask: booleans `(batch, T)`, True where a position counts; all count if left out.
        memory: what a block with `cross` looks at, `(batch, Tv, memory_dim)`.
        memory_mask: booleans `(batch, Tv)`.
        return_attention_scores: give the weights as well.
        Returns vectors of the inputs' shape, and on request a list of the weights of every head: to the
        sequence itself, `(batch, num_heads, T, T)`, and to the memory, `(batch, num_heads, T, Tv)`.

    Raises:
        ValueError: a number is not whole and positive, the sizes do not divide, the dropout is not from 0 to
            below 1, the order is unknown, a mask is not boolean or has another shape, or there is a memory
            without `cross` or `cross` without a memory.
    """

    def __init__(
        self, num_heads, units, causal=False, cross=False, normalize="before", dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_heads, self.units = require_whole("num_heads", num_heads), require_whole("units", units)
        self.causal, self.cross = causal, cross
        self.normalize = require_one_of("normalize", normalize, ("before", "after"))
        self.dropout = keras.layers.Dropout(require_rate("dropout", dropout), dtype=self.dtype_policy)

    def build(self, inputs_shape, memory_shape=None):
        """Make the parts, and one normalisation for each."""
        self._require_memory(memory_shape)
        dim = inputs_shape[-1]
        if dim % self.num_heads:
            raise ValueError(
                f"The size of the vectors must be divisible by `num_heads` = {self.num_heads}. "
                f"Received: size={dim}"
            )
        looks = (self.num_heads, dim // self.num_heads, self.dropout.rate)
        self.self_attention = MultiHeadAttention(*looks, dtype=self.dtype_policy)
        self.self_attention.build(inputs_shape, inputs_shape)
        if self.cross:
            self.cross_attention = MultiHeadAttention(*looks, dtype=self.dtype_policy)
            self.cross_attention.build(inputs_shape, memory_shape)
        self.widen = keras.layers.Dense(self.units, "relu", dtype=self.dtype_policy)
        self.widen.build(inputs_shape)
        self.narrow = keras.layers.Dense(dim, dtype=self.dtype_policy)
        self.narrow.build((*inputs_shape[:-1], self.units))
        self.norms = [
            keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
            for _ in range(3 if self.cross else 2)
        ]
        for norm in self.norms:
            norm.build(inputs_shape)

    def read(self, inputs, mask=None, memory=None, memory_mask=None, training=False):
        """Do as the call, and return also what later steps look at.

        Returns:
            The outputs, the keys and values of the sequence and of the memory, and the weights.
        """
        self._require_memory(None if memory is None else memory.shape)
        require_mask(mask, inputs.shape[:2], broadcast=False)
        mask = ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else mask
        seen = mask[:, None]
        if self.causal:
            time = ops.shape(inputs)[1]
            seen = ops.logical_and(seen, causal_mask(time, time))
        kept = {}
        if self.cross:
            require_mask(memory_mask, memory.shape[:2], broadcast=False)
            kept["memory"] = self.cross_attention.keys_and_values(memory)
        return self.through(inputs, kept, seen, memory_mask, training=training)

    def step(self, inputs, kept, position, memory_mask=None):
        """Send one more position through all parts.

        Args:
            inputs: `(batch, 1, dim)`.
            kept: as `read` returned it, with room for what comes, or as the last step did.
            position: index of the input, `(batch,)`.
            memory_mask: booleans `(batch, Tv)`.

        Returns:
            As `read`.
        """
        room = ops.shape(kept["own"][0])[1]
        return self.through(inputs, kept, causal_mask(1, room, position), memory_mask, position)

    def through(self, x, kept, seen, memory_mask, position=None, training=False):
        """Send vectors through self-attention, attention to the memory, and the dense layers."""
        looking = self.enter(x, self.norms[0])
        own = self.self_attention.keys_and_values(looking)
        if position is not None:
            own = [_written(room, new, position) for room, new in zip(kept["own"], own, strict=True)]
        found, weights = self.self_attention.look(looking, *own, seen, training)
        x, weights = self.leave(x, found, self.norms[0], training), [weights]
        if self.cross:
            looking = self.enter(x, self.norms[1])
            real = None if memory_mask is None else memory_mask[:, None]
            found, across = self.cross_attention.look(looking, *kept["memory"], real, training)
            x, weights = self.leave(x, found, self.norms[1], training), [*weights, across]
        found = self.narrow(self.widen(self.enter(x, self.norms[-1])))
        return self.leave(x, found, self.norms[-1], training), {**kept, "own": own}, weights

    def enter(self, x, norm):
        """Return what a part gets of `x`."""
        return norm(x) if self.normalize == "before" else x

    def leave(self, x, found, norm, training):
        """Return `x` with what a part found added to it."""
        x = x + self.dropout(found, training=training)
        return norm(x) if self.normalize == "after" else x

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "units": self.units,
            "causal": self.causal,
            "cross": self.cross,
            "normalize": self.normalize,
            "dropout": self.dropout.rate,
        }

    def _require_memory(self, shape):
        if self.cross != (shape is not None):
            came = None if shape is None else f"of the shape {tuple(shape)}"
            raise ValueError(
                "A block with `cross` needs a memory, and one without takes none. "
                f"Received: cross={self.cross}, memory={came}"
            )


class _Blocks(_Reader):
    """What encoder and decoder share: blocks one on another, and a last normalisation."""

    causal = False

    def __init__(self, depth, num_heads, units, cross=False, normalize="before", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.depth, self.num_heads, self.units = require_whole("depth", depth), num_heads, units
        self.cross, self.normalize, self.dropout = cross, normalize, dropout
        options = (self.causal, cross, normalize, dropout)
        self.blocks = [
            TransformerBlock(num_heads, units, *options, dtype=self.dtype_policy) for _ in range(depth)
        ]
        if normalize == "before":  # "after", each block has normalised its own output
            self.norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)

    def build(self, inputs_shape, memory_shape=None):
        """Build block after block."""
        for block in self.blocks:
            block.build(inputs_shape, memory_shape)
        if self.normalize == "before":
            self.norm.build(inputs_shape)

    def read(self, inputs, mask=None, memory=None, memory_mask=None, training=False):
        """Do as the call, and return also what later steps look at.

        Returns:
            The outputs, and two lists with one entry for each block: what it keeps, and its weights.
        """
        looks = [(block.read, (mask, memory, memory_mask, training)) for block in self.blocks]
        return self._through(inputs, looks)

    def get_config(self):
        """Return the arguments, for saving."""
        names = ("depth", "num_heads", "units", "normalize", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _through(self, x, looks):
        kept, weights = [], []
        for look, arguments in looks:
            x, keys_and_values, found = look(x, *arguments)
            kept.append(keys_and_values)
            weights.append(found)
        return self.norm(x) if self.normalize == "before" else x, kept, weights


@keras.saving.register_keras_serializable(package="course_utils")
class TransformerEncoder(_Blocks):
    """Reads a sequence without recurrence: every position looks at every other (Vaswani et al. 2017, 3.1).

    Args:
        depth: number of blocks.
        num_heads, units, normalize, dropout: as in `TransformerBlock`. With "before", the last block's
            output is normalised once more.

    Call:
        inputs, mask, return_attention_scores: as in `TransformerBlock`.
        Returns the memory, `(batch, T, dim)`, and on request the weights: for each block, the list that it
        gives.

    Raises:
        ValueError: as `TransformerBlock`.
    """

    def __init__(self, depth, num_heads, units, normalize="before", dropout=0.0, **kwargs):
        super().__init__(depth, num_heads, units, False, normalize, dropout, **kwargs)


@keras.saving.register_keras_serializable(package="course_utils")
class TransformerDecoder(_Blocks):
    """Writes a sequence: no position sees those after it (Vaswani et al. 2017, section 3.1).

    Args:
        depth, num_heads, units, normalize, dropout: as in `TransformerEncoder`.
        cross: whether each block also looks at a memory, the encoder's output.

    Call:
        As `TransformerBlock`; the weights are a list with one entry for each block.

    Raises:
        ValueError: as `TransformerBlock`.
    """

    causal = True

    def __init__(self, depth, num_heads, units, cross=True, normalize="before", dropout=0.0, **kwargs):
        super().__init__(depth, num_heads, units, cross, normalize, dropout, **kwargs)

    def start(self, inputs, length, memory=None, memory_mask=None):
        """Read the vectors that are there before the first step; return what the blocks keep of them.

        Args:
            inputs: `(batch, T, dim)`, padded on the right.
            length: how many positions there will be at most, T among them. There is room for them all from
                the start, so that no shape changes.
            memory, memory_mask: as in the call.
        """
        _, kept, _ = self.read(inputs, None, memory, memory_mask)
        missing = [[0, 0], [0, length - inputs.shape[1]], [0, 0], [0, 0]]
        return [{**each, "own": [ops.pad(one, missing) for one in each["own"]]} for each in kept]

    def step(self, inputs, kept, position, memory_mask=None):
        """Go one position further: as `TransformerBlock.step`, with a list of one entry for each block."""
        looks = [
            (block.step, (keys_and_values, position, memory_mask))
            for block, keys_and_values in zip(self.blocks, kept, strict=True)
        ]
        return self._through(inputs, looks)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "cross": self.cross}


@keras.saving.register_keras_serializable(package="course_utils")
class Transformer(Translator):
    """Encoder and decoder without recurrence, joined (Vaswani et al. 2017, "Attention Is All You Need").

        p(y_1 ... y_n | x) = product over t of p(y_t | y_1 ... y_{t-1}, x)

    In training all positions are worked out at once. Generation goes step by step, and keeps the keys and
    values of what came before. The paper shares one table between both embeddings and the output (section
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
        start=1,
        end=2,
        **kwargs,
    ):
        super().__init__(encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs)
        self._require_kinds()
        self.max_length = max_length
        self.source_embedding, self.target_embedding = (
            TokenAndPositionEmbedding(size, embedding_dim, max_length, part.dropout, dtype=self.dtype_policy)
            for size, part in ((source_size, encoder), (target_size, decoder))
        )
        self.next_token = keras.layers.Dense(target_size, dtype="float32")  # a softmax needs the digits

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

    def call(self, inputs, return_attention_scores=False, training=False):
        """Teacher forcing: read the source and every true token at once, and name the next ones."""
        source, target = inputs
        self._require_start(target)
        outputs, weights = self.decoder(
            self.target_embedding(target, training=training),
            mask=ops.not_equal(target, 0),
            memory=self._read(source, training),
            memory_mask=ops.not_equal(source, 0),
            return_attention_scores=True,
            training=training,
        )
        logits = self.next_token(outputs)
        return (logits, ops.mean(weights[-1][-1], axis=1)) if return_attention_scores else logits

    def start(self, source, max_length):
        """Read the source and the start mark; return the state before the first step.

        Args:
            source: ids, `(batch, Ts)`.
            max_length: how many steps there will be at most.
        """
        self.target_embedding.require_room(max_length)
        source = ops.convert_to_tensor(source)
        mask = ops.not_equal(source, 0)
        marks = self.target_embedding(self.first_tokens(source)[:, None])
        kept = self.decoder.start(marks, max_length, self._read(source), mask)
        return {"kept": kept, "mask": mask, "position": ops.zeros_like(source[:, 0], "int32")}

    def step(self, tokens, state, return_attention_scores=False):
        """Go one step: as `Seq2Seq.step`."""
        vectors = self.target_embedding(tokens[:, None], position=state["position"])
        outputs, kept, weights = self.decoder.step(vectors, state["kept"], state["position"], state["mask"])
        logits, state = (
            self.next_token(outputs)[:, 0],
            {**state, "kept": kept, "position": state["position"] + 1},
        )
        return (
            (logits, state, ops.mean(weights[-1][-1], axis=1)[:, 0])
            if return_attention_scores
            else (logits, state)
        )

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "max_length": self.max_length}

    def _read(self, source, training=False):
        vectors = self.source_embedding(source, training=training)
        return self.encoder(vectors, mask=ops.not_equal(source, 0), training=training)

    def _require_kinds(self):
        fits = isinstance(self.encoder, TransformerEncoder) and isinstance(self.decoder, TransformerDecoder)
        if not fits or not self.decoder.cross:
            raise ValueError(
                "A `Transformer` needs a `TransformerEncoder` and a `TransformerDecoder` with `cross`. "
                f"Received: encoder={self.encoder}, decoder={self.decoder}"
            )


@keras.saving.register_keras_serializable(package="course_utils")
class LanguageModel(keras.Model):
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
        self.embedding = TokenAndPositionEmbedding(
            size, embedding_dim, max_length, decoder.dropout, dtype=self.dtype_policy
        )
        self.next_token = keras.layers.Dense(size, dtype="float32")  # a softmax needs the digits

    def build(self, ids_shape):
        """Build every part on the shape of the ids."""
        vectors_shape = (*ids_shape, self.embedding_dim)
        self.embedding.build(ids_shape)
        if not self.decoder.built:  # one that was saved alone has been built when it was loaded
            self.decoder.build(vectors_shape)
        self.next_token.build(vectors_shape)

    def call(self, ids, training=False):
        """Read all tokens at once, and name the next ones."""
        vectors = self.embedding(ids, training=training)
        return self.next_token(self.decoder(vectors, mask=ops.not_equal(ids, 0), training=training))

    def first_tokens(self, source):
        """Return what the first step of generation reads: the last token of each prompt, `(batch,)`."""
        lengths = self._lengths(source)
        return np.asarray(source)[np.arange(len(source)), lengths - 1].astype("int32")

    def start(self, source, max_length):
        """Read the prompts; return the state before the first step.

        Args:
            source: ids of the prompts, `(batch, Ts)`.
            max_length: how many tokens will be written at most.
        """
        lengths = self._lengths(source)
        room = source.shape[1] + max_length
        self.embedding.require_room(int(lengths.max()) + max_length - 1)  # the last token is not read
        kept = self.decoder.start(self.embedding(source), room)
        return {"kept": kept, "position": ops.convert_to_tensor(lengths - 1, "int32")}

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
        outputs, kept, _ = self.decoder.step(vectors, state["kept"], position)
        return self.next_token(outputs)[:, 0], {"kept": kept, "position": position + 1}

    def generate(self, source, max_length, **options):
        """Go on from each prompt: `generation.generate` with this model."""
        return generation.generate(self, source, max_length, **options)

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
    def from_config(cls, config):
        """Make the model from `get_config`."""
        return cls(**{**config, "decoder": keras.saving.deserialize_keras_object(config["decoder"])})

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


def _written(room, new, position):
    """Return `room`, `(batch, length, heads, key_dim)`, with `new` at each row's position."""
    here = ops.equal(ops.arange(ops.shape(room)[1]), position[:, None])
    return ops.where(here[..., None, None], new, room)
