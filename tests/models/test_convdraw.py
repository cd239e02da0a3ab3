"""ConvDRAW: the paper's sizes, the ELBO over the drawing steps, what cells can and cannot know of each other."""

from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.models.convdraw import ConvDraw, ConvDrawConfig
from neurosym_lite.models.structdraw import step_kl
from neurosym_lite.models.vae import VAEWeights

SMALL = ConvDrawConfig(
    image_size=16, filters=(8, 8), strides=(2, 2), structure=8, draw_steps=3, latent=4, hidden=(8,), draw_hidden=(16,),
    decoder_filters=(8, 8), decoder_upscales=(2, 2),
)  # fmt: skip
MLP = replace(SMALL, interaction="mlp", hidden=(16,))
BETA = VAEWeights(torch.tensor(1.0))


def count(config: ConvDrawConfig) -> int:
    return sum(parameter.numel() for parameter in ConvDraw(config).parameters())


def test_the_papers_sizes() -> None:
    """Table 5 says 1.5M for the MNIST scenes; its wiring is not fixed, and with these heads it is 1.49M."""
    paper = ConvDrawConfig()
    assert count(paper) == 1_486_873 and count(replace(paper, draw_steps=8)) == count(paper)
    assert count(replace(paper, interaction="mlp", hidden=(512, 512))) == 3_866_265


@pytest.mark.parametrize("config", [SMALL, MLP])
def test_loss_is_the_negative_elbo_over_all_steps(config: ConvDrawConfig) -> None:
    model, images = ConvDraw(config), torch.rand(3, 1, 16, 16)
    torch.manual_seed(5)
    loss = model.loss(images, VAEWeights(torch.tensor(0.7)))
    torch.manual_seed(5)
    seen = model.encoder(images).flatten(2).mT
    steps = model.globals.run(seen, 3)
    kl, drawn = sum(step_kl(step) for step in steps), model.render(steps[-1].features)
    assert len(steps) == 3 and (kl > 0).all()
    torch.testing.assert_close(loss.kl_global, kl)
    torch.testing.assert_close(loss.total, 0.7 * kl - image_log_likelihood(images, drawn, 0.2))


@pytest.mark.parametrize("config", [SMALL, MLP])
def test_every_parameter_gets_a_finite_gradient(config: ConvDrawConfig) -> None:
    model = ConvDraw(config)
    model.loss(torch.rand(4, 1, 16, 16), BETA).total.mean().backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().max() > 0, name


def test_without_an_mlp_a_step_reaches_no_far_corner() -> None:
    """One step from one corner's latent: convolutions carry it a few cells, an MLP everywhere."""
    wide = replace(SMALL, image_size=64, filters=(4, 4), decoder_filters=(4, 4))  # 16 x 16 cells
    for config, local in ((wide, True), (replace(wide, interaction="mlp", hidden=(16,)), False)):
        model = ConvDraw(replace(config, draw_steps=1))
        width = 16 * 16 * config.latent if local else config.latent
        latents = torch.zeros(2, width)
        latents[1, 0] = 5.0
        with torch.no_grad():
            first, moved = model.globals.structure(latents)
        change = (moved - first).abs().sum(-1).view(16, 16)
        assert change[0, 0] > 0 and (change[8:, 8:].sum() == 0) == local


def test_it_overfits_one_batch() -> None:
    model, images = ConvDraw(SMALL), (torch.rand(4, 1, 16, 16) > 0.7).float()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(200):
        optimiser.zero_grad()
        model.loss(images, BETA).total.mean().backward()
        optimiser.step()
    black = image_log_likelihood(images, torch.zeros_like(images), 0.2).mean()
    redrawn = image_log_likelihood(images, model.redraw(images), 0.2).mean()
    assert redrawn > black + 200


def test_samples_come_from_the_generator() -> None:
    model = ConvDraw(SMALL)
    first, again, other = (model.sample(3, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (3, 1, 16, 16) and 0 <= first.min() and first.max() <= 1


def test_a_decoder_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the decoder draws 64 pixels, the image has 128"):
        ConvDraw(replace(ConvDrawConfig(), decoder_upscales=(1, *ConvDrawConfig().decoder_upscales[1:])))


def test_a_cells_features_are_drawn_where_the_cell_is() -> None:
    """Cells are counted row by row: the fourth is the last of the first row."""
    torch.manual_seed(0)
    model, features = ConvDraw(SMALL), torch.zeros(2, 16, 8)
    features[1, 3] = 5.0
    with torch.no_grad():
        blank, drawn = model.render(features)[:, 0]
    change = (drawn - blank).abs()
    top_right, bottom_left = change[:6, -6:].sum(), change[-6:, :6].sum()
    assert top_right > 2 * bottom_left  # which changes a little, since maps are normed


def test_images_are_redrawn_from_the_means() -> None:
    model, images = ConvDraw(SMALL), torch.rand(3, 1, 16, 16)
    first, again = model.redraw(images), model.redraw(images)
    assert torch.equal(first, again) and not torch.equal(first, model.render(model.infer(images).features))


def test_a_canvas_starts_dark_where_it_is_told_to() -> None:
    torch.manual_seed(0)
    plain, dark = (ConvDraw(replace(SMALL, decoder_bias=bias)) for bias in (0.0, -3.0))
    samples = dark.sample(20, Generator().manual_seed(0))
    assert samples.mean() < 0.15 < plain.sample(20, Generator().manual_seed(0)).mean()


def test_each_kernel_is_the_configs() -> None:
    draws = ConvDraw(replace(SMALL, lstm_kernel=1, out_kernel=5)).globals
    assert draws.add.conv.kernel_size == (5, 5)
    assert all(isinstance(cell.gates.conv, torch.nn.Linear) for cell in (draws.encoder, draws.decoder))
