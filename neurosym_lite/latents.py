"""The vocabulary: what a box, a scene and a drawing are made of.

Axes (all rooms use the same letters): B images, K cells, T strokes, P control points, D a latent's dimension.
Cells live on an axis of their own, (B K D); they are folded into the batch nowhere outside `render/`.
"""

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor


class Where(NamedTuple):
    """A box on the canvas: the affine map from glimpse to canvas coordinates, p = shift + scale * u with u in [-1, 1].

    Canvas coordinates run from -1 to 1, x to the right, y down; the last axis is (x, y).
    """

    scale: Float[Tensor, "*batch 2"]
    """Width and height of the box as fractions of the canvas, > 0 (1 covers the canvas)."""
    shift: Float[Tensor, "*batch 2"]
    """Centre of the box in canvas coordinates."""


class ObjectLatents(NamedTuple):
    """z_s, the symbolic latent map (GNM, section 3.1): one symbol a cell, four parts a symbol."""

    pres: Float[Tensor, "B K"]
    """z_pres: is there an object? 0 or 1; in between where it is relaxed for training."""
    where: Float[Tensor, "B K 4"]
    """z_where before its squashing: (scale s, ratio r, shift u_x, shift u_y); `models.symbols.boxes` reads it."""
    depth: Float[Tensor, "B K"]
    """z_depth: the smaller, the nearer; seen only where objects overlap and masks are rendered."""
    what: Float[Tensor, "B K D"]
    """z_what: the object's appearance, read by the glimpse decoder."""


class SceneLatents(NamedTuple):
    """A whole scene: the two layers z_g -> z_s of GNM (figure 1)."""

    globals: Float[Tensor, "B D"]
    """z_g: the distributed code of the scene; of width 0 where a model has no global layer."""
    objects: ObjectLatents
    """z_s: the symbols that z_g says to expect."""
    background: Float[Tensor, "B E"]
    """z_b: what lies behind them; of width 0 where a model has black backgrounds."""


class StrokeLatents(NamedTuple):
    """A drawing (DooD, section 2.1): T strokes in sequence, each a Bezier curve in a frame of its own."""

    on: Float[Tensor, "B T"]
    """Is stroke t drawn? 1 up to the stop, 0 after it."""
    where: Float[Tensor, "B T 4"]
    """The stroke's frame: shift x, shift y, scale, rotation in radians."""
    points: Float[Tensor, "B T P 2"]
    """Control points (x, y) in the stroke's frame."""


class Boxes(NamedTuple):
    """Boxes in pixels, as they are reported and scored."""

    corners: Float[Tensor, "B K 4"]
    """x0, y0, x1, y1: pixel i covers [i, i + 1)."""
    present: Bool[Tensor, "B K"]
    """Which of the K boxes count."""


class Detection(NamedTuple):
    """What a model of boxes finds in images."""

    boxes: Boxes
    confidence: Float[Tensor, "B K"]
    """Probability of presence."""
    image: Float[Tensor, "B C H W"]
    """The images as the model sees them."""
