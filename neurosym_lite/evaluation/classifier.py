"""A small classifier of characters, whose features say how far drawings are from real ones.

A LeNet (LeCun et al. 1998) with ReLUs, trained on the characters of all five sets at once: 1,048 classes. It judges
nothing; the Fréchet distance is taken in the layer below its scores ("FD on LeNet features"). Such a distance says
something beside another of its kind alone, never beside an Inception network's.
"""

from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neurosym_lite.evaluation.parser import PARSERS
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
    classes = header.get("classes")
    if not isinstance(classes, int) or classes < 1:
        raise CheckpointError(f"{path} has {classes!r} classes, expected a number of them: train it again")
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(classes)
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
