"""What passes between the steps of DooD: memory, a stroke as it was read, a drawing, a stroke's prior."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from neurosym_lite.distributions import Bernoulli, GaussianMixture
from neurosym_lite.latents import StrokeLatents


class Memory(NamedTuple):
    """What the drawer carries from stroke to stroke; p and q share it (section 2.1)."""

    canvas: Float[Tensor, "B H W"]
    layout: Float[Tensor, "B D"]
    """State of the layout network, h^l."""
    stroke: Float[Tensor, "B D"]
    """State of the stroke network, h^s."""
    where: Float[Tensor, "B 4"]
    points: Float[Tensor, "B P 2"]


class Stroke(NamedTuple):
    """One stroke as it was read: what was drawn, how surely, and what the prior needs to judge it."""

    q_on: Float[Tensor, "B"]
    where: Float[Tensor, "B 4"]
    points: Float[Tensor, "B P 2"]
    log_q: Float[Tensor, "B"]
    """log q(z_where) + log q(points)."""
    pen: Float[Tensor, "B 2"]
    """Radius and softness, pixels."""
    canvas: Float[Tensor, "B H W"]
    """After the stroke."""
    canvas_code: Float[Tensor, "B D"]
    canvas_glimpse: Float[Tensor, "B 1 h w"]
    layout: Float[Tensor, "B D"]
    stroke: Float[Tensor, "B D"]
    prediction: Float[Tensor, "B"]
    """NVIL's baseline."""

    def memory(self) -> Memory:
        """What is carried on after it."""
        return Memory(self.canvas, self.layout, self.stroke, self.where, self.points)


class StrokePrior(NamedTuple):
    """p of each stroke given the canvas before it."""

    on: Bernoulli
    where: GaussianMixture
    points: GaussianMixture
    """One mixture a control point (equation 3)."""

    def log_prob(
        self, where: Float[Tensor, "*batch 4"], points: Float[Tensor, "*batch P 2"]
    ) -> Float[Tensor, "*batch"]:
        """log p(z_where) + log p(points), nats."""
        return self.where.log_prob(where) + self.points.log_prob(points).sum(-1)


class Drawing(NamedTuple):
    """An image read stroke by stroke: all T strokes, whatever q_on says; axis 1 is the stroke."""

    latents: StrokeLatents
    """`on` is 1 up to the first place where q_on says that stopping is likelier than going on."""
    pen: Float[Tensor, "B T 2"]
    canvases: Float[Tensor, "B stops H W"]
    """After 0 ... T strokes."""
    q_on: Float[Tensor, "B T"]
    log_q: Float[Tensor, "B T"]
    prior: StrokePrior
    prediction: Float[Tensor, "B T"]


class Spread(NamedTuple):
    """Factors on the standard deviations that strokes are sampled with; 1 is the model itself, less is tamer."""

    shift: float = 1.0
    shape: float = 1.0
    """Of a frame's scale and rotation."""
    points: float = 1.0

    def of_layout(self, prior: GaussianMixture) -> GaussianMixture:
        """The same prior of z_where, drawn from more narrowly."""
        factors = prior.std.new_tensor((self.shift, self.shift, self.shape, self.shape))
        return prior._replace(std=factors * prior.std)

    def of_points(self, prior: GaussianMixture) -> GaussianMixture:
        """The same prior of control points, drawn from more narrowly."""
        return prior._replace(std=self.points * prior.std)


FULL_SPREAD = Spread()
PAPER_SPREAD = Spread(shift=0.1, shape=0.7**0.5, points=0.1)
"""What the paper's figure 6 was drawn with: its code multiplies the covariances by 0.01, 0.7 and 0.01."""
