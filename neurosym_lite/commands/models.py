"""sample, infer, evaluate: what a trained model does."""

import argparse
import json
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.commands.arguments import output, sheet, table
from neurosym_lite.commands.says import say
from neurosym_lite.data.own_images import read_images
from neurosym_lite.evaluation.evaluate import LEAST, check_sweeps, quick
from neurosym_lite.evaluation.evaluate import evaluate as evaluate_model
from neurosym_lite.evaluation.images import as_bytes
from neurosym_lite.evaluation.scene_metrics import BATCH, imagine
from neurosym_lite.evaluation.strokes import readings
from neurosym_lite.models.air import AIR
from neurosym_lite.models.convdraw import ConvDraw
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.genesis import Genesis
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space
from neurosym_lite.models.successor import Successor
from neurosym_lite.training.checkpoints import (
    checkpoint_path,
    load_checkpoint,
    read_header,
    save_npz,
    write_atomically,
)
from neurosym_lite.training.keeping import CHECKPOINT
from neurosym_lite.training.recipe import Model
from neurosym_lite.training.recipes import RECIPES


def say_which(name: str) -> None:
    """On standard error, once the work is done: the checkpoint that it was done with, and the reader's own, if any."""
    path = checkpoint_path(name)
    header = read_header(path, "checkpoint")
    what = f"the shipped checkpoint of {name}" if name in RECIPES else f"{path}, {header['recipe']}"
    own = Path("runs") / name / CHECKPOINT
    yours = f"; yours: {own}" if name in RECIPES and own.is_file() else ""
    say(f"used {what}, {header['step']:,} steps{yours}")


def sample(options: argparse.Namespace) -> int:
    """Images from the prior, as npz or as one sheet."""
    out = output(options.out, (".npz", ".png"))
    model, _ = load_checkpoint(options.name)
    check_sweeps(model, options.name, options.sweeps)
    images = imagine(model, options.n, options.seed, options.sweeps)
    if out.suffix == ".png":
        write_atomically(out, sheet(images))
    else:
        save_npz(out, images=images)
    say_which(options.name)
    return 0


def infer(options: argparse.Namespace) -> int:
    """What the model sees in images, as npz."""
    out = output(options.out, (".npz",))
    if out.exists() and out.samefile(options.images):
        raise ValueError(f"--out {out}: these are the images, which would be gone: give another name")
    model, _ = load_checkpoint(options.name)
    images = read_images(Path(options.images), model.config.channels, model.config.image_size)
    save_npz(out, **seen(model, images))
    say_which(options.name)
    return 0


@torch.no_grad()
def seen(model: Model, images: Float[Tensor, "N C H W"]) -> dict[str, Tensor]:
    """Boxes, strokes, masks, tokens or latents, as the model has them, and what it redraws (`recon`)."""
    if isinstance(model, DooD | AIR):
        return readings(model, images)
    if isinstance(model, GNM | Space):
        parts = [model.detect(batch) for batch in images.split(BATCH)]
        return {
            "present": torch.cat([found.present for found, _, _ in parts]),
            "boxes": torch.cat([found.corners for found, _, _ in parts]),
            "recon": torch.cat([as_bytes(drawn) for _, _, drawn in parts]),
        }
    if isinstance(model, ConvDraw):
        draws = [model.infer(batch, mode=True) for batch in images.split(BATCH)]
        recon = torch.cat([as_bytes(model.render(draw.features)) for draw in draws])
        return {"latent_mean": torch.cat([draw.latent for draw in draws]), "recon": recon}
    if isinstance(model, Genesis):
        scenes = [model.infer(batch, mode=True) for batch in images.split(BATCH)]
        masks = torch.cat([as_bytes(scene.log_masks.exp()) for scene in scenes])
        return {"masks": masks, "recon": torch.cat([as_bytes(scene.image) for scene in scenes])}
    if isinstance(model, Successor):
        tokens = torch.cat([model.infer(batch) for batch in images.split(BATCH)])
        recon = torch.cat([as_bytes(model.render(batch)) for batch in tokens.split(BATCH)])
        return {"tokens": tokens, "recon": recon}
    codes = [model.infer(batch) for batch in images.split(BATCH)]
    mean, std = torch.cat([q.mean for q in codes]), torch.cat([q.std for q in codes])
    recon = torch.cat([as_bytes(model.render(batch)) for batch in mean.split(BATCH)])
    return {"latent_mean": mean, "latent_std": std, "recon": recon}


def evaluate(options: argparse.Namespace) -> int:
    """Metrics by name, as a table or as JSON."""
    model, recipe = load_checkpoint(options.name)
    names = tuple(name for part in options.metrics.split(",") if (name := part.strip()))
    left_out = () if names else quick(model, recipe, options.n)[1]
    metrics = evaluate_model(model, recipe, names, options.n, options.seed, options.glyphs, options.sweeps)
    if options.json:
        print(json.dumps({"name": options.name, "n": options.n, "seed": options.seed, "metrics": metrics}))
    else:
        print(f"{options.name}, {options.n} held-out images, seed {options.seed}\n{table(metrics)}")
    for name in left_out:
        say(f"{name} is left out: it needs --n {LEAST[name]} or more")
    say_which(options.name)
    return 0
