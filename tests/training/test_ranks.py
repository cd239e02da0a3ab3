"""Two processes that train together make the step that one makes with the joint batch."""

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import Tensor

from neurosym_lite.training.checkpoints import read_file
from neurosym_lite.training.loop import fit, load_state, save_state, start
from neurosym_lite.training.ranks import AGREE_STEPS, ALONE, RANK_SEED, Ranks
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.run import Run
from neurosym_lite.training.step import Feed, make_step
from tests.training.conftest import small_recipe

CPU = torch.device("cpu")
BATCH = 4  # the joint batch
RECIPE_OF = {
    "gnm": small_recipe,
    "dood": lambda: RECIPES["dood-digits-lite"],
    "dood-nvil": lambda: RECIPES["dood-digits-short-nvil"],
    "vae": lambda: RECIPES["vae-digits1-lite"],
}


def rows_of(draw, ranks: Ranks):
    """Noise of the joint batch, of which each rank is given its rows."""
    calls = iter(range(10_000))

    def noise(shape, **_: object) -> Tensor:
        whole = (shape[0] * ranks.count, *shape[1:])
        drawn = draw(whole, generator=torch.Generator().manual_seed(next(calls)))
        return drawn.chunk(ranks.count)[ranks.rank]

    return noise


def gradient(recipe: Recipe, ranks: Ranks) -> dict[str, Tensor]:
    """The averaged gradient of the second step from the same weights, this rank's rows in the joint batch.

    In double precision: in single, the order of the sums alone makes a difference of 2e-6 in the VAE.
    """
    torch.set_default_dtype(torch.float64)
    run, phase = start(recipe, 0, CPU), recipe.phases[0]
    images = recipe.data.source("train").batch(BATCH, torch.Generator().manual_seed(5)).images
    weights = torch.full((len(run.model.Weights._fields),), 0.5)
    work = make_step(run.model, run.optimiser, phase, "eager", CPU, ranks)
    work.clip = float("inf")
    feed = Feed((images.chunk(ranks.count)[ranks.rank],), weights)
    randn, rand = torch.randn, torch.rand
    for _ in range(2):
        uniform = rows_of(rand, ranks)
        coins = patch("torch.bernoulli", lambda p, uniform=uniform: (uniform(p.shape) < p).to(p))
        with patch("torch.randn", rows_of(randn, ranks)), patch("torch.rand", uniform), coins:
            work(feed)
    torch.set_default_dtype(torch.float32)
    return {name: p.grad for name, p in run.model.named_parameters() if p.grad is not None}


