"""What the trainings of the judges share: the steps, the loss of a map of centres, the record and the files.

`train_parser`, `train_room_parser` and `train_classifier` are the three commands.
"""

import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurosym_lite import __version__
from neurosym_lite.evaluation.centres import CELL, Found
from neurosym_lite.evaluation.parser import Parser, read_parser, save_parser
from neurosym_lite.evaluation.room_parser import RoomParser
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.records import as_text

LEARNING_RATE = 3e-3  # highest; a tenth of the steps up to it, then down a cosine
DECAY = 1e-2  # weight decay
HEAT = 2.0  # pixels, width of the peak that the detector's map should have at a centre
NEAR = 4.0  # pixels from a centre, where the way to it is learnt
WAY = 0.1  # weight of the way's error in pixels
Recorded = Callable[[Parser | RoomParser], dict]  # measures a parser and says all about its run


def learning_rate(step: int, steps: int) -> float:
    """A tenth of the way up, the rest down."""
    up = steps / 10
    return LEARNING_RATE * (step / up if step < up else (1 + math.cos(math.pi * (step - up) / (steps - up))) / 2)


def detector_loss(found: Found, centres: Tensor, present: Tensor) -> Tensor:
    """Cross-entropy of the map with a peak at every centre, and the error of the way to the nearest one."""
    cells = CELL * (torch.arange(found.heat.shape[-1]) + 0.5)
    middle = torch.stack(torch.meshgrid(cells, cells, indexing="xy"), dim=-1)
    to_centre = centres[:, None, None] - middle[:, :, None]  # scene, row, column, slot, (x, y)
    distance = to_centre.norm(dim=-1).masked_fill(~present[:, None, None], torch.inf)
    nearest, which = distance.min(-1)
    target = torch.exp(-nearest.square() / (2 * HEAT**2))
    right = to_centre.gather(3, which[..., None, None].expand(*which.shape, 1, 2))[:, :, :, 0]
    near = nearest < NEAR
    return F.binary_cross_entropy_with_logits(found.heat, target, reduction="sum") / near.sum() + WAY * F.l1_loss(
        found.way[near], right[near]
    )


def optimise(
    judge: nn.Module,
    losses: Callable[[], dict[str, Tensor]],
    steps: int,
    report: int,
    begin: float,
) -> list[dict]:
    """Steps on the sum of the losses, and a curve of their means with a point every `report` steps.

    Minutes are of processor time since `begin`.
    """
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=DECAY)
    curve: list[dict] = []
    sums = torch.zeros(())
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step + 1, steps)
        named = losses()
        both = torch.stack(list(named.values()))
        optimiser.zero_grad(set_to_none=True)
        both.sum().backward()
        optimiser.step()
        sums = sums + both.detach()
        if (step + 1) % report == 0:
            point = {"step": step + 1, "minutes": (time.process_time() - begin) / 60}
            point |= dict(zip(named, (sums / report).tolist(), strict=True))
            curve.append({key: round(value, 4) for key, value in point.items()})
            print(curve[-1], flush=True)
            sums = torch.zeros(())
    return curve


def as_record(
    judge: nn.Module,
    name: str,
    seed: int,
    steps: int,
    minutes: float,
    metrics: dict[str, float],
    config: dict,
    curve: list[dict],
) -> dict:
    """The record of any judge."""
    return {
        "parser": name,
        "seed": seed,
        "steps": steps,
        "device": "cpu, 1 thread",
        "minutes": round(minutes, 2),
        "package_version": __version__,
        "torch_version": torch.__version__.split("+")[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "parameters": sum(weight.numel() for weight in judge.parameters()),
        "metrics": {key: round(value, 5) for key, value in metrics.items()},
        "config": config,
        "curve": curve,
    }


def ship(path: Path, parser: Parser | RoomParser, name: str, seed: int, steps: int, recorded: Recorded) -> None:
    """Write a parser, measure what was written (its weights are float16), and write the record beside it."""
    save_parser(path, parser, name, seed, steps)
    full = recorded(read_parser(path))
    write_atomically(path.with_suffix(".json"), as_text(full, ("curve",)).encode())
    print(f"{path}: {path.stat().st_size:,} bytes")
    print(json.dumps(full["metrics"], indent=1))
