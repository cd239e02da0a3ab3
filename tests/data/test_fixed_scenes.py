"""A training set of a finite size: the same scenes whatever the run, smaller ones inside larger ones."""

import pytest
import torch
from torch import Generator

from neurosym_lite.data.fixed_scenes import CHUNK, FixedScenes
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.training.recipe import SceneData

SOURCE = SceneSource("mnist4", "digits", "train", 32)


def test_a_batch_is_made_of_the_set_and_shows_all_of_it() -> None:
    few = FixedScenes(SOURCE, 5)
    batch = few.batch(200, Generator().manual_seed(0))
    same = (batch.images[:, None] == few.scenes.images).flatten(2).all(2)
    assert same.any(1).all() and same.any(0).all()
    which = same.int().argmax(1)
    assert torch.equal(batch.boxes, few.scenes.boxes[which]) and torch.equal(batch.labels, few.scenes.labels[which])


def test_the_set_does_not_depend_on_the_run_and_small_ones_lie_in_large_ones() -> None:
    small, again, large = FixedScenes(SOURCE, 7), FixedScenes(SOURCE, 7), FixedScenes(SOURCE, CHUNK + 3)
    assert len(large.scenes.images) == CHUNK + 3
    assert torch.equal(small.scenes.images, again.scenes.images)
    assert torch.equal(small.scenes.images, large.scenes.images[:7])
    assert len(torch.unique(large.scenes.images.flatten(1), dim=0)) > CHUNK - 10  # scenes differ


def test_only_what_is_trained_on_is_finite() -> None:
    data = SceneData("mnist4", "digits", 32, scenes=3)
    assert isinstance(data.source("train"), FixedScenes) and isinstance(data.source("test"), SceneSource)


def test_no_scenes_are_refused() -> None:
    with pytest.raises(ValueError, match="a training set of 0 scenes: expected at least 1"):
        FixedScenes(SOURCE, 0)
