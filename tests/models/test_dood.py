"""DooD and AIR: shapes, who sees what, densities against torch's own, and a small world that is learned."""

import math
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd import grad
from torch.distributions import Categorical, Independent, Laplace, MixtureSameFamily, Normal

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.distributions import Gaussian, GaussianMixture
from neurosym_lite.latents import StrokeLatents
from neurosym_lite.models import drawing
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_config import PAPER_DOOD, WHERE_HIGH, WHERE_LOW, AIRConfig, DooDConfig
from neurosym_lite.models.dood_parts import FULL_SPREAD, PAPER_SPREAD, Spread
from neurosym_lite.models.drawing import DrawingWeights, Encoder
from neurosym_lite.models.stop import (
    bound,
    exact,
    log_stop,
    nvil,
    summed,
)

SMALL = DooDConfig(image_size=16, strokes=3, hidden=24, components=3, glimpse=8, filters=(6,), strides=(2,), samples=16)
SMALL_AIR = AIRConfig(image_size=16, strokes=3, hidden=24, what=4, glimpse=8, filters=(6,), strides=(2,))
VARIANTS = {
    "summed": SMALL,
    "exact": replace(SMALL, stop="exact"),
    "nvil": replace(SMALL, stop="nvil"),
    "eg": replace(SMALL, execution_guidance=False),
    "dr": replace(SMALL, decoder="neural"),
    "paper-pen": replace(SMALL, pen="sum-max-tanh"),
    "paper-ink": replace(SMALL, pen="sum-max-tanh", compositing="sum-tanh"),
    "conv-canvas": replace(SMALL, canvas_filters=(4,), canvas_strides=(2,)),
    "air": SMALL_AIR,
    "difference-air": replace(SMALL_AIR, residual=True),
    "air-nvil": replace(SMALL_AIR, stop="nvil"),
    "air-normal": replace(SMALL_AIR, likelihood="normal"),
}
WEIGHTS = DrawingWeights(torch.tensor(0.1), torch.tensor(1.0), torch.tensor(4.0))


def build(config: DooDConfig | AIRConfig) -> DooD | AIR:
    torch.manual_seed(0)
    return (DooD if isinstance(config, DooDConfig) else AIR)(config)


def digits(n: int = 4, size: int = 16) -> Tensor:
    return DrawingSource("digits", "train", size).batch(n, Generator().manual_seed(0)).images.float() / 255


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_learns_and_nothing_is_nan(name: str) -> None:
    model, images = build(VARIANTS[name]), digits()
    loss = model.loss(images, WEIGHTS)
    loss.total.mean().backward()
    assert all(torch.isfinite(term).all() and term.shape == (4,) for term in loss)
    still = {n for n, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0}
    parts = set() if model.config.stop == "nvil" else {"baseline"}
    if name == "dr":
        parts |= {"q_pen"}  # a raster has no pen
    unused = {n for n, _ in model.named_parameters() if n.split(".")[0] in parts}
    if name == "eg":  # a black canvas goes into these
        unused |= {"canvas_encoder.layers.2.weight", "canvas_glimpse_encoder.layers.2.weight"}
    assert still == unused
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", VARIANTS)
def test_samples_are_images_and_follow_the_generator(name: str) -> None:
    model = build(VARIANTS[name]).eval()
    images = model.sample(5, Generator().manual_seed(1))
    assert images.shape == (5, 1, 16, 16) and images.min() >= 0 and images.max() <= 1
    assert torch.equal(images, model.sample(5, Generator().manual_seed(1)))


def test_a_drawing_is_rendered_from_its_latents() -> None:
    model, images = build(SMALL).eval(), digits()
    with torch.no_grad():
        drawing = model.infer(images)
        all_on = StrokeLatents(torch.ones_like(drawing.q_on), drawing.latents.where, drawing.latents.points)
        torch.testing.assert_close(model.render(all_on, drawing.pen), drawing.canvases)
        two = StrokeLatents(torch.tensor([[1.0, 1.0, 0.0]]).expand(4, 3), *all_on[1:])
        cut = model.render(two, drawing.pen)
    torch.testing.assert_close(cut[:, 2], drawing.canvases[:, 2])
    assert torch.equal(cut[:, 3], cut[:, 2]) and (drawing.canvases[:, 0] == 0).all()
    assert (drawing.canvases.diff(dim=1) >= 0).all() and drawing.canvases.max() < 1


