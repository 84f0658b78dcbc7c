"""The choice of how a recurrent layer carries its states: by its cell, in a block, or compiled."""

import functools

import keras
from keras import ops

from course_utils import bptt

PAYS_AFTER = 400  # steps of training, to make up for the second that tracing and compiling take
# Up to so many multiplications a step TensorFlow's block of an LSTM is faster than a loop. With more, it
# spreads each product over all cores, which costs more than it saves.
BLOCK_PRODUCTS = 1.4e6
USUAL_BATCH = 64  # where the batch is not known


@keras.saving.register_keras_serializable(package="course_utils")
class FusedRNN(keras.layers.RNN):
    """`keras.layers.RNN`, which carries our cells by `bptt` where that is faster.

    Args:
        cell: any cell.
        fused: "auto" where it is faster, False for never, True for always: then it must be possible.
        **options: as `keras.layers.RNN` takes them.

    Raises:
        ValueError: `fused` is something else, or it is True and the cell, the type, an option, the backend
            or the device stands against it.
    """

    def __init__(self, cell, fused="auto", **options):
        super().__init__(cell, **options)
        if not isinstance(fused, bool) and not (isinstance(fused, str) and fused == "auto"):
            raise ValueError(f'`fused` must be "auto", True or False. Received: fused={fused!r}')
        self.fused, self.many_steps = fused, False
        if fused is True and (reason := why_not(self, self._recurrence())):
            raise ValueError(f"`fused=True` is not possible: {reason}. Received: fused=True, cell={cell}")

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Carry the states over all steps: by hand or by the cell."""
        plain = functools.partial(super().inner_loop, sequences, initial_state, mask, training)
        recurrence = self.fused and self._recurrence()
        if not recurrence or why_not(self, recurrence):
            return plain()
        return run(self, recurrence, plain, sequences, initial_state, mask, training)

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), "fused": self.fused}

    def _recurrence(self):
        """Return the recurrence that goes the steps of the cell: a cell whose step is replaced has none."""
        its_own = "recurrence" in vars(type(self.cell)) and not {"call", "gates"} & vars(self.cell).keys()
        return self.cell.recurrence if its_own else None


def expect(model, steps):
    """Say how many steps of training are to come: then a model's layers compile, or not.

    Args:
        model: a Keras model.
        steps: of training, on batches of one shape.

    Returns:
        Whether that changes anything, so that what was traced before is to be traced anew.
    """
    many = steps >= PAYS_AFTER
    others = [
        each for each in model._flatten_layers() if isinstance(each, FusedRNN) and each.many_steps != many
    ]
    for layer in others:
        layer.many_steps = many
    return bool(others)


def why_not(layer, recurrence):
    """Say why the recurrence of a layer cannot be carried here, or return None where it can.

    Args:
        layer: a `keras.layers.RNN`.
        recurrence: the one that goes the same steps as its cell, or None.
    """
    if keras.backend.backend() != "tensorflow":
        return "the backend is not TensorFlow"
    if recurrence is None:
        return "the cell's step is none of those whose gradient is written by hand"
    if layer.compute_dtype != "float32":
        return f"it computes in {layer.compute_dtype}, not in float32"
    if layer.unroll:
        return "it is unrolled"
    import tensorflow as tf

    return "there is a GPU, where Keras' layers are faster" if tf.config.get_visible_devices("GPU") else None


def run(layer, recurrence, plain, sequences, states, mask, training):
    """Carry the states of a layer over its sequences, in the way that is fastest here.

    A small LSTM goes through TensorFlow's block, a larger one through Keras' loop over the cell. The others
    are carried by hand and compiled in training where many steps are to come, and else by the cell.

    Args:
        layer: a `FusedRNN` with a built cell, whose `fused` is True or "auto".
        recurrence: the one that goes the same steps as its cell.
        plain: carries the states by the cell; called without arguments.
        sequences: `(batch, time, features)`.
        states: the list of the states before the first step.
        mask: booleans `(batch, time)`, or None.
        training: whether this is a step of training.

    Returns:
        As `keras.layers.RNN.inner_loop`: the last output, all outputs (without
        `return_sequences` the last alone), and the list of the last states.
    """
    import tensorflow as tf

    if layer.go_backwards:
        sequences, mask = ops.flip(sequences, axis=1), None if mask is None else ops.flip(mask, axis=1)

    def in_loops(compiled):
        return _outputs(layer, *_in_loops(layer, recurrence, compiled, sequences, states, mask), mask)

    in_graph = not tf.executing_eagerly()
    if in_graph and _compiles_all(tf.compat.v1.get_default_graph()):
        return in_loops(compiled=False)  # what is around them compiles them, and has no block
    if recurrence is bptt.LSTM and _is_small(layer.cell, sequences):
        return _outputs(layer, *_in_block(layer, sequences, states, mask), mask)
    if layer.fused is True:
        return in_loops(compiled=in_graph)
    if recurrence is bptt.LSTM or not (layer.many_steps and training and in_graph):
        return plain()
    return plain() if tf.distribute.has_strategy() else in_loops(compiled=True)


def _is_small(cell, sequences):
    """Say whether a step of an LSTM has so few multiplications that the block is the faster way."""
    batch, _, features = sequences.shape
    return (batch or USUAL_BATCH) * (features + cell.units) * 4 * cell.units <= BLOCK_PRODUCTS


def _compiles_all(graph):
    """Say whether a graph is part of what XLA compiles as a whole, as under `jit_compile=True`."""
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return GraphOrParentsInXlaContext(graph)


def _in_loops(layer, recurrence, compiled, sequences, states, mask):
    """Return all outputs, if the layer gives them, and the last states."""
    cell, (bias, bias_of_state) = layer.cell, _biases(layer.cell)
    x = ops.transpose(sequences, (1, 0, 2))
    steps, batch, features = ops.shape(x)
    x = ops.matmul(ops.reshape(x, (-1, features)), cell.kernel) + bias
    x = ops.reshape(x, (steps, batch, x.shape[-1]))
    mask = None if mask is None else ops.transpose(mask)[..., None]
    kernel = cell.recurrent_kernel + 0.0  # a tensor: a variable would want a gradient of its own
    stack, last = bptt.carry(recurrence, compiled, x, states, kernel, bias_of_state, mask)
    return ops.transpose(stack, (1, 0, 2)) if layer.return_sequences else None, last


def _in_block(layer, sequences, states, mask):
    """Return the same from TensorFlow's block, which takes no mask: it reads the steps that count first."""
    cell = layer.cell
    if mask is not None:
        order = ops.argsort(ops.cast(~mask, "int32"), axis=1)
        sequences = _at(sequences, order)
    kernel = ops.concatenate([cell.kernel, cell.recurrent_kernel], axis=0)
    bias, _ = _biases(cell)
    stacks = bptt.block_lstm(ops.transpose(sequences, (1, 0, 2)), kernel, bias, states)
    if mask is None:
        outputs = ops.transpose(stacks[0], (1, 0, 2)) if layer.return_sequences else None
        return outputs, [stack[-1] for stack in stacks]
    pairs = zip(states, stacks, strict=True)
    stacks = [
        ops.concatenate([first[:, None], ops.transpose(stack, (1, 0, 2))], axis=1) for first, stack in pairs
    ]
    count = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    last = [_at(stack, count[:, -1:])[:, 0] for stack in stacks]
    return _at(stacks[0], count) if layer.return_sequences else None, last


def _outputs(layer, outputs, last, mask):
    """Return what `inner_loop` does: as in Keras', nothing comes out before the first step that counts."""
    if mask is not None:
        counts = mask if layer.zero_output_for_mask else ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
    if outputs is None:
        outputs = last[0][:, None] if mask is None else ops.where(counts[:, -1:, None], last[0][:, None], 0.0)
    elif mask is not None:
        outputs = ops.where(counts[..., None], outputs, 0.0)
    return outputs[:, -1], outputs, list(last)


def _biases(cell):
    """Return the bias that joins the inputs and the one that joins the state, `(width,)` each."""
    width = cell.kernel.shape[1]
    rows = ops.reshape(cell.bias, (-1, width)) if cell.use_bias else ops.zeros((2, width))
    return rows[0], rows[1] if rows.shape[0] == 2 else ops.zeros((width,))


def _at(steps, order):
    import tensorflow as tf

    return tf.gather(steps, order, axis=1, batch_dims=1)
