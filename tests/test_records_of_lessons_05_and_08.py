"""The records of lessons 05 and 08 ask what has the answer that they say, and weigh as they say."""

import numpy as np
import pytest

from course_utils.records.marked_bare import BareProducts
from course_utils.records.since_the_mark import since_the_mark

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("asked", ["sum", "parity"])
def test_what_is_asked_begins_anew_at_each_mark(asked):
    read, answers = since_the_mark(20, asked, RNG)
    for (values, marks), answer in zip(read.transpose(0, 2, 1), answers[..., 0], strict=True):
        for step in range(len(values)):
            (begins,) = np.nonzero(marks[: step + 1])
            total = values[begins[-1] if len(begins) else 0 : step + 1].sum()
            assert answer[step] == pytest.approx(total % 2 if asked == "parity" else total, abs=1e-6)


def test_bare_products_are_the_weights_and_padding_has_none():
    look, query, states = BareProducts(), RNG.normal(size=(2, 1, 3)), RNG.normal(size=(2, 4, 3))
    mask = np.array([[True, True, True, False], [True, True, True, True]])
    look.build(query.shape, states.shape)
    context, weights = (np.asarray(each) for each in look(query, states, mask))
    (kernel,) = look.get_weights()
    for row, real in enumerate((3, 4)):
        products = query[row, 0] @ kernel @ states[row, :real].T / real
        np.testing.assert_allclose(weights[row, 0], np.pad(products, (0, 4 - real)), atol=1e-5)
        np.testing.assert_allclose(context[row, 0], products @ states[row, :real], atol=1e-5)
