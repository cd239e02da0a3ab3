"""Solids on a ground: how far a point is from each of five shapes, and where in a room they stand.

A signed distance function says how far a point is from a surface, negative inside. Edges are rounded: distance to a
smaller body, less the radius of the rounding. Lengths are in CLEVR's units: a sphere has radius 0.7; x to the right,
y away from the camera, z up, the ground at z = 0.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

ARROW, SPHERE, CUBE, CYLINDER, CONE = range(5)
SHAPES = ("arrow", "sphere", "cube", "cylinder", "cone")  # by number

RADIUS = 0.7  # of sphere, cylinder and cone, and half their height
ROUNDING = 0.05  # of the edges of cylinder and arrow
CUBE_HALF, CUBE_ROUNDING = RADIUS * math.sqrt(0.5) + 0.09, 0.07  # half an edge: a little more than a sphere's volume
ARROW_HALF, ARROW_THICK = 0.66, 0.14  # half its length, half its height
STEM_HALF, HEAD_HALF, HEAD_START = 0.21, 0.47, 0.06  # half widths of stem and head; where on its axis the head starts
HEIGHTS = (ARROW_THICK + ROUNDING, RADIUS, CUBE_HALF, RADIUS, RADIUS)  # of the centres above the ground
BOUNDS = (0.76, RADIUS, 1.0, 1.0, 1.0)  # radii of spheres around the centres that hold the shapes


class Room(NamedTuple):
    """N solids on the ground of each room, as they are to be drawn."""

    shapes: Int[Tensor, "B N"]
    """Numbers into SHAPES."""
    colours: Float[Tensor, "B N 3"]
    """sRGB in [0, 1]."""
    metal: Bool[Tensor, "B N"]
    """Metal, or rubber."""
    places: Float[Tensor, "B N 2"]
    """(x, y) on the ground."""
    headings: Float[Tensor, "B N"]
    """Turn about the vertical axis, radians; an arrow with heading 0 points to +x."""


def centres(room: Room) -> Float[Tensor, "B N 3"]:
    """Centres of the solids, each resting on the ground."""
    heights = room.places.new_tensor(HEIGHTS)[room.shapes]
    return torch.cat([room.places, heights[..., None]], dim=-1)


def bounds(room: Room) -> Float[Tensor, "B N"]:
    """Radii of the spheres around the centres that hold the solids."""
    return room.places.new_tensor(BOUNDS)[room.shapes]


def dot(a: Float[Tensor, "*a 3"], b: Float[Tensor, "*b 3"]) -> Float[Tensor, "*n"]:
    """a . b. Products of matrices are several times faster than a sum over three numbers."""
    return torch.einsum("...d,...d->...", a, b)


def pick(values: Shaped[Tensor, "n *rest"], rows: Int[Tensor, "m"]) -> Shaped[Tensor, "m *rest"]:
    """values[rows], two to three times faster."""
    width = math.prod(values.shape[1:])
    return values.reshape(len(values), width).index_select(0, rows).view(len(rows), *values.shape[1:])


def turned(vectors: Float[Tensor, "*n 3"], angle: Float[Tensor, "*n"]) -> Float[Tensor, "*n 3"]:
    """Vectors turned about the vertical axis, counter-clockwise seen from above."""
    x, y, z = vectors.unbind(-1)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], dim=-1)


def distance(shape: int, points: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n"]:
    """Signed distance of points from a solid at the origin, heading 0. Raises ValueError for an unknown shape."""
    if shape not in range(len(SHAPES)):
        raise ValueError(f"unknown shape {shape}: expected 0 to {len(SHAPES) - 1}, for {', '.join(SHAPES)}")
    return _DISTANCES[shape](points)


def _rounded(gaps: Float[Tensor, "*n d"], rounding: float) -> Float[Tensor, "*n"]:
    """Distance from a body that is the meeting of slabs, given how far outside each slab a point is."""
    return gaps.clamp(min=0).norm(dim=-1) + gaps.amax(-1).clamp(max=0) - rounding


def _sphere(points: Tensor) -> Tensor:
    return points.norm(dim=-1) - RADIUS


def _cube(points: Tensor) -> Tensor:
    return _rounded(points.abs() - (CUBE_HALF - CUBE_ROUNDING), CUBE_ROUNDING)


def _cylinder(points: Tensor) -> Tensor:
    across = points[..., :2].norm(dim=-1)
    return _rounded(torch.stack([across, points[..., 2].abs()], dim=-1) - (RADIUS - ROUNDING), ROUNDING)


def _cone(points: Tensor) -> Tensor:
    """Apex at the top, base radius RADIUS, sharp: the larger of the distances from its flank and from its base.

    Beside the rim and the apex the true distance is larger, so a step by this one never overshoots.
    """
    across, up = points[..., :2].norm(dim=-1), points[..., 2]
    flank = (2 * across + (up - RADIUS)) / math.sqrt(5)  # the normal of a flank that falls 2 for each 1 it goes out
    return torch.maximum(flank, -up - RADIUS)


def _arrow(points: Tensor) -> Tensor:
    """The arrow's outline, pulled up to ARROW_THICK either side."""
    return _rounded(torch.stack([_outline(points[..., :2]), points[..., 2].abs() - ARROW_THICK], dim=-1), ROUNDING)


def _outline(points: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n"]:
    """Signed distance in the plane from the arrow's outline: a stem, and a triangle for its head."""
    x, y = points[..., 0], points[..., 1].abs()
    corners = [(-ARROW_HALF, 0.0), (-ARROW_HALF, STEM_HALF), (HEAD_START, STEM_HALF), (HEAD_START, HEAD_HALF)]
    edges = zip(corners, [*corners[1:], (ARROW_HALF, 0.0)], strict=True)
    squared = torch.stack([_from_segment(x, y, start, end) for start, end in edges]).amin(0)
    in_stem = (x > -ARROW_HALF) & (x <= HEAD_START) & (y < STEM_HALF)
    in_head = (x > HEAD_START) & (y < HEAD_HALF * (ARROW_HALF - x) / (ARROW_HALF - HEAD_START))
    return torch.where(in_stem | in_head, -1.0, 1.0) * squared.sqrt()


def _from_segment(x: Tensor, y: Tensor, start: tuple[float, float], end: tuple[float, float]) -> Tensor:
    """Squared distance from a segment."""
    along = (end[0] - start[0], end[1] - start[1])
    x, y = x - start[0], y - start[1]
    share = ((x * along[0] + y * along[1]) / (along[0] ** 2 + along[1] ** 2)).clamp(0, 1)
    return (x - along[0] * share) ** 2 + (y - along[1] * share) ** 2


_DISTANCES = (_arrow, _sphere, _cube, _cylinder, _cone)
