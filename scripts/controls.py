"""Writes data/results/controls.json: what real scenes get where models are measured, and the classifiers' curves.

`python -m scripts.controls`. Of each rule, real scenes against real ones: D-Steps, which have to reach the cap; the
Fréchet distance, which is the floor, and how it varies; the share that each parser accepts. Of each model in figure 4,
accuracy by step of the first of its classifiers. Of each model of the tables, and of real scenes, how often one number
of an image tells it from a real one. Of each model that learned from a finite set, how many of its scenes are nearer to
one of that set than to any of as many others. What is there already is kept: delete the file to measure all again.
"""

import argparse
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import torch
from torch import Generator, Tensor

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.evaluation.copied import nearer, nearest_of
from neurosym_lite.evaluation.discriminability import Look, d_steps, learning_curve, told_by_brightness
from neurosym_lite.evaluation.frechet import frechet_distance, parser_features
from neurosym_lite.evaluation.parser import load_parser
from neurosym_lite.evaluation.scene_metrics import STEPS_CAP, discriminator_curve, imagine
from neurosym_lite.evaluation.structure import accepts, at_parser_size, handwriting_spread, obeys, share
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint, write_atomically
from neurosym_lite.training.experiment_recipes import SCENES as SETS
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import RESULTS, load_record
from scripts.pages.gnm_experiments import LITE, STEMS

REPORT = RESULTS / "controls.json"
RULES = ("mnist4", "mnist10", "mnist4-10")
GLYPHS = "mnist"
SCENES, SEED = 1000, 0  # as evaluate has them
OTHER_SEED = 1  # of the real scenes in the place of samples
OTHER_SETS = 8  # sets of scenes that a model has not seen, beside the one that it has
SPLITS, PAIRS = ("train", "test"), 20  # sets of new and of held-out handwriting, for the floor of the distance
FEW_OF = "mnist4"  # rule that was also learned from finite sets
COMPARED = ("gnm", "gnm-gaussian", "genesis", "convdraw", "convdraw-8steps", "convdraw-mlp", "vae")  # with a curve


def judged(rule: str) -> dict[str, float]:
    """Real scenes where a model's samples would be, before the parsers."""
    train = SceneSource(rule, GLYPHS, "train")
    samples = train.batch(SCENES, Generator().manual_seed(OTHER_SEED)).images  # what a perfect model would imagine
    first, second = load_parser(GLYPHS), load_parser(f"{GLYPHS}-second")
    images = at_parser_size(samples)
    parsed = first.parse(images)
    accepted = obeys(parsed, rule)
    metrics = {"structure_spread": handwriting_spread(images, parsed, accepted)}
    for of, verdicts in (("structure", accepted), ("second", accepts(samples, rule, second))):
        metrics |= dict(zip((f"{of}_accuracy", f"{of}_low", f"{of}_high"), share(verdicts), strict=True))
    return {name: round(value, 5) for name, value in metrics.items()}


def floor(rule: str) -> dict[str, float]:
    """The Fréchet distance between two sets of real scenes: mean and standard deviation over PAIRS of such sets.

    It is no 0, because a covariance of SCENES scenes is not that of all.
    """
    parser, distances = load_parser(GLYPHS), []
    for seed in range(PAIRS):
        sets = (SceneSource(rule, GLYPHS, split).batch(SCENES, Generator().manual_seed(seed)) for split in SPLITS)
        distances.append(frechet_distance(*(parser_features(parser, scenes.images) for scenes in sets)))
    metrics = {"frechet": mean(distances), "frechet_error": stdev(distances), "frechet_pairs": PAIRS}
    return {name: round(value, 5) for name, value in metrics.items()}


def told_apart(rule: str) -> dict[str, float | list]:
    """Real scenes against real ones, before a classifier."""
    train = SceneSource(rule, GLYPHS, "train")

    def real(n: int, generator: Generator) -> Tensor:
        return train.batch(n, generator).images

    def others(n: int, generator: Generator) -> Tensor:
        torch.rand(1, generator=generator)  # or these would be the very scenes that `real` draws
        return real(n, generator)

    curve = learning_curve(real, others, SEED, STEPS_CAP)
    return {"d_steps": d_steps(curve, STEPS_CAP), "d_steps_cap": STEPS_CAP, "curve": _points(curve)}


