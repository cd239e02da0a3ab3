"""Ink: gradients by finite differences, the exact raster, dots, symmetry, and strokes that no one would draw."""

import math

import pytest
import torch
from torch import Generator, Tensor

from benchmarks.pen import capsule, curves
from neurosym_lite.render.bezier import curve
from neurosym_lite.render.ink import in_pixels, ink, ink_sum_max_tanh, soft_distance, splat

SIZE = (12, 12)
DEGREES = range(7)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_points(degree: int, *batch: int, reach: float = 0.8) -> Tensor:
    return reach * (2 * torch.rand(*batch, degree + 1, 2, dtype=torch.float64) - 1)


def test_gradients_are_those_of_the_output() -> None:
    points = random_points(3, 2).requires_grad_()
    radius, softness = (double(*pair).requires_grad_() for pair in ((0.9, 1.7), (0.3, 1.1)))
    assert torch.autograd.gradcheck(lambda *inputs: ink(*inputs, SIZE, 24), (points, radius, softness), atol=1e-4)


def test_gradients_of_the_papers_pen_hold_the_maximum_constant() -> None:
    points, width = random_points(3).requires_grad_(), torch.tensor(0.8, dtype=torch.float64)
    most = splat(curve(in_pixels(points, SIZE), 100), torch.ones(100).double(), width, SIZE).max().item()
    seed = torch.randn(SIZE, dtype=torch.float64)

    def held(p: Tensor) -> Tensor:
        return (splat(curve(in_pixels(p, SIZE), 100), torch.ones(100).double(), width, SIZE) / most / 0.8).tanh()

    ours = torch.autograd.grad((ink_sum_max_tanh(points, width, width, SIZE) * seed).sum(), points)[0]
    torch.testing.assert_close(ours, torch.autograd.grad((held(points) * seed).sum(), points)[0])


def test_ink_is_close_to_the_exact_raster() -> None:
    points, ones = curves(6, Generator().manual_seed(1)), torch.ones(6)
    off = ink(points, 1.2 * ones, 0.2 * ones, (28, 28)) - capsule(points, 1.2, 28, pieces=128)
    assert off.square().mean().sqrt() <= 0.02


