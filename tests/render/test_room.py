"""Pictures of rooms: the ground's light and its shadows, colours that can be told apart, mirrors."""

import pytest
import torch

from neurosym_lite.render.room import LAMPS, empty_ground, mirrored, render_room, to_linear, to_srgb
from neurosym_lite.render.solids import CUBE, SPHERE, Room


def one(shape: int, colour: tuple[float, float, float], metal: bool, place: tuple[float, float] = (0.0, 0.0)) -> Room:
    return Room(
        torch.tensor([[shape]]),
        torch.tensor([[colour]]),
        torch.tensor([[metal]]),
        torch.tensor([[place]]),
        torch.tensor([[0.3]]),
    )


def test_srgb_there_and_back() -> None:
    light = torch.linspace(0, 1, 101)
    assert torch.allclose(to_srgb(to_linear(light)), light, atol=1e-5)
    assert to_linear(torch.tensor(0.5)) == pytest.approx(0.2140, abs=1e-4)


def test_the_empty_ground_is_darker_far_away() -> None:
    light = empty_ground(torch.tensor([[0.0, 0.0, 0.0], [0.0, 30.0, 0.0]]))
    assert light[0] > 1.5 * light[1] > 0


def test_a_mirror_sends_a_ray_back_the_way_it_came_and_a_slanted_one_off() -> None:
    down, slanted = torch.tensor([[0.0, 0, -1]]), torch.tensor([[0.6, 0, -0.8]])
    up = torch.tensor([[0.0, 0, 1]])
    assert torch.allclose(mirrored(down, up), up)
    assert torch.allclose(mirrored(slanted, up), torch.tensor([[0.6, 0, 0.8]]))


def test_a_solid_is_drawn_where_it_stands_in_its_colour_with_a_shadow() -> None:
    picture = render_room(one(SPHERE, (0.8, 0.1, 0.1), False), 64)
    image, solid = picture.images[0], picture.solids[0]
    assert picture.solids.shape == (1, 128, 128)
    rows, columns = (solid == 0).nonzero(as_tuple=True)
    assert columns.float().mean() == pytest.approx(63.5, abs=1) and rows.float().mean() < 63.5
    red, green, blue = image[:, 29, 32]
    assert red > 2 * green and red > 2 * blue
    empty = render_room(one(SPHERE, (0.8, 0.1, 0.1), False, (0.0, 500.0)), 64).images[0]
    ground = (solid[::2, ::2] == -1) & (solid[1::2, 1::2] == -1)
    lighter = (image - empty).mean(0)
    assert lighter[ground].min() < -0.1, "a shadow"
    assert (lighter[:10].abs() < 0.02).all(), "and none far behind the sphere"


def test_the_shadow_falls_away_from_the_lamp(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = one(CUBE, (0.5, 0.5, 0.5), False)
    for lamp in LAMPS[:2]:  # one at the right, one at the left
        monkeypatch.setattr("neurosym_lite.render.room.LAMPS", (lamp,))
        dark = (render_room(cube, 64).images - render_room(cube._replace(places=cube.places + 500), 64).images)[0, 0]
        left, right = dark[:, :26].sum(), dark[:, 38:].sum()  # of a cube 12 pixels wide, in the middle
        away, towards = (left, right) if lamp.place[0] > 0 else (right, left)
        assert away < 1.3 * towards < 0


def test_metal_mirrors_and_rubber_does_not() -> None:
    """A sphere's brightest spot is white on metal, the lamp itself; rubber has none."""
    metal, rubber = (render_room(one(SPHERE, (0.5, 0.1, 0.1), m), 64).images[0, 0] for m in (True, False))
    inside = render_room(one(SPHERE, (0.5, 0.1, 0.1), True), 64).solids[0, ::2, ::2] == 0
    assert metal[inside].max() > 0.95 > 0.7 > rubber[inside].max()
    assert metal[inside].std() > rubber[inside].std()


def test_a_metal_sphere_shows_its_neighbour() -> None:
    alone = one(SPHERE, (0.9, 0.9, 0.9), True)
    pair = Room(*(torch.cat([part, part], dim=1) for part in alone))
    pair.colours[0, 1] = torch.tensor([0.9, 0.0, 0.0])
    pair.metal[0, 1] = False
    pair.places[0, 1] = torch.tensor([1.6, -0.3])
    with_it, without = render_room(pair, 96), render_room(alone, 96)
    own = (with_it.solids[0, ::2, ::2] == 0) & (without.solids[0, ::2, ::2] == 0)
    redder = (with_it.images[0, 0] - with_it.images[0, 1]) - (without.images[0, 0] - without.images[0, 1])
    assert redder[own].max() > 0.2


@pytest.mark.parametrize("size, samples", [(0, 2), (16, 0)])
def test_no_pixels_or_no_samples_are_refused(size: int, samples: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        render_room(one(CUBE, (0.5, 0.5, 0.5), False), size, samples)
