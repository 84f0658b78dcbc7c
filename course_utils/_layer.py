"""What our layers and models have beyond those of Keras."""

import keras

from course_utils._validation import NamedArguments


class InferredShapes:
    """Infers the shapes of the outputs from the call, so that no layer has to say them a second time.

    In a functional model all inputs count as dense. Keras marks a symbolic tensor times a
    number, such as `embedding(ids) * 8`, as sparse, which it is not, and no product takes a sparse tensor.
    """

    def compute_output_spec(self, *args, **kwargs):
        """Infer the shapes and types of the outputs."""
        args, kwargs = keras.tree.map_structure(_dense, (args, kwargs))
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def compute_output_shape(self, *shapes, **named_shapes):
        """Infer the shapes of the outputs from those of the inputs.

        Args:
            *shapes, **named_shapes: the shape of each argument of the call, in their order or as
                `<argument>_shape`.
        """
        layer = self if self.built else type(self).from_config(self.get_config())
        named = {name.removesuffix("_shape"): shape for name, shape in named_shapes.items() if shape}
        inputs, named = _symbolic(list(shapes), self.compute_dtype), _symbolic(named, self.compute_dtype)
        return keras.tree.map_structure(lambda output: output.shape, layer(*inputs, **named))


class Layer(NamedArguments, InferredShapes, keras.layers.Layer):
    """The layer that all of ours are but recurrent ones and cells, which are of Keras' own kinds."""

    arguments = ()  # the names of what the constructor takes and an attribute holds

    def get_config(self):
        """Return the arguments, for saving."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.arguments}}


def attached_mask(tensor):
    """Return the mask that a layer has attached to its output, or None."""
    return getattr(tensor, "_keras_mask", None)


def _dense(given):
    if isinstance(given, keras.KerasTensor) and given.sparse:
        return keras.KerasTensor(given.shape, given.dtype)
    return given


def _symbolic(shapes, dtype):
    """Return tensors in the place of shapes, however they are nested."""
    if isinstance(shapes, dict):
        return {name: _symbolic(shape, dtype) for name, shape in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return keras.KerasTensor(shapes, dtype)
    return [_symbolic(shape, dtype) for shape in shapes]
