"""One-shot classification (Lake et al. 2015): twenty new characters, one drawing of each, and drawings to be named.

An episode has twenty characters of one alphabet. One person has drawn each of them once: the support. Another has drawn
each of them too: the queries. Which support shows the same character as a query? The twenty official episodes are of
alphabets that the background set lacks. Settings are chosen on episodes of the background set, made here.
"""

from typing import NamedTuple

import torch
from jaxtyping import Int64, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.sources import EPISODES, DataError, locate, read

WAYS = 20  # characters of an episode
BACKGROUND = 0  # the part of Omniglot that models may learn from
DOTS = "Braille"  # its characters are dots, and no alphabet of the official episodes is like it


class Episode(NamedTuple):
    """White ink (255) on black (0)."""

    support: UInt8[Tensor, "N 1 H W"]
    """One drawing of each of N characters, all by one person."""
    query: UInt8[Tensor, "N 1 H W"]
    """One drawing of each by another person, in another order."""
    match: Int64[Tensor, "N"]
    """Which support shows the character of each query."""


def official_episodes() -> list[Episode]:
    """The twenty official ones. Raises DataError where they cannot be had, or are not what they should be."""
    path = locate(EPISODES)
    arrays = read(EPISODES, path, ("support28", "query28", "match"))
    support, query, match = (torch.from_numpy(arrays[name]) for name in ("support28", "query28", "match"))
    order = torch.arange(match.shape[1])
    if support.shape != query.shape or support.shape[:2] != match.shape or (match.sort(1).values != order).any():
        raise DataError(
            f"{path}: expected support28 and query28 of one shape, and for each episode a match that names every "
            f"support once; delete it and run `python -m neurosym_lite data fetch {EPISODES}`"
        )
    return [Episode(s[:, None], q[:, None], m.long()) for s, q, m in zip(support, query, match, strict=True)]


def background_episodes(n: int, generator: Generator) -> list[Episode]:
    """n episodes of Omniglot's background set, on which settings may be chosen.

    Each: an alphabet that has WAYS characters and is not of dots, as many of its characters, two people. Raises
    DataError where Omniglot cannot be had.
    """
    columns = ("images28", "character_global", "alphabet", "drawer", "split", "alphabet_names")
    arrays = read("omniglot", locate("omniglot"), columns)
    names = arrays["alphabet_names"].tolist()
    images, character, alphabet, drawer, split = (torch.from_numpy(arrays[name]) for name in columns[:-1])
    drawn = {who: row for row, who in enumerate(zip(character.tolist(), drawer.tolist(), strict=True))}
    large = []
    for number in alphabet[split == BACKGROUND].unique().tolist():
        characters = character[alphabet == number].unique()
        if names[number] != DOTS and len(characters) >= WAYS:
            large.append(characters)
    episodes = []
    for _ in range(n):
        characters = large[int(torch.randint(len(large), (), generator=generator))]
        chosen = characters[torch.randperm(len(characters), generator=generator)[:WAYS]].tolist()
        first, second = torch.randperm(int(drawer.max()) + 1, generator=generator)[:2].tolist()
        match = torch.randperm(WAYS, generator=generator)
        support = images[[drawn[c, first] for c in chosen]]
        query = images[[drawn[chosen[i], second] for i in match.tolist()]]
        episodes.append(Episode(support[:, None], query[:, None], match))
    return episodes
