"""The page on training says what is counted, and its sentences about the estimate hold."""

import pytest

from neurosym_lite.training.recipes import get_recipe
from scripts.pages import scaling, training_page
from scripts.pages.scaling import BYTES, Counts, adding_up, counts, estimate


def test_the_page_is_what_the_script_writes() -> None:
    assert training_page.PAGE.read_text(encoding="utf-8") == training_page.page()


def test_an_estimate_is_launching_or_arithmetic_and_then_adding_up(monkeypatch) -> None:
    for name, value in (("LAUNCH", 1e-6), ("REPLAY", 1e-7), ("ARITHMETIC", 1e9), ("INSIDE", 1e9), ("HOP_INSIDE", 1e-5)):
        monkeypatch.setattr(scaling, name, value)
    found = Counts(operations=1000, arithmetic=1e5, parameters=250_000)
    assert estimate(found, 1, 4).seconds == pytest.approx(1e-3)  # launching
    assert estimate(found, 1, 100).seconds == pytest.approx(1e-2)  # arithmetic
    assert estimate(found, 1, 1, graph=True).seconds == pytest.approx(1e-4)
    sending = 2 * (1 / 2) * BYTES * 250_000 / 1e9 + 2 * 1e-5  # two GPUs: each sends its half twice
    assert adding_up(250_000, 2) == pytest.approx(sending) and adding_up(250_000, 1) == 0
    two = estimate(found, 2, 100)
    assert two.seconds == pytest.approx(5e-3 + sending) and two.images == pytest.approx(100 / two.seconds)


def test_what_the_page_says_of_the_estimate_is_so() -> None:
    gnm, dood = (counts(name) for name in training_page.RECIPES)
    batch, wide = (get_recipe(name).phases[0].batch for name in training_page.RECIPES)
    graph = estimate(gnm, 1, batch, graph=True).images
    alone = estimate(gnm, 1, batch).images
    assert all(estimate(gnm, gpus, batch).images < alone < graph for gpus in training_page.GPUS[1:])
    one, eight, many = (estimate(dood, gpus, wide).images for gpus in training_page.GPUS)
    assert one < eight and many < eight and estimate(dood, 64, wide).sending > 0.3
    assert estimate(dood, 64, 64 * wide).images > 30 * one
