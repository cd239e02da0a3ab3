"""The page on training says what is counted, and its sentences about the estimate hold."""

import json
import re

import pytest

from neurosym_lite.training.recipes import get_recipe
from scripts.pages import scaling, training_page
from scripts.pages.scaling import BYTES, Counts, adding_up, counts, estimate


def test_the_page_is_what_the_script_writes() -> None:
    written = training_page.page()
    assert training_page.PAGE.read_text(encoding="utf-8") == written
    assert "\n#SBATCH --nodes" in written and not re.search("<[A-Z_]+>", written)  # only what is to be filled in was


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
    for name in training_page.RECIPES:
        found, batch = counts(name), get_recipe(name).phases[0].batch
        graph, alone = (estimate(found, 1, batch, graph).images for graph in (True, False))
        assert all(estimate(found, gpus, batch).images < alone < graph for gpus in training_page.GPUS[1:])
        assert estimate(found, 64, 64 * batch).images > 30 * alone


def test_an_operation_costs_what_was_measured() -> None:
    measured = json.loads(training_page.REPORT.read_text(encoding="utf-8"))["engines"]
    measured = [entry for entry in measured if entry["recipe"] in training_page.RECIPES]
    for engine, cost in (("eager", scaling.LAUNCH), ("graph", scaling.REPLAY)):
        each = [1 / entry[engine] / counts(entry["recipe"]).operations for entry in measured]
        assert len(each) == 2 and sum(each) / 2 == pytest.approx(cost, rel=0.05)


def test_four_at_once_are_summed_up_in_runs_one_after_another() -> None:
    once = {"recipes": ["a", "b"], "alone": [100, 200], "together": [30, 100], "mps": [80, 150]}
    said = training_page.at_once_sentence(once)
    assert "(`a`, `b`) did together 1.6 times" in said and "each between 75% and 80% of its speed" in said
    assert "0.8 times, and the slowest had 30%" in said


def test_a_list_to_its_end_is_said_with_and_without_metrics() -> None:
    ends = {"recipes": ["a", "b"], "unmeasured": [100, 40]}
    said = training_page.to_the_end_sentence(ends)
    assert said.endswith("(`a`, `b`) took, `--unmeasured`, 100 s one after another and 40 s at once, 2.5 times sooner.")
    said = training_page.to_the_end_sentence(ends | {"measured": [300, 90]})
    assert said.endswith("300 s one after another and 90 s at once, 3.3 times sooner.")
