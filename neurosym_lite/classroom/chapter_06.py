"""Chapter 6, read, edit, imagine: its exercises."""

import math
from collections.abc import Sequence

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

Place = tuple[float, float]

# ---- 6.1: how far off a box may be

SIDE = 10.0  # pixels

OFF = Exercise(
    number="6.1",
    asks="up to which d a box of side 10 counts at an overlap of one half, when it is moved by d both ways",
    solution=SIDE - math.sqrt(2 * SIDE**2 / 3),
    same=SameNumber(0.01),
    mistakes=(
        Mistake(SIDE - SIDE / math.sqrt(2), "half of the box's own area is shared here; the union is larger than one "
                "box, so less may be lost"),
        Mistake(SIDE / 3, "right for a box that is moved one way; both ways lose more"),
        Mistake(SIDE / 2, "at half a side a quarter of the box is shared"),
        Mistake(math.sqrt(2 * SIDE**2 / 3), "this is the side of what is shared; d is what is missing from it"),
        Mistake(SIDE - math.sqrt(SIDE**2 / 3), "two boxes have an area of 200, not of 100; what they share "
                "is counted once"),
    ),
    praise="less than two pixels; at the overlaps up to 0.95 that the second column averages, a fraction of one",
    otherwise="what do the two boxes share, in terms of d? And what is their union, where that counts once?",
)  # fmt: skip

# ---- 6.2: eleven points

POINTS = 11
# (hits by falling confidence, true objects)
LISTS = (
    ((1, 1, 1), 3),
    ((0, 1, 0, 1), 2),
    ((1, 1, 0, 1), 3),
    ((1, 0, 1, 1, 0, 1), 4),
)
UNREACHED = (
    ((1, 1, 1, 1, 1, 0, 1, 1, 1, 0), 10),
    ((1, 0, 0, 0), 4),
    ((0, 0), 5),
    ((1,) * 9, 10),
)  # a recall of 1 is not reached by these


def _pairs(hits: Sequence[int], total: int) -> list[tuple[float, float]]:
    """(recall, precision) down the list."""
    right, pairs = 0, []
    for rank, hit in enumerate(hits, 1):
        right += hit
        pairs.append((right / total, right / rank))
    return pairs


def average_precision_of(hits: Sequence[int], total: int) -> float:
    """The mean over eleven recalls of the best precision at that recall or beyond."""
    pairs = _pairs(hits, total)
    best = [max((p for r, p in pairs if r >= k / (POINTS - 1) - 1e-9), default=0.0) for k in range(POINTS)]
    return sum(best) / POINTS


def _without_misses(hits: Sequence[int], total: int) -> float:
    pairs = _pairs(hits, total)
    best = [max((p for r, p in pairs if r >= k / (POINTS - 1) - 1e-9), default=None) for k in range(POINTS)]
    reached = [value for value in best if value is not None]
    return sum(reached) / len(reached)


def _first(hits: Sequence[int], total: int) -> float:
    pairs = _pairs(hits, total)
    first = [next((p for r, p in pairs if r >= k / (POINTS - 1) - 1e-9), 0.0) for k in range(POINTS)]
    return sum(first) / POINTS


def _at_hits(hits: Sequence[int], total: int) -> float:
    pairs = _pairs(hits, total)
    return sum(p for hit, (_, p) in zip(hits, pairs, strict=True) if hit) / total


def _ten_points(hits: Sequence[int], total: int) -> float:
    pairs = _pairs(hits, total)
    return sum(max((p for r, p in pairs if r >= k / 10 - 1e-9), default=0.0) for k in range(1, 11)) / 10


PRECISION = Exercise(
    number="6.2",
    asks="a function average_precision_of(hits, total): average precision at eleven points",
    solution=average_precision_of,
    same=same_function(*LISTS, tolerance=1e-4, far=UNREACHED),
    mistakes=(
        Mistake(_without_misses, "a recall that is never reached counts as zero: it is not left out, and a maximum of "
                "nothing needs a default"),
        Mistake(_first, "at each recall take the best precision of all pairs that reach it, not the first one's"),
        Mistake(_at_hits, "this averages the precision at each hit, which other fields call average precision; "
                "here it is eleven fixed recalls"),
        Mistake(_ten_points, "the recall of zero is one of the eleven"),
        Mistake(lambda hits, total: sum(hits) / len(hits), "this is the precision of the whole list; its order counts"),
        Mistake(lambda hits, total: sum(hits) / total, "this is the recall of the whole list"),
    ),
    praise="and nine objects of ten, without a false alarm, give ten elevenths: the last point is lost",
    otherwise="keep recall and precision down the list; at 0, 0.1, ..., 1 take the best precision that reaches it",
)  # fmt: skip

# ---- 6.3: does it point?

