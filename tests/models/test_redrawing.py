"""Going on with a drawing, and drawing it again: what stays, what moves, and what the prior adds."""

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.redrawing import PAPER_NOISE, TokenNoise, begin_with, exemplars, go_on, repeat
from neurosym_lite.training.checkpoints import load_checkpoint

STILL = TokenNoise(points=(0.0,) * 5, shift=0.0, scale=0.0, turn=0.0, shear=0.0)


def at(seed: int) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def dood() -> DooD:
    return load_checkpoint("dood-digits-lite")[0]


@pytest.fixture(scope="module")
def images() -> Tensor:
    return DrawingSource("digits", "test").batch(12, at(0)).images.float() / 255


def test_a_drawing_begins_as_it_was_read(dood: DooD, images: Tensor) -> None:
    begun, drawn = begin_with(dood, images), redrawn(read(dood, images))
    assert torch.equal(begun.latents.on, drawn.on)
    assert torch.allclose(begun.memory.canvas, drawn.final(), atol=1e-6)


def test_without_noise_a_token_is_its_type(dood: DooD, images: Tensor) -> None:
    begun = begin_with(dood, images)
    assert torch.allclose(exemplars(dood, begun, at(1), STILL), begun.memory.canvas, atol=1e-4)


def test_tokens_differ_and_keep_their_strokes_near(dood: DooD, images: Tensor) -> None:
    begun = begin_with(dood, images)
    first, second = (exemplars(dood, begun, at(seed)) for seed in (1, 2))
    assert torch.equal(first, exemplars(dood, begun, at(1)))
    own = (first - begun.memory.canvas).abs().sum((1, 2))
    others = (first - begun.memory.canvas.roll(1, 0)).abs().sum((1, 2))
    assert (first - second).abs().sum() > 10 and own.mean() < others.mean()


def test_a_turned_token_is_the_type_turned(dood: DooD, images: Tensor) -> None:
    """All draws of a shift have one size, so that far more noise than one half cannot leave the sheet."""
    begun = begin_with(dood, images)
    moved = exemplars(dood, begun, at(3), STILL._replace(shift=0.3))
    ink, before = moved.sum((1, 2)), begun.memory.canvas.sum((1, 2))
    assert (ink / before - 1).abs().max() < 0.1
    columns = torch.arange(28.0)
    centre = (moved.sum(1) @ columns) / ink - (begun.memory.canvas.sum(1) @ columns) / before
    assert 0.5 < centre.abs().max() < 0.3 * 14 + 0.2


def test_noise_has_a_number_for_each_control_point(dood: DooD, images: Tensor) -> None:
    with pytest.raises(ValueError, match="noise for 3 control points: give a TokenNoise with 5"):
        exemplars(dood, begin_with(dood, images), at(0), PAPER_NOISE._replace(points=(0.0, 0.1, 0.0)))


def test_the_prior_only_adds_ink(dood: DooD, images: Tensor) -> None:
    begun = begin_with(dood, images)
    canvases = go_on(dood, begun, at(4))
    assert torch.equal(canvases[:, 0], begun.memory.canvas)
    assert (canvases[:, 1:] >= canvases[:, :-1] - 1e-6).all()


def test_at_least_so_many_strokes_are_added_and_never_more_than_the_model_has(dood: DooD) -> None:
    blank = begin_with(dood, torch.zeros(6, 1, 28, 28))
    had = blank.latents.on.sum(1)
    added = go_on(dood, blank, at(5), at_least=6)
    grown = (added[:, 1:] > added[:, :-1] + 1e-3).flatten(2).any(2).sum(1)
    assert (grown + had <= dood.config.strokes).all() and grown.float().mean() > 3


def test_repeated_drawings_stand_in_a_row(dood: DooD, images: Tensor) -> None:
    begun = repeat(begin_with(dood, images[:2]), 3)
    assert torch.equal(begun.memory.canvas[0], begun.memory.canvas[2])
    assert begun.pen.shape[0] == begun.latents.on.shape[0] == 6
