"""Writes book/failure_gallery.md and its pictures from the run records and checkpoints of the failure recipes.

Each failure is a recipe that fails and the same recipe cured, trained by the ordinary command. The page shows what one
would see while it happens (a curve of the loss), what comes out (held-out scenes with boxes, or drawings with strokes),
and what helps. `python -m scripts.pages.gallery` rewrites the page and the pictures; it trains nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from neurosym_lite import figures
from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.render.frames import place
from neurosym_lite.training.checkpoints import load_checkpoint
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.records import load_record
from scripts.pages.gallery_words import INTRODUCTION, SCENES, STROKES, Failure
from scripts.pages.markdown import write_page
from scripts.toc import ROOT

PAGE = ROOT / "book" / "failure_gallery.md"
PICTURES = ROOT / "book" / "_static" / "gallery"
SHOWN = 3  # images a model
SEED = 3  # of the images shown
KINDS = {"failure": "failed", "cure": "cured"}  # the beginnings of the recipes' names, and what a run is called


def curve(name: str, terms: tuple[str, ...]) -> tuple[list[int], list[float]]:
    """Steps and the sum of the terms, from a run record."""
    points = load_record(name).curve
    return [point["step"] for point in points], [sum(point[term] for term in terms) for point in points]


def held_out(recipe: Recipe) -> Tensor:
    """The images that a picture shows, (SHOWN, C, H, W) in [0, 1]."""
    return recipe.data.source("test").batch(SHOWN, Generator().manual_seed(SEED)).images.float() / 255


@torch.no_grad()
def show_boxes(row: Iterable[plt.Axes], model: nn.Module, images: Tensor) -> None:
    """What a model makes of scenes, with boxes around what it says is there."""
    found, _, drawn = model.detect(images)
    for axes, image, corners, present in zip(row, drawn, found.corners, found.present, strict=True):
        figures.show_image(axes, image)
        figures.draw_boxes(axes, corners[present], width=1.0)


@torch.no_grad()
def show_strokes(row: Iterable[plt.Axes], model: nn.Module, images: Tensor) -> None:
    """What a model makes of drawings, with the curves of the strokes that it draws before it stops."""
    drawing = read(model, images)
    drawn, points = redrawn(drawing), place(drawing.latents.points, drawing.latents.where)
    for axes, image, curves, on in zip(row, drawn.final(), points, drawn.on > 0, strict=True):
        figures.show_image(axes, image)
        figures.draw_strokes(axes, curves[on], tuple(image.shape))


class Group(NamedTuple):
    """Failures of one kind of image."""

    title: str
    failures: tuple[Failure, ...]
    label: str
    """What a held-out image is called."""
    show: Callable[[Iterable[plt.Axes], nn.Module, Tensor], None]
    """What a model makes of images, on a row of axes."""
    columns: tuple[tuple[str, str, str], ...]
    """Of the table: heading, metric, format."""
    end: str
    """Format of the symptom at the end."""


GROUPS = (
    Group(
        "Scenes: GNM on MNIST-4's rule, with the embedded handwriting",
        SCENES, "scene", show_boxes,
        (("objects found (4 are there)", "count_mean", ".2f"), ("squared error", "mse", ".4f")), ".1f",
    ),
    Group(
        "Strokes: DooD on single digits of the embedded handwriting",
        STROKES, "written", show_strokes,
        (("strokes a drawing (4 at most)", "parts", ".2f"), ("relative L1", "relative_l1", ".3f")), ".2f",
    ),
)  # fmt: skip


def picture(group: Group, failure: Failure) -> Figure:
    """The symptom's curve, and held-out images as the failed and the cured model see them."""
    figure = plt.figure(figsize=(9.5, 3.9))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    show_curves(left.subplots(), failure)
    rows = right.subplots(3, SHOWN)
    models = {kind: load_checkpoint(f"{kind}-{failure.key}") for kind in KINDS}
    images = held_out(models["cure"][1])
    for axes, image in zip(rows[0], images, strict=True):
        figures.show_image(axes, image)
    for row, (model, _) in zip(rows[1:], models.values(), strict=True):
        group.show(row, model, images)
    for row, label in zip(rows, (group.label, *KINDS.values()), strict=True):
        row[0].set_ylabel(label, fontsize=10)
    return figure


def show_curves(axes: plt.Axes, failure: Failure) -> None:
    """The symptom while it happens, or does not."""
    for kind, colour, style in (("failure", figures.ORANGE, "--"), ("cure", figures.BLUE, "-")):
        steps, values = curve(f"{kind}-{failure.key}", failure.terms)
        axes.plot(steps, values, color=colour, linestyle=style, marker="o" if style == "-" else "s", markersize=4)
        axes.annotate(KINDS[kind], (steps[-1], values[-1]), xytext=(-4, 6),
                      textcoords="offset points", ha="right")  # fmt: skip
    axes.set(xlabel="step", ylabel=failure.axis, ylim=(0, None))


def table(group: Group, failure: Failure) -> str:
    """Both runs in numbers, and the controls."""
    header = ["run", *(heading for heading, _, _ in group.columns), f"{failure.axis}, at the end", "CPU minutes"]
    rows = [header, ["---"] * len(header)]
    pair = [(f"{kind}-{failure.key}", word) for kind, word in KINDS.items()]
    for name, word in (*pair, *failure.controls):
        record = load_record(name)
        measured = [f"{record.metrics[metric]:{form}}" for _, metric, form in group.columns]
        end = curve(name, failure.terms)[1][-1]
        rows.append([word, *measured, f"{end:{group.end}}", f"{record.minutes:.1f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def command(name: str) -> str:
    """What repeats the run of a record; one of another seed than the recipe's needs a folder of its own."""
    record = load_record(name)
    seed = f" --seed {record.seed} --out runs/{name}" if name != record.recipe else ""
    return f"python -m neurosym_lite train {record.recipe}{seed}"


def entry(group: Group, failure: Failure) -> str:
    """The page's section on a failure."""
    runs = (*(f"{kind}-{failure.key}" for kind in KINDS), *(name for name, _ in failure.controls))
    commands = "\n".join(command(name) for name in runs)
    return f"""### {failure.title}

{failure.happens}

**What you see.** {failure.symptom}

```{{figure}} _static/gallery/{failure.key}.png
:alt: {failure.alt}

`failure-{failure.key}` and `cure-{failure.key}`: the symptom while it happens, and what comes out of it.
```

{table(group, failure)}

**What helps.** {failure.cure}

```bash
{commands}
```
"""


def page() -> str:
    """The page's text."""
    parts = [INTRODUCTION]
    for group in GROUPS:
        parts += [f"## {group.title}\n", *(entry(group, failure) for failure in group.failures)]
    return "\n".join(parts)


def main() -> None:
    """Write the page and the pictures."""
    figures.set_style()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for group in GROUPS:
        for failure in group.failures:
            drawn = picture(group, failure)
            drawn.savefig(PICTURES / f"{failure.key}.png", dpi=130)
            plt.close(drawn)
    write_page(PAGE, page())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
