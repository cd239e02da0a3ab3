"""What the book's figures share: one palette, one look, images with boxes on them, and numbers for the prose.

Figures are opaque cards, dark ink on white, so they read the same on a light and on a dark page. The palette is
seaborn's `colorblind`; where colour carries meaning, shape or text says it too.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from jaxtyping import Float, Num
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from neurosym_lite.render.bezier import curve

PALETTE = sns.color_palette("colorblind")
BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3], PALETTE[4]
INK = "#1a1a1a"
MARKS = (ORANGE, PALETTE[9], PALETTE[8], PALETTE[6])  # boxes and strokes on top of an image, in turn
CURVE_SAMPLES = 60  # points on a curve that is drawn as a line


def set_style() -> None:
    """The book's look for all figures that follow in this process."""
    sns.set_theme(context="notebook", style="ticks", palette=PALETTE)
    plt.rcParams.update(
        {
            "figure.facecolor": "white",
            "figure.dpi": 100,
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "axes.labelcolor": INK,
            "image.cmap": "gray",
            "image.interpolation": "nearest",
        }
    )


def show_image(axes: Axes, image: Num[Tensor, "C H W"] | Num[Tensor, "H W"], title: str = "") -> None:
    """One image, floats in [0, 1] or uint8, on an axes without ticks; pixel i covers [i, i + 1), y down."""
    array = np.asarray(image.detach().cpu(), dtype=float) / (255 if image.dtype == torch.uint8 else 1)
    array = array.squeeze(0) if array.ndim == 3 and array.shape[0] == 1 else array
    array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    height, width = array.shape[:2]
    axes.imshow(array.clip(0, 1), vmin=0, vmax=1, extent=(0, width, height, 0))
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)


def draw_boxes(axes: Axes, corners: Float[Tensor, "K 4"], width: float = 1.5) -> None:
    """Boxes x0 y0 x1 y1 in pixels on top of an image, one colour each, repeated as needed."""
    for index, (x0, y0, x1, y1) in enumerate(corners.tolist()):
        colour = MARKS[index % len(MARKS)]
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=width))


def draw_points(axes: Axes, points: Float[Tensor, "T P 2"], size: tuple[int, int]) -> None:
    """Control points of strokes, in canvas coordinates, on top of an image of (H, W) pixels, joined in their order.

    The first point of a stroke is a square, the others are circles.
    """
    height, width = size
    for index, stroke in enumerate((points.detach().cpu() + 1) / 2):
        x, y = (stroke[:, 0] * width).tolist(), (stroke[:, 1] * height).tolist()
        colour = MARKS[index % len(MARKS)]
        for sign, places in (("o--", (x, y)), ("s", (x[:1], y[:1]))):
            axes.plot(*places, sign, color=colour, linewidth=1, markersize=4.5, scalex=False, scaley=False)


def draw_strokes(axes: Axes, points: Float[Tensor, "T P 2"], size: tuple[int, int]) -> None:
    """The curves of strokes, without their ink, on top of an image of (H, W) pixels; a square where the pen sets down.

    `points` are control points in canvas coordinates.
    """
    height, width = size
    for index, track in enumerate((curve(points.detach().cpu(), CURVE_SAMPLES) + 1) / 2):
        x, y = (track[:, 0] * width).tolist(), (track[:, 1] * height).tolist()
        for sign, places in (("-", (x, y)), ("s", (x[:1], y[:1]))):
            colour = MARKS[index % len(MARKS)]
            axes.plot(*places, sign, color=colour, linewidth=2, markersize=4.5, scalex=False, scaley=False)


def image_row(
    images: Sequence[Tensor], titles: Sequence[str] = (), boxes: Sequence[Tensor] = (), side: float = 1.6
) -> Figure:
    """Images side by side, `side` inches each, with titles above and boxes on them where given."""
    figure, axes = plt.subplots(1, len(images), figsize=(side * len(images), side + 0.3 * bool(titles)), squeeze=False)
    for index, image in enumerate(images):
        show_image(axes[0, index], image, titles[index] if titles else "")
        if len(boxes):
            draw_boxes(axes[0, index], boxes[index])
    return figure


def image_grid(rows: Sequence[Sequence[Tensor]], labels: Sequence[str] = (), side: float = 1.2) -> Figure:
    """Rows of images, each row with a label at its left."""
    columns = max(len(row) for row in rows)
    figure, axes = plt.subplots(len(rows), columns, figsize=(side * columns + 0.8, side * len(rows)), squeeze=False)
    for row, cells in zip(rows, axes, strict=True):
        for axis, image in zip(cells, row, strict=False):
            show_image(axis, image)
        for axis in cells[len(row) :]:
            axis.axis("off")
    for label, cells in zip(labels, axes, strict=False):
        cells[0].set_ylabel(label, fontsize=10, rotation=0, ha="right", va="center")
    return figure


def verdict_sheet(images: Sequence[Tensor], accepted: Sequence[bool] | Tensor, columns: int = 10) -> Figure:
    """Scenes with the verdict on each (50 make a sheet): accepted ones in a whole frame, refused ones in a dashed one.

    Above each stands its number and "yes" or a bold "no". Raises ValueError unless there are as many verdicts
    as images.
    """
    verdicts = [bool(verdict) for verdict in accepted]
    if len(images) != len(verdicts) or not verdicts:
        raise ValueError(f"{len(images)} images and {len(verdicts)} verdicts: expected as many, and at least one")
    rows = -(-len(verdicts) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.1 * columns, 1.3 * rows), squeeze=False)
    for axis in axes.flat[len(verdicts) :]:
        axis.axis("off")
    for number, (axis, image, verdict) in enumerate(zip(axes.flat, images, verdicts, strict=False), 1):
        show_image(axis, image)
        axis.set_title(f"{number} {'yes' if verdict else 'no'}", fontsize=8, weight="normal" if verdict else "bold")
        axis.spines[:].set(visible=True, edgecolor=BLUE if verdict else ORANGE, linewidth=2)
        if not verdict:
            axis.spines[:].set_linestyle("--")
    return figure


def glue(name: str, value: float | int | str) -> None:
    """Keep a value under a name for the prose: {glue:text}`name` on the page shows it. Prints nothing.

    The page evaluates what is kept, so a text is kept in quotes: "0.90" would come out as 0.9, and "9,780" as a pair.
    """
    from IPython.display import display

    prefix = "application/papermill.record/"
    about = {"scrapbook": {"name": name, "mime_prefix": prefix}}
    display({f"{prefix}text/plain": repr(value)}, raw=True, metadata=about)
