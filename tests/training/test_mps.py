"""Runs that share a GPU get a server of MPS, which is ended again; where there is none they are told so.

The server's program is a script here that writes down what it is asked.
"""

import argparse
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from neurosym_lite.commands import train_queue
from neurosym_lite.training import mps as module
from neurosym_lite.training.mps import CONTROL, LOGS, PIPES, MpsError, mps


@pytest.fixture
def asked(tmp_path, monkeypatch) -> Path:
    """A file with what the program was asked, a line each; it is on the path, and no server is on."""
    path, folder = tmp_path / "asked", tmp_path / "bin"
    folder.mkdir()
    program = folder / CONTROL
    program.write_text(f'#!/bin/sh\necho "$1$(cat) in ${PIPES}" >> {path}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv(PIPES, raising=False)
    monkeypatch.setattr(module, "USUAL", tmp_path / "none")
    monkeypatch.setattr(module, "TRIAL", f"import os; assert os.path.isdir(os.environ['{LOGS}'])")
    return path


def test_a_server_is_on_for_as_long_as_it_is_needed(asked) -> None:
    with mps() as variables:
        assert set(variables) == {PIPES, LOGS} and all(Path(path).is_dir() for path in variables.values())
        assert asked.read_text() == f"-d in {variables[PIPES]}\n"
    assert asked.read_text().splitlines()[1:] == [f"quit in {variables[PIPES]}"]
    assert not any(Path(path).exists() for path in variables.values())


def test_a_server_that_keeps_processes_from_the_gpu_is_ended_and_refused(asked, monkeypatch) -> None:
    monkeypatch.setattr(module, "TRIAL", "raise SystemExit(1)")
    with pytest.raises(MpsError, match="does not work here"), mps():
        raise AssertionError("it was given out")
    assert [line.split()[0] for line in asked.read_text().splitlines()] == ["-d", "quit"]


@pytest.mark.parametrize(("jobs", "gpus", "device", "shared"), [
    (4, 1, "auto", True), (4, 2, "cuda", True), (4, 4, "auto", False), (1, 1, "auto", False), (4, 0, "auto", False),
    (4, 1, "cpu", False),
])  # fmt: skip
def test_it_is_for_runs_that_share_a_gpu(asked, monkeypatch, jobs, gpus, device, shared) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with ExitStack() as stack:
        found = train_queue._side_by_side(argparse.Namespace(jobs=jobs, device=device), stack)
        assert bool(found) == asked.exists() == shared
    assert not shared or asked.read_text().splitlines()[-1].startswith("quit")


def test_a_server_that_is_on_already_is_used(asked, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv(PIPES, "/somewhere")
    with ExitStack() as stack:
        assert train_queue._side_by_side(argparse.Namespace(jobs=4, device="auto"), stack) == {}
    assert not asked.exists()


def test_without_it_they_are_told_to_take_turns(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(PIPES, raising=False)
    monkeypatch.setattr(module, "USUAL", tmp_path / "none")
    with ExitStack() as stack:
        assert train_queue._side_by_side(argparse.Namespace(jobs=4, device="auto"), stack) == {}
    assert f"take turns on it, --jobs 2 is as quick ({CONTROL} is not installed)" in capsys.readouterr().err
