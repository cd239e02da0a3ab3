"""What the models draw from: Gaussians, Bernoullis (hard and relaxed), mixtures, and their closed forms.

Written out rather than taken from torch.distributions: every formula here is the one in the papers, each is checked
against torch.distributions and against Monte Carlo in the tests, and none of them looks at its values, so a training
step can be captured as a CUDA graph.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

LOG_TWO_PI = math.log(2 * math.pi)
LEAST_STD = 1e-3  # of what a network says: keeps KLs finite (the released GNM has none)


class Gaussian(NamedTuple):
    """A diagonal Gaussian N(mean, std^2)."""

    mean: Float[Tensor, "*shape"]
    std: Float[Tensor, "*shape"]

    def sample(self, generator: Generator | None = None) -> Float[Tensor, "*shape"]:
        """Draw as mean + std * noise, so that gradients reach both (Kingma & Welling 2014, section 2.4)."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + self.std * noise

    def log_prob(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Log density in nats, one number a coordinate."""
        return -0.5 * ((value - self.mean) / self.std) ** 2 - self.std.log() - 0.5 * LOG_TWO_PI

    def entropy(self) -> Float[Tensor, "*shape"]:
        """Entropy in nats, one number a coordinate."""
        return self.std.log() + 0.5 * (1 + LOG_TWO_PI)


def standard_gaussian(shape: tuple[int, ...], like: Tensor) -> Gaussian:
    """N(0, I) in a shape, on the device and in the type of `like`."""
    return Gaussian(like.new_zeros(shape), like.new_ones(shape))


class Bernoulli(NamedTuple):
    """A yes or no, given by its logit log(p / (1 - p))."""

    logits: Float[Tensor, "*shape"]

    @property
    def probability(self) -> Float[Tensor, "*shape"]:
        """Probability of a one."""
        return self.logits.sigmoid()

    def mode(self) -> Float[Tensor, "*shape"]:
        """The likelier value, 0 or 1."""
        return (self.logits > 0).to(self.logits.dtype)

    def sample(self, generator: Generator | None = None) -> Float[Tensor, "*shape"]:
        """Draw 0 or 1. No gradient passes."""
        uniform = torch.rand(self.logits.shape, generator=generator, device=self.logits.device, dtype=self.logits.dtype)
        return (uniform < self.probability).to(self.logits.dtype)

    def relaxed_sample(
        self, temperature: Float[Tensor, ""] | float, generator: Generator | None = None
    ) -> Float[Tensor, "*shape"]:
        """Draw from the Concrete distribution, a number in (0, 1) that gradients pass through.

        The lower the temperature, the nearer to 0 or 1 (Maddison, Mnih & Teh 2017; Jang, Gu & Poole 2017).
        """
        uniform = torch.rand(self.logits.shape, generator=generator, device=self.logits.device, dtype=self.logits.dtype)
        uniform = uniform.clamp(1e-6, 1 - 1e-6)
        logistic = uniform.log() - (-uniform).log1p()
        return ((self.logits + logistic) / temperature).sigmoid()

    def log_prob(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Log probability in nats of a value that is 0 or 1."""
        return value * F.logsigmoid(self.logits) + (1 - value) * F.logsigmoid(-self.logits)


class GaussianMixture(NamedTuple):
    """A mixture of M diagonal Gaussians over D coordinates; the components are the second axis from the right."""

    logits: Float[Tensor, "*shape M"]
    mean: Float[Tensor, "*shape M D"]
    std: Float[Tensor, "*shape M D"]

    def sample(self, generator: Generator | None = None) -> Float[Tensor, "*shape D"]:
        """Draw a component, then a point from it. No gradient passes to the component's choice."""
        weights = self.logits.softmax(-1)
        flat = weights.reshape(-1, weights.shape[-1])
        component = torch.multinomial(flat, 1, generator=generator).reshape(*weights.shape[:-1], 1, 1)
        index = component.expand(*weights.shape[:-1], 1, self.mean.shape[-1])
        chosen = Gaussian(self.mean.gather(-2, index).squeeze(-2), self.std.gather(-2, index).squeeze(-2))
        return chosen.sample(generator)

    def log_prob(self, value: Float[Tensor, "*shape D"]) -> Float[Tensor, "*shape"]:
        """Log density in nats: log sum_m weight_m N(value; mean_m, std_m)."""
        each = Gaussian(self.mean, self.std).log_prob(value[..., None, :].expand(self.mean.shape)).sum(-1)
        return torch.logsumexp(self.logits.log_softmax(-1) + each, dim=-1)


def gaussian_head(parameters: Float[Tensor, "*batch E"]) -> Gaussian:
    """Read a network's output as a Gaussian: the first half of the last axis the means, the second half the stds.

    std = softplus(raw) + LEAST_STD. The last axis is E = 2 D.
    """
    mean, raw = parameters.chunk(2, dim=-1)
    return Gaussian(mean, F.softplus(raw) + LEAST_STD)


def kl_gaussian(q: Gaussian, p: Gaussian) -> Float[Tensor, "*shape"]:
    """KL(q || p) in nats, one number a coordinate: log(s_p / s_q) + (s_q^2 + (m_q - m_p)^2) / (2 s_p^2) - 1/2."""
    ratio = (q.std / p.std) ** 2
    return 0.5 * (ratio + ((q.mean - p.mean) / p.std) ** 2 - 1 - ratio.log())


def kl_bernoulli(q: Bernoulli, p: Bernoulli) -> Float[Tensor, "*shape"]:
    """KL(q || p) in nats from logits alone, so that probabilities near 0 and 1 lose nothing."""
    yes = q.logits.sigmoid() * (F.logsigmoid(q.logits) - F.logsigmoid(p.logits))
    no = (-q.logits).sigmoid() * (F.logsigmoid(-q.logits) - F.logsigmoid(-p.logits))
    return yes + no


def image_log_likelihood(
    image: Float[Tensor, "B C H W"], mean: Float[Tensor, "B C H W"], sigma: float
) -> Float[Tensor, "B"]:
    """log N(image; mean, sigma^2 I) in nats, summed over channels and pixels (GNM section 3.4; pixels in [0, 1]).

    Its ceiling is -(log sigma + log(2 pi) / 2) a pixel: values are comparable only at the same sigma and resolution.
    """
    error = (((image - mean) / sigma) ** 2).flatten(1).sum(1)
    pixels = image.shape[1:].numel()
    return -0.5 * error - pixels * (math.log(sigma) + 0.5 * LOG_TWO_PI)
