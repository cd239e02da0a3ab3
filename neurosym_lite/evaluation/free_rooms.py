"""Rooms without structure: solids of any shape, colour and material, as many as fall. What the room parser learns from.

No grammar: one to six solids, each with a material and a heading of its own, anywhere in the picture as long as no two
stand in one place. They are blurred a little, brightened and dimmed, so that the softer solids that a model draws are
read as well.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import (
    ARROW_DEPTH,
    COLOURS,
    PAPER_SHAPES,
    SOLID_DEPTH,
    ArrowRoomSource,
    ArrowScenes,
    Description,
    uniform,
    width_at,
)
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.render.camera import project
from neurosym_lite.render.solids import ARROW, SHAPES, centres

MOST = 6  # solids in a room; fewer are drawn by leaving some out of the picture
LEAST = 1
SHAPES_READ = (ARROW, *(SHAPES.index(name) for name in PAPER_SHAPES))  # the paper's; cones are not read
APART = 1.25  # between centres: closer than in the grammar, so that solids hide parts of each other
TRIES = 12  # places tried for a solid before it is left out
FAR_AWAY = 1000.0  # where solids stand that are left out: out of the picture
LEAST_BLUR, MOST_BLUR = 0.05, 1.0  # pixels, standard deviation of the blur
REACH = 3  # pixels, of the blur's window
GAIN = (0.85, 1.15)  # brightness times this
NOISE = 0.02  # largest standard deviation of noise on every pixel


class FreeRooms(NamedTuple):
    """Rooms of up to N solids with what is in them."""

    images: Float[Tensor, "B 3 64 64"]
    """sRGB in [0, 1]."""
    centres: Float[Tensor, "B N 2"]
    """(x, y) of the solids' centres in pixels, pixel i covering [i, i + 1)."""
    present: Bool[Tensor, "B N"]
    """Which slots hold a solid that can be seen."""
    room: Description
    """Shapes, colours, materials, places and headings."""


def describe(n: int, generator: Generator) -> Description:
    """n rooms; solids that are left out stand far away."""
    y = uniform(ARROW_DEPTH[0], SOLID_DEPTH[1], (n, MOST, TRIES), generator)
    x = uniform(-1.0, 1.0, (n, MOST, TRIES), generator) * width_at(y)
    tries = torch.stack([x, y], dim=-1)
    count = torch.randint(LEAST, MOST + 1, (n, 1), generator=generator)
    places = torch.full((n, MOST, 2), FAR_AWAY)
    rows = torch.arange(n)
    for slot in range(MOST):
        free = ((tries[:, slot, :, None] - places[:, None]).norm(dim=-1) >= APART).all(2)
        stands = free.any(1) & (slot < count[:, 0])
        places[:, slot] = torch.where(stands[:, None], tries[rows, slot, free.long().argmax(1)], FAR_AWAY)
    return Description(
        torch.tensor(SHAPES_READ)[torch.randint(len(SHAPES_READ), (n, MOST), generator=generator)],
        torch.randint(len(COLOURS), (n, MOST), generator=generator),
        torch.randint(2, (n, MOST), generator=generator).bool(),
        places,
        uniform(0.0, 2 * math.pi, (n, MOST), generator),
    )


def as_free(rooms: ArrowScenes) -> FreeRooms:
    """Drawn rooms, of a grammar or not, as the parser learns from them or is tested on them."""
    room = Description(rooms.labels, rooms.colours, rooms.metal, rooms.places, rooms.headings)
    middle = (project(centres(room.room())) + 1) * (CANVAS / 2)
    return FreeRooms(rooms.images.float() / 255, middle, rooms.present, room)


def draw_free(n: int, generator: Generator) -> FreeRooms:
    """n structure-free rooms, clean."""
    return as_free(ArrowRoomSource(CANVAS).draw(describe(n, generator)))


def worn(images: Float[Tensor, "B 3 H W"], generator: Generator) -> Float[Tensor, "B 3 H W"]:
    """Blurred, brightened or dimmed, with noise: by another amount each."""
    n = len(images)
    step = torch.arange(-REACH, REACH + 1)
    width = uniform(LEAST_BLUR, MOST_BLUR, (n, 1), generator)
    window = torch.exp(-step.square() / (2 * width.square()))
    window = (window / window.sum(1, keepdim=True)).repeat_interleave(3, 0)
    flat = F.pad(images, (REACH,) * 4, mode="replicate").flatten(0, 1)[None]
    down = F.conv2d(flat, window[:, None, :, None], groups=3 * n)
    soft = F.conv2d(down, window[:, None, None], groups=3 * n)[0].view_as(images)
    gain = uniform(*GAIN, (n, 1, 1, 1), generator)
    noise = NOISE * torch.rand(n, 1, 1, 1, generator=generator) * torch.randn(images.shape, generator=generator)
    return (gain * soft + noise).clamp(0, 1)
