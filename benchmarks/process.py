"""A training process as the system sees it: its largest size, and what it costs to hand memory back and forth.

Each number comes from a fresh process, because the allocator's settings and the largest size are those of a process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.entries import TIME, Entry, alone, of_pairs
from benchmarks.measure import Effort, Pair, by_ratio

GROUP = "process"
ROOT = Path(__file__).resolve().parents[1]
STEPS = 3  # of a phase, or of a time measurement after as many warm ones

PROGRAM = """
import json, os, resource, sys
from dataclasses import replace
import torch
from benchmarks.step import cases
from neurosym_lite.training.loop import start, train_step
from neurosym_lite.training.processor import keep_freed_memory
from neurosym_lite.training.recipes import get_recipe
what, kept, steps = sys.argv[1], sys.argv[2] == "kept", int(sys.argv[3])
torch.set_num_threads(1)
if kept:
    keep_freed_memory()
if what == "paper":
    recipe = next(case.recipe for case in cases() if case.name == "GNM, the paper's size")
else:
    recipe = get_recipe(what)
    recipe = replace(recipe, phases=tuple(replace(phase, steps=steps) for phase in recipe.phases))
run = start(recipe, 0, torch.device("cpu"))
source = recipe.data.source("train")
for _ in range(steps):
    train_step(run, source)
before = os.times()
for _ in range(steps if what == "paper" else recipe.steps - steps):
    train_step(run, source)
after = os.times()
spent = after.user - before.user + after.system - before.system
if sys.platform == "linux":  # not ru_maxrss, which a process inherits from the one that started it
    status = open("/proc/self/status").read()
    size = int(status.split("VmHWM:")[1].split()[0]) / 2**10
else:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"ms": 1000 * spent / steps, "MiB": size}))
"""


def measured(what: str, allocator: str, steps: int = STEPS) -> dict[str, float]:
    """CPU milliseconds a step and largest MiB of a process that trains: "paper", or a recipe through its phases."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, what, allocator, str(steps)]
    return json.loads(subprocess.check_output(command, env=environment, text=True))


def entries(effort: Effort) -> list[Entry]:
    """Time with freed memory kept and not, and the largest size of processes that train lite recipes."""
    pairs = [Pair(measured("paper", "kept")["ms"], measured("paper", "system")["ms"]) for _ in range(effort.rounds)]
    how = f"CPU time, user and system, of {STEPS} steps in fresh processes in turn; median ratio of {len(pairs)}"
    found = [
        of_pairs(
            GROUP, "GNM, the paper's size, freed memory kept", TIME, by_ratio(pairs),
            "the same step with the C library's own settings", how,
        )
    ]  # fmt: skip
    for name in ("gnm-digits4-lite", "dood-digits-lite"):
        size = measured(name, "kept")["MiB"]
        found.append(alone(
            GROUP, f"{name}, all phases", "MiB, process", size, "Python and torch are part of it",
            f"largest resident size of a process that trains {STEPS} steps of each phase, a bank of scenes included",
        ))  # fmt: skip
    return found
