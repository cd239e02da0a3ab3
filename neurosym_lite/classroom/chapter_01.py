"""Chapter 1, variable binding: its exercises."""

import math

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# Tables of counts for 1.1: told exactly, told nothing, told in part (with an empty cell), told by more columns,
# and by fewer columns than there are rows.
TABLES = (
    torch.tensor([[3.0, 0.0], [0.0, 3.0]]),
    torch.tensor([[2.0, 2.0], [2.0, 2.0]]),
    torch.tensor([[6.0, 1.0], [0.0, 1.0]]),
    torch.tensor([[1.0, 4.0, 2.0], [5.0, 0.0, 1.0]]),
    torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0]]),
)

STEP = math.sqrt(0.5)  # a step of one pixel, seen along an axis that is turned by 45 degrees

# (u, column, grid, size) for 1.4: no shift, both directions, another grid, another canvas.
CENTRES = ((0.0, 0, 4, 64), (0.5, 1, 4, 64), (-1.2, 3, 4, 64), (0.8, 2, 8, 64), (-0.3, 1, 4, 128))


def _entropy(probabilities: Tensor) -> Tensor:
    """In nats; 0 log 0 is 0."""
    return -torch.special.xlogy(probabilities, probabilities).sum()


def _information(table: Tensor) -> Tensor:
    """Mutual information of the rows and columns of a table of probabilities, in nats."""
    return _entropy(table.sum(1)) + _entropy(table.sum(0)) - _entropy(table)


def share(table: Tensor) -> Tensor:
    """What the columns tell about the rows, as a share of the rows' entropy."""
    table = table / table.sum()
    return _information(table) / _entropy(table.sum(1))


def _share_in_bits(table: Tensor) -> Tensor:
    return _information(table / table.sum()) / math.log(2)


def _share_of_columns(table: Tensor) -> Tensor:
    table = table / table.sum()
    return _information(table) / _entropy(table.sum(0))


def _share_of_counts(table: Tensor) -> Tensor:
    return _information(table) / _entropy(table.sum(1))


def _share_with_nan(table: Tensor) -> Tensor:
    table = table / table.sum()
    chance = table.sum(1, keepdim=True) * table.sum(0, keepdim=True)
    return (table * (table / chance).log()).sum() / _entropy(table.sum(1))


def _share_of_rows(table: Tensor) -> Tensor:
    return _information(table / table.sum()) / math.log(len(table))


def centre_x(u: float, column: int, grid: int, size: int) -> float:
    """x of a box's centre in pixels: the cell's centre, plus at most one cell."""
    return size / grid * (column + 0.5 + math.tanh(u))


TELL = Exercise(
    number="1.1",
    asks="a function share(table): what the columns of a table of counts tell about its rows, 0 to 1",
    solution=share,
    same=same_function(*((table,) for table in TABLES)),
    mistakes=(
        Mistake(_share_in_bits, "this is the information itself, in bits: a share compares it with what there was "
                "to be told"),
        Mistake(lambda table: _information(table / table.sum()), "this is the information itself, in nats: a share "
                "compares it with what there was to be told"),
        Mistake(_share_of_columns, "you divide by the entropy of the columns: whose uncertainty is to be removed?"),
        Mistake(_share_of_rows, "the log of the number of rows is their entropy only where all are equally "
                "likely"),
        Mistake(_share_with_nan, "not a number: a cell that is never met has probability 0, and log 0 is not finite"),
        Mistake(_share_of_counts, "the table holds counts: what must its entries sum to before you take logarithms?"),
        Mistake(lambda table: 1 - share(table), "this is the share that stays unknown"),
    ),
    praise="one number for 'how much does this number of the code say', whatever the units of either",
    otherwise="try share(torch.eye(2)), which should be 1, and share(torch.ones(2, 2)), which should be 0",
)  # fmt: skip

TURN = Exercise(
    number="1.2",
    asks="the change of the rotated code, a tensor of shape (2,), that moves the dot one pixel to the right",
    solution=torch.tensor([STEP, STEP]),
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(torch.tensor([1.0, 0.0]), "this is the change of the bound code: in the rotated one the first number "
                "is not x"),
        Mistake(torch.tensor([STEP, -STEP]), "that moves the dot up, not to the right: which way does the rotation "
                "go, and which way is back?"),
        Mistake(torch.tensor([-STEP, STEP]), "that moves the dot down, not to the right: which way does the rotation "
                "go, and which way is back?"),
        Mistake(torch.tensor([1.0, 1.0]), "right direction, but the dot moves more than one pixel: a rotation keeps "
                "lengths"),
        Mistake(torch.tensor([STEP, 0.0]), "one number alone moves the dot along a diagonal: y changes too"),
    ),
    praise="to change one fact of an entangled code, several numbers must change together, by the right amounts",
    otherwise="which code has the dot at (8.5, 3.5), which the dot at (9.5, 3.5)? Subtract; the shape is (2,)",
)  # fmt: skip

