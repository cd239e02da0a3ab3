"""Every exercise of the book: its solution passes, a blank fails, and each known mistake is told its own hint."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
import torch

from neurosym_lite.classroom import EXERCISES, Exercise, Mistake, check, judge
from neurosym_lite.classroom.exercises import same_function, same_number
from neurosym_lite.classroom.register import CHAPTERS

TESTS = {number: import_module(f"tests.classroom.test_chapter_{number:02d}") for number in CHAPTERS}
# wrong in a way that no catalogue lists, and what cannot be used at all
UNLISTED = {number: answer for tests in TESTS.values() for number, answer in tests.UNLISTED.items()}
UNUSABLE = {number: answer for tests in TESTS.values() for number, answer in tests.UNUSABLE.items()}

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
each_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [(exercise, mistake) for exercise in EXERCISES.values() for mistake in exercise.mistakes],
    ids=lambda value: value.number if isinstance(value, Exercise) else value.says[:30],
)


@each_exercise
def test_solution_is_right(exercise: Exercise) -> None:
    verdict = judge(exercise.number, exercise.solution)
    assert verdict.right and verdict.says == exercise.praise


@each_exercise
def test_blank_is_not_an_answer(exercise: Exercise) -> None:
    for blank in (..., None):
        verdict = judge(exercise.number, blank)
        assert not verdict.right and "no answer yet" in verdict.says


@each_mistake
def test_mistake_gets_its_own_hint(exercise: Exercise, mistake: Mistake) -> None:
    verdict = judge(exercise.number, mistake.example)
    assert not verdict.right and verdict.says == mistake.says


@each_exercise
def test_no_two_mistakes_are_alike(exercise: Exercise) -> None:
    examples = [mistake.example for mistake in exercise.mistakes]
    pairs = [(a, b) for place, a in enumerate(examples) for b in examples[:place]]
    assert not any(exercise.same(a, b) for a, b in pairs)


@each_exercise
def test_unlisted_mistake_gets_the_general_hint(exercise: Exercise) -> None:
    verdict = judge(exercise.number, UNLISTED[exercise.number])
    assert not verdict.right and verdict.says == exercise.otherwise


@each_exercise
def test_answer_that_breaks_is_told_so(exercise: Exercise) -> None:
    verdict = judge(exercise.number, UNUSABLE[exercise.number])
    assert not verdict.right and "cannot be used" in verdict.says and exercise.otherwise in verdict.says


@each_exercise
def test_catalogue_is_long_enough_and_its_hints_differ(exercise: Exercise) -> None:
    hints = [mistake.says for mistake in exercise.mistakes]
    assert len(hints) >= 3 and len(set(hints)) == len(hints)
    assert exercise.asks and exercise.praise


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_numbers_are_in_order_and_chapters_do_not_plot(chapter: int) -> None:
    module = CHAPTERS[chapter]
    assert [e.number for e in module.EXERCISES] == [f"{chapter}.{place + 1}" for place in range(len(module.EXERCISES))]
    tree = ast.parse(Path(module.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & {"matplotlib", "seaborn", "ipywidgets"}
    assert not {"neurosym_lite.figures", "neurosym_lite.widgets"} & names


def test_check_prints_one_line(capsys) -> None:
    number, exercise = next(iter(EXERCISES.items()))
    check(number, exercise.solution)
    check(number, ...)
    right, blank = capsys.readouterr().out.splitlines()
    assert right == f"{number} right: {exercise.praise}" and blank.startswith(f"{number} not yet: no answer yet")


def test_an_unknown_number_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no exercise '9\.9': expected one of 1\.1, 1\.2"):
        judge("9.9", 1)


def test_numbers_are_the_same_within_a_tolerance_and_with_one_shape() -> None:
    same = same_number(0.01)
    assert same(1.0, 1.005) and not same(1.0, 1.02) and not same(torch.ones(2), 1.0)


def test_functions_are_the_same_if_they_agree_everywhere_asked() -> None:
    same = same_function((1.0,), (2.0,))
    assert same(lambda x: x * x, lambda x: x**2) and not same(lambda x: x, lambda x: x**2)
