"""What glimpse decoders and backgrounds draw: cell by cell, what is a mask, where it starts, how it is enlarged."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from neurosym_lite.models.appearance import Background, GlimpseDecoder
from neurosym_lite.models.gnm_config import GNMConfig

MLP = GNMConfig(what=4, glimpse_size=8, glimpse_decoder=(16,))
SUBPIXEL = replace(MLP, glimpse_net="subpixel", glimpse_decoder=(16, 8), glimpse_upscales=(4, 2))
DOUBLING = replace(MLP, glimpse_net="doubling", glimpse_decoder=(16, 8))
NETS = {"mlp": MLP, "subpixel": SUBPIXEL, "doubling": DOUBLING}
MASKED = {"rendering": "convex", "channels": 3}


@pytest.mark.parametrize("name", NETS)
def test_a_cell_is_drawn_from_its_own_code(name: str) -> None:
    torch.manual_seed(0)
    decoder, what = GlimpseDecoder(replace(NETS[name], **MASKED)), torch.randn(2, 3, 4)
    colours, masks = decoder(what)
    assert colours.shape == (2, 3, 3, 8, 8) and masks.shape == (2, 3, 1, 8, 8)
    for b in range(2):
        for k in range(3):
            alone = decoder(what[b : b + 1, k : k + 1])
            torch.testing.assert_close(colours[b, k], alone.colours[0, 0])
            torch.testing.assert_close(masks[b, k], alone.masks[0, 0])


@pytest.mark.parametrize("name", NETS)
def test_where_there_are_masks_they_start_dark_and_colours_do_not(name: str) -> None:
    """`decoder_bias` is for what adds ink at the start: the mask, or the ink itself where there is none."""
    torch.manual_seed(0)
    colours, masks = GlimpseDecoder(replace(NETS[name], decoder_bias=-4.0, **MASKED))(torch.randn(8, 4, 4))
    assert masks.mean() < 0.1 and (colours.mean() - 0.5).abs() < 0.1
    ink, none = GlimpseDecoder(replace(NETS[name], decoder_bias=-4.0))(torch.randn(8, 4, 4))
    assert ink.mean() < 0.1 and none is None


def test_a_background_is_enlarged_about_its_pixels_centres() -> None:
    """A ramp of logits stays the ramp that it is: a pixel of the large picture lies at ((i + 1/2) / 2 - 1/2)."""
    config = GNMConfig(
        rendering="convex", background=4, background_filters=(8, 8), background_upscales=(4, 2), background_scale=2
    )
    background = Background(config, seen=10)
    background.decoder = nn.Identity()
    ramp = torch.arange(8.0).expand(1, 4, 8).reshape(32)  # eight pixels wide
    background.decoder.forward = lambda latent: ramp.view(1, 1, 4, 8)
    drawn = background(torch.zeros(1, 4)).logit()[0, 0]
    want = (torch.arange(16) + 0.5) / 2 - 0.5
    assert drawn.shape == (8, 16)
    torch.testing.assert_close(drawn[:, 1:-1], want[1:-1].expand(8, 14), atol=1e-4, rtol=0)
