"""SPACE: its mixture against a slow one, what its losses charge, and that every parameter learns."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.genesis import GenesisConfig
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.space import FIXED, RIM, Space, SpaceConfig, SpaceWeights, rim
from neurosym_lite.models.vae import VAEConfig

FRONT = GNMConfig(
    image_size=32, channels=3, filters=(8, 8, 8), strides=(2, 2, 2), what=4, glimpse_size=8, prior="independent",
    rendering="convex", glimpse_encoder=(16,), glimpse_decoder=(16,),
)  # fmt: skip
SLOTS = GenesisConfig(
    image_size=32, channels=3, components=3, mask_filters=(8, 8), mask_strides=(2, 2), mask_kernel=3, mask_code=16,
    mask_latent=4, posterior_lstm=8, prior_lstm=8, component_filters=(8, 8), component_code=8, component_latent=3,
    component_prior=(8,), broadcast_filters=(8,), sigma=0.1,
)  # fmt: skip
ONE_IMAGE = VAEConfig(
    image_size=32, channels=3, filters=(8, 8), strides=(2, 2), head=8, latent=4, decoder_filters=(8, 8),
    decoder_upscales=(8, 4), sigma=0.1,
)  # fmt: skip
BACKGROUNDS = {"black": None, "one": ONE_IMAGE, "slots": SLOTS}


def weights(**changes: float) -> SpaceWeights:
    values = {"temperature": 1.0, "presence": 0.1, "boundary": 1.0, "fixed": 0.0, "beta_background": 1.0} | changes
    return SpaceWeights(**{name: torch.tensor(value) for name, value in values.items()})


def space(background: str = "slots") -> Space:
    return Space(SpaceConfig(FRONT, BACKGROUNDS[background]))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_terms_add_up_and_every_parameter_learns(background: str) -> None:
    model, images = space(background), torch.rand(4, 3, 32, 32)
    loss = model.loss(images, weights(boundary=3.0, beta_background=2.0))
    kls = loss.kl_pres + loss.kl_where + loss.kl_depth + loss.kl_what + 2 * loss.kl_background
    torch.testing.assert_close(loss.total, -loss.log_likelihood + kls + 3 * loss.boundary)
    loss.total.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name
    assert (loss.kl_background == 0).all() == (background == "black")


def test_the_likelihood_is_the_mixture_of_foreground_and_slots() -> None:
    """Pixel by pixel, in the order of the paper's equation, with densities and not their logarithms."""
    model, images = space(), torch.rand(2, 3, 32, 32, dtype=torch.float64)
    model = model.double()
    torch.manual_seed(5)
    given = model.loss(images, weights()).log_likelihood
    torch.manual_seed(5)
    seen, behind = model.infer(images), model.backdrop(images)
    q = seen.objects
    latents = ObjectLatents(q.pres.relaxed_sample(torch.tensor(1.0)), seen.where, q.depth.sample(), q.what.sample())
    front = model.layers(latents)

    def density(mean: torch.Tensor) -> torch.Tensor:
        error = ((images - mean) / 0.1).square().sum(1)
        return torch.exp(-0.5 * error) / (0.1 * math.sqrt(2 * math.pi)) ** 3

    share = front.share[:, 0]
    slots = sum(behind.log_masks[:, k].exp() * density(behind.means[:, k]) for k in range(3))
    slow = (share * density(front.mean) + (1 - share) * slots).log().flatten(1).sum(1)
    torch.testing.assert_close(given, slow, rtol=1e-6, atol=1e-6)


def test_a_rim_is_charged_and_the_middle_is_not() -> None:
    weighed = rim(32, torch.zeros(()))
    assert weighed[16, 16] == 0 and weighed[0, 16] > 0.9 and weighed[16, 0] > 0.9
    assert (weighed[6:26, 6:26] == 0).all() and weighed[5, 16] > 0
    assert pytest.approx(6 / 32) == RIM


def test_boundary_counts_present_objects_alone() -> None:
    model = space("black")
    latents = ObjectLatents(torch.zeros(1, 16), torch.zeros(1, 16, 4), torch.zeros(1, 16), torch.randn(1, 16, 4))
    assert model.layers(latents).boundary == 0
    assert model.layers(latents._replace(pres=torch.ones(1, 16))).boundary > 0


