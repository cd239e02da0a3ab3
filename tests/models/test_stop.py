"""The stopping time: its algebra, and three estimators against enumeration on a toy."""

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import grad

from neurosym_lite.models.stop import (
    SIGNAL_DECAY,
    SIGNAL_UNIT,
    Baseline,
    Prefixes,
    any_stop,
    bound,
    continuation,
    drawn_stop,
    exact,
    log_stop,
    nvil,
    summed,
    worth,
)

T = 4
NOW = torch.tensor(0.0, dtype=torch.float64)  # share of the even spread once warmed up
WARM = torch.tensor(1.0, dtype=torch.float64)


def toy(images: int = 3, q_shift: float = 0.0) -> Prefixes:
    """Drawings that get better and dearer; everything a leaf."""
    torch.manual_seed(0)
    likelihood = 3 * torch.rand(images, T + 1, dtype=torch.float64).cumsum(1)
    kl = 3 * torch.rand(images, T, dtype=torch.float64)
    q_on, p_on = torch.randn(2, images, T, dtype=torch.float64)
    return Prefixes(*(part.detach().requires_grad_() for part in (likelihood, kl, q_on + q_shift, p_on)))


def elbo_by_enumeration(prefixes: Prefixes) -> Tensor:
    """sum over all 2^T settings of o_t that can happen of q (log joint - log q), written with probabilities."""
    on, p = prefixes.q_on.sigmoid(), prefixes.p_on.sigmoid()
    total = torch.zeros(len(on), dtype=torch.float64)
    for stop in range(T + 1):
        q_stop, p_stop = (x[:, :stop].prod(1) * (1 - x[:, stop] if stop < T else 1) for x in (on, p))
        value = prefixes.log_likelihood[:, stop] - prefixes.kl[:, :stop].sum(1)
        total = total + q_stop * (value + p_stop.log() - q_stop.log())
    return total


def test_stopping_times_have_probability_one_and_give_back_their_hazards() -> None:
    logits = 3 * torch.randn(5, T, dtype=torch.float64)
    stops = log_stop(logits)
    torch.testing.assert_close(stops.exp().sum(1), torch.ones(5, dtype=torch.float64))
    torch.testing.assert_close(continuation(stops), logits.sigmoid())
    torch.testing.assert_close(continuation(stops + 7.0), logits.sigmoid())
    half = log_stop(torch.zeros(1, 2, dtype=torch.float64)).exp()
    torch.testing.assert_close(half, torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64))


def test_certain_logits_lose_nothing() -> None:
    stops = log_stop(torch.tensor([[200.0, -200.0]]))
    assert stops[0, 1] > -1e-6 and torch.isfinite(stops).all()
    assert continuation(stops).tolist() == [[1.0, 0.0]]


def test_worth_counts_the_parts_that_were_drawn() -> None:
    prefixes = Prefixes(torch.tensor([[0.0, 5.0, 6.0]]), torch.tensor([[2.0, 3.0]]), *torch.zeros(2, 1, 2))
    assert worth(prefixes).tolist() == [[0.0, 3.0, 1.0]]
    assert any_stop(worth(prefixes)).tolist() == [0.0, 0.5, 0.5]


def test_the_bound_is_the_sum_over_stops() -> None:
    prefixes = toy()
    by_hand = (log_stop(prefixes.p_on).exp() * worth(prefixes).exp()).sum(1).log()
    torch.testing.assert_close(bound(prefixes), by_hand)
    assert (bound(prefixes) >= elbo_by_enumeration(prefixes)).all()


def test_exact_has_the_gradient_of_the_enumerated_elbo() -> None:
    prefixes = toy()
    terms = exact(prefixes, NOW)
    want = grad(elbo_by_enumeration(prefixes).sum(), prefixes)
    got = grad((terms.parts + terms.stop).sum(), prefixes)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)
        assert b.abs().max() > 0


