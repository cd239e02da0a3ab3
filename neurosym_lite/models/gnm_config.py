"""GNM's sizes and switches: the small model of the book, and the paper's two."""

import math
from dataclasses import dataclass
from typing import Literal

from neurosym_lite.models.choices import check_choices, check_sizes


@dataclass(frozen=True)
class GNMConfig:
    """Sizes and switches of a GNM. Where a default leaves the paper, the comment says so; `PAPER_*` do not leave it."""

    image_size: int = 64  # H = W, pixels (paper: 128)
    channels: int = 1  # C
    grid: int = 4  # G; K = G * G cells (section 4)
    sigma: float = 0.1  # std of the likelihood; evidence grows as pixels / sigma^2: 0.2 at 128 is 0.1 at 64

    # the image encoder and the symbols
    filters: tuple[int, ...] = (16, 32, 48, 48, 48)  # image encoder (table 6 has nine layers)
    strides: tuple[int, ...] = (2, 2, 2, 2, 1)  # 2 halves the map; the last map must be G x G
    heads: tuple[int, ...] = (64, 64)  # hidden widths of the symbol heads (table 9)
    share_heads: bool = False  # one module reads q(z_s | x) and p(z_s | z_g) (paper: yes, appendix D.1)
    what: int = 10  # D of z_what (paper's MNIST: 20 in the released code)
    what_from: Literal["cell", "glimpse"] = "glimpse"  # paper: the cell's features; glimpse: a crop at the box
    scale_mean: float = -1.5  # prior mean of the raw scale: sigmoid = 0.18 of the canvas (released code: -1.6)
    where_std: tuple[float, ...] = (0.1, 0.3, 1.0, 1.0)  # prior stds of (s, r, u_x, u_y) (released code)
    scale_start: float = -1.5  # raw scale of every box at the start (released code: -1)
    presence_start: float = 0.25  # raw presence at the start, a logit near 2 (paper: 0)

    # from z_what to a glimpse
    glimpse_size: int = 16  # h = w of what the decoder draws, pixels (paper's MNIST: 32)
    glimpse_window: float = 1.2  # side of the crop in units of the box (only with what_from="glimpse")
    glimpse_encoder: tuple[int, ...] = (256, 128)  # hidden widths (only with what_from="glimpse")
    glimpse_net: Literal["mlp", "subpixel", "doubling"] = "mlp"  # paper: sub-pixel (MNIST), doubling (Arrow Room)
    glimpse_decoder: tuple[int, ...] = (128, 256)  # hidden widths, or filters where it convolves
    glimpse_upscales: tuple[int, ...] = ()  # of the sub-pixel blocks; their product is the glimpse's size
    decoder_bias: float = -2.0  # logit at which a blank glimpse starts: dark, or presence collapses (paper: 0)

    # from glimpses to an image
    rendering: Literal["sum", "exact", "convex"] = "sum"  # ink on black; algorithm 2; its fused form
    background: int = 0  # D of z_b; 0 is a black background without nets (paper's Arrow Room: 10)
    background_encoder: tuple[int, ...] = (512, 256)  # hidden widths of q(z_b | x) (table 9)
    background_prior: tuple[int, ...] = (128, 64)  # hidden widths of p(z_b | z_g) (table 9)
    background_filters: tuple[int, ...] = (128, 64, 32, 16, 8)  # table 8
    background_upscales: tuple[int, ...] = (4, 2, 4, 2, 2)  # table 8; their product times the next is the image's size
    background_scale: int = 1  # the decoder draws a picture this many times smaller, enlarged bilinearly (paper: 1)
    curriculum: Literal["box", "image"] = "box"  # mask_fill: every mask 0.9 (paper) or the background dimmed (code)

    # the prior over scenes
    prior: Literal["independent", "gaussian", "struct"] = "gaussian"  # S-LVM, GNM-Gaussian (table 2), StructDRAW
    presence_prior: float = 0.25  # p(z_pres = 1) of the independent prior, used by `sample` alone
    global_from: Literal["features", "symbols"] = "symbols"  # what q(z_g | x) sees (paper: features of the image)
    gate_auxiliary: bool = True  # absent cells pay no auxiliary KL for where, depth, what (released code; not paper)
    gate_conditional: bool = True  # nor the conditional ones (paper: they do)
    latent: int = 64  # D of z_g, or Z of each step's z_l (paper: 32 a step)
    structure: int = 48  # F, features a cell in the map that z_g draws (paper's MNIST: 64)
    hidden: tuple[int, ...] = (192, 192)  # of the interaction layers, or GNM-Gaussian's MLPs (paper: 512, 512)
    draw_steps: int = 4  # L (section 4)
    draw_hidden: tuple[int, ...] = (192, 192)  # of the decoder of z_l (table 9)
    interaction: Literal["mlp", "none", "transformer"] = "mlp"  # section 3.2; none is GNM-NoMLP
    embed: Literal["linear", "transformer"] = "linear"  # how StructDRAW first reads its input, if of another width
    prior_components: int = 1  # Gaussians in the prior of each z_l (paper: 1)
    out_kernel: int = 3  # of the convolution that adds to f (table 9)

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown switch, a size below 1, no probability, and for other than four stds."""
        check_choices(self)
        check_sizes(self, "sigma", "glimpse_window", none=("background",))
        if not 0 <= self.presence_prior <= 1:
            raise ValueError(f"presence_prior {self.presence_prior}: expected a probability, from 0 to 1")
        if len(self.where_std) != 4:
            raise ValueError(f"where_std {self.where_std}: expected four numbers, for (s, r, u_x, u_y)")


def check_config(config: GNMConfig) -> None:
    """Raise ValueError where sizes or switches do not go together."""
    if config.image_size != config.grid * 2 ** sum(s == 2 for s in config.strides):
        raise ValueError(
            f"an image of {config.image_size} pixels under strides {config.strides} does not end as a map of "
            f"{config.grid} x {config.grid} cells: change image_size, strides or grid"
        )
    if not config.heads:
        raise ValueError(f"heads={config.heads}: expected at least one hidden layer")
    if config.background and config.rendering == "sum":
        raise ValueError('a background needs masks in front of it: set rendering="exact" or "convex", or background=0')
    drawn = math.prod(config.background_upscales) * config.background_scale
    if config.background and drawn != config.image_size:
        raise ValueError(
            f"the background is drawn at {drawn} pixels, the image has {config.image_size}: change "
            "background_upscales or background_scale"
        )
    if config.share_heads and (config.what_from != "cell" or config.structure != config.filters[-1]):
        raise ValueError(
            f'shared heads read what q and p see alike: set what_from="cell" and structure={config.filters[-1]} '
            "(the encoder's width), or share_heads=False"
        )


PAPER_MNIST = GNMConfig(
    image_size=128, sigma=0.2,
    filters=(16, 16, 32, 32, 64, 64, 64, 64, 64), strides=(2, 1, 2, 1, 2, 1, 2, 1, 2),
    share_heads=True, what=20, what_from="cell", scale_mean=-1.6, scale_start=-1.0, presence_start=0.0,
    glimpse_size=32, glimpse_net="subpixel", glimpse_decoder=(64, 64, 32, 16, 8), glimpse_upscales=(4, 2, 2, 2, 1),
    decoder_bias=0.0,
    prior="struct", global_from="features", gate_conditional=False,
    latent=32, structure=64, hidden=(512, 512), draw_hidden=(512, 512),
)  # fmt: skip
"""The paper's model of the MNIST scenes, 2,930,708 parameters (2.9M in table 5)."""

PAPER_ARROW_ROOM = GNMConfig(
    image_size=128, channels=3, sigma=0.2,
    filters=(16, 16, 32, 32, 64, 64, 128, 128, 128), strides=(2, 1, 2, 1, 2, 1, 2, 1, 2),
    heads=(128, 128), share_heads=True, what=64, what_from="cell", scale_mean=-1.5, scale_start=-1.0,
    presence_start=0.0,
    glimpse_size=64, glimpse_net="doubling", glimpse_decoder=(128, 64, 32, 16, 8), decoder_bias=0.0,
    rendering="exact", background=10,
    prior="struct", global_from="features", gate_conditional=False,
    latent=32, structure=128, hidden=(512, 512), draw_hidden=(512, 1024),
)  # fmt: skip
"""The paper's model of the Arrow Room, 8,636,446 parameters (8.6M in table 5)."""
