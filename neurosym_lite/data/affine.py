"""Random affine maps of characters: handwriting with less of a hand, to ask what transfer owes to variety."""

from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from neurosym_lite.render.frames import resample


class Ranges(NamedTuple):
    """How far a character is moved; all are drawn evenly. Half of the characters are mirrored as well."""

    size: tuple[float, float] = (0.57, 1.15)
    """Of the character, as a factor; drawn evenly in its logarithm."""
    turn: float = torch.pi
    """Rotation to either side, radians: any way up."""
    stretch: float = 0.25
    """Logarithm of the factor on the width, to either side; the height has its inverse."""
    shear: float = 0.3
    """Of x by y, to either side."""
    shift: float = 0.15
    """In canvas coordinates (the canvas is 2 wide)."""


DEFAULT = Ranges()


def random_maps(n: int, generator: Generator, ranges: Ranges = DEFAULT) -> Float[Tensor, "n 2 3"]:
    """n maps from places on the new canvas to places on the old one; about half of them mirrored."""
    even = torch.rand(n, 6, generator=generator, device=generator.device)
    low, high = (even.new_full((), bound).log() for bound in ranges.size)
    both = 2 * even - 1
    grow = torch.lerp(low, high, even[:, 0]).exp()
    turn, stretch = ranges.turn * both[:, 1], (ranges.stretch * both[:, 2]).exp()
    mirror = torch.where(torch.rand(n, generator=generator, device=generator.device) < 0.5, -1.0, 1.0)
    cos, sin, zero, one = turn.cos(), turn.sin(), torch.zeros_like(turn), torch.ones_like(turn)
    turned = torch.stack([cos, -sin, sin, cos], dim=1).view(n, 2, 2)
    sheared = torch.stack([one, ranges.shear * both[:, 3], zero, one], dim=1).view(n, 2, 2)
    stretched = torch.stack([mirror * stretch, zero, zero, 1 / stretch], dim=1).view(n, 2, 2)
    matrix = turned @ sheared @ stretched / grow[:, None, None]
    shift = ranges.shift * both[:, 4:]
    return torch.cat([matrix, -(matrix @ shift[..., None])], dim=2)


def moved(images: UInt8[Tensor, "B 1 H W"], share: float, generator: Generator) -> UInt8[Tensor, "B 1 H W"]:
    """The images, about that share of them seen through random affine maps."""
    seen = resample(images.float(), random_maps(len(images), generator), images.shape[2:])
    chosen = torch.rand(len(images), generator=generator, device=generator.device) < share
    return torch.where(chosen[:, None, None, None], seen.round().to(torch.uint8), images)
