"""What every model that turns one sequence of ids into another shares."""

import keras
from keras import ops

from course_utils._validation import concrete, require_flag, require_ids, require_tensor, require_whole
from course_utils.token_model import TokenModel
from course_utils.vocabulary import END, START, Vocabulary


class Translator(TokenModel):
    """An encoder and a decoder, two vocabularies, and the marks before and after a target.

    Where the vocabularies themselves are given and not their sizes, it translates texts, and they are saved
    with it. A kind of translator says in `call`, `start` and `step` how the two work together.
    """

    reads = ["source", "target"]  # noqa: RUF012

    def __init__(self, encoder, decoder, source_size, target_size, embedding_dim, start, end, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.source_vocabulary, self.source_size = _vocabulary_and_size("source_size", source_size, least=2)
        self.target_vocabulary, self.target_size = _vocabulary_and_size("target_size", target_size, least=3)
        self.embedding_dim = require_whole("embedding_dim", embedding_dim)
        self.start_mark, self.end_mark = self._require_marks(start, end)

    def __call__(self, inputs, *args, **kwargs):
        """Call the model on ids, of the source and of the target."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) != len(self.reads):
            raise ValueError(
                f"`inputs` must be the ids of the source and of the target. Received: inputs={inputs!r:.80}"
            )
        for name, ids in zip(self.reads, inputs, strict=True):
            require_tensor(name, ids)
        require_ids(**dict(zip(self.reads, inputs, strict=True)))
        require_flag("return_attention_scores", kwargs.get("return_attention_scores", False))
        return super().__call__(inputs, *args, **kwargs)

    def first_tokens(self, source):
        """Return what the first step of generation reads: the start mark, `(batch,)`."""
        return ops.full((len(source),), self.start_mark, dtype="int32")

    def translate(self, texts, max_length=None, beam_width=1, divide_by_length=False):
        """Translate texts.

        Args:
            texts: a list of strings, which the source's vocabulary can split.
            max_length: tokens after which a translation stops; by default ten more than twice as many as
                the longest text has.
            beam_width, divide_by_length: as in `generation.generate`.

        Returns:
            A list of strings.

        Raises:
            ValueError: the model was made without vocabularies, the texts are no list of strings, or a token
                is not in the vocabulary and there is no mark for unknown ones.
        """
        if not (self.source_vocabulary and self.target_vocabulary):
            raise ValueError(
                "`translate` needs a model that was made with a `Vocabulary` for source and target. "
                f"Received: source_size={self.source_size}, target_size={self.target_size}"
            )
        if isinstance(texts, str) or not hasattr(texts, "__iter__"):
            raise ValueError(f"`texts` must be a list of strings. Received: texts={texts!r}")
        source = self.source_vocabulary.encode([self.source_vocabulary.split(text) for text in texts])
        length = 2 * source.shape[1] + 10 if max_length is None else max_length
        target = self.generate(source, length, beam_width=beam_width, divide_by_length=divide_by_length)
        sentences = [self.target_vocabulary.decode(ids, marks=False) for ids in target]
        return [self.target_vocabulary.join(sentence) for sentence in sentences]

    def get_config(self):
        """Return the arguments, for saving."""
        source, target = self.source_vocabulary, self.target_vocabulary
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "source_size": source.get_config() if source else self.source_size,
            "target_size": target.get_config() if target else self.target_size,
            "embedding_dim": self.embedding_dim,
            "start": self.start_mark,
            "end": self.end_mark,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the model from `get_config`."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("encoder", "decoder")
        }
        for name in ("source_size", "target_size"):
            if isinstance(config[name], dict):
                parts[name] = Vocabulary(**config[name])
        return cls(**{**config, **parts})

    def require_inputs(self, source, target):  # noqa: ARG002  (`__call__` has looked at the pair)
        """Refuse targets that do not begin with the start mark."""
        values = concrete(target)
        if values is not None and (values[:, :1] != self.start_mark).any():
            raise ValueError(
                f"Every target must begin with the start mark, id {self.start_mark}. "
                f"Received: target={values[values[:, 0] != self.start_mark][0].tolist()}"
            )

    def require_built(self, source):
        """Build every part for the source, where the model was never called."""
        require_ids(source=source)
        if not self.built:
            self.build([tuple(source.shape), (source.shape[0], None)])

    def _build_parts(self, shapes):
        for part, shape in shapes:
            if not part.built:  # a part that was saved alone has been built when it was loaded
                part.build(*shape)

    def _require_marks(self, start, end):
        own = self._marks_of_the_vocabulary()
        given = [own[0] if start is None else start, own[1] if end is None else end]
        marks = [require_whole(name, mark) for name, mark in zip(("start", "end"), given, strict=True)]
        if max(marks) >= self.target_size or marks[0] == marks[1]:
            raise ValueError(
                f"`start` and `end` must be two ids of the target's vocabulary, from 1 to "
                f"{self.target_size - 1}. Received: start={marks[0]}, end={marks[1]}"
            )
        if self.target_vocabulary and marks != own:
            raise ValueError(
                f"`start` and `end` must be the ids of the vocabulary's own marks, {own}, or left out. "
                f"Received: start={start}, end={end}"
            )
        return marks

    def _marks_of_the_vocabulary(self):
        if self.target_vocabulary is None:
            return [1, 2]
        missing = {START, END} - set(self.target_vocabulary.marks)
        if missing:
            raise ValueError(
                f"The target's vocabulary needs the marks {START} and {END}. "
                f"Received: marks={self.target_vocabulary.marks}"
            )
        return [self.target_vocabulary.ids[mark] for mark in (START, END)]


def _vocabulary_and_size(name, given, least):
    if isinstance(given, Vocabulary):
        return given, len(given)
    return None, require_whole(name, given, least)
