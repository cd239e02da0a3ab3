"""What comes back from z_g: by hand on readings, and of a model that knows its scenes."""

import torch
from torch import Generator

from neurosym_lite.data.scenes import ABSENT, Scenes, SceneSource
from neurosym_lite.evaluation.parser import Parsed, load_parser
from neurosym_lite.evaluation.recall import _share, recall_metrics, recalled, through_code
from neurosym_lite.models.gnm import GNM
from neurosym_lite.training.checkpoints import load_checkpoint
from tests.evaluation.held_out import need
from tests.models.test_gnm import SMALL, images


def test_a_digit_is_recalled_by_class_and_place() -> None:
    """Four digits: as they were, moved in their quadrant, moved out of it, with another class."""
    labels = torch.tensor([[1, 2, 3, 4]])
    corner = torch.tensor([[[5.0, 5.0], [45.0, 5.0], [45.0, 45.0], [5.0, 45.0]]])
    scenes = Scenes(torch.zeros(1, 1, 64, 64), torch.cat([corner, corner + 10], -1), labels, labels >= 0)
    read = Parsed(
        torch.tensor([[1, 2, 3, 5, ABSENT]]),
        torch.tensor([[[10.0, 10.0], [38.0, 10.0], [20.0, 50.0], [10.0, 50.0], [0.0, 0.0]]]),
        torch.ones(1, 5),
    )
    found = recalled(read, scenes)
    assert found.quadrant.tolist() == [[True, True, False, False]]
    assert found.place.tolist() == [[True, False, False, False]]


def test_a_trained_code_knows_its_scenes_and_not_others() -> None:
    model, recipe = load_checkpoint("gnm-digits4-lite")
    parser, source = load_parser("digits"), recipe.data.source("test")
    scenes, others = (source.batch(100, Generator().manual_seed(seed)) for seed in (0, 1))
    metrics = recall_metrics(model, scenes, parser)
    assert metrics.keys() == {"recall_quadrant", "recall_place"} and metrics["recall_place"] > 0.97
    mixed = recall_metrics(model, scenes._replace(labels=others.labels, boxes=others.boxes), parser)
    assert mixed["recall_quadrant"] < 0.4
    assert through_code(model, scenes.images[:2].float() / 255).shape == (2, 1, 64, 64)


def test_ten_digits_are_told_apart_by_kind() -> None:
    need("mnist")
    model, _ = load_checkpoint("gnm-mnist10-lite")
    scenes = SceneSource("mnist10", "mnist", "test").batch(60, Generator().manual_seed(0))
    metrics = recall_metrics(model, scenes, load_parser("mnist"))
    whole = 0.4 * metrics["recall_pairs"] + 0.6 * metrics["recall_triples"]
    assert abs(metrics["recall_place"] - whole) < 1e-5 and metrics["recall_triples"] > 0.9


def test_the_code_is_read_without_noise() -> None:
    model, x = GNM(SMALL).eval(), images()
    assert torch.equal(*(through_code(model, x) for _ in range(2)))


def test_places_are_those_of_64_pixels() -> None:
    labels = torch.tensor([[1]])
    scenes = Scenes(torch.zeros(1, 1, 128, 128), torch.tensor([[[80.0, 80.0, 100.0, 100.0]]]), labels, labels > 0)
    read = Parsed(labels, torch.tensor([[[45.0, 45.0]]]), torch.ones(1, 1))
    assert recalled(read, scenes).place.all()


def test_digits_that_are_not_there_do_not_count() -> None:
    hits, there = torch.tensor([[True, False]]), torch.tensor([[True, False]])
    assert _share(hits, there) == 1
