"""Chapter 8, DooD: its exercises."""

from collections.abc import Callable

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, same_function, same_number

# ---- 8.1: how many strokes are to be expected?

GO_ON = torch.tensor([0.9, 0.6, 0.5], dtype=torch.float64)  # probability of stroke t, given the one before it

HOW_MANY = Exercise(
    number="8.1",
    asks="mean number of strokes when strokes 1, 2, 3 follow the one before with probability 0.9, 0.6, 0.5",
    solution=float(GO_ON.cumprod(0).sum()),
    same=same_number(1e-3),
    mistakes=(
        Mistake(float(GO_ON.sum()), "stroke 2 can only be drawn if stroke 1 was: multiply before you add"),
        Mistake(float(GO_ON.prod()), "this is the probability of all three; one stroke and two strokes count as well"),
        Mistake(3 * float(GO_ON.prod()), "drawings with fewer than three strokes are left out"),
        Mistake(
            float(GO_ON.cumprod(0) @ torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)),
            "the probability of reaching stroke t is counted t times; each stroke that is reached counts once",
        ),
        Mistake(float((1 - GO_ON).cumprod(0).sum()), "these are the probabilities of stopping, not of going on"),
    ),
    praise="the probability that stroke t is reached, summed over t; the package's loss reports q's as `parts`",
    otherwise="find the probability that there is a first stroke, a second, a third, and add the three",
)

# ---- 8.2: from going on to stopping


def stop_probabilities(go_on: Tensor) -> Tensor:
    """(T) probabilities of going on to (T + 1) probabilities of stopping after 0 ... T strokes."""
    one = go_on.new_ones(1)
    return torch.cat([one, go_on.cumprod(0)]) * torch.cat([1 - go_on, one])


STORIES = ((torch.tensor([0.9, 0.6, 0.5]),), (torch.tensor([0.2, 0.7]),), (torch.tensor([1.0, 0.5, 0.0, 0.3]),))

WHERE_IT_STOPS = Exercise(
    number="8.2",
    asks="stops(go_on): probabilities of stopping after 0 ... T strokes, from the T probabilities of going on",
    solution=stop_probabilities,
    same=same_function(*STORIES),
    mistakes=(
        Mistake(
            lambda go_on: torch.cat([go_on.new_ones(1), go_on.cumprod(0)]),
            "these are the probabilities of getting as far as t; some of those go on, so they do not sum to 1",
        ),
        Mistake(
            lambda go_on: torch.cat([go_on.new_ones(1), go_on.cumprod(0)[:-1]]) * (1 - go_on),
            "the last stop is missing: after T strokes there is no coin, the drawing ends",
        ),
        Mistake(
            lambda go_on: torch.cat([1 - go_on, go_on.new_ones(1)]),
            "a drawing stops after t strokes only if it got there: the coins before are missing",
        ),
        Mistake(
            lambda go_on: torch.cat([1 - go_on, go_on.prod()[None]]),
            "right at both ends; in between, the coins that came before are missing",
        ),
        Mistake(
            lambda go_on: stop_probabilities(1 - go_on), "the coins are the wrong way round: they say go on, not stop"
        ),
    ),
    praise="T coins, T + 1 outcomes, and they sum to 1",
    otherwise="stopping after t: heads on the first t coins, tails on the next, if there is one",
)

# ---- 8.3: from stopping back to going on


def go_on_probabilities(stops: Tensor) -> Tensor:
    """(T + 1) probabilities of stopping to (T) of going on, given that one got so far."""
    rest = stops.flip(0).cumsum(0).flip(0)
    return rest[1:] / rest[:-1]


POSTERIORS = ((torch.tensor([0.1, 0.2, 0.3, 0.4]),), (torch.tensor([0.05, 0.9, 0.05]),), (torch.tensor([0.5, 0.5]),))

