"""Copies are told from scenes that are only of the same kind."""

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.evaluation import copied as module
from neurosym_lite.evaluation.copied import copied, nearest_of


def scenes(n: int, seed: int) -> Tensor:
    return SceneSource("mnist4").batch(n, Generator().manual_seed(seed)).images


def test_new_scenes_are_as_near_to_the_one_as_to_the_other() -> None:
    new, trained, others = scenes(500, 0), scenes(200, 1), scenes(200, 2)
    share = copied(new, trained, others)
    assert 0.4 < share < 0.6 and share + copied(new, others, trained) == pytest.approx(1)


def test_copies_are_found_and_counted() -> None:
    trained, others = scenes(200, 1), scenes(200, 2)
    assert copied(trained, trained, others) == 1 and copied(others, trained, others) == 0
    half = torch.cat([trained[:50], others[:50]])
    assert copied(half, trained, others) == 0.5 and copied(half, trained, trained) == 0.5
    faint = (trained.float() * 0.8).byte()
    assert copied(faint, trained, others) > 0.95


def test_the_nearest_is_that_of_all_parts(monkeypatch) -> None:
    new, real = scenes(20, 0), scenes(50, 1)
    whole = nearest_of(new, real)
    brute = (new[:, None].double() - real[None].double()).flatten(2).norm(dim=2).min(1)
    torch.testing.assert_close(whole.distances.double(), brute.values / 255, rtol=1e-3, atol=1e-3)
    assert torch.equal(whole.indices, brute.indices)
    monkeypatch.setattr(module, "ROWS", 7)
    assert torch.equal(nearest_of(new, real).indices, whole.indices)


def test_crowds_of_unlike_size_are_refused() -> None:
    with pytest.raises(ValueError, match="20 training scenes and 30 others"):
        copied(scenes(5, 0), scenes(20, 1), scenes(30, 2))
