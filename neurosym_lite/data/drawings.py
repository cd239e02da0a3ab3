"""Single characters as a stream: what DooD and AIR are trained on."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.affine import moved
from neurosym_lite.data.glyphs import glyphs


class Drawings(NamedTuple):
    """Characters, white ink (255) on black (0), with their classes."""

    images: UInt8[Tensor, "B 1 H W"]
    labels: Int64[Tensor, "B"]


class DrawingSource:
    """Characters of one set and split at one size, in the order that the generator gives."""

    def __init__(
        self, glyph_set: str, split: str = "train", size: int = 28, device: str = "cpu", moved: float = 0.0
    ) -> None:
        """`split` is "train" or "test", `size` the side in pixels; other sizes than 28 are resampled.

        `moved` is the share of characters that come through a random affine map. The characters lie on `device`, and
        so has the generator that `batch` is given. Raises ValueError for a size below 1 or a share outside [0, 1];
        DataError as `glyphs` does.
        """
        if size < 1 or not 0 <= moved <= 1:
            raise ValueError(f"drawings of {size} pixels, a share of {moved} moved: expected 1 or more, 0 to 1")
        bank = glyphs(glyph_set, split)
        images = bank.images[:, None]
        if size != images.shape[-1]:
            scaled = F.interpolate(images.float(), (size, size), mode="bilinear", antialias=True, align_corners=False)
            images = scaled.round().to(torch.uint8)
        self.images, self.labels, self.size, self.moved = images.to(device), bank.labels.to(device), size, moved

    def batch(self, n: int, generator: Generator) -> Drawings:
        """n characters, drawn with replacement; the generator has to be on the source's device."""
        rows = torch.randint(0, len(self.images), (n,), generator=generator, device=generator.device)
        images = moved(self.images[rows], self.moved, generator) if self.moved else self.images[rows]
        return Drawings(images, self.labels[rows])
