"""One sequence becomes another: an encoder reads it, a decoder writes, and a model joins the two."""

import keras
from keras import ops

from course_utils._layer import Layer
from course_utils._translator import Translator
from course_utils._validation import require_one_of, require_whole
from course_utils.attention import BahdanauAttention, LocalAttention, LuongAttention
from course_utils.embedding import Embedding
from course_utils.recurrent import Bidirectional

ATTENTIONS = (LuongAttention, BahdanauAttention, LocalAttention)  # those that answer query after query


class _Recurrences(Layer):
    """What encoder and decoder share: recurrent layers of the same cells, one on the outputs of another."""

    def __init__(self, cell, units, depth=1, **kwargs):
        super().__init__(**kwargs)
        name = keras.saving.get_registered_name(cell) if isinstance(cell, type) else None
        if keras.saving.get_registered_object(name) is not cell or cell is None:
            raise ValueError(
                "`cell` must be the class of a recurrent cell that is registered for saving, for example "
                f"GRUCell. Received: cell={cell!r}"
            )
        self.supports_masking = True
        self.cell, self.units, self.depth = cell, require_whole("units", units), require_whole("depth", depth)

    def make_cell(self):
        """Return a new cell."""
        return self.cell(self.units, dtype=self.dtype_policy)

    def carry(self, cell):
        """Return the recurrent layer that carries `cell` through time."""
        return keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype=cell.dtype_policy)

    def get_config(self):
        """Return the arguments, for saving."""
        cell = keras.saving.get_registered_name(self.cell)
        return {**super().get_config(), "cell": cell, "units": self.units, "depth": self.depth}

    @classmethod
    def from_config(cls, config):
        """Make the layer from `get_config`."""
        return cls(**{**config, "cell": keras.saving.get_registered_object(config["cell"])})


