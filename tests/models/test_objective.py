"""The objective is the sum that its docstring says, and its gates open and close where they should."""

import torch

from neurosym_lite.distributions import Bernoulli, Gaussian, kl_bernoulli, kl_gaussian
from neurosym_lite.models.objective import (
    LEAST_PRESENCE,
    GNMWeights,
    KLs,
    elbo_terms,
    gated_kls,
    no_kls,
    symbol_kls,
)
from neurosym_lite.models.symbols import ObjectDistribution

B, K, D = 3, 4, 5


def symbols() -> ObjectDistribution:
    def gaussian(*shape: int) -> Gaussian:
        return Gaussian(torch.randn(shape), torch.rand(shape) + 0.3)

    return ObjectDistribution(Bernoulli(torch.randn(B, K)), gaussian(B, K, 4), gaussian(B, K), gaussian(B, K, D))


def test_ungated_kls_are_plain_sums_over_cells() -> None:
    q, p = symbols(), symbols()
    kls = symbol_kls(q, p, torch.ones(B, K))
    torch.testing.assert_close(kls.pres, kl_bernoulli(q.pres, p.pres).sum(1))
    torch.testing.assert_close(kls.where, kl_gaussian(q.where, p.where).sum((1, 2)))
    torch.testing.assert_close(kls.depth, kl_gaussian(q.depth, p.depth).sum(1))
    torch.testing.assert_close(kls.what, kl_gaussian(q.what, p.what).sum((1, 2)))
    torch.testing.assert_close(kls.total(), sum(kls))


def test_absent_objects_pay_for_their_presence_alone() -> None:
    q, p = symbols(), symbols()
    absent = gated_kls(q, p, torch.zeros(B, K))
    full = symbol_kls(q, p, torch.ones(B, K))
    torch.testing.assert_close(absent.pres, full.pres)
    for gated, whole in zip(absent[1:], full[1:], strict=True):
        torch.testing.assert_close(gated, LEAST_PRESENCE * whole)


def test_the_gate_is_a_switch() -> None:
    q, p, pres = symbols(), symbols(), torch.rand(B, K)
    open_gate, gated = gated_kls(q, p, pres, False), gated_kls(q, p, pres, True)
    torch.testing.assert_close(open_gate.what, kl_gaussian(q.what, p.what).sum((1, 2)))
    assert (gated.what < open_gate.what).all()


def test_presence_is_penalised_through_the_gate() -> None:
    pres = torch.full((B, K), 0.5, requires_grad=True)
    gated_kls(symbols(), symbols(), pres).total().sum().backward()
    assert (pres.grad > 0).all()


def test_total_weighs_its_terms() -> None:
    q, p = symbols(), symbols()
    aux = KLs(symbol_kls(q, p, torch.ones(B, K)), torch.rand(B))
    given = KLs(symbol_kls(p, q, torch.ones(B, K)), torch.rand(B))
    likelihood, kl_global = torch.randn(B), torch.rand(B)
    weights = GNMWeights(*torch.tensor([0.5, 0.1, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 0.0]))
    loss = elbo_terms(likelihood, aux, given, kl_global, weights)
    a, g = aux.symbols, given.symbols
    expected = (
        -likelihood + 2 * kl_global
        + 3 * (5 * g.pres + 7 * g.where + g.depth + g.what + given.background)
        + a.pres + 11 * a.where + a.depth + a.what + 13 * aux.background
    )  # fmt: skip
    torch.testing.assert_close(loss.total, expected)
    assert torch.equal(loss.kl_where, g.where) and torch.equal(loss.aux_background, aux.background)


def test_at_the_papers_weights_the_total_is_the_plain_sum() -> None:
    q, p, likelihood = symbols(), symbols(), torch.randn(B)
    kls = KLs(symbol_kls(q, p, torch.ones(B, K)), torch.rand(B))
    weights = GNMWeights(temperature=torch.tensor(0.5), presence=torch.tensor(0.1))
    loss = elbo_terms(likelihood, kls, kls, torch.rand(B), weights)
    torch.testing.assert_close(loss.total, -likelihood + sum(loss[1:-1]))
    alone = elbo_terms(likelihood, kls, no_kls(likelihood), torch.zeros(B), weights)
    torch.testing.assert_close(alone.total, -likelihood + kls.symbols.total() + kls.background)
    assert (alone.kl_what == 0).all()
