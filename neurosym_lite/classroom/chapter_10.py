"""Chapter 10, tasks for a drawer: its exercises."""

import math

import torch
from torch import Tensor, tensor
from torch.nn.functional import one_hot

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 10.1: how far from the others?


def parts_of_silhouette(distances: Tensor, labels: Tensor, i: int) -> tuple[Tensor, Tensor]:
    """a and b: mean distance of item i to its own kind, and to each other kind."""
    own = labels == labels[i]
    a = distances[i][own].sum() / (own.sum() - 1)
    return a, torch.stack([distances[i][labels == kind].mean() for kind in labels.unique() if kind != labels[i]])


def silhouette(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    """The silhouette of item i."""
    a, others = parts_of_silhouette(distances, labels, i)
    return (others.min() - a) / torch.maximum(a, others.min())


def _with_itself(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    b, a = parts_of_silhouette(distances, labels, i)[1].min(), distances[i][labels == labels[i]].mean()
    return (b - a) / torch.maximum(a, b)


def _to_all_others(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    a, b = parts_of_silhouette(distances, labels, i)[0], distances[i][labels != labels[i]].mean()
    return (b - a) / torch.maximum(a, b)


def _nearest_item(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    a, b = parts_of_silhouette(distances, labels, i)[0], distances[i][labels != labels[i]].min()
    return (b - a) / torch.maximum(a, b)


def _kind_of_the_nearest(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    others = distances[i].masked_fill(labels == labels[i], torch.inf)
    a, b = parts_of_silhouette(distances, labels, i)[0], distances[i][labels == labels[others.argmin()]].mean()
    return (b - a) / torch.maximum(a, b)


def _divided_by_b(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    a, others = parts_of_silhouette(distances, labels, i)
    return (others.min() - a) / others.min()


def _not_divided(distances: Tensor, labels: Tensor, i: int) -> Tensor:
    a, others = parts_of_silhouette(distances, labels, i)
    return others.min() - a


PLACES = torch.tensor([0.0, 1.0, 2.5, 6.0, 6.5, 12.0, 14.0])
DISTANCES = (PLACES[:, None] - PLACES).abs()
# kinds that lie apart; item 2 in the wrong kind; its nearest item is of a kind that is far on the whole
KINDS = (torch.tensor([0, 0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1, 1, 1, 2, 2]), torch.tensor([0, 0, 0, 1, 2, 2, 1]))
ITEMS = tuple((DISTANCES, KINDS[kinds], i) for kinds, i in ((0, 0), (0, 2), (0, 4), (1, 2), (2, 2)))

SILHOUETTE = Exercise(
    number="10.1",
    asks="silhouette(distances, labels, i): the silhouette of item i",
    solution=silhouette,
    same=same_function(*ITEMS),
    mistakes=(
        Mistake(_with_itself, "the item is in its own mean with a distance of 0: leave it out"),
        Mistake(_to_all_others, "all other kinds are taken together; only the nearest of them counts"),
        Mistake(_nearest_item, "b is the mean distance to the nearest kind, not the distance to the nearest item"),
        Mistake(_kind_of_the_nearest, "the nearest kind is that of the smallest mean, not that of the nearest item"),
        Mistake(_divided_by_b, "in the wrong kind a is larger than b: divide by the larger of the two"),
        Mistake(_not_divided, "the difference is right; divide it by the larger of the two"),
        Mistake(lambda *given: -silhouette(*given), "the sign: an item near to its own kind has a positive one"),
    ),
    praise="scikit-learn's is the mean of these over all items",
    otherwise="begin with a: how far is the item from its own kind, and who belongs to that? Then b, kind by kind",
)

# ---- 10.2: two crowds on a line

MEANS, DEVIATIONS = (1.0, 2.0), (3.0, 1.0)

TWO_CROWDS = Exercise(
    number="10.2",
    asks="the Fréchet distance of crowds of numbers with means 1 and 2, standard deviations 3 and 1",
    solution=(MEANS[0] - MEANS[1]) ** 2 + (DEVIATIONS[0] - DEVIATIONS[1]) ** 2,
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(4.0, "the means differ too, by 1"),
        Mistake(1.0, "that is the means' share; the deviations have one as well"),
        Mistake(5.0**0.5, "this is its root: the formula gives the squared distance"),
        Mistake(1.0 + 3.0 + 1.0 - 2 * 3.0**0.5, "C is a variance, 9 and 1, not a standard deviation"),
        Mistake(1.0 + 9.0 + 1.0 - 2 * 9.0, "the root of the product is missing: 2 (9 * 1)^(1/2)"),
        Mistake(1.0 + 9.0 + 1.0, "the last term is missing, - 2 (C1 C2)^(1/2)"),
    ),
    praise="means and standard deviations, each with a squared difference: that is all it sees of two crowds",
    otherwise="put numbers for the matrices: m = 1 and 2, C = 9 and 1",
)

# ---- 10.3: a token in its frame


def moved_frame(M: Tensor, t: Tensor, A: Tensor, v: Tensor) -> Tensor:
    """[A M | A t + v]."""
    return torch.cat([A @ M, (A @ t + v)[:, None]], dim=1)


def _frame(matrix: Tensor, shift: Tensor) -> Tensor:
    return torch.cat([matrix, shift[:, None]], dim=1)


FRAMES = (
    (
        torch.tensor([[0.5, -0.2], [0.2, 0.5]]), torch.tensor([0.1, -0.4]),
        torch.tensor([[1.0, 0.3], [0.0, 0.9]]), torch.tensor([0.2, 0.05]),
    ),
    (
        torch.tensor([[0.0, -0.8], [0.8, 0.0]]), torch.tensor([0.0, 0.3]),
        torch.tensor([[1.1, 0.0], [0.2, 1.0]]), torch.tensor([-0.1, 0.0]),
    ),
)  # fmt: skip

MOVED_FRAME = Exercise(
    number="10.3",
    asks="moved_frame(M, t, A, v): the 2 x 3 matrix [matrix | shift] that takes u to A (M u + t) + v",
    solution=moved_frame,
    same=same_function(*FRAMES),
    mistakes=(
        Mistake(lambda M, t, A, v: _frame(M @ A, A @ t + v), "the order: u meets M first, so M stands next to it"),
        Mistake(lambda M, t, A, v: _frame(A @ M, t + v), "the frame's own shift goes through A too"),
        Mistake(lambda M, t, A, v: _frame(A @ M, A @ (t + v)), "v is added after A: it does not go through it"),
        Mistake(lambda M, t, A, v: _frame(A @ M, t @ A + v), "t @ A multiplies from the other side: A @ t"),
        Mistake(lambda M, t, A, v: _frame(A + M, t + v), "maps that follow each other multiply"),
    ),
    praise="A M has shear in it, which no frame of DooD has: so tokens are made on the page",
    otherwise="multiply A (M u + t) + v out: what stands before u, and what is left",
)

# ---- 10.4: both ways


def both_ways(forward: Tensor, backward: Tensor, among: Tensor, w: float) -> Tensor:
    """Scores [c, q]."""
    return _by(_no_diagonal(among).logsumexp(0)[:, None], forward, backward, w)


def _by(easy: Tensor, forward: Tensor, backward: Tensor, w: float) -> Tensor:
    return forward + w * (backward.T - easy)


def _no_diagonal(among: Tensor) -> Tensor:
    return among.masked_fill(torch.eye(len(among), dtype=torch.bool), -torch.inf)


SCORES = (
    (
        torch.tensor([[-1.0, -3.0, -2.0], [-2.0, -0.5, -4.0], [-3.0, -2.5, -1.5]]),
        torch.tensor([[-1.5, -2.0, -3.5], [-4.0, -1.0, -2.0], [-2.0, -5.0, -0.5]]),
        torch.tensor([[0.0, -2.0, -1.0], [-3.0, 0.0, -2.5], [-1.5, -4.0, 0.0]]),
        0.5,
    ),
)

BOTH_WAYS = Exercise(
    number="10.4",
    asks="both_ways(forward, backward, among, w): the matrix of scores [sign, query]",
    solution=both_ways,
    same=same_function(*SCORES),
    mistakes=(
        Mistake(
            lambda forward, backward, among, w: _by(among.logsumexp(0)[:, None], forward, backward, w),
            "a sign's own strokes draw it best of all: leave the diagonal out",
        ),
        Mistake(
            lambda forward, backward, among, w: _by(_no_diagonal(among).logsumexp(1)[:, None], forward, backward, w),
            "the other way round: this asks how well a sign's strokes draw the others, not how well theirs draw it",
        ),
        Mistake(
            lambda forward, backward, among, w: _by(backward.logsumexp(0)[:, None], forward, backward, w),
            "this takes the queries' strokes: the task that is called together",
        ),
        Mistake(
            lambda forward, backward, among, w: _by(_no_diagonal(among).logsumexp(0), forward, backward, w),
            "how easy a sign is belongs to the rows: it was taken off the columns",
        ),
        Mistake(
            lambda forward, backward, among, w: both_ways(forward, backward.T, among, w),
            "`backward` has queries in its rows and signs in its columns; the scores have it the other way round",
        ),
        Mistake(
            lambda forward, backward, among, w: forward + w * backward.T,
            "nothing is taken off: signs that are easy for everybody win",
        ),
    ),
    praise="a sign that is easy for everybody gains nothing from being easy for this query",
    otherwise="for each sign: how well do the others' strokes draw it (a column of `among`, without its own)?",
)

# ---- 10.5: how open is a beginning?


def openness(names: Tensor) -> Tensor:
    """(B, N) classes of N endings of each of B beginnings to (B) entropies of their shares, in bits."""
    return _entropy(_shares(names), 2.0)


def _shares(names: Tensor) -> Tensor:
    """(B, N) classes to (B, classes) shares of each."""
    return one_hot(names).double().mean(1)


def _entropy(shares: Tensor, base: float) -> Tensor:
    return -torch.special.xlogy(shares, shares).sum(-1) / math.log(base)


NAMES = tensor([[3, 3, 3, 3, 3, 3], [1, 1, 1, 1, 4, 7], [0, 0, 0, 9, 9, 9], [2, 2, 5, 5, 7, 7], [8, 8, 8, 8, 8, 6]])

OPENNESS = Exercise(
    number="10.5",
    asks="openness(names): for each beginning the entropy, in bits, of the shares of its endings' classes",
    solution=openness,
    same=same_function((NAMES,), (NAMES[:, 2:],)),
    mistakes=(
        Mistake(lambda names: _entropy(_shares(names), math.e), "these are nats: for bits the logarithm is to base 2"),
        Mistake(
            lambda names: -(_shares(names) * _shares(names).log2()).sum(1),
            "0 log 0 is nan to a computer, and 0 in an entropy: leave out the classes that do not occur",
        ),
        Mistake(
            lambda names: _entropy(_shares(names.reshape(1, -1)), 2.0).expand(len(names)),
            "this is the entropy of all endings on one heap; each beginning has its own",
        ),
        Mistake(
            lambda names: _entropy(_shares(names.T), 2.0),
            "this runs along the beginnings; a row holds the endings of one beginning",
        ),
        Mistake(
            lambda names: (_shares(names) > 0).sum(1).double().log2(),
            "this would be so if all classes that occur were equally likely: weigh them by their shares",
        ),
        Mistake(lambda names: (_shares(names) > 0).sum(1), "this counts classes, a rare one like a common one"),
        Mistake(lambda names: -openness(names), "the sign: a share's logarithm is negative, an entropy is not"),
    ),
    praise="now let the model write on, stroke by stroke, and watch its drawings close",
    otherwise="begin with one row: what share of its endings is a 0, a 1, ... a 9? Then the sum of -p log2 p",
)

EXERCISES: tuple[Exercise, ...] = (SILHOUETTE, TWO_CROWDS, MOVED_FRAME, BOTH_WAYS, OPENNESS)
