"""Trains the parser that judges scenes: `python -m scripts.train_parser mnist|digits [--seed 0] [--out data/parsers]`.

Writes parser-NAME.safetensors and parser-NAME.json, the record with what it reads right and wrong on scenes of digits
that it never saw. About seven minutes of one core, once a handwriting. With --second it is the one that checks the
first, of another architecture: parser-NAME-second, to be trained from another seed.
"""

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.data.sources import ENVIRONMENT, cache_folder
from neurosym_lite.evaluation.free_scenes import FreeSceneConfig, FreeScenes, FreeSceneSource
from neurosym_lite.evaluation.parser import PARSERS, SECOND, Parser, ParserConfig, parser_path
from neurosym_lite.evaluation.parser_check import parser_metrics
from neurosym_lite.evaluation.structure import accepts
from scripts.judges import DECAY, LEARNING_RATE, as_record, detector_loss, optimise, ship

STEPS = 1500
SCENES = 40  # fresh ones a step, for the classifier: about 250 digits
DETECTOR_SCENES = 16  # of them, for the detector
MISS = 1.2  # pixels by which a centre is off, along each axis at most, when the classifier learns
PUBLISHED = "gnm_published_mnist4.npz"  # `images`: the 250 samples of github.com/JindongJiang/GNM, generations/mnist-4
REPORT = 100  # steps between points of the curve


def classifier_loss(parser: Parser, scenes: FreeScenes, generator: Generator) -> Tensor:
    """Cross-entropy of the digits, each seen around a centre that is a little off."""
    present = scenes.labels != ABSENT
    off = MISS * (2 * torch.rand(scenes.centres.shape, generator=generator) - 1)
    logits = parser.classify(scenes.images, present.nonzero()[:, 0], (scenes.centres + off)[present])
    return F.cross_entropy(logits, scenes.labels[present])


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
