"""GNM: what each part sees, what it learns, and what it does not know."""

import dataclasses
import re

import pytest
import torch
from torch import Generator
from torch.utils._python_dispatch import TorchDispatchMode

from neurosym_lite.latents import ObjectLatents, Where
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import PAPER_ARROW_ROOM, PAPER_MNIST, GNMConfig
from neurosym_lite.models.objective import GNMWeights
from neurosym_lite.models.symbols import as_input
from neurosym_lite.render.compose import Foreground, foreground_exact
from neurosym_lite.render.spatial import glimpse

SMALL = GNMConfig(
    image_size=16, grid=2, filters=(8, 8, 8), strides=(2, 2, 2), heads=(16,), what=4, glimpse_size=6,
    glimpse_encoder=(16,), glimpse_decoder=(16,), scale_mean=-0.5, scale_start=-0.5, latent=6, structure=8,
    hidden=(16,), draw_hidden=(16,), draw_steps=3,
)  # fmt: skip
WEIGHTS = GNMWeights(*torch.tensor([0.7, 0.3, 1.0, 1.0]))


def images(n: int = 3) -> torch.Tensor:
    return torch.rand(n, 1, 16, 16)


MASKED = dataclasses.replace(
    SMALL, rendering="exact", background=3, background_encoder=(16,), background_prior=(8,),
    background_filters=(8, 8), background_upscales=(4, 4),
)  # fmt: skip
SHARED = dataclasses.replace(SMALL, what_from="cell", global_from="features", share_heads=True)
VARIANTS = {
    "gaussian": SMALL,
    "what from the cell": dataclasses.replace(SMALL, what_from="cell"),
    "features": dataclasses.replace(SMALL, global_from="features"),
    "struct": dataclasses.replace(SMALL, prior="struct"),
    "struct, shared heads": dataclasses.replace(SHARED, prior="struct"),
    "struct, transformers": dataclasses.replace(SMALL, prior="struct", interaction="transformer", embed="transformer"),
    "struct, no interaction": dataclasses.replace(SMALL, prior="struct", interaction="none"),
    "struct, mixture": dataclasses.replace(SMALL, prior="struct", prior_components=3),
    "masks, background": dataclasses.replace(MASKED, prior="struct"),
    "convex": dataclasses.replace(MASKED, rendering="convex", prior="struct", interaction="none"),
    "no background": dataclasses.replace(SMALL, rendering="convex"),
    "sub-pixel glimpses": dataclasses.replace(
        SMALL, glimpse_size=8, glimpse_net="subpixel", glimpse_decoder=(8, 8), glimpse_upscales=(4, 2)
    ),
    "doubling glimpses": dataclasses.replace(SMALL, glimpse_size=8, glimpse_net="doubling", glimpse_decoder=(8, 8)),
}
ALL = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


@ALL
def test_every_parameter_gets_a_finite_gradient(config: GNMConfig) -> None:
    model = GNM(config)
    model.loss(images(8), WEIGHTS).total.mean().backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().max() > 0, name


@ALL
def test_samples_are_pictures_with_their_latents(config: GNMConfig) -> None:
    drawn = GNM(config).sample(5, Generator().manual_seed(0))
    assert drawn.images.shape == (5, 1, 16, 16) and torch.isfinite(drawn.images).all()
    assert drawn.latents.background.shape == (5, config.background)
    assert set(drawn.latents.objects.pres.unique().tolist()) <= {0.0, 1.0}


def parameters(config: GNMConfig) -> int:
    return sum(p.numel() for p in GNM(config).parameters())


def test_the_papers_models_have_the_papers_sizes() -> None:
    """Table 5: 2.9M and 8.6M; to the parameter, as counted in the released models."""
    assert parameters(PAPER_MNIST) == 2_930_708
    assert parameters(PAPER_ARROW_ROOM) == 8_636_446


def test_the_symbols_and_the_prior_have_objectives_of_their_own() -> None:
    model, picture = GNM(VARIANTS["struct"]), images()
    torch.manual_seed(1)
    alone = model.symbol_loss(picture, WEIGHTS)
    torch.manual_seed(1)
    full = model.loss(picture, WEIGHTS)
    assert torch.equal(alone.log_likelihood, full.log_likelihood) and torch.equal(alone.aux_what, full.aux_what)
    assert (alone.kl_global == 0).all() and (alone.kl_what == 0).all()
    prior = model.prior_loss(model.infer(picture, mode=True), WEIGHTS)
    assert (prior.log_likelihood == 0).all() and (prior.aux_what == 0).all() and (prior.kl_what > 0).all()
    torch.testing.assert_close(prior.total, sum(prior[1:-1]))


def test_shared_heads_are_one_module_and_separate_ones_two() -> None:
    assert not hasattr(GNM(SHARED), "prior_heads") and hasattr(GNM(SMALL), "prior_heads")
    with pytest.raises(ValueError, match="shared heads read what q and p see alike"):
        GNM(dataclasses.replace(SMALL, share_heads=True))


def test_a_background_needs_masks() -> None:
    with pytest.raises(ValueError, match="a background needs masks"):
        GNM(dataclasses.replace(MASKED, rendering="sum"))


