"""Chapter 2, rendering with spatial transformers: its exercises."""

from neurosym_lite.classroom.exercises import Exercise

EXERCISES: tuple[Exercise, ...] = ()
