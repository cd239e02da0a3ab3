"""sample, infer, evaluate: what a trained model does."""

import argparse
import json
from pathlib import Path

import torch
from torch import nn

from neurosym_lite.commands.arguments import output, read_images, sheet
from neurosym_lite.evaluation.evaluate import can_sweep
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
from neurosym_lite.training.checkpoints import load_checkpoint, save_npz, write_atomically


def _check_sweeps(options: argparse.Namespace, model: nn.Module) -> None:
    """Raise ValueError when a model that has no global code is asked for sweeps."""
    if options.sweeps and not can_sweep(model):
        raise ValueError(f"--sweeps {options.sweeps}: {options.name} has no sweeps, they need symbols and a code above")


def sample(options: argparse.Namespace) -> int:
    """Images from the prior, as npz or as one sheet."""
    out = output(options.out, (".npz", ".png"))
    model, _ = load_checkpoint(options.name)
    _check_sweeps(options, model)
    images = imagine(model, options.n, options.seed, options.sweeps)
    if out.suffix == ".png":
        write_atomically(out, sheet(images))
    else:
        save_npz(out, images=images)
    return 0


@torch.no_grad()
def infer(options: argparse.Namespace) -> int:
    """Boxes, strokes, masks, tokens or latents, as the model has them, and what it redraws."""
    out = output(options.out, (".npz",))
    model, _ = load_checkpoint(options.name)
    images = read_images(Path(options.images), model.config.channels, model.config.image_size)
    if isinstance(model, DooD | AIR):
        save_npz(out, **readings(model, images))
        return 0
    if isinstance(model, GNM | Space):
        parts = [model.detect(batch) for batch in images.split(BATCH)]
        save_npz(
            out,
            present=torch.cat([found.present for found, _, _ in parts]),
            boxes=torch.cat([found.corners for found, _, _ in parts]),
            recon=torch.cat([as_bytes(drawn) for _, _, drawn in parts]),
        )
        return 0
    if isinstance(model, ConvDraw):
        draws = [model.infer(batch, mode=True) for batch in images.split(BATCH)]
        recon = torch.cat([as_bytes(model.render(draw.features)) for draw in draws])
        save_npz(out, latent_mean=torch.cat([draw.latent for draw in draws]), recon=recon)
        return 0
    if isinstance(model, Genesis):
        scenes = [model.infer(batch, mode=True) for batch in images.split(BATCH)]
        masks = torch.cat([as_bytes(scene.log_masks.exp()) for scene in scenes])
        save_npz(out, masks=masks, recon=torch.cat([as_bytes(scene.image) for scene in scenes]))
        return 0
    if isinstance(model, Successor):
        tokens = torch.cat([model.infer(batch) for batch in images.split(BATCH)])
        recon = torch.cat([as_bytes(model.render(batch)) for batch in tokens.split(BATCH)])
        save_npz(out, tokens=tokens, recon=recon)
        return 0
    codes = [model.infer(batch) for batch in images.split(BATCH)]
    mean, std = torch.cat([q.mean for q in codes]), torch.cat([q.std for q in codes])
    recon = torch.cat([as_bytes(model.render(batch)) for batch in mean.split(BATCH)])
    save_npz(out, latent_mean=mean, latent_std=std, recon=recon)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Metrics by name, as a table or as JSON."""
    model, recipe = load_checkpoint(options.name)
    _check_sweeps(options, model)
    names = tuple(name for name in options.metrics.split(",") if name)
    metrics = evaluate_model(model, recipe, names, options.n, options.seed, options.glyphs, options.sweeps)
    if options.json:
        print(json.dumps({"name": options.name, "n": options.n, "seed": options.seed, "metrics": metrics}))
    else:
        print(f"{options.name}, {options.n} held-out images, seed {options.seed}")
        for name, value in metrics.items():
            print(f"  {name:<16} {value:.4f}")
    return 0
