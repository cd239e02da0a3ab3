"""A run on disk: written so that it goes on bit by bit as if it had never stopped.

Everything random in a run comes from two generators, torch's default one (noise of the latents) and the data's. Both
are saved, for each rank.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurosym_lite.training.checkpoints import CheckpointError, fill, read_file, settings, write_file
from neurosym_lite.training.ranks import ALONE, Ranks
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.run import DATA_SEED, Run, blank, check_steps, check_weights, make_optimiser
from neurosym_lite.training.step import Engine

ADAM_SLOTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of a parameter
NEW_RANK_SEED = 3_000_017  # of ranks that were not there when the state was written; the step is added


def save_state(run: Run, path: str | Path) -> None:
    """Write all that `load_state` needs; all ranks take part, the first writes.

    Raises FloatingPointError, and writes nothing, for a run that diverged.
    """
    check_steps(run)
    check_weights(run)
    tensors = {f"model.{name}": tensor for name, tensor in run.model.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in run.averages.items()}
    moments = run.optimiser.state_dict()["state"]  # none of a parameter that never had a gradient
    for index, slots in moments.items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
    tensors |= _generators(run)
    if run.sums is not None:
        tensors |= {_of_rank("sums", rank): sums for rank, sums in enumerate(run.ranks.gather(run.sums))}
    if run.ranks.first:
        write_file(
            Path(path), "state", tensors, recipe=run.recipe.name, config=run.recipe.as_dict(),
            step=run.step, seed=run.seed, seconds=run.seconds, curve=run.curve,
            device=run.device.type, threads=torch.get_num_threads(), ranks=run.ranks.count, moments=sorted(moments),
        )  # fmt: skip


def load_state(
    recipe: Recipe,
    seed: int,
    device: torch.device | str,
    path: str | Path,
    ranks: Ranks = ALONE,
    engine: Engine = "eager",
) -> Run:
    """The run that `save_state` wrote, whatever number of ranks it had; with the same number it has the same bits.

    Warns of another torch version. Raises CheckpointError when it is of another recipe, seed or build.
    """
    device, path = torch.device(device), Path(path)
    tensors, header = read_file(path, "state")
    _check_header(header, recipe, seed, device, path)
    run, part = blank(recipe, seed, device, ranks, engine), _split(tensors)
    try:
        run.step, run.seconds, run.curve = int(header["step"]), float(header["seconds"]), list(header["curve"])
        fill(run.model, part["model"], path)
        run.averages = {name: part["average"][name].to(device) for name in run.averages}
        run.optimiser = make_optimiser(run.model, recipe.phase_at(max(run.step - 1, 0))[0], device)
        _restore_optimiser(run, part.get("optimiser", {}), header["moments"])
        _restore_generators(run, part["generator"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        what = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path} is incomplete ({what}): start anew in another --out") from error
    run.sums = _sums(part.get("sums", {}), ranks, header.get("ranks"), device)
    return run


def _of_rank(name: str, rank: int) -> str:
    """A tensor's name, with the rank that it belongs to where that is not the first."""
    return f"{name}.{rank}" if rank else name


def _sums(saved: dict[str, Tensor], ranks: Ranks, count: int | None, device: torch.device) -> Tensor | None:
    """This rank's sums since the last point of the curve; the mean of all where the ranks are not those that were."""
    if not saved:
        return None
    same = count == ranks.count
    sums = saved[str(ranks.rank) if ranks.rank else ""] if same else torch.stack(list(saved.values())).mean(0)
    return sums.to(device)


def _check_header(header: dict[str, Any], recipe: Recipe, seed: int, device: torch.device, path: Path) -> None:
    """Raise CheckpointError for a state of another run; warn of one that another torch wrote."""
    if (name := header.get("recipe")) != recipe.name:
        own = header.get("config", {}).get("data", {}).get("digest") and not getattr(recipe.data, "digest", "")
        advice = "give --images, or another --out" if own else "give another --out"
        raise CheckpointError(f"{path} is a run of {name!r}, not of {recipe.name!r}: {advice}")
    if changed := _changed(settings(recipe, header.get("config", {})), settings(recipe)):
        name, was, wanted = changed
        raise CheckpointError(
            f"{path} was begun with other settings of {recipe.name!r} ({name} was {was}, now {wanted}): "
            "give those, or another --out"
        )
    if (begun := header.get("seed")) != seed:
        raise CheckpointError(f"{path} was begun with seed {begun}: give --seed {begun} or another --out")
    if (used := header.get("device")) != device.type:
        raise CheckpointError(f"{path} was begun on {used}: give --device {used}, or another --out")
    if device.type == "cpu" and (threads := header.get("threads")) != torch.get_num_threads():
        raise CheckpointError(f"{path} was begun with --threads {threads}, and others change its bits: give the same")
    if (version := header.get("torch_version")) != torch.__version__:
        warnings.warn(
            f"{path} was written by torch {version} and goes on with {torch.__version__}: "
            "the numbers will differ in their last digits from those of an unbroken run",
            stacklevel=3,
        )


def _changed(before: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """The first setting that differs, by its path of names, and its two values; None where all are the same."""
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        before, now = (dict(enumerate(values)) for values in (before, now))
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return None if before == now else (name, before, now)
    for key in before | now:
        if found := _changed(before.get(key), now.get(key), f"{name}.{key}" if name else str(key)):
            return found
    return None


def _restore_optimiser(run: Run, saved: dict[str, Tensor], moments: list[int]) -> None:
    """Adam's moments of the parameters that have some. Raises KeyError when one is missing."""
    slots = {index: {slot: saved[f"{index}.{slot}"] for slot in ADAM_SLOTS} for index in moments}
    run.optimiser.load_state_dict({**run.optimiser.state_dict(), "state": slots})


def _generators(run: Run) -> dict[str, Tensor]:
    """Where noise and data have got to: `generator.NAME` of the first rank, `generator.RANK.NAME` of the others."""
    own = {"default": torch.get_rng_state(), "data": run.data_generator.get_state()}
    if run.device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(run.device)
    return {
        f"{_of_rank('generator', rank)}.{name}": state
        for name, mine in own.items()
        for rank, state in enumerate(run.ranks.gather(mine))
    }


def _restore_generators(run: Run, saved: dict[str, Tensor]) -> None:
    """Where noise and data had got to; a rank that was not there begins afresh. Raises KeyError when one is missing."""
    rank = run.ranks.rank
    if rank and f"{rank}.default" not in saved:
        fresh = run.ranks.seed(run.seed) + NEW_RANK_SEED + run.step
        torch.manual_seed(fresh)
        run.data_generator.manual_seed(fresh + DATA_SEED)
        return
    prefix = f"{rank}." if rank else ""
    torch.set_rng_state(saved[f"{prefix}default"])
    run.data_generator.set_state(saved[f"{prefix}data"])
    if run.device.type == "cuda":
        torch.cuda.set_rng_state(saved[f"{prefix}cuda"], run.device)


def _split(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors grouped by what stands before the first dot."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    return groups
