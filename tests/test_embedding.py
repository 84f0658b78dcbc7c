"""The embedding is a table that is read by row, and positions are the waves of the paper or a table."""

import keras
import numpy as np
import pytest

from course_utils import LSTM, Embedding, MultiHeadAttention, PositionalEncoding, PositionEmbedding, measure

IDS = np.array([[3, 1, 3], [0, 4, 1]])


@pytest.fixture(name="layer")
def _layer():
    layer = Embedding(5, 3)
    layer.build((None,))
    layer.set_weights([np.random.default_rng(0).normal(size=(5, 3))])
    return layer


def test_equals_keras_and_one_hot_product(layer):
    theirs = keras.layers.Embedding(5, 3)
    theirs.build((None,))
    theirs.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(IDS), theirs(IDS))
    np.testing.assert_allclose(layer(IDS), np.eye(5)[IDS] @ layer.get_weights()[0], atol=1e-6)


def test_only_rows_that_were_read_get_a_gradient(layer):
    (gradient,) = measure.weight_gradients(layer, IDS, None, lambda _, rows: keras.ops.sum(rows))
    np.testing.assert_array_equal(gradient[:, 0], [1, 2, 0, 2, 1])


@pytest.mark.parametrize("dtype", ["int32", "float32"])  # Keras' Sequential hands ids over as floats
def test_ids_beyond_float16_stay_whole(dtype):
    layer = Embedding(3_000, 2, dtype="mixed_float16")
    ids = np.array([[2_049, 2_999]], dtype)
    layer(ids)
    expected = layer.embeddings.numpy()[[2_049, 2_999]].astype("float16")
    np.testing.assert_array_equal(layer(ids)[0], expected)


@pytest.mark.parametrize("wrong", [5, -1, 0.5])
def test_an_id_outside_the_vocabulary_is_refused(layer, wrong):
    with pytest.raises(ValueError, match=rf"from 0 to 4.*Received: ids={wrong}"):
        layer(np.array([[1, wrong]]))


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "8", None, True])
@pytest.mark.parametrize("argument", ["input_dim", "output_dim"])
def test_sizes_must_be_positive_whole_numbers(argument, wrong):
    sizes = {"input_dim": 5, "output_dim": 3, argument: wrong}
    with pytest.raises(
        ValueError, match=rf"`{argument}` must be a whole number.*Received: {argument}={wrong!r}"
    ):
        Embedding(**sizes)


def test_the_table_starts_small_and_uniform_or_as_asked():
    keras.utils.set_random_seed(0)
    for layer in (Embedding(300, 20), keras.layers.Embedding(300, 20), PositionEmbedding(300)):
        layer.build((None, None, 20))
        (table,) = layer.get_weights()
        assert 0.0495 < np.abs(table).max() <= 0.05
        np.testing.assert_allclose(table.std(), 0.05 / np.sqrt(3), rtol=0.03)
    asked = Embedding(5, 3, embeddings_initializer=keras.initializers.Constant(2.0))
    asked.build()
    np.testing.assert_array_equal(asked.embeddings, np.full((5, 3), 2.0))


def test_every_argument_goes_through_the_config():
    layer = Embedding(5, 3, embeddings_initializer="ones", mask_zero=True)
    again = Embedding.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again(IDS).numpy() == 1).all()
    assert again(IDS)._keras_mask is not None


@pytest.mark.parametrize("mask_zero", [False, True])
def test_the_mask_is_that_of_keras(mask_zero):
    ours, theirs = Embedding(5, 3, mask_zero=mask_zero), keras.layers.Embedding(5, 3, mask_zero=mask_zero)
    assert ours.supports_masking == theirs.supports_masking == mask_zero
    for layer in (ours, theirs):
        mask = getattr(layer(IDS), "_keras_mask", None)
        assert (mask is None) == (not mask_zero)
        assert mask is None or (np.asarray(mask) == (IDS != 0)).all()


