"""A sheet to draw on: what its page sends is the picture that the kernel gets, and errors are seen."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
import torch
from torch import Tensor

from neurosym_lite.widgets.sheet import LEVELS, SIDE, picture_of, sketch

GREY = torch.arange(SIDE * SIDE).view(SIDE, SIDE) % (LEVELS + 1)
TEXT = bytes(GREY.flatten().tolist()).hex()


def figure() -> plt.Figure:
    return plt.subplots(figsize=(1, 1))[0]


def test_pixels_come_as_they_were_sent() -> None:
    assert torch.equal(picture_of(TEXT), GREY / LEVELS)


@pytest.mark.parametrize("text", ["", TEXT[1:], TEXT + "00", TEXT.replace("0", "g")])
def test_what_no_sheet_sends_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1568 hexadecimal digits: got"):
        picture_of(text)


def test_the_answer_to_a_drawing_is_shown() -> None:
    seen = []

    def answer(picture: Tensor) -> plt.Figure:
        seen.append(picture)
        return figure()

    page, box = sketch(answer, "my-sheet")
    field, shown = box.children
    assert 'data-sheet="my-sheet"' in page.data and ".my-sheet textarea" in page.data
    assert "my-sheet" in field._dom_classes and "https://" not in page.data
    field.value = TEXT
    assert torch.equal(seen[0], GREY / LEVELS)
    assert shown.value.startswith('<img src="data:image/png;base64,') and 'alt="' in shown.value


def test_an_error_stands_on_the_page_and_goes_away_with_the_next_drawing() -> None:
    def answer(picture: Tensor) -> plt.Figure:
        if picture.max() == 0:
            raise ValueError("nothing is <drawn>")
        return figure()

    field, shown = sketch(answer, "faulty")[1].children
    field.value = "00" * SIDE**2
    assert shown.value == "ValueError: nothing is &lt;drawn&gt;"
    field.value = TEXT
    assert shown.value.startswith("<img")


def test_a_name_has_letters_and_digits_alone() -> None:
    for name in ("a b", "10x", "", "a_b"):
        with pytest.raises(ValueError, match="letters, digits and hyphens"):
            sketch(lambda picture: figure(), name)
