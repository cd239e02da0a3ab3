"""`paste_sum` with its gradient written out: nothing is kept for the backward pass but the inputs.

The forward pass is S_k = G_k A_x,k^T (strips) and X = [A_y,1 ... A_y,K] [S_1; ...; S_K]. Automatic differentiation
would keep both families of matrices, the strips and every temporary of the hat weights, for the whole batch. Here
they are made again in the backward pass, a few images at a time, which costs little and fits the processor's cache.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from neurosym_lite.render.axes import pixel_centres, pixel_index

CACHE_NUMBERS = 2**17  # numbers in one chunk's strips: 512 KiB of float32


def _hat(index: Tensor, n: int) -> Tensor:
    """max(0, 1 - |index - pixel|) for the n pixels of an axis, in one buffer (faster here than `axes.hat_at`)."""
    distance = (index[..., None] - torch.arange(n, device=index.device, dtype=index.dtype)).abs_()
    return torch.sub(1, distance, out=distance).relu_()


def _hat_backward(index: Tensor, gradient: Tensor) -> Tensor:
    """Gradient with respect to the index: of the n weights only two are not flat, one rising and one falling."""
    n = gradient.shape[-1]
    left = index.floor()
    pair = torch.stack([left, left + 1], dim=-1)
    inside = (pair >= 0) & (pair < n)
    falling, rising = (gradient.gather(-1, pair.nan_to_num().clamp(0, n - 1).long()) * inside).unbind(-1)
    return rising - falling + 0 * index  # a diverged index stays NaN, for the training loop to see


class _Plan(NamedTuple):
    """The matrices of one chunk, laid out for two batched products."""

    across: Float[Tensor, "B K W"]
    """Where each canvas column looks, as a glimpse pixel's index (0 is the first pixel's centre)."""
    down: Float[Tensor, "B H K"]
    """Where each canvas row looks."""
    columns: Float[Tensor, "BK W w"]
    """A_x, one a box."""
    rows: Float[Tensor, "B H Kh"]
    """[A_y,1 ... A_y,K]."""
    strips: Float[Tensor, "B Kh CW"]
    """[S_1; ...; S_K]."""


def _plan(glimpses: Tensor, scale: Tensor, shift: Tensor, height: int, width: int) -> _Plan:
    images, boxes, channels, h, w = glimpses.shape
    across = pixel_index((pixel_centres(width, scale) - shift[:, :, 0, None]) / scale[:, :, 0, None], w)
    down = pixel_index((pixel_centres(height, scale)[:, None] - shift[:, None, :, 1]) / scale[:, None, :, 1], h)
    columns = _hat(across, w).reshape(images * boxes, width, w)
    rows = _hat(down, h).reshape(images, height, boxes * h)
    strips = glimpses.reshape(images * boxes, channels * h, w) @ columns.mT
    return _Plan(across, down, columns, rows, _stack(strips, glimpses.shape, width))


def _stack(strips: Tensor, shape: torch.Size, width: int) -> Tensor:
    """(B K) (C h) W -> B (K h) (C W)."""
    images, boxes, channels, h, _ = shape
    return strips.view(images, boxes, channels, h, width).transpose(2, 3).reshape(images, boxes * h, channels * width)


def _unstack(strips: Tensor, shape: torch.Size, width: int) -> Tensor:
    """B (K h) (C W) -> (B K) (C h) W."""
    images, boxes, channels, h, _ = shape
    return strips.view(images, boxes, h, channels, width).transpose(2, 3).reshape(images * boxes, channels * h, width)


def _chunks(glimpses: Tensor, width: int) -> list[slice]:
    """Slices of the batch whose strips stay in the cache; on a GPU the whole batch at once."""
    images, boxes, channels, h, _ = glimpses.shape
    strip = boxes * h * channels * width
    size = max(1, images if glimpses.is_cuda else CACHE_NUMBERS // max(1, strip))
    return [slice(first, first + size) for first in range(0, images, size)]


class PasteSum(torch.autograd.Function):
    """(glimpses, scale, shift, height, width) -> images; see `spatial.paste_sum`. Differentiable once."""

    @staticmethod
    def forward(ctx: FunctionCtx, glimpses: Tensor, scale: Tensor, shift: Tensor, height: int, width: int) -> Tensor:
        """X = [A_y,1 ... A_y,K] [S_1; ...; S_K], chunk by chunk."""
        ctx.save_for_backward(glimpses, scale, shift)
        ctx.canvas = (height, width)
        images, _, channels, _, _ = glimpses.shape
        drawn = glimpses.new_empty(images, height, channels, width)
        for part in _chunks(glimpses, width):
            plan = _plan(glimpses[part], scale[part], shift[part], height, width)
            drawn[part] = (plan.rows @ plan.strips).view(-1, height, channels, width)
        return drawn.transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """The chain rule through both products and the hats, chunk by chunk."""
        glimpses, scale, shift = ctx.saved_tensors
        to_glimpses, to_scale, to_shift = (torch.empty_like(tensor) for tensor in (glimpses, scale, shift))
        for part in _chunks(glimpses, ctx.canvas[1]):
            inputs = (glimpses[part], scale[part], shift[part])
            to_glimpses[part], to_scale[part], to_shift[part] = _chunk_backward(*inputs, gradient[part], *ctx.canvas)
        return to_glimpses, to_scale, to_shift, None, None


def _chunk_backward(
    glimpses: Tensor, scale: Tensor, shift: Tensor, gradient: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    images, boxes, channels, h, w = glimpses.shape
    plan = _plan(glimpses, scale, shift, height, width)
    flat = gradient.transpose(1, 2).reshape(images, height, channels * width)
    to_rows = (flat @ plan.strips.mT).view(images, height, boxes, h)
    to_strips = _unstack(plan.rows.mT @ flat, glimpses.shape, width)
    to_glimpses = (to_strips @ plan.columns).view(glimpses.shape)
    to_columns = to_strips.mT @ glimpses.reshape(images * boxes, channels * h, w)
    to_across = _hat_backward(plan.across, to_columns.view(images, boxes, width, w)) * (w / 2)
    to_down = _hat_backward(plan.down, to_rows) * (h / 2)
    # index = ((centre - shift) / scale + 1) n / 2 - 1/2, so d index / d scale = -(position / scale) n / 2
    across, down = (2 * plan.across + 1) / w - 1, (2 * plan.down + 1) / h - 1
    to_shift = -torch.stack([to_across.sum(2), to_down.sum(1)], dim=-1) / scale
    to_scale = -torch.stack([(to_across * across).sum(2), (to_down * down).sum(1)], dim=-1) / scale
    return to_glimpses, to_scale, to_shift