def test_the_prior_is_torchs_mixture() -> None:
    model, images = build(SMALL).eval(), digits()
    with torch.no_grad():
        drawing = model.infer(images)
        p, z = drawing.prior, drawing.latents
        where = MixtureSameFamily(Categorical(logits=p.where.logits), Independent(Normal(p.where.mean, p.where.std), 1))
        points = MixtureSameFamily(
            Categorical(logits=p.points.logits), Independent(Normal(p.points.mean, p.points.std), 1)
        )
        want = where.log_prob(z.where) + points.log_prob(z.points).sum(-1)
    torch.testing.assert_close(p.log_prob(z.where, z.points), want)


def test_the_prior_of_a_stroke_knows_the_canvas_and_not_the_image() -> None:
    model, images = build(SMALL).eval(), digits(2)
    with torch.no_grad():
        torch.manual_seed(3)
        first = model.infer(images).prior
        torch.manual_seed(3)
        other = model.infer(images.flip(0)).prior
    assert torch.equal(first.on.logits[:, 0], other.on.logits[:, 0])  # nothing is drawn yet
    assert torch.equal(first.where.mean[:, 0], other.where.mean[:, 0])
    assert not torch.equal(first.where.mean[:, 1], other.where.mean[:, 1])  # it saw another first stroke


def test_without_execution_guidance_the_canvas_is_not_seen() -> None:
    model = build(replace(SMALL, execution_guidance=False)).eval()
    drawing = model.infer(digits())
    assert torch.equal(drawing.prior.on.logits[:, 0], drawing.prior.on.logits[:, 2])
    guided = build(SMALL).eval().infer(digits())
    assert not torch.equal(guided.prior.on.logits[:, 0], guided.prior.on.logits[:, 2])
    assert torch.equal(drawing.q_on[:, 0], drawing.q_on[:, 2])  # and so it cannot know when to stop


def test_no_gradient_goes_back_through_what_the_networks_see() -> None:
    """The pen's width is known to later strokes through the canvas alone; what they see in it does not teach it."""
    model = build(SMALL)
    drawing = model.infer(digits())
    width = model.q_pen[-1].weight
    later = drawing.q_on.sum() + drawing.log_q.sum() + drawing.prior.on.logits.sum() + drawing.prior.where.mean.sum()
    assert torch.autograd.grad(later, width, retain_graph=True, allow_unused=True) == (None,)
    (by_ink,) = torch.autograd.grad(drawing.canvases.sum(), width)
    assert by_ink.abs().max() > 0


def test_posteriors_stay_in_their_range() -> None:
    model = build(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)  # saturate everything
        drawing = model.infer(digits(), mode=True)
    low, high = torch.tensor(WHERE_LOW), torch.tensor(WHERE_HIGH)
    where = drawing.latents.where
    assert (where >= low - 1e-5).all() and (where <= high + 1e-5).all()
    assert drawing.latents.points.abs().max() <= SMALL.reach + 1e-5
    assert drawing.pen[..., 0].min() >= SMALL.radius[0] - 1e-5 and drawing.pen[..., 0].max() <= SMALL.radius[1] + 1e-5
    assert torch.isfinite(drawing.canvases).all() and torch.isfinite(drawing.log_q).all()


@pytest.mark.parametrize(("signs", "want"), [((1, 1, -1), [1, 1, 0]), ((1, -1, 1), [1, 0, 0]), ((-1, 1, 1), [0, 0, 0])])
def test_on_flags_end_where_stopping_is_likelier(signs: tuple[int, ...], want: list[int]) -> None:
    model, logits = build(SMALL).eval(), iter(signs)
    model.q_on.forward = lambda seen: torch.full((len(seen), 1), float(next(logits)))
    drawing = model.infer(digits(2), mode=True)
    assert drawing.latents.on.tolist() == [want, want]


