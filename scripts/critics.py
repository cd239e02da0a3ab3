"""Writes data/results/critics.json: how many scenes are refused after the critics of chapter 11, trained eight times.

`python -m scripts.critics`, a minute or two. The chapter's own cells are run up to its critics, which are then trained
from other seeds. All choose among the same candidates, so each of these is parsed once.
"""

import json
from pathlib import Path

import matplotlib
import nbformat
import torch
from torch import Tensor

from neurosym_lite.evaluation.structure import obeys
from neurosym_lite.models.global_prior import GlobalDraw
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.records import RESULTS
from scripts.toc import ROOT

CHAPTER = ROOT / "notebooks" / "11_what_came_next.ipynb"
REPORT = RESULTS / "critics.json"
SEEDS = 8
SCENES = 1000


def cells_until(word: str) -> dict:
    """What the chapter's code has made up to the cell that defines this."""
    made: dict = {}
    for cell in nbformat.read(CHAPTER, as_version=4).cells:
        if word in made:
            return made
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{CHAPTER.name}, {cell.id}", "exec"), made)
    raise ValueError(f"{CHAPTER} does not define {word}")


def refused_of(made: dict, draw: GlobalDraw) -> Tensor:
    """Which scenes that these codes say are refused, (N,)."""
    verdicts = []
    for latent, features in zip(draw.latent.split(SCENES), draw.features.split(SCENES), strict=True):
        objects = made["gnm"].prior(draw._replace(latent=latent, features=features)).mode()
        found = made["digits_judge"].parse(made["gnm"].render(objects).clamp(0, 1))
        verdicts.append(~obeys(found, "mnist4"))
    return torch.cat(verdicts)


def critics(path: Path) -> None:
    """Train them, choose, and count."""
    made = cells_until("choose")
    candidates = made["gnm"].globals.generate(SCENES * made["CANDIDATES"], made["seeded"](0))
    looks, refused = made["looks_of"](candidates), refused_of(made, candidates)
    report: dict = {"scenes": SCENES, "candidates": round(float(refused.float().mean()), 5), "refused": {}}
    for name, real in made["real"].items():
        report["refused"][name] = []
        for seed in range(SEEDS):
            critic = made["train_critic"](real, made["drawn"][name], seed=seed)
            pick = made["choose"](critic, looks[name], made["seeded"](seed))
            report["refused"][name].append(int(refused[pick].sum()))
        print(name, report["refused"][name], flush=True)
    write_atomically(path, f"{json.dumps(report, indent=1)}\n".encode())


if __name__ == "__main__":
    matplotlib.use("agg")
    torch.set_num_threads(1)
    spare_the_processor()
    critics(REPORT)
