"""Attend, Infer, Repeat (Eslami et al. 2016) and Difference-AIR, as DooD is compared with them.

A picture is a sum of T parts. A part is a code z_what, decoded to a raster, and a frame z_where that says where it
lies; the prior of each part is the same and knows nothing of the others. In Difference-AIR the recognition network
is fed what is left to explain instead of the image (the versions of the DooD paper's code).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Bernoulli, Gaussian, gaussian_head, standard_gaussian
from neurosym_lite.layers import check_images
from neurosym_lite.models.dood_config import AIRConfig
from neurosym_lite.models.drawing import (
    WHERE_START,
    Drawer,
    DrawingLoss,
    DrawingWeights,
    Encoder,
    head,
)
from neurosym_lite.models.stop import Prefixes
from neurosym_lite.render import frames

WHERE = 4  # numbers in z_where
WHERE_MEAN, WHERE_STD = (0.0, 0.0, 0.8, 0.0), (0.2, 0.2, 0.2, 0.4)  # prior of z_where (the paper's code)
RASTER_SHIFT = 2.0  # softplus(x - 2) (the paper's code): a fresh decoder draws an eighth of full ink in its frame


class Part(NamedTuple):
    """One part as it was read."""

    q_on: Float[Tensor, "B"]
    where: Float[Tensor, "B 4"]
    what: Float[Tensor, "B D"]
    kl: Float[Tensor, "B"]
    """log q - log p of z_where and z_what."""
    canvas: Float[Tensor, "B H W"]
    """After the part."""
    state: Float[Tensor, "B E"]
    """Of the recognition network."""
    prediction: Float[Tensor, "B"]
    """NVIL's baseline."""


class PartDrawing(NamedTuple):
    """An image read part by part: all T parts, whatever q_on says; axis 1 is the part."""

    where: Float[Tensor, "B T 4"]
    what: Float[Tensor, "B T D"]
    canvases: Float[Tensor, "B stops H W"]
    """After 0 ... T parts."""
    q_on: Float[Tensor, "B T"]
    kl: Float[Tensor, "B T"]
    prediction: Float[Tensor, "B T"]


