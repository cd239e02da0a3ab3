"""A training step of DooD and AIR at lite size, beside one with the paper's pen; strokes fitted by gradient."""

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator

from benchmarks.measure import cpu_milliseconds
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.evaluation.strokes import relative_l1
from neurosym_lite.models.dood_config import AIRConfig, DooDConfig
from neurosym_lite.render.ink import PAPER_SAMPLES, ink
from neurosym_lite.render.ink_compose import soft_or
from neurosym_lite.training.loop import start, train_step
from neurosym_lite.training.recipes import get_recipe

FITTED, STROKES, STEPS = 32, 3, 250  # digits, strokes a digit, steps of Adam


def _step(model: DooDConfig | AIRConfig) -> Callable[[], None]:
    """A closure that does one training step on 64 of the embedded digits."""
    run = start(replace(get_recipe("dood-digits-lite"), model=model), 0, torch.device("cpu"))
    source = DrawingSource("digits")
    return lambda: train_step(run, source)


def step_milliseconds() -> dict[str, float]:
    """CPU milliseconds of a step of 64 drawings on one thread, and how much DooD's costs more with the paper's pen."""
    dood = get_recipe("dood-digits-lite").model
    ours, air = _step(dood), _step(get_recipe("difference-air-mnist-lite").model)
    theirs = _step(replace(dood, pen="sum-max-tanh", samples=PAPER_SAMPLES))
    pairs = [(cpu_milliseconds(theirs, 1, 1), cpu_milliseconds(ours, 3, 2)) for _ in range(3)]
    return {
        "dood": round(min(mine for _, mine in pairs), 1),
        "difference_air": round(cpu_milliseconds(air, 5, 2), 1),
        "paper_pen_ratio": round(sorted(paper / mine for paper, mine in pairs)[1], 2),
    }


def fit() -> dict[str, float]:
    """CPU seconds to fit three strokes each to 32 digits by 250 steps of Adam, and the relative L1 they end with."""
    digits = glyphs("digits", "test").images[:FITTED].float() / 255
    generator = Generator().manual_seed(0)
    points = (0.3 * torch.randn(FITTED, STROKES, 5, 2, generator=generator)).requires_grad_()
    widths = torch.tensor([1.2, 1.2]).log().repeat(FITTED, STROKES, 1).requires_grad_()  # log radius and softness
    adam = torch.optim.Adam([points, widths], lr=0.05)

    def drawn() -> torch.Tensor:
        return soft_or(ink(points, *widths.exp().unbind(-1), digits.shape[1:]))

    def step() -> None:
        adam.zero_grad()
        (drawn() - digits).square().sum().backward()
        adam.step()

    began = time.process_time()
    for _ in range(STEPS):
        step()
    seconds = time.process_time() - began
    return {"cpu_seconds": round(seconds, 2), "relative_l1": round(relative_l1(drawn().detach(), digits[:, None]), 3)}
