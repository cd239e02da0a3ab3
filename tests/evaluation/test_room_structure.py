"""Free rooms have no structure, broken rooms are broken in one way, and a judge that sees the truth counts right."""

import pytest
import torch
from torch import Generator

from neurosym_lite.data.arrow_room import ArrowRoomSource, Description
from neurosym_lite.data.arrow_rule import judge
from neurosym_lite.evaluation.free_rooms import APART, FAR_AWAY, LEAST, MOST, as_free, describe, draw_free, worn
from neurosym_lite.evaluation.parser import load_parser
from neurosym_lite.evaluation.room_check import BROKEN, broken, reading
from neurosym_lite.evaluation.room_parser import GLYPHS, ParsedRooms, RoomParser
from neurosym_lite.evaluation.room_structure import accepts_rooms, room_structure_metrics

PARTS = {
    "one_missing": "count", "three_alike": "shapes", "all_different": "shapes", "mixed_materials": "material",
    "arrow_misses": "pointing", "points_at_a_twin": "pointing",
}  # fmt: skip


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


class Oracle(RoomParser):
    """Reads every picture as the room that it was given."""

    def __init__(self, room: Description, rows: list[int]) -> None:
        super().__init__()
        self.room, self.rows = room, rows

    def parse(self, images) -> ParsedRooms:
        assert images.shape[1:] == (3, 64, 64)
        n = self.rows.pop(0)
        shapes, colours, metal, places, headings = (part[:n] for part in self.room)
        return ParsedRooms(shapes, colours, metal, places, headings, places, torch.full(shapes.shape, 0.9))


def test_free_rooms_are_free() -> None:
    room = describe(1000, generator())
    here = room.places[..., 0] < FAR_AWAY
    count = here.sum(1)
    assert count.min() >= LEAST and count.max() == MOST and (torch.bincount(count)[1:] > 50).all()
    for slot in range(MOST):
        way = (room.places - room.places[:, slot : slot + 1]).norm(dim=-1)
        way[:, slot] = APART
        assert way[here[:, slot, None] & here].min() >= APART
    judged = judge(torch.where(here, room.shapes, -1), room.metal, room.places, room.headings)
    assert judged.obeyed().float().mean() < 0.01


def test_centres_of_free_rooms_lie_inside_what_is_seen() -> None:
    rooms = draw_free(10, generator())
    drawn = ArrowRoomSource(64).draw(rooms.room)
    inside = (rooms.centres >= drawn.boxes[..., :2] - 1) & (rooms.centres <= drawn.boxes[..., 2:] + 1)
    uncovered = (drawn.boxes[..., 2:] - drawn.boxes[..., :2]).amin(-1) > 8
    on_canvas = (drawn.boxes[..., 0] > 0) & (drawn.boxes[..., 2] < 64)
    assert inside[uncovered & on_canvas & rooms.present].float().mean() > 0.95


def test_worn_rooms_are_softer_and_stay_in_range() -> None:
    images = (torch.rand(50, 3, 32, 32, generator=generator()) > 0.5).float()
    soft = worn(images, generator())
    assert soft.min() >= 0 and soft.max() <= 1
    assert soft.flatten(1).std(1).mean() < 0.8 * images.flatten(1).std(1).mean()
    assert torch.equal(soft, worn(images, generator()))


@pytest.mark.parametrize("how", BROKEN)
def test_rooms_are_broken_in_the_way_that_is_named(how: str) -> None:
    room = broken(how, ArrowRoomSource().describe(200, generator()), generator(1))
    shapes = torch.where(room.places.amax(-1) >= FAR_AWAY, -1, room.shapes)
    judged = judge(shapes, room.metal, room.places, room.headings)
    assert len(shapes) > 150 and not judged.obeyed().any()
    assert not getattr(judged, PARTS[how]).any()


def test_a_judge_that_sees_the_truth_counts_right() -> None:
    room = ArrowRoomSource().describe(100, generator())
    metal = room.metal.clone()
    metal[:25, 1] ^= True
    samples, real = torch.rand(100, 3, 64, 64), torch.rand(40, 3, 64, 64)
    metrics = room_structure_metrics(samples, real, Oracle(room._replace(metal=metal), [100, 40]))
    assert metrics["structure_accuracy"] == metrics["structure_material"] == pytest.approx(0.75)
    assert metrics["structure_count"] == metrics["structure_pointing"] == 1.0
    assert metrics["structure_true_accept"] == pytest.approx(15 / 40)
    assert metrics["structure_low"] < 0.75 < metrics["structure_high"]
    assert metrics["structure_confidence"] == pytest.approx(0.9) and metrics["structure_colours"] > 0.95


def test_a_parser_that_finds_nothing_is_told_so() -> None:
    rooms = draw_free(4, generator())
    nothing = rooms.room._replace(shapes=torch.full_like(rooms.room.shapes, -1))
    with pytest.raises(ValueError, match="no arrow was read as one"):
        reading(Oracle(nothing, [4]), rooms)


def test_no_samples_are_refused() -> None:
    none = torch.zeros(0, 3, 64, 64)
    with pytest.raises(ValueError, match="0 samples, 0 reconstructions"):
        room_structure_metrics(none, none, RoomParser())


def test_the_shipped_parser_reads_free_rooms() -> None:
    read = reading(load_parser(GLYPHS), draw_free(200, generator(5)))
    assert read.recall > 0.93 and read.precision > 0.98
    assert min(read.shape, read.colour, read.metal) > 0.95 and read.heading < 6


def test_the_shipped_parser_accepts_rooms_and_refuses_broken_ones() -> None:
    parser, source = load_parser(GLYPHS), ArrowRoomSource(64)
    room = source.describe(80, generator(6))
    accepted = accepts_rooms(source.draw(room).images, parser)
    assert accepted.float().mean() > 0.85
    for how in BROKEN:
        spoilt = source.draw(broken(how, room, generator(7))).images
        assert accepts_rooms(spoilt, parser).float().mean() < 0.1, how


def test_rooms_of_128_pixels_are_averaged_down() -> None:
    room = ArrowRoomSource(64).describe(40, generator(8))
    parser = load_parser(GLYPHS)
    small, large = (ArrowRoomSource(size).draw(room).images for size in (64, 128))
    assert (accepts_rooms(small, parser) == accepts_rooms(large, parser)).float().mean() > 0.9


def test_as_free_keeps_the_truth() -> None:
    rooms = ArrowRoomSource(64).batch(3, generator())
    free = as_free(rooms)
    assert torch.equal(free.room.shapes, rooms.labels) and torch.equal(free.present, rooms.present)
