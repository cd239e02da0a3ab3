"""How a model of drawings does on sets of characters that it was not trained on (DooD, section 3.1 and figure 4).

The likelihood is the importance-weighted bound (Burda, Grosse & Salakhutdinov 2016) in nats a pixel. The stop is summed
out of every weight, w = sum_t p(stop = t) p(x | canvas_t) prod_{s <= t} p(z_s) / q(z_s | x), as in `models.stop.bound`.
Its ceiling is what a perfect canvas would have, at the scale b that training left: -log 2b a pixel.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.data.drawings import Drawings
from neurosym_lite.evaluation.images import mean_and_error
from neurosym_lite.evaluation.strokes import redraw, relative_l1
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.stop import bound

SAMPLES = 200  # an image (DooD, section 3.1)
IMAGES = 200  # of a set, whose likelihood is asked
BATCH = 100  # images at a time


def redrawing(model: DooD | AIR, sets: dict[str, Drawings]) -> dict[str, float]:
    """Relative L1 at the stop and parts a drawing, set by set."""
    results = {}
    for name, drawings in sets.items():
        images = drawings.images.float() / 255
        drawn = redraw(model, images)
        results |= {
            f"relative_l1_on_{name}": relative_l1(drawn.final(), images),
            f"parts_on_{name}": float(drawn.parts.float().mean()),
        }
    return results


@torch.no_grad()
def log_likelihood(model: DooD | AIR, images: Float[Tensor, "B 1 H W"], samples: int) -> Float[Tensor, "B"]:
    """The importance-weighted bound on log p(x) with that many samples, nats an image, summed in double precision."""
    parts = []
    for batch in images.split(BATCH):
        weights = [bound(model.prefixes(batch, model.infer(batch))).double() for _ in range(samples)]
        parts.append(torch.stack(weights).logsumexp(0) - math.log(samples))
    return torch.cat(parts)


def ceiling(model: DooD | AIR, pixels: int) -> float:
    """Nats a pixel of a canvas without any error."""
    blank = torch.zeros(1, 1, 1, pixels)
    return float(model.log_likelihood(blank, blank).detach()) / pixels


def likelihoods(model: DooD | AIR, sets: dict[str, Drawings], seed: int) -> dict[str, float]:
    """`likelihood_on_SET` and its standard error over IMAGES images of each set, and the ceiling, nats a pixel."""
    results = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, drawings in sets.items():
            images = drawings.images[:IMAGES].float() / 255
            each = log_likelihood(model, images, SAMPLES) / images[0].numel()
            mean, error = mean_and_error(each)
            results |= {f"likelihood_on_{name}": mean, f"likelihood_error_on_{name}": error}
    return results | {"likelihood_ceiling": ceiling(model, next(iter(sets.values())).images[0].numel())}
