"""What an exercise is, and how an answer is judged."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch


class Verdict(NamedTuple):
    """What an answer is told."""

    right: bool
    says: str


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and the hint that it gets."""

    example: Any  # the wrong answer itself: the tests give it and expect the hint
    says: str  # what it is told: the likely error, never the solution


@dataclass(frozen=True)
class Exercise:
    """One exercise. An answer is whatever the exercise asks for: a number, a tensor, a function."""

    number: str  # chapter and place, "2.3"
    asks: str  # one line
    solution: Any  # an answer that is right
    same: Callable[[Any, Any], bool]  # do two answers behave the same?
    mistakes: tuple[Mistake, ...]  # at least three
    praise: str  # what a right answer is told: the point of the exercise in one line
    otherwise: str  # what an answer is told that is wrong in a way nobody catalogued

    def judge(self, answer: Any) -> Verdict:
        """Right, a known mistake, or another one. Never raises: an answer that breaks is told how."""
        if answer is ... or answer is None:
            return Verdict(False, "no answer yet: replace the dots")
        try:
            if self.same(answer, self.solution):
                return Verdict(True, self.praise)
        except Exception as error:  # the reader's own code may raise anything
            return Verdict(False, f"your answer cannot be used ({type(error).__name__}: {error}). {self.otherwise}")
        for mistake in self.mistakes:
            if self._alike(answer, mistake.example):
                return Verdict(False, mistake.says)
        return Verdict(False, self.otherwise)

    def _alike(self, answer: Any, example: Any) -> bool:
        try:
            return self.same(answer, example)
        except Exception:
            return False


def same_number(tolerance: float) -> Callable[[Any, Any], bool]:
    """Numbers (or tensors of them) are the same within an absolute tolerance; shapes must agree."""

    def same(a: Any, b: Any) -> bool:
        first, second = torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64)
        return first.shape == second.shape and torch.allclose(first, second, rtol=0, atol=tolerance)

    return same


def same_function(*inputs: tuple, tolerance: float = 1e-5) -> Callable[[Any, Any], bool]:
    """Functions are the same if they return the same numbers on every tuple of inputs, which they may change."""
    same = same_number(tolerance)
    return lambda f, g: all(same(f(*deepcopy(arguments)), g(*deepcopy(arguments))) for arguments in inputs)