def test_a_fixed_share_hands_every_pixel_to_both() -> None:
    model = space("black")
    latents = ObjectLatents(torch.ones(1, 16), torch.zeros(1, 16, 4), torch.zeros(1, 16), torch.randn(1, 16, 4))
    assert torch.allclose(model.layers(latents, fixed=1.0).share, torch.tensor(FIXED))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_detections_reconstructions_and_samples_have_their_shapes(background: str) -> None:
    model, images = space(background), torch.rand(2, 3, 32, 32)
    found, probability, drawn = model.detect(images)
    assert found.corners.shape == (2, 16, 4) and probability.shape == (2, 16)
    assert drawn.shape == images.shape and torch.equal(drawn, model.redraw(images))
    first, again, other = (model.sample(3, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == (3, 3, 32, 32) and torch.equal(first, again) and not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1


@pytest.mark.parametrize("change", [{"image_size": 64, "mask_strides": (2, 2)}, {"channels": 1}, {"sigma": 0.3}])
def test_a_background_of_another_make_is_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="background and foreground differ in"):
        Space(SpaceConfig(FRONT, replace(SLOTS, **change)))


@pytest.mark.parametrize("change", [{"prior": "gaussian"}, {"rendering": "sum"}, {"background": 4}])
def test_a_foreground_that_is_none_is_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="SPACE's foreground is an S-LVM with masks"):
        Space(SpaceConfig(replace(FRONT, **change)))


def test_layers_are_shares_of_ink_by_hand() -> None:
    """mu_fg is what objects show of a pixel over how much of it they cover; a rim is charged by its mean."""
    torch.manual_seed(0)
    model = space("black")
    latents = ObjectLatents(
        torch.rand(2, 16), 0.3 * torch.randn(2, 16, 4), torch.randn(2, 16), 3 * torch.randn(2, 16, 4)
    )
    front, (scene, masks) = model.layers(latents), model.foreground.foreground(latents)
    assert 1e-3 < scene.coverage.min() < 0.5 < scene.coverage.max()
    torch.testing.assert_close(front.mean * scene.coverage, scene.light)
    torch.testing.assert_close(front.share, scene.coverage)
    charged = (masks[:, :, 0] * rim(8, masks)).flatten(2).mean(2)
    torch.testing.assert_close(front.boundary, (charged * latents.pres).sum(1))


def test_the_loss_heeds_its_weights() -> None:
    """Presence's temperature and prior, and the share that is fixed while the background must not take all."""
    model, images = space("one"), torch.rand(2, 3, 32, 32)

    def loss(**changes: float):
        torch.manual_seed(5)
        return model.loss(images, weights(**changes))

    plain, sharp, rare, fixed = loss(), loss(temperature=0.3), loss(presence=0.01), loss(fixed=1.0)
    assert not torch.allclose(plain.log_likelihood, sharp.log_likelihood)
    q = model.infer(images).objects.pres.probability
    bernoulli = torch.distributions.Bernoulli
    want = torch.distributions.kl_divergence(bernoulli(q), bernoulli(torch.tensor(0.01))).sum(1)
    torch.testing.assert_close(rare.kl_pres, want)
    # fixed: objects have the same share of every pixel, whatever they cover
    torch.manual_seed(5)
    seen, behind = model.infer(images), model.backdrop(images)
    q = seen.objects
    latents = ObjectLatents(q.pres.relaxed_sample(torch.tensor(1.0)), seen.where, q.depth.sample(), q.what.sample())
    normal = torch.distributions.Normal
    front, back = (
        normal(mean, 0.1).log_prob(images).sum(1) for mean in (model.layers(latents).mean, behind.means[:, 0])
    )
    mixed = (FIXED * front.double().exp() + (1 - FIXED) * back.double().exp()).log().sum((1, 2))
    torch.testing.assert_close(fixed.log_likelihood.double(), mixed, rtol=1e-4, atol=1e-2)


def test_samples_come_from_the_prior_and_the_generator_alone() -> None:
    """As many objects as the prior's presence says, before a background that the generator draws as well."""
    often = Space(SpaceConfig(replace(FRONT, presence_prior=1.0 - 1e-6), ONE_IMAGE))
    never = Space(SpaceConfig(replace(FRONT, presence_prior=1e-6), ONE_IMAGE))
    never.load_state_dict(often.state_dict())
    empty = never.sample(3, Generator().manual_seed(0))
    assert not torch.allclose(often.sample(3, Generator().manual_seed(0)), empty, atol=1e-2)
    after = Generator().manual_seed(0)
    never.foreground.auxiliary_prior(3, 0.5).sample(after)  # the objects' draws come first
    torch.testing.assert_close(empty, never.background.sample(3, after), atol=1e-3, rtol=0)
