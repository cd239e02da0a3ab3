"""The two estimators of the stop's gradient: the same mean, and very different noise."""

import math

import pytest
import torch

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation import stop_noise
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_config import DooDConfig
from tests.evaluation.held_out import at


def test_nvil_is_noisier_and_not_biased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_noise, "SETTLING", 60)
    model = DooD(DooDConfig(image_size=14, strokes=3, hidden=12, components=2, glimpse=8, filters=(4,), strides=(2,)))
    with torch.no_grad():
        model.q_on[-1].weight.mul_(30)
    images = DrawingSource("digits", "test", 14).batch(16, at()).images.float() / 255
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    repeats = 200
    noise = stop_noise.stop_noise(model, images, repeats)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert noise.nvil.std > 3 * noise.exact.std
    assert noise.exact.signal_to_noise > 3 * noise.nvil.signal_to_noise
    apart = float((noise.nvil.mean - noise.exact.mean).norm())
    assert apart < 4 * noise.nvil.std / math.sqrt(repeats) and apart < float(noise.exact.mean.norm())


def test_gradient_noise_by_hand() -> None:
    noise = stop_noise._noise([torch.tensor([3.0, 0.0]), torch.tensor([3.0, 8.0])])
    assert noise.mean.tolist() == [3.0, 4.0] and noise.std == pytest.approx(math.sqrt(0 + 32))
    assert noise.signal_to_noise == pytest.approx(5 / math.sqrt(32))
