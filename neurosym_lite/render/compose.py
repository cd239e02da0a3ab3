"""Objects onto a canvas: three ways, from the simplest to the paper's.

GNM's Algorithm 2, as printed, adds colour without its mask and lets absent objects punch holes into the background
(one object with mask m gives o + (1 - m) bg). The versions here premultiply: what an object adds is m p o, with p its
presence and o its colour, and what it takes from the background is alpha = m p.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.latents import Where
from neurosym_lite.render.spatial import paste, paste_sum

NO_OBJECT = 1e-6  # added to denominators: pixels that no object touches stay finite. Depths should stay below 5:
# at 10, sigmoid(-depth) is 5e-5 and an opaque object loses 2 % of its light to this


def compose_sum(
    glimpses: Float[Tensor, "B K C h w"], pres: Float[Tensor, "B K"], where: Where, canvas: tuple[int, int]
) -> Float[Tensor, "B C H W"]:
    """Ink on black: x = sum_k p_k W(o_k). No mask, no depth, not clipped (what GNM does on the MNIST scenes)."""
    return paste_sum(glimpses * pres[:, :, None, None, None], where, canvas)


def straight_through_cap(coverage: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """min(coverage, 1) going forward, the identity going backward: covered pixels keep their gradient."""
    return coverage + (coverage.clamp(max=1) - coverage).detach()


class Foreground(NamedTuple):
    """All objects together, before the background."""

    light: Float[Tensor, "B C H W"]
    """What the objects add to the picture."""
    coverage: Float[Tensor, "B 1 H W"]
    """M, how much of the background they hide, from 0 to 1."""

    def over(self, background: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """x = light + (1 - M) background."""
        return self.light + (1 - self.coverage) * background


def foreground_exact(
    colours: Float[Tensor, "B K C h w"],
    masks: Float[Tensor, "B K 1 h w"],
    pres: Float[Tensor, "B K"],
    depth: Float[Tensor, "B K"],
    where: Where,
    canvas: tuple[int, int],
) -> Foreground:
    """Algorithm 2, corrected: each object's colour weighed by its responsibility for the pixel.

    gamma_k = s_k W(alpha_k) / sum_j s_j W(alpha_j) with s = sigmoid(-depth); light = sum_k W(alpha_k o_k) gamma_k and
    M = min(1, sum_k W(alpha_k)).
    A product of two warps an object, so it needs a (B, K, C, H, W) canvas. Where two half-transparent objects
    coincide the weights sum to less than one, as in the released model; `foreground_convex` does not share this.
    """
    alphas = masks * pres[:, :, None, None, None]
    warped = paste(torch.cat([alphas * colours, alphas], dim=2), where, canvas)
    colour, alpha = warped[:, :, :-1], warped[:, :, -1:]
    nearness = (-depth).sigmoid()[:, :, None, None, None]
    responsibility = nearness * alpha / ((nearness * alpha).sum(1, keepdim=True) + NO_OBJECT)
    return Foreground((colour * responsibility).sum(1), straight_through_cap(alpha.sum(1)))


def foreground_convex(
    colours: Float[Tensor, "B K C h w"],
    masks: Float[Tensor, "B K 1 h w"],
    pres: Float[Tensor, "B K"],
    depth: Float[Tensor, "B K"],
    where: Where,
    canvas: tuple[int, int],
) -> Foreground:
    """The fused form: weights that sum to one (up to NO_OBJECT), and no canvas an object.

    light = M sum_k s_k W(alpha_k o_k) / sum_k s_k W(alpha_k) with M = min(1, sum_k W(alpha_k)).
    All three sums are one `paste_sum` of C + 2 channels. Equal to `foreground_exact` wherever one object covers a
    pixel; where objects overlap it mixes their colours and loses no light.
    """
    alphas = masks * pres[:, :, None, None, None]
    near = (-depth).sigmoid()[:, :, None, None, None] * alphas
    summed = paste_sum(torch.cat([near * colours, near, alphas], dim=2), where, canvas)
    colour, weight, coverage = summed[:, :-2], summed[:, -2:-1], straight_through_cap(summed[:, -1:])
    return Foreground(coverage * colour / (weight + NO_OBJECT), coverage)


def compose_exact(
    colours: Float[Tensor, "B K C h w"],
    masks: Float[Tensor, "B K 1 h w"],
    pres: Float[Tensor, "B K"],
    depth: Float[Tensor, "B K"],
    where: Where,
    background: Float[Tensor, "B C H W"],
) -> Float[Tensor, "B C H W"]:
    """`foreground_exact` over a background: Algorithm 2, corrected."""
    canvas = (background.shape[-2], background.shape[-1])
    return foreground_exact(colours, masks, pres, depth, where, canvas).over(background)


def compose_convex(
    colours: Float[Tensor, "B K C h w"],
    masks: Float[Tensor, "B K 1 h w"],
    pres: Float[Tensor, "B K"],
    depth: Float[Tensor, "B K"],
    where: Where,
    background: Float[Tensor, "B C H W"],
) -> Float[Tensor, "B C H W"]:
    """`foreground_convex` over a background: no canvas an object."""
    canvas = (background.shape[-2], background.shape[-1])
    return foreground_convex(colours, masks, pres, depth, where, canvas).over(background)
