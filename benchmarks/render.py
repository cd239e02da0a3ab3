"""Pasting and reading glimpses, against affine_grid + grid_sample: 32 images of 64 x 64, 16 boxes, glimpses of 16."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from benchmarks.entries import Entry, alone, memory, timed
from benchmarks.measure import Effort, Work
from neurosym_lite.latents import Where
from neurosym_lite.render.spatial import glimpse, paste_sum

GROUP = "renderers"
BATCH, CELLS, GLIMPSE, CANVAS = 32, 16, 16, 64
PASTE, READ = "paste 16 glimpses an image", "read 16 glimpses an image"
SAME = "the reference is what it is compared with"
LARGEST = "largest absolute difference from the reference's values"


def grid_sample_sum(
    glimpses: Float[Tensor, "B K C h w"], where: Where, canvas: tuple[int, int] = (CANVAS, CANVAS)
) -> Float[Tensor, "B C H W"]:
    """`paste_sum` by torch's sampler: K canvases an image, then their sum."""
    (sx, sy), (tx, ty) = (part.flatten(0, 1).unbind(-1) for part in where)
    zero = torch.zeros_like(sx)
    theta = torch.stack([1 / sx, zero, -tx / sx, zero, 1 / sy, -ty / sy], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(theta), glimpses.shape[2], *canvas], align_corners=False)
    warped = F.grid_sample(glimpses.flatten(0, 1), grid, padding_mode="zeros", align_corners=False)
    return warped.unflatten(0, glimpses.shape[:2]).sum(1)


def grid_sample_glimpse(
    images: Float[Tensor, "B C H W"], where: Where, size: tuple[int, int]
) -> Float[Tensor, "B K C h w"]:
    """`glimpse` by torch's sampler: every image once for each of its K boxes."""
    (sx, sy), (tx, ty) = (part.flatten(0, 1).unbind(-1) for part in where)
    zero = torch.zeros_like(sx)
    theta = torch.stack([sx, zero, tx, zero, sy, ty], dim=1).view(-1, 2, 3)
    boxes = where.scale.shape[1]
    grid = F.affine_grid(theta, [len(theta), images.shape[1], *size], align_corners=False)
    cut = F.grid_sample(images.repeat_interleave(boxes, 0), grid, padding_mode="zeros", align_corners=False)
    return cut.unflatten(0, (len(images), boxes))


def scene(batch: int = BATCH, boxes: int = CELLS) -> tuple[Tensor, Where]:
    """Random glimpses and boxes of the size that digits have, gradients wanted for all."""
    generator = torch.Generator().manual_seed(0)
    glimpses = torch.rand(batch, boxes, 1, GLIMPSE, GLIMPSE, generator=generator).requires_grad_()
    scale = (0.12 + 0.1 * torch.rand(batch, boxes, 2, generator=generator)).requires_grad_()
    shift = (2 * torch.rand(batch, boxes, 2, generator=generator) - 1).requires_grad_()
    return glimpses, Where(scale, shift)


def _compared(
    name: str, ours: Work, reference: Work, values: tuple[Tensor, Tensor], against: str, effort: Effort
) -> list[Entry]:
    """Time, memory and the largest difference of the two."""
    difference = float((values[0] - values[1]).abs().max().detach())
    return [
        timed(GROUP, name, ours, reference, against, effort),
        memory(GROUP, name, ours, reference, against),
        alone(GROUP, name, "largest error", difference, SAME, LARGEST),
    ]


def pasting(effort: Effort) -> list[Entry]:
    """`paste_sum`, forward and backward by glimpses and boxes."""
    glimpses, where = scene()
    inputs, size = (glimpses, *where), (CANVAS, CANVAS)
    seed = torch.randn(BATCH, 1, CANVAS, CANVAS, generator=torch.Generator().manual_seed(1))

    def ours() -> None:
        torch.autograd.grad((paste_sum(glimpses, where, size) * seed).sum(), inputs)

    def reference() -> None:
        torch.autograd.grad((grid_sample_sum(glimpses, where) * seed).sum(), inputs)

    values = paste_sum(glimpses, where, size), grid_sample_sum(glimpses, where)
    against = "`affine_grid`, `grid_sample`, and a sum over 16 canvases an image; forward and backward"
    return _compared(PASTE, ours, reference, values, against, effort)


@torch.no_grad()
def reading(effort: Effort) -> list[Entry]:
    """`glimpse`, forward: no gradient passes through the model's crops."""
    _, where = scene()
    images = torch.rand(BATCH, 1, CANVAS, CANVAS, generator=torch.Generator().manual_seed(1))
    size = (GLIMPSE, GLIMPSE)

    def ours() -> Tensor:
        return glimpse(images, where, size)

    def reference() -> Tensor:
        return grid_sample_glimpse(images, where, size)

    against = "`affine_grid` and `grid_sample` on every image 16 times; forward, as the model uses it"
    return _compared(READ, ours, reference, (ours(), reference()), against, effort)
