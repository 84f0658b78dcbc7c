"""A state carried through time: a cell is one step, `keras.layers.RNN` repeats it."""

import keras
import numpy as np
from keras import ops

from course_utils._layer import Layer
from course_utils._validation import require_mask, require_one_of, require_whole

MERGES = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: [forward, backward],
}


class _Cell(keras.layers.Layer):
    """What the cells share: `units`, and the weights `kernel`, `recurrent_kernel` and `bias`."""

    blocks = ("state",)  # what stands side by side in the columns of the weights
    raised_block = None  # the block whose bias starts above zero

    def __init__(self, units, recurrent_initializer="orthogonal", raised_bias=0.0, **kwargs):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)
        self.state_size = self.units
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.raised_bias = float(raised_bias)

    def build(self, input_shape):
        """Make the weights for steps of the shape `(batch, features)`."""
        width = len(self.blocks) * self.units
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], width))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=self.recurrent_initializer
        )
        self.bias = self.add_weight(name="bias", shape=self.bias_shape(width), initializer=self._initial_bias)

    def bias_shape(self, width):
        """Return the shape of the bias."""
        return (width,)

    def get_config(self):
        """Return the arguments, for saving."""
        recurrent_initializer = keras.initializers.serialize(self.recurrent_initializer)
        return {**super().get_config(), "units": self.units, "recurrent_initializer": recurrent_initializer}

    def get_initial_state(self, batch_size=None):
        """Return the states before the first step: zeros, each `(batch, units)`."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def _initial_bias(self, shape, dtype=None):
        bias = np.zeros(shape)
        if self.raised_block is not None:
            first = self.blocks.index(self.raised_block) * self.units
            np.atleast_2d(bias)[0, first : first + self.units] = self.raised_bias
        return ops.convert_to_tensor(bias, dtype)


@keras.saving.register_keras_serializable(package="course_utils")
class SimpleRNNCell(_Cell):
    """One step of the simple recurrent network (Elman 1990, "Finding Structure in Time").

        h_t = tanh(x_t W_x + h_{t-1} W_h + b)

    (This form: Goodfellow et al. 2016, "Deep Learning", equations 10.8 and 10.9.)

    Args:
        units: size of the hidden state.
        activation: what bounds the state; the book uses tanh, Elman a function from 0 to 1.
        recurrent_initializer: how W_h starts. It decides whether gradients shrink or grow.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}]`, `(batch, units)`.
        Returns `h_t` as the output and `[h_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number.
    """

    def __init__(self, units, activation="tanh", recurrent_initializer="orthogonal", **kwargs):
        super().__init__(units, recurrent_initializer, **kwargs)
        self.activation = keras.activations.get(activation)

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
        recurrent_initializer: how W_h starts.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}, c_{t-1}]`, `(batch, units)` each.
        Returns `h_t` as the output and `[h_t, c_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number.
    """

    blocks = ("input", "forget", "candidate", "output")
    raised_block = "forget"

    def __init__(self, units, forget_bias=1.0, recurrent_initializer="orthogonal", **kwargs):
        super().__init__(units, recurrent_initializer, forget_bias, **kwargs)
        self.state_size = [self.units, self.units]

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
        return {**super().get_config(), "forget_bias": self.raised_bias}


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
        reset_after: reset after the product, as above, with a bias on both sides of it. Equation 8
            resets before it: `(r_t * h_{t-1}) W_h`.
        update_bias: where the bias of the update gate starts. Above zero, the cell starts by keeping.
        recurrent_initializer: how W_h starts.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}]`, `(batch, units)`.
        Returns `h_t` as the output and `[h_t]` as the next states.

    Raises:
        ValueError: `units` is not a positive whole number.
    """

    blocks = ("update", "reset", "candidate")
    raised_block = "update"

    def __init__(
        self, units, reset_after=True, update_bias=0.0, recurrent_initializer="orthogonal", **kwargs
    ):
        super().__init__(units, recurrent_initializer, update_bias, **kwargs)
        self.reset_after = reset_after

    def bias_shape(self, width):
        """Return the shape of the bias: with `reset_after` one row for the inputs, one for the state."""
        return (2, width) if self.reset_after else (width,)

    def gates(self, inputs, states):
        """Return `z_t, r_t, g_t`, each `(batch, units)`."""
        (h,) = states
        x = ops.matmul(inputs, self.kernel) + (self.bias[0] if self.reset_after else self.bias)
        x_z, x_r, x_g = ops.split(x, 3, axis=-1)
        if self.reset_after:
            h_z, h_r, h_g = ops.split(ops.matmul(h, self.recurrent_kernel) + self.bias[1], 3, axis=-1)
            z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
            g = ops.tanh(x_g + r * h_g)
        else:
            w_z, w_r, w_g = ops.split(self.recurrent_kernel, 3, axis=-1)
            z, r = ops.sigmoid(x_z + ops.matmul(h, w_z)), ops.sigmoid(x_r + ops.matmul(h, w_r))
            g = ops.tanh(x_g + ops.matmul(r * h, w_g))
        return z, r, g

    def call(self, inputs, states):
        """Go one step: from `x_t` and `h_{t-1}` to `h_t`."""
        z, _, g = self.gates(inputs, states)
        h = z * states[0] + (1 - z) * g
        return h, [h]

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "reset_after": self.reset_after, "update_bias": self.raised_bias}


class _CarriedCell(keras.layers.RNN):
    """What every recurrent layer of the course shares: one cell, carried over `(batch, time, features)`.

    Call:
        sequences: `(batch, time, features)`.
        initial_state: the states before the first step, each `(batch, units)`; zeros if left out.
        mask: booleans `(batch, time)`, True where a step counts. A step that does not count leaves
            the state as it was. Give it explicitly: our layers attach none to what they return. One that a
            layer of Keras has attached is read, but only where no initial state is given.

    Raises:
        ValueError: the input, the mask or a state has another shape than this, or the mask is not boolean.
    """

    def build(self, sequences_shape, initial_state_shape=None):
        """Build the cell on the shape of one step."""
        if len(sequences_shape) != 3:
            raise ValueError(
                "A recurrent layer reads inputs of shape (batch, time, features). "
                f"Received: shape={tuple(sequences_shape)}"
            )
        super().build(sequences_shape, initial_state_shape)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Carry the state from the first step to the last."""
        require_mask(mask, sequences.shape[:2], broadcast=False)
        if initial_state is not None:
            self._require_states(initial_state)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def get_config(self):
        """Return the arguments of the layer and of its cell as one flat set, for saving."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config, custom_objects=None):  # noqa: ARG003
        """Make the layer from `get_config`."""
        return cls(**config)

    def _require_states(self, initial_state):
        states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        sizes = [state.shape[-1] for state in states]
        if sizes != self.state_size:
            raise ValueError(
                f"`initial_state` must hold states of the sizes {self.state_size}. Received: sizes={sizes}"
            )


@keras.saving.register_keras_serializable(package="course_utils")
class SimpleRNN(_CarriedCell):
    """The simple recurrent network: `SimpleRNNCell` carried through time.

    Args:
        units, activation, recurrent_initializer: as in `SimpleRNNCell`.
        **kwargs: `return_sequences` gives the state after every step, `(batch, time, units)`, instead of
            the last one, `(batch, units)`; `return_state` gives the last states as well; `go_backwards`
            reads from the last step to the first; `stateful` starts each batch where the last one stopped.

    Call:
        sequences: `(batch, time, features)`.
        initial_state: the states before the first step, each `(batch, units)`; zeros if left out.
        mask: booleans `(batch, time)`. A step where it is False leaves the state as it was.

    Raises:
        ValueError: as the cell; the input, the mask or a state has another shape than this, or the mask is
            not boolean.
    """

    def __init__(self, units, activation="tanh", recurrent_initializer="orthogonal", **kwargs):
        cell = SimpleRNNCell(units, activation, recurrent_initializer, dtype=kwargs.get("dtype"))
        super().__init__(cell, **kwargs)


@keras.saving.register_keras_serializable(package="course_utils")
class LSTM(_CarriedCell):
    """The long short-term memory: `LSTMCell` carried through time. Its states are `h` and `c`.

    Args:
        units, forget_bias, recurrent_initializer: as in `LSTMCell`.
        **kwargs: as in `SimpleRNN`, and so is the call.
    """

    def __init__(self, units, forget_bias=1.0, recurrent_initializer="orthogonal", **kwargs):
        super().__init__(
            LSTMCell(units, forget_bias, recurrent_initializer, dtype=kwargs.get("dtype")), **kwargs
        )


@keras.saving.register_keras_serializable(package="course_utils")
class GRU(_CarriedCell):
    """The gated recurrent unit: `GRUCell` carried through time.

    Args:
        units, reset_after, update_bias, recurrent_initializer: as in `GRUCell`.
        **kwargs: as in `SimpleRNN`, and so is the call.
    """

    def __init__(
        self, units, reset_after=True, update_bias=0.0, recurrent_initializer="orthogonal", **kwargs
    ):
        cell = GRUCell(units, reset_after, update_bias, recurrent_initializer, dtype=kwargs.get("dtype"))
        super().__init__(cell, **kwargs)


@keras.saving.register_keras_serializable(package="course_utils")
class Bidirectional(Layer):
    """A recurrent layer, and a second one that reads the other way (Schuster and Paliwal 1997).

    Both read the real steps alone: the way back begins at the last real step, not in the padding.

    Args:
        layer: the recurrent layer that reads forwards. The other is made like it, with its own weights.
        merge_mode: how the two outputs are joined: "concat" side by side, "sum", "mul", "ave" (their mean),
            or None for a list of both.

    Call:
        sequences: `(batch, time, features)`.
        mask: booleans `(batch, time)`, True where a step counts.
        Returns the joined outputs; with `return_state` of the layer, a list of them, the forward states
        and the backward states. At masked steps the outputs mean nothing.

    Raises:
        ValueError: the layer is not recurrent or is stateful, an initial state is given, or the merge
            mode is unknown.
    """

    def __init__(self, layer, merge_mode="concat", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.RNN) or layer.stateful:
            raise ValueError(
                "`layer` must be a recurrent layer that is not stateful: the way back cannot go on "
                f"from the last batch. Received: layer={layer}"
            )
        self.merge_mode = require_one_of("merge_mode", merge_mode, tuple(MERGES))
        self.supports_masking = True
        self.forward_layer = layer
        config = layer.get_config()
        other_way = {"name": f"backward_{layer.name}", "go_backwards": not layer.go_backwards}
        self.backward_layer = type(layer).from_config({**config, **other_way})

    def build(self, sequences_shape):
        """Build both ways."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(self, sequences, mask=None, training=False, initial_state=None):
        """Read both ways, turn the way back round, and join."""
        if initial_state is not None:
            raise ValueError(
                "`Bidirectional` takes no initial state: both ways start from zeros. "
                f"Received: initial_state={initial_state}"
            )
        forward = self.forward_layer(sequences, mask=mask, training=training)
        backward = self.backward_layer(sequences, mask=mask, training=training)
        states = []
        if self.forward_layer.return_state:
            (forward, *ahead), (backward, *behind) = forward, backward
            states = [*ahead, *behind]
        if self.forward_layer.return_sequences:
            backward = ops.flip(backward, axis=1)
        merged = MERGES[self.merge_mode](forward, backward)
        if not states:
            return merged
        return [*merged, *states] if self.merge_mode is None else [merged, *states]

    def get_config(self):
        """Return the arguments, for saving."""
        layer = keras.saving.serialize_keras_object(self.forward_layer)
        return {**super().get_config(), "layer": layer, "merge_mode": self.merge_mode}

    @classmethod
    def from_config(cls, config):
        """Make the layer from `get_config`."""
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})
