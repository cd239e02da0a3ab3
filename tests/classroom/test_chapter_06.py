"""Chapter 6's exercises: every answer gets the verdict that was written for it."""

import math

import pytest
import torch

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_06 import LISTS, OFF, POINTING, PRECISION, SCENES, SIDE, TWIN, Place
from neurosym_lite.data.arrow_room import ArrowRoomSource, angle_between, heading_to
from neurosym_lite.evaluation.detection import average_precision, box_iou

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "6.1": 7.5,
    "6.2": lambda hits, total: 0.123,
    "6.3": lambda arrow, heading, solids: 7.0,
    "6.4": 0.3,
}
UNUSABLE = {
    "6.1": "two",
    "6.2": lambda hits: 0.5,
    "6.3": lambda arrow, heading, solids: math.sqrt(-1),
    "6.4": object(),
}


def test_a_box_that_far_off_overlaps_by_half() -> None:
    true = torch.tensor([[[0.0, 0.0, SIDE, SIDE]]])
    assert box_iou(true + OFF.solution, true).item() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("hits", "total"), LISTS)
def test_average_precision_is_the_packages(hits: tuple[int, ...], total: int) -> None:
    """One box a scene, right or far off, ranked as listed; further scenes hold the objects that nothing found."""
    n = max(len(hits), total)
    true = torch.tensor([0.0, 0.0, 10.0, 10.0]).expand(n, 1, 4)
    found, confidence = true + 50.0, torch.full((n, 1), -1.0)
    present = torch.zeros(n, 1, dtype=torch.bool)
    for rank, hit in enumerate(hits):
        confidence[rank] = 1 - rank / 100
        found[rank] -= 50.0 * hit
        present[rank] = bool(hit)
    missing = total - sum(hits)
    absent = (~present[:, 0]).nonzero()[:missing, 0]
    present[absent] = True
    assert PRECISION.solution(hits, total) == pytest.approx(average_precision(found, confidence, true, present))


@pytest.mark.parametrize(("arrow", "heading", "solids"), SCENES)
def test_pointing_is_the_packages(arrow: Place, heading: float, solids: tuple[Place, ...]) -> None:
    ways = heading_to(torch.tensor(arrow), torch.tensor(solids))
    missed = angle_between(ways, torch.full_like(ways, math.remainder(heading, 2 * math.pi)))
    assert POINTING.solution(arrow, heading, solids) == missed.argmin()


def test_a_compass_is_told_where_headings_start() -> None:
    def by_compass(arrow: Place, heading: float, solids: tuple[Place, ...]) -> float:
        return POINTING.solution(arrow, math.pi / 2 - heading, solids)

    assert "like a compass from +y" in judge("6.3", by_compass).says


def test_one_solid_says_nothing_of_the_next() -> None:
    """On rooms that the grammar makes, the best guess for each shape that one can be told."""
    rooms = ArrowRoomSource().describe(20_000, torch.Generator().manual_seed(0)).shapes
    order = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(1)).argsort(1)[:, :2] + 1  # not the arrow
    told, asked = rooms.gather(1, order).unbind(1)
    right = sum(int(torch.bincount(asked[told == shape]).max()) for shape in told.unique().tolist())
    assert right / 20_000 == pytest.approx(TWIN.solution, abs=0.01)
