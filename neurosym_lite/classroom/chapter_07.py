"""Chapter 7, the Bezier renderer: its exercises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function
from neurosym_lite.render.bezier import curve

# ---- 7.1: where is the pen at a quarter of the parameter?

STROKE = torch.tensor([0.0, 16.0, 32.0, 64.0], dtype=torch.float64)  # x of four control points, pixels
QUARTER = 0.25
SHARES = torch.tensor([27.0, 27.0, 9.0, 1.0], dtype=torch.float64) / 64

WHERE_IS_THE_PEN = Exercise(
    number="7.1",
    asks="x at t = 1/4 of the cubic with control points at x = 0, 16, 32, 64",
    solution=float(SHARES @ STROKE),
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(float(SHARES.flip(0) @ STROKE), "this is x at t = 3/4: which of the two ends does t = 0 belong to?"),
        Mistake(QUARTER * 64.0, "a quarter of the way from the first point to the last: the others pull too"),
        Mistake(12.0, "a quarter along the polygon of control points; the curve cuts its corners"),
        Mistake(
            float(SHARES / torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) @ STROKE),
            "the binomial coefficients are missing: your weights do not sum to 1",
        ),
        Mistake(
            float(torch.tensor([9.0, 6.0, 1.0], dtype=torch.float64) / 16 @ STROKE[:3]),
            "these are the weights of three control points; here are four, so the degree is 3",
        ),
    ),
    praise="three rounds of cutting, or one row of Bernstein weights",
    otherwise="cut every leg of the polygon at a quarter, three times over; what is left is the point",
)

# ---- 7.2: the same curve with one more control point


def elevate(points: Tensor) -> Tensor:
    """Control points of the same curve, one degree higher: (P, 2) to (P + 1, 2)."""
    count = len(points)
    share = torch.arange(1, count, dtype=points.dtype)[:, None] / count
    return torch.cat([points[:1], share * points[:-1] + (1 - share) * points[1:], points[-1:]])


def midpoints(points: Tensor) -> Tensor:
    """Half of each neighbour, wherever the new point is."""
    return torch.cat([points[:1], (points[:-1] + points[1:]) / 2, points[-1:]])


def shares_swapped(points: Tensor) -> Tensor:
    """The two shares the wrong way round."""
    count = len(points)
    share = torch.arange(1, count, dtype=points.dtype)[:, None] / count
    return torch.cat([points[:1], (1 - share) * points[:-1] + share * points[1:], points[-1:]])


def by_the_degree(points: Tensor) -> Tensor:
    """Shares over the old degree instead of the new one."""
    share = torch.arange(1, len(points), dtype=points.dtype)[:, None] / (len(points) - 1)
    return torch.cat([points[:1], share * points[:-1] + (1 - share) * points[1:], points[-1:]])


TRIANGLE = torch.tensor([[0.0, 0.0], [0.5, 1.0], [1.0, -0.5]])
PENTAGON = torch.tensor([[-0.6, -0.4], [0.9, -0.9], [0.0, 0.1], [-0.7, 0.8], [0.6, 0.5]])

ONE_MORE_POINT = Exercise(
    number="7.2",
    asks="elevate(points): the P + 1 control points that draw the same curve as P points do",
    solution=elevate,
    same=same_function((TRIANGLE,), (PENTAGON,)),
    mistakes=(
        Mistake(midpoints, "a new point halfway between its neighbours changes the curve: the shares depend on place"),
        Mistake(
            lambda points: torch.cat([points, points[-1:]]),
            "the last point twice draws another curve: it lingers at the end",
        ),
        Mistake(shares_swapped, "the shares are swapped: near the start, the new point is close to the second old one"),
        Mistake(by_the_degree, "divide by P, the new degree, not by P - 1"),
        Mistake(
            lambda points: curve(points, len(points) + 1),
            "these are points on the curve; control points lie off it, but for the two ends",
        ),
    ),
    praise="so strokes of different degrees can share one tensor, with no change in the ink",
    otherwise="try it on a line from 0 to 1: the new middle point has to be 1/2; then on three points",
)

# ---- 7.3: how much line a sample stands for


def shares_of(samples: Tensor) -> Tensor:
    """Half of both neighbouring pieces."""
    pieces = samples.diff(dim=0).norm(dim=-1)
    none = torch.zeros(1, dtype=samples.dtype)
    return (torch.cat([none, pieces]) + torch.cat([pieces, none])) / 2


def with_pieces(combine: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Wrong answers: another combination of the pieces before and after a sample."""

    def wrong(samples: Tensor) -> Tensor:
        pieces = samples.diff(dim=0).norm(dim=-1)
        none = torch.zeros(1, dtype=samples.dtype)
        return combine(torch.cat([none, pieces]), torch.cat([pieces, none]))

    return wrong


LINES = (
    (torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 5.0], [9.0, 13.0]]),),
    (torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]),),
)

