"""How well, and with how many parts, a model that draws in sequence redraws what it sees."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils._pytree import tree_map

from neurosym_lite.evaluation.images import as_bytes
from neurosym_lite.models.air import AIR, PartDrawing
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import Drawing
from neurosym_lite.render.frames import place

BATCH = 100  # images at a time


class Redrawn(NamedTuple):
    """Images as a model draws them: means of the latents, up to the first place where stopping is likelier."""

    canvases: Float[Tensor, "B stops H W"]
    """After 0 ... T parts."""
    on: Float[Tensor, "B T"]
    """1 for the parts it would draw, 0 after the stop."""

    @property
    def parts(self) -> Int64[Tensor, "B"]:
        """How many parts it would draw."""
        return self.on.sum(1).long()

    def steps(self) -> Float[Tensor, "B T H W"]:
        """The canvas after each part; as it is left from the stop on."""
        number = self.on.cumsum(1).long()
        return self.canvases[torch.arange(len(number))[:, None], number]

    def final(self) -> Float[Tensor, "B H W"]:
        """The canvas at the stop."""
        return self.canvases[torch.arange(len(self.parts)), self.parts]


@torch.no_grad()
def read(model: DooD | AIR, images: Float[Tensor, "B 1 H W"]) -> Drawing | PartDrawing:
    """What the model reads, means of the latents, a batch at a time."""
    drawings = [model.infer(batch, mode=True) for batch in images.split(BATCH)]
    return tree_map(lambda *parts: torch.cat(parts), *drawings)


def redrawn(drawing: Drawing | PartDrawing) -> Redrawn:
    """The canvases of what was read, and where they are cut."""
    return Redrawn(drawing.canvases, (drawing.q_on > 0).float().cumprod(1))


def redraw(model: DooD | AIR, images: Float[Tensor, "B 1 H W"]) -> Redrawn:
    """Read and redraw."""
    return redrawn(read(model, images))


def readings(model: DooD | AIR, images: Float[Tensor, "B 1 H W"]) -> dict[str, Tensor]:
    """What `infer` writes: strokes in pixels (DooD) or codes and frames (AIR), the canvas after each, the last one.

    `points` (N, T, P, 2) are x and y in pixels, pixel i covering [i, i + 1); inked with `radius` and `softness`
    (pixels) and laid over each other where `on`, they give `recon` (of models with that pen and soft-or).
    """
    drawing = read(model, images)
    drawn = redrawn(drawing)
    arrays = {"on": drawn.on.bool(), "steps": as_bytes(drawn.steps()), "recon": as_bytes(drawn.final()[:, None])}
    if isinstance(drawing, PartDrawing):
        return arrays | {"where": drawing.where, "what": drawing.what}
    side = images.shape[-1]
    pixels = (place(drawing.latents.points, drawing.latents.where) + 1) * side / 2
    return arrays | {"points": pixels, "radius": drawing.pen[..., 0], "softness": drawing.pen[..., 1]}


def relative_l1(canvases: Float[Tensor, "B H W"], images: Float[Tensor, "B 1 H W"]) -> float:
    """Sum of |canvas - image| over the sum of the images' ink: 0 is perfect, a black canvas has 1."""
    return float((canvases - images[:, 0]).abs().sum() / images.sum())


def stroke_metrics(model: DooD | AIR, images: Float[Tensor, "B 1 H W"], labels: Int64[Tensor, "B"]) -> dict[str, float]:
    """Relative L1 at the stop, after all T parts and after 1, 2, 3; parts on average, by digit, and the share at T."""
    drawn = redraw(model, images)
    most = drawn.canvases.shape[1] - 1
    metrics = {
        "relative_l1": relative_l1(drawn.final(), images),
        "relative_l1_all": relative_l1(drawn.canvases[:, -1], images),
        "parts": float(drawn.parts.float().mean()),
        "parts_at_most": float((drawn.parts == most).float().mean()),
        "scale": float(model.scale.detach()),
    }
    metrics |= {f"relative_l1_{t}": relative_l1(drawn.canvases[:, t], images) for t in range(1, min(4, most + 1))}
    if len(labels.unique()) <= 10:
        metrics |= {f"parts_of_{n}": float(drawn.parts[labels == n].float().mean()) for n in labels.unique().tolist()}
    return metrics
