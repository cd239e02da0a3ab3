"""A training set of a finite size: the same n scenes over and over, as a data set on a disk would be."""

import torch
from torch import Generator

from neurosym_lite.data.arrow_room import ArrowRoomSource, ArrowScenes
from neurosym_lite.data.scenes import Scenes, SceneSource

SEED = 20_101_221  # of the scenes, whatever the run's seed: runs of n scenes learn from the same ones
CHUNK = 1000  # scenes drawn at a time


class FixedScenes:
    """n scenes of a source, drawn once; a batch picks from them with replacement.

    Smaller sets are the beginnings of larger ones. (A GPU draws other scenes than a CPU.)
    """

    def __init__(self, source: SceneSource | ArrowRoomSource, n: int, device: str = "cpu") -> None:
        """Raises ValueError for fewer than one scene."""
        if n < 1:
            raise ValueError(f"a training set of {n} scenes: expected at least 1, or scenes=0 for new ones for ever")
        generator = Generator(device=device).manual_seed(SEED)
        parts = [source.batch(CHUNK, generator) for _ in range(0, n, CHUNK)]
        self.scenes = type(parts[0])(*(torch.cat(column)[:n] for column in zip(*parts, strict=True)))

    def batch(self, n: int, generator: Generator) -> Scenes | ArrowScenes:
        """n of the scenes, on the generator's device."""
        images = self.scenes.images
        rows = torch.randint(0, len(images), (n,), generator=generator, device=generator.device)
        return type(self.scenes)(*(column[rows] for column in self.scenes))


SceneStream = SceneSource | ArrowRoomSource | FixedScenes  # where batches of scenes come from
