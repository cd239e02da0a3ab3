"""Variable binding, measured: which number of a code carries which fact of the scene?

A fact (where the digit is, which digit it is) is *bound* to a number of the code when that number alone tells it and
no other number does. Mutual information says how much each number tells; the gap between the best and the second best,
as a share of the fact's entropy, says how exclusively (the mutual information gap of Chen et al. 2018, section 4.1).

scikit-learn takes seconds to import, so the functions that need it import it: a command that does not is not slowed.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

BINS = 20  # of each continuous number, equally filled
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
        raise ValueError("the fact is the same in every scene: there is nothing to be told about it")
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
