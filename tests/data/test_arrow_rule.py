"""Each part of the grammar is seen to hold in generated rooms, and to fail in rooms broken in that part alone."""

import math

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import ODD, ArrowRoomSource, Description, heading_to
from neurosym_lite.data.arrow_rule import TURN, Verdict, judge
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.render.solids import ARROW, SHAPES, SPHERE


def rooms(n: int = 400) -> Description:
    return ArrowRoomSource().describe(n, Generator().manual_seed(0))


def verdict(room: Description) -> Verdict:
    return judge(room.shapes, room.metal, room.places, room.headings)


# what cannot hold where a part does not
HANGS = {"count": {"shapes", "nearest", "pointing"}, "shapes": {"nearest", "pointing"}}


def only(part: str, judged: Verdict) -> None:
    """That part fails in every room, and no part that does not hang on it."""
    failed = {part, *HANGS.get(part, ())}
    assert not getattr(judged, part).any() and not judged.obeyed().any()
    assert all(verdict.all() for name, verdict in judged._asdict().items() if name not in failed)


def test_generated_rooms_obey_all_of_it_in_any_order_of_slots() -> None:
    described = rooms()
    order = torch.rand(4, generator=Generator().manual_seed(1)).argsort()
    shuffled = Description(*(part[:, order] for part in described))
    assert verdict(described).obeyed().all() and verdict(shuffled).obeyed().all()
    assert verdict(shuffled._replace(shapes=described.shapes)).obeyed().float().mean() < 0.5


def test_a_missing_solid() -> None:
    room = rooms()
    shapes = room.shapes.clone()
    shapes[:, 1] = -1
    only("count", verdict(room._replace(shapes=shapes)))


@pytest.mark.parametrize("slot, shape", [(ARROW, SPHERE), (ODD, ARROW)])
def test_no_arrow_or_two(slot: int, shape: int) -> None:
    room = rooms()
    shapes = room.shapes.clone()
    shapes[:, slot] = shape
    judged = verdict(room._replace(shapes=shapes))
    only("shapes", judged)
    assert judged.count.all() and judged.material.all()


def test_three_of_one_shape_or_all_different() -> None:
    room = rooms()
    alike, unlike = room.shapes.clone(), room.shapes.clone()
    alike[:, ODD] = alike[:, 1]
    unlike[:, 1:] = torch.arange(1, 4)
    for shapes in (alike, unlike):
        only("shapes", verdict(room._replace(shapes=shapes)))


def test_mixed_materials() -> None:
    room = rooms()
    metal = room.metal.clone()
    metal[:, 2] = ~metal[:, 2]
    judged = verdict(room._replace(metal=metal))
    only("material", judged)
    assert judged.pointing.all() and judged.nearest.all()


def test_an_arrow_behind_another_solid() -> None:
    room = rooms()
    places = room.places.clone()
    places[:, 1, 1] = places[:, ARROW, 1] - 0.5
    only("nearest", verdict(room._replace(places=places)))


def test_an_arrow_that_misses_or_points_at_a_twin() -> None:
    room = rooms()
    for turn in (TURN + 0.01, -TURN - 0.01, math.pi):
        headings = room.headings.clone()
        headings[:, ARROW] += turn
        judged = verdict(room._replace(headings=headings))
        only("pointing", judged)
        assert judged.shapes.all() and judged.nearest.all()
    full_turn = room.headings + 2 * math.pi
    assert verdict(room._replace(headings=full_turn)).obeyed().all()


def test_an_empty_room_obeys_nothing_but_raises_nothing() -> None:
    nothing = verdict(rooms()._replace(shapes=torch.full((400, 4), -1)))
    assert not torch.stack(nothing).any()


def test_the_grammar_knows_all_shapes() -> None:
    cones = ArrowRoomSource(shapes=("cone", "sphere")).describe(50, Generator().manual_seed(2))
    assert set(cones.shapes[:, 1:].flatten().tolist()) == {SHAPES.index("cone"), SPHERE}
    assert verdict(cones).obeyed().all()


def pointing_room(miss: float = 0.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """An arrow that misses the odd one by so many degrees: twins at the sides, the odd one straight behind."""
    others = [shape for shape in range(len(SHAPES)) if shape != ARROW]
    shapes = torch.tensor([[ARROW, others[0], others[0], others[1]]])
    places = torch.tensor([[[0.0, -2.0], [-2.5, 1.0], [0.35, 1.0], [0.0, 1.0]]])
    heading = heading_to(places[:, :1], places)[0, 3] + math.radians(miss)
    return shapes, torch.zeros(1, 4).bool(), places, torch.tensor([[float(heading), 0.0, 0.0, 0.0]])


def test_an_arrow_may_miss_by_15_degrees_and_no_other_may_be_nearer() -> None:
    judged = {m: [bool(judge(*pointing_room(miss)).pointing) for miss in (m, -m)] for m in (1.0, 14.0, 16.0)}
    assert judged[1.0] == [True, True] and sorted(judged[14.0]) == [False, True] and judged[16.0] == [False, False]


def test_an_empty_slot_has_no_material() -> None:
    shapes, _, places, headings = pointing_room()
    solids = (shapes, ABSENT), (torch.ones(1, 4).bool(), False), (places, 0.0), (headings, 0.0)
    padded = (torch.cat([torch.full_like(part[:, :1], empty), part], 1) for part, empty in solids)
    verdict = judge(*padded)
    assert verdict.material.all() and verdict.obeyed().all()
