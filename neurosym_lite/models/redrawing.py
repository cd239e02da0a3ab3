"""What a drawer can do with a drawing it has read: go on with it, or draw it again as somebody else would.

Partial completion (DooD, figure 8): a part of a drawing is read by its pixels, and the prior draws the rest. New
exemplars (figure 7): the strokes that were read are a type; a token is the type with its points moved a little and all
of it sheared, turned and shifted a little (appendix B.4).
"""

from math import pi
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.utils._pytree import tree_map

from neurosym_lite.latents import StrokeLatents
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import FULL_SPREAD, Memory, Spread
from neurosym_lite.render.frames import place


class Begun(NamedTuple):
    """A drawing as it was read, up to where the model would stop."""

    memory: Memory
    """After the last stroke: canvas, states, last latents."""
    latents: StrokeLatents
    """What was read."""
    pen: Float[Tensor, "B T 2"]
    """Of each stroke: radius and softness, pixels."""


class TokenNoise(NamedTuple):
    """How tokens differ from their type: lengths in canvas coordinates (the canvas is 2 wide), angles in radians."""

    points: tuple[float, ...] = (0.0, 0.006, 0.2, 0.006, 0.0)
    """Standard deviation of each control point: the ends stay, the middle moves (the paper's code, B.4)."""
    shift: float = 0.1
    """Largest shift along each axis."""
    scale: float = 0.1
    """Largest change of the size along each axis, as a share of it (the paper's code has 0.2 for Omniglot)."""
    turn: float = 0.1 * pi
    """Largest rotation (the paper's code means this one, and converts it once too often: hardly anything is left)."""
    shear: float = 0.1 * pi
    """Largest shear, an angle."""


PAPER_NOISE = TokenNoise()


def _where(on: Float[Tensor, "B"], then: Memory, otherwise: Memory) -> Memory:
    """One memory for the drawings that are on, the other for the rest."""
    pairs = zip(then, otherwise, strict=True)
    return Memory(*(torch.where(on.view(-1, *[1] * (a.ndim - 1)) > 0, a, b) for a, b in pairs))


@torch.no_grad()
def begin_with(model: DooD, images: Float[Tensor, "B 1 H W"]) -> Begun:
    """Read each image (means of the posteriors) and keep the memory as it is at the stop."""
    memory, on, read = model.begin(len(images), images), images.new_ones(len(images)), []
    for _ in range(model.config.strokes):
        stroke = model.read_stroke(images, memory, mode=True)
        on = on * (stroke.q_on > 0)
        memory = _where(on, stroke.memory(), memory)
        read.append((on, stroke.where, stroke.points, stroke.pen))
    *latents, pen = (torch.stack(part, dim=1) for part in zip(*read, strict=True))
    return Begun(memory, StrokeLatents(*latents), pen)


def repeat(begun: Begun, times: int) -> Begun:
    """Each drawing so many times in a row."""
    return tree_map(lambda part: part.repeat_interleave(times, dim=0), begun)


@torch.no_grad()
def go_on(
    model: DooD, begun: Begun, generator: Generator, at_least: int = 0, spread: Spread = FULL_SPREAD
) -> Float[Tensor, "B stops H W"]:
    """The prior draws on where the reading ended: the canvas as begun, then after each further stroke.

    The pen is that of the first stroke that was read: first strokes take what is largest. A drawing has `strokes`
    strokes at most, those that were read among them; `at_least` so many are added even where the prior would rather
    stop, as far as that limit allows.
    """
    had, memory, pen = begun.latents.on.sum(1), begun.memory, begun.pen[:, 0]
    on, canvases = torch.ones_like(had), [memory.canvas]
    for number in range(model.config.strokes):
        coin, after = model.draw_on(memory, pen, generator, spread)
        drawn = coin.sample(generator)
        on = on * (torch.ones_like(drawn) if number < at_least else drawn) * (had + number < model.config.strokes)
        memory = _where(on, after, memory)
        canvases.append(memory.canvas)
    return torch.stack(canvases, dim=1)


def first_half(model: DooD, begun: Begun) -> Float[Tensor, "B H W"]:
    """The canvas after the first half of the strokes that were read, the middle one among them."""
    on = begun.latents.on
    first = on * (on.cumsum(1) <= (on.sum(1, keepdim=True) / 2).ceil())
    return model.render(begun.latents._replace(on=first), begun.pen)[:, -1]


def _affine(n: int, generator: Generator, noise: TokenNoise, like: Tensor) -> Float[Tensor, "n 2 3"]:
    """Maps of canvas coordinates: scaled, sheared, turned, shifted, each by what a logistic makes of a normal draw."""
    draws = 2 * torch.randn(n, 6, generator=generator, device=like.device).sigmoid() - 1
    turn, shear = noise.turn * draws[:, 0], (noise.shear * draws[:, 1]).tan()
    scale, shift = 1 + noise.scale * draws[:, 2:4], noise.shift * draws[:, 4:]
    cos, sin, zero, one = turn.cos(), turn.sin(), torch.zeros_like(turn), torch.ones_like(turn)
    turned = torch.stack([cos, -sin, sin, cos], dim=1).view(n, 2, 2)
    sheared = torch.stack([one, shear, zero, one], dim=1).view(n, 2, 2)
    return torch.cat([turned @ sheared * scale[:, None], shift[..., None]], dim=2)


@torch.no_grad()
def exemplars(
    model: DooD, begun: Begun, generator: Generator, noise: TokenNoise = PAPER_NOISE
) -> Float[Tensor, "B H W"]:
    """One token of each drawing that was read: its strokes moved, and all of them mapped together.

    Raises ValueError where the noise has not one number for each control point.
    """
    points = place(begun.latents.points, begun.latents.where)  # (B, T, P, 2), on the canvas
    if len(noise.points) != points.shape[2]:
        raise ValueError(f"noise for {len(noise.points)} control points: give a TokenNoise with {points.shape[2]}")
    std = points.new_tensor(noise.points)[:, None]
    moved = points + std * torch.randn(points.shape, generator=generator, device=points.device)
    matrix = _affine(len(points), generator, noise, points)
    moved = moved @ matrix[:, None, :, :2].mT + matrix[:, None, None, :, 2]
    return ink_all(model, begun, moved)


def ink_all(model: DooD, begun: Begun, points: Float[Tensor, "B T P 2"]) -> Float[Tensor, "B H W"]:
    """The strokes that are on, with other control points, in canvas coordinates.

    Raises ValueError for a model whose decoder is no spline: it draws in a stroke's own frame alone.
    """
    if model.config.decoder != "spline":
        raise ValueError(f"decoder={model.config.decoder!r}: only a spline's strokes can be moved on the canvas")
    whole = points.new_tensor((0.0, 0.0, 1.0, 0.0)).expand(len(points), 4)  # a frame as large as the canvas
    canvas = torch.zeros_like(begun.memory.canvas)
    for on, p, pen in zip(begun.latents.on.unbind(1), points.unbind(1), begun.pen.unbind(1), strict=True):
        canvas = model.lay(canvas, on[:, None, None] * model.draw(whole, p, pen))
    return canvas
