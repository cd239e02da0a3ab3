"""The validator says no to each way of breaking a rule."""

import pytest
import torch
from torch import Generator

from neurosym_lite.data.rules import validate
from neurosym_lite.data.scenes import ABSENT, RULES, SceneSource

SIZE, N = 64, 200


def scenes(rule: str) -> tuple[torch.Tensor, torch.Tensor]:
    layout = SceneSource(rule, size=SIZE).describe(N, Generator().manual_seed(0))
    return layout.labels.clone(), layout.corners + 5.0


def accepted(rule: str, labels: torch.Tensor, centres: torch.Tensor, tolerance: float = 0.5) -> float:
    return float(validate(rule, labels, centres, SIZE, tolerance).float().mean())


@pytest.mark.parametrize("rule", ["mnist4", "mnist10"])
def test_the_order_of_the_slots_does_not_matter(rule: str) -> None:
    labels, centres = scenes(rule)
    order = torch.randperm(labels.shape[1])
    assert accepted(rule, labels[:, order], centres[:, order]) == 1


@pytest.mark.parametrize("rule", ["mnist1", "mnist4", "mnist10"])
def test_a_missing_digit_is_seen(rule: str) -> None:
    labels, centres = scenes(rule)
    labels[:, 0] = ABSENT
    assert accepted(rule, labels, centres) == 0


@pytest.mark.parametrize("rule", ["mnist4", "mnist10"])
def test_a_wrong_class_is_seen(rule: str) -> None:
    labels, centres = scenes(rule)
    labels[:, 1] = (labels[:, 1] + 1) % 10
    assert accepted(rule, labels, centres) == 0


@pytest.mark.parametrize("rule", ["mnist4", "mnist10"])
def test_two_swapped_digits_are_seen(rule: str) -> None:
    labels, centres = scenes(rule)
    labels[:, [0, 2]] = labels[:, [2, 0]]
    assert accepted(rule, labels, centres) == 0


def test_a_shifted_digit_is_seen_beyond_the_tolerance_and_not_within_it() -> None:
    labels, centres = scenes("mnist4")
    inward = torch.sign(32 - centres[:, 0])
    room = ((centres[:, 0] - 32).abs() > 12).all(1)  # stays inside its quadrant when moved by 4 pixels
    moved = centres.clone()
    moved[:, 0] += 4 * inward  # 3 pixels from the mean of the four
    assert not validate("mnist4", labels, moved, SIZE, 2.5)[room].any()
    assert validate("mnist4", labels, moved, SIZE, 3.5)[room].all()


def test_mnist10_wants_the_pairs_half_a_canvas_apart() -> None:
    labels, centres = scenes("mnist10")
    centres[:, 8] += 2.0
    assert accepted("mnist10", labels, centres, tolerance=0.5) == 0


def test_mnist10_refuses_8_where_9_belongs() -> None:
    labels, centres = scenes("mnist10")
    labels[:, [8, 9]] = labels[:, [9, 8]]
    assert accepted("mnist10", labels, centres) == 0


def test_mnist10_refuses_overlapping_digits() -> None:
    labels, centres = scenes("mnist10")
    centres[:, 3] = centres[:, 2] + 3
    assert accepted("mnist10", labels, centres) == 0


def test_random_scenes_are_refused_by_every_rule() -> None:
    labels, centres = torch.randint(0, 10, (N, 4)), 5 + 54 * torch.rand(N, 4, 2)
    for rule in ("mnist4", "mnist10", "mnist4-10"):
        assert accepted(rule, labels, centres, tolerance=2.0) == 0


def test_the_union_accepts_both_and_each_refuses_the_other() -> None:
    four, ten = scenes("mnist4"), scenes("mnist10")
    assert accepted("mnist4-10", *four) == accepted("mnist4-10", *ten) == 1
    assert accepted("mnist10", *four) == accepted("mnist4", *ten) == 0


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(ValueError, match="unknown scene rule 'x': expected one of " + ", ".join(RULES)):
        validate("x", *scenes("mnist4"), SIZE)


# a place for each class that obeys MNIST-10
TEN = [[10, 10], [22, 22], [42, 10], [54, 10], [42, 22], [10, 42], [22, 42], [10, 54], [42, 42], [54, 54]]


def ten(digit: int, x: float, y: float) -> bool:
    """Does a scene of ten obey, with one digit elsewhere?"""
    places = torch.tensor(TEN, dtype=torch.float32)
    places[digit] = torch.tensor([x, y])
    return bool(validate("mnist10", torch.arange(10)[None], places[None], 64, 3.0))


def test_mnist10s_tolerances_to_either_side() -> None:
    assert ten(0, 10.0, 10.0)
    assert ten(8, 47.9, 42.0) and not ten(8, 48.1, 42.0)  # 6 pixels between two that are each within 3 of their mean
    assert ten(3, 46.1, 10.0) and not ten(3, 45.9, 10.0)  # cores of 10, each 3 from where it should be: 4 apart
    assert ten(2, 34.1, 10.0) and not ten(2, 33.9, 10.0)  # a core's edge 3 over the middle line
    assert ten(3, 61.9, 10.0) and not ten(3, 62.1, 10.0)  # and over the canvas' edge


def one(x: float) -> bool:
    """May a single digit stand there?"""
    return bool(validate("mnist1", torch.tensor([[3]]), torch.tensor([[[x, 30.0]]]), 64, 0.5))


def test_one_digit_may_leave_the_canvas_by_the_tolerance() -> None:
    assert one(4.6) and not one(4.4) and one(59.4) and not one(59.6)


def test_the_middle_belongs_to_the_right_and_below() -> None:
    places = torch.tensor([[[31.9, 31.9], [32.0, 31.9], [32.0, 32.0], [31.9, 32.0]]])
    assert validate("mnist4", torch.tensor([[0, 1, 2, 3]]), places, 64, 5.0).all()
