"""Signed distances are distances: unit slope, zero where the surface is, never more than the way to it."""

import math

import pytest
import torch

from neurosym_lite.render.solids import (
    ARROW,
    BOUNDS,
    CONE,
    CUBE,
    CUBE_HALF,
    CYLINDER,
    HEIGHTS,
    RADIUS,
    SHAPES,
    SPHERE,
    Room,
    bounds,
    centres,
    distance,
    dot,
    pick,
    turned,
)

EVERY = range(len(SHAPES))


def around(n: int = 4000, reach: float = 1.5) -> torch.Tensor:
    return reach * (2 * torch.rand(n, 3, dtype=torch.float64) - 1)


def test_known_distances() -> None:
    at = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    assert torch.allclose(distance(SPHERE, at), torch.tensor([1.3, -0.7, 1.3]))
    assert torch.allclose(distance(CUBE, at), torch.tensor([2 - CUBE_HALF, -CUBE_HALF, 2 - CUBE_HALF]))
    assert torch.allclose(distance(CYLINDER, at), torch.tensor([1.3, -0.7, 1.3]))
    assert distance(CONE, at)[2] == pytest.approx(1.3 / math.sqrt(5), abs=1e-6)
    tip, tail, above = distance(ARROW, torch.tensor([[1.0, 0, 0], [-1.0, 0, 0], [0.0, 0, 1.0]])).tolist()
    assert (tip, tail, above) == pytest.approx((1 - 0.66 - 0.05, 1 - 0.66 - 0.05, 1 - 0.14 - 0.05), abs=1e-6)


def test_an_arrow_is_wide_at_its_head_and_narrow_at_its_stem() -> None:
    beside = torch.tensor([[0.1, 0.35, 0.0], [-0.4, 0.35, 0.0], [0.1, -0.35, 0.0]])
    head, stem, other = distance(ARROW, beside).tolist()
    assert head < 0 < stem and other == head


@pytest.mark.parametrize("shape", EVERY)
def test_no_two_points_differ_by_more_than_the_way_between_them(shape: int) -> None:
    here, there = around(), around()
    assert ((distance(shape, here) - distance(shape, there)).abs() <= (here - there).norm(dim=-1) + 1e-9).all()


@pytest.mark.parametrize("shape", [s for s in EVERY if s != CONE])
def test_outside_the_slope_is_one(shape: int) -> None:
    at = around().requires_grad_()
    gap = distance(shape, at)
    (slope,) = torch.autograd.grad(gap.sum(), at)
    outside = gap > 0.01
    assert outside.sum() > 500
    assert torch.allclose(slope[outside].norm(dim=-1), torch.ones(int(outside.sum()), dtype=torch.float64), atol=1e-6)


@pytest.mark.parametrize("shape", EVERY)
def test_the_bounding_sphere_holds_the_solid_and_the_solid_rests_on_the_ground(shape: int) -> None:
    at = around(20_000)
    inside = at[distance(shape, at) < 0]
    assert inside.norm(dim=-1).max() <= BOUNDS[shape] + 1e-9
    assert -inside[:, 2].min() == pytest.approx(HEIGHTS[shape], abs=0.05)
    assert -inside[:, 2].min() <= HEIGHTS[shape] + 1e-9


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown shape 5: expected 0 to 4"):
        distance(5, torch.zeros(1, 3))


def test_turning_is_counter_clockwise_seen_from_above() -> None:
    quarter = turned(torch.tensor([[1.0, 0.0, 3.0]]), torch.tensor([math.pi / 2]))
    assert torch.allclose(quarter, torch.tensor([[0.0, 1.0, 3.0]]), atol=1e-6)


def test_centres_and_bounds_of_a_room() -> None:
    room = Room(
        torch.tensor([[ARROW, SPHERE]]),
        torch.zeros(1, 2, 3),
        torch.zeros(1, 2, dtype=torch.bool),
        torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]),
        torch.zeros(1, 2),
    )
    assert torch.allclose(centres(room), torch.tensor([[[1.0, 2.0, 0.19], [3.0, 4.0, RADIUS]]]))
    assert torch.allclose(bounds(room), torch.tensor([[0.76, 0.7]]))


def test_pick_and_dot_are_indexing_and_the_sum_of_products() -> None:
    values, rows = torch.randn(5, 4, 3), torch.tensor([3, 0, 3])
    assert torch.equal(pick(values, rows), values[rows])
    assert torch.equal(pick(values[:, 0, 0], rows), values[rows, 0, 0])
    assert torch.allclose(dot(values, values[:, :1]), (values * values[:, :1]).sum(-1), atol=1e-6)