# (arrow, heading, solids)
SCENES = (
    ((0.0, -2.0), math.pi / 2, ((1.0, 0.0), (0.0, 2.0), (-1.5, 1.0))),
    ((0.0, 0.0), 3.1, ((-2.0, -0.3), (-2.0, 0.9), (2.0, 0.0))),
    ((0.0, 0.0), -3.1, ((-2.0, 0.3), (-2.0, -1.2), (2.0, 0.0))),
    ((1.0, -1.0), 0.2 + 4 * math.pi, ((3.0, -0.4), (1.0, 2.0))),
    ((0.5, -2.5), 2.5 - 2 * math.pi, ((0.5, 1.0), (-1.5, -1.0), (0.4, -1.5))),
    ((0.0, 0.0), 0.0, ((0.5, 0.4), (5.0, 0.5))),
    ((2.0, -2.0), math.pi / 2, ((2.0, 2.0), (0.0, 1.0), (-3.0, 1.0))),
    ((1.0, -1.0), 0.2 + 4 * math.pi, ((4.0, 0.0), (2.0, -3.0), (-1.0, -1.0))),
)


def _turn(arrow: Place, heading: float, solid: Place) -> float:
    return math.atan2(solid[1] - arrow[1], solid[0] - arrow[0]) - heading


def _wrapped(turn: float) -> float:
    return abs((turn + math.pi) % (2 * math.pi) - math.pi)


def _least(arrow: Place, heading: float, solids: Sequence[Place], size) -> float:
    return float(min(range(len(solids)), key=lambda i: size(_turn(arrow, heading, solids[i]))))


def points_at(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    """The number of the solid whose direction differs least from the heading."""
    return _least(arrow, heading, solids, _wrapped)


def _nearest(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    return float(min(range(len(solids)), key=lambda i: math.dist(arrow, solids[i])))


def _swapped(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    mirrored = [(solid[1], solid[0]) for solid in solids]
    return points_at((arrow[1], arrow[0]), heading, mirrored)


def _turned(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    return points_at(arrow, -heading, solids)


def _from_the_middle(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    return points_at((0.0, 0.0), heading, solids)


def _once_around(turn: float) -> float:
    return min(abs(turn), 2 * math.pi - abs(turn))


def _backwards(arrow: Place, heading: float, solids: Sequence[Place]) -> float:
    return points_at(arrow, heading + math.pi, solids)


POINTING = Exercise(
    number="6.3",
    asks="a function points_at(arrow, heading, solids): the number of the solid that the arrow points at most closely",
    solution=points_at,
    same=same_function(*SCENES, tolerance=0.1),
    mistakes=(
        Mistake(
            lambda arrow, heading, solids: _least(arrow, heading, solids, abs),
            "179 degrees and -179 are two degrees apart: bring the difference into [-pi, pi) before its size is taken",
        ),
        Mistake(
            lambda arrow, heading, solids: _least(arrow, heading, solids, lambda turn: turn),
            "a turn to the right is negative: the smallest number is not the smallest turn",
        ),
        Mistake(_nearest, "this is the nearest solid; distance has no say in where an arrow points"),
        Mistake(
            _swapped,
            "headings are measured from +x towards +y, and yours run like a compass from +y: if you did not mean it, "
            "does your atan2 get y first?",
        ),
        Mistake(_turned, "the heading's sign: headings grow from +x towards +y, and yours the other way"),
        Mistake(
            _backwards,
            "this is what the arrow's tail points at: does the way go from the arrow to the solid, and "
            "do you take the smallest miss?",
        ),
        Mistake(
            _from_the_middle, "these are directions as seen from the middle, (0, 0); the arrow sees from its own place"
        ),
        Mistake(
            lambda arrow, heading, solids: _least(arrow, heading, solids, _once_around),
            "a heading may be of any size: one full turn taken off is not always enough",
        ),
    ),
    praise="the package's judge does the same, and refuses misses of more than 15 degrees",
    otherwise="begin with one solid: in which direction does the arrow see it, and how far from its heading is that?",
)

# ---- 6.4: what a twin gives away

TWIN = Exercise(
    number="6.4",
    asks="how often the shape of one of the three solids can be named, at best, when the shape of another is known",
    solution=1 / 3,
    same=SameNumber(0.001),
    mistakes=(
        Mistake(1 / 2, "that is so if you are told of a twin; one time in three it is the odd one, and has no twin"),
        Mistake(2 / 3, "so often you are told of a twin; of the two others only one is like it"),
        Mistake(1 / 4, "the arrow is not asked about: three shapes are left"),
    ),
    praise="no better than without the hint: the grammar is a relation of three, and two of them alone do not show it",
    otherwise="how often is the solid that you are told of a twin, and how often is the second one then like it?",
)

EXERCISES: tuple[Exercise, ...] = (OFF, PRECISION, POINTING, TWIN)
