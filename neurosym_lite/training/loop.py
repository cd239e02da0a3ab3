"""The training loop: a recipe in, a checkpoint and a run record out, whatever interrupts it.

Everything random in a run comes from two generators, torch's default one (noise of the latents) and the data's. Both
are saved with the state, so a resumed run goes on bit by bit as if it had never stopped.
"""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.models.drawing import DrawingLoss, DrawingWeights
from neurosym_lite.models.objective import GNMLoss, GNMWeights
from neurosym_lite.models.vae import VAELoss, VAEWeights
from neurosym_lite.training.bank import SymbolBank
from neurosym_lite.training.checkpoints import CheckpointError, fill, load_checkpoint, read_file, write_file
from neurosym_lite.training.recipe import Phase, Recipe

SAVE_SECONDS = 5.0  # a kill loses at most the steps of this long
CURVE_STEPS = 100  # steps that one point of the curve averages over
ADAM_SLOTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of a parameter
DATA_SEED = 1_000_003  # keeps the data's generator apart from the default one
BANK_SEED = 2_000_003  # and that of a bank of inferred scenes

Source = SceneSource | DrawingSource
Weights = GNMWeights | VAEWeights | DrawingWeights
Loss = GNMLoss | VAELoss | DrawingLoss


@dataclass
class Run:
    """A run in memory: what the state file holds."""

    recipe: Recipe
    model: nn.Module
    averages: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    data_generator: torch.Generator
    device: torch.device
    seed: int
    step: int = 0
    seconds: float = 0.0
    curve: list[dict[str, int | float]] | None = None
    sums: Tensor | None = None  # running sums of the loss terms since the last point of the curve
    bank: SymbolBank | None = None  # of the phase that the run is in, where it has one; not saved, but made again


class Interrupt:
    """Turns Ctrl-C and SIGTERM into a flag that the loop reads between steps; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.asked = False
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        for number in (signal.SIGINT, signal.SIGTERM):
            self.previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _optimiser(model: nn.Module, phase: Phase) -> torch.optim.Optimizer:
    """Adam over the parts that the phase trains; the others are frozen."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not phase.train or name.split(".")[0] in phase.train)
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.0, fused=True)


def start(recipe: Recipe, seed: int, device: torch.device) -> Run:
    """A run at step 0, its first weights those of the recipe's `start` where it has one."""
    run = _blank(recipe, seed, device)
    if recipe.start is not None:
        first, _ = load_checkpoint(recipe.start)
        run.model.load_state_dict(first.state_dict())
        run.averages = {name: run.model.state_dict()[name].clone() for name in run.averages}
    return run


def _blank(recipe: Recipe, seed: int, device: torch.device) -> Run:
    torch.manual_seed(seed)
    model = recipe.build().to(device)
    generator = torch.Generator(device=device).manual_seed(seed + DATA_SEED)
    averages = {name: tensor.clone() for name, tensor in model.state_dict().items()} if recipe.ema else {}
    return Run(recipe, model, averages, _optimiser(model, recipe.phases[0]), generator, device, seed, curve=[])


def check_finite(run: Run) -> None:
    """Raise FloatingPointError when a loss term since the last point of the curve, or a weight, is NaN or Inf."""
    broken = [name for name, tensor in run.model.state_dict().items() if not torch.isfinite(tensor).all()]
    if broken or (run.sums is not None and not torch.isfinite(run.sums).all()):
        where = f"in {broken[0]}" if broken else "in the loss"
        raise FloatingPointError(f"not finite {where} at step {run.step}: stopped, the state saved before is kept")


def save_state(run: Run, path: Path) -> None:
    """Write all that `load_state` needs. Raises FloatingPointError, and writes nothing, for a run that diverged."""
    check_finite(run)
    tensors = {f"model.{name}": tensor for name, tensor in run.model.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in run.averages.items()}
    for index, slots in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
    tensors["generator.default"] = torch.get_rng_state()
    tensors["generator.data"] = run.data_generator.get_state()
    if run.device.type == "cuda":
        tensors["generator.cuda"] = torch.cuda.get_rng_state(run.device)
    if run.sums is not None:
        tensors["sums"] = run.sums
    write_file(
        path, "state", tensors, recipe=run.recipe.name, config=run.recipe.as_dict(),
        step=run.step, seed=run.seed, seconds=run.seconds, curve=run.curve,
        device=run.device.type, threads=torch.get_num_threads(),
    )  # fmt: skip


