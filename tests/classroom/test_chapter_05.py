"""Chapter 5's exercises: every answer gets the verdict that was written for it."""

import itertools
import math
from collections import Counter

import pytest
import torch

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_05 import (
    ARRANGEMENTS,
    CORRECTED,
    CURVES,
    EFFECTIVE,
    LOOK,
    PRICE,
    RATES,
    SAMPLES,
    SHARE,
    STEPS,
)
from neurosym_lite.evaluation.discriminability import Look, d_steps, told_apart
from neurosym_lite.evaluation.structure import rogan_gladen, wilson

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "5.1": 200.0,
    "5.2": lambda s, t, f: 0.123,
    "5.3": lambda values: 2.0,
    "5.4": 9.0,
    "5.5": lambda accuracies, cap: 7,
}
UNUSABLE = {
    "5.1": "many",
    "5.2": lambda s: s,
    "5.3": lambda values: math.sqrt(-1),
    "5.4": object(),
    "5.5": lambda accuracies: 20,
}


def test_so_many_samples_give_that_interval() -> None:
    n = round(SAMPLES.solution)
    low, high = wilson(round(SHARE * n), n)
    assert (high - low) / 2 == pytest.approx(0.01, abs=2e-4)


@pytest.mark.parametrize("rates", RATES)
def test_corrected_is_the_packages(rates: tuple[float, float, float]) -> None:
    assert CORRECTED.solution(*rates) == pytest.approx(rogan_gladen(*rates))


def test_effective_is_the_evaluations() -> None:
    weights = torch.randn(50, dtype=torch.float64) * 3
    by_package = (2 * torch.logsumexp(weights, 0) - torch.logsumexp(2 * weights, 0)).exp()
    assert EFFECTIVE.solution(weights.tolist()) == pytest.approx(float(by_package))


def test_the_price_is_that_of_all_arrangements() -> None:
    ways = list(set(itertools.permutations("012...")))
    cells = 0.0
    for column in zip(*ways, strict=True):
        cells -= sum(n / len(ways) * math.log(n / len(ways)) for n in Counter(column).values())
    assert PRICE.solution == pytest.approx(cells / math.log(len(ways)))


def test_digits_that_share_a_cell_are_told_that_they_do_not() -> None:
    six_cells = PRICE.solution * math.log(ARRANGEMENTS)
    assert "Digits share no cell" in judge("5.4", six_cells / math.log(6**3)).says


@pytest.mark.parametrize(("accuracies", "cap"), CURVES)
def test_steps_are_the_packages(accuracies: tuple[float, ...], cap: int) -> None:
    curve: list[Look] = []
    for number, accuracy in enumerate(accuracies, 1):
        if told_apart(curve):
            break
        curve.append(Look(LOOK * number, accuracy))
    assert STEPS.solution(accuracies, cap) == d_steps(curve, cap)


def test_log_weights_of_another_kind_cannot_be_used() -> None:
    assert not judge("5.3", lambda values: values).right
