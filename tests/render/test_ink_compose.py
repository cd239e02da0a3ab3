"""Compositing: order-free, bounded, and with a gradient for what lies under a stroke."""

import torch

from neurosym_lite.render.ink_compose import OPACITY, lay_over, lay_over_tanh, soft_or, sum_tanh


def test_soft_or_is_lay_over_repeated() -> None:
    strokes, canvas = torch.rand(3, 5, 6, 4, dtype=torch.float64), torch.zeros(3, 6, 4, dtype=torch.float64)
    for t in range(5):
        canvas = lay_over(canvas, strokes[:, t])
    torch.testing.assert_close(soft_or(strokes), canvas)


def test_soft_or_asks_for_no_order() -> None:
    strokes = torch.rand(2, 6, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(soft_or(strokes[:, torch.randperm(6)]), soft_or(strokes))


def test_soft_or_by_hand() -> None:
    strokes = torch.tensor([0.0, 0.5, 1.0])[:, None, None]
    torch.testing.assert_close(soft_or(strokes), torch.tensor([[1 - (1 - OPACITY / 2) * (1 - OPACITY)]]))
    assert (soft_or(torch.zeros(4, 3, 3)) == 0).all()
    torch.testing.assert_close(soft_or(strokes[2:]), torch.tensor([[OPACITY]]))
    assert soft_or(torch.ones(6, 2, 2)).max() <= 1


def test_a_stroke_under_the_darkest_ink_has_a_gradient() -> None:
    strokes = torch.ones(2, 3, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(soft_or(strokes).sum(), strokes)
    torch.testing.assert_close(gradient, torch.full((2, 3, 3), OPACITY * (1 - OPACITY)))
    assert gradient.min() > 1e-3


def test_sum_tanh_by_hand() -> None:
    strokes = torch.tensor([[0.2, 0.3], [1.0, 1.0]])[..., None, None]
    canvas = sum_tanh(strokes, torch.tensor([0.5, 2.0]))
    torch.testing.assert_close(canvas, torch.tensor([1.0, 1.0]).tanh()[:, None, None])
    torch.testing.assert_close(sum_tanh(strokes.flip(1), torch.tensor([0.5, 2.0])), canvas)


def test_one_stroke_more_under_sum_and_tanh_needs_no_sum() -> None:
    strokes = torch.rand(3, 5, 6, 7, dtype=torch.float64)
    slope = torch.tensor([0.3, 0.5, 1.4], dtype=torch.float64)
    canvas = torch.zeros(3, 6, 7, dtype=torch.float64)
    for t in range(5):
        canvas = lay_over_tanh(canvas, strokes[:, t], slope)
        torch.testing.assert_close(canvas, sum_tanh(strokes[:, : t + 1], slope))


def test_the_darkest_ink_is_white_but_for_one_level() -> None:
    assert round(255 * OPACITY) == 254
