"""What a report is made of: one entry a number, ours beside a reference's, and where and when it was measured."""

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.measure import FULL, Effort, Pair, Pairs, Work, in_turn, peak_mebibytes
from neurosym_lite import __version__

DIGITS = 4  # significant ones of a number in the report
SECOND = 1000  # milliseconds
TIME, MEMORY = "CPU ms", "MiB"
HOW_MEMORY = "most bytes that tensors made by one call hold at once; what was there before the call does not count"


def significant(value: float | None, digits: int = DIGITS) -> float | None:
    """A number rounded to so many significant digits."""
    return None if value is None else float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class Entry:
    """One number of ours beside the reference's."""

    name: str
    group: str
    unit: str  # where there is a ratio less is better, so that one above 1 speaks for ours
    ours: float | None  # None: not reached
    reference: float | None  # None: there is none, or it was not reached; `missing` says which
    against: str  # what the reference is, or why there is none
    how: str  # how it was measured
    missing: str = ""  # a word where there is no reference: "none", "not reached"
    low: float | None = None  # least ratio of several pairs; None where there was one
    high: float | None = None  # and the greatest

    @property
    def ratio(self) -> float | None:
        """reference / ours."""
        return self.reference / self.ours if self.ours and self.reference is not None else None

    def as_dict(self) -> dict[str, str | float | None]:
        """Plain data, the numbers rounded; the ratio is that of the rounded numbers."""
        rounded = Entry(
            **asdict(self) | {name: significant(getattr(self, name)) for name in ("ours", "reference", "low", "high")}
        )
        return asdict(rounded) | {"ratio": significant(rounded.ratio)}


def timed(
    group: str, name: str, ours: Work, reference: Work, against: str, effort: Effort, *,
    part: int = 1, unit: str = TIME,
) -> Entry:  # fmt: skip
    """CPU time of both; `part`: how many times the reference's work would have to be done for ours."""
    how = effort.words() + (f"; the reference does a part of the work, its time is taken {part} times" * (part > 1))
    return of_pairs(group, name, unit, in_turn(ours, reference, effort), against, how, part)


def of_pairs(group: str, name: str, unit: str, pairs: Pairs, against: str, how: str, part: int = 1) -> Entry:
    """CPU time measured in several pairs of milliseconds; the reference's counts `part` times."""
    scale = 1 if unit == TIME else 1 / SECOND
    return Entry(
        name, group, unit, scale * pairs.middle.ours, scale * part * pairs.middle.reference, against, how,
        low=part * pairs.low, high=part * pairs.high,
    )  # fmt: skip


def memory(group: str, name: str, ours: Work, reference: Work, against: str) -> Entry:
    """Peak tensor memory of both."""
    pair = Pair(peak_mebibytes(ours), peak_mebibytes(reference))
    return Entry(name, group, MEMORY, *pair, against, HOW_MEMORY)


def alone(group: str, name: str, unit: str, value: float, reason: str, how: str) -> Entry:
    """A number that has no reference."""
    return Entry(name, group, unit, value, None, reason, how, "none")


def header(effort: Effort, keeps: bool = False) -> dict[str, str | int | bool]:
    """Where, when and with what a group is measured; `keeps`: is freed memory kept, as it is in training?"""
    return {
        "machine": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "allocator": "keeps freed memory, as in training" if keeps else "the system's settings",
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "package": __version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "quick": effort != FULL,
    }


def _processor() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
