"""Chapter 9's exercises: their solutions agree with the package."""

import math

import pytest
import torch

from neurosym_lite.classroom.chapter_09 import BEST_SCALE, BLANK, COUNTED, ELSEWHERE, FROM_WEIGHTS
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.transfer import ceiling, log_likelihood
from neurosym_lite.models.stop import bound
from neurosym_lite.training.checkpoints import load_checkpoint

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "9.1": lambda log_w: torch.zeros(log_w.shape[1]),
    "9.2": lambda log_w: torch.zeros(log_w.shape[1]),
    "9.3": lambda error, floor: 0.123,
    "9.4": lambda value, ceiling, ink: 0.123,
    "9.5": lambda mine, theirs: 77,
}
UNUSABLE = {
    "9.1": lambda log_w: log_w.no_such_method(),
    "9.2": 3.0,
    "9.3": lambda error: error,
    "9.4": "half way",
    "9.5": lambda mine, theirs: "most of them",
}


def test_the_bound_is_the_packages() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    images = DrawingSource("digits", "test").images[:3].float() / 255
    torch.manual_seed(0)
    packaged = log_likelihood(model, images, 4)
    torch.manual_seed(0)
    log_w = torch.stack([bound(model.prefixes(images, model.infer(images))).double() for _ in range(4)])
    torch.testing.assert_close(FROM_WEIGHTS.solution(log_w), packaged)


def test_equal_weights_all_count_and_one_large_one_counts_alone() -> None:
    assert COUNTED.solution(torch.full((8, 1), 1200.0)).item() == pytest.approx(8, rel=1e-3)
    assert COUNTED.solution(torch.tensor([[0.0], [900.0], [0.0]])).item() == pytest.approx(1)


@pytest.mark.parametrize(("error", "floor"), [(0.03, 0.05), (0.2, 0.05), (0.02, 0.01)])
def test_no_scale_above_the_floor_is_better(error: float, floor: float) -> None:
    tried = [-math.log(2 * b) - error / b for b in torch.linspace(floor, 1, 2000).tolist()]
    assert BEST_SCALE.solution(error, floor) == pytest.approx(max(tried), abs=1e-4)
    assert BEST_SCALE.solution(error, floor) >= max(tried) - 1e-9


def test_a_blank_page_is_at_the_start_of_the_way() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    images = DrawingSource("digits", "test").images[:50].float() / 255
    blank = float(model.log_likelihood(images, torch.zeros(50, 1, 28, 28)).mean()) / 784
    top, ink = ceiling(model, 784), float(images.mean())
    assert BLANK.solution(blank, top, ink) == pytest.approx(0, abs=1e-4)
    assert BLANK.solution(top, top, ink) == pytest.approx(1)


def test_only_other_sets_count() -> None:
    mine = torch.tensor([[9.0, 1.0], [1.0, 9.0]])
    assert ELSEWHERE.solution(mine, mine - 0.5) == 2
    assert ELSEWHERE.solution(mine, mine + torch.eye(2)) == 0
