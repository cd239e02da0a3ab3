"""StructDRAW: algorithm 1, step by step, and what each interaction layer lets cells know of each other."""

import pytest
import torch
from torch import Generator
from torch import distributions as td

from neurosym_lite.distributions import GaussianMixture
from neurosym_lite.layers import LSTMState
from neurosym_lite.models.structdraw import StructDraw, step_kl

CELLS, SEEN, WIDTH, LATENT, STEPS = 9, 5, 8, 3, 4
INTERACTIONS = pytest.mark.parametrize("interaction", ["mlp", "none", "transformer"])


def draw(**changes) -> StructDraw:
    sizes = {"cells": CELLS, "inputs": SEEN, "features": WIDTH, "latent": LATENT, "steps": STEPS}
    settings = sizes | {"hidden": (16,), "draw_hidden": (16,)}
    return StructDraw(**(settings | changes))


@INTERACTIONS
def test_shapes_steps_and_kl(interaction: str) -> None:
    model, seen = draw(interaction=interaction), torch.randn(6, CELLS, SEEN)
    steps = model.run(seen, 6)
    width = LATENT * (CELLS if interaction == "none" else 1)
    assert len(steps) == STEPS and all(step.latent.shape == (6, width) for step in steps)
    result = model.infer(seen)
    assert result.latent.shape == (6, STEPS * width) and result.features.shape == (6, CELLS, WIDTH)
    assert (result.kl >= 0).all() and result.kl.shape == (6,)


def test_the_kl_is_the_sum_of_the_steps_and_each_is_the_closed_form() -> None:
    model, seen = draw(), torch.randn(6, CELLS, SEEN)
    torch.manual_seed(1)
    steps = model.run(seen, 6)
    torch.manual_seed(1)
    total = model.infer(seen).kl
    each = [td.kl_divergence(td.Normal(*s.posterior), td.Normal(*s.prior)).sum(1) for s in steps]
    torch.testing.assert_close(total, sum(each))


def test_algorithm_1_by_hand() -> None:
    """Two steps written out: prior from h_dec, encoder on (f_x, f_x - f, h_dec), decoder on (z, f), f grows."""
    model, seen = draw(inputs=WIDTH), torch.randn(2, CELLS, WIDTH)
    steps = model.run(seen, 2, mode=True)
    zero = torch.zeros(2, CELLS, WIDTH)
    enc, dec, f = LSTMState(zero, zero), LSTMState(zero, zero), zero
    for step in steps[:2]:
        torch.testing.assert_close(step.prior.mean, model.prior(dec.hidden).mean)
        enc = model.encoder(torch.cat([seen, seen - f, dec.hidden], -1), enc)
        q = model.posterior(enc.hidden)
        torch.testing.assert_close(step.latent, q.mean)
        dec = model.decoder(torch.cat([model.sketch(q.mean), f], -1), dec)
        f = f + model.add(dec.hidden)
        torch.testing.assert_close(step.features, f)


def test_the_first_prior_is_a_learned_gaussian_not_the_unit_one() -> None:
    model = draw()
    first = model.run(None, 3)[0].prior
    assert torch.equal(first.mean[0], first.mean[2]) and first.mean.abs().max() > 0
    first.mean.sum().backward()
    assert model.initial.grad[2].abs().max() > 0


def test_later_priors_know_what_was_drawn() -> None:
    steps = draw().run(None, 4)
    assert torch.equal(steps[0].prior.mean[0], steps[0].prior.mean[1])
    assert not torch.allclose(steps[1].prior.mean[0], steps[1].prior.mean[1])


def heard(interaction: str) -> torch.Tensor:
    """On a 6 x 6 map: which cells the first latent depends on; with no interaction, that of the corner's latent."""
    model = draw(cells=36, interaction=interaction)
    seen = torch.randn(1, 36, SEEN, requires_grad=True)
    latent = model.run(seen, 1, mode=True)[0].posterior.mean[:, :LATENT]
    (gradient,) = torch.autograd.grad(latent.square().sum(), seen)
    return (gradient[0].abs().amax(1) > 0).view(6, 6)


@pytest.mark.parametrize("interaction", ["mlp", "transformer"])
def test_with_interaction_every_latent_hears_every_cell(interaction: str) -> None:
    assert heard(interaction).all()


