"""Exercises that check themselves: `check("2.3", answer)` says right, or names the likely mistake.

One file a chapter holds what its exercises ask, what they accept, and what each wrong answer is told.
"""

from neurosym_lite.classroom.exercises import Exercise, Mistake, Verdict
from neurosym_lite.classroom.register import EXERCISES, check, judge

__all__ = ["EXERCISES", "Exercise", "Mistake", "Verdict", "check", "judge"]
