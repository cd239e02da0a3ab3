"""Figures: opaque, in pixels' own coordinates, and numbers kept for the prose."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from neurosym_lite import figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_style_is_opaque_in_light_and_dark() -> None:
    figures.set_style()
    figure = figures.image_row([torch.rand(1, 8, 8)])
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba())[..., 3].min() == 255


def test_palette_stays_apart_for_colour_blind_eyes() -> None:
    """Under simulated deuteranopia (Machado et al. 2009, severity 1) the first colours keep their distance."""
    simulate = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    seen = [simulate @ np.array(colour) for colour in (figures.BLUE, figures.ORANGE, figures.GREEN)]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 0.2


def test_pixel_i_covers_i_to_i_plus_one_and_boxes_lie_on_it() -> None:
    figure = figures.image_row([torch.zeros(1, 10, 20)], boxes=[torch.tensor([[2.0, 3.0, 7.0, 9.0]])])
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, 20) and axes.get_ylim() == (10, 0)
    (patch,) = axes.patches
    assert (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()) == (2, 3, 5, 6)


def test_control_points_lie_on_the_image_in_pixels() -> None:
    figure = figures.image_row([torch.zeros(10, 20)])
    figures.draw_points(figure.axes[0], torch.tensor([[[-1.0, 1.0], [0.0, 0.0], [0.5, -3.0]]]), (10, 20))
    joined, first = figure.axes[0].lines
    assert joined.get_xydata().tolist() == [[0, 10], [10, 5], [15, -10]] and first.get_xydata().tolist() == [[0, 10]]
    assert (joined.get_marker(), first.get_marker()) == ("o", "s")
    assert figure.axes[0].get_xlim() == (0, 20) and figure.axes[0].get_ylim() == (10, 0)


def test_a_stroke_is_drawn_from_its_first_to_its_last_point() -> None:
    figure = figures.image_row([torch.zeros(10, 20)])
    figures.draw_strokes(figure.axes[0], torch.tensor([[[-1.0, 1.0], [0.0, 0.0], [0.5, -3.0]]]), (10, 20))
    track, first = figure.axes[0].lines
    assert track.get_xydata()[[0, -1]].tolist() == [[0, 10], [15, -10]] and first.get_xydata().tolist() == [[0, 10]]
    assert figure.axes[0].get_xlim() == (0, 20) and figure.axes[0].get_ylim() == (10, 0)


def test_colour_images_keep_their_channels() -> None:
    figure = figures.image_row([torch.rand(3, 4, 5)])
    assert figure.axes[0].images[0].get_array().shape == (4, 5, 3)


def test_a_grid_leaves_short_rows_empty_and_labels_rows() -> None:
    figure = figures.image_grid([[torch.rand(4, 4)] * 3, [torch.rand(4, 4)]], labels=["seen", "drawn"])
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 1, 1, 0, 0]
    assert figure.axes[0].get_ylabel() == "seen" and figure.axes[3].get_ylabel() == "drawn"


def test_a_sheet_of_verdicts_is_read_without_colour() -> None:
    figure = figures.verdict_sheet(list(torch.rand(12, 1, 8, 8)), torch.arange(12) != 3)
    yes, no = figure.axes[0], figure.axes[3]
    assert [axes.get_title() for axes in (yes, no)] == ["1 yes", "4 no"]
    assert (yes.title.get_weight(), no.title.get_weight()) == ("normal", "bold")
    assert (yes.spines["top"].get_linestyle(), no.spines["top"].get_linestyle()) == ("solid", "--")
    assert yes.spines["top"].get_visible() and len(figure.axes) == 20 and not figure.axes[12].axison
    with pytest.raises(ValueError, match="2 images and 1 verdicts"):
        figures.verdict_sheet([torch.rand(8, 8)] * 2, [True])


def test_glue_keeps_a_value_under_a_name(monkeypatch) -> None:
    import IPython.display
    from myst_nb.core.variables import format_plain_text

    kept = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **settings: kept.append((data, settings["metadata"])))
    figures.glue("gap", 0.75)
    for text in ("many", "9,780", "0.90", "≥ 2,000"):
        figures.glue("word", text)
    (number, name), *texts = kept
    assert list(number.values()) == ["0.75"] and name["scrapbook"]["name"] == "gap"
    shown = [format_plain_text(*data.values(), "") for data, _ in texts]  # as the page does
    assert shown == ["many", "9,780", "0.90", "≥ 2,000"]
    assert format_plain_text(*texts[2][0].values(), "+.1f") == "+0.9"


def test_bytes_are_shown_in_all_their_greys() -> None:
    grey = torch.arange(256, dtype=torch.uint8).view(16, 16)
    shown = [figures.image_row([image]).axes[0].images[0].get_array() for image in (grey, grey / 255)]
    assert len(np.unique(shown[0])) == 256 and np.allclose(*shown)
