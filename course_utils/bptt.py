"""Backpropagation through time: the recurrences of the cells, with their gradients written by hand.

(Werbos 1990, "Backpropagation Through Time".) Each recurrence goes one `step` forwards and one step `back`;
`carry` repeats both over time. The loops are TensorFlow's, and XLA may compile them.
"""

import functools

import keras
from keras import ops

SLOPES = {  # of an activation, from its output
    "tanh": lambda h: 1 - h * h,
    "sigmoid": lambda h: h * (1 - h),
    "relu": lambda h: ops.cast(h > 0, h.dtype),
    "linear": ops.ones_like,
}


class _Recurrence:
    """A step forwards and a step back.

    `step` returns the new states, and what the way back needs of it. `back` returns the gradients of the
    states before it, of `x` and of `h R`.
    """

    def kernel_gradient(self, h, saved, da):
        """Return the gradient of `R`, from all steps at once."""
        return _sum_of_products(h, da)


class _SimpleRNN(_Recurrence):
    """h' = f(x + h R)."""

    saves = 1  # tensors that a step keeps for the way back

    def __init__(self, activation="tanh"):
        self.activation = keras.activations.get(activation)
        self.slope = SLOPES[activation]

    def step(self, x, states, R, b):
        (h,) = states
        h = self.activation(x + ops.matmul(h, R))
        return [h], (h,)

    def back(self, dstates, states, saved, R_T):
        (dh,), (h,) = dstates, saved
        da = dh * self.slope(h)
        return [ops.matmul(da, R_T)], da, da


class _LSTM(_Recurrence):
    """c' = f c + i g,  h' = o tanh(c'),  with i, f, g, o from x + h R."""

    saves = 5

    def step(self, x, states, R, b):
        h, c = states
        i, f, g, o = ops.split(x + ops.matmul(h, R), 4, axis=-1)
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        t = ops.tanh(c)
        return [o * t, c], (i, f, g, o, t)

    def back(self, dstates, states, saved, R_T):
        (dh, dc), (_, c), (i, f, g, o, t) = dstates, states, saved
        dc = dc + dh * o * (1 - t * t)
        da = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]
        da = ops.concatenate(da, axis=-1)
        return [ops.matmul(da, R_T), dc * f], da, da


class _GRU(_Recurrence):
    """h' = z h + (1 - z) g,  with z and r from x + h R + b, and g = tanh(x + r (h R + b))."""

    saves = 4

    def step(self, x, states, R, b):
        (h,) = states
        x_z, x_r, x_g = ops.split(x, 3, axis=-1)
        h_z, h_r, h_g = ops.split(ops.matmul(h, R) + b, 3, axis=-1)
        z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
        g = ops.tanh(x_g + r * h_g)
        return [z * h + (1 - z) * g], (z, r, g, h_g)

    def back(self, dstates, states, saved, R_T):
        (dh,), (h,), (z, r, g, h_g) = dstates, states, saved
        dz = dh * (h - g) * z * (1 - z)
        dg = dh * (1 - z) * (1 - g * g)
        dr = dg * h_g * r * (1 - r)
        da = ops.concatenate([dz, dr, dg * r], axis=-1)
        return [dh * z + ops.matmul(da, R_T)], ops.concatenate([dz, dr, dg], axis=-1), da


class _GRUResetBefore(_Recurrence):
    """The same with g = tanh(x + (r h) R)."""

    saves = 3

    def step(self, x, states, R, b):
        (h,) = states
        x_z, x_r, x_g = ops.split(x, 3, axis=-1)
        w_z, w_r, w_g = ops.split(R, 3, axis=-1)
        z, r = ops.sigmoid(x_z + ops.matmul(h, w_z)), ops.sigmoid(x_r + ops.matmul(h, w_r))
        g = ops.tanh(x_g + ops.matmul(r * h, w_g))
        return [z * h + (1 - z) * g], (z, r, g)

    def back(self, dstates, states, saved, R_T):
        (dh,), (h,), (z, r, g) = dstates, states, saved
        w_zr, w_g = ops.split(R_T, [2 * h.shape[-1]])
        dz = dh * (h - g) * z * (1 - z)
        dg = dh * (1 - z) * (1 - g * g)
        drh = ops.matmul(dg, w_g)
        dr = drh * h * r * (1 - r)
        da = ops.concatenate([dz, dr, dg], axis=-1)
        dh = dh * z + drh * r + ops.matmul(ops.concatenate([dz, dr], axis=-1), w_zr)
        return [dh], da, da

    def kernel_gradient(self, h, saved, da):
        _, r, _ = saved
        dz, dr, dg = ops.split(da, 3, axis=-1)
        return ops.concatenate(
            [_sum_of_products(h, dz), _sum_of_products(h, dr), _sum_of_products(r * h, dg)], axis=-1
        )