def test_the_mask_reaches_the_layers_behind():
    ids, other = np.array([[3, 1, 0], [2, 0, 0]]), np.array([[3, 1, 4], [2, 4, 4]])
    layer, positions, recurrent = Embedding(5, 4, mask_zero=True), PositionEmbedding(3), LSTM(4)
    came = recurrent(positions(layer(ids)))
    np.testing.assert_allclose(came, recurrent(positions(layer(other)), mask=ids != 0), atol=1e-6)
    assert np.abs(came - recurrent(positions(layer(other)))).max() > 1e-3


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 2)])
def test_a_vector_for_each_id_whatever_the_shape(shape):
    layer = Embedding(5, 3)
    assert layer.compute_output_shape(shape) == (*shape, 3)
    model = keras.Model(entrance := keras.Input(batch_shape=shape, dtype="int32"), layer(entrance))
    assert model.output_shape == (*shape, 3)


@pytest.mark.parametrize("wrong", [IDS != 0, np.array([["a"]]), None, np.array([[np.nan]])])
def test_ids_must_be_whole_numbers(layer, wrong):
    with pytest.raises(ValueError, match=r"`ids` must be whole numbers.*Received: ids="):
        layer(wrong)


@pytest.mark.parametrize("wrong", [0, 1, "yes", None, np.nan])
def test_mask_zero_is_true_or_false(wrong):
    with pytest.raises(ValueError, match=rf"`mask_zero` must be True or False.*mask_zero={wrong!r}"):
        Embedding(5, 3, mask_zero=wrong)


# --- Positions


VECTORS = np.random.default_rng(1).normal(size=(2, 7, 5)).astype("float32")


