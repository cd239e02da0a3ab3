"""The list of runs that the book waits for is true."""

from dataclasses import replace

from neurosym_lite.training.queue import QUEUE, Job, read_queue, write_queue
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import load_record
from scripts.pages import training_list
from scripts.pages.training_list import PAGE, is_waiting


def test_the_list_is_what_the_queue_and_the_records_say() -> None:
    assert PAGE.read_text() == training_list.training_list()


def test_every_recipe_is_either_waiting_or_done() -> None:
    waiting, done = training_list.training_list().split("## Done")
    queued = {job.recipe for job in read_queue(QUEUE)}
    for name in RECIPES:
        assert (f"`{name}`" in waiting) == is_waiting(name) == (f"`{name}`" not in done)
        assert not is_waiting(name) or name in queued


def test_the_list_says_how_far_each_run_is(tmp_path, monkeypatch) -> None:
    path = tmp_path / "queue.json"
    monkeypatch.setattr(training_list, "QUEUE", path)
    jobs = [
        Job("gnm-mnist10", step=41_200, minutes=9.0, device="cuda"),
        Job("gnm-mnist4", seed=3),
        Job("dood-mnist", step=60_000, minutes=30.0, device="cuda"),
        Job("air-mnist", problem="no mnist here"),
        Job("gnm-beta1-mnist4-lite"),
    ]
    monkeypatch.setattr(training_list, "is_waiting", lambda name: True)
    write_queue(path, jobs)
    lines = [line for line in training_list.training_list().splitlines() if line[:1].isdigit()]
    assert "1. `gnm-mnist10`" in lines[0] and "41,200 of 120,000 steps in 9 minutes on cuda" in lines[0]
    assert "2. `gnm-mnist4-seed3`" in lines[1] and ", seed 3; 120,000 steps" in lines[1]
    assert "all 60,000 steps done in 30 minutes" in lines[2] and "then: no mnist here" in lines[3]
    assert "6,000 steps, after `gnm-mnist4-lite` (needs" in lines[4]


def test_a_run_that_was_stopped_is_not_done_without_a_word(monkeypatch) -> None:
    stopped, whole = (replace(load_record("gnm-mnist4-lite"), steps=steps) for steps in (32_999, 33_000))
    for record, said in ((stopped, " (stopped at step 32,999 of 33,000)"), (whole, "")):
        monkeypatch.setattr(training_list, "load_record", lambda name, record=record: record)
        assert f"- `gnm-mnist4-lite`{said}\n" in training_list.training_list()
