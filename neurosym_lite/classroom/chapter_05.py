"""Chapter 5, GNM's experiments: its exercises."""

import math
from collections.abc import Sequence

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 5.1: how many samples make a number

SHARE, WIDTH, Z95 = 0.9, 0.01, 1.96  # the share measured; half of the interval's width; standard deviations for 95 %

SAMPLES = Exercise(
    number="5.1",
    asks="how many samples give a share of 0.9 to within 0.01, with 95 % confidence (by the normal approximation)",
    solution=Z95**2 * SHARE * (1 - SHARE) / WIDTH**2,
    same=SameNumber(20.0),
    mistakes=(
        Mistake(Z95 * SHARE * (1 - SHARE) / WIDTH**2, "the 1.96 is squared too: it multiplies a standard deviation"),
        Mistake(SHARE * (1 - SHARE) / WIDTH**2, "this gives one standard deviation of 0.01, which is 68 % confidence"),
        Mistake(Z95**2 * SHARE * (1 - SHARE) / WIDTH, "the error falls with the square root of n, so n rises by the "
                "square of what you ask for"),
        Mistake(Z95**2 * 0.25 / WIDTH**2, "this is for a share of one half, where the error is largest"),
        Mistake((2 * Z95) ** 2 * SHARE * (1 - SHARE) / WIDTH**2, "to within 0.01 on each side: half of the width"),
    ),
    praise="three and a half thousand; with 250, the paper's number, 0.9 is anything from 0.86 to 0.93",
    otherwise="what is the standard deviation of a share of n samples, and how many of them does 95 % take?",
)  # fmt: skip

# ---- 5.2: what the judge's errors hide

# (S, t, f): accepted share, true-accept rate, false-accept rate
RATES = ((0.5, 0.8, 0.0), (0.9, 0.85, 0.0), (0.3, 0.9, 0.1), (0.05, 0.9, 0.1), (0.6, 1.0, 0.0))


def corrected(rate: float, true_accept: float, false_accept: float) -> float:
    """The share of right scenes behind the share that is accepted (Rogan and Gladen 1978)."""
    return min(1.0, max(0.0, (rate - false_accept) / (true_accept - false_accept)))


CORRECTED = Exercise(
    number="5.2",
    asks="a function corrected(S, t, f): the share of right scenes behind the share that is accepted",
    solution=corrected,
    same=same_function(*RATES, tolerance=1e-4),
    mistakes=(
        Mistake(
            lambda s, t, f: min(1.0, s / t),
            "right where no wrong scene is accepted; f of the wrong ones are",
        ),
        Mistake(
            lambda s, t, f: s / t,
            "right where no wrong scene is accepted, and the result is a share; f of the wrong ones are accepted, and "
            "noise can push a result above 1",
        ),
        Mistake(
            lambda s, t, f: (s - f) / (t - f),
            "the equation is solved; but a share is between 0 and 1, and noise can push this outside",
        ),
        Mistake(
            lambda s, t, f: min(1.0, (s - f) / (t - f)),
            "the equation is solved, and cut off at 1; where S is less than f it comes out below 0",
        ),
        Mistake(
            lambda s, t, f: max(0.0, (s - f) / (t - f)),
            "the equation is solved, and cut off at 0; where S is more than t it comes out above 1",
        ),
        Mistake(
            lambda s, t, f: (s - f) / t,
            "each right scene that is counted raises S by t - f, not by t; and what noise pushes out of 0 to 1 is cut "
            "off",
        ),
        Mistake(
            lambda s, t, f: min(1.0, max(0.0, (s - f) / t)),
            "each right scene that is counted raises S by t - f, not by t: it would else have been a wrong one",
        ),
        Mistake(
            lambda s, t, f: min(1.0, max(0.0, s * t + (1 - s) * f)),
            "this is the way forward, from the truth to what is accepted; the judge gives S, and you want the truth",
        ),
        Mistake(
            lambda s, t, f: min(1.0, max(0.0, s / t - f)),
            "what f accepts is in S itself: it is taken off before the division",
        ),
    ),
    praise="with t and f measured, two judges that err differently give the same number",
    otherwise="go forward first: if a share p of all scenes is right, how many does the judge accept, right and wrong?",
)