def test_splat_is_the_sum_over_samples() -> None:
    samples, weights, tau = 9 * torch.rand(2, 20, 2).double(), torch.rand(2, 20).double(), double(0.6, 1.4)
    slow = torch.zeros(2, 7, 9, dtype=torch.float64)
    for y in range(7):
        for x in range(9):
            square = (samples - double(x, y)).square().sum(-1)
            slow[:, y, x] = (weights * (-square / (2 * tau[:, None].square())).exp()).sum(-1)
    torch.testing.assert_close(splat(samples, weights, tau, (7, 9)), slow, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_the_soft_distance_of_a_straight_line_is_its_distance(tau: float) -> None:
    line = double(-0.9, 0.125, 0.9, 0.125).view(2, 2)  # between two rows of pixels
    found = soft_distance(line, torch.tensor(tau, dtype=torch.float64), (16, 32), samples=128)
    rows = (torch.arange(16, dtype=torch.float64) - in_pixels(line, (16, 32))[0, 1]).abs()
    near = rows <= 3
    torch.testing.assert_close(found[near, 16], rows[near].square(), rtol=0, atol=1e-3)


def test_ink_is_half_at_the_radius() -> None:
    line = double(-0.8, 0, 0.8, 0).view(2, 2)  # halfway between rows 7 and 8 of 16
    drawn = ink(line, double(2.5)[0], double(0.4)[0], (16, 32), samples=128)
    torch.testing.assert_close(drawn[[5, 10], 16], double(0.5, 0.5), rtol=0, atol=1e-3)
    assert drawn[6:10, 16].min() > 0.85 and drawn[[4, 11], 16].max() < 0.1


@pytest.mark.parametrize("radius", [1.5, 3.0])
@pytest.mark.parametrize("degree", [0, 1, 4])
def test_a_stroke_of_no_length_is_a_round_dot(degree: int, radius: float) -> None:
    points = double(0.03, -0.05).expand(degree + 1, 2)
    dot = ink(points, double(radius)[0], double(0.15)[0], (24, 24))
    assert dot.sum().item() == pytest.approx(math.pi * radius**2, rel=0.08)
    centred = ink(torch.zeros(degree + 1, 2).double(), double(radius)[0], double(0.15)[0], (24, 24))
    torch.testing.assert_close(centred.mT, centred)
    torch.testing.assert_close(centred.flip(0), centred)


def unlikely(degree: int, seed: int) -> Tensor:
    """Strokes that a network emits sooner or later: off the page, in one point, with two equal points, straight."""
    torch.manual_seed(seed)
    usual = 1.6 * torch.rand(degree + 1, 2) - 0.8
    pair = usual.clone()
    pair[0] = pair[-1]
    straight = torch.linspace(-0.7, 0.7, degree + 1)[:, None] * torch.tensor([1.0, 0.5])
    far = [usual + torch.tensor(shift) for shift in ([3.0, 0.0], [0.0, -50.0], [1e4, 1e4])]
    return torch.stack([usual, usual[:1].expand(degree + 1, 2), pair, straight, 1e-6 * usual, 100 * usual, *far])


@pytest.mark.parametrize("degree", DEGREES)
def test_no_stroke_gives_a_number_that_is_none(degree: int) -> None:
    for seed, widths in enumerate([(1.2, 0.3), (0.01, 0.01), (1e-3, 2.0), (40.0, 0.05), (15.0, 15.0)]):
        points = unlikely(degree, seed).requires_grad_()
        radius, softness = (torch.full((len(points),), width).requires_grad_() for width in widths)
        for pen, extra in ((ink, ()), (ink_sum_max_tanh, (16,))):
            drawn = pen(points, radius, softness, (9, 14), *extra)
            assert drawn.isfinite().all() and drawn.min() >= 0 and drawn.max() <= 1
            seed_of_gradient = torch.randn_like(drawn)
            for gradient in torch.autograd.grad((drawn * seed_of_gradient).sum(), (points, radius, softness)):
                assert gradient.isfinite().all(), (pen.__name__, widths)


def test_a_stroke_off_the_page_leaves_it_empty() -> None:
    points = random_points(4) + 5
    assert ink(points, double(1.2)[0], double(0.3)[0], (28, 28)).max() < 1e-9


def test_a_wide_pen_leaves_the_background_black() -> None:
    points, radius = random_points(4, 3, reach=0.5).float(), torch.full((3,), 4.5)
    drawn = ink(points, radius, torch.full((3,), 0.2), (105, 105))
    distance = torch.cdist(curve(in_pixels(points, (105, 105)), 400), pixels(105)).amin(1).view(3, 105, 105)
    assert drawn[distance > 7].max() < 1e-4 and drawn[distance < 3].min() > 0.99


def pixels(side: int) -> Tensor:
    """Index (x, y) of each pixel, row by row."""
    index = torch.arange(side).float()
    return torch.stack(torch.meshgrid(index, index, indexing="xy"), dim=-1).view(1, -1, 2)


@pytest.mark.parametrize("degree", DEGREES)
def test_any_degree_on_any_canvas(degree: int) -> None:
    """The same stroke in pixels on a larger canvas is the same ink."""
    points = random_points(degree, reach=0.6)
    widths = (double(1.2)[0], double(0.4)[0])
    wide = ink(points * double(0.5, 1.0), *widths, (12, 24))
    tall = ink(points * double(1.0, 0.5), *widths, (24, 12))
    square = ink(points, *widths, (12, 12))
    assert wide.shape == (12, 24) and tall.shape == (24, 12)
    torch.testing.assert_close(wide[:, 6:18], square, rtol=0, atol=1e-9)
    torch.testing.assert_close(tall[6:18], square, rtol=0, atol=1e-9)


def test_ink_moves_with_its_points() -> None:
    points, step = random_points(4, reach=0.5), double(2 / 28, -4 / 20)  # one pixel right, two up
    here, there = (ink(p, double(1.2)[0], double(0.4)[0], (20, 28)) for p in (points, points + step))
    torch.testing.assert_close(there[:-2, 1:], here[2:, :-1], rtol=0, atol=1e-9)


def test_ink_knows_no_direction() -> None:
    points, widths = random_points(4), (double(1.2)[0], double(0.4)[0])
    drawn = ink(points, *widths, (20, 20))
    torch.testing.assert_close(ink(points.flip(0), *widths, (20, 20)), drawn)
    torch.testing.assert_close(ink(points.flip(1), *widths, (20, 20)), drawn.mT)


def test_a_batch_is_its_strokes_one_by_one() -> None:
    points, radius, softness = random_points(3, 2, 3), 1 + torch.rand(2, 3).double(), 0.2 + torch.rand(2, 3).double()
    for pen in (ink, ink_sum_max_tanh):
        together = pen(points, radius, softness, (10, 13))
        for b in range(2):
            for t in range(3):
                alone = pen(points[b, t], radius[b, t], softness[b, t], (10, 13))
                torch.testing.assert_close(together[b, t], alone)


def test_the_papers_pen_is_the_slow_loop() -> None:
    points, blur, slope = random_points(4), 0.7, 0.6
    at = curve(in_pixels(points, (8, 10)), 100)
    slow = torch.zeros(8, 10, dtype=torch.float64)
    for y in range(8):
        for x in range(10):
            slow[y, x] = sum(math.exp(-((cx - x) ** 2 + (cy - y) ** 2) / (2 * blur**2)) for cx, cy in at.tolist())
    expected = (slow / slow.max() / slope).tanh()
    drawn = ink_sum_max_tanh(points, torch.tensor(blur).double(), torch.tensor(slope).double(), (8, 10))
    torch.testing.assert_close(drawn, expected, rtol=1e-6, atol=1e-9)
    empty = ink_sum_max_tanh(points + 50, torch.tensor(blur).double(), torch.tensor(slope).double(), (8, 10))
    assert (empty == 0).all()


def test_a_dot_has_its_exact_distance() -> None:
    points = torch.tensor([[0.1, -0.2]], dtype=torch.float64)
    found = soft_distance(points, torch.tensor(0.5).double(), (12, 12))
    x, y = in_pixels(points, (12, 12))[0]
    rows, columns = torch.meshgrid(*(torch.arange(12.0).double(),) * 2, indexing="ij")
    exact = (columns - x).square() + (rows - y).square()
    torch.testing.assert_close(found[exact < 4], exact[exact < 4], atol=1e-4, rtol=0)
