"""When to stop drawing: three ways to learn it, for any model that draws T parts in sequence.

Whether part t is drawn, o_t, only cuts the sequence short. So T parts are drawn always, and the canvas after each of
0 ... T of them is a finished picture. For one draw z of the parts' latents, stopping after t is worth

    f_t(z) = log p(x | canvas_t) - sum_{s <= t} [log q(z_s) - log p(z_s)]      nats.

The three ways differ in what they do with the T + 1 worths:
    nvil      draw one stopping time, and tell q_on by REINFORCE how it went (Mnih & Gregor 2014; DooD's way)
    exact     sum the ELBO over the stopping time: same expectation, no noise
    summed    take the stopping time out of the bound, log sum_t p(t) exp(f_t); the weights of the sum are the best
              stop posterior there is, and q_on learns them by logistic regression
"""

from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


class Prefixes(NamedTuple):
    """One draw of T parts: what is known about each of the T + 1 places to stop."""

    log_likelihood: Float[Tensor, "B stops"]
    """log p(x | canvas after t parts), t = 0 ... T, nats."""
    kl: Float[Tensor, "B T"]
    """log q - log p of part t's latents, one sample, nats."""
    q_on: Float[Tensor, "B T"]
    """Logit of q(o_t = 1 | o_{t-1} = 1)."""
    p_on: Float[Tensor, "B T"]
    """Logit of p(o_t = 1 | o_{t-1} = 1)."""


class StopTerms(NamedTuple):
    """What is to be made large, nats an image."""

    parts: Float[Tensor, "B"]
    """Worth of the parts; q_on and p_on get no gradient from it."""
    stop: Float[Tensor, "B"]
    """What q_on, p_on and NVIL's baseline learn from, with no gradient to the worth of the parts."""


def log_stop(logits: Float[Tensor, "B T"]) -> Float[Tensor, "B stops"]:
    """Log probability of stopping after 0 ... T parts: sum_{s <= t} log on_s + log off_{t+1}."""
    nothing = torch.zeros_like(logits[:, :1])
    on = torch.cat([nothing, F.logsigmoid(logits).cumsum(1)], dim=1)
    return on + torch.cat([F.logsigmoid(-logits), nothing], dim=1)


def continuation(log_weights: Float[Tensor, "B stops"]) -> Float[Tensor, "B T"]:
    """The inverse of `log_stop`: P(go on at t | got as far as t) of a distribution over stops, as probabilities."""
    rest = log_weights.flip(1).logcumsumexp(1).flip(1)
    return (rest[:, 1:] - rest[:, :-1]).exp()


def worth(prefixes: Prefixes) -> Float[Tensor, "B stops"]:
    """f_t for t = 0 ... T."""
    cost = F.pad(prefixes.kl.cumsum(1), (1, 0))
    return prefixes.log_likelihood - cost


def bound(prefixes: Prefixes) -> Float[Tensor, "B"]:
    """log sum_t p(stop = t) exp(f_t): a lower bound on log p(x) in expectation, whatever q_on says.

    Each term's expectation is p(stop = t) p(x | stop = t), so the sum is an unbiased estimate of p(x).
    """
    return (log_stop(prefixes.p_on) + worth(prefixes)).logsumexp(1)


def any_stop(like: Float[Tensor, "B stops"]) -> Float[Tensor, "stops"]:
    """Uniform on 1 ... T: every prefix should be a good drawing, so the first parts take what is largest."""
    stops = like.shape[1]
    return F.pad(like.new_full((stops - 1,), 1 / (stops - 1)), (1, 0))


def summed(prefixes: Prefixes, price: Float[Tensor, ""], any_time: Float[Tensor, ""]) -> StopTerms:
    """The stopping time summed out of the bound; q_on and p_on by logistic regression on the exact posterior.

    `price` (nats) is asked for each part: a geometric prior on their number, not normalised. `any_time` is the share
    of the parts' weight that is spread evenly over the stops; 1 while warming up.
    """
    values = worth(prefixes)
    priced = values - price * torch.arange(values.shape[1], device=values.device)
    parts = (1 - any_time) * priced.logsumexp(1) + any_time * (values * any_stop(values)).sum(1)
    go_on = continuation(priced.detach())
    reached = F.pad(go_on[:, :-1].cumprod(1), (1, 0), value=1.0)
    q_error = F.binary_cross_entropy_with_logits(prefixes.q_on, go_on, reduction="none")
    p_error = F.binary_cross_entropy_with_logits(prefixes.p_on, go_on, reduction="none")
    return StopTerms(parts, -(q_error + reached * p_error).sum(1))


