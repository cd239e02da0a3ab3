"""Trains the classifier of characters: `python -m scripts.train_classifier [--seed 0] [--out FILE]`.

Writes data/parsers/classifier-characters.safetensors and its record, with what it names rightly of each set. A few
minutes of one core. Needs all five sets: `python -m neurosym_lite data list` says which are at hand.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.classifier import KIND, PATH, Classifier, read_classifier
from neurosym_lite.training.checkpoints import write_atomically, write_file
from neurosym_lite.training.records import as_text
from neurosym_lite.training.transfer_recipes import SETS
from scripts.judges import as_record, optimise

STEPS = 8000
EACH = 32  # characters of each set in a batch
REPORT = 500  # steps between points of the curve
HELD_OUT = 0.1  # share of Omniglot's background drawings that are kept for the test: its test set has other classes


class Split(NamedTuple):
    """Some characters of a set, with classes counted over all sets."""

    images: Tensor
    labels: Int64[Tensor, "N"]


def load_sets(seed: int) -> tuple[dict[str, Split], dict[str, Split], int]:
    """What is learnt and what is tested, set by set, and the number of classes of all sets together."""
    learnt, tested, classes = {}, {}, 0
    for name in SETS:
        known = DrawingSource(name, "train")
        if name == "omniglot":
            order = torch.randperm(len(known.images), generator=Generator().manual_seed(seed))
            cut = int(HELD_OUT * len(order))
            parts = [Split(known.images[rows], known.labels[rows]) for rows in (order[cut:], order[:cut])]
        else:
            new = DrawingSource(name, "test")
            parts = [Split(source.images, source.labels) for source in (known, new)]
        learnt[name], tested[name] = (Split(part.images, part.labels + classes) for part in parts)
        classes += int(known.labels.max()) + 1
    return learnt, tested, classes


def train(sets: dict[str, Split], classes: int, seed: int, steps: int) -> tuple[Classifier, list[dict], float]:
    """A classifier, its curve, and the minutes of processor time it took."""
    torch.manual_seed(seed)
    classifier, generator, begin = Classifier(classes), Generator().manual_seed(seed), time.process_time()

    def losses() -> dict[str, Float[Tensor, ""]]:
        rows = [torch.randint(len(split.labels), (EACH,), generator=generator) for split in sets.values()]
        images = torch.cat([split.images[row] for split, row in zip(sets.values(), rows, strict=True)])
        labels = torch.cat([split.labels[row] for split, row in zip(sets.values(), rows, strict=True)])
        return {"cross_entropy": F.cross_entropy(classifier(images.float() / 255), labels)}

    curve = optimise(classifier, losses, steps, REPORT, begin)
    return classifier.eval(), curve, (time.process_time() - begin) / 60


@torch.no_grad()
def accuracies(classifier: Classifier, sets: dict[str, Split]) -> dict[str, float]:
    """Share that is named rightly, among the classes of all sets."""
    shares = {}
    for name, split in sets.items():
        scores = torch.cat([classifier(batch.float() / 255) for batch in split.images.split(1000)])
        shares[f"accuracy_{name}"] = float((scores.argmax(1) == split.labels).float().mean())
    return shares


def main() -> int:
    """Train, ship and record the classifier."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=STEPS)
    arguments.add_argument("--out", type=Path, default=PATH, help="file")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    known, new, classes = load_sets(given.seed)
    classifier, curve, minutes = train(known, classes, given.seed, given.steps)
    half = {name: tensor.half() for name, tensor in classifier.state_dict().items()}
    write_file(given.out, KIND, half, classes=classes, seed=given.seed, steps=given.steps)
    shipped = read_classifier(given.out)
    config = {"classes": classes, "batch": EACH * len(SETS)}
    record = as_record(shipped, "characters", given.seed, given.steps, minutes, accuracies(shipped, new), config, curve)
    write_atomically(given.out.with_suffix(".json"), as_text(record, ("curve",)).encode())
    print(json.dumps(record["metrics"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
