"""Chapter 1's exercises: every answer gets the verdict that was written for it."""

import math

import pytest
import torch

from neurosym_lite.classroom import EXERCISES as BY_NUMBER
from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_01 import CELLS, CENTRE, CHANCE, COST, TELL, TURN
from neurosym_lite.evaluation.binding import information
from neurosym_lite.models.symbols import boxes, cell_centres

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "1.1": lambda table: torch.tensor(0.123),
    "1.2": torch.tensor([0.3, 0.9]),
    "1.3": 17.0,
    "1.4": lambda u, column, grid, size: 1.5,
    "1.5": 5,
    "1.6": 0.7,
}
UNUSABLE = {
    "1.1": lambda table: table.no_such_method(),
    "1.2": "to the right",
    "1.3": "much",
    "1.4": lambda u: u,
    "1.5": "four or so",
    "1.6": object(),
}


@pytest.mark.parametrize("number", ["1.2", "1.3", "1.5", "1.6"])
def test_wrong_shape_is_not_right(number: str) -> None:
    solution = torch.as_tensor(BY_NUMBER[number].solution)
    assert not judge(number, solution.expand(3, *solution.shape)).right


def test_share_is_what_the_package_measures() -> None:
    fact = torch.tensor([0, 0, 1, 1, 2, 2, 2, 0])
    number = torch.tensor([0, 0, 1, 0, 1, 1, 1, 0])
    table = torch.zeros(3, 2).index_put_((fact, number), torch.tensor(1.0), accumulate=True)
    assert torch.allclose(TELL.solution(table), information(number[:, None].float(), fact)[0].float(), atol=1e-6)


def test_turn_moves_the_dot_right() -> None:
    cosine = math.cos(math.pi / 4)
    back = torch.tensor([[cosine, cosine], [-cosine, cosine]])
    assert torch.allclose(back @ TURN.solution, torch.tensor([1.0, 0.0]), atol=1e-6)


def test_cost_is_the_monte_carlo_mean() -> None:
    means = math.sqrt(0.99) * torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    kl = 0.5 * (0.01 + means**2 - 1 - math.log(0.01))
    assert float(kl.mean()) == pytest.approx(COST.solution, abs=0.02)


@pytest.mark.parametrize(("u", "column", "grid", "size"), [(0.3, 1, 4, 64), (-2.0, 0, 4, 64), (0.7, 5, 8, 128)])
def test_centre_is_the_packages(u: float, column: int, grid: int, size: int) -> None:
    where = torch.zeros(1, grid * grid, 4)
    where[..., 2] = u
    centre = boxes(where, cell_centres(grid), reach=2 / grid).shift[0, column, 0]
    assert CENTRE.solution(u, column, grid, size) == pytest.approx(float((centre + 1) * size / 2), abs=1e-4)


def test_cells_that_reach_are_counted() -> None:
    near = (20 - 64 * (cell_centres(4) + 1) / 2).abs() < 16
    assert int(near.all(1).sum()) == CELLS.solution


def test_chance_is_the_share_of_draws() -> None:
    draws = torch.rand(200_000, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.25
    assert float((draws.sum(2) == 1).all(1).float().mean()) == pytest.approx(CHANCE.solution, abs=2e-3)
