"""AIR and Difference-AIR written out by hand: what is read, what it costs, what is drawn."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.distributions import Normal

from neurosym_lite.distributions import LEAST_STD, Gaussian, standard_gaussian
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood_config import WHERE_HIGH, WHERE_LOW, AIRConfig
from neurosym_lite.models.drawing import STD_FLOOR, DrawingWeights
from neurosym_lite.models.stop import Prefixes, exact
from neurosym_lite.render import frames
from tests.models.test_gnm_by_hand import half_a_std

SMALL = AIRConfig(
    image_size=16, strokes=3, hidden=24, what=4, glimpse=8, filters=(6,), strides=(2,), stop="exact", presence_prior=0.6
)
WHERE_PRIOR = Normal(torch.tensor([0.0, 0.0, 0.8, 0.0]), torch.tensor([0.2, 0.2, 0.2, 0.4]))
WEIGHTS = DrawingWeights(torch.tensor(0.25))


def far_from_fresh(config: AIRConfig) -> AIR:
    """A model whose heads heed all that they are fed; fresh ones hardly do."""
    torch.manual_seed(0)
    model = AIR(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model.raster[-1].bias.add_(2)
    return model


def images(n: int = 4) -> Tensor:
    return torch.rand(n, 1, 16, 16, generator=Generator().manual_seed(1))


def by_hand(model: AIR, x: Tensor, draw) -> tuple[Prefixes, Tensor, list[Tensor]]:
    """The prefixes of a reading, NVIL's predictions, and where the parts are."""
    n, (low, high) = len(x), torch.tensor([WHERE_LOW, WHERE_HIGH])
    state, where, what, canvas = torch.zeros(n, 24), torch.zeros(n, 4), torch.zeros(n, 4), torch.zeros(n, 16, 16)
    canvases, kls, q_on, predictions, places = [canvas], [], [], [], []
    for _ in range(3):
        seen = x - canvas[:, None].detach() if model.config.residual else x
        state = model.memory(torch.cat([model.image_encoder(seen), where, what], 1), state)
        mean, std = model.q_where(state).chunk(2, 1)
        q_where = Normal(low + (high - low) * mean.sigmoid(), std.sigmoid() + STD_FLOOR)
        where = draw(q_where)
        code = model.glimpse_encoder(frames.glimpse(seen, where, (8, 8)))
        mean, raw = model.q_what(torch.cat([state, code], 1)).chunk(2, 1)
        q_what = Normal(mean, F.softplus(raw) + LEAST_STD)
        what = draw(q_what)
        raster = F.softplus(model.raster(what) - 2).view(n, 1, 8, 8)
        canvas = canvas + frames.paste(raster, where, (16, 16))[:, 0]
        kl = (q_where.log_prob(where) - WHERE_PRIOR.log_prob(where)).sum(1)
        kls.append(kl + (q_what.log_prob(what) - Normal(0.0, 1.0).log_prob(what)).sum(1))
        q_on.append(model.q_on(state.detach())[:, 0])
        predictions.append(model.baseline(state.detach())[:, 0])
        canvases.append(canvas)
        places.append(where)
    stops = torch.stack(canvases, 1)
    if model.config.likelihood == "normal":
        likelihood = Normal(stops, model.scale).log_prob(x).sum((2, 3))
    else:
        likelihood = torch.distributions.Laplace(stops, model.scale).log_prob(x).sum((2, 3))
    p_on = torch.full((n, 3), 0.6).logit()
    return Prefixes(likelihood, torch.stack(kls, 1), torch.stack(q_on, 1), p_on), torch.stack(predictions, 1), places


