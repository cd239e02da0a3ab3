"""Draws book/_static/copies.png: `python -m scripts.pages.copies_picture`, half a minute. Needs MNIST.

What models of finite training sets imagine, and below each scene the nearest one of the set that they learned from.
"""

import matplotlib

matplotlib.use("Agg")

import torch
from matplotlib.figure import Figure

from neurosym_lite import figures, widgets
from neurosym_lite.evaluation.copied import nearest_of
from neurosym_lite.evaluation.scene_metrics import imagine
from neurosym_lite.training.checkpoints import load_checkpoint, write_atomically
from scripts.pages.gnm_experiments_pictures import SETS
from scripts.toc import ROOT

PICTURE = ROOT / "book" / "_static" / "copies.png"
SIZES = (100, 1000)  # training sets
SHOWN, SEED = 8, 0  # scenes: the first that are imagined, unchosen


def picture() -> Figure:
    """Two rows for each training set."""
    figures.set_style()
    rows, labels = [], []
    for size in SIZES:
        model, recipe = load_checkpoint(SETS[size])
        drawn, trained = imagine(model, SHOWN, SEED), recipe.data.source("train").scenes.images
        rows += [drawn / 255, trained[nearest_of(drawn, trained).indices] / 255]
        labels += [f"of {size:,},\nimagined", "nearest of\nthe set"]
    return figures.image_grid(rows, labels)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_atomically(PICTURE, widgets.png(picture()))
    print(PICTURE.relative_to(ROOT))
