"""Arrow Room: four solids in a room, of which one is an arrow that points at the odd one out (GNM, section 4).

The grammar is the paper's (appendix A.2): an arrow, two solids of one shape and one of another, the arrow pointing at
that one; eight colours, free; one material a scene; the arrow nearest to the camera. The paper made its scenes with
Blender and released no generator. Here `render.room` draws them; where solids may stand, how far apart, and how clear
the pointing must be, is not in the paper and is said below.

Lengths are in CLEVR's units (`render.solids`): x to the right, y away from the camera.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Int8, UInt8
from torch import Generator, Tensor

from neurosym_lite.render.camera import CAMERA_HEIGHT, EYE
from neurosym_lite.render.room import render_room
from neurosym_lite.render.solids import ARROW, RADIUS, SHAPES, Room

COLOURS = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}  # CLEVR's, sRGB of 255 (Johnson et al. 2017)
PAPER_SHAPES = ("sphere", "cube", "cylinder")  # of the three solids; "cone" is there too, for a harder room
SOLIDS = 4  # arrow, twin, twin, odd one out: slots 0 to 3
ODD = 3
LEAST_SIZE = 16  # pixels; below, an arrow is a smudge

ARROW_DEPTH, SOLID_DEPTH = (-3.1, -1.1), (-1.2, 2.6)  # range of y
HALF_WIDTH = 0.40  # |x| at most so much of the distance to the camera along y: most of a solid is in the picture
ARROW_WIDTH = 0.8  # of that, for the arrow
APART = 1.75  # between centres, at least
IN_FRONT = 0.6  # by which the arrow is nearer to the camera than all others, along y
CLEAR = math.radians(14)  # between the arrow's ray and the way to a twin, at least
SIDE_BY_SIDE = 0.75  # of the sum of two solids' angular radii, seen from the camera: nearer, one hides the other,
BEHIND = 2.6  # unless one is so much farther away along y
RAYS = 2**21  # at a time, at most: 32 rooms of 128 pixels with 2 x 2 rays each; half a GiB


class ArrowScenes(NamedTuple):
    """Drawn rooms with their ground truth. Slot 0 is the arrow, 1 and 2 are twins, 3 is the odd one out."""

    images: UInt8[Tensor, "B 3 H W"]
    """sRGB."""
    boxes: Float[Tensor, "B N 4"]
    """x0, y0, x1, y1 of what is seen of each solid, in pixels."""
    labels: Int[Tensor, "B N"]
    """Shape, a number into `render.solids.SHAPES`."""
    present: Bool[Tensor, "B N"]
    """Which slots hold a solid that can be seen."""
    masks: Int8[Tensor, "B H W"]
    """Slot of the solid that fills at least half of a pixel, or -1 for the ground."""
    colours: Int[Tensor, "B N"]
    """A number into COLOURS."""
    metal: Bool[Tensor, "B N"]
    """Metal, or rubber."""
    places: Float[Tensor, "B N 2"]
    """(x, y) on the ground."""
    headings: Float[Tensor, "B N"]
    """Radians about the vertical axis; an arrow with heading 0 points to +x."""


class Description(NamedTuple):
    """What a room says, before any pixel."""

    shapes: Int[Tensor, "B N"]
    colours: Int[Tensor, "B N"]
    metal: Bool[Tensor, "B N"]
    places: Float[Tensor, "B N 2"]
    headings: Float[Tensor, "B N"]

    def room(self) -> Room:
        """The room to be drawn."""
        palette = torch.tensor(list(COLOURS.values()), device=self.places.device) / 255
        return Room(self.shapes, palette[self.colours], self.metal, self.places, self.headings)


def heading_to(start: Float[Tensor, "*a 2"], end: Float[Tensor, "*b 2"]) -> Float[Tensor, "*n"]:
    """Direction from one place on the ground to another, radians."""
    way = end - start
    return torch.atan2(way[..., 1], way[..., 0])


def angle_between(a: Float[Tensor, "*a"], b: Float[Tensor, "*b"]) -> Float[Tensor, "*n"]:
    """Size of the turn from one direction to the other, 0 to pi."""
    return (torch.remainder(a - b + math.pi, 2 * math.pi) - math.pi).abs()


def uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Float[Tensor, "*shape"]:
    """Uniform numbers, on the generator's device."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def width_at(y: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The largest |x| at that depth at which most of a solid is in the picture."""
    return HALF_WIDTH * (y - EYE[1])


def hidden(places: Float[Tensor, "B N 2"]) -> Bool[Tensor, "B"]:
    """Does a solid hide too much of another? Two do that are close as seen from the camera and close in depth."""
    x, depth = places[..., 0], places[..., 1] - EYE[1]
    azimuth, radius = torch.atan2(x, depth), RADIUS / (x.square() + depth.square() + CAMERA_HEIGHT**2).sqrt()
    beside = (azimuth[:, :, None] - azimuth[:, None]).abs() < SIDE_BY_SIDE * (radius[:, :, None] + radius[:, None])
    return _any_pair(beside & ((depth[:, :, None] - depth[:, None]).abs() < BEHIND))


def crowded(places: Float[Tensor, "B N 2"]) -> Bool[Tensor, "B"]:
    """Are two solids nearer than APART?"""
    return _any_pair((places[:, :, None] - places[:, None]).norm(dim=-1) < APART)


def _any_pair(table: Bool[Tensor, "B N N"]) -> Bool[Tensor, "B"]:
    """Does the relation hold between any two different ones?"""
    return (table & ~torch.eye(table.shape[1], dtype=torch.bool, device=table.device)).any(2).any(1)


