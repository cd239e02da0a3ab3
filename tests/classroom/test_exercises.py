"""Every exercise of the book: its solution passes, a blank fails, and each known mistake is told its own hint."""

import ast
import math
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch

from neurosym_lite.classroom import EXERCISES, Exercise, Mistake, check, judge
from neurosym_lite.classroom.chapter_01 import _entropy, _information
from neurosym_lite.classroom.exercises import SameFunction, SameNumber, same_function
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
    same = exercise.same.near() if isinstance(exercise.same, SameFunction) else exercise.same
    assert not any(same(a, b) for a, b in pairs)


@each_exercise
def test_unlisted_mistake_gets_the_general_hint(exercise: Exercise) -> None:
    verdict = judge(exercise.number, UNLISTED[exercise.number])
    assert not verdict.right and verdict.says == exercise.otherwise


@each_exercise
def test_answer_that_breaks_is_told_so(exercise: Exercise) -> None:
    verdict = judge(exercise.number, UNUSABLE[exercise.number])
    assert not verdict.right and "cannot be used" in verdict.says and exercise.otherwise in verdict.says


@pytest.mark.parametrize("number", [n for n, exercise in EXERCISES.items() if callable(exercise.solution)][:3])
def test_an_answer_that_leaves_python_is_told_so(number: str) -> None:
    verdict = judge(number, lambda *_, **__: sys.exit(1))
    assert not verdict.right and verdict.says


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


def doubled(value: object) -> object:
    """With 64 bits for each float of a tensor."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    return type(value)(map(doubled, value)) if type(value) in (list, tuple) else value


@pytest.mark.parametrize("number", [n for n, e in EXERCISES.items() if isinstance(e.same, SameFunction)])
def test_a_right_answer_may_compute_in_64_bits(number: str) -> None:
    solution = EXERCISES[number].solution
    assert judge(number, lambda *given: solution(*map(doubled, given))).right


# wrong answers that agree with the right one wherever inputs are friendly: an origin, one sign, a smaller than b
NEARLY = (
    ("1.1", lambda table: _information(table / table.sum()) / min(_entropy(p) for p in _sides(table))),
    (
        "3.4",
        lambda z, q, prior: (
            -math.log(float(q[1]) * math.sqrt(2 * math.pi * math.e))
            - math.log(sum(float(w) * _density(float(z), float(m), float(s)) for w, m, s in zip(*prior, strict=True)))
        ),
    ),
    ("5.3", lambda values: _effective_less(values, values[0])),
    ("5.3", lambda values: _effective_less(values, sum(values) / len(values))),
    ("5.3", lambda values: _effective_less(values, sorted(values)[len(values) // 2])),
    ("5.5", lambda accuracies, cap: 20 * len(accuracies) if sum(accuracies[-3:]) >= 2.7 else cap),
    ("8.6", lambda x, pages, e: EXERCISES["8.6"].solution(x, pages[:, 1:], e) + 1),
)


def _sides(table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return (table / table.sum()).sum(0), (table / table.sum()).sum(1)


def _density(z: float, mean: float, std: float) -> float:
    return math.exp(-0.5 * ((z - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def _effective_less(values: list[float], level: float) -> float:
    weights = [math.exp(value - level) for value in values]
    return sum(weights) ** 2 / sum(weight**2 for weight in weights)


@pytest.mark.parametrize(("number", "answer"), NEARLY)
def test_an_answer_that_is_right_on_friendly_inputs_alone_is_not_right(number: str, answer: Callable) -> None:
    assert not judge(number, answer).right


@pytest.mark.parametrize(
    ("number", "rounded", "says"), [("7.1", 42.8, ""), ("9.2", 126, "page"), ("10.2", 2.24, "root")]
)
def test_a_known_mistake_is_known_with_three_digits(number: str, rounded: float, says: str) -> None:
    verdict = judge(number, rounded)
    assert not verdict.right and says in verdict.says and verdict.says != EXERCISES[number].otherwise


def test_the_right_number_with_too_few_digits_is_near_it_and_no_mistake() -> None:
    assert judge("1.3", 2.3).says == "near: give it to within 0.001"


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
    same = SameNumber(0.01)
    assert same(1.0, 1.005) and not same(1.0, 1.02) and not same(torch.ones(2), 1.0)


AREA = Exercise("0.1", "the area", 2.0, SameNumber(0.01), (), "so it is", "count the tiles")
ROWS = Exercise("0.2", "rows", torch.arange(6.0).view(2, 3), SameNumber(0.01), (), "so they are", "count the rows")
SUMS = Exercise("0.3", "sums", lambda x: x.sum(1), same_function((torch.ones(2, 3),)), (), "so they are", "add up")


@pytest.mark.parametrize(
    ("exercise", "answer", "says"),
    [
        (AREA, 2.05, "near: give it to within 0.01"),
        (AREA, 2.5, "count the tiles"),
        (AREA, torch.tensor([2.0]), "the numbers are right, their shape is not: shape (1,), where a single number is"),
        (AREA, lambda: 2.0, "this cannot be used: numbers are asked for, and this is a function: call it. count"),
        (AREA, "two", "this cannot be used: one number or one tensor is asked for, and this is a str. count"),
        (ROWS, torch.arange(6.0).view(2, 3).T, "their shape is not: shape (3, 2), where shape (2, 3) is expected"),
        (ROWS, torch.arange(6.0).view(1, 2, 3), "their shape is not: shape (1, 2, 3), where shape (2, 3) is expected"),
        (ROWS, torch.zeros(6), "this has shape (6,), where shape (2, 3) is expected"),
        (SUMS, lambda x: x.sum(1, keepdim=True), "the numbers are right, their shape is not: shape (2, 1), where"),
        (SUMS, lambda x: x.sum(0), "this has shape (3,), where shape (2,) is expected"),
        (SUMS, lambda x: None, "this cannot be used: your function returns None: is there a `return`? add up"),
        (SUMS, torch.full((2,), 3.0), "this cannot be used: a function is asked for: give the function itself"),
    ],
)
def test_answers_of_another_kind_shape_or_precision_are_told_so(exercise: Exercise, answer, says: str) -> None:
    verdict = exercise.judge(answer)
    assert not verdict.right and says in verdict.says


def test_what_breaks_far_out_alone_is_another_mistake_than_what_is_wrong_near() -> None:
    naive, log = (lambda x: math.log(math.exp(x) + 1)), (lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))
    same = same_function((1.0,), (-2.0,), far=((1000.0,),))
    mistakes = Mistake(naive, "too large for a float"), Mistake(lambda x: -log(x), "the sign")
    exercise = Exercise("0.4", "a soft maximum", log, same, mistakes, "so it is", "begin with the larger")
    assert exercise.judge(log).right
    for says, answer in (("too large", naive), ("the sign", lambda x: -naive(x))):
        assert exercise.judge(answer).says.startswith(says)


def test_functions_are_the_same_if_they_agree_everywhere_asked() -> None:
    same = same_function((1.0,), (2.0,))
    assert same(lambda x: x * x, lambda x: x**2) and not same(lambda x: x, lambda x: x**2)
