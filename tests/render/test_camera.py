"""The camera: where points are seen, and back."""

import math

import torch

from neurosym_lite.render.camera import EYE, FIELD, on_ground, project, unproject, view


def test_the_camera_looks_at_the_middle_of_the_ground() -> None:
    assert project(torch.tensor([0.0, 0.0, 0.0])).abs().max() < 1e-6
    right, up, far = project(torch.tensor([[1.0, 0, 0], [0.0, 0, 1], [0.0, 3, 0]])).unbind(0)
    assert right[0] > 0.1 and up[1] < -0.1 and far[1] < -0.05


def test_a_point_on_the_picture_and_its_height_say_where_it_is() -> None:
    points = torch.cat([4 * torch.rand(50, 2) - 2, torch.rand(50, 1)], dim=1)
    assert torch.allclose(unproject(project(points), points[:, 2]), points[:, :2], atol=1e-4)


def test_rays_through_pixels_come_back_to_them() -> None:
    directions = view(8, torch.zeros(()))
    there = on_ground(torch.tensor(EYE).expand(64, 3), directions)
    near = there[:, 2].abs() < 1e-3
    assert near.all()
    centre = (2 * torch.arange(8) + 1) / 8 - 1
    expected = torch.stack(torch.meshgrid(centre, centre, indexing="xy"), dim=-1).reshape(64, 2)
    assert torch.allclose(project(there), expected, atol=1e-4)


def test_rays_at_the_horizon_meet_the_ground() -> None:
    way = view(64, torch.zeros(()))
    there = on_ground(torch.tensor(EYE).expand(len(way), 3), way)
    assert there[:, 2].abs().max() < 0.01


def test_the_lens_is_clevrs() -> None:
    assert abs(FIELD - 2 * math.atan(32 / 2 / 35)) < 0.001
