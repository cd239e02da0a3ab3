"""The pen's canvas fetches nothing, and draws what the package draws."""

import json
import re
import shutil
import subprocess

import pytest
import torch

from neurosym_lite import widgets
from neurosym_lite.render.ink import ink
from neurosym_lite.widgets.pens import PEN_INK, pen_canvas

STROKE = torch.tensor([[-0.6, -0.4], [0.9, -0.9], [0.0, 0.1], [-0.7, 0.8], [0.6, 0.5]])


def test_the_pens_page_is_complete_in_itself() -> None:
    page = pen_canvas(STROKE, 1.2, 0.4, "demo-pen").data
    assert not re.search(r"<(script|link|img)[^>]*(src|href)", page) and page.count("<script>") == 1
    assert not re.search(r"fetch\(|import[ (]|XMLHttp", page) and "eval(" not in page
    assert 'data-pen="demo-pen"' in page and 'value="1.2"' in page and 'value="0.4"' in page
    assert 'aria-label="White ink of a Bezier stroke with 5 control points' in page
    assert "[[-0.6, -0.4], [0.9, -0.9]" in page
    assert not re.search("NAME|SIDE|LABEL|RADIUS|SOFTNESS", page.split("<script>")[0])
    assert not re.search("SHAPE|FILL|RING|WHOSE|_HANDLES", page)
    assert page == widgets.pen_canvas(STROKE, 1.2, 0.4, "demo-pen").data


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
