"""What models that draw in sequence share: a drawing's prefixes, a Laplace likelihood, and the stop's loss."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neurosym_lite.distributions import LOG_TWO_PI, Gaussian
from neurosym_lite.models.dood_config import WHERE_HIGH, WHERE_LOW, AIRConfig, DooDConfig
from neurosym_lite.models.stop import Baseline, Prefixes, StopTerms, bound, exact, log_stop, nvil, summed


class DrawingWeights(NamedTuple):
    """What training changes from step to step."""

    any_time: Float[Tensor, ""]
    """Share of the parts' weight that is spread evenly over the stops; 1 while warming up."""
    price: Float[Tensor, ""] = torch.tensor(10.0)
    """Nats asked for each part (stop "summed")."""
    beta: Float[Tensor, ""] = torch.tensor(4.0)
    """Divides the log likelihood in NVIL's signal (stop "nvil")."""
    normal: Float[Tensor, ""] = torch.tensor(0.0)
    """Share of a normal log likelihood in the loss, while a neural decoder learns to draw anything at all."""


class DrawingLoss(NamedTuple):
    """What is minimised and what came of it, an image; KL and log likelihood in nats, under q's stopping times."""

    log_likelihood: Float[Tensor, "B"]
    kl: Float[Tensor, "B"]
    bound: Float[Tensor, "B"]
    """log sum_t p(stop = t) exp(f_t), a bound on log p(x) whichever way the stop is learned, but while
    `DrawingWeights.normal` is above 0, when the log likelihood is a blend of two and of no density."""
    parts: Float[Tensor, "B"]
    """Expected number of parts under q_on."""
    error: Float[Tensor, "B"]
    """L1 distance of the canvas, as a share of the image's ink."""
    scale: Float[Tensor, "B"]
    """b, the scale of the likelihood."""
    total: Float[Tensor, "B"]


class Encoder(nn.Module):
    """Images (B, channels, side, side) to vectors (B, outputs): convolutions and a linear layer, ReLU after each."""

    def __init__(self, channels: int, side: int, filters: tuple[int, ...], strides: tuple[int, ...], outputs: int):
        """Raises ValueError when filters and strides differ in number."""
        super().__init__()
        if len(filters) != len(strides):
            raise ValueError(f"need one stride a layer: got filters {filters}, strides {strides}")
        widths, layers = (channels, *filters), []
        for a, b, stride in zip(widths[:-1], filters, strides, strict=True):
            layers += [nn.Conv2d(a, b, 4 if stride == 2 else 3, stride, 1), nn.ReLU()]
            side //= stride
        if not filters:
            layers, side = [nn.AvgPool2d(2)], side // 2
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * side**2, outputs), nn.ReLU())

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D"]:
        """The images' codes."""
        return self.layers(images)


def head(inputs: int, hidden: int, outputs: int, gain: float = 1.0, bias: tuple[float, ...] = ()) -> nn.Sequential:
    """Linear, ReLU, linear; `gain` scales the last layer's first weights, `bias` is its first bias where given."""
    last = nn.Linear(hidden, outputs)
    with torch.no_grad():
        last.weight.mul_(gain)
        if bias:
            last.bias.copy_(torch.tensor(bias))
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), last)


WHERE_START = (0.0, 0.0, 2.0, 0.0, -3.0, -3.0, -3.0, -3.0)  # in the middle, large, upright; narrow
STD_FLOOR = 1e-3  # of posteriors


def between(raw: Float[Tensor, "*shape"], low: float | Tensor, high: float | Tensor) -> Float[Tensor, "*shape"]:
    """A network's output squashed into a range."""
    return low + raw.sigmoid() * (high - low)


class Drawer(nn.Module):
    """Draws T parts in sequence on a black canvas; subclasses say how."""

    Weights, Loss = DrawingWeights, DrawingLoss

    def __init__(self, config: DooDConfig | AIRConfig) -> None:
        super().__init__()
        self.config = config
        self.raw_scale = nn.Parameter(torch.zeros(()))
        self.register_buffer("where_range", torch.tensor([WHERE_LOW, WHERE_HIGH]), persistent=False)
        self.register_buffer("signal_mean", torch.zeros(()))
        self.register_buffer("signal_variance", torch.ones(()))

    @property
    def scale(self) -> Float[Tensor, ""]:
        """b of the Laplace likelihood, between its floor and 1 (pixels in [0, 1])."""
        return between(self.raw_scale, self.config.scale_floor, 1.0)

    def where_posterior(self, raw: Float[Tensor, "B 8"]) -> Gaussian:
        """q(z_where): the mean within its range, the std between STD_FLOOR and about 1."""
        mean, std = raw.chunk(2, dim=1)
        return Gaussian(between(mean, *self.where_range), std.sigmoid() + STD_FLOOR)

    def log_likelihood(
        self, images: Float[Tensor, "B 1 H W"], canvases: Float[Tensor, "B stops H W"]
    ) -> Float[Tensor, "B stops"]:
        """log Laplace(x; canvas, b) of each prefix, nats (DooD, equation 5; one b for all pixels)."""
        error = (images - canvases).abs().sum((2, 3))
        return -error / self.scale - images.shape[1:].numel() * (2 * self.scale).log()

    def normal_log_likelihood(
        self, images: Float[Tensor, "B 1 H W"], canvases: Float[Tensor, "B stops H W"]
    ) -> Float[Tensor, "B stops"]:
        """log N(x; canvas, scale^2) of each prefix, nats: its best guess for an uncertain pixel is grey, not black."""
        square = ((images - canvases) / self.scale).square().sum((2, 3))
        return -0.5 * square - images.shape[1:].numel() * (self.scale.log() + 0.5 * LOG_TWO_PI)

    def stop_terms(self, prefixes: Prefixes, prediction: Float[Tensor, "B T"], weights: DrawingWeights) -> StopTerms:
        """The configured way to learn the stop."""
        if self.config.stop == "summed":
            return summed(prefixes, weights.price, weights.any_time)
        if self.config.stop == "exact":
            return exact(prefixes, weights.any_time)
        running = (self.signal_mean, self.signal_variance)
        baseline = Baseline(prediction, *(running if self.training else (value.clone() for value in running)))
        return nvil(prefixes, baseline, weights.beta, weights.any_time)

    def drawing_loss(
        self,
        images: Float[Tensor, "B 1 H W"],
        canvases: Float[Tensor, "B stops H W"],
        prefixes: Prefixes,
        prediction: Float[Tensor, "B T"],
        weights: DrawingWeights,
    ) -> DrawingLoss:
        """The loss of one draw, and what to watch."""
        softer = self.normal_log_likelihood(images, canvases)
        prefixes = prefixes._replace(log_likelihood=torch.lerp(prefixes.log_likelihood, softer, weights.normal))
        terms = self.stop_terms(prefixes, prediction, weights)
        with torch.no_grad():
            share = log_stop(prefixes.q_on).exp()
            kl = F.pad(prefixes.kl.cumsum(1), (1, 0))
            error = (images - canvases).abs().sum((2, 3)) / images.sum((1, 2, 3))[:, None].clamp_min(1)
            number = torch.arange(share.shape[1], device=share.device)
            lower_bound = bound(prefixes)
        return DrawingLoss(
            log_likelihood=(share * prefixes.log_likelihood).sum(1),
            kl=(share * kl).sum(1),
            bound=lower_bound,
            parts=(share * number).sum(1),
            error=(share * error).sum(1),
            scale=self.scale.expand(len(images)),
            total=-(terms.parts + terms.stop),
        )
