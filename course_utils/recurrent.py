"""A state carried through time: a cell is one step, `keras.layers.RNN` repeats it."""

import inspect

import keras
import numpy as np
from keras import ops

from course_utils import bptt
from course_utils._layer import Layer, attached_mask
from course_utils._validation import (
    NamedArguments,
    agree,
    initializer,
    require_flag,
    require_known,
    require_mask,
    require_number,
    require_one_of,
    require_shape,
    require_tensor,
    require_whole,
)
from course_utils.fused import FusedRNN

MERGES = {
    "concat": lambda forward, backward: [ops.concatenate([forward, backward], axis=-1)],
    "sum": lambda forward, backward: [forward + backward],
    "mul": lambda forward, backward: [forward * backward],
    "ave": lambda forward, backward: [(forward + backward) / 2],
    None: lambda forward, backward: [forward, backward],
}
FLAGS = {"return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"}


class _Cell(keras.layers.Layer):
    """What the cells share: `units`, and the weights `kernel`, `recurrent_kernel` and `bias`."""

    blocks = ("state",)  # what stands side by side in the columns of the weights
    biased_gate = None  # the block whose bias starts at `initial_bias`, where that is a number
    initial_bias = None

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        use_bias=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)
        self.state_size = self.units
        self.kernel_initializer = initializer("kernel_initializer", kernel_initializer)
        self.recurrent_initializer = require_known(
            "recurrent_initializer", keras.initializers.get, recurrent_initializer
        )
        self.bias_initializer = require_known(
            "bias_initializer",
            keras.initializers.get,
            "zeros" if bias_initializer is None else bias_initializer,
        )
        self.use_bias = require_flag("use_bias", use_bias)

    def __call__(self, inputs, states, **kwargs):
        """Go one step, on what has the shapes of one step."""
        require_tensor("inputs", inputs)
        wanted = (None, self.kernel.shape[0] if self.built else None)
        require_shape("inputs", inputs.shape, ("batch", "features"), wanted)
        _require_states("states", states, inputs.shape[0], self.state_size)
        return super().__call__(inputs, states, **kwargs)

    @classmethod
    def arguments(cls):
        """Return the names of the arguments that are a cell's own."""
        makers = [each.__init__ for each in cls.__mro__ if issubclass(each, _Cell)]
        return {name for maker in makers for name in inspect.signature(maker).parameters} - {"self", "kwargs"}

    def build(self, input_shape):
        """Make the weights for steps of the shape `(batch, features)`."""
        width = len(self.blocks) * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=self.recurrent_initializer
        )
        shape = self.bias_shape(width)
        self.bias = (
            self.add_weight(name="bias", shape=shape, initializer=self._first_bias)
            if self.use_bias
            else np.zeros(shape[:-1]).tolist()  # nothing to add: one zero for each row
        )

    def bias_shape(self, width):
        """Return the shape of the bias."""
        return (width,)

    def get_config(self):
        """Return the arguments, for saving."""
        initializers = {
            name: keras.initializers.serialize(getattr(self, name))
            for name in ("kernel_initializer", "recurrent_initializer", "bias_initializer")
        }
        return {**super().get_config(), "units": self.units, **initializers, "use_bias": self.use_bias}

    def get_initial_state(self, batch_size=None):
        """Return the states before the first step: zeros, each `(batch, units)`."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def _first_bias(self, shape, dtype=None):
        bias = self.bias_initializer(shape, dtype)
        if self.initial_bias is None:
            return bias
        first = self.blocks.index(self.biased_gate) * self.units
        keeping = np.zeros(shape, bool)
        np.atleast_2d(keeping)[0, first : first + self.units] = True
        return ops.where(keeping, self.initial_bias, bias)


@keras.saving.register_keras_serializable(package="course_utils")
class SimpleRNNCell(_Cell):
    """One step of the simple recurrent network (Elman 1990, "Finding Structure in Time").

        h_t = tanh(x_t W_x + h_{t-1} W_h + b)

    (This form: Goodfellow et al. 2016, "Deep Learning", equations 10.8 and 10.9.)

    Args:
        units: size of the hidden state.
        activation: the function of the sum, as Keras takes it; the book uses tanh, Elman a
            function from 0 to 1.
        recurrent_initializer: how W_h starts. It decides whether gradients shrink or grow.
        **kwargs: `kernel_initializer` and `bias_initializer`: how W_x and b start; `use_bias`: False leaves
            b out; `name`, `dtype` and `trainable`, as every layer takes them.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}]`, `(batch, units)`.
        Returns `h_t` as the output and `[h_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number, another argument is not as above, or the inputs or
            the states have another shape.
    """

    def __init__(self, units, activation="tanh", recurrent_initializer="orthogonal", **kwargs):
        super().__init__(units, recurrent_initializer=recurrent_initializer, **kwargs)
        self.activation = require_known("activation", keras.activations.get, activation)

    @property
    def recurrence(self):
        """This step with its gradient by hand, or None for an activation without one."""
        name = keras.activations.serialize(self.activation)
        return bptt.simple_rnn(name) if name in bptt.SLOPES else None

    def call(self, inputs, states):
        """Go one step: from `x_t` and `h_{t-1}` to `h_t`."""
        (h,) = states
        h = self.activation(
            ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        )
        return h, [h]

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "activation": keras.activations.serialize(self.activation)}


@keras.saving.register_keras_serializable(package="course_utils")
class LSTMCell(_Cell):
    """One step of the LSTM with a forget gate (Gers et al. 2000, "Learning to Forget", section 3).

        i_t, f_t, o_t = sigmoid(x_t W_x + h_{t-1} W_h + b)      input, forget and output gate
        g_t           = tanh(x_t W_x + h_{t-1} W_h + b)         candidate
        c_t           = f_t * c_{t-1} + i_t * g_t               cell state
        h_t           = o_t * tanh(c_t)                         hidden state

    Each gate and the candidate have weights of their own; they stand side by side in the order i, f, g, o.

    Args:
        units: size of the hidden state and of the cell state.
        forget_bias: where the bias of the forget gate starts. Above zero, the gate starts open
            (Jozefowicz et al. 2015, "An Empirical Exploration of Recurrent Network Architectures").
            None: where the other biases start.
        **kwargs: `recurrent_initializer`, and what else `SimpleRNNCell` takes but `activation`.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}, c_{t-1}]`, `(batch, units)` each.
        Returns `h_t` as the output and `[h_t, c_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number, another argument is not as above, or the inputs or
            the states have another shape.
    """

    blocks = ("input", "forget", "candidate", "output")
    biased_gate = "forget"
    recurrence = bptt.LSTM  # this step with its gradient by hand

    def __init__(self, units, forget_bias=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [self.units, self.units]
        self.initial_bias = require_number("forget_bias", forget_bias, or_none=True)

    def gates(self, inputs, states):
        """Return `i_t, f_t, g_t, o_t`, each `(batch, units)`."""
        z = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        return ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)

    def call(self, inputs, states):
        """Go one step: from `x_t`, `h_{t-1}` and `c_{t-1}` to `h_t` and `c_t`."""
        i, f, g, o = self.gates(inputs, states)
        c = f * states[1] + i * g
        h = o * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "forget_bias": self.initial_bias}


@keras.saving.register_keras_serializable(package="course_utils")
class GRUCell(_Cell):
    """One step of the GRU (Cho et al. 2014, "Learning Phrase Representations", equations 5 to 8).

        z_t = sigmoid(x_t W_x + b_x + h_{t-1} W_h + b_h)        update gate: 1 keeps the old state
        r_t = sigmoid(x_t W_x + b_x + h_{t-1} W_h + b_h)        reset gate
        g_t = tanh(x_t W_x + b_x + r_t * (h_{t-1} W_h + b_h))   candidate
        h_t = z_t * h_{t-1} + (1 - z_t) * g_t

    Each has weights of its own; they stand side by side in the order z, r, g.

    Args:
        units: size of the hidden state.
        reset_after: reset after the product, as above, with one bias inside what is reset and one
            outside. Equation 8 resets before the product: `(r_t * h_{t-1}) W_h`.
        update_bias: where the bias of the update gate starts. Above zero, the cell starts by keeping.
            None: where the other biases start.
        **kwargs: `recurrent_initializer`, and what else `SimpleRNNCell` takes but `activation`.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}]`, `(batch, units)`.
        Returns `h_t` as the output and `[h_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number, another argument is not as above, or the inputs or
            the states have another shape.
    """

    blocks = ("update", "reset", "candidate")
    biased_gate = "update"

    def __init__(self, units, reset_after=True, update_bias=None, **kwargs):
        super().__init__(units, **kwargs)
        self.reset_after = require_flag("reset_after", reset_after)
        self.initial_bias = require_number("update_bias", update_bias, or_none=True)

    def bias_shape(self, width):
        """Return the shape of the bias: with `reset_after` one row for the inputs, one for the state."""
        return (2, width) if self.reset_after else (width,)

    @property
    def recurrence(self):
        """This step with its gradient by hand."""
        return bptt.GRU if self.reset_after else bptt.GRU_RESET_BEFORE

    def gates(self, inputs, states):
        """Return `z_t, r_t, g_t`, each `(batch, units)`."""
        (h,) = states
        x = ops.matmul(inputs, self.kernel) + (self.bias[0] if self.reset_after else self.bias)
        x_z, x_r, x_g = ops.split(x, 3, axis=-1)
        if self.reset_after:
            h_z, h_r, h_g = ops.split(ops.matmul(h, self.recurrent_kernel) + self.bias[1], 3, axis=-1)
            z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
            return z, r, ops.tanh(x_g + r * h_g)
        w_z, w_r, w_g = ops.split(self.recurrent_kernel, 3, axis=-1)
        z, r = ops.sigmoid(x_z + ops.matmul(h, w_z)), ops.sigmoid(x_r + ops.matmul(h, w_r))
        return z, r, ops.tanh(x_g + ops.matmul(r * h, w_g))

    def call(self, inputs, states):
        """Go one step: from `x_t` and `h_{t-1}` to `h_t`."""
        z, _, g = self.gates(inputs, states)
        h = z * states[0] + (1 - z) * g
        return h, [h]

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "reset_after": self.reset_after, "update_bias": self.initial_bias}


class _RecurrentLayer(NamedArguments, FusedRNN):
    """What every recurrent layer of the course shares: one cell, carried over `(batch, time, features)`."""

    cell_class = None

    def __init__(self, units, *cell_arguments, dtype=None, **options):
        of_the_cell = {name: options.pop(name) for name in self.cell_class.arguments() & options.keys()}
        for name in FLAGS & options.keys():
            require_flag(name, options[name])
        cell = self.cell_class(units, *cell_arguments, dtype=dtype, **of_the_cell)
        super().__init__(cell, dtype=dtype, **options)
        self.supports_masking = True

    def build(self, sequences_shape, initial_state_shape=None):
        """Build the cell on the shape of one step."""
        self._require_sequences(sequences_shape)
        super().build(sequences_shape, initial_state_shape)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Carry the state from the first step to the last."""
        mask = attached_mask(sequences) if mask is None else mask
        self._require_sequences(sequences.shape)
        require_mask(mask, sequences.shape[:2], broadcast=False)
        if initial_state is not None:
            _require_states("initial_state", initial_state, sequences.shape[0], self.state_size)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def compute_mask(self, sequences, previous_mask):  # noqa: ARG002
        """Return the mask of what comes out: of every step, none of the last output and of the states."""
        mask = _mask_of_outputs(self, previous_mask)
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Return the shapes of what comes out."""
        self._require_sequences(sequences_shape)
        return super().compute_output_shape(sequences_shape, initial_state_shape)

    def get_config(self):
        """Return the arguments of the layer and of its cell as one flat set, for saving."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config, custom_objects=None):  # noqa: ARG003
        """Make the layer from `get_config`."""
        return cls(**config)

    def _require_sequences(self, shape):
        batch = self.states[0].shape[0] if self.states else None  # a stateful layer goes on with as many rows
        features = self.cell.kernel.shape[0] if self.cell.built else None
        require_shape("sequences", shape, ("batch", "time", "features"), (batch, None, features))
        if shape[1] == 0:
            raise ValueError(f"`sequences` must have at least one step. Received: sequences={tuple(shape)}")


@keras.saving.register_keras_serializable(package="course_utils")
class SimpleRNN(_RecurrentLayer):
    """The simple recurrent network: `SimpleRNNCell` carried through time.

    Args:
        units, activation, recurrent_initializer, ...: as in `SimpleRNNCell`.
        **options: `return_sequences` gives the state after every step, `(batch, time, units)`, instead of
            the last one, `(batch, units)`; `return_state` gives the last states as well; `go_backwards`
            reads from the last step to the first; `stateful` starts each batch where the last one stopped;
            `unroll` writes the steps out, and `zero_output_for_mask` puts zeros where a step does not
            count, both as in Keras. `fused="auto"` takes a faster way where there is one, in TensorFlow on
            the CPU in float32: TensorFlow's block for a small LSTM, and for the others, where `train` has
            many steps to go, the gradients written by hand in `bptt`. False goes by the cell,
            True never does.

    Call:
        sequences: `(batch, time, features)`.
        initial_state: the states before the first step, each `(batch, units)`; zeros if left out.
        mask: booleans `(batch, time)`. A step where it is False leaves the state as it was. Left out, it is
            the one that a layer has attached to the sequences, if one has.

    Raises:
        ValueError: as the cell; an option is not as above, or `fused=True` not possible; the input, the mask
            or a state has another shape than this, a sequence has no step, or the mask is not boolean.
    """

    cell_class = SimpleRNNCell


@keras.saving.register_keras_serializable(package="course_utils")
class LSTM(_RecurrentLayer):
    """The long short-term memory: `LSTMCell` carried through time. Its states are `h` and `c`.

    Args:
        units, forget_bias, ...: as in `LSTMCell`.
        **options: as in `SimpleRNN`, and so is the call.
    """

    cell_class = LSTMCell


@keras.saving.register_keras_serializable(package="course_utils")
class GRU(_RecurrentLayer):
    """The gated recurrent unit: `GRUCell` carried through time.

    Args:
        units, reset_after, update_bias, ...: as in `GRUCell`.
        **options: as in `SimpleRNN`, and so is the call.
    """

    cell_class = GRUCell


@keras.saving.register_keras_serializable(package="course_utils")
class Bidirectional(Layer):
    """A recurrent layer, and a second one that reads the other way (Schuster and Paliwal 1997).

    Both read the real steps alone: the way back begins at the last real step, not in the padding.

    Args:
        layer: the recurrent layer that reads forwards.
        merge_mode: how the two outputs are joined: "concat" side by side, "sum", "mul", "ave" (their mean),
            or None for both of them.
        backward_layer: the recurrent layer that reads backwards. Left out, it is made like the other, with
            its own weights.

    Call:
        sequences: `(batch, time, features)`.
        initial_state: a list, the states of the way forwards and then those of the way back; zeros if left
            out.
        mask: booleans `(batch, time)`, True where a step counts. Left out, it is the one that a layer has
            attached to the sequences, if one has.
        Returns the joined outputs; with `return_state` of the layer, a tuple of them, the forward states
        and the backward states. At masked steps the outputs mean nothing.

    Raises:
        ValueError: a layer is not recurrent or is stateful, the two read the same way or return different
            things, there are too few or too many states, or the merge mode is unknown.
    """

    def __init__(self, layer, merge_mode="concat", backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        self.merge_mode = require_one_of("merge_mode", merge_mode, tuple(MERGES))
        self.supports_masking = True
        self.forward_layer = _require_recurrent("layer", layer)
        if backward_layer is None:
            other_way = {"name": f"backward_{layer.name}", "go_backwards": not layer.go_backwards}
            backward_layer = type(layer).from_config({**layer.get_config(), **other_way})
        self.backward_layer = _require_recurrent("backward_layer", backward_layer)
        returned = [(each.return_sequences, each.return_state) for each in (layer, backward_layer)]
        if returned[0] != returned[1] or layer.go_backwards == backward_layer.go_backwards:
            raise ValueError(
                "`backward_layer` must return the same as `layer` and read the other way. "
                f"Received: backward_layer={backward_layer.get_config()}"
            )

    def build(self, sequences_shape, initial_state_shape=None):  # noqa: ARG002
        """Build both ways."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Read both ways, turn the way back round, and join."""
        mask = attached_mask(sequences) if mask is None else mask
        start, start_back = self._states_of_both(initial_state)
        read = {"mask": mask, "training": training}
        forward, *states = _listed(self.forward_layer(sequences, initial_state=start, **read))
        backward, *states_back = _listed(self.backward_layer(sequences, initial_state=start_back, **read))
        if self.forward_layer.return_sequences:
            backward = ops.flip(backward, axis=1)
        outputs = (*MERGES[self.merge_mode](forward, backward), *states, *states_back)
        return outputs if len(outputs) > 1 else outputs[0]

    def compute_mask(self, sequences, previous_mask):  # noqa: ARG002
        """Return the mask of what comes out: of every step, none of the last outputs and of the states."""
        mask = _mask_of_outputs(self.forward_layer, previous_mask)
        masks = [mask, mask] if self.merge_mode is None else [mask]
        if self.forward_layer.return_state:
            masks += [None for layer in (self.forward_layer, self.backward_layer) for _ in layer.state_size]
        return masks if len(masks) > 1 else mask

    def get_config(self):
        """Return the arguments, for saving."""
        layers = {
            name: keras.saving.serialize_keras_object(layer)
            for name, layer in (("layer", self.forward_layer), ("backward_layer", self.backward_layer))
        }
        return {**super().get_config(), **layers, "merge_mode": self.merge_mode}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the layer from `get_config`."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("layer", "backward_layer")
            if name in config
        }
        return cls(**{**config, **layers})

    def _states_of_both(self, initial_state):
        if initial_state is None:
            return None, None
        forward, backward = len(self.forward_layer.state_size), len(self.backward_layer.state_size)
        if len(_shapes(initial_state)) != forward + backward:
            raise ValueError(
                f"`initial_state` must hold {forward} states of the way forwards and {backward} "
                f"of the way back. "
                f"Received: initial_state={_shapes(initial_state)}"
            )
        return initial_state[:forward], initial_state[forward:]


def _require_recurrent(name, layer):
    if not isinstance(layer, keras.layers.RNN) or layer.stateful:
        raise ValueError(
            f"`{name}` must be a recurrent layer that is not stateful: the way back cannot go on from the "
            f"last batch. Received: {name}={layer}"
        )
    return layer


def _require_states(name, states, batch, sizes):
    shapes = _shapes(states)
    wanted = [(batch, size) for size in (sizes if isinstance(sizes, list) else [sizes])]
    if len(shapes) != len(wanted) or not all(map(agree, shapes, wanted)):
        raise ValueError(f"`{name}` must have the shapes {wanted}. Received: {name}={shapes}")


def _mask_of_outputs(layer, mask):
    if mask is None or not layer.return_sequences:
        return None
    return ops.flip(mask, axis=1) if layer.go_backwards else mask


def _listed(outputs):
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def _shapes(states):
    return [tuple(getattr(state, "shape", ())) for state in _listed(states)]
