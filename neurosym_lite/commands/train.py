"""train: a recipe from its beginning, or from where it was stopped, by one process or by several."""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from torch import nn

from neurosym_lite.commands.arguments import table
from neurosym_lite.commands.best import Best
from neurosym_lite.commands.says import say
from neurosym_lite.data.sources import DataError
from neurosym_lite.evaluation.evaluate import evaluate
from neurosym_lite.training import checkpoints, loop, ranks, records
from neurosym_lite.training.claim import claimed
from neurosym_lite.training.keeping import BEST, CANDIDATE, CHECKPOINT, RECORD, STATE, Keeper, kept
from neurosym_lite.training.recipe import Recipe, on_images, rescaled
from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.run import check_steps
from neurosym_lite.training.step import Engine

SAY_SECONDS = 60.0  # between two lines of progress, where there is no bar
FILES = (STATE, CHECKPOINT, RECORD, BEST, CANDIDATE, loop.BAD_BATCH)


def train(options: argparse.Namespace) -> int:
    """Train or resume; at every stop but an interrupt, also a checkpoint and a run record."""
    recipe = rescaled(get_recipe(options.recipe), options.batch, options.rate)
    if options.images is not None:
        recipe = on_images(recipe, str(Path(options.images).resolve()))
    steps = options.steps or recipe.steps
    if steps > recipe.steps:
        raise ValueError(f"--steps {steps}: {recipe.name} has {recipe.steps}")
    device = _device(options.device, options.threads)
    out = Path(options.out or Path("runs") / recipe.name)
    together = ranks.join(device)
    try:
        with claimed(out, FILES) if together.first else nullcontext():
            run = _begin(options, recipe, device, out, together)
            if run.step > steps:
                _say(run, f"{recipe.name} is at step {run.step} already, past --steps {steps}: nothing done")
                return 0
            return _fit_and_finish(options, run, steps, out)
    except RuntimeError as error:
        if options.engine == "compile" and type(error).__module__.startswith(("torch._inductor", "torch._dynamo")):
            said = str(error).strip().splitlines()[0]
            raise ValueError(f"--engine compile does not work here ({said}): take --engine eager") from error
        if together is ranks.ALONE or isinstance(error, torch.OutOfMemoryError):
            raise
        raise ValueError(f"rank {together.rank} of {together.count} stopped: {error}") from error
    finally:
        ranks.leave()


def _fit_and_finish(options: argparse.Namespace, run: loop.Run, steps: int, out: Path) -> int:
    keep, first = _keeping(options, run, out), run.step
    scenes = getattr(run.recipe.data, "scenes", 0)
    if run.step < steps and scenes:
        _say(run, f"drawing {scenes:,} training scenes first")
    with _progress(run, steps) as show:

        def on_step(run: loop.Run) -> None:
            show(run)
            keep(run)

        interrupted = loop.fit(run, out / STATE, steps=steps, minutes=options.minutes, on_step=on_step)
    ranks.leave()  # what follows is the first rank's alone, and takes minutes
    metrics: dict[str, float] = {}
    try:
        if not interrupted and run.ranks.first:
            metrics = _finish(run, out, measured=run.step == steps and not options.unmeasured)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        _say(run, f"interrupted at step {run.step}, saved in {out / STATE}: --resume goes on; {checkpoints.LOOK}")
        return 130
    if scenes and run.step == first < steps:
        _say(run, f"drawing the scenes took all of the {options.minutes:g} minutes: give more")
    left = f", {steps - run.step} steps left: --resume goes on" if run.step < steps else ""
    _say(run, f"{run.recipe.name} at step {run.step} of {steps}{left}; checkpoint and record in {out}")
    if metrics:
        _say(run, table(metrics))
    return 0


def _begin(
    options: argparse.Namespace, recipe: Recipe, device: torch.device, out: Path, together: ranks.Ranks
) -> loop.Run:
    """The run in `out`, or a new one where nothing would be overwritten."""
    seed = recipe.seed if options.seed is None else options.seed
    engine = _engine(options.engine, device, together)
    if not together.same((out / STATE).exists()):
        raise ValueError(f"some ranks see {out / STATE} and some do not: --out has to be one folder for all machines")
    if not (out / STATE).exists():
        for left in (out / CHECKPOINT, out / RECORD, out / BEST, *kept(out)):
            if left.exists():
                raise ValueError(f"{left} is of a run whose state is not there: give another --out, or move it away")
        return loop.start(recipe, seed, device, together, engine, out.parent)
    if not options.resume:
        raise ValueError(f"{out / STATE} exists: add --resume to go on with it, or give another --out")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = loop.load_state(recipe, seed, device, out / STATE, together, engine)
    for warning in caught:
        _say(run, f"warning: {warning.message}")
    if not together.same(run.step):
        raise ValueError(f"ranks see different states in {out}: --out has to be one folder for all machines")
    _say(run, f"resumed {recipe.name} at step {run.step}")
    return run


def _say(run: loop.Run, line: str) -> None:
    """A line on standard error, once."""
    if run.ranks.first:
        say(line)


