"""Trains the parser that judges scenes: `python -m scripts.train_parser mnist|digits [--seed 0] [--out data/parsers]`.

Writes parser-NAME.safetensors and parser-NAME.json, the record with what it reads right and wrong on scenes of digits
that it never saw. About seven minutes of one core, once a handwriting. With --second it is the one that checks the
first, of another architecture: parser-NAME-second, to be trained from another seed.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from neurosym_lite import __version__
from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.data.sources import ENVIRONMENT, cache_folder
from neurosym_lite.evaluation.centres import CELL, Found
from neurosym_lite.evaluation.free_scenes import FreeSceneConfig, FreeScenes, FreeSceneSource
from neurosym_lite.evaluation.parser import (
    PARSERS,
    SECOND,
    Parser,
    ParserConfig,
    parser_path,
    read_parser,
    save_parser,
)
from neurosym_lite.evaluation.parser_check import parser_metrics
from neurosym_lite.evaluation.room_parser import RoomParser
from neurosym_lite.evaluation.structure import accepts
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.records import as_text

STEPS = 1500
SCENES = 40  # fresh ones a step, for the classifier: about 250 digits
DETECTOR_SCENES = 16  # of them, for the detector
LEARNING_RATE = 3e-3  # highest; a tenth of the steps up to it, then down a cosine
DECAY = 1e-2  # weight decay
HEAT = 2.0  # pixels, width of the peak that the detector's map should have at a centre
NEAR = 4.0  # pixels from a centre, where the way to it is learnt
WAY = 0.1  # weight of the way's error in pixels
MISS = 1.2  # pixels by which a centre is off, along each axis at most, when the classifier learns
PUBLISHED = "gnm_published_mnist4.npz"  # `images`: the 250 samples of github.com/JindongJiang/GNM, generations/mnist-4
REPORT = 100  # steps between points of the curve
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


def classifier_loss(parser: Parser, scenes: FreeScenes, generator: Generator) -> Tensor:
    """Cross-entropy of the digits, each seen around a centre that is a little off."""
    present = scenes.labels != ABSENT
    off = MISS * (2 * torch.rand(scenes.centres.shape, generator=generator) - 1)
    logits = parser.classify(scenes.images, present.nonzero()[:, 0], (scenes.centres + off)[present])
    return F.cross_entropy(logits, scenes.labels[present])


def optimise(
    parser: Parser | RoomParser,
    losses: Callable[[], dict[str, Tensor]],
    steps: int,
    report: int,
    begin: float,
) -> list[dict]:
    """Steps on the sum of the losses, and a curve of their means with a point every `report` steps.

    Minutes are of processor time since `begin`.
    """
    optimiser = torch.optim.AdamW(parser.parameters(), weight_decay=DECAY)
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


def train(
    name: str, seed: int, steps: int, report: int = REPORT, config: ParserConfig | None = None
) -> tuple[Parser, list[dict], float]:
    """A parser of that handwriting, its curve, and the minutes of processor time it took. Train split only.

    The same seed gives the same bits on the same machine. `report` is the number of steps between points of the curve.
    """
    torch.manual_seed(seed)
    generator = Generator().manual_seed(seed)
    source, parser = FreeSceneSource(glyphs(name, "train")), Parser(config)
    begin = time.process_time()

    def losses() -> dict[str, Tensor]:
        scenes = source.batch(SCENES, generator)
        some = FreeScenes(*(part[:DETECTOR_SCENES] for part in scenes))
        finding = detector_loss(parser.detect(some.images), some.centres, some.labels != ABSENT)
        return {"detector": finding, "classifier": classifier_loss(parser, scenes, generator)}

    curve = optimise(parser, losses, steps, report, begin)
    return parser.eval(), curve, (time.process_time() - begin) / 60


def record(parser: Parser, name: str, seed: int, steps: int, curve: list[dict], minutes: float) -> dict:
    """What the run was and what came out, in the shape of the models' run records."""
    metrics = parser_metrics(parser, name) | published_sheet(parser, name)
    scenes = {"scenes": SCENES, "detector_scenes": DETECTOR_SCENES, "learning_rate": LEARNING_RATE, "decay": DECAY}
    config = {"parser": asdict(parser.config), "data": asdict(FreeSceneConfig()), "training": scenes}
    return as_record(parser, name, seed, steps, minutes, metrics, config, curve)


def as_record(
    parser: Parser | RoomParser,
    name: str,
    seed: int,
    steps: int,
    minutes: float,
    metrics: dict[str, float],
    config: dict,
    curve: list[dict],
) -> dict:
    """The record of any parser."""
    return {
        "parser": name,
        "seed": seed,
        "steps": steps,
        "device": "cpu, 1 thread",
        "minutes": round(minutes, 2),
        "package_version": __version__,
        "torch_version": torch.__version__.split("+")[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "parameters": sum(weight.numel() for weight in parser.parameters()),
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


def published_sheet(parser: Parser, name: str) -> dict[str, float]:
    """How many of the 250 scenes that GNM's authors published and accepted 246 of the parser accepts, where at hand."""
    path = Path(os.environ.get(ENVIRONMENT) or cache_folder()) / PUBLISHED
    if name != "mnist" or not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as file:
        images = torch.from_numpy(file["images"])[:, None]
    return {"published_accepted": float(accepts(images, "mnist4", parser).sum())}


def main() -> int:
    """Train, ship and record one parser."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("name", choices=("mnist", "digits"), help="handwriting")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=STEPS)
    arguments.add_argument("--second", action="store_true", help="the other architecture")
    arguments.add_argument("--out", type=Path, default=PARSERS, help="folder")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    parser, curve, minutes = train(given.name, given.seed, given.steps, config=SECOND if given.second else None)
    path = given.out / parser_path(f"{given.name}-second" if given.second else given.name).name
    about = (given.name, given.seed, given.steps)
    ship(path, parser, *about, lambda shipped: record(shipped, *about, curve, minutes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
