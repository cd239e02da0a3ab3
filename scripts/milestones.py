"""python -m scripts.milestones RECIPE KEPT: how structure accuracy grew, from the checkpoints that a run kept.

Evaluates every checkpoint in the folder KEPT (of `train --keep`) and writes step, CPU minutes and accuracies, with
and without sweeps, into the recipe's committed run record. Checkpoints from before z_g began to learn are left out.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from neurosym_lite.evaluation.parser import load_parser
from neurosym_lite.evaluation.scene_metrics import SWEEPS, imagine
from neurosym_lite.evaluation.structure import accepts
from neurosym_lite.training.checkpoints import load_checkpoint, read_header
from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.records import load_record, record_path, save_record

SAMPLES = 500  # a checkpoint: a standard error of 0.02 at most


def first_step(name: str) -> int:
    """The step at which the recipe begins to train z_g."""
    step = 0
    for phase in get_recipe(name).phases:
        if phase.objective != "symbol_loss":
            return step
        step += phase.steps
    return step


def milestones(name: str, kept: Path) -> list[dict[str, int | float]]:
    """A point a checkpoint, in the order of their steps."""
    points = []
    for path in sorted(kept.glob("*.safetensors")):
        header = read_header(path, "checkpoint")
        if header["step"] <= first_step(name):
            continue
        model, recipe = load_checkpoint(str(path))
        point = {"step": header["step"], "minutes": header["metrics"]["minutes"]}
        for word, sweeps in (("structure", 0), ("swept", SWEEPS)):
            samples = imagine(model, SAMPLES, seed=0, sweeps=sweeps)
            accepted = accepts(samples, recipe.data.rule, load_parser(recipe.data.glyphs))
            point[f"{word}_accuracy"] = round(float(accepted.float().mean()), 4)
        points.append(point)
        print(points[-1], flush=True)
    return points


if __name__ == "__main__":
    torch.set_num_threads(1)
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("recipe")
    arguments.add_argument("kept", type=Path)
    given = arguments.parse_args()
    found = milestones(given.recipe, given.kept)
    save_record(record_path(given.recipe), replace(load_record(given.recipe), milestones=found))
