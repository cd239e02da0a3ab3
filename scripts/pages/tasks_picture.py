"""Draws the pictures of DooD's tasks in book/_static: `python -m scripts.pages.tasks_picture`, a minute.

`tasks_samples.png`, what each model imagines after learning each set (DooD, figure 6); `tasks_tokens.png`, new
exemplars of characters that it never saw (figure 7); `tasks_completions.png`, characters it goes on with (figure 8).
Needs all five sets: `python -m neurosym_lite data list` says which are at hand. A model without a checkpoint leaves its
cells empty. The same checkpoints and sets give the same pictures.
"""

import matplotlib

matplotlib.use("Agg")

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor

from neurosym_lite import figures, widgets
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.drawing_samples import imagined
from neurosym_lite.models.redrawing import PAPER_NOISE, begin_with, exemplars, first_half, go_on
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint, write_atomically
from neurosym_lite.training.transfer_recipes import SETS
from scripts.pages.transfer import recipe_name
from scripts.pages.transfer_picture import FOLDER, SHOWN, Rows, sheet
from scripts.toc import ROOT

DRAWER = "dood-omniglot-lite"
SEED = 3  # of the characters, and of what the prior draws
NOISE = PAPER_NOISE._replace(scale=0.2)  # the paper's for Omniglot
COLUMNS, TRIES = 10, 5  # characters; drawings of each
IMAGINED = {  # rows of figure 6: kind of model, and whether its Gaussians are narrowed
    "DooD": ("dood", False),
    "DooD, narrowed": ("dood", True),
    "Difference-AIR": ("difference-air", False),
    "AIR": ("air", False),
}


def samples() -> Figure:
    """Characters to learn from, and what each model makes up, set by set."""
    real = [DrawingSource(name, "train").batch(SHOWN, Generator().manual_seed(SEED)).images for name in SETS]
    rows: Rows = {"to learn from": torch.cat(real)[:, 0] / 255}
    for label, (kind, narrow) in IMAGINED.items():
        names = [recipe_name(kind, name) for name in SETS]
        there = [checkpoint_path(name).is_file() for name in names]
        drawn = [
            imagined(load_checkpoint(name)[0], SHOWN, SEED, narrow)[:, 0] if found else torch.full((SHOWN, 28, 28), 1.0)
            for name, found in zip(names, there, strict=True)
        ]
        rows[label] = torch.cat(drawn) if any(there) else None
    return sheet(rows)


def unseen() -> Tensor:
    """Characters of alphabets that the drawer has not learned."""
    return DrawingSource("omniglot", "test").batch(COLUMNS, Generator().manual_seed(SEED)).images / 255


def tokens() -> Figure:
    """New exemplars of unseen characters."""
    model, images = load_checkpoint(DRAWER)[0], unseen()
    begun = begin_with(model, images)
    tries = [exemplars(model, begun, Generator().manual_seed(seed), NOISE) for seed in range(TRIES)]
    return figures.image_grid([images, begun.memory.canvas, *tries], ["written", "read", *["once more"] * TRIES])


def completions() -> Figure:
    """The first half of the strokes that were read, given as pixels alone, and what the prior adds."""
    model, images = load_checkpoint(DRAWER)[0], unseen()
    partial = first_half(model, begin_with(model, images))
    half = begin_with(model, partial[:, None])
    tries = [go_on(model, half, Generator().manual_seed(seed), at_least=1)[:, -1] for seed in range(2 * TRIES)]
    return figures.image_grid([images, partial, *tries], ["written", "given", *["gone on"] * (2 * TRIES)])


def pictures() -> dict[str, Figure]:
    """All of them, by file name."""
    figures.set_style()
    return {"tasks_samples.png": samples(), "tasks_tokens.png": tokens(), "tasks_completions.png": completions()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file, figure in pictures().items():
        write_atomically(FOLDER / file, widgets.png(figure))
        print((FOLDER / file).relative_to(ROOT))
