"""The pen against DooD's own: CPU time of a batch, forward and backward, and error against an exact raster."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from benchmarks.entries import Entry, alone, memory, timed
from benchmarks.measure import Effort, Work
from neurosym_lite.render.bezier import curve
from neurosym_lite.render.ink import in_pixels, ink, ink_sum_max_tanh

GROUP = "renderers"
BATCH, STROKES, POINTS = 64, 6, 5  # quartic curves
SLICE = 8  # images for DooD's own pen, which needs a hundred times the memory; its time is taken BATCH / SLICE times
SAMPLES = {28: 64, 105: 64}  # what the pen needs for the error that `errors` gives, by canvas side
SUPER = 8  # the exact raster looks at 8 x 8 places in a pixel
CURVES = {28: 48, 105: 16}  # how many are held against the exact raster, which is slow
PIECES = 256  # of its polyline
RADIUS, SOFTNESS = 1.2, 0.2  # pixels at 28; the radius grows with the canvas


def curves(n: int, generator: Generator) -> Float[Tensor, "n P 2"]:
    """Random quartic curves that stay on the canvas for the most part."""
    return 1.6 * torch.rand(n, POINTS, 2, generator=generator) - 0.8


def capsule(points: Float[Tensor, "n P 2"], radius: float, side: int, pieces: int = PIECES) -> Float[Tensor, "n H W"]:
    """The share of each pixel within `radius` (pixels) of the curve, at 8 x 8 places, from a fine polyline."""
    line = curve(in_pixels(points, (side, side)), pieces + 1)
    start, step = line[:, :-1], line.diff(dim=1)
    places = (torch.arange(side * SUPER) + 0.5) / SUPER - 0.5
    rasters = []
    for a, d in zip(start, step, strict=True):
        length = d.square().sum(-1) + 1e-12
        across = places[:, None] - a[:, 0]
        rows = []
        for y in places.split(SUPER * 4):
            down = y[:, None] - a[:, 1]
            # of every place and piece: the nearest point at share t of the piece, then the squared distance to it
            free = (across * d[:, 0] / length)[None] + (down * d[:, 1] / length)[:, None]
            t = free.clamp(0, 1)
            off = free.mul_(-2).add_(t).mul_(t).mul_(length).add_(across.square()).add_(down.square()[:, None])
            rows.append(off.amin(-1) <= radius**2)
        rasters.append(torch.cat(rows).float().view(side, SUPER, side, SUPER).mean((1, 3)))
    return torch.stack(rasters)


def errors(side: int = 28) -> dict[str, float]:
    """Root mean square and largest error of the pen against `capsule`."""
    points = curves(CURVES[side], Generator().manual_seed(0))
    radius = RADIUS * side / 28
    size, ones = (side, side), torch.ones(CURVES[side])
    drawn = ink(points, radius * ones, SOFTNESS * ones, size, SAMPLES[side])
    off = drawn - capsule(points, radius, side)
    return {"rmse": round(float(off.square().mean().sqrt()), 4), "largest": round(float(off.abs().max()), 3)}


def jobs(side: int, images: int) -> tuple[Work, Work]:
    """Our pen and DooD's own on the curves of so many images, forward and backward."""
    generator = Generator().manual_seed(0)
    points = curves(images * STROKES, generator).view(images, STROKES, POINTS, 2).requires_grad_()
    widths = (RADIUS * side / 28, SOFTNESS)
    radius, softness = (torch.full((images, STROKES), value).requires_grad_() for value in widths)
    seed = torch.randn(images, STROKES, side, side, generator=generator)
    inputs, size = (points, radius, softness), (side, side)

    def ours() -> None:
        torch.autograd.grad((ink(*inputs, size, SAMPLES[side]) * seed).sum(), inputs)

    def reference() -> None:
        torch.autograd.grad((ink_sum_max_tanh(*inputs, size) * seed).sum(), inputs)

    return ours, reference


def pen(effort: Effort) -> list[Entry]:
    """Time, memory and error at 28 and 105 pixels."""
    found = []
    for side in SAMPLES:
        (ours, _), part = jobs(side, BATCH), jobs(side, SLICE)
        name = f"pen, {BATCH * STROKES} strokes at {side} x {side}"
        against = "the paper's pen, 100 samples a stroke; forward and backward"
        exact = f"an exact raster is what it is compared with, {CURVES[side]} strokes of one width"
        found += [
            timed(GROUP, name, ours, part[1], f"{against}; on {SLICE} of {BATCH} images", effort, part=BATCH // SLICE),
            memory(GROUP, f"pen, {SLICE * STROKES} strokes at {side} x {side}", *part, against),
            alone(GROUP, name, "error (rms)", errors(side)["rmse"], exact, "root mean square over all pixels"),
        ]
    return found