def test_sampling_follows_the_prior_that_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples read back as they were drawn meet the same mixtures, step by step."""
    model = build(SMALL).eval()
    with torch.no_grad():
        model.p_on[-1].bias.fill_(100.0)
        for layer in (model.q_pen[0], model.q_pen[-1]):
            layer.weight.zero_()
        pen = model.pen_range[0] + model.q_pen[-1].bias.sigmoid() * (model.pen_range[1] - model.pen_range[0])
        model.q_pen[0].bias.zero_()
        model.pen.copy_(pen)
    drawn_from: list[Tensor] = []
    for name in ("layout_prior", "stroke_prior"):
        original = getattr(model, name)
        monkeypatch.setattr(model, name, lambda *a, f=original: drawn_from.append(f(*a)) or drawn_from[-1])
    latents, canvases = model.sample_drawings(4, Generator().manual_seed(0))
    mixtures, drawn_from[:] = list(drawn_from), []
    wheres, points = iter(latents.where.unbind(1)), iter(latents.points.unbind(1))
    monkeypatch.setattr(model, "where_posterior", lambda _: Gaussian(z := next(wheres), torch.full_like(z, 1e-12)))
    monkeypatch.setattr(model, "points_posterior", lambda _: Gaussian(z := next(points), torch.full_like(z, 1e-12)))
    with torch.no_grad():
        read = model.infer(canvases[:, -1:], mode=True)
    torch.testing.assert_close(read.canvases, canvases)
    for t in range(SMALL.strokes):
        torch.testing.assert_close(read.prior.where.mean[:, t], mixtures[2 * t].mean)
        torch.testing.assert_close(read.prior.points.mean[:, t], mixtures[2 * t + 1].mean)


def test_a_likelihood_is_laplace() -> None:
    model, images = build(SMALL), digits()
    canvas = torch.rand(4, 2, 16, 16)
    want = torch.distributions.Laplace(canvas, model.scale.detach()).log_prob(images).sum((2, 3))
    torch.testing.assert_close(model.log_likelihood(images, canvas), want)
    with torch.no_grad():
        model.raw_scale.fill_(-100.0)
    assert float(model.scale.detach()) == pytest.approx(SMALL.scale_floor)


def test_a_prior_drawing_stops_for_good() -> None:
    model = build(SMALL).eval()
    with torch.no_grad():
        model.p_on[-1].bias.fill_(0.5)
    latents, canvases = model.sample_drawings(200, Generator().manual_seed(0))
    assert (latents.on.diff(dim=1) <= 0).all() and 0 < latents.on.mean() < 1
    stopped = latents.on == 0
    assert torch.equal(canvases[:, 1:][stopped], canvases[:, :-1][stopped])


def test_the_sampling_pen_is_that_of_strokes_that_are_drawn() -> None:
    model, images = build(SMALL).train(), digits()
    drawing = model.infer(images)
    wide = torch.tensor([[2.5, 0.5], [0.6, 0.2], [0.6, 0.2]]).expand(4, 3, 2)
    for _ in range(600):
        model.remember_pen(drawing._replace(pen=wide, q_on=torch.tensor([[9.0, -9.0, 9.0]]).expand(4, 3)))
    torch.testing.assert_close(model.pen, torch.tensor([2.5, 0.5]), rtol=0, atol=0.02)


def test_the_sampling_pen_moves_in_training_alone() -> None:
    model, images = build(SMALL).train(), digits()
    before = model.pen.clone()
    model.loss(images, WEIGHTS)
    assert not torch.equal(before, model.pen) and (before - model.pen).abs().max() < 0.1
    model.eval()
    kept = model.pen.clone()
    model.loss(images, WEIGHTS)
    assert torch.equal(kept, model.pen)


def test_paper_size() -> None:
    """Of the paper's code: strokes, points, components, widths, sizes (facts 1.1); weights of the heads are ours."""
    assert (PAPER_DOOD.image_size, PAPER_DOOD.strokes, PAPER_DOOD.points, PAPER_DOOD.components) == (50, 6, 5, 40)
    encoder = Encoder(1, 50, PAPER_DOOD.filters, PAPER_DOOD.strides, 256)
    assert encoder.layers[-2].weight.shape == (256, 16 * 50 * 50)