SHARES_OF_A_LINE = Exercise(
    number="7.3",
    asks="shares(samples): for points along a line, (N, 2), how much length each of them stands for",
    solution=shares_of,
    same=same_function(*LINES),
    mistakes=(
        Mistake(
            with_pieces(lambda before, after: before + after),
            "every piece is counted twice: the sum has to be the length of the line",
        ),
        Mistake(
            with_pieces(lambda before, after: after), "each piece goes to the sample before it, and the last gets none"
        ),
        Mistake(
            with_pieces(lambda before, after: before), "each piece goes to the sample after it, and the first gets none"
        ),
        Mistake(
            with_pieces(lambda before, after: (before.square() + after.square()) / 2),
            "lengths, not squares of lengths: the root is missing",
        ),
        Mistake(
            with_pieces(lambda before, after: (before + after).sum() / 2 / len(before) * torch.ones_like(before)),
            "equal shares are right only if the samples are evenly spaced",
        ),
    ),
    praise="that is the trapezoid rule, and it needs no formula for the curve",
    otherwise="cut the line in the middle of each piece: a sample gets what lies between its two cuts",
)

# ---- 7.4: how far ink reaches


def reach(radius: float, softness: float, level: float) -> float:
    """Distance from the line at which the ink is `level`."""
    return math.sqrt(radius**2 + 2 * radius * softness * math.log(1 / level - 1))


REACHES = ((1.5, 0.3, 0.1), (2.0, 0.5, 0.5), (3.0, 0.2, 0.95))

HOW_FAR = Exercise(
    number="7.4",
    asks="reach(radius, softness, level): the distance, in pixels, at which the ink is `level`",
    solution=reach,
    same=same_function(*REACHES, tolerance=1e-4),
    mistakes=(
        Mistake(
            lambda r, s, q: r + s * math.log(1 / q - 1),
            "close, near the edge: that is the ink of sigmoid((r - d) / s), not of the chapter's formula",
        ),
        Mistake(
            lambda r, s, q: math.sqrt(max(0.0, r**2 - 2 * r * s * math.log(1 / q - 1))),
            "the sign: lighter ink lies farther out, so the reach has to grow as the level falls",
        ),
        Mistake(
            lambda r, s, q: r**2 + 2 * r * s * math.log(1 / q - 1), "this is the squared distance: the root is missing"
        ),
        Mistake(
            lambda r, s, q: math.sqrt(r**2 + r * s * math.log(1 / q - 1)),
            "a factor 2 is lost: it is 2 r s that divides r^2 - d^2",
        ),
        Mistake(
            lambda r, s, q: math.sqrt(max(0.0, r**2 - 2 * r * s * math.log(q))),
            "the inverse of a sigmoid is log(q / (1 - q)); log q undoes an exponential",
        ),
    ),
    praise="at level 1/2 the softness drops out: the edge stays where it is while it blurs",
    otherwise="set the ink equal to the level, undo the sigmoid, and solve for d",
)

# ---- 7.5: the frame of a line


def frame(a: Tensor, b: Tensor) -> Tensor:
    """l of the frame whose left and right middle, (-1, 0) and (1, 0), lie at a and b."""
    way = b - a
    return torch.stack([*((a + b) / 2), way.norm() / 2, torch.atan2(way[1], way[0])])


def frame_with(
    shift: Callable[[Tensor, Tensor], Tensor] = lambda a, b: (a + b) / 2,
    scale: float = 0.5,
    turn: Callable[[Tensor], Tensor] = lambda way: torch.atan2(way[1], way[0]),
) -> Callable[[Tensor, Tensor], Tensor]:
    """Wrong answers: another shift, factor of the scale, or angle."""
    return lambda a, b: torch.stack([*shift(a, b), scale * (b - a).norm(), turn(b - a)])


ENDS = (
    (torch.tensor([-0.5, 0.1]), torch.tensor([0.3, 0.7])),
    (torch.tensor([0.4, 0.2]), torch.tensor([-0.2, -0.6])),
)

FRAME_OF_A_LINE = Exercise(
    number="7.5",
    asks="frame(a, b): l = (shift x, shift y, scale, rotation) that puts (-1, 0) at a and (1, 0) at b",
    solution=frame,
    same=same_function(*ENDS),
    mistakes=(
        Mistake(
            frame_with(scale=1.0), "twice too large: the frame is 2 wide, from -1 to 1, and the line has to fill it"
        ),
        Mistake(frame_with(shift=lambda a, b: a), "the shift is where the frame's middle goes, not its left side"),
        Mistake(
            frame_with(turn=lambda way: torch.atan(way[1] / way[0])),
            "right for lines that run to the right; atan cannot tell them from those that run to the left",
        ),
        Mistake(frame_with(turn=lambda way: torch.atan2(way[0], way[1])), "atan2 takes y first, then x"),
        Mistake(lambda a, b: frame(b, a), "the ends are swapped, half a turn too much: (-1, 0) has to lie at a"),
        Mistake(
            frame_with(turn=lambda way: torch.atan2(-way[1], way[0])),
            "the sign of the angle: y points down here, and a positive rotation turns clockwise as seen",
        ),
        Mistake(frame_with(turn=lambda way: torch.atan2(way[1], way[0]) * 180 / math.pi), "the rotation is in radians"),
        Mistake(
            frame_with(turn=lambda way: torch.atan2(way[1], way[0]) % (2 * math.pi)),
            "the right turn, but between 0 and 2 pi: asked is one between -pi and pi",
        ),
    ),
    praise="two points say where, how large and which way up: four numbers, and none to spare",
    otherwise="the middle of the frame, (0, 0), goes to the shift; try a = (-1, 0) and b = (1, 0) first",
)

EXERCISES: tuple[Exercise, ...] = (
    WHERE_IS_THE_PEN,
    ONE_MORE_POINT,
    SHARES_OF_A_LINE,
    HOW_FAR,
    FRAME_OF_A_LINE,
)
