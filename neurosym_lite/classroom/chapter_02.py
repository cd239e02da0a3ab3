"""Chapter 2, rendering with spatial transformers: its exercises."""

from collections.abc import Callable

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function
from neurosym_lite.render.spatial import pixel_centres

# ---- 2.1: where does a canvas pixel look?

SCALE, SHIFT, PIXEL, GLIMPSE, CANVAS = 0.3, -0.4, 20, 16, 64
CENTRE = (2 * PIXEL + 1) / CANVAS - 1


def place(u: float) -> float:
    """Glimpse coordinate to place in the list of glimpse pixels."""
    return (u + 1) * GLIMPSE / 2 - 0.5


LOOK_UP = Exercise(
    number="2.1",
    asks="the place in a glimpse of 16 at which pixel 20 of 64 looks, for scale 0.3 and shift -0.4",
    solution=place((CENTRE - SHIFT) / SCALE),
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(
            place((2 * PIXEL / (CANVAS - 1) - 1 - SHIFT) / SCALE),
            "this is the place for align_corners=True: centres of the outer pixels at -1 and 1. Here their edges are",
        ),
        Mistake(
            place((2 * PIXEL / CANVAS - 1 - SHIFT) / SCALE),
            "you took the left edge of canvas pixel 20; its centre looks",
        ),
        Mistake(
            place((CENTRE - SHIFT) / SCALE) + 0.5,
            "half a pixel too far: number 0 of the glimpse has its centre half a pixel from the edge",
        ),
        Mistake(
            place(SHIFT + SCALE * CENTRE),
            "you sent the pixel through the box forwards; a canvas pixel looks up, through its inverse",
        ),
        Mistake(
            place(CENTRE - SHIFT / SCALE),
            "the scale divides the whole difference between pixel and shift, not the shift alone",
        ),
        Mistake(
            place((CENTRE + SHIFT) / SCALE),
            "the sign of the shift: the box lies left of the middle, and so does the pixel",
        ),
    ),
    praise="the canvas pixel looks up, through the inverse of the box",
    otherwise="find the pixel's centre first, then its coordinate inside the box, then the place in the list of 16",
)

# ---- 2.2: the sampler's matrix for a glimpse


def theta(scale: Tensor, shift: Tensor) -> Tensor:
    """Glimpse coordinates to canvas coordinates: the box itself."""
    return torch.cat([torch.diag(scale), shift[:, None]], dim=1)


def theta_of_paste(scale: Tensor, shift: Tensor) -> Tensor:
    """The chapter's own matrix, for the other direction."""
    return theta(1 / scale, -shift / scale)


def theta_shift_first(scale: Tensor, shift: Tensor) -> Tensor:
    """Shift inside the scaling."""
    return theta(scale, shift * scale)


BOXES = (
    (torch.tensor([0.3, 0.7]), torch.tensor([0.2, -0.5])),
    (torch.tensor([0.9, 0.1]), torch.tensor([-0.6, 0.4])),
)

SAMPLER = Exercise(
    number="2.2",
    asks="theta(scale, shift): the 2 x 3 matrix for affine_grid that cuts a glimpse",
    solution=theta,
    same=same_function(*BOXES),
    mistakes=(
        Mistake(theta_of_paste, "this one pastes: for a glimpse the output is the small picture, so which way is up?"),
        Mistake(
            lambda scale, shift: theta(1 / scale, shift),
            "the scale is the wrong way round: a small box would be cut out large",
        ),
        Mistake(lambda scale, shift: theta(scale, -shift), "the sign of the shift: the glimpse is taken at the mirror"),
        Mistake(
            lambda scale, shift: theta(scale.flip(0), shift.flip(0)),
            "x and y are swapped: the first row of theta is for x",
        ),
        Mistake(theta_shift_first, "the shift is in canvas coordinates already: the scale does not touch it"),
    ),
    praise="the sampler wants output to input, and for a glimpse that is the box itself",
    otherwise="theta maps a glimpse coordinate (x, y, 1) to the canvas coordinate that it reads; try it on the corners",
)