simple_rnn = functools.cache(_SimpleRNN)  # one for each activation: what XLA has compiled belongs to it
LSTM, GRU, GRU_RESET_BEFORE = _LSTM(), _GRU(), _GRUResetBefore()


def carry(recurrence, compiled, x, states, R, b, mask=None):
    """Carry the states over all steps, with a gradient that goes back over them.

    Args:
        recurrence: one of those above.
        compiled: whether XLA compiles both ways, which it does once for each shape.
        x: what the inputs add to each step, `(time, batch, width)`.
        states: the states before the first step, `(batch, units)` each.
        R, b: the recurrent kernel, `(units, width)`, and the bias beside it, `(width,)`; `GRU` alone reads
            that, the others take zeros.
        mask: booleans `(time, batch, 1)`: where it is False, the states stay as they are.

    Returns:
        The first state after every step, `(time, batch, units)`, and the list of the last states.
    """
    ways = _forward, _backward
    forward, backward = (
        _compiled(way, recurrence) if compiled else functools.partial(way, recurrence) for way in ways
    )

    def fast(x, R, b, *states):
        last, stacks, saved = forward(x, states, R, b, mask)

        def gradient(dstack, *dlast):
            before = [_before(first, stack) for first, stack in zip(states, stacks, strict=True)]
            dfirst, dx, da = backward(dstack, dlast, before, saved, R, mask)
            return dx, recurrence.kernel_gradient(before[0], saved, da), ops.sum(da, axis=(0, 1)), *dfirst

        return (stacks[0], *last), gradient

    def plain(x, R, b, *states):
        last, (stack, *_), _ = _forward(recurrence, x, states, R, b, mask)
        return (stack, *last)

    stack, *last = _with_gradient(fast, plain)(x, R, b, *states)
    return stack, last


def _forward(recurrence, x, states, R, b, mask):
    def step(given, states):
        x, *mask = given
        new, saved = recurrence.step(x, states, R, b)
        new = [ops.where(*mask, each, old) for each, old in zip(new, states, strict=True)] if mask else new
        return new, (*new, *saved)

    given = [x] if mask is None else [x, mask]
    last, stacks = _loop(step, given, list(states), len(states) + recurrence.saves)
    return last, stacks[: len(states)], stacks[len(states) :]


def _backward(recurrence, dstack, dlast, before, saved, R, mask):
    R_T = ops.transpose(R)
    count, saves = len(before), len(before) + len(saved)

    def step(given, dstates):
        dout, *given = given
        dstates = [dstates[0] + dout, *dstates[1:]]
        states, saved, mask = given[:count], given[count:saves], given[saves:]
        new, dx, da = recurrence.back(dstates, states, saved, R_T)
        if mask:
            new = [ops.where(*mask, each, old) for each, old in zip(new, dstates, strict=True)]
            dx, da = (ops.where(*mask, each, 0.0) for each in (dx, da))
        return new, (dx, da)

    given = [dstack, *before, *saved, *([] if mask is None else [mask])]
    dfirst, (dx, da) = _loop(step, given, list(dlast), 2, backwards=True)
    return dfirst, dx, da


