"""A small classifier of characters, whose features say how far drawings are from real ones.

A LeNet (LeCun et al. 1998) with ReLUs, trained on the characters of all five sets at once: 1,048 classes. It judges
nothing; the Fréchet distance is taken in the layer below its scores ("FD on LeNet features"). Such a distance says
something beside another of its kind alone, never beside an Inception network's.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from neurosym_lite.data.drawings import Drawings
from neurosym_lite.evaluation.frechet import frechet_distance
from neurosym_lite.evaluation.images import as_bytes
from neurosym_lite.evaluation.parser import PARSERS
from neurosym_lite.evaluation.strokes import redraw
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import PAPER_SPREAD
from neurosym_lite.training.checkpoints import CheckpointError, fill, read_file

SIDE = 28  # pixels
FEATURES = 64  # numbers that a drawing is described by
KIND = "classifier"
PATH = PARSERS / "classifier-characters.safetensors"
BATCH = 500  # drawings at a time


class Classifier(nn.Module):
    """Characters of 28 x 28 pixels, in [0, 1], to the scores of their classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        convolutions += [nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.trunk = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(32 * 7 * 7, FEATURES), nn.ReLU())
        self.scores = nn.Linear(FEATURES, classes)

    def forward(self, images: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B classes"]:
        """The scores."""
        return self.scores(self.trunk(images))


def read_classifier(path: Path) -> Classifier:
    """The classifier in a file, in evaluation mode. Raises CheckpointError for anything else."""
    tensors, header = read_file(path, KIND)
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(int(header.get("classes", 1)))
    fill(classifier, tensors, path)
    return classifier.eval().requires_grad_(False)


@cache
def load_classifier() -> Classifier:
    """The shipped one, read once a process. Raises CheckpointError where it is missing or cannot be read."""
    if not PATH.is_file():
        raise CheckpointError(f"{PATH} is missing: train it with `python -m scripts.train_classifier`")
    return read_classifier(PATH)


@torch.no_grad()
def character_features(images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 64"]:
    """What the classifier sees in each drawing. Raises ValueError for another size."""
    if images.shape[1:] != (1, SIDE, SIDE):
        raise ValueError(f"images of shape {tuple(images.shape[1:])}: expected (1, {SIDE}, {SIDE})")
    return torch.cat([load_classifier().trunk(batch) for batch in images.split(BATCH)])


def in_batches(draw: Callable[[int, int], Tensor], n: int) -> Float[Tensor, "n 1 H W"]:
    """n drawings, rounded to bytes as a picture file has them; `draw(first, number)` makes a batch."""
    parts = [as_bytes(draw(first, min(BATCH, n - first))).float() / 255 for first in range(0, n, BATCH)]
    return torch.cat(parts)


@torch.no_grad()
def imagined(model: DooD | AIR, n: int, seed: int, narrow: bool = False) -> Float[Tensor, "n 1 H W"]:
    """n drawings from the prior; `narrow` as the paper drew its figure 6 (DooD)."""
    generator = torch.Generator().manual_seed(seed)

    def draw(_: int, number: int) -> Tensor:
        if narrow:
            return model.sample_drawings(number, generator, PAPER_SPREAD)[1][:, -1:]
        return model.sample(number, generator)

    return in_batches(draw, n)


@torch.no_grad()
def imagined_in_parts(model: AIR, parts: Int64[Tensor, "n"], seed: int) -> Float[Tensor, "n 1 H W"]:
    """One drawing from AIR's prior for each number of parts, in place of the coin that it was never taught."""
    generator = torch.Generator().manual_seed(seed)
    return in_batches(lambda first, n: model.sample(n, generator, parts[first : first + n]), len(parts))


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
