"""Chapter 8, DooD: its exercises."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 8.1: how many strokes are to be expected?

GO_ON = torch.tensor([0.9, 0.6, 0.5], dtype=torch.float64)  # probability of stroke t, given the one before it

HOW_MANY = Exercise(
    number="8.1",
    asks="mean number of strokes when strokes 1, 2, 3 follow the one before with probability 0.9, 0.6, 0.5",
    solution=float(GO_ON.cumprod(0).sum()),
    same=SameNumber(1e-3),
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

# ---- 8.2: what the coins should say


def targets(worth: Tensor, price: float) -> Tensor:
    """(T + 1) worths of stopping to the (T) probabilities of going on that the best coins have."""
    rest = (worth - price * torch.arange(len(worth))).flip(0).logcumsumexp(0).flip(0)
    return rest.diff().exp()


def _naive(worth: Tensor, price: float) -> Tensor:
    stops = (worth - price * torch.arange(len(worth))).softmax(0)
    rest = stops.flip(0).cumsum(0).flip(0)
    return rest[1:] / rest[:-1]


WORTHS = (
    (torch.tensor([-8.0, -3.0, 0.0, 0.5]), 1.0),
    (torch.tensor([0.0, 4.0, 5.0]), 2.0),
    (torch.tensor([0.0, 11.0]), 10.0),
)
FAR_WORTHS = (
    (torch.tensor([0.0, -800.0, -1600.0]), 1.0),
    (torch.tensor([0.0, -900.0, -898.0, -899.5]), 1.0),  # hardly ever on to stroke 1; from there on as ever
)


COINS = Exercise(
    number="8.2",
    asks="targets(worth, price): the T probabilities of going on, from the T + 1 worths and the price of a stroke",
    solution=targets,
    same=same_function(*WORTHS, tolerance=1e-3, far=FAR_WORTHS),
    mistakes=(
        Mistake(
            _naive,
            "right for small differences; worths differ by hundreds of nats, and exp of that is 0: stay in logarithms",
        ),
        Mistake(lambda worth, price: targets(worth, 0.0), "the price is not in it: t strokes cost t times the price"),
        Mistake(
            lambda worth, price: targets(worth, -price), "the sign of the price: a dear stroke is drawn less often"
        ),
        Mistake(
            lambda worth, price: (worth - price * torch.arange(len(worth))).softmax(0).flip(0).cumsum(0).flip(0)[1:],
            "this is the probability of reaching stroke t from the start; the coin is asked of those at t - 1",
        ),
        Mistake(
            lambda worth, price: (worth.diff() - price).sigmoid(),
            "going on does not mean stopping at the very next place: all later places count",
        ),
        Mistake(lambda worth, price: 1 - targets(worth, price), "the coins are the wrong way round: heads is to go on"),
    ),
    praise="these are the targets that q(o) and p(o) learn by logistic regression",
    otherwise="first the best posterior over stops; then: of those that got as far as t - 1, which share goes on?",
)

# ---- 8.3: how much is lost by a coin


def gap(worth: Tensor, log_p: Tensor, log_q: Tensor) -> Tensor:
    """How far the ELBO of q lies below the bound with the stop summed out, for one drawing; nats."""
    return (log_p + worth).logsumexp(0) - (log_q.exp() * (worth + log_p - log_q)).sum()


def of_stops(*probabilities: float) -> Tensor:
    """Logarithms of probabilities of stopping."""
    return torch.tensor(probabilities).log()


DRAWINGS = (
    (torch.tensor([-2.0, 0.0, 0.5]), of_stops(0.5, 0.25, 0.25), of_stops(0.2, 0.3, 0.5)),
    (torch.tensor([1.0, -1.0]), of_stops(0.5, 0.5), of_stops(0.9, 0.1)),
)


def kl(log_q: Tensor, log_p: Tensor) -> Tensor:
    """KL divergence of two distributions over stops."""
    return (log_q.exp() * (log_q - log_p)).sum()


LOST = Exercise(
    number="8.3",
    asks="gap(worth, log_p, log_q): how many nats the ELBO of q lies below the bound with the stop summed out",
    solution=gap,
    same=same_function(*DRAWINGS),
    mistakes=(
        Mistake(lambda worth, log_p, log_q: -gap(worth, log_p, log_q), "the sign: the ELBO is the lower of the two"),
        Mistake(
            lambda worth, log_p, log_q: kl((log_p + worth).log_softmax(0), log_q),
            "a KL, and of the right two distributions, but the wrong way round: the average is over q",
        ),
        Mistake(
            lambda worth, log_p, log_q: kl(log_q, log_p), "this is the distance to the prior; the worths are not in it"
        ),
        Mistake(
            lambda worth, log_p, log_q: kl(log_q, worth.log_softmax(0)), "the best posterior has the prior in it too"
        ),
        Mistake(
            lambda worth, log_p, log_q: -(log_q.exp() * (worth + log_p - log_q)).sum(),
            "this is the ELBO with its sign turned; the bound itself is missing",
        ),
    ),
    praise="it is the KL from q to the best posterior: zero when the coins say what they should",
    otherwise="compute the bound, a logsumexp; compute the ELBO, a sum over stops; take the difference",
)

# ---- 8.4: what a stroke has to draw

SCALE, STROKE_KL, PRICE = 0.1, 11.0, 10.0  # b of the Laplace likelihood; nats, nats

WHAT_PAYS = Exercise(
    number="8.4",
    asks="how much absolute error, in pixels of full ink, a stroke has to remove before it pays",
    solution=SCALE * (STROKE_KL + PRICE),
    same=SameNumber(1e-3),
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

# ---- 8.6: good enough


def enough(images: Tensor, canvases: Tensor, error: float) -> Tensor:
    """(B) numbers of strokes: the fewest whose page is off by `error` of the ink at most, or all where none is."""
    return first(good_enough(images, canvases, error))


def good_enough(images: Tensor, canvases: Tensor, error: float) -> Tensor:
    """(B, 1, H, W) images and (B, T + 1, H, W) pages to (B, T + 1), yes or no; a blank page is, for a blank image."""
    return (images - canvases).abs().sum((2, 3)) <= error * images.sum((2, 3))


def first(good: Tensor) -> Tensor:
    """(B, T + 1) yes or no to the place of the first yes, or of the last page where there is none."""
    return torch.where(good.any(1), good.int().argmax(1), good.shape[1] - 1)


def _pages() -> tuple[Tensor, Tensor]:
    """Three pictures of unlike ink, with five pages each: one gets better, one worse again, one is hardly begun.

    The first has ink on its pages also where the picture has none.
    """
    ink = torch.tensor([1.0, 0.5, 0.8]).view(3, 1, 1, 1)
    images = ink * torch.rand(3, 1, 5, 5, generator=Generator().manual_seed(0))
    shares = torch.tensor([[0.0, 0.55, 0.78, 0.9, 0.95], [0.0, 0.9, 0.85, 0.7, 0.5], [0.0, 0.1, 0.2, 0.3, 0.35]])
    pages = images * shares[..., None, None]
    pages[0, 1:] += 0.05 * torch.tensor([4.0, 3.0, 2.0, 1.0]).view(4, 1, 1) * images[0].flip(-1)
    return images, pages


ENOUGH = Exercise(
    number="8.6",
    asks="enough(images, canvases, error): the fewest strokes whose page is off by that share of the ink at most",
    solution=enough,
    same=same_function((*_pages(), 0.25), (*_pages(), 0.12), (*_pages(), 1.0), tolerance=1e-3),
    mistakes=(
        Mistake(lambda x, pages, e: enough(x, pages, e) + 1, "this counts pages; the first has no stroke on it"),
        Mistake(
            lambda x, pages, e: good_enough(x, pages, e).int().argmax(1),
            "where no page is good enough, all strokes are needed; argmax of no at all is 0",
        ),
        Mistake(
            lambda x, pages, e: (x - pages).abs().sum((2, 3)).argmin(1),
            "this is the best page; the first that is good enough may come before it",
        ),
        Mistake(
            lambda x, pages, e: first((x - pages).abs().mean((2, 3)) <= e),
            "the error is asked as a share of the picture's ink, not of its pixels: black ones are right for nothing",
        ),
        Mistake(
            lambda x, pages, e: first((x - pages).abs().sum((2, 3)) / pages.sum((2, 3)).clamp(min=1e-6) <= e),
            "a share of the ink that was written, not of that on the page",
        ),
        Mistake(
            lambda x, pages, e: (~good_enough(x, pages, e)).sum(1).clamp(max=pages.shape[1] - 1),
            "this counts pages that are not good enough; a later stroke may have made a good one worse",
        ),
        Mistake(
            lambda x, pages, e: (~good_enough(x, pages, e)).sum(1),
            "this counts pages that are not good enough: a later stroke may have made a good one worse, and where none "
            "is good enough there is a page more than there are strokes",
        ),
        Mistake(
            lambda x, pages, e: first((x - pages).sum((2, 3)).abs() <= e * x.sum((2, 3))),
            "ink too much and ink too little cancel here: take absolute values pixel by pixel, then the sum",
        ),
    ),
    praise="every page of a drawing is a drawing: one can stop it anywhere, and say what that costs",
    otherwise="begin with the error of every page as a share of the picture's ink: a table, pictures by pages",
)

EXERCISES: tuple[Exercise, ...] = (HOW_MANY, COINS, LOST, WHAT_PAYS, TAKEN_BACK, ENOUGH)
