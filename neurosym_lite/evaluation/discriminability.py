"""D-Steps: how many steps does a classifier need to tell generated scenes from real ones? (GNM, section 4.)

The paper gives neither network nor schedule. Ours is fixed here: the trunk of table 6 without norms, Adam, as many
fresh real as fresh generated scenes a step and none twice, a look at held-out ones every LOOK steps. The number is the
first step at which the mean of three looks reaches 90 % accuracy, or the cap. It says something beside another model's
alone, and beside that of real scenes against real scenes, which has to reach the cap. It says when this network is
right nine times of ten, not how large the differences are: `told_by_brightness` needs no network, and finds many.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn

HALF = 32  # real scenes a step, and as many generated ones
HELD_OUT = 512  # real scenes a look, and as many generated ones
LOOK = 20  # steps between looks
IN_A_ROW, TOLD_APART = 3, 0.9  # looks whose mean accuracy has to reach this
LEARNING_RATE = 1e-4
BRIGHT = 230  # of 255: a pixel of nearly full ink
FILTERS, STRIDES = (16, 16, 32, 32, 64, 64, 64, 64, 64), (2, 1, 2, 1, 2, 1, 2, 1, 2)  # table 6, 64 wide as for MNIST

Draw = Callable[[int, Generator], UInt8[Tensor, "n C H W"]]


class Look(NamedTuple):
    """How well real and generated scenes are told apart."""

    step: int
    accuracy: float
    """Share of held-out scenes that are classified rightly."""


def discriminator(channels: int, size: int) -> nn.Sequential:
    """Images in [0, 1] to one logit: is this a real scene?"""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in zip((channels, *FILTERS), FILTERS, STRIDES, strict=False):
        layers += [nn.Conv2d(inputs, outputs, 4 if stride == 2 else 3, stride, 1), nn.CELU()]
    side = size // 2 ** sum(stride == 2 for stride in STRIDES)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(FILTERS[-1] * side**2, 1), nn.Flatten(0))


def learning_curve(real: Draw, generated: Draw, seed: int, cap: int) -> list[Look]:
    """Train a classifier until scenes are told apart or `cap` steps are done; each look at held-out scenes.

    Both are drawn from equal generators. A control that gives the same source twice has to see to it that the second
    draws other scenes than the first: told from themselves, pictures give one half whatever was learned.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        held = torch.cat([draw(HELD_OUT, Generator().manual_seed(seed + 1)) for draw in (real, generated)])
        model = discriminator(held.shape[1], held.shape[-1])
    generator = Generator().manual_seed(seed + 2)
    optimiser = torch.optim.Adam(model.parameters(), LEARNING_RATE, fused=True)
    curve: list[Look] = []
    while not told_apart(curve) and (step := LOOK * len(curve)) < cap:
        for _ in range(min(LOOK, cap - step)):
            batch = torch.cat([draw(HALF, generator) for draw in (real, generated)])
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(model(batch.float() / 255), _truth(HALF)).backward()
            optimiser.step()
        curve.append(Look(min(step + LOOK, cap), _accuracy(model, held)))
    return curve


def _truth(n: int) -> Float[Tensor, "both"]:
    """n real scenes, then n generated ones."""
    return torch.cat([torch.ones(n), torch.zeros(n)])


@torch.no_grad()
def _accuracy(model: nn.Module, held: UInt8[Tensor, "n C H W"]) -> float:
    logits = torch.cat([model(images.float() / 255) for images in held.split(128)])
    return float(((logits > 0) == (_truth(len(held) // 2) > 0)).float().mean())


def told_apart(curve: list[Look]) -> bool:
    """Do the last three looks reach the accuracy on average?"""
    last = curve[-IN_A_ROW:]
    return len(last) == IN_A_ROW and sum(look.accuracy for look in last) / IN_A_ROW >= TOLD_APART


def d_steps(curve: list[Look], cap: int) -> int:
    """The step at which they were told apart, or the cap."""
    return curve[-1].step if told_apart(curve) else cap


def told_by_brightness(real: UInt8[Tensor, "n C H W"], generated: UInt8[Tensor, "n C H W"]) -> float:
    """Share that one threshold on one number, an image's count of bright pixels, classifies rightly.

    The threshold, and on which side of it the real ones are, are chosen on the first half of both; the share is of the
    second.
    """
    counts = torch.stack([(images >= BRIGHT).flatten(1).sum(1) for images in (real, generated)])
    chosen, tested = counts.tensor_split(2, dim=1)
    thresholds = torch.cat([chosen.unique(), chosen.max()[None] + 1])

    def more(counts: Tensor) -> Tensor:
        """By threshold: the share rightly classified if the real ones have as many bright pixels, or more."""
        at_least = (counts[:, :, None] >= thresholds).double().mean(1)
        return (at_least[0] + 1 - at_least[1]) / 2

    best = (more(chosen) - 0.5).abs().argmax()
    right = more(tested)[best]
    return float(right if more(chosen)[best] >= 0.5 else 1 - right)
