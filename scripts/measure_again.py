"""python -m scripts.measure_again [--metrics a,b] RECIPE ...: renew the metrics of shipped checkpoints.

When a recipe is given a new metric, or a metric changes, its run need not be repeated: the shipped checkpoint is
evaluated again, and the numbers are written into its header and into the committed run record. With --metrics only
those are measured, and the others stay as they are.
"""

import argparse
from dataclasses import replace

import torch

from neurosym_lite.evaluation.evaluate import evaluate
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint, read_file, save_checkpoint
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.records import load_record, record_path, save_record


def measure_again(name: str, only: tuple[str, ...] = ()) -> dict[str, float]:
    """Evaluate a shipped checkpoint by its recipe's metrics, or `only` by some, and write them where they are kept."""
    model, recipe = load_checkpoint(name)
    path, record = checkpoint_path(name), load_record(name)
    metrics = (record.metrics if only else {}) | evaluate(model, recipe, only or recipe.metrics)
    tensors, header = read_file(path, "checkpoint")
    save_checkpoint(path, recipe, tensors, header["step"], metrics)
    config = record.config | {"metrics": list(recipe.metrics)}
    save_record(record_path(name), replace(record, metrics=metrics, config=config))
    return metrics


if __name__ == "__main__":
    torch.set_num_threads(1)
    spare_the_processor()
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("recipes", nargs="+")
    arguments.add_argument("--metrics", default="", help="names, with commas between")
    given = arguments.parse_args()
    for recipe_name in given.recipes:
        measured = measure_again(recipe_name, tuple(name for name in given.metrics.split(",") if name))
        print(recipe_name, measured, flush=True)
