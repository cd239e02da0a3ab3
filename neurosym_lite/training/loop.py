"""The training loop: steps of a recipe, one after another, saved on the way, whatever interrupts it."""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.data.fixed_scenes import SceneStream
from neurosym_lite.data.own_images import ImageSource
from neurosym_lite.models.successor import Successor
from neurosym_lite.training.bank import SymbolBank
from neurosym_lite.training.checkpoints import CheckpointError, read_header, save_npz
from neurosym_lite.training.codebooks import fit_codebooks
from neurosym_lite.training.processor import spare_the_processor
from neurosym_lite.training.recipe import Phase
from neurosym_lite.training.run import (
    Diverged,
    Run,
    Seen,
    check_steps,
    make_optimiser,
    set_rate,
    shipped_weights,
    start,
)
from neurosym_lite.training.states import load_state, save_state
from neurosym_lite.training.step import Feed, make_step

__all__ = ["Run", "fit", "load_state", "save_state", "shipped_weights", "start", "train_step"]

SAVE_SECONDS = 5.0  # a kill loses at most the steps of this long,
SAVE_SHARE = 0.02  # or of as long as makes saving this share of the time, where states are large
CURVE_STEPS = 100  # steps that one point of the curve averages over
BANK_SEED = 2_000_003  # keeps the scenes of a bank apart from those that the network was trained on
CODEBOOK_SEED = 3_000_017  # and those of a vocabulary
QUEUE = "NEUROSYM_QUEUE"  # in the environment of a run of a list: the process that works the list down
BAD_BATCH = "bad_batch.npz"  # beside the state: the batch that a run diverged on

Source = SceneStream | DrawingSource | ImageSource


class Interrupt:
    """Turns Ctrl-C and SIGTERM into a flag that the loop reads between steps; a second Ctrl-C stops at once.

    So does the end of the process that works down the list which the run is of: a killed list leaves nothing at work.
    With several ranks only the flag: Ctrl-C reaches each of them twice, from the terminal and from torchrun. Off the
    main thread nothing: Python hands signals to that one alone.
    """

    def __init__(self, patient: bool = False) -> None:
        self.told, self.patient = False, patient
        # on Windows a launcher stands between the two
        self.queue = os.environ.get(QUEUE) if os.name == "posix" else None
        self.previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Shall the run stop?"""
        return self.told or (self.queue is not None and self.queue != str(os.getppid()))

    def __enter__(self) -> "Interrupt":
        on_main_thread = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if on_main_thread else ():
            self.previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.told and not self.patient:
            raise KeyboardInterrupt
        self.told = True


def train_step(run: Run, source: Source) -> None:
    """One step: schedules, batch, loss, gradient, update, averages. Raises Diverged (on a GPU some steps later)."""
    phase, step = run.recipe.phase_at(run.step)
    if step == 0 and run.step > 0:
        check_steps(run)
        run.optimiser, run.bank, run.work = make_optimiser(run.model, phase, run.device), None, None
    if run.work is None:
        run.work = make_step(run.model, run.optimiser, phase, run.engine, run.device, run.ranks)
        run.followed = list(run.model.state_dict().values())
    before = run.data_generator.get_state()
    feed = Feed(draw(run, source, phase), schedule_weights(run, phase, step))
    set_rate(run.optimiser, phase.learning_rate(step))
    outputs = run.work(feed)
    if run.averages:
        decay = min(run.recipe.ema, (1 + run.step) / (10 + run.step))
        torch._foreach_lerp_(list(run.averages.values()), run.followed, 1 - decay)
    run.sums = outputs[:-1] if run.sums is None else run.sums + outputs[:-1]
    run.step += 1
    run.unchecked.append(Seen(run.step, outputs, before))
    at_mark = run.step % CURVE_STEPS == 0
    if at_mark or run.device.type == "cpu":  # a GPU would have to be waited for
        check_steps(run)
    if at_mark:
        _mark(run)


def draw(run: Run, source: Source, phase: Phase) -> tuple[torch.Tensor, ...]:
    """This rank's share of fresh images, or of scenes inferred before where the phase keeps a bank."""
    n = run.ranks.share(phase.batch)
    if phase.objective != "prior_loss":
        return (source.batch(n, run.data_generator).images,)
    if run.bank is None:
        # a run that is gone on with has its vocabulary; it is the same for all ranks
        if isinstance(run.model, Successor) and run.recipe.phase_at(run.step)[1] == 0:
            same = torch.Generator(device=run.device).manual_seed(run.seed + CODEBOOK_SEED)
            fit_codebooks(run.model, source, same)
        generator = torch.Generator(device=run.device).manual_seed(run.ranks.seed(run.seed) + BANK_SEED)
        run.bank = SymbolBank(run.model, source, phase.bank, generator)
    return run.bank.rows(n, run.data_generator)


