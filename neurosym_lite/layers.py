"""The blocks that the networks are made of. Every activation is CELU, every norm comes after it (GNM, appendix D.1)."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


def check_images(images: Tensor, channels: int, size: int) -> None:
    """Raise ValueError for images that are not what a model of that size reads: a network may not notice."""
    if images.ndim != 4 or images.shape[1:] != (channels, size, size) or not images.is_floating_point():
        raise ValueError(
            f"images of shape {tuple(images.shape)}, {images.dtype}: expected (B, {channels}, {size}, {size}), "
            "floats in [0, 1]"
        )


def conv_block(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution -> CELU -> layer norm over (C, H, W), as one GroupNorm with a single group.

    Shapes: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride) for kernel 3, stride 1 and kernel 4, stride 2.
    """
    padding = (kernel - 1) // 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.CELU(), nn.GroupNorm(1, outputs))


def conv_stack(inputs: int, filters: Sequence[int], strides: Sequence[int]) -> nn.Sequential:
    """One `conv_block` a layer: kernel 4 where it halves the map, 3 where it keeps it (GNM, table 6).

    Raises ValueError when the two lists differ in length or a stride is neither 1 nor 2.
    """
    if len(filters) != len(strides) or not set(strides) <= {1, 2}:
        raise ValueError(f"need one stride of 1 or 2 a layer: got filters {tuple(filters)}, strides {tuple(strides)}")
    widths = [inputs, *filters]
    return nn.Sequential(
        *(conv_block(a, b, 4 if s == 2 else 3, s) for a, b, s in zip(widths[:-1], widths[1:], strides, strict=True))
    )


def subpixel_block(inputs: int, outputs: int, upscale: int, kernel: int = 1) -> nn.Sequential:
    """Enlarge by convolving to upscale^2 times the channels and unfolding them in space (sub-pixel convolution)."""
    conv = nn.Conv2d(inputs, outputs * upscale**2, kernel, padding=kernel // 2)
    return nn.Sequential(conv, nn.PixelShuffle(upscale), nn.CELU(), nn.GroupNorm(1, outputs))


def subpixel_stack(inputs: int, filters: Sequence[int], upscales: Sequence[int], outputs: int) -> nn.Sequential:
    """Sub-pixel blocks, then a 3x3 convolution to `outputs` channels with nothing after it (GNM, tables 8 and 10).

    A block that enlarges has kernel 1, one that does not (upscale 1) has kernel 3, as in the tables. Raises ValueError
    when the two lists differ in length.
    """
    if len(filters) != len(upscales):
        raise ValueError(f"need one upscale a layer: got filters {tuple(filters)}, upscales {tuple(upscales)}")
    widths = [inputs, *filters]
    blocks = [
        subpixel_block(a, b, u, 1 if u > 1 else 3) for a, b, u in zip(widths[:-1], widths[1:], upscales, strict=True)
    ]
    return nn.Sequential(*blocks, nn.Conv2d(widths[-1], outputs, 3, padding=1))


def doubling_stack(inputs: int, filters: Sequence[int], outputs: int) -> nn.Sequential:
    """3x3 sub-pixel blocks that double the side each, the last one bare: (B, C, 1, 1) -> (B, outputs, 2^n, 2^n).

    n is the number of filters plus one (GNM, table 7: five filters, 64 x 64 pixels). The first block's kernel sees
    nothing but padding around its one cell; the paper has it so.
    """
    blocks = [subpixel_block(a, b, 2, 3) for a, b in pairwise([inputs, *filters])]
    last = nn.Conv2d(filters[-1], 4 * outputs, 3, padding=1)
    return nn.Sequential(*blocks, last, nn.PixelShuffle(2))


def mlp(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Linear -> CELU -> LayerNorm for each hidden width, then a plain linear layer; acts on the last axis."""
    widths = [inputs, *hidden]
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.CELU(), nn.LayerNorm(b)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class CellConv(nn.Module):
    """A convolution over a grid of cells that live on an axis of their own: (B, K, inputs) -> (B, K, outputs).

    With kernel 1 no cell sees another, and it is one matrix product; a larger kernel looks at the neighbours on the
    sqrt(K) x sqrt(K) map, zeros outside it.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__()
        self.conv = nn.Linear(inputs, outputs) if kernel == 1 else nn.Conv2d(inputs, outputs, kernel, padding="same")

    def forward(self, cells: Float[Tensor, "B K C"]) -> Float[Tensor, "B K D"]:
        """The convolved map, cells in the same order (row by row)."""
        if isinstance(self.conv, nn.Linear):
            return self.conv(cells)
        maps = rearrange(cells, "B (y x) C -> B C y x", y=math.isqrt(cells.shape[1]))
        return rearrange(self.conv(maps), "B D y x -> B (y x) D")


class LSTMState(NamedTuple):
    """What an LSTM carries from step to step, one vector a cell."""

    hidden: Float[Tensor, "B K D"]
    memory: Float[Tensor, "B K D"]


class ConvLSTMCell(nn.Module):
    """An LSTM cell whose state is a map (Shi et al. 2015): plain gates, no peepholes, no extra forget bias.

    GNM's table 9 says kernel 3; its parameter counts (table 5) hold only for kernel 1, which is the default here.
    """

    def __init__(self, inputs: int, hidden: int, kernel: int = 1) -> None:
        super().__init__()
        self.gates = CellConv(inputs + hidden, 4 * hidden, kernel)

    def forward(self, x: Float[Tensor, "B K C"], state: LSTMState) -> LSTMState:
        """One step: input map and state to the next state."""
        admit, keep, show, new = self.gates(torch.cat([x, state.hidden], dim=-1)).chunk(4, dim=-1)
        memory = keep.sigmoid() * state.memory + admit.sigmoid() * new.tanh()
        return LSTMState(show.sigmoid() * memory.tanh(), memory)