def unclear(places: Float[Tensor, "B N 2"]) -> Bool[Tensor, "B"]:
    """Could the arrow be taken to point at a twin?"""
    directions = heading_to(places[:, :1], places[:, 1:])
    return (angle_between(directions[:, :-1], directions[:, -1:]) < CLEAR).any(1)


def _propose(n: int, generator: Generator) -> Float[Tensor, "n 4 2"]:
    y = torch.cat([uniform(*ARROW_DEPTH, (n, 1), generator), uniform(*SOLID_DEPTH, (n, SOLIDS - 1), generator)], dim=1)
    share = uniform(-1.0, 1.0, (n, SOLIDS), generator)
    share[:, ARROW] *= ARROW_WIDTH
    return torch.stack([share * width_at(y), y], dim=-1)


def _wrong(places: Float[Tensor, "B 4 2"]) -> Bool[Tensor, "B"]:
    in_front = places[:, 0, 1] <= places[:, 1:, 1].amin(1) - IN_FRONT
    return ~in_front | crowded(places) | hidden(places) | unclear(places)


def _places(n: int, generator: Generator) -> Float[Tensor, "n 4 2"]:
    """Places of arrow, twins and odd one, drawn again until they go together."""
    places = _propose(n, generator)
    while (wrong := _wrong(places)).any():
        places[wrong] = _propose(int(wrong.sum()), generator)
    return places


class ArrowRoomSource:
    """Rooms that obey the grammar, at one size: the stream that a model is trained on."""

    def __init__(
        self,
        size: int = 128,
        shapes: tuple[str, ...] = PAPER_SHAPES,
        colours: tuple[str, ...] = tuple(COLOURS),
        samples: int = 2,
    ) -> None:
        """`size` is the picture's side in pixels, `shapes` those of the solids, samples x samples the rays a pixel.

        Raises ValueError for a size below 16, no rays, a shape or a colour that does not exist or is named twice, fewer
        than two shapes, no colour.
        """
        if size < LEAST_SIZE:
            raise ValueError(f"a room of {size} pixels: expected at least {LEAST_SIZE}")
        if samples < 1:
            raise ValueError(f"a room with {samples} x {samples} rays a pixel: expected at least 1 x 1")
        solids = tuple(name for name in SHAPES if name != SHAPES[ARROW])
        _check_names("shape", shapes, solids, least=2)
        _check_names("colour", colours, tuple(COLOURS), least=1)
        self.size, self.samples = size, samples
        self.shapes = torch.tensor([SHAPES.index(name) for name in shapes])
        self.colours = torch.tensor([list(COLOURS).index(name) for name in colours])

    def describe(self, n: int, generator: Generator) -> Description:
        """n descriptions that obey the grammar."""
        device = generator.device
        order = torch.rand(n, len(self.shapes), generator=generator, device=device).argsort(1)[:, :2]
        twin, odd = self.shapes.to(device)[order].unbind(1)
        pick = torch.randint(len(self.colours), (n, SOLIDS), generator=generator, device=device)
        metal = torch.randint(2, (n, 1), generator=generator, device=device).bool().repeat(1, SOLIDS)
        places = _places(n, generator)
        headings = uniform(0.0, 2 * math.pi, (n, SOLIDS), generator)
        headings[:, ARROW] = heading_to(places[:, ARROW], places[:, ODD])
        shapes = torch.stack([torch.full_like(twin, ARROW), twin, twin, odd], dim=1)
        return Description(shapes, self.colours.to(device)[pick], metal, places, headings)

    def draw(self, rooms: Description) -> ArrowScenes:
        """Draw described rooms, whatever they say. Raises ValueError where there are none."""
        if not len(rooms.shapes):
            raise ValueError("0 rooms to draw: expected at least 1")
        chunk = max(1, RAYS // (self.size * self.samples) ** 2)
        parts = [self._draw(Description(*columns)) for columns in zip(*(c.split(chunk) for c in rooms), strict=True)]
        return ArrowScenes(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _draw(self, rooms: Description) -> ArrowScenes:
        picture = render_room(rooms.room(), self.size, self.samples)
        slots = torch.arange(rooms.shapes.shape[1], device=picture.solids.device)
        shows = picture.solids[:, None] == slots[:, None, None]
        share = F.avg_pool2d(shows.float(), self.samples)
        most, slot = share.max(1)
        masks = torch.where(most >= 0.5, slot, -1).to(torch.int8)
        images = (255 * picture.images).round().to(torch.uint8)
        return ArrowScenes(
            images, seen_boxes(shows) / self.samples, rooms.shapes, shows.flatten(2).any(2), masks, *rooms[1:]
        )

    def batch(self, n: int, generator: Generator) -> ArrowScenes:
        """n fresh rooms from the generator, on the generator's device."""
        return self.draw(self.describe(n, generator))


def seen_boxes(shows: Bool[Tensor, "B N H W"]) -> Float[Tensor, "B N 4"]:
    """x0, y0, x1, y1 of the smallest box around what is set; zeros where nothing is."""
    sides = []
    for axis in (2, 3):  # columns, then rows
        line = shows.any(axis).float()
        first, behind = line.argmax(-1), line.shape[-1] - line.flip(-1).argmax(-1)
        sides.append((first, torch.where(line.any(-1), behind, 0)))
    (x0, x1), (y0, y1) = sides
    return torch.stack([x0, y0, x1, y1], dim=-1).float()


def _check_names(what: str, names: tuple[str, ...], known: tuple[str, ...], least: int) -> None:
    """Raise ValueError unless the names are known, different, and enough."""
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: expected some of {', '.join(known)}")
    if len(set(names)) != len(names) or len(names) < least:
        raise ValueError(
            f"{len(names)} {what}s ({', '.join(names)}): expected {least} to {len(known)} different ones of "
            f"{', '.join(known)}"
        )
