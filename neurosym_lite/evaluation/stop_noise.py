"""How noisy is the gradient that the stop learns from? One model, one batch of images, many draws."""

from copy import deepcopy
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.stop import SIGNAL_UNIT, Baseline, Prefixes, StopTerms, exact, nvil

SETTLING = 300  # steps for NVIL's baseline to learn what to expect, before anything is measured
BASELINE_RATE = 3e-3  # its learning rate meanwhile


class GradientNoise(NamedTuple):
    """The gradient of q_on's parameters over repeated draws of everything random."""

    mean: Float[Tensor, "E"]
    std: float
    """Root of the summed variances of its entries."""

    @property
    def signal_to_noise(self) -> float:
        """Length of the mean over the standard deviation."""
        return float(self.mean.norm()) / self.std


class StopNoise(NamedTuple):
    """The same for two estimators of the same gradient."""

    exact: GradientNoise
    nvil: GradientNoise
    """With a settled baseline and centring, its own scaling taken back."""


def stop_noise(model: DooD | AIR, images: Float[Tensor, "B 1 H W"], repeats: int = 60) -> StopNoise:
    """Gradient of the ELBO by q_on, by the exact sum over the stop and by NVIL, in nats an image.

    The model is left as it is; draws come from torch's default generator.
    """
    model = deepcopy(model).requires_grad_(False)
    model.signal_mean.zero_()
    model.signal_variance.fill_(1.0)
    settle_baseline(model, images)
    model.q_on.requires_grad_(True)
    by_exact, by_nvil = [], []
    for _ in range(repeats):
        prefixes, prediction = _draw(model, images)
        by_exact.append(_gradient(model, exact(prefixes, torch.tensor(0.0))))
        terms = _nvil(model, prefixes, prediction)
        by_nvil.append(_gradient(model, terms) * (SIGNAL_UNIT * model.signal_variance.sqrt()).clamp_min(1))
    return StopNoise(_noise(by_exact), _noise(by_nvil))


def settle_baseline(model: DooD | AIR, images: Float[Tensor, "B 1 H W"]) -> None:
    """Let NVIL's baseline learn on these images while all else stands still."""
    model.baseline.requires_grad_(True)
    optimiser = torch.optim.Adam(model.baseline.parameters(), BASELINE_RATE)
    for _ in range(SETTLING):
        optimiser.zero_grad()
        prefixes, prediction = _draw(model, images)
        (-_nvil(model, prefixes, prediction).stop.mean()).backward()
        optimiser.step()


def _draw(model: DooD | AIR, images: Tensor) -> tuple[Prefixes, Tensor]:
    drawing = model.infer(images)
    return model.prefixes(images, drawing), drawing.prediction


def _nvil(model: DooD | AIR, prefixes: Prefixes, prediction: Tensor) -> StopTerms:
    baseline = Baseline(prediction, model.signal_mean, model.signal_variance)
    return nvil(prefixes, baseline, torch.tensor(1.0), torch.tensor(0.0))


def _gradient(model: DooD | AIR, terms: StopTerms) -> Float[Tensor, "E"]:
    grads = torch.autograd.grad(terms.stop.mean(), list(model.q_on.parameters()), retain_graph=True)
    return torch.cat([grad.flatten() for grad in grads])


def _noise(gradients: list[Tensor]) -> GradientNoise:
    stacked = torch.stack(gradients)
    return GradientNoise(stacked.mean(0), float(stacked.var(0).sum().sqrt()))
