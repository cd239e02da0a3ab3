"""Chapter 9, transfer: its exercises."""

import math

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, same_function

# ---- 9.1: a bound from weights


def bound(log_w: Tensor) -> Tensor:
    """(K, B) log weights to (B) importance-weighted bounds, nats."""
    return log_w.logsumexp(0) - math.log(len(log_w))


WEIGHTS = (
    (torch.tensor([[-3.0, 0.0], [1.0, 0.5], [0.0, -1.0]]),),
    (torch.tensor([[1200.0], [1205.0]]),),  # as large as nats of a picture are: exp of them is infinite
)

FROM_WEIGHTS = Exercise(
    number="9.1",
    asks="bound(log_w): the importance-weighted bound of each picture, from (K, B) log weights",
    solution=bound,
    same=same_function(*WEIGHTS),
    mistakes=(
        Mistake(lambda log_w: log_w.mean(0), "the mean of logarithms is the ELBO: the average goes inside the log"),
        Mistake(lambda log_w: log_w.logsumexp(0), "a sum of weights: with more samples it grows for ever"),
        Mistake(
            lambda log_w: log_w.exp().mean(0).log(),
            "right on paper, and infinite on a computer: exp of a thousand nats has no number",
        ),
        Mistake(lambda log_w: log_w.amax(0), "the best sample alone; the others count too, if only a little"),
        Mistake(
            lambda log_w: log_w.logsumexp(0) - math.log(log_w.numel()), "divide by the samples, not by the pictures too"
        ),
    ),
    praise="the log of an average, taken without ever leaving the logarithms",
    otherwise="average the weights of each picture over the K samples, then take the logarithm",
)

# ---- 9.2: how many samples count


def effective(log_w: Tensor) -> Tensor:
    """(K, B) log weights to (B) effective numbers of samples, from 1 to K."""
    return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()


