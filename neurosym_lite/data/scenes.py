"""Scenes of handwritten digits that obey a rule: MNIST-4, MNIST-10 and MNIST-4-10 (GNM, section 4 and appendix A.1).

A scene is first *described* (which digit goes where), then *drawn* (which handwriting, which pixels). The paper
describes the rules in words and released no generator; what it leaves open was read off the authors' 250 published
samples of each set, and is marked "not in the paper" below.

Lengths are given for a canvas of 128 pixels and scale with it: at 64, a digit's core is 10 pixels wide.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Num, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.glyphs import DIGITS, Glyphs, core, glyphs

PAPER_CANVAS = 128  # pixels
SLOPE, TURN = 0.05, 2 * math.pi  # of shaded backgrounds: rise from the middle to an edge; a full turn
PAPER_CORE = 20  # a digit's core: MNIST's 28 x 28 with the 4-pixel rim cut
ABSENT = -1  # label of a slot that holds no digit
TRIES = 256  # drawn at a time on a GPU, to keep the first that is good; that none is has a chance below 1e-15


class Layout(NamedTuple):
    """What a scene says, before any pixel: N slots, of which some may be empty."""

    labels: Int[Tensor, "B N"]
    """Digit class 0 to 9, or ABSENT (-1)."""
    corners: Int[Tensor, "B N 2"]
    """Top-left pixel (x, y) of the digit's core."""

    @property
    def present(self) -> Bool[Tensor, "B N"]:
        """Which slots hold a digit."""
        return self.labels != ABSENT


class Scenes(NamedTuple):
    """Drawn scenes with their ground truth."""

    images: UInt8[Tensor, "B 1 H W"]
    """White ink (255) on black (0)."""
    boxes: Float[Tensor, "B N 4"]
    """x0, y0, x1, y1 of each core in pixels; zeros where absent."""
    labels: Int[Tensor, "B N"]
    """Digit class, or ABSENT (-1)."""
    present: Bool[Tensor, "B N"]
    """Which slots hold a digit."""


def core_size(canvas: int) -> int:
    """Side of a digit's core in pixels: 20 on a canvas of 128, 10 on 64."""
    return round(PAPER_CORE * canvas / PAPER_CANVAS)


def free_range(canvas: int) -> int:
    """How many top-left positions, along one axis, keep a core inside its quadrant: 45 at 128, 23 at 64."""
    return canvas // 2 - core_size(canvas) + 1


def _random_integers(high: int, shape: tuple[int, ...], generator: Generator) -> Int[Tensor, "*shape"]:
    return torch.randint(0, high, shape, generator=generator, device=generator.device)


def describe_mnist1(n: int, canvas: int, generator: Generator) -> Layout:
    """One digit of any class anywhere on the canvas: no structure at all (chapter 1's world, not the paper's)."""
    corners = _random_integers(canvas - core_size(canvas) + 1, (n, 1, 2), generator)
    return Layout(_random_integers(10, (n, 1), generator), corners)


def describe_mnist4(n: int, canvas: int, generator: Generator) -> Layout:
    """Digits c, c+1, c+2, c+3 clockwise from the top left, their places mirror images of each other.

    c is uniform on 0..6 and the first place uniform over its quadrant. That each core stays inside its quadrant at
    native size is not in the paper.
    """
    labels = _random_integers(7, (n, 1), generator) + torch.arange(4, device=generator.device)
    x, y = _random_integers(free_range(canvas), (2, n), generator)
    far = canvas - core_size(canvas)
    across = torch.stack([x, far - x, far - x, x], dim=1)
    down = torch.stack([y, y, far - y, far - y], dim=1)
    return Layout(labels, torch.stack([across, down], dim=-1))


def apart(places: Num[Tensor, "B N 2"], distance: int | float) -> Bool[Tensor, "B"]:
    """Are all N places at least that far apart along one axis? Squares of that side then do not overlap."""
    farther = (places[:, :, None] - places[:, None]).abs().amax(-1) >= distance
    itself = torch.eye(places.shape[1], dtype=torch.bool, device=places.device)
    return (farther | itself).all(2).all(1)


