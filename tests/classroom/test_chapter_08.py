"""Chapter 8's exercises: their solutions agree with the package."""

import pytest
import torch

from neurosym_lite.classroom.chapter_08 import GO_ON, GOING_ON, HOW_MANY, TAKEN_BACK, WHAT_PAYS, WHERE_IT_STOPS
from neurosym_lite.models.stop import hazards, log_stop
from neurosym_lite.render.ink_compose import OPACITY, lay_over

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "8.1": 5.0,
    "8.2": lambda go_on: torch.zeros(len(go_on) + 1),
    "8.3": lambda stops: torch.zeros(len(stops) - 1),
    "8.4": 7.0,
    "8.5": lambda canvas, stroke, opacity: canvas,
}
UNUSABLE = {
    "8.1": "about two",
    "8.2": lambda go_on: go_on.no_such_method(),
    "8.3": lambda stops: stops @ stops[1:],
    "8.4": None.__class__,
    "8.5": 0.5,
}


def test_stops_and_strokes_are_the_packages() -> None:
    stops = log_stop(GO_ON.logit()[None]).exp()[0]
    torch.testing.assert_close(WHERE_IT_STOPS.solution(GO_ON), stops)
    assert float(stops @ torch.arange(4.0, dtype=torch.float64)) == pytest.approx(HOW_MANY.solution)


def test_coins_are_the_packages_hazards() -> None:
    stops = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    torch.testing.assert_close(GOING_ON.solution(stops), hazards(stops.log()[None])[0])
    torch.testing.assert_close(WHERE_IT_STOPS.solution(GOING_ON.solution(stops)), stops)


def test_a_stroke_pays_when_it_removes_two_pixels_of_error() -> None:
    gain = torch.distributions.Laplace(0.0, 0.1)
    error = torch.tensor(WHAT_PAYS.solution)
    assert float(gain.log_prob(torch.tensor(0.0)) - gain.log_prob(error)) == pytest.approx(21.0, rel=1e-5)


def test_a_stroke_taken_back_leaves_the_canvas_before_it() -> None:
    before, stroke = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(TAKEN_BACK.solution(lay_over(before, stroke), stroke, OPACITY), before)
