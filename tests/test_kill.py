"""A run that is killed again and again ends with the weights of one that was not."""

import random
import time
from pathlib import Path

import torch

from neurosym_lite.training.checkpoints import read_file, write_file
from scripts import kill_runs
from scripts.kill_runs import Tally, begin, differences, kill_after, unreadable

RECIPE = "gnm-gaussian-digits4-lite"


def kill_after_a_save(out: Path, wait: float) -> None:
    """SIGKILL a random moment after the state file was first seen to change."""
    process, state = begin(RECIPE, out), out / "state.safetensors"
    before = state.stat().st_mtime_ns if state.exists() else 0
    while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
        time.sleep(0.01)
    time.sleep(wait)
    process.kill()
    process.communicate()


def test_three_kills_change_no_bit(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(kill_runs.STEPS, RECIPE, 24)
    moments, whole, killed = random.Random(0), tmp_path / "whole", tmp_path / "killed"
    assert kill_after(begin(RECIPE, whole), 300)[0] == 0
    for _ in range(3):
        kill_after_a_save(killed, moments.uniform(0.0, 0.4))
        assert list(unreadable(killed)) == []
    kill_runs.until_done(RECIPE, killed, tally := Tally(), 0, moments)
    assert tally.faults == [] and differences(killed, whole) == [] and not list(killed.glob(".*.tmp"))


def test_a_bit_that_differs_and_a_file_that_broke_are_noticed(tmp_path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        write_file(tmp_path / name / "state.safetensors", "state", {"x": torch.tensor([value]), name: torch.ones(1)})
    assert differences(tmp_path / "a", tmp_path / "b") == ["a", "b", "x"]
    content = (tmp_path / "a" / "state.safetensors").read_bytes()
    (tmp_path / "a" / "state.safetensors").write_bytes(content[:-1])
    assert len(list(unreadable(tmp_path / "a"))) == 1 and list(unreadable(tmp_path / "b")) == []
    assert read_file(tmp_path / "b" / "state.safetensors", "state")[0]["x"] == 2.0
