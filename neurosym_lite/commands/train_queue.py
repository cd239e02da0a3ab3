"""train-queue: the runs of a list, several at once, for a given time; each in a process of its own."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import IO

import torch

from neurosym_lite.commands.says import say
from neurosym_lite.data.sources import BUNDLED, at_hand
from neurosym_lite.training import loop
from neurosym_lite.training.checkpoints import prepare_folder
from neurosym_lite.training.mps import MpsError, is_on, mps
from neurosym_lite.training.queue import Job, can_start, looked_up, read_queue, waits_for, write_queue
from neurosym_lite.training.recipes import RECIPES

LOG = "log.txt"  # in each run's folder: what its process said
LOOK_SECONDS = 0.2  # between looks at the processes
LEAST_MINUTES = 0.05  # of what is left, below which nothing new is begun
STOPPED = (0, 130, -signal.SIGTERM, -signal.SIGINT)  # statuses of a process that ended well or was stopped
SIGNALS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


@dataclass
class Running:
    """A job whose process is at work."""

    name: str
    slot: int  # 0 ... jobs - 1: which of the GPUs it uses, where there are several
    process: subprocess.Popen
    log: IO[bytes]
    told: bool = False  # to save and end; a second signal would end it at once


class Queue:
    """The list's file, and the processes at work."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.path, self.runs, self.options = Path(options.file), Path(options.out), options
        self.problems: dict[str, str] = {}  # of the runs that this command has begun, "" where all is well
        self.running: list[Running] = []
        self.variables: dict[str, str] = {}  # of the environment, for all processes
        self.stopping = False

    def jobs(self) -> list[Job]:
        """The list as its file has it now, with what is known of each run here."""
        found = [looked_up(job, self.runs) for job in read_queue(self.path)]
        return [replace(job, problem=self.problems.get(job.name, job.problem)) for job in found]

    def begin(self, minutes: float | None) -> bool:
        """Begin the next job that can be gone on with and whose data is here; False where there is none.

        A file that cannot be read now is an edit that is not finished: the runs at work go on, and it is read again.
        """
        try:
            jobs, here = self.jobs(), at_hand()
        except (ValueError, OSError):
            if not self.running:
                raise
            return False
        for job in jobs:
            if job.name not in self.problems and can_start(job, self.runs) and here[data_of(job)]:
                self.problems[job.name] = ""
                try:
                    self.running.append(self._process(job, minutes))
                except OSError as error:  # its folder cannot be written to: the others go on
                    self.problems[job.name] = str(error)
                    self.save(job.name)
                return True
        return False

    def _process(self, job: Job, minutes: float | None) -> Running:
        folder = job.folder(self.runs)
        prepare_folder(folder, (LOG,))
        device = job.device or self.options.device
        command = [sys.executable, "-m", "neurosym_lite", "train", job.recipe, "--seed", str(job.seed), "--resume"]
        command += ["--out", str(folder), "--device", device, "--engine", self.options.engine]
        command += ["--minutes", f"{minutes:.3f}"] if minutes is not None else []
        command += ["--unmeasured"] if self.options.unmeasured else []
        slot = min(set(range(self.options.jobs)) - {running.slot for running in self.running})
        log = open(folder / LOG, "ab")  # noqa: SIM115  (the process writes to it; closed when that has ended)
        # a session of its own: Ctrl-C comes to us, and we pass it on once
        threads = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // self.options.jobs))}  # of metrics
        environment = threads | os.environ | self.variables | _gpu_of(slot) | {loop.QUEUE: str(os.getpid())}
        process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True, env=environment)
        say(f"begun {job.name} at step {job.step:,} of {job.steps:,}")
        return Running(job.name, slot, process, log)

    def collect(self) -> None:
        """Take the processes that have ended off the list of running ones, and write down how far they got."""
        for running in [running for running in self.running if running.process.poll() is not None]:
            self.running.remove(running)
            running.log.close()
            if (status := running.process.returncode) not in STOPPED:
                self.problems[running.name] = _last_line(Path(running.log.name), status)
            self.save(running.name)

    def save(self, name: str = "") -> None:
        """Bring the file up to date, and say how far a run has got. A file that cannot be used now is left alone."""
        try:
            jobs = self.jobs()
            write_queue(self.path, jobs)
        except (ValueError, OSError) as error:
            say(f"the list is not brought up to date: {error}")
            return
        for job in jobs:
            if job.name == name:
                problem = f": {job.problem}" if job.problem else ""
                say(f"{name} at step {job.step:,} of {job.steps:,}{problem}")

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Have each process save its run and end."""
        self.stopping = True
        for running in self.running:
            if not running.told:
                running.told = True
                running.process.send_signal(signal.SIGTERM)


def train_queue(options: argparse.Namespace) -> int:
    """Work down the list, `jobs` runs at a time, until the minutes are over.

    2 where a run failed, or where nothing was begun for want of data.
    """
    queue, began = Queue(options), time.monotonic()
    lacking = _say_what_lacks_data(queue)
    with _signals(queue), ExitStack() as stack:
        queue.variables = _side_by_side(options, stack)
        try:
            while True:
                left = options.minutes and options.minutes - (time.monotonic() - began) / 60
                while (
                    len(queue.running) < options.jobs and not queue.stopping and (left is None or left > LEAST_MINUTES)
                ):
                    if not queue.begin(left):
                        break
                if queue.stopping:
                    queue.stop()  # one that was just being begun has not heard of it
                if not queue.running:
                    break
                time.sleep(LOOK_SECONDS)
                queue.collect()
        finally:  # whatever went wrong here: no process is left behind
            if queue.running:
                queue.stop()
            for running in queue.running:
                running.process.wait()
    queue.save()
    if queue.stopping:
        say(f"interrupted, all saved in {queue.runs}: the same command goes on")
        return 130
    _report(queue)
    return 2 if any(queue.problems.values()) or (lacking and not queue.problems) else 0


def data_of(job: Job) -> str:
    """The character set that a job trains on; rooms need none but the one that is always here."""
    return getattr(RECIPES[job.recipe].data, "glyphs", BUNDLED)


def _say_what_lacks_data(queue: Queue) -> int:
    """One line on the runs that are left alone until their character set is fetched, and how many they are."""
    here = at_hand()
    needed = [data_of(job) for job in queue.jobs() if can_start(job, queue.runs) and not here[data_of(job)]]
    if needed:
        first, *others = dict.fromkeys(needed)
        also = f" (and {', '.join(others)})" if others else ""
        runs = "1 run needs" if len(needed) == 1 else f"{len(needed)} runs need"
        say(f"{runs} data that is not here: python -m neurosym_lite data fetch {first}{also}")
    return len(needed)


def _report(queue: Queue) -> None:
    jobs = queue.jobs()
    waiting = [job for job in jobs if not job.done and not can_start(job, queue.runs)]
    elsewhere = [job.name for job in waiting if job.step]
    say(f"{sum(job.done for job in jobs)} of {len(jobs)} runs done; runs in {queue.runs}")
    if elsewhere:
        say(f"begun elsewhere, their states are not in {queue.runs}: {', '.join(elsewhere)}")
    listed = {job.name: job for job in jobs}
    for base in dict.fromkeys(waits_for(job, queue.runs) for job in waiting if not job.step):
        names = ", ".join(job.name for job in waiting if waits_for(job, queue.runs) == base)
        if base in listed and not listed[base].done:
            say(f"waiting until {base} is done: {names}")
        else:
            say(f"no trained {base} in {queue.runs}, from which these go on: {names}")


def _gpu_of(slot: int) -> dict[str, str]:
    """Where there are several GPUs each slot has its own, in turn."""
    gpus = torch.cuda.device_count()
    if gpus < 2 or "CUDA_VISIBLE_DEVICES" in os.environ:
        return {}
    return {"CUDA_VISIBLE_DEVICES": str(slot % gpus)}


def _side_by_side(options: argparse.Namespace, stack: ExitStack) -> dict[str, str]:
    """Where runs have to share a GPU: NVIDIA's MPS for them, until the stack ends. One that is on already is used."""
    gpus = torch.cuda.device_count()
    if options.device == "cpu" or not 0 < gpus < options.jobs or is_on():
        return {}
    try:
        return stack.enter_context(mps())
    except MpsError as error:
        say(f"runs that share a GPU take turns on it, --jobs {gpus} is as quick ({error})")
        return {}


def _last_line(log: Path, status: int) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines and status == 2 else f"ended with status {status}, see {log}"


@contextmanager
def _signals(queue: Queue) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal stop all runs, saved."""
    before = {number: signal.signal(number, queue.stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
