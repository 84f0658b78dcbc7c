"""What the first training step would create is created before it, so that TensorFlow traces the step once.

A function that creates variables is traced twice, which for a stack of blocks takes longer than its training
in a lesson.
"""

import keras


class VariablesFirst(keras.callbacks.Callback):
    """Creates the variables of the model, its metrics and its optimizer when the training begins.

    What is learnt stays the same to the last bit.

    Args:
        inputs: of the training; some rows of them are read once.
        labels: of these inputs.
        rows: how many are read.
    """

    def __init__(self, inputs, labels, rows):
        super().__init__()
        self.given, self.rows = (inputs, labels), rows

    def on_train_begin(self, logs=None):  # noqa: ARG002
        """Read some rows as in inference, measure them, and take back what that has changed."""
        inputs, labels = keras.tree.map_structure(lambda array: array[: self.rows], self.given)
        if not self.model.built:
            self.model(keras.tree.map_structure(_symbol, inputs))
        before = [(variable, variable.numpy()) for variable in self.model.non_trainable_variables]
        self.model.compute_metrics(inputs, labels, self.model(inputs))
        self.model.reset_metrics()
        self.model.optimizer.build(self.model.trainable_variables)
        for variable, value in before:
            variable.assign(value)


def _symbol(array):
    """Stand for an array in a model that is built but not run: nothing counts this as a reading."""
    return keras.KerasTensor(array.shape, keras.backend.standardize_dtype(array.dtype))
