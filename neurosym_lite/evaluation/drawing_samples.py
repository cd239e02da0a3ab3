"""What models of drawings imagine, and how far that is from real drawings (DooD, figure 6)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neurosym_lite.data.drawings import Drawings
from neurosym_lite.evaluation.classifier import character_features
from neurosym_lite.evaluation.frechet import frechet_distance
from neurosym_lite.evaluation.images import in_batches
from neurosym_lite.evaluation.strokes import redraw
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import PAPER_SPREAD

BATCH = 500  # drawings at a time; another number makes other drawings


@torch.no_grad()
def imagined(model: DooD | AIR, n: int, seed: int, narrow: bool = False) -> Float[Tensor, "n 1 H W"]:
    """n drawings from the prior; `narrow` as the paper drew its figure 6 (DooD)."""
    generator = torch.Generator().manual_seed(seed)

    def draw(_: int, number: int) -> Tensor:
        if narrow:
            return model.sample_drawings(number, generator, PAPER_SPREAD)[1][:, -1:]
        return model.sample(number, generator)

    return in_batches(draw, n, BATCH).float() / 255


@torch.no_grad()
def imagined_in_parts(model: AIR, parts: Int64[Tensor, "n"], seed: int) -> Float[Tensor, "n 1 H W"]:
    """One drawing from AIR's prior for each number of parts, in place of the coin that it was never taught."""
    generator = torch.Generator().manual_seed(seed)

    def draw(first: int, number: int) -> Tensor:
        return model.sample(number, generator, parts[first : first + number])

    return in_batches(draw, len(parts), BATCH).float() / 255


def sample_distances(model: DooD | AIR, real: Drawings, others: Drawings, seed: int) -> dict[str, float]:
    """Fréchet distance to real drawings, of the prior's (`frechet_prior`) and of others as real (`frechet_floor`).

    Also of narrowed ones (DooD, `frechet_narrow`), or with as many parts as are read in real ones (AIR,
    `frechet_counted`).
    """
    pictures = real.images.float() / 255
    features = character_features(pictures)

    def distance(images: Tensor) -> float:
        return frechet_distance(character_features(images), features)

    n = len(pictures)
    results = {
        "frechet_prior": distance(imagined(model, n, seed)),
        "frechet_floor": distance(others.images.float() / 255),
    }
    if isinstance(model, DooD):
        return results | {"frechet_narrow": distance(imagined(model, n, seed, narrow=True))}
    return results | {"frechet_counted": distance(imagined_in_parts(model, redraw(model, pictures).parts, seed))}
