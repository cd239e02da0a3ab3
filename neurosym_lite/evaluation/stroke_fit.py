"""Strokes onto drawings, by gradient through the pen: onto the drawing that they were read from, and onto another's.

DooD, appendix D.2.3. A drawing is read several times, its strokes are moved until they draw it well, and the best
reading is kept. Then the strokes of one drawing are laid onto another: an affine map of them all, and a little move of
each control point for itself. Gaussian priors say what the moves cost.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from neurosym_lite.models.dood import DooD
from neurosym_lite.render.axes import pixel_centres
from neurosym_lite.render.frames import place
from neurosym_lite.render.ink import ink
from neurosym_lite.render.ink_compose import OPACITY

BINOMIAL = (0.25, 0.5, 0.25)  # a blur of one pixel or so
BLURS = 2  # times that pictures are blurred while the fit is coarse


@dataclass(frozen=True)
class FitConfig:
    """How strokes are laid onto a drawing. Chosen on episodes of the background set."""

    scale: float = 0.15  # b of the Laplace likelihood
    samples: int = 32  # points on a curve
    readings: int = 4  # of each drawing: means up to the stop, means of all strokes, and draws of all strokes
    price: float = 10.0  # nats asked for a stroke when the best of a drawing's readings is chosen
    own_steps: int = 60  # of Adam, strokes onto the drawing that they were read from
    own_std: float = 2.0  # pixels that a control point may be off as it was read
    steps: int = 50  # of Adam, strokes onto another's drawing
    points_std: float = 0.5  # pixels that a control point moves for itself
    matrix_std: float = 0.15  # of the entries of the affine map, beside those of the identity
    shift_std: float = 1.5  # pixels
    blurred: float = 0.4  # share of the steps in which both pictures are blurred
    softened: float = 0.6  # share of the steps in which the pen's edge hardens
    softness: float = 1.2  # pixels that it starts softer by
    size_range: tuple[float, float] = (0.6, 1.6)  # of the first guess of the size, by moments
    rates: tuple[float, float, float] = (0.02, 0.15, 0.1)  # of Adam: matrix; shift and points in pixels a step
    own_rates: tuple[float, float] = (0.15, 0.02)  # points in pixels a step; logarithms of radius and softness
    radius: tuple[float, float] = (0.4, 3.0)  # of the pen, pixels
    edge: tuple[float, float] = (0.15, 1.5)  # its softness, pixels
    cost_share: float = 0.5  # of the moves' cost that a score counts
    temperature: float = 10.0  # nats by which two drawings of a support must differ for the better one to decide
    back_share: float = 0.5  # of the way back in the score of both ways


DEFAULT = FitConfig()


class Strokes(NamedTuple):
    """All strokes of several drawings."""

    points: Float[Tensor, "S P 2"]
    """Control points, in canvas coordinates."""
    pen: Float[Tensor, "S 2"]
    """Radius and softness, pixels."""
    owner: Int64[Tensor, "S"]
    """Which drawing the stroke is of."""


class Fitted(NamedTuple):
    """A sets of strokes, each laid onto each of B drawings."""

    log_likelihood: Float[Tensor, "A B"]
    """Without its constant, which all pairs share."""
    cost: Float[Tensor, "A B"]
    """Of the moves: - log of their Gaussian priors, without constants."""

    def score(self, config: FitConfig) -> Float[Tensor, "A B"]:
        """log p(drawing, moves | strokes), with a share of the moves' cost."""
        return self.log_likelihood - config.cost_share * self.cost


def draw(strokes: Strokes, n: int, side: int, samples: int, soften: float = 0.0) -> Float[Tensor, "n side side"]:
    """The n drawings that the strokes make, by soft-or; `soften` pixels are added to the pen's softness."""
    inked = ink(strokes.points, strokes.pen[:, 0], strokes.pen[:, 1] + soften, (side, side), samples)
    clear = torch.zeros(n, side, side).index_add(0, strokes.owner, torch.log1p(-OPACITY * inked))
    return 1 - clear.exp()


