"""The failure gallery: its page is what the records say, and its failures fail and its cures cure."""

import pytest

from neurosym_lite.training.records import load_record
from scripts import gallery

FAILURES = pytest.mark.parametrize("failure", gallery.FAILURES, ids=[f.key for f in gallery.FAILURES])


def test_the_page_is_current() -> None:
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.page(), "run python -m scripts.gallery"


@FAILURES
def test_a_failure_and_its_cure_differ_in_one_switch_or_schedule(failure: gallery.Failure) -> None:
    broken, cured = (load_record(f"{kind}-{failure.key}").config for kind in ("failure", "cure"))
    switches = {name for name in broken["model"] if broken["model"][name] != cured["model"][name]}
    phases = zip(broken["phases"], cured["phases"], strict=True)
    schedules = {
        name
        for a, b in phases
        for name in a["weights"] | b["weights"]
        if a["weights"].get(name) != b["weights"].get(name)
    }
    assert broken["data"] == cured["data"] and broken["seed"] == cured["seed"]
    assert len(switches) == 1 or (not switches and schedules)


@FAILURES
def test_the_symptom_shows(failure: gallery.Failure) -> None:
    broken, cured = (gallery.curve(f"{kind}-{failure.key}", failure.terms)[1][-1] for kind in ("failure", "cure"))
    assert broken < 0.5 * cured
    assert (gallery.PICTURES / f"{failure.key}.png").is_file()


def test_what_comes_out_is_as_told() -> None:
    found = {f"{kind}-{key}": load_record(f"{kind}-digits4-{key}").metrics for kind in ("failure", "cure")
             for key in ("presence", "global", "grey")}  # fmt: skip
    assert found["failure-presence"]["count_mean"] < 0.1 and abs(found["cure-presence"]["count_mean"] - 4) < 0.5
    assert found["failure-grey"]["mse"] > 3 * found["cure-grey"]["mse"]
    assert abs(found["failure-global"]["count_mean"] - 4) < 0.5  # a fault that reconstructions do not show
