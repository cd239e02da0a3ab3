"""What an exercise is, and how an answer is judged."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

NEAR = 10  # times the tolerance: an answer that close is asked for more digits
THREE_DIGITS = 0.005  # of a wrong number: what rounding to three digits takes off at most


class Verdict(NamedTuple):
    """What an answer is told."""

    right: bool
    says: str


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and the hint that it gets."""

    example: Any  # the wrong answer itself: the tests give it and expect the hint
    says: str  # what it is told: the likely error, never the solution


class Unusable(TypeError):
    """An answer of another kind than the exercise asks for."""


@dataclass(frozen=True)
class Exercise:
    """One exercise. An answer is whatever the exercise asks for: a number, a tensor, a function."""

    number: str  # chapter and place, "2.3"
    asks: str  # one line
    solution: Any  # an answer that is right
    same: Callable[[Any, Any], bool]  # do two answers behave the same? SameNumber and SameFunction say what is off, too
    mistakes: tuple[Mistake, ...]  # at least three
    praise: str  # what a right answer is told: the point of the exercise in one line
    otherwise: str  # what an answer is told that is wrong in a way nobody catalogued: where to begin

    def judge(self, answer: Any) -> Verdict:
        """Right, a known mistake, or another one. Never raises: an answer that breaks is told how."""
        if answer is ... or answer is None:
            return Verdict(False, "no answer yet: replace the dots")
        try:
            if self.same(answer, self.solution):
                return Verdict(True, self.praise)
            off = self.same.off(answer, self.solution) if isinstance(self.same, SameNumber | SameFunction) else ""
        except Unusable as error:
            return Verdict(False, f"this cannot be used: {error} {self.otherwise}")
        except (Exception, SystemExit) as error:  # the reader's own code may do anything, and it may be a known mistake
            off = f"your answer cannot be used ({type(error).__name__}: {error}). {self.otherwise}"
        says = self._known(answer, self.same) or off
        if not says and isinstance(self.same, SameNumber):  # nor is it the right number with too few digits
            says = self._known(answer, self.same.rounded())
        return Verdict(False, says or self.otherwise)

    def _known(self, answer: Any, same: Callable[[Any, Any], bool]) -> str:
        """What the first mistake that is like the answer is told; "" where there is none."""
        same = same.near() if isinstance(same, SameFunction) else same
        for mistake in self.mistakes:
            with suppress(Exception, SystemExit):
                if same(answer, mistake.example):
                    return mistake.says
        return ""


@dataclass(frozen=True)
class SameNumber:
    """Numbers, or tensors of them, are the same within an absolute tolerance; shapes must agree."""

    tolerance: float
    share: float = 0.0  # of the second number, which is tolerated as well

    def rounded(self) -> "SameNumber":
        """The same, but three digits will do."""
        return SameNumber(self.tolerance, THREE_DIGITS)

    def __call__(self, a: Any, b: Any) -> bool:
        first, second = as_numbers(a), as_numbers(b)
        return first.shape == second.shape and self._within(first, second, self.tolerance)

    def off(self, answer: Any, solution: Any) -> str:
        """Another shape, or too few digits? Nothing to say of any other wrong answer."""
        given, right = as_numbers(answer), as_numbers(solution)
        if given.shape != right.shape:
            return wrong_shape(given, right, self.tolerance)
        near = self._within(given, right, NEAR * self.tolerance)
        return f"near: give it to within {self.tolerance:g}" if near else ""

    def _within(self, a: Tensor, b: Tensor, tolerance: float) -> bool:
        return torch.allclose(a, b, rtol=self.share, atol=tolerance, equal_nan=True)


@dataclass(frozen=True)
class SameFunction:
    """Functions are the same if they return the same numbers on every tuple of inputs, which they may change.

    Known mistakes are looked for without the far inputs: on those also what is otherwise right may break down.
    """

    inputs: tuple[tuple, ...]
    tolerance: float
    far: tuple[tuple, ...] = ()

    def near(self) -> "SameFunction":
        """The same without the far inputs."""
        return SameFunction(self.inputs, self.tolerance)

    def __call__(self, f: Any, g: Any) -> bool:
        same = SameNumber(self.tolerance)
        return all(same(*results) for results in self._results(f, g))

    def off(self, answer: Any, solution: Any) -> str:
        """Does it return another shape?"""
        for results in self._results(answer, solution):
            given, right = map(as_numbers, results)
            if given.shape != right.shape:
                return wrong_shape(given, right, self.tolerance)
        return ""

    def _results(self, *functions: Any) -> Iterator[tuple[Any, ...]]:
        for arguments in self.inputs + self.far:
            yield tuple(result(f, *arguments) for f in functions)


def result(f: Any, *arguments: Any) -> Any:
    """What a function returns on arguments that it may change. Raises Unusable for what is none, or returns nothing."""
    if not callable(f):
        raise Unusable("a function is asked for: give the function itself, not what it returns.")
    returned = f(*deepcopy(arguments))
    if returned is None:
        raise Unusable("your function returns None: is there a `return`?")
    return returned


def as_numbers(value: Any) -> Float64[Tensor, "*shape"]:
    """Numbers as a tensor. Raises Unusable for what is none."""
    if callable(value) and not isinstance(value, Tensor):
        raise Unusable("numbers are asked for, and this is a function: call it.")
    try:
        return torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = type(value).__name__
        if isinstance(value, list | tuple) and any(isinstance(part, Tensor) for part in value):
            kind += " of tensors: torch.stack makes it one"
        raise Unusable(f"one number or one tensor is asked for, and this is a {kind}.") from error


def wrong_shape(given: Tensor, right: Tensor, tolerance: float) -> str:
    """What numbers in another shape are told: are they right but for that?"""
    shapes = (f"shape {tuple(numbers.shape)}" if numbers.dim() else "a single number" for numbers in (given, right))
    said = "{}, where {} is expected".format(*shapes)
    others = [given.squeeze(), *([given.T] if given.dim() == 2 else [])]
    alike = (o.shape == right.shape and torch.allclose(o, right, rtol=0, atol=tolerance) for o in others)
    return f"the numbers are right, their shape is not: {said}" if any(alike) else f"this has {said}"


def same_function(*inputs: tuple, tolerance: float = 1e-5, far: tuple[tuple, ...] = ()) -> SameFunction:
    """Functions are the same if they return the same numbers on every tuple of inputs, which they may change."""
    return SameFunction(inputs, tolerance, far)
