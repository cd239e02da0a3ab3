"""One axis: where its pixels are, and how bilinear sampling weighs them.

The convention of the whole project: an axis runs from -1 to 1 between its outer edges, and pixel i of n is centred at
(2 i + 1) / n - 1 (torch calls this align_corners=False).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def pixel_centres(n: int, like: Tensor) -> Float[Tensor, "n"]:
    """Coordinates of the n pixel centres of an axis, on the device and in the type of `like`."""
    return (2 * torch.arange(n, device=like.device, dtype=like.dtype) + 1) / n - 1


def pixel_index(position: Float[Tensor, "*shape"], n: int) -> Float[Tensor, "*shape"]:
    """Positions in [-1, 1] as fractional pixel indices: 0 is the first pixel's centre, n - 1 the last one's."""
    return (position + 1) * (n / 2) - 0.5


def hat_weights(position: Float[Tensor, "*batch m"], n: int) -> Float[Tensor, "*batch m n"]:
    """Bilinear weights of the n pixels of an axis at m positions: max(0, 1 - |index - pixel|).

    A position halfway between two pixels weighs both 1/2; one outside the axis fades to zero within a pixel.
    """
    return hat_at(pixel_index(position, n), n)


def hat_at(index: Float[Tensor, "*shape"], n: int) -> Float[Tensor, "*shape n"]:
    """`hat_weights` at fractional pixel indices.

    Only two of the n weights are not zero, and only those are computed. A position on a pixel's centre, where the hat
    has a kink, gets the gradient to its right, as in `grid_sample`.
    """
    left = index.detach().floor()
    pair = torch.stack([left, left + 1], dim=-1)
    weights = torch.stack([left + 1 - index, index - left], dim=-1) * ((pair >= 0) & (pair < n))
    empty = torch.zeros(*index.shape, n, device=index.device, dtype=index.dtype)
    return empty.scatter_add(-1, pair.nan_to_num().clamp(0, n - 1).long(), weights)
