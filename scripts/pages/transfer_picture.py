"""Draws the pictures of transfer in book/_static: `python -m scripts.pages.transfer_picture`, two minutes.

`transfer.png`, chapter 8's: models that learned MNIST read five sets step by step. Chapter 9's: `transfer_matrix.png`,
every model of figure 4 on every set (DooD, figure 4); `transfer_ablations.png`, DooD and its ablations step by step,
and `transfer_strokes.png`, how many strokes they take (figure 3). Needs all five sets: `python -m neurosym_lite data
list` says which are at hand. A model without a checkpoint leaves its cells empty. The same checkpoints and sets give
the same pictures.
"""

import matplotlib

matplotlib.use("Agg")

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor

from neurosym_lite import figures, widgets
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.strokes import Redrawn, redraw
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint, write_atomically
from neurosym_lite.training.transfer_recipes import SETS
from scripts.pages.results_words import DATASETS
from scripts.pages.transfer import ABLATED, FIGURE_4, HOME, recipe_name
from scripts.toc import ROOT

FOLDER = ROOT / "book" / "_static"
CHAPTER_8 = {"DooD": "dood-mnist-lite", "Difference-AIR": "difference-air-mnist-lite", "AIR": "air-mnist-lite"}
# the independent prior reads as DooD does: it is not in figure 3
FIGURE_3 = {model: recipe_name(kind, HOME) for model, kind in (FIGURE_4 | ABLATED).items() if "prior" not in model}
STEP_BY_STEP = ("DooD", "DooD-EG", "DooD-dR")
MARKS = {"DooD": "o-", "DooD-EG": "s--", "DooD-dR": "^--", "Difference-AIR": "D:", "AIR": "v:"}
SHOWN, SEED = 3, 1  # characters a set
COUNTED = 500  # characters a set whose strokes are counted
EARLY, ALL = (1, 2, 3), 6  # parts after which a page is shown, before the one at the stop
SIDE = 0.62  # inches a character

Rows = dict[str, Tensor | None]


@cache
def characters(n: int) -> Tensor:
    """(sets * n, 1, 28, 28): test characters of every set."""
    sets = [DrawingSource(name, "test").batch(n, Generator().manual_seed(SEED)).images for name in SETS]
    return torch.cat(sets) / 255


def read_by(name: str, n: int) -> Redrawn | None:
    """What a model makes of them; None where it has no checkpoint."""
    return redraw(load_checkpoint(name)[0], characters(n)) if checkpoint_path(name).is_file() else None


def step_by_step(models: dict[str, str], after: tuple[int, ...] = EARLY) -> Rows:
    """The characters, then each model's page `after` so many parts and at its stop."""
    rows: Rows = {"written": characters(SHOWN)[:, 0]}
    for label, name in models.items():
        drawn = read_by(name, SHOWN)
        for t in after:
            rows[f"{label}, {t} part{'s' if t > 1 else ''}"] = drawn and drawn.canvases[:, t]
        rows[f"{label}, at its stop"] = drawn and drawn.final()
    return rows


def all_on_all() -> Rows:
    """The characters, then for each model the pages at the stop, a row a set that it learned."""
    rows: Rows = {"written": characters(SHOWN)[:, 0]}
    for model, kind in FIGURE_4.items():
        for source in SETS:
            drawn = read_by(recipe_name(kind, source), SHOWN)
            rows[f"{model}, learned {DATASETS[source]}"] = drawn and drawn.final()
    return rows


def sheet(rows: Rows) -> Figure:
    """A row a label, a column a character; a row that is None stays empty."""
    columns = SHOWN * len(SETS)
    figure, axes = plt.subplots(len(rows), columns, figsize=(SIDE * columns + 1.6, SIDE * len(rows) + 0.4))
    for cells, (label, pictures) in zip(axes, rows.items(), strict=True):
        for column, axis in enumerate(cells):
            if pictures is None:
                axis.set(xticks=[], yticks=[], frame_on=False)
            else:
                figures.show_image(axis, pictures[column])
        cells[0].set_ylabel(label, fontsize=9, rotation=0, ha="right", va="center")
    for first, name in zip(axes[0, 1::SHOWN], SETS, strict=True):
        first.set_title(DATASETS[name], fontsize=10)
    return figure


def counts() -> Figure:
    """How many drawings have how many strokes, a panel a set."""
    figure, axes = plt.subplots(1, len(SETS), figsize=(11, 2.6), sharey=True)
    for label, name in FIGURE_3.items():
        drawn = read_by(name, COUNTED)
        for axis, parts in zip(axes, drawn.parts.split(COUNTED) if drawn else (), strict=bool(drawn)):
            share = parts.bincount(minlength=drawn.on.shape[1] + 1) / COUNTED
            axis.plot(range(len(share)), share.tolist(), MARKS[label], label=label, markersize=5)
    for axis, name in zip(axes, SETS, strict=True):
        axis.set(title=DATASETS[name], xlabel="strokes or parts", xticks=range(7))
    axes[0].set_ylabel("share of drawings")
    if axes[0].lines:
        axes[-1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def pictures() -> dict[str, Figure]:
    """All of them, by file name."""
    figures.set_style()
    return {
        "transfer.png": sheet(step_by_step(CHAPTER_8)),
        "transfer_matrix.png": sheet(all_on_all()),
        "transfer_ablations.png": sheet(step_by_step({m: FIGURE_3[m] for m in STEP_BY_STEP}, (*EARLY, ALL))),
        "transfer_strokes.png": counts(),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file, figure in pictures().items():
        write_atomically(FOLDER / file, widgets.png(figure))
        print((FOLDER / file).relative_to(ROOT))