def exact(prefixes: Prefixes, any_time: Float[Tensor, ""]) -> StopTerms:
    """The ELBO summed over the stopping time: sum_t q(t) [f_t + log p(t) - log q(t)], T + 1 terms and no noise.

    While `any_time` is 1, q_on waits and p_on learns the even spread.
    """
    values, log_q, log_p = worth(prefixes), log_stop(prefixes.q_on), log_stop(prefixes.p_on)
    weights = ((1 - any_time) * log_q.exp() + any_time * any_stop(values)).detach()
    stop = (log_q.exp() * (values.detach() + log_p - log_q)).sum(1)
    waiting = (weights * log_p).sum(1)
    return StopTerms((weights * values).sum(1), torch.where(any_time < 1, stop, waiting))


class Baseline(NamedTuple):
    """What NVIL takes off its learning signal, so that only the surprise is left; in units of SIGNAL_UNIT nats."""

    prediction: Float[Tensor, "B T"]
    """The network's guess of the signal."""
    mean: Float[Tensor, ""]
    """Running mean of what the guess misses; updated by `nvil`."""
    variance: Float[Tensor, ""]
    """Its running variance; updated by `nvil`."""


SIGNAL_UNIT = 100.0  # nats: the baseline's error would swamp the other gradients if it were counted in nats
SIGNAL_DECAY = 0.8  # of the running mean and variance (the paper's code)


def drawn_stop(q_on: Float[Tensor, "B T"]) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
    """One sampled sequence of o_t, and o_{t-1}, which says whether o_t was asked at all."""
    on = torch.bernoulli(q_on.detach().sigmoid()).cumprod(1)
    return on, F.pad(on[:, :-1], (1, 0), value=1.0)


def nvil(prefixes: Prefixes, baseline: Baseline, beta: Float[Tensor, ""], any_time: Float[Tensor, ""]) -> StopTerms:
    """NVIL: one sampled stopping time; REINFORCE with a learned baseline, centred and scaled (Mnih & Gregor 2014).

    `beta` divides the log likelihood in the learning signal alone (DooD section 2.3: 4 in the paper's code).
    """
    on, asked = drawn_stop(prefixes.q_on)
    values, log_p = worth(prefixes), log_stop(prefixes.p_on)
    stop = (on.sum(1, keepdim=True) == torch.arange(values.shape[1], device=on.device)).to(values)
    weights = (1 - any_time) * stop + any_time * any_stop(values)
    log_q_each = on * F.logsigmoid(prefixes.q_on) + (1 - on) * F.logsigmoid(-prefixes.q_on)
    log_p_each = on * F.logsigmoid(prefixes.p_on) + (1 - on) * F.logsigmoid(-prefixes.p_on)
    signal = _signal(prefixes, on, asked, asked * (log_q_each - log_p_each), beta)
    surprise = _centred(signal / SIGNAL_UNIT - baseline.prediction.detach(), asked, baseline)
    miss = (asked * (signal / SIGNAL_UNIT - baseline.prediction).square()).sum(1)
    learned = (asked * (surprise * log_q_each + log_p_each)).sum(1)
    stop_terms = torch.where(any_time < 1, learned, (weights * log_p).sum(1))
    return StopTerms((weights * values).sum(1), stop_terms - miss)


def _signal(prefixes: Prefixes, on: Tensor, asked: Tensor, stop_kl: Tensor, beta: Tensor) -> Float[Tensor, "B T"]:
    """For each o_t that was asked, all that came after it: log likelihood / beta minus the KLs from t on."""
    with torch.no_grad():
        costs = on * prefixes.kl + stop_kl
        rest = costs.flip(1).cumsum(1).flip(1)
        reached = prefixes.log_likelihood.gather(1, on.sum(1, keepdim=True).long())
        return asked * (reached / beta - rest)


def _centred(surprise: Tensor, asked: Tensor, baseline: Baseline) -> Float[Tensor, "B T"]:
    """The surprise less its running mean, over its running deviation where that is above 1 nat."""
    with torch.no_grad():
        count = _of_all(asked.sum())
        mean = _of_all((asked * surprise).sum()) / count
        variance = _of_all((asked * (surprise - mean).square()).sum()) / count
        baseline.mean.lerp_(mean, 1 - SIGNAL_DECAY)
        baseline.variance.lerp_(variance, 1 - SIGNAL_DECAY)
        return (surprise - baseline.mean) / baseline.variance.sqrt().clamp_min(1 / SIGNAL_UNIT)


def _of_all(total: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """Summed over all processes that train together: their batch is one."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(total)
    return total
