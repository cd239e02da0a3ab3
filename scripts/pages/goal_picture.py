"""Draws the pictures of the goal that the README and chapter 2 open with: `python -m scripts.pages.goal_picture`.

Columns of held-out scenes with the boxes that the trained model found, its reconstructions below, and scenes
that it imagined. The same checkpoint gives the same picture.
"""

import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from torch import Generator

from neurosym_lite import figures, widgets
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.training.checkpoints import load_checkpoint, write_atomically
from scripts.toc import ROOT

STATIC = ROOT / "book" / "_static"
PICTURES = {"goal.png": "gnm-gaussian-digits4-lite", "goal_gnm.png": "gnm-digits4-lite"}  # chapter 2; the README
COLUMNS, SEED = 6, 3
ROWS = ("held-out scenes,\nboxes found", "reconstructed", "imagined")
SIDE = 1.5  # inches a scene


def draw(name: str) -> bytes:
    """The picture of a trained model, as PNG."""
    model, recipe = load_checkpoint(name)
    data = recipe.data
    scenes = SceneSource(data.rule, data.glyphs, "test", data.size).batch(COLUMNS, Generator().manual_seed(SEED))
    images = scenes.images / 255
    found, _, drawn = model.detect(images)
    imagined = model.sample(COLUMNS, Generator().manual_seed(SEED)).images
    figures.set_style()
    figure, axes = plt.subplots(3, COLUMNS, figsize=(SIDE * COLUMNS + 1.2, SIDE * 3))
    for row, pictures in zip(axes, (images, drawn, imagined), strict=True):
        for axis, picture in zip(row, pictures, strict=True):
            figures.show_image(axis, picture)
    for axis, corners, present in zip(axes[0], found.corners, found.present, strict=True):
        figures.draw_boxes(axis, corners[present])
    for row, label in zip(axes, ROWS, strict=True):
        row[0].set_ylabel(label, fontsize=11, rotation=0, ha="right", va="center")
    return widgets.png(figure)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("takes no argument: python -m scripts.pages.goal_picture")
    for file, model_name in PICTURES.items():
        write_atomically(STATIC / file, draw(model_name))
        print((STATIC / file).relative_to(ROOT))
