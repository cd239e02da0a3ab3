"""z_g, the distributed latent of a scene, and the feature map it draws for the symbols.

Two calls: `infer` goes from what was seen to (z_g, feature map, KL), `generate` from nothing to (z_g, feature map).
`GaussianGlobal` is GNM-Gaussian, the ablation of table 2: one Gaussian vector, decoded in one go. StructDRAW
(`structdraw.py`) keeps the same two calls and draws the map in several steps.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Gaussian, gaussian_head, kl_gaussian, standard_gaussian
from neurosym_lite.layers import mlp


class GlobalDraw(NamedTuple):
    """A draw of z_g and what it says."""

    latent: Float[Tensor, "B D"]
    """z_g."""
    features: Float[Tensor, "B K F"]
    """f, the structure map from which p(z_s | z_g) is read."""
    kl: Float[Tensor, "B"]
    """KL(q(z_g | x) || p(z_g)) in nats; zero where nothing was inferred."""


class GaussianGlobal(nn.Module):
    """p(z_g) = N(0, I); q(z_g | x) and the decoder are MLPs on the flattened map of cells (GNM, sections 3.1, 4.3)."""

    def __init__(self, cells: int, inputs: int, features: int, latent: int, hidden: tuple[int, ...]) -> None:
        """`inputs` and `features` are the widths of a cell before and after; `latent` is the width of z_g."""
        super().__init__()
        self.latent, self.cells = latent, cells
        self.embed = nn.Linear(inputs, features)
        self.encoder = mlp(cells * features, hidden, 2 * latent)
        self.decoder = nn.Sequential(mlp(latent, hidden, cells * features), nn.CELU(), nn.LayerNorm(cells * features))

    def posterior(self, inputs: Float[Tensor, "B K E"]) -> Gaussian:
        """q(z_g | x) from what is known of every cell."""
        return gaussian_head(self.encoder(self.embed(inputs).flatten(1)))

    def prior(self, n: int, like: Tensor) -> Gaussian:
        """p(z_g) = N(0, I)."""
        return standard_gaussian((n, self.latent), like)

    def structure(self, latent: Float[Tensor, "B D"]) -> Float[Tensor, "B K F"]:
        """f(z_g): features for every cell."""
        return rearrange(self.decoder(latent), "B (K F) -> B K F", K=self.cells)

    def infer(
        self, inputs: Float[Tensor, "B K E"], mode: bool = False, generator: Generator | None = None
    ) -> GlobalDraw:
        """Draw z_g from q(z_g | x) (its mean with `mode`) and decode it."""
        q = self.posterior(inputs)
        latent = q.mean if mode else q.sample(generator)
        return GlobalDraw(latent, self.structure(latent), kl_gaussian(q, self.prior(len(inputs), inputs)).sum(1))

    def generate(self, n: int, generator: Generator) -> GlobalDraw:
        """Draw z_g from the prior and decode it."""
        like = self.embed.weight
        latent = self.prior(n, like).sample(generator)
        return GlobalDraw(latent, self.structure(latent), torch.zeros_like(latent[:, 0]))