def rank_process(rank: int, folder: str) -> None:
    """What each of the two processes does: meet, make each recipe's steps, leave the gradients in files."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    for name, recipe in RECIPE_OF.items():
        torch.save(gradient(recipe(), Ranks(rank, 2)), f"{folder}/{name}.{rank}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def of_two_ranks(tmp_path_factory) -> Path:
    """A folder with the gradients that two ranks have of each recipe, NAME.RANK."""
    folder = tmp_path_factory.mktemp("ranks")
    processes.spawn(rank_process, (str(folder),), nprocs=2)
    return folder


@pytest.mark.parametrize("name", RECIPE_OF)
def test_two_ranks_have_the_gradient_of_the_joint_batch(name: str, of_two_ranks: Path) -> None:
    first, second = (torch.load(of_two_ranks / f"{name}.{rank}", weights_only=True) for rank in range(2))
    alone = gradient(RECIPE_OF[name](), ALONE)
    assert first.keys() == second.keys() == alone.keys() and len(alone) > 5
    assert all(torch.equal(first[name], second[name]) for name in first)
    ours, theirs = (torch.cat([tensors[name].flatten() for name in alone]) for tensors in (first, alone))
    assert ours.dtype == torch.float64 and float((ours - theirs).norm() / theirs.norm()) <= 1e-9


def torchrun(ranks: int, out: Path, steps: int) -> str:
    """The command of the book's page on clusters, with that many processes; what it said."""
    arguments = ["train", "vae-digits1-lite", "--steps", str(steps), "--out", str(out), "--resume", "--device", "cpu"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    process = subprocess.run(
        [*launcher, "-m", "neurosym_lite", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stderr


def test_two_ranks_write_one_record_and_one_goes_on_alone(tmp_path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    torchrun(2, whole, 6)
    torchrun(2, broken, 3)
    assert "resumed vae-digits1-lite at step 3" in torchrun(2, broken, 6)
    ours, theirs = (read_file(out / "state.safetensors", "state") for out in (broken, whole))
    assert ours[1]["ranks"] == 2 and "generator.1.data" in ours[0]
    assert [name for name in theirs[0] if not torch.equal(ours[0][name], theirs[0][name])] == []
    assert (broken / "record.json").read_text().count("2 x (cpu, 1 thread)") == 1
    run = load_state(RECIPES["vae-digits1-lite"], 0, CPU, broken / "state.safetensors")
    assert not fit(run, broken / "state.safetensors", steps=8)
    tensors, header = read_file(broken / "state.safetensors", "state")
    assert header["step"] == 8 and header["ranks"] == 1 and "generator.1.data" not in tensors


def four_ranks(rank: int, folder: str) -> None:
    """What each of four processes does: the small recipe through both phases, unbroken, and with a stop."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=4)
    ranks, recipe, state = Ranks(rank, 4), small_recipe(), Path(folder) / "broken.safetensors"
    fit(start(recipe, 1, CPU, ranks), Path(folder) / "whole.safetensors", steps=recipe.steps)
    fit(start(recipe, 1, CPU, ranks), state, steps=5)
    dist.barrier()  # the first rank is still writing
    run = load_state(recipe, 1, CPU, state, ranks)
    assert ranks.same(run.step) and not ranks.same(rank)
    assert ranks.agree(2 * AGREE_STEPS, rank == 2, False) == [True, False]  # one that wants to stop is heard
    assert ranks.agree(2 * AGREE_STEPS + 1, True, True) == [False, False]  # not asked at every step
    own = torch.tensor([float(rank), 1.0])
    assert ranks.mean(own).tolist() == [1.5, 1.0] and own.tolist() == [rank, 1]
    assert [each.tolist() for each in ranks.gather(own)] == [[0, 1], [1, 1], [2, 1], [3, 1]]
    fit(run, state, steps=recipe.steps)
    dist.destroy_process_group()


def test_four_ranks_go_through_two_phases(tmp_path) -> None:
    """More than two ranks add up gradients in an order that a resumed run may change: the last digits may differ."""
    processes.spawn(four_ranks, (str(tmp_path),), nprocs=4)
    (whole, _), (broken, header) = (read_file(tmp_path / f"{n}.safetensors", "state") for n in ("whole", "broken"))
    assert header["step"] == 14 and header["ranks"] == 4 and "sums.3" in whole
    for name, tensor in whole.items():
        if name.startswith("generator"):
            assert torch.equal(tensor, broken[name]), name
        else:
            torch.testing.assert_close(broken[name], tensor, rtol=1e-3, atol=1e-4)


def streams_of(run: Run) -> tuple[int, int]:
    """The next number of the noise and of the data of a run that was just begun or read."""
    return int(torch.randint(2**40, ())), int(torch.randint(2**40, (), generator=run.data_generator))


def test_each_rank_has_noise_and_data_of_its_own(recipe: Recipe) -> None:
    runs, streams = [], set()
    for rank in range(2):
        runs.append(start(recipe, 1, CPU, Ranks(rank, 2)))
        streams |= set(streams_of(runs[-1]))
    for name, tensor in runs[0].model.state_dict().items():
        assert torch.equal(tensor, runs[1].model.state_dict()[name])
    assert len(streams) == 4
    first, second = (recipe.data.source("train").batch(4, run.data_generator).images for run in runs)
    assert not torch.equal(first, second)
    assert Ranks(1, 2).seed(7) == 7 + RANK_SEED and ALONE.seed(7) == 7


def test_a_rank_that_was_not_there_begins_a_stream_of_its_own(recipe: Recipe, tmp_path) -> None:
    """Its own, and not again the one that such a rank had at the start, or at another stop."""
    path, run = tmp_path / "state.safetensors", start(recipe, 1, CPU)
    save_state(run, path)
    old, same, new, other = (
        streams_of(load_state(recipe, 1, CPU, path, ranks)) for ranks in (ALONE, Ranks(1, 2), Ranks(1, 4), Ranks(2, 4))
    )
    assert same == new
    run.step = 1
    save_state(run, path)
    later = streams_of(load_state(recipe, 1, CPU, path, Ranks(1, 2)))
    seen = [old, new, other, later, streams_of(start(recipe, 1, CPU, Ranks(1, 2)))]
    assert len({number for pair in seen for number in pair}) == 10


def test_a_batch_that_cannot_be_shared_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match=r"a batch of 4 cannot be shared by 3 ranks: give a --batch"):
        start(recipe, 0, CPU, Ranks(0, 3))
