"""The layer that all of ours are but recurrent ones and cells, which are of Keras' own kinds."""

import keras


class Layer(keras.layers.Layer):
    """Keras' layer, but for one thing: to a model that is put together it takes its inputs for dense.

    Keras marks a symbolic tensor times a number, such as `embedding(ids) * 8`, as sparse, which it is not,
    and no product takes a sparse tensor.
    """

    def compute_output_spec(self, *args, **kwargs):
        """Infer the shapes and types of the outputs."""
        args, kwargs = keras.tree.map_structure(_dense, (args, kwargs))
        return super().compute_output_spec(*args, **kwargs)


def _dense(given):
    if isinstance(given, keras.KerasTensor) and given.sparse:
        return keras.KerasTensor(given.shape, given.dtype)
    return given