def schedule_weights(run: Run, phase: Phase, step: int) -> torch.Tensor:
    """The model's weights at a step of a phase; those that the phase does not name keep their defaults."""
    kind = run.model.Weights
    schedules, defaults = phase.weights, kind._field_defaults
    values = [schedules[name](step) if name in schedules else float(defaults[name]) for name in kind._fields]
    if run.device.type == "cuda":  # from pinned memory nobody has to wait
        return torch.tensor(values).pin_memory().to(run.device, non_blocking=True)
    return torch.tensor(values)


def _mark(run: Run) -> None:
    """Put a point on the curve: the means since the last one."""
    means = (run.ranks.mean(run.sums) / CURVE_STEPS).tolist()
    point = {name: round(value, 3) for name, value in zip(run.model.Loss._fields, means, strict=True)}
    run.curve.append({"step": run.step, "minutes": round(run.seconds / 60, 3), **point})
    run.sums = None


def fit(
    run: Run,
    state_path: str | Path,
    *,
    steps: int,
    minutes: float | None = None,
    on_step: Callable[[Run], None] = lambda run: None,
) -> bool:
    """Train until `steps` (counted from the run's beginning) or for `minutes` more; save; return whether interrupted.

    Time is CPU time on a CPU (what other programs do does not count) and wall time on a GPU, for the record; the
    budget of `minutes` is wall time, the drawing of a finite training set included. Raises ValueError for more steps
    than the recipe has; FloatingPointError for a run that diverges, with the batch beside the state; what was saved
    before is kept.
    """
    if steps > run.recipe.steps:
        raise ValueError(f"{steps} steps of {run.recipe.name!r}, which has {run.recipe.steps}")
    spare_the_processor()
    state_path = Path(state_path)
    deadline = math.inf if minutes is None else time.monotonic() + 60 * minutes
    source = run.recipe.data.source("train", device=str(run.device))
    with Interrupt(patient=run.ranks.count > 1) as interrupt:
        try:
            interrupted = _loop(run, source, state_path, steps, deadline, on_step, interrupt)
            with _counted(run):
                check_steps(run)
            save_state(run, state_path)
        except Diverged as error:
            raise FloatingPointError(_explained(error, run, source, state_path)) from error
        return interrupted or (interrupt.asked and run.ranks.count == 1)


def _loop(
    run: Run,
    source: Source,
    state_path: Path,
    steps: int,
    deadline: float,
    on_step: Callable[[Run], None],
    interrupt: Interrupt,
) -> bool:
    """Steps until it is time to stop (`time.monotonic`), saved on the way; whether an interrupt stopped them."""
    first, due = run.step, time.monotonic()  # the first step is saved at once: then there is a file to go on from
    while run.step < steps:
        now = time.monotonic()
        interrupted, late, save = run.ranks.agree(run.step, interrupt.asked, now >= deadline, now >= due)
        if interrupted or late:
            return interrupted
        if save and run.step > first:
            with _counted(run):
                check_steps(run)  # on a GPU this waits for the steps, which is their time and not the save's
            due = _save(run, state_path)
        with _counted(run):
            train_step(run, source)
        on_step(run)
    return False


@contextmanager
def _counted(run: Run) -> Iterator[None]:
    """What is done meanwhile is training: its CPU time, or its wall time on a GPU, is the run's."""
    clock = time.perf_counter if run.device.type == "cuda" else time.process_time
    tick = clock()
    yield
    run.seconds += clock() - tick


def _save(run: Run, path: Path) -> float:
    """Save, and say when to save again (`time.monotonic`)."""
    began = time.monotonic()
    save_state(run, path)
    done = time.monotonic()
    return done + max(SAVE_SECONDS, (done - began) / SAVE_SHARE)


def _explained(error: Diverged, run: Run, source: Source, state_path: Path) -> str:
    """What broke, with the batch that broke it written beside the state, and where the last good state is."""
    batch = state_path.with_name(BAD_BATCH if run.ranks.first else f"{run.ranks.rank}.{BAD_BATCH}")
    run.data_generator.set_state(error.generator)
    tensors = draw(run, source, run.recipe.phase_at(error.step - 1)[0])
    names = ["images"] if len(tensors) == 1 else [f"symbols_{i}" for i in range(len(tensors))]
    where, kept = f"its batch is in {batch}", "nothing was saved before"
    try:
        save_npz(batch, **{name: tensor.cpu() for name, tensor in zip(names, tensors, strict=True)})
    except OSError as full:
        where = f"its batch could not be kept ({full})"
    if state_path.exists():
        with suppress(CheckpointError):
            kept = f"the last good state is {state_path} (step {read_header(state_path, 'state')['step']})"
    return f"{error}: stopped; {where}, {kept}"