def _finish(run: loop.Run, out: Path, measured: bool) -> dict[str, float]:
    """Write checkpoint and record; the metrics, which it returns, are those of the checkpoint as it is read back.

    A run that its minutes stopped is not measured, nor one with --unmeasured: that takes minutes of a processor.
    The checkpoint is written before it is measured, so it is there whatever becomes of that. Raises DataError where
    metrics need characters that are not to be had; no record is then written, so train-queue knows of work left.
    """
    candidate, metrics = out / CANDIDATE, _measured_before(run, out / CHECKPOINT)
    try:  # the old checkpoint stays until the new one has been read
        checkpoints.save_checkpoint(candidate, run.recipe, loop.shipped_weights(run), run.step, metrics)
        model, recipe = checkpoints.load_checkpoint(candidate, run.recipe)
        checkpoints.write_atomically(out / CHECKPOINT, candidate.read_bytes())
    finally:
        candidate.unlink(missing_ok=True)
    try:
        metrics = evaluate(model, recipe, recipe.metrics) if measured else metrics
    except DataError as error:
        raise DataError(
            f"{recipe.name} is trained, its checkpoint is in {out}, but data for its metrics is not here: once it is, "
            f"the same command with --resume measures it and writes the record ({error})"
        ) from error
    checkpoints.save_checkpoint(out / CHECKPOINT, recipe, loop.shipped_weights(run), run.step, metrics)
    _write_record(run, out, model, metrics)
    return metrics


def _measured_before(run: loop.Run, checkpoint: Path) -> dict[str, float]:
    """The metrics of the checkpoint that is there, if it holds these very weights."""
    try:
        tensors, header = checkpoints.read_file(checkpoint, "checkpoint")
        weights = {name: tensor.half().cpu() for name, tensor in loop.shipped_weights(run).items()}
        same = tensors.keys() == weights.keys() and all(torch.equal(tensors[name], weights[name]) for name in weights)
        return dict(header["metrics"]) if same and header["step"] == run.step else {}
    except (checkpoints.CheckpointError, KeyError, TypeError):
        return {}


def _write_record(run: loop.Run, out: Path, model: nn.Module, metrics: dict[str, float]) -> None:
    """The run's record, into its folder."""
    record = records.make_record(
        run.recipe,
        seed=run.seed,
        steps=run.step,
        device=_device_name(run.device, run.ranks),
        minutes=run.seconds / 60,
        parameters=sum(p.numel() for p in model.parameters()),
        metrics=metrics,
        curve=run.curve,
    )
    records.save_record(out / RECORD, record)


def _keeping(options: argparse.Namespace, run: loop.Run, out: Path) -> Callable[[loop.Run], None]:
    """What --keep, --keep-last and --keep-best ask for, as a function to call after each step."""
    if not options.keep:
        if options.keep_last or options.keep_best:
            raise ValueError("--keep-last and --keep-best need --keep N: a checkpoint every N steps")
        return lambda run: None
    new = not (out / STATE).exists()
    if run.step == 0:  # what is kept is nobody's without a state; all ranks take part
        loop.save_state(run, out / STATE)
    keeper = Keeper(out, options.keep, options.keep_last)
    try:
        best = Best(out, options.keep_best, run) if options.keep_best and run.ranks.first else None
    except ValueError:  # a metric that does not exist: nothing was begun
        if new:
            (out / STATE).unlink()
        raise

    def keep(run: loop.Run) -> None:
        """A checkpoint where it is time for one, looked at where the best is kept."""
        if run.step % keeper.every == 0:
            check_steps(run)  # all ranks look, so that a broken step stops all of them
            path = keeper.keep(run) if run.ranks.first else None
            if best and path:
                best.look(path)

    return keep


def _engine(name: str, device: torch.device, together: ranks.Ranks) -> Engine:
    """The engine of that name; auto is a graph on a GPU, and operation by operation elsewhere."""
    if name == "auto":
        return "graph" if device.type == "cuda" and together.count == 1 else "eager"
    if name == "graph" and (device.type != "cuda" or together.count > 1):
        raise ValueError("--engine graph: a CUDA graph needs one GPU and one process; use --engine eager")
    return name


def _device(name: str, threads: int) -> torch.device:
    """The device of that name, with the number of threads set where it is a CPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no GPU here; use --device cpu")
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        if ranks.local_rank() >= (gpus := torch.cuda.device_count()):
            raise ValueError(f"process {ranks.local_rank() + 1} of this machine has no GPU, there are {gpus}")
        device = torch.device("cuda", ranks.local_rank())
        torch.cuda.set_device(device)
        return device
    if threads > (cores := os.cpu_count() or 1):
        raise ValueError(f"--threads {threads}: this machine has {cores} cores")
    torch.set_num_threads(threads)
    return torch.device("cpu")


def _device_name(device: torch.device, together: ranks.Ranks) -> str:
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        threads = torch.get_num_threads()
        name = f"cpu, {threads} thread{'s' if threads > 1 else ''}"
    return f"{together.count} x ({name})" if together.count > 1 else name


@contextmanager
def _progress(run: loop.Run, steps: int) -> Iterator[Callable[[loop.Run], None]]:
    """A progress bar on a terminal that has tqdm; in a log a line at the start and one a minute."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm is None or not sys.stderr.isatty():
        yield _lines(run, steps)
        return
    with tqdm(total=steps, initial=run.step, desc=run.recipe.name, unit="step", disable=not run.ranks.first) as bar:

        def update(run: loop.Run) -> None:
            bar.update(1)
            if run.curve and run.step % loop.CURVE_STEPS == 0:
                bar.set_postfix(total=run.curve[-1]["total"])

        yield update


def _lines(run: loop.Run, steps: int) -> Callable[[loop.Run], None]:
    """Say that training begins; what it returns is called after each step, and says once a minute how far it is."""
    said = time.monotonic()
    device = _device_name(run.device, run.ranks)
    _say(run, f"training {run.recipe.name} from step {run.step:,} to {steps:,} on {device}")

    def update(run: loop.Run) -> None:
        """A line, if the last one is a minute old."""
        nonlocal said
        if time.monotonic() - said >= SAY_SECONDS:
            said = time.monotonic()
            total = f", total {run.curve[-1]['total']:.4g}" if run.curve else ""
            _say(run, f"step {run.step:,} of {steps:,}, {run.seconds / 60:.1f} minutes{total}")

    return update
