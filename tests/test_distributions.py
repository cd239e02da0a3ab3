"""Closed forms against torch.distributions and against Monte Carlo."""

import math

import pytest
import torch
from torch import Generator
from torch import distributions as td

from neurosym_lite.distributions import (
    Bernoulli,
    Gaussian,
    GaussianMixture,
    gaussian_head,
    image_log_likelihood,
    kl_bernoulli,
    kl_gaussian,
)

SHAPE = (3, 5)


def random_gaussian() -> Gaussian:
    return Gaussian(torch.randn(SHAPE, dtype=torch.float64), torch.rand(SHAPE, dtype=torch.float64) + 0.1)


def test_gaussian_log_prob_equals_torch() -> None:
    q, value = random_gaussian(), torch.randn(SHAPE, dtype=torch.float64)
    torch.testing.assert_close(q.log_prob(value), td.Normal(*q).log_prob(value), rtol=1e-12, atol=1e-12)


def test_kl_gaussian_equals_torch_and_monte_carlo() -> None:
    q, p = random_gaussian(), random_gaussian()
    closed = kl_gaussian(q, p)
    torch.testing.assert_close(closed, td.kl_divergence(td.Normal(*q), td.Normal(*p)), rtol=1e-12, atol=1e-12)
    many = Gaussian(*(part.expand(200_000, *SHAPE) for part in q))
    drawn = many.sample()
    estimate = q_minus_p = many.log_prob(drawn) - Gaussian(*(part.expand_as(drawn) for part in p)).log_prob(drawn)
    error = q_minus_p.std(0) / math.sqrt(len(drawn))
    assert ((estimate.mean(0) - closed).abs() < 5 * error).all()


def test_gaussian_samples_have_the_stated_moments_and_pass_gradients() -> None:
    mean, std = torch.tensor([2.0, -1.0], requires_grad=True), torch.tensor([0.5, 3.0], requires_grad=True)
    drawn = Gaussian(mean.expand(100_000, 2), std.expand(100_000, 2)).sample(torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std(0), std, atol=0.05, rtol=0)
    drawn.sum().backward()
    torch.testing.assert_close(mean.grad, torch.full((2,), 1e5))
    assert (std.grad.abs() > 0).all()


