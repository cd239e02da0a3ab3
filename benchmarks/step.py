"""A training step of the lite model, stage by stage, and of the paper's, beside the same step done the plain way.

The plain way: affine_grid and grid_sample with a canvas an object, and RMSprop one tensor at a time, which is how the
facts about the released code describe its step. Network, batch and arithmetic are the same; the code is ours.
"""

from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Generator, Tensor, nn

from benchmarks.measure import cpu_milliseconds
from benchmarks.render import grid_sample_sum
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.latents import Where
from neurosym_lite.models import gnm
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import PAPER_MNIST, GNMConfig
from neurosym_lite.models.objective import GNMWeights
from neurosym_lite.training.bank import SymbolBank
from neurosym_lite.training.recipes import get_recipe

BATCH = 32
WEIGHTS = GNMWeights(temperature=torch.tensor(0.5), presence=torch.tensor(0.1))


def _plain_sum(glimpses: Tensor, pres: Tensor, where: Where, canvas: tuple[int, int]) -> Tensor:
    return grid_sample_sum(glimpses * pres[:, :, None, None, None], where, canvas)


def _step(config: GNMConfig, objective: str = "loss", plain: bool = False) -> Callable[[], None]:
    """A closure that does one step on fresh scenes of ten digits."""
    torch.manual_seed(0)
    model, generator = GNM(config), Generator().manual_seed(0)
    source = SceneSource("mnist10", "digits", "train", config.image_size)
    kind = {"foreach": False} if plain else {"fused": True}
    optimiser = (torch.optim.RMSprop if plain else torch.optim.Adam)(model.parameters(), 1e-4, **kind)
    bank = SymbolBank(model, source, BATCH, generator) if objective == "prior_loss" else None

    def work() -> None:
        inputs = bank.batch(BATCH, generator) if bank else source.batch(BATCH, generator).images.float() / 255
        optimiser.zero_grad()
        getattr(model, objective)(inputs, WEIGHTS).total.mean().backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 10.0)
        optimiser.step()

    return work


def step_milliseconds() -> dict[str, float]:
    """CPU milliseconds of a step of 32 images on one thread, and how much the plain way costs more."""
    lite = get_recipe("gnm-digits4-lite").model
    jobs = {
        "lite_symbols": _step(lite, "symbol_loss"),
        "lite_prior": _step(lite, "prior_loss"),
        "lite_joint": _step(lite),
        "paper": _step(PAPER_MNIST),
    }
    results = {name: round(cpu_milliseconds(work, rounds=5, repeats=2), 1) for name, work in jobs.items()}
    ratios = []
    for _ in range(3):  # in turn, so that a busy machine slows both
        ours = cpu_milliseconds(jobs["paper"], rounds=2, repeats=1)
        with patch.object(gnm, "compose_sum", _plain_sum):
            ratios.append(cpu_milliseconds(_step(PAPER_MNIST, plain=True), rounds=2, repeats=1) / ours)
    results["paper_plain_ratio"] = round(sorted(ratios)[1], 2)
    return results


def sampling_seconds() -> float:
    """CPU seconds to imagine 1,000 scenes of 64 x 64 pixels."""
    model = GNM(get_recipe("gnm-digits4-lite").model).eval()
    generator = Generator().manual_seed(0)
    return round(cpu_milliseconds(lambda: [model.sample(100, generator) for _ in range(10)], 3, 1) / 1000, 2)
