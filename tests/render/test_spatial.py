"""The two matrix products against torch's sampler, in values and in gradients; the fused sum against the slow one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from neurosym_lite.latents import Where
from neurosym_lite.render import fused
from neurosym_lite.render.spatial import glimpse, paste, paste_matrix, paste_sum

SIZES = [((16, 16), (64, 64)), ((5, 9), (31, 20)), ((32, 32), (16, 16)), ((1, 4), (12, 7))]


def random_where(batch: int, boxes: int) -> Where:
    """Boxes of every size, partly and wholly off the canvas."""
    scale = 0.03 + 0.9 * torch.rand(batch, boxes, 2, dtype=torch.float64)
    shift = 2.6 * torch.rand(batch, boxes, 2, dtype=torch.float64) - 1.3
    return Where(scale.requires_grad_(), shift.requires_grad_())


def slow_paste(glimpses: Tensor, where: Where, canvas: tuple[int, int]) -> Tensor:
    """affine_grid + grid_sample with the inverse map, one (B, K, C, H, W) canvas."""
    batch, boxes = glimpses.shape[:2]
    (sx, sy), (tx, ty) = (part.flatten(0, 1).unbind(-1) for part in where)
    zero = torch.zeros_like(sx)
    theta = torch.stack([1 / sx, zero, -tx / sx, zero, 1 / sy, -ty / sy], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(theta), glimpses.shape[2], *canvas], align_corners=False)
    warped = F.grid_sample(glimpses.flatten(0, 1), grid, padding_mode="zeros", align_corners=False)
    return warped.view(batch, boxes, *warped.shape[1:])


def slow_glimpse(images: Tensor, where: Where, size: tuple[int, int]) -> Tensor:
    batch, boxes = where.scale.shape[:2]
    (sx, sy), (tx, ty) = (part.flatten(0, 1).unbind(-1) for part in where)
    zero = torch.zeros_like(sx)
    theta = torch.stack([sx, zero, tx, zero, sy, ty], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(theta), images.shape[1], *size], align_corners=False)
    repeated = images.repeat_interleave(boxes, dim=0)
    cut = F.grid_sample(repeated, grid, padding_mode="zeros", align_corners=False)
    return cut.view(batch, boxes, *cut.shape[1:])


def assert_same_with_gradients(ours: Tensor, theirs: Tensor, inputs: tuple[Tensor, ...]) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    seed = torch.randn_like(ours)
    mine = torch.autograd.grad((ours * seed).sum(), inputs)
    reference = torch.autograd.grad((theirs * seed).sum(), inputs)
    for a, b in zip(mine, reference, strict=True):
        assert float((a - b).abs().max()) <= 1e-10 * float(b.abs().max())
        assert b.abs().max() > 0


@pytest.mark.parametrize(("small", "canvas"), SIZES)
def test_paste_equals_grid_sample(small: tuple[int, int], canvas: tuple[int, int]) -> None:
    where = random_where(4, 6)
    glimpses = torch.rand(4, 6, 3, *small, dtype=torch.float64, requires_grad=True)
    ours, theirs = paste(glimpses, where, canvas), slow_paste(glimpses, where, canvas)
    assert_same_with_gradients(ours, theirs, (glimpses, *where))


@pytest.mark.parametrize(("small", "canvas"), SIZES)
def test_glimpse_equals_grid_sample(small: tuple[int, int], canvas: tuple[int, int]) -> None:
    where = random_where(4, 6)
    images = torch.rand(4, 3, *canvas, dtype=torch.float64, requires_grad=True)
    ours, theirs = glimpse(images, where, small), slow_glimpse(images, where, small)
    assert_same_with_gradients(ours, theirs, (images, *where))


@pytest.mark.parametrize("images_a_chunk", [1, 2, 3, 100])
@pytest.mark.parametrize(("small", "canvas"), SIZES)
def test_the_fused_sum_equals_the_sum_of_pastes(
    small: tuple[int, int], canvas: tuple[int, int], images_a_chunk: int, monkeypatch
) -> None:
    monkeypatch.setattr(fused, "CACHE_NUMBERS", images_a_chunk * 5 * small[0] * 2 * canvas[1])
    where = random_where(5, 5)
    glimpses = torch.rand(5, 5, 2, *small, dtype=torch.float64, requires_grad=True)
    ours, theirs = paste_sum(glimpses, where, canvas), slow_paste(glimpses, where, canvas).sum(1)
    assert_same_with_gradients(ours, theirs, (glimpses, *where))


def test_a_sample_on_a_pixels_centre_has_the_samplers_gradient() -> None:
    """A box that covers the canvas: every position is a pixel's centre, where the hat has a kink."""
    where = Where(*(part.double().requires_grad_() for part in (torch.ones(1, 1, 2), torch.zeros(1, 1, 2))))
    ramp = torch.arange(64, dtype=torch.float64).view(1, 1, 1, 8, 8)
    seed = torch.zeros(1, 1, 1, 8, 8, dtype=torch.float64)
    seed[..., 3, 4] = 1
    theirs = torch.autograd.grad((slow_paste(ramp, where, (8, 8)) * seed).sum(), where.shift)[0]
    for ours in (paste(ramp, where, (8, 8)), paste_sum(ramp, where, (8, 8))[:, None]):
        torch.testing.assert_close(torch.autograd.grad((ours * seed).sum(), where.shift)[0], theirs)
    read = (slow_glimpse(ramp[:, 0], where, (8, 8)) * seed).sum(), (glimpse(ramp[:, 0], where, (8, 8)) * seed).sum()
    reference, own = (torch.autograd.grad(value, where.scale)[0] for value in read)
    torch.testing.assert_close(own, reference)


