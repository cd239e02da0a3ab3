"""The fused renderer against affine_grid + grid_sample + sum: forward and backward, 32 images, 16 cells, 16 to 64."""

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.measure import cpu_milliseconds, peak_mebibytes
from neurosym_lite.latents import Where
from neurosym_lite.render.spatial import paste_sum

BATCH, CELLS, GLIMPSE, CANVAS = 32, 16, 16, 64


def grid_sample_sum(glimpses: Tensor, where: Where, canvas: tuple[int, int] = (CANVAS, CANVAS)) -> Tensor:
    """The same picture by torch's sampler: K canvases an image, then their sum."""
    (sx, sy), (tx, ty) = (part.flatten(0, 1).unbind(-1) for part in where)
    zero = torch.zeros_like(sx)
    theta = torch.stack([1 / sx, zero, -tx / sx, zero, 1 / sy, -ty / sy], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(theta), 1, *canvas], align_corners=False)
    warped = F.grid_sample(glimpses.flatten(0, 1), grid, padding_mode="zeros", align_corners=False)
    return warped.view(*glimpses.shape[:2], 1, *canvas).sum(1)


def paste_sum_against_grid_sample() -> dict[str, float]:
    """CPU milliseconds and peak MiB of both, and their ratios (reference / ours)."""
    generator = torch.Generator().manual_seed(0)
    glimpses = torch.rand(BATCH, CELLS, 1, GLIMPSE, GLIMPSE, generator=generator).requires_grad_()
    scale = (0.12 + 0.1 * torch.rand(BATCH, CELLS, 2, generator=generator)).requires_grad_()
    shift = (2 * torch.rand(BATCH, CELLS, 2, generator=generator) - 1).requires_grad_()
    seed = torch.randn(BATCH, 1, CANVAS, CANVAS, generator=generator)
    where, inputs = Where(scale, shift), (glimpses, scale, shift)

    def ours() -> None:
        torch.autograd.grad((paste_sum(glimpses, where, (CANVAS, CANVAS)) * seed).sum(), inputs)

    def theirs() -> None:
        torch.autograd.grad((grid_sample_sum(glimpses, where) * seed).sum(), inputs)

    ratios, ours_ms, theirs_ms = [], [], []
    for _ in range(5):  # in turn, so that a busy machine slows both
        theirs_ms.append(cpu_milliseconds(theirs, rounds=3))
        ours_ms.append(cpu_milliseconds(ours, rounds=3))
        ratios.append(theirs_ms[-1] / ours_ms[-1])
    ours_mib, theirs_mib = peak_mebibytes(ours), peak_mebibytes(theirs)
    return {
        "ours_ms": round(min(ours_ms), 2),
        "grid_sample_ms": round(min(theirs_ms), 2),
        "time_ratio": round(sorted(ratios)[2], 2),
        "ours_mib": round(ours_mib, 2),
        "grid_sample_mib": round(theirs_mib, 2),
        "memory_ratio": round(theirs_mib / ours_mib, 2),
    }
