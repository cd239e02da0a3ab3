"""Generative Neurosymbolic Machines (Jiang & Ahn 2020): scenes as symbols, and a prior that knows which scenes exist.

    p(x, z_s, z_g) = p(x | z_s) p(z_s | z_g) p(z_g)                       (equation 1)

z_g is a distributed vector; z_s is a map of symbols, one a cell of a G x G grid; x is their rendering. With
`prior="independent"` there is no z_g and the symbols are independent: the S-LVM of figure 1. With `prior="gaussian"`
z_g is one Gaussian vector (GNM-Gaussian of table 2).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Bernoulli, Gaussian, gaussian_head, image_log_likelihood
from neurosym_lite.latents import Boxes, ObjectLatents, SceneLatents, Where
from neurosym_lite.layers import conv_stack, mlp
from neurosym_lite.models.global_prior import GaussianGlobal, GlobalDraw
from neurosym_lite.models.objective import GNMLoss, GNMWeights, auxiliary_kls, conditional_kls, elbo_terms
from neurosym_lite.models.symbols import (
    WHERE,
    ObjectDistribution,
    SymbolHeads,
    as_input,
    boxes,
    cell_centres,
    pixel_boxes,
)
from neurosym_lite.render.compose import compose_sum
from neurosym_lite.render.spatial import glimpse


@dataclass(frozen=True)
class GNMConfig:
    """Sizes and switches of a GNM on black backgrounds. Where a default leaves the paper, the comment says so."""

    image_size: int = 64  # H = W, pixels (paper: 128)
    channels: int = 1  # C
    grid: int = 4  # G; K = G * G cells (section 4)
    filters: tuple[int, ...] = (16, 32, 48, 48, 48)  # image encoder (table 6 has nine layers)
    strides: tuple[int, ...] = (2, 2, 2, 2, 1)  # 2 halves the map; the last map must be G x G
    heads: tuple[int, ...] = (64, 64)  # hidden widths of the symbol heads (table 9)
    what: int = 10  # D of z_what (paper's MNIST: 20 in the released code)
    what_from: Literal["cell", "glimpse"] = "glimpse"  # paper: the cell's features; glimpse: a crop at the box
    glimpse_size: int = 16  # h = w of what the decoder draws, pixels (paper's MNIST: 32)
    glimpse_window: float = 1.2  # side of the crop in units of the box (only with what_from="glimpse")
    glimpse_encoder: tuple[int, ...] = (256, 128)  # hidden widths (only with what_from="glimpse")
    glimpse_decoder: tuple[int, ...] = (128, 256)  # hidden widths of an MLP (paper: sub-pixel convolutions)
    decoder_bias: float = -2.0  # logit at which a blank glimpse starts: dark, or presence collapses (paper: 0)
    scale_mean: float = -1.5  # prior mean of the raw scale: sigmoid = 0.18 of the canvas (released code: -1.6)
    where_std: tuple[float, ...] = (0.1, 0.3, 1.0, 1.0)  # prior stds of (s, r, u_x, u_y) (released code)
    prior: Literal["independent", "gaussian"] = "gaussian"  # S-LVM, or GNM-Gaussian (table 2)
    presence_prior: float = 0.25  # p(z_pres = 1) of the independent prior, used by `sample` alone
    global_from: Literal["features", "symbols"] = "symbols"  # what q(z_g | x) sees (paper: features of the image)
    latent: int = 64  # D of z_g (not in the paper for GNM-Gaussian)
    structure: int = 48  # F, features a cell in the map that z_g draws
    hidden: tuple[int, ...] = (192, 192)  # of the MLPs around z_g (paper: 512, 512)
    gate_conditional: bool = True  # absent cells pay no KL for where, depth, what given z_g (paper: they do)
    sigma: float = 0.1  # std of the likelihood; evidence grows as pixels / sigma^2: 0.2 at 128 is 0.1 at 64


class Inference(NamedTuple):
    """q(z_s | x), and what was looked at on the way."""

    objects: ObjectDistribution
    where: Float[Tensor, "B K 4"]
    """The z_where at which the glimpses were cut."""
    features: Float[Tensor, "B K E"]
    """What q(z_g | x) sees."""


class SceneSample(NamedTuple):
    """A scene that the model imagined."""

    images: Float[Tensor, "B C H W"]
    latents: SceneLatents


class GNM(nn.Module):
    """The model. Read `loss` first: it is equation 6, with the auxiliary KLs of equation 8."""

    Config, Weights = GNMConfig, GNMWeights

    def __init__(self, config: GNMConfig) -> None:
        super().__init__()
        self.config = config
        cells, width = config.grid**2, config.filters[-1]
        if config.image_size != config.grid * 2 ** sum(s == 2 for s in config.strides):
            raise ValueError(
                f"an image of {config.image_size} pixels under strides {config.strides} does not end as a map of "
                f"{config.grid} x {config.grid} cells: change image_size, strides or grid"
            )
        self.register_buffer("centres", cell_centres(config.grid), persistent=False)
        self.encoder = conv_stack(config.channels, config.filters, config.strides)
        pixels, from_cell = config.channels * config.glimpse_size**2, config.what_from == "cell"
        self.posterior_heads = SymbolHeads(width, config.heads, config.what * from_cell, config.scale_mean)
        if not from_cell:
            self.glimpse_encoder = mlp(pixels, config.glimpse_encoder, 2 * config.what)
        self.glimpse_decoder = mlp(config.what, config.glimpse_decoder, pixels)
        nn.init.constant_(self.glimpse_decoder[-1].bias, config.decoder_bias)
        if config.prior == "gaussian":
            seen = 1 + WHERE + config.what if config.global_from == "symbols" else width
            self.globals = GaussianGlobal(cells, seen, config.structure, config.latent, config.hidden)
            self.prior_heads = SymbolHeads(config.structure, config.heads, config.what, config.scale_mean)

    def boxes(self, where: Float[Tensor, "B K 4"]) -> Where:
        """z_where as boxes on the canvas; a centre may move one full cell from its own."""
        return boxes(where, self.centres, reach=2 / self.config.grid)

    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> Inference:
        """q(z_s | x). The glimpses for z_what are cut at a sample of z_where, or at its mean with `mode`."""
        features = rearrange(self.encoder(images), "B D y x -> B (y x) D")
        objects = self.posterior_heads(features)
        where = objects.where.mean if mode else objects.where.sample()
        if self.config.what_from == "glimpse":
            objects = objects._replace(what=self.infer_what(images, where))
        if self.config.global_from == "symbols":
            features = as_input(objects.pres.probability, objects.where.mean, objects.what.mean)
        return Inference(objects, where, features)

    def infer_what(self, images: Float[Tensor, "B C H W"], where: Float[Tensor, "B K 4"]) -> Gaussian:
        """q(z_what | x, z_where) from a crop at the box, as in AIR and SPACE. No gradient passes through the crop."""
        box = self.boxes(where.detach())
        window = Where(box.scale * self.config.glimpse_window, box.shift)
        size = (self.config.glimpse_size, self.config.glimpse_size)
        return gaussian_head(self.glimpse_encoder(glimpse(images, window, size).flatten(2)))

    def prior(self, draw: GlobalDraw) -> ObjectDistribution:
        """p(z_s | z_g), read off the feature map that z_g drew."""
        return self.prior_heads(draw.features)

    def auxiliary_prior(self, n: int, presence: Float[Tensor, ""] | float) -> ObjectDistribution:
        """p_aux(z_s) of appendix C: presence Ber(rho), boxes near their cell, depth and what N(0, 1)."""
        config, cells = self.config, self.config.grid**2
        zeros = self.centres.new_zeros(n, cells, config.what)
        odds = torch.as_tensor(presence, device=zeros.device, dtype=zeros.dtype).logit()
        mean = zeros.new_zeros(n, cells, WHERE)
        mean[..., 0] = config.scale_mean
        std = torch.stack([torch.full_like(zeros[..., 0], s) for s in config.where_std], dim=-1)
        unit = Gaussian(zeros, torch.ones_like(zeros))
        return ObjectDistribution(
            Bernoulli(odds.expand(n, cells)), Gaussian(mean, std), Gaussian(zeros[..., 0], unit.std[..., 0]), unit
        )

    def render(self, latents: ObjectLatents) -> Float[Tensor, "B C H W"]:
        """Mean of p(x | z_s): every present object's glimpse, drawn into its box, summed."""
        size = self.config.glimpse_size
        drawn = self.glimpse_decoder(latents.what).sigmoid()
        glimpses = rearrange(drawn, "B K (C h w) -> B K C h w", h=size, w=size)
        canvas = (self.config.image_size, self.config.image_size)
        return compose_sum(glimpses, latents.pres, self.boxes(latents.where), canvas)

    def loss(self, images: Float[Tensor, "B C H W"], weights: GNMWeights) -> GNMLoss:
        """The negative of equation 6 plus the auxiliary KLs of equation 8, with one sample of every latent."""
        seen = self.infer(images)
        q = seen.objects
        latents = ObjectLatents(
            q.pres.relaxed_sample(weights.temperature), seen.where, q.depth.sample(), q.what.sample()
        )
        log_likelihood = image_log_likelihood(images, self.render(latents), self.config.sigma)
        auxiliary = auxiliary_kls(q, self.auxiliary_prior(len(images), weights.presence), latents.pres)
        if self.config.prior == "independent":
            return elbo_terms(log_likelihood, auxiliary, None, torch.zeros_like(log_likelihood), weights)
        draw = self.globals.infer(seen.features)
        conditional = conditional_kls(q, self.prior(draw), latents.pres, self.config.gate_conditional)
        return elbo_terms(log_likelihood, auxiliary, conditional, draw.kl, weights)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> SceneSample:
        """n scenes: z_g from its prior, then the mode of p(z_s | z_g) (the paper's way), then its rendering.

        An independent prior has no mode worth drawing (every cell alike): its symbols are sampled.
        """
        if self.config.prior == "independent":
            objects = self.auxiliary_prior(n, self.config.presence_prior).sample(generator)
            return SceneSample(self.render(objects), SceneLatents(objects.what.new_zeros(n, 0), objects))
        draw = self.globals.generate(n, generator)
        objects = self.prior(draw).mode()
        return SceneSample(self.render(objects), SceneLatents(draw.latent, objects))

    @torch.no_grad()
    def detect(self, images: Float[Tensor, "B C H W"]) -> tuple[Boxes, Float[Tensor, "B K"], Tensor]:
        """Boxes of the inferred objects in pixels, their presence probabilities, and the reconstruction."""
        q = self.infer(images, mode=True).objects
        latents = q.mode()
        found = pixel_boxes(self.boxes(latents.where), latents.pres, self.config.image_size)
        return found, q.pres.probability, self.render(latents)
