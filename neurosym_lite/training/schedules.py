"""Numbers that change during training, as functions of the step."""

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Literal

from neurosym_lite.models.choices import check_choices


@dataclass(frozen=True)
class Schedule:
    """A curve through (step, value) points; constant before the first and after the last.

    Steps count from the start of the phase. `linear` joins the points by lines, `log` by lines in log(value) (values
    must be positive), `cosine` by half a cosine wave.
    """

    points: tuple[tuple[int, float], ...]
    curve: Literal["linear", "log", "cosine"] = "linear"

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown curve, steps that do not increase, and the log of what is not positive."""
        check_choices(self)
        steps = [step for step, _ in self.points]
        if not steps or steps != sorted(set(steps)):
            raise ValueError(f"schedule points need increasing steps, at least one: got {self.points}")
        if self.curve == "log" and min(value for _, value in self.points) <= 0:
            raise ValueError(f"a log schedule needs positive values: got {self.points}")

    def __call__(self, step: int) -> float:
        """The value at a step."""
        after = bisect_right([s for s, _ in self.points], step)
        if after == 0:
            return self.points[0][1]
        if after == len(self.points):
            return self.points[-1][1]
        (s0, v0), (s1, v1) = self.points[after - 1], self.points[after]
        fraction = (step - s0) / (s1 - s0)
        if self.curve == "log":
            return math.exp(math.log(v0) + fraction * (math.log(v1) - math.log(v0)))
        if self.curve == "cosine":
            fraction = 0.5 - 0.5 * math.cos(math.pi * fraction)
        return v0 + fraction * (v1 - v0)


def scaled(schedule: Schedule, factor: float) -> Schedule:
    """The same curve, `factor` times as high."""
    return replace(schedule, points=tuple((step, factor * value) for step, value in schedule.points))


def constant(value: float) -> Schedule:
    """The same value at every step."""
    return Schedule(((0, value),))


def linear(first: int, last: int, start: float, end: float) -> Schedule:
    """`start` until step `first`, then a line to `end` at step `last`."""
    return Schedule(((first, start), (last, end)))


def warm_cosine(steps: int, peak: float, end: float, warmup: int = 100) -> Schedule:
    """A learning rate: up by half a cosine from almost nothing over `warmup` steps, down by half a cosine to `end`.

    Raises ValueError unless 0 < warmup < steps.
    """
    if not 0 < warmup < steps:
        raise ValueError(f"warmup {warmup} must be above 0 and below steps {steps}")
    return Schedule(((0, peak / warmup), (warmup, peak), (steps, end)), "cosine")
