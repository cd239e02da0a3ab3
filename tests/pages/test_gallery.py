"""The failure gallery: its page is what the records say, and its failures fail and its cures cure."""

import matplotlib.pyplot as plt
import pytest
from torch import Generator, Tensor

from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.training.checkpoints import load_checkpoint
from neurosym_lite.training.failure_recipes import FAILURES as RECIPES
from neurosym_lite.training.records import load_record
from scripts.pages import gallery
from scripts.pages.gallery_words import Failure

ENTRIES = [failure for group in gallery.GROUPS for failure in group.failures]
FAILURES = pytest.mark.parametrize("failure", ENTRIES, ids=[f.key for f in ENTRIES])
LOWER = {"digits-ink": 0.65}  # how many times the lower curve is less at the end, where it is not half


def test_the_page_is_current() -> None:
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.page(), "run python -m scripts.pages.gallery"


def test_the_page_has_every_failure_once_and_scenes_before_strokes() -> None:
    assert {recipe.name for recipe in RECIPES} == {f"{kind}-{f.key}" for kind in gallery.KINDS for f in ENTRIES}
    titles = [line for line in gallery.page().splitlines() if line.startswith("##")]
    scenes, strokes = (f"## {group.title}" for group in gallery.GROUPS)
    entries = [f"### {failure.title}" for failure in ENTRIES]
    first = len(gallery.GROUPS[0].failures)
    assert titles == [scenes, *entries[:first], strokes, *entries[first:]]


@FAILURES
def test_a_failure_and_its_cure_differ_in_one_switch_or_schedule(failure: Failure) -> None:
    broken, cured = (load_record(f"{kind}-{failure.key}").config for kind in ("failure", "cure"))
    switches = {name for name in broken["model"] if broken["model"][name] != cured["model"][name]}
    phases = list(zip(broken["phases"], cured["phases"], strict=True))
    schedules = {
        name
        for a, b in phases
        for name in a["weights"] | b["weights"]
        if a["weights"].get(name) != b["weights"].get(name)
    }
    assert all(a | {"weights": 0} == b | {"weights": 0} for a, b in phases)
    assert broken["data"] == cured["data"] and broken["seed"] == cured["seed"] and broken["ema"] == cured["ema"]
    assert (len(switches) == 1 and not schedules) or (not switches and len(schedules) == 1)


@FAILURES
def test_the_symptom_shows(failure: Failure) -> None:
    broken, cured = (gallery.curve(f"{kind}-{failure.key}", failure.terms)[1][-1] for kind in ("failure", "cure"))
    low, high = (cured, broken) if failure.grows else (broken, cured)
    assert low < LOWER.get(failure.key, 0.5) * high
    assert (gallery.PICTURES / f"{failure.key}.png").is_file()


def test_what_comes_out_is_as_told() -> None:
    found = {f"{kind}-{key}": load_record(f"{kind}-digits4-{key}").metrics for kind in ("failure", "cure")
             for key in ("presence", "global", "grey")}  # fmt: skip
    assert found["failure-presence"]["count_mean"] < 0.1 and abs(found["cure-presence"]["count_mean"] - 4) < 0.5
    assert found["failure-grey"]["mse"] > 3 * found["cure-grey"]["mse"]
    assert abs(found["failure-global"]["count_mean"] - 4) < 0.5  # a fault that reconstructions do not show


def test_a_background_eats_the_objects_and_the_loss_does_not_tell() -> None:
    failed, cured = (load_record(f"{kind}-digits4-background") for kind in gallery.KINDS)
    assert failed.metrics["count_mean"] < 0.1 and abs(cured.metrics["count_mean"] - 4) < 0.5
    assert failed.metrics["mse"] > 3 * cured.metrics["mse"]
    totals, likelihoods = ([point[term] for point in failed.curve] for term in ("total", "log_likelihood"))
    assert totals == sorted(totals, reverse=True) and likelihoods == sorted(likelihoods)


def test_what_comes_out_of_strokes_is_as_told() -> None:
    found = {f"{kind}-{key}": load_record(f"{kind}-digits-{key}").metrics for kind in ("failure", "cure")
             for key in ("stop", "always", "ink")}  # fmt: skip
    assert found["failure-stop"]["parts"] == 0 and found["failure-stop"]["relative_l1"] == 1
    assert found["cure-stop"]["parts"] > 1 and found["cure-stop"]["relative_l1"] < 0.4
    assert found["failure-always"]["parts_at_most"] == 1 and found["cure-always"]["parts"] < 2
    assert found["cure-always"]["relative_l1"] < 1.1 * found["failure-always"]["relative_l1"]  # no worse for it
    assert found["failure-ink"]["relative_l1"] > 1.5 * found["cure-ink"]["relative_l1"]


@pytest.mark.parametrize(("name", "least", "most"), [
    ("failure-digits-stop", 0, 0), ("cure-digits-stop", 1, 2),
    ("failure-digits-always", 4, 4), ("cure-digits-always", 1, 2),
])  # fmt: skip
def test_the_picture_has_as_many_strokes_as_told(name: str, least: int, most: int) -> None:
    model, recipe = load_checkpoint(name)
    figure, row = plt.subplots(1, gallery.SHOWN)
    gallery.show_strokes(row, model, gallery.held_out(recipe))
    strokes = [len(axes.lines) // 2 for axes in row]  # a curve and the square where it begins
    inked = [float(axes.images[0].get_array().max()) > 0.5 for axes in row]
    plt.close(figure)
    assert all(least <= number <= most for number in strokes) and inked == [number > 0 for number in strokes]


def test_blown_up_ink_is_full_or_none() -> None:
    """Most of it is full ink, from a thinner pen; its amount is right."""
    full, radius = {}, {}
    for kind in gallery.KINDS:
        model, recipe = load_checkpoint(f"{kind}-digits-ink")
        images = recipe.data.source("test").batch(100, Generator().manual_seed(0)).images.float() / 255
        drawing = read(model, images)
        ink = redrawn(drawing).final()
        full[kind], radius[kind] = full_share(ink), float(drawing.pen[:, 0, 0].median())
        assert abs(float(ink.sum() / images.sum()) - 1) < 0.15
    assert full["failure"] > 0.5 and full["cure"] < 0.1 and full_share(images) < 0.1
    assert radius["failure"] < 0.7 * radius["cure"]


def full_share(ink: Tensor) -> float:
    """The share of inked pixels that are full ink."""
    return float((ink > 0.95).sum() / (ink > 0.05).sum())
