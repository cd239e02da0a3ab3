"""Generative Neurosymbolic Machines (Jiang & Ahn 2020): scenes as symbols, and a prior that knows which scenes exist.

    p(x, z_s, z_b, z_g) = p(x | z_s, z_b) p(z_s | z_g) p(z_b | z_g) p(z_g)                (equation 1)

z_g is a distributed vector; z_s is a map of symbols, one a cell of a G x G grid; z_b is the background; x is their
rendering. p(z_g) is StructDRAW with `prior="struct"`, one Gaussian vector with `prior="gaussian"` (GNM-Gaussian of
table 2); with `prior="independent"` there is no z_g and the symbols are independent: the S-LVM of figure 1.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import (
    Bernoulli,
    Gaussian,
    gaussian_head,
    image_log_likelihood,
    kl_gaussian,
    standard_gaussian,
)
from neurosym_lite.latents import Detection, ObjectLatents, SceneLatents, Where
from neurosym_lite.layers import check_images, conv_stack, mlp
from neurosym_lite.models.appearance import Background, BackgroundPrior, GlimpseDecoder
from neurosym_lite.models.global_prior import GaussianGlobal, GlobalDraw
from neurosym_lite.models.gnm_config import GNMConfig, check_config
from neurosym_lite.models.objective import (
    GNMLoss,
    GNMWeights,
    KLs,
    elbo_terms,
    gated_kls,
    no_kls,
)
from neurosym_lite.models.structdraw import StructDraw
from neurosym_lite.models.symbols import (
    WHERE,
    ObjectDistribution,
    SymbolHeads,
    as_input,
    boxes,
    cell_centres,
    pixel_boxes,
)
from neurosym_lite.render.compose import Foreground, compose_sum, foreground_convex, foreground_exact
from neurosym_lite.render.spatial import glimpse

FILLED = 0.9  # what the curriculum sets masks to (appendix C)


class Inference(NamedTuple):
    """q(z_s, z_b | x), and what was looked at on the way."""

    objects: ObjectDistribution
    where: Float[Tensor, "B K 4"]
    """The z_where at which the glimpses were cut."""
    features: Float[Tensor, "B K E"]
    """What q(z_g | x) sees."""
    background: Gaussian
    """q(z_b | x), of width 0 where backgrounds are black."""


class SceneSample(NamedTuple):
    """A scene that the model imagined."""

    images: Float[Tensor, "B C H W"]
    latents: SceneLatents


class GNM(nn.Module):
    """The model. Read `loss` first: it is equation 9."""

    Config, Weights, Loss = GNMConfig, GNMWeights, GNMLoss

    def __init__(self, config: GNMConfig) -> None:
        """Raises ValueError where sizes or switches do not go together (`gnm_config.check_config`)."""
        super().__init__()
        check_config(config)
        self.config = config
        cells, width = config.grid**2, config.filters[-1]
        starts = (config.scale_start, config.presence_start)
        from_cell = config.what_from == "cell"
        self.register_buffer("centres", cell_centres(config.grid), persistent=False)
        self.encoder = conv_stack(config.channels, config.filters, config.strides)
        self.posterior_heads = SymbolHeads(width, config.heads, config.what * from_cell, *starts)
        if not from_cell:
            pixels = config.channels * config.glimpse_size**2
            self.glimpse_encoder = mlp(pixels, config.glimpse_encoder, 2 * config.what)
        self.glimpse_decoder = GlimpseDecoder(config)
        globals_width = 0
        if config.prior != "independent":
            seen = 1 + WHERE + config.what if config.global_from == "symbols" else width
            self.globals = _global_prior(config, seen)
            globals_width = config.latent * (config.draw_steps if config.prior == "struct" else 1)
            if config.interaction == "none" and config.prior == "struct":
                globals_width *= cells
            if not config.share_heads:
                self.prior_heads = SymbolHeads(config.structure, config.heads, config.what, *starts)
        if config.background:
            self.background = Background(config, cells * width)
            self.background_prior = BackgroundPrior(config, globals_width)

    def boxes(self, where: Float[Tensor, "B K 4"]) -> Where:
        """z_where as boxes on the canvas; a centre may move one full cell from its own."""
        return boxes(where, self.centres, reach=2 / self.config.grid)

    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> Inference:
        """q(z_s, z_b | x) of images in [0, 1], ink white on black.

        Glimpses for z_what are cut at a sample of z_where, or at its mean with `mode`. Raises ValueError for images of
        another size.
        """
        check_images(images, self.config.channels, self.config.image_size)
        features = rearrange(self.encoder(images), "B D y x -> B (y x) D")
        background = self._infer_background(features)
        objects = self.posterior_heads(features)
        where = objects.where.mean if mode else objects.where.sample()
        if self.config.what_from == "glimpse":
            objects = objects._replace(what=self.infer_what(images, where))
        if self.config.global_from == "symbols":
            features = as_input(objects.pres.probability, objects.where.mean, objects.what.mean)
        return Inference(objects, where, features, background)

    def infer_what(self, images: Float[Tensor, "B C H W"], where: Float[Tensor, "B K 4"]) -> Gaussian:
        """q(z_what | x, z_where) from a crop at the box, as in AIR and SPACE. No gradient passes through the crop."""
        box = self.boxes(where.detach())
        window = Where(box.scale * self.config.glimpse_window, box.shift)
        size = (self.config.glimpse_size, self.config.glimpse_size)
        return gaussian_head(self.glimpse_encoder(glimpse(images, window, size).flatten(2)))

    def _infer_background(self, features: Float[Tensor, "B K D"]) -> Gaussian:
        if self.config.background:
            return self.background.posterior(features)
        nothing = features.new_zeros(len(features), 0)
        return Gaussian(nothing, nothing)

    def prior(self, draw: GlobalDraw) -> ObjectDistribution:
        """p(z_s | z_g), read from the map that z_g drew."""
        return self.prior_symbols(draw.features)

    def prior_symbols(self, features: Float[Tensor, "B K F"]) -> ObjectDistribution:
        """p(z_s | f), from a map however it was drawn."""
        return (self.posterior_heads if self.config.share_heads else self.prior_heads)(features)

    def auxiliary_prior(self, n: int, presence: Float[Tensor, ""] | float) -> ObjectDistribution:
        """p_aux(z_s) of appendix C: presence Ber(rho), boxes near their cell, depth and what N(0, 1)."""
        config, cells = self.config, self.config.grid**2
        unit = standard_gaussian((n, cells, config.what), self.centres)
        zeros = unit.mean
        odds = torch.as_tensor(presence, device=zeros.device, dtype=zeros.dtype).logit()
        mean = zeros.new_zeros(n, cells, WHERE)
        mean[..., 0].fill_(config.scale_mean)
        std = torch.stack([torch.full_like(zeros[..., 0], s) for s in config.where_std], dim=-1)
        return ObjectDistribution(
            Bernoulli(odds.expand(n, cells)), Gaussian(mean, std), Gaussian(zeros[..., 0], unit.std[..., 0]), unit
        )

    def foreground(
        self, latents: ObjectLatents, mask_fill: Float[Tensor, ""] | float = 0.0
    ) -> tuple[Foreground, Float[Tensor, "B K 1 h w"]]:
        """Every present object's glimpse, drawn into its box, and the masks of the glimpses; of models with masks."""
        config = self.config
        colours, masks = self.glimpse_decoder(latents.what)
        if config.curriculum == "box":
            masks = mask_fill * FILLED + (1 - mask_fill) * masks
        compose = foreground_exact if config.rendering == "exact" else foreground_convex
        canvas, where = (config.image_size, config.image_size), self.boxes(latents.where)
        return compose(colours, masks, latents.pres, latents.depth, where, canvas), masks

    def render(
        self,
        latents: ObjectLatents,
        background: Float[Tensor, "B E"] | None = None,
        mask_fill: Float[Tensor, ""] | float = 0.0,
    ) -> Float[Tensor, "B C H W"]:
        """Mean of p(x | z_s, z_b): every present object's glimpse, drawn into its box, before the background.

        Without z_b the background is black. `mask_fill` 1 is the curriculum of appendix C: masks are 0.9 all over
        ("box"), or the background counts for 0.1 everywhere ("image", as the released code has it).
        """
        config = self.config
        if config.rendering == "sum":
            canvas, colours = (config.image_size, config.image_size), self.glimpse_decoder(latents.what).colours
            return compose_sum(colours, latents.pres, self.boxes(latents.where), canvas)
        scene, _ = self.foreground(latents, mask_fill)
        if background is None or not config.background:
            return scene.light
        if config.curriculum == "image":
            scene = scene._replace(coverage=mask_fill * FILLED + (1 - mask_fill) * scene.coverage)
        return scene.over(self.background(background))

    def loss(self, images: Float[Tensor, "B C H W"], weights: GNMWeights) -> GNMLoss:
        """The negative of equation 9 with one sample of every latent."""
        if self.config.prior == "independent":
            return self.symbol_loss(images, weights)
        seen, pres, log_likelihood, auxiliary = self._explain(images, weights)
        draw = self.globals.infer(seen.features)
        return elbo_terms(log_likelihood, auxiliary, self._conditional_kls(seen, draw, pres), draw.kl, weights)

    def symbol_loss(self, images: Float[Tensor, "B C H W"], weights: GNMWeights) -> GNMLoss:
        """The terms of equation 9 without z_g: likelihood and auxiliary KLs. All there is of an S-LVM."""
        _, _, log_likelihood, auxiliary = self._explain(images, weights)
        return elbo_terms(log_likelihood, auxiliary, no_kls(log_likelihood), 0 * log_likelihood, weights)

    def _explain(
        self, images: Float[Tensor, "B C H W"], weights: GNMWeights
    ) -> tuple[Inference, Float[Tensor, "B K"], Float[Tensor, "B"], KLs]:
        """One sample of (z_s, z_b) from q: what was inferred, the relaxed presence, log p(x | z), auxiliary KLs."""
        seen = self.infer(images)
        q = seen.objects
        latents = ObjectLatents(
            q.pres.relaxed_sample(weights.temperature), seen.where, q.depth.sample(), q.what.sample()
        )
        drawn = self.render(latents, seen.background.sample(), weights.mask_fill)
        log_likelihood = image_log_likelihood(images, drawn, self.config.sigma)
        return seen, latents.pres, log_likelihood, self._auxiliary_kls(seen, latents.pres, weights.presence)

    def prior_loss(self, seen: Inference, weights: GNMWeights) -> GNMLoss:
        """The terms of equation 9 that z_g enters, for symbols inferred before and held fixed; presence as it is."""
        draw = self.globals.infer(seen.features)
        conditional = self._conditional_kls(seen, draw, seen.objects.pres.probability)
        return elbo_terms(0 * draw.kl, no_kls(draw.kl), conditional, draw.kl, weights)

    def _auxiliary_kls(self, seen: Inference, pres: Float[Tensor, "B K"], presence: Float[Tensor, ""]) -> KLs:
        n = len(pres)
        symbols = gated_kls(seen.objects, self.auxiliary_prior(n, presence), pres, self.config.gate_auxiliary)
        if not self.config.background:
            return KLs(symbols, 0 * symbols.pres)
        unit = self.background_prior.auxiliary(n, pres)
        return KLs(symbols, kl_gaussian(seen.background, unit).sum(1))

    def _conditional_kls(self, seen: Inference, draw: GlobalDraw, pres: Float[Tensor, "B K"]) -> KLs:
        symbols = gated_kls(seen.objects, self.prior(draw), pres, self.config.gate_conditional)
        if not self.config.background:
            return KLs(symbols, 0 * symbols.pres)
        return KLs(symbols, kl_gaussian(seen.background, self.background_prior(draw.latent)).sum(1))

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, sweeps: int = 0) -> SceneSample:
        """n scenes: z_g from its prior, then the mode of p(z_s | z_g) (the paper's way), then its rendering.

        With `sweeps`, pseudo-Gibbs: so many times, z_g is drawn anew from q(z_g | those symbols) and the symbols read
        from it. This leaves the paper's ancestral sampling; it moves a scene to where the posterior is at home.
        An independent prior has no mode worth drawing (every cell alike): its symbols are sampled. Raises ValueError
        when asked for sweeps without a z_g.
        """
        if self.config.prior == "independent":
            if sweeps:
                raise ValueError("sweeps draw z_g anew, and an independent prior has none: set sweeps=0")
            objects = self.auxiliary_prior(n, self.config.presence_prior).sample(generator)
            behind = Gaussian(*objects.what.new_tensor([0.0, 1.0])[:, None, None].expand(2, n, self.config.background))
            return self._scene(objects.what.new_zeros(n, 0), objects, behind.sample(generator))
        draw = self.globals.generate(n, generator)
        for _ in range(sweeps):
            draw = self.globals.infer(self._look_again(draw), generator=generator)
        return self.imagined(draw)

    @torch.no_grad()
    def imagined(self, draw: GlobalDraw) -> SceneSample:
        """The likeliest scene that z_g says: the modes of p(z_s | z_g) and p(z_b | z_g), drawn."""
        return self._scene(draw.latent, self.prior(draw).mode(), self._background_mode(draw))

    def _scene(self, latent: Float[Tensor, "B D"], objects: ObjectLatents, behind: Float[Tensor, "B E"]) -> SceneSample:
        return SceneSample(self.render(objects, behind), SceneLatents(latent, objects, behind))

    def _look_again(self, draw: GlobalDraw) -> Float[Tensor, "B K E"]:
        """What q(z_g | x) would see of the scene that z_g says: its symbols, or the features of its picture."""
        if self.config.global_from == "symbols":
            objects = self.prior(draw).mode()
            return as_input(objects.pres, objects.where, objects.what)
        return rearrange(self.encoder(self.imagined(draw).images), "B D y x -> B (y x) D")

    def _background_mode(self, draw: GlobalDraw) -> Float[Tensor, "B E"]:
        if self.config.background:
            return self.background_prior(draw.latent).mean
        return draw.latent[:, :0]

    @torch.no_grad()
    def detect(self, images: Float[Tensor, "B C H W"]) -> Detection:
        """Boxes of the inferred objects in pixels, and the images drawn again, from the modes of the posteriors.

        Images are floats in [0, 1], ink white on black.
        """
        seen = self.infer(images, mode=True)
        latents = seen.objects.mode()
        found = pixel_boxes(self.boxes(latents.where), latents.pres, self.config.image_size)
        return Detection(found, seen.objects.pres.probability, self.render(latents, seen.background.mean))

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as the model sees them, from the modes of the posteriors."""
        return self.detect(images).image


def _global_prior(config: GNMConfig, seen: int) -> GaussianGlobal | StructDraw:
    cells = config.grid**2
    if config.prior == "gaussian":
        return GaussianGlobal(cells, seen, config.structure, config.latent, config.hidden)
    return StructDraw(
        cells=cells, inputs=seen, features=config.structure, latent=config.latent, steps=config.draw_steps,
        hidden=config.hidden, draw_hidden=config.draw_hidden, interaction=config.interaction, embed=config.embed,
        components=config.prior_components, out_kernel=config.out_kernel,
    )  # fmt: skip
