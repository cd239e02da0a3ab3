"""Strokes onto one canvas, in two ways that do not ask for an order: soft-or, and the paper's sum and tanh."""

from jaxtyping import Float
from torch import Tensor

OPACITY = 0.995  # of the darkest ink: below 1, so that what lies under a stroke still gets a gradient


def lay_over(canvas: Float[Tensor, "*batch H W"], stroke: Float[Tensor, "*batch H W"]) -> Float[Tensor, "*batch H W"]:
    """Soft-or of a canvas and one more stroke: 1 - (1 - canvas) (1 - OPACITY stroke), never above 1."""
    return 1 - (1 - canvas) * (1 - OPACITY * stroke)


def soft_or(strokes: Float[Tensor, "*batch T H W"]) -> Float[Tensor, "*batch H W"]:
    """All strokes on an empty canvas: 1 - prod_t (1 - OPACITY stroke_t)."""
    return 1 - (1 - OPACITY * strokes).prod(-3)


def sum_tanh(strokes: Float[Tensor, "*batch T H W"], slope: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch H W"]:
    """DooD's own operator (appendix B.1): tanh(sum_t stroke_t / slope)."""
    return (strokes.sum(-3) / slope[..., None, None]).tanh()


def lay_over_tanh(
    canvas: Float[Tensor, "*batch H W"], stroke: Float[Tensor, "*batch H W"], slope: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch H W"]:
    """One more stroke under `sum_tanh`, without the sum: tanh(a + b) = (tanh a + tanh b) / (1 + tanh a tanh b)."""
    more = (stroke / slope[..., None, None]).tanh()
    return (canvas + more) / (1 + canvas * more)
