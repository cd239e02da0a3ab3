"""A stroke's frame: a square on the canvas, shifted, scaled and turned (DooD section 2.1, "layout").

z_where = (shift x, shift y, scale, rotation in radians). A point u of the frame, in [-1, 1]^2, lies on the canvas at
shift + scale R(rotation) u. With y down, a positive rotation turns clockwise as seen.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def affine(where: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 2 3"]:
    """The frame's map [scale R | shift] from frame to canvas coordinates."""
    x, y, scale, turn = where.unbind(-1)
    cos, sin = scale * turn.cos(), scale * turn.sin()
    return torch.stack([torch.stack([cos, -sin, x], dim=-1), torch.stack([sin, cos, y], dim=-1)], dim=-2)


def place(points: Float[Tensor, "*batch P 2"], where: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch P 2"]:
    """Points of the frame, on the canvas: the paper's l_t applied to the control points s_t."""
    matrix = affine(where)
    return points @ matrix[..., :2].mT + matrix[..., None, :, 2]


def inverse(where: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 2 3"]:
    """The map back from canvas to frame coordinates: R^T (p - shift) / scale."""
    matrix = affine(where)
    back = matrix[..., :2].mT / where[..., 2, None, None].square()
    return torch.cat([back, -back @ matrix[..., 2:]], dim=-1)


def glimpse(
    images: Float[Tensor, "B C H W"], where: Float[Tensor, "B 4"], size: tuple[int, int]
) -> Float[Tensor, "B C h w"]:
    """What a frame sees of its image, resampled to (h, w) pixels; black outside the canvas (a spatial transformer)."""
    return resample(images, affine(where), size)


def paste(
    glimpses: Float[Tensor, "B C h w"], where: Float[Tensor, "B 4"], size: tuple[int, int]
) -> Float[Tensor, "B C H W"]:
    """Lay a raster of the frame on an empty canvas of (H, W) pixels: the way of a model without strokes (AIR)."""
    return resample(glimpses, inverse(where), size)


def resample(
    images: Float[Tensor, "B C h w"], matrix: Float[Tensor, "B 2 3"], size: tuple[int, int]
) -> Float[Tensor, "B C H W"]:
    """Each of (H, W) pixels looked up in the images at the place that the map says; black beyond their edges."""
    if not len(images):  # torch's grids have at least one image
        return images.new_zeros(*images.shape[:2], *size)
    grid = F.affine_grid(matrix, [*images.shape[:2], *size], align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
