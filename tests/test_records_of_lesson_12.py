"""The mistakes of lesson 12's records are planted as they say, and the pairs are those of the file."""

import numpy as np
import pytest
from keras import ops

from course_utils.records import own_pairs
from course_utils.records.planted_failures import MISTAKES, moved, numbers_of, prepared, translator


@pytest.fixture(name="numbers", scope="module")
def _numbers():
    return numbers_of(0)


def sizes_of(numbers):
    return len(numbers.source_vocabulary), len(numbers.target_vocabulary)


def test_a_sound_training_reads_and_says_what_the_pairs_have(numbers):
    for mistake in ("none", "logits"):
        (source, read), labels = prepared(numbers.train, mistake, sizes_of(numbers))
        assert source is numbers.train.source_ids
        np.testing.assert_array_equal(read, numbers.train.target_ids[:, :-1])
        np.testing.assert_array_equal(labels, numbers.train.target_ids[:, 1:])


def test_without_a_shift_the_labels_are_what_is_read(numbers):
    (_, read), labels = prepared(numbers.train, "shift", sizes_of(numbers))
    np.testing.assert_array_equal(labels, read)
    assert (labels[:, 0] == 1).all()


def test_padding_that_counts_has_the_first_free_id_on_each_side(numbers):
    (source, read), labels = prepared(numbers.train, "padding", sizes_of(numbers))
    for ids, right, size in zip(
        (source, read, labels),
        (*numbers.train.inputs, numbers.train.labels),
        (*sizes_of(numbers), sizes_of(numbers)[1]),
        strict=True,
    ):
        assert ids.min() > 0
        assert ids.max() == size
        np.testing.assert_array_equal(np.where(ids == size, 0, ids), right)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_only_padding_with_an_id_moves_the_logits_when_there_is_more(mistake, numbers):
    model = translator(mistake, sizes_of(numbers))
    far = moved(model, numbers.test, mistake, sizes_of(numbers), most=2)
    assert far[0] == 0
    assert (max(far) > 1e-3) == (mistake == "padding")


def test_a_loss_that_takes_logits_for_chances_is_another_one(numbers):
    labels = np.array([[2, 1, 0]])
    logits = np.array([[[-3.0, -3.0, -3.0], [-1.0, -2.0, -5.0], [0.0, 0.0, 0.0]]])
    losses = {
        mistake: float(translator(mistake, sizes_of(numbers)).loss(labels, logits))
        for mistake in ("none", "logits")
    }
    real = np.log(np.exp(logits[0, :2]).sum(axis=-1)) - logits[0, [0, 1], [2, 1]]
    assert losses["none"] == pytest.approx(real.mean(), abs=1e-5)
    assert losses["logits"] == pytest.approx(np.log(3), abs=1e-5)  # none is above 0: all are cut alike


@pytest.mark.parametrize("kind", ["words", "characters", "reversed"])
def test_the_pairs_of_the_file_are_number_words(kind):
    task = own_pairs.read_pairs(kind, 0, lines=200)
    assert len(task.train) == 160
    separator = "" if kind == "characters" else " "
    parts = [
        {separator.join(source) for source in part.sources}
        for part in (task.train, task.validation, task.test)
    ]
    assert not parts[0] & (parts[1] | parts[2])
    assert not parts[1] & parts[2]
    pair = separator.join(task.train.sources[0]), separator.join(task.train.targets[0])
    english, korean = pair[::-1] if kind == "reversed" else pair
    assert english.replace(" ", "").isascii()
    assert {*korean} <= {*"일이삼사오육칠팔구십백천만 "}


def test_few_pairs_are_read_as_often_as_they_make_up_an_epoch():
    task = own_pairs.read_pairs("words", 0, lines=200)
    (source, read), labels = own_pairs.some_of(task.train, 30, 160)
    assert len(source) == len(read) == len(labels) == 160
    assert len({row.tobytes() for row in source}) == 30
    np.testing.assert_array_equal(source[:30], source[30:60])


def test_the_weights_of_the_best_epoch_are_kept():
    task = own_pairs.read_pairs("words", 0, lines=200)
    best = own_pairs.Best()
    best.set_model(own_pairs.translator(task))
    best.model.build([(None, 5), (None, 5)])
    for epoch, loss in enumerate([2.0, 1.0, 1.5]):
        for weight in best.model.weights:
            weight.assign(ops.full(weight.shape, epoch))
        best.on_epoch_end(epoch, {"val_loss": loss})
    assert {float(weight.flat[0]) for weight in best.weights} == {1.0}
