"""Chapter 3, StructDRAW: its exercises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 3.1: the parameters of a ConvLSTM cell

CELLS = ((3, 2, 1), (64, 128, 3), (8, 5, 5))  # inputs, hidden, kernel


def parameters(inputs: int, hidden: int, kernel: int) -> int:
    """Four gates; each reads input and hidden state through a square kernel, and has a bias."""
    return 4 * hidden * ((inputs + hidden) * kernel**2 + 1)


COUNT = Exercise(
    number="3.1",
    asks="parameters(inputs, hidden, kernel): the number of parameters of a ConvLSTM cell",
    solution=parameters,
    same=same_function(*CELLS),
    mistakes=(
        Mistake(
            lambda inputs, hidden, kernel: 4 * hidden * (inputs * kernel**2 + 1),
            "the gates read the last hidden state too, not the input alone",
        ),
        Mistake(lambda inputs, hidden, kernel: 4 * hidden * (inputs + hidden) * kernel**2, "the biases are missing"),
        Mistake(
            lambda inputs, hidden, kernel: 4 * hidden * (inputs + hidden) * kernel**2 + 4,
            "four biases in all? A gate is `hidden` numbers wide, and its bias is as wide",
        ),
        Mistake(
            lambda inputs, hidden, kernel: hidden * ((inputs + hidden) * kernel**2 + 1),
            "this is one gate: how many numbers a unit steer the memory?",
        ),
        Mistake(
            lambda inputs, hidden, kernel: 3 * hidden * ((inputs + hidden) * kernel**2 + 1),
            "three gates and one thing more: what goes into the memory is computed as well",
        ),
        Mistake(
            lambda inputs, hidden, kernel: 4 * hidden * ((inputs + hidden) * kernel + 1),
            "a kernel covers a square of cells, not a line",
        ),
        Mistake(
            lambda inputs, hidden, kernel: 4 * hidden * ((inputs + hidden) * kernel**2 + 2),
            "one bias a gate: this is torch.nn.LSTMCell's count, which has one for the input and one for the state",
        ),
    ),
    praise="and kernel 3 has nearly nine times the parameters of kernel 1, which is how table 5 gives the kernel away",
    otherwise="try parameters(3, 2, 1), the chapter's toy cell: count the numbers in its weight and its bias",
)

# ---- 3.2: how many steps until a corner has heard of the other

FAR, KERNEL = 15, 5

HEAR = Exercise(
    number="3.2",
    asks="the least number of steps after which a corner of a 16 x 16 map has heard of the opposite one, with kernel 5",
    solution=math.ceil(FAR / (KERNEL // 2)),
    same=SameNumber(1e-6),
    mistakes=(
        Mistake(3, "a kernel of 5 is centred on its cell: how far does it reach to one side?"),
        Mistake(
            15,
            "one cell a step is kernel 3, and one axis after the other is slower than it need be: a square kernel of 5 "
            "reaches two cells along both axes at once",
        ),
        Mistake(7, "after seven steps the news has come 14 cells far, and the corner is 15 away"),
        Mistake(7.5, "steps are whole: what happens in half a step?"),
        Mistake(
            math.ceil(FAR * math.sqrt(2) / 2),
            "a square kernel moves along both axes at once, so the diagonal is no longer than a side",
        ),
        Mistake(4, "twice as far as it is: a kernel of 5 reaches 2 cells to each side, not 4"),
    ),
    praise="and a rule has to be heard before it can be kept: that is what the interaction layer saves",
    otherwise="on a line of cells first: where does the news stand after one step, after two?",
)

# ---- 3.3: what one Gaussian loses on two modes

MODES = ((2.0, 0.3), (5.0, 0.1), (3.0, 0.5))  # a, s


def loss_of_one(a: float, s: float) -> float:
    """Entropy of N(0, a^2 + s^2) less that of two narrow modes, in nats."""
    return 0.5 * math.log((a**2 + s**2) / s**2) - math.log(2)


AVERAGE = Exercise(
    number="3.3",
    asks="loss(a, s): nats a code that the best single Gaussian costs more than the true mixture of two",
    solution=loss_of_one,
    same=same_function(*MODES, tolerance=1e-4),
    mistakes=(
        Mistake(
            lambda a, s: 0.5 * math.log((a**2 + s**2) / s**2),
            "the mixture is not free either: a code has to say which of the two modes it is in",
        ),
        Mistake(
            lambda a, s: math.log(a / s) - math.log(2),
            "nearly: the variance of all codes together is that of the modes' centres plus that within a mode",
        ),
        Mistake(lambda a, s: loss_of_one(a, s) / math.log(2), "this is in bits; the chapter counts nats"),
        Mistake(
            lambda a, s: math.log((a**2 + s**2) / s**2) - math.log(2),
            "a ratio of variances where the ratio of stds belongs: a factor of one half is missing",
        ),
        Mistake(lambda a, s: -loss_of_one(a, s), "the sign: no single Gaussian is cheaper than the true density"),
        Mistake(
            lambda a, s: 0.5 * math.log((a**2 + s**2) / s**2) + math.log(2),
            "naming the mode is a cost of the mixture, so it makes the difference smaller",
        ),
    ),
    praise="the narrower the modes, the more a bell wastes, and the more of its draws lie where nothing is",
    otherwise="write down the entropy of each: log std + (1/2) log(2 pi e) for a Gaussian",
)

# ---- 3.4: a step's KL against a mixture, estimated at a draw

Prior = tuple[Tensor, Tensor, Tensor]  # weights, means, stds
PRIORS = (
    (torch.tensor([0.5, 0.5]), torch.tensor([-2.0, 2.0]), torch.tensor([0.3, 0.3])),
    (torch.tensor([0.2, 0.7, 0.1]), torch.tensor([0.0, 1.0, -1.5]), torch.tensor([1.0, 0.4, 0.8])),
)
Q = tuple[Tensor, Tensor]  # mean, std
# z, q and prior; at the last one, the only far draw, every density of the prior is exp(-900) or less: 0 in any float
DRAWS = tuple(
    (torch.tensor(z), (torch.tensor(mean), torch.tensor(std)), prior)
    for z, mean, std, prior in (
        (1.8, 2.1, 0.2, PRIORS[0]),
        (0.7, 0.4, 0.5, PRIORS[1]),
        (-1.0, -0.9, 0.1, PRIORS[1]),
        (15.0, 15.0, 0.2, PRIORS[0]),
    )
)


def _normal(mean: Tensor, std: Tensor, z: Tensor) -> Tensor:
    return torch.distributions.Normal(mean, std).log_prob(z)


def _entropy(std: Tensor) -> Tensor:
    return std.log() + 0.5 * math.log(2 * math.pi * math.e)


def estimate(z: Tensor, q: Q, prior: Prior) -> Tensor:
    """-H(q) - log p(z) for one number."""
    weights, means, stds = prior
    return -_entropy(q[1]) - torch.logsumexp(weights.log() + _normal(means, stds, z), 0)


def _naive(z: Tensor, q: Q, prior: Prior) -> Tensor:
    weights, means, stds = prior
    return -_entropy(q[1]) - (weights * _normal(means, stds, z).exp()).sum().log()


def _log_inside(z: Tensor, q: Q, prior: Prior) -> Tensor:
    weights, means, stds = prior
    return -_entropy(q[1]) - (weights * _normal(means, stds, z)).sum()


def _both_sampled(z: Tensor, q: Q, prior: Prior) -> Tensor:
    return _normal(*q, z) + estimate(z, q, prior) + _entropy(q[1])


def _nearest_component(z: Tensor, q: Q, prior: Prior) -> Tensor:
    weights, means, stds = prior
    return -_entropy(q[1]) - (weights.log() + _normal(means, stds, z)).max()


def _without_weights(z: Tensor, q: Q, prior: Prior) -> Tensor:
    _, means, stds = prior
    return -_entropy(q[1]) - torch.logsumexp(_normal(means, stds, z), 0)


def _changed(f: Callable, entropy: float) -> Callable:
    return lambda z, q, prior: f(z, q, prior) + entropy * _entropy(q[1])


MIXTURE = Exercise(
    number="3.4",
    asks="estimate(z, q, prior): -H(q) - log p(z) against a mixture, for one number",
    solution=estimate,
    same=same_function(*DRAWS[:-1], tolerance=1e-3, far=DRAWS[-1:]),
    mistakes=(
        Mistake(
            _naive,
            "right near the modes; far from all of them the density is 0 on a computer, and its logarithm infinite: "
            "stay in logarithms",
        ),
        Mistake(
            _log_inside,
            "you average log densities: a mixture averages densities, and its logarithm is taken last",
        ),
        Mistake(
            _both_sampled,
            "this is log q(z) - log p(z): right on average too, but -H(q) is asked for, which needs no draw",
        ),
        Mistake(_nearest_component, "only the likeliest component counts here: the others add to the density too"),
        Mistake(_without_weights, "the components' weights are missing"),
        Mistake(_changed(estimate, 2.0), "the sign of the entropy: a narrow q costs more, not less"),
        Mistake(_changed(estimate, 1.0), "the entropy of q is missing: this is the cross term alone"),
        Mistake(lambda z, q, prior: -estimate(z, q, prior), "everything has the wrong sign"),
        Mistake(
            lambda z, q, prior: estimate(z, q, prior) + 0.5,
            "half a nat too much: the entropy of a Gaussian is log std + (1/2) log(2 pi e), mind the e",
        ),
    ),
    praise="one draw is enough in training, and a single estimate may be negative: only its mean is a KL",
    otherwise="with one component of weight 1 the prior is a Gaussian: compare with its log density by hand",
)

# ---- 3.5: the least price of a larger world

PLACES, COLOURS = 4, 4

FLOOR = Exercise(
    number="3.5",
    asks="the least average KL in nats of a code for the larger world, from which every scene can be redrawn",
    solution=math.log((COLOURS + 1) ** PLACES - 1),
    same=SameNumber(5e-4),
    mistakes=(
        Mistake(math.log((COLOURS + 1) ** PLACES), "one scene too many: at least one place has a mark"),
        Mistake(math.log(60), "this is the chapter's world, with one colour for all marks of a quarter"),
        Mistake(math.log((2**PLACES - 1) * COLOURS**PLACES), "an empty place has no colour to choose"),
        Mistake(
            4 * math.log((COLOURS + 1) ** PLACES - 1), "the other three quarters follow from the first: they are free"
        ),
        Mistake(math.log2((COLOURS + 1) ** PLACES - 1), "this is in bits; the KL is in nats"),
        Mistake((COLOURS + 1.0) ** PLACES - 1, "this is the number of scenes: naming one of them takes its logarithm"),
        Mistake(math.log(COLOURS**PLACES), "a place may also be empty"),
    ),
    praise="ten times as many scenes, and only 2.3 nats on top: information is counted in logarithms",
    otherwise="how many scenes are there? Each place of the quarter chooses by itself",
)

EXERCISES: tuple[Exercise, ...] = (COUNT, HEAR, AVERAGE, MIXTURE, FLOOR)