@pytest.mark.parametrize(
    "change", [{}, {"residual": True}, {"likelihood": "normal"}], ids=["air", "difference-air", "normal"]
)
def test_the_loss_and_its_gradients_are_those_by_hand(change: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each draw is half a std from its mean, so that every term can be written out."""
    monkeypatch.setattr(Gaussian, "sample", half_a_std)
    model, x = far_from_fresh(replace(SMALL, **change)), images()
    prefixes, prediction, _ = by_hand(model, x, lambda q: q.mean + 0.5 * q.stddev)
    terms = exact(prefixes, WEIGHTS.any_time)
    drawing = model.infer(x)
    torch.testing.assert_close(drawing.kl, prefixes.kl)
    torch.testing.assert_close(drawing.prediction, prediction)
    torch.testing.assert_close(model.prefixes(x, drawing), prefixes, rtol=1e-4, atol=1e-4)
    loss = model.loss(x, WEIGHTS)
    torch.testing.assert_close(loss.total, -(terms.parts + terms.stop))
    named = [(name, p) for name, p in model.named_parameters() if not name.startswith("baseline")]
    ours, theirs = (
        torch.autograd.grad(total.sum(), [p for _, p in named])
        for total in (loss.total, -(terms.parts + terms.stop))
    )  # fmt: skip
    for (name, _), a, b in zip(named, ours, theirs, strict=True):
        torch.testing.assert_close(a, b, msg=name, rtol=1e-3, atol=1e-3)


def test_nvils_baseline_sends_no_gradient_into_the_reader() -> None:
    model = far_from_fresh(replace(SMALL, stop="nvil"))
    drawing = model.infer(images())
    drawing.prediction.sum().backward()
    learned = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert learned == {"baseline"}


def test_mode_takes_the_means() -> None:
    model, x = far_from_fresh(SMALL), images()
    prefixes, _, places = by_hand(model, x, lambda q: q.mean)
    drawing = model.infer(x, mode=True)
    torch.testing.assert_close(drawing.where, torch.stack(places, 1))
    torch.testing.assert_close(drawing.kl, prefixes.kl)


def drawn_from_the_prior(model: AIR, n: int, generator: Generator) -> Tensor:
    """The canvases after 0 ... T parts, each part's place drawn before all looks; the generator has gone on."""
    where = WHERE_PRIOR.mean + WHERE_PRIOR.stddev * torch.randn(n, 3, 4, generator=generator)
    what = standard_gaussian((n, 3, 4), where).sample(generator)
    return model.render(where, what, torch.ones(n, 3))


def test_a_sample_of_so_many_parts_is_a_prefix_cut_at_full_ink() -> None:
    model, parts = far_from_fresh(SMALL), torch.tensor([0, 1, 2, 3])
    canvases = drawn_from_the_prior(model, 4, Generator().manual_seed(5))
    assert canvases.max() > 1  # there is something to cut
    drawn = model.sample(4, Generator().manual_seed(5), parts)
    torch.testing.assert_close(drawn[:, 0], canvases[torch.arange(4), parts].clamp(max=1))


def test_a_sample_goes_on_by_a_coin_and_stops_for_good() -> None:
    model, n = far_from_fresh(SMALL), 400
    generator = Generator().manual_seed(5)
    canvases = drawn_from_the_prior(model, n, generator).clamp(max=1)
    drawn = model.sample(n, Generator().manual_seed(5))[:, 0]
    is_prefix = (drawn[:, None] == canvases).all(-1).all(-1)
    assert is_prefix.any(1).all()  # never a part after one that was left out
    parts = is_prefix.long().argmax(1)
    shares = torch.bincount(parts, minlength=4) / n
    torch.testing.assert_close(shares, torch.tensor([0.4, 0.24, 0.144, 0.216]), atol=0.06, rtol=0)


def test_the_first_parts_are_those_that_are_on() -> None:
    model = far_from_fresh(SMALL)
    where, what = WHERE_PRIOR.mean.expand(1, 3, 4) + 0.1 * torch.randn(1, 3, 4), torch.randn(1, 3, 4)
    parts = [model.draw(where[:, t], what[:, t])[0] for t in range(3)]
    canvases = model.render(where, what, torch.tensor([[1.0, 0.0, 1.0]]))[0]
    want = [torch.zeros(16, 16), parts[0], parts[0], parts[0] + parts[2]]
    torch.testing.assert_close(canvases, torch.stack(want))