@pytest.mark.parametrize("logit", [-8.8, -1.0, 0.0, 2.5, 8.8])
def test_kl_bernoulli_equals_the_sum_over_its_two_values(logit: float) -> None:
    q, p = Bernoulli(torch.tensor([logit], dtype=torch.float64)), Bernoulli(torch.tensor([0.7], dtype=torch.float64))
    brute = sum(
        q.log_prob(torch.tensor([v]).double()).exp()
        * (q.log_prob(torch.tensor([v]).double()) - p.log_prob(torch.tensor([v]).double()))
        for v in (0.0, 1.0)
    )
    torch.testing.assert_close(kl_bernoulli(q, p), brute, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(
        q.log_prob(torch.ones(1).double()), td.Bernoulli(logits=q.logits).log_prob(torch.ones(1).double())
    )


def test_kl_bernoulli_is_finite_in_float32_at_extreme_logits() -> None:
    kl = kl_bernoulli(Bernoulli(torch.tensor([60.0, -60.0])), Bernoulli(torch.tensor([-60.0, 60.0])))
    torch.testing.assert_close(kl, torch.tensor([60.0, 60.0]))


def test_bernoulli_samples_are_hard_and_their_mode_is_the_likelier() -> None:
    q = Bernoulli(torch.full((50_000,), -1.0))
    drawn = q.sample(torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert abs(drawn.mean() - 1 / (1 + math.e)) < 0.01
    assert Bernoulli(torch.tensor([-0.1, 0.1])).mode().tolist() == [0.0, 1.0]


def test_relaxed_bernoulli_has_the_concrete_distribution() -> None:
    logits, temperature = torch.full((100_000,), 0.8), 0.5
    drawn = Bernoulli(logits).relaxed_sample(temperature, torch.Generator().manual_seed(0))
    reference = td.RelaxedBernoulli(torch.tensor(temperature), logits=logits).sample()
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert abs(drawn.quantile(quantile) - reference.quantile(quantile)) < 0.02
    # P(sample > 1/2) is the probability itself, at any temperature
    assert abs((drawn > 0.5).float().mean() - torch.tensor(0.8).sigmoid()) < 0.01


def test_relaxed_bernoulli_passes_a_gradient_and_gets_harder_as_it_cools() -> None:
    logits = torch.zeros(20_000, requires_grad=True)
    warm = Bernoulli(logits).relaxed_sample(torch.tensor(1.0))
    cold = Bernoulli(logits.detach()).relaxed_sample(torch.tensor(0.1))
    warm.sum().backward()
    assert (logits.grad > 0).all()
    assert (cold - cold.round()).abs().mean() < 0.2 * (warm - warm.round()).abs().mean()


def test_mixture_equals_torch_and_is_sampled_in_proportion() -> None:
    logits, mean = torch.randn(4, 3).double(), torch.randn(4, 3, 2).double()
    mixture = GaussianMixture(logits, mean, torch.rand(4, 3, 2).double() + 0.2)
    reference = td.MixtureSameFamily(
        td.Categorical(logits=logits), td.Independent(td.Normal(mixture.mean, mixture.std), 1)
    )
    value = torch.randn(4, 2).double()
    torch.testing.assert_close(mixture.log_prob(value), reference.log_prob(value), rtol=1e-12, atol=1e-12)
    many = GaussianMixture(*(part[:1].expand(50_000, *part.shape[1:]) for part in mixture))
    drawn = many.sample(torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), reference.mean[0], atol=0.03, rtol=0)


def test_gaussian_head_splits_means_from_stds_and_keeps_the_floor() -> None:
    q = gaussian_head(torch.tensor([[1.0, 2.0, -100.0, 0.0]]))
    assert q.mean.tolist() == [[1.0, 2.0]]
    torch.testing.assert_close(q.std, torch.tensor([[1e-3, math.log(2) + 1e-3]]))


def test_image_log_likelihood_equals_torch_and_its_ceiling_is_the_papers() -> None:
    image, mean = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8)
    expected = td.Normal(mean, 0.2).log_prob(image).sum((1, 2, 3))
    torch.testing.assert_close(image_log_likelihood(image, mean, 0.2), expected)
    paper = torch.zeros(1, 1, 128, 128)
    assert round(float(image_log_likelihood(paper, paper, 0.2))) == 11313  # gnm, 128 x 128, sigma 0.2


def test_no_images_have_no_likelihood() -> None:
    nothing = torch.zeros(0, 1, 8, 8)
    assert image_log_likelihood(nothing, nothing, 0.2).shape == (0,)


def test_mixture_samples_have_the_mixtures_spread() -> None:
    logits, mean, std = torch.tensor([0.0, 1.0]), torch.tensor([[0.0], [5.0]]), torch.tensor([[0.1], [2.0]])
    drawn = GaussianMixture(*(p.expand(40_000, *p.shape) for p in (logits, mean, std))).sample(
        Generator().manual_seed(0)
    )[:, 0]
    first = drawn.abs() < 0.5
    assert abs(drawn[drawn > 5].sub(5).square().mean().sqrt() - 2) < 0.05
    assert abs(drawn[first].std() - 0.1) < 0.02


def test_kl_gradients_are_torchs() -> None:
    for _ in range(4):
        parts = [
            p.double().requires_grad_()
            for p in (torch.randn(3, 5), torch.rand(3, 5) + 0.3, torch.randn(3, 5), torch.rand(3, 5) + 0.3)
        ]
        ours = torch.autograd.grad(kl_gaussian(Gaussian(*parts[:2]), Gaussian(*parts[2:])).sum(), parts)
        theirs = torch.autograd.grad(td.kl_divergence(td.Normal(*parts[:2]), td.Normal(*parts[2:])).sum(), parts)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b)


def test_relaxed_samples_reach_the_tails() -> None:
    drawn = Bernoulli(torch.zeros(100_000)).relaxed_sample(1.0, Generator().manual_seed(0))
    assert drawn.min() < 0.001 and drawn.max() > 1 - 0.001


def test_relaxed_samples_come_from_the_generator() -> None:
    q = Bernoulli(torch.zeros(10))
    assert torch.equal(*(q.relaxed_sample(0.5, Generator().manual_seed(1)) for _ in range(2)))


def test_entropy_is_torchs() -> None:
    q = Gaussian(torch.randn(3), torch.rand(3) + 0.1)
    torch.testing.assert_close(q.entropy(), td.Normal(*q).entropy())
