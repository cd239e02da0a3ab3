"""Single characters: the embedded handwritten digits, and the real sets by name."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.nn.functional import interpolate, pad

from neurosym_lite.data.conversion import SIDE, SPLITS
from neurosym_lite.data.sources import BUNDLED, EPISODES, DataError, locate, read

RIM = 4  # pixels of black around the core, as MNIST has it
CORE = SIDE - 2 * RIM  # pixels, height and width of the part that holds the ink
DIGITS = tuple("0123456789")

DIGITS_LEVELS = 16  # scikit-learn's digits have values 0 to 16
DIGITS_SEED = 0  # of the split of the embedded digits; another one would mix train and test of shipped checkpoints
DIGITS_TEST = 0.2  # share of the embedded digits, class by class, that is the test split


class Glyphs(NamedTuple):
    """Characters with their classes: white ink (255) on black (0), upright, 28 by 28 pixels.

    `images` (N, 28, 28) uint8; `labels` (N,) int64, indices into `classes`; `classes` the name of each label.
    """

    images: UInt8[Tensor, "N H W"]
    labels: Int64[Tensor, "N"]
    classes: tuple[str, ...]


def glyphs(name: str, split: str = "train") -> Glyphs:
    """One split of a character set: "digits" (embedded), "mnist", "emnist", "kmnist", "quickdraw", "omniglot".

    The embedded digits are scikit-learn's 1,797, upsampled and split 80/20. The others are looked for in NEUROSYM_DATA,
    then in the user's cache, then downloaded. Omniglot's "train" is the background set, "test" the evaluation set, with
    labels 0 to 1,622 over both. Order is that of the source: draw from it with a generator.
    Raises DataError: unknown name or split, a set that cannot be downloaded, a file with wrong content.
    """
    if split not in SPLITS:
        raise DataError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    if name == EPISODES:
        raise DataError(f"{name!r} holds episodes, not characters: see data.one_shot, or take the set 'omniglot'")
    path = locate(name)
    if name == BUNDLED:
        return _digits(path, split)
    images, labels, classes = (_omniglot if name == "omniglot" else _prepared)(name, path, split)
    if len(images) != len(labels) or labels.min() < 0 or labels.max() >= len(classes):
        raise DataError(
            f"{path}: {split} has {len(images)} images and {len(labels)} labels from {labels.min()} to {labels.max()}, "
            f"expected as many labels as images, each from 0 to {len(classes) - 1}; delete it and fetch {name} again"
        )
    return Glyphs(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), classes)


def core(images: UInt8[Tensor, "N 28 28"]) -> UInt8[Tensor, "N 20 20"]:
    """The middle 20 by 20 pixels of each glyph: the part that holds the ink, without the 4-pixel rim."""
    return images[:, RIM:-RIM, RIM:-RIM]


def _prepared(name: str, path: Path, split: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    names = () if name == "mnist" else ("class_names",)
    arrays = read(name, path, (f"{split}_images", f"{split}_labels", *names))
    classes = tuple(arrays["class_names"].tolist()) if names else DIGITS
    return arrays[f"{split}_images"], arrays[f"{split}_labels"], classes


def _omniglot(name: str, path: Path, split: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    arrays = read(name, path, ("images28", "character_global", "alphabet", "character", "split", "alphabet_names"))
    names, labels = arrays["alphabet_names"].tolist(), arrays["character_global"]
    columns = ("images28", "character_global", "alphabet", "character", "split")
    rows = arrays["split"] == SPLITS.index(split)
    values, first = np.unique(labels, return_index=True)
    whole = len({len(arrays[column]) for column in columns}) == 1 and arrays["alphabet"].max() < len(names)
    if not whole or not rows.any() or values.tolist() != list(range(len(values))):
        raise DataError(
            f"{path}: expected {', '.join(columns)} of one length, alphabets that have names, characters 0, 1, 2, ... "
            f"and drawings of both splits; delete it and run `python -m neurosym_lite data fetch {name}`"
        )
    places = zip(arrays["alphabet"][first].tolist(), arrays["character"][first].tolist(), strict=True)
    classes = tuple(f"{names[alphabet]}/character{character + 1:02d}" for alphabet, character in places)
    return arrays["images28"][rows], labels[rows], classes


def _digits(path: Path, split: str) -> Glyphs:
    """scikit-learn's handwritten digits (Alpaydin and Kaynak 1998), the share of each class that `split` has.

    Its file is read here, 64 pixels and a class a line: importing scikit-learn takes seconds.
    """
    table = torch.from_numpy(np.loadtxt(path, delimiter=",", dtype=np.float32))
    small, labels = table[:, :-1].unflatten(1, (8, 8)), table[:, -1].long()
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(DIGITS_SEED))
    in_test = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(len(DIGITS)):
        members = shuffled[labels[shuffled] == label]
        in_test[members[: round(DIGITS_TEST * len(members))]] = True
    rows = in_test if split == "test" else ~in_test
    return Glyphs(_upsampled(small[rows]), labels[rows], DIGITS)


def _upsampled(small: Tensor) -> UInt8[Tensor, "N 28 28"]:
    """8x8 digits with values 0 to 16 to glyphs: bicubic to the core, black rim, each stretched to full contrast.

    One black pixel is added on each side first, so that strokes at the border fade out inside the core, as MNIST's do.
    """
    margin = 1
    bordered = pad(small[:, None] / DIGITS_LEVELS, (margin,) * 4)
    smooth = interpolate(bordered, size=CORE + 2 * margin, mode="bicubic", antialias=True, align_corners=False)
    ink = smooth[:, 0, margin:-margin, margin:-margin].clamp(min=0)
    ink = ink / ink.amax((1, 2), keepdim=True)
    return pad((255 * ink).round().to(torch.uint8), (RIM,) * 4)