@pytest.mark.parametrize(("name", "most"), [("summed", 0.5), ("air", 0.7)])
def test_one_batch_is_learned(name: str, most: float) -> None:
    """In 200 steps the drawing explains much of the ink of four digits, and the stop is not at the beginning."""
    config = replace(VARIANTS[name], hidden=48)
    model, images = build(config), digits(4)
    optimiser = torch.optim.Adam(model.parameters(), 4e-3)
    errors = []
    for step in range(200):
        weights = DrawingWeights(torch.tensor(1.0 if step < 150 else 0.1), torch.tensor(2.0), torch.tensor(4.0))
        loss = model.loss(images, weights)
        optimiser.zero_grad()
        loss.total.mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 200.0)
        optimiser.step()
        errors.append(float(loss.error.mean()))
    assert errors[-1] < most and errors[0] > 0.8
    share = log_stop(model.infer(images).q_on).exp()
    assert share[:, 0].mean() < 0.2


def test_a_narrower_spread_moves_samples_towards_the_components_means() -> None:
    model = build(SMALL).eval()
    spreads = (FULL_SPREAD, PAPER_SPREAD, Spread(0.0, 0.0, 0.0))
    wide, narrow, still = (model.sample_drawings(400, Generator().manual_seed(2), spread)[0] for spread in spreads)
    first = [latents.where[:, 0] for latents in (wide, narrow, still)]  # its prior is one mixture for all drawings
    assert (first[1].std(0) < first[0].std(0)).all()
    assert len(first[2].unique(dim=0)) <= model.config.components  # nothing is left but the means
    prior = GaussianMixture(torch.zeros(1), torch.zeros(1, 4), torch.ones(1, 4))
    torch.testing.assert_close(PAPER_SPREAD.of_layout(prior).std[0].square(), torch.tensor([0.01, 0.01, 0.7, 0.7]))
    torch.testing.assert_close(PAPER_SPREAD.of_points(prior).std.square(), torch.full((1, 4), 0.01))


def test_airs_likelihoods_are_torchs() -> None:
    images, canvases = digits(), torch.rand(4, 3, 16, 16, generator=Generator().manual_seed(3))
    for likelihood, kind in (("laplace", Laplace), ("normal", Normal)):
        model = build(replace(SMALL_AIR, likelihood=likelihood))
        theirs = kind(canvases, model.scale.detach()).log_prob(images.expand_as(canvases)).sum((2, 3))
        torch.testing.assert_close(model.log_likelihood(images, canvases).detach(), theirs, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("name", VARIANTS)
def test_no_images_are_no_drawings(name: str) -> None:
    model, nothing = build(VARIANTS[name]), torch.zeros(0, 1, 16, 16)
    assert len(model.infer(nothing).q_on) == 0 and model.loss(nothing, WEIGHTS).total.shape == (0,)
    assert model.sample(0, Generator()).shape == (0, 1, 16, 16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"canvas_filters": (4, 8), "canvas_strides": (2,)}, "got filters (4, 8), strides (2,)"),
        ({"strides": (2, 2)}, "need one stride a layer: got filters (6,), strides (2, 2)"),
    ],
)
def test_layers_without_strides_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        DooD(replace(SMALL, **change))


def test_a_part_needs_looks_and_a_coin() -> None:
    with pytest.raises(ValueError, match=r"presence_prior 1\.0: expected a probability above 0 and below 1"):
        replace(SMALL_AIR, presence_prior=1.0, stop="exact")
    with pytest.raises(ValueError, match="what=0: expected a whole number above 0"):
        replace(SMALL_AIR, what=0)


def test_the_stop_teaches_no_encoder_and_the_guide_no_frame() -> None:
    model = build(SMALL)
    read = model.infer(digits())
    for value in (read.q_on, read.prediction):
        assert grad(value.sum(), model.image_encoder.layers[0].weight, retain_graph=True, allow_unused=True) == (None,)
    stroke = model.read_stroke(digits(), model.begin(4, digits()), mode=True)
    assert not stroke.canvas_glimpse.requires_grad
    assert grad(stroke.points.sum(), model.q_where[-1].weight)[0].abs().max() > 0  # it looks where the frame is


