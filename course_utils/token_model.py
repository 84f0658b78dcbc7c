"""What every model that reads and writes ids shares."""

import keras

from course_utils import generation
from course_utils._layer import InferredShapes


class TokenModel(InferredShapes, keras.Model):
    """A model that reads ids, names the next token and generates."""

    def generate(self, source, max_length, **options):
        """Generate what follows each source: `generation.generate` with this model."""
        return generation.generate(self, source, max_length, **options)

    def sample(self, source, max_length, **options):
        """Draw what follows each source: `generation.sample` with this model."""
        return generation.sample(self, source, max_length, **options)

    def export(self, filepath, *args, input_signature=None, **kwargs):
        """Export as `keras.Model.export` does; what is exported reads ids of every batch size and length."""
        signature = [keras.tree.map_structure(lambda _: _any_ids(), self.reads)]
        super().export(filepath, *args, input_signature=input_signature or signature, **kwargs)


def _any_ids():
    return keras.InputSpec("int32", (None, None))


def logits_layer(size, dtype):
    """Return the layer that names the next token; a softmax needs the digits of float32 at least."""
    return keras.layers.Dense(size, dtype=keras.backend.result_type(dtype, "float32"))
