"""How likely are held-out images? The importance-weighted bound (Burda, Grosse & Salakhutdinov 2016; GNM, section 4).

    log p(x) >= E[log 1/S sum_s w_s],   w = p(x | z) p(z) / q(z | x),   z ~ q(z | x)

Presence is drawn hard, 0 or 1: a relaxed draw has no probability under a Bernoulli, and weights made of it bound
nothing. An absent object's where, depth and what are not drawn on the canvas, so they integrate to one and stay out of
the weights. GNM's released code draws presence relaxed and weighs every cell's where, depth and what; `relaxed` does
so too, to show by how much it differs. With so many latents, 100 samples are far from tight: call it a bound, and look
at how many of the samples count.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.distributions import Gaussian, image_log_likelihood
from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.convdraw import ConvDraw
from neurosym_lite.models.genesis import Genesis, mixture_log_likelihood
from neurosym_lite.models.global_prior import GaussianGlobal
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.structdraw import StructDraw
from neurosym_lite.models.symbols import ObjectDistribution
from neurosym_lite.models.vae import VAE
from neurosym_lite.training.recipe import SceneModel

RELAXED_AT = 0.5  # temperature of relaxed presence (released code, at the end of training)


class Bound(NamedTuple):
    """The importance-weighted bound of each image."""

    log_likelihood: Float[Tensor, "B"]
    """In nats an image."""
    effective: Float[Tensor, "B"]
    """Effective number of samples, (sum w)^2 / sum w^2: 1 where one sample carries all, S where all count alike."""


def log_density(
    distribution: ObjectDistribution, latents: ObjectLatents, every_cell: bool = False
) -> Float[Tensor, "B"]:
    """log of the density of symbols with hard presence; where, depth and what of present objects alone.

    With `every_cell` those of absent cells count too, and presence may be a fraction: what the released code computes,
    and no density of anything.
    """
    there = torch.ones_like(latents.pres) if every_cell else latents.pres
    where = distribution.where.log_prob(latents.where).sum(2)
    what = distribution.what.log_prob(latents.what).sum(2)
    given_present = where + distribution.depth.log_prob(latents.depth) + what
    return (distribution.pres.log_prob(latents.pres) + there * given_present).sum(1)


def _global_log_ratio(
    prior: GaussianGlobal | StructDraw, features: Float[Tensor, "B K E"]
) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B K F"], Float[Tensor, "B"]]:
    """A draw of z_g from q: (z_g, the map it draws, log p(z_g) - log q(z_g | x))."""
    if isinstance(prior, GaussianGlobal):
        q = prior.posterior(features)
        latent = q.sample()
        ratio = prior.prior(len(latent), latent).log_prob(latent) - q.log_prob(latent)
        return latent, prior.structure(latent), ratio.sum(1)
    steps = prior.run(features, len(features))
    ratio = torch.zeros_like(features[:, 0, 0])
    for step in steps:
        p, q = step.prior.log_prob(step.latent), step.posterior.log_prob(step.latent)
        ratio = ratio + (p.sum(1) if isinstance(step.prior, Gaussian) else p) - q.sum(1)
    return torch.cat([step.latent for step in steps], dim=1), steps[-1].features, ratio


@torch.no_grad()
def log_weight(model: SceneModel, images: Float[Tensor, "B C H W"], relaxed: bool = False) -> Float[Tensor, "B"]:
    """log w of one draw of all latents from q(z | x), noise from torch's default generator.

    With `relaxed`, a GNM's presence is a draw from the Concrete distribution, scored as if it were 0 or 1, and the
    latents of all cells count.

    Raises ValueError for a GNM without z_g: its auxiliary prior is a regulariser, not p(z_s).
    """
    if isinstance(model, VAE):
        q = model.infer(images)
        latent = q.sample()
        ratio = (model.prior(len(images), images).log_prob(latent) - q.log_prob(latent)).sum(1)
        return image_log_likelihood(images, model.render(latent), model.config.sigma) + ratio
    if isinstance(model, ConvDraw):
        _, features, ratio = _global_log_ratio(model.globals, model.look(images))
        return image_log_likelihood(images, model.render(features), model.config.sigma) + ratio
    if isinstance(model, Genesis):
        return _genesis_log_weight(model, images)
    return _gnm_log_weight(model, images, relaxed)


def _genesis_log_weight(model: Genesis, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
    drawn = model.infer(images)
    weight = mixture_log_likelihood(images, drawn.log_masks, drawn.means, model.config.sigma)
    for slots in (drawn.masks, drawn.components):
        ratio = slots.prior.log_prob(slots.latent) - slots.posterior.log_prob(slots.latent)
        weight = weight + ratio.flatten(1).sum(1)
    return weight


def _gnm_log_weight(model: GNM, images: Float[Tensor, "B C H W"], relaxed: bool) -> Float[Tensor, "B"]:
    if model.config.prior == "independent":
        raise ValueError("the likelihood needs p(z_s): a model with prior='independent' has none that was learned")
    seen = model.infer(images)
    q, behind = seen.objects, seen.background.sample()
    presence = q.pres.relaxed_sample(RELAXED_AT) if relaxed else q.pres.sample()
    symbols = ObjectLatents(presence, seen.where, q.depth.sample(), q.what.sample())
    latent, features, ratio = _global_log_ratio(model.globals, seen.features)
    p = model.prior_symbols(features)
    weight = image_log_likelihood(images, model.render(symbols, behind), model.config.sigma) + ratio
    weight = weight + log_density(p, symbols, relaxed) - log_density(q, symbols, relaxed)
    if model.config.background:
        weight = weight + (model.background_prior(latent).log_prob(behind) - seen.background.log_prob(behind)).sum(1)
    return weight


def importance_weighted(
    model: SceneModel, images: Float[Tensor, "B C H W"], samples: int, relaxed: bool = False
) -> Bound:
    """The bound with that many samples an image, summed up in double precision; none with `relaxed` presence."""
    weights = torch.stack([log_weight(model, images, relaxed).double() for _ in range(samples)])
    total = torch.logsumexp(weights, dim=0)
    effective = (2 * total - torch.logsumexp(2 * weights, dim=0)).exp()
    return Bound(total - math.log(samples), effective)
