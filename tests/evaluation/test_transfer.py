"""Likelihoods of drawings: what they bound, where their ceiling is."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.drawings import Drawings, DrawingSource
from neurosym_lite.evaluation import transfer
from neurosym_lite.evaluation.strokes import redraw, relative_l1
from neurosym_lite.evaluation.transfer import ceiling, likelihoods, log_likelihood, redrawing
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood_config import AIRConfig
from neurosym_lite.models.stop import bound
from neurosym_lite.training.checkpoints import load_checkpoint
from tests.evaluation.test_strokes import model as drawer

PIXELS = 28 * 28


def digits(n: int = 12) -> Drawings:
    return DrawingSource("digits", "test").batch(n, Generator().manual_seed(0))


def images(n: int = 12) -> Tensor:
    return digits(n).images.float() / 255


def test_one_sample_is_the_bound_of_one_draw_and_more_samples_are_tighter() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    torch.manual_seed(0)
    one = log_likelihood(model, images(), 1)
    torch.manual_seed(0)
    draw = bound(model.prefixes(images(), model.infer(images())))
    assert torch.allclose(one, draw.double())
    ones = torch.stack([log_likelihood(model, images(), 1) for _ in range(20)]).mean()
    assert log_likelihood(model, images(), 20).mean() > ones + 1


def test_of_a_model_with_a_known_integral_it_is_the_integral() -> None:
    """An AIR whose decoder draws black says p(x) = Laplace(x; 0, b), whatever the latents are and wherever it stops."""
    model = AIR(AIRConfig(strokes=2)).eval()
    with torch.no_grad():
        for weights in model.raster[-1].parameters():
            weights.zero_()
        model.raster[-1].bias.fill_(-100.0)
    x = images(4)
    blank = model.log_likelihood(x, torch.zeros(4, 1, 28, 28))[:, 0]
    estimate = log_likelihood(model, x, 400)
    assert (estimate - blank).abs().max() < 3 and (blank < -100).any() | (blank > 100).any()


@pytest.mark.parametrize("kind", ["laplace", "normal"])
def test_the_ceiling_is_a_perfect_canvas(kind: str) -> None:
    model = AIR(replace(AIRConfig(), likelihood=kind))
    b = float(model.scale.detach())
    expected = -math.log(2 * b) if kind == "laplace" else -math.log(b * math.sqrt(2 * math.pi))
    assert ceiling(model, PIXELS) == pytest.approx(expected, rel=1e-5)


def test_every_set_has_its_numbers_below_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurosym_lite.evaluation.transfer.SAMPLES", 2)
    model, _ = load_checkpoint("dood-digits-lite")
    dark = digits()._replace(images=digits().images // 4)
    found = likelihoods(model, {"mnist": digits(), "kmnist": dark}, 0)
    names = {f"likelihood_{part}on_{name}" for part in ("", "error_") for name in ("mnist", "kmnist")}
    assert found.keys() == names | {"likelihood_ceiling"}
    assert found == likelihoods(model, {"mnist": digits(), "kmnist": dark}, 0)
    assert found["likelihood_on_mnist"] < found["likelihood_ceiling"]


def test_redrawing_is_that_of_each_set() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    turned = digits()._replace(images=digits().images.mT.contiguous())
    found = redrawing(model, {"mnist": digits(), "kmnist": turned})
    assert found["relative_l1_on_mnist"] == pytest.approx(relative_l1(redraw(model, images()).final(), images()))
    assert found["relative_l1_on_kmnist"] > found["relative_l1_on_mnist"]


def test_copies_of_one_weight_are_that_weight(monkeypatch) -> None:
    monkeypatch.setattr(transfer, "bound", lambda prefixes: torch.full((2,), 3.0))
    assert log_likelihood(drawer(), torch.rand(2, 1, 28, 28), 4).tolist() == pytest.approx([3.0, 3.0])


def test_sets_are_redrawn_up_to_the_stop() -> None:
    model, logits = drawer(), iter((1.0, -1.0, 1.0))
    model.q_on.forward = lambda seen: torch.full((len(seen), 1), next(logits))
    d = DrawingSource("digits", "test").batch(4, Generator().manual_seed(0))
    x = d.images.float() / 255
    found = redrawing(model, {"a": d})
    model.q_on.forward = lambda seen: torch.full((len(seen), 1), 1.0)
    first = model.infer(x, mode=True).canvases[:, 1]
    assert found["parts_on_a"] == 1 and found["relative_l1_on_a"] == pytest.approx(relative_l1(first.detach(), x))


def test_likelihoods_follow_their_seed(monkeypatch) -> None:
    monkeypatch.setattr(transfer, "SAMPLES", 2)
    d = DrawingSource("digits", "test").batch(4, Generator().manual_seed(0))
    one, two = (likelihoods(drawer(), {"a": d}, s)["likelihood_on_a"] for s in (0, 1))
    assert one != two


def test_likelihoods_are_nats_a_pixel(monkeypatch) -> None:
    monkeypatch.setattr(transfer, "log_likelihood", lambda model, images, n: torch.full((len(images),), 784.0))
    d = DrawingSource("digits", "test").batch(4, Generator().manual_seed(0))
    assert likelihoods(drawer(), {"a": d}, 0)["likelihood_on_a"] == 1
