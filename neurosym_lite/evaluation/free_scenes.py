"""Scenes without structure: digits of any class, anywhere, as many as fall. What the parser of scenes is trained on.

A parser that had seen scenes of a rule could fill the rule in where it cannot read. These scenes have none: classes
with repetition, 2 to 11 digits, free places. They are a little blurred, sheared, brightened and dimmed, so that the
softer digits that a model draws are read as well as handwriting. The canvas is 64 pixels, a digit's core 10.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from neurosym_lite.data.glyphs import Glyphs, core
from neurosym_lite.data.scenes import ABSENT, core_size, paste

CANVAS = 64  # pixels: what the parser reads
FINE = 2  # a digit is drawn this many times finer and averaged down, so that half a pixel is a place too
PATCH = 16  # pixels, side of the square that a digit is drawn in: its core and room for a larger one
CORE = core_size(CANVAS)  # pixels
TRIES = 8  # places tried for a digit before it is left out
THINNEST = 0.5  # how much of a thinning by one fine pixel is done at most
BINOMIAL = (0.25, 0.5, 0.25)  # a blur of one pixel, along each axis


@dataclass(frozen=True)
class FreeSceneConfig:
    """How free, and how distorted. The defaults train the parser; `PLAIN` tests it on clean handwriting."""

    least: int = 2  # digits in a scene
    most: int = 11  # digits in a scene
    crowded: float = 0.2  # share of scenes in which cores may overlap a little
    overlap: float = 3.0  # pixels by which they may
    scale: float = 0.12  # size times 1 +- this
    shear: float = 0.15  # each off-diagonal entry of the digit's matrix, +- this (so small rotations too)
    blurs: int = 2  # times half of the scenes are mixed with their blur, by a share from 0 to 1 each
    gain: tuple[float, float] = (0.75, 1.3)  # brightness times this, cut at white
    noise: float = 0.03  # largest standard deviation of noise on every pixel
    thicken: float = 0.25  # share of digits with their ink spread, and share with it thinned


PLAIN = FreeSceneConfig(crowded=0.0, scale=0.0, shear=0.0, blurs=0, gain=(1.0, 1.0), noise=0.0, thicken=0.0)


class FreeScenes(NamedTuple):
    """Scenes of up to N digits with what is in them; a slot whose digit found no room is empty."""

    images: Float[Tensor, "B 1 64 64"]
    """Ink 1 on black 0."""
    labels: Int[Tensor, "B N"]
    """Digit class, or ABSENT (-1)."""
    centres: Float[Tensor, "B N 2"]
    """(x, y) of the core's centre in pixels, pixel i covering [i, i + 1)."""