# ---- 5.3: how many samples count

LOG_WEIGHTS = ([0.0, 0.0, 0.0, 0.0], [0.0, -50.0], [-3.0, -2.0, -1.0])
FAR = ([1000.0, 1000.0, 900.0], [-2000.0, -2001.0], [-2000.0, 1000.0], [1000.0, -2000.0, -2000.0])


def effective(log_weights: Sequence[float]) -> float:
    """(sum w)^2 / sum w^2, without ever leaving the range of floating-point numbers."""
    most = max(log_weights)
    weights = [math.exp(value - most) for value in log_weights]
    return sum(weights) ** 2 / sum(weight**2 for weight in weights)


def _naive(log_weights: Sequence[float]) -> float:
    weights = [math.exp(value) for value in log_weights]
    return sum(weights) ** 2 / sum(weight**2 for weight in weights)


EFFECTIVE = Exercise(
    number="5.3",
    asks="a function effective(log_weights): the effective number of samples, for log weights of any size",
    solution=effective,
    same=same_function(*((values,) for values in LOG_WEIGHTS), tolerance=1e-3, far=tuple((v,) for v in FAR)),
    mistakes=(
        Mistake(
            _naive,
            "right for small numbers; exp(1000) does not fit into a float, and exp(-2000) is zero: subtract the "
            "largest log weight first, it cancels",
        ),
        Mistake(
            lambda values: 1 / effective(values),
            "upside down: with equal weights all of them count",
        ),
        Mistake(
            lambda values: effective(values) / len(values),
            "this is the share of samples that count; their number is asked for",
        ),
        Mistake(
            lambda values: sum(math.exp(value - max(values)) for value in values),
            "this is sum w / max w: alike at the extremes, but not (sum w)^2 / sum w^2",
        ),
        Mistake(
            lambda values: float(len(values)),
            "all of them were drawn; how many have weight?",
        ),
    ),
    praise="near 1 means: one sample carries the bound, and more samples would still raise it",
    otherwise="begin with the chapter's definition: what happens to it when all weights are ten times as large?",
)

# ---- 5.4: the price of a fact

PLACES, DIGITS = 6, 3  # cells; different digits on them
ARRANGEMENTS = math.perm(PLACES, DIGITS)
CELL_ENTROPY = -(0.5 * math.log(1 / 2) + 0.5 * math.log(1 / 6))  # empty half of the time, else one of three digits

PRICE = Exercise(
    number="5.4",
    asks="up to which beta_g it pays to say in z_g how three different digits stand on six cells, all ways alike",
    solution=PLACES * CELL_ENTROPY / math.log(ARRANGEMENTS),
    same=SameNumber(0.01),
    mistakes=(
        Mistake(CELL_ENTROPY / math.log(ARRANGEMENTS), "one cell's entropy; the fact saves that of all six"),
        Mistake(PLACES * math.log(4) / math.log(ARRANGEMENTS), "a cell has four states, but not equally often: it is "
                "empty half of the time. Or is this the chapter's triple? It has four cells"),
        Mistake(math.log(ARRANGEMENTS) / (PLACES * CELL_ENTROPY), "upside down: what is saved goes over what is paid"),
        # 6 * entropy / log(6**3), of digits that may share a cell, is 1.39 as well
        Mistake(PLACES * math.log(2) / math.log(math.comb(PLACES, DIGITS)), "this says which cells are occupied; which "
                "digit is in which has to be said too. Or did you count 6 * 6 * 6 ways? Digits share no cell"),
        Mistake(PLACES * CELL_ENTROPY / math.log(math.comb(PLACES, DIGITS)), "you save which digit is in which cell, "
                "but pay for which cells are occupied alone: the digits are different"),
        Mistake(DIGITS * math.log(DIGITS) / math.log(math.factorial(DIGITS)), "this is which digit stands where once "
                "the cells are known; the whole arrangement says which cells, too"),
        Mistake(PLACES * CELL_ENTROPY / math.log(math.factorial(PLACES)), "you count six different things on six "
                "cells: an empty cell is like any other, so many of these ways are one"),
        Mistake(2 * PLACES * CELL_ENTROPY / math.log(ARRANGEMENTS), "this is with a copy on six more cells; without it "
                "only six cells are saved"),
    ),
    praise="below 2: at that price three digits alone leave z_g; a copy of them elsewhere would double what is saved",
    otherwise="what does one cell spend that is empty half of the time, and in how many ways can all six cells stand?",
)  # fmt: skip

