"""Sliders work without a kernel: every frame is in the state, and the browser's link alone switches them."""

import gc

import ipywidgets
import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
from ipywidgets.widgets import widget
from ipywidgets.widgets.widget_link import Link

from neurosym_lite.widgets.sliders import frame_slider, png


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


def test_a_cell_may_be_run_again() -> None:
    """The first slider is closed when the second is made, and not whenever it is collected: they share their ids."""
    first = frame_slider([figure(1), figure(2)], ["one", "two"], "rerun", "x")
    slider, stack = first.children
    second = frame_slider([figure(1), figure(2)], ["one", "two"], "rerun", "x")
    assert slider.comm is None and stack.comm is None and slider.layout.comm is None
    del first, slider, stack
    gc.collect()
    for made in (second, *second.children, second.children[0].layout, second.children[0].style):
        assert widget._instances[made.model_id] is made and made.comm is not None
    link = widget._instances["rerun-link"]
    assert link.source[0] is second.children[0] and link.comm is not None


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
