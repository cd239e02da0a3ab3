"""A training step of each model, beside the same step done the plain way: CPU time and peak tensor memory.

The step is the training loop's own: batch, loss, gradient, clip, update, averages. The plain way changes what follows
from its names below and nothing else; network, batch and arithmetic are the same, and the code is ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.entries import Entry, memory, timed
from benchmarks.measure import Effort, Work
from benchmarks.render import grid_sample_glimpse, grid_sample_sum
from neurosym_lite.latents import Where
from neurosym_lite.models import gnm
from neurosym_lite.models.gnm_config import PAPER_MNIST
from neurosym_lite.render.ink import PAPER_SAMPLES
from neurosym_lite.training.loop import Run, start, train_step
from neurosym_lite.training.recipe import DrawingData, Recipe, SceneData
from neurosym_lite.training.recipes import get_recipe

GROUP = "step"
BANK = 512  # scenes that a phase with a bank infers beforehand, which is no part of a step
PAPER_BATCH = 32  # images (released code of GNM)
LOOP = "Adam and the weights' averages one parameter at a time"
SAMPLER = f"`affine_grid` and `grid_sample` to read and paste, {LOOP}"
PEN = f"the paper's pen, {LOOP}"
SAME = f"{LOOP}; the model is the same"


class Case(NamedTuple):
    """A model's step."""

    name: str
    recipe: Recipe
    reference: Recipe
    """The recipe that is trained the plain way."""
    against: str


def cases() -> list[Case]:
    """The steps that are measured, all on the embedded digits."""
    lite = get_recipe("gnm-digits4-lite")
    phases = {"symbols": SAMPLER, "prior": f"{LOOP}; nothing is drawn in this phase", "joint": SAMPLER}
    found = [
        Case(f"GNM lite, {word}", *2 * (one_phase(lite, index),), against)
        for index, (word, against) in enumerate(phases.items())
    ]
    paper = one_phase(get_recipe("gnm-mnist10"), 0)
    paper = replace(paper, model=PAPER_MNIST, data=SceneData("mnist10", "digits", PAPER_MNIST.image_size))
    paper = replace(paper, phases=(replace(paper.phases[0], batch=PAPER_BATCH),))
    dood = get_recipe("dood-digits-lite")
    pen = replace(dood, model=replace(dood.model, pen="sum-max-tanh", samples=PAPER_SAMPLES))
    air = replace(get_recipe("difference-air-mnist-lite"), data=DrawingData("digits"))
    vae = get_recipe("vae-digits1-lite")
    return [
        *found,
        Case("GNM, the paper's size", paper, paper, SAMPLER),
        Case("DooD lite", dood, pen, PEN),
        Case("Difference-AIR lite", air, air, SAME),
        Case("VAE lite", vae, vae, SAME),
    ]


def one_phase(recipe: Recipe, index: int) -> Recipe:
    """The recipe with one of its phases alone, and a small bank where the phase has one."""
    phase = recipe.phases[index]
    return replace(recipe, phases=(replace(phase, bank=BANK if phase.bank else 0),))


def job(recipe: Recipe, plain: bool = False) -> Work:
    """A closure that does one training step on fresh images."""
    run = start(recipe, 0, torch.device("cpu"))
    source = recipe.data.source("train")
    if not plain:
        return lambda: train_step(run, source)
    run.optimiser = _one_by_one(run)

    def work() -> None:
        with plain_way():
            train_step(run, source)

    return work


def _one_by_one(run: Run) -> torch.optim.Optimizer:
    """The loop's optimiser as a Python loop over parameters."""
    wanted = [p for p in run.model.parameters() if p.requires_grad]
    return torch.optim.Adam(wanted, lr=0.0, foreach=False, fused=False)


@contextmanager
def plain_way() -> Iterator[None]:
    """While this is on, GNM reads and pastes by torch's sampler, and averages are taken tensor by tensor."""
    with (
        patch.object(gnm, "compose_sum", _plain_sum),
        patch.object(gnm, "glimpse", grid_sample_glimpse),
        patch.object(torch, "_foreach_lerp_", _lerp_one_by_one),
    ):
        yield


def _plain_sum(glimpses: Tensor, pres: Tensor, where: Where, canvas: tuple[int, int]) -> Tensor:
    """`compose_sum` by torch's sampler."""
    return grid_sample_sum(glimpses * pres[:, :, None, None, None], where, canvas)


def _lerp_one_by_one(averages: list[Tensor], weights: list[Tensor], share: float) -> None:
    for average, weight in zip(averages, weights, strict=True):
        average.lerp_(weight, share)


def entries(effort: Effort) -> list[Entry]:
    """CPU milliseconds and MiB of a step of each model."""
    found = []
    for case in cases():
        ours, reference = job(case.recipe), job(case.reference, plain=True)
        found.append(timed(GROUP, case.name, ours, reference, case.against, effort))
        found.append(memory(GROUP, case.name, ours, reference, case.against))
    return found
