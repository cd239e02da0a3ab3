"""Writes data/results/one_shot_controls.json: `python -m scripts.one_shot_controls`, some ten CPU minutes.

One-shot classification beside the record of dood-omniglot-lite: what pictures without strokes reach on the official
episodes, and what both reach on the episodes of the background set that the settings were chosen on.
"""

import json
import sys
from pathlib import Path

import torch
from torch import Generator

from neurosym_lite.data.one_shot import background_episodes, official_episodes
from neurosym_lite.evaluation.one_shot import one_shot_metrics
from neurosym_lite.evaluation.registration import picture_controls
from neurosym_lite.training.checkpoints import load_checkpoint, write_atomically
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.records import RESULTS

REPORT = RESULTS / "one_shot_controls.json"
MODEL = "dood-omniglot-lite"
BACKGROUND, SEED = 16, 0  # episodes that settings were chosen on


def measure() -> dict[str, dict[str, float]]:
    """Shares of queries that are named rightly, with standard errors over episodes."""
    model, _ = load_checkpoint(MODEL)
    background = background_episodes(BACKGROUND, Generator().manual_seed(SEED))
    report = {
        "official": picture_controls(official_episodes()),
        "background": picture_controls(background) | one_shot_metrics(model, background),
    }
    return {part: {name: round(value, 5) for name, value in shares.items()} for part, shares in report.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    spare_the_processor()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    write_atomically(target, f"{json.dumps(measure(), indent=1)}\n".encode())
