"""Images as they are written and judged, and what is said of many of them."""

from collections.abc import Callable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def as_bytes(images: Float[Tensor, "*batch H W"]) -> UInt8[Tensor, "*batch H W"]:
    """Images in [0, 1] as 0 to 255, rounded."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


def in_batches(draw: Callable[[int, int], Tensor], n: int, batch: int) -> UInt8[Tensor, "n C H W"]:
    """n images, 0 to 255; `draw(first, number)` makes a batch of them, in [0, 1]."""
    return torch.cat([as_bytes(draw(first, min(batch, n - first))) for first in range(0, n, batch)])


def mean_and_error(values: Float[Tensor, "N"]) -> tuple[float, float]:
    """Mean, and its standard error. Raises ValueError for one value."""
    if len(values) < 2:
        raise ValueError(f"{len(values)} value has no standard error: ask for two or more (--n 2)")
    return float(values.mean()), float(values.std() / len(values) ** 0.5)
