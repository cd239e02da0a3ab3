"""The pen: from a Bezier curve to ink, differentiable by the control points, the radius and the softness.

The way to ink is a squared distance. Put a small Gaussian on every point of a straight line, weigh each by the length
of line it stands for, and add them up: across the line the sum falls off as exp(-d^2 / 2 tau^2), so its logarithm
knows the distance d. A Gaussian in two dimensions is a product of one in x and one in y, so the sum over the N
samples of a curve is one product of an (H, N) and an (N, W) matrix; distances from every sample to every pixel would
be H W N numbers.

    S = K_y^T diag(w) K_x,   K[i, u] = exp(-(c_i - u)^2 / 2 tau^2),   d^2 = -2 tau^2 log S
    ink = sigmoid((r^2 - d^2) / (2 r s)),   radius r and softness s in pixels

At its two ends a line has lost half of its Gaussians; a point of mass 1/2 on each gives them back, so that the stroke
keeps its width up to the tip, and a stroke of no length is a round dot.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.render.axes import pixel_index
from neurosym_lite.render.bezier import arc_weights, curve

TAU = 0.5  # least width of the Gaussians, pixels: the smaller, the truer and the more samples a curve needs
REACH = 4.0  # a wider pen needs wider Gaussians, tau >= (r + s) / REACH: beyond 9 tau or so a distance is not seen
SAMPLES = 64  # points on a curve: with neighbours up to 2 tau apart the sum waves by 1.4 % at most
PAPER_SAMPLES = 100  # of the paper's pen
FAINTEST = -40.0  # least exponent of a factor: a product of two is still a normal float32, so log S is finite
EMPTY = 1e-4  # the paper's pen leaves a stroke alone whose sum stays below this on the whole canvas


def in_pixels(points: Float[Tensor, "*batch P 2"], size: tuple[int, int]) -> Float[Tensor, "*batch P 2"]:
    """Points in canvas coordinates as fractional pixel indices: (0, 0) is the centre of the first pixel."""
    height, width = size
    return torch.stack([pixel_index(points[..., 0], width), pixel_index(points[..., 1], height)], dim=-1)


def splat(
    samples: Float[Tensor, "*batch N 2"],
    weights: Float[Tensor, "*batch N"],
    tau: Float[Tensor, "*batch"],
    size: tuple[int, int],
) -> Float[Tensor, "*batch H W"]:
    """S: a Gaussian of width tau (pixels) on every sample (pixel indices), weighed and summed; never quite zero."""
    narrow = -0.5 / tau[..., None, None].square()

    def one_axis(axis: int, side: int) -> Tensor:
        offset = samples[..., axis, None] - torch.arange(side, device=samples.device, dtype=samples.dtype)
        return (offset.square() * narrow).clamp_min(FAINTEST).exp()

    return (weights[..., None] * one_axis(1, size[0])).mT @ one_axis(0, size[1])


def soft_distance(
    points: Float[Tensor, "*batch P 2"], tau: Float[Tensor, "*batch"], size: tuple[int, int], samples: int = SAMPLES
) -> Float[Tensor, "*batch H W"]:
    """d^2, the soft squared distance in pixels from each pixel's centre to the curve.

    `points` in canvas coordinates, `tau` in pixels. On a long straight stroke it is exact; where the curve meets itself
    it is a little less than the truth, by up to 2 tau^2 log 2, and can be negative; far off it stops growing.
    """
    indices = in_pixels(points, size)
    mass = arc_weights(indices, samples) / (tau[..., None] * math.sqrt(2 * math.pi))
    caps = torch.zeros_like(mass)
    caps[..., :: samples - 1].fill_(0.5)
    return -2 * tau[..., None, None].square() * splat(curve(indices, samples), mass + caps, tau, size).log()


def ink(
    points: Float[Tensor, "*batch P 2"],
    radius: Float[Tensor, "*batch"],
    softness: Float[Tensor, "*batch"],
    size: tuple[int, int],
    samples: int = SAMPLES,
) -> Float[Tensor, "*batch H W"]:
    """Ink in (0, 1) of a round pen: 1/2 at the radius, from dark to light within a few times the softness.

    `points` in canvas coordinates, any number of them (a curve of any degree); `radius` and `softness` in pixels, both
    greater than 0; `size` is (H, W).
    """
    tau = ((radius + softness) / REACH).clamp_min(TAU)
    r, s = radius[..., None, None], softness[..., None, None]
    return ((r.square() - soft_distance(points, tau, size, samples)) / (2 * r * s)).sigmoid()


def ink_sum_max_tanh(
    points: Float[Tensor, "*batch P 2"],
    blur: Float[Tensor, "*batch"],
    slope: Float[Tensor, "*batch"],
    size: tuple[int, int],
    samples: int = PAPER_SAMPLES,
) -> Float[Tensor, "*batch H W"]:
    """DooD's own pen (appendix B.1): tanh(R / slope), R the sum of Gaussians on the samples divided by its maximum.

    `blur` is the width of the Gaussians in pixels. Samples are even in the parameter and not weighed, so ink is pale
    where the parameter runs fast; the maximum is held constant in the gradient, as in the paper's code.
    """
    at = curve(in_pixels(points, size), samples)
    y, x = (torch.arange(side, device=points.device, dtype=points.dtype) for side in size)
    square = (at[..., None, None, :, 1] - y[:, None, None]).square() + (at[..., None, None, :, 0] - x[:, None]).square()
    total = (-square / (2 * blur[..., None, None, None].square())).exp().sum(-1)
    most = total.detach().amax((-2, -1), keepdim=True)
    return (total / torch.where(most < EMPTY, torch.ones_like(most), most) / slope[..., None, None]).tanh()
