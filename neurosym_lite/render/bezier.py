"""Bezier curves: from control points to points along the curve, and to how much curve each of them stands for.

A curve of degree D has D + 1 control points c_0 ... c_D and is the polynomial sum_d B_d(t) c_d for t in [0, 1], with
Bernstein's basis B_d(t) = binom(D, d) t^d (1 - t)^(D - d). Its velocity is the curve of degree D - 1 through the
differences D (c_{d+1} - c_d).
"""

from functools import lru_cache
from math import comb

import torch
from jaxtyping import Float
from torch import Tensor

STILL = 1e-12  # added to squared speeds: where the curve stands still, the gradient of its length stays finite


@lru_cache
def _bernstein(degree: int, samples: int, device: torch.device, dtype: torch.dtype) -> Float[Tensor, "N P"]:
    """B_d(t), made once and shared: nobody may write into it. Also one made under inference mode can be trained with.

    Raises ValueError below degree 0 or 2 samples.
    """
    if degree < 0 or samples < 2:
        raise ValueError(f"a curve needs a control point and two samples: got degree {degree}, {samples} samples")
    with torch.inference_mode(False):
        t = torch.linspace(0, 1, samples, dtype=torch.float64, device=device)
        columns = [comb(degree, d) * t**d * (1 - t) ** (degree - d) for d in range(degree + 1)]
        return torch.stack(columns, dim=1).to(dtype)


def bernstein(degree: int, samples: int, like: Tensor) -> Float[Tensor, "N P"]:
    """B_d(t) at `samples` even steps of t from 0 to 1, on the device and in the type of `like`; each row sums to 1.

    Raises ValueError below degree 0 or 2 samples.
    """
    return _bernstein(degree, samples, like.device, like.dtype).clone()


def curve(points: Float[Tensor, "*batch P 2"], samples: int) -> Float[Tensor, "*batch N 2"]:
    """Positions at even steps of the parameter, the first and the last control point among them."""
    return _bernstein(points.shape[-2] - 1, samples, points.device, points.dtype) @ points


def velocity(points: Float[Tensor, "*batch P 2"], samples: int) -> Float[Tensor, "*batch N 2"]:
    """Derivative by the parameter at the positions of `curve`; zero for a single control point."""
    degree = points.shape[-2] - 1
    if degree == 0:
        return torch.zeros_like(points).expand(*points.shape[:-2], samples, 2)
    basis = _bernstein(degree - 1, samples, points.device, points.dtype)
    return basis @ (degree * points.diff(dim=-2))


def arc_weights(points: Float[Tensor, "*batch P 2"], samples: int) -> Float[Tensor, "*batch N"]:
    """Length of curve that each sample stands for (trapezoid rule: half a step at both ends); they sum to the length.

    With these a sum over samples is an integral along the curve: where the parameter runs fast, samples lie far apart
    and each counts for more.
    """
    speed = (velocity(points, samples).square().sum(-1) + STILL).sqrt()
    share = torch.full_like(speed, 1 / (samples - 1))
    share[..., :: samples - 1] /= 2
    return speed * share
