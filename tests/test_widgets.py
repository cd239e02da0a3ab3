"""Sliders work without a kernel: every frame is in the state, and the browser's link alone switches them.

The pen's canvas fetches nothing, and draws what the package draws.
"""

import json
import re
import shutil
import subprocess

import ipywidgets
import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
import torch
from ipywidgets.widgets import widget
from ipywidgets.widgets.widget_link import Link

from neurosym_lite.render.ink import ink
from neurosym_lite.widgets import PEN_INK, frame_slider, pen_canvas, png

STROKE = torch.tensor([[-0.6, -0.4], [0.9, -0.9], [0.0, 0.1], [-0.7, 0.8], [0.6, 0.5]])


def figure(height: float) -> plt.Figure:
    drawn, axes = plt.subplots(figsize=(1, 1))
    axes.plot([0, height])
    return drawn


def test_a_slider_holds_every_frame_and_links_to_it() -> None:
    box = frame_slider([figure(1), figure(2), figure(3)], ["low", "mid <b>", "high"], "demo", "height", start=1)
    slider, stack = box.children
    assert isinstance(slider, ipywidgets.IntSlider) and (slider.min, slider.max, slider.value) == (0, 2, 1)
    assert stack.selected_index == 1 and len(stack.children) == 3
    assert 'alt="low"' in stack.children[0].value and "data:image/png;base64," in stack.children[0].value
    assert "<b>" not in stack.children[1].value
    links = [w for w in widget._instances.values() if isinstance(w, Link) and w.source[0] is slider]
    assert links[0].source == (slider, "value") and links[0].target == (stack, "selected_index")


def test_ids_come_from_the_name() -> None:
    box = frame_slider([figure(1)], ["one"], "again", "x")
    assert box.model_id == "again-box" and box.children[0].model_id == "again-slider"
    assert box.children[0].layout.model_id == "again-slider-layout"


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert png(figure(2)) == png(figure(2)) and png(figure(2)) != png(figure(3))


def test_frames_and_texts_must_pair_up() -> None:
    with pytest.raises(ValueError, match="one alternative text a frame: got 1 frames, 2 texts"):
        frame_slider([figure(1)], ["a", "b"], "bad", "x")
    with pytest.raises(ValueError, match="got 0 frames"):
        frame_slider([], [], "none", "x")


def test_the_pens_page_is_complete_in_itself() -> None:
    page = pen_canvas(STROKE, 1.2, 0.4, "demo-pen").data
    assert not re.search(r"<(script|link|img)[^>]*(src|href)", page) and page.count("<script>") == 1
    assert not re.search(r"fetch\(|import[ (]|XMLHttp", page) and "eval(" not in page
    assert 'data-pen="demo-pen"' in page and 'value="1.2"' in page and 'value="0.4"' in page
    assert 'aria-label="White ink of a Bezier stroke with 5 control points' in page
    assert "[[-0.6, -0.4], [0.9, -0.9]" in page
    assert not re.search("NAME|SIDE|LABEL|RADIUS|SOFTNESS", page.split("<script>")[0])
    assert page == pen_canvas(STROKE, 1.2, 0.4, "demo-pen").data


def test_the_pens_page_is_named_by_a_plain_word() -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        pen_canvas(STROKE, 1.2, 0.4, 'two "words"')


@pytest.mark.skipif(shutil.which("node") is None, reason="needs a JavaScript runtime")
@pytest.mark.parametrize("widths", [(1.2, 0.3), (3.5, 2.0)])
@pytest.mark.parametrize("points", [STROKE, STROKE[:1], STROKE[:2], STROKE[2:3].expand(4, 2)], ids=len)
def test_the_browser_draws_the_packages_ink(points: torch.Tensor, widths: tuple[float, float]) -> None:
    settings = json.loads(re.search(r"const settings = (.*);", pen_canvas(points, *widths, "ink").data).group(1))
    call = [settings["points"], *widths, settings["side"], settings["pen"]]
    script = f"{PEN_INK}\nconsole.log(JSON.stringify(penInk(...{json.dumps(call)})))"
    run = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    radius, softness = torch.tensor(widths, dtype=torch.float64)
    ours = ink(points.double(), radius, softness, (28, 28))
    drawn = torch.tensor(json.loads(run.stdout), dtype=torch.float64).view(28, 28)
    torch.testing.assert_close(drawn, ours, rtol=0, atol=1e-5)
