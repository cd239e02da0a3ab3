"""SPACE (Lin et al. 2020): objects in boxes before a background in slots; the baseline of GNM's table 4.

    p(x | z) = a N(x; mu_fg, sigma^2) + (1 - a) sum_k m_k N(x; mu_k, sigma^2)                (SPACE, equation 1)

pixel by pixel, with a the share of a pixel that objects cover. The foreground is what GNM is without z_g: symbols of
a grid's cells, independent of each other (`GNM` with prior="independent"; the appearance is read from a glimpse). The
background is a mixture of K images with masks, as in GENESIS; with one component a VAE; or black. SPACE sees well; it
cannot imagine a scene, for nothing in it says which symbols go together.

Written from the paper. Its boundary loss is given there in words alone: here a mask is charged for what it puts on the
rim of its box, so that one object is not cut in two.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import kl_gaussian
from neurosym_lite.latents import Detection, ObjectLatents
from neurosym_lite.models.genesis import Genesis, GenesisConfig, mixture_log_likelihood
from neurosym_lite.models.gnm import GNM, Inference
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.objective import ONE, ZERO, gated_kls
from neurosym_lite.models.symbols import pixel_boxes
from neurosym_lite.models.vae import VAE, VAEConfig
from neurosym_lite.render.axes import pixel_centres

RIM = 6 / 32  # width of the rim that is charged, in sides of the glimpse (SPACE: 6 of 32 pixels)
LEAST_SHARE = 1e-4  # of a pixel, that foreground and background each have: their logarithms stay finite
FIXED = 0.1  # share of every pixel that the foreground gets while the background must not take all (SPACE: fix alpha)


@dataclass(frozen=True)
class SpaceConfig:
    """Sizes of SPACE."""

    foreground: GNMConfig  # with prior="independent", masks, what_from="glimpse" and no background of its own
    background: GenesisConfig | VAEConfig | None = None  # K slots, one image, or black

    @property
    def image_size(self) -> int:
        """H = W, pixels."""
        return self.foreground.image_size

    @property
    def channels(self) -> int:
        """C."""
        return self.foreground.channels

    @property
    def sigma(self) -> float:
        """Std of the likelihood, of foreground and background (SPACE: 0.15)."""
        return self.foreground.sigma


class SpaceWeights(NamedTuple):
    """What training changes from step to step."""

    temperature: Float[Tensor, ""]
    """Of the relaxed presence."""
    presence: Float[Tensor, ""]
    """rho of the prior Ber(rho)."""
    boundary: Float[Tensor, ""] = ZERO
    """Weight of the boundary loss."""
    fixed: Float[Tensor, ""] = ZERO
    """1 while the foreground's share of every pixel is FIXED, 0 after."""
    beta_background: Float[Tensor, ""] = ONE
    """Weight of the background's KL."""


class SpaceLoss(NamedTuple):
    """The negative ELBO and its parts, in nats an image."""

    log_likelihood: Float[Tensor, "B"]
    kl_pres: Float[Tensor, "B"]
    kl_where: Float[Tensor, "B"]
    kl_depth: Float[Tensor, "B"]
    kl_what: Float[Tensor, "B"]
    kl_background: Float[Tensor, "B"]
    boundary: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


class Backdrop(NamedTuple):
    """A background as a mixture of K images."""

    log_masks: Float[Tensor, "B K H W"]
    means: Float[Tensor, "B K C H W"]
    kl: Float[Tensor, "B"]
    """Of its latents, in nats an image."""


class Layers(NamedTuple):
    """What the objects make of a picture."""

    mean: Float[Tensor, "B C H W"]
    """mu_fg."""
    share: Float[Tensor, "B 1 H W"]
    """a, in (0, 1)."""
    boundary: Float[Tensor, "B"]
    """What their masks put on the rims of their boxes."""


def rim(side: int, like: Tensor) -> Float[Tensor, "side side"]:
    """1 at the edge of a glimpse, falling in a line to 0 at RIM of its side."""
    along = (1 - pixel_centres(side, like).abs()) / 2  # from the nearer edge, in sides
    nearest = torch.minimum(along[:, None], along[None, :])
    return (1 - nearest / RIM).clamp(min=0)


