"""Does a scene description obey its rule? Judged from labels and centres, within a tolerance, in any order of slots.

The generator need not be trusted, and neither need a parser that reads scenes off pixels: both are held against this.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosym_lite.data.scenes import ABSENT, apart, core_size

PAIRS, TRIPLES = (0, 1, 8, 9), (2, 3, 4, 5, 6, 7)  # MNIST-10's digits: those that share places, and those that do not


def validate(
    rule: str, labels: Int[Tensor, "B N"], centres: Float[Tensor, "B N 2"], canvas: int, tolerance: float = 0.5
) -> Bool[Tensor, "B"]:
    """Which scenes obey the rule, with every place within `tolerance` pixels of where the rule wants it.

    `labels` are digit classes, -1 for an empty slot; `centres` are (x, y) of the cores' centres in pixels.
    Raises ValueError for an unknown rule.
    """
    if rule not in VALIDATORS:
        raise ValueError(f"unknown scene rule {rule!r}: expected one of {', '.join(VALIDATORS)}")
    return VALIDATORS[rule](labels, centres, canvas, tolerance)


def obeys_mnist1(labels: Tensor, centres: Tensor, canvas: int, tolerance: float) -> Bool[Tensor, "B"]:
    """One digit, its core on the canvas."""
    half = core_size(canvas) / 2 - tolerance
    inside = ((centres >= half) & (centres <= canvas - half)).all(-1)
    return ((labels != ABSENT).sum(1) == 1) & (inside | (labels == ABSENT)).all(1)


def obeys_mnist4(labels: Tensor, centres: Tensor, canvas: int, tolerance: float) -> Bool[Tensor, "B"]:
    """Four digits, one a quadrant, c to c+3 clockwise, offsets from the centre mirrored: each near their mean."""
    present = labels != ABSENT
    member = _quadrant_of(centres, canvas)[..., None] == torch.arange(4, device=labels.device)
    member = member & present[..., None]
    one_each = (member.sum(1) == 1).all(1) & (present.sum(1) == 4)
    slot = member.long().argmax(1)  # which slot sits in quadrant 0..3
    classes = labels.gather(1, slot)
    steps = torch.arange(4, device=labels.device)
    in_order = (classes == classes[:, :1] + steps).all(1) & (classes[:, 0] <= 6) & (classes[:, 0] >= 0)
    offsets = (centres.gather(1, slot[..., None].expand(-1, -1, 2)) - canvas / 2).abs()
    mirrored = ((offsets - offsets.mean(1, keepdim=True)).abs() <= tolerance).all(2).all(1)
    return one_each & in_order & mirrored & _within_quadrants(centres, present, canvas, tolerance)


def obeys_mnist10(labels: Tensor, centres: Tensor, canvas: int, tolerance: float) -> Bool[Tensor, "B"]:
    """Each digit once, sets in their quadrants (either diagonal may be swapped), 8 and 9 half a canvas from 0 and 1."""
    member = labels[..., None] == torch.arange(10, device=labels.device)
    each_once = (member.sum(1) == 1).all(1) & ((labels != ABSENT).sum(1) == 10)
    slot = member.long().argmax(1)  # which slot holds digit 0..9
    places = centres.gather(1, slot[..., None].expand(-1, -1, 2))
    quadrant = _quadrant_of(places, canvas)
    expected = torch.tensor([0, 0, 1, 1, 1, 3, 3, 3, 2, 2], device=labels.device)
    swapped = (expected + 2) % 4
    right_sets = torch.ones_like(each_once)
    for group in (torch.tensor(members, device=labels.device) for members in (PAIRS, TRIPLES)):
        here = quadrant[:, group]
        right_sets &= (here == expected[group]).all(1) | (here == swapped[group]).all(1)
    # a shared place, each of the two within the tolerance of their mean: the difference may be twice that
    shift = (places[:, [8, 9]] - places[:, [0, 1]]).abs() - canvas / 2
    translated = (shift.abs() <= 2 * tolerance).all(2).all(1)
    present = labels != ABSENT
    return (
        each_once
        & right_sets
        & translated
        & _within_quadrants(centres, present, canvas, tolerance)
        & apart(places, core_size(canvas) - 2 * tolerance)
    )


def obeys_mnist4_10(labels: Tensor, centres: Tensor, canvas: int, tolerance: float) -> Bool[Tensor, "B"]:
    """Either rule."""
    return obeys_mnist4(labels, centres, canvas, tolerance) | obeys_mnist10(labels, centres, canvas, tolerance)


def _quadrant_of(centres: Tensor, canvas: int) -> Int[Tensor, "B N"]:
    """0 to 3, clockwise from the top left."""
    right, below = (centres >= canvas / 2).long().unbind(-1)
    return 3 * below + right * (1 - 2 * below)


def _within_quadrants(centres: Tensor, present: Tensor, canvas: int, tolerance: float) -> Bool[Tensor, "B"]:
    """Does every core stay inside one quadrant?"""
    half = core_size(canvas) / 2
    offset = (centres - canvas / 2).abs()
    inside = ((offset >= half - tolerance) & (offset <= canvas / 2 - half + tolerance)).all(-1)
    return (inside | ~present).all(1)


VALIDATORS: dict[str, Callable[[Tensor, Tensor, int, float], Bool[Tensor, "B"]]] = {
    "mnist1": obeys_mnist1,
    "mnist4": obeys_mnist4,
    "mnist10": obeys_mnist10,
    "mnist4-10": obeys_mnist4_10,
}