class AIR(Drawer):
    """p(x, z) = prod_t p(on) N(z_where) N(z_what) and a recurrent q(z | x)."""

    Config = AIRConfig

    def __init__(self, config: AIRConfig) -> None:
        super().__init__(config)
        c, width = config, config.hidden
        self.image_encoder = Encoder(1, c.image_size, c.filters, c.strides, width)
        self.glimpse_encoder = Encoder(1, c.glimpse, c.filters, c.strides, width)
        self.memory = nn.GRUCell(width + WHERE + c.what, width)
        self.q_on = head(width, width, 1, 0.01, (0.0,))
        self.q_where = head(width, width, 2 * WHERE, 0.01, WHERE_START)
        self.q_what = head(2 * width, width, 2 * c.what)
        self.raster = head(c.what, width, c.glimpse**2)
        self.baseline = head(width, width, 1)
        self.register_buffer("where_prior", torch.tensor([WHERE_MEAN, WHERE_STD]), persistent=False)
        self.register_buffer("p_on", torch.tensor(c.presence_prior).logit(), persistent=False)

    def prior_where(self, like: Float[Tensor, "*batch 4"]) -> Gaussian:
        """p(z_where), the same for every part, in the shape of `like`."""
        return Gaussian(*(value.expand_as(like) for value in self.where_prior))

    def draw(self, where: Float[Tensor, "B 4"], what: Float[Tensor, "B D"]) -> Float[Tensor, "B H W"]:
        """One part on a canvas of its own, not below 0."""
        side, size = self.config.glimpse, (self.config.image_size,) * 2
        raster = F.softplus(self.raster(what) - RASTER_SHIFT).view(-1, 1, side, side)
        return frames.paste(raster, where, size)[:, 0]

    def render(
        self, where: Float[Tensor, "B T 4"], what: Float[Tensor, "B T D"], on: Float[Tensor, "B T"]
    ) -> Float[Tensor, "B stops H W"]:
        """The sum of the first 0 ... T parts."""
        parts = torch.stack([self.draw(a, b) for a, b in zip(where.unbind(1), what.unbind(1), strict=True)], dim=1)
        return F.pad((on[..., None, None] * parts).cumsum(1), (0, 0, 0, 0, 1, 0))

    def infer(self, images: Float[Tensor, "B 1 H W"], mode: bool = False) -> PartDrawing:
        """From images in [0, 1] read T parts one after the other; `mode` takes means where else it draws.

        Raises ValueError for images of another size.
        """
        check_images(images, 1, self.config.image_size)
        n, width, side = len(images), self.config.hidden, self.config.image_size
        black = images.new_zeros(n, side, side)
        empty = [images.new_zeros(n, size) for size in (1, WHERE, self.config.what, 1, width, 1)]
        on, where, what, kl, state, prediction = empty
        part = Part(on[:, 0], where, what, kl[:, 0], black, state, prediction[:, 0])
        parts = [part := self.read_part(images, part, mode) for _ in range(self.config.strokes)]
        read = Part(*(torch.stack(column, dim=1) for column in zip(*parts, strict=True)))
        canvases = torch.cat([black[:, None], read.canvas], dim=1)
        return PartDrawing(read.where, read.what, canvases, read.q_on, read.kl, read.prediction)

    def read_part(self, images: Float[Tensor, "B 1 H W"], before: Part, mode: bool) -> Part:
        """One step of the recognition network."""
        seen = images - before.canvas.detach()[:, None] if self.config.residual else images
        state = self.memory(torch.cat([self.image_encoder(seen), before.where, before.what], dim=1), before.state)
        q_where = self.where_posterior(self.q_where(state))
        where = q_where.mean if mode else q_where.sample()
        glimpse = frames.glimpse(seen, where, (self.config.glimpse,) * 2)
        q_what = gaussian_head(self.q_what(torch.cat([state, self.glimpse_encoder(glimpse)], dim=1)))
        what = q_what.mean if mode else q_what.sample()
        standard = standard_gaussian(what.shape, what)
        kl = (q_where.log_prob(where) - self.prior_where(where).log_prob(where)).sum(1)
        kl = kl + (q_what.log_prob(what) - standard.log_prob(what)).sum(1)
        q_on, prediction = self.q_on(state.detach())[:, 0], self.baseline(state.detach())[:, 0]
        return Part(q_on, where, what, kl, before.canvas + self.draw(where, what), state, prediction)

    def log_likelihood(
        self, images: Float[Tensor, "B 1 H W"], canvases: Float[Tensor, "B stops H W"]
    ) -> Float[Tensor, "B stops"]:
        """log p(x | canvas) of each prefix, nats: Laplace, or normal where the config says so."""
        if self.config.likelihood == "laplace":
            return super().log_likelihood(images, canvases)
        return self.normal_log_likelihood(images, canvases)

    def loss(self, images: Float[Tensor, "B 1 H W"], weights: DrawingWeights) -> DrawingLoss:
        """-log p(x), bounded as `config.stop` says."""
        drawing = self.infer(images)
        return self.drawing_loss(images, drawing.canvases, self.prefixes(images, drawing), drawing.prediction, weights)

    def prefixes(self, images: Float[Tensor, "B 1 H W"], drawing: PartDrawing) -> Prefixes:
        """What each place to stop is worth."""
        likelihood = self.log_likelihood(images, drawing.canvases)
        return Prefixes(likelihood, drawing.kl, drawing.q_on, self.p_on.expand_as(drawing.q_on))

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, parts: Int64[Tensor, "n"] | None = None) -> Float[Tensor, "n 1 H W"]:
        """n images from the prior, cut off at 1; each of so many `parts` where they are given, in place of the coin."""
        steps, like = self.config.strokes, self.p_on
        where = self.prior_where(like.new_empty(n, steps, WHERE)).sample(generator)
        what = standard_gaussian((n, steps, self.config.what), like).sample(generator)
        if parts is None:
            on = Bernoulli(like.expand(n, steps)).sample(generator).cumprod(1)
        else:
            on = (torch.arange(steps, device=like.device) < parts[:, None]).to(like)
        return self.render(where, what, on)[:, -1:].clamp(max=1)
