"""Chapter 2's exercises: every answer gets the verdict that was written for it."""

import pytest
import torch
import torch.nn.functional as F

from neurosym_lite.classroom.chapter_02 import (
    ANNOTATION,
    CANVAS,
    GLIMPSE,
    IN_FRONT,
    LOOK_UP,
    PIXEL,
    SAMPLER,
    SCALE,
    SHIFT,
    SMOOTH,
)
from neurosym_lite.latents import Where
from neurosym_lite.models.symbols import pixel_boxes
from neurosym_lite.render.spatial import glimpse, paste_matrix

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "2.1": 1.5,
    "2.2": lambda scale, shift: torch.zeros(2, 3),
    "2.3": lambda corners, n: torch.zeros(4),
    "2.4": lambda scale, shift, glimpse, canvas: torch.zeros(canvas, glimpse),
    "2.5": lambda near, far, background: 0.123,
}
UNUSABLE = {
    "2.1": "in the middle",
    "2.2": lambda scale: scale,
    "2.3": lambda corners, n: corners.no_such_method(),
    "2.4": torch.zeros(64, 16),
    "2.5": lambda near, far, background: near * far,
}


def test_place_is_where_the_packages_weights_are() -> None:
    weights = paste_matrix(torch.tensor(SCALE), torch.tensor(SHIFT), GLIMPSE, CANVAS)[PIXEL]
    assert float((weights * torch.arange(GLIMPSE)).sum()) == pytest.approx(LOOK_UP.solution, abs=1e-4)


def test_theta_cuts_the_packages_glimpse() -> None:
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    scale, shift = torch.tensor([0.3, 0.2]), torch.tensor([0.1, -0.4])
    grid = F.affine_grid(SAMPLER.solution(scale, shift)[None], (1, 1, 16, 16), align_corners=False)
    sampled = F.grid_sample(image, grid, padding_mode="zeros", align_corners=False)
    cut = glimpse(image, Where(scale[None, None], shift[None, None]), (16, 16))[:, 0]
    assert torch.allclose(sampled, cut, atol=1e-5)


def test_to_where_inverts_the_packages_pixel_boxes() -> None:
    corners = torch.tensor([3.0, 10.0, 23.0, 18.0])
    scale, shift = ANNOTATION.solution(corners, 64).split(2)
    back = pixel_boxes(Where(scale[None, None], shift[None, None]), torch.ones(1, 1), 64).corners
    assert torch.allclose(back[0, 0], corners, atol=1e-5)


def test_smooth_matrix_skips_nothing_and_keeps_brightness() -> None:
    small = SMOOTH.solution(4 / 64, 0.013, 16, 64)
    assert (small > 0).any(0).all()
    assert float(small.sum()) == pytest.approx(4, abs=0.1)
    large = SMOOTH.solution(0.8, 0.1, 16, 64)
    assert torch.allclose(large, paste_matrix(torch.tensor(0.8), torch.tensor(0.1), 16, 64), atol=1e-5)


def test_over_loses_no_light_and_lets_the_absent_go() -> None:
    assert IN_FRONT.solution((1.0, 0.5, 1.0), (1.0, 0.5, 1.0), 1.0) == pytest.approx(1.0)
    assert IN_FRONT.solution((0.9, 0.5, 0.0), (0.2, 0.5, 0.0), 0.6) == pytest.approx(0.6)