# ---- 2.3: from corners in pixels to a box


def to_where(corners: Tensor, n: int) -> Tensor:
    """Corners x0, y0, x1, y1 in pixels to scale x, scale y, shift x, shift y."""
    low, high = corners[:2], corners[2:]
    return torch.cat([(high - low) / n, (high + low) / n - 1])


def to_where_with(size: float, low: float, high: float, origin: float) -> Callable[[Tensor, int], Tensor]:
    """Wrong answers: another factor on the size, other weights on the corners, another origin."""

    def wrong(corners: Tensor, n: int) -> Tensor:
        first, last = corners[:2] / n, corners[2:] / n
        return torch.cat([size * (last - first), low * first + high * last - origin])

    return wrong


CORNERS = ((torch.tensor([10.0, 22.0, 20.0, 38.0]), 64), (torch.tensor([0.0, 5.0, 31.0, 9.0]), 40))

ANNOTATION = Exercise(
    number="2.3",
    asks="to_where(corners, n): scale x, scale y, shift x, shift y of a box given in pixels",
    solution=to_where,
    same=same_function(*CORNERS),
    mistakes=(
        Mistake(
            to_where_with(2.0, 1.0, 1.0, 1.0),
            "scale 1 covers the canvas, which is 2 wide in coordinates: yours is doubled",
        ),
        Mistake(to_where_with(1.0, 2.0, 0.0, 1.0), "your shift is the top left corner; it has to be the centre"),
        Mistake(
            to_where_with(1.0, 0.5, 0.5, 0.0), "your shift runs from 0 to 1 over the canvas; it has to run from -1 to 1"
        ),
        Mistake(
            lambda corners, n: to_where(corners[[1, 0, 3, 2]], n), "x and y are swapped: corners are x0, y0, x1, y1"
        ),
        Mistake(
            lambda corners, n: to_where(corners, n - 1),
            "pixel i covers [i, i + 1), so the canvas is n wide, not n - 1",
        ),
    ),
    praise="size over n is the scale, and the sum of the corners over n, less one, is the centre",
    otherwise="check with corners 0, 0, n, n: the scales have to be 1 and the shifts 0",
)

# ---- 2.4: an anti-aliased hat


def hats(scale: float, shift: float, glimpse: int, canvas: int, reach: float) -> Tensor:
    """Hat weights that reach `reach` glimpse pixels to each side, before any division."""
    position = (pixel_centres(canvas, torch.zeros(())) - shift) / scale
    index = (position + 1) * glimpse / 2 - 0.5
    return (1 - (index[:, None] - torch.arange(glimpse)).abs() / reach).clamp(min=0)


def density(scale: float, glimpse: int, canvas: int) -> float:
    """Glimpse pixels for each canvas pixel of the box."""
    return float(glimpse / (scale * canvas))


def smooth_matrix(scale: float, shift: float, glimpse: int, canvas: int) -> Tensor:
    """Hats as wide as a canvas pixel, at least one glimpse pixel, with rows that sum to about one."""
    reach = max(1.0, density(scale, glimpse, canvas))
    return hats(scale, shift, glimpse, canvas, reach) / reach


def wide_undivided(scale: float, shift: float, glimpse: int, canvas: int) -> Tensor:
    """Wider hats, rows not brought back to one."""
    return hats(scale, shift, glimpse, canvas, max(1.0, density(scale, glimpse, canvas)))


def inverted_ratio(scale: float, shift: float, glimpse: int, canvas: int) -> Tensor:
    """Canvas pixels for each glimpse pixel."""
    reach = max(1.0, 1 / density(scale, glimpse, canvas))
    return hats(scale, shift, glimpse, canvas, reach) / reach


def without_floor(scale: float, shift: float, glimpse: int, canvas: int) -> Tensor:
    """Hats that get narrower than a glimpse pixel."""
    reach = density(scale, glimpse, canvas)
    return hats(scale, shift, glimpse, canvas, reach) / reach