def paper_wave(position, dim):
    """Vaswani et al. 2017, section 3.5, one feature at a time."""
    wave = []
    for feature in range(dim):
        angle = position / 10_000 ** (2 * (feature // 2) / dim)
        wave.append(np.cos(angle) if feature % 2 else np.sin(angle))
    return wave


@pytest.mark.parametrize("dim", [1, 5, 8])
def test_positions_are_the_papers_waves(dim):
    waves = PositionalEncoding()(np.zeros((1, 40, dim), "float32"))[0]
    np.testing.assert_allclose(waves, [paper_wave(t, dim) for t in range(40)], atol=1e-5)


def test_waves_go_on_without_end():
    long = PositionalEncoding()(np.zeros((1, 5_000, 4), "float32"))[0]
    np.testing.assert_allclose(long[4_999], paper_wave(4_999, 4), atol=1e-3)


@pytest.mark.parametrize("make", [PositionalEncoding, lambda **options: PositionEmbedding(9, **options)])
def test_a_position_at_a_time_equals_all_at_once(make):
    layer = make()
    whole = layer(VECTORS)
    assert not np.allclose(whole, VECTORS)
    for t in range(7):
        np.testing.assert_allclose(layer(VECTORS[:, t : t + 1], position=t), whole[:, t : t + 1], atol=1e-6)
    each_row = layer(VECTORS[:, :1], position=np.array([6, 2]))
    for row, t in enumerate((6, 2)):
        alone = layer(VECTORS[row : row + 1, :1], position=t)
        np.testing.assert_allclose(each_row[row : row + 1], alone, atol=1e-6)


def test_a_learnt_position_is_a_row_of_the_table():
    layer = PositionEmbedding(9)
    np.testing.assert_allclose(layer(VECTORS), VECTORS + layer.positions.numpy()[:7], atol=1e-6)


@pytest.mark.parametrize("make", [PositionalEncoding, lambda **options: PositionEmbedding(9, **options)])
def test_whole_numbers_get_whole_positions(make):
    layer = make()
    whole = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_allclose(layer(whole), layer(whole.astype("float32")), atol=1e-6)
    half = make(dtype="mixed_float16")
    assert {keras.ops.dtype(half(each)) for each in (whole, whole.astype("float32"))} == {"float16"}


def test_float64_is_kept():
    vectors = np.full((1, 3, 4), 1 / 3)
    for layer in (PositionalEncoding(dtype="float64"), PositionEmbedding(9, dtype="float64")):
        came = layer(vectors)
        assert keras.ops.dtype(came) == "float64"
        again = layer(vectors.astype("float32").astype("float64"))
        assert 1e-9 < np.abs(came - again).max() < 1e-7


def test_a_learnt_position_beyond_float16_stays_whole():
    layer = PositionEmbedding(3_000, dtype="mixed_float16")
    late = layer(np.zeros((1, 2, 4), "float16"), position=2_049)
    np.testing.assert_array_equal(late[0], layer.positions.numpy()[2_049:2_051].astype("float16"))


def test_only_positions_that_were_read_get_a_gradient():
    layer = PositionEmbedding(9)
    (gradient,) = measure.weight_gradients(layer, VECTORS[:, :3], None, lambda _, out: keras.ops.sum(out))
    np.testing.assert_array_equal(gradient[:, 0], [2, 2, 2, 0, 0, 0, 0, 0, 0])


def test_waves_beyond_float16_stay_whole():
    layer = PositionalEncoding(dtype="mixed_float16")
    late = layer(np.zeros((1, 1, 4), "float16"), position=4_097)
    np.testing.assert_allclose(late[0, 0], paper_wave(4_097, 4), atol=2e-3)


@pytest.mark.parametrize("length", [10, 30])
def test_a_position_beyond_the_table_is_refused(length):
    with pytest.raises(ValueError, match=rf"positions for 9 vectors.*Received: length={length}"):
        PositionEmbedding(9)(np.zeros((1, length, 4), "float32"))
    with pytest.raises(ValueError, match=rf"positions for 9 vectors.*Received: length={length}"):
        PositionEmbedding(9)(np.zeros((2, 1, 4), "float32"), position=np.array([0, length - 1]))


def test_a_length_beyond_the_table_is_refused_when_a_model_is_made():
    with pytest.raises(ValueError, match="positions for 9 vectors"):
        PositionEmbedding(9)(keras.Input((10, 4)))


@pytest.mark.parametrize("position", [0.5, "first", np.array([1, 2, 3])])
@pytest.mark.parametrize("make", [PositionalEncoding, lambda: PositionEmbedding(9)])
def test_a_position_must_be_whole(make, position):
    with pytest.raises(ValueError, match="`position` must be a whole number, or one for each row"):
        make()(VECTORS, position=position)


@pytest.mark.parametrize("position", [-1, np.array([0, -1])])
@pytest.mark.parametrize("make", [PositionalEncoding, lambda: PositionEmbedding(9)])
def test_a_position_is_not_negative(make, position):
    with pytest.raises(ValueError, match=r"`position` must not be negative. Received: position="):
        make()(VECTORS, position=position)


def test_a_table_of_positions_keeps_its_width():
    layer = PositionEmbedding(9)
    layer(VECTORS)
    with pytest.raises(ValueError, match=r"shape \(batch, time, 5\). Received: vectors=\(2, 7, 4\)"):
        layer(VECTORS[..., :4])


@pytest.mark.parametrize("make", [PositionalEncoding, lambda: PositionEmbedding(9)])
def test_vectors_are_numbers(make):
    with pytest.raises(ValueError, match="`vectors` must be an array of numbers"):
        make()(np.array([[["a"]]]))


@pytest.mark.parametrize("make", [PositionalEncoding, lambda: PositionEmbedding(9)])
def test_positions_belong_to_sequences_of_vectors(make):
    with pytest.raises(ValueError, match=r"`vectors` must have the shape \(batch, time, dim\)"):
        make()(VECTORS[0])


@pytest.mark.parametrize("wrong", [0, 2.5, None])
def test_the_table_of_positions_has_a_whole_length(wrong):
    with pytest.raises(ValueError, match=rf"`max_length` must be a whole.*max_length={wrong!r}"):
        PositionEmbedding(wrong)


def test_the_mask_of_the_ids_outlives_the_positions():
    # Padded ids are changed: with the mask from the ids, nothing that counts may move.
    ids = np.array([[3, 1, 2, 0, 0], [4, 4, 1, 2, 3]])
    embedding, positions, attention = Embedding(9, 4), PositionalEncoding(), MultiHeadAttention(2, 3)

    def attended(ids, mask):
        vectors = positions(embedding(ids) * 2.0)
        return attention(vectors, vectors, mask=mask[:, None, :]).numpy()

    mask = ids != 0
    other = np.where(mask, ids, 7)
    np.testing.assert_array_equal(attended(other, mask)[mask], attended(ids, mask)[mask])
    assert not np.allclose(attended(other, other != 0)[0, :3], attended(ids, mask)[0, :3])
