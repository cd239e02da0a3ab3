"""Rays among solids against what geometry says: distances, normals, who hides whom, how dark a shadow is."""

import math

import pytest
import torch
import torch.nn.functional as F

from neurosym_lite.render.solids import (
    ARROW,
    CUBE,
    CUBE_HALF,
    CYLINDER,
    HEIGHTS,
    RADIUS,
    SHAPES,
    SPHERE,
    Room,
    distance,
)
from neurosym_lite.render.tracing import NOTHING, Rays, Solids


def room(shapes: list[int], places: list[tuple[float, float]], headings: list[float] | None = None) -> Room:
    n = len(shapes)
    return Room(
        torch.tensor([shapes]),
        torch.full((1, n, 3), 0.5),
        torch.zeros(1, n, dtype=torch.bool),
        torch.tensor([places]),
        torch.tensor([headings or [0.0] * n]),
    )


def rays(origins: list[tuple[float, float, float]], directions: list[tuple[float, float, float]]) -> Rays:
    zeros = torch.zeros(len(origins), dtype=torch.long)
    return Rays(zeros, torch.tensor(origins), F.normalize(torch.tensor(directions), dim=-1))


def test_a_ray_meets_the_nearest_solid_where_it_is() -> None:
    solids = Solids(room([SPHERE, CUBE], [(0.0, 0.0), (0.0, 3.0)]))
    hits = solids.first_hit(
        rays([(0.0, -5.0, 0.7), (0.0, 8.0, 0.5), (0.0, -5.0, 3.0)], [(0.0, 1, 0), (0.0, -1, 0), (0.0, 1, 0)])
    )
    assert hits.solid.tolist() == [0, 1, NOTHING]
    assert hits.distance[:2].tolist() == pytest.approx([5 - RADIUS, 5 - CUBE_HALF], abs=2e-3)
    assert hits.distance[2] == torch.inf


def test_a_skipped_solid_is_not_met() -> None:
    solids = Solids(room([SPHERE, CUBE], [(0.0, 0.0), (0.0, 3.0)]))
    hits = solids.first_hit(rays([(0.0, -5.0, 0.7)], [(0.0, 1.0, 0.0)]), skip=torch.tensor([0]))
    assert hits.solid.tolist() == [1] and hits.distance[0] == pytest.approx(8 - CUBE_HALF, abs=2e-3)


def test_each_ray_sees_its_own_scene() -> None:
    one, other = room([SPHERE], [(0.0, 0.0)]), room([CYLINDER], [(9.0, 0.0)])
    both = Solids(Room(*(torch.cat(pair) for pair in zip(one, other, strict=True))))
    asked = rays([(0.0, -5.0, 0.7)] * 2, [(0.0, 1.0, 0.0)] * 2)._replace(scene=torch.tensor([0, 1]))
    assert both.first_hit(asked).solid.tolist() == [0, NOTHING]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_what_is_hit_lies_on_the_surface_and_its_normal_faces_the_ray(shape: int) -> None:
    solids = Solids(room([shape], [(0.0, 0.0)], [0.4]))
    n = 400
    angle = 2 * math.pi * torch.rand(n)
    start = torch.stack([4 * angle.cos(), 4 * angle.sin(), 0.2 + 3 * torch.rand(n)], dim=1)
    aim = torch.tensor([0.0, 0.0, HEIGHTS[shape]]) + 0.1 * torch.randn(n, 3)
    asked = Rays(torch.zeros(n, dtype=torch.long), start, F.normalize(aim - start, dim=-1))
    hits = solids.first_hit(asked, steps=60)
    met = (hits.solid == 0).nonzero()[:, 0]
    assert len(met) > 0.8 * n
    points = start[met] + hits.distance[met, None] * asked.direction[met]
    centre = points - torch.tensor([0.0, 0.0, HEIGHTS[shape]])
    cos, sin = math.cos(-0.4), math.sin(-0.4)
    local = torch.stack(
        [cos * centre[:, 0] - sin * centre[:, 1], sin * centre[:, 0] + cos * centre[:, 1], centre[:, 2]], dim=1
    )
    assert distance(shape, local).abs().max() < 5e-3
    normals = solids.normals(
        torch.zeros(len(met), dtype=torch.long), hits.solid[met], points, torch.full((len(met),), 1e-3)
    )
    assert torch.allclose(normals.norm(dim=-1), torch.ones(len(met)), atol=1e-5)
    assert ((normals * asked.direction[met]).sum(-1) < 0.05).all()


def test_normals_of_an_arrows_top_and_of_a_sphere() -> None:
    solids = Solids(room([ARROW, SPHERE], [(0.0, 0.0), (4.0, 0.0)]))
    points = torch.tensor([[-0.3, 0.0, 0.38], [4.0 + RADIUS, 0.0, RADIUS]])
    normals = solids.normals(torch.zeros(2, dtype=torch.long), torch.tensor([0, 1]), points, torch.full((2,), 1e-3))
    assert torch.allclose(normals, torch.tensor([[0.0, 0, 1], [1.0, 0, 0]]), atol=1e-3)


@pytest.mark.parametrize("shape", [SPHERE, CUBE, ARROW])
def test_a_lamp_is_hidden_behind_a_solid_and_seen_beside_it_with_a_penumbra_between(shape: int) -> None:
    solids = Solids(room([shape], [(0.0, 0.0)]))
    lamp = torch.tensor([0.0, 0.0, 6.0])
    x = torch.linspace(0, 3, 61)
    points = torch.stack([x, 0 * x, 0 * x], dim=1)
    seen = solids.visibility(torch.zeros(len(x), dtype=torch.long), points, lamp, 0.1)
    assert seen[0] == 0 and seen[-1] == 1
    assert (seen.diff() >= -1e-6).all(), "farther from the solid, more of the lamp"
    assert ((seen > 0.01) & (seen < 0.99)).any()


def test_a_solid_does_not_shade_the_side_that_faces_the_lamp() -> None:
    solids = Solids(room([SPHERE], [(0.0, 0.0)]))
    top = torch.tensor([[0.0, 0.0, 2 * RADIUS + 0.01]])
    assert solids.visibility(torch.zeros(1, dtype=torch.long), top, torch.tensor([0.0, 0.0, 6.0]), 0.1) == 1


def test_the_sky_is_hidden_near_a_solid_and_not_far_from_it_nor_by_itself() -> None:
    solids = Solids(room([SPHERE, CUBE], [(0.0, 0.0), (30.0, 0.0)]))
    points, up = torch.tensor([[0.8, 0.0, 0.0], [5.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]] * 2)
    scene = torch.zeros(2, dtype=torch.long)
    hidden = solids.occlusion(scene, points, up)
    assert hidden[0, 0] > 0.1 > 0.02 > hidden[1, 0] and hidden[:, 1].max() < 0.01
    assert (solids.occlusion(scene, points, up, own=scene)[:, 0] == 0).all()
