"""Freed memory stays with the process, and tiny numbers are zero: what a step on a CPU is slow without."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from neurosym_lite.training.processor import keep_freed_memory, spare_the_processor

FAULTS = """
import resource, sys
import torch
from neurosym_lite.training.processor import keep_freed_memory, spare_the_processor
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def work():
    torch.ones(1 << 24).add_(1)  # 64 MiB, freed at once: above what glibc learns to keep by itself
for _ in range(8):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, which alone hands memory back so eagerly")
def test_no_page_is_asked_for_twice() -> None:
    root, faults = Path(__file__).parents[2], {}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    for kind in ("plain", "kept"):
        command = [sys.executable, "-c", FAULTS, kind]
        faults[kind] = int(subprocess.check_output(command, env={**environment, "PYTHONPATH": str(root)}))
    assert faults["kept"] < 200 < faults["plain"], "page faults of 5 rounds over 64 MiB"


@pytest.mark.parametrize(
    ("takes", "told", "kept"),
    [
        (2**31, [(-3, 2**31 - 1), (-1, 2**31 - 1)], True),
        (2**25, [(-3, 2**31 - 1), (-3, 2**25), (-1, 2**31 - 1)], True),
        (0, [(-3, 2**31 - 1), (-3, 2**25)], False),
    ],
)
def test_a_glibc_that_takes_less_is_told_less(takes: int, told: list, kept: bool, monkeypatch) -> None:
    """Older ones refuse more than 32 MiB for M_MMAP_THRESHOLD (-3); M_TRIM_THRESHOLD (-1) alone would do harm."""
    calls = []

    def mallopt(what: int, value: int) -> int:
        calls.append((what, value))
        return int(what == -1 or value <= takes)

    monkeypatch.setattr("ctypes.CDLL", lambda name: SimpleNamespace(mallopt=mallopt))
    assert keep_freed_memory() is kept and calls == told


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not every processor can")
def test_numbers_too_small_to_matter_are_zero() -> None:
    code = """
import torch
from neurosym_lite.training.processor import spare_the_processor
tiny = torch.full((4,), 1e-30)
before = (tiny * 1e-10).max() > 0
spare_the_processor()
print(bool(before), bool((tiny * 1e-10).max() > 0))
"""
    root = Path(__file__).parents[2]
    said = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)}, text=True)
    assert said.split() == ["True", "False"]


def test_numpy_is_asked_for_its_smallest_numbers_before_they_are_zero(monkeypatch) -> None:
    """Afterwards numpy before 2.4 would warn of them, eight lines in each run's log."""
    told = []
    monkeypatch.setattr("numpy.finfo", lambda kind: told.append(kind.__name__))
    monkeypatch.setattr("torch.set_flush_denormal", lambda on: told.append(on))
    spare_the_processor()
    assert told == ["float32", "float64", True]
