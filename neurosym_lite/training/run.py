"""A run in memory: a recipe being trained, how it begins, and how one notices that it broke."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from neurosym_lite.training.bank import SymbolBank
from neurosym_lite.training.checkpoints import CheckpointError, first_checkpoint, load_checkpoint
from neurosym_lite.training.ranks import ALONE, Ranks
from neurosym_lite.training.recipe import Phase, Recipe
from neurosym_lite.training.step import Engine, Step

DATA_SEED = 1_000_003  # keeps the data's generator apart from the default one
GRADIENT = "the gradient"  # name of a step's last output


class Seen(NamedTuple):
    """A step that was not yet looked at: whether it was finite is known to the device alone."""

    step: int
    outputs: Tensor
    """Terms of the loss and norm of the gradient."""
    generator: Tensor
    """State of the data's generator before the batch was drawn: the batch can be drawn again."""


@dataclass
class Run:
    """A run: what the state file holds, and what can be made again."""

    recipe: Recipe
    model: nn.Module
    averages: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    data_generator: Generator
    device: torch.device
    seed: int
    ranks: Ranks = ALONE
    engine: Engine = "eager"
    step: int = 0
    seconds: float = 0.0
    curve: list[dict[str, int | float]] = field(default_factory=list)
    sums: Tensor | None = None  # running sums of the loss terms since the last point of the curve
    unchecked: list[Seen] = field(default_factory=list)
    # of the phase that the run is in; not saved, but made again
    bank: SymbolBank | None = None
    work: Step | None = None
    followed: list[Tensor] = field(default_factory=list)  # what the averages follow, in their order


class Diverged(FloatingPointError):
    """A step whose loss or gradient was not finite."""

    def __init__(self, step: int, what: str, generator: Tensor) -> None:
        super().__init__(f"not finite in {what} at step {step}")
        self.step, self.generator = step, generator


def make_optimiser(model: nn.Module, phase: Phase, device: torch.device) -> torch.optim.Optimizer:
    """Adam over the parts that the phase trains; the others are frozen.

    On a GPU its learning rate and step count are tensors there, so that a recorded graph reads them. Raises ValueError
    for a part that the model does not have.
    """
    parts = {name.split(".")[0] for name, _ in model.named_parameters()}
    if strange := [name for name in phase.train if name not in parts]:
        raise ValueError(f"a phase trains {strange[0]!r}: the model's parts are {', '.join(sorted(parts))}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not phase.train or name.split(".")[0] in phase.train)
    on_gpu = device.type == "cuda"
    rate = torch.zeros((), device=device) if on_gpu else 0.0
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.Adam(trained, lr=rate, fused=True, capturable=on_gpu)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step, into its tensor where it is one."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def start(
    recipe: Recipe,
    seed: int,
    device: torch.device | str,
    ranks: Ranks = ALONE,
    engine: Engine = "eager",
    runs: str | Path = Path("runs"),
) -> Run:
    """A run at step 0, its first weights those of the recipe's `start` where it has one, whatever the seed.

    Raises CheckpointError where these are neither shipped nor trained in `runs`.
    """
    run, runs = blank(recipe, seed, torch.device(device), ranks, engine), Path(runs)
    if recipe.start is not None:
        path = first_checkpoint(recipe, runs)
        if path is None:
            raise CheckpointError(
                f"{recipe.name} goes on from {recipe.start}, which is neither shipped nor trained to its end in "
                f"{runs}: python -m neurosym_lite train {recipe.start} --out {runs / recipe.start}"
            )
        first, of = load_checkpoint(str(path))
        if of.name != recipe.start:
            raise CheckpointError(f"{path} holds a checkpoint of {of.name!r}, expected {recipe.start!r}: renamed?")
        if isinstance(first, type(run.model)):
            run.model.load_state_dict(first.state_dict())
        else:
            run.model.start_from(first)
        run.averages = {name: run.model.state_dict()[name].clone() for name in run.averages}
    return run


def blank(recipe: Recipe, seed: int, device: torch.device, ranks: Ranks, engine: Engine) -> Run:
    """A run at step 0 with weights drawn from the seed, the same on all ranks; noise and data are each rank's own."""
    for phase in recipe.phases:
        ranks.share(phase.batch)
    torch.manual_seed(seed)
    model = recipe.build().to(device)
    if not ranks.first:
        torch.manual_seed(ranks.seed(seed))
    generator = Generator(device=device).manual_seed(ranks.seed(seed) + DATA_SEED)
    averages = {name: tensor.clone() for name, tensor in model.state_dict().items()} if recipe.ema else {}
    optimiser = make_optimiser(model, recipe.phases[0], device)
    return Run(recipe, model, averages, optimiser, generator, device, seed, ranks, engine)


def check_steps(run: Run) -> None:
    """Look at the steps since the last look. Raises Diverged for the first whose loss or gradient is NaN or Inf."""
    if not run.unchecked:
        return
    outputs = torch.stack([seen.outputs for seen in run.unchecked])
    finite = outputs.isfinite().cpu()
    if not finite.all():
        index = int((~finite.all(1)).nonzero()[0, 0])
        seen, bad = run.unchecked[index], (~finite[index]).nonzero()[:, 0].tolist()
        names = (*run.model.Loss._fields, GRADIENT)
        raise Diverged(seen.step, ", ".join(names[i] for i in bad), seen.generator)
    run.unchecked = []


def check_weights(run: Run) -> None:
    """Raise FloatingPointError when a weight is NaN or Inf."""
    for name, tensor in run.model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise FloatingPointError(
                f"not finite in {name} after step {run.step}: stopped, what was saved before is kept"
            )


def shipped_weights(run: Run) -> dict[str, Tensor]:
    """What a checkpoint holds: the averaged weights where the recipe averages, else the last ones."""
    return run.averages or run.model.state_dict()
