"""Imagining 1,000 images with shipped models, a hundred at a time, against one at a time."""

from torch import Generator, nn

from benchmarks.entries import Entry, timed
from benchmarks.measure import Effort
from neurosym_lite.training.checkpoints import load_checkpoint

GROUP, MODELS = "sampling", ("gnm-digits4-lite", "dood-digits-lite")
IMAGES, BATCH = 1000, 100
SINGLE = 20  # images that the reference makes; its time is taken IMAGES / SINGLE times


def sample(model: nn.Module, n: int, batch: int) -> None:
    """n images, `batch` at a time."""
    generator = Generator().manual_seed(0)
    for _ in range(n // batch):
        model.sample(batch, generator)


def entries(effort: Effort) -> list[Entry]:
    """CPU seconds to imagine 1,000 images."""
    found = []
    for name in MODELS:
        model, _ = load_checkpoint(name)
        found.append(timed(
            GROUP, f"{IMAGES:,} images of {name}", lambda model=model: sample(model, IMAGES, BATCH),
            lambda model=model: sample(model, SINGLE, 1), f"the same model, one image at a time; on {SINGLE} images",
            effort, part=IMAGES // SINGLE, unit="CPU s",
        ))  # fmt: skip
    return found
