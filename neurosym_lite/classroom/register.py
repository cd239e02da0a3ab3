"""All exercises of the book, by number."""

from typing import Any

from neurosym_lite.classroom import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_11,
)
from neurosym_lite.classroom.exercises import Exercise, Verdict

EXERCISES: dict[str, Exercise] = {
    exercise.number: exercise
    for chapter in (
        chapter_01,
        chapter_02,
        chapter_03,
        chapter_04,
        chapter_05,
        chapter_06,
        chapter_07,
        chapter_08,
        chapter_11,
    )
    for exercise in chapter.EXERCISES
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
