"""Strokes onto other drawings: what is fitted, what it costs, and who wins."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.data.one_shot import Episode
from neurosym_lite.evaluation import one_shot
from neurosym_lite.evaluation.evaluate import available, evaluate
from neurosym_lite.evaluation.one_shot import evidence, together, two_ways
from neurosym_lite.evaluation.stroke_fit import (
    DEFAULT,
    Strokes,
    best_readings,
    blur,
    draw,
    first_size,
    fit,
    moments,
    read_strokes,
    refine,
)
from neurosym_lite.render.ink import ink
from neurosym_lite.render.ink_compose import lay_over
from neurosym_lite.training.checkpoints import load_checkpoint
from neurosym_lite.training.recipes import get_recipe

SIDE, PIXEL = 28, 2 / 28
PEN = (1.2, 0.3)  # radius and softness, pixels


def polyline(*corners: tuple[float, float]) -> torch.Tensor:
    """Control points on straight lines between corners: five, evenly spread."""
    path = torch.tensor(corners)
    at = torch.linspace(0, len(path) - 1, 5)
    low = at.floor().long().clamp(max=len(path) - 2)
    return path[low] + (at - low)[:, None] * (path[low + 1] - path[low])


SHAPES = (
    (polyline((-0.6, -0.6), (0.6, -0.6)), polyline((0.0, -0.6), (0.0, 0.7))),  # a T
    (polyline((-0.5, -0.7), (-0.5, 0.7)), polyline((-0.5, 0.7), (0.5, 0.7))),  # an L
    (polyline((-0.6, -0.6), (0.6, 0.6)), polyline((0.6, -0.6), (-0.6, 0.6))),  # an X
    (polyline((-0.6, 0.6), (0.0, -0.7)), polyline((0.0, -0.7), (0.6, 0.6))),  # a roof
)


def strokes_of(shapes: tuple[tuple[torch.Tensor, ...], ...]) -> Strokes:
    """All strokes of several drawings, with the same pen."""
    points = torch.stack([stroke for shape in shapes for stroke in shape])
    owner = torch.tensor([number for number, shape in enumerate(shapes) for _ in shape])
    return Strokes(points, torch.tensor(PEN).expand(len(points), 2), owner)


def moved(strokes: Strokes, matrix: torch.Tensor, shift: torch.Tensor) -> Strokes:
    """All drawings under one affine map."""
    return strokes._replace(points=strokes.points @ matrix.T + shift)


def pictures(strokes: Strokes, n: int = len(SHAPES)) -> torch.Tensor:
    """The drawings, (n, 1, H, W)."""
    return draw(strokes, n, SIDE, DEFAULT.samples)[:, None]


def test_drawings_are_their_own_strokes_laid_over_each_other() -> None:
    strokes = strokes_of(SHAPES)
    by_hand = torch.zeros(len(SHAPES), SIDE, SIDE)
    for points, (radius, softness), owner in zip(*strokes, strict=True):
        one = ink(points[None], radius[None], softness[None], (SIDE, SIDE), DEFAULT.samples)[0]
        by_hand[owner] = lay_over(by_hand[owner], one)
    assert torch.allclose(pictures(strokes)[:, 0], by_hand, atol=1e-5)


def test_softening_makes_edges_softer_and_keeps_the_ink_where_it_was() -> None:
    strokes = strokes_of(SHAPES)
    hard, soft = (draw(strokes, len(SHAPES), SIDE, DEFAULT.samples, soften) for soften in (0.0, 1.2))
    grey = [((picture > 0.1) & (picture < 0.9)).float().mean() for picture in (hard, soft)]
    assert grey[1] > 1.5 * grey[0]
    assert (moments(hard)[0] - moments(soft)[0]).abs().max() < 0.5 * PIXEL


def test_moments_of_a_block() -> None:
    images = torch.zeros(1, SIDE, SIDE)
    images[0, 10:14, 4:12] = 0.7  # rows 10 to 13, columns 4 to 11
    centre, spread = moments(images)
    assert torch.allclose(centre[0], torch.tensor([8.0, 12.0]) * PIXEL - 1, atol=1e-5)
    expected = [math.sqrt((n**2 - 1) / 12) * PIXEL for n in (8, 4)]  # of n pixels in a row
    assert spread[0].tolist() == pytest.approx(expected, rel=1e-4)


def test_the_first_size_stays_in_its_range() -> None:
    source = torch.tensor([[0.2, 0.2], [0.1, 0.4], [0.01, 0.01]])
    target = torch.tensor([[0.2, 0.2], [0.1, 0.5], [0.9, 0.9]])
    sizes = first_size(source, target, DEFAULT)
    assert sizes.tolist() == pytest.approx([1.0, math.sqrt(1.25), 1.6])


def test_a_blur_keeps_the_ink_and_widens_a_dot() -> None:
    dot = torch.zeros(1, SIDE, SIDE)
    dot[0, 14, 14] = 1
    wide = blur(dot)
    assert wide.sum() == pytest.approx(1.0) and wide[0, 14, 14] == pytest.approx((3 / 8) ** 2)


def test_strokes_that_were_read_badly_find_back_to_their_drawing() -> None:
    true = strokes_of(SHAPES)
    images = pictures(true)
    noise = 2 * PIXEL * torch.randn(true.points.shape, generator=Generator().manual_seed(0))
    read = true._replace(points=true.points + noise, pen=1.4 * true.pen)
    found = refine(read, images)
    before, after = ((pictures(strokes) - images).abs().sum() for strokes in (read, found))
    assert after < 0.25 * before
    assert torch.equal(found.owner, read.owner) and not found.points.requires_grad


def test_the_best_reading_draws_its_drawing_and_pays_for_its_strokes() -> None:
    true = strokes_of(SHAPES[:2])
    images = pictures(true, 2)
    twice = Strokes(*(torch.cat([part, part]) for part in true))  # a reading that draws every stroke twice
    wrong = true._replace(points=true.points + 6 * PIXEL)
    readings = Strokes(
        torch.cat([wrong.points, true.points, twice.points]),
        torch.cat([wrong.pen, true.pen, twice.pen]),
        torch.cat([wrong.owner, true.owner + 2, twice.owner + 4]),
    )
    best = best_readings(readings, images, 3)
    assert torch.equal(best.points, true.points) and torch.equal(best.owner, true.owner)


def test_readings_are_the_same_every_time_and_have_a_stroke_at_least() -> None:
    model, _ = load_checkpoint("dood-omniglot-lite")
    images = torch.cat([pictures(strokes_of(SHAPES)), torch.zeros(1, 1, SIDE, SIDE)])
    state = torch.get_rng_state()
    first, again = (read_strokes(model, images, readings=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(state, torch.get_rng_state())
    assert set(first.owner.tolist()) == set(range(15))
    assert (torch.bincount(first.owner)[5:] == model.config.strokes).all()


def test_a_drawing_is_fitted_best_by_the_strokes_of_its_own_character() -> None:
    strokes = strokes_of(SHAPES)
    turn = torch.tensor(0.2)
    matrix = 0.85 * torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
    other = moved(strokes, matrix, torch.tensor([0.1, -0.05]))
    fitted = fit(strokes, pictures(strokes), pictures(other))
    score = fitted.score(DEFAULT)
    assert score.argmax(0).tolist() == list(range(len(SHAPES)))
    own = score.diagonal()
    rest = score.masked_fill(torch.eye(len(SHAPES), dtype=torch.bool), -torch.inf).amax(0)
    assert (own > rest + 20).all()
    assert (fitted.cost >= 0).all() and (fitted.log_likelihood <= 0).all()


def test_a_drawing_fitted_by_itself_costs_nearly_nothing() -> None:
    strokes = strokes_of(SHAPES[:2])
    images = pictures(strokes, 2)
    fitted = fit(strokes, images, images)
    off = (pictures(strokes, 2) * 0 - images).abs().sum((1, 2, 3)) / DEFAULT.scale  # of a blank page
    assert (-fitted.score(DEFAULT).diagonal() < 0.1 * off).all()


def test_wider_priors_make_the_same_move_cheaper() -> None:
    strokes = strokes_of(SHAPES[:1])
    images, other = pictures(strokes, 1), pictures(moved(strokes, torch.eye(2), torch.tensor([0.3, 0.0])), 1)
    wide = replace(DEFAULT, shift_std=15.0, matrix_std=1.5, points_std=5.0)
    assert fit(strokes, images, other, wide).cost < fit(strokes, images, other).cost + 1e-3


def test_both_ways_take_no_notice_of_how_easy_a_support_is_to_draw() -> None:
    generator = Generator().manual_seed(0)
    forward, backward, among = (torch.randn(5, 5, generator=generator) for _ in range(3))
    easy = torch.randn(5, generator=generator)  # of each support, whoever's strokes are laid onto it
    scores = two_ways(forward, backward, among)
    assert torch.allclose(scores, two_ways(forward, backward + easy, among + easy), atol=1e-5)
    assert torch.allclose(together(forward, backward), together(forward, backward + easy), atol=1e-5)


def test_a_query_is_named_without_the_others_unless_all_are_asked_together() -> None:
    generator = Generator().manual_seed(0)
    forward, backward, among = (10 * torch.randn(5, 5, generator=generator) for _ in range(3))
    other_forward, other_backward = forward.clone(), backward.clone()
    other_forward[:, 1:], other_backward[1:] = 0, 5
    alone = [two_ways(f, b, among)[:, 0] for f, b in ((forward, backward), (other_forward, other_backward))]
    jointly = [together(f, b)[:, 0] for f, b in ((forward, backward), (other_forward, other_backward))]
    assert torch.equal(*alone) and not torch.allclose(*jointly)


def test_a_supports_own_strokes_are_no_evidence_for_it() -> None:
    forward, backward, among = torch.zeros(3, 3), torch.zeros(3, 3), torch.zeros(3, 3)
    assert torch.equal(two_ways(forward, backward, among), two_ways(forward, backward, among + 1e4 * torch.eye(3)))


def test_evidence_is_a_soft_maximum() -> None:
    scores = torch.tensor([[0.0, -200.0, -300.0], [-5.0, -5.0, -5.0]])
    assert evidence(scores, 10.0).tolist() == pytest.approx([0.0, -5.0 + 10 * math.log(3)], abs=1e-4)


def test_shares_are_averaged_over_episodes() -> None:
    shares = [{"one_way": 0.5}, {"one_way": 1.0}, {"one_way": 0.75}]
    metrics = one_shot.over_episodes(shares, "one_shot")
    assert metrics == pytest.approx({"one_shot_one_way": 0.75, "one_shot_one_way_error": 0.25 / math.sqrt(3)})


def test_an_episode_is_classified_by_a_trained_model() -> None:
    """Shapes of the test, drawn by two hands: the shipped model of Omniglot reads them and names them."""
    model, _ = load_checkpoint("dood-omniglot-lite")
    strokes = strokes_of(SHAPES)
    other = moved(strokes, torch.tensor([[0.9, 0.15], [0.0, 0.9]]), torch.tensor([0.05, 0.1]))
    match = torch.tensor([2, 0, 3, 1])
    support, query = ((255 * pictures(s)).round().to(torch.uint8) for s in (strokes, other))
    shares = one_shot.classify(model, Episode(support, query[match], match))
    assert shares["one_way"] == shares["two_way"] == 1.0


def test_one_shot_is_asked_of_drawers_of_the_right_size_that_lay_strokes_or_redrawings() -> None:
    names = ("dood-omniglot-lite", "air-omniglot-short", "dood-omniglot", "dood-dr-omniglot-short")
    asked = ["one_shot" in available(recipe.build(), recipe) for recipe in map(get_recipe, names)]
    assert asked == [True, True, False, False]
    recipe = get_recipe("dood-omniglot")
    with pytest.raises(ValueError, match="metric 'one_shot'"):
        evaluate(recipe.build(), recipe, ("one_shot",))


def test_the_way_back_counts_by_its_share() -> None:
    f, b, among = (torch.randn(3, 3) for _ in range(3))
    others = torch.stack([torch.stack([among[j, i] for j in range(3) if j != i]) for i in range(3)])
    back = b.T - evidence(others, DEFAULT.temperature)[:, None]
    torch.testing.assert_close(two_ways(f, b, among), f + DEFAULT.back_share * back)
