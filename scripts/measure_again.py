"""python -m scripts.measure_again RECIPE ...: renew the metrics of shipped checkpoints.

When a recipe is given a new metric, or a metric changes, its run need not be repeated: the shipped checkpoint is
evaluated again, and the numbers are written into its header and into the committed run record.
"""

import sys
from dataclasses import replace

import torch
from safetensors.torch import load as load_tensors

from neurosym_lite.evaluation.evaluate import evaluate
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint, read_file, save_checkpoint
from neurosym_lite.training.records import load_record, record_path, save_record


def measure_again(name: str) -> dict[str, float]:
    """Evaluate a shipped checkpoint by its recipe's metrics and write them where they are kept."""
    model, recipe = load_checkpoint(name)
    metrics = evaluate(model, recipe, recipe.metrics)
    path, record = checkpoint_path(name), load_record(name)
    _, header = read_file(path, "checkpoint")
    save_checkpoint(path, recipe, load_tensors(path.read_bytes()), header["step"], metrics)
    config = record.config | {"metrics": list(recipe.metrics)}
    save_record(record_path(name), replace(record, metrics=metrics, config=config))
    return metrics


if __name__ == "__main__":
    torch.set_num_threads(1)
    for recipe_name in sys.argv[1:]:
        print(recipe_name, measure_again(recipe_name), flush=True)
