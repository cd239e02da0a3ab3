"""Pictures of rooms: CLEVR's camera (Johnson et al. 2017), three soft lamps on a grey ground, rubber and metal solids.

Rubber is lit by the lamps and by the sky. Metal mirrors the room: the ground, three bright panels where the lamps are,
and the other solids, which mirror it in turn. Everything is linear light until the last line, then sRGB.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from neurosym_lite.render.camera import CAMERA_HEIGHT, EYE, HORIZON, SPAN, on_ground, view
from neurosym_lite.render.solids import Room, dot, pick
from neurosym_lite.render.tracing import NOTHING, Rays, Solids


class Lamp(NamedTuple):
    """A soft lamp."""

    place: tuple[float, float, float]
    power: float  # light at distance 1 on a surface that faces it
    size: float  # tangent of half the angle that it fills, seen from the middle of the ground


LAMPS = (
    Lamp((4.5, -3.5, 6.0), 33.0, 0.16),  # key
    Lamp((-5.0, -4.5, 4.5), 13.0, 0.28),  # fill
    Lamp((-1.5, 5.0, 6.0), 9.0, 0.28),  # back
)
AMBIENT = 0.36  # light from the sky on a surface that faces up
FROM_BELOW = 0.26  # light from the ground on a surface that faces down
DIMMED = 0.75  # share of the sky that a solid takes where it hides all of it
ABOVE_RUBBER, ABOVE_METAL = 0.04, 0.03  # by which rays start over a surface, or they would hit it
GROUND = 0.42  # albedo of the ground
SKY = 0.27  # what a mirror sees of it
BLUR = 0.08  # radians, how rough a mirror is: over so much the edge of a lamp fades in it
NEIGHBOUR = 4.0  # distance from the nearest solid beyond which the ground is lit as if it were empty
NEIGHBOUR_FADE = 2.2  # over which that sets in
BLEED = 0.35  # share of its colour that a solid throws onto what it hides from the sky
MIRROR_STEPS = 16  # of mirrored rays
# fitted by hand to Blender's pictures of the same rooms (`scripts/blender_arrow_room.py`)
GLOSS, GLOSS_POWER, HAZE = 0.03, 18.0, 0.015  # rubber: height and sharpness of its highlight, and a grey all over
MIRROR = 1.12  # metal: light that it sends back, per colour
FOOTPRINT = 0.5  # pixels over which normals are taken


class Picture(NamedTuple):
    """Drawn rooms."""

    images: Float[Tensor, "B 3 H W"]
    """sRGB in [0, 1]."""
    solids: Int[Tensor, "B sH sW"]
    """Which solid each sample shows, 0 to N - 1, or -1."""


def to_linear(colour: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """sRGB to linear light."""
    return torch.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Linear light to sRGB."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=1e-8) ** (1 / 2.4) - 0.055)


def lamplight(
    lamp: Lamp, points: Float[Tensor, "R 3"], normals: Float[Tensor, "R 3"]
) -> tuple[Float[Tensor, "R"], Float[Tensor, "R 3"]]:
    """Light of an unhidden lamp on a surface, falling with the squared distance, and the way to the lamp."""
    way = points.new_tensor(lamp.place) - points
    squared = dot(way, way)
    way = way / squared.sqrt()[:, None]
    return lamp.power * dot(normals, way).clamp(min=0) / squared, way


def empty_ground(points: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n"]:
    """Light that the ground sends back where nothing stands."""
    flat = points.flatten(0, -2)
    up = flat.new_tensor((0.0, 0.0, 1.0)).expand_as(flat)
    light = AMBIENT + sum(lamplight(lamp, flat, up)[0] for lamp in LAMPS)
    return GROUND * light.view(points.shape[:-1])


def shaded_ground(
    solids: Solids, colours: Float[Tensor, "B N 3"], scene: Int[Tensor, "R"], points: Float[Tensor, "R 3"]
) -> Float[Tensor, "R 3"]:
    """Shadows, dimmed sky and thrown colour: what the solids make of the ground, as a factor on `empty_ground`."""
    factor = torch.ones_like(points)
    nearest = (pick(solids.centres[..., :2], scene) - points[:, None, :2]).square().sum(-1).amin(1).sqrt()
    rows = (nearest < NEIGHBOUR).nonzero()[:, 0]
    scene, points, nearest = (pick(part, rows) for part in (scene, points, nearest))
    up = points.new_tensor((0.0, 0.0, 1.0)).expand_as(points)
    sky, thrown = sky_and_thrown(solids, colours, scene, points, up)
    direct = sum(
        lamplight(lamp, points, up)[0] * solids.visibility(scene, points, points.new_tensor(lamp.place), lamp.size)
        for lamp in LAMPS
    )
    light = (AMBIENT * sky + direct * (0.5 + 0.5 * sky))[:, None] + AMBIENT * thrown
    inside = ((NEIGHBOUR - nearest) / NEIGHBOUR_FADE).clamp(0, 1)
    share = (inside.square() * (3 - 2 * inside))[:, None]
    factor[rows] = 1 + share * (light * GROUND / empty_ground(points)[:, None] - 1)
    return factor


def sky_and_thrown(
    solids: Solids,
    colours: Float[Tensor, "B N 3"],
    scene: Int[Tensor, "R"],
    points: Float[Tensor, "R 3"],
    normals: Float[Tensor, "R 3"],
    own: Int[Tensor, "R"] | None = None,
) -> tuple[Float[Tensor, "R"], Float[Tensor, "R 3"]]:
    """How much of the sky is left over a point, and the colour that the solids in its place throw there."""
    hidden = solids.occlusion(scene, points, normals, own)
    thrown = BLEED * torch.einsum("rn,rnc->rc", hidden, pick(colours, scene))
    return (1 - DIMMED * hidden.clamp(0, 1)).prod(1), thrown


def sky_light(normals: Float[Tensor, "R 3"]) -> Float[Tensor, "R"]:
    """Light from the sky on a surface that faces up, from the ground on one that faces down, mixed between."""
    up = 0.5 + 0.5 * normals[:, 2]
    return AMBIENT * up + FROM_BELOW * (1 - up)


def rubber(
    colour: Float[Tensor, "R 3"], direct: Float[Tensor, "R"], gloss: Float[Tensor, "R"], sky: Float[Tensor, "R 3"]
) -> Float[Tensor, "R 3"]:
    """Light from a rubber surface under so much direct light and sky, with its highlights."""
    return colour * (direct[:, None] + sky) + GLOSS * gloss[:, None] + HAZE


def surroundings(origin: Float[Tensor, "R 3"], direction: Float[Tensor, "R 3"]) -> Float[Tensor, "R"]:
    """What a mirror sees of an empty room: the ground, the sky and the lamps, as bright as their light demands."""
    light = torch.full_like(direction[:, 0], SKY)
    for lamp in LAMPS:
        way = F.normalize(origin.new_tensor(lamp.place) - origin, dim=-1)
        angle = dot(direction, way).clamp(-1, 1).acos()
        side = 2 * lamp.size * math.hypot(*lamp.place)
        light = light + math.pi * lamp.power / side**2 * ((lamp.size - angle) / BLUR).sigmoid()
    ground = empty_ground(on_ground(origin, direction))
    return torch.where(direction[:, 2] < -HORIZON, ground, light)


def mirrored(direction: Float[Tensor, "R 3"], normals: Float[Tensor, "R 3"]) -> Float[Tensor, "R 3"]:
    """Where a ray goes from a mirror."""
    return F.normalize(direction - 2 * dot(direction, normals)[:, None] * normals, dim=-1)


class Renderer:
    """One batch of rooms on its way to a picture."""

    def __init__(self, room: Room, size: int, samples: int) -> None:
        self.solids, self.room, self.size, self.samples = Solids(room), room, size, samples
        self.colours = to_linear(room.colours)
        self.pixel = 2 * SPAN / (size * samples)  # side of a sample's footprint at distance 1

    def draw(self) -> Picture:
        """Ground everywhere, then what stands on it, then sRGB and the mean over each pixel's samples."""
        side, n = self.size * self.samples, len(self.room.shapes)
        directions = view(side, self.room.places)
        light, solid = self._ground(directions), torch.full((n * side**2,), NOTHING, device=directions.device)
        rows = self._in_sight(directions)
        rays = Rays(rows // side**2, directions.new_tensor(EYE).expand(len(rows), 3), pick(directions, rows % side**2))
        hits = self.solids.first_hit(rays)
        met = (hits.solid != NOTHING).nonzero()[:, 0]
        solid[rows] = hits.solid
        light[rows[met]] = self._surfaces(rays.pick(met), hits.distance[met], hits.solid[met])
        colour = rearrange(to_srgb(light.clamp(0, 1)), "(n y x) c -> n c y x", n=n, y=side)
        pixels = F.avg_pool2d(colour, self.samples)
        return Picture(pixels, rearrange(solid, "(n y x) -> n y x", n=n, y=side))

    def _in_sight(self, directions: Float[Tensor, "P 3"]) -> Int[Tensor, "R"]:
        """Numbers of the samples, counted over all rooms, whose rays enter the bounding sphere of a solid."""
        way = self.solids.centres - directions.new_tensor(EYE)
        along = way @ directions.T  # n N P
        beside = dot(way, way)[..., None] - along.square()
        return (beside < self.solids.bounds.square()[..., None]).any(1).flatten().nonzero()[:, 0]

    def _ground(self, directions: Float[Tensor, "P 3"]) -> Float[Tensor, "R 3"]:
        """The ground at every sample; what solids do to it is soft, so one look a pixel is enough."""
        n, size, eye = len(self.room.shapes), self.size, directions.new_tensor(EYE)
        places = on_ground(eye, view(size, directions)).repeat(n, 1)
        scene = torch.arange(n, device=places.device).repeat_interleave(size**2)
        factor = shaded_ground(self.solids, self.colours, scene, places)
        factor = rearrange(factor, "(n y x) c -> n c y x", n=n, y=size)
        factor = F.interpolate(factor, scale_factor=self.samples, mode="bilinear", align_corners=False)
        base = empty_ground(on_ground(eye, directions))
        return (rearrange(factor, "n c y x -> n (y x) c") * base[:, None]).flatten(0, 1)

    def _surfaces(self, rays: Rays, way: Float[Tensor, "R"], solid: Int[Tensor, "R"]) -> Float[Tensor, "R 3"]:
        """Light from the solids at the points that rays reach after `way`."""
        points = rays.origin + way[:, None] * rays.direction
        normals = self.solids.normals(rays.scene, solid, points, FOOTPRINT * self.pixel * way)
        light = torch.empty_like(points)
        metal = self.solids.of(self.room.metal, rays.scene, solid)
        for rows, surface in ((~metal, self._rubber), (metal, self._metal)):
            rows = rows.nonzero()[:, 0]
            if len(rows):
                light[rows] = surface(rays.pick(rows), pick(points, rows), pick(normals, rows), pick(solid, rows))
        return light

    def _rubber(self, rays: Rays, points: Tensor, normals: Tensor, solid: Tensor) -> Float[Tensor, "R 3"]:
        direct, gloss = torch.zeros_like(points[:, 0]), torch.zeros_like(points[:, 0])
        for lamp in LAMPS:
            light, way = lamplight(lamp, points, normals)
            place = points.new_tensor(lamp.place)
            seen = self.solids.visibility(rays.scene, points + ABOVE_RUBBER * normals, place, lamp.size)
            direct += light * seen
            half = F.normalize(way - rays.direction, dim=-1)
            gloss += seen * dot(normals, half).clamp(min=0) ** GLOSS_POWER
        colour = self.solids.of(self.colours, rays.scene, solid)
        return rubber(colour, direct, gloss, self._sky(rays.scene, points, normals, solid))

    def _sky(self, scene: Tensor, points: Tensor, normals: Tensor, solid: Tensor) -> Float[Tensor, "R 3"]:
        """Light from the sky above and the ground below, less what neighbours hide, with what they throw."""
        left, thrown = sky_and_thrown(self.solids, self.colours, scene, points, normals, own=solid)
        return (sky_light(normals) * left)[:, None] + AMBIENT * thrown

    def _metal(self, rays: Rays, points: Tensor, normals: Tensor, solid: Tensor) -> Float[Tensor, "R 3"]:
        """A mirror tinted by its colour, whiter where it is seen edge on (Schlick 1994)."""
        colour = self.solids.of(self.colours, rays.scene, solid)
        out = Rays(rays.scene, points + ABOVE_METAL * normals, mirrored(rays.direction, normals))
        seen = self._in_mirror(out, solid)
        edge = (1 + dot(normals, rays.direction)).clamp(0, 1) ** 5
        return MIRROR * (colour + (1 - colour) * edge[:, None]) * seen

    def _in_mirror(self, rays: Rays, own: Int[Tensor, "R"]) -> Float[Tensor, "R 3"]:
        """What a mirror sees: the room with its shadows, and neighbours, which mirror an empty room in turn."""
        light = surroundings(rays.origin, rays.direction)[:, None].expand(-1, 3).clone()
        down = (rays.direction[:, 2] < -HORIZON).nonzero()[:, 0]
        places = on_ground(rays.origin[down], rays.direction[down])
        up = places.new_tensor((0.0, 0.0, 1.0)).expand_as(places)
        left, _ = sky_and_thrown(self.solids, self.colours, rays.scene[down], places, up)
        light[down] *= left[:, None]
        hits = self.solids.first_hit(rays, MIRROR_STEPS, skip=own)
        rows = (hits.solid != NOTHING).nonzero()[:, 0]
        if len(rows):
            light[rows] = self._neighbours(rays.pick(rows), hits.distance[rows], hits.solid[rows])
        return light

    def _neighbours(self, rays: Rays, way: Float[Tensor, "R"], solid: Int[Tensor, "R"]) -> Float[Tensor, "R 3"]:
        """Solids seen in a mirror, without shadows: metal ones mirror an empty room."""
        points = rays.origin + way[:, None] * rays.direction
        normals = self.solids.normals(rays.scene, solid, points, self.pixel * (way + CAMERA_HEIGHT))
        colour = self.solids.of(self.colours, rays.scene, solid)
        direct = sum(lamplight(lamp, points, normals)[0] for lamp in LAMPS)
        matt = rubber(colour, direct, 0 * direct, sky_light(normals)[:, None].expand(-1, 3))
        shiny = MIRROR * colour * surroundings(points, mirrored(rays.direction, normals))[:, None]
        return torch.where(self.solids.of(self.room.metal, rays.scene, solid)[:, None], shiny, matt)


@torch.no_grad()
def render_room(room: Room, size: int, samples: int = 2) -> Picture:
    """Pictures of `size` pixels a side, from samples x samples rays a pixel. All rooms at once: chunk large batches.

    Raises ValueError for a size or a number of samples below 1.
    """
    if size < 1 or samples < 1:
        raise ValueError(f"a picture of {size} pixels with {samples} samples a side: expected at least 1 of each")
    return Renderer(room, size, samples).draw()
