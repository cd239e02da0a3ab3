"""Chapter 11's exercises: every answer gets the verdict that was written for it."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Generator

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_11 import (
    CAUSAL,
    DRAWS,
    FIRST,
    FOLLOWS,
    HOLE,
    LEFT,
    NATS,
    PRICE,
    ROWS,
    SCENES,
    SCORES,
)
from neurosym_lite.data.scenes import describe_mnist4

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "11.1": 0.5,
    "11.2": lambda hole, candidates: 0.123,
    "11.3": lambda words, first, follows: [0.5] * len(words),
    "11.4": 9.0,
    "11.5": lambda scores: torch.eye(len(scores)),
}
UNUSABLE = {
    "11.1": "little",
    "11.2": lambda hole: hole,
    "11.3": lambda words, first, follows: math.sqrt(-1),
    "11.4": object(),
    "11.5": lambda scores: scores.nothing,
}


def test_a_hole_costs_so_much() -> None:
    """A prior that wastes a share of its mass elsewhere, against the same prior without that: by sums."""
    codes = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    wasteful = (1 - HOLE) * codes
    assert PRICE.solution == pytest.approx(float((codes * (codes.log() - wasteful.log())).sum()))


@pytest.mark.parametrize(("hole", "candidates"), DRAWS)
def test_what_is_left_is_what_a_draw_says(hole: float, candidates: int) -> None:
    fallen = torch.rand(20_000, candidates, generator=Generator().manual_seed(0)) < hole
    assert LEFT.solution(hole, candidates) == pytest.approx(float(fallen.all(1).double().mean()), abs=0.012)


def test_probabilities_of_all_sentences_sum_to_one() -> None:
    words = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    assert sum(math.exp(-sum(NATS.solution(w, FIRST, FOLLOWS))) for w in words) == pytest.approx(1)


def test_scenes_are_the_datas_row_by_row() -> None:
    labels = describe_mnist4(400, 64, Generator().manual_seed(0)).labels[:, [0, 1, 3, 2]]
    assert {tuple(row) for row in labels.tolist()} == set(SCENES)


def test_the_price_of_rows_is_that_of_a_table() -> None:
    follows = torch.zeros(10, 10, dtype=torch.float64)
    for scene in SCENES:
        for before, after in pairwise(scene):
            follows[before, after] += 1
    follows = (follows / follows.sum(1, keepdim=True).clamp(min=1)).tolist()
    costs = [sum(NATS.solution(scene, [1 / 7] * 7, follows)) for scene in SCENES]
    assert ROWS.solution == pytest.approx(sum(costs) / len(costs))


@pytest.mark.parametrize("scores", SCORES)
def test_weights_sum_to_one_and_do_not_look_ahead(scores: torch.Tensor) -> None:
    weights = CAUSAL.solution(scores)
    assert torch.allclose(weights.sum(1), torch.ones(len(scores))) and not weights.triu(1).any()


def test_a_list_of_another_length_cannot_be_used() -> None:
    assert not judge("11.3", lambda words, first, follows: words[:0]).right