def test_the_fused_sum_takes_any_memory_layout_and_no_boxes_at_all() -> None:
    glimpses = torch.rand(2, 9, 1, 4, 4)
    scale, shift = (torch.rand(9, 2, 2).transpose(0, 1) for _ in range(2))
    expected = paste(glimpses, Where(scale, shift), (8, 8)).sum(1)
    torch.testing.assert_close(paste_sum(glimpses, Where(scale, shift), (8, 8)), expected)
    nothing = paste_sum(glimpses[:, :0], Where(scale[:, :0], shift[:, :0]), (8, 8))
    assert nothing.shape == (2, 1, 8, 8) and (nothing == 0).all()


def test_a_diverged_box_stays_nan_and_breaks_nothing_else() -> None:
    scale = torch.full((1, 1, 2), float("nan"), requires_grad=True)
    drawn = paste_sum(torch.rand(1, 1, 1, 4, 4), Where(scale, torch.zeros(1, 1, 2)), (8, 8))
    (gradient,) = torch.autograd.grad(drawn.sum(), scale)
    assert gradient.isnan().all()


def test_a_box_that_covers_the_canvas_is_the_identity() -> None:
    where = Where(torch.ones(1, 1, 2), torch.zeros(1, 1, 2))
    image = torch.rand(1, 1, 2, 7, 5)
    torch.testing.assert_close(paste(image, where, (7, 5)), image)
    torch.testing.assert_close(glimpse(image[:, 0], where, (7, 5)), image)


def test_x_is_to_the_right_and_y_is_down() -> None:
    where = Where(torch.tensor([[[0.25, 0.25]]]), torch.tensor([[[0.75, -0.25]]]))
    canvas = paste(torch.ones(1, 1, 1, 2, 2), where, (8, 8))[0, 0, 0]
    assert canvas.nonzero().tolist() == [[2, 6], [2, 7], [3, 6], [3, 7]] or canvas[2:4, 6:8].min() > 0.5
    assert canvas.argmax() // 8 in (2, 3) and canvas.argmax() % 8 in (6, 7)


def test_rows_of_the_paste_matrix_sum_to_one_inside_the_box() -> None:
    matrix = paste_matrix(torch.tensor(0.5), torch.tensor(0.0), 16, 64)
    torch.testing.assert_close(matrix.sum(1)[18:46], torch.ones(28))
    assert matrix.sum(1)[:15].max() == 0


def test_moving_the_box_by_a_pixel_moves_the_picture_by_a_pixel() -> None:
    glimpses = torch.rand(1, 1, 1, 6, 6, dtype=torch.float64)
    scale = torch.full((1, 1, 2), 0.3, dtype=torch.float64)
    shift = torch.tensor([[[0.1, -0.2]]], dtype=torch.float64)
    step = torch.tensor([2 / 32, 0.0], dtype=torch.float64)
    here, there = (paste(glimpses, Where(scale, s), (32, 32)) for s in (shift, shift + step))
    torch.testing.assert_close(there[..., 1:], here[..., :-1])
