"""The canvas of a drawing fetches nothing, and draws the strokes that the package draws, whole and in part."""

import base64
import json
import re
import shutil
import subprocess

import pytest
import torch

from neurosym_lite import widgets
from neurosym_lite.render.ink import ink
from neurosym_lite.render.ink_compose import soft_or
from neurosym_lite.widgets.pens import PEN_INK
from neurosym_lite.widgets.readings import DRAWING_INK, Reading, drawing_canvas

POINTS = torch.tensor(
    [
        [[-0.5, -0.6], [0.2, -1.0], [0.9, -0.4], [0.3, 0.0], [-0.2, -0.05]],
        [[-0.15, 0.0], [0.5, 0.0], [0.9, 0.5], [0.2, 1.0], [-0.55, 0.6]],
        [[-0.9, 0.8], [-0.3, 0.2], [0.0, 0.1], [0.5, -0.4], [1.2, -0.6]],
    ]
)
GREY = torch.linspace(0, 1, 28 * 28).view(28, 28)
DRAWING = Reading("a 3 </script>", GREY, POINTS, torch.tensor([1.2, 0.8, 2.5]), torch.tensor([0.3, 0.2, 0.8]))
ONE = Reading("a 1", torch.zeros(28, 28), POINTS[:1], torch.ones(1), torch.ones(1))


def settings_of(page: str) -> dict:
    return json.loads(re.search(r"const settings = (.*);", page).group(1))


def up_to(points: torch.Tensor, fraction: float) -> torch.Tensor:
    """De Casteljau: the control points of the first part of a curve."""
    first = []
    while len(points):
        first.append(points[0])
        points = (1 - fraction) * points[:-1] + fraction * points[1:]
    return torch.stack(first)


def test_the_drawings_page_is_complete_in_itself() -> None:
    page = drawing_canvas([DRAWING, ONE], "demo-drawing").data
    assert not re.search(r"<(script|link|img)[^>]*(src|href)", page) and page.count("<script>") == 1
    assert page.count("</script>") == 1  # that of the title is masked
    assert not re.search(r"fetch\(|import[ (]|XMLHttp", page) and "eval(" not in page
    assert 'data-pen="demo-drawing"' in page
    assert not re.search("SHAPE|FILL|RING|WHOSE|_HANDLES", page)
    assert not re.search("NAME|SIDE", page.split("<script>")[0])
    assert page == widgets.drawing_canvas([DRAWING, ONE], "demo-drawing").data


def test_the_page_holds_the_images_and_the_strokes() -> None:
    first, second = settings_of(drawing_canvas([DRAWING, ONE], "held").data)["drawings"]
    assert (first["title"], second["title"]) == ("a 3 </script>", "a 1")
    written = torch.tensor(list(base64.b64decode(first["written"]))) / 255
    torch.testing.assert_close(written.view(28, 28), DRAWING.written, rtol=0, atol=0.5 / 255 + 1e-6)
    assert len(first["strokes"]) == 3 and len(second["strokes"]) == 1
    assert first["strokes"][2] == {
        "points": [[-0.9, 0.8], [-0.3, 0.2], [0, 0.1], [0.5, -0.4], [1.2, -0.6]],
        "radius": 2.5,
        "softness": 0.8,
    }


def test_a_drawing_is_named_by_a_plain_word_and_there_is_one() -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens is needed: got 'two words'"):
        drawing_canvas([DRAWING], "two words")
    with pytest.raises(ValueError, match="at least one drawing is needed: got none"):
        drawing_canvas([], "none")


@pytest.mark.parametrize(
    "wrong",
    [
        {"radius": torch.ones(2)},
        {"softness": torch.ones(4)},
        {"points": POINTS[0]},
        {"points": POINTS[..., :1]},
        {"points": POINTS[:, :0]},
        {"written": torch.zeros(1, 28, 28)},
        {"points": POINTS[:0], "radius": torch.ones(0), "softness": torch.ones(0)},
        {"points": POINTS[0, 0], "radius": torch.tensor(1.0), "softness": torch.tensor(1.0)},
    ],
    ids=lambda wrong: "-".join(f"{part}{list(value.shape)}" for part, value in wrong.items()),
)
def test_the_parts_of_a_drawing_must_fit(wrong: dict[str, torch.Tensor]) -> None:
    part, value = next(iter(wrong.items()))
    given = re.escape(f"'{part}': {tuple(value.shape)}")
    with pytest.raises(ValueError, match=rf"points \(T, P, 2\), radius \(T,\).* got .*{given}.* for 'a 3"):
        drawing_canvas([ONE, DRAWING._replace(**wrong)], "wrong")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs a JavaScript runtime")
@pytest.mark.parametrize("progress", [3, 2, 1.35, 0.05, 0])
def test_the_browser_draws_the_packages_strokes(progress: float) -> None:
    settings = settings_of(drawing_canvas([DRAWING], "ink").data)
    call = [settings["drawings"][0]["strokes"], progress, settings["opacity"], settings["side"], settings["pen"]]
    script = f"{PEN_INK}{DRAWING_INK}\nconsole.log(JSON.stringify(Array.from(drawingInk(...{json.dumps(call)}))))"
    run = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    drawn = torch.tensor(json.loads(run.stdout), dtype=torch.float64).view(28, 28)
    inks = [
        ink(up_to(points.double(), min(1, progress - t)), radius.double(), softness.double(), (28, 28))
        for t, (points, radius, softness) in enumerate(zip(*DRAWING[2:], strict=True))
        if progress > t
    ]
    ours = soft_or(torch.stack(inks)) if inks else torch.zeros(28, 28, dtype=torch.float64)
    torch.testing.assert_close(drawn, ours, rtol=0, atol=1e-5)
