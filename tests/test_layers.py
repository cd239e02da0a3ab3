"""Blocks: shapes, order of operations, and the LSTM cell against torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neurosym_lite.layers import (
    CellConv,
    ConvLSTMCell,
    LSTMState,
    conv_block,
    conv_stack,
    doubling_stack,
    mlp,
    subpixel_block,
    subpixel_stack,
)


def test_conv_stack_halves_where_the_stride_says_so() -> None:
    stack = conv_stack(1, (16, 16, 32), (2, 1, 2))
    assert stack(torch.rand(2, 1, 64, 64)).shape == (2, 32, 16, 16)


def test_conv_stack_refuses_a_missing_or_odd_stride() -> None:
    with pytest.raises(ValueError, match="one stride of 1 or 2 a layer"):
        conv_stack(1, (16, 16), (2,))
    with pytest.raises(ValueError, match="strides \\(3,\\)"):
        conv_stack(1, (16,), (3,))


def test_the_norm_comes_after_the_activation() -> None:
    out = conv_block(1, 8, 3, 1)(torch.rand(2, 1, 16, 16))
    torch.testing.assert_close(out.flatten(1).mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.flatten(1).var(1), torch.ones(2), atol=1e-2, rtol=0)


def test_subpixel_stack_enlarges_by_the_product_of_its_upscales() -> None:
    stack = subpixel_stack(5, (8, 8, 4), (4, 1, 2), 3)
    assert stack(torch.rand(2, 5, 1, 1)).shape == (2, 3, 8, 8)
    kernels = [layer[0].kernel_size[0] for layer in stack[:-1]]
    assert kernels == [1, 3, 1]
    assert subpixel_block(3, 2, 2)(torch.rand(1, 3, 5, 5)).shape == (1, 2, 10, 10)


def test_mlp_acts_on_the_last_axis_alone() -> None:
    net, x = mlp(3, (7, 7), 2), torch.rand(4, 5, 3)
    torch.testing.assert_close(net(x)[1, 2], net(x[1, 2]))


def test_conv_lstm_on_a_map_of_one_cell_is_torchs_lstm_cell() -> None:
    cell, reference = ConvLSTMCell(3, 4), nn.LSTMCell(3, 4)
    order = torch.cat([torch.arange(8), torch.arange(12, 16), torch.arange(8, 12)])  # ours i f o g, torch's i f g o
    with torch.no_grad():
        cell.gates.conv.weight.copy_(torch.cat([reference.weight_ih, reference.weight_hh], 1)[order])
        cell.gates.conv.bias.copy_((reference.bias_ih + reference.bias_hh)[order])
    x, hidden, memory = torch.rand(2, 3), torch.rand(2, 4), torch.rand(2, 4)
    ours = cell(x[:, None], LSTMState(hidden[:, None], memory[:, None]))
    theirs = reference(x, (hidden, memory))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a[:, 0], b)


def test_cell_conv_is_a_convolution_of_the_map() -> None:
    for kernel in (1, 3):
        layer, cells = CellConv(3, 5, kernel), torch.rand(2, 16, 3)
        weight = layer.conv.weight if kernel == 3 else layer.conv.weight[:, :, None, None]
        maps = cells.transpose(1, 2).reshape(2, 3, 4, 4)
        expected = nn.functional.conv2d(maps, weight, layer.conv.bias, padding=kernel // 2)
        torch.testing.assert_close(layer(cells), expected.flatten(2).transpose(1, 2))


def test_only_a_larger_kernel_lets_cells_see_each_other() -> None:
    cells = torch.zeros(1, 9, 2)
    touched = cells.clone()
    touched[0, 4] = 1.0  # the middle of 3 x 3
    for kernel, seen in ((1, 1), (3, 9)):
        layer = CellConv(2, 4, kernel)
        assert ((layer(touched) - layer(cells)).abs().amax(2) > 0).sum() == seen


def test_doubling_stack_doubles_once_a_layer() -> None:
    stack = doubling_stack(5, (8, 8, 4), 3)
    assert stack(torch.rand(2, 5, 1, 1)).shape == (2, 3, 16, 16)


def test_conv_block_is_norm_of_celu_of_conv() -> None:
    block, x = conv_block(1, 8, 3, 1), torch.rand(2, 1, 16, 16)
    out = F.celu(block[0](x))
    torch.testing.assert_close(block(x), F.layer_norm(out, out.shape[1:]))


def test_subpixel_block_is_normed() -> None:
    block, x = subpixel_block(3, 2, 2), torch.rand(2, 3, 4, 4)
    out = F.celu(F.pixel_shuffle(block[0](x), 2))
    torch.testing.assert_close(block(x), F.layer_norm(out, out.shape[1:]))


def test_mlp_is_norm_of_celu() -> None:
    net, x = mlp(3, (7,), 2), torch.rand(4, 3)
    torch.testing.assert_close(net(x), net[-1](F.layer_norm(F.celu(net[0](x)), (7,))))
