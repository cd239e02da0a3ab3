"""Does each shipped checkpoint still give the numbers of its record? `python -m scripts.check_records [RECIPE ...]`.

Like `python -m neurosym_lite evaluate NAME --metrics structure,sweeps,detection,what,d_steps,likelihood,frechet` for
all of them, and the same of drawings' metrics, held against `data/results/`. Minutes a checkpoint: the tests measure
what is quick. Exit status 1 where one differs.
"""

import argparse
import sys

import torch

from neurosym_lite.evaluation.evaluate import available, evaluate
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import load_record

ASKED = (
    "structure", "sweeps", "detection", "what", "d_steps", "likelihood", "frechet",
    "transfer", "transfer_likelihood", "samples", "clusters", "one_shot",
)  # fmt: skip


def differences(name: str) -> list[str] | None:
    """What of the measures asked for comes out otherwise than the record says; None where it has none of them."""
    model, recipe = load_checkpoint(name)
    named = tuple(metric for metric in ASKED if metric in recipe.metrics and metric in available(model, recipe))
    if not named:
        return None
    recorded, measured = load_record(name).metrics, evaluate(model, recipe, named)
    other = {key: value for key, value in measured.items() if recorded.get(key) != value}
    return [f"{key}: {value}, recorded {recorded.get(key)}" for key, value in other.items()]


def main(names: list[str]) -> int:
    """Check them all, a line each."""
    wrong = 0
    for name in names or [name for name in RECIPES if checkpoint_path(name).is_file()]:
        found = differences(name)
        wrong += bool(found)
        said = "nothing to check" if found is None else "; ".join(found) or "equal"
        print(f"{name}: {said}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    spare_the_processor()
    arguments = argparse.ArgumentParser("python -m scripts.check_records", description=__doc__.splitlines()[0])
    arguments.add_argument("recipes", nargs="*", help="names; without one all that are shipped")
    sys.exit(main(arguments.parse_args().recipes))
