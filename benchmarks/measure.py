"""CPU time and peak tensor memory of a function, alone or in turn with a reference."""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

Work = Callable[[], object]


class Effort(NamedTuple):
    """How often something is measured."""

    pairs: int
    """Times that reference and ours are measured in turn; odd, so that there is a median."""
    rounds: int
    """Calls of each in a pair; the least time counts."""

    def words(self) -> str:
        """The same, for the report."""
        pairs, rounds = (f"{n} {word}{'s' if n > 1 else ''}" for n, word in zip(self, ("pair", "round"), strict=True))
        return f"CPU time of the process; reference and ours in turn, {pairs}, each the least of {rounds}"


FULL, QUICK = Effort(5, 3), Effort(1, 1)


class Pair(NamedTuple):
    """Two numbers of the same unit, ours and the reference's."""

    ours: float
    reference: float

    @property
    def ratio(self) -> float:
        """reference / ours."""
        return self.reference / self.ours


class Pairs(NamedTuple):
    """Several pairs, measured in turn, as their ratios have them."""

    middle: Pair
    """The one whose ratio is the median, not the least of each number: its two were measured at the same time."""
    low: float
    """The least ratio of any pair."""
    high: float
    """The greatest."""


def cpu_milliseconds(work: Work, rounds: int) -> float:
    """Process CPU time of one call in milliseconds, the least of several rounds. There is no warm-up."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1000 * min(times)


def by_ratio(pairs: list[Pair]) -> Pairs:
    """The median pair and the range of the ratios."""
    ordered = sorted(pairs, key=lambda pair: pair.ratio)
    return Pairs(ordered[len(ordered) // 2], ordered[0].ratio, ordered[-1].ratio)


def in_turn(ours: Work, reference: Work, effort: Effort) -> Pairs:
    """CPU milliseconds of both, in turn and after a warm-up, so that a busy machine slows both."""
    reference(), ours()
    pairs = []
    for _ in range(effort.pairs):
        theirs = cpu_milliseconds(reference, effort.rounds)
        pairs.append(Pair(cpu_milliseconds(ours, effort.rounds), theirs))
    return by_ratio(pairs)


class PeakMemory(TorchDispatchMode):
    """Follows every tensor that is made while it is on, and keeps the largest sum of living bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self.alive = WeakTensorKeyDictionary()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, then count what is alive; views share their storage and count once.

        What was there before (parameters, inputs) does not count, nor do views of it.
        """
        given = {_storage(leaf)[0] for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        before = given - {place for place, _ in self.alive.values()}
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and _storage(tensor)[0] not in before:
                self.alive[tensor] = _storage(tensor)
        self.peak = max(self.peak, sum(dict(self.alive.values()).values()))
        return result


def _storage(tensor: torch.Tensor) -> tuple[int, int]:
    """Where a tensor's numbers lie, and how many bytes they take."""
    return tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()


def peak_mebibytes(work: Work) -> float:
    """Most memory that tensors made by one call hold at once, in MiB."""
    with PeakMemory() as memory:
        work()
    return memory.peak / 2**20
