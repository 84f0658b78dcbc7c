"""The models of lesson 11's records read what they say, and their measures find it."""

import numpy as np
import pytest
from keras import ops

from course_utils.data import topics
from course_utils.records import (
    beyond_length,
    bits_over_steps,
    character_counts,
    gru_beyond_length,
    number_models,
    trained_without,
)

SIZE = 98


def later_changes_nothing(model, ids, step):
    """Say whether tokens after a step leave what is said up to it."""
    other = ids.copy()
    other[:, step + 1 :] = 1 + other[:, step + 1 :] % (SIZE - 1)
    before, after = (np.asarray(model(each)) for each in (ids, other))
    assert np.abs(before - after)[:, step + 1 :].max() > 1e-4
    return np.abs(before - after)[:, : step + 1].max() < 1e-5


@pytest.mark.parametrize("name", bits_over_steps.RATES)
def test_a_writer_names_every_next_character_and_sees_none(name):
    model = bits_over_steps.writer(name, SIZE)
    ids = np.random.default_rng(0).integers(1, SIZE, size=(2, 12))
    assert model(ids).shape == (2, 12, SIZE)
    assert later_changes_nothing(model, ids, 6)


def test_a_gru_has_as_many_parameters_as_the_transformer_beside_it():
    counts = {}
    for name in bits_over_steps.RATES:
        model = bits_over_steps.writer(name, SIZE)
        model(np.ones((1, 4), int))
        counts[name] = model.count_params()
    assert counts["GRU"] == pytest.approx(counts["1 block"], rel=0.05)
    assert counts["wide GRU"] == pytest.approx(counts["2 blocks"], rel=0.05)
    assert counts["2 blocks"] > 3 * counts["1 block"]


@pytest.mark.parametrize("without", trained_without.WITHOUT)
def test_a_part_that_is_left_out_is_missing_and_the_rest_is_there(without):
    model = trained_without.writer(without, SIZE)
    names = {layer.name.rstrip("01") for layer in model.layers}
    for part, layer in {"attention": "attention", "feed-forward": "widen", "norm": "norm_last"}.items():
        assert (layer in names) == (part != without)
    ids = np.random.default_rng(1).integers(1, SIZE, size=(2, trained_without.TIME))
    assert later_changes_nothing(model, ids, 9)
    turned = np.concatenate([ids[:, 9::-1], ids[:, 10:]], axis=1)  # its first ten characters turned round
    looks_back = np.abs(np.asarray(model(turned)) - np.asarray(model(ids)))[:, 10:].max() > 1e-4
    assert looks_back == (without != "attention")


def test_a_part_that_is_taken_out_of_the_whole_leaves_the_other_weights():
    whole = trained_without.writer("nothing", SIZE)
    text = topics(length=trained_without.TIME)
    same = trained_without._taken_out(whole, "nothing", text)
    whole.compile(loss="mse")
    logits = whole.predict(text.test.inputs, 32, verbose=0)
    chosen = np.take_along_axis(logits, text.test.labels[..., None], axis=-1)[..., 0]
    bits = (np.log(np.exp(logits).sum(axis=-1)) - chosen).mean() / np.log(2)
    assert same == pytest.approx(bits, rel=1e-3)


@pytest.mark.parametrize("positions", beyond_length.POSITIONS)
def test_positions_begin_where_they_are_told_to(positions):
    model = beyond_length.reader(positions, SIZE)
    ids = np.random.default_rng(2).integers(1, SIZE, size=(2, 10))
    here, there = (np.asarray(model([ids, np.full(2, first, "int32")])) for first in (0, 40))
    assert np.allclose(here, there, atol=1e-5) == (positions == "none")
    costs = beyond_length.bits(model, np.pad(ids, [[0, 0], [0, 1]], constant_values=3))
    chances = np.asarray(ops.softmax(here))
    np.testing.assert_allclose(costs[:, -1], -np.log2(chances[:, -1, 3]), rtol=1e-3)


def test_the_counts_are_those_of_the_whole_text_and_name_each_held_out_character():
    text = topics(length=character_counts.TIME)
    (first, *_) = character_counts.make(0)["bits"]
    counts = np.bincount(np.append(text.train.ids[0], text.train.labels[1:].ravel()), minlength=SIZE)
    chances = counts / counts.sum()  # what is given up is a hundredth of a bit
    assert first == pytest.approx(-np.log2(chances[text.test.labels]).mean(), abs=0.05)


def test_the_models_of_the_number_words_have_states_or_vectors_of_one_size():
    numbers = number_models.number_words(train=200, validation=100, test=100, digits=4)
    counts, looks = {}, {}
    for name in number_models.MODELS:
        model = number_models.translator(numbers, name)
        assert model(numbers.test.inputs).shape == (
            *numbers.test.labels.shape,
            len(numbers.target_vocabulary),
        )
        counts[name], looks[name] = model.count_params(), getattr(model.decoder, "attention", None)
    assert counts["SimpleRNN"] < counts["GRU"] < counts["LSTM"] < counts["Transformer"]
    for cell in number_models.CELLS:
        assert looks[cell] is None
        assert looks[cell + number_models.LOOKING] is not None


@pytest.mark.parametrize(("steps", "rising"), [(100, 5), (780, 39)])
def test_a_rate_rises_in_a_twentieth_of_the_steps_and_falls_to_0(steps, rising):
    schedule = bits_over_steps.rises_and_falls(0.01, steps)
    rates = [float(schedule(step)) for step in range(steps + 1)]
    assert np.argmax(rates) == rising
    assert max(rates) == pytest.approx(0.01)
    assert rates[0] == pytest.approx(0.001)
    assert rates[-1] == pytest.approx(0, abs=1e-8)


def test_the_gru_sees_no_later_character_and_no_number_of_a_position():
    model = gru_beyond_length.reader(SIZE)
    ids = np.random.default_rng(0).integers(1, SIZE, size=(2, 12))
    assert later_changes_nothing(lambda some: model([some, np.zeros(2)]), ids, 6)
    np.testing.assert_array_equal(model([ids, np.zeros(2)]), model([ids, np.full(2, 96)]))