class FreeSceneSource:
    """A stream of structure-free scenes in one handwriting. All that is random comes from the generator given."""

    def __init__(self, bank: Glyphs, config: FreeSceneConfig | None = None) -> None:
        """`bank` are digits 0 to 9 of one split, each class present."""
        self.config = config or FreeSceneConfig()
        rim = (PATCH * FINE - 2 * CORE) // 2
        self.digits = F.pad(core(bank.images).float() / 255, (rim,) * 4)
        self.labels = bank.labels

    def batch(self, n: int, generator: Generator) -> FreeScenes:
        """n fresh scenes."""
        corners, present = self._places(n, generator)
        pick = torch.randint(0, len(self.digits), present.shape, generator=generator)
        labels = torch.where(present, self.labels[pick], ABSENT)
        patches = self._patches(pick.flatten(), corners.flatten(0, 1) % FINE, generator).view(*pick.shape, PATCH, PATCH)
        images = _pasted(patches * present[..., None, None], corners // FINE)
        centres = (corners + CORE) / FINE  # a core is 2 x CORE fine pixels wide
        return FreeScenes(self._worn(images, generator), labels, centres)

    def _places(self, n: int, generator: Generator) -> tuple[Int[Tensor, "n N 2"], Tensor]:
        """Top-left fine pixel of each core and whether it found room: in turn, at the first free of a few tries."""
        config = self.config
        high = FINE * (CANVAS - CORE) + 1
        tries = torch.randint(0, high, (n, config.most, TRIES, 2), generator=generator)
        count = torch.randint(config.least, config.most + 1, (n, 1), generator=generator)
        crowded = torch.rand(n, generator=generator) < config.crowded
        apart = FINE * (CORE - config.overlap * crowded)[:, None, None]
        corners = torch.full((n, config.most, 2), -2 * FINE * CANVAS)
        present = torch.zeros(n, config.most, dtype=torch.bool)
        scene = torch.arange(n)
        for slot in range(config.most):
            distance = (tries[:, slot, :, None] - corners[:, None]).abs().amax(-1)
            free = (distance >= apart).all(2)
            corners[:, slot] = tries[scene, slot, free.long().argmax(1)]
            present[:, slot] = free.any(1) & (slot < count[:, 0])
            corners[:, slot] = torch.where(present[:, slot, None], corners[:, slot], -2 * FINE * CANVAS)
        return torch.where(present[..., None], corners, 0), present

    def _patches(self, pick: Tensor, phase: Tensor, generator: Generator) -> Float[Tensor, "M 16 16"]:
        """Each picked digit, distorted, moved by `phase` fine pixels (x, y), averaged down."""
        config = self.config
        wobble = 2 * torch.rand(len(pick), 4, generator=generator) - 1
        sizes = torch.tensor([config.scale, config.shear, config.shear, config.scale])
        matrix = torch.eye(2) + (wobble * sizes).view(-1, 2, 2)
        move = -phase.float() * 2 / (PATCH * FINE)
        shift = matrix @ move[..., None]  # where a pixel of the patch looks into the digit
        grid = F.affine_grid(torch.cat([matrix, shift], dim=2), [len(pick), 1, PATCH * FINE, PATCH * FINE], False)
        fine = F.grid_sample(self.digits[pick][:, None], grid, align_corners=False)
        if config.thicken:
            fine = self._thickened(fine, generator)
        return F.avg_pool2d(fine, FINE)[:, 0]

    def _thickened(self, fine: Tensor, generator: Generator) -> Tensor:
        """Some digits with their ink spread by up to one fine pixel, some with it thinned."""
        amount = torch.rand(len(fine), 1, 1, 1, generator=generator) / self.config.thicken
        thick, thin = F.max_pool2d(fine, 3, 1, 1), -F.max_pool2d(-fine, 3, 1, 1)
        more, less = (1 - amount).clamp(min=0), (THINNEST * (2 - amount) * (amount > 1)).clamp(min=0)
        return fine + more * (thick - fine) + less * (thin - fine)

    def _worn(self, images: Tensor, generator: Generator) -> Float[Tensor, "n 1 64 64"]:
        """Scenes blurred, brightened or dimmed, with a little noise: each by its own amount."""
        config, shape = self.config, (len(images), 1, 1, 1)
        for _ in range(config.blurs):
            share = (2 * torch.rand(shape, generator=generator) - 1).clamp(min=0)
            images = images + share * (_blurred(images) - images)
        low, high = config.gain
        images = (images * (low + (high - low) * torch.rand(shape, generator=generator))).clamp(max=1)
        if config.noise:
            level = config.noise * torch.rand(shape, generator=generator)
            images = (images + level * torch.randn(images.shape, generator=generator)).clamp(0, 1)
        return images


def _blurred(images: Tensor) -> Tensor:
    kernel = torch.tensor(BINOMIAL)
    return F.conv2d(images, (kernel[:, None] * kernel).view(1, 1, 3, 3), padding=1)


def _pasted(patches: Float[Tensor, "n N 16 16"], corners: Int[Tensor, "n N 2"]) -> Float[Tensor, "n 1 64 64"]:
    """Patches onto black; `corners` are those of the cores in their middle, so a patch may reach over the edge."""
    rim = (PATCH - CORE) // 2
    return paste(patches, corners, CANVAS + 2 * rim)[..., rim:-rim, rim:-rim]
