"""Strokes fitted by gradient: three Bezier curves each to 32 of the embedded digits, by our pen and by the paper's."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from benchmarks.entries import Entry, alone, timed
from benchmarks.measure import Effort
from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.evaluation.strokes import relative_l1
from neurosym_lite.render.ink import ink, ink_sum_max_tanh
from neurosym_lite.render.ink_compose import soft_or

GROUP = "renderers"
FITTED, STROKES, STEPS = 32, 3, 250  # digits, strokes a digit, steps of Adam
TIMED = 2  # steps that are timed: the paper's pen is slow


class Fit:
    """A fit on its way, by one pen."""

    def __init__(self, pen: Callable[..., Tensor]) -> None:
        self.pen, self.digits = pen, glyphs("digits", "test").images[:FITTED].float() / 255
        generator = Generator().manual_seed(0)
        self.points = (0.3 * torch.randn(FITTED, STROKES, 5, 2, generator=generator)).requires_grad_()
        widths = torch.tensor([1.2, 1.2]).log()  # log radius and softness, or log blur and slope
        self.widths = widths.repeat(FITTED, STROKES, 1).requires_grad_()
        self.adam = torch.optim.Adam([self.points, self.widths], lr=0.05)

    def drawn(self) -> Tensor:
        """The strokes of each digit on one canvas."""
        return soft_or(self.pen(self.points, *self.widths.exp().unbind(-1), tuple(self.digits.shape[1:])))

    def steps(self, n: int) -> None:
        """n steps of Adam on the squared error."""
        for _ in range(n):
            self.adam.zero_grad()
            (self.drawn() - self.digits).square().sum().backward()
            self.adam.step()


def fit(effort: Effort) -> list[Entry]:
    """CPU milliseconds of a few steps, and the relative L1 that 250 steps end with."""
    ours, paper = Fit(ink), Fit(ink_sum_max_tanh)
    done = Fit(ink)
    done.steps(STEPS)
    error = relative_l1(done.drawn().detach(), done.digits[:, None])
    name = f"fit {STROKES} strokes to each of {FITTED} digits"
    return [
        timed(
            GROUP, f"{name}, {TIMED} steps", lambda: ours.steps(TIMED),
            lambda: paper.steps(TIMED), "the same fit with the paper's pen", effort,
        ),
        alone(
            GROUP, f"{name}, {STEPS} steps", "relative L1", float(error),
            "what is left of the ink, whatever the pen costs", "sum of absolute errors over the sum of ink",
        ),
    ]  # fmt: skip
