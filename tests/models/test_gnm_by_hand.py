"""GNM's loss, and what it draws, written out by hand."""

import dataclasses

import pytest
import torch
from einops import rearrange
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Bernoulli, Gaussian, image_log_likelihood, kl_gaussian
from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.objective import GNMWeights, KLs, elbo_terms, gated_kls
from neurosym_lite.models.symbols import as_input, cell_centres
from tests.models.test_gnm import MASKED, SMALL, VARIANTS, images


def half_a_std(self: Gaussian, generator: Generator | None = None) -> Tensor:
    """In the place of a draw."""
    return self.mean + 0.5 * self.std


def cooled(self: Bernoulli, temperature: Tensor | float, generator: Generator | None = None) -> Tensor:
    """In the place of a relaxed draw."""
    return (self.logits / temperature).sigmoid()


# what is gated, in both models, is what is not gated in the other
MASKED_GATED = dataclasses.replace(MASKED, prior="gaussian", gate_auxiliary=False, gate_conditional=True)
UNGATED = dataclasses.replace(SMALL, prior="struct", gate_auxiliary=True, gate_conditional=False)


@pytest.mark.parametrize("config", [MASKED_GATED, UNGATED], ids=["masks", "sum"])
def test_the_loss_is_equation_9_by_hand(config, monkeypatch) -> None:
    """Every draw is half a std from its mean, so that each term, and each gradient, can be written out."""
    monkeypatch.setattr(Gaussian, "sample", half_a_std)
    monkeypatch.setattr(Bernoulli, "relaxed_sample", cooled)
    model, x = GNM(config), images()
    w = GNMWeights(*torch.tensor([0.7, 0.3, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 0.25]))
    features = rearrange(model.encoder(x), "B D y x -> B (y x) D")
    q = model.posterior_heads(features)
    where = q.where.mean + 0.5 * q.where.std
    q = q._replace(what=model.infer_what(x, where))
    pres = (q.pres.logits / 0.7).sigmoid()
    said = as_input(q.pres.logits.sigmoid(), q.where.mean, q.what.mean)
    draw = model.globals.infer(said)
    p, aux = model.prior_symbols(draw.features), model.auxiliary_prior(len(x), 0.3)
    symbols = ObjectLatents(pres, where, half_a_std(q.depth), half_a_std(q.what))
    zero = torch.zeros(len(x))
    behind, kl_b, aux_b = None, zero, zero
    if config.background:
        b = model.background.posterior(features)
        pb, unit = model.background_prior(draw.latent), Gaussian(torch.zeros_like(b.mean), torch.ones_like(b.std))
        behind, kl_b, aux_b = half_a_std(b), kl_gaussian(b, pb).sum(1), kl_gaussian(b, unit).sum(1)
    likelihood = image_log_likelihood(x, model.render(symbols, behind, torch.tensor(0.25)), config.sigma)
    by_hand = elbo_terms(
        likelihood,
        KLs(gated_kls(q, aux, pres, config.gate_auxiliary), aux_b),
        KLs(gated_kls(q, p, pres, config.gate_conditional), kl_b),
        draw.kl,
        w,
    )
    loss = model.loss(x, w)
    for name, ours, theirs in zip(loss._fields, loss, by_hand, strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)
    grads = [
        torch.autograd.grad(l.total.sum(), list(model.parameters()), retain_graph=True, allow_unused=True)
        for l in (loss, by_hand)
    ]
    for (name, _), a, b in zip(model.named_parameters(), *grads, strict=True):
        torch.testing.assert_close(a, b, msg=name, rtol=1e-4, atol=1e-4)


def test_symbols_held_fixed_pay_by_their_probability() -> None:
    model = GNM(VARIANTS["gaussian"]).eval()
    nn.init.normal_(model.posterior_heads.pres.weight)
    seen = model.infer(images(), mode=True)
    w = GNMWeights(*torch.tensor([0.7, 0.3]))
    torch.manual_seed(1)
    loss = model.prior_loss(seen, w)
    torch.manual_seed(1)
    draw = model.globals.infer(seen.features)
    want = gated_kls(seen.objects, model.prior(draw), seen.objects.pres.probability, model.config.gate_conditional)
    torch.testing.assert_close(loss.kl_what, want.what)


def test_a_box_moves_one_full_cell() -> None:
    where = torch.zeros(1, 4, 4)
    where[..., 2] = 50.0
    shift = GNM(SMALL).boxes(where).shift[0]
    torch.testing.assert_close(shift, cell_centres(2) + torch.tensor([2 / 2, 0.0]))


INDEPENDENT = dataclasses.replace(MASKED, prior="independent", presence_prior=0.1)


def test_independent_symbols_are_drawn_from_their_prior() -> None:
    model = GNM(INDEPENDENT)
    drawn, again = (model.sample(400, Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(drawn.images, again.images)
    assert abs(drawn.latents.objects.pres.mean() - 0.1) < 0.03
    assert abs(drawn.latents.objects.what.std() - 1) < 0.05
    assert torch.equal(drawn.latents.objects.what, again.latents.objects.what) and torch.equal(
        drawn.latents.background, again.latents.background
    )


def test_scenes_with_backgrounds_come_from_the_generator_alone() -> None:
    model = GNM(dataclasses.replace(MASKED, prior="struct"))
    assert torch.equal(*(model.sample(3, Generator().manual_seed(0)).images for _ in range(2)))
    x = images()
    assert torch.equal(*(model.detect(x).image for _ in range(2)))


def test_confidence_is_the_probability_of_presence() -> None:
    model = GNM(SMALL)
    x = images()
    torch.testing.assert_close(model.detect(x).confidence, model.infer(x, mode=True).objects.pres.probability)


def test_the_recipes_out_kernel_is_used() -> None:
    kernels = [GNM(dataclasses.replace(VARIANTS["struct"], out_kernel=k)).globals.add.conv for k in (1, 3)]
    assert isinstance(kernels[0], nn.Linear) and kernels[1].kernel_size == (3, 3)


def watched(model: GNM, monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What infer is given and says, then what render is: a list that grows as they are called."""
    calls: list[tuple] = []
    for name in ("infer", "render"):
        original = getattr(model, name)

        def spy(*given, original=original, **named):
            calls.append((given, original(*given, **named)))
            return calls[-1][1]

        monkeypatch.setattr(model, name, spy)
    return calls


def test_what_is_drawn_lies_where_it_was_looked_at(monkeypatch) -> None:
    model = GNM(SMALL)
    calls = watched(model, monkeypatch)
    model.loss(images(), GNMWeights(*torch.tensor([0.7, 0.3])))
    assert torch.equal(calls[0][1].where, calls[1][0][0].where)
