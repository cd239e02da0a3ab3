"""ConvDRAW, the baseline that draws without symbols (Gregor et al. 2016, as GNM's appendix D.2 uses it).

It is StructDRAW with one image decoder in the place of the boxes: the map f is drawn in L steps, each with a latent of
its own, and then decoded to pixels at once. So the drawing happens in feature space, not on the canvas as in the
original. With interaction "none" each step's latent is a map and cells meet their neighbours alone (ConvDRAW); with
"mlp" it is a vector that sees all of them (ConvDRAW-MLP, table 2).
"""

from dataclasses import dataclass
from math import prod

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.layers import check_images, conv_stack, subpixel_stack
from neurosym_lite.models.choices import check_choices, check_sizes
from neurosym_lite.models.global_prior import GlobalDraw
from neurosym_lite.models.structdraw import Interaction, StructDraw
from neurosym_lite.models.vae import VAELoss, VAEWeights


@dataclass(frozen=True)
class ConvDrawConfig:
    """Sizes of ConvDRAW; the defaults are the paper's for the MNIST scenes (appendix D.2, tables 6, 9 and 11)."""

    image_size: int = 128  # H = W, pixels
    channels: int = 1  # C
    filters: tuple[int, ...] = (16, 16, 32, 32, 64, 64, 64, 64, 64)  # image encoder (table 6; released code: 64 wide)
    strides: tuple[int, ...] = (2, 1, 2, 1, 2, 1, 2, 1, 2)  # 2 halves the map; the last map has K = G * G cells
    structure: int = 64  # F, features a cell of the map that is drawn
    draw_steps: int = 4  # L (section 4; 8 for ConvDRAW-8)
    interaction: Interaction = "none"  # none is ConvDRAW, mlp is ConvDRAW-MLP
    latent: int = 32  # of z_l: a cell with "none", in all with "mlp" (not in the paper, taken from GNM)
    hidden: tuple[int, ...] = (64,)  # filters of the 3x3 heads, or widths of the MLPs (appendix D.2; MLP: 512, 512)
    draw_hidden: tuple[int, ...] = (512, 512)  # of the decoder of z_l (only with "mlp")
    lstm_kernel: int = 3  # table 9 (GNM's own has kernel 1 in the code)
    out_kernel: int = 3  # of the convolution that adds to f (table 9)
    decoder_filters: tuple[int, ...] = (64, 64, 32, 32, 16, 16, 16, 16, 8)  # table 11
    decoder_upscales: tuple[int, ...] = (2, 1, 2, 1, 2, 1, 2, 1, 2)  # 1 keeps the map
    decoder_bias: float = 0.0  # logit at which the canvas starts dark, or a high rate saturates it; 0: not set (paper)
    sigma: float = 0.2  # std of the Gaussian likelihood, pixels in [0, 1] (released code)

    def __post_init__(self) -> None:
        """Raises ValueError for an interaction that does not exist, and for a size below 1."""
        check_choices(self)
        check_sizes(self, "sigma")


class ConvDraw(nn.Module):
    """p(x | f) with f drawn by StructDRAW."""

    Config, Weights, Loss = ConvDrawConfig, VAEWeights, VAELoss

    def __init__(self, config: ConvDrawConfig) -> None:
        """Raises ValueError where the decoder does not draw an image of the encoder's size."""
        super().__init__()
        self.config = config
        self.grid = config.image_size // 2 ** sum(stride == 2 for stride in config.strides)
        if (drawn := self.grid * prod(config.decoder_upscales)) != config.image_size:
            raise ValueError(
                f"the decoder draws {drawn} pixels, the image has {config.image_size}: change decoder_upscales"
            )
        self.encoder = conv_stack(config.channels, config.filters, config.strides)
        self.globals = StructDraw(
            cells=self.grid**2, inputs=config.filters[-1], features=config.structure, latent=config.latent,
            steps=config.draw_steps, hidden=config.hidden, draw_hidden=config.draw_hidden,
            interaction=config.interaction, out_kernel=config.out_kernel, lstm_kernel=config.lstm_kernel,
        )  # fmt: skip
        self.decoder = subpixel_stack(
            config.structure, config.decoder_filters, config.decoder_upscales, config.channels
        )
        if config.decoder_bias:
            nn.init.constant_(self.decoder[-1].bias, config.decoder_bias)

    def look(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K D"]:
        """What the encoder makes of the images: a map of cells, which q(z_g | x) sees."""
        return rearrange(self.encoder(images), "B D y x -> B (y x) D")

    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> GlobalDraw:
        """From images in [0, 1]: z_g from q(z_g | x) (its means with `mode`), the map that it draws, the KL.

        The KL is to the prior, in nats. Raises ValueError for images of another size.
        """
        check_images(images, self.config.channels, self.config.image_size)
        return self.globals.infer(self.look(images), mode)

    def render(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B C H W"]:
        """Mean of p(x | f), in (0, 1)."""
        return self.decoder(rearrange(features, "B (y x) F -> B F y x", y=self.grid)).sigmoid()

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as the model sees them, from the means of the posterior."""
        return self.render(self.infer(images, mode=True).features)

    def loss(self, images: Float[Tensor, "B C H W"], weights: VAEWeights) -> VAELoss:
        """-ELBO = -E_q[log p(x | z)] + beta sum_l KL(q(z_l | z_<l, x) || p(z_l | z_<l)), with one sample."""
        draw = self.infer(images)
        log_likelihood = image_log_likelihood(images, self.render(draw.features), self.config.sigma)
        return VAELoss(log_likelihood, draw.kl, -log_likelihood + weights.beta * draw.kl)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n C H W"]:
        """n images: f drawn from the prior, and the mean of p(x | f)."""
        return self.render(self.globals.generate(n, generator).features)