def by_brightness(rule: str, imagined: Tensor | None = None) -> dict[str, float]:
    """How often one number tells these images, or other real ones, from real scenes."""
    train = SceneSource(rule, GLYPHS, "train")
    real, others = (train.batch(SCENES, Generator().manual_seed(seed)).images for seed in (SEED, OTHER_SEED))
    return {"brightness": round(told_by_brightness(real, others if imagined is None else imagined), 5)}


# by a key of what each measures
PIECES = {"second_low": judged, "frechet_pairs": floor, "curve": told_apart, "brightness": by_brightness}


def curve_of(name: str) -> list[tuple[int, float]]:
    """How the first classifier of a shipped model's D-Steps learns."""
    model, recipe = load_checkpoint(name)
    return _points(discriminator_curve(model, recipe, SEED))


def share_copied(name: str) -> dict[str, float]:
    """Of a model that learned from a finite set: the share nearer to it than to a set not seen, mean over such sets.

    Each of those in the place of the training set, among the others, says how much the luck of one set is worth: the
    standard deviation of these is the error.
    """
    model, recipe = load_checkpoint(name)
    imagined, trained = imagine(model, SCENES, SEED), recipe.data.source("train").scenes.images
    stream = replace(recipe.data, scenes=0).source("train")
    unseen = (stream.batch(len(trained), Generator().manual_seed(seed)).images for seed in range(OTHER_SETS))
    ours, *others = (nearest_of(imagined, scenes).distances for scenes in (trained, *unseen))
    luck = [mean(nearer(other, third) for third in others if third is not other) for other in others]
    share = mean(nearer(ours, other) for other in others)
    return {"copied": round(share, 5), "copied_error": round(stdev(luck), 5)}


def _points(curve: Iterable[Look]) -> list[tuple[int, float]]:
    return [(look.step, round(look.accuracy, 4)) for look in curve]


def measure(path: Path = REPORT) -> None:
    """Measure what the report lacks, and write it after each piece."""
    report = json.loads(path.read_text()) if path.is_file() else {"real": {}, "curves": {}}
    brightness, near = report.setdefault("brightness", {}), report.setdefault("copied", {})
    for rule in RULES:
        real = report["real"].setdefault(rule, {})
        for key, piece in PIECES.items():
            if key not in real:
                real |= piece(rule)
                _write(path, report)
        for name in (f"{model}-{rule}{LITE}" for model in COMPARED):
            if name in RECIPES and name not in report["curves"] and checkpoint_path(name).is_file():
                report["curves"][name] = curve_of(name)
                _write(path, report)
    for stem in dict.fromkeys((*STEMS.values(), "successor")):
        for rule in RULES:
            name = f"{stem}-{rule}{LITE}"
            if name in RECIPES and name not in brightness and checkpoint_path(name).is_file():
                model, _ = load_checkpoint(name)
                brightness[name] = by_brightness(rule, imagine(model, SCENES, SEED))["brightness"]
                _write(path, report)
    for name in (f"gnm-{scenes}scenes-{FEW_OF}{LITE}" for scenes in SETS):
        # a training set that a GPU drew is not drawn again here
        if name not in near and checkpoint_path(name).is_file() and load_record(name).device.startswith("cpu"):
            near[name] = share_copied(name)
            _write(path, report)


def _write(path: Path, report: dict) -> None:
    """As JSON, a point of a curve a line."""
    text = re.sub(r"\[\s+(\d+),\s+([\d.]+)\s+\]", r"[\1, \2]", json.dumps(report, indent=1))
    write_atomically(path, f"{text}\n".encode())


if __name__ == "__main__":
    torch.set_num_threads(1)
    spare_the_processor()
    arguments = argparse.ArgumentParser("python -m scripts.controls", description=__doc__.splitlines()[0])
    arguments.add_argument("report", nargs="?", type=Path, default=REPORT, help="file that is filled up")
    measure(arguments.parse_args().report)
