"""Chapter 3's exercises: every answer gets the verdict that was written for it."""

import math
from itertools import product

import pytest
import torch

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_03 import AVERAGE, COUNT, DRAWS, FAR, FLOOR, HEAR, KERNEL, MIXTURE
from neurosym_lite.distributions import Gaussian, GaussianMixture
from neurosym_lite.layers import ConvLSTMCell, LSTMState

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "3.1": lambda inputs, hidden, kernel: 17,
    "3.2": 100,
    "3.3": lambda a, s: 0.123,
    "3.4": lambda z, q, prior: torch.tensor(0.123),
    "3.5": 2.5,
}
UNUSABLE = {
    "3.1": lambda inputs: inputs,
    "3.2": "a few",
    "3.3": lambda a, s: math.log(-a),
    "3.4": lambda z, q, prior: prior.no_such_field,
    "3.5": object(),
}


@pytest.mark.parametrize(("inputs", "hidden", "kernel"), [(3, 2, 1), (4, 6, 3), (2, 3, 5)])
def test_parameters_are_the_packages(inputs: int, hidden: int, kernel: int) -> None:
    cell = ConvLSTMCell(inputs, hidden, kernel)
    assert sum(p.numel() for p in cell.parameters()) == COUNT.solution(inputs, hidden, kernel)


def test_a_corner_has_heard_after_that_many_steps_and_not_before() -> None:
    side, cell = FAR + 1, ConvLSTMCell(1, 2, KERNEL)
    x, zeros = torch.randn(1, side**2, 1, requires_grad=True), torch.zeros(1, side**2, 2)
    state, heard = LSTMState(zeros, zeros), []
    for _ in range(HEAR.solution):
        state = cell(x, state)
        (gradient,) = torch.autograd.grad(state.hidden[0, 0].sum(), x, retain_graph=True)
        heard.append(bool(gradient[0, -1].abs().sum() > 0))
    assert heard == [False] * (HEAR.solution - 1) + [True]


def test_loss_is_the_monte_carlo_mean() -> None:
    a, s = 2.0, 0.3
    generator = torch.Generator().manual_seed(0)
    mode = 2.0 * torch.randint(2, (200_000,), generator=generator) - 1
    codes = (a * mode + s * torch.randn(200_000, generator=generator))[:, None]
    n = len(codes)
    two = GaussianMixture(torch.zeros(n, 2), torch.tensor([[[a], [-a]]]).expand(n, 2, 1), torch.full((n, 2, 1), s))
    bell = Gaussian(codes.mean().expand_as(codes), codes.std().expand_as(codes))
    gap = two.log_prob(codes).mean() - bell.log_prob(codes).mean()
    assert float(gap) == pytest.approx(AVERAGE.solution(a, s), abs=0.01)


@pytest.mark.parametrize(("z", "q", "prior"), DRAWS)
def test_estimate_is_the_packages(z: torch.Tensor, q: tuple, prior: tuple) -> None:
    weights, means, stds = prior
    mixture = GaussianMixture(weights.log(), means[:, None], stds[:, None])
    posterior = Gaussian(*q)
    expected = -posterior.entropy() - mixture.log_prob(z[None])
    assert float(MIXTURE.solution(z, q, prior)) == pytest.approx(float(expected), rel=1e-6, abs=1e-5)


def test_an_estimate_that_leaves_the_logarithms_is_still_told_its_other_mistake() -> None:
    def without_entropy(z: torch.Tensor, q: tuple, prior: tuple) -> torch.Tensor:
        weights, means, stds = prior
        return -(weights * torch.distributions.Normal(means, stds).log_prob(z).exp()).sum().log()

    assert without_entropy(*DRAWS[-1]).isinf()
    assert "the entropy of q is missing" in judge("3.4", without_entropy).says


def test_floor_counts_the_scenes_of_the_larger_world() -> None:
    quarters = [choice for choice in product(range(5), repeat=4) if any(choice)]  # 0 is empty
    assert math.log(len(quarters)) == pytest.approx(FLOOR.solution)
