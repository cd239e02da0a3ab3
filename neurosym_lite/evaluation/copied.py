"""Are imagined scenes copies of training scenes? Where is the nearest real scene: among those, or among others?

A model that learned its world is as near to scenes it has never seen as to those it was trained on; one that learned
them by heart is nearer to those. After Meehan, Chaudhuri and Dasgupta (2020), who ask it by the ranks of distances.
Distances are of pixels, so what is noticed first is the same digits in the same places.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

ROWS = 2000  # real scenes compared at a time


def copied(
    imagined: UInt8[Tensor, "B C H W"], trained: UInt8[Tensor, "N C H W"], others: UInt8[Tensor, "M C H W"]
) -> float:
    """The share of imagined scenes whose nearest real one is a training scene; ties count half.

    `others` are as many scenes (M = N) from the same source, which the model has not seen. One half is no copying, 1 is
    copies alone. Raises ValueError for another number of them: a larger crowd is nearer.
    """
    if len(trained) != len(others):
        raise ValueError(f"{len(trained)} training scenes and {len(others)} others: expected as many of both")
    return nearer(nearest_of(imagined, trained).distances, nearest_of(imagined, others).distances)


def nearer(first: Float[Tensor, "B"], second: Float[Tensor, "B"]) -> float:
    """How often the first of two distances is the smaller one; ties count half."""
    return float(((first < second).float() + 0.5 * (first == second)).mean())


class Nearest(NamedTuple):
    """Of each image, the nearest of some scenes."""

    distances: Float[Tensor, "B"]
    """Root of the summed squares of pixels in [0, 1]."""
    indices: Int[Tensor, "B"]


def nearest_of(images: UInt8[Tensor, "B C H W"], scenes: UInt8[Tensor, "N C H W"]) -> Nearest:
    """The nearest scene of each image, by pixels."""
    flat = images.flatten(1).float() / 255
    parts = [torch.cdist(flat, part.flatten(1).float() / 255) for part in scenes.split(ROWS)]
    return Nearest(*torch.cat(parts, dim=1).min(1))
