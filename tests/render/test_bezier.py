"""Curves against de Casteljau's construction, velocities against differences, lengths against lines and a circle."""

import math

import pytest
import torch
from torch import Tensor

from neurosym_lite.render.bezier import _bernstein, arc_weights, bernstein, curve, velocity

DEGREES = range(7)
QUARTER = 4 / 3 * (math.sqrt(2) - 1)  # handle length of the cubic that is a quarter of a circle to 0.03 %


def random_points(degree: int, *batch: int) -> Tensor:
    return 2 * torch.rand(*batch, degree + 1, 2, dtype=torch.float64) - 1


def de_casteljau(points: Tensor, t: float) -> Tensor:
    """Cut every leg of the polygon at t, until one point is left."""
    while len(points) > 1:
        points = (1 - t) * points[:-1] + t * points[1:]
    return points[0]


@pytest.mark.parametrize("degree", DEGREES)
def test_bernstein_rows_are_shares(degree: int) -> None:
    basis = bernstein(degree, 33, torch.zeros((), dtype=torch.float64))
    assert basis.shape == (33, degree + 1) and basis.min() >= 0
    torch.testing.assert_close(basis.sum(1), torch.ones(33, dtype=torch.float64))
    torch.testing.assert_close(basis.flip(0, 1), basis)


def test_bernstein_by_hand() -> None:
    basis = bernstein(2, 5, torch.zeros(()))
    assert basis.dtype == torch.float32
    torch.testing.assert_close(basis[1], torch.tensor([9 / 16, 6 / 16, 1 / 16]))


@pytest.mark.parametrize("degree", DEGREES)
def test_curve_is_de_casteljaus(degree: int) -> None:
    points = random_points(degree)
    by_cuts = torch.stack([de_casteljau(points, i / 20) for i in range(21)])
    torch.testing.assert_close(curve(points, 21), by_cuts, rtol=0, atol=1e-14)


def test_curve_starts_at_the_first_and_ends_at_the_last_point() -> None:
    points = random_points(4, 3)
    ends = curve(points, 7)[:, [0, -1]]
    torch.testing.assert_close(ends, points[:, [0, -1]])


def test_degree_1_is_a_line_and_degree_0_a_point() -> None:
    line, dot = random_points(1), random_points(0)
    t = torch.linspace(0, 1, 11, dtype=torch.float64)[:, None]
    torch.testing.assert_close(curve(line, 11), line[0] + t * (line[1] - line[0]))
    torch.testing.assert_close(curve(dot, 4), dot.expand(4, 2))
    assert (velocity(dot, 4) == 0).all()


@pytest.mark.parametrize("degree", DEGREES)
def test_velocity_is_the_slope_of_the_curve(degree: int) -> None:
    points, samples = random_points(degree, 2), 2001
    at, step = curve(points, samples), 1 / (samples - 1)
    slope = (at[:, 2:] - at[:, :-2]) / (2 * step)
    torch.testing.assert_close(velocity(points, samples)[:, 1:-1], slope, rtol=0, atol=2e-4)


def test_arc_weights_of_a_line_sum_to_its_length_at_any_speed() -> None:
    even = torch.tensor([[0.0, 0.0], [1.5, 2.0], [3.0, 4.0]], dtype=torch.float64)
    uneven = torch.tensor([[0.0, 0.0], [0.3, 0.4], [3.0, 4.0]], dtype=torch.float64)
    for points in (even, uneven):
        assert arc_weights(points, 64).sum().item() == pytest.approx(5, abs=1e-3)
    weights = arc_weights(even, 6)
    torch.testing.assert_close(weights, torch.tensor([0.5, 1, 1, 1, 1, 0.5], dtype=torch.float64))
    assert arc_weights(uneven, 64)[2] < 0.2 * arc_weights(uneven, 64)[-3]


def test_arc_weights_of_a_quarter_circle_sum_to_a_quarter_turn() -> None:
    points = torch.tensor([[1, 0], [1, QUARTER], [QUARTER, 1], [0, 1]], dtype=torch.float64)
    assert arc_weights(points, 64).sum().item() == pytest.approx(math.pi / 2, rel=1e-3)
    torch.testing.assert_close(curve(points, 64).norm(dim=1), torch.ones(64, dtype=torch.float64), rtol=0, atol=3e-4)


def test_a_curve_that_stands_still_has_finite_gradients() -> None:
    points = torch.full((5, 2), 0.3, requires_grad=True)
    (gradient,) = torch.autograd.grad(arc_weights(points, 16).sum(), points)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(("degree", "samples"), [(-1, 8), (3, 1)])
def test_impossible_curves_are_refused(degree: int, samples: int) -> None:
    with pytest.raises(ValueError, match=f"got degree {degree}, {samples} samples"):
        bernstein(degree, samples, torch.zeros(()))


def test_a_curve_first_drawn_under_inference_mode_can_be_trained_with() -> None:
    points = torch.rand(3, 2)
    _bernstein.cache_clear()
    with torch.inference_mode():
        arc_weights(points, 9), curve(points, 9)
    (gradient,) = torch.autograd.grad((arc_weights(points.requires_grad_(), 9) * curve(points, 9)[:, 0]).sum(), points)
    assert gradient.isfinite().all()


def test_the_basis_is_the_callers_own() -> None:
    points = torch.rand(3, 2)
    before = curve(points, 9)
    bernstein(2, 9, points).zero_()
    assert torch.equal(curve(points, 9), before)