GOING_ON = Exercise(
    number="8.3",
    asks="coins(stops): the T probabilities of going on that give these T + 1 probabilities of stopping",
    solution=go_on_probabilities,
    same=same_function(*POSTERIORS),
    mistakes=(
        Mistake(
            lambda stops: 1 - stops[:-1],
            "this is right for the first coin alone; later ones are asked only of drawings that got so far",
        ),
        Mistake(
            lambda stops: stops.flip(0).cumsum(0).flip(0)[1:],
            "this is the probability of reaching stroke t from the start; the coin is asked of those at t - 1",
        ),
        Mistake(
            lambda stops: stops[1:] / stops[:-1],
            "two neighbouring stops, one over the other: this can be above 1, a coin cannot",
        ),
        Mistake(lambda stops: 1 - go_on_probabilities(stops), "the coins are the wrong way round: heads is to go on"),
        Mistake(
            lambda stops: stops[1:] / (stops[1:] + stops[:-1]),
            "going on does not mean stopping at the very next place: all later places count",
        ),
    ),
    praise="these are the targets that q_on learns by logistic regression",
    otherwise="of the drawings that got as far as t - 1, which share got as far as t? Sum the later stops",
)

# ---- 8.4: what a stroke has to draw

SCALE, STROKE_KL, PRICE = 0.1, 11.0, 10.0  # b of the Laplace likelihood; nats, nats

WHAT_PAYS = Exercise(
    number="8.4",
    asks="how much absolute error, in pixels of full ink, a stroke has to remove before it pays",
    solution=SCALE * (STROKE_KL + PRICE),
    same=same_number(1e-3),
    mistakes=(
        Mistake(SCALE * STROKE_KL, "the price is missing: it is asked on top of the KL"),
        Mistake((STROKE_KL + PRICE) / SCALE, "divide the error by b to get nats, so multiply nats by b to get error"),
        Mistake(STROKE_KL + PRICE, "these are nats; a unit of error is worth 1/b of them"),
        Mistake(
            2 * SCALE * (STROKE_KL + PRICE),
            "the Laplace density is exp(-|error| / b) / 2b: its 2 b is the same with and without the stroke",
        ),
        Mistake(
            (2 * SCALE**2 * (STROKE_KL + PRICE)) ** 0.5, "that is a Gaussian's bill; under a Laplace density errors add"
        ),
    ),
    praise="two pixels of ink: at b = 0.01 a fifth of a pixel would do, and thickening strokes pay",
    otherwise="write down the gain in log likelihood, error / b, and set it equal to what the stroke costs",
)

# ---- 8.5: a stroke is taken back


def lift(canvas: Tensor, stroke: Tensor, opacity: float) -> Tensor:
    """The canvas before this stroke was laid over it."""
    return 1 - (1 - canvas) / (1 - opacity * stroke)


PAGES = (
    (torch.tensor([0.9, 0.5, 0.2]), torch.tensor([0.8, 0.5, 0.0]), 0.995),
    (torch.tensor([[0.6, 0.1]]), torch.tensor([[0.25, 0.1]]), 0.5),
)


def lift_with(undo: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, float], Tensor]:
    """Wrong answers: another way to undo, given the canvas and the light that the stroke takes away."""
    return lambda canvas, stroke, opacity: undo(canvas, opacity * stroke)


TAKEN_BACK = Exercise(
    number="8.5",
    asks="lift(canvas, stroke, opacity): the canvas as it was before soft-or laid the stroke over it",
    solution=lift,
    same=same_function(*PAGES),
    mistakes=(
        Mistake(
            lift_with(lambda canvas, taken: canvas - taken),
            "this undoes a sum; where two strokes cross it goes below the truth",
        ),
        Mistake(
            lift_with(lambda canvas, taken: 1 - (1 - canvas) * (1 - taken)),
            "this lays the stroke over once more instead of taking it back",
        ),
        Mistake(
            lift_with(lambda canvas, taken: (1 - canvas) / (1 - taken)),
            "this is the light that is left, not the ink: take it from 1",
        ),
        Mistake(lambda canvas, stroke, opacity: lift(canvas, stroke, 1.0 - 1e-6), "the opacity is lost"),
        Mistake(
            lift_with(lambda canvas, taken: canvas / (1 - taken)),
            "light is what multiplies, so divide 1 - canvas and not the canvas",
        ),
    ),
    praise="no stroke is ever quite lost under another, because the opacity stays below 1",
    otherwise="think of 1 - canvas, the light that is left: each stroke multiplies it by 1 - opacity stroke",
)

EXERCISES: tuple[Exercise, ...] = (HOW_MANY, WHERE_IT_STOPS, GOING_ON, WHAT_PAYS, TAKEN_BACK)
