"""python -m scripts.kill_runs [--kills 100] [--seed 0]: runs that are killed again and again lose nothing.

Short runs of three lite recipes are killed (SIGKILL) at random moments, while they start, compute or write, and resumed
each time, until they end. Every file that a kill leaves has to be readable, and each run has to end with the very bits
of one that nothing disturbed. Exit status 1 where that is not so.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from neurosym_lite.training.checkpoints import read_file
from neurosym_lite.training.keeping import CHECKPOINT, STATE

STEPS = {"gnm-gaussian-digits4-lite": 60, "dood-digits-lite": 40, "vae-digits1-lite": 80}
LONGEST_LIFE = 9.0  # seconds from its start to a kill: importing takes half of that
LONGEST_WAIT = 600.0  # seconds for a run that nobody kills
PROGRAM = """
import sys
from neurosym_lite.commands import train
from neurosym_lite.training import loop
from neurosym_lite.__main__ import main
train.evaluate = lambda *_: {}  # measuring the finished model takes a minute and writes nothing
loop.SAVE_SECONDS, loop.SAVE_SHARE = float(sys.argv[1]), 1.0
sys.exit(main(["train", sys.argv[2], "--steps", sys.argv[3], "--seed", "1", "--out", sys.argv[4], "--resume"]))
"""


@dataclass
class Tally:
    """What happened."""

    kills: int = 0
    runs: int = 0
    faults: list[str] = field(default_factory=list)


def begin(recipe: str, out: Path, save_seconds: float = 0.0) -> subprocess.Popen:
    """Start, or go on with, a run that saves that often."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-c", PROGRAM, str(save_seconds), recipe, str(STEPS[recipe]), str(out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def kill_after(process: subprocess.Popen, seconds: float) -> tuple[int, str]:
    """Kill it after that long, unless it has ended by then; its status (negative where it was killed), its words."""
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
    return process.returncode, err


def unreadable(out: Path) -> Iterator[str]:
    """The files of a run that are there and cannot be read."""
    for name, kind in ((STATE, "state"), (CHECKPOINT, "checkpoint")):
        if (out / name).exists():
            try:
                read_file(out / name, kind)
            except ValueError as error:
                yield str(error)


def differences(ours: Path, theirs: Path) -> list[str]:
    """Tensors of two runs' states that differ in a bit."""
    mine, other = (read_file(out / STATE, "state")[0] for out in (ours, theirs))
    return sorted(mine.keys() ^ other.keys()) + [n for n in mine if n in other and not torch.equal(mine[n], other[n])]


def until_done(recipe: str, out: Path, tally: Tally, most: int, moments: random.Random) -> None:
    """Kill and resume a run until it has ended, or `most` kills are reached: then let it end."""
    while True:
        process = begin(recipe, out, moments.choice((0.0, 0.5)))
        life = moments.uniform(0.0, LONGEST_LIFE) if tally.kills < most else LONGEST_WAIT
        status, err = kill_after(process, life)
        if status > 0:
            tally.faults.append(f"{recipe} did not go on: {' '.join(err.splitlines()[-1:])}")
        if status >= 0:
            return
        tally.kills += 1
        tally.faults += unreadable(out)


def kill_runs(kills: int, seed: int, folder: Path, recipes: tuple[str, ...] = tuple(STEPS)) -> Tally:
    """Kill runs of the recipes in turn until there are that many kills; what happened."""
    tally, moments = Tally(), random.Random(seed)
    for recipe in recipes:
        if kill_after(begin(recipe, folder / recipe), LONGEST_WAIT)[0]:
            raise RuntimeError(f"{recipe} does not train here: nothing to compare with")
    while tally.kills < kills:
        recipe = recipes[tally.runs % len(recipes)]
        out = folder / f"{recipe}-{tally.runs}"
        until_done(recipe, out, tally, kills, moments)
        tally.runs += 1
        tally.faults += [f"{recipe}: {name} differs" for name in differences(out, folder / recipe)]
        tally.faults += [f"{path} was left behind" for path in out.rglob(".*.tmp")]
        print(f"{tally.kills} kills, {tally.runs} runs ended, {len(tally.faults)} faults", flush=True)
    return tally


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m scripts.kill_runs")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_runs(options.kills, options.seed, Path(folder))
    print("\n".join(tally.faults) or "every run ended with the bits of one that was not killed; no file was unreadable")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