# ---- 5.5: when are they told apart?

ROW, GOOD, LOOK = 3, 0.9, 20  # looks in a row whose mean has to reach this; steps between looks
# (accuracies by look, cap)
CURVES = (
    ([0.5, 0.95, 0.95, 0.79, 0.97], 2000),
    ([0.91, 0.9, 0.9], 2000),
    ([0.99, 0.99], 2000),
    ([0.6, 0.7, 0.8, 0.91, 0.86, 0.92, 0.95], 2000),
    ([0.95, 0.95, 0.95, 0.95, 0.5, 0.5], 2000),
    ([0.5, 0.5, 0.5], 60),
)


def told_apart_at(accuracies: Sequence[float], cap: int) -> int:
    """The step of the first look at which the mean of three in a row is 90 %, or the cap."""
    for end in range(ROW, len(accuracies) + 1):
        if sum(accuracies[end - ROW : end]) / ROW >= GOOD:
            return LOOK * end
    return cap


def _first_look(accuracies: Sequence[float], cap: int) -> int:
    return next((LOOK * n for n, value in enumerate(accuracies, 1) if value >= GOOD), cap)


def _all_three(accuracies: Sequence[float], cap: int) -> int:
    ends = range(ROW, len(accuracies) + 1)
    return next((LOOK * end for end in ends if min(accuracies[end - ROW : end]) >= GOOD), cap)


def _last_three(accuracies: Sequence[float], cap: int) -> int:
    enough = len(accuracies) >= ROW and sum(accuracies[-ROW:]) / ROW >= GOOD
    return LOOK * len(accuracies) if enough else cap


def _without_cap(accuracies: Sequence[float], cap: int) -> int:
    found = told_apart_at(accuracies, cap)
    return LOOK * len(accuracies) if found == cap else found


def _looks(accuracies: Sequence[float], cap: int) -> int:
    found = told_apart_at(accuracies, cap)
    return found if found == cap else found // LOOK


def _first_of_three(accuracies: Sequence[float], cap: int) -> int:
    found = told_apart_at(accuracies, cap)
    return found if found == cap else found - (ROW - 1) * LOOK


STEPS = Exercise(
    number="5.5",
    asks="a function told_apart_at(accuracies, cap): D-Steps, from a classifier's accuracy at every 20th step",
    solution=told_apart_at,
    same=same_function(*CURVES, tolerance=0.5),
    mistakes=(
        Mistake(_first_look, "one lucky look is enough for this; three in a row make it steadier"),
        Mistake(_all_three, "all three reach 0.9 here; their mean has to"),
        Mistake(
            _looks,
            "this counts looks; between two of them lie 20 steps",
        ),
        Mistake(
            _first_of_three,
            "the step is that of the last of the three looks: before it nobody could know",
        ),
        Mistake(_last_three, "these are the last three looks; the first three in a row that reach it count"),
        Mistake(_without_cap, "where they are never told apart, D-Steps is the cap"),
    ),
    praise="a number with a direction and no unit: it says something beside another model's, and beside real scenes'",
    otherwise="go through the looks, and stop at the first whose mean with the two before it reaches 0.9",
)

EXERCISES: tuple[Exercise, ...] = (SAMPLES, CORRECTED, EFFECTIVE, PRICE, STEPS)
