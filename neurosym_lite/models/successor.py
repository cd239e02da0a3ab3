"""Where the field went, in one small model: symbols as tokens, and a transformer over them instead of z_g's prior.

GNM draws a map of features from which all cells read their symbols at once, each by itself. What followed it writes a
scene down as a sequence and learns which token comes next (for slots SLATE, Singh et al. 2022; for the properties of
objects NLoTM, Wu et al. 2024). Here a trained GNM is the reader, and stays as it is. An object's tokens are its cell,
its kind, its box and its style:

- its *kind* is what z_g knows of its looks. Told the scene, z_g gives back what each cell should show; the nearest of a
  few typical answers is the kind. Four digits decide on it together, so it errs less than any look at one of them;
- its *style* is the nearest of some hundred looks that objects of this kind have had; each was seen.

A prior over lists of such objects (`object_transformer.py`) has no gap to a posterior, for nothing is inferred.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.latents import Where
from neurosym_lite.layers import mlp
from neurosym_lite.models.choices import check_sizes
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.object_transformer import ObjectTransformer
from neurosym_lite.models.objective import ONE
from neurosym_lite.render.compose import compose_sum
from neurosym_lite.render.spatial import glimpse

BINS = 64  # of a place along an axis, and of a width or a height
LEAST_SIDE, MOST_SIDE = 1 / 16, 9 / 16  # of a box, as shares of the canvas: the range of the bins of its sides
CELL, KIND, PLACE, SIDES, STYLE = 0, 1, slice(2, 4), slice(4, 6), 6  # an object's tokens


@dataclass(frozen=True)
class SuccessorConfig:
    """Sizes of the successor."""

    symbols: GNMConfig  # the GNM that reads scenes, with a z_g
    most: int = 4  # objects in a scene, at most
    code: int = 32  # D, numbers of an object's looks
    kinds: int = 16  # typical answers of z_g
    styles: int = 160  # looks of a kind
    codec_encoder: tuple[int, ...] = (512, 256)  # hidden widths
    codec_decoder: tuple[int, ...] = (384, 512)  # hidden widths
    width: int = 128  # of the transformer
    layers: int = 3
    heads: int = 4

    def __post_init__(self) -> None:
        """Raises ValueError for a size below 1."""
        check_sizes(self)

    @property
    def image_size(self) -> int:
        """H = W, pixels."""
        return self.symbols.image_size

    @property
    def channels(self) -> int:
        """C."""
        return self.symbols.channels

    @property
    def sigma(self) -> float:
        """Std of the likelihood."""
        return self.symbols.sigma


class SuccessorWeights(NamedTuple):
    """What training changes from step to step."""

    beta_tokens: Float[Tensor, ""] = ONE
    """Weight of the tokens' nats."""


class SuccessorLoss(NamedTuple):
    """Nats an image."""

    log_likelihood: Float[Tensor, "B"]
    """Of the image, given its boxes and looks."""
    nats_cell: Float[Tensor, "B"]
    """-log p of the tokens, summed over objects: cells, kinds, boxes, styles."""
    nats_kind: Float[Tensor, "B"]
    nats_box: Float[Tensor, "B"]
    nats_style: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


class Looks(NamedTuple):
    """What the trained GNM sees in every cell."""

    present: Bool[Tensor, "B K"]
    box: Where
    expected: Float[Tensor, "B K E"]
    """z_what that z_g, told the scene, says to expect."""
    crops: Float[Tensor, "B K 1 h w"]
    """What is in the box."""


