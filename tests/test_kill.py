"""A run that is killed again and again ends with the weights of one that was not."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import torch

from neurosym_lite.training.checkpoints import read_file

PROGRAM = """
import sys
from neurosym_lite.training import loop
from neurosym_lite.__main__ import main
loop.SAVE_SECONDS = 0.0
sys.exit(main(["train", "gnm-gaussian-digits4-lite", "--steps", "24", "--seed", "1", "--out", sys.argv[1], "--resume"]))
"""


def begin(out: Path) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(out)], env=environment, stderr=subprocess.DEVNULL)


def kill_after_a_save(process: subprocess.Popen, state: Path, wait: float) -> None:
    """SIGKILL a random moment after the state file was first seen to change."""
    before = state.stat().st_mtime_ns if state.exists() else 0
    while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
        time.sleep(0.01)
    time.sleep(wait)
    process.kill()
    process.wait()


def test_three_kills_change_no_bit(tmp_path) -> None:
    moments = random.Random(0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert begin(whole).wait() == 0
    for _ in range(3):
        kill_after_a_save(begin(killed), killed / "state.safetensors", moments.uniform(0.0, 0.4))
        read_file(killed / "state.safetensors", "state")  # never half written
    assert begin(killed).wait() == 0
    ours, theirs = (read_file(out / "state.safetensors", "state")[0] for out in (killed, whole))
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert not list(killed.glob(".*.tmp"))
