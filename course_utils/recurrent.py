"""A state carried through time: a cell is one step, `keras.layers.RNN` repeats it."""

import keras
from keras import ops

from course_utils._validation import require_whole


@keras.saving.register_keras_serializable(package="course_utils")
class SimpleRNNCell(keras.layers.Layer):
    """One step of the simple recurrent network (Elman 1990, "Finding Structure in Time").

        h_t = tanh(x_t W_x + h_{t-1} W_h + b)

    (Goodfellow et al. 2016, "Deep Learning", equations 10.8 and 10.9.)

    Args:
        units: size of the hidden state.
        activation: what bounds the state; the papers use tanh.
        recurrent_initializer: how W_h starts. It decides whether gradients shrink or grow.

    Call:
        inputs: one time step, `(batch, features)`.
        states: the list `[h_{t-1}]`, `(batch, units)`.
        Returns `h_t` as the output and `[h_t]` as the next states.
    """

    def __init__(self, units, activation="tanh", recurrent_initializer="orthogonal", **kwargs):
        super().__init__(**kwargs)
        self.units = require_whole("units", units)
        self.state_size = self.units
        self.activation = keras.activations.get(activation)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape):
        """Make W_x (`kernel`), W_h (`recurrent_kernel`) and b (`bias`)."""
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, self.units), initializer=self.recurrent_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs, states):
        """Go one step: from `x_t` and `h_{t-1}` to `h_t`."""
        (h,) = states
        h = self.activation(
            ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        )
        return h, [h]

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }


class _CarriedCell(keras.layers.RNN):
    """What every recurrent layer of the course shares: one cell, carried over `(batch, time, features)`.

    Call:
        sequences: `(batch, time, features)`.
        initial_state: the states before the first step, each `(batch, units)`; zeros if left out.
        mask: booleans `(batch, time)`, True where a step counts. A step that does not count leaves
            the state as it was. Give it explicitly: nothing is read from the input.

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
        if mask is not None:
            self._require_mask(mask, sequences)
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

    def _require_mask(self, mask, sequences):
        fits = len(mask.shape) == 2 and all(
            had is None or wanted is None or had == wanted
            for had, wanted in zip(mask.shape, sequences.shape[:2], strict=True)
        )
        if not fits or keras.backend.standardize_dtype(mask.dtype) != "bool":
            raise ValueError(
                f"`mask` must be boolean with shape (batch, time) = {tuple(sequences.shape[:2])}. "
                f"Received: mask={keras.backend.standardize_dtype(mask.dtype)}{tuple(mask.shape)}"
            )

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
        return_sequences: return the state after every step, `(batch, time, units)`,
            instead of the last one, `(batch, units)`.
        return_state: return the last state as well.
        go_backwards: read from the last step to the first.
        stateful: start each batch from where the last one stopped.
    """

    def __init__(self, units, activation="tanh", recurrent_initializer="orthogonal", **kwargs):
        cell = SimpleRNNCell(units, activation, recurrent_initializer, dtype=kwargs.get("dtype"))
        super().__init__(cell, **kwargs)
