"""Rooms obey the grammar, their ground truth is true, the same generator gives the same pixels."""

import math
import re

import pytest
import torch
from torch import Generator

from neurosym_lite.data.arrow_room import (
    APART,
    CLEAR,
    COLOURS,
    IN_FRONT,
    ODD,
    ArrowRoomSource,
    angle_between,
    heading_to,
    seen_boxes,
)
from neurosym_lite.data.arrow_rule import judge
from neurosym_lite.render.camera import project
from neurosym_lite.render.solids import ARROW, SHAPES, centres


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_every_description_obeys_the_grammar_and_its_margins() -> None:
    room = ArrowRoomSource().describe(2000, generator())
    assert judge(room.shapes, room.metal, room.places, room.headings, turn=1e-3).obeyed().all()
    ways = (room.places[:, :, None] - room.places[:, None]).norm(dim=-1) + 100 * torch.eye(4)
    assert ways.min() >= APART
    assert (room.places[:, 1:, 1].amin(1) - room.places[:, 0, 1]).min() >= IN_FRONT - 1e-5
    way = heading_to(room.places[:, :1], room.places[:, 1:])
    assert angle_between(way[:, :2], way[:, 2:]).min() >= CLEAR - 1e-5


def test_shapes_colours_and_materials_come_equally_often() -> None:
    room = ArrowRoomSource().describe(3000, generator())
    for counts in (
        torch.bincount(room.shapes[:, ODD])[1:4],
        torch.bincount(room.shapes[:, 1])[1:4],
        torch.bincount(room.colours.flatten()),
        torch.bincount(room.metal[:, 0].long()),
    ):
        share = counts / counts.sum()
        assert (share * len(counts) - 1).abs().max() < 0.15, counts
    assert (room.metal == room.metal[:, :1]).all()


def test_only_the_named_shapes_and_colours_are_used() -> None:
    room = ArrowRoomSource(shapes=("cone", "cube"), colours=("red", "cyan")).describe(100, generator())
    assert {SHAPES[s] for s in room.shapes.flatten().tolist()} == {"arrow", "cone", "cube"}
    assert {list(COLOURS)[c] for c in room.colours.flatten().tolist()} == {"red", "cyan"}


def test_boxes_and_masks_agree_with_the_pixels() -> None:
    rooms = ArrowRoomSource(64).batch(12, generator())
    assert rooms.images.shape == (12, 3, 64, 64) and rooms.images.dtype == torch.uint8
    assert rooms.present.all()
    for scene in range(12):
        for slot in range(4):
            x0, y0, x1, y1 = rooms.boxes[scene, slot].tolist()
            rows, columns = (rooms.masks[scene] == slot).nonzero(as_tuple=True)
            assert len(rows) > 10
            # a pixel is the solid's if half of it is, so the box may reach half a pixel farther
            assert abs(columns.min() - x0) <= 1 and abs(columns.max() + 1 - x1) <= 1
            assert abs(rows.min() - y0) <= 1 and abs(rows.max() + 1 - y1) <= 1


def test_a_solid_is_seen_where_it_stands() -> None:
    source = ArrowRoomSource(128)
    room = source.describe(8, generator(1))
    drawn = source.draw(room)
    places = 64 * (project(centres(room.room())) + 1)
    middle = (drawn.boxes[..., :2] + drawn.boxes[..., 2:]) / 2
    whole = (drawn.boxes[..., 0] > 0) & (drawn.boxes[..., 2] < 128)
    assert ((places - middle)[whole].abs() < 4).all()


def test_a_solid_has_its_colour() -> None:
    source = ArrowRoomSource(64, colours=("red", "green", "blue"))
    rooms = source.batch(8, generator(2))
    channel = {1: 0, 2: 2, 3: 1}  # red, blue and green are numbers 1, 2 and 3
    for scene in range(8):
        for slot in range(4):
            if rooms.metal[scene, slot] or not (inside := rooms.masks[scene] == slot).any():
                continue
            colour = rooms.images[scene][:, inside].float().mean(1)
            assert colour.argmax() == channel[int(rooms.colours[scene, slot])]


def test_the_same_generator_state_gives_the_same_pixels_and_another_one_others() -> None:
    source = ArrowRoomSource(32)
    first, again, other = (source.batch(3, generator(seed)) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.images, other.images)


def test_a_batch_drawn_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ArrowRoomSource(32)
    room = source.describe(5, generator())
    whole = source.draw(room)
    monkeypatch.setattr("neurosym_lite.data.arrow_room.RAYS", 2 * (32 * 2) ** 2)
    pieces = source.draw(room)
    assert all(torch.equal(a, b) for a, b in zip(whole[1:], pieces[1:], strict=True))
    assert (whole.images.int() - pieces.images.int()).abs().max() <= 1  # sums of products may round otherwise


def test_more_samples_a_pixel_draw_the_same_room_more_finely() -> None:
    room = ArrowRoomSource(32).describe(2, generator())
    coarse, fine = (ArrowRoomSource(32, samples=s).draw(room).images.float() for s in (1, 4))
    smooth = ArrowRoomSource(32, samples=3).draw(room).images.float()
    assert (smooth - fine).abs().mean() < (coarse - fine).abs().mean() < 10


def test_boxes_around_what_is_set() -> None:
    shows = torch.zeros(1, 2, 5, 6, dtype=torch.bool)
    shows[0, 0, 1:3, 2:6] = True
    assert seen_boxes(shows).tolist() == [[[2, 1, 6, 3], [0, 0, 0, 0]]]


def test_a_room_whose_solids_are_out_of_sight_is_drawn() -> None:
    source = ArrowRoomSource(16)
    room = source.describe(1, generator())
    rooms = source.draw(room._replace(places=room.places + 1000))
    assert not rooms.present.any() and (rooms.boxes == 0).all() and (rooms.masks == -1).all()


def test_angles() -> None:
    assert heading_to(torch.zeros(2), torch.tensor([0.0, 2.0])) == pytest.approx(math.pi / 2)
    assert angle_between(torch.tensor(3.0), torch.tensor(-3.0)) == pytest.approx(2 * math.pi - 6, abs=1e-5)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"size": 0}, "a room of 0 pixels: expected at least 16"),
        ({"shapes": ("sphere", "cube", "cylinder", "cone", "torus")}, "unknown shape 'torus': expected some of sphere"),
        ({"shapes": ("sphere", "cube", "cylinder", "cone", "cone")}, "5 shapes (sphere, cube, cylinder, cone, cone)"),
        ({"shapes": ("sphere",)}, "1 shapes (sphere): expected 2 to 4 different ones"),
        ({"shapes": ("arrow", "cube")}, "unknown shape 'arrow'"),
        ({"colours": ("red", "pink")}, "unknown colour 'pink': expected some of gray"),
        ({"colours": ()}, "0 colours"),
        ({"samples": 0}, "a room with 0 x 0 rays a pixel: expected at least 1 x 1"),
    ],
)
def test_bad_grammars_are_refused_in_one_line(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ArrowRoomSource(**given)


def test_arrow_is_slot_zero() -> None:
    assert (ArrowRoomSource().describe(5, generator()).shapes[:, 0] == ARROW).all()


def test_no_rooms_are_refused() -> None:
    with pytest.raises(ValueError, match="0 rooms to draw: expected at least 1"):
        ArrowRoomSource(16).batch(0, generator())