class Successor(nn.Module):
    """`symbol_loss` trains the codec of looks; then the codebooks are fitted; `prior_loss` trains the transformer."""

    Config, Weights, Loss = SuccessorConfig, SuccessorWeights, SuccessorLoss

    def __init__(self, config: SuccessorConfig) -> None:
        """Raises ValueError for symbols that are not ink on black, or that have no z_g."""
        super().__init__()
        symbols = config.symbols
        if symbols.rendering != "sum" or symbols.channels != 1 or symbols.prior == "independent":
            raise ValueError('the successor reads ink on black by a z_g: set rendering="sum", channels=1, a prior')
        self.config = config
        self.symbols = GNM(symbols)
        pixels = symbols.glimpse_size**2
        self.encoder = mlp(pixels, config.codec_encoder, config.code)
        self.decoder = mlp(config.code, config.codec_decoder, pixels)
        nn.init.constant_(self.decoder[-1].bias, symbols.decoder_bias)
        self.register_buffer("kinds", torch.zeros(config.kinds, symbols.what))
        self.register_buffer("styles", torch.zeros(config.kinds, config.styles, config.code))
        vocabulary = (symbols.grid**2, config.kinds, *(BINS,) * 4, config.styles)
        self.prior = ObjectTransformer(vocabulary, config.most, config.width, config.layers, config.heads)

    def start_from(self, gnm: GNM) -> None:
        """Take a trained GNM as the reader. Raises ValueError for one of other settings."""
        if gnm.config != self.config.symbols:
            raise ValueError("the successor's reader has other settings: set symbols to those of the GNM to start from")
        self.symbols.load_state_dict(gnm.state_dict())

    @torch.no_grad()
    def look(self, images: Float[Tensor, "B C H W"]) -> Looks:
        """Boxes of the likeliest symbols, what is in them, and what z_g expects there."""
        symbols = self.symbols
        seen = symbols.infer(images, mode=True)
        box = symbols.boxes(seen.objects.where.mean)
        window = Where(box.scale * self.config.symbols.glimpse_window, box.shift)
        side = self.config.symbols.glimpse_size
        expected = symbols.prior(symbols.globals.infer(seen.features, mode=True)).what.mean
        return Looks(seen.objects.pres.mode() > 0.5, box, expected, glimpse(images, window, (side, side)))

    def encode(self, crops: Float[Tensor, "B K 1 h w"]) -> Float[Tensor, "B K D"]:
        """Codes of looks, in (-1, 1)."""
        return self.encoder(crops.flatten(2)).tanh()

    def decode(self, codes: Float[Tensor, "B K D"]) -> Float[Tensor, "B K 1 h w"]:
        """Glimpses in (0, 1)."""
        side = self.config.symbols.glimpse_size
        return rearrange(self.decoder(codes).sigmoid(), "B K (h w) -> B K 1 h w", h=side)

    def kind_of(self, expected: Float[Tensor, "*n E"]) -> Int[Tensor, "*n"]:
        """The nearest of the typical answers of z_g."""
        return torch.cdist(expected, self.kinds).argmin(-1)

    @torch.no_grad()
    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = True) -> Int[Tensor, "B N J"]:
        """Scenes in [0, 1] as tokens: present objects in the order of their cells, then ends.

        `mode` is all there is. Of more than N objects the first N are written down.
        """
        seen = self.look(images)
        kind = self.kind_of(seen.expected)
        style = _nearest(self.encode(seen.crops), self.styles, kind)
        cell = torch.arange(seen.present.shape[1], device=images.device).expand_as(kind)
        sides = _bin((seen.box.scale - LEAST_SIDE) / (MOST_SIDE - LEAST_SIDE))
        place = _bin((seen.box.shift + 1) / 2)
        tokens = torch.cat([cell[..., None], kind[..., None], place, sides, style[..., None]], dim=-1)
        ends = torch.zeros_like(tokens)
        ends[..., CELL] = self.prior.end
        tokens = torch.where(seen.present[..., None], tokens, ends)
        first = (~seen.present).long().argsort(dim=1, stable=True)[:, : self.config.most]
        return tokens.gather(1, first[..., None].expand(-1, -1, tokens.shape[2]))

    def render(self, tokens: Int[Tensor, "B N J"]) -> Float[Tensor, "B C H W"]:
        """The image that tokens describe."""
        shift = 2 * _middle(tokens[..., PLACE], self.styles) - 1
        scale = LEAST_SIDE + (MOST_SIDE - LEAST_SIDE) * _middle(tokens[..., SIDES], self.styles)
        glimpses = self.decode(self.styles[tokens[..., KIND], tokens[..., STYLE]])
        present = (tokens[..., CELL] != self.prior.end).to(glimpses.dtype)
        size = self.config.image_size
        return compose_sum(glimpses, present, Where(scale, shift), (size, size))

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as their tokens say them."""
        return self.render(self.infer(images))

    def symbol_loss(self, images: Float[Tensor, "B C H W"], weights: SuccessorWeights) -> SuccessorLoss:
        """The codec alone: how well codes in boxes redraw the image."""
        seen, size = self.look(images), self.config.image_size
        drawn = compose_sum(self.decode(self.encode(seen.crops)), seen.present.to(images.dtype), seen.box, (size, size))
        log_likelihood = image_log_likelihood(images, drawn, self.config.sigma)
        nothing = torch.zeros_like(log_likelihood)
        return SuccessorLoss(log_likelihood, nothing, nothing, nothing, nothing, -log_likelihood)

    def prior_loss(self, tokens: Int[Tensor, "B N J"], weights: SuccessorWeights) -> SuccessorLoss:
        """The transformer alone: how well it foretells scenes written down before."""
        nats = self.prior.nats(tokens)
        parts = nats[:, CELL], nats[:, KIND], nats[:, PLACE].sum(1) + nats[:, SIDES].sum(1), nats[:, STYLE]
        return SuccessorLoss(torch.zeros_like(parts[0]), *parts, weights.beta_tokens * nats.sum(1))

    def loss(self, images: Float[Tensor, "B C H W"], weights: SuccessorWeights) -> SuccessorLoss:
        """Both. The transformer's part sends no gradient into the codec: tokens are numbers."""
        drawn, told = self.symbol_loss(images, weights), self.prior_loss(self.infer(images), weights)
        return told._replace(log_likelihood=drawn.log_likelihood, total=drawn.total + told.total)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n C H W"]:
        """n images: tokens from the prior, one after another, and their picture."""
        return self.render(self.prior.sample(n, generator))


def _nearest(
    codes: Float[Tensor, "B K D"], styles: Float[Tensor, "kinds S D"], kind: Int[Tensor, "B K"]
) -> Int[Tensor, "B K"]:
    """The nearest style of each object's kind, kind by kind."""
    nearest = torch.zeros_like(kind)
    for number, known in enumerate(styles):
        rows = kind == number
        nearest[rows] = torch.cdist(codes[rows], known).argmin(-1)
    return nearest


def _bin(share: Float[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Which of BINS equal parts of [0, 1] a share falls into."""
    return (share * BINS).floor().clamp(0, BINS - 1).long()


def _middle(bins: Int[Tensor, "*n"], like: Tensor) -> Float[Tensor, "*n"]:
    """The share in the middle of a bin, in the type of `like`."""
    return (bins.to(like.dtype) + 0.5) / BINS
