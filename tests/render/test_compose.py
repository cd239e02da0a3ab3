"""Compositing: the cases in which the right answer is known, and the two forms against each other."""

from functools import partial

import torch
from torch.autograd import gradcheck

from neurosym_lite.latents import Where
from neurosym_lite.render.compose import compose_convex, compose_exact, compose_sum, straight_through_cap
from neurosym_lite.render.spatial import paste

CANVAS = (12, 12)


def whole_canvas(objects: int) -> Where:
    return Where(torch.ones(1, objects, 2), torch.zeros(1, objects, 2))


def flat(*values: float) -> torch.Tensor:
    """One glimpse a value, constant over the canvas: (1, K, 1, 12, 12)."""
    return torch.tensor(values).view(1, -1, 1, 1, 1).expand(1, len(values), 1, *CANVAS)


def background(value: float) -> torch.Tensor:
    return torch.full((1, 1, *CANVAS), value)


def middle(image: torch.Tensor) -> float:
    return round(float(image[0, 0, 6, 6]), 4)


def test_the_sum_ignores_absent_objects() -> None:
    drawn = compose_sum(flat(0.7, 0.2), torch.tensor([[1.0, 0.0]]), whole_canvas(2), CANVAS)
    assert middle(drawn) == 0.7


def test_one_object_shows_its_colour_through_its_mask() -> None:
    for compose in (compose_exact, compose_convex):
        drawn = compose(flat(0.8), flat(0.5), torch.ones(1, 1), torch.zeros(1, 1), whole_canvas(1), background(0.2))
        assert middle(drawn) == 0.5  # 0.5 * 0.8 + 0.5 * 0.2, not the printed 0.8 + 0.5 * 0.2


def test_an_absent_object_leaves_the_background_whole() -> None:
    for compose in (compose_exact, compose_convex):
        drawn = compose(flat(0.8), flat(1.0), torch.zeros(1, 1), torch.zeros(1, 1), whole_canvas(1), background(0.3))
        assert middle(drawn) == 0.3


def test_the_nearer_object_wins() -> None:
    depth = torch.tensor([[-8.0, 8.0]])
    for compose in (compose_exact, compose_convex):
        drawn = compose(flat(0.9, 0.1), flat(1.0, 1.0), torch.ones(1, 2), depth, whole_canvas(2), background(0.0))
        assert abs(middle(drawn) - 0.9) < 0.001


def test_two_half_transparent_white_objects_on_white() -> None:
    arguments = (flat(1.0, 1.0), flat(0.5, 0.5), torch.ones(1, 2), torch.zeros(1, 2), whole_canvas(2), background(1.0))
    assert middle(compose_exact(*arguments)) == 0.5  # loses light, as the released model does
    assert middle(compose_convex(*arguments)) == 1.0


def test_both_forms_agree_where_objects_do_not_overlap() -> None:
    where = Where(
        torch.full((2, 4, 2), 0.3), torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]).expand(2, 4, 2)
    )
    colours, masks = torch.rand(2, 4, 3, 8, 8), torch.rand(2, 4, 1, 8, 8) * 0.9 + 0.1
    rest = (torch.rand(2, 4), torch.randn(2, 4), where, torch.rand(2, 3, 32, 32))
    exact, convex = compose_exact(colours, masks, *rest), compose_convex(colours, masks, *rest)
    torch.testing.assert_close(exact, convex, atol=2e-3, rtol=0)


def test_the_sum_equals_pasting_one_by_one() -> None:
    where = Where(torch.rand(2, 3, 2) * 0.5 + 0.1, torch.rand(2, 3, 2) - 0.5)
    glimpses, pres = torch.rand(2, 3, 1, 6, 6), torch.rand(2, 3)
    slow = (paste(glimpses, where, CANVAS) * pres[..., None, None, None]).sum(1)
    torch.testing.assert_close(compose_sum(glimpses, pres, where, CANVAS), slow)


def test_covered_pixels_keep_their_gradient() -> None:
    coverage = torch.tensor([0.5, 1.7], requires_grad=True)
    capped = straight_through_cap(coverage)
    assert capped.tolist() == [0.5, 1.0]
    capped.sum().backward()
    assert coverage.grad.tolist() == [1.0, 1.0]


def test_every_input_gets_a_finite_gradient() -> None:
    for compose in (compose_exact, compose_convex):
        inputs = [torch.rand(2, 3, 1, 6, 6), torch.rand(2, 3, 1, 6, 6), torch.rand(2, 3), torch.randn(2, 3)]
        inputs += [torch.rand(2, 3, 2) * 0.4 + 0.2, torch.rand(2, 3, 2) - 0.5, torch.rand(2, 1, *CANVAS)]
        for tensor in inputs:
            tensor.requires_grad_()
        drawn = compose(*inputs[:4], Where(*inputs[4:6]), inputs[6])
        for gradient in torch.autograd.grad(drawn.square().sum(), inputs):
            assert torch.isfinite(gradient).all() and gradient.abs().max() > 0


def test_depths_weigh_by_their_sigmoid() -> None:
    depth = torch.tensor([[-1.0, 2.0]])
    near = (-depth).sigmoid()[0]
    for compose in (compose_exact, compose_convex):
        drawn = compose(
            flat(1.0, 0.0), flat(1.0, 1.0), torch.ones(1, 2), depth, whole_canvas(2), torch.zeros(1, 1, *CANVAS)
        )
        torch.testing.assert_close(drawn[0, 0, 6, 6], near[0] / near.sum(), atol=1e-4, rtol=0)


def test_two_opaque_objects_hide_the_background_once() -> None:
    for compose in (compose_exact, compose_convex):
        drawn = compose(
            flat(0.0, 0.0),
            flat(1.0, 1.0),
            torch.ones(1, 2),
            torch.zeros(1, 2),
            whole_canvas(2),
            torch.ones(1, 1, *CANVAS),
        )
        assert drawn[0, 0, 6, 6].abs() < 1e-4


def test_compose_gradients_are_those_of_the_output() -> None:
    where = Where(torch.full((1, 2, 2), 0.7).double(), torch.tensor([[[-0.2, 0.1], [0.3, 0.0]]]).double())

    def make(*s):
        return (0.2 + 0.2 * torch.rand(*s, dtype=torch.float64)).requires_grad_()

    inputs = (make(1, 2, 1, 3, 3), make(1, 2, 1, 3, 3), make(1, 2), make(1, 2))
    behind = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    for compose in (compose_exact, compose_convex):
        assert gradcheck(partial(compose, where=where, background=behind), inputs)
