"""One-shot classification without strokes: what is reached by comparing pictures, and by laying one onto another.

The controls of `one_shot.py`. Whatever strokes add shows beside the last of them, which has affine maps with the same
priors (on the map from target to source), the same steps and the same two ways, and moves pixels in place of strokes.
Its score is that of pictures blurred a little: sharp ones that lie a pixel apart have nothing in common.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.data.one_shot import Episode
from neurosym_lite.evaluation.one_shot import over_episodes, right, together, two_ways
from neurosym_lite.evaluation.stroke_fit import DEFAULT, FitConfig, Fitted, blur, first_size, map_costs, moments
from neurosym_lite.evaluation.strokes import redraw
from neurosym_lite.models.air import AIR
from neurosym_lite.render.frames import resample

Redraw = Callable[[Float[Tensor, "N H W"]], Float[Tensor, "N H W"]]
SHARP = 0.7  # share of the steps after which the pictures are no longer blurred a little


def as_they_are(pictures: Float[Tensor, "N H W"]) -> Float[Tensor, "N H W"]:
    """The pictures."""
    return pictures


def distance(sources: Float[Tensor, "A H W"], targets: Float[Tensor, "B H W"]) -> Float[Tensor, "A B"]:
    """L1 distance of every pair."""
    return (sources[:, None] - targets).abs().sum((2, 3))


def warp(
    images: Float[Tensor, "N H W"], matrix: Float[Tensor, "N 2 2"], offset: Float[Tensor, "N 2"]
) -> Float[Tensor, "N H W"]:
    """Each picture as seen through an affine map from where its pixels are to where they are looked up."""
    height, width = images.shape[1:]
    return resample(images[:, None], torch.cat([matrix, offset[..., None]], dim=2), (height, width))[:, 0]


@torch.enable_grad()
def register(
    sources: Float[Tensor, "A H W"], targets: Float[Tensor, "B H W"], config: FitConfig = DEFAULT
) -> tuple[Fitted, Fitted]:
    """Lay each source onto each target by an affine map: by their moments alone, and after the fit."""
    a, b, pixel = len(sources), len(targets), 2 / sources.shape[-1]
    source, target = torch.arange(a).repeat_interleave(b), torch.arange(b).repeat(a)
    (centre_a, spread_a), (centre_b, spread_b) = moments(sources), moments(targets)
    size = first_size(spread_b[target], spread_a[source], config)[:, None, None]  # from target to source
    coarse = blur(sources)[source], blur(targets)[target]
    fine = sources[source], targets[target]
    matrix, shift = (torch.zeros(a * b, *shape, requires_grad=True) for shape in ((2, 2), (2,)))
    rates = ((matrix, config.rates[0]), (shift, config.rates[1] * pixel))
    optimiser = torch.optim.Adam([{"params": [part], "lr": rate} for part, rate in rates])

    def error(pair: tuple[Tensor, Tensor]) -> Float[Tensor, "pairs"]:
        turn = (torch.eye(2) + matrix) * size
        looked_up = centre_a[source] - (turn @ (centre_b[target] + shift)[..., None])[..., 0]
        return (warp(pair[0], turn, looked_up) - pair[1]).abs().sum((1, 2)) / config.scale

    def cost() -> Float[Tensor, "pairs"]:
        return sum(map_costs(matrix, shift, pixel, config))

    with torch.no_grad():
        first = Fitted(-error(coarse).view(a, b), cost().view(a, b))
    for step in range(config.steps):
        pair = coarse if step < SHARP * config.steps else fine
        optimiser.zero_grad()
        (error(pair) + cost()).sum().backward()
        optimiser.step()
    with torch.no_grad():
        return first, Fitted(-error(coarse).view(a, b), cost().view(a, b))


def classify_pictures(episode: Episode, config: FitConfig = DEFAULT, redrawn: Redraw = as_they_are) -> dict[str, float]:
    """Shares of queries that are named rightly, by nearness of pixels, of blurred ones, by moments, by registration.

    `redrawn` is applied to the picture that is laid, never to its target.
    """
    support, query = episode.support[:, 0].float() / 255, episode.query[:, 0].float() / 255
    own_support, own_query = redrawn(support), redrawn(query)
    first, forward = register(own_support, query, config)
    _, backward = register(own_query, support, config)
    _, among = register(own_support, support, config)
    scores = {
        "pixels": -distance(own_support, query),
        "blurred": -distance(blur(own_support), blur(query)),
        "moments": first.log_likelihood,
        "affine": forward.score(config),
        "affine_two_way": two_ways(forward.score(config), backward.score(config), among.score(config), config),
        "affine_together": together(forward.score(config), backward.score(config), config),
    }
    return {name: right(values, episode.match) for name, values in scores.items()}


def picture_controls(episodes: list[Episode], config: FitConfig = DEFAULT) -> dict[str, float]:
    """`pictures_affine` and so on, with standard errors over episodes."""
    return over_episodes([classify_pictures(episode, config) for episode in episodes], "pictures")


def one_shot_redrawn(model: AIR, episodes: list[Episode], config: FitConfig = DEFAULT) -> dict[str, float]:
    """`one_shot_one_way` and so on of a model without strokes: its own redrawing of each drawing is what is laid."""

    def redrawn(pictures: Float[Tensor, "N H W"]) -> Float[Tensor, "N H W"]:
        return redraw(model, pictures[:, None]).final()

    names = {"affine": "one_way", "affine_two_way": "two_way", "affine_together": "together"}
    shares = [classify_pictures(episode, config, redrawn) for episode in episodes]
    return over_episodes([{names[key]: share[key] for key in names} for share in shares], "one_shot")
