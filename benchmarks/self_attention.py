"""Time attention of many heads beside Keras' own, and generation with a KV cache beside without.

python -m benchmarks.self_attention 7
"""

import json
import statistics
import sys

import course_utils  # noqa: F401  (before the others: it starts TensorFlow without a word)

# isort: split
import keras
import numpy as np
import tensorflow as tf

from benchmarks.worker import timed
from course_utils import LanguageModel, MultiHeadAttention, TransformerDecoder, causal_mask

SIZES = {
    "B32 T40 D64, 4 heads": {"batch": 32, "time": 40, "dim": 64, "heads": 4},
    "B16 T256 D128, 8 heads": {"batch": 16, "time": 256, "dim": 128, "heads": 8},
}
TEXT = {"prompts": 64, "prompt_time": 16, "written": 48, "dim": 64, "heads": 4, "vocabulary": 64}


def layer_steps(kind, mask_name, batch, time, dim, heads):
    """Return what is timed of a layer: a training step and inference, compiled as `fit` does.

    Args:
        kind: the class of the layer, ours or Keras'.
        mask_name: what it calls its mask.
        batch, time, dim, heads: sizes; the sequence looks at itself and sees no future.
    """
    rng = np.random.default_rng(0)
    inputs, targets = (tf.constant(rng.normal(size=(batch, time, dim)), "float32") for _ in range(2))
    layer = kind(heads, dim // heads)
    mask = {mask_name: causal_mask(time, time)}
    layer(inputs, inputs, **mask)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(layer.trainable_variables)

    @tf.function
    def train(inputs, targets):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(inputs, inputs, training=True, **mask) - targets))
        optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
        return loss

    infer = tf.function(lambda inputs: layer(inputs, inputs, **mask))
    return {
        "training step": lambda: train(inputs, targets).numpy(),
        "inference": lambda: infer(inputs).numpy(),
    }


class FullPass:
    """Greedy generation that keeps nothing: the whole text is read again for every token."""

    def __init__(self, model):
        self.next_logits = tf.function(lambda ids, last: model(ids)[:, last])

    def generate(self, prompts, max_length):
        """Write so many tokens after each prompt, all of one length."""
        read = prompts.shape[1]
        text = np.pad(prompts, ((0, 0), (0, max_length)))
        for position in range(read, read + max_length):
            logits = self.next_logits(tf.constant(text), tf.constant(position - 1)).numpy()
            text[:, position] = 1 + logits[:, 1:].argmax(axis=-1)  # padding is no token
        return text[:, read:]


def writer(dim, heads, vocabulary):
    """Return a language model of two blocks that never ends a text."""
    model = LanguageModel(TransformerDecoder(2, heads, 4 * dim, cross=False), vocabulary, dim)
    model.build((None, None))
    return model


def measure(rounds, sizes=SIZES, text=TEXT):
    """Time everything in turns.

    Returns:
        Two lists: the seconds (CPU of all cores, clock) by size, by what is done and by whose layer; and the
        seconds by the way of generation and its tokens. All are medians of the rounds.
    """
    kinds = {
        "ours": (MultiHeadAttention, "mask"),
        "keras": (keras.layers.MultiHeadAttention, "attention_mask"),
    }
    done = {}
    for name, size in sizes.items():
        for whose, kind in kinds.items():
            for what, function in layer_steps(*kind, **size).items():
                done[name, what, whose] = function
    model = writer(text["dim"], text["heads"], text["vocabulary"])
    shape = text["prompts"], text["prompt_time"]
    prompts = np.random.default_rng(0).integers(1, text["vocabulary"], size=shape)
    full = FullPass(model)
    longer = [times * text["written"] for times in (1, 2, 4)]
    written = {("a KV cache", each): lambda each=each: model.generate(prompts, each) for each in longer}
    written["the full pass for every token", longer[0]] = lambda: full.generate(prompts, longer[0])
    for function in (*done.values(), *written.values()):
        function(), function()  # tracing is over
    seconds = {name: [] for name in (*done, *written)}
    for _ in range(rounds):
        for name, function in {**done, **written}.items():
            seconds[name].append(timed(function, 10 if name in done else 1))
    median = {
        name: {kind: statistics.median(each[kind] for each in times) for kind in ("cpu", "wall")}
        for name, times in seconds.items()
    }
    return [[*name, median[name]] for name in done], [[*name, median[name]["wall"]] for name in written]


def main(arguments, **sizes):
    """Print what was measured in so many rounds, as JSON."""
    print(json.dumps(measure(int(arguments[0]), **sizes)))


if __name__ == "__main__":
    main(sys.argv[1:])