def test_the_background_shows_where_no_object_is() -> None:
    model = GNM(dataclasses.replace(MASKED, prior="independent"))
    symbols, behind = model.auxiliary_prior(1, 0.5).mode(), torch.randn(1, 3)
    nobody = model.render(symbols._replace(pres=torch.zeros(1, 4)), behind)
    torch.testing.assert_close(nobody, model.background(behind))
    one = model.render(symbols._replace(pres=torch.tensor([[1.0, 0.0, 0.0, 0.0]])), behind)
    assert (one != nobody)[..., :8, :8].any() and torch.equal(one[..., 12:, 12:], nobody[..., 12:, 12:])


def test_a_smaller_background_is_enlarged_to_the_canvas() -> None:
    coarse = dataclasses.replace(MASKED, background_upscales=(2, 2), background_scale=4)
    model = GNM(coarse).eval()
    drawn = model.background(torch.randn(3, coarse.background))
    assert drawn.shape == (3, coarse.channels, coarse.image_size, coarse.image_size)
    assert (drawn.diff(dim=-1).abs() < 0.3).all(), "and smooth"


@pytest.mark.parametrize("curriculum", ["box", "image"])
def test_the_curriculum_keeps_the_background_out(curriculum: str) -> None:
    """Box: 0.9 of the picture inside a box is the object's. Image: 0.9 of the background is gone everywhere."""
    model = GNM(dataclasses.replace(MASKED, prior="independent", curriculum=curriculum))
    symbols, behind = model.auxiliary_prior(1, 0.5).mode()._replace(pres=torch.ones(1, 4)), torch.randn(1, 3)
    symbols = symbols._replace(pres=torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    _, coverage = _foreground(model, symbols, 1.0)
    background = model.background(behind)
    filled = model.render(symbols, behind, torch.tensor(1.0)) - model.render(symbols, None, torch.tensor(1.0))
    expected = (1 - coverage) * background if curriculum == "box" else 0.1 * background
    torch.testing.assert_close(filled, expected)
    if curriculum == "box":
        assert abs(coverage.max() - 0.9) < 1e-4 and coverage.min() == 0


def _foreground(model: GNM, symbols: ObjectLatents, fill: float) -> Foreground:
    colours, masks = model.glimpse_decoder(symbols.what)
    masks = fill * 0.9 + (1 - fill) * masks
    return foreground_exact(colours, masks, symbols.pres, symbols.depth, model.boxes(symbols.where), (16, 16))


@pytest.mark.parametrize("global_from", ["symbols", "features"])
def test_a_sweep_draws_the_global_code_anew_from_the_symbols(global_from: str) -> None:
    model = GNM(dataclasses.replace(VARIANTS["struct"], global_from=global_from, structure=8))
    plain, swept = (model.sample(4, Generator().manual_seed(0), sweeps=s) for s in (0, 1))
    generator = Generator().manual_seed(0)
    draw = model.globals.generate(4, generator)
    symbols = model.prior(draw).mode()
    if global_from == "symbols":
        seen = as_input(symbols.pres, symbols.where, symbols.what)
    else:
        seen = model.infer(model.render(symbols)).features
    with torch.no_grad():
        again = model.globals.infer(seen, generator=generator)
    torch.testing.assert_close(swept.latents.globals, again.latent)
    assert torch.equal(plain.latents.globals, draw.latent) and not torch.equal(plain.images, swept.images)
    with pytest.raises(ValueError, match="independent prior has none"):
        GNM(dataclasses.replace(SMALL, prior="independent")).sample(1, Generator(), sweeps=2)


def test_an_slvm_has_no_global_layer_and_pays_no_conditional_kl() -> None:
    model = GNM(dataclasses.replace(SMALL, prior="independent"))
    loss = model.loss(images(), WEIGHTS)
    assert not hasattr(model, "globals") and (loss.kl_global == 0).all() and (loss.kl_what == 0).all()
    sample = model.sample(5, Generator().manual_seed(0))
    assert sample.latents.globals.shape == (5, 0)


def test_the_total_is_the_sum_of_its_terms() -> None:
    loss = GNM(SMALL).loss(images(), WEIGHTS)
    expected = -loss.log_likelihood + sum(loss[1:12])
    torch.testing.assert_close(loss.total, expected)


def test_the_auxiliary_prior_has_the_configured_numbers() -> None:
    aux = GNM(SMALL).auxiliary_prior(2, torch.tensor(0.01))
    torch.testing.assert_close(aux.pres.probability, torch.full((2, 4), 0.01))
    assert aux.where.mean[0, 0].tolist() == [-0.5, 0.0, 0.0, 0.0]
    torch.testing.assert_close(aux.where.std[1, 3], torch.tensor([0.1, 0.3, 1.0, 1.0]))
    assert (aux.what.mean == 0).all() and (aux.what.std == 1).all()


def test_an_absent_object_is_not_drawn_and_a_present_one_is() -> None:
    model = GNM(SMALL)
    symbols = model.auxiliary_prior(1, 0.5).mode()
    nothing = model.render(symbols._replace(pres=torch.zeros(1, 4)))
    one = model.render(symbols._replace(pres=torch.tensor([[0.0, 1.0, 0.0, 0.0]])))
    assert nothing.abs().max() == 0 and one.max() > 0.01


def test_rendering_is_additive_in_the_objects() -> None:
    model = GNM(SMALL)
    symbols = model.auxiliary_prior(2, 0.5).sample()
    each = [model.render(symbols._replace(pres=torch.eye(4)[k].expand(2, 4))) for k in range(4)]
    torch.testing.assert_close(model.render(symbols._replace(pres=torch.ones(2, 4))), sum(each))


def test_the_glimpse_decoder_starts_dark() -> None:
    model = GNM(SMALL)
    symbols = model.auxiliary_prior(1, 0.5).mode()._replace(pres=torch.ones(1, 4))
    dark = model.render(symbols).max()
    bright = GNM(dataclasses.replace(SMALL, decoder_bias=0.0)).render(symbols).max()
    assert dark < 0.6 * bright


def test_what_is_read_where_the_box_is() -> None:
    model = GNM(SMALL)
    picture = torch.zeros(1, 1, 16, 16)
    elsewhere = picture.clone()
    elsewhere[..., 12:, 12:] = 1.0
    where = torch.zeros(1, 4, 4)
    where[..., 0] = -2.0  # small boxes at the cells' centres
    here, there = (model.infer_what(p, where).mean for p in (picture, elsewhere))
    assert torch.equal(here[:, :3], there[:, :3]) and not torch.equal(here[:, 3], there[:, 3])


def test_the_crop_is_as_wide_as_the_window_says() -> None:
    where, picture = torch.zeros(1, 4, 4), images(1)
    models = [GNM(dataclasses.replace(SMALL, glimpse_window=window)) for window in (1.2, 2.0)]
    models[1].load_state_dict(models[0].state_dict())
    narrow, wide = (model.infer_what(picture, where).mean for model in models)
    box = models[0].boxes(where)
    cut = glimpse(picture, Where(1.2 * box.scale, box.shift), (6, 6)).flatten(2)
    torch.testing.assert_close(narrow, models[0].glimpse_encoder(cut)[..., :4])
    assert not torch.allclose(narrow, wide)


def test_no_gradient_passes_through_the_crop() -> None:
    model, where = GNM(SMALL), torch.randn(2, 4, 4, requires_grad=True)
    assert model.infer_what(images(2), where).mean.requires_grad
    (gradient,) = torch.autograd.grad(model.infer_what(images(2), where).mean.sum(), where, allow_unused=True)
    assert gradient is None


def test_modes_are_deterministic_and_samples_come_from_the_generator() -> None:
    model = GNM(SMALL)
    picture = images()
    assert torch.equal(model.detect(picture)[2], model.detect(picture)[2])
    first, again, other = (model.sample(3, Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(first.images, again.images) and not torch.equal(first.latents.globals, other.latents.globals)
    assert isinstance(first.latents.objects, ObjectLatents)


def test_an_image_that_does_not_fit_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="does not end as a map of 2 x 2 cells"):
        GNM(dataclasses.replace(SMALL, image_size=32))


class NoLooking(TorchDispatchMode):
    """Fails on every operation that brings a value to the host: they would break a captured step."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        assert "_local_scalar_dense" not in name and "is_nonzero" not in name and "nonzero" not in name, name
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("prior", ["gaussian", "independent", "struct"])
def test_a_step_never_looks_at_its_values(prior: str) -> None:
    model = GNM(dataclasses.replace(SMALL, prior=prior))
    with NoLooking():
        model.loss(images(), WEIGHTS).total.mean().backward()


def test_it_overfits_one_batch() -> None:
    model = GNM(SMALL)
    picture = torch.zeros(4, 1, 16, 16)
    for scene, (x, y) in enumerate([(2, 3), (9, 2), (3, 10), (10, 9)]):
        picture[scene, 0, y : y + 4, x : x + 4] = 1.0
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    weights = GNMWeights(*torch.tensor([0.5, 0.5, 1.0, 1.0]))
    for _ in range(400):
        optimiser.zero_grad()
        model.loss(picture, weights).total.mean().backward()
        optimiser.step()
    found, _, drawn = model.detect(picture)
    assert (drawn - picture).square().mean() < 0.25 * picture.square().mean()
    assert 1 <= found.present.sum(1).float().mean() <= 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"where_std": (0.1,)}, "where_std (0.1,): expected four numbers"),
        ({"heads": ()}, "heads=(): expected at least one hidden layer"),
        ({"what": 0}, "what=0: expected a whole number above 0"),
        ({"prior": "struct", "structure": 6, "embed": "transformer"}, "width 6: make it a multiple of 4"),
        ({"prior": "struct", "structure": 6, "interaction": "transformer"}, "width 6: make it a multiple of 4"),
        (
            {"rendering": "exact", "background": 3, "background_filters": (8,), "background_upscales": (4, 4)},
            "need one upscale a layer: got filters (8,), upscales (4, 4)",
        ),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        GNM(dataclasses.replace(SMALL, **change))
