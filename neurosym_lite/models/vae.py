"""D-LVM: a variational autoencoder, one Gaussian vector for the whole image (GNM, figure 1 left; appendix D.2).

The default configuration is the paper's baseline at 128 x 128 (tables 6 and 10). The tables disagree on the width of
the latent: the head is given 128 numbers and the decoder is fed 128, but a mean and a std need twice what the decoder
eats. We take 2 x 64.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Gaussian, gaussian_head, image_log_likelihood, kl_gaussian, standard_gaussian
from neurosym_lite.layers import check_images, conv_block, conv_stack, subpixel_stack
from neurosym_lite.models.choices import check_sizes


@dataclass(frozen=True)
class VAEConfig:
    """Sizes of the VAE; the defaults are the paper's (appendix D, tables 6 and 10)."""

    image_size: int = 128  # H = W, pixels
    channels: int = 1  # C
    filters: tuple[int, ...] = (16, 16, 32, 32, 64, 64, 128, 128, 128)  # encoder (table 6)
    strides: tuple[int, ...] = (2, 1, 2, 1, 2, 1, 2, 1, 2)  # 2 halves the map
    head: int = 128  # filters between encoder and latent (appendix D.2)
    latent: int = 64  # D, width of z_g (inconsistent in the paper: see above)
    decoder_filters: tuple[int, ...] = (128, 128, 64, 64, 32, 32, 16, 16, 16, 16, 8)  # table 10
    decoder_upscales: tuple[int, ...] = (4, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2)  # 1 keeps the map
    decoder_bias: float = 0.0  # logit at which the canvas starts dark, or a high rate saturates it; 0: not set (paper)
    sigma: float = 0.2  # std of the Gaussian likelihood, pixels in [0, 1] (not in the paper)

    def __post_init__(self) -> None:
        """Raises ValueError for a size below 1."""
        check_sizes(self, "sigma")


class VAEWeights(NamedTuple):
    """What training changes from step to step."""

    beta: Float[Tensor, ""]
    """Weight of the KL."""


class VAELoss(NamedTuple):
    """The negative ELBO and its parts, in nats an image."""

    log_likelihood: Float[Tensor, "B"]
    kl_global: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


class VAE(nn.Module):
    """p(x | z) p(z) with p(z) = N(0, I), q(z | x) a convolutional encoder (Kingma & Welling 2014)."""

    Config, Weights, Loss = VAEConfig, VAEWeights, VAELoss

    def __init__(self, config: VAEConfig) -> None:
        """Raises ValueError where the decoder does not draw an image of the encoder's size."""
        super().__init__()
        if (drawn := prod(config.decoder_upscales)) != config.image_size:
            raise ValueError(
                f"the decoder draws {drawn} pixels, the image has {config.image_size}: change decoder_upscales"
            )
        self.config = config
        side = config.image_size // 2 ** sum(s == 2 for s in config.strides)
        self.encoder = conv_stack(config.channels, config.filters, config.strides)
        self.head = nn.Sequential(
            conv_block(config.filters[-1], config.head, 3, 1), nn.Conv2d(config.head, 2 * config.latent, side)
        )
        self.decoder = subpixel_stack(config.latent, config.decoder_filters, config.decoder_upscales, config.channels)
        if config.decoder_bias:
            nn.init.constant_(self.decoder[-1].bias, config.decoder_bias)

    def infer(self, images: Float[Tensor, "B C H W"]) -> Gaussian:
        """q(z | x) of images in [0, 1]: mean and std of the latent, (B, D). Raises ValueError for another size."""
        check_images(images, self.config.channels, self.config.image_size)
        return gaussian_head(self.head(self.encoder(images)).flatten(1))

    def prior(self, n: int, like: Tensor) -> Gaussian:
        """p(z) = N(0, I) for n images, on the device and in the type of `like`."""
        return standard_gaussian((n, self.config.latent), like)

    def render(self, latent: Float[Tensor, "B D"]) -> Float[Tensor, "B C H W"]:
        """Mean of p(x | z), in (0, 1)."""
        return self.decoder(latent[:, :, None, None]).sigmoid()

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as the model sees them, from the mean of the posterior."""
        return self.render(self.infer(images).mean)

    def loss(self, images: Float[Tensor, "B C H W"], weights: VAEWeights) -> VAELoss:
        """-ELBO = -E_q[log p(x | z)] + beta KL(q(z | x) || p(z)), with one sample."""
        posterior = self.infer(images)
        log_likelihood = image_log_likelihood(images, self.render(posterior.sample()), self.config.sigma)
        kl = kl_gaussian(posterior, self.prior(len(images), images)).sum(1)
        return VAELoss(log_likelihood, kl, -log_likelihood + weights.beta * kl)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n C H W"]:
        """n images: z from the prior, and the mean of p(x | z)."""
        like = next(self.parameters())
        return self.render(self.prior(n, like).sample(generator))
