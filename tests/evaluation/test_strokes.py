"""Readings of drawings: what is written can be drawn again, and the metrics count what they say."""

import pytest
import torch

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation import strokes
from neurosym_lite.evaluation.strokes import Redrawn, readings, redraw, relative_l1, stroke_metrics
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_config import AIRConfig, DooDConfig
from neurosym_lite.render.ink import ink
from neurosym_lite.render.ink_compose import soft_or
from tests.evaluation.held_out import at

CONFIG = DooDConfig(strokes=3, hidden=24, components=2, filters=(6, 6))


def model(on: float = 1.0) -> DooD:
    torch.manual_seed(0)
    fresh = DooD(CONFIG).eval()
    with torch.no_grad():
        fresh.q_on[-1].bias.fill_(on)
        fresh.q_on[-1].weight.mul_(500)
    return fresh


def test_drawing_the_written_points_again_gives_the_written_picture() -> None:
    drawings = DrawingSource("digits", "test").batch(8, at())
    images = drawings.images.float() / 255
    found = readings(model(), images)
    assert found["points"].shape == (8, 3, 5, 2) and found["steps"].shape == (8, 3, 28, 28)
    canvas_points = 2 * found["points"] / 28 - 1
    strokes = ink(canvas_points, found["radius"], found["softness"], (28, 28), CONFIG.samples)
    again = soft_or(strokes * found["on"][..., None, None])
    assert (again - found["recon"][:, 0] / 255).abs().max() < 0.5 / 255 + 1e-4
    assert torch.equal(found["steps"][:, -1], found["recon"][:, 0])
    assert found["recon"].max() > 100


def test_a_drawing_stays_as_it_is_after_the_stop() -> None:
    canvases = torch.arange(4.0).view(1, 4, 1, 1).expand(2, 4, 5, 5)
    drawn = Redrawn(canvases, torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert drawn.parts.tolist() == [2, 0]
    assert drawn.steps()[:, :, 0, 0].tolist() == [[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]]
    assert drawn.final()[:, 0, 0].tolist() == [2.0, 0.0]


def test_relative_l1_of_black_is_one_and_of_the_image_nothing() -> None:
    images = DrawingSource("digits", "test").batch(5, at()).images.float() / 255
    assert relative_l1(images[:, 0], images) == 0
    assert relative_l1(torch.zeros(5, 28, 28), images) == pytest.approx(1)


def test_metrics_of_a_model_that_never_draws_or_always_does() -> None:
    drawings = DrawingSource("digits", "test").batch(60, at())
    images = drawings.images.float() / 255
    never, always = (stroke_metrics(model(on), images, drawings.labels) for on in (-1e4, 1e4))
    assert never["parts"] == 0 and never["relative_l1"] == pytest.approx(1) and never["parts_at_most"] == 0
    assert always["parts"] == always["parts_of_3"] == 3 and always["parts_at_most"] == 1
    assert always["relative_l1"] == pytest.approx(always["relative_l1_3"])
    assert never["relative_l1_all"] == pytest.approx(always["relative_l1"])


def test_air_is_read_in_frames_and_codes() -> None:
    torch.manual_seed(0)
    air = AIR(AIRConfig(strokes=2, hidden=16, filters=(4, 4), what=3)).eval()
    images = DrawingSource("digits", "test").batch(3, at()).images.float() / 255
    found = readings(air, images)
    assert found["what"].shape == (3, 2, 3) and found["where"].shape == (3, 2, 4) and "points" not in found
    with torch.no_grad():
        again = air.render(found["where"], found["what"], found["on"].float())
    torch.testing.assert_close(again[:, -1], redraw(air, images).final())


def test_nothing_is_drawn_after_a_stop() -> None:
    drawer, logits = model(), iter((1.0, -1.0, 1.0))
    drawer.q_on.forward = lambda seen: torch.full((len(seen), 1), next(logits))
    assert redraw(drawer, torch.rand(2, 1, 28, 28)).on.tolist() == [[1.0, 0.0, 0.0]] * 2


def test_relative_l1_is_a_ratio_of_sums() -> None:
    x = torch.zeros(2, 1, 2, 2)
    x[0] = 1.0
    x[1, 0, 0, 0] = 1.0
    canvas = x[:, 0].clone()
    canvas[1] = 0
    assert relative_l1(canvas, x) == pytest.approx(1 / 5)


def test_stroke_metrics_by_hand(monkeypatch) -> None:
    x = torch.ones(3, 1, 2, 2)
    canvases = torch.tensor([0.0, 0.5, 0.75, 1.0])[None, :, None, None].expand(3, 4, 2, 2)
    on = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    monkeypatch.setattr(strokes, "redraw", lambda model, images: Redrawn(canvases, on))
    m = stroke_metrics(model(), x, torch.tensor([4, 7, 7]))
    want = {
        "relative_l1": (0 + 0.25 + 1) / 3,
        "relative_l1_all": 0.0,
        "relative_l1_1": 0.5,
        "relative_l1_2": 0.25,
        "relative_l1_3": 0.0,
        "parts": 5 / 3,
        "parts_at_most": 1 / 3,
        "parts_of_4": 3.0,
        "parts_of_7": 1.0,
    }
    assert {k: v for k, v in m.items() if k != "scale"} == pytest.approx(want)
