"""train-queue: the runs of a list, several at once, for a given time; each in a process of its own."""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import IO

from neurosym_lite.training.checkpoints import prepare_folder
from neurosym_lite.training.queue import Job, can_start, looked_up, read_queue, write_queue

LOG = "log.txt"  # in each run's folder: what its process said
LOOK_SECONDS = 0.2  # between looks at the processes
LEAST_MINUTES = 0.05  # of what is left, below which nothing new is begun


@dataclass
class Running:
    """A job whose process is at work."""

    index: int
    process: subprocess.Popen
    log: IO[bytes]


class Queue:
    """The list in memory, the file that it is kept in, and the processes at work."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.path, self.runs, self.options = Path(options.file), Path(options.out), options
        self.jobs = [looked_up(job, self.runs) for job in read_queue(self.path)]
        self.tried: set[int] = set()
        self.running: list[Running] = []
        self.stopping = False

    def begin(self, minutes: float | None) -> bool:
        """Begin the next job that can be gone on with; False where there is none."""
        for index, job in enumerate(self.jobs):
            if index not in self.tried and can_start(job, self.runs):
                self.tried.add(index)
                self.running.append(self._process(index, job, minutes))
                return True
        return False

    def _process(self, index: int, job: Job, minutes: float | None) -> Running:
        folder = job.folder(self.runs)
        prepare_folder(folder, (LOG,))
        device = job.device or self.options.device
        command = [sys.executable, "-m", "neurosym_lite", "train", job.recipe, "--seed", str(job.seed), "--resume"]
        command += ["--out", str(folder), "--device", device, "--engine", self.options.engine]
        command += ["--minutes", f"{minutes:.3f}"] if minutes is not None else []
        log = open(folder / LOG, "ab")  # noqa: SIM115  (the process writes to it; closed when that has ended)
        # a session of its own: Ctrl-C comes to us, and we pass it on once
        process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        print(f"begun {job.name} at step {job.step:,} of {job.steps:,}", file=sys.stderr)
        return Running(index, process, log)

    def collect(self) -> None:
        """Take the processes that have ended off the list of running ones, and write down how far they got."""
        for running in [running for running in self.running if running.process.poll() is not None]:
            self.running.remove(running)
            running.log.close()
            job = looked_up(self.jobs[running.index], self.runs)
            status = running.process.returncode
            problem = "" if status in (0, 130) else _last_line(job.folder(self.runs) / LOG, status)
            self.jobs[running.index] = replace(job, problem=problem)
            print(f"{job.name} at step {job.step:,} of {job.steps:,}{problem and f': {problem}'}", file=sys.stderr)
            self.save()

    def save(self) -> None:
        """Bring the file up to date. What was changed in it by hand meanwhile, order and new entries, stays."""
        progress = {job.name: job for job in self.jobs}
        write_queue(self.path, [progress.get(job.name, job) for job in read_queue(self.path)])

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on: each process saves its run and ends."""
        self.stopping = True
        for running in self.running:
            running.process.send_signal(signal.SIGTERM)


def train_queue(options: argparse.Namespace) -> int:
    """Work down the list, `jobs` runs at a time, until the minutes are over; 2 where a run failed."""
    queue, began = Queue(options), time.monotonic()
    with _signals(queue):
        while True:
            left = options.minutes and options.minutes - (time.monotonic() - began) / 60
            while len(queue.running) < options.jobs and not queue.stopping and (left is None or left > LEAST_MINUTES):
                if not queue.begin(left):
                    break
            if not queue.running:
                break
            time.sleep(LOOK_SECONDS)
            queue.collect()
    queue.save()
    if queue.stopping:
        print(f"interrupted, all saved in {queue.runs}: the same command goes on", file=sys.stderr)
        return 130
    _report(queue)
    return 2 if any(queue.jobs[index].problem for index in queue.tried) else 0


def _report(queue: Queue) -> None:
    done = sum(job.done for job in queue.jobs)
    elsewhere = [job.name for job in queue.jobs if not job.done and not can_start(job, queue.runs)]
    print(f"{done} of {len(queue.jobs)} runs done; runs in {queue.runs}, list in {queue.path}", file=sys.stderr)
    if elsewhere:
        print(f"begun elsewhere, their states are not in {queue.runs}: {', '.join(elsewhere)}", file=sys.stderr)


def _last_line(log: Path, status: int) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines and status == 2 else f"ended with status {status}, see {log}"


@contextmanager
def _signals(queue: Queue) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop all runs, saved."""
    before = {number: signal.signal(number, queue.stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
