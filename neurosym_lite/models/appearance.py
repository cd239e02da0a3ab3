"""What things look like: from z_what to a glimpse, and from z_b to a background and back."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from neurosym_lite.distributions import Gaussian, gaussian_head, standard_gaussian
from neurosym_lite.layers import doubling_stack, mlp, subpixel_stack
from neurosym_lite.models.gnm_config import GNMConfig


class Glimpses(NamedTuple):
    """What the decoder draws for every cell."""

    colours: Float[Tensor, "B K C h w"]
    """In (0, 1)."""
    masks: Float[Tensor, "B K 1 h w"] | None
    """In (0, 1); None where rendering is a plain sum."""


class GlimpseDecoder(nn.Module):
    """z_what of every cell to its glimpse: an MLP, or the paper's sub-pixel convolutions (tables 7 and 10).

    Convolutions know no cells, so inside this module, and nowhere else among the models, B and K are one axis.
    """

    def __init__(self, config: GNMConfig) -> None:
        """Raises ValueError for a net that draws glimpses of another size than the config's."""
        super().__init__()
        self.side, self.masked = config.glimpse_size, config.rendering != "sum"
        channels = config.channels + self.masked
        self.is_mlp = config.glimpse_net == "mlp"
        if self.is_mlp:
            self.net = mlp(config.what, config.glimpse_decoder, channels * self.side**2)
            bias = self.net[-1].bias.view(channels, -1)
        elif config.glimpse_net == "subpixel":
            self.net = subpixel_stack(config.what, config.glimpse_decoder, config.glimpse_upscales, channels)
            bias = self.net[-1].bias
        else:
            self.net = doubling_stack(config.what, config.glimpse_decoder, channels)
            bias = self.net[-2].bias.view(channels, -1)
        if config.decoder_bias:
            nn.init.constant_(bias[-1] if self.masked else bias, config.decoder_bias)
        if (drawn := self._draw(torch.zeros(1, 1, config.what)).shape[-1]) != self.side:
            raise ValueError(f"the glimpse decoder draws {drawn} pixels, glimpse_size is {self.side}: make them agree")

    def _draw(self, what: Float[Tensor, "B K D"]) -> Float[Tensor, "B K E h w"]:
        if self.is_mlp:
            return rearrange(self.net(what), "B K (E h w) -> B K E h w", h=self.side, w=self.side)
        drawn = self.net(rearrange(what, "B K D -> (B K) D 1 1"))
        return rearrange(drawn, "(B K) E h w -> B K E h w", K=what.shape[1])

    def forward(self, what: Float[Tensor, "B K D"]) -> Glimpses:
        """Colours, and masks where objects hide each other."""
        drawn = self._draw(what).sigmoid()
        return Glimpses(drawn[:, :, :-1], drawn[:, :, -1:]) if self.masked else Glimpses(drawn, None)


class Background(nn.Module):
    """z_b: q(z_b | x) and the picture (tables 8 and 9)."""

    def __init__(self, config: GNMConfig, seen: int) -> None:
        """`seen` is the width of the encoder's whole map."""
        super().__init__()
        self.scale = config.background_scale
        self.encoder = mlp(seen, config.background_encoder, 2 * config.background)
        self.decoder = subpixel_stack(
            config.background, config.background_filters, config.background_upscales, config.channels
        )

    def posterior(self, features: Float[Tensor, "B K D"]) -> Gaussian:
        """q(z_b | x) from the encoder's map."""
        return gaussian_head(self.encoder(features.flatten(1)))

    def forward(self, latent: Float[Tensor, "B E"]) -> Float[Tensor, "B C H W"]:
        """The background picture, in (0, 1)."""
        drawn = self.decoder(latent[:, :, None, None])
        if self.scale > 1:
            drawn = F.interpolate(drawn, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return drawn.sigmoid()


class BackgroundPrior(nn.Module):
    """p(z_b | z_g) (table 9), and the unconditional N(0, I)."""

    def __init__(self, config: GNMConfig, globals_width: int) -> None:
        """`globals_width` is that of z_g; with 0, p(z_b) is N(0, I)."""
        super().__init__()
        self.width = config.background
        self.net = mlp(globals_width, config.background_prior, 2 * self.width) if globals_width else None

    def auxiliary(self, n: int, like: Tensor) -> Gaussian:
        """N(0, I), the unconditional prior of equation 7."""
        return standard_gaussian((n, self.width), like)

    def forward(self, latent: Float[Tensor, "B D"]) -> Gaussian:
        """p(z_b | z_g)."""
        return self.auxiliary(len(latent), latent) if self.net is None else gaussian_head(self.net(latent))
