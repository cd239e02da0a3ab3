"""python -m scripts.measure_again [--metrics a,b] [--checkpoint FILE] RUN ...: renew the metrics of records.

When a recipe is given a new metric, or a metric changes, its run need not be repeated: the shipped checkpoint is
evaluated again, and the numbers are written into its header and into the committed run record. With --metrics only
those are measured, and the others stay as they are. Checkpoints of further seeds are not shipped: give the one that
the training left, as in `--checkpoint runs/gnm-mnist4-lite-seed1/checkpoint.safetensors gnm-mnist4-lite-seed1`.
"""

import argparse
from dataclasses import replace

import torch

from neurosym_lite.evaluation.evaluate import evaluate
from neurosym_lite.training.checkpoints import (
    checkpoint_path,
    load_checkpoint,
    read_file,
    read_header,
    save_checkpoint,
)
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.records import load_record, record_path, save_record


def measure_again(name: str, only: tuple[str, ...] = (), checkpoint: str = "") -> dict[str, float]:
    """Evaluate a run's checkpoint by its recipe's metrics, or `only` by some, and write them where they are kept."""
    file, record = checkpoint or name, load_record(name)
    model, recipe = load_checkpoint(file)
    path = checkpoint_path(file)
    if (record.recipe, record.steps) != (recipe.name, read_header(path, "checkpoint")["step"]):
        raise ValueError(f"{path} is no checkpoint of {name}: {record.recipe} at step {record.steps:,} is asked for")
    metrics = (record.metrics if only else {}) | evaluate(model, recipe, only or recipe.metrics)
    tensors, header = read_file(path, "checkpoint")
    save_checkpoint(path, recipe, tensors, header["step"], metrics)
    config = record.config | {"metrics": list(recipe.metrics)}
    save_record(record_path(name), replace(record, metrics=metrics, config=config))
    return metrics


if __name__ == "__main__":
    torch.set_num_threads(1)
    spare_the_processor()
    arguments = argparse.ArgumentParser("python -m scripts.measure_again", description=__doc__.splitlines()[0])
    arguments.add_argument("runs", nargs="+", help="names of records: recipes, or RECIPE-seedN")
    arguments.add_argument("--metrics", default="", help="names, with commas between")
    arguments.add_argument("--checkpoint", default="", help="of the run: else the shipped one of that name")
    given = arguments.parse_args()
    if given.checkpoint and len(given.runs) > 1:
        arguments.error("--checkpoint is of one run: give one name")
    for run in given.runs:
        print(run, measure_again(run, tuple(filter(None, given.metrics.split(","))), given.checkpoint), flush=True)