COUNTED = Exercise(
    number="9.2",
    asks="effective(log_w): (sum w)^2 / sum w^2 for each picture, from (K, B) log weights",
    solution=effective,
    same=same_function(*WEIGHTS, tolerance=1e-3),
    mistakes=(
        Mistake(lambda log_w: effective(log_w).log(), "this is its logarithm"),
        Mistake(lambda log_w: 1 / effective(log_w), "upside down: the sum of squares belongs below"),
        Mistake(lambda log_w: effective(log_w) / len(log_w), "a share of the samples; asked is how many of them count"),
        Mistake(
            lambda log_w: log_w.sum(0) ** 2 / (log_w**2).sum(0), "these are log weights: the formula is about weights"
        ),
        Mistake(
            lambda log_w: (log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp(), "the sum in the numerator is squared"
        ),
    ),
    praise="K when all weights are equal, 1 when one sample carries the bound",
    otherwise="the square of a sum becomes twice a logsumexp, the sum of squares a logsumexp of twice the logs",
)

# ---- 9.3: the best scale of a Laplace


def worth(error: float, floor: float) -> float:
    """Nats a pixel of a page with that mean absolute error, at the best scale that is not below the floor."""
    scale = max(error, floor)
    return -math.log(2 * scale) - error / scale


PAGES = ((0.03, 0.05), (0.2, 0.05), (0.0, 0.1), (0.02, 0.01))

BEST_SCALE = Exercise(
    number="9.3",
    asks="worth(error, floor): nats a pixel of a page with that mean absolute error, at the best b >= floor",
    solution=worth,
    same=same_function(*PAGES),
    mistakes=(
        Mistake(
            lambda error, floor: -math.log(2 * floor) - error / floor,
            "the floor is the best b only for pages whose error is below it",
        ),
        Mistake(lambda error, floor: -math.log(2 * max(error, floor)), "the ceiling; the error's own bill is missing"),
        Mistake(
            lambda error, floor: -math.log(2 * max(error, floor)) - 1.0,
            "the error over b is 1 at the best b, but less where the floor keeps b away from it",
        ),
        Mistake(
            lambda error, floor: -math.log(max(error, floor)) - error / max(error, floor),
            "the density is exp(-|error| / b) / 2b: the 2 is lost",
        ),
        Mistake(lambda error, floor: worth(error, floor) * 28**2, "these are nats a picture; asked are nats a pixel"),
    ),
    praise="the best b is the mean absolute error itself, unless the floor forbids it",
    otherwise="write the mean log density as a function of b, find where its slope is zero, then mind the floor",
)

# ---- 9.4: from a blank page to the ceiling


def way(value: float, ceiling: float, ink: float) -> float:
    """How far from a blank page (0) to the ceiling (1) a likelihood is; all in nats a pixel but the mean ink."""
    scale = math.exp(-ceiling) / 2
    blank = ceiling - ink / scale
    return (value - blank) / (ceiling - blank)


READINGS = ((1.5, 2.3, 0.13), (0.4, 1.6, 0.2), (-1.0, 2.3, 0.09))


def _way_with(scale: float, value: float, ceiling: float, ink: float) -> float:
    blank = ceiling - ink / scale
    return (value - blank) / (ceiling - blank)


BLANK = Exercise(
    number="9.4",
    asks="way(value, ceiling, ink): 0 where a likelihood is that of a blank page, 1 where it is the ceiling",
    solution=way,
    same=same_function(*READINGS),
    mistakes=(
        Mistake(lambda value, ceiling, ink: value / ceiling, "this takes a blank page to be worth 0 nats"),
        Mistake(lambda value, ceiling, ink: 1 - way(value, ceiling, ink), "this is what is left to go"),
        Mistake(
            lambda value, ceiling, ink: _way_with(math.exp(-ceiling), value, ceiling, ink),
            "the ceiling is -log 2b, so b is half of exp(-ceiling)",
        ),
        Mistake(
            lambda value, ceiling, ink: value - (ceiling - 2 * ink * math.exp(ceiling)),
            "the nats above the blank page; divide by what a perfect page would have",
        ),
        Mistake(
            lambda value, ceiling, ink: _way_with(1.0, value, ceiling, ink), "an error of one pixel costs 1 / b nats"
        ),
    ),
    praise="two sets with different amounts of ink can now stand in one table",
    otherwise="get b from the ceiling, the blank page from b and the ink, then see how far the value lies between",
)

# ---- 9.5: who is ahead elsewhere


def ahead(mine: Tensor, theirs: Tensor) -> int:
    """On how many cells off the diagonal `mine` is the higher one; cells that either lacks (NaN) do not count."""
    other = ~torch.eye(len(mine), dtype=torch.bool)
    return int(((mine > theirs) & other).sum())


NAN = math.nan
MATRICES = (
    (
        torch.tensor([[2.0, 0.5, 0.1], [1.0, 2.0, NAN], [0.3, 0.4, 2.0]]),
        torch.tensor([[1.0, 0.4, 0.1], [0.9, 1.0, 0.1], [0.5, 0.4, 1.0]]),
    ),
    (torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [NAN, 1.0]])),
)

ELSEWHERE = Exercise(
    number="9.5",
    asks="ahead(mine, theirs): on how many cells off the diagonal mine is higher; NaN is a cell that was not run",
    solution=ahead,
    same=same_function(*MATRICES),
    mistakes=(
        Mistake(lambda mine, theirs: int((mine > theirs).sum()), "the diagonal is no transfer: there both are at home"),
        Mistake(
            lambda mine, theirs: int((mine > theirs).diagonal().sum()), "this is the diagonal; asked is all the rest"
        ),
        Mistake(lambda mine, theirs: ahead(theirs, mine), "the wrong way round: this counts where theirs is higher"),
        Mistake(
            lambda mine, theirs: int((~(mine <= theirs) & ~torch.eye(len(mine), dtype=torch.bool)).sum()),
            "every comparison with NaN is false, so its negation counts cells that were not run",
        ),
        Mistake(
            lambda mine, theirs: int(((mine >= theirs) & ~torch.eye(len(mine), dtype=torch.bool)).sum()),
            "a tie is not ahead",
        ),
    ),
    praise="and say of how many cells: a count without its total hides what was not run",
    otherwise="compare cell by cell, leave the diagonal out, and count",
)

EXERCISES: tuple[Exercise, ...] = (FROM_WEIGHTS, COUNTED, BEST_SCALE, BLANK, ELSEWHERE)
