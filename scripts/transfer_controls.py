"""Writes data/results/transfer_controls.json: `python -m scripts.transfer_controls`, seconds. Needs all five sets.

What the sets of transfer are, and how much ink the characters have whose likelihood is asked. From the ink follows what
a blank page is worth under any Laplace likelihood of one scale.
"""

import json
import sys
from pathlib import Path

from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.evaluation.task import held_out
from neurosym_lite.evaluation.transfer import IMAGES
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.records import RESULTS
from neurosym_lite.training.transfer_recipes import SETS, TRANSFER

REPORT = RESULTS / "transfer_controls.json"
HELD_OUT, SEED = 1000, 0  # characters of each set, of which the first IMAGES are asked; the same in every run


def about(name: str) -> dict[str, int | float]:
    """Sizes of a set, and the mean ink of a pixel in [0, 1]."""
    train, test = (glyphs(name, split) for split in ("train", "test"))
    asked = held_out(TRANSFER[0], HELD_OUT, SEED, name).images[:IMAGES]
    ink = round(float(asked.float().mean()) / 255, 6)
    classes = len(train.labels.unique())
    return {"train": len(train.images), "test": len(test.images), "train_classes": classes, "ink": ink}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    report = {name: about(name) for name in SETS}
    write_atomically(target, f"{json.dumps(report, indent=1)}\n".encode())
