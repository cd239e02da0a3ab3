"""Chapter 2's exercises: every answer gets the verdict that was written for it."""

import ast
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from neurosym_lite.classroom import chapter_02, judge
from neurosym_lite.classroom.chapter_02 import (
    ANNOTATION,
    CANVAS,
    EXERCISES,
    GLIMPSE,
    IN_FRONT,
    LOOK_UP,
    PIXEL,
    SAMPLER,
    SCALE,
    SHIFT,
    SMOOTH,
)
from neurosym_lite.classroom.exercises import Exercise, Mistake
from neurosym_lite.latents import Where
from neurosym_lite.models.symbols import pixel_boxes
from neurosym_lite.render.spatial import glimpse, paste_matrix

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
each_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes],
    ids=lambda value: value.number if isinstance(value, Exercise) else value.says[:30],
)

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "2.1": 1.5,
    "2.2": lambda scale, shift: torch.zeros(2, 3),
    "2.3": lambda corners, n: torch.zeros(4),
    "2.4": lambda scale, shift, glimpse, canvas: torch.zeros(canvas, glimpse),
    "2.5": lambda near, far, background: 0.123,
}
UNUSABLE = {
    "2.1": "in the middle",
    "2.2": lambda scale: scale,
    "2.3": lambda corners, n: corners.no_such_method(),
    "2.4": torch.zeros(64, 16),
    "2.5": lambda near, far, background: near * far,
}


@each_exercise
def test_solution_is_right(exercise: Exercise) -> None:
    verdict = judge(exercise.number, exercise.solution)
    assert verdict.right and verdict.says == exercise.praise


@each_exercise
def test_blank_is_not_an_answer(exercise: Exercise) -> None:
    verdict = judge(exercise.number, ...)
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


def test_numbers_are_in_order() -> None:
    assert [exercise.number for exercise in EXERCISES] == [f"2.{place}" for place in range(1, 6)]


def test_place_is_where_the_packages_weights_are() -> None:
    weights = paste_matrix(torch.tensor(SCALE), torch.tensor(SHIFT), GLIMPSE, CANVAS)[PIXEL]
    assert float((weights * torch.arange(GLIMPSE)).sum()) == pytest.approx(LOOK_UP.solution, abs=1e-4)


def test_theta_cuts_the_packages_glimpse() -> None:
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    scale, shift = torch.tensor([0.3, 0.2]), torch.tensor([0.1, -0.4])
    grid = F.affine_grid(SAMPLER.solution(scale, shift)[None], (1, 1, 16, 16), align_corners=False)
    sampled = F.grid_sample(image, grid, padding_mode="zeros", align_corners=False)
    cut = glimpse(image, Where(scale[None, None], shift[None, None]), (16, 16))[:, 0]
    assert torch.allclose(sampled, cut, atol=1e-5)


def test_to_where_inverts_the_packages_pixel_boxes() -> None:
    corners = torch.tensor([3.0, 10.0, 23.0, 18.0])
    scale, shift = ANNOTATION.solution(corners, 64).split(2)
    back = pixel_boxes(Where(scale[None, None], shift[None, None]), torch.ones(1, 1), 64).corners
    assert torch.allclose(back[0, 0], corners, atol=1e-5)


def test_smooth_matrix_skips_nothing_and_keeps_brightness() -> None:
    small = SMOOTH.solution(4 / 64, 0.013, 16, 64)
    assert (small > 0).any(0).all()
    assert float(small.sum()) == pytest.approx(4, abs=0.1)
    large = SMOOTH.solution(0.8, 0.1, 16, 64)
    assert torch.allclose(large, paste_matrix(torch.tensor(0.8), torch.tensor(0.1), 16, 64), atol=1e-5)


def test_over_loses_no_light_and_lets_the_absent_go() -> None:
    assert IN_FRONT.solution((1.0, 0.5, 1.0), (1.0, 0.5, 1.0), 1.0) == pytest.approx(1.0)
    assert IN_FRONT.solution((0.9, 0.5, 0.0), (0.2, 0.5, 0.0), 0.6) == pytest.approx(0.6)


def test_exercises_import_no_plotting() -> None:
    tree = ast.parse(Path(chapter_02.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & {"matplotlib", "seaborn", "ipywidgets"}
    assert not {"neurosym_lite.figures", "neurosym_lite.widgets"} & names
