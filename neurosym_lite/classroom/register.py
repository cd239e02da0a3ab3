"""All exercises of the book, by number."""

from importlib import import_module
from types import ModuleType
from typing import Any

from neurosym_lite.classroom.exercises import Exercise, Verdict

NUMBERS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)  # of the chapters that are there
CHAPTERS: dict[int, ModuleType] = {
    number: import_module(f"neurosym_lite.classroom.chapter_{number:02d}") for number in NUMBERS
}
EXERCISES: dict[str, Exercise] = {
    exercise.number: exercise for chapter in CHAPTERS.values() for exercise in chapter.EXERCISES
}


def judge(number: str, answer: Any) -> Verdict:
    """The verdict on an answer. Raises ValueError for a number that no exercise has."""
    if number not in EXERCISES:
        raise ValueError(f"no exercise {number!r}: expected one of {', '.join(EXERCISES)}")
    return EXERCISES[number].judge(answer)


def check(number: str, answer: Any) -> None:
    """Print the verdict on an answer."""
    verdict = judge(number, answer)
    print(f"{number} {'right' if verdict.right else 'not yet'}: {verdict.says}")