def test_log_q_is_the_density_of_what_was_drawn(monkeypatch) -> None:
    model, kept = build(SMALL).eval(), {}
    for name in ("where_posterior", "points_posterior"):
        original = getattr(model, name)
        monkeypatch.setattr(model, name, lambda raw, f=original, n=name: kept.setdefault(n, f(raw)))
    stroke = model.read_stroke(digits(), model.begin(4, digits()), mode=False)
    want = torch.distributions.Normal(*kept["where_posterior"]).log_prob(stroke.where).sum(1)
    want = want + torch.distributions.Normal(*kept["points_posterior"]).log_prob(stroke.points).sum((1, 2))
    torch.testing.assert_close(stroke.log_q, want)


def test_the_pen_knows_the_frames_scale(monkeypatch) -> None:
    model, seen = build(SMALL).eval(), []
    original = model.read_pen
    monkeypatch.setattr(model, "read_pen", lambda x: seen.append(x) or original(x))
    stroke = model.read_stroke(digits(), model.begin(4, digits()), mode=True)
    assert torch.equal(seen[0][:, -1], stroke.where[:, 2])


def test_stds_of_points_reach_one() -> None:
    model = build(SMALL)
    assert torch.allclose(model.points_posterior(torch.full((1, 4 * SMALL.points), 100.0)).std, torch.tensor(1.001))


def test_the_slope_is_the_configs() -> None:
    model = build(replace(SMALL, compositing="sum-tanh", ink_slope=0.4))
    a = torch.rand(2, 16, 16)
    torch.testing.assert_close(model.lay(torch.zeros_like(a), a), (a / 0.4).tanh())


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, stop="exact"), SMALL_AIR])
def test_what_is_watched_is_the_average_over_qs_stops(config) -> None:
    model, images = build(config).eval(), digits()
    read = model.infer(images)
    prefixes = model.prefixes(images, read)
    weights = DrawingWeights(torch.tensor(0.3), torch.tensor(7.0), torch.tensor(4.0), torch.tensor(0.25))
    loss = model.drawing_loss(images, read.canvases, prefixes, read.prediction, weights)
    square = ((images - read.canvases) ** 2).sum((2, 3)) / model.scale**2
    normal = -0.5 * square - 256 * (model.scale * math.sqrt(2 * math.pi)).log()
    blend = prefixes._replace(log_likelihood=0.75 * prefixes.log_likelihood + 0.25 * normal)
    share, costs = log_stop(prefixes.q_on).exp(), F.pad(prefixes.kl.cumsum(1), (1, 0))
    torch.testing.assert_close(loss.log_likelihood, (share * blend.log_likelihood).sum(1))
    torch.testing.assert_close(loss.kl, (share * costs).sum(1))
    torch.testing.assert_close(loss.parts, (share * torch.arange(share.shape[1])).sum(1))
    torch.testing.assert_close(loss.bound, bound(blend))
    error = (images - read.canvases).abs().sum((2, 3)) / images.sum((1, 2, 3))[:, None]
    torch.testing.assert_close(loss.error, (share * error).sum(1))
    if config.stop == "nvil":
        return
    terms = (
        summed(blend, weights.price, weights.any_time) if config.stop == "summed" else exact(blend, weights.any_time)
    )
    torch.testing.assert_close(loss.total, -(terms.parts + terms.stop))


def test_an_evaluation_leaves_the_running_signal_alone() -> None:
    model = build(replace(SMALL, stop="nvil")).eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.loss(digits(), WEIGHTS._replace(any_time=torch.tensor(0.0)))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_nvil_is_given_beta(monkeypatch) -> None:
    model, given = build(replace(SMALL, stop="nvil")), []
    monkeypatch.setattr(drawing, "nvil", lambda *a: given.append(a) or nvil(*a))
    model.loss(digits(), WEIGHTS._replace(beta=torch.tensor(3.0)))
    assert given[0][2] == 3
