"""A list of runs is worked down, several at a time, and each is where it got to."""

import argparse
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from neurosym_lite.commands.train_queue import Queue, _last_line, _report
from neurosym_lite.training.checkpoints import read_file
from neurosym_lite.training.claim import claimed
from neurosym_lite.training.queue import Job, read_queue, write_queue
from neurosym_lite.training.recipes import RECIPES

VAE = "vae-digits1-lite"


@pytest.fixture
def begin(tmp_path):
    """Starts train-queue over a list of jobs, where only the embedded data is at hand; gives process and list."""

    def start(jobs: list[Job], *arguments: str) -> tuple[subprocess.Popen, Path]:
        path = tmp_path / "queue.json"
        write_queue(path, jobs)
        (tmp_path / "nothing").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "neurosym_lite", "train-queue", str(path), "--out", str(tmp_path / "runs")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
        environment |= {"NEUROSYM_DATA": str(tmp_path / "nothing"), "XDG_CACHE_HOME": str(tmp_path / "nothing")}
        environment |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        process = subprocess.Popen([*command, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
        return process, path

    return start


def test_runs_are_begun_in_order_stopped_in_time_and_gone_on_with(begin, tmp_path) -> None:
    jobs = [Job("air-mnist", device="cpu"), Job(VAE, seed=1), Job(VAE, seed=2), Job(VAE, seed=3)]
    process, path = begin(jobs, "--minutes", "0.2", "--jobs", "2", "--device", "cpu")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    first, *others = read_queue(path)
    assert first == jobs[0] and not first.folder(tmp_path / "runs").exists()  # it has no data, and is left alone
    assert "1 run needs data that is not here: python -m neurosym_lite data fetch mnist\n" in err
    assert [job.seed for job in others] == [1, 2, 3] and others[0].step > 0 and others[0].device == "cpu"
    for job in others:
        folder = job.folder(tmp_path / "runs")
        if job.step:
            assert read_file(folder / "state.safetensors", "state")[1]["step"] == job.step
            assert (folder / "checkpoint.safetensors").is_file() and (folder / "record.json").is_file()
            assert "--resume goes on" in (folder / "log.txt").read_text()
    process, path = begin(others[:1], "--minutes", "0.1", "--device", "cpu")
    assert process.communicate(timeout=300) and process.returncode == 0
    assert read_queue(path)[0].step > others[0].step
    assert f"resumed {VAE} at step {others[0].step}" in (others[0].folder(tmp_path / "runs") / "log.txt").read_text()


def test_runs_whose_data_is_not_here_are_left_alone(begin, tmp_path) -> None:
    jobs = [Job("air-mnist"), Job("dood-mnist"), Job("dood-emnist"), Job("dood-kmnist")]
    process, path = begin(jobs)
    _, err = process.communicate(timeout=300)
    lacking, done = err.splitlines()
    assert lacking == (
        "4 runs need data that is not here: python -m neurosym_lite data fetch mnist (and emnist, kmnist)"
    )
    assert process.returncode == 2 and done.startswith("0 of 4 runs done") and read_queue(path) == jobs


def test_runs_that_go_on_from_others_are_named_with_what_they_wait_for(tmp_path, monkeypatch, capsys) -> None:
    first = dataclasses.replace(RECIPES[VAE], name="first")
    for known in (first, dataclasses.replace(first, name="second", start="first")):
        monkeypatch.setitem(RECIPES, known.name, known)
    jobs = [Job("first"), Job("second")]
    write_queue(tmp_path / "queue.json", jobs)
    _report(Queue(argparse.Namespace(file=str(tmp_path / "queue.json"), out=str(tmp_path / "runs"), jobs=1)))
    done, waiting = capsys.readouterr().err.splitlines()
    assert done.startswith("0 of 2 runs done") and waiting == "waiting until first is done: second"
    for elsewhere in ([Job("first", step=first.steps)], []):
        write_queue(tmp_path / "queue.json", [*elsewhere, Job("second")])
        _report(Queue(argparse.Namespace(file=str(tmp_path / "queue.json"), out=str(tmp_path / "runs"), jobs=1)))
        *_, lacking = capsys.readouterr().err.splitlines()
        assert lacking == f"no trained first in {tmp_path / 'runs'}, from which these go on: second"


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Begins all jobs of a list under these options, as processes that do nothing: their commands and environments."""
    nothing = subprocess.Popen([sys.executable, "-c", ""])
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, env, **_: started.append((command, env)) or nothing)

    def start(listed: list[Job], **options: object) -> list[tuple[list[str], dict[str, str]]]:
        started.clear()
        write_queue(tmp_path / "queue.json", listed)
        asked = {"file": str(tmp_path / "queue.json"), "out": str(tmp_path / "runs"), "jobs": len(listed)}
        asked |= {"device": "cpu", "engine": "eager", "unmeasured": False}
        queue = Queue(argparse.Namespace(**asked | options))
        while queue.begin(0.5):
            queue.running[-1].log.close()
        return list(started)

    yield start
    nothing.wait()


def test_a_run_is_told_what_the_list_was_told(begun) -> None:
    ((plain, _), _), ((quick, _), _) = (
        begun([Job(VAE, seed=1), Job(VAE, seed=2)], unmeasured=unmeasured) for unmeasured in (False, True)
    )
    assert quick == [*plain, "--unmeasured"] and plain[3:7] == ["train", VAE, "--seed", "1"] and "0.500" in plain


def test_a_run_goes_on_on_the_device_where_it_was_begun(begun) -> None:
    commands = [command for command, _ in begun([Job(VAE, seed=1, device="cpu"), Job(VAE, seed=2)], device="cuda")]
    assert [command[command.index("--device") + 1] for command in commands] == ["cpu", "cuda"]


def test_runs_share_the_cores_and_take_the_gpus_in_turn(begun, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    jobs = [Job(VAE, seed=seed) for seed in (1, 2, 3)]
    environments = [environment for _, environment in begun(jobs, jobs=4)]
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in environments] == ["0", "1", "0"]
    assert [environment["OMP_NUM_THREADS"] for environment in environments] == ["4"] * 3
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what the user says holds
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    (_, environment), *_ = begun(jobs, jobs=4)
    assert (environment["CUDA_VISIBLE_DEVICES"], environment["OMP_NUM_THREADS"]) == ("1", "7")


def test_a_problem_is_a_run_s_own_last_line_or_where_to_look(tmp_path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("training\nbad\n")
    assert _last_line(log, 2) == "bad"
    assert _last_line(log, 1) == f"ended with status 1, see {log}"  # a crash: its last line is Python's
    log.write_text("")
    assert _last_line(log, 2) == f"ended with status 2, see {log}"


def test_a_run_that_fails_has_its_problem_written_down(begin, tmp_path) -> None:
    jobs = [Job(VAE, seed=1), Job(VAE, seed=2)]
    broken = jobs[0].folder(tmp_path / "runs") / "state.safetensors"
    broken.parent.mkdir(parents=True), broken.write_text("hello")
    process, path = begin(jobs, "--minutes", "0.2", "--jobs", "2", "--device", "cpu")
    _, err = process.communicate(timeout=300)
    first, second = read_queue(path)
    assert process.returncode == 2 and "not a readable neurosym_lite state" in first.problem and first.problem in err
    assert not second.problem and second.step > 0


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def wait_for(paths: list[Path]) -> None:
    wait_until(lambda: all(path.exists() for path in paths))


def test_a_killed_list_leaves_no_run_at_work(begin, tmp_path) -> None:
    job = Job(VAE, seed=1)
    process, _ = begin([job], "--device", "cpu")
    folder = job.folder(tmp_path / "runs")
    wait_for([folder / "state.safetensors"])
    process.kill()
    process.communicate()
    wait_until(lambda: "interrupted at step" in (folder / "log.txt").read_text())
    with claimed(folder, ("log.txt",)):  # no process holds it
        assert read_file(folder / "state.safetensors", "state")[1]["step"] > 0


def test_a_list_that_broke_meanwhile_leaves_no_process_behind(begin, tmp_path) -> None:
    jobs = [Job(VAE, seed=1), Job(VAE, seed=2)]
    process, path = begin(jobs, "--jobs", "1", "--minutes", "0.2", "--device", "cpu")
    wait_for([jobs[0].folder(tmp_path / "runs") / "state.safetensors"])
    path.write_text("[{")  # an edit that is not finished
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2 and "the list is not brought up to date" in err and path.read_text() == "[{"
    assert "--resume goes on" in (jobs[0].folder(tmp_path / "runs") / "log.txt").read_text()


def test_an_edit_that_is_not_finished_is_read_again_while_runs_are_at_work(tmp_path) -> None:
    path = tmp_path / "queue.json"
    path.write_text("[{")
    queue = Queue(argparse.Namespace(file=str(path), out=str(tmp_path / "runs"), jobs=2))
    with pytest.raises(ValueError, match="queue"):
        queue.begin(None)
    queue.running.append(None)  # whatever it is, it goes on
    assert not queue.begin(None)


def test_a_folder_is_one_processs(begin, tmp_path) -> None:
    jobs = [Job(VAE, seed=1)]
    process, path = begin(jobs, "--device", "cpu")
    wait_for([jobs[0].folder(tmp_path / "runs") / "state.safetensors"])
    second, _ = begin(jobs, "--device", "cpu")
    _, err = second.communicate(timeout=120)
    assert second.returncode == 2 and "another process trains in" in err
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 130 and read_queue(path)[0].problem == ""


def test_ctrl_c_saves_every_run(begin, tmp_path) -> None:
    jobs = [Job(VAE, seed=1), Job(VAE, seed=2)]
    process, path = begin(jobs, "--jobs", "2", "--device", "cpu")
    states = [job.folder(tmp_path / "runs") / "state.safetensors" for job in jobs]
    wait_for(states)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "the same command goes on" in err
    assert all(job.step > 0 and not job.problem for job in read_queue(path))


def test_a_folder_that_cannot_be_used_is_that_runs_problem_alone(begin, tmp_path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / VAE).write_text("a file in the way")
    process, path = begin([Job(VAE), Job(VAE, seed=1)], "--minutes", "0.1", "--device", "cpu")
    _, err = process.communicate(timeout=300)
    bad, good = read_queue(path)
    assert process.returncode == 2 and "cannot write to the folder" in bad.problem
    assert good.step > 0 and not good.problem, err
