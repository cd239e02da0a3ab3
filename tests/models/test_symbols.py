"""Symbols mean what their names say."""

import math

import torch
from torch import Generator, nn

from neurosym_lite.models.symbols import (
    PRESENCE_LIMIT,
    SymbolHeads,
    as_input,
    boxes,
    cell_centres,
    pixel_boxes,
)


def test_cells_are_counted_row_by_row() -> None:
    centres = cell_centres(4)
    assert centres[0].tolist() == [-0.75, -0.75]
    assert centres[1].tolist() == [-0.25, -0.75]  # to the right: x
    assert centres[4].tolist() == [-0.75, -0.25]  # down: y


def test_boxes_follow_the_papers_formulas() -> None:
    where = torch.tensor([[[0.3, 0.4, 0.5, -0.6]]])
    box = boxes(where, cell_centres(1), reach=0.5)
    scale = 1 / (1 + math.exp(-0.3))
    expected = torch.tensor([scale / math.sqrt(math.exp(0.4)), scale * math.sqrt(math.exp(0.4))])
    torch.testing.assert_close(box.scale[0, 0], expected)
    torch.testing.assert_close(box.shift[0, 0], torch.tensor([0.5 * math.tanh(0.5), 0.5 * math.tanh(-0.6)]))


def test_each_number_of_where_moves_its_own_fact_alone() -> None:
    where = torch.zeros(1, 1, 4, requires_grad=True)
    box = boxes(where, cell_centres(1), reach=0.5)
    x, y = box.shift[0, 0]
    area = box.scale[0, 0].prod()
    for fact, moved_by in ((x, [2]), (y, [3]), (area, [0])):
        (gradient,) = torch.autograd.grad(fact, where, retain_graph=True)
        assert gradient[0, 0].abs().gt(1e-6).nonzero()[:, 0].tolist() == moved_by


def test_a_box_reaches_one_cell_and_no_further() -> None:
    where = torch.tensor([[[0.0, 0.0, 50.0, -50.0]]])
    box = boxes(where.expand(1, 16, 4), cell_centres(4), reach=0.5)
    torch.testing.assert_close(box.shift[0], cell_centres(4) + torch.tensor([0.5, -0.5]))


def test_pixel_boxes_of_the_whole_canvas_are_its_corners() -> None:
    where = torch.zeros(1, 1, 4)
    box = boxes(where, cell_centres(1), reach=0.5)  # half the canvas, centred
    found = pixel_boxes(box, torch.ones(1, 1), 64)
    assert found.corners[0, 0].tolist() == [16.0, 16.0, 48.0, 48.0] and found.present.all()


def test_absent_symbols_say_nothing_but_their_absence() -> None:
    where, what = torch.randn(2, 3, 4), torch.randn(2, 3, 5)
    said = as_input(torch.tensor([[0.0, 1.0, 0.0]]).expand(2, 3), where, what)
    assert said.shape == (2, 3, 10)
    assert said[:, 0].abs().max() == 0 and (said[:, 1, 1:5] == where[:, 1]).all()


def test_heads_start_present_at_the_cells_with_the_stated_size() -> None:
    heads = SymbolHeads(48, (64, 64), 10, scale_start=-1.5, presence_start=0.25)
    q = heads(torch.randn(8, 16, 48))
    assert q.pres.probability.mean() > 0.5 and q.pres.logits.abs().max() < PRESENCE_LIMIT
    assert (q.where.mean[..., 0] + 1.5).abs().max() < 0.3
    assert q.where.mean[..., 1:].abs().max() < 0.3
    assert q.what.mean.shape == (8, 16, 10) and q.depth.mean.shape == (8, 16)


def test_the_mode_rounds_presence_and_a_sample_is_hard() -> None:
    q = SymbolHeads(6, (8,), 3, -1.5, 0.25)(torch.randn(2, 4, 6))
    assert set(q.mode().pres.unique().tolist()) <= {0.0, 1.0}
    assert set(q.sample().pres.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(q.mode().what, q.what.mean)


def test_the_second_half_of_a_depth_is_its_std() -> None:
    heads = SymbolHeads(6, (8,), 3, -1.5, 0.25)
    nn.init.zeros_(heads.depth.weight)
    with torch.no_grad():
        heads.depth.bias.copy_(torch.tensor([1.0, -100.0]))
    depth = heads(torch.randn(2, 4, 6)).depth
    assert (depth.mean == 1).all() and torch.allclose(depth.std, torch.tensor(0.001))


def test_symbols_are_drawn_from_the_generator_alone() -> None:
    q = SymbolHeads(6, (8,), 3, -1.5, 0.25)(torch.randn(2, 4, 6))
    for a, b in zip(*(q.sample(Generator().manual_seed(0)) for _ in range(2)), strict=True):
        assert torch.equal(a, b)
    for name in ("where", "depth", "what"):
        assert not torch.equal(getattr(q.sample(), name), getattr(q, name).mean)
