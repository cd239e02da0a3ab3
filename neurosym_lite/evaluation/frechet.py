"""Do imagined scenes look like real ones? A Fréchet distance in the features of the frozen parser.

FID (Heusel et al. 2017) compares means and covariances of an image network's features. Its network knows photographs;
ours is the parser's classifier of digits, or its reader of solids, run over the whole scene and averaged over it. So
the number knows strokes or surfaces and legibility, hardly places, and says something beside another of its kind
alone: that of real scenes against other real ones is its floor.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.evaluation.parser import BATCH, Parser
from neurosym_lite.evaluation.room_parser import RoomParser
from neurosym_lite.evaluation.structure import Images, at_parser_size

GROUPS = 20  # of the jackknife, on each side


@torch.no_grad()
def parser_features(parser: Parser | RoomParser, images: Images) -> Float[Tensor, "B F"]:
    """The last convolution's features of each scene, averaged over the canvas. Raises ValueError for another size."""
    scenes = at_parser_size(images)
    return torch.cat([parser.trunk(batch).mean((2, 3)) for batch in scenes.split(BATCH)])


def frechet_distance(first: Float[Tensor, "B F"], second: Float[Tensor, "R F"]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): the squared distance between two Gaussians (Fréchet 1957).

    Raises ValueError for fewer rows than features: their covariance would be made up.
    """
    for features in (first, second):
        if len(features) <= features.shape[1]:
            raise ValueError(f"{len(features)} scenes for {features.shape[1]} features: expected more scenes (--n)")
    a, b = first.double(), second.double()
    first_covariance, second_covariance = (torch.atleast_2d(features.T.cov()) for features in (a, b))
    root = torch.linalg.eigvals(first_covariance @ second_covariance).real.clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + a.var(0).sum() + b.var(0).sum() - 2 * root)


def frechet_error(first: Float[Tensor, "B F"], second: Float[Tensor, "R F"]) -> float:
    """Standard error of `frechet_distance`, by the jackknife (Tukey 1958): a twentieth of a side is left out at a time.

    A bootstrap would draw rows twice, and fewer different rows are a narrower crowd: it moves the distance itself. Good
    where the distance is several times that of two crowds of one kind; at that floor no such error is to be trusted.
    Raises ValueError where what is left has too few rows.
    """
    for features in (first, second):
        if len(features) * (GROUPS - 1) // GROUPS <= features.shape[1]:
            raise ValueError(
                f"{len(features)} scenes for {features.shape[1]} features, and an error that leaves one in {GROUPS} "
                "out: expected more scenes (--n)"
            )
    left_out = [
        [frechet_distance(_without(first, group), second) for group in range(GROUPS)],
        [frechet_distance(first, _without(second, group)) for group in range(GROUPS)],
    ]
    spreads = torch.tensor(left_out, dtype=torch.float64).var(1, correction=0)
    return math.sqrt((GROUPS - 1) * float(spreads.sum()))


def _without(features: Float[Tensor, "B F"], group: int) -> Float[Tensor, "S F"]:
    """All rows but every twentieth, from the one of that number on."""
    return features[torch.arange(len(features)) % GROUPS != group]
