"""The same model and the same fit on two devices: one step there equals one step on one."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import keras
import numpy as np
import pytest

from course_utils import (
    Decoder,
    Encoder,
    GRUCell,
    LuongAttention,
    Seq2Seq,
    Transformer,
    TransformerDecoder,
    TransformerEncoder,
    lesson,
)

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(0)
SOURCE = RNG.integers(3, 9, size=(8, 5))
TARGET = np.concatenate([np.ones((8, 1), int), RNG.integers(3, 8, size=(8, 5))], axis=1)


def transformer():
    return Transformer(TransformerEncoder(1, 2, 8), TransformerDecoder(1, 2, 8), 9, 8, embedding_dim=6)


def recurrent():
    decoder = Decoder(GRUCell, 6, attention=LuongAttention("general"))
    return Seq2Seq(Encoder(GRUCell, 6), decoder, 9, 8, embedding_dim=6)


def weights_after_one_step(make, target, strategy):
    with strategy.scope():
        lesson.seed()
        model = make()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
        model.compile(keras.optimizers.SGD(0.5), loss)
        model.build([(None, None), (None, None)])
        before = model.get_weights()
    model.fit((SOURCE, target[:, :-1]), target[:, 1:], batch_size=8, epochs=1, shuffle=False, verbose=0)
    return before, model.get_weights()


def furthest_apart(make, padded):
    """Take the same step on two devices and on one; return how far apart the weights are, and how they moved.

    Args:
        make: makes the model.
        padded: in which rows the last three tokens are padding.
    """
    lesson.start(devices=2)
    import tensorflow as tf

    target = TARGET.copy()
    target[padded, 3:] = 0
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    two = tf.distribute.MirroredStrategy(devices, tf.distribute.HierarchicalCopyAllReduce())
    assert two.num_replicas_in_sync == 2
    before, after_two = weights_after_one_step(make, target, two)
    same, after_one = weights_after_one_step(make, target, tf.distribute.get_strategy())
    assert all(np.array_equal(each, other) for each, other in zip(before, same, strict=True))

    def furthest(ones, others):
        return max(float(np.abs(one - other).max()) for one, other in zip(ones, others, strict=True))

    return furthest(after_one, after_two), furthest(before, after_one)


@pytest.fixture(name="elsewhere", scope="module")
def _elsewhere():
    """A process of its own: devices are made before TensorFlow's first op, and here many have run."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        yield lambda *arguments: process.submit(furthest_apart, *arguments).result(timeout=240)


@pytest.mark.parametrize("make", [transformer, recurrent])
def test_one_step_on_two_devices_equals_one_step_on_one(make, elsewhere):
    apart, moved = elsewhere(make, [1, 3, 4, 6])  # as many real tokens in both halves
    assert moved > 0.01
    assert apart < 1e-5


def test_with_more_tokens_on_one_device_the_step_is_another(elsewhere):
    # Each device takes the mean over its own real tokens, and the mean of two means is not that of all.
    apart, _ = elsewhere(transformer, [4, 5, 6, 7])
    assert apart > 1e-3
