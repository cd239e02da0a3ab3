"""The importance-weighted bound against sums that can be done by hand."""

import dataclasses
import itertools
import math

import pytest
import torch
from torch import Tensor, nn
from torch import distributions as td

from neurosym_lite.distributions import Bernoulli, Gaussian, image_log_likelihood
from neurosym_lite.evaluation import likelihood
from neurosym_lite.evaluation.likelihood import Bound, importance_weighted, log_density, log_weight
from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.convdraw import ConvDraw
from neurosym_lite.models.genesis import Genesis
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.symbols import ObjectDistribution
from neurosym_lite.models.vae import VAE, VAEWeights
from tests.models import test_convdraw, test_genesis, test_vae
from tests.models.test_convdraw import MLP
from tests.models.test_gnm import MASKED, SMALL, VARIANTS, images
from tests.models.test_gnm_by_hand import half_a_std, watched

UNIT_STD = math.log(math.exp(1 - 1e-3) - 1)  # raw value that a head reads as std 1
RAREST = -20.0  # raw presence whose probability is the least there is, 1.5e-4


def constant(module: nn.Module) -> None:
    """Make a network's output its last bias, whatever it sees."""
    last = [layer for layer in module.modules() if isinstance(layer, nn.Linear)][-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


def thousands(model: nn.Module, images: Tensor, samples: int, copies: int = 100) -> Bound:
    """The bound with that many samples an image, `copies` of each image side by side: one by one they take long."""
    bound = importance_weighted(model, images.repeat(copies, 1, 1, 1), samples // copies)
    each, effective = (column.view(copies, len(images)) for column in bound)
    total = each.logsumexp(0)
    squares = (2 * each - effective.log()).logsumexp(0)
    return Bound(total - math.log(copies), (2 * total - squares).exp())


def test_copies_side_by_side_are_more_samples(monkeypatch) -> None:
    """Of the same weights the helper above makes the same bound."""
    drawn = torch.randn(6, 4, dtype=torch.float64)  # six samples of two images, two copies of each
    calls = iter(drawn)
    monkeypatch.setattr(likelihood, "log_weight", lambda *_: next(calls))
    ours = thousands(GNM(SMALL), torch.zeros(2, 1, 1, 1), 12, copies=2)
    weights = drawn.view(12, 2).softmax(0)
    torch.testing.assert_close(ours.log_likelihood, drawn.view(12, 2).logsumexp(0) - math.log(12))
    torch.testing.assert_close(ours.effective, 1 / weights.square().sum(0))


def two_cell_model() -> GNM:
    """Symbols that do not depend on the image: two of the four cells may hold an object, of one look, in one place.

    q and p agree on where, depth, what and z_g, so those cancel; they differ in presence. Boxes are almost certain
    (std 1e-3), so p(x) is a sum over who is there.
    """
    model = GNM(dataclasses.replace(SMALL, what=2, sigma=0.25))
    with torch.no_grad():
        constant(model.glimpse_decoder.net)
        constant(model.glimpse_encoder)
        constant(model.globals.encoder)
        model.globals.encoder[-1].bias[6:] = UNIT_STD
        for heads, logit in ((model.posterior_heads, 0.05), (model.prior_heads, -0.08)):
            for part in (heads.pres, heads.where, heads.depth):
                constant(part)
            heads.where.bias[4:] = -20.0
            heads.where.bias[0] = -1.0
            heads.pres.bias.fill_(logit)
        constant(model.prior_heads.appearance)
    _silence_cells(model)
    return model.eval()


def _silence_cells(model: GNM) -> None:
    """Cells 2 and 3 are (almost) never present, in q and in p."""
    original = {heads: heads.forward for heads in (model.posterior_heads, model.prior_heads)}

    def forward(heads):
        def call(features):
            q = original[heads](features)
            logits = torch.cat([q.pres.logits[:, :2], torch.full_like(q.pres.logits[:, 2:], -8.8)], dim=1)
            return q._replace(pres=Bernoulli(logits))

        return call

    for heads in original:
        heads.forward = forward(heads)


def test_hard_presence_agrees_with_the_sum_over_who_is_there() -> None:
    model = two_cell_model()
    symbols = model.auxiliary_prior(1, 0.5).mode()
    q = model.prior_symbols(torch.zeros(1, 4, 8))
    placed = symbols._replace(where=q.where.mean)
    target = model.render(placed._replace(pres=torch.tensor([[1.0, 0.0, 0.0, 0.0]])))
    image = (target + 0.05 * torch.randn_like(target)).detach()
    terms = []
    for who in itertools.product([0.0, 1.0], repeat=4):
        pres = torch.tensor([who])
        drawn = model.render(placed._replace(pres=pres))
        terms.append(q.pres.log_prob(pres).sum() + image_log_likelihood(image, drawn, model.config.sigma)[0])
    exact = torch.logsumexp(torch.stack(terms), 0)
    bound = importance_weighted(model, image.expand(500, -1, -1, -1), 20)
    estimate = torch.logsumexp(bound.log_likelihood, 0) - math.log(500)
    assert abs(estimate - exact) < 0.03
    assert terms[0] < exact - 0.5 and bound.log_likelihood.mean() <= exact + 0.03  # one term is not the sum


def test_relaxed_presence_does_not_come_out_at_the_likelihood() -> None:
    """What the released code averages is no probability of the image: more samples do not bring it there."""
    model = two_cell_model()
    image = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(2)).expand(500, -1, -1, -1)
    hard, relaxed = (importance_weighted(model, image, 20, soft).log_likelihood for soft in (False, True))
    hard, relaxed = (torch.logsumexp(bound, 0) - math.log(500) for bound in (hard, relaxed))
    assert abs(hard - relaxed) > 0.3


def test_the_released_codes_weights_count_every_cell() -> None:
    p = GNM(dataclasses.replace(SMALL, what=2)).auxiliary_prior(1, 0.3)
    presence = torch.tensor([[0.9, 0.4, 0.0, 0.67]])
    symbols = p.sample()._replace(pres=presence)
    by_hand = (presence * math.log(0.3) + (1 - presence) * math.log(0.7)).sum()
    for part in ("where", "depth", "what"):
        by_hand = by_hand + td.Normal(*getattr(p, part)).log_prob(getattr(symbols, part)).sum()
    torch.testing.assert_close(log_density(p, symbols, every_cell=True)[0], by_hand)
    assert log_density(p, symbols)[0] > by_hand  # absent cells cost nothing there


def test_absent_objects_have_no_where_depth_or_what() -> None:
    def gaussian(*shape: int) -> Gaussian:
        return Gaussian(torch.randn(shape), torch.rand(shape) + 0.5)

    p = ObjectDistribution(Bernoulli(torch.randn(1, 2)), gaussian(1, 2, 4), gaussian(1, 2), gaussian(1, 2, 3))
    symbols = ObjectLatents(torch.tensor([[1.0, 0.0]]), *(torch.randn(s) for s in ((1, 2, 4), (1, 2), (1, 2, 3))))
    by_hand = td.Bernoulli(logits=p.pres.logits).log_prob(symbols.pres).sum()
    for part in ("where", "depth", "what"):
        by_hand = by_hand + td.Normal(*getattr(p, part)).log_prob(getattr(symbols, part))[:, 0].sum()
    torch.testing.assert_close(log_density(p, symbols)[0], by_hand)


@pytest.mark.parametrize("name", ["gaussian", "struct", "struct, mixture", "masks, background"])
def test_more_samples_tighten_the_bound(name: str) -> None:
    model, images = GNM(VARIANTS[name]).eval(), torch.rand(4, 1, 16, 16)
    one = torch.stack([log_weight(model, images) for _ in range(60)]).mean(0)
    many = importance_weighted(model, images, 60)
    assert (many.log_likelihood > one).all() and torch.isfinite(many.log_likelihood).all()
    assert (many.effective >= 1 - 1e-6).all() and (many.effective <= 60).all()


def test_a_model_without_a_learned_prior_has_no_likelihood() -> None:
    with pytest.raises(ValueError, match="has none that was learned"):
        log_weight(GNM(dataclasses.replace(SMALL, prior="independent")), torch.rand(1, 1, 16, 16))


@pytest.mark.parametrize(("kind", "config"), [(VAE, test_vae.SMALL), (ConvDraw, test_convdraw.SMALL), (ConvDraw, MLP)])
def test_a_decoder_that_ignores_its_latent_has_the_likelihood_of_its_one_image(kind: type, config: object) -> None:
    """Then p(x) is known exactly, whatever q says: the weights' mean has to come out at it, and one weight below it."""
    model, images = kind(dataclasses.replace(config, sigma=0.5, latent=2)).eval(), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        constant_image(model)
        bring_near(model)
    exact = image_log_likelihood(images, torch.full_like(images, 0.5), 0.5).double()
    bound = thousands(model, images, 1000)
    assert (bound.effective < 990).all()  # q is not p
    torch.testing.assert_close(bound.log_likelihood, exact, rtol=0, atol=0.3)
    one = importance_weighted(model, images.repeat(100, 1, 1, 1), 1).log_likelihood.view(100, 2).mean(0)
    assert (one < exact).all()


def test_genesis_with_one_image_for_all_latents_has_its_likelihood() -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(test_genesis.SMALL, sigma=0.5, mask_latent=2, component_latent=2)
    model, images = Genesis(config).eval().requires_grad_(False), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        for last in (model.mask_decoder[-1], model.component_decoder.layers[-2]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        for net in (model.posterior_head, model.prior_head, model.component_encoder[-1], model.component_prior[-1]):
            net.weight.mul_(0.1)
            nn.init.constant_(net.bias, UNIT_STD)
        for net, shift in ((model.posterior_head, 0.2), (model.component_encoder[-1], -0.2)):  # q beside p, and wider
            net.bias[:2] = shift
            net.bias[2:] += 0.2
    exact = image_log_likelihood(images, torch.full_like(images, 0.5), 0.5).double()
    bound = thousands(model, images, 4000)
    assert (bound.effective < 3900).all()
    torch.testing.assert_close(bound.log_likelihood, exact, rtol=0, atol=0.15)
    copies = images.repeat(4000, 1, 1, 1)
    one, loss = log_weight(model, copies), model.loss(copies, VAEWeights(torch.tensor(1.0)))
    one, kls = (each.view(4000, 2).mean(0) for each in (one, loss.kl_mask + loss.kl_component))
    assert (kls > 0.3).all()  # of both latents: one weight is below the truth by just these
    torch.testing.assert_close(one, exact.float() - kls, rtol=0, atol=0.15)


def constant_image(model: nn.Module) -> None:
    """Grey, whatever the latent is."""
    last = [layer for layer in model.decoder.modules() if isinstance(layer, nn.Conv2d)][-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


def bring_near(model: nn.Module) -> None:
    """q a little wider than p and beside it: with a narrow q no number of samples would be enough."""
    if isinstance(model, VAE):
        model.head[-1].weight.mul_(0.1)
        model.head[-1].bias.copy_(torch.tensor([0.3, -0.2, UNIT_STD + 0.2, UNIT_STD + 0.1]))
        return
    for net, shift in ((model.globals.prior_net, 0.0), (model.globals.posterior_net, 0.1)):
        last = [layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.constant_(last.bias, shift)


@pytest.mark.parametrize("relaxed", [False, True])
@pytest.mark.parametrize(
    "config",
    [
        dataclasses.replace(MASKED, prior="gaussian"),
        dataclasses.replace(MASKED, prior="struct"),
        VARIANTS["struct, mixture"],
    ],
)
def test_a_weight_by_hand(config, relaxed, monkeypatch) -> None:
    """Every draw is half a std from its mean; presence is a coin of its own."""
    coin = torch.tensor([[1.0, 0.0, 1.0, 0.0]]).expand(3, 4)
    monkeypatch.setattr(Gaussian, "sample", half_a_std)
    monkeypatch.setattr(Bernoulli, "sample", lambda self, generator=None: coin)
    monkeypatch.setattr(Bernoulli, "relaxed_sample", lambda self, t, generator=None: (self.logits / t).sigmoid())
    model, x = GNM(config).eval(), images()
    with torch.no_grad():
        seen = model.infer(x)
        q = seen.objects
        pres = (q.pres.logits / 0.5).sigmoid() if relaxed else coin
        symbols = ObjectLatents(pres, seen.where, half_a_std(q.depth), half_a_std(q.what))
        g = model.globals
        if config.prior == "gaussian":
            qg = g.posterior(seen.features)
            z = half_a_std(qg)
            f = g.structure(z)
            ratio = (Gaussian(torch.zeros_like(z), torch.ones_like(z)).log_prob(z) - qg.log_prob(z)).sum(1)
        else:
            steps = g.run(seen.features, 3)
            z, f = (torch.cat([s.latent for s in steps], 1), steps[-1].features)
            ratio = sum(
                s.prior.log_prob(s.latent).view(3, -1).sum(1) - s.posterior.log_prob(s.latent).sum(1) for s in steps
            )
        p = model.prior_symbols(f)
        behind = half_a_std(seen.background)
        want = image_log_likelihood(x, model.render(symbols, behind), config.sigma) + ratio
        want = want + log_density(p, symbols, relaxed) - log_density(q, symbols, relaxed)
        if config.background:
            want = want + (model.background_prior(z).log_prob(behind) - seen.background.log_prob(behind)).sum(1)
    torch.testing.assert_close(log_weight(model, x, relaxed), want)


def test_a_weight_is_of_boxes_that_were_looked_at(monkeypatch) -> None:
    model = GNM(SMALL).eval()
    calls = watched(model, monkeypatch)
    log_weight(model, images())
    assert torch.equal(calls[0][1].where, calls[1][0][0].where)
