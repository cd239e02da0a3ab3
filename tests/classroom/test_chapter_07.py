"""Chapter 7's exercises: their solutions agree with the package."""

import pytest
import torch

from neurosym_lite.classroom.chapter_07 import (
    FRAME_OF_A_LINE,
    HOW_FAR,
    ONE_MORE_POINT,
    PENTAGON,
    SHARES_OF_A_LINE,
    STROKE,
    WHERE_IS_THE_PEN,
)
from neurosym_lite.render.bezier import arc_weights, curve
from neurosym_lite.render.frames import place
from neurosym_lite.render.ink import ink

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "7.1": 5.0,
    "7.2": lambda points: torch.zeros(len(points) + 1, 2),
    "7.3": lambda samples: torch.ones(len(samples)),
    "7.4": lambda radius, softness, level: radius,
    "7.5": lambda a, b: torch.zeros(4),
}
UNUSABLE = {
    "7.1": "in the middle",
    "7.2": lambda points: points.no_such_method(),
    "7.3": lambda samples: samples @ samples,
    "7.4": lambda radius, softness: radius,
    "7.5": 0.5,
}


def test_the_pen_is_where_the_packages_curve_is() -> None:
    points = torch.stack([STROKE, STROKE], dim=1)
    assert curve(points, 5)[1, 0].item() == pytest.approx(WHERE_IS_THE_PEN.solution)


def test_one_more_point_draws_the_same_curve() -> None:
    more = ONE_MORE_POINT.solution(PENTAGON)
    assert more.shape == (6, 2)
    torch.testing.assert_close(curve(more, 50), curve(PENTAGON, 50))


def test_shares_of_a_line_are_close_to_the_packages_weights() -> None:
    torch.testing.assert_close(
        SHARES_OF_A_LINE.solution(curve(PENTAGON, 400)), arc_weights(PENTAGON, 400), rtol=0.01, atol=1e-5
    )


def test_ink_has_its_level_at_the_reach() -> None:
    """A pixel's centre at just that distance from a horizontal line."""
    far = HOW_FAR.solution(2.0, 0.5, 0.2)
    line = torch.tensor([[-0.9, 0.0], [0.9, 0.0]], dtype=torch.float64)
    line[:, 1] = (2 * (16 + far) + 1) / 32 - 1
    radius, softness = torch.tensor([2.0, 0.5], dtype=torch.float64)
    assert ink(line, radius, softness, (32, 32), 256)[16, 16].item() == pytest.approx(0.2, abs=2e-3)


def test_the_frame_of_a_line_places_its_ends() -> None:
    a, b = torch.tensor([0.4, 0.2]), torch.tensor([-0.2, -0.6])
    ends = place(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), FRAME_OF_A_LINE.solution(a, b))
    torch.testing.assert_close(ends, torch.stack([a, b]))
