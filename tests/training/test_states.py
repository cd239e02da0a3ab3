"""What a state file holds beside weights, and what is never written to one."""

from pathlib import Path

import pytest
import torch

from neurosym_lite.training.ranks import ALONE, Ranks
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.run import Diverged, Seen, start
from neurosym_lite.training.states import _changed, _sums, load_state, save_state

CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state.safetensors"


def test_time_so_far_goes_on(recipe: Recipe, path: Path) -> None:
    run = start(recipe, 1, CPU)
    run.seconds, run.step = 12.5, 3
    save_state(run, path)
    again = load_state(recipe, 1, CPU, path)
    assert (again.seconds, again.step) == (12.5, 3)


def test_a_broken_step_is_not_written(recipe: Recipe, path: Path) -> None:
    run = start(recipe, 1, CPU)
    outputs = torch.ones(len(run.model.Loss._fields) + 1)
    for step, value in enumerate((1.0, float("nan"), float("inf")), 1):
        broken = torch.where(torch.arange(len(outputs)) == 1, value, outputs)
        run.unchecked.append(Seen(step, broken, run.data_generator.get_state()))
    with pytest.raises(Diverged, match=rf"not finite in {run.model.Loss._fields[1]} at step 2"):
        save_state(run, path)
    assert not path.exists()


def test_a_broken_weight_is_not_written(recipe: Recipe, path: Path) -> None:
    run = start(recipe, 1, CPU)
    name, weight = next(iter(run.model.named_parameters()))
    with torch.no_grad():
        weight.view(-1)[0] = torch.inf
    with pytest.raises(FloatingPointError, match=f"not finite in {name} after step 0"):
        save_state(run, path)
    assert not path.exists()


def test_sums_are_each_ranks_own_or_the_mean_of_all() -> None:
    """The curve is a mean over ranks: as many new ranks as there were old ones, or others, it stays the same."""
    saved = {"": torch.tensor([1.0, 6.0]), "1": torch.tensor([3.0, 2.0])}
    assert [_sums(saved, Ranks(rank, 2), 2, CPU).tolist() for rank in range(2)] == [[1, 6], [3, 2]]
    for ranks in (ALONE, Ranks(0, 4), Ranks(3, 4)):
        assert _sums(saved, ranks, 2, CPU).tolist() == [2, 4]
    assert _sums({}, ALONE, 1, CPU) is None


def test_the_first_difference_is_named_by_its_path() -> None:
    before = {"model": {"hidden": [8, 8], "where": 4}, "ema": 0.9}
    assert _changed(before, before) is None
    assert _changed(before, before | {"ema": 0.5}) == ("ema", 0.9, 0.5)
    assert _changed(before, before | {"model": {"hidden": [8, 9], "where": 4}}) == ("model.hidden.1", 8, 9)
    assert _changed(before, before | {"model": {"hidden": [8], "where": 4}}) == ("model.hidden", [8, 8], [8])
    assert _changed(before, before | {"new": 1}) == ("new", None, 1)
    assert _changed(before | {"old": 1}, before) == ("old", 1, None)
