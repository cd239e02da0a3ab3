"""Chapter 9, transfer: its exercises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 9.1: a bound from weights


def bound(log_w: Tensor) -> Tensor:
    """(S, B) log weights to (B) importance-weighted bounds, nats."""
    return log_w.logsumexp(0) - math.log(len(log_w))


WEIGHTS = (
    (torch.tensor([[-3.0, 0.0], [1.0, 0.5], [0.0, -1.0]]),),
    (torch.tensor([[1200.0], [1205.0]]),),  # as large as nats of a picture are: exp of them is infinite
)

FROM_WEIGHTS = Exercise(
    number="9.1",
    asks="bound(log_w): the importance-weighted bound of each picture, from (S, B) log weights",
    solution=bound,
    same=same_function(*WEIGHTS, tolerance=1e-3),
    mistakes=(
        Mistake(lambda log_w: log_w.mean(0), "the mean of logarithms is the ELBO: the average goes inside the log"),
        Mistake(lambda log_w: log_w.logsumexp(0), "a sum of weights: with more samples it grows for ever"),
        Mistake(
            lambda log_w: log_w.exp().mean(0).log(),
            "right on paper, and infinite on a computer: exp of a thousand nats has no number",
        ),
        Mistake(
            lambda log_w: log_w.logsumexp(1) - math.log(log_w.shape[1]),
            "along the wrong axis: samples are the rows, and each picture is a column",
        ),
        Mistake(lambda log_w: bound(log_w).mean(), "one number for all pictures: each of them has a bound of its own"),
        Mistake(lambda log_w: log_w.amax(0), "the best sample alone; the others count too, if only a little"),
        Mistake(
            lambda log_w: log_w.logsumexp(0) - math.log(log_w.numel()), "divide by the samples, not by the pictures too"
        ),
    ),
    praise="the log of an average, taken without ever leaving the logarithms",
    otherwise="average the weights of each picture over the S samples, then take the logarithm",
)

# ---- 9.2: what a likelihood says of a drawing

NATS, PIXELS, FLOOR = -2859.4, 50 * 50, 0.01  # DooD from MNIST to KMNIST, figure 4; pixels; the paper's floor of b


def error_of(nats: float, pixels: int = PIXELS, scale: float = FLOOR) -> float:
    """Mean absolute error of a pixel that a likelihood would mean, if drawing cost nothing and b were the same."""
    return scale * (-math.log(2 * scale) - nats / pixels)


BEHIND_IT = Exercise(
    number="9.2",
    asks="the mean absolute error of a pixel behind -2,859.4 nats at 50 x 50, if b is 0.01 and drawing is free",
    solution=error_of(NATS),
    same=SameNumber(1e-4),
    mistakes=(
        Mistake(-NATS / PIXELS * FLOOR, "the ceiling is missing: a page without error is not worth 0 nats"),
        Mistake(error_of(-NATS), "the sign of the nats"),
        Mistake(error_of(NATS) / FLOOR, "these are nats below the ceiling; b turns nats into error"),
        Mistake(error_of(NATS) * PIXELS, "this is the error of the whole page"),
        Mistake(FLOOR * (-math.log(FLOOR) - NATS / PIXELS), "the ceiling is -log 2b: the 2 is lost"),
        Mistake(error_of(NATS, 28 * 28), "the paper's pictures are 50 pixels wide"),
    ),
    praise="five per cent of full ink: the frightening number belongs to a page that is wrong in a pixel of twenty",
    otherwise="nats a pixel first; then how far they lie below -log 2b; then what b makes of that distance",
)

# ---- 9.3: the best scale of a Laplace


def worth(error: float, floor: float) -> float:
    """Nats a pixel of a page with that mean absolute error, at the best scale that is not below the floor."""
    scale = max(error, floor)
    return -math.log(2 * scale) - error / scale


PAGES = ((0.03, 0.05), (0.2, 0.05), (0.02, 0.01))
CLEAN = (0.0, 0.1)  # a page without error

BEST_SCALE = Exercise(
    number="9.3",
    asks="worth(error, floor): nats a pixel of a page with that mean absolute error, at the best b >= floor",
    solution=worth,
    same=same_function(*PAGES, far=(CLEAN,)),
    mistakes=(
        Mistake(
            lambda error, floor: -math.log(2 * floor) - error / floor,
            "the floor is the best b only for pages whose error is below it",
        ),
        Mistake(lambda error, floor: -math.log(2 * error) - 1.0, "the best b may be below the floor, which forbids it"),
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

# ---- 9.4: a rough drawing for little, or a good one for much


def tie(error_a: float, cost_a: float, error_b: float, cost_b: float) -> float:
    """The scale b at which two readings of a picture weigh the same; errors in pixels of ink, costs in nats."""
    return (error_a - error_b) / (cost_b - cost_a)


READINGS = ((20.0, 30.0, 10.0, 90.0), (40.0, 10.0, 12.0, 150.0), (5.0, 80.0, 25.0, 20.0))

TIE = Exercise(
    number="9.4",
    asks="tie(error_a, cost_a, error_b, cost_b): the b at which two readings have the same weight",
    solution=tie,
    same=same_function(*READINGS),
    mistakes=(
        Mistake(lambda ea, ca, eb, cb: 1 / tie(ea, ca, eb, cb), "upside down: error over nats has the unit of b"),
        Mistake(
            lambda ea, ca, eb, cb: -tie(ea, ca, eb, cb), "a scale is positive: what is lost in error, cost must win"
        ),
        Mistake(
            lambda ea, ca, eb, cb: tie(ea, ca, eb, cb) / 28**2,
            "the normaliser -log 2b is the same for both and leaves nothing behind; no count of pixels is needed",
        ),
        Mistake(lambda ea, ca, eb, cb: (ea + eb) / (ca + cb), "differences decide, not sums"),
        Mistake(
            lambda ea, ca, eb, cb: 2 * tie(ea, ca, eb, cb),
            "error costs error / b nats; the 2 of 2b is the normaliser's",
        ),
    ),
    praise="a narrower b prefers the good drawing, a wider one the cheap one: the scale decides what a model learns",
    otherwise="write the log weight of each: minus error over b, minus cost; set them equal",
)

# ---- 9.5: is a lead to be believed?


def lead(mine: Tensor, theirs: Tensor) -> Tensor:
    """Difference of two means over seeds, in units of its standard error."""
    error = (mine.var() / len(mine) + theirs.var() / len(theirs)).sqrt()
    return (mine.mean() - theirs.mean()) / error


SEEDS = (
    (torch.tensor([1.45, 1.40, 1.47]), torch.tensor([1.30, 1.41, 1.36])),
    (torch.tensor([0.62, 0.50, 0.71]), torch.tensor([0.60, 0.75])),
)


def _lead_by(error: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Wrong answers: another way to say how sure the difference is."""
    return lambda mine, theirs: (mine.mean() - theirs.mean()) / error(mine, theirs)


