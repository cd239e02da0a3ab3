"""GNM's objective, term by term (equations 6 to 8 and appendix C)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.distributions import kl_bernoulli, kl_gaussian
from neurosym_lite.models.symbols import ObjectDistribution

LEAST_PRESENCE = 1e-5  # an absent object pays at least this share of its KLs, so that its gradient never dies


class GNMWeights(NamedTuple):
    """What training changes from step to step."""

    temperature: Float[Tensor, ""]
    """Of the Concrete distribution that relaxes z_pres."""
    presence: Float[Tensor, ""]
    """rho of the auxiliary prior Ber(rho): the smaller, the fewer objects (appendix C)."""
    beta_global: Float[Tensor, ""]
    """Weight of KL(q(z_g | x) || p(z_g)) (appendix C)."""
    beta_conditional: Float[Tensor, ""]
    """Weight of the KLs of z_s given z_g (1 in the paper)."""


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
    kl_global: Float[Tensor, "B"]
    aux_pres: Float[Tensor, "B"]
    aux_where: Float[Tensor, "B"]
    aux_depth: Float[Tensor, "B"]
    aux_what: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


def symbol_kls(q: ObjectDistribution, p: ObjectDistribution, gate: Float[Tensor, "B K"]) -> SymbolKLs:
    """KL(q || p) of each part; where, depth and what count as much as the object is there (`gate`)."""
    return SymbolKLs(
        kl_bernoulli(q.pres, p.pres).sum(1),
        (kl_gaussian(q.where, p.where).sum(2) * gate).sum(1),
        (kl_gaussian(q.depth, p.depth) * gate).sum(1),
        (kl_gaussian(q.what, p.what).sum(2) * gate).sum(1),
    )


def auxiliary_kls(q: ObjectDistribution, aux: ObjectDistribution, pres: Float[Tensor, "B K"]) -> SymbolKLs:
    """KLs to the auxiliary prior (equation 8), gated by presence as in the released code (the paper does not say)."""
    return symbol_kls(q, aux, pres.clamp(min=LEAST_PRESENCE))


def conditional_kls(
    q: ObjectDistribution, p: ObjectDistribution, pres: Float[Tensor, "B K"], gated: bool
) -> SymbolKLs:
    """KL(q(z_s | x) || p(z_s | z_g)) (equation 6); `gated`: absent objects pay for their presence alone."""
    return symbol_kls(q, p, pres.clamp(min=LEAST_PRESENCE) if gated else torch.ones_like(pres))


def elbo_terms(
    log_likelihood: Float[Tensor, "B"],
    auxiliary: SymbolKLs,
    conditional: SymbolKLs | None,
    kl_global: Float[Tensor, "B"],
    weights: GNMWeights,
) -> GNMLoss:
    """total = -E log p(x | z) + auxiliary KLs + beta_c conditional KLs (none in an S-LVM) + beta_g KL_g."""
    zero = torch.zeros_like(log_likelihood)
    given = conditional if conditional is not None else SymbolKLs(zero, zero, zero, zero)
    total = (
        -log_likelihood
        + auxiliary.total()
        + weights.beta_conditional * given.total()
        + weights.beta_global * kl_global
    )
    return GNMLoss(log_likelihood, *given, kl_global, *auxiliary, total)
