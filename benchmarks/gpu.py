"""python -m benchmarks.gpu: what a GPU makes of a step, and of four runs at once. Writes data/results/gpu.json.

Steps a second of the training loop, batches included: operation by operation beside a CUDA graph. Then four runs by
graph, each in a process of its own as `train-queue` starts them: one after another, all at once, and all at once under
NVIDIA's MPS where it is installed, which lets kernels of several processes run side by side. Last, how long the command
takes from its start to its end with four short runs: one at a time, and all at once. Needs MNIST.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch

from benchmarks.entries import significant
from benchmarks.step import one_phase
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.loop import Run, start, train_step
from neurosym_lite.training.mps import CONTROL, mps
from neurosym_lite.training.queue import Job, read_queue, write_queue
from neurosym_lite.training.recipe import rescaled
from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.records import RESULTS
from neurosym_lite.training.step import Engine

REPORT = RESULTS / "gpu.json"
BATCH = 32  # images a step, for all
# recipe, its phase, and what that is called
CASES = (
    ("gnm-mnist4-lite", 0, "symbols"), ("gnm-mnist4-lite", 1, "prior"), ("gnm-mnist4-lite", 2, "all together"),
    ("gnm-mnist4", 0, ""), ("dood-mnist-lite", 0, ""), ("dood-mnist", 0, ""),
)  # fmt: skip
WARM, STEPS, ROUNDS = 20, 40, 3  # steps before the clock, steps between two looks at it, looks
AT_ONCE = ("gnm-mnist4-lite", "gnm-mnist10-lite", "dood-mnist-lite", "convdraw-mnist4-lite")
SECONDS = 5.0  # that each of these trains for
TO_THE_END = ("gnm-gaussian-digits4-lite", "slvm-digits1-lite", "vae-digits1-lite", "dood-digits-short")
SLICE = 10  # steps between two looks at the clock there
PARTS = ("engines", "at_once", "unmeasured", "measured")  # the last two: a list from its start to its end


def begun(name: str, phase: int, engine: Engine) -> tuple[Run, object]:
    """A run of one phase of a recipe that has made its first steps, and where its batches come from."""
    recipe = rescaled(one_phase(get_recipe(name), phase), batch=BATCH)
    run, source = start(recipe, 0, torch.device("cuda"), engine=engine), recipe.data.source("train", device="cuda")
    for _ in range(WARM):
        train_step(run, source)
    torch.cuda.synchronize()
    return run, source


def rate(name: str, phase: int, engine: Engine) -> float:
    """Steps a second: the median of ROUNDS."""
    run, source = begun(name, phase, engine)
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(STEPS):
            train_step(run, source)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return STEPS / median(seconds)


def work(name: str) -> None:
    """A run in a process of its own: says that it is ready, then trains whenever it is told to, and says how fast."""
    run, source = begun(name, 0, "graph")
    print("ready", flush=True)
    for _ in sys.stdin:
        steps, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            for _ in range(SLICE):
                train_step(run, source)
            torch.cuda.synchronize()
            steps += SLICE
        print(steps / (time.perf_counter() - began), flush=True)


@contextmanager
def workers(environment: dict[str, str]) -> Iterator[list[subprocess.Popen]]:
    """A process for each of the four, all ready."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--work"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": os.environ | environment}
    found = [subprocess.Popen([*command, name], **pipes) for name in AT_ONCE]
    try:
        for process in found:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a run did not begin")
        yield found
    finally:
        for process in found:
            process.kill()
            process.wait()


def trained(processes: list[subprocess.Popen]) -> list[float]:
    """Steps a second of these, while they train together."""
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [float(process.stdout.readline()) for process in processes]


def seconds_to_the_end(recipes: tuple[str, ...], jobs: int, *options: str) -> float:
    """Seconds that train-queue takes for these recipes, so many at a time, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.json"
        write_queue(path, [Job(name) for name in recipes])
        command = [sys.executable, "-m", "neurosym_lite", "train-queue", str(path), "--out", f"{folder}/runs"]
        began = time.perf_counter()
        subprocess.run([*command, "--jobs", str(jobs), *options], check=True)
        seconds = time.perf_counter() - began
        if not all(job.done for job in read_queue(path)):
            raise RuntimeError("a run did not come to its end")
    return seconds


def rounded(values: list[float]) -> list[float]:
    """As the report has them."""
    return [significant(value, 3) for value in values]


def measured_engines() -> list[dict]:
    """Steps a second of each case, operation by operation and by graph."""
    found = []
    for name, phase, word in CASES:
        eager, graph = rounded([rate(name, phase, engine) for engine in ("eager", "graph")])
        found.append({"recipe": name, "phase": word, "eager": eager, "graph": graph})
        print(found[-1], flush=True)
    return found


def measured_at_once() -> dict:
    """Steps a second of four runs: one after another, all at once, and under MPS where that is installed."""
    with workers({}) as processes:
        alone = [trained([process])[0] for process in processes]
        found = {"recipes": AT_ONCE, "alone": rounded(alone), "together": rounded(trained(processes))}
    if shutil.which(CONTROL):
        with mps() as variables, workers(variables) as processes:
            found["mps"] = rounded(trained(processes))
    return found


def measured_list(*options: str) -> list[float]:
    """Seconds that a list of four short runs takes: one at a time, and all at once."""
    return rounded([seconds_to_the_end(TO_THE_END, jobs, *options) for jobs in (1, len(TO_THE_END))])


def measure(path: Path, parts: tuple[str, ...] = PARTS) -> None:
    """Measure these parts, and write the report after each; the others stay as they are in it."""
    here = {"device": torch.cuda.get_device_name(), "cores": os.cpu_count(), "torch": torch.__version__.split("+")[0]}
    report: dict = here | {"batch": BATCH, "dates": {}}
    if parts != PARTS:
        if not path.is_file():
            raise ValueError(f"{path} is not there: measure all parts first")
        report = json.loads(path.read_text(encoding="utf-8"))
        if other := [key for key, value in here.items() if report[key] != value]:
            raise ValueError(f"{path} is of another {other[0]}, {report[other[0]]}: measure all parts here")
    for part in parts:
        if part == "engines":
            report[part] = measured_engines()
        elif part == "at_once":
            report[part] = measured_at_once()
        else:
            options = ["--unmeasured"] * (part == "unmeasured")
            report["to_the_end"] = report.get("to_the_end", {}) | {"recipes": TO_THE_END, part: measured_list(*options)}
        report["dates"][part] = datetime.now(UTC).strftime("%Y-%m-%d")
        write_atomically(path, f"{json.dumps(report, indent=1)}\n".encode())
        print(part, report["to_the_end"] if part not in report else report[part], flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser("python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=REPORT, help="file that is written")
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts that are measured anew")
    arguments.add_argument("--work", metavar="RECIPE", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    if not torch.cuda.is_available():
        arguments.error("torch sees no GPU here")
    if given.work:
        work(given.work)
    else:
        measure(given.out, tuple(given.only))