def _loop(step, given, states, outputs, backwards=False):
    """Go over all steps: return the last states, and each output of the steps as one tensor.

    Args:
        step: takes what is given at this step and the states; returns new states, and the outputs.
        given: tensors `(time, ...)`.
        states: before the first step.
        outputs: how many outputs there are.
        backwards: go from the last step to the first.
    """
    import tensorflow as tf

    steps = ops.shape(given[0])[0]
    given = [tf.TensorArray(each.dtype, steps, element_shape=each.shape[1:]).unstack(each) for each in given]
    arrays = [tf.TensorArray(states[0].dtype, steps) for _ in range(outputs)]

    def body(t, states, arrays):
        at = steps - 1 - t if backwards else t
        states, out = step([each.read(at) for each in given], states)
        return t + 1, states, [array.write(at, each) for array, each in zip(arrays, out, strict=True)]

    _, states, arrays = tf.while_loop(
        lambda t, *_: t < steps, body, (0, states, arrays), maximum_iterations=steps
    )
    return states, [array.stack() for array in arrays]


@functools.cache
def _compiled(way, recurrence):
    """Return one of both ways as XLA compiles it: the same for all layers, so that a shape costs once."""
    import tensorflow as tf

    return tf.function(functools.partial(way, recurrence), jit_compile=True, autograph=False)


def block_lstm(x, kernel, bias, states):
    """Carry an LSTM over all steps in TensorFlow's block, whose registered gradient is of another version.

    Args:
        x: the inputs, `(time, batch, features)`.
        kernel: input kernel above recurrent kernel, `(features + units, 4 * units)`.
        bias: `(4 * units,)`.
        states: `h` and `c` before the first step, `(batch, units)` each.

    Returns:
        `h` and `c` after every step, `(time, batch, units)` each.
    """
    import tensorflow as tf

    no_peephole = tf.zeros([bias.shape[0] // 4], x.dtype)
    fixed = {"seq_len_max": tf.cast(tf.shape(x)[0], "int64"), "use_peephole": False}
    fixed |= dict.fromkeys(("wci", "wcf", "wco"), no_peephole)

    def fast(x, kernel, bias, h, c):
        given = {**fixed, "x": x, "w": kernel, "b": bias, "h_prev": h, "cs_prev": c}
        out = tf.raw_ops.BlockLSTMV2(**given, cell_clip=0.0)

        def gradient(dh, dc):
            back = tf.raw_ops.BlockLSTMGradV2(**given, **out._asdict(), h_grad=dh, cs_grad=dc)
            return back.x_grad, back.w_grad, back.b_grad, back.h_prev_grad, back.cs_prev_grad

        return (out.h, out.cs), gradient

    def plain(x, kernel, bias, h, c):
        features = x.shape[-1]
        x = ops.einsum("tbf,fu->tbu", x, kernel[:features]) + bias
        _, stacks, _ = _forward(LSTM, x, [h, c], kernel[features:], None, None)
        return tuple(stacks)

    return _with_gradient(fast, plain)(x, kernel, bias, *states)


def _with_gradient(fast, plain):
    """Return a function with the value and the gradient of one and the second gradient of another.

    Args:
        fast: returns outputs and the function that gives the gradients of its arguments from those of them.
        plain: returns the same outputs, by operations that can be differentiated as often as one likes.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def function(*arguments):
        outputs, back = fast(*map(tf.stop_gradient, arguments))
        count = len(arguments)

        @tf.custom_gradient
        def gradient(*given):
            def second(*upstream):
                with tf.GradientTape() as outer:
                    outer.watch(given)
                    with tf.GradientTape() as inner:
                        inner.watch(given[:count])
                        again = plain(*given[:count])
                    first = inner.gradient(again, given[:count], given[count:], ZERO)
                return outer.gradient(first, given, upstream, ZERO)

            return back(*map(tf.stop_gradient, given[count:])), second

        return outputs, lambda *dout: gradient(*arguments, *dout)

    ZERO = tf.UnconnectedGradients.ZERO
    return function


def _before(first, stack):
    return ops.concatenate([first[None], stack[:-1]], axis=0)


def _sum_of_products(a, b):
    return ops.matmul(ops.transpose(ops.reshape(a, (-1, a.shape[-1]))), ops.reshape(b, (-1, b.shape[-1])))