@torch.no_grad()
def read_strokes(model: DooD, images: Float[Tensor, "B 1 H W"], readings: int = 1) -> Strokes:
    """The strokes of each drawing as the model reads them; reading r of drawing b belongs to owner r B + b.

    First by the means of its posteriors up to its stop, one stroke at least; then by the means, all strokes; then by
    draws, all strokes. Draws are the same for the same drawings.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        means = model.infer(images, mode=True)
        draws = [model.infer(images) for _ in range(readings - 2)]
    parts = []
    for number, drawing in enumerate([means, means, *draws][:readings]):
        on = drawing.latents.on.sum(1).clamp_min(1) if number == 0 else torch.full((len(images),), model.config.strokes)
        kept = torch.arange(model.config.strokes) < on[:, None]
        points = place(drawing.latents.points, drawing.latents.where)
        parts.append((points[kept], drawing.pen[kept], kept.nonzero()[:, 0] + number * len(images)))
    return Strokes(*(torch.cat(column) for column in zip(*parts, strict=True)))


def best_readings(
    strokes: Strokes, images: Float[Tensor, "B 1 H W"], readings: int, config: FitConfig = DEFAULT
) -> Strokes:
    """Of each drawing's readings the one that draws it best, less a price for each stroke."""
    n, side = len(images), images.shape[-1]
    error = (draw(strokes, readings * n, side, config.samples) - images[:, 0].repeat(readings, 1, 1)).abs()
    number = torch.bincount(strokes.owner, minlength=readings * n)
    worth = -error.sum((1, 2)) / config.scale - config.price * number
    best = worth.view(readings, n).argmax(0)  # of each drawing
    kept = best[strokes.owner % n] == strokes.owner // n
    order = (strokes.owner[kept] % n).argsort(stable=True)
    return Strokes(strokes.points[kept][order], strokes.pen[kept][order], (strokes.owner[kept] % n)[order])


@torch.enable_grad()
def refine(strokes: Strokes, images: Float[Tensor, "B 1 H W"], config: FitConfig = DEFAULT) -> Strokes:
    """The strokes after `own_steps` of gradient descent onto the drawings that they were read from."""
    n, side, pixel = len(images), images.shape[-1], 2 / images.shape[-1]
    points, pen = strokes.points.clone().requires_grad_(), strokes.pen.log().requires_grad_()
    rates = config.own_rates
    optimiser = torch.optim.Adam([{"params": [points], "lr": rates[0] * pixel}, {"params": [pen], "lr": rates[1]}])
    low, high = torch.tensor([config.radius, config.edge]).T

    def moved() -> Strokes:
        return Strokes(points, pen.exp().clamp(low, high), strokes.owner)

    for _ in range(config.own_steps):
        error = (draw(moved(), n, side, config.samples) - images[:, 0]).abs().sum() / config.scale
        off = ((points - strokes.points) / (config.own_std * pixel)).square().sum() / 2
        optimiser.zero_grad()
        (error + off).backward()
        optimiser.step()
    return Strokes(*(part.detach() for part in moved()))


def strokes_of(model: DooD, images: Float[Tensor, "B 1 H W"], config: FitConfig = DEFAULT) -> Strokes:
    """Read each drawing, several times; move the strokes onto it; keep the best reading."""
    again = config.readings
    refined = refine(read_strokes(model, images, again), images.repeat(again, 1, 1, 1), config)
    return best_readings(refined, images, again, config)


def moments(images: Float[Tensor, "B H W"]) -> tuple[Float[Tensor, "B 2"], Float[Tensor, "B 2"]]:
    """Where the ink of each drawing is, and how far it spreads along each axis (one pixel at least), on the canvas."""
    side = images.shape[-1]
    at, ink_of = pixel_centres(side, images), images.sum((1, 2))[:, None].clamp_min(1e-3)
    along = torch.stack([images.sum(1), images.sum(2)], dim=1)  # (B, 2, side): columns for x, rows for y
    centre = (along @ at) / ink_of
    square = (along * (at - centre[..., None]).square()).sum(2) / ink_of
    return centre, square.sqrt().clamp_min(2 / side)


def first_size(source: Float[Tensor, "*n 2"], target: Float[Tensor, "*n 2"], config: FitConfig) -> Float[Tensor, "*n"]:
    """How much larger the target is than the source, by the spread of their ink."""
    return (target / source).clamp(*config.size_range).prod(-1).sqrt()


