"""Information about a fact: all of it, none of it, and split between two numbers."""

import pytest
import torch
from torch import Generator, nn

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.evaluation import binding
from neurosym_lite.evaluation.binding import bins, information, information_gap, linear_readout, neighbour_readout
from neurosym_lite.models.gnm import GNM
from tests.models.test_gnm import SMALL, images


def test_bins_are_equally_filled() -> None:
    filled = torch.bincount(bins(torch.rand(10_000) ** 3, 20))
    assert len(filled) == 20 and filled.min() > 480 and filled.max() < 520
    assert bins(torch.full((50,), 3.0)).unique().numel() == 1


def test_a_bound_number_tells_all_and_noise_nothing() -> None:
    x = torch.rand(20_000)
    code = torch.stack([torch.randn(20_000), 3 * x - 1, torch.randn(20_000)], dim=1)
    told = information(code, bins(x))
    assert told[1] == pytest.approx(1.0) and told[[0, 2]].max() < 0.02
    assert information_gap(code, bins(x)) > 0.98


def test_a_rotation_spreads_the_fact_over_two_numbers_but_loses_nothing() -> None:
    x, y = torch.randn(2, 20_000)
    rotated = torch.stack([x + y, x - y], dim=1) / 2**0.5
    told = information(rotated, bins(x))
    assert abs(told[0] - told[1]) < 0.02 and 0.05 < told.min() < told.max() < 0.5
    assert information_gap(rotated, bins(x)) < 0.02
    assert linear_readout(rotated[:10_000], x[:10_000], rotated[10_000:], x[10_000:]) > 0.999


def test_the_readout_of_noise_is_worthless() -> None:
    code, target = torch.randn(2000, 3), torch.randn(2000)
    assert linear_readout(code[:1000], target[:1000], code[1000:], target[1000:]) < 0.05


def test_neighbours_read_what_no_line_reads() -> None:
    x = torch.rand(4000)
    bent = torch.stack([torch.cos(6.28 * x), torch.sin(6.28 * x)], dim=1)  # once around a circle
    halves = (bent[:2000], x[:2000], bent[2000:], x[2000:])
    assert neighbour_readout(*halves) > 0.95 and linear_readout(*halves) < 0.7
    assert information_gap(bent, bins(x)) < 0.1


def test_a_fact_that_never_changes_cannot_be_told() -> None:
    with pytest.raises(ValueError, match="the same in every scene"):
        information(torch.randn(10, 2), torch.zeros(10, dtype=torch.int64))


def test_one_digit_codes_are_the_likeliest_objects_box_and_looks() -> None:
    model, x = GNM(SMALL).eval(), images()
    nn.init.normal_(model.posterior_heads.pres.weight)
    q = model.infer(x, mode=True).objects
    code = binding.one_digit_code(model, x)
    for row, k in enumerate(q.pres.probability.argmax(1)):
        box = model.boxes(q.where.mean)
        torch.testing.assert_close(code[row], torch.cat([box.shift[row, k], box.scale[row, k], q.what.mean[row, k]]))


def test_each_fact_has_its_own_gap_and_readout(monkeypatch) -> None:
    scenes = SceneSource("mnist1").batch(400, Generator().manual_seed(0))
    centre = scenes.boxes[:, 0, :2] + 5
    rows = iter(centre.split(binding.BATCH))

    def code(model, images):
        return torch.cat([next(rows)[:, :1], torch.randn(len(images), 100)], dim=1)

    monkeypatch.setattr(binding, "one_digit_code", code)
    found = binding.binding(GNM(SMALL), scenes)
    assert found["gap_x"] > 0.5 > 0.2 > max(found["gap_y"], found["gap_class"])
    assert found["readout_x"] > 0.99
    assert found["readout_y"] < 0.1 and found["neighbours_y"] < 0.2
