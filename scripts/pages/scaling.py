"""What several GPUs would bring, on paper: from counted operations and arithmetic, and a few stated numbers.

What an operation costs was measured on one GPU (`benchmarks.gpu`; a test holds it to that), the rest is assumed. The
counts are those of one training step, taken by torch's own counters.
"""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from neurosym_lite.training.loop import draw, schedule_weights, start
from neurosym_lite.training.recipe import DrawingData, Recipe, SceneData
from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.step import Feed, make_step

CPU = torch.device("cpu")
BATCH = 4  # images that the counts are taken with
BYTES = 4  # of a gradient's number

# measured: paper-size steps at a batch of 32, over their operations
LAUNCH = 22e-6  # seconds that an operation costs the processor which launches it
REPLAY = 4.7e-6  # seconds an operation takes in a replayed graph
# assumptions, all of them round
ARITHMETIC = 10e12  # operations a second that small convolutions get out of a large GPU
NODE = 8  # GPUs of a machine
INSIDE, BETWEEN = 200e9, 25e9  # bytes a second that a GPU sends inside a machine and between machines
HOP_INSIDE, HOP_BETWEEN = 5e-6, 15e-6  # seconds a message takes at least


class Counts(NamedTuple):
    """What a training step consists of."""

    operations: int
    """Calls of torch's operators, views left out."""
    arithmetic: float
    """Multiplications and additions of an image, forward and backward."""
    parameters: int


class Estimate(NamedTuple):
    """A step on paper."""

    seconds: float
    images: float
    """Images a second."""
    sending: float
    """Share of the step that goes into adding up gradients."""


class Operations(TorchDispatchMode):
    """Counts operators that do some work."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run it, and count it unless it only looks at a tensor in another way."""
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def _embedded(recipe: Recipe) -> Recipe:
    """The recipe on the embedded digits, a few at a time: characters change no count."""
    data: SceneData | DrawingData = replace(recipe.data, glyphs="digits")
    return replace(recipe, data=data, phases=tuple(replace(phase, batch=BATCH) for phase in recipe.phases))


@cache
def counts(name: str) -> Counts:
    """The counts of a recipe's first phase."""
    recipe = _embedded(get_recipe(name))
    run, phase = start(recipe, 0, CPU), recipe.phases[0]
    step = make_step(run.model, run.optimiser, phase, "eager", CPU, run.ranks)
    feed = Feed(draw(run, recipe.data.source("train"), phase), schedule_weights(run, phase, 0))
    step(feed)  # Adam makes its memory in the first step
    with Operations() as operations:
        step(feed)
    with FlopCounterMode(display=False) as arithmetic:
        step(feed)
    parameters = sum(parameter.numel() for parameter in run.model.parameters())
    return Counts(operations.count, arithmetic.get_total_flops() / BATCH, parameters)


def adding_up(parameters: int, gpus: int) -> float:
    """Seconds of a ring all-reduce of all gradients, none of it hidden behind the backward pass."""
    if gpus == 1:
        return 0.0
    speed, hop = (INSIDE, HOP_INSIDE) if gpus <= NODE else (BETWEEN, HOP_BETWEEN)
    return 2 * (gpus - 1) / gpus * BYTES * parameters / speed + 2 * (gpus - 1) * hop


def estimate(found: Counts, gpus: int, batch: int, graph: bool = False) -> Estimate:
    """A step of a joint batch: launching or arithmetic, whichever is longer, then adding up."""
    computing = max(found.operations * (REPLAY if graph else LAUNCH), found.arithmetic * batch / gpus / ARITHMETIC)
    sending = adding_up(found.parameters, gpus)
    seconds = computing + sending
    return Estimate(seconds, batch / seconds, sending / seconds)
