"""One sequence becomes another: an encoder reads it, a decoder writes, and a model joins the two."""

import keras
from keras import ops

from course_utils._layer import Layer, attached_mask
from course_utils._validation import (
    require_flag,
    require_mask,
    require_one_of,
    require_shape,
    require_tensor,
    require_three_axes,
    require_whole,
)
from course_utils.attention import BahdanauAttention, LuongAttention, mask_of
from course_utils.embedding import Embedding
from course_utils.fused import FusedRNN
from course_utils.local_attention import LocalAttention
from course_utils.recurrent import Bidirectional
from course_utils.token_model import logits_layer
from course_utils.translator import Translator

ATTENTIONS = (LuongAttention, BahdanauAttention, LocalAttention)  # those that answer query after query


class _RecurrentStack(Layer):
    """What encoder and decoder share: recurrent layers, one on the outputs of another."""

    least_steps = 1

    def __init__(self, cells, units=None, depth=None, bidirectional=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        require_flag("bidirectional", bidirectional)
        made = _made(cells, units, depth, self.dtype_policy)
        self.layers = [self._layer_of(each, bidirectional) for each in made]
        self.state_sizes = [_state_sizes(layer) for layer in self.layers]

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(each) for each in self.layers],
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the layer from `get_config`."""
        cells = [keras.saving.deserialize_keras_object(each, custom_objects) for each in config["cells"]]
        return cls(**{**config, "cells": cells})

    def _layer_of(self, made, bidirectional):
        """Return a recurrent layer that gives all outputs and its states, from a cell or such a layer."""
        if not (isinstance(made, keras.layers.RNN) or _reads_both_ways(made)):
            made = FusedRNN(made, return_sequences=True, return_state=True, dtype=made.dtype_policy)
        one_way = getattr(made, "forward_layer", made)
        gives_all = one_way.return_sequences and one_way.return_state
        if not gives_all or getattr(made, "merge_mode", "concat") != "concat":
            raise ValueError(
                "A layer must have `return_sequences=True` and `return_state=True`, and one that reads both "
                f'ways `merge_mode="concat"`. Received: cells={made}'
            )
        if one_way.go_backwards or one_way.stateful:
            raise ValueError(
                "A layer must not be stateful, nor go backwards: `bidirectional=True` reads both ways. "
                f"Received: cells={made}, go_backwards={one_way.go_backwards}, stateful={one_way.stateful}"
            )
        return Bidirectional(made, dtype=self.dtype_policy) if bidirectional else made


@keras.saving.register_keras_serializable(package="course_utils")
class Encoder(_RecurrentStack):
    """Reads a sequence: its last states are what the decoder begins with.

    (Cho et al. 2014, "Learning Phrase Representations", section 2.2; Sutskever et al. 2014, "Sequence to
    Sequence Learning", section 2. Both ways: Bahdanau et al. 2015, "Neural Machine Translation by Jointly
    Learning to Align and Translate", section 3.2.)

    Args:
        cells: the class of the cells, for example `GRUCell`; or one made already, or a list of them from the
            first layer to the last: cells, ours, Keras' or your own, and layers that carry one
            (`keras.layers.RNN` and what comes from it, or `Bidirectional` with `merge_mode="concat"`), with
            `return_sequences=True` and `return_state=True`. To be saved, a cell of your own
            needs a `build`, a `get_config` and `keras.saving.register_keras_serializable`.
        units: size of a cell's states, where `cells` is a class.
        depth: number of recurrent layers, each on the outputs of the one before, where `cells` is a class;
            1 if left out.
        bidirectional: read both ways; outputs and states of both ways stand side by side.

    Call:
        sequences: `(batch, time, features)`.
        mask: booleans `(batch, time)`, True where a step counts. Left out, a mask that a layer of Keras has
            attached to the sequences is read.
        Returns the outputs of the last layer, `(batch, time, width)`, and for each layer a list of its
        last states, `(batch, width)` each. `width` is `units`, or twice that if it reads both ways.

    Raises:
        ValueError: the cells are no recurrent ones; a layer is stateful, goes backwards or does not return
            all; `units` or `depth` come with cells that are made already; a number is not whole and positive;
            the sequences have another shape, or the mask is not boolean or has another shape.
    """

    def __init__(self, cells, units=None, depth=None, bidirectional=False, **kwargs):
        super().__init__(cells, units, depth, bidirectional, **kwargs)
        self.width = self.state_sizes[-1][0]

    def build(self, sequences_shape):
        """Build layer after layer: each reads what the one before gives."""
        require_three_axes(sequences=sequences_shape)
        _build_layers(self.layers, sequences_shape, self.state_sizes)

    def call(self, sequences, mask=None):
        """Read from the first layer to the last."""
        require_three_axes(sequences=sequences.shape)
        require_mask(mask, sequences.shape[:2], broadcast=False)
        states = []
        for layer in self.layers:
            sequences, *last = layer(sequences, mask=mask)
            states.append(_side_by_side(last) if _reads_both_ways(layer) else last)
        return sequences, states


class AttentionCell(keras.layers.Layer):
    """A cell that attends before it steps: the context for its last state joins its input (Bahdanau's order).

    It carries more than the cell's states: the projected memory, its mask and the position go through
    unchanged or counted on. Its output is the cell's, with the weights beside it.
    """

    def __init__(self, cell, attention, **kwargs):
        policy = keras.backend.result_type(
            cell.compute_dtype, "float32"
        )  # float16 cannot count the positions
        super().__init__(dtype=policy, **kwargs)
        self.cell, self.attention = cell, attention
        self.state_size = [*keras.tree.flatten(cell.state_size), None, None, None, None]

    def build(self, inputs_shape):
        """The decoder has built the parts."""

    def call(self, inputs, states):
        """Attend with the state before this step, then go the step."""
        *states, keys, values, mask, position = states
        query, real = ops.expand_dims(states[0], 1), ops.expand_dims(mask, 1) > 0
        weights = ops.squeeze(self.attention.align(query, keys, real, ops.cast(position, "int32")), 1)
        context = ops.sum(ops.expand_dims(weights, -1) * values, axis=1)  # one query: faster than a product
        output, states = self.cell(ops.concatenate([inputs, context], axis=-1), states)
        output = ops.concatenate([ops.cast(output, weights.dtype), weights], axis=-1)
        states = [ops.cast(state, self.compute_dtype) for state in keras.tree.flatten(states)]
        return output, [*states, keys, values, mask, position + 1]


@keras.saving.register_keras_serializable(package="course_utils")
class Decoder(_RecurrentStack):
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
        cells, units, depth: as in `Encoder`.
        attention: a `LuongAttention`, `BahdanauAttention` or `LocalAttention`, or None.
        attend: "after" the recurrence, from its last layer, or "before" it, into its first layer.

    Call:
        inputs: the vectors of the tokens before, `(batch, time, features)`. A mask that a layer of Keras has
            attached to them is read, and refused by a decoder that attends before its step.
        state: as `start` or the last call returned it.
        return_attention_scores: give the weights as well.
        Returns the outputs, `(batch, time, units)`, the next state, and on request the weights,
        `(batch, time, Tv)`.

    Raises:
        ValueError: as in `Encoder`; the attention is of another kind, the order is unknown, there is
            attention and no memory, weights are asked of a decoder without attention, the state is none, or
            inputs with a mask come to a decoder that attends before its step.
    """

    def __init__(self, cells, units=None, depth=None, attention=None, attend="after", **kwargs):
        super().__init__(cells, units, depth, **kwargs)
        if attention is not None and type(attention) not in ATTENTIONS:
            raise ValueError(
                f"`attention` must be one of {', '.join(each.__name__ for each in ATTENTIONS)}, or None. "
                f"Received: attention={attention!r}"
            )
        if any(_reads_both_ways(layer) for layer in self.layers):
            raise ValueError(f"A decoder cannot read both ways: it writes. Received: cells={self.layers}")
        self.attention, self.units = attention, self.state_sizes[-1][0]
        self.attend = require_one_of("attend", attend, ("after", "before"))
        self.recurrences = list(self.layers)
        if self.attends("before"):
            self.recurrences[0] = keras.layers.RNN(
                cell := AttentionCell(self.layers[0].cell, attention),
                return_sequences=True,
                return_state=True,
                dtype=cell.dtype_policy,
            )
        if self.attends("after"):
            self.join = keras.layers.Dense(self.units, "tanh", use_bias=False, dtype=self.dtype_policy)

    def __call__(self, inputs, state, **kwargs):
        """Go on from a state, as `start` or the last call returned it."""
        if not isinstance(state, dict) or "states" not in state:
            raise ValueError(
                f"`state` must be what `start` or the last call returned. Received: state={state!r:.80}"
            )
        return super().__call__(inputs, state, **kwargs)

    def attends(self, order):
        """Say whether it attends in this order."""
        return self.attention is not None and self.attend == order

    def build(self, inputs_shape, state_shape=None):
        """Build layer after layer, on the shape of the inputs and of what `start` has made of the memory."""
        if self.attention is not None:
            _, memory_shape = _require_memory(state_shape)
            self._build_attention(memory_shape)
            dim = memory_shape[-1]
        if self.attends("before") and not self.layers[0].cell.built:
            self.layers[0].cell.build((inputs_shape[0], inputs_shape[-1] + dim))
        _build_layers(self.recurrences, inputs_shape, self.state_sizes)
        if self.attends("after"):
            self.join.build((*inputs_shape[:-1], dim + self.units))

    def start(self, states, memory=None, mask=None):
        """Return the state before the first step.

        Args:
            states: for each layer the list of its states, `(batch, units)` each, as an encoder gives them.
            memory: what attention looks at, `(batch, Tv, dim)`. It is projected here, once.
            mask: booleans `(batch, Tv)`, True where the memory counts. Left out, a mask that a layer of Keras
                has attached to the memory is read; without one all counts.

        Returns:
            A dict with the `"states"` and, with attention, the projected `"memory"`, its `"mask"` and the
            `"position"` of the first step, `(batch,)`.
        """
        _require_states_of(self.state_sizes, states)
        if self.attention is None:
            return {"states": states}
        require_tensor("memory", memory)
        require_three_axes(memory=memory.shape)
        mask = mask_of(memory, mask)
        self._build_attention(memory.shape)
        require_shape("memory", memory.shape, ("batch", "time", "dim"), (None, None, self.attention.sizes[1]))
        position = ops.zeros_like(mask[:, 0], "int32")
        return {
            "states": states,
            "memory": self.attention.project(memory),
            "mask": mask,
            "position": position,
        }

    def call(self, inputs, state, return_attention_scores=False):
        """Go on from `state`, through all steps of `inputs`."""
        outputs, states, weights = self.recur(inputs, state)
        if self.attends("after"):
            outputs, weights = self.attend_after(outputs, state)
        state = self._moved_on(state, states, ops.shape(inputs)[1])
        return (outputs, state, self._required(weights)) if return_attention_scores else (outputs, state)

    def recur(self, inputs, state):
        """Go through the layers; return the outputs, the states, and the weights if any layer attends."""
        outputs, states, weights = inputs, [], None
        for recurrence, before in zip(self.recurrences, state["states"], strict=True):
            if isinstance(recurrence.cell, AttentionCell):
                outputs, after, weights = self.attend_before(recurrence, outputs, before, state)
            else:
                outputs, *after = recurrence(outputs, initial_state=before, mask=attached_mask(inputs))
            states.append(after)
        return outputs, states, weights

    def attend_before(self, recurrence, inputs, before, state):
        """Go through all steps, attending before each; return outputs, states and weights."""
        _require_no_mask(inputs)
        carried = [*before, *state["memory"], state["mask"], state["position"]]
        outputs, *after = recurrence(inputs, initial_state=carried)
        outputs, *states = (ops.cast(each, self.compute_dtype) for each in (outputs, *after[: len(before)]))
        units = self.state_sizes[0][0]
        return outputs[..., :units], states, outputs[..., units:]

    def attend_after(self, outputs, state):
        """Attend from every output, and join the context to it; return the joined outputs and weights."""
        mask, position = state["mask"][:, None], state["position"]
        context, weights = self.attention.attend(outputs, *state["memory"], mask, position)
        return self.join(ops.concatenate([context, outputs], axis=-1)), weights

    def get_config(self):
        """Return the arguments, for saving."""
        attention = keras.saving.serialize_keras_object(self.attention)
        return {**super().get_config(), "attention": attention, "attend": self.attend}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the layer from `get_config`."""
        attention = keras.saving.deserialize_keras_object(config["attention"], custom_objects)
        return super().from_config({**config, "attention": attention}, custom_objects)

    def _build_attention(self, memory_shape):
        if not self.attention.built:
            size = self.state_sizes[0][0] if self.attends("before") else self.units
            self.attention.build((memory_shape[0], None, size), memory_shape)

    def _moved_on(self, state, states, steps):
        position = {"position": state["position"] + steps} if self.attention is not None else {}
        return {**state, "states": states, **position}

    def _required(self, weights):
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
        decoder: a `Decoder` of the same depth, with as many states in each layer.
        source_size, target_size: sizes of the two vocabularies, marks included, or the vocabularies, to
            translate texts. Id 0 is padding.
        embedding_dim: size of a token's vector.
        start, end: ids of the marks before and after a target; left out, those of the target's vocabulary, or
            1 and 2 where only its size is given.

    To train it, give each source with its target from the start mark on, and as labels the same one token
    further. Padding is left out of the loss:

        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
        model.fit((source, target[:, :-1]), target[:, 1:])

    Call:
        inputs: the ids of the source, `(batch, Ts)`, and of the target from its start mark on,
            `(batch, Tt)`; both padded on the right with 0.
        return_attention_scores: give the decoder's weights as well.
        Returns the logits of each next token, `(batch, Tt, target_size)`, and on request the weights,
        `(batch, Tt, Ts)`. They are given the true tokens before it: this is teacher forcing, for training,
        and never a result.

    Raises:
        ValueError: encoder and decoder do not fit, a size or a mark is no such number, there are not as many
            sources as targets, an id is outside its vocabulary, a target does not begin with the start mark,
            or a vocabulary lacks the marks or has others. Ids can be looked at only outside a compiled
            function.
    """

    def __init__(
        self, encoder, decoder, source_size, target_size, embedding_dim=64, start=None, end=None, **kwargs
    ):
        super().__init__(encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs)
        self._require_fit()
        self.source_embedding = Embedding(self.source_size, embedding_dim, dtype=self.dtype_policy)
        self.target_embedding = Embedding(self.target_size, embedding_dim, dtype=self.dtype_policy)
        given, wanted = keras.tree.flatten(encoder.state_sizes), keras.tree.flatten(decoder.state_sizes)
        projected = [] if given == wanted else wanted
        self.projections = [keras.layers.Dense(size, dtype=self.dtype_policy) for size in projected]
        self.next_token = logits_layer(self.target_size, self.compute_dtype)

    def build(self, inputs_shape):
        """Build every part on the shapes of the ids."""
        source_shape, target_shape = (tuple(shape) for shape in inputs_shape)
        memory_shape = (*source_shape, self.encoder.width)
        given = keras.tree.flatten(self.encoder.state_sizes)
        shapes = [
            (self.source_embedding, [source_shape]),
            (self.target_embedding, [target_shape]),
            (self.encoder, [(*source_shape, self.embedding_dim)]),
            (self.decoder, [(*target_shape, self.embedding_dim), {"memory": (memory_shape, memory_shape)}]),
            (self.next_token, [(*target_shape, self.decoder.units)]),
            *((each, [(source_shape[0], size)]) for each, size in zip(self.projections, given, strict=False)),
        ]
        self._build_parts(shapes)

    def call(self, inputs, return_attention_scores=False):
        """Teacher forcing: read the source, then every true token, and name the next one."""
        source, target = inputs
        self.require_inputs(source, target)
        state, vectors = self.read(source), self.target_embedding(target)
        outputs, _, *weights = self.decoder(vectors, state, return_attention_scores=return_attention_scores)
        logits = self.next_token(outputs)
        return (logits, *weights) if return_attention_scores else logits

    def read(self, source):
        """Read the source; return the state before the decoder's first step."""
        mask = ops.not_equal(source, 0)
        memory, states = self.encoder(self.source_embedding(source), mask=mask)
        if self.projections:
            flat = zip(self.projections, keras.tree.flatten(states), strict=True)
            projected = [projection(state) for projection, state in flat]
            states = keras.tree.pack_sequence_as(states, projected)
        return self.decoder.start(states, memory, mask)

    def start(self, source, max_length=None):  # noqa: ARG002
        """Read the source; return the state before the first step.

        Args:
            source: ids, `(batch, Ts)`.
            max_length: not needed here; models with a cache make room for so many steps.
        """
        self.require_built(source)
        return self.read(source)

    def step(self, tokens, state, return_attention_scores=False):
        """Read one more token a row, `(batch,)`; return the logits of the next, the state, the weights."""
        vectors = self.target_embedding(tokens[:, None])
        outputs, state, *weights = self.decoder(
            vectors, state, return_attention_scores=return_attention_scores
        )
        return self.next_token(outputs)[:, 0], state, *(each[:, 0] for each in weights)

    def _require_fit(self):
        for name, part, kind in (("encoder", self.encoder, Encoder), ("decoder", self.decoder, Decoder)):
            if not isinstance(part, kind):
                raise ValueError(f"`{name}` must be of the kind `{kind.__name__}`. Received: {name}={part}")
        states = [[len(sizes) for sizes in part.state_sizes] for part in (self.encoder, self.decoder)]
        if states[0] != states[1]:
            raise ValueError(
                "The decoder goes on from the encoder's states, so both need as many layers and as many "
                f"states in each. Received: encoder={states[0]}, decoder={states[1]}"
            )


def _made(cells, units, depth, dtype):
    """Return cells and layers: those that are given, or `depth` new cells of a class."""
    made = cells if isinstance(cells, (list, tuple)) else [cells]
    if isinstance(cells, type) and issubclass(cells, keras.layers.Layer):
        units, depth = require_whole("units", units), 1 if depth is None else require_whole("depth", depth)
        made = [cells(units, dtype=dtype) for _ in range(depth)]
    elif units is not None or depth is not None:
        raise ValueError(
            "`units` and `depth` go with the class of a cell; what is made already has its own. "
            f"Received: cells={cells!r}, units={units}, depth={depth}"
        )
    for each in made:
        if not isinstance(each, keras.layers.Layer) or not hasattr(_cell_of(each), "state_size"):
            raise ValueError(
                "`cells` must be the class of a recurrent cell, for example GRUCell, or a list of cells and "
                f"recurrent layers. Received: cells={cells!r}"
            )
        _require_sizes(_cell_of(each))
    if not made:
        raise ValueError("`cells` must have at least one layer. Received: cells=[]")
    return made


def _require_sizes(cell):
    sizes = list(cell.state_size) if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    output_size = getattr(cell, "output_size", sizes[0])
    if not all(isinstance(size, int) for size in sizes) or output_size != sizes[0]:
        raise ValueError(
            "A cell's states must have one axis each, and its output the size of the first. "
            f"Received: cells={cell}, state_size={sizes}, output_size={output_size}"
        )


def _cell_of(made):
    one_way = getattr(made, "forward_layer", made)
    return getattr(one_way, "cell", one_way) if isinstance(one_way, keras.layers.RNN) else one_way


def _reads_both_ways(layer):
    return hasattr(layer, "forward_layer")  # ours or Keras'


def _state_sizes(layer):
    """Return the sizes of the states that come out of a layer, the first of them that of its output."""
    ways = 2 if _reads_both_ways(layer) else 1
    return [ways * size for size in keras.tree.flatten(getattr(layer, "forward_layer", layer).state_size)]


def _build_layers(layers, shape, state_sizes):
    for layer, sizes in zip(layers, state_sizes, strict=True):
        if not layer.built:
            layer.build(shape)
        shape = (*shape[:-1], sizes[0])


def _require_states_of(state_sizes, states):
    of_layers = states if isinstance(states, (list, tuple)) else [states]
    given = [len(each) if isinstance(each, (list, tuple)) else 0 for each in of_layers]
    if given != [len(sizes) for sizes in state_sizes]:
        raise ValueError(
            f"`states` must be a list for each layer, of states of the sizes {state_sizes}. "
            f"Received: states={states!r:.80}"
        )


def _side_by_side(states):
    forward, backward = states[: len(states) // 2], states[len(states) // 2 :]
    return [ops.concatenate(pair, axis=-1) for pair in zip(forward, backward, strict=True)]


def _require_no_mask(inputs):
    if attached_mask(inputs) is not None:
        raise ValueError(
            "A decoder that attends before its step takes no mask of its inputs: embed them without one. "
            "Their padding stands at the end, where no real step depends on it. "
            f"Received: inputs with a mask of the shape {tuple(attached_mask(inputs).shape)}"
        )


def _require_memory(state_shape):
    if not state_shape or "memory" not in state_shape:
        raise ValueError(f"Attention needs a memory, as `start` makes it. Received: state={state_shape}")
    return state_shape["memory"]
