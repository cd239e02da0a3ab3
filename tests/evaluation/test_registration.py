"""One-shot classification without strokes: pictures laid onto pictures."""

import pytest
import torch

from neurosym_lite.data.one_shot import Episode
from neurosym_lite.evaluation import registration
from neurosym_lite.evaluation.registration import (
    classify_pictures,
    distance,
    one_shot_redrawn,
    picture_controls,
    register,
    warp,
)
from neurosym_lite.evaluation.stroke_fit import DEFAULT
from neurosym_lite.training.checkpoints import load_checkpoint

SIDE = 28


def blocks() -> torch.Tensor:
    """Three pictures that no affine map of ours makes alike: a bar, two bars, a frame. (3, H, W)."""
    images = torch.zeros(3, SIDE, SIDE)
    images[0, 12:15, 6:22] = 1
    images[1, 6:9, 6:22] = images[1, 18:21, 6:22] = 1
    images[2, 6:22, 6:22] = 1
    images[2, 9:19, 9:19] = 0
    return images


def turned(images: torch.Tensor) -> torch.Tensor:
    """The pictures a little smaller, turned and shifted."""
    matrix = torch.tensor([[1.15, 0.15], [-0.15, 1.15]]).expand(len(images), 2, 2)
    return warp(images, matrix, torch.tensor([0.1, -0.1]).expand(len(images), 2))


def test_distance_of_every_pair() -> None:
    images = blocks()
    table = distance(images[:2], images)
    assert table.shape == (2, 3) and table[0, 0] == table[1, 1] == 0
    assert table[0, 1] == (images[0] - images[1]).abs().sum()


def test_warp_looks_up_where_the_map_says() -> None:
    images = blocks()
    same = warp(images, torch.eye(2).expand(3, 2, 2), torch.zeros(3, 2))
    assert torch.allclose(same, images, atol=1e-5)
    down = warp(images, torch.eye(2).expand(3, 2, 2), torch.tensor([0.0, -2 / SIDE]).expand(3, 2))
    assert torch.allclose(down[:, 1:], images[:, :-1], atol=1e-5)  # looked up one pixel higher: moved down


def test_registration_finds_the_map_and_the_picture() -> None:
    images = blocks()
    first, fitted = register(turned(images), images)
    assert (fitted.log_likelihood.diagonal() > first.log_likelihood.diagonal()).all()
    assert fitted.score(DEFAULT).argmax(0).tolist() == [0, 1, 2]
    assert (first.cost == 0).all() and (fitted.cost > 0).all()
    off = images.sum((1, 2)) / DEFAULT.scale  # of a blank page
    assert (-fitted.log_likelihood.diagonal() < 0.25 * off).all()


def test_an_episode_is_classified_and_averaged() -> None:
    images, match = blocks(), torch.tensor([1, 2, 0])
    support, query = (((255 * part).round().to(torch.uint8))[:, None] for part in (images, turned(images)[match]))
    shares = classify_pictures(Episode(support, query, match))
    assert shares["affine"] == shares["affine_two_way"] == shares["affine_together"] == shares["moments"] == 1.0
    metrics = picture_controls([Episode(support, query, match)] * 2)
    assert metrics["pictures_affine"] == 1.0 and metrics["pictures_affine_error"] == pytest.approx(0.0)


def episode_of_blocks() -> Episode:
    images, match = blocks(), torch.tensor([1, 2, 0])
    support, query = (((255 * part).round().to(torch.uint8))[:, None] for part in (images, turned(images)[match]))
    return Episode(support, query, match)


def test_what_is_laid_is_what_was_redrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that draws every drawing alike cannot tell one from another; one that copies names them all."""
    episode = episode_of_blocks()
    assert classify_pictures(episode, redrawn=lambda pictures: pictures.clone())["affine"] == 1.0
    alike = {"redrawn": lambda pictures: pictures[:1].expand_as(pictures)}
    assert classify_pictures(episode, **alike)["pixels"] == pytest.approx(1 / 3)
    # scores that differ by rounding alone: which of them is the largest is each processor's own
    monkeypatch.setattr(registration, "right", lambda scores, match: float((scores.amax(0) - scores.amin(0)).max()))
    assert classify_pictures(episode)["affine"] > 100  # nats
    spread = classify_pictures(episode, **alike)
    assert spread["pixels"] == 0 and max(spread["affine"], spread["affine_together"]) < 0.01


def test_a_model_without_strokes_is_asked_by_its_redrawings() -> None:
    model, _ = load_checkpoint("difference-air-mnist-lite")
    metrics = one_shot_redrawn(model, [episode_of_blocks()] * 2)
    names = ("one_way", "two_way", "together")
    assert metrics.keys() == {f"one_shot_{name}{end}" for name in names for end in ("", "_error")}
    assert metrics["one_shot_one_way"] > 1 / 3
