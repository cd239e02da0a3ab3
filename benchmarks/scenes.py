"""The scene generator, against a Python loop that draws scene by scene and digit by digit; scenes of 64 x 64."""

import numpy as np
import torch
from torch import Generator

from benchmarks.entries import Entry, timed
from benchmarks.measure import Effort
from neurosym_lite.data.scenes import Layout, SceneSource

GROUP, BATCH = "scenes", 1000
RULES = ("mnist4", "mnist10")


def draw_by_loop(source: SceneSource, layout: Layout, generator: Generator) -> torch.Tensor:
    """The images of `source.draw`, by slices of numpy arrays; the same generator gives the same handwriting."""
    pick = torch.rand(layout.labels.shape, generator=generator).numpy()
    labels, corners = layout.labels.numpy(), layout.corners.numpy()
    cores, index, counts = source.cores.numpy(), source.index.numpy(), source.counts.numpy()
    side = cores.shape[-1]
    images = np.zeros((len(labels), 1, source.size, source.size), dtype=np.uint8)
    for image, digits, places, chances in zip(images[:, 0], labels, corners, pick, strict=True):
        for digit, (x, y), chance in zip(digits, places, chances, strict=True):
            if digit >= 0:
                core = cores[index[digit, int(chance * counts[digit])]]
                window = image[y : y + side, x : x + side]
                np.maximum(window, core, out=window)
    return torch.from_numpy(images)


def entries(effort: Effort) -> list[Entry]:
    """CPU milliseconds of 1,000 scenes of each rule."""
    found = []
    for rule in RULES:
        source = SceneSource(rule)
        mine, theirs = Generator().manual_seed(0), Generator().manual_seed(0)

        def ours(source: SceneSource = source, g: Generator = mine) -> None:
            source.batch(BATCH, g)

        def reference(source: SceneSource = source, g: Generator = theirs) -> None:
            draw_by_loop(source, source.describe(BATCH, g), g)

        against = "the same descriptions, drawn by a Python loop over scenes and digits with numpy slices"
        found.append(timed(GROUP, f"{BATCH:,} scenes of {rule}", ours, reference, against, effort))
    return found
