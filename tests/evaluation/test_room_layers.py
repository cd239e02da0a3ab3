"""How a model parts rooms: perfect layers score perfectly, and a background that paints solids is told."""

import dataclasses

import pytest
import torch
from torch import Generator

from neurosym_lite.data.arrow_room import ArrowRoomSource
from neurosym_lite.evaluation import layers
from neurosym_lite.models.gnm import GNM
from neurosym_lite.render.compose import Foreground
from neurosym_lite.training.arrow_recipes import LITE_MODEL
from tests.models.test_gnm import MASKED

SIZE = 64


@pytest.fixture(scope="module")
def rooms():
    return ArrowRoomSource(SIZE).batch(6, Generator().manual_seed(0))


def test_an_empty_room_shows_no_solid(rooms) -> None:
    empty = layers.empty_room(SIZE)
    ground = rooms.masks[0] == -1
    far = torch.zeros_like(ground)
    far[:8] = True
    difference = (rooms.images[0].float() / 255 - empty).abs().mean(0)
    assert difference[far & ground].max() < 0.03 < 0.1 < difference[~ground].mean()


@pytest.mark.parametrize("flaw", ["none", "background paints all", "objects paint the ground"])
def test_layers_are_held_against_masks_and_the_empty_room(rooms, flaw: str, monkeypatch) -> None:
    images, solid = rooms.images.float() / 255, rooms.masks >= 0
    covered, behind = solid, layers.empty_room(SIZE).expand(6, -1, -1, -1)
    if flaw == "background paints all":
        covered, behind = torch.zeros_like(solid), images
    if flaw == "objects paint the ground":
        covered = torch.ones_like(solid)
    monkeypatch.setattr(layers, "split", lambda model, batch: (covered, behind))
    found = layers.layer_metrics(GNM(LITE_MODEL), rooms)
    assert (found["layers_solids"] > 0.99) == (flaw != "background paints all")
    assert (found["layers_ground"] < 0.01) == (flaw != "objects paint the ground")
    assert (found["layers_behind"] < 1e-9) == (flaw != "background paints all")
    assert (found["layers_iou"] > 0.99) == (flaw == "none")


def test_a_model_is_split_where_its_objects_cover_more_than_half(rooms) -> None:
    model = GNM(LITE_MODEL).eval()
    covered, behind = layers.split(model, rooms.images[:2].float() / 255)
    assert covered.shape == (2, SIZE, SIZE) and behind.shape == (2, 3, SIZE, SIZE)
    with torch.no_grad():
        model.posterior_heads.pres.bias.fill_(-9.0)
    assert not layers.split(model, rooms.images[:2].float() / 255)[0].any()


def test_covered_is_more_than_half(monkeypatch) -> None:
    model = GNM(dataclasses.replace(MASKED, channels=3, prior="independent")).eval()
    cover = torch.linspace(0, 1, 256).view(1, 1, 16, 16)
    monkeypatch.setattr(model, "foreground", lambda latents: (Foreground(cover.expand(1, 3, 16, 16), cover), None))
    covered, _ = layers.split(model, torch.rand(1, 3, 16, 16))
    assert torch.equal(covered, cover[:, 0] > 0.5)


def test_behind_is_asked_where_solids_stand(monkeypatch) -> None:
    rooms = ArrowRoomSource(64).batch(2, Generator().manual_seed(0))
    # wrong where nothing stands
    behind = layers.empty_room(64).expand(2, -1, -1, -1) + 0.5 * (rooms.masks < 0)[:, None]
    monkeypatch.setattr(layers, "split", lambda model, batch: (rooms.masks >= 0, behind))
    assert layers.layer_metrics(GNM(LITE_MODEL), rooms)["layers_behind"] < 1e-9
