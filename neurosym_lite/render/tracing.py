"""Rays among solids: what they hit, which way the surface faces there, how much light arrives.

Sphere tracing (Hart 1996): from a point, the distance to the surface is a step that cannot overshoot. Every question
is asked of pairs of a ray and a solid whose bounding sphere the ray enters, all pairs of one shape at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from neurosym_lite.render.solids import BOUNDS, SHAPES, SPHERE, Room, bounds, centres, distance, dot, pick, turned

NOTHING = -1  # where a ray hits no solid
HIT, NEAR = 1e-3, 4e-3  # distances from a surface: a ray stops at HIT, and has hit if it came to NEAR
STEPS = 28  # of a ray
SHADOW_STEPS, SHADOW_LEAST, SHADOW_MOST = 14, 0.05, 0.35  # of a shadow ray, and the shortest and longest of them
LIFT = 0.02  # by which shadow rays start above their surface
TETRAHEDRON = ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))  # differences along four directions give a normal
LEAST_SQUARED = 1e-3  # of a distance that is divided by
FALLOFF = 1.5  # how fast a solid hides less when it is beside the normal
AROUND = 1.3  # bounding radii before and after its middle where a solid is looked at for its shadow
OCCLUDER = 0.88  # a solid hides the sky as a sphere of so many of its bounding radii does


class Rays(NamedTuple):
    """R rays, each in its scene."""

    scene: Int[Tensor, "R"]
    origin: Float[Tensor, "R 3"]
    direction: Float[Tensor, "R 3"]
    """Of length 1."""

    def pick(self, rows: Int[Tensor, "M"]) -> "Rays":
        """Some of them."""
        return Rays(*(pick(part, rows) for part in self))


class Hits(NamedTuple):
    """What R rays meet first."""

    distance: Float[Tensor, "R"]
    """Infinite where a ray meets no solid."""
    solid: Int[Tensor, "R"]
    """0 to N - 1, or NOTHING."""


class Solids:
    """The solids of a batch of rooms, ready to be asked."""

    def __init__(self, room: Room) -> None:
        self.room, self.centres, self.bounds = room, centres(room), bounds(room)

    def of(
        self, values: Shaped[Tensor, "B N *rest"], scene: Int[Tensor, "R"], solid: Int[Tensor, "R"]
    ) -> Shaped[Tensor, "R *rest"]:
        """values[scene, solid], faster."""
        return pick(values.flatten(0, 1), scene * values.shape[1] + solid)

    def first_hit(self, rays: Rays, steps: int = STEPS, skip: Int[Tensor, "R"] | None = None) -> Hits:
        """The nearest solid along each ray; `skip` is a solid that a ray does not see (the one it starts on)."""
        reach = torch.full_like(rays.direction[:, 0], torch.inf)
        solid = torch.full_like(rays.scene, NOTHING)
        for shape, ray, which in self._pairs(rays, skip=skip):
            origin, direction = self._into(rays, ray, which)
            found = _march(shape, origin, direction, steps)
            for number in range(self.centres.shape[1]):  # a ray meets each solid once: no two rows write one place
                mine = (which == number) & (found < reach[ray])
                reach[ray[mine]], solid[ray[mine]] = found[mine], number
        return Hits(reach, solid)

    def normals(
        self, scene: Int[Tensor, "R"], solid: Int[Tensor, "R"], points: Float[Tensor, "R 3"], reach: Float[Tensor, "R"]
    ) -> Float[Tensor, "R 3"]:
        """Which way the surface faces, from differences of the distance over `reach`.

        With the size of a pixel as `reach`, a sharp edge turns within a pixel instead of between two: no dotted rims.
        """
        normal = torch.zeros_like(points)
        shapes, angle = self.of(self.room.shapes, scene, solid), self.of(self.room.headings, scene, solid)
        local = turned(points - self.of(self.centres, scene, solid), -angle)
        for shape in range(len(SHAPES)):
            rows = (shapes == shape).nonzero()[:, 0]
            if not len(rows):
                continue
            at, span = pick(local, rows), pick(reach, rows)[:, None]
            if shape == SPHERE:
                normal[rows] = at
                continue
            for corner in at.new_tensor(TETRAHEDRON):
                normal[rows] += corner * distance(shape, at + span * corner)[:, None]
        return F.normalize(turned(normal, angle), dim=-1)

    def visibility(
        self, scene: Int[Tensor, "R"], points: Float[Tensor, "R 3"], lamp: Float[Tensor, "3"], size: float
    ) -> Float[Tensor, "R"]:
        """Share of a lamp that each point sees, 0 to 1; `size` is the tangent of half the angle it fills.

        A shadow ray that passes a surface at distance h after a way t leaves h / (size t) of the lamp uncovered
        (Quilez's soft shadows; inside a solid the distance is negative, so the penumbra reaches both ways).
        """
        to_lamp = F.normalize(lamp - points, dim=-1)
        rays = Rays(scene, points + LIFT * to_lamp, to_lamp)
        seen = torch.ones_like(points[:, 0])
        for shape, ray, which in self._pairs(rays, spread=size):
            origin, direction = self._into(rays, ray, which)
            share = _uncovered(shape, origin, direction, size)
            seen.scatter_reduce_(0, ray, share, "amin")
        seen = seen.clamp(-1, 1)
        return (1 + seen) ** 2 * (2 - seen) / 4

    def occlusion(
        self,
        scene: Int[Tensor, "R"],
        points: Float[Tensor, "R 3"],
        normals: Float[Tensor, "R 3"],
        own: Int[Tensor, "R"] | None = None,
    ) -> Float[Tensor, "R N"]:
        """Share of the sky that each solid, taken as a sphere, hides from each point; nothing by its `own`."""
        way = pick(self.centres, scene) - points[:, None]
        squared = dot(way, way).clamp(min=LEAST_SQUARED)
        towards = dot(way, normals[:, None]) / squared.sqrt()
        filled = (OCCLUDER**2 * pick(self.bounds, scene).square() / squared).clamp(max=1)
        hidden = (0.5 + 0.5 * towards).clamp(0, 1) ** FALLOFF * filled
        if own is None:
            return hidden
        return hidden * (own[:, None] != torch.arange(hidden.shape[1], device=own.device))

    def _pairs(
        self, rays: Rays, spread: float = 0.0, skip: Int[Tensor, "R"] | None = None
    ) -> Iterator[tuple[int, Int[Tensor, "P"], Int[Tensor, "P"]]]:
        """(shape, rays, solids): pairs whose bounding sphere the ray enters, or a cone that widens by `spread`."""
        way = pick(self.centres, rays.scene) - rays.origin[:, None]
        along = dot(way, rays.direction[:, None])
        bound = pick(self.bounds, rays.scene)
        beside = dot(way, way) - along.square()
        meets = (beside < (bound + spread * along.clamp(min=0)).square()) & (along > -bound)
        if skip is not None:
            meets &= skip[:, None] != torch.arange(meets.shape[1], device=meets.device)
        ray, which = meets.nonzero(as_tuple=True)
        shapes = self.of(self.room.shapes, pick(rays.scene, ray), which)
        for shape in range(len(SHAPES)):
            rows = (shapes == shape).nonzero()[:, 0]
            if len(rows):
                yield shape, pick(ray, rows), pick(which, rows)

    def _into(self, rays: Rays, ray: Tensor, which: Tensor) -> tuple[Float[Tensor, "P 3"], Float[Tensor, "P 3"]]:
        """Origin and direction of rays as the solids see them: at the origin, heading 0."""
        seen = rays.pick(ray)
        angle = -self.of(self.room.headings, seen.scene, which)
        origin = seen.origin - self.of(self.centres, seen.scene, which)
        return turned(origin, angle), turned(seen.direction, angle)


def _through(
    shape: int, origin: Float[Tensor, "P 3"], direction: Float[Tensor, "P 3"]
) -> tuple[Float[Tensor, "P"], Float[Tensor, "P"]]:
    """Where rays enter and leave the bounding sphere; both at the nearest point where they pass it by."""
    middle = -dot(origin, direction)
    half = (middle.square() - dot(origin, origin) + BOUNDS[shape] ** 2).clamp(min=0).sqrt()
    return middle - half, middle + half


def _march(shape: int, origin: Float[Tensor, "P 3"], direction: Float[Tensor, "P 3"], steps: int) -> Float[Tensor, "P"]:
    """Way to the surface by sphere tracing, infinite where there is none."""
    start, end = _through(shape, origin, direction)
    way = start.clamp(min=0)
    if shape == SPHERE:
        return torch.where(end > 0, way, torch.inf)
    hit = torch.zeros_like(way, dtype=torch.bool)
    alive = torch.arange(len(way), device=way.device)
    for _ in range(steps):
        gap = distance(shape, pick(origin, alive) + pick(way, alive)[:, None] * pick(direction, alive))
        at = pick(way, alive) + gap
        way[alive], hit[alive] = at, gap < NEAR
        alive = alive[(gap >= HIT) & (at < pick(end, alive))]
        if not len(alive):
            break
    return torch.where(hit, way, torch.inf)


def _uncovered(
    shape: int, origin: Float[Tensor, "P 3"], direction: Float[Tensor, "P 3"], size: float
) -> Float[Tensor, "P"]:
    """The least h / (size t) along rays past one solid, from a little before it to a little after it."""
    middle, reach = -dot(origin, direction), AROUND * BOUNDS[shape]
    if shape == SPHERE:  # nearest beside its middle, or at the start of a ray that leaves it
        way = middle.clamp(min=LIFT)
        gap = distance(SPHERE, origin + way[:, None] * direction)
        return (gap / (size * way.clamp(min=SHADOW_LEAST))).clamp(max=1)
    way, end = (middle - reach).clamp(min=LIFT), middle + reach
    least = torch.ones_like(way)
    alive = torch.arange(len(way), device=way.device)
    for _ in range(SHADOW_STEPS):
        at = pick(way, alive)
        gap = distance(shape, pick(origin, alive) + at[:, None] * pick(direction, alive))
        best = torch.minimum(pick(least, alive), gap / (size * at.clamp(min=SHADOW_LEAST)))
        at = at + gap.abs().clamp(SHADOW_LEAST, SHADOW_MOST)
        least[alive], way[alive] = best, at
        alive = alive[(best > -1) & (at < pick(end, alive))]
        if not len(alive):
            break
    return least