def test_without_interaction_a_latent_hears_its_neighbourhood() -> None:
    """Two 3x3 convolutions reach two cells far."""
    reach = heard("none")
    assert reach[:3, :3].all() and not reach[3:].any() and not reach[:, 3:].any()


def test_a_mixture_prior_is_scored_at_the_sample() -> None:
    model, seen = draw(components=5), torch.randn(4, CELLS, SEEN)
    step = model.run(seen, 4)[0]
    assert isinstance(step.prior, GaussianMixture)
    mixture = td.MixtureSameFamily(
        td.Categorical(logits=step.prior.logits), td.Independent(td.Normal(step.prior.mean, step.prior.std), 1)
    )
    expected = -td.Normal(*step.posterior).entropy().sum(1) - mixture.log_prob(step.latent)
    torch.testing.assert_close(step_kl(step), expected)
    spread = step.prior.mean[0].std(0)
    assert (spread > 0.1).all()  # components that start alike would stay alike


def test_the_sampled_kl_of_a_mixture_is_right_on_average() -> None:
    one, many = draw(components=1), draw(components=2)
    many.load_state_dict({k: v for k, v in one.state_dict().items() if "prior_net.1.3" not in k}, strict=False)
    with torch.no_grad():  # both components are the single Gaussian
        last_one, last_many = one.prior_net[-1][-1], many.prior_net[-1][-1]
        rows = torch.cat([torch.arange(LATENT)] * 2 + [torch.arange(LATENT, 2 * LATENT)] * 2)
        last_many.weight.copy_(torch.cat([torch.zeros(2, 16), last_one.weight[rows]]))
        last_many.bias.copy_(torch.cat([torch.zeros(2), last_one.bias[rows]]))
    seen = torch.randn(1, CELLS, SEEN).expand(20_000, -1, -1)
    with torch.no_grad():
        closed, sampled = one.infer(seen).kl.mean(), many.infer(seen).kl.mean()
    torch.testing.assert_close(closed, sampled, atol=0.05, rtol=0.02)


def test_generate_is_a_function_of_the_generator_and_structure_redraws_it() -> None:
    model = draw(components=3)
    first, again, other = (model.generate(3, Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(first.features, again.features) and not torch.equal(first.latent, other.latent)
    torch.testing.assert_close(model.structure(first.latent), first.features)


def test_a_map_of_latents_has_no_mixture() -> None:
    with pytest.raises(ValueError, match="mixture over a map"):
        draw(components=2, interaction="none")


def test_any_number_of_steps() -> None:
    for steps in (1, 8):
        result = draw(steps=steps).generate(2, Generator().manual_seed(0))
        assert result.latent.shape == (2, steps * LATENT)


def test_algorithm_1_and_a_map_from_a_given_code_have_the_gradients_of_the_loop_by_hand() -> None:
    model, seen = draw(inputs=WIDTH), torch.randn(2, CELLS, WIDTH)
    encoder, decoder = (LSTMState(*(part.expand(2, -1, -1) for part in model.initial[i : i + 2])) for i in (0, 2))
    drawn, state = torch.zeros(2, CELLS, WIDTH), decoder
    for _ in range(STEPS):
        encoder = model.encoder(torch.cat([seen, seen - drawn, state.hidden], -1), encoder)
        state = model.decoder(torch.cat([model.sketch(model.posterior(encoder.hidden).mean), drawn], -1), state)
        drawn = drawn + model.add(state.hidden)
    same_gradients(model, model.run(seen, 2, mode=True)[-1].features, drawn)
    code = torch.randn(2, STEPS * LATENT)
    drawn, state = torch.zeros(2, CELLS, WIDTH), decoder
    for part in code.chunk(STEPS, 1):
        state = model.decoder(torch.cat([model.sketch(part), drawn], -1), state)
        drawn = drawn + model.add(state.hidden)
    same_gradients(model, model.structure(code), drawn)


def same_gradients(model: StructDraw, ours: torch.Tensor, by_hand: torch.Tensor) -> None:
    weights, along = list(model.decoder.parameters()), torch.randn_like(ours)
    gradients = (torch.autograd.grad((value * along).sum(), weights) for value in (ours, by_hand))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)
