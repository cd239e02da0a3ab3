"""z_s, the symbolic latent map: from a cell's features to a distribution over (pres, where, depth, what), and back.

A symbol's roles are fixed by construction: the first number *is* the object's presence, the next four *are* its box.
This is variable binding done by hand (GNM, section 2); only the values are inferred.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neurosym_lite.distributions import Bernoulli, Gaussian, gaussian_head
from neurosym_lite.latents import Boxes, ObjectLatents, Where

WHERE = 4  # (scale, aspect ratio, shift x, shift y)
PRESENCE_LIMIT = 8.8  # presence logits live in (-8.8, 8.8): probabilities from 1.5e-4 to 1 - 1.5e-4 (released code)


class ObjectDistribution(NamedTuple):
    """q(z_s | x), p(z_s | z_g) or the auxiliary prior: the four parts of every cell's symbol."""

    pres: Bernoulli
    where: Gaussian
    depth: Gaussian
    what: Gaussian

    def mode(self) -> ObjectLatents:
        """The likeliest symbols: presence rounded, means elsewhere (how GNM draws its samples)."""
        return ObjectLatents(self.pres.mode(), self.where.mean, self.depth.mean, self.what.mean)

    def sample(self, generator: torch.Generator | None = None) -> ObjectLatents:
        """Draw symbols, presence hard."""
        return ObjectLatents(
            self.pres.sample(generator),
            self.where.sample(generator),
            self.depth.sample(generator),
            self.what.sample(generator),
        )


def cell_centres(grid: int) -> Float[Tensor, "K 2"]:
    """Centres (x, y) of the cells of a grid x grid map in canvas coordinates, row by row."""
    centre = (2 * torch.arange(grid) + 1) / grid - 1
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(grid * grid, 2)


def boxes(where: Float[Tensor, "B K 4"], centres: Float[Tensor, "K 2"], reach: float) -> Where:
    """Read z_where as boxes: (s, r, u_x, u_y) -> width, height, centre.

    scale = sigmoid(s); width = scale / sqrt(e^r), height = scale sqrt(e^r); the centre lies at most `reach` (canvas
    units) from the cell's own: centre = cell + reach tanh(u). GNM's reach is one full cell, 2 / G.
    """
    scale, half_log_ratio = where[..., :1].sigmoid(), 0.5 * where[..., 1:2]
    size = torch.cat([scale * (-half_log_ratio).exp(), scale * half_log_ratio.exp()], dim=-1)
    return Where(size, centres + reach * where[..., 2:].tanh())


def pixel_boxes(where: Where, pres: Float[Tensor, "B K"], size: int) -> Boxes:
    """Boxes as x0, y0, x1, y1 in pixels of a canvas of `size`; present where pres > 1/2."""
    centre, half = (where.shift + 1) * (size / 2), where.scale * (size / 2)
    return Boxes(torch.cat([centre - half, centre + half], dim=-1), pres > 0.5)


def as_input(pres: Float[Tensor, "B K"], where: Tensor, what: Tensor) -> Float[Tensor, "B K E"]:
    """Symbols as a network's input: (pres, pres * where, pres * what), so that absent cells say nothing more."""
    pres = pres[..., None]
    return torch.cat([pres, pres * where, pres * what], dim=-1)


class SymbolHeads(nn.Module):
    """A cell's features -> the distribution of its symbol: two 1x1 layers, then one linear map a part.

    Works on the last axis of (B, K, F), which is what 1x1 convolutions on a map do (GNM, table 9); the norm is a
    cell's own, where the paper's is one over the whole map.
    """

    def __init__(
        self, features: int, hidden: tuple[int, ...], what: int, scale_start: float, presence_start: float
    ) -> None:
        """`scale_start` and `presence_start` are the raw scale and presence at the start, whatever the features.

        sigmoid(-1.5) = 0.18 of the canvas; presence 0.25 is a logit near 2, so that every cell draws and learns to.
        With `what` 0 there is no appearance head: z_what comes from elsewhere (a glimpse).
        """
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in zip((features, *hidden[:-1]), hidden, strict=True):
            layers += [nn.Linear(a, b), nn.CELU(), nn.LayerNorm(b)]
        self.trunk = nn.Sequential(*layers)
        self.pres = nn.Linear(hidden[-1], 1)
        self.where = nn.Linear(hidden[-1], 2 * WHERE)
        self.depth = nn.Linear(hidden[-1], 2)
        self.appearance = nn.Linear(hidden[-1], 2 * what) if what else None
        nn.init.constant_(self.pres.bias, presence_start)
        nn.init.uniform_(self.where.weight, -0.01, 0.01)  # boxes start as the cells themselves
        nn.init.zeros_(self.where.bias)
        with torch.no_grad():
            self.where.bias[0] = scale_start

    def forward(self, features: Float[Tensor, "B K F"]) -> ObjectDistribution:
        """Features of every cell to the distribution of every symbol."""
        hidden = self.trunk(features)
        depth = gaussian_head(self.depth(hidden))
        appearance = self.appearance(hidden) if self.appearance is not None else hidden[..., :0]
        return ObjectDistribution(
            Bernoulli(PRESENCE_LIMIT * self.pres(hidden)[..., 0].tanh()),
            gaussian_head(self.where(hidden)),
            Gaussian(depth.mean[..., 0], depth.std[..., 0]),
            gaussian_head(appearance),
        )
