"""What the room parser reads right and wrong: solid by solid in free rooms, and as a judge of true and broken rooms."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import ODD, SOLIDS, ArrowRoomSource, Description, angle_between
from neurosym_lite.data.arrow_rule import judge
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.evaluation.centres import Peaks, pairs
from neurosym_lite.evaluation.free_rooms import FAR_AWAY, SHAPES_READ, FreeRooms, draw_free
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.evaluation.room_parser import RoomParser
from neurosym_lite.evaluation.room_structure import accepts_rooms
from neurosym_lite.render.solids import ARROW

ROOMS, SEED = 1000, 77_000_001  # that it is checked on; never those of training
FOUND_WITHIN = 2.5  # pixels from its centre, for a solid to count as found
TURNED = math.radians(30)  # by which a broken room's arrow misses


class RoomReading(NamedTuple):
    """How well free rooms are read."""

    recall: float
    """Share of solids found."""
    precision: float
    """Share of finds that are solids."""
    shape: float
    """Share of the solids found whose shape is named right; of colour and metal likewise."""
    colour: float
    metal: float
    heading: float
    """Median error of the headings of arrows, degrees."""
    place: float
    """Median error of the places on the ground, in units of the room."""


def reading(parser: RoomParser, rooms: FreeRooms) -> RoomReading:
    """Finds against the truth: each find and solid that are each other's nearest, within 2.5 pixels, are a pair."""
    parsed, truth = parser.parse(rooms.images), rooms.room
    found = parsed.shapes != ABSENT
    hit, which, _ = pairs(Peaks(parsed.centres, found), Peaks(rooms.centres, rooms.present), FOUND_WITHIN)
    shape, colour, metal, heading = (
        part.gather(1, which)[hit] for part in (truth.shapes, truth.colours, truth.metal, truth.headings)
    )
    place = truth.places.gather(1, which[..., None].expand(-1, -1, 2))[hit]
    arrows = (shape == ARROW) & (parsed.shapes[hit] == ARROW)
    if not arrows.any():
        raise ValueError(f"of {int(rooms.present.sum())} solids no arrow was read as one: train the parser for longer")
    return RoomReading(
        recall=int(hit.sum()) / int(rooms.present.sum()),
        precision=int(hit.sum()) / int(found.sum()),
        shape=_share(parsed.shapes[hit] == shape),
        colour=_share(parsed.colours[hit] == colour),
        metal=_share(parsed.metal[hit] == metal),
        heading=math.degrees(float(angle_between(parsed.headings[hit][arrows], heading[arrows]).median())),
        place=float((parsed.places[hit] - place).norm(dim=-1).median()),
    )


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def _without_one(room: Description, generator: Generator) -> Description:
    slot = torch.randint(SOLIDS, (len(room.shapes),), generator=generator)
    places = room.places.clone()
    places[torch.arange(len(places)), slot] = FAR_AWAY
    return room._replace(places=places)


def _three_alike(room: Description, generator: Generator) -> Description:
    shapes = room.shapes.clone()
    shapes[:, ODD] = shapes[:, 1]
    return room._replace(shapes=shapes)


def _all_different(room: Description, generator: Generator) -> Description:
    shapes = room.shapes.clone()
    shapes[:, 1] = sum(SHAPES_READ) - ARROW - shapes[:, 2] - shapes[:, ODD]  # of the three the one that is missing
    return room._replace(shapes=shapes)


def _mixed_materials(room: Description, generator: Generator) -> Description:
    slot = torch.randint(SOLIDS, (len(room.shapes),), generator=generator)
    metal = room.metal.clone()
    metal[torch.arange(len(metal)), slot] ^= True
    return room._replace(metal=metal)


def _turned_arrow(room: Description, generator: Generator) -> Description:
    """The arrow turned by 30 degrees, either way."""
    headings = room.headings.clone()
    sign = 2.0 * torch.randint(2, (len(headings),), generator=generator) - 1
    headings[:, ARROW] += TURNED * sign
    return room._replace(headings=headings)


def _at_a_twin(room: Description, generator: Generator) -> Description:
    """The odd one and a twin change places, and the arrow stays."""
    places = room.places.clone()
    places[:, [1, ODD]] = places[:, [ODD, 1]]
    return room._replace(places=places)


BROKEN: dict[str, Callable[[Description, Generator], Description]] = {
    "one_missing": _without_one,
    "three_alike": _three_alike,
    "all_different": _all_different,
    "mixed_materials": _mixed_materials,
    "arrow_misses": _turned_arrow,
    "points_at_a_twin": _at_a_twin,
}


def broken(how: str, room: Description, generator: Generator) -> Description:
    """Rooms broken in one way; those that happen to obey the grammar still are left out."""
    spoilt = BROKEN[how](room, generator)
    gone = spoilt.places.amax(-1) >= FAR_AWAY
    shapes = torch.where(gone, ABSENT, spoilt.shapes)
    wrong = ~judge(shapes, spoilt.metal, spoilt.places, spoilt.headings).obeyed()
    return Description(*(part[wrong] for part in spoilt))


def room_parser_metrics(parser: RoomParser, n: int = ROOMS) -> dict[str, float]:
    """Reading of n free rooms, the share of n true rooms accepted, and of n rooms broken in each way."""
    generator = Generator().manual_seed(SEED)
    metrics = {f"free_{name}": value for name, value in reading(parser, draw_free(n, generator))._asdict().items()}
    source = ArrowRoomSource(CANVAS)
    metrics["true_accept"] = _share(accepts_rooms(source.batch(n, generator).images, parser))
    for how in BROKEN:
        rooms = broken(how, source.describe(n, generator), generator)
        metrics[f"false_accept_{how}"] = _share(accepts_rooms(source.draw(rooms).images, parser))
    return metrics
