"""The failure gallery: its page is what the records say, and its failures fail and its cures cure."""

import math
from dataclasses import asdict

import matplotlib.pyplot as plt
import pytest
from torch import Generator, Tensor

from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.training.checkpoints import load_checkpoint
from neurosym_lite.training.failure_recipes import FAILURES as RECIPES
from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.records import load_record
from scripts.pages import gallery
from scripts.pages.gallery_words import Failure

ENTRIES = [failure for group in gallery.GROUPS for failure in group.failures]
FAILURES = pytest.mark.parametrize("failure", ENTRIES, ids=[f.key for f in ENTRIES])
LOWER = {"digits-ink": 0.65}  # how many times the lower curve is less at the end, where it is not half


def test_the_page_is_current() -> None:
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.page(), "run python -m scripts.pages.gallery"


def test_the_page_has_every_failure_once_and_scenes_before_strokes() -> None:
    pairs = {f"{kind}-{f.key}" for kind in gallery.KINDS for f in ENTRIES}
    controls = [name for f in ENTRIES for name, _ in f.controls]
    assert {recipe.name for recipe in RECIPES} == pairs | {load_record(name).recipe for name in controls}
    assert len(controls) == len(set(controls)) and not pairs & set(controls)
    titles = [line for line in gallery.page().splitlines() if line.startswith("##")]
    scenes, strokes = (f"## {group.title}" for group in gallery.GROUPS)
    entries = [f"### {failure.title}" for failure in ENTRIES]
    first = len(gallery.GROUPS[0].failures)
    assert titles == [scenes, *entries[:first], strokes, *entries[first:]]


def differences(one: str, other: str) -> int:
    """Switches, schedules and seeds in which two runs differ; all else has to be the same."""
    records = [load_record(name) for name in (one, other)]
    a, b = (asdict(get_recipe(record.recipe)) for record in records)
    switches = {name for name in a["model"] if a["model"][name] != b["model"][name]}
    phases = list(zip(a["phases"], b["phases"], strict=True))
    schedules = {
        name
        for ours, theirs in phases
        for name in ours["weights"] | theirs["weights"]
        if ours["weights"].get(name) != theirs["weights"].get(name)
    }
    assert all(ours | {"weights": 0} == theirs | {"weights": 0} for ours, theirs in phases)
    assert a["data"] == b["data"] and a["ema"] == b["ema"]
    return len(switches) + len(schedules) + len({record.seed for record in records}) - 1


@FAILURES
def test_a_failure_and_its_cure_differ_in_one_switch_or_schedule(failure: Failure) -> None:
    assert differences(f"failure-{failure.key}", f"cure-{failure.key}") == 1


@pytest.mark.parametrize("name", [name for f in ENTRIES for name, _ in f.controls])
def test_a_control_differs_in_one_thing_from_the_run_that_it_names(name: str) -> None:
    recipe = load_record(name).recipe
    of = get_recipe(name).about.split()[0] if name == recipe else recipe  # its own recipe, where it is another seed
    assert differences(name, of) == 1


def test_controls_came_out_as_told() -> None:
    found = {name: load_record(name).metrics for f in ENTRIES for name, _ in f.controls}
    at_end = {f"global-{end}": gallery.curve(f"control-digits4-global-{end}", ("kl_global",))[1][-1]
              for end in ("one", "dear")}  # fmt: skip
    for there in ("control-digits4-presence-start", "failure-digits4-background-seed2"):
        assert abs(found[there]["count_mean"] - 4) < 0.5
    for gone in ("presence-grey", "background-masks"):
        assert found[f"control-digits4-{gone}"]["count_mean"] < 0.1
    assert found["failure-digits4-background-seed1"]["count_mean"] < 0.1
    for name in ("control-digits4-presence-grey", "cure-digits4-presence"):  # all sixteen cells pay log 2 to be absent
        _, paid = gallery.curve(name, ("aux_pres",))
        assert paid[1] == pytest.approx(16 * math.log(2), abs=0.1) and abs(paid[1] - 11) < 0.5  # at step 200
    for name in ("control-digits4-presence-start", "cure-digits4-presence"):
        _, drawn = gallery.curve(name, ("aux_where", "aux_what"))
        assert drawn[1] < 0.1 and drawn[3] > 10  # at steps 200 and 400
    assert at_end["global-one"] > 4 * at_end["global-dear"]
    for sigma in ("paper", "wide"):
        assert abs(found[f"control-digits4-grey-{sigma}"]["count_mean"] - 4) < 0.1
    assert found["control-digits-always-exact"]["parts_at_most"] == 1
    assert 1 / 7 < found["control-digits-always-free"]["parts_at_most"] < 1 / 5.5  # one in six


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
