"""Chapter 9's exercises: their solutions agree with the package."""

import json
import math

import pytest
import torch

from neurosym_lite.classroom.chapter_09 import (
    BEHIND_IT,
    BELIEVED,
    BEST_SCALE,
    FLOOR,
    FROM_WEIGHTS,
    NATS,
    PIXELS,
    TIE,
)
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.transfer import log_likelihood
from neurosym_lite.models.dood_config import PAPER_DOOD
from neurosym_lite.models.stop import bound
from neurosym_lite.training.checkpoints import load_checkpoint
from scripts.pages.records import PUBLISHED

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "9.1": lambda log_w: torch.zeros(log_w.shape[1]),
    "9.2": 0.3,
    "9.3": lambda error, floor: 0.123,
    "9.4": lambda error_a, cost_a, error_b, cost_b: 0.123,
    "9.5": lambda mine, theirs: torch.tensor(77.0),
}
UNUSABLE = {
    "9.1": lambda log_w: log_w.no_such_method(),
    "9.2": "a twentieth",
    "9.3": lambda error: error,
    "9.4": 0.1,
    "9.5": lambda mine, theirs: "by a lot",
}


def test_the_bound_is_the_packages() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    images = DrawingSource("digits", "test").images[:3].float() / 255
    torch.manual_seed(0)
    packaged = log_likelihood(model, images, 4)
    torch.manual_seed(0)
    log_w = torch.stack([bound(model.prefixes(images, model.infer(images))).double() for _ in range(4)])
    torch.testing.assert_close(FROM_WEIGHTS.solution(log_w), packaged)


def test_the_error_behind_the_papers_number_gives_that_number() -> None:
    figure = json.loads(PUBLISHED.read_text(encoding="utf-8"))["dood"]["figure_4_log_likelihood_nats_at_50x50"]
    assert figure["DooD"]["mnist"][figure["sets"].index("kmnist")][0] == NATS
    assert (PAPER_DOOD.image_size**2, PAPER_DOOD.scale_floor) == (PIXELS, FLOOR)
    density = torch.distributions.Laplace(0.0, FLOOR).log_prob(torch.tensor(BEHIND_IT.solution))
    assert float(density) * PIXELS == pytest.approx(NATS, rel=1e-4)


@pytest.mark.parametrize(("error", "floor"), [(0.03, 0.05), (0.2, 0.05), (0.02, 0.01)])
def test_no_scale_above_the_floor_is_better(error: float, floor: float) -> None:
    tried = [-math.log(2 * b) - error / b for b in torch.linspace(floor, 1, 2000).tolist()]
    assert BEST_SCALE.solution(error, floor) == pytest.approx(max(tried), abs=1e-4)
    assert BEST_SCALE.solution(error, floor) >= max(tried) - 1e-9


def test_a_narrower_scale_prefers_the_better_and_dearer_drawing() -> None:
    rough, good = (20.0, 30.0), (10.0, 90.0)  # error, cost
    scale = TIE.solution(*rough, *good)
    weights = {b: [-error / b - cost for error, cost in (rough, good)] for b in (0.5 * scale, scale, 2 * scale)}
    (rough_near, good_near), (rough_tie, good_tie), (rough_far, good_far) = weights.values()
    assert good_near > rough_near and good_tie == pytest.approx(rough_tie) and good_far < rough_far


def test_a_lead_is_in_units_of_what_chance_does() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(4000, 2, 30, generator=generator)  # no model is better
    leads = torch.stack([BELIEVED.solution(mine, theirs) for mine, theirs in draws])
    assert float(leads.std()) == pytest.approx(1, abs=0.05) and float(leads.mean()) == pytest.approx(0, abs=0.05)
