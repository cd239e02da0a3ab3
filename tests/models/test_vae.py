"""The VAE: the paper's sizes, the ELBO, and every parameter learns."""

from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.distributions import image_log_likelihood, kl_gaussian
from neurosym_lite.models.vae import VAE, VAEConfig, VAEWeights

SMALL = VAEConfig(
    image_size=16, filters=(8, 8), strides=(2, 2), head=8, latent=4,
    decoder_filters=(8, 8, 8), decoder_upscales=(4, 2, 2), sigma=0.2,
)  # fmt: skip
BETA = VAEWeights(torch.tensor(1.0))


def test_the_papers_vae_maps_128_pixels_to_64_numbers_and_back() -> None:
    model = VAE(VAEConfig())
    q = model.infer(torch.rand(2, 1, 128, 128))
    assert q.mean.shape == (2, 64) and model.render(q.mean).shape == (2, 1, 128, 128)
    assert sum(p.numel() for p in model.parameters()) == 1_419_929  # table 5 says 1.5M; with 2 x 64 out of the head


def test_loss_is_the_negative_elbo() -> None:
    model, images = VAE(SMALL), torch.rand(3, 1, 16, 16)
    torch.manual_seed(5)
    loss = model.loss(images, VAEWeights(torch.tensor(0.7)))
    torch.manual_seed(5)
    q = model.infer(images)
    drawn = model.render(q.sample())
    kl = kl_gaussian(q, model.prior(3, images)).sum(1)
    torch.testing.assert_close(loss.kl_global, kl)
    torch.testing.assert_close(loss.total, 0.7 * kl - image_log_likelihood(images, drawn, 0.2))


def test_every_parameter_gets_a_finite_gradient() -> None:
    model = VAE(SMALL)
    model.loss(torch.rand(4, 1, 16, 16), BETA).total.mean().backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().max() > 0, name


def test_it_overfits_one_batch() -> None:
    model, images = VAE(SMALL), (torch.rand(4, 1, 16, 16) > 0.7).float()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    first = model.loss(images, BETA).log_likelihood.mean()
    for _ in range(300):
        optimiser.zero_grad()
        loss = model.loss(images, BETA)
        loss.total.mean().backward()
        optimiser.step()
    black = image_log_likelihood(images, torch.zeros_like(images), 0.2).mean()
    assert loss.log_likelihood.mean() > max(first, black) + 200


def test_samples_come_from_the_generator() -> None:
    model = VAE(SMALL)
    first, again, other = (model.sample(3, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (3, 1, 16, 16) and 0 <= first.min() and first.max() <= 1


def test_a_canvas_starts_dark_where_it_is_told_to() -> None:
    torch.manual_seed(0)
    plain, dark = (VAE(replace(SMALL, decoder_bias=bias)) for bias in (0.0, -3.0))
    samples = dark.sample(20, Generator().manual_seed(0))
    assert samples.mean() < 0.1 < plain.sample(20, Generator().manual_seed(0)).mean()
    assert plain.decoder[-1].bias.abs().max() > 0  # torch's own start


def test_a_decoder_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the decoder draws 128 pixels, the image has 64"):
        VAE(VAEConfig(image_size=64))


def test_an_image_is_redrawn_from_the_posteriors_mean() -> None:
    model, images = VAE(SMALL), torch.rand(3, 1, 16, 16)
    assert torch.equal(model.redraw(images), model.render(model.infer(images).mean))