def test_nvil_has_the_same_expectation_and_the_exact_sum_no_noise() -> None:
    torch.manual_seed(0)
    one = toy(1)
    want = torch.cat([g.flatten() for g in grad(elbo_by_enumeration(one).sum(), one[2:])])
    draws = 40_000
    many = Prefixes(*(part.detach().expand(draws, -1).clone().requires_grad_() for part in one))
    # a baseline that is far off changes the noise, not the expectation; its running scale is frozen at 1 nat
    baseline = Baseline(
        torch.full((draws, T), 0.02, dtype=torch.float64),
        torch.zeros((), dtype=torch.float64),
        torch.full((), SIGNAL_UNIT**-2, dtype=torch.float64),
    )
    frozen = baseline._replace(mean=Frozen(baseline.mean), variance=Frozen(baseline.variance))
    terms = nvil(many, frozen, torch.tensor(1.0, dtype=torch.float64), NOW)
    each = torch.cat(grad((terms.parts + terms.stop).sum(), many[2:]), dim=1)
    error = each.std(0) / math.sqrt(draws)
    assert ((each.mean(0) - want).abs() < 4 * error).all()
    assert (each.std(0)[:T] > want[:T].abs()).any()
    first, again = (grad(exact(one, NOW).stop.sum(), [one.q_on])[0] for _ in range(2))
    assert torch.equal(first, again)


class Frozen(torch.Tensor):
    """A tensor that `lerp_` leaves as it is."""

    @staticmethod
    def __new__(cls, value: Tensor) -> "Frozen":
        return torch.Tensor._make_subclass(cls, value)

    def lerp_(self, *_: object) -> "Frozen":  # type: ignore[override]
        return self


def test_nvil_tracks_the_scale_of_its_signal() -> None:
    prefixes, mean, variance = toy(200), torch.zeros(()).double(), torch.ones(()).double()
    baseline = Baseline(torch.zeros(200, T, dtype=torch.float64, requires_grad=True), mean, variance)
    for _ in range(60):
        terms = nvil(prefixes, baseline, torch.tensor(1.0).double(), NOW)
    assert 0 < variance < 0.01 and abs(float(mean)) < 0.1
    guess, *others = grad(terms.stop.sum(), (baseline.prediction, *prefixes[:2]), allow_unused=True)
    assert guess.abs().max() > 0 and others == [None, None]


def test_a_drawn_stop_is_permanent() -> None:
    torch.manual_seed(0)
    on, asked = drawn_stop(torch.zeros(2000, T))
    assert ((on.diff(dim=1) <= 0).all()) and (asked[:, 0] == 1).all() and (asked[:, 1:] == on[:, :-1]).all()
    assert abs(float(on[:, 0].mean()) - 0.5) < 0.05 and abs(float(on[:, 1].mean()) - 0.25) < 0.05


