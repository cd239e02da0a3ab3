"""Diagrams of boxes and arrows: `figure_of` draws a `Diagram`, all of it placed in inches by hand.

An arrow is solid or dashed, a box has a shape and an edge by its kind: nothing is said by colour alone.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import dist
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from neurosym_lite import figures

DPI = 200
WORDS, SHAPES = 9.5, 8.5  # points: what a box is, what an arrow carries
HEAD, GAP, BAR, RIM = 0.11, 0.05, 0.08, 0.08  # inches: a head, arrow to label, half a bar, where a rim begins
STUB, LINE = 0.28, 0.22  # inches: a stub, from line to line of the key

Point = tuple[float, float]


class Box(NamedTuple):
    """A part of a model; its middle and its sides in inches."""

    x: float
    y: float
    text: str
    kind: str  # a key of LOOKS
    width: float = 0.9
    height: float = 0.4

    def side(self, which: str, along: float = 0.0) -> Point:
        """The middle of a side, or a point so many inches to the right of it or above it."""
        dx, dy = SIDES[which]
        x, y = self.x + dx * self.width / 2, self.y + dy * self.height / 2
        return (x + along, y) if dy else (x, y + along)


class Arrow(NamedTuple):
    """A way from box to box by straight lines, and what passes; its label and its bar are on the longest line."""

    path: tuple[Point, ...]
    dashed: bool
    label: str = ""
    side: str = "right"  # of the arrow, where the label stands
    label_at: float = 0.5  # how far along the longest line
    bar_at: float | None = None  # a bar says that no gradient comes back

    def longest(self) -> tuple[Point, Point]:
        """Both ends of the longest line."""
        return max(pairwise(self.path), key=lambda ends: dist(*ends))


class Diagram(NamedTuple):
    """A picture, in inches."""

    size: tuple[float, float]
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


SIDES = {"top": (0, 1), "bottom": (0, -1), "left": (-1, 0), "right": (1, 0)}
LOOKS = {  # fill, edge, line, corner; what reads alone has a dashed edge, latents and pictures are round
    "draws": ("#dcebf5", figures.BLUE, "-", 0.02),
    "reads": ("#fbe8dc", figures.RED, "--", 0.02),
    "latent": ("white", figures.INK, "-", 0.16),
    "picture": ("#d9d9d9", figures.INK, "-", 0.16),
}


def draw_box(axes: Axes, box: Box) -> None:
    """A box and its words."""
    fill, edge, line, corner = LOOKS[box.kind]
    style = {"facecolor": fill, "edgecolor": edge, "linestyle": line, "linewidth": 1.2}
    low = (box.x - box.width / 2, box.y - box.height / 2)
    corners = f"round,pad=0,rounding_size={corner}"
    axes.add_patch(FancyBboxPatch(low, box.width, box.height, boxstyle=corners, zorder=3, **style))
    axes.text(box.x, box.y, box.text, fontsize=WORDS, ha="center", va="center", linespacing=1.1, zorder=4)


def draw_arrow(axes: Axes, arrow: Arrow) -> None:
    """An arrow with a white rim, so that where two cross one passes over the other."""
    colour, dash = (figures.RED, (0, (3, 1.6))) if arrow.dashed else (figures.BLUE, "-")
    before, tip = arrow.path[-2:]
    neck = between(tip, before, HEAD / 2 / dist(before, tip))
    start = between(*arrow.path[:2], RIM / dist(*arrow.path[:2]))
    rim, line = (zip(first, *arrow.path[1:-1], neck, strict=True) for first in (start, arrow.path[0]))
    axes.plot(*rim, color="white", linewidth=4.5, solid_capstyle="butt")
    axes.plot(*line, color=colour, linewidth=1.5, linestyle=dash, solid_capstyle="butt", solid_joinstyle="miter")
    wings = across(tip, before, HEAD / dist(before, tip), HEAD / 2.4)
    axes.add_patch(Polygon([tip, *wings], facecolor=colour, edgecolor="none", zorder=3))
    if arrow.bar_at is not None:
        bar = zip(*across(*arrow.longest(), arrow.bar_at, BAR), strict=True)
        axes.plot(*bar, color=figures.INK, linewidth=3, solid_capstyle="butt", zorder=3)
    write_label(axes, arrow)


def write_label(axes: Axes, arrow: Arrow) -> None:
    """What passes along an arrow, beside it."""
    (x, y), (dx, dy) = between(*arrow.longest(), arrow.label_at), SIDES[arrow.side]
    align = {"ha": {1: "left", -1: "right", 0: "center"}[dx], "va": {1: "bottom", -1: "top", 0: "center"}[dy]}
    axes.text(x + GAP * dx, y + GAP * dy, arrow.label, fontsize=SHAPES, linespacing=1.1, zorder=4, **align)


def between(a: Point, b: Point, share: float) -> Point:
    """The point that lies this share of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def across(a: Point, b: Point, share: float, half: float) -> tuple[Point, Point]:
    """Both ends of a line across the way from a to b, this share along it and twice `half` long."""
    (x, y), dx, dy = between(a, b, share), (b[0] - a[0]) / dist(a, b), (b[1] - a[1]) / dist(a, b)
    return (x - half * dy, y + half * dx), (x + half * dy, y - half * dx)


def upright(a: Box, b: Box, x: float | None = None) -> tuple[Point, Point]:
    """The vertical way from a to b, at x or in the middle of the narrower one."""
    x = min(a, b, key=lambda box: box.width).x if x is None else x
    leave, arrive = ("bottom", "top") if a.y > b.y else ("top", "bottom")
    return (x, a.side(leave)[1]), (x, b.side(arrive)[1])


def level(a: Box, b: Box, y: float | None = None) -> tuple[Point, Point]:
    """The horizontal way from a to b, at y or in the middle of a."""
    y = a.y if y is None else y
    leave, arrive = ("left", "right") if a.x > b.x else ("right", "left")
    return (a.side(leave)[0], y), (b.side(arrive)[0], y)


def stub(box: Box, side: str, words: str) -> Arrow:
    """An arrow into a box from what is drawn elsewhere, or was there a stroke ago."""
    (x, y), (dx, dy) = box.side(side), SIDES[side]
    return Arrow(((x + STUB * dx, y + STUB * dy), (x, y)), False, words, side, 0)


def key(x: float, y: float, bar: bool = False) -> list[Arrow]:
    """What the two kinds of arrow mean, and the bar; (x, y) is where it begins."""
    words = [("generating", False, None), ("reading", True, None), ("no gradient", False, 0.4)]
    rows = [((x, y - LINE * row), (x + 0.4, y - LINE * row)) for row in range(2 + bar)]
    return [Arrow(row, dashed, text, "right", 1, at) for row, (text, dashed, at) in zip(rows, words, strict=False)]


def figure_of(diagram: Diagram) -> Figure:
    """A diagram, drawn."""
    figures.set_style()
    figure = plt.figure(figsize=diagram.size, dpi=DPI, layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, diagram.size[0]), ylim=(0, diagram.size[1]))
    axes.axis("off")
    for arrow in diagram.arrows:
        draw_arrow(axes, arrow)
    for box in diagram.boxes:
        draw_box(axes, box)
    return figure
