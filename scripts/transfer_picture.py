"""Draws book/_static/transfer.png, chapter 8's figure of transfer: `python -m scripts.transfer_picture`.

Test characters of five sets, read by models that were trained on MNIST alone (DooD, figure 3). Needs all five sets:
`python -m neurosym_lite data list` says which are at hand. The same checkpoints and sets give the same picture.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch
from torch import Generator, Tensor

from neurosym_lite import figures, widgets
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.strokes import redraw
from neurosym_lite.evaluation.transfer import SETS
from neurosym_lite.training.checkpoints import load_checkpoint, write_atomically
from scripts.pages import ROOT
from scripts.results_words import DATASETS

PICTURE = ROOT / "book" / "_static" / "transfer.png"
MODELS = {"DooD": "dood-mnist-lite", "Difference-AIR": "difference-air-mnist-lite", "AIR": "air-mnist-lite"}
SHOWN, SEED = 3, 1  # characters a set
EARLY = (1, 2, 3)  # parts after which a page is shown, before the one at the stop
SIDE = 0.62  # inches a character


def rows_of(images: Tensor) -> dict[str, Tensor]:
    """What stands in each row: the characters, then each model's page on the way and at its stop."""
    rows = {"written": images[:, 0]}
    for label, name in MODELS.items():
        drawn = redraw(load_checkpoint(name)[0], images)
        rows |= {f"{label}, {t} part{'s' if t > 1 else ''}": drawn.canvases[:, t] for t in EARLY}
        rows[f"{label}, at its stop"] = drawn.final()
    return rows


def picture() -> bytes:
    """The figure as PNG."""
    sets = [DrawingSource(name, "test").batch(SHOWN, Generator().manual_seed(SEED)).images for name in SETS]
    rows = rows_of(torch.cat(sets) / 255)
    columns = SHOWN * len(SETS)
    figures.set_style()
    figure, axes = plt.subplots(len(rows), columns, figsize=(SIDE * columns + 1.6, SIDE * len(rows) + 0.4))
    for cells, (label, pictures) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(cells, pictures, strict=True):
            figures.show_image(axis, image)
        cells[0].set_ylabel(label, fontsize=9, rotation=0, ha="right", va="center")
    for first, name in zip(axes[0, 1::SHOWN], SETS, strict=True):
        first.set_title(DATASETS[name], fontsize=10)
    return widgets.png(figure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_atomically(PICTURE, picture())
    print(PICTURE.relative_to(ROOT))
