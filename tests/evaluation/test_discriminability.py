"""D-Steps: few where the difference is plain, the cap where there is none."""

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.evaluation import discriminability
from neurosym_lite.evaluation.discriminability import (
    BRIGHT,
    LOOK,
    Look,
    d_steps,
    discriminator,
    learning_curve,
    told_apart,
    told_by_brightness,
)

REAL = SceneSource("mnist4", "digits", "train", 32)  # pixels: half the size, a quarter of the time


def real(n: int, generator: Generator) -> Tensor:
    return REAL.batch(n, generator).images


def others(n: int, generator: Generator) -> Tensor:
    """Scenes that `real` does not draw from an equal generator."""
    torch.rand(1, generator=generator)
    return real(n, generator)


def dimmed(n: int, generator: Generator) -> Tensor:
    """Scenes whose ink is grey: a difference that a few steps find."""
    return real(n, generator) // 2


@pytest.fixture(autouse=True)
def short(monkeypatch) -> None:
    monkeypatch.setattr(discriminability, "HELD_OUT", 64)


def test_real_scenes_are_not_told_from_real_ones() -> None:
    curve = learning_curve(real, others, 0, 5 * LOOK)
    assert [look.step for look in curve] == [LOOK * n for n in range(1, 6)] and d_steps(curve, 100) == 100
    assert all(abs(look.accuracy - 0.5) < 0.2 for look in curve)
    assert len({look.accuracy for look in curve}) > 1  # of the very same pictures half would be right, at every look


def test_a_plain_difference_is_found_and_the_curve_ends_there() -> None:
    curve = learning_curve(real, dimmed, 0, 2000)
    assert told_apart(curve) and not told_apart(curve[:-1]) and d_steps(curve, 2000) == curve[-1].step < 1000
    assert curve == learning_curve(real, dimmed, 0, 2000)  # the seed is all there is to it


def test_told_apart_is_the_mean_of_three_looks_in_a_row() -> None:
    accuracies = (0.5, 0.95, 0.95, 0.79, 0.96)
    curve = [Look(LOOK * n, accuracy) for n, accuracy in enumerate(accuracies, 1)]
    assert [told_apart(curve[:n]) for n in range(6)] == [False] * 5 + [True]
    assert d_steps(curve, 300) == 100 and d_steps(curve[:4], 300) == 300


def test_the_network_is_table_6_without_norms() -> None:
    network = discriminator(1, 128)
    assert network(torch.rand(2, 1, 128, 128)).shape == (2,)
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in network) == 9
    assert not any(isinstance(layer, torch.nn.GroupNorm) for layer in network)


def test_one_number_tells_dim_scenes_and_no_others() -> None:
    scenes, again = ((real(400, Generator().manual_seed(seed)) * 2.0).clamp(max=255).byte() for seed in (1, 2))
    assert abs(told_by_brightness(scenes, again) - 0.5) < 0.1
    assert told_by_brightness(scenes, again // 2) == told_by_brightness(scenes // 2, again) == 1.0


def test_the_threshold_is_chosen_on_the_first_half_and_tried_on_the_second() -> None:
    def bright(*counts: int) -> Tensor:
        images = torch.zeros(len(counts), 1, 1, 10, dtype=torch.uint8)
        for image, count in zip(images, counts, strict=True):
            image[..., :count] = BRIGHT
        return images

    assert told_by_brightness(bright(5, 6, 5, 6), bright(1, 2, 1, 2)) == 1.0
    assert told_by_brightness(bright(1, 2, 1, 2), bright(5, 6, 5, 6)) == 1.0
    assert told_by_brightness(bright(5, 6, 1, 6), bright(1, 2, 1, 2)) == 0.75
    assert told_by_brightness(bright(5, 6, 1, 2), bright(1, 2, 5, 6)) == 0.0


def test_bright_is_230() -> None:
    def all_at(level):
        return torch.full((4, 1, 2, 2), level, dtype=torch.uint8)

    assert discriminability.told_by_brightness(all_at(230), all_at(229)) == 1
    assert discriminability.told_by_brightness(all_at(229), all_at(128)) == 0.5


def test_no_scene_is_seen_twice(monkeypatch) -> None:
    monkeypatch.setattr(discriminability, "HELD_OUT", 8)
    seen = []

    def draw(n, generator):
        images = torch.randint(0, 256, (n, 1, 32, 32), generator=generator).to(torch.uint8)
        seen.extend(images)
        return images

    discriminability.learning_curve(draw, draw, 0, 2 * LOOK)
    # held-out pictures come from two equal generators (the two halves here are alike), training's from one
    held, trained = torch.stack(seen[:8]).flatten(1), torch.stack(seen[16:]).flatten(1)
    assert len(trained) == 2 * LOOK * 2 * discriminability.HALF == len(trained.unique(dim=0))
    assert len(torch.cat([held, trained]).unique(dim=0)) == 8 + len(trained)


def test_one_good_look_is_not_told_apart() -> None:
    curve = [Look(20, 0.5), Look(40, 0.5), Look(60, 0.95)]
    assert discriminability.d_steps(curve, 300) == 300
