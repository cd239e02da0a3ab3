"""Images as they are written and judged."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def as_bytes(images: Float[Tensor, "*batch H W"]) -> UInt8[Tensor, "*batch H W"]:
    """Images in [0, 1] as 0 to 255, rounded."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)
