"""Every model refuses images of another size, and what is no floats, before it looks at them."""

import pytest
import torch

from neurosym_lite.layers import check_images
from neurosym_lite.training.recipes import RECIPES

NAMES = (
    "gnm-digits4-lite", "gnm-arrow-lite", "slvm-digits1-lite", "vae-digits1-lite", "convdraw-mnist4-lite",
    "genesis-mnist4-lite", "space-mnist4-lite", "successor-mnist4-lite", "dood-digits-lite", "air-mnist-lite",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_images_of_another_size_are_refused(name: str) -> None:
    recipe = RECIPES[name]
    model, side, channels = recipe.build(), recipe.data.size, getattr(recipe.model, "channels", 1)
    right = torch.rand(2, channels, side, side)
    with torch.no_grad():
        model.infer(right)
    for images in (torch.rand(2, channels, side + 8, side + 8), torch.rand(2, channels, side, side + 6)):
        with pytest.raises(ValueError, match=rf"expected \(B, {channels}, {side}, {side}\), floats in \[0, 1\]"):
            model.infer(images)


def test_what_is_no_batch_of_float_images_is_refused() -> None:
    """Of a user, whose types nobody checks."""
    right = torch.rand(2, 1, 8, 8)
    check_images(right, 1, 8)
    for images in (right[0], right[:, 0], right.expand(2, 3, 8, 8), (255 * right).to(torch.uint8)):
        with pytest.raises(ValueError, match=r"expected \(B, 1, 8, 8\), floats in \[0, 1\]"):
            check_images(images, 1, 8)