def _places_apart(n: int, digits: int, canvas: int, generator: Generator) -> Int[Tensor, "n digits 2"]:
    """Uniform places for `digits` cores in one quadrant, drawn again until none overlap."""
    if generator.device.type == "cuda":
        return _first_apart(n, digits, canvas, generator)
    places = _random_integers(free_range(canvas), (n, digits, 2), generator)
    while not (good := apart(places, core_size(canvas))).all():
        again = (~good).nonzero()[:, 0]
        places[again] = _random_integers(free_range(canvas), (len(again), digits, 2), generator)
    return places


def _first_apart(n: int, digits: int, canvas: int, generator: Generator) -> Int[Tensor, "n digits 2"]:
    """The same by tries that are all drawn beforehand: after each, a GPU would have to be asked whether it was good."""
    tries = _random_integers(free_range(canvas), (n * TRIES, digits, 2), generator)
    first = apart(tries, core_size(canvas)).view(n, TRIES).int().argmax(dim=1)
    return tries.view(n, TRIES, digits, 2)[torch.arange(n, device=generator.device), first]


def describe_mnist10(n: int, canvas: int, generator: Generator) -> Layout:
    """Ten digits, each once: {0,1}, {8,9} on one diagonal, {2,3,4}, {5,6,7} on the other.

    {8,9} is {0,1} moved by half the canvas: 8 sits where 0 does in its quadrant and 9 where 1 does (not in the paper:
    so in 195 of its 196 published samples). The triples are free. Either diagonal may be swapped, by a coin of its own
    (not in the paper). Cores in a quadrant do not overlap. Slot i holds digit i.
    """
    pair = _places_apart(n, 2, canvas, generator)
    places = torch.cat([pair, *(_places_apart(n, 3, canvas, generator) for _ in range(2)), pair], dim=1)
    swap_pairs, swap_triples = _random_integers(2, (2, n, 1), generator)
    digit = torch.arange(10, device=generator.device)
    in_pair = (digit < 2) | (digit > 7)
    # which of its diagonal's two
    second = torch.where(in_pair, (digit > 7) ^ swap_pairs, (digit > 4) ^ swap_triples)
    # pairs: top left or bottom right; triples: top right or bottom left
    right = torch.where(in_pair, second, 1 - second)
    quadrant = torch.stack([right, second], dim=-1) * (canvas // 2)
    return Layout(digit.expand(n, 10), places + quadrant)


def describe_mnist4_10(n: int, canvas: int, generator: Generator) -> Layout:
    """Half MNIST-4, half MNIST-10, by a coin a scene (the proportion is not in the paper)."""
    four, ten = describe_mnist4(n, canvas, generator), describe_mnist10(n, canvas, generator)
    is_ten = _random_integers(2, (n, 1), generator).bool()
    labels = torch.where(is_ten, ten.labels, F.pad(four.labels, (0, 6), value=ABSENT))
    corners = torch.where(is_ten[..., None], ten.corners, F.pad(four.corners, (0, 0, 0, 6)))
    return Layout(labels, corners)


RULES: dict[str, Callable[[int, int, Generator], Layout]] = {
    "mnist1": describe_mnist1,
    "mnist4": describe_mnist4,
    "mnist10": describe_mnist10,
    "mnist4-10": describe_mnist4_10,
}


def shades(n: int, size: int, generator: Generator) -> Float[Tensor, "n 1 H W"]:
    """Backgrounds that no digit explains: a level of grey, 0.1 to 0.4, and a gentle slope in a direction of its own.

    Not in the paper, whose MNIST scenes are black: the book's smallest world in which a background has to be learned.
    """
    level, angle = torch.rand(2, n, 1, 1, 1, generator=generator, device=generator.device)
    along = (2 * torch.arange(size, device=generator.device) + 1) / size - 1
    turned = (TURN * angle).cos() * along[None, :] + (TURN * angle).sin() * along[:, None]
    return 0.1 + 0.3 * level + SLOPE * turned


BACKDROPS = ("black", "shaded")


class SceneSource:
    """Scenes of one rule, in one handwriting, at one size: the stream that a model is trained on.

    Everything random comes from the generator that `batch` is given, so the same generator state gives the same
    scenes. Characters of the train and test split never mix.
    """

    def __init__(
        self,
        rule: str,
        glyph_set: str = "digits",
        split: str = "train",
        size: int = 64,
        device: str = "cpu",
        backdrop: str = "black",
    ) -> None:
        """`rule` is a key of RULES, `size` the canvas side in pixels (even, at least 32), `backdrop` of BACKDROPS.

        `split` is "train" or "test": whose characters are drawn. They lie on `device`, and so do the scenes.
        Raises ValueError for an unknown rule or backdrop, a size that the rule cannot be drawn at, or characters that
        are not digits; DataError where the characters are not to be had.
        """
        if rule not in RULES:
            raise ValueError(f"unknown scene rule {rule!r}: expected one of {', '.join(RULES)}")
        if size < 32 or size % 2:
            raise ValueError(f"scene size {size}: expected an even number of pixels, at least 32")
        if backdrop not in BACKDROPS:
            raise ValueError(f"unknown backdrop {backdrop!r}: expected one of {', '.join(BACKDROPS)}")
        self.rule, self.size, self.backdrop = rule, size, backdrop
        bank = glyphs(glyph_set, split)
        if bank.classes[:10] != DIGITS:
            raise ValueError(f"scenes need digits: {glyph_set!r} has classes {', '.join(bank.classes[:3])}, ...")
        self.cores, self.index, self.counts = _core_bank(bank, core_size(size), device)

    def describe(self, n: int, generator: Generator) -> Layout:
        """n scene descriptions that obey the rule."""
        return RULES[self.rule](n, self.size, generator)

    def draw(self, layout: Layout, generator: Generator) -> Scenes:
        """Draw described scenes: a random handwriting for each digit, pasted by maximum.

        Layout and generator have to be on the source's device.
        """
        labels = layout.labels.clamp(min=0)
        pick = torch.rand(labels.shape, generator=generator, device=generator.device)
        choice = self.index[labels, (pick * self.counts[labels]).long()]
        digits = self.cores[choice] * layout.present[..., None, None]
        side, images = self.cores.shape[-1], paste(digits, layout.corners, self.size)
        if self.backdrop == "shaded":
            ink = images.float() / 255
            images = (255 * (ink + (1 - ink) * shades(len(ink), self.size, generator))).round().to(torch.uint8)
        corners = layout.corners.float()
        boxes = torch.cat([corners, corners + side], dim=-1) * layout.present[..., None]
        return Scenes(images, boxes, layout.labels, layout.present)

    def batch(self, n: int, generator: Generator) -> Scenes:
        """n fresh scenes from the generator, which has to be on the source's device."""
        return self.draw(self.describe(n, generator), generator)


def paste(patches: Num[Tensor, "B N c c"], corners: Int[Tensor, "B N 2"], size: int) -> Num[Tensor, "B 1 size size"]:
    """Patches onto black by maximum; `corners` are the (x, y) of their first pixels. All have to lie on the canvas."""
    n, step = len(patches), torch.arange(patches.shape[-1], device=corners.device)
    rows, columns = corners[..., 1, None] + step, corners[..., 0, None] + step
    pixels = rows[..., :, None] * size + columns[..., None, :]
    canvas = patches.new_zeros(n, size * size)
    return canvas.scatter_reduce_(1, pixels.flatten(1), patches.flatten(1), "amax").view(n, 1, size, size)


def _core_bank(bank: Glyphs, side: int, device: str) -> tuple[UInt8[Tensor, "M c c"], Int[Tensor, "10 m"], Tensor]:
    """The characters' cores at the wanted size, and for each class the list (padded) and number of its characters."""
    cut = core(bank.images).float()[:, None]
    cores = F.interpolate(cut, size=(side, side), mode="area")[:, 0].round().to(torch.uint8)
    members = [(bank.labels == digit).nonzero()[:, 0] for digit in range(10)]
    counts = torch.tensor([len(m) for m in members])
    if not counts.all():
        lacking = ", ".join(str(digit) for digit in range(10) if not counts[digit])
        raise ValueError(f"scenes need all ten digits, and there is no {lacking} among these: take a whole set")
    index = torch.nn.utils.rnn.pad_sequence(members, batch_first=True)
    return cores.to(device), index.to(device), counts.to(device)
