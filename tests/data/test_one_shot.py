"""Episodes of one-shot classification: the official ones, and those of the background set."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from neurosym_lite.data import glyphs, one_shot
from neurosym_lite.data.one_shot import background_episodes, official_episodes
from neurosym_lite.data.sources import ENVIRONMENT, EPISODES, PREPARED

from .official import told

DRAWERS = 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of prepared files."""
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    return tmp_path


def write_episodes(folder: Path, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """Two episodes of three characters; every image of one value, that tells it apart."""
    values = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    images = np.broadcast_to(values[..., None, None], (2, 2, 3, 28, 28))
    arrays = {"support28": images[0], "query28": images[1], "match": np.array([[2, 0, 1], [0, 1, 2]])} | changes
    np.savez(folder / PREPARED[EPISODES], **arrays)
    return arrays


def write_omniglot(folder: Path) -> None:
    """Alphabets of 4 characters in the background (one of dots), of 2, and of 4 in the evaluation part.

    A drawing's pixels are its character and its drawer: 10 character + drawer.
    """
    alphabets = (("Alpha", 4, 0), (one_shot.DOTS, 4, 0), ("Beta", 2, 0), ("Gamma", 4, 1))
    rows, character = [], 0
    for alphabet, (_, count, split) in enumerate(alphabets):
        for number in range(count):
            rows += [(character, alphabet, number, drawer, split) for drawer in range(DRAWERS)]
            character += 1
    table = np.array(rows)
    images = np.broadcast_to((10 * table[:, 0] + table[:, 3])[:, None, None], (len(rows), 28, 28)).astype(np.uint8)
    columns = dict(zip(("character_global", "alphabet", "character", "drawer", "split"), table.T, strict=True))
    names = np.array([name for name, _, _ in alphabets])
    np.savez(folder / PREPARED["omniglot"], images28=images, alphabet_names=names, **columns)


def test_official_episodes_are_read_run_by_run(folder: Path) -> None:
    arrays = write_episodes(folder)
    episodes = official_episodes()
    assert len(episodes) == 2 and episodes[0].support.shape == (3, 1, 28, 28)
    for number, episode in enumerate(episodes):
        assert np.array_equal(episode.support[:, 0], arrays["support28"][number])
        assert np.array_equal(episode.query[:, 0], arrays["query28"][number])
        assert episode.match.tolist() == arrays["match"][number].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"match": np.array([[2, 0, 2], [0, 1, 2]])},  # a support named twice
        {"match": np.array([[0, 1], [0, 1]])},  # too few
        {"query28": np.zeros((1, 3, 28, 28), np.uint8)},  # queries of one run
    ],
)
def test_official_episodes_that_do_not_fit(folder: Path, changes: dict[str, np.ndarray]) -> None:
    write_episodes(folder, **changes)
    told(official_episodes, PREPARED[EPISODES], "a match that names every support once", "data fetch one-shot")


def test_episodes_are_not_a_set_of_characters(folder: Path) -> None:
    write_episodes(folder)
    told(lambda: glyphs(EPISODES), "holds episodes", "'omniglot'")


def test_background_episodes_are_of_one_alphabet_and_two_people(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_omniglot(folder)
    monkeypatch.setattr(one_shot, "WAYS", 3)
    episodes = background_episodes(40, Generator().manual_seed(0))
    people, characters = set(), set()
    for episode in episodes:
        support, query = (images[:, 0, 0, 0].long() for images in (episode.support, episode.query))
        assert len(support) == 3 and len(support.unique()) == 3
        assert torch.equal(support[episode.match] // 10, query // 10)
        (first,), (second,) = (support % 10).unique(), (query % 10).unique()
        assert first != second
        people |= {(int(first), int(second))}
        characters |= set((support // 10).tolist())
    assert characters == {0, 1, 2, 3}  # the dots, the small alphabet and the evaluation part are left alone
    assert len(people) == DRAWERS * (DRAWERS - 1)


def test_background_episodes_follow_the_generator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_omniglot(folder)
    monkeypatch.setattr(one_shot, "WAYS", 3)
    first, again, other = (background_episodes(5, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a.query, b.query) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a.query, b.query) for a, b in zip(first, other, strict=True))


def test_the_real_official_episodes() -> None:
    given = os.environ.get(ENVIRONMENT)
    if not given or not (Path(given) / PREPARED[EPISODES]).is_file():
        pytest.skip(f"{ENVIRONMENT} has no {PREPARED[EPISODES]}")
    episodes = official_episodes()
    assert len(episodes) == 20 and all(len(episode.support) == one_shot.WAYS for episode in episodes)