COST = Exercise(
    number="1.3",
    asks="the mean KL to N(0, 1), in nats, of a number whose means are spread like N(0, 0.99) and whose std is 0.1",
    solution=math.log(10),
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(0.5 * (0.01 - 1 - math.log(0.01)), "this is the cost of an image whose mean is 0: the means are "
                "spread, and their squares count"),
        Mistake(-math.log(0.01), "twice too much: a factor in front of the closed form is missing"),
        Mistake(math.log2(10), "this is in bits; the loss counts nats"),
        Mistake(-math.log(10), "a KL is never negative: look at the sign of the logarithm"),
        Mistake(0.5 * (0.1 + 0.99 - 1 - math.log(0.1)), "you put 0.1 where the formula wants a variance: 0.1 is the "
                "std"),
        Mistake(0.5 * (0.01 + 0.99**2 - 1 - math.log(0.01)), "N(0, 0.99) names a variance: 0.99 is the mean of the "
                "squares already"),
        Mistake(0.5 * (0.01 - math.log(0.01)), "the squares of the means are 0.99 on average, not 1"),
        Mistake(0.5 * (0.1 + 0.99 - 1 - math.log(0.01)), "the variance belongs in both places, 0.01: at one of them "
                "you put the std"),
        Mistake(0.5 * (0.01 + 0.99 - math.log(0.01)), "half a nat too much: there is a -1 in the closed form"),
    ),
    praise="log 10: it costs as much as naming one of ten values, which is about what a std of a tenth can tell apart",
    otherwise="average the closed form over images: std^2 is 0.01 in each of them, and mean^2 is 0.99 on average",
)  # fmt: skip

CENTRE = Exercise(
    number="1.4",
    asks="a function centre_x(u, column, grid, size): the x of a box's centre in pixels",
    solution=centre_x,
    same=same_function(*CENTRES, tolerance=1e-3),
    mistakes=(
        Mistake(lambda u, column, grid, size: size / grid * (column + 0.5 + u), "without the squashing a box may "
                "go anywhere, also where no cell is near"),
        Mistake(lambda u, column, grid, size: size / grid * (column + math.tanh(u)), "at u = 0 your box sits on the "
                "left edge of its cell, not in the middle"),
        Mistake(lambda u, column, grid, size: size / grid * (column + 0.5 + 0.5 * math.tanh(u)), "your box cannot "
                "leave its cell: the reach is one whole cell to either side"),
        Mistake(lambda u, column, grid, size: 2 / grid * (column + 0.5 + math.tanh(u)) - 1, "right place, but in "
                "canvas units from -1 to 1: the question asks for pixels"),
        Mistake(lambda u, column, grid, size: size / grid * (column + 0.5 + 1 / (1 + math.exp(-u))), "a sigmoid is "
                "never negative: your box can only move to the right"),
    ),
    praise="a network may output any number, and what comes out is always a place within a cell's width of the cell "
    "that answers for it",
    otherwise="check u = 0 first: column 0 of 4 on 64 pixels has its centre at 8",
)  # fmt: skip

CELLS = Exercise(
    number="1.5",
    asks="how many of the 16 cells can put a box on the digit whose centre is at the pixel (20, 20)",
    solution=4,
    same=SameNumber(1e-6),
    mistakes=(
        Mistake(1, "only if a cell could not look beyond its own border: how far may a box's centre move?"),
        Mistake(2, "two columns, yes; and how many rows?"),
        Mistake(9, "nine cells touch the digit's own, but some of their centres are 20 pixels away along an axis"),
        Mistake(16, "a centre moves by less than one cell, 16 pixels along each axis: the far cells cannot"),
        Mistake(8, "the distance counts along each axis by itself: list the columns that reach x = 20, then the rows"),
    ),
    praise="the role of a number is fixed, but which cell speaks up is not: four could, and the price of presence "
    "lets only one",
    otherwise="the cells' centres are at 8, 24, 40 and 56 pixels along each axis",
)  # fmt: skip

CHANCE = Exercise(
    number="1.6",
    asks="the probability that independent presence, 1/4 in each of 16 cells, puts exactly one object in each quarter",
    solution=(4 * 0.25 * 0.75**3) ** 4,
    same=SameNumber(2e-4),
    mistakes=(
        Mistake(math.comb(16, 4) * 0.25**4 * 0.75**12, "this is the probability of four objects anywhere: they may "
                "share a quarter"),
        Mistake(4 * 0.25 * 0.75**3, "this is one quarter; all four have to come out right"),
        Mistake((0.25 * 0.75**3) ** 4, "the object may be in any of a quarter's four cells"),
        Mistake(4 * 4 * 0.25 * 0.75**3, "more than 1 is no probability: independent events multiply"),
        Mistake(0.25**4, "four cells that are on; the other twelve have to be off"),
    ),
    praise="about one scene in thirty has its objects in the right quarters, before any digit or place is asked about",
    otherwise="first one quarter: four cells, exactly one of them on",
)  # fmt: skip

EXERCISES: tuple[Exercise, ...] = (TELL, TURN, COST, CENTRE, CELLS, CHANCE)