def map_costs(
    matrix: Float[Tensor, "N 2 2"], shift: Float[Tensor, "N 2"], pixel: float, config: FitConfig
) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"]]:
    """Of affine maps: of what they add to the identity, and of their shift on the canvas."""
    of_matrix = (matrix / config.matrix_std).square().sum((1, 2)) / 2
    return of_matrix, (shift / (config.shift_std * pixel)).square().sum(1) / 2


def blur(images: Float[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
    """Both axes, BLURS times."""
    kernel = torch.tensor(BINOMIAL)
    for _ in range(BLURS):
        rows = F.conv2d(images[:, None], kernel.view(1, 1, 1, -1), padding=(0, 1))
        images = F.conv2d(rows, kernel.view(1, 1, -1, 1), padding=(1, 0))[:, 0]
    return images


class Laying:
    """Strokes of A sources on their way onto B targets, all pairs at once: what moves, what it draws, what it costs."""

    def __init__(
        self,
        strokes: Strokes,
        sources: Float[Tensor, "A H W"],
        targets: Float[Tensor, "B H W"],
        config: FitConfig,
    ) -> None:
        a, b, self.config, self.side = len(sources), len(targets), config, sources.shape[-1]
        self.pairs, self.pixel = a * b, 2 / self.side
        source, self.target = torch.arange(a).repeat_interleave(b), torch.arange(b).repeat(a)
        self.pair = (strokes.owner[:, None] * b + torch.arange(b)).flatten()  # of each stroke, laid onto each target
        self.points, self.pen = strokes.points.repeat_interleave(b, 0), strokes.pen.repeat_interleave(b, 0)
        (centre_a, spread_a), (centre_b, spread_b) = moments(sources), moments(targets)
        self.size = first_size(spread_a[source], spread_b[self.target], config)
        self.start, self.end = centre_a[source], centre_b[self.target]
        self.matrix, self.shift = torch.zeros(self.pairs, 2, 2), torch.zeros(self.pairs, 2)
        self.noise = torch.zeros_like(self.points)

    def optimiser(self) -> torch.optim.Adam:
        """Of all that moves."""
        rates = (self.config.rates[0], self.config.rates[1] * self.pixel, self.config.rates[2] * self.pixel)
        moves = (part.requires_grad_() for part in (self.matrix, self.shift, self.noise))
        return torch.optim.Adam([{"params": [part], "lr": rate} for part, rate in zip(moves, rates, strict=True)])

    def drawn(self, soften: float = 0.0) -> Float[Tensor, "pairs H W"]:
        """What the strokes draw where they are now."""
        turn = (torch.eye(2) + self.matrix) * self.size[:, None, None]
        centred = self.points + self.noise - self.start[self.pair][:, None]
        laid = centred @ turn[self.pair].mT + (self.end + self.shift)[self.pair][:, None]
        return draw(Strokes(laid, self.pen, self.pair), self.pairs, self.side, self.config.samples, soften)

    def cost(self) -> Float[Tensor, "pairs"]:
        """Of the moves."""
        of_points = (self.noise / (self.config.points_std * self.pixel)).square().sum((1, 2)) / 2
        of_matrix, of_shift = map_costs(self.matrix, self.shift, self.pixel, self.config)
        return torch.zeros(self.pairs).index_add(0, self.pair, of_points) + of_matrix + of_shift


@torch.enable_grad()
def fit(
    strokes: Strokes,
    sources: Float[Tensor, "A 1 H W"],
    targets: Float[Tensor, "B 1 H W"],
    config: FitConfig = DEFAULT,
) -> Fitted:
    """Lay the strokes of each source onto each target: coarsely first, with a soft pen and blurred pictures."""
    laying = Laying(strokes, sources[:, 0], targets[:, 0], config)
    wanted, optimiser = targets[laying.target, 0], laying.optimiser()
    wanted_blurred = blur(wanted)
    for step in range(config.steps):
        done = step / config.steps
        picture = laying.drawn(config.softness * max(0.0, 1 - done / config.softened))
        error = blur(picture) - wanted_blurred if done < config.blurred else picture - wanted
        optimiser.zero_grad()
        (error.abs().sum((1, 2)) / config.scale + laying.cost()).sum().backward()
        optimiser.step()
    with torch.no_grad():
        error, shape = (laying.drawn() - wanted).abs().sum((1, 2)) / config.scale, (len(sources), len(targets))
        return Fitted(-error.view(shape), laying.cost().view(shape))
