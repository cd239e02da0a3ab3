"""The pen against DooD's own: CPU time of a batch, forward and backward, and error against an exact raster."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from benchmarks.measure import cpu_milliseconds
from neurosym_lite.render.bezier import curve
from neurosym_lite.render.ink import in_pixels, ink, ink_sum_max_tanh

BATCH, STROKES, POINTS = 64, 6, 5  # quartic curves
SLICE = 8  # images at a time for DooD's own pen, which needs a hundred times the memory
SAMPLES = {28: 64, 105: 64}  # what the pen needs for the error that `errors` gives, by canvas side
SUPER = 8  # the exact raster looks at 8 x 8 places in a pixel
CURVES = 48
RADIUS, SOFTNESS = 1.2, 0.2  # pixels at 28; the radius grows with the canvas


def curves(n: int, generator: Generator) -> Float[Tensor, "n P 2"]:
    """Random quartic curves that stay on the canvas for the most part."""
    return 1.6 * torch.rand(n, POINTS, 2, generator=generator) - 0.8


def capsule(points: Float[Tensor, "n P 2"], radius: float, side: int, pieces: int = 512) -> Float[Tensor, "n H W"]:
    """The share of each pixel within `radius` (pixels) of the curve, at 8 x 8 places, from a fine polyline."""
    line = curve(in_pixels(points, (side, side)), pieces + 1)
    start, step = line[:, :-1], line.diff(dim=1)
    places = (torch.arange(side * SUPER) + 0.5) / SUPER - 0.5
    rasters = []
    for a, d in zip(start, step, strict=True):
        rows = []
        for y in places.split(SUPER * 4):
            p = torch.stack(torch.meshgrid(places, y, indexing="xy"), dim=-1)[..., None, :]
            along = (((p - a) * d).sum(-1) / (d.square().sum(-1) + 1e-12)).clamp(0, 1)
            rows.append((p - a - along[..., None] * d).square().sum(-1).amin(-1) <= radius**2)
        rasters.append(torch.cat(rows).float().view(side, SUPER, side, SUPER).mean((1, 3)))
    return torch.stack(rasters)


def errors(side: int = 28) -> dict[str, float]:
    """Root mean square and largest error of the pen against `capsule`."""
    points = curves(CURVES, Generator().manual_seed(0))
    radius = RADIUS * side / 28
    size, ones = (side, side), torch.ones(CURVES)
    drawn = ink(points, radius * ones, SOFTNESS * ones, size, SAMPLES[side])
    off = drawn - capsule(points, radius, side)
    return {"rmse": round(float(off.square().mean().sqrt()), 4), "largest": round(float(off.abs().max()), 3)}


def times(side: int) -> dict[str, float]:
    """CPU milliseconds of 384 curves, forward and backward, and how much DooD's own pen costs more."""
    generator = Generator().manual_seed(0)
    points = curves(BATCH * STROKES, generator).view(BATCH, STROKES, POINTS, 2).requires_grad_()
    widths = (RADIUS * side / 28, SOFTNESS)
    radius, softness = (torch.full((BATCH, STROKES), value).requires_grad_() for value in widths)
    seed = torch.randn(BATCH, STROKES, side, side, generator=generator)

    def ours() -> None:
        drawn = ink(points, radius, softness, (side, side), SAMPLES[side])
        torch.autograd.grad((drawn * seed).sum(), (points, radius, softness))

    def theirs() -> None:
        for rows in range(0, BATCH, SLICE):
            part = [tensor[rows : rows + SLICE] for tensor in (points, radius, softness, seed)]
            drawn = ink_sum_max_tanh(*part[:3], (side, side))
            torch.autograd.grad((drawn * part[3]).sum(), (points, radius, softness))

    ratios, milliseconds = [], []
    for _ in range(3):  # in turn, so that a busy machine slows both
        milliseconds.append(cpu_milliseconds(ours, 3, 1))
        ratios.append(cpu_milliseconds(theirs, 1, 1) / milliseconds[-1])
    return {"ms": round(min(milliseconds), 1), "times_less": round(sorted(ratios)[1], 1), "samples": SAMPLES[side]}


def pen() -> dict[str, dict[str, float]]:
    """Time and error at 28 and 105 pixels."""
    return {f"{side}x{side}": times(side) | errors(side) for side in SAMPLES}
