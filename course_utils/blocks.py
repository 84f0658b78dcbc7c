"""The residual block of a Transformer, and stacks of it."""

import keras
from keras import ops
from keras.layers import Dense, Dropout, LayerNormalization

from course_utils._layer import Layer, attached_mask
from course_utils._validation import require_flag, require_one_of, require_rate, require_whole
from course_utils.attention import causal_mask, mask_of, self_mask
from course_utils.multi_head_attention import MultiHeadAttention


@keras.saving.register_keras_serializable(package="course_utils")
class TransformerBlock(Layer):
    """Self-attention, attention to a memory if there is one, and a feed-forward part, each with a residual.

        "before":  x = x + part(LayerNorm(x))       (pre-norm; Xiong et al. 2020, "On Layer Normalization in
                                                     the Transformer Architecture", section 3.3)
        "after":   x = LayerNorm(x + part(x))       (post-norm; Vaswani et al. 2017, section 3.1)

        part(x) = MultiHead(x, x, x), then MultiHead(x, memory, memory),
                  then max(0, x W_1 + b_1) W_2 + b_2   (feed-forward; Vaswani et al., equation 2)

    Args:
        num_heads: of each attention; the size of the vectors must be divisible by it.
        units: size of the inner layer of the feed-forward part.
        causal: whether each position sees only itself and what came before.
        cross: whether it also attends to a memory.
        normalize: "before" each part, or "after" its result has been added.
        dropout: share that is dropped in training, of attention weights and of what each part adds.

    Call:
        inputs: `(batch, T, dim)`.
        mask: booleans `(batch, T)`, True where a position counts. Left out, a mask that a layer of Keras has
            attached to the inputs is read; without one all count.
        memory: what a block with `cross` attends to, `(batch, Tv, memory_dim)`.
        memory_mask: booleans `(batch, Tv)`; left out, as `mask`.
        return_attention_scores: give the weights as well.
        Returns vectors of the inputs' shape, and on request a list of the weights of every head: to the
        sequence itself, `(batch, num_heads, T, T)`, and to the memory, `(batch, num_heads, T, Tv)`.

    Raises:
        ValueError: a number is not whole and positive, the size of the vectors is not divisible by
            `num_heads`, the dropout is not from 0 to below 1, the order is unknown, a mask is not boolean or
            has another shape, or there is a memory without `cross` or `cross` without a memory.
    """

    arguments = ("num_heads", "units", "causal", "cross", "normalize", "dropout")

    def __init__(
        self, num_heads, units, causal=False, cross=False, normalize="before", dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads, self.units = require_whole("num_heads", num_heads), require_whole("units", units)
        self.causal, self.cross = require_flag("causal", causal), require_flag("cross", cross)
        self.normalize = require_one_of("normalize", normalize, ("before", "after"))
        self.dropout = require_rate("dropout", dropout)
        self.drop, self.cross_attention = Dropout(dropout, dtype=self.dtype_policy), None

    def build(self, inputs_shape, memory_shape=None):
        """Make the parts, and one normalisation for each."""
        _require_memory(self.cross, memory_shape)
        size, dtype = _head_size(inputs_shape[-1], self.num_heads), self.dtype_policy
        heads = {"num_heads": self.num_heads, "key_dim": size, "dropout": self.dropout, "dtype": dtype}
        self.self_attention = _built(MultiHeadAttention(**heads), inputs_shape, inputs_shape)
        if self.cross:
            self.cross_attention = _built(MultiHeadAttention(**heads), inputs_shape, memory_shape)
        self.widen = _built(Dense(self.units, "relu", dtype=dtype), inputs_shape)
        self.narrow = _built(Dense(inputs_shape[-1], dtype=dtype), (*inputs_shape[:-1], self.units))
        self.norms = [_layer_norm(inputs_shape, dtype) for _ in range(3 if self.cross else 2)]

    def call(self, inputs, mask=None, memory=None, memory_mask=None, return_attention_scores=False):
        """Send all positions through the parts at once."""
        _require_memory(self.cross, memory)
        own, cross, mask = self.self_attention, self.cross_attention, self_mask(inputs, mask, self.causal)
        x, weights = self.residual(inputs, lambda x: own.attend(x, *own.project(x), mask), self.norms[0])
        if self.cross:
            given = *cross.project(memory), mask_of(memory, memory_mask, "memory_mask")[:, None]
            x, across = self.residual(x, lambda x: cross.attend(x, *given), self.norms[1])
            weights += across
        x, _ = self.residual(x, self.feed_forward, self.norms[-1])
        return (x, weights) if return_attention_scores else x

    def residual(self, x, part, norm):
        """Return `x` with what a part makes of it added, and a list of the part's attention weights."""
        output, *weights = part(norm(x) if self.normalize == "before" else x)
        x = x + self.drop(output)
        return norm(x) if self.normalize == "after" else x, weights

    def feed_forward(self, x):
        """Return max(0, x W_1 + b_1) W_2 + b_2, and no weights of attention."""
        return (self.narrow(self.widen(x)),)

    def start(self, batch, length, memory=None):
        """Return a cache with room for the keys and values of `length` positions, and those of the memory."""
        attention = self.self_attention
        shape = (batch, attention.num_heads, length, attention.key_dim)
        cache = {"own": [ops.zeros(shape, self.compute_dtype) for _ in ("keys", "values")]}
        return {**cache, "memory": self.cross_attention.project(memory)} if self.cross else cache

    def step(self, inputs, cache, position, memory_mask=None):
        """Send the next positions through; they attend to the cache, and are written into it.

        Args:
            inputs: `(batch, T, dim)`, most often one position.
            cache: as `start` or the last step returned it.
            position: index of the first input, `(batch,)`.
            memory_mask: booleans `(batch, Tv)`.

        Returns:
            The outputs, the next cache, and a list of the weights.
        """
        own, cross, cache = self.self_attention, self.cross_attention, dict(cache)
        past = causal_mask(ops.shape(inputs)[1], ops.shape(cache["own"][0])[2], position)

        def attend(x):
            cache["own"] = [
                _write(*each, position) for each in zip(cache["own"], own.project(x), strict=True)
            ]
            return own.attend(x, *cache["own"], past)

        x, weights = self.residual(inputs, attend, self.norms[0])
        if self.cross:
            real = None if memory_mask is None else memory_mask[:, None]
            x, across = self.residual(x, lambda x: cross.attend(x, *cache["memory"], real), self.norms[1])
            weights += across
        x, _ = self.residual(x, self.feed_forward, self.norms[-1])
        return x, cache, weights


class _Stack(Layer):
    """What encoder and decoder share: blocks one on another, and with pre-norm a last normalisation."""

    causal = False
    arguments = ("depth", "num_heads", "units", "normalize", "dropout")

    def __init__(self, depth, num_heads, units, cross=False, normalize="before", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.depth, self.num_heads, self.units = require_whole("depth", depth), num_heads, units
        self.cross, self.normalize, self.dropout = cross, normalize, dropout
        options = (self.causal, cross, normalize, dropout)
        self.blocks = [
            TransformerBlock(num_heads, units, *options, dtype=self.dtype_policy) for _ in range(depth)
        ]

    def build(self, inputs_shape, memory_shape=None):
        """Build block after block."""
        for block in self.blocks:
            block.build(inputs_shape, memory_shape)
        if self.normalize == "before":  # "after", each block has normalised its own output
            self.norm = _layer_norm(inputs_shape, self.dtype_policy)

    def call(self, inputs, mask=None, memory=None, memory_mask=None, return_attention_scores=False):
        """Send all positions through block after block."""
        mask = attached_mask(inputs) if mask is None else mask
        memory_mask = attached_mask(memory) if memory_mask is None else memory_mask
        x, weights = inputs, []
        for block in self.blocks:
            x, own = block(x, mask=mask, memory=memory, memory_mask=memory_mask, return_attention_scores=True)
            weights.append(own)
        return (self.normed(x), weights) if return_attention_scores else self.normed(x)

    def normed(self, x):
        """Return the output of the last block, normalised."""
        return self.norm(x) if self.normalize == "before" else x


@keras.saving.register_keras_serializable(package="course_utils")
class TransformerEncoder(_Stack):
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
class TransformerDecoder(_Stack):
    """Writes a sequence: no position sees those after it (Vaswani et al. 2017, section 3.1).

    Args:
        depth, num_heads, units, normalize, dropout: as in `TransformerEncoder`.
        cross: whether each block also attends to a memory, the encoder's output.

    Call:
        As `TransformerBlock`; the weights are a list with one entry for each block.

    Raises:
        ValueError: as `TransformerBlock`.
    """

    causal = True
    arguments = (*_Stack.arguments, "cross")

    def __init__(self, depth, num_heads, units, cross=True, normalize="before", dropout=0.0, **kwargs):
        super().__init__(depth, num_heads, units, cross, normalize, dropout, **kwargs)

    def start(self, batch, length, memory=None):
        """Return an empty cache for each block: as `TransformerBlock.start`.

        Args:
            batch: number of sequences.
            length: how many positions there will be at most. There is room for them all from the start, so
                that no shape changes.
            memory: as in the call.
        """
        return [block.start(batch, length, memory) for block in self.blocks]

    def step(self, inputs, cache, position, memory_mask=None):
        """Go some positions further: as `TransformerBlock.step`, with a list of one entry for each block."""
        x, caches, weights = inputs, [], []
        for block, before in zip(self.blocks, cache, strict=True):
            x, after, own = block.step(x, before, position, memory_mask)
            caches.append(after)
            weights.append(own)
        return self.normed(x), caches, weights


def _layer_norm(shape, dtype):
    return _built(LayerNormalization(epsilon=1e-6, dtype=dtype), shape)


def _built(layer, *shapes):
    layer.build(*shapes)
    return layer


def _head_size(dim, num_heads):
    if dim % num_heads:
        raise ValueError(
            f"The size of the vectors must be divisible by `num_heads` = {num_heads}. Received: size={dim}"
        )
    return dim // num_heads


def _write(cache, new, position):
    """Return `cache`, `(batch, heads, length, dim)`, with `new` in it from each row's position on."""
    batch, heads, time, dim = ops.shape(new)
    rows = [
        ops.arange(batch)[:, None, None],
        ops.arange(heads)[:, None],
        position[:, None, None] + ops.arange(time),
    ]
    rows = ops.stack([ops.broadcast_to(each, (batch, heads, time)) for each in rows], axis=-1)
    return ops.scatter_update(cache, ops.reshape(rows, (-1, 3)), ops.reshape(new, (-1, dim)))


def _require_memory(cross, memory):
    if cross != (memory is not None):
        came = None if memory is None else f"of the shape {tuple(getattr(memory, 'shape', memory))}"
        raise ValueError(
            "A block with `cross` needs a memory, and one without takes none. "
            f"Received: cross={cross}, memory={came}"
        )
