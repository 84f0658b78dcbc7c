"""Right answers that go another way than the solution: the check takes them."""

import numpy as np
import pytest

from course_utils import check


def beam_search_that_sets_aside(step, state, start, end, most, width):
    """Keep what has ended outside the beam, where it takes no place: the docstring allows it."""
    beam, ended = [([], 0.0, state)], []
    for _ in range(most):
        longer = []
        for said, score, before in beam:
            log_probs, after = step(said[-1] if said else start, before)
            longer += [([*said, token], score + p, after) for token, p in enumerate(log_probs)]
        best = sorted(longer, key=lambda each: -each[1])[:width]
        ended += [each for each in best if each[0][-1] == end]
        beam = [each for each in best if each[0][-1] != end]
        if not beam:
            break
    return max(ended + beam, key=lambda each: each[1])[:2]


def weights_in_32_bits(scores, mask):
    """Hide padding with the largest number of 32 bits below zero."""
    scores = np.where(mask[:, None], scores, np.finfo("float32").min).astype("float32")
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("07.beam_search", beam_search_that_sets_aside), ("08.weights_of_queries", weights_in_32_bits)],
)
def test_another_right_answer_passes(name, answer, capsys):
    check(name, answer)
    assert capsys.readouterr().out.endswith("Solved.\n")
