"""What every model that turns one sequence of ids into another shares."""

import keras
from keras import ops

from course_utils import generation
from course_utils._validation import concrete, require_whole


class Translator(keras.Model):
    """An encoder and a decoder, two vocabularies, and the marks before and after a target.

    A kind of translator says in `call`, `start` and `step` how the two work together.
    """

    def __init__(self, encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.source_size = require_whole("source_size", source_size, least=2)
        self.target_size = require_whole("target_size", target_size, least=3)
        self.embedding_dim = require_whole("embedding_dim", embedding_dim)
        self.start_mark, self.end_mark = self._require_marks(start, end)

    def first_tokens(self, source):
        """Return what the first step of generation reads: the start mark, `(batch,)`."""
        return ops.full((len(source),), self.start_mark, dtype="int32")

    def generate(self, source, max_length, **options):
        """Generate a target for each source: `generation.generate` with this model."""
        return generation.generate(self, source, max_length, **options)

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "embedding_dim": self.embedding_dim,
            "start": self.start_mark,
            "end": self.end_mark,
        }

    @classmethod
    def from_config(cls, config):
        """Make the model from `get_config`."""
        parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in ("encoder", "decoder")}
        return cls(**{**config, **parts})

    def _build_parts(self, shapes):
        for part, shape in shapes:
            if not part.built:  # a part that was saved alone has been built when it was loaded
                part.build(*shape)

    def _require_marks(self, start, end):
        marks = [require_whole("start", start), require_whole("end", end)]
        if max(marks) >= self.target_size or start == end:
            raise ValueError(
                f"`start` and `end` must be two ids of the target's vocabulary, from 1 to "
                f"{self.target_size - 1}. Received: start={start}, end={end}"
            )
        return marks

    def _require_start(self, target):
        values = concrete(target)
        if values is not None and (values[:, :1] != self.start_mark).any():
            raise ValueError(
                f"Every target must begin with the start mark, id {self.start_mark}. "
                f"Received: target={values[values[:, 0] != self.start_mark][0].tolist()}"
            )
