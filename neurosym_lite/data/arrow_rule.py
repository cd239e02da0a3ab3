"""Does a room obey Arrow Room's grammar? Judged from what stands where, part by part, in any order of slots.

Neither the generator nor a parser that reads rooms off pixels need be trusted: both are held against this.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosym_lite.data.arrow_room import SOLIDS, angle_between, heading_to
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.render.solids import ARROW, SHAPES

TURN = math.radians(15)  # by which an arrow may miss what it points at


class Verdict(NamedTuple):
    """Which parts of the grammar a room obeys; pointing without an arrow is none."""

    count: Bool[Tensor, "B"]
    """Four solids."""
    shapes: Bool[Tensor, "B"]
    """One arrow, two solids of one shape and one of another."""
    material: Bool[Tensor, "B"]
    """All of one material."""
    nearest: Bool[Tensor, "B"]
    """The arrow is nearer to the camera than all others, along y."""
    pointing: Bool[Tensor, "B"]
    """The arrow points at the odd one out, within TURN, and at no other more closely."""

    def obeyed(self) -> Bool[Tensor, "B"]:
        """All of it."""
        return torch.stack(self).all(0)


def judge(
    shapes: Int[Tensor, "B N"],
    metal: Bool[Tensor, "B N"],
    places: Float[Tensor, "B N 2"],
    headings: Float[Tensor, "B N"],
    turn: float = TURN,
) -> Verdict:
    """The grammar, part by part. `shapes` are numbers into SHAPES, -1 for an empty slot; `turn` in radians."""
    present = shapes != ABSENT
    is_arrow, others = shapes == ARROW, present & (shapes != ARROW)
    count = present.sum(1) == SOLIDS
    of_shape = torch.stack([(shapes == shape).sum(1) for shape in range(len(SHAPES)) if shape != ARROW], dim=1)
    right = (is_arrow.sum(1) == 1) & (others.sum(1) == SOLIDS - 1) & (of_shape.amax(1) == SOLIDS - 2)
    first = metal.gather(1, present.long().argmax(1, keepdim=True))
    material = present.any(1) & ((metal == first) | ~present).all(1)
    arrow = is_arrow.long().argmax(1)
    row = torch.arange(len(shapes), device=shapes.device)
    start = places[row, arrow]
    nearest = right & ((places[..., 1] > start[:, None, 1]) | ~others).all(1)
    twins = (shapes[:, :, None] == shapes[:, None]).sum(2) > 1
    odd = (others & ~twins).long().argmax(1)
    missed = angle_between(heading_to(start[:, None], places), headings[row, arrow][:, None])
    missed = missed.masked_fill(~others, torch.inf)
    pointing = right & (missed.argmin(1) == odd) & (missed[row, odd] <= turn)
    return Verdict(count, right, material, nearest, pointing)
