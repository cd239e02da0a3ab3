"""Variable binding, measured: which number of a code carries which fact of the scene?

A fact (where the digit is, which digit it is) is *bound* to a number of the code when that number alone tells it and
no other number does. Mutual information says how much each number tells; the gap between the best and the second best,
as a share of the fact's entropy, says how exclusively (the mutual information gap of Chen et al. 2018, section 4.1).

scikit-learn takes seconds to import, so the functions that need it import it: a command that does not is not slowed.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosym_lite.data.scenes import Scenes
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.vae import VAE

BINS = 20  # of each continuous number, equally filled
BATCH = 100  # scenes at a time
LEAST_SCENES = 200  # 20 bins need some scenes each, and a readout its neighbours
NEIGHBOURS = 5  # codes that a neighbour readout averages over, the nearer the more


def bins(values: Float[Tensor, "N"], count: int = BINS) -> Int[Tensor, "N"]:
    """Each value's bin, 0 to count - 1, all bins equally filled (a constant falls into one bin)."""
    edges = torch.quantile(values.double(), torch.linspace(0, 1, count + 1, dtype=torch.float64)[1:-1])
    return torch.bucketize(values.double(), edges.unique())


def information(code: Float[Tensor, "N D"], fact: Int[Tensor, "N"]) -> Float[Tensor, "D"]:
    """Mutual information of each number of the code with a discrete fact, as a share of the fact's entropy (0 to 1)."""
    from sklearn.metrics import mutual_info_score

    entropy = mutual_info_score(fact, fact)
    if entropy == 0:
        raise ValueError("the fact is the same in every scene: take scenes in which it varies")
    each = [mutual_info_score(bins(number), fact) / entropy for number in code.unbind(1)]
    return torch.tensor(each)


def information_gap(code: Float[Tensor, "N D"], fact: Int[Tensor, "N"]) -> float:
    """How exclusively one number of the code tells the fact: best share minus second best, 0 to 1."""
    best = information(code, fact).topk(2).values
    return float(best[0] - best[1])


def linear_readout(
    code: Float[Tensor, "N D"], target: Float[Tensor, "N"], test_code: Float[Tensor, "M D"], test_target: Tensor
) -> float:
    """R^2 on test scenes of the best linear readout of the target: is there a direction that means it?"""
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(code.numpy(), target.numpy())
    return float(fitted.score(test_code.numpy(), test_target.numpy()))


def neighbour_readout(
    code: Float[Tensor, "N D"], target: Float[Tensor, "N"], test_code: Float[Tensor, "M D"], test_target: Tensor
) -> float:
    """R^2 on test scenes of a readout from the 5 nearest codes: is the target in there at all, however bent?"""
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = make_pipeline(StandardScaler(), KNeighborsRegressor(NEIGHBOURS, weights="distance"))
    fitted.fit(code.numpy(), target.numpy())
    return float(fitted.score(test_code.numpy(), test_target.numpy()))


@torch.no_grad()
def one_digit_code(model: GNM | VAE, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D"]:
    """A one-digit scene's code: a VAE's posterior mean, or the likeliest object's (x, y, width, height, what)."""
    if isinstance(model, VAE):
        return model.infer(images).mean
    q = model.infer(images, mode=True).objects
    box = model.boxes(q.where.mean)
    symbols = torch.cat([box.shift, box.scale, q.what.mean], dim=-1)
    return symbols[torch.arange(len(images)), q.pres.logits.argmax(1)]


def binding(model: GNM | VAE, scenes: Scenes) -> dict[str, float]:
    """Which number of the code is the digit's x, which its y, which its class? Gaps, and readouts of x and y.

    For scenes of one digit. The readouts are fitted on the first half of the scenes and scored on the second.
    """
    if len(scenes.images) < LEAST_SCENES:
        raise ValueError(f"binding needs at least {LEAST_SCENES} scenes (--n), got {len(scenes.images)}")
    code = torch.cat([one_digit_code(model, images.float() / 255) for images in scenes.images.split(BATCH)])
    centre = (scenes.boxes[:, 0, :2] + scenes.boxes[:, 0, 2:]) / 2
    x, y = centre.unbind(1)
    half = len(code) // 2
    fit_x, fit_y = ((code[:half], place[:half], code[half:], place[half:]) for place in (x, y))
    return {
        "gap_x": information_gap(code, bins(x)),
        "gap_y": information_gap(code, bins(y)),
        "gap_class": information_gap(code, scenes.labels[:, 0]),
        "readout_x": linear_readout(*fit_x),
        "readout_y": linear_readout(*fit_y),
        "neighbours_x": neighbour_readout(*fit_x),
        "neighbours_y": neighbour_readout(*fit_y),
    }
