"""Chapter 4's exercises: every answer gets the verdict that was written for it."""

import math

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_04 import (
    COST,
    FAINTEST,
    PIXELS,
    PUT,
    RELAXED,
    SIGMA,
    SWEEP,
    put_back,
    small_model,
    swept,
)
from neurosym_lite.distributions import Bernoulli, image_log_likelihood
from neurosym_lite.evaluation.parser import load_parser
from neurosym_lite.evaluation.structure import accepts
from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.symbols import boxes, cell_centres
from neurosym_lite.training.checkpoints import load_checkpoint

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "4.1": 0.9,
    "4.2": lambda logit, uniform, temperature: 0.123,
    "4.3": lambda x, column, grid, size: 7.0,
    "4.4": 100.0,
    "4.5": lambda model, objects, held, generator: objects._replace(pres=1 - objects.pres),
}
UNUSABLE = {
    "4.1": "faint",
    "4.2": lambda logit: logit,
    "4.3": lambda x, column, grid, size: math.sqrt(-1),
    "4.4": object(),
    "4.5": lambda model, objects, held, generator: objects.no_such_method(),
}


def test_the_faintest_digit_pays_exactly_its_price() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image.view(-1)[:PIXELS] = FAINTEST.solution
    drawn, missing = (image_log_likelihood(image, mean, SIGMA) for mean in (image, torch.zeros_like(image)))
    assert float(drawn - missing) == pytest.approx(COST, rel=1e-3)


@pytest.mark.parametrize(("logit", "temperature"), [(0.7, 1.0), (-2.0, 0.5)])
def test_relaxed_is_the_packages_sample(logit: float, temperature: float) -> None:
    uniform = float(torch.rand(1, generator=Generator().manual_seed(0)))
    packaged = Bernoulli(torch.tensor([logit])).relaxed_sample(temperature, Generator().manual_seed(0))
    assert RELAXED.solution(logit, uniform, temperature) == pytest.approx(float(packaged), abs=1e-4)


@pytest.mark.parametrize(("x", "column", "grid", "size"), [(20.0, 1, 4, 64), (41.0, 3, 4, 64), (30.0, 3, 8, 64)])
def test_the_packages_box_lands_where_it_was_put(x: float, column: int, grid: int, size: int) -> None:
    where = torch.zeros(1, grid * grid, 4)
    where[..., 2] = PUT.solution(x, column, grid, size)
    centre = boxes(where, cell_centres(grid), reach=2 / grid).shift[0, column, 0]
    assert float((centre + 1) * size / 2) == pytest.approx(x, abs=1e-3)


def test_a_sweep_with_nothing_held_is_the_packages() -> None:
    model, _ = small_model()
    generator = Generator().manual_seed(3)
    first = model.prior(model.globals.generate(4, generator)).mode()
    by_hand = SWEEP.solution(model, first, torch.zeros(4, 4, dtype=torch.bool), generator)
    packaged = model.sample(4, Generator().manual_seed(3), sweeps=1).latents.objects
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(by_hand, packaged, strict=True))


@torch.no_grad()
def test_a_held_digit_grows_a_scene_alone_and_is_outvoted_by_strangers() -> None:
    """As the solution says of the chapter's model."""
    model, _ = load_checkpoint("gnm-digits4-lite")
    parser, generator = load_parser("digits"), Generator().manual_seed(0)
    whole = model.sample(100, generator, sweeps=2).latents.objects
    held = torch.nn.functional.one_hot(whole.pres.argmax(1), whole.pres.shape[1]).bool()
    strangers = ObjectLatents(*(part.roll(1, 0) for part in whole))
    grown = {}
    for name, rest in {"alone": strangers._replace(pres=torch.zeros_like(whole.pres)), "outvoted": strangers}.items():
        objects = put_back(rest, whole, held)
        for _ in range(8):
            objects = SWEEP.solution(model, objects, held, generator)
        grown[name] = float(accepts(model.render(objects).clamp(0, 1), "mnist4", parser).float().mean())
    assert grown["alone"] > 0.5 > 0.35 > grown["outvoted"]


def test_an_answer_that_changes_its_symbols_spoils_them_for_nobody_else() -> None:
    def in_place(model: GNM, objects: ObjectLatents, held: Tensor, generator: Generator) -> ObjectLatents:
        new = swept(model, objects, generator)
        for part, other in zip(new, objects, strict=True):
            part[held] = other[held]
        objects.where.mul_(objects.pres[..., None])
        objects.what.mul_(objects.pres[..., None])
        return new

    (absent,) = (mistake for mistake in SWEEP.mistakes if "absent cells" in mistake.says)
    assert judge("4.5", in_place).right
    assert judge("4.5", absent.example).says == absent.says


def test_symbols_of_another_number_of_parts_are_not_symbols() -> None:
    assert not judge("4.5", lambda model, objects, held, generator: objects[:2]).right
