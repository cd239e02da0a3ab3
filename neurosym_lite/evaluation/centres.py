"""Finding things in pictures: a map of where their centres are, as in CenterNet (Zhou et al. 2019).

Each cell of the map says how likely a centre is here, and which way it is to the exact place. The parsers of digits
and of rooms find with it, and look at crops around what they found.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

CELL = 2  # pixels a cell of the map


class Found(NamedTuple):
    """The detector's answer a cell."""

    heat: Float[Tensor, "B G G"]
    """Logit of a centre being here."""
    way: Float[Tensor, "B G G 2"]
    """From the cell's middle to the centre, (x, y) in pixels."""


class Pairs(NamedTuple):
    """Which finds are of which true things, for M finds a picture."""

    hit: Bool[Tensor, "B M"]
    """A find that has a partner."""
    which: Int[Tensor, "B M"]
    """Its partner's slot; of any other find the nearest true thing's."""
    distance: Float[Tensor, "B M"]
    """To that thing, in pixels; infinite where there is none."""


class Peaks(NamedTuple):
    """Things found, M slots a picture, the surest first."""

    centres: Float[Tensor, "B M 2"]
    """(x, y) in pixels, pixel i covering [i, i + 1); 0 where absent."""
    present: Bool[Tensor, "B M"]


def block(inputs: int, outputs: int, dilation: int = 1) -> tuple[nn.Module, ...]:
    """A 3x3 convolution, its norm and its nonlinearity."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)
    return conv, nn.BatchNorm2d(outputs), nn.ReLU()


def halving(inputs: int, widths: tuple[int, ...], side: int) -> tuple[list[nn.Module], int]:
    """Two blocks at each resolution and a halving after them, rounded up; and the numbers that a crop ends as."""
    layers: list[nn.Module] = []
    for before, width in zip((inputs, *widths), widths, strict=False):
        layers += [*block(before, width), *block(width, width), nn.MaxPool2d(2, ceil_mode=True)]
        side = -(-side // 2)
    return layers, widths[-1] * side**2


def detector_net(channels: int, width: int) -> nn.Sequential:
    """From pictures to the map's three numbers a cell: heat, and the way in x and y."""
    return nn.Sequential(
        nn.PixelUnshuffle(CELL),
        *block(channels * CELL**2, width),
        *block(width, width),
        *block(width, width, dilation=2),
        *block(width, width, dilation=2),
        nn.Conv2d(width, 3, 1),
    )


def find(net: nn.Sequential, images: Float[Tensor, "B C S S"]) -> Found:
    """The map of a picture."""
    out = net(images)
    return Found(out[:, 0], out[:, 1:].movedim(1, -1))


def peaks(found: Found, slots: int, threshold: float, apart: int) -> Peaks:
    """The map's highest places: those above `threshold` (0 to 1) that are the highest within `apart` cells."""
    heat = found.heat.sigmoid()
    highest = F.max_pool2d(found.heat[:, None], 2 * apart + 1, 1, apart)[:, 0]
    peak = (found.heat == highest) & (heat > threshold)
    height, cell = (heat * peak).flatten(1).topk(slots, dim=1)
    present, size = height > 0, heat.shape[-1]
    middle = torch.stack([cell % size, cell // size], dim=-1) * CELL + CELL / 2
    way = found.way.flatten(1, 2).gather(1, cell[..., None].expand(-1, -1, 2))
    return Peaks((middle + way).clamp(0, size * CELL) * present[..., None], present)


def crops(
    images: Float[Tensor, "B C S S"], scene: Int[Tensor, "N"], centres: Float[Tensor, "N 2"], side: int
) -> Float[Tensor, "N C side side"]:
    """N squares around places (x, y) in pixels, each in picture number `scene`, black beyond the picture.

    Whole pixels around the nearest pixel corner, so nothing is blurred by resampling.
    Raises ValueError for an odd side.
    """
    if side % 2:
        raise ValueError(f"crops of {side} pixels: a square around a pixel corner has an even side")
    padded = F.pad(images, (side // 2,) * 4)
    start = centres.round().long().clamp(0, images.shape[-1])
    step = torch.arange(side, device=images.device)
    rows, columns = start[:, 1, None] + step, start[:, 0, None] + step
    return padded[scene[:, None, None], :, rows[:, :, None], columns[:, None]].movedim(-1, 1)


def pairs(finds: Peaks, true: Peaks, within: float) -> Pairs:
    """Each find and true thing that are each other's nearest, within so many pixels, are a pair."""
    distance = (finds.centres[:, :, None] - true.centres[:, None]).norm(dim=-1)
    distance = distance.masked_fill(~(finds.present[:, :, None] & true.present[:, None]), torch.inf)
    nearest, which = distance.min(2)
    back = distance.argmin(1).gather(1, which)
    slots = torch.arange(finds.present.shape[1])
    return Pairs(finds.present & (nearest <= within) & (back == slots), which, nearest)