def load_state(recipe: Recipe, seed: int, device: torch.device, path: Path) -> Run:
    """The run that `save_state` wrote. Raises CheckpointError when it is of another recipe, seed or build."""
    tensors, header = read_file(path, "state")
    if (name := header.get("recipe")) != recipe.name:
        raise CheckpointError(f"{path} is a run of {name!r}, not of {recipe.name!r}: give another --out")
    if _settings(header.get("config", {})) != _settings(json.loads(json.dumps(recipe.as_dict()))):
        raise CheckpointError(f"{path} was begun with other settings of {recipe.name!r}: give another --out")
    if (begun := header.get("seed")) != seed:
        raise CheckpointError(f"{path} was begun with seed {begun}: give --seed {begun} or another --out")
    if (used := header.get("device")) != device.type:
        raise CheckpointError(f"{path} was begun on {used}: give --device {used}, or another --out")
    if device.type == "cpu" and (threads := header.get("threads")) != torch.get_num_threads():
        raise CheckpointError(f"{path} was begun with --threads {threads}, and others change its bits: give the same")
    run, part = _blank(recipe, seed, device), _split(tensors)
    try:
        run.step, run.seconds, run.curve = int(header["step"]), float(header["seconds"]), list(header["curve"])
        fill(run.model, part["model"], path)
        run.averages = {name: part["average"][name].to(device) for name in run.averages}
        run.optimiser = _optimiser(run.model, recipe.phase_at(max(run.step - 1, 0))[0])
        if run.step > 0:
            _restore_optimiser(run, part["optimiser"])
        _restore_generators(run, part["generator"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        what = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path} is incomplete ({what}): start anew in another --out") from error
    run.sums = part["sums"][""].to(device) if "sums" in part else None
    return run


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """What decides a run's numbers: all of a recipe but its description and what it is measured by."""
    return {name: value for name, value in config.items() if name not in ("about", "metrics")}


def _restore_optimiser(run: Run, saved: dict[str, Tensor]) -> None:
    """Adam's moments, by parameter. Raises KeyError when one is missing."""
    slots = {
        index: {slot: saved[f"{index}.{slot}"] for slot in ADAM_SLOTS}
        for index in range(len(run.optimiser.param_groups[0]["params"]))
    }
    run.optimiser.load_state_dict({**run.optimiser.state_dict(), "state": slots})


def _restore_generators(run: Run, saved: dict[str, Tensor]) -> None:
    """Where the noise and the data had got to. Raises KeyError when one is missing."""
    torch.set_rng_state(saved["default"])
    run.data_generator.set_state(saved["data"])
    if run.device.type == "cuda":
        torch.cuda.set_rng_state(saved["cuda"], run.device)


def _split(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors grouped by what stands before the first dot."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    return groups


def train_step(run: Run, source: Source) -> None:
    """One step: schedules, batch, loss, gradient, update, averages."""
    phase, step = run.recipe.phase_at(run.step)
    if step == 0 and run.step > 0:
        run.optimiser, run.bank = _optimiser(run.model, phase), None
    for group in run.optimiser.param_groups:
        group["lr"] = phase.learning_rate(step)
    loss = _loss(run, source, phase, _weights(run, phase, step))
    run.optimiser.zero_grad(set_to_none=True)
    loss.total.mean().backward()
    nn.utils.clip_grad_norm_([p for p in run.model.parameters() if p.requires_grad], phase.clip)
    run.optimiser.step()
    if run.averages:
        decay = min(run.recipe.ema, (1 + run.step) / (10 + run.step))
        torch._foreach_lerp_(list(run.averages.values()), list(run.model.state_dict().values()), 1 - decay)
    terms = torch.stack([term.detach().mean() for term in loss])
    run.sums = terms if run.sums is None else run.sums + terms
    run.step += 1
    if run.step % CURVE_STEPS == 0:
        _mark(run, type(loss)._fields)


def _weights(run: Run, phase: Phase, step: int) -> Weights:
    """The model's weights at a step of a phase; those that the phase does not name keep their defaults."""
    kind = type(run.model).Weights
    schedules, defaults = phase.weights, kind._field_defaults
    values = [schedules[name](step) if name in schedules else float(defaults[name]) for name in kind._fields]
    return kind(*torch.tensor(values, device=run.device).unbind())


def _loss(run: Run, source: Source, phase: Phase, weights: Weights) -> Loss:
    """The model's loss on fresh images, or on scenes inferred before where the phase keeps a bank."""
    if phase.objective != "prior_loss":
        images = source.batch(phase.batch, run.data_generator).images.float() / 255
        return getattr(run.model, phase.objective)(images, weights)
    if run.bank is None:
        generator = torch.Generator(device=run.device).manual_seed(run.seed + BANK_SEED)
        run.bank = SymbolBank(run.model, source, phase.bank, generator)
    return run.model.prior_loss(run.bank.batch(phase.batch, run.data_generator), weights)


def _mark(run: Run, names: tuple[str, ...]) -> None:
    """Put a point on the curve: the means since the last one."""
    check_finite(run)
    means = dict(zip(names, (run.sums / CURVE_STEPS).tolist(), strict=True))
    point = {name: round(value, 3) for name, value in means.items()}
    run.curve.append({"step": run.step, "minutes": round(run.seconds / 60, 3), **point})
    run.sums = None


def fit(
    run: Run,
    state_path: Path,
    *,
    steps: int,
    minutes: float | None = None,
    on_step: Callable[[Run], None] = lambda run: None,
) -> bool:
    """Train until `steps` (counted from the run's beginning) or for `minutes` more; save; return whether interrupted.

    Time is CPU time on a CPU (what other programs do does not count) and wall time on a GPU, for the record; the
    budget of `minutes` is wall time. Raises FloatingPointError for a run that diverges; what was saved before is kept.
    """
    clock = time.perf_counter if run.device.type == "cuda" else time.process_time
    source = run.recipe.data.source("train", device=str(run.device))
    began = time.monotonic()
    saved = began - SAVE_SECONDS  # the first step is saved at once: from then on there is a file to go on from
    with Interrupt() as interrupt:
        while run.step < steps and not interrupt.asked:
            if minutes is not None and time.monotonic() - began >= 60 * minutes:
                break
            tick = clock()
            train_step(run, source)
            run.seconds += clock() - tick
            on_step(run)
            if time.monotonic() - saved >= SAVE_SECONDS:
                save_state(run, state_path)
                saved = time.monotonic()
        save_state(run, state_path)
    return interrupt.asked


def shipped_weights(run: Run) -> dict[str, Tensor]:
    """What a checkpoint holds: the averaged weights where the recipe averages, else the last ones."""
    return run.averages or run.model.state_dict()