@keras.saving.register_keras_serializable(package="course_utils")
class Encoder(_Recurrences):
    """Reads a sequence: its last states are what the decoder begins with.

    (Cho et al. 2014, "Learning Phrase Representations", section 2.2; Sutskever et al. 2014, "Sequence to
    Sequence Learning", section 2. Both ways: Bahdanau et al. 2015, "Neural Machine Translation by Jointly
    Learning to Align and Translate", section 3.2.)

    Args:
        cell: the class of the cells, for example `GRUCell`.
        units: size of a cell's states.
        depth: number of recurrent layers, each on the outputs of the one before.
        bidirectional: read both ways; outputs and states of both ways stand side by side.

    Call:
        sequences: `(batch, time, features)`.
        mask: booleans `(batch, time)`, True where a step counts.
        Returns the outputs of the last layer, `(batch, time, width)`, and for each layer a list of its
        last states, `(batch, width)` each. `width` is `units`, or twice that if it reads both ways.

    Raises:
        ValueError: the cell is no registered class, or a number is not whole and positive.
    """

    def __init__(self, cell, units, depth=1, bidirectional=False, **kwargs):
        super().__init__(cell, units, depth, **kwargs)
        self.bidirectional = bidirectional
        self.width = 2 * units if bidirectional else units
        self.recurrences = [self.carry(self.make_cell()) for _ in range(depth)]
        if bidirectional:
            self.recurrences = [Bidirectional(each, dtype=self.dtype_policy) for each in self.recurrences]

    def build(self, sequences_shape):
        """Build layer after layer: each reads what the one before gives."""
        *steps, features = sequences_shape
        for recurrence in self.recurrences:
            recurrence.build((*steps, features))
            features = self.width

    def call(self, sequences, mask=None, training=False):
        """Read from the first layer to the last."""
        states = []
        for recurrence in self.recurrences:
            sequences, *last = recurrence(sequences, mask=mask, training=training)
            states.append(self._side_by_side(last) if self.bidirectional else last)
        return sequences, states

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "bidirectional": self.bidirectional}

    def _side_by_side(self, states):
        ahead, behind = states[: len(states) // 2], states[len(states) // 2 :]
        return [ops.concatenate(pair, axis=-1) for pair in zip(ahead, behind, strict=True)]


class _LookingCell(keras.layers.Layer):
    """A cell that looks before it steps: what attention finds for its last state joins its input.

    It carries more than the cell's states: the memory, its mask and the position go through unchanged or
    counted on. Its output is the cell's, with the weights beside it.
    """

    def __init__(self, cell, attention, **kwargs):
        super().__init__(dtype="float32", **kwargs)  # float16 cannot count the positions
        self.cell, self.attention = cell, attention
        self.state_size = [*keras.tree.flatten(cell.state_size), None, None, None]

    def build(self, inputs_shape):
        """The decoder has built the parts."""

    def call(self, inputs, states):
        """Look with the state before this step, then go the step."""
        *states, memory, mask, position = states
        context, weights = self.attention(
            states[0][:, None],
            memory,
            mask=mask[:, None] > 0,
            query_position=ops.cast(position, "int32"),
            return_attention_scores=True,
        )
        output, states = self.cell(ops.concatenate([inputs, context[:, 0]], axis=-1), states)
        output = ops.concatenate([output, weights[:, 0]], axis=-1)
        output, *states = (ops.cast(each, "float32") for each in (output, *states))
        return output, [*states, memory, mask, position + 1]


@keras.saving.register_keras_serializable(package="course_utils")
class Decoder(_Recurrences):
    """Writes a sequence: each step reads the token before it, and goes on from the state.

    The same call serves a whole sequence (teacher forcing) and one step of generation: the state that it
    returns is where the next call goes on. With attention it looks at the memory, the encoder's outputs,
    in one of two orders:

        "after":   h_t = cell(y_{t-1}, h_{t-1}),  c_t from h_t,  output tanh([c_t; h_t] W)
        "before":  c_t from h_{t-1},  h_t = cell([y_{t-1}; c_t], h_{t-1}),  output h_t

    (Luong et al. 2015, "Effective Approaches to Attention-based NMT", section 3 and equation 5; Bahdanau
    et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate", section 3.1.)
    Luong's input feeding and Bahdanau's maxout output are left out.

    Args:
        cell, units, depth: as in `Encoder`.
        attention: a `LuongAttention`, `BahdanauAttention` or `LocalAttention`, or None.
        attend: "after" the recurrence, from its last layer, or "before" it, into its first layer.

    Call:
        inputs: the vectors of the tokens before, `(batch, time, features)`.
        state: a dict. Its `"states"` are for each layer the list of its states, `(batch, units)` each.
            Attention also needs `"memory"`, `(batch, Tv, dim)`, its `"mask"`, booleans `(batch, Tv)`, and
            the `"position"` of the first step, whole numbers `(batch,)`.
        return_attention_scores: give the weights as well.
        Returns the outputs, `(batch, time, units)`, the next state, and on request the weights,
        `(batch, time, Tv)`.

    Raises:
        ValueError: as in `Encoder`; the attention is of another kind, the order is unknown, or weights are
            asked of a decoder without attention.
    """

    def __init__(self, cell, units, depth=1, attention=None, attend="after", **kwargs):
        super().__init__(cell, units, depth, **kwargs)
        if attention is not None and type(attention) not in ATTENTIONS:
            raise ValueError(
                f"`attention` must be one of {', '.join(each.__name__ for each in ATTENTIONS)}, or None. "
                f"Received: attention={attention!r}"
            )
        self.attention = attention
        self.attend = require_one_of("attend", attend, ("after", "before"))
        cells = [self.make_cell() for _ in range(depth)]
        self.state_sizes = keras.tree.flatten([cell.state_size for cell in cells])
        if self.looks("before"):
            cells[0] = _LookingCell(cells[0], attention)
        if self.looks("after"):
            self.join = keras.layers.Dense(units, "tanh", use_bias=False, dtype=self.dtype_policy)
        self.recurrences = [self.carry(cell) for cell in cells]

    def looks(self, order):
        """Say whether it attends in this order."""
        return self.attention is not None and self.attend == order

    def build(self, inputs_shape, state_shape=None):
        """Build layer after layer."""
        *steps, features = inputs_shape
        if self.attention is not None:
            memory_shape = state_shape["memory"]
            if not self.attention.built:
                self.attention.build((*steps, self.units), memory_shape)
        if self.looks("before"):
            self.recurrences[0].cell.cell.build((steps[0], features + memory_shape[-1]))
        for recurrence in self.recurrences:
            recurrence.build((*steps, features))
            features = self.units
        if self.looks("after"):
            self.join.build((*steps, memory_shape[-1] + self.units))

    def call(self, inputs, state, return_attention_scores=False, training=False):
        """Go on from `state`, through all steps of `inputs`."""
        outputs, states, weights = inputs, [], None
        for recurrence, before in zip(self.recurrences, state["states"], strict=True):
            if isinstance(recurrence.cell, _LookingCell):
                outputs, after, weights = self.look_before(recurrence, outputs, before, state)
            else:
                outputs, *after = recurrence(outputs, initial_state=before, training=training)
            states.append(after)
        if self.looks("after"):
            outputs, weights = self.look_after(outputs, state)
        state = self._moved_on(state, states, ops.shape(inputs)[1])
        return (outputs, state, self._found(weights)) if return_attention_scores else (outputs, state)

    def look_before(self, recurrence, inputs, before, state):
        """Go through all steps, looking before each; return outputs, states and weights."""
        carried = [*before, state["memory"], state["mask"], state["position"]]
        outputs, *after = recurrence(inputs, initial_state=carried)
        outputs, *states = (ops.cast(each, self.compute_dtype) for each in (outputs, *after[: len(before)]))
        return outputs[..., : self.units], states, outputs[..., self.units :]

    def look_after(self, outputs, state):
        """Look from every output, and join what is found to it; return the joined outputs and weights."""
        context, weights = self.attention(
            outputs,
            state["memory"],
            mask=state["mask"][:, None],
            query_position=state["position"],
            return_attention_scores=True,
        )
        return self.join(ops.concatenate([context, outputs], axis=-1)), weights

    def get_config(self):
        """Return the arguments, for saving."""
        attention = keras.saving.serialize_keras_object(self.attention)
        return {**super().get_config(), "attention": attention, "attend": self.attend}

    @classmethod
    def from_config(cls, config):
        """Make the layer from `get_config`."""
        attention = keras.saving.deserialize_keras_object(config["attention"])
        return super().from_config({**config, "attention": attention})

    def _moved_on(self, state, states, steps):
        position = {"position": state["position"] + steps} if self.attention is not None else {}
        return {**state, "states": states, **position}

    def _found(self, weights):
        if weights is None:
            raise ValueError(
                "This decoder has no attention, so there are no weights. "
                "Received: return_attention_scores=True"
            )
        return weights


@keras.saving.register_keras_serializable(package="course_utils")
class Seq2Seq(Translator):
    """Encoder and decoder, joined: one model to train and to generate with.

        p(y_1 ... y_n | x) = product over t of p(y_t | y_1 ... y_{t-1}, v),   v the encoder's last states

    (Sutskever et al. 2014, "Sequence to Sequence Learning", equation 1.) Where the encoder's states have
    another size than the decoder's, a learnt projection lies between.

    Args:
        encoder: an `Encoder`.
        decoder: a `Decoder` of the same cell and depth.
        source_size, target_size: sizes of the two vocabularies, marks included. Id 0 is padding.
        embedding_dim: size of a token's vector.
        start, end: ids of the marks before and after a target.

    Call:
        inputs: the ids of the source, `(batch, Ts)`, and of the target from its start mark on,
            `(batch, Tt)`; both padded on the right with 0.
        return_attention_scores: give the decoder's weights as well.
        Returns the logits of each next token, `(batch, Tt, target_size)`, and on request the weights,
        `(batch, Tt, Ts)`. They are given the true tokens before it: this is teacher forcing, for training,
        and never a result.

    Raises:
        ValueError: encoder and decoder do not fit, a size or a mark is no such number, an id is outside its
            vocabulary, or a target does not begin with the start mark. Ids can be looked at only outside
            a compiled function.
    """

    def __init__(
        self, encoder, decoder, source_size, target_size, embedding_dim=64, start=1, end=2, **kwargs
    ):
        super().__init__(encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs)
        self._require_fit()
        self.source_embedding = Embedding(source_size, embedding_dim, dtype=self.dtype_policy)
        self.target_embedding = Embedding(target_size, embedding_dim, dtype=self.dtype_policy)
        projected = [] if encoder.width == decoder.units else decoder.state_sizes
        self.projections = [keras.layers.Dense(size, dtype=self.dtype_policy) for size in projected]
        self.next_token = keras.layers.Dense(target_size, dtype="float32")  # a softmax needs the digits

    def build(self, inputs_shape):
        """Build every part on the shapes of the ids."""
        source_shape, target_shape = (tuple(shape) for shape in inputs_shape)
        memory_shape = (*source_shape, self.encoder.width)
        shapes = [
            (self.source_embedding, [source_shape]),
            (self.target_embedding, [target_shape]),
            (self.encoder, [(*source_shape, self.embedding_dim)]),
            (self.decoder, [(*target_shape, self.embedding_dim), {"memory": memory_shape}]),
            (self.next_token, [(*target_shape, self.decoder.units)]),
            *((projection, [(source_shape[0], self.encoder.width)]) for projection in self.projections),
        ]
        self._build_parts(shapes)

    def call(self, inputs, return_attention_scores=False, training=False):
        """Teacher forcing: read the source, then every true token, and name the next one."""
        source, target = inputs
        self._require_start(target)
        outputs, _, *weights = self.decoder(
            self.target_embedding(target),
            self._read(source, training),
            return_attention_scores=return_attention_scores,
            training=training,
        )
        logits = self.next_token(outputs)
        return (logits, *weights) if return_attention_scores else logits

    def start(self, source, max_length=None):  # noqa: ARG002
        """Read the source; return the state before the first step.

        Args:
            source: ids, `(batch, Ts)`.
            max_length: not needed here; models that keep all that was generated make room for it.
        """
        return self._read(source)

    def step(self, tokens, state, return_attention_scores=False):
        """Go one step.

        Args:
            tokens: the ids of the tokens before, `(batch,)`.
            state: as `start` or the last `step` returned it.
            return_attention_scores: give the decoder's weights as well.

        Returns:
            The logits of the next token, `(batch, target_size)`, the next state, and on request the
            weights, `(batch, Ts)`.
        """
        outputs, state, *weights = self.decoder(
            self.target_embedding(tokens[:, None]), state, return_attention_scores=return_attention_scores
        )
        return self.next_token(outputs)[:, 0], state, *(each[:, 0] for each in weights)

    def _read(self, source, training=False):
        mask = ops.not_equal(source, 0)
        memory, states = self.encoder(self.source_embedding(source), mask=mask, training=training)
        if self.projections:
            flat = zip(self.projections, keras.tree.flatten(states), strict=True)
            projected = [projection(state) for projection, state in flat]
            states = keras.tree.pack_sequence_as(states, projected)
        state = {"states": states}
        if self.decoder.attention is not None:
            state |= {"memory": memory, "mask": mask, "position": ops.zeros_like(source[:, 0], "int32")}
        return state

    def _require_fit(self):
        ends = [(each.cell.__name__, each.depth) for each in (self.encoder, self.decoder)]
        if ends[0] != ends[1]:
            raise ValueError(
                "The decoder goes on from the encoder's states, so both need the same cell and depth. "
                f"Received: encoder={ends[0]}, decoder={ends[1]}"
            )