def test_summed_distils_the_best_posterior() -> None:
    prefixes, price = toy(), torch.tensor(0.5, dtype=torch.float64)
    best = (worth(prefixes) - price * torch.arange(T + 1)).detach().softmax(1)
    q_on, p_on = (torch.zeros(3, T, dtype=torch.float64, requires_grad=True) for _ in range(2))
    optimiser = torch.optim.LBFGS([q_on, p_on], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        error = -summed(prefixes._replace(q_on=q_on, p_on=p_on), price, NOW).stop.sum()
        error.backward()
        return error

    optimiser.step(closure)
    torch.testing.assert_close(log_stop(q_on).exp(), best, rtol=0, atol=1e-4)
    torch.testing.assert_close(log_stop(p_on).exp(), best, rtol=0, atol=1e-4)


def test_summed_weighs_the_parts_by_the_best_posterior_and_asks_its_price() -> None:
    prefixes, price = toy(), torch.tensor(0.5, dtype=torch.float64)
    priced = worth(prefixes) - price * torch.arange(T + 1)
    terms = summed(prefixes, price, NOW)
    torch.testing.assert_close(terms.parts, priced.logsumexp(1))
    (weights,) = grad(terms.parts.sum(), [prefixes.log_likelihood])
    torch.testing.assert_close(weights, priced.softmax(1))


@pytest.mark.parametrize("way", ["summed", "exact", "nvil"])
def test_warming_up_makes_every_stop_count_the_same(way: str) -> None:
    prefixes = toy()
    zero = torch.zeros((), dtype=torch.float64)
    prediction = torch.zeros(3, T, dtype=torch.float64, requires_grad=True)
    baseline = Baseline(prediction, zero.clone(), zero.clone() + 1)
    terms = {
        "summed": lambda: summed(prefixes, zero, WARM),
        "exact": lambda: exact(prefixes, WARM),
        "nvil": lambda: nvil(prefixes, baseline, zero + 1, WARM),
    }[way]()
    (weights,) = grad(terms.parts.sum(), [prefixes.log_likelihood], retain_graph=True)
    torch.testing.assert_close(weights, any_stop(weights).expand_as(weights))
    if way == "nvil":  # its baseline is at work before it is needed
        assert grad(terms.stop.sum(), baseline.prediction, retain_graph=True)[0].abs().max() > 0
    q_gradient = grad(terms.stop.sum(), prefixes.q_on, allow_unused=True)[0]
    waits = q_gradient is None or q_gradient.abs().max() == 0
    assert waits == (way != "summed")  # the distilled stop may learn at once: nothing depends on it


def test_a_saturated_stop_learns_by_logistic_regression_alone() -> None:
    sure = toy(q_shift=40.0)  # q_on is certain to go on
    (slow,) = grad(exact(sure, NOW).stop.sum(), [sure.q_on])
    (quick,) = grad(summed(sure, NOW, NOW).stop.sum(), [sure.q_on])
    assert slow.abs().max() < 1e-9 < 1e-2 < quick.abs().max()


def d(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def signals(prefixes: Prefixes, on: Tensor, beta: float) -> Tensor:
    """By hand: of each o_t that was asked, log likelihood / beta less all costs from t on."""
    q, p = prefixes.q_on.sigmoid(), prefixes.p_on.sigmoid()
    found = torch.zeros_like(prefixes.kl)
    for i in range(len(on)):
        n = int(on[i].sum())
        for t in range(min(n + 1, T)):
            cost = sum(prefixes.kl[i, s] for s in range(t, n))
            for s in range(t, min(n + 1, T)):
                went = on[i, s] == 1
                cost = cost + ((q if went else 1 - q)[i, s].log() - (p if went else 1 - p)[i, s].log())
            found[i, t] = prefixes.log_likelihood[i, n] / beta - cost
    return found.detach()


@pytest.mark.parametrize("variance", [0.0, 0.04])
def test_nvil_learns_from_what_came_after(variance: float) -> None:
    prefixes, beta = toy(20), d(4.0)
    prediction = (0.01 * torch.randn(20, T, dtype=torch.float64)).requires_grad_()
    mean, var = d(0.003), d(variance)
    torch.manual_seed(5)
    on, asked = drawn_stop(prefixes.q_on)
    torch.manual_seed(5)
    terms = nvil(prefixes, Baseline(prediction, mean, var), beta, NOW)
    signal = signals(prefixes, on, 4.0)
    off = (signal / SIGNAL_UNIT - prediction).detach()
    m = off[asked > 0].mean()
    v = off[asked > 0].var(correction=0)
    assert float(mean) == pytest.approx(float(SIGNAL_DECAY * 0.003 + (1 - SIGNAL_DECAY) * m))
    assert float(var) == pytest.approx(float(SIGNAL_DECAY * variance + (1 - SIGNAL_DECAY) * v))
    surprise = (off - mean) / max(math.sqrt(var), 1 / SIGNAL_UNIT)
    by_q, by_prediction = grad(terms.stop.sum(), [prefixes.q_on, prediction])
    torch.testing.assert_close(by_q, asked * surprise * (on - prefixes.q_on.sigmoid()))
    torch.testing.assert_close(by_prediction, 2 * asked * off)


def test_summed_teaches_q_everywhere_and_p_where_it_is_reached() -> None:
    prefixes, price = toy(), d(0.5)
    priced = (worth(prefixes) - price * torch.arange(T + 1)).detach()
    go_on = continuation(priced)
    reached = priced.softmax(1).flip(1).cumsum(1).flip(1)[:, :-1]
    terms = summed(prefixes, price, NOW)
    by_q, by_p, *rest = grad(terms.stop.sum(), [prefixes.q_on, prefixes.p_on, *prefixes[:2]], allow_unused=True)
    torch.testing.assert_close(by_q, go_on - prefixes.q_on.sigmoid())
    torch.testing.assert_close(by_p, reached * (go_on - prefixes.p_on.sigmoid()))
    assert rest == [None, None]


def test_nothing_is_asked_for_parts_while_warming_up() -> None:
    prefixes = toy()
    torch.testing.assert_close(summed(prefixes, d(0.5), WARM).parts, worth(prefixes)[:, 1:].mean(1))
