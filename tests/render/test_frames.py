"""Frames: there and back again, the project's pixel convention, and the box that a frame without rotation is."""

import math

import pytest
import torch
from torch import Tensor

from neurosym_lite.latents import Where
from neurosym_lite.render import frames, spatial
from neurosym_lite.render.axes import pixel_centres
from neurosym_lite.render.bezier import curve
from neurosym_lite.render.ink import ink

DOUBLE = torch.zeros((), dtype=torch.float64)


def random_where(*batch: int) -> Tensor:
    """Frames of every size and turn."""
    low = torch.tensor([-0.8, -0.8, 0.2, -3.0], dtype=torch.float64)
    high = torch.tensor([0.8, 0.8, 1.2, 3.0], dtype=torch.float64)
    return low + (high - low) * torch.rand(*batch, 4, dtype=torch.float64)


def level(where: Tensor) -> Tensor:
    """The same frames without their rotation."""
    return where * torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64)


def test_place_by_hand() -> None:
    where = torch.tensor([0.1, -0.2, 0.5, math.pi / 2], dtype=torch.float64)
    corner = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    expected = torch.tensor([[0.1, 0.3], [-0.4, -0.2]], dtype=torch.float64)  # y is down: a quarter turn clockwise
    torch.testing.assert_close(frames.place(corner, where), expected)


def test_place_and_inverse_undo_each_other() -> None:
    where, points = random_where(3, 4), torch.randn(3, 4, 5, 2, dtype=torch.float64)
    back = frames.inverse(where)
    placed = frames.place(points, where)
    returned = placed @ back[..., :2].mT + back[..., None, :, 2]
    torch.testing.assert_close(returned, points)


def test_place_keeps_shapes_up_to_the_scale() -> None:
    where, points = random_where(6), torch.randn(6, 5, 2, dtype=torch.float64)
    before, after = (p.diff(dim=1).norm(dim=-1) for p in (points, frames.place(points, where)))
    torch.testing.assert_close(after, before * where[:, 2:3])


def test_the_curve_of_placed_points_is_the_placed_curve() -> None:
    where, points = random_where(4), torch.randn(4, 5, 2, dtype=torch.float64)
    placed = frames.place(points, where)
    torch.testing.assert_close(curve(placed, 30), frames.place(curve(points, 30), where))


@pytest.mark.parametrize(("image", "size"), [((28, 28), (28, 28)), ((31, 20), (9, 5))])
def test_without_rotation_a_frame_is_a_square_box(image: tuple[int, int], size: tuple[int, int]) -> None:
    where = level(random_where(5))
    box = Where(where[:, None, 2:3].expand(5, 1, 2), where[:, None, :2])
    images = torch.rand(5, 2, *image, dtype=torch.float64)
    torch.testing.assert_close(frames.glimpse(images, where, size), spatial.glimpse(images, box, size)[:, 0])
    pasted = spatial.paste(images[:, None], box, size)[:, 0]
    torch.testing.assert_close(frames.paste(images, where, size), pasted)


def test_the_whole_frame_is_the_identity() -> None:
    images, where = torch.rand(2, 3, 7, 5), torch.tensor([0.0, 0.0, 1.0, 0.0]).expand(2, 4)
    torch.testing.assert_close(frames.glimpse(images, where, (7, 5)), images)
    torch.testing.assert_close(frames.paste(images, where, (7, 5)), images)


def test_a_glimpse_reads_where_place_says() -> None:
    """On an image that is a plane, bilinear sampling is exact: every glimpse pixel tells where it looked."""
    x, y = pixel_centres(40, DOUBLE), pixel_centres(40, DOUBLE)
    images = torch.stack([x.expand(40, 40), y[:, None].expand(40, 40)])[None].expand(6, 2, 40, 40)
    where = random_where(6) * torch.tensor([0.4, 0.4, 0.4, 1.0], dtype=torch.float64)
    u, v = pixel_centres(9, DOUBLE), pixel_centres(9, DOUBLE)
    looks = torch.stack([u.expand(9, 9), v[:, None].expand(9, 9)], dim=-1).flatten(0, 1)
    read = frames.glimpse(images, where, (9, 9)).flatten(2).mT
    torch.testing.assert_close(read, frames.place(looks.expand(6, 81, 2), where))


def test_pasted_ink_lies_where_placed_points_are_drawn() -> None:
    """A raster in the frame, pasted, has its centre of mass where the placed stroke has it."""
    stroke = torch.tensor([[-0.5, -0.4], [0.1, 0.6], [0.6, -0.3]], dtype=torch.float64)
    where = torch.tensor([0.2, -0.1, 0.6, 0.7], dtype=torch.float64)
    width = torch.tensor(1.5, dtype=torch.float64)
    raster = ink(stroke, width, 0.5 * width, (48, 48))
    pasted = frames.paste(raster[None, None], where[None], (48, 48))[0, 0]
    drawn = ink(frames.place(stroke, where), 0.6 * width, 0.3 * width, (48, 48))
    axis = pixel_centres(48, DOUBLE)
    for a, b in ((pasted.sum(0), drawn.sum(0)), (pasted.sum(1), drawn.sum(1))):
        assert abs((a @ axis / a.sum()) - (b @ axis / b.sum())) < 0.01


def test_frames_have_gradients() -> None:
    where = random_where(2).requires_grad_()
    points = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(frames.place, (points, where))
    assert torch.autograd.gradcheck(frames.inverse, (where,))


def test_no_images_have_no_glimpses() -> None:
    nothing, where = torch.zeros(0, 2, 8, 8, dtype=torch.float64), random_where(0)
    assert frames.glimpse(nothing, where, (3, 4)).shape == (0, 2, 3, 4)
    assert frames.paste(nothing, where, (3, 4)).dtype == torch.float64