class Space(nn.Module):
    """The model. Read `loss` first."""

    Config, Weights, Loss = SpaceConfig, SpaceWeights, SpaceLoss

    def __init__(self, config: SpaceConfig) -> None:
        """Raises ValueError for a foreground with a global prior, without masks or with a background of its own.

        Also where foreground and background are of different sizes.
        """
        super().__init__()
        front = config.foreground
        if front.prior != "independent" or front.rendering == "sum" or front.background:
            raise ValueError(
                'SPACE\'s foreground is an S-LVM with masks: set prior="independent", rendering="convex", background=0'
            )
        for name in ("image_size", "channels", "sigma"):
            if config.background and getattr(config.background, name) != getattr(front, name):
                raise ValueError(f"SPACE's background and foreground differ in {name}: make them agree")
        self.config = config
        self.foreground = GNM(front)
        if isinstance(config.background, GenesisConfig):
            self.background = Genesis(config.background)
        elif config.background is not None:
            self.background = VAE(config.background)

    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> Inference:
        """q(z_s | x) of images in [0, 1]: the foreground's symbols."""
        return self.foreground.infer(images, mode)

    def layers(self, latents: ObjectLatents, fixed: Float[Tensor, ""] | float = 0.0) -> Layers:
        """Objects onto the canvas: colours, shares, and what touches the rims."""
        scene, masks = self.foreground.foreground(latents)
        share = (fixed * FIXED + (1 - fixed) * scene.coverage).clamp(LEAST_SHARE, 1 - LEAST_SHARE)
        touching = (masks[:, :, 0] * rim(masks.shape[-1], masks)).mean((2, 3))
        return Layers(scene.light / scene.coverage.clamp(min=LEAST_SHARE), share, (touching * latents.pres).sum(1))

    def backdrop(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> Backdrop:
        """The background as inferred from the image."""
        if self.config.background is None:
            blank = torch.zeros_like(images[:, None])
            return Backdrop(blank[:, :, 0], blank, images.new_zeros(len(images)))
        if isinstance(self.background, Genesis):
            drawn = self.background.infer(images, mode)
            kls = [kl_gaussian(part.posterior, part.prior).flatten(1).sum(1) for part in drawn[:2]]
            return Backdrop(drawn.log_masks, drawn.means, kls[0] + kls[1])
        q = self.background.infer(images)
        means = self.background.render(q.mean if mode else q.sample())[:, None]
        kl = kl_gaussian(q, self.background.prior(len(images), images)).sum(1)
        return Backdrop(torch.zeros_like(means[:, :, 0]), means, kl)

    def loss(self, images: Float[Tensor, "B C H W"], weights: SpaceWeights) -> SpaceLoss:
        """-ELBO + boundary loss, with one sample of every latent."""
        seen, behind = self.infer(images), self.backdrop(images)
        q = seen.objects
        pres = q.pres.relaxed_sample(weights.temperature)
        front = self.layers(ObjectLatents(pres, seen.where, q.depth.sample(), q.what.sample()), weights.fixed)
        log_masks = torch.cat([front.share.log(), (1 - front.share).log() + behind.log_masks], dim=1)
        means = torch.cat([front.mean[:, None], behind.means], dim=1)
        log_likelihood = mixture_log_likelihood(images, log_masks, means, self.config.sigma)
        kls = gated_kls(q, self.foreground.auxiliary_prior(len(images), weights.presence), pres)
        total = -log_likelihood + kls.total() + weights.beta_background * behind.kl + weights.boundary * front.boundary
        return SpaceLoss(log_likelihood, *kls, behind.kl, front.boundary, total)

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as the model sees them, from the modes of its posteriors."""
        return self.detect(images).image

    def _composed(self, latents: ObjectLatents, behind: Backdrop) -> Float[Tensor, "B C H W"]:
        front = self.layers(latents)
        picture = (behind.log_masks.exp()[:, :, None] * behind.means).sum(1)
        return front.share * front.mean + (1 - front.share) * picture

    @torch.no_grad()
    def detect(self, images: Float[Tensor, "B C H W"]) -> Detection:
        """Boxes of the inferred objects in pixels, and the images drawn again, from the modes of the posteriors."""
        objects = self.infer(images, mode=True).objects
        latents = objects.mode()
        found = pixel_boxes(self.foreground.boxes(latents.where), latents.pres, self.config.image_size)
        drawn = self._composed(latents, self.backdrop(images, mode=True))
        return Detection(found, objects.pres.probability, drawn)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n C H W"]:
        """n images from the prior: every cell's symbol by itself, before a background of its own."""
        front = self.foreground
        latents = front.auxiliary_prior(n, front.config.presence_prior).sample(generator)
        size = self.config.image_size
        picture = front.centres.new_zeros(n, self.config.channels, size, size)
        if self.config.background is not None:
            picture = self.background.sample(n, generator)
        return self._composed(latents, Backdrop(0 * picture[:, :1], picture[:, None], picture.new_zeros(n)))
