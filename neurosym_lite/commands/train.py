"""train: a recipe from its beginning, or from where it was stopped."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from neurosym_lite.evaluation.evaluate import evaluate
from neurosym_lite.training import checkpoints, loop, records
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.recipes import get_recipe

STATE, CHECKPOINT, RECORD = "state.safetensors", "checkpoint.safetensors", "record.json"
KEPT = "kept"  # folder of the checkpoints that --keep asks for


def train(options: argparse.Namespace) -> int:
    """Train or resume; at every stop but an interrupt, also a checkpoint and a run record."""
    recipe = get_recipe(options.recipe)
    seed = recipe.seed if options.seed is None else options.seed
    steps = options.steps or recipe.steps
    if steps > recipe.steps:
        raise ValueError(f"--steps {steps}: {recipe.name} has {recipe.steps}")
    device = _device(options.device, options.threads)
    out = Path(options.out or Path("runs") / recipe.name)
    run = _begin(recipe, seed, device, out, options.resume)
    if run.step > steps:
        print(f"{recipe.name} is at step {run.step} already, past --steps {steps}: nothing done", file=sys.stderr)
        return 0
    with _progress(run, steps) as show:

        def on_step(run: loop.Run) -> None:
            show(run)
            if options.keep and run.step % options.keep == 0:
                _keep(run, out / KEPT)

        interrupted = loop.fit(run, out / STATE, steps=steps, minutes=options.minutes, on_step=on_step)
    try:
        if not interrupted:
            _finish(run, out)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        print(f"interrupted at step {run.step}, saved in {out / STATE}: --resume goes on", file=sys.stderr)
        return 130
    left = f", {steps - run.step} steps left: --resume goes on" if run.step < steps else ""
    print(f"{recipe.name} at step {run.step} of {steps}{left}; checkpoint and record in {out}", file=sys.stderr)
    return 0


def _begin(recipe: Recipe, seed: int, device: torch.device, out: Path, resume: bool) -> loop.Run:
    """The run in `out`, or a new one where nothing would be overwritten."""
    for name in (STATE, CHECKPOINT, RECORD):
        if (out / name).exists() and not resume:
            raise ValueError(f"{out / name} exists: add --resume to go on with it, or give another --out")
    checkpoints.prepare_folder(out, (STATE, CHECKPOINT, RECORD))
    if not (out / STATE).exists():
        return loop.start(recipe, seed, device)
    run = loop.load_state(recipe, seed, device, out / STATE)
    print(f"resumed {recipe.name} at step {run.step}", file=sys.stderr)
    return run


def _finish(run: loop.Run, out: Path) -> None:
    """Write checkpoint and record; the metrics are those of the checkpoint as it is read back."""
    candidate = out / f".{CHECKPOINT}.{os.getpid()}.tmp"  # the old checkpoint stays until the new one has been read
    try:
        checkpoints.save_checkpoint(candidate, run.recipe, loop.shipped_weights(run), run.step, {})
        model, recipe = checkpoints.load_checkpoint(str(candidate))
        metrics = evaluate(model, recipe, recipe.metrics)
    finally:
        candidate.unlink(missing_ok=True)
    checkpoints.save_checkpoint(out / CHECKPOINT, run.recipe, loop.shipped_weights(run), run.step, metrics)
    record = records.make_record(
        run.recipe,
        seed=run.seed,
        steps=run.step,
        device=_device_name(run.device),
        minutes=run.seconds / 60,
        parameters=sum(p.numel() for p in model.parameters()),
        metrics=metrics,
        curve=run.curve,
    )
    records.save_record(out / RECORD, record)


def _keep(run: loop.Run, folder: Path) -> None:
    """A checkpoint of how far the run has got, to be evaluated later; its header says the minutes it took."""
    loop.check_finite(run)
    path, so_far = folder / f"{run.step:07d}.safetensors", {"minutes": round(run.seconds / 60, 3)}
    checkpoints.save_checkpoint(path, run.recipe, loop.shipped_weights(run), run.step, so_far)


def _device(name: str, threads: int) -> torch.device:
    """The device of that name, with the number of threads set where it is a CPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no GPU here; use --device cpu")
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return torch.device("cuda")
    if threads > (cores := os.cpu_count() or 1):
        raise ValueError(f"--threads {threads}: this machine has {cores} cores")
    torch.set_num_threads(threads)
    return torch.device("cpu")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}"


@contextmanager
def _progress(run: loop.Run, steps: int) -> Iterator[Callable[[loop.Run], None]]:
    """A progress bar on a terminal that has tqdm; nothing in a log."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda run: None
        return
    with tqdm(
        total=steps, initial=run.step, desc=run.recipe.name, unit="step", disable=not sys.stderr.isatty()
    ) as bar:

        def update(run: loop.Run) -> None:
            bar.update(1)
            if run.curve and run.step % loop.CURVE_STEPS == 0:
                bar.set_postfix(total=run.curve[-1]["total"])

        yield update