def _pooled(mine: Tensor, theirs: Tensor) -> Tensor:
    m, t = len(mine), len(theirs)
    variance = ((m - 1) * mine.var() + (t - 1) * theirs.var()) / (m + t - 2)
    return (variance * (1 / m + 1 / t)).sqrt()


BELIEVED = Exercise(
    number="9.5",
    asks="lead(mine, theirs): difference of the means over seeds, in units of its standard error",
    solution=lead,
    same=same_function(*SEEDS),
    mistakes=(
        Mistake(lambda mine, theirs: mine.mean() - theirs.mean(), "the difference alone: is it large or small?"),
        Mistake(
            _lead_by(lambda mine, theirs: (mine.var() + theirs.var()).sqrt()),
            "that is the spread of one run against another; a mean of several is surer",
        ),
        Mistake(
            _lead_by(lambda m, t: (m.var(correction=0) / len(m) + t.var(correction=0) / len(t)).sqrt()),
            "with three runs it matters: divide the squares by one less than the number of runs",
        ),
        Mistake(
            _lead_by(lambda m, t: m.std() / len(m) ** 0.5 + t.std() / len(t) ** 0.5),
            "independent errors add by their squares",
        ),
        Mistake(
            _lead_by(_pooled),
            "one variance for both, pooled: nothing says that the two are equally unsure, so each keeps its own",
        ),
        Mistake(
            lambda mine, theirs: -lead(mine, theirs), "the wrong way round: positive is to mean that mine is ahead"
        ),
        Mistake(lambda mine, theirs: lead(mine, theirs).abs(), "where mine is behind, the lead is negative"),
    ),
    praise="below two or so, and with so few seeds below four, a lead may be luck",
    otherwise="variance of a mean is variance over number of runs; variances of two means add",
)

EXERCISES: tuple[Exercise, ...] = (FROM_WEIGHTS, BEHIND_IT, BEST_SCALE, TIE, BELIEVED)
