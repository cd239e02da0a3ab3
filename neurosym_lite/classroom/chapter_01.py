"""Chapter 1, variable binding: its exercises."""

from neurosym_lite.classroom.exercises import Exercise

EXERCISES: tuple[Exercise, ...] = ()
