"""Going on with a drawing, and drawing it again: what stays, what moves, and what the prior adds."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.models import redrawing
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import PAPER_SPREAD
from neurosym_lite.models.redrawing import (
    PAPER_NOISE,
    TokenNoise,
    _affine,
    begin_with,
    exemplars,
    first_half,
    go_on,
    repeat,
)
from neurosym_lite.training.checkpoints import load_checkpoint
from tests.models.test_dood import SMALL, build, digits

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


def test_a_decoder_that_is_no_spline_has_no_strokes_to_move() -> None:
    model = DooD(replace(SMALL, decoder="neural"))
    begun = begin_with(model, torch.rand(2, 1, SMALL.image_size, SMALL.image_size))
    with pytest.raises(ValueError, match="decoder='neural': only a spline's strokes can be moved"):
        exemplars(model, begun, at(0), STILL)


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


def always(layer: torch.nn.Sequential, value: float) -> None:
    """Have a network say this number, whatever it sees."""
    torch.nn.init.zeros_(layer[-1].weight)
    torch.nn.init.constant_(layer[-1].bias, value)


def test_first_half_has_the_middle_stroke() -> None:
    model = build(SMALL).eval()
    always(model.q_on, 9.0)
    begun = begin_with(model, digits())
    for on, kept in (([1.0, 1.0, 1.0], 2), ([1.0, 1.0, 0.0], 1), ([1.0, 0.0, 0.0], 1), ([0.0, 0.0, 0.0], 0)):
        begun = begun._replace(latents=begun.latents._replace(on=torch.tensor([on]).expand(4, 3)))
        want = model.render(begun.latents._replace(on=torch.ones(4, 3)), begun.pen)[:, kept]
        torch.testing.assert_close(first_half(model, begun), want)


def test_reading_ends_at_the_first_stop() -> None:
    model, logits = build(SMALL).eval(), iter((1.0, -1.0, 1.0))
    model.q_on.forward = lambda seen: torch.full((len(seen), 1), next(logits))
    begun = begin_with(model, digits())
    assert begun.latents.on.tolist() == [[1.0, 0.0, 0.0]] * 4
    torch.testing.assert_close(begun.memory.canvas, model.render(begun.latents, begun.pen)[:, 1])


@pytest.mark.parametrize(("read", "at_least", "added"), [(0, 0, 0), (0, 1, 1), (0, 9, 3), (1, 1, 1), (1, 9, 2)])
def test_so_many_strokes_are_added(read, at_least, added) -> None:
    """A prior that would always stop goes on as often as it must, up to the model's number of strokes."""
    model = build(SMALL).eval()
    always(model.p_on, -100.0)
    logits = iter([1.0] * read + [-1.0] * 3)
    model.q_on.forward = lambda seen: torch.full((len(seen), 1), next(logits))
    canvases = go_on(model, begin_with(model, digits()), at(0), at_least)
    grew = (canvases.diff(dim=1).abs().amax((2, 3)) > 0).sum(1)
    assert grew.tolist() == [added] * 4


def test_the_prior_goes_on_with_the_first_pen_and_the_spread(monkeypatch) -> None:
    model, given = build(SMALL).eval(), []
    original = model.draw_on
    monkeypatch.setattr(
        model, "draw_on", lambda m, pen, g, spread: given.append((pen, spread)) or original(m, pen, g, spread)
    )
    begun = begin_with(model, digits())
    begun = begun._replace(pen=torch.arange(24.0).view(4, 3, 2) + 1)
    go_on(model, begun, at(0), spread=PAPER_SPREAD)
    assert all(torch.equal(pen, begun.pen[:, 0]) and spread == PAPER_SPREAD for pen, spread in given)


def test_tokens_are_turned_sheared_scaled_and_shifted() -> None:
    like = torch.zeros(())
    draws = 2 * torch.randn(5, 6, generator=at(0)).sigmoid() - 1  # evenly around 0, within (-1, 1)

    def maps(**noise):
        return _affine(5, at(0), STILL._replace(**noise), like)

    one, two = maps(turn=0.3), maps(shear=0.3)
    angle = torch.atan2(one[:, 1, 0], one[:, 0, 0])
    torch.testing.assert_close(angle, 0.3 * draws[:, 0])
    torch.testing.assert_close(torch.linalg.det(one[:, :, :2]), torch.ones(5))
    torch.testing.assert_close(two[:, 0, 1], (0.3 * draws[:, 1]).tan())
    torch.testing.assert_close(maps(scale=0.2)[:, :, :2], torch.diag_embed(1 + 0.2 * draws[:, 2:4]))
    torch.testing.assert_close(maps(shift=0.2)[:, :, 2], 0.2 * draws[:, 4:])
    torch.testing.assert_close(maps(turn=0.3, shear=0.3)[:, :, :2], one[:, :, :2] @ two[:, :, :2])


def test_each_stroke_is_drawn_with_its_own_pen_and_noise(monkeypatch) -> None:
    model = build(SMALL).eval()
    always(model.q_on, 9.0)
    begun = begin_with(model, digits())
    begun = begun._replace(pen=torch.tensor([[1.0, 0.3], [2.0, 0.3], [0.7, 0.5]]).expand(4, 3, 2))
    torch.testing.assert_close(
        exemplars(model, begun, at(1), STILL), model.render(begun.latents, begun.pen)[:, -1], atol=1e-5, rtol=0
    )
    seen: list[Tensor] = []
    monkeypatch.setattr(redrawing, "ink_all", lambda m, b, points: seen.append(points) or torch.zeros(4, 16, 16))
    exemplars(model, begun, at(1), STILL)
    exemplars(model, begun, at(1), STILL._replace(points=(0.0, 0.1, 0.1, 0.1, 0.0)))
    moved = (seen[1] - seen[0])[:, :, 1:4]
    assert moved.flatten(2).std(1).min() > 0  # strokes move each by itself
    assert (seen[1] - seen[0])[:, :, [0, 4]].abs().max() == 0
    assert abs(moved.std() - 0.1) < 0.02


def test_the_papers_noise() -> None:
    assert PAPER_NOISE == TokenNoise((0.0, 0.006, 0.2, 0.006, 0.0), 0.1, 0.1, 0.1 * math.pi, 0.1 * math.pi)
