"""GNM's objective, term by term (equations 6 to 8 and appendix C)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.distributions import kl_bernoulli, kl_gaussian
from neurosym_lite.models.symbols import ObjectDistribution

LEAST_PRESENCE = 1e-5  # an absent object pays at least this share of its KLs, so that its gradient never dies
ONE, ZERO = torch.tensor(1.0), torch.tensor(0.0)


class GNMWeights(NamedTuple):
    """What training changes from step to step. What a recipe does not name keeps the paper's value."""

    temperature: Float[Tensor, ""]
    """Of the Concrete distribution that relaxes z_pres (not in the paper; released code: 1 to 0.5)."""
    presence: Float[Tensor, ""]
    """rho of the auxiliary prior Ber(rho): the smaller, the fewer objects (equation 8)."""
    beta_global: Float[Tensor, ""] = ONE
    """beta_g, weight of KL(q(z_g | x) || p(z_g)) (equation 5)."""
    beta_conditional: Float[Tensor, ""] = ONE
    """Weight of all KLs of z_s given z_g (1 in the paper)."""
    beta_presence: Float[Tensor, ""] = ONE
    """Weight of z_pres among them (1 in the paper)."""
    beta_where: Float[Tensor, ""] = ONE
    """Weight of z_where among them (1 in the paper)."""
    beta_aux_where: Float[Tensor, ""] = ONE
    """Weight of the auxiliary KL of z_where (not in the paper; released code, Arrow Room: 10 to 1)."""
    beta_background: Float[Tensor, ""] = ONE
    """beta_b, weight of the auxiliary KL of z_b (equation 9; the paper: 50 to 1)."""
    mask_fill: Float[Tensor, ""] = ZERO
    """1 while the curriculum of appendix C hands boxes to the foreground, 0 after it."""


class SymbolKLs(NamedTuple):
    """KLs of the four parts of a symbol, summed over cells, in nats an image."""

    pres: Float[Tensor, "B"]
    where: Float[Tensor, "B"]
    depth: Float[Tensor, "B"]
    what: Float[Tensor, "B"]

    def total(self) -> Float[Tensor, "B"]:
        """Their sum."""
        return self.pres + self.where + self.depth + self.what


class GNMLoss(NamedTuple):
    """The objective and its parts, in nats an image."""

    log_likelihood: Float[Tensor, "B"]
    kl_pres: Float[Tensor, "B"]
    kl_where: Float[Tensor, "B"]
    kl_depth: Float[Tensor, "B"]
    kl_what: Float[Tensor, "B"]
    kl_background: Float[Tensor, "B"]
    kl_global: Float[Tensor, "B"]
    aux_pres: Float[Tensor, "B"]
    aux_where: Float[Tensor, "B"]
    aux_depth: Float[Tensor, "B"]
    aux_what: Float[Tensor, "B"]
    aux_background: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


class KLs(NamedTuple):
    """One family of KLs, conditional or auxiliary: those of the symbols, and that of the background."""

    symbols: SymbolKLs
    background: Float[Tensor, "B"]


def symbol_kls(q: ObjectDistribution, p: ObjectDistribution, gate: Float[Tensor, "B K"]) -> SymbolKLs:
    """KL(q || p) of each part; where, depth and what count as much as the object is there (`gate`)."""
    return SymbolKLs(
        kl_bernoulli(q.pres, p.pres).sum(1),
        (kl_gaussian(q.where, p.where).sum(2) * gate).sum(1),
        (kl_gaussian(q.depth, p.depth) * gate).sum(1),
        (kl_gaussian(q.what, p.what).sum(2) * gate).sum(1),
    )


def gated_kls(
    q: ObjectDistribution, p: ObjectDistribution, pres: Float[Tensor, "B K"], gated: bool = True
) -> SymbolKLs:
    """KLs to the prior given z_g (equation 6) or to the auxiliary prior (equation 8).

    `gated`: absent objects pay for their presence alone. The released code gates the auxiliary KLs, and the paper
    does not say; gating the others is ours.
    """
    return symbol_kls(q, p, pres.clamp(min=LEAST_PRESENCE) if gated else torch.ones_like(pres))


def no_kls(like: Float[Tensor, "B"]) -> KLs:
    """Zeros: the KLs that a model without the layer does not pay."""
    zero = torch.zeros_like(like)
    return KLs(SymbolKLs(zero, zero, zero, zero), zero)


def elbo_terms(
    log_likelihood: Float[Tensor, "B"],
    auxiliary: KLs,
    conditional: KLs,
    kl_global: Float[Tensor, "B"],
    weights: GNMWeights,
) -> GNMLoss:
    """The negative of equation 9, every term with its weight; with all weights 1 and no auxiliary KL, of equation 4.

    total = -E log p(x | z) + beta_g KL_g + beta_c (beta_p KL_pres + beta_w KL_where + KL_depth + KL_what + KL_b)
    + aux_pres + beta_aw aux_where + aux_depth + aux_what + beta_b aux_b.
    """
    given, aux = conditional.symbols, auxiliary.symbols
    weighted_given = weights.beta_presence * given.pres + weights.beta_where * given.where + given.depth + given.what
    weighted_aux = aux.pres + weights.beta_aux_where * aux.where + aux.depth + aux.what
    total = (
        -log_likelihood
        + weights.beta_global * kl_global
        + weights.beta_conditional * (weighted_given + conditional.background)
        + weighted_aux
        + weights.beta_background * auxiliary.background
    )
    return GNMLoss(log_likelihood, *given, conditional.background, kl_global, *aux, auxiliary.background, total)