def rows_to_one(scale: float, shift: float, glimpse: int, canvas: int) -> Tensor:
    """Every row that sees anything made to sum to one."""
    wide = wide_undivided(scale, shift, glimpse, canvas)
    return wide / wide.sum(1, keepdim=True).clamp(min=1e-6)


AXES = ((0.0625, 0.013, 16, 64), (0.2, -0.3, 16, 64), (0.8, 0.1, 8, 32))

SMOOTH = Exercise(
    number="2.4",
    asks="smooth_matrix(scale, shift, glimpse, canvas): hats that are wide enough to skip no glimpse pixel",
    solution=smooth_matrix,
    same=same_function(*AXES, tolerance=1e-4),
    mistakes=(
        Mistake(
            wide_undivided, "the hats are wide enough now, but a constant picture gets brighter as its box shrinks"
        ),
        Mistake(inverted_ratio, "the ratio is upside down: it is small boxes that need wide hats"),
        Mistake(without_floor, "right for small boxes; in a large one the hat gets too narrow and leaves gaps"),
        Mistake(
            rows_to_one, "rows at the edge of the box have to fade; yours all sum to one, so the box gets a hard rim"
        ),
        Mistake(
            lambda scale, shift, glimpse, canvas: hats(scale, shift, glimpse, canvas, 1.0),
            "this is the chapter's matrix: its hats are one glimpse pixel wide, whatever the box",
        ),
    ),
    praise="every glimpse pixel is read now, so every one of them gets a gradient",
    otherwise="print the sums of rows and of columns for a box of 4 pixels, and for one of 51",
)

# ---- 2.5: the over operator

Layer = tuple[float, float, float]  # colour, mask, presence


def over(near: Layer, far: Layer, background: float) -> float:
    """The nearer object over the farther one over the background (Porter and Duff 1984)."""
    for colour, mask, present in (far, near):
        background = mask * present * colour + (1 - mask * present) * background
    return background


def colour_without_mask(near: Layer, far: Layer, background: float) -> float:
    """Algorithm 2's slip, made twice."""
    for colour, mask, present in (far, near):
        background = present * colour + (1 - mask * present) * background
    return background


def present_in_colour_only(near: Layer, far: Layer, background: float) -> float:
    """Absent objects cover what is behind them."""
    for colour, mask, present in (far, near):
        background = mask * present * colour + (1 - mask) * background
    return background


def added(near: Layer, far: Layer, background: float) -> float:
    """Both objects over the background, neither over the other."""
    (o1, m1, p1), (o2, m2, p2) = near, far
    return m1 * p1 * o1 + m2 * p2 * o2 + (1 - min(1.0, m1 * p1 + m2 * p2)) * background


PIXELS = (
    ((0.9, 0.5, 1.0), (0.2, 0.8, 1.0), 0.6),
    ((0.3, 0.7, 0.0), (0.8, 0.4, 1.0), 0.1),
    ((1.0, 0.6, 0.5), (0.4, 0.9, 0.8), 0.7),
)

IN_FRONT = Exercise(
    number="2.5",
    asks="over(near, far, background): a pixel of two objects of known order; an object is (colour, mask, presence)",
    solution=over,
    same=same_function(*PIXELS),
    mistakes=(
        Mistake(
            lambda near, far, background: over(far, near, background),
            "the farther object is in front: whichever is painted last covers the others",
        ),
        Mistake(
            lambda near, far, background: over((*near[:2], 1.0), (*far[:2], 1.0), background),
            "presence is missing: with presence 0 an object has to leave no trace",
        ),
        Mistake(colour_without_mask, "Algorithm 2's slip: what an object adds is its colour times its mask"),
        Mistake(present_in_colour_only, "an absent object punches a hole: presence belongs into the covering too"),
        Mistake(added, "the nearer object has to cover the farther one too, not just the background"),
    ),
    praise="no light is lost, and order decides; but order has no gradient, which is why GNM softens it",
    otherwise="paint in order: start from the background, put one object over it, then the other over the result",
)

EXERCISES: tuple[Exercise, ...] = (LOOK_UP, SAMPLER, ANNOTATION, SMOOTH, IN_FRONT)
