"""The list of runs: read, checked, written a run a line."""

from dataclasses import replace

import pytest

from neurosym_lite.training import checkpoints, recipes
from neurosym_lite.training.checkpoints import CheckpointError, save_checkpoint
from neurosym_lite.training.loop import fit, shipped_weights, start
from neurosym_lite.training.queue import QUEUE, Job, can_start, looked_up, read_queue, waits_for, write_queue
from tests.training.test_loop import CPU


def test_what_is_written_is_read_a_run_a_line(tmp_path) -> None:
    jobs = [Job("gnm-mnist4", step=5, minutes=1.5, device="cuda"), Job("dood-mnist", seed=2, problem="full disk")]
    write_queue(tmp_path / "q.json", jobs)
    assert read_queue(tmp_path / "q.json") == jobs
    assert (tmp_path / "q.json").read_text().count("\n") == 4


def test_the_committed_list_is_as_it_would_be_written(tmp_path) -> None:
    write_queue(tmp_path / "q.json", read_queue(QUEUE))
    assert (tmp_path / "q.json").read_text() == QUEUE.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("{}", "holds a dict: expected a list"),
        ('["gnm-mnist4"]', "entry 1 is"),
        ('[{"recipe": "gnm-mnist4", "colour": 1}]', "entry 1 is"),
        ('[{"recipe": "gnm-mnist4"}, {"recipe": "nonsense"}]', "unknown recipe 'nonsense'"),
        ('[{"recipe": "gnm-mnist4", "seed": -1}]', "entry 1: seed and step have to be whole numbers"),
        ('[{"recipe": "gnm-mnist4"}, {"recipe": "gnm-mnist4", "step": 3}]', "has gnm-mnist4 twice"),
        ('[{"recipe": "gnm-mnist4", "device": 3}]', "entry 1: minutes has to be a number, device one of"),
        ('[{"recipe": "gnm-mnist4", "seed": true}]', "entry 1: seed and step have to be whole numbers"),
        ('[{"recipe": "gnm-mnist4", "minutes": NaN}]', "entry 1: minutes has to be a number, device one of"),
        ('[{"recipe": "gnm-mnist4", "problem": 5}]', "entry 1: problem has to be text"),
    ],
)
def test_a_bad_list_is_refused_in_one_line(text: str, message: str, tmp_path) -> None:
    (tmp_path / "q.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_queue(tmp_path / "q.json")
    with pytest.raises(ValueError, match="no queue at"):
        read_queue(tmp_path / "other.json")


def test_a_job_is_as_far_as_its_state(recipe, tmp_path) -> None:
    job = Job(recipe.name, seed=1)
    assert job.name == "test-digits4-seed1" and looked_up(job, tmp_path) == job and can_start(job, tmp_path)
    fit(start(recipe, 1, CPU), job.folder(tmp_path) / "state.safetensors", steps=5)
    stranger = Job(recipe.name, seed=2)
    stranger.folder(tmp_path).symlink_to(job.folder(tmp_path))
    assert looked_up(stranger, tmp_path) == stranger, "the state in its folder is of another seed"
    seen = looked_up(job, tmp_path)
    assert seen.step == 5 and seen.device == "cpu" and not seen.done and can_start(seen, tmp_path)
    further = replace(job, step=7)
    assert looked_up(further, tmp_path).step == 7, "a machine elsewhere has got further than the state here"
    assert not can_start(seen, tmp_path / "elsewhere")
    fit(start(recipe, 1, CPU), job.folder(tmp_path) / "state.safetensors", steps=recipe.steps)
    done = looked_up(job, tmp_path)
    assert done.done and can_start(done, tmp_path), "stopped before its record was written"
    (job.folder(tmp_path) / "record.json").write_text('{"steps": 5}')
    assert can_start(done, tmp_path)
    (job.folder(tmp_path) / "record.json").write_text(f'{{"steps": {recipe.steps}}}')
    assert not can_start(done, tmp_path)


def test_a_run_that_goes_on_from_another_waits_for_its_end(recipe, tmp_path, monkeypatch) -> None:
    later = replace(recipe, name="test-later-digits4", start=recipe.name)
    monkeypatch.setitem(recipes.RECIPES, later.name, later)
    job, checkpoint = Job(later.name), Job(recipe.name).folder(tmp_path) / "checkpoint.safetensors"
    assert not can_start(job, tmp_path) and waits_for(job, tmp_path) == recipe.name
    with pytest.raises(CheckpointError, match=f"neither shipped nor trained to its end in .*: python .* {recipe.name}"):
        start(later, 0, CPU, runs=tmp_path)
    first = start(recipe, 3, CPU)
    save_checkpoint(checkpoint, recipe, shipped_weights(first), recipe.steps - 1, {})
    assert waits_for(job, tmp_path) == recipe.name, "stopped before its end"
    save_checkpoint(checkpoint, recipe, shipped_weights(first), recipe.steps, {})
    other = replace(recipe, name="test-other-digits4")
    monkeypatch.setitem(recipes.RECIPES, other.name, other)
    save_checkpoint(checkpoint, other, shipped_weights(first), recipe.steps, {})
    assert waits_for(job, tmp_path) == recipe.name, "of another recipe"
    save_checkpoint(checkpoint, recipe, shipped_weights(first), recipe.steps, {})
    assert can_start(job, tmp_path) and not waits_for(job, tmp_path) and not waits_for(Job(recipe.name), tmp_path)
    begun = start(later, 0, CPU, runs=tmp_path)
    for weights in (begun.model.state_dict(), begun.averages):
        assert all((weights[name] - tensor).abs().max() < 1e-2 for name, tensor in shipped_weights(first).items())
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", tmp_path)
    save_checkpoint(tmp_path / f"{recipe.name}.safetensors", other, shipped_weights(first), recipe.steps, {})
    with pytest.raises(CheckpointError, match=f"holds a checkpoint of '{other.name}', expected '{recipe.name}'"):
        start(later, 0, CPU, runs=tmp_path)
